//! How a support worker has done so far, worked out from what happened.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::invitation::{CandidateState, Invitation};
use crate::policy::Policy;

/// How a support worker has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Reliability {
    /// Sum of the ratings received, each 1 to 5.
    pub rating_sum: u32,
    /// How many ratings.
    pub rating_count: u32,
    /// Invitations received in the period that responsiveness looks back on.
    pub invitations: u32,
    /// Of these, how many were answered in time.
    pub answered: u32,
    /// Minutes that those answers took together.
    pub answer_minutes: u32,
    /// Visits completed.
    pub completed_visits: u32,
    /// Released lists they stood on: the tie goes to who was shown least.
    pub exposure: u32,
}

/// What happened to a support worker, as the table tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Happened<'a> {
    /// Their invitations; those before the period looked back on may be left out.
    pub invitations: &'a [Invitation],
    /// Visits they completed in the last year.
    pub completed_visits: u32,
    /// Lists released in the period looked back on that they stood on.
    pub exposure: u32,
}

impl Reliability {
    /// The same, brought up to date.
    ///
    /// Invitations that were withdrawn before an answer, or still wait for one, say nothing of anybody. Ratings are
    /// feedback's. Visits that were completed elsewhere before, and were recorded when they joined, still count.
    #[must_use]
    pub fn brought_up_to_date(
        self,
        happened: &Happened<'_>,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Self {
        let since = now - policy.responsiveness();
        let mut next = Self {
            invitations: 0,
            answered: 0,
            answer_minutes: 0,
            completed_visits: self.completed_visits.max(happened.completed_visits),
            exposure: happened.exposure,
            ..self
        };
        for invitation in happened.invitations {
            let Some(at) = invitation.invited_at.filter(|at| since <= *at) else {
                continue;
            };
            match invitation.state {
                CandidateState::Accepted | CandidateState::Declined => {
                    next.invitations = next.invitations.saturating_add(1);
                    next.answered = next.answered.saturating_add(1);
                    let took = minutes(invitation.changed_at - at);
                    next.answer_minutes = next.answer_minutes.saturating_add(took);
                }
                CandidateState::Lapsed => next.invitations = next.invitations.saturating_add(1),
                CandidateState::Presented
                | CandidateState::Passed
                | CandidateState::Invited
                | CandidateState::Withdrawn => {}
            }
        }
        next
    }
}

fn minutes(took: TimeDelta) -> u32 {
    u32::try_from(took.num_minutes()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invitation::tests::invitation;

    fn now() -> DateTime<Utc> {
        "2026-11-26T00:00:00Z".parse().unwrap()
    }

    fn answered(state: CandidateState, days_ago: i64, took_minutes: i64) -> Invitation {
        let at = now() - TimeDelta::days(days_ago);
        Invitation {
            state,
            invited_at: Some(at),
            changed_at: at + TimeDelta::minutes(took_minutes),
            ..invitation()
        }
    }

    #[test]
    fn answers_count_in_the_period_and_what_is_nobodys_fault_does_not() {
        let invitations = [
            answered(CandidateState::Accepted, 3, 90),
            answered(CandidateState::Declined, 90, 30),
            answered(CandidateState::Lapsed, 10, 4320),
            answered(CandidateState::Withdrawn, 10, 5),
            answered(CandidateState::Invited, 1, 0),
            answered(CandidateState::Accepted, 91, 7),
        ];
        let before = Reliability {
            rating_sum: 9,
            rating_count: 2,
            invitations: 40,
            answered: 40,
            answer_minutes: 1,
            completed_visits: 12,
            exposure: 7,
        };
        let happened = Happened {
            invitations: &invitations,
            completed_visits: 5,
            exposure: 2,
        };
        let after = before.brought_up_to_date(&happened, &Policy::default(), now());
        assert_eq!(
            after,
            Reliability {
                invitations: 3,
                answered: 2,
                answer_minutes: 120,
                exposure: 2,
                ..before
            }
        );
        let again = after.brought_up_to_date(&happened, &Policy::default(), now());
        assert_eq!(again, after);
    }

    #[test]
    fn visits_completed_here_add_up_past_those_recorded() {
        let happened = Happened {
            invitations: &[],
            completed_visits: 30,
            exposure: 0,
        };
        let after = Reliability::default().brought_up_to_date(&happened, &Policy::default(), now());
        assert_eq!(after.completed_visits, 30);
        assert_eq!(after.invitations, 0);
    }
}
