//! Signups: how a client comes to the service, by themselves or through a representative.

mod answers;

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::access::{Authority, AuthorityState, Scope};
use crate::activation;
use crate::client::Client;
use crate::id::{AuthorityId, ClientId, PartnerId, PersonId, SignupId, TicketId};
use crate::partner::Partner;
use crate::person::{Contact, Person, PersonName, Roles};
use crate::ticket::{Ticket, TicketCause};

pub use answers::{Answers, Fault, Field, MAX_FIELDS, MAX_TEXT};

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

impl PersonDetails {
    pub(crate) fn into_person(self, id: PersonId, roles: Roles, now: DateTime<Utc>) -> Person {
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
        funding: None,
        open_match_requests: [].into(),
        cover_consent: None,
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
    use super::answers::tests::{REPRESENTED, SELF, answers, now};
    use super::*;
    use crate::id::Id;
    use crate::partner::{PartnerSettings, PartnerState};
    use crate::ticket::TicketState;
    use uuid::Uuid;

    fn id<K>(number: u128) -> Id<K> {
        Id::from_uuid(Uuid::from_u128(number))
    }

    fn partner(ticket_per_signup: bool) -> Partner {
        let settings = PartnerSettings {
            name: "Northside".into(),
            state: PartnerState::Active,
            fields: Default::default(),
            origins: BTreeSet::new(),
            redirects: Default::default(),
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
