//! What was typed into a signup's fields, and how it is read.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::{PersonDetails, RepresentativeDetails, SignupDetails};
use crate::access::Scope;
use crate::invalid::{Findings, Invalid};
use crate::person::{Contact, PersonName};

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
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::signup) fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    pub(in crate::signup) const SELF: [(Field, &str); 4] = [
        (Field::GivenName, " Rosa "),
        (Field::FamilyName, "Marchetti"),
        (Field::Email, "rosa@example.org"),
        (Field::BirthDate, "1941-05-30"),
    ];

    pub(in crate::signup) const REPRESENTED: [(Field, &str); 8] = [
        (Field::SignupFor, "representative"),
        (Field::GivenName, "Rosa"),
        (Field::FamilyName, "Marchetti"),
        (Field::RepresentativeGivenName, "Elena"),
        (Field::RepresentativeFamilyName, "Marchetti"),
        (Field::RepresentativeEmail, "elena@example.org"),
        (Field::Relationship, "daughter"),
        (Field::Scopes, "details"),
    ];

    pub(in crate::signup) fn answers(of: &[(Field, &str)]) -> Answers {
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
}
