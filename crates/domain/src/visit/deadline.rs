//! What time brings about for a visit: reminders before it, an alert where it does not begin, and its end.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Visit, VisitState};
use crate::policy::Policy;

/// How long after its end the support worker is asked whether a visit is over, in hours.
const ASK_TO_FINISH_HOURS: i64 = 1;
/// How long after its end staff hear of a visit that was never said to be over, in hours.
const UNFINISHED_HOURS: i64 = 24;

/// What is to happen at a visit's next deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VisitStep {
    /// Both sides are reminded of it.
    Remind,
    /// It should have begun: the client, staff and whoever is on call hear of it.
    Alert,
    /// It is over without having begun.
    Miss,
    /// It should be over: the support worker is asked to say so.
    AskToFinish,
    /// It was never said to be over: staff look into it.
    Unfinished,
    /// The client has said nothing to it.
    Confirm,
}

/// The one deadline that is armed for a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitDeadline {
    /// What is to happen.
    pub step: VisitStep,
    /// When.
    pub at: DateTime<Utc>,
}

/// Why a visit's deadline is not passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PassVisitDeadlineError {
    /// Another deadline has taken its place, or none is armed any more.
    #[error("another deadline has taken its place")]
    Superseded,
    /// It comes too early.
    #[error("due at {0}")]
    Early(DateTime<Utc>),
}

impl Visit {
    /// The visit with the first of its deadlines after `after` armed, under the next generation.
    ///
    /// Deadlines follow from what the visit is, and so from when it is: whatever moves it arms them anew.
    #[must_use]
    pub fn armed(self, policy: &Policy, after: DateTime<Utc>) -> Self {
        Self {
            deadline: self.deadline_after(policy, after),
            deadline_generation: self.deadline_generation.saturating_add(1),
            ..self
        }
    }

    /// The visit with the deadline after `passed` armed. Reminders whose time has come meanwhile are left out: two at
    /// once, or one of a visit that should have begun, help nobody.
    #[must_use]
    pub fn armed_after(self, passed: VisitDeadline, policy: &Policy, now: DateTime<Utc>) -> Self {
        let after = match self.deadline_after(policy, passed.at) {
            Some(next) if next.step == VisitStep::Remind && next.at <= now => {
                return self.armed_after(next, policy, now);
            }
            _ => passed.at,
        };
        self.armed(policy, after)
    }

    /// Whether a reminder of it still helps at `now`.
    #[must_use]
    pub fn can_be_reminded_of(&self, now: DateTime<Utc>) -> bool {
        self.state == VisitState::Booked && now < self.from
    }

    /// The deadline that a due row of this generation stands for.
    ///
    /// # Errors
    /// See [`PassVisitDeadlineError`].
    pub fn due_deadline(
        &self,
        generation: u32,
        now: DateTime<Utc>,
    ) -> Result<VisitDeadline, PassVisitDeadlineError> {
        let armed = (self.deadline).filter(|_| generation == self.deadline_generation);
        let armed = armed.ok_or(PassVisitDeadlineError::Superseded)?;
        if now < armed.at {
            return Err(PassVisitDeadlineError::Early(armed.at));
        }
        Ok(armed)
    }

    /// When its support worker should be there: as it begins, or a journey after they were booked to cover it.
    #[must_use]
    pub fn expected_at(&self, policy: &Policy) -> DateTime<Utc> {
        let journey = TimeDelta::minutes(i64::from(policy.travel_buffer_minutes));
        match self.covers {
            Some(_) => self.from.max(self.booked_at + journey),
            None => self.from,
        }
    }

    /// The last instant at which it can begin: what begins after its end is another visit, which nobody agreed on,
    /// unless somebody covers it who could not be there before.
    pub(super) fn latest_start(&self, policy: &Policy) -> DateTime<Utc> {
        let late = TimeDelta::minutes(i64::from(policy.late_start_minutes));
        match self.covers {
            Some(_) => self.until.max(self.expected_at(policy) + late),
            None => self.until,
        }
    }

    fn deadline_after(&self, policy: &Policy, after: DateTime<Utc>) -> Option<VisitDeadline> {
        let mut ahead = self.steps(policy);
        ahead.retain(|deadline| after < deadline.at);
        ahead.into_iter().min_by_key(|deadline| deadline.at)
    }

    fn steps(&self, policy: &Policy) -> Vec<VisitDeadline> {
        let step = |step, at| VisitDeadline { step, at };
        match self.state {
            VisitState::Booked => {
                let late = TimeDelta::minutes(i64::from(policy.late_start_minutes));
                let reminders = policy.reminder_hours.iter().map(|hours| {
                    let before = TimeDelta::hours(i64::from(*hours));
                    step(VisitStep::Remind, self.from - before)
                });
                let alert = self.expected_at(policy) + late;
                reminders
                    .chain([
                        step(VisitStep::Alert, alert),
                        step(VisitStep::Miss, alert.max(self.until) + late),
                    ])
                    .collect()
            }
            VisitState::Started => [
                (VisitStep::AskToFinish, ASK_TO_FINISH_HOURS),
                (VisitStep::Unfinished, UNFINISHED_HOURS),
            ]
            .map(|(next, hours)| step(next, self.latest_start(policy) + TimeDelta::hours(hours)))
            .into(),
            VisitState::Completed if self.waits_for_client() => Vec::new(),
            VisitState::Completed => {
                let silence = TimeDelta::hours(i64::from(policy.confirmation_hours));
                // From when the client could know of it.
                let since = self.worked.as_ref().map_or(self.until, |it| it.recorded_at);
                vec![step(VisitStep::Confirm, since + silence)]
            }
            VisitState::Confirmed
            | VisitState::Disputed
            | VisitState::Cancelled
            | VisitState::Missed => Vec::new(),
        }
    }
}
