//! Submitting, withdrawing and releasing a match request.

use chrono::{DateTime, Utc};

use super::{MatchRequest, MatchRequestDetails, MatchRequestState};
use crate::id::{ClientId, MatchRequestId, PersonId};
use crate::invalid::Invalid;
use crate::policy::Policy;

/// A new match request as it came in.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// The id it gets.
    pub id: MatchRequestId,
    /// Whose it is.
    pub client: ClientId,
    /// Who submits it.
    pub by: PersonId,
    /// For whom, where somebody acts for the client.
    pub on_behalf_of: Option<ClientId>,
    /// What is asked for.
    pub details: MatchRequestDetails,
}

/// Why a match request cannot be submitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmitMatchRequestError {
    /// What is asked for has faults.
    #[error("the match request is not right")]
    Invalid(Vec<Invalid>),
}

/// Why a match request cannot be withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WithdrawMatchRequestError {
    /// It was withdrawn before.
    #[error("withdrawn already")]
    AlreadyWithdrawn,
    /// It has come to its end.
    #[error("the match request is closed")]
    Closed,
}

/// Why a match request cannot be fulfilled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FulfilMatchRequestError {
    /// Nobody has been shown yet.
    #[error("its candidates have not been shown yet; withdraw it instead")]
    NotReleased,
    /// It was fulfilled before.
    #[error("fulfilled already")]
    AlreadyFulfilled,
    /// It was withdrawn or has come to its end without result.
    #[error("the match request is closed")]
    Closed,
}

/// Why a candidate list cannot be released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseMatchRequestError {
    /// It was released before.
    #[error("released already")]
    AlreadyReleased,
    /// The match request was withdrawn.
    #[error("the match request was withdrawn")]
    Withdrawn,
    /// The match request has come to its end.
    #[error("the match request is closed")]
    Closed,
    /// The schedule was replaced by another.
    #[error("another deadline has taken its place")]
    Superseded,
    /// The schedule comes too early.
    #[error("due at {0}")]
    Early(DateTime<Utc>),
}

/// What sets a release off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseCause {
    /// The schedule of this generation.
    Due {
        /// The generation that was scheduled.
        generation: u32,
    },
    /// Staff send it early.
    Staff,
}

impl MatchRequest {
    /// Takes a match request in; its list falls due after the policy's delay, in elapsed time.
    ///
    /// # Errors
    /// Every fault of what is asked for.
    pub fn submit(
        submission: Submission,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Result<Self, SubmitMatchRequestError> {
        let today = submission.details.place.today(now);
        submission
            .details
            .validate(today)
            .map_err(SubmitMatchRequestError::Invalid)?;
        Ok(Self {
            id: submission.id,
            client: submission.client,
            by: submission.by,
            on_behalf_of: submission.on_behalf_of,
            details: submission.details,
            state: MatchRequestState::Submitted,
            submitted_at: now,
            release_at: now + policy.release_delay(),
            deadline_generation: 1,
            policy_version: policy.version,
            released_at: None,
            closed_at: None,
        })
    }

    /// The client no longer wants it, whether or not the list was released.
    ///
    /// # Errors
    /// When it has come to its end.
    pub fn withdraw(&self, now: DateTime<Utc>) -> Result<Self, WithdrawMatchRequestError> {
        match self.state {
            MatchRequestState::Submitted | MatchRequestState::Released => Ok(Self {
                state: MatchRequestState::Withdrawn,
                closed_at: Some(now),
                ..self.clone()
            }),
            MatchRequestState::Withdrawn => Err(WithdrawMatchRequestError::AlreadyWithdrawn),
            MatchRequestState::Fulfilled | MatchRequestState::Exhausted => {
                Err(WithdrawMatchRequestError::Closed)
            }
        }
    }

    /// It has come to what it was for: a first visit is booked, or the client says so.
    ///
    /// # Errors
    /// Unless its candidates were shown and it is open.
    pub fn fulfil(&self, now: DateTime<Utc>) -> Result<Self, FulfilMatchRequestError> {
        match self.state {
            MatchRequestState::Released => Ok(Self {
                state: MatchRequestState::Fulfilled,
                closed_at: Some(now),
                ..self.clone()
            }),
            MatchRequestState::Submitted => Err(FulfilMatchRequestError::NotReleased),
            MatchRequestState::Fulfilled => Err(FulfilMatchRequestError::AlreadyFulfilled),
            MatchRequestState::Withdrawn | MatchRequestState::Exhausted => {
                Err(FulfilMatchRequestError::Closed)
            }
        }
    }

    /// The client sees the list from now on.
    ///
    /// # Errors
    /// When it is released or closed already, or the schedule was replaced or comes too early.
    pub fn release(
        &self,
        cause: ReleaseCause,
        now: DateTime<Utc>,
    ) -> Result<Self, ReleaseMatchRequestError> {
        match self.state {
            MatchRequestState::Submitted => {}
            MatchRequestState::Released => return Err(ReleaseMatchRequestError::AlreadyReleased),
            MatchRequestState::Withdrawn => return Err(ReleaseMatchRequestError::Withdrawn),
            MatchRequestState::Fulfilled | MatchRequestState::Exhausted => {
                return Err(ReleaseMatchRequestError::Closed);
            }
        }
        if let ReleaseCause::Due { generation } = cause {
            if generation != self.deadline_generation {
                return Err(ReleaseMatchRequestError::Superseded);
            }
            if now < self.release_at {
                return Err(ReleaseMatchRequestError::Early(self.release_at));
            }
        }
        Ok(Self {
            state: MatchRequestState::Released,
            released_at: Some(now),
            ..self.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;
    use crate::match_request::tests::details;

    fn now() -> DateTime<Utc> {
        "2026-11-21T02:00:00Z".parse().unwrap()
    }

    fn submitted() -> MatchRequest {
        let submission = Submission {
            id: MatchRequestId::from_uuid(Uuid::from_u128(1)),
            client: ClientId::from_uuid(Uuid::from_u128(2)),
            by: PersonId::from_uuid(Uuid::from_u128(3)),
            on_behalf_of: None,
            details: details(),
        };
        MatchRequest::submit(submission, &Policy::default(), now()).unwrap()
    }

    #[test]
    fn the_list_falls_due_24_hours_after_submission() {
        let request = submitted();
        assert_eq!(request.release_at, now() + TimeDelta::hours(24));
        let due = ReleaseCause::Due { generation: 1 };
        let early = request.release_at - TimeDelta::seconds(1);
        assert_eq!(
            request.release(due, early),
            Err(ReleaseMatchRequestError::Early(request.release_at))
        );
        let other = ReleaseCause::Due { generation: 2 };
        assert_eq!(
            request.release(other, request.release_at),
            Err(ReleaseMatchRequestError::Superseded)
        );
        let released = request.release(due, request.release_at).unwrap();
        assert_eq!(released.released_at, Some(request.release_at));
    }

    #[test]
    fn every_state_and_command() {
        use FulfilMatchRequestError as Fulfil;
        use MatchRequestState::{Exhausted, Fulfilled, Released, Submitted, Withdrawn};
        use ReleaseMatchRequestError as Release;
        use WithdrawMatchRequestError as Withdraw;
        for (state, released, withdrawn, fulfilled) in [
            (
                Submitted,
                Ok(Released),
                Ok(Withdrawn),
                Err(Fulfil::NotReleased),
            ),
            (
                Released,
                Err(Release::AlreadyReleased),
                Ok(Withdrawn),
                Ok(Fulfilled),
            ),
            (
                Fulfilled,
                Err(Release::Closed),
                Err(Withdraw::Closed),
                Err(Fulfil::AlreadyFulfilled),
            ),
            (
                Withdrawn,
                Err(Release::Withdrawn),
                Err(Withdraw::AlreadyWithdrawn),
                Err(Fulfil::Closed),
            ),
            (
                Exhausted,
                Err(Release::Closed),
                Err(Withdraw::Closed),
                Err(Fulfil::Closed),
            ),
        ] {
            let request = MatchRequest {
                state,
                ..submitted()
            };
            let state_of = |request: MatchRequest| request.state;
            let due = ReleaseCause::Due { generation: 1 };
            let later = request.release_at;
            assert_eq!(
                request.release(ReleaseCause::Staff, now()).map(state_of),
                released
            );
            assert_eq!(request.release(due, later).map(state_of), released);
            assert_eq!(request.withdraw(now()).map(state_of), withdrawn);
            assert_eq!(request.fulfil(now()).map(state_of), fulfilled);
        }
    }
}
