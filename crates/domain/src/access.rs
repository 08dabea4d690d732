//! Who may do what: decided from live relationships, never from a claim alone.
//!
//! The store loads the relationships, this module decides, and every route calls it first.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::engagement::{Engagement, Side};
use crate::id::{AuthorityId, ClientId, PersonId, WorkerId};
use crate::person::Person;

/// A staff role.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum StaffRole {
    /// Runs the service.
    Administrator,
    /// Owns support plans and match requests.
    Coordinator,
    /// Hears escalations.
    Supervisor,
    /// Hears disputes.
    Mediator,
}

/// A group of staff operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// Tickets: search, assign, date, close.
    Tickets,
    /// People: links, contact, logins, merging, verified authorities.
    People,
    /// Appointing staff; partners, membership plans and policies.
    Administration,
    /// Support workers: checks, introductions, suspension.
    Workers,
    /// Match requests: preview, pin, exclude, send early.
    MatchRequests,
    /// Engagements: who is connected with whom, and how it stands.
    Engagements,
    /// Reading a conversation, with a reason that both sides come to know.
    Conversations,
    /// Keeping such a reading from both sides for a while.
    Disclosure,
    /// The schedules of everybody.
    Schedules,
    /// Doing for somebody what they have said they want.
    Instructions,
    /// Safety reports, which nobody else sees.
    Safety,
    /// Reversing mistakes.
    Reversals,
    /// Reading audit items.
    Audit,
    /// Hearing both sides where a client disputes what a visit was.
    Disputes,
    /// Looking after what cannot wait: visits that have not begun, or that nobody comes to.
    Alerts,
}

const DUTIES: [(Duty, &[StaffRole]); 15] = [
    (
        Duty::Tickets,
        &[
            StaffRole::Administrator,
            StaffRole::Coordinator,
            StaffRole::Supervisor,
            StaffRole::Mediator,
        ],
    ),
    (Duty::People, &[StaffRole::Administrator]),
    (Duty::Administration, &[StaffRole::Administrator]),
    (Duty::Workers, &[StaffRole::Administrator]),
    (
        Duty::MatchRequests,
        &[StaffRole::Administrator, StaffRole::Coordinator],
    ),
    (
        Duty::Engagements,
        &[StaffRole::Administrator, StaffRole::Coordinator],
    ),
    (
        Duty::Conversations,
        &[
            StaffRole::Administrator,
            StaffRole::Coordinator,
            StaffRole::Supervisor,
            StaffRole::Mediator,
        ],
    ),
    (Duty::Disclosure, &[StaffRole::Supervisor]),
    (
        Duty::Schedules,
        &[StaffRole::Administrator, StaffRole::Coordinator],
    ),
    (
        Duty::Instructions,
        &[StaffRole::Administrator, StaffRole::Coordinator],
    ),
    (
        Duty::Safety,
        &[StaffRole::Administrator, StaffRole::Supervisor],
    ),
    (Duty::Reversals, &[StaffRole::Administrator]),
    (
        Duty::Audit,
        &[StaffRole::Administrator, StaffRole::Supervisor],
    ),
    (Duty::Disputes, &[StaffRole::Mediator]),
    (
        Duty::Alerts,
        &[
            StaffRole::Administrator,
            StaffRole::Coordinator,
            StaffRole::Supervisor,
        ],
    ),
];

/// What a representative may do for a client.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Read and correct the client's details.
    Details,
    /// Submit and withdraw match requests, review candidates.
    MatchRequests,
    /// Converse, negotiate terms, accept proposals.
    Engagements,
    /// Take part in support plans.
    SupportPlans,
}

/// One representative's authority to act for one client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authority {
    /// Which authority.
    pub id: AuthorityId,
    /// For whom.
    pub client: ClientId,
    /// By whom.
    pub representative: PersonId,
    /// Whether a guardian, an appointed decision-maker.
    pub guardian: bool,
    /// What it covers.
    pub scopes: BTreeSet<Scope>,
    /// First instant it holds.
    pub from: DateTime<Utc>,
    /// First instant it no longer holds; open-ended if none.
    pub until: Option<DateTime<Utc>>,
    /// Whether staff have verified it.
    pub state: AuthorityState,
    /// The reference of what staff verified it from, e.g. an order's number.
    pub evidence: Option<String>,
}

/// Claimed authority counts for nothing until staff have verified it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthorityState {
    /// Stated by the representative.
    Claimed,
    /// Confirmed by staff from evidence.
    Verified,
    /// Ended by the client or by staff.
    Revoked,
}

impl Authority {
    /// Whether this authority covers an act of `scope` at `now`.
    #[must_use]
    pub fn permits(&self, scope: Scope, now: DateTime<Utc>) -> bool {
        self.state == AuthorityState::Verified
            && self.scopes.contains(&scope)
            && self.from <= now
            && self.until.is_none_or(|until| now < until)
    }
}

/// Why an act is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The caller may not even know that the thing exists.
    #[error("there is no such thing for this caller")]
    Invisible,
    /// The caller sees the thing, but the act is not theirs.
    #[error("this is not yours to do")]
    NotYours,
}

/// On whose account an act is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Acting {
    /// Who does it.
    pub by: PersonId,
    /// For whom, when not for themselves.
    pub on_behalf_of: Option<ClientId>,
    /// Whose spoken instruction it follows, where staff do it for somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructed_by: Option<PersonId>,
}

impl Acting {
    /// Somebody who acts for themselves, or as staff.
    #[must_use]
    pub const fn by(by: PersonId) -> Self {
        Self {
            by,
            on_behalf_of: None,
            instructed_by: None,
        }
    }
}

/// Whether staff with these roles have `duty`.
///
/// # Errors
/// [`Denied::Invisible`] for people who are not staff, [`Denied::NotYours`] for other staff.
pub fn staff(person: &Person, duty: Duty) -> Result<Acting, Denied> {
    if person.roles.staff.is_empty() {
        return Err(Denied::Invisible);
    }
    let holds = DUTIES.iter().any(|(listed, roles)| {
        *listed == duty && roles.iter().any(|role| person.roles.staff.contains(role))
    });
    if holds {
        Ok(Acting::by(person.id))
    } else {
        Err(Denied::NotYours)
    }
}

/// Whether `person` decides, as staff with `duty`, on what is a client's.
///
/// # Errors
/// As [`staff`]; [`Denied::NotYours`] also for staff who are the client or represent them.
pub fn over_client(person: &Person, client: ClientId, duty: Duty) -> Result<Acting, Denied> {
    let acting = staff(person, duty)?;
    // INVARIANT: nobody decides on themselves, nor on whom they stand for; and a client on the staff sees
    // the candidates as blindly as any other.
    let roles = &person.roles;
    if roles.clients.contains(&client) || roles.represents.contains(&client) {
        return Err(Denied::NotYours);
    }
    Ok(acting)
}

/// Whether `person` may act for `client` in `scope`: the client in person, or a representative whose
/// `authority` (as stored now) permits it.
///
/// # Errors
/// [`Denied::Invisible`] to strangers and to representatives without a verified, current authority;
/// [`Denied::NotYours`] where the authority holds but does not cover `scope`.
pub fn for_client(
    person: &Person,
    client: ClientId,
    authority: Option<&Authority>,
    scope: Scope,
    now: DateTime<Utc>,
) -> Result<Acting, Denied> {
    if person.roles.clients.contains(&client) {
        return Ok(Acting::by(person.id));
    }
    // INVARIANT: an authority speaks only for the pair it names.
    let authority = authority
        .filter(|held| held.client == client && held.representative == person.id)
        .ok_or(Denied::Invisible)?;
    if authority.permits(scope, now) {
        return Ok(Acting {
            on_behalf_of: Some(client),
            ..Acting::by(person.id)
        });
    }
    let holds_otherwise = authority
        .scopes
        .iter()
        .any(|held| authority.permits(*held, now));
    Err(if holds_otherwise {
        Denied::NotYours
    } else {
        Denied::Invisible
    })
}

/// Whether `person` is the support worker `worker`, and so may say what the profile says.
///
/// # Errors
/// [`Denied::NotYours`] for staff, who see every support worker; [`Denied::Invisible`] to everybody else.
pub fn as_worker(person: &Person, worker: WorkerId) -> Result<Acting, Denied> {
    if person.roles.workers.contains(&worker) {
        return Ok(Acting::by(person.id));
    }
    Err(if person.roles.staff.is_empty() {
        Denied::Invisible
    } else {
        Denied::NotYours
    })
}

/// Whether `person` decides, as staff, on the support worker `worker`.
///
/// # Errors
/// [`Denied::NotYours`] for the support worker in person, staff or not, and for staff with other duties;
/// [`Denied::Invisible`] to everybody else.
pub fn over_worker(person: &Person, worker: WorkerId) -> Result<Acting, Denied> {
    // INVARIANT: nobody decides on themselves.
    if person.roles.workers.contains(&worker) {
        return Err(Denied::NotYours);
    }
    staff(person, Duty::Workers)
}

/// Whether `person` decides, as staff with `duty`, on what lies between a client and a support worker.
///
/// # Errors
/// As [`over_client`]; [`Denied::NotYours`] also for the support worker in person.
pub fn over_both(
    person: &Person,
    client: ClientId,
    worker: WorkerId,
    duty: Duty,
) -> Result<Acting, Denied> {
    let acting = over_client(person, client, duty)?;
    // INVARIANT: nobody decides on themselves.
    if person.roles.workers.contains(&worker) {
        return Err(Denied::NotYours);
    }
    Ok(acting)
}

/// On which side of an engagement `person` stands, and on whose account.
///
/// A support worker who also represents the client is the support worker: nobody agrees with themselves.
///
/// # Errors
/// As [`for_client`] in [`Scope::Engagements`] for everybody but the support worker.
pub fn in_engagement(
    person: &Person,
    engagement: &Engagement,
    authority: Option<&Authority>,
    now: DateTime<Utc>,
) -> Result<(Side, Acting), Denied> {
    if person.roles.workers.contains(&engagement.worker) {
        return Ok((Side::Worker, Acting::by(person.id)));
    }
    for_client(
        person,
        engagement.client,
        authority,
        Scope::Engagements,
        now,
    )
    .map(|acting| (Side::Client, acting))
}

/// Whether `person` carries out, as staff, what `instructed_by` has told them to do: for a client where
/// `on_behalf_of` names one, else for a support worker.
///
/// # Errors
/// As [`staff`]; [`Denied::NotYours`] also where it would be for themselves or somebody they represent.
pub fn on_instruction(
    person: &Person,
    instructed_by: PersonId,
    on_behalf_of: Option<ClientId>,
) -> Result<Acting, Denied> {
    let acting = match on_behalf_of {
        Some(client) => over_client(person, client, Duty::Instructions)?,
        None => staff(person, Duty::Instructions)?,
    };
    // INVARIANT: an instruction comes from somebody else.
    if instructed_by == person.id {
        return Err(Denied::NotYours);
    }
    Ok(Acting {
        on_behalf_of,
        instructed_by: Some(instructed_by),
        ..acting
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::id::Id;
    use crate::person::{Roles, tests::person};
    use uuid::Uuid;

    fn id<K>(number: u128) -> Id<K> {
        Id::from_uuid(Uuid::from_u128(number))
    }

    fn now() -> DateTime<Utc> {
        "2026-11-25T00:00:00Z".parse().unwrap()
    }

    fn engagement() -> Engagement {
        Engagement::open(id(1), id(2), id(3), id(4), id(5), now())
    }

    fn with(roles: Roles) -> Person {
        Person { roles, ..person(9) }
    }

    fn authority(scopes: impl Into<BTreeSet<Scope>>) -> Authority {
        Authority {
            id: id(6),
            client: id(2),
            representative: person(9).id,
            guardian: false,
            scopes: scopes.into(),
            from: now(),
            until: None,
            state: AuthorityState::Verified,
            evidence: None,
        }
    }

    #[test]
    fn everybody_stands_on_one_side_of_an_engagement_or_on_none() {
        let client = Roles {
            clients: [id(2)].into(),
            ..Roles::default()
        };
        let worker = Roles {
            workers: [id(3)].into(),
            ..Roles::default()
        };
        let full = authority([Scope::Engagements]);
        let other = authority([Scope::SupportPlans]);
        let over = Authority {
            until: Some(now()),
            ..full.clone()
        };
        for (roles, held, expected) in [
            (client, None, Ok(Side::Client)),
            (worker.clone(), None, Ok(Side::Worker)),
            // Whoever is both acts as the support worker: nobody agrees with themselves.
            (worker, Some(&full), Ok(Side::Worker)),
            (Roles::default(), Some(&full), Ok(Side::Client)),
            (Roles::default(), Some(&other), Err(Denied::NotYours)),
            (Roles::default(), Some(&over), Err(Denied::Invisible)),
            (Roles::default(), None, Err(Denied::Invisible)),
        ] {
            let found = in_engagement(&with(roles), &engagement(), held, now());
            assert_eq!(found.map(|(side, _)| side), expected);
        }
    }

    #[test]
    fn staff_do_what_somebody_else_told_them_and_nothing_for_themselves() {
        let staff = |role, clients: &[ClientId]| {
            with(Roles {
                staff: [role].into(),
                clients: clients.iter().copied().collect(),
                ..Roles::default()
            })
        };
        let told_by = person(1).id;
        let coordinator = staff(StaffRole::Coordinator, &[]);
        let acting = on_instruction(&coordinator, told_by, Some(id(2))).unwrap();
        assert_eq!(
            (acting.by, acting.on_behalf_of, acting.instructed_by),
            (coordinator.id, Some(id(2)), Some(told_by))
        );
        for (person, instructed_by, refused) in [
            (staff(StaffRole::Mediator, &[]), told_by, Denied::NotYours),
            (with(Roles::default()), told_by, Denied::Invisible),
            (coordinator.clone(), coordinator.id, Denied::NotYours),
            (
                staff(StaffRole::Coordinator, &[id(2)]),
                told_by,
                Denied::NotYours,
            ),
        ] {
            let found = on_instruction(&person, instructed_by, Some(id(2)));
            assert_eq!(found, Err(refused));
        }
    }
}
