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
