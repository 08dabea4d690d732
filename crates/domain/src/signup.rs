//! Signups: how a client comes to the service, by themselves or through a representative.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::access::{Authority, AuthorityState, Scope};
use crate::activation;
use crate::client::Client;
use crate::id::{AuthorityId, ClientId, PartnerId, PersonId, SignupId, TicketId};
use crate::invalid::{Findings, Invalid};
use crate::partner::Partner;
use crate::person::{Contact, Person, PersonName, Roles};
use crate::ticket::{Ticket, TicketCause};

/// The most fields one signup may bring.
pub const MAX_FIELDS: usize = 60;
/// The longest text of one field, in characters; single fields allow less.
pub const MAX_TEXT: usize = 2000;
const MAX_PERSON_NAME: usize = 80;
const MAX_ADDRESS: usize = 200;
const MAX_SHORT: usize = 80;

/// Declares the fields with their own names.
macro_rules! fields {
    ($($variant:ident = $code:literal, $doc:literal;)*) => {
        /// A field of a signup.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum Field {
            $(#[doc = $doc] $variant,)*
        }

        impl Field {
            /// Every field, in the order in which a form asks for them.
            pub const ALL: [Self; [$($code),*].len()] = [$(Self::$variant),*];

            /// Its own name.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// What it holds.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }
        }
    };
}

fields! {
    SignupFor = "signup_for", "Who signs up: `self` unless it is `representative`.";
    GivenName = "given_name", "The client's given name.";
    FamilyName = "family_name", "The client's family name.";
    Email = "email", "The client's mail address; a representative may leave it out.";
    Phone = "phone", "The client's telephone number.";
    BirthDate = "birth_date", "The client's date of birth, as year-month-day.";
    Address = "address", "Where the client lives.";
    RepresentativeGivenName = "representative_given_name", "The representative's given name.";
    RepresentativeFamilyName = "representative_family_name", "The representative's family name.";
    RepresentativeEmail = "representative_email", "The representative's mail address.";
    RepresentativePhone = "representative_phone", "The representative's telephone number.";
    RepresentativeBirthDate = "representative_birth_date", "The representative's date of birth, as year-month-day.";
    Relationship = "relationship", "What the representative is to the client, e.g. daughter.";
    Guardian = "guardian", "Whether the representative is an appointed guardian: `yes` or `no`.";
    Scopes = "scopes", "What the representative would act in, one or more: `details`, `match_requests`, `engagements`, `support_plans`.";
    About = "about", "What the client wants the service to know.";
    MembershipWish = "membership_wish", "The membership plan that the client has in mind.";
}

impl Field {
    /// Whether it says something about the representative or their authority.
    #[must_use]
    pub const fn is_representatives(self) -> bool {
        matches!(
            self,
            Self::RepresentativeGivenName
                | Self::RepresentativeFamilyName
                | Self::RepresentativeEmail
                | Self::RepresentativePhone
                | Self::RepresentativeBirthDate
                | Self::Relationship
                | Self::Guardian
                | Self::Scopes
        )
    }
}

const SCOPES: [(&str, Scope); 4] = [
    ("details", Scope::Details),
    ("match_requests", Scope::MatchRequests),
    ("engagements", Scope::Engagements),
    ("support_plans", Scope::SupportPlans),
];

/// One field that cannot be accepted, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which.
    pub field: Field,
    /// What would be right, in words for the person who typed it.
    pub detail: String,
}

/// What was typed, by field. Blank answers are none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers(BTreeMap<Field, Vec<String>>);

impl Answers {
    /// Adds what was typed into a field.
    pub fn add(&mut self, field: Field, typed: impl Into<String>) {
        let typed = typed.into();
        if !typed.trim().is_empty() {
            self.0.entry(field).or_default().push(typed);
        }
    }

    /// What was typed into a field, as typed.
    #[must_use]
    pub fn typed(&self, field: Field) -> &[String] {
        self.0.get(&field).map_or(&[], Vec::as_slice)
    }

    /// The single answer of a field, without surrounding space.
    fn one(&self, field: Field) -> Option<String> {
        self.typed(field)
            .first()
            .map(|typed| typed.trim().to_owned())
    }

    /// Reads the answers as a signup.
    ///
    /// # Errors
    /// Every field that is not right.
    pub fn read(&self, now: DateTime<Utc>) -> Result<SignupDetails, Vec<Fault>> {
        let mut reader = Reader {
            answers: self,
            today: now.date_naive(),
            faults: Vec::new(),
        };
        let details = reader.details();
        if reader.faults.is_empty() {
            Ok(details)
        } else {
            Err(reader.faults)
        }
    }
}

/// What a signup says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignupDetails {
    /// The client.
    pub client: PersonDetails,
    /// Who signs the client up, if not the client.
    pub representative: Option<RepresentativeDetails>,
    /// What the client wants the service to know.
    pub about: Option<String>,
    /// The membership plan that the client has in mind, in their words.
    pub membership_wish: Option<String>,
}

/// What a signup says of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonDetails {
    /// What they are called.
    pub name: PersonName,
    /// How to reach them.
    pub contact: Contact,
    /// When they were born.
    pub birth_date: Option<NaiveDate>,
    /// Where they live.
    pub address: Option<String>,
}

/// What a signup says of a representative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepresentativeDetails {
    /// Who it is.
    pub person: PersonDetails,
    /// What they are to the client.
    pub relationship: String,
    /// Whether they are an appointed decision-maker.
    pub guardian: bool,
    /// What they would act in.
    pub scopes: BTreeSet<Scope>,
}

/// The fields in which a person's details come.
struct PersonFields {
    given: Field,
    family: Field,
    email: Field,
    phone: Field,
    birth_date: Field,
    address: Option<Field>,
}

const CLIENT: PersonFields = PersonFields {
    given: Field::GivenName,
    family: Field::FamilyName,
    email: Field::Email,
    phone: Field::Phone,
    birth_date: Field::BirthDate,
    address: Some(Field::Address),
};

const REPRESENTATIVE: PersonFields = PersonFields {
    given: Field::RepresentativeGivenName,
    family: Field::RepresentativeFamilyName,
    email: Field::RepresentativeEmail,
    phone: Field::RepresentativePhone,
    birth_date: Field::RepresentativeBirthDate,
    address: None,
};

/// Reads answers and collects what is wrong with them. Values read beside a fault are never used.
struct Reader<'a> {
    answers: &'a Answers,
    today: NaiveDate,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn details(&mut self) -> SignupDetails {
        for field in Field::ALL {
            if field != Field::Scopes && self.answers.typed(field).len() > 1 {
                self.fault(field, "is given more than once");
            }
        }
        let by_representative = self.by_representative();
        let mut client = self.person(&CLIENT, !by_representative);
        let representative = by_representative.then(|| self.representative());
        if let Some(representative) = &representative {
            // Someone who cannot look after their own mail is reached through their representative.
            if client.contact.email.is_empty() {
                client
                    .contact
                    .email
                    .clone_from(&representative.person.contact.email);
            }
            if representative.person.is_same_as(&client) {
                let detail =
                    "is the client's own name and mail address; choose to sign up for yourself";
                self.fault(Field::RepresentativeGivenName, detail);
            }
        }
        SignupDetails {
            client,
            representative,
            about: self.text(Field::About, MAX_TEXT, false),
            membership_wish: self.text(Field::MembershipWish, MAX_SHORT, false),
        }
    }

    fn by_representative(&mut self) -> bool {
        match self.answers.one(Field::SignupFor).as_deref() {
            Some("representative") => return true,
            None | Some("self") => {}
            Some(_) => self.fault(Field::SignupFor, "is self or representative"),
        }
        let names_one = Field::ALL
            .into_iter()
            .filter(|field| *field != Field::Guardian && *field != Field::Scopes)
            .any(|field| field.is_representatives() && !self.answers.typed(field).is_empty());
        if names_one {
            let detail = "is self, but a representative is described; choose representative or leave them out";
            self.fault(Field::SignupFor, detail);
        }
        false
    }

    fn person(&mut self, fields: &PersonFields, must_have_mail: bool) -> PersonDetails {
        let mut name = |field| self.text(field, MAX_PERSON_NAME, true).unwrap_or_default();
        let name = PersonName {
            given: name(fields.given),
            family: name(fields.family),
        };
        let contact = Contact {
            email: self
                .text(fields.email, 254, must_have_mail)
                .unwrap_or_default(),
            phone: self.text(fields.phone, MAX_SHORT, false),
        };
        self.check_contact(fields, &contact);
        PersonDetails {
            name,
            contact,
            birth_date: self.birth_date(fields.birth_date),
            address: fields
                .address
                .and_then(|field| self.text(field, MAX_ADDRESS, false)),
        }
    }

    fn check_contact(&mut self, fields: &PersonFields, contact: &Contact) {
        let mut findings = Findings::default();
        contact.check(&mut findings, "");
        for Invalid { pointer, detail } in findings.into_result().err().unwrap_or_default() {
            let (field, is_given) = match pointer.as_str() {
                "/phone" => (fields.phone, contact.phone.is_some()),
                _ => (fields.email, !contact.email.is_empty()),
            };
            // What is missing or too long has been said already.
            if is_given && self.faults.iter().all(|fault| fault.field != field) {
                self.fault(field, detail);
            }
        }
    }

    fn representative(&mut self) -> RepresentativeDetails {
        let person = self.person(&REPRESENTATIVE, true);
        let relationship = self.text(Field::Relationship, MAX_SHORT, true);
        RepresentativeDetails {
            person,
            relationship: relationship.unwrap_or_default(),
            guardian: self.guardian(),
            scopes: self.scopes(),
        }
    }

    fn guardian(&mut self) -> bool {
        match self.answers.one(Field::Guardian).as_deref() {
            Some("yes" | "true" | "on") => true,
            None | Some("no" | "false") => false,
            Some(_) => {
                self.fault(Field::Guardian, "is yes or no");
                false
            }
        }
    }

    fn scopes(&mut self) -> BTreeSet<Scope> {
        let answers = self.answers;
        let read: Option<BTreeSet<Scope>> = answers
            .typed(Field::Scopes)
            .iter()
            .map(|typed| {
                let known = SCOPES.iter().find(|(code, _)| *code == typed.trim());
                known.map(|(_, scope)| *scope)
            })
            .collect();
        match read {
            Some(scopes) if !scopes.is_empty() => return scopes,
            Some(_) => self.fault(Field::Scopes, "is needed; choose at least one"),
            None => {
                let codes = SCOPES.map(|(code, _)| code).join(", ");
                self.fault(Field::Scopes, format!("is one or more of {codes}"));
            }
        }
        BTreeSet::new()
    }

    fn birth_date(&mut self, field: Field) -> Option<NaiveDate> {
        let typed = self.answers.one(field)?;
        let earliest = NaiveDate::from_ymd_opt(1900, 1, 1);
        let read = is_iso_date(&typed)
            .then(|| typed.parse::<NaiveDate>().ok())
            .flatten()
            .filter(|date| Some(*date) >= earliest && *date <= self.today);
        if read.is_none() {
            self.fault(field, "is not a date of birth; one looks like 1947-05-30");
        }
        read
    }

    fn text(&mut self, field: Field, most: usize, needed: bool) -> Option<String> {
        let text = self.answers.one(field);
        let mut findings = Findings::default();
        findings.text("", text.as_deref().unwrap_or_default(), needed.into(), most);
        for Invalid { detail, .. } in findings.into_result().err().unwrap_or_default() {
            self.fault(field, detail);
        }
        text
    }

    fn fault(&mut self, field: Field, detail: impl Into<String>) {
        let detail = detail.into();
        self.faults.push(Fault { field, detail });
    }
}

fn is_iso_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

impl PersonDetails {
    fn is_same_as(&self, other: &Self) -> bool {
        let same = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
        !self.contact.email.is_empty()
            && same(&self.contact.email, &other.contact.email)
            && same(&self.name.full(), &other.name.full())
    }

    fn into_person(self, id: PersonId, roles: Roles, now: DateTime<Utc>) -> Person {
        Person {
            id,
            name: self.name,
            contact: self.contact,
            birth_date: self.birth_date,
            address: self.address,
            activation: None,
            logins: Vec::new(),
            roles,
            merged_into: None,
            mail_bounced: false,
            created_at: now,
        }
    }
}

/// A signup, as received.
///
/// INVARIANT: it bears the UUID of the person who is to activate it, so either is found from the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signup {
    /// Which signup.
    pub id: SignupId,
    /// Who sent it.
    pub partner: PartnerId,
    /// How it came.
    pub channel: Channel,
    /// Where it stands.
    pub state: SignupState,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// When a login was first bound to the person.
    pub activated_at: Option<DateTime<Utc>>,
    /// The client.
    pub client: ClientId,
    /// The person behind the client.
    pub client_person: PersonId,
    /// Who signed the client up, if not the client.
    pub representative: Option<Represented>,
    /// What the client wants the service to know.
    pub about: Option<String>,
    /// The membership plan that the client has in mind, in their words.
    pub membership_wish: Option<String>,
}

/// By whom a client was signed up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Represented {
    /// By whom.
    pub by: PersonId,
    /// What they are to the client, in their words.
    #[schema(example = "daughter")]
    pub relationship: String,
    /// The authority they claim.
    pub authority: AuthorityId,
}

/// How a signup came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// From the partner's server, signed.
    Server,
    /// From the partner's form in a browser.
    Form,
}

/// Where a signup stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignupState {
    /// The details are saved; nobody has signed in yet.
    Received,
    /// The person who should activate it has.
    Activated,
}

impl Signup {
    /// The signup that `person` would activate, if there is one.
    #[must_use]
    pub const fn activated_by(person: PersonId) -> SignupId {
        SignupId::from_uuid(person.uuid())
    }

    /// Who is to activate it: the representative, else the client.
    #[must_use]
    pub fn activator(&self) -> PersonId {
        self.representative
            .as_ref()
            .map_or(self.client_person, |represented| represented.by)
    }

    /// The signup once its person has an account; the first time counts.
    #[must_use]
    pub fn activate(mut self, now: DateTime<Utc>) -> Self {
        self.state = SignupState::Activated;
        self.activated_at = self.activated_at.or(Some(now));
        self
    }
}

/// Fresh ids for all that a signup can make.
#[derive(Debug, Clone, Copy)]
pub struct FreshIds {
    /// For the client's person.
    pub client_person: PersonId,
    /// For the client.
    pub client: ClientId,
    /// For the representative's person.
    pub representative: PersonId,
    /// For the representative's authority.
    pub authority: AuthorityId,
    /// For the ticket that the partner's setting may ask for.
    pub signup_ticket: TicketId,
    /// For the ticket about the claimed authority.
    pub authority_ticket: TicketId,
    /// For the ticket about people who may be known.
    pub duplicate_ticket: TicketId,
}

/// All that a received signup makes: saved in one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The signup.
    pub signup: Signup,
    /// The client.
    pub client: Client,
    /// The client's person, then the representative's.
    pub people: Vec<Person>,
    /// What the representative claims; counts for nothing until staff have verified it.
    pub authority: Option<Authority>,
    /// The work it makes for staff.
    pub tickets: Vec<Ticket>,
}

/// Takes a signup in. `known` are the people already known by one of the same details: a reason for
/// staff to look, never for another answer.
#[must_use]
pub fn receive(
    partner: &Partner,
    channel: Channel,
    details: SignupDetails,
    known: &[PersonId],
    ids: FreshIds,
    now: DateTime<Utc>,
) -> Received {
    let SignupDetails {
        client,
        representative,
        about,
        membership_wish,
    } = details;
    let roles = Roles {
        clients: BTreeSet::from([ids.client]),
        ..Roles::default()
    };
    let mut people = vec![client.into_person(ids.client_person, roles, now)];
    let mut authority = None;
    let mut represented = None;
    if let Some(RepresentativeDetails {
        person,
        relationship,
        guardian,
        scopes,
    }) = representative
    {
        let roles = Roles {
            represents: BTreeSet::from([ids.client]),
            ..Roles::default()
        };
        people.push(person.into_person(ids.representative, roles, now));
        authority = Some(Authority {
            id: ids.authority,
            client: ids.client,
            representative: ids.representative,
            guardian,
            scopes,
            from: now,
            until: None,
            evidence: None,
            state: AuthorityState::Claimed,
        });
        represented = Some(Represented {
            by: ids.representative,
            relationship,
            authority: ids.authority,
        });
    }
    // Whoever sent the signup is the last: the representative, else the client.
    if let Some(activator) = people.last_mut() {
        activator.activation = Some(activation::first_link(now));
    }
    let mut signup = Signup {
        id: Signup::activated_by(ids.client_person),
        partner: partner.id,
        channel,
        state: SignupState::Received,
        received_at: now,
        activated_at: None,
        client: ids.client,
        client_person: ids.client_person,
        representative: represented,
        about,
        membership_wish,
    };
    signup.id = Signup::activated_by(signup.activator());
    let tickets = tickets(partner, &signup, known, ids, now);
    let client = Client {
        id: ids.client,
        person: ids.client_person,
        membership: None,
        partner: Some(partner.id),
        created_at: now,
    };
    Received {
        signup,
        client,
        people,
        authority,
        tickets,
    }
}

fn tickets(
    partner: &Partner,
    signup: &Signup,
    known: &[PersonId],
    ids: FreshIds,
    now: DateTime<Utc>,
) -> Vec<Ticket> {
    let mut tickets = Vec::new();
    if partner.settings.ticket_per_signup {
        let cause = TicketCause::SignupReceived;
        tickets.push(Ticket::open(ids.signup_ticket, cause, signup.id, now));
    }
    if let Some(represented) = &signup.representative {
        let cause = TicketCause::AuthorityClaimed;
        let mut ticket = Ticket::open(ids.authority_ticket, cause, represented.authority, now);
        ticket.related = vec![signup.client.to_string(), represented.by.to_string()];
        tickets.push(ticket);
    }
    if !known.is_empty() {
        let cause = TicketCause::PossibleDuplicate;
        let mut ticket = Ticket::open(ids.duplicate_ticket, cause, signup.id, now);
        let new = [
            Some(signup.client_person),
            signup.representative.as_ref().map(|r| r.by),
        ];
        ticket.related = new
            .iter()
            .flatten()
            .chain(known)
            .map(ToString::to_string)
            .collect();
        tickets.push(ticket);
    }
    tickets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;
    use crate::partner::{PartnerSettings, PartnerState};
    use crate::ticket::TicketState;
    use uuid::Uuid;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    const SELF: [(Field, &str); 4] = [
        (Field::GivenName, " Rosa "),
        (Field::FamilyName, "Marchetti"),
        (Field::Email, "rosa@example.org"),
        (Field::BirthDate, "1941-05-30"),
    ];

    const REPRESENTED: [(Field, &str); 8] = [
        (Field::SignupFor, "representative"),
        (Field::GivenName, "Rosa"),
        (Field::FamilyName, "Marchetti"),
        (Field::RepresentativeGivenName, "Elena"),
        (Field::RepresentativeFamilyName, "Marchetti"),
        (Field::RepresentativeEmail, "elena@example.org"),
        (Field::Relationship, "daughter"),
        (Field::Scopes, "details"),
    ];

    fn answers(of: &[(Field, &str)]) -> Answers {
        let mut answers = Answers::default();
        for (field, typed) in of {
            answers.add(*field, *typed);
        }
        answers
    }

    /// The fields at fault when `change` is made to `of`; a blank takes an answer away.
    fn faults(of: &[(Field, &str)], change: &[(Field, &str)]) -> Vec<Field> {
        let kept = of
            .iter()
            .filter(|(field, _)| change.iter().all(|(changed, _)| changed != field));
        let changed: Vec<_> = kept.chain(change).copied().collect();
        let found = answers(&changed).read(now()).err().unwrap_or_default();
        found.into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn a_client_signs_up_with_a_name_and_a_mail_address() {
        let details = answers(&SELF).read(now()).unwrap();
        assert_eq!(details.client.name.full(), "Rosa Marchetti");
        assert_eq!(
            details.client.birth_date,
            NaiveDate::from_ymd_opt(1941, 5, 30)
        );
        assert_eq!(details.representative, None);
        use Field::*;
        for (change, expected) in [
            ((GivenName, " "), vec![GivenName]),
            ((Email, ""), vec![Email]),
            ((Email, "rosa"), vec![Email]),
            (
                (Email, "rosa@example.org\r\nBcc: x@example.org"),
                vec![Email],
            ),
            ((Phone, "call me"), vec![Phone]),
            ((Phone, "+61 3 5550 0100"), vec![]),
            ((BirthDate, "30.5.1941"), vec![BirthDate]),
            ((BirthDate, "1941-02-30"), vec![BirthDate]),
            ((BirthDate, "1841-05-30"), vec![BirthDate]),
            ((BirthDate, "2041-05-30"), vec![BirthDate]),
            ((BirthDate, ""), vec![]),
            ((SignupFor, "self"), vec![]),
            ((SignupFor, "someone"), vec![SignupFor]),
            ((RepresentativeEmail, "elena@example.org"), vec![SignupFor]),
            // A form always sends the choice of its radio buttons.
            ((Guardian, "no"), vec![]),
        ] {
            assert_eq!(faults(&SELF, &[change]), expected, "{change:?}");
        }
        let long = "a".repeat(MAX_TEXT + 1);
        assert_eq!(faults(&SELF, &[(About, &long)]), [About]);
    }

    #[test]
    fn a_representative_says_who_they_are_and_what_they_would_act_in() {
        let details = answers(&REPRESENTED).read(now()).unwrap();
        let representative = details.representative.unwrap();
        assert_eq!(representative.relationship, "daughter");
        assert_eq!(representative.scopes, BTreeSet::from([Scope::Details]));
        assert!(!representative.guardian);
        // The client has no mail address of their own here.
        assert_eq!(details.client.contact.email, "elena@example.org");
        use Field::*;
        for (change, expected) in [
            ((Relationship, ""), vec![Relationship]),
            ((Scopes, ""), vec![Scopes]),
            ((Scopes, "everything"), vec![Scopes]),
            ((Guardian, "perhaps"), vec![Guardian]),
            ((Guardian, "yes"), vec![]),
            ((RepresentativeEmail, ""), vec![RepresentativeEmail]),
            (
                (RepresentativeGivenName, "ROSA"),
                vec![RepresentativeGivenName],
            ),
        ] {
            assert_eq!(faults(&REPRESENTED, &[change]), expected, "{change:?}");
        }
    }

    #[test]
    fn every_fault_is_found_at_once_and_single_answers_stay_single() {
        use Field::*;
        let nothing = answers(&[]).read(now()).unwrap_err();
        let fields: Vec<Field> = nothing.into_iter().map(|fault| fault.field).collect();
        assert_eq!(fields, [GivenName, FamilyName, Email]);
        let twice = answers(&[&SELF[..], &[(Email, "other@example.org")]].concat());
        let found = twice.read(now()).unwrap_err();
        assert_eq!(found.first().unwrap().field, Email);
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn every_field_has_one_name_and_is_stored_under_it() {
        let names: BTreeSet<&str> = Field::ALL.iter().map(|field| field.code()).collect();
        assert_eq!(names.len(), Field::ALL.len());
        for field in Field::ALL {
            let json = serde_json::to_string(&field).unwrap();
            assert_eq!(json, format!("\"{}\"", field.code()));
            assert!(!crate::partner::form_field::ALL.contains(&field.code()));
        }
    }

    fn id<K>(number: u128) -> Id<K> {
        Id::from_uuid(Uuid::from_u128(number))
    }

    fn partner(ticket_per_signup: bool) -> Partner {
        let settings = PartnerSettings {
            name: "Northside".into(),
            state: PartnerState::Active,
            fields: BTreeMap::new(),
            origins: BTreeSet::new(),
            redirects: BTreeMap::new(),
            ticket_per_signup,
            hourly_quota: 1,
        };
        Partner::new(id(1), id(2), settings, now())
    }

    fn received(of: &[(Field, &str)], ticket_per_signup: bool, known: &[PersonId]) -> Received {
        let ids = FreshIds {
            client_person: id(11),
            client: id(12),
            representative: id(13),
            authority: id(14),
            signup_ticket: id(15),
            authority_ticket: id(16),
            duplicate_ticket: id(17),
        };
        let details = answers(of).read(now()).unwrap();
        receive(
            &partner(ticket_per_signup),
            Channel::Form,
            details,
            known,
            ids,
            now(),
        )
    }

    fn causes(received: &Received) -> Vec<TicketCause> {
        assert!(
            received
                .tickets
                .iter()
                .all(|t| t.state == TicketState::Open)
        );
        received.tickets.iter().map(|ticket| ticket.cause).collect()
    }

    #[test]
    fn a_client_of_their_own_activates_the_signup() {
        let received = received(&SELF, false, &[]);
        let [person] = &received.people[..] else {
            panic!("one person")
        };
        assert_eq!(person.id, received.signup.activator());
        assert_eq!(Signup::activated_by(person.id), received.signup.id);
        assert_eq!(person.roles.clients, BTreeSet::from([received.client.id]));
        assert_eq!(received.client.person, person.id);
        assert_eq!(person.activation, Some(activation::first_link(now())));
        assert_eq!(received.authority, None);
        assert_eq!(causes(&received), []);
    }

    #[test]
    fn a_representative_activates_and_holds_nothing_but_a_claim() {
        let received = received(&REPRESENTED, true, &[]);
        let [client, representative] = &received.people[..] else {
            panic!("two people")
        };
        assert_eq!(received.signup.activator(), representative.id);
        assert_eq!(Signup::activated_by(representative.id), received.signup.id);
        assert_eq!(client.activation, None);
        assert!(representative.activation.is_some());
        assert_eq!(
            representative.roles.represents,
            BTreeSet::from([received.client.id])
        );
        assert!(representative.roles.clients.is_empty());
        let authority = received.authority.clone().unwrap();
        assert_eq!(authority.state, AuthorityState::Claimed);
        assert!(!authority.permits(Scope::Details, now()));
        assert_eq!(
            causes(&received),
            [TicketCause::SignupReceived, TicketCause::AuthorityClaimed]
        );
    }

    #[test]
    fn a_likely_duplicate_is_saved_all_the_same_and_shown_to_staff() {
        let plain = received(&SELF, false, &[]);
        let known = received(&SELF, false, &[id(99)]);
        assert_eq!(known.people, plain.people);
        assert_eq!(known.signup, plain.signup);
        assert_eq!(causes(&known), [TicketCause::PossibleDuplicate]);
        let related = [id::<crate::id::PersonKind>(11), id(99)].map(|id| id.to_string());
        assert_eq!(known.tickets[0].related, related);
    }

    #[test]
    fn the_first_activation_is_the_one_that_counts() {
        let later = now() + chrono::TimeDelta::days(1);
        let signup = received(&SELF, false, &[])
            .signup
            .activate(now())
            .activate(later);
        assert_eq!(signup.state, SignupState::Activated);
        assert_eq!(signup.activated_at, Some(now()));
    }
}
