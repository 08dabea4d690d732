//! Alerts: what whoever is on call has to look at now, and who is told when they do not.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::id::{AlertId, PersonId};
use crate::policy::Policy;
use crate::vocabulary::Vocabulary;

vocabulary! {
    /// Why somebody is alerted.
    AlertCause {
        VisitNotStarted = "visit_not_started", "A visit has not begun";
        CoverUnfilled = "cover_unfilled", "Nobody was found to come to a visit";
    }

    /// Where an alert stands.
    AlertState {
        Open = "open", "Nobody has answered yet";
        Acknowledged = "acknowledged", "Somebody looks after it";
        Settled = "settled", "It has come right by itself";
    }
}

/// Something that cannot wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Which.
    pub id: AlertId,
    /// Why.
    pub cause: AlertCause,
    /// The id of what it is about, e.g. `vis_…`.
    pub about: String,
    /// Where it stands.
    pub state: AlertState,
    /// Since when.
    pub raised_at: DateTime<Utc>,
    /// Who was told, one after the other.
    pub told: Vec<ToldOnCall>,
    /// When everybody who looks after alerts was told, because nobody on call had answered.
    pub everybody_at: Option<DateTime<Utc>>,
    /// Who looks after it.
    pub acknowledged: Option<ToldOnCall>,
    /// When the next is told; none once nobody is left, or nobody needs to be.
    pub next_at: Option<DateTime<Utc>>,
    /// Raised whenever `next_at` changes, and by nothing else.
    pub generation: u32,
}

/// A member of staff, and when they were told of an alert or answered it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ToldOnCall {
    /// Who.
    pub person: PersonId,
    /// When.
    pub at: DateTime<Utc>,
}

/// Whom an alert goes to next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The next on call.
    Person(PersonId),
    /// Everybody who looks after alerts: nobody on call has answered.
    Everybody,
}

/// Why an alert goes to nobody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EscalateError {
    /// Somebody has answered, it has come right, or another deadline has taken its place.
    #[error("another deadline has taken its place")]
    Superseded,
    /// It comes too early.
    #[error("due at {0}")]
    Early(DateTime<Utc>),
}

/// Why an alert is not acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AcknowledgeAlertError {
    /// Somebody looks after it.
    #[error("somebody looks after this already")]
    Acknowledged,
    /// It has come right.
    #[error("there is nothing to look after any more")]
    Settled,
}

impl Alert {
    /// A new one, of which nobody knows yet: the first on call is to be told at once.
    #[must_use]
    pub fn raise(id: AlertId, cause: AlertCause, about: impl ToString, now: DateTime<Utc>) -> Self {
        Self {
            id,
            cause,
            about: about.to_string(),
            state: AlertState::Open,
            raised_at: now,
            told: Vec::new(),
            everybody_at: None,
            acknowledged: None,
            next_at: Some(now),
            generation: 1,
        }
    }

    /// Whether a due row of this generation still calls for somebody to be told.
    ///
    /// # Errors
    /// See [`EscalateError`].
    pub fn must_go_on(&self, generation: u32, now: DateTime<Utc>) -> Result<(), EscalateError> {
        let armed = self.next_at.filter(|_| generation == self.generation);
        match armed {
            None => Err(EscalateError::Superseded),
            Some(at) if now < at => Err(EscalateError::Early(at)),
            Some(_) => Ok(()),
        }
    }

    /// Tells the next of those on call, in their `order` now; everybody once none of them is left.
    #[must_use]
    pub fn escalate(
        &self,
        order: &[PersonId],
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> (Self, Next) {
        let knows = |person: &PersonId| self.told.iter().any(|told| told.person == *person);
        let mut next = self.clone();
        next.generation = next.generation.saturating_add(1);
        match order.iter().find(|person| !knows(person)) {
            Some(&person) => {
                next.told.push(ToldOnCall { person, at: now });
                let wait = TimeDelta::minutes(i64::from(policy.escalation_minutes));
                next.next_at = Some(now + wait);
                (next, Next::Person(person))
            }
            None => {
                next.everybody_at = Some(now);
                next.next_at = None;
                (next, Next::Everybody)
            }
        }
    }

    /// Somebody looks after it from now on: nobody else is told.
    ///
    /// # Errors
    /// See [`AcknowledgeAlertError`].
    pub fn acknowledge(
        &self,
        person: PersonId,
        now: DateTime<Utc>,
    ) -> Result<Self, AcknowledgeAlertError> {
        match self.state {
            AlertState::Open => Ok(Self {
                acknowledged: Some(ToldOnCall { person, at: now }),
                ..self.quiet(AlertState::Acknowledged)
            }),
            AlertState::Acknowledged => Err(AcknowledgeAlertError::Acknowledged),
            AlertState::Settled => Err(AcknowledgeAlertError::Settled),
        }
    }

    /// It has come right by itself, where nobody looks after it.
    #[must_use]
    pub fn settle(&self) -> Option<Self> {
        match self.state {
            AlertState::Open => Some(self.quiet(AlertState::Settled)),
            AlertState::Acknowledged | AlertState::Settled => None,
        }
    }

    fn quiet(&self, state: AlertState) -> Self {
        Self {
            state,
            next_at: None,
            generation: self.generation.saturating_add(1),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn person(number: u128) -> PersonId {
        PersonId::from_uuid(Uuid::from_u128(number))
    }

    fn now() -> DateTime<Utc> {
        "2026-12-01T00:15:00Z".parse().unwrap()
    }

    fn raised() -> Alert {
        let id = AlertId::from_uuid(Uuid::nil());
        Alert::raise(id, AlertCause::VisitNotStarted, "vis_x", now())
    }

    #[test]
    fn one_after_the_other_is_told_and_then_everybody() {
        let policy = Policy::default();
        let order = [1, 2].map(person);
        let mut alert = raised();
        let mut at = now();
        for expected in order {
            assert_eq!(alert.must_go_on(alert.generation, at), Ok(()));
            let (next, told) = alert.escalate(&order, &policy, at);
            assert_eq!(told, Next::Person(expected));
            let old = next.must_go_on(alert.generation, at);
            assert_eq!(old, Err(EscalateError::Superseded));
            let due = at + TimeDelta::minutes(10);
            let early = next.must_go_on(next.generation, due - TimeDelta::seconds(1));
            assert_eq!(early, Err(EscalateError::Early(due)));
            (alert, at) = (next, due);
        }
        let (alert, told) = alert.escalate(&order, &policy, at);
        assert_eq!((told, alert.everybody_at), (Next::Everybody, Some(at)));
        let over = alert.must_go_on(alert.generation, at);
        assert_eq!(over, Err(EscalateError::Superseded));
        // Somebody can still say that they look after it.
        assert!(alert.acknowledge(person(3), at).is_ok());
    }

    #[test]
    fn whoever_comes_on_shift_meanwhile_is_told_too() {
        let policy = Policy::default();
        let (alert, _) = raised().escalate(&[person(1)], &policy, now());
        let (_, told) = alert.escalate(&[person(2), person(1)], &policy, now());
        assert_eq!(told, Next::Person(person(2)));
    }

    #[test]
    fn every_state_and_command() {
        for (state, acknowledged, settles) in [
            (AlertState::Open, Ok(AlertState::Acknowledged), true),
            (
                AlertState::Acknowledged,
                Err(AcknowledgeAlertError::Acknowledged),
                false,
            ),
            (
                AlertState::Settled,
                Err(AcknowledgeAlertError::Settled),
                false,
            ),
        ] {
            let alert = match state {
                AlertState::Open => raised(),
                AlertState::Acknowledged => raised().acknowledge(person(1), now()).unwrap(),
                AlertState::Settled => raised().settle().unwrap(),
            };
            assert_eq!(alert.state, state);
            assert_eq!(alert.next_at.is_some(), state == AlertState::Open);
            let found = alert.acknowledge(person(2), now()).map(|it| it.state);
            assert_eq!(found, acknowledged);
            assert_eq!(alert.settle().is_some(), settles);
        }
    }
}
