//! Activation: a mailed link binds a login to a person, once.

use chrono::{DateTime, TimeDelta, Utc};

use crate::person::{Activation, LoginKey, Person};

/// How long an activation link works.
pub const LINK_LIFETIME: TimeDelta = TimeDelta::days(14);
/// The most logins that one person may have; merging two people joins theirs.
pub const MAX_LOGINS: usize = 10;

/// Why a link does not activate an account. Its bearer is told which, and nothing of the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ActivateError {
    /// A newer link was sent, or the record was joined to another one.
    #[error("a newer link has taken this one's place; use the latest one that was mailed")]
    Superseded,
    /// It has been used.
    #[error("this link has been used; sign in with the login it was used for")]
    Used,
    /// It is too old.
    #[error("this link is too old; ask for a new one")]
    Expired,
    /// The person has as many logins as a person may.
    #[error("this account has {MAX_LOGINS} logins, the most it may have")]
    TooManyLogins,
}

/// The first link of a new person.
#[must_use]
pub fn first_link(now: DateTime<Utc>) -> Activation {
    Activation {
        generation: 1,
        expires_at: now + LINK_LIFETIME,
        used_at: None,
    }
}

/// The next link of a person: from here on every earlier one is refused.
#[must_use]
pub fn next_link(last: Option<&Activation>, now: DateTime<Utc>) -> Activation {
    let generation = last.map_or(0, |last| last.generation);
    Activation {
        generation: generation.saturating_add(1),
        ..first_link(now)
    }
}

/// Uses a person's link of `generation` to bind `login` to them.
///
/// # Errors
/// When that link is not, or no longer, one that activates this person's account.
pub fn activate(
    mut person: Person,
    generation: u32,
    login: LoginKey,
    now: DateTime<Utc>,
) -> Result<Person, ActivateError> {
    let link = person
        .activation
        .as_mut()
        .filter(|link| link.generation == generation && person.merged_into.is_none())
        .ok_or(ActivateError::Superseded)?;
    if link.used_at.is_some() {
        return Err(ActivateError::Used);
    }
    if link.expires_at <= now {
        return Err(ActivateError::Expired);
    }
    if person.logins.len() >= MAX_LOGINS {
        return Err(ActivateError::TooManyLogins);
    }
    link.used_at = Some(now);
    if !person.logins.contains(&login) {
        person.logins.push(login);
    }
    Ok(person)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::PersonId;
    use crate::person::{Contact, PersonName, Roles};
    use uuid::Uuid;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn login(subject: &str) -> LoginKey {
        LoginKey {
            issuer: "https://login.example".into(),
            subject: subject.into(),
        }
    }

    fn person(activation: Option<Activation>) -> Person {
        Person {
            id: PersonId::from_uuid(Uuid::from_u128(1)),
            name: PersonName {
                given: "Rosa".into(),
                family: "Marchetti".into(),
            },
            contact: Contact {
                email: "rosa@example.org".into(),
                phone: None,
            },
            birth_date: None,
            address: None,
            activation,
            logins: Vec::new(),
            roles: Roles::default(),
            merged_into: None,
            mail_bounced: false,
            created_at: now(),
        }
    }

    #[test]
    fn a_link_binds_one_login_once() {
        let active = activate(person(Some(first_link(now()))), 1, login("a"), now()).unwrap();
        assert_eq!(active.logins, [login("a")]);
        assert_eq!(
            activate(active, 1, login("b"), now()),
            Err(ActivateError::Used)
        );
    }

    #[test]
    fn a_link_works_for_its_lifetime_and_not_a_moment_more() {
        let invited = person(Some(first_link(now())));
        let end = now() + LINK_LIFETIME;
        let last = end - TimeDelta::milliseconds(1);
        assert!(activate(invited.clone(), 1, login("a"), last).is_ok());
        assert_eq!(
            activate(invited, 1, login("a"), end),
            Err(ActivateError::Expired)
        );
    }

    #[test]
    fn a_newer_link_and_a_merger_take_a_links_place() {
        let second = next_link(Some(&first_link(now())), now());
        assert_eq!(second.generation, 2);
        let mut invited = person(Some(second));
        for generation in [0, 1, 3] {
            let refused = activate(invited.clone(), generation, login("a"), now());
            assert_eq!(refused, Err(ActivateError::Superseded), "{generation}");
        }
        assert!(activate(invited.clone(), 2, login("a"), now()).is_ok());
        invited.merged_into = Some(PersonId::from_uuid(Uuid::from_u128(2)));
        let refused = activate(invited, 2, login("a"), now());
        assert_eq!(refused, Err(ActivateError::Superseded));
        let never_invited = activate(person(None), 1, login("a"), now());
        assert_eq!(never_invited, Err(ActivateError::Superseded));
        assert_eq!(next_link(None, now()), first_link(now()));
    }

    #[test]
    fn a_new_link_starts_unused_and_logins_are_bounded() {
        let used = activate(person(Some(first_link(now()))), 1, login("a"), now()).unwrap();
        let mut again = used.clone();
        again.activation = Some(next_link(used.activation.as_ref(), now()));
        let both = activate(again.clone(), 2, login("b"), now()).unwrap();
        assert_eq!(both.logins, [login("a"), login("b")]);
        again.logins = (0..MAX_LOGINS).map(|n| login(&n.to_string())).collect();
        let refused = activate(again, 2, login("b"), now());
        assert_eq!(refused, Err(ActivateError::TooManyLogins));
    }
}
