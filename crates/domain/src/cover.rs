//! Cover: finding another support worker for a visit at short notice.
//!
//! Those whom the client knows are asked first, then others, so many at a time. The first who accepts is the one; a
//! client who has not agreed to that beforehand has to confirm them. What was booked stands until then.

mod operations;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use operations::{
    AcceptCoverError, BeginCoverError, ConfirmCoverError, CoverClosed, DeclineCoverError,
    PassCoverDeadlineError, RefuseCoverError, WithdrawCoverError,
};

use crate::access::Acting;
use crate::engagement::Reasoned;
use crate::id::{ClientId, CoverId, EngagementId, VisitId, WorkerId};
use crate::visit::VisitDetails;
use crate::vocabulary::Vocabulary;

/// The most support workers who are asked to cover one visit.
pub const MOST_ASKED: usize = 60;

vocabulary! {
    /// Why somebody else is looked for.
    CoverCause {
        Cancelled = "cancelled", "The support worker cancelled";
        Suspended = "suspended", "The support worker may not come";
        NotArrived = "not_arrived", "The support worker has not come";
        Leave = "leave", "The support worker is away";
        Asked = "asked", "The client asked for somebody else";
    }

    /// Where the search stands.
    CoverState {
        Seeking = "seeking", "Others are being asked";
        Accepted = "accepted", "Somebody can come, and waits for the client";
        Covered = "covered", "Somebody else comes";
        Unfilled = "unfilled", "Nobody was found";
        Withdrawn = "withdrawn", "Nobody is looked for any more";
    }

    /// What somebody answered who was asked.
    CoverAnswer {
        Open = "open", "Not answered";
        Accepted = "accepted", "Can come";
        Declined = "declined", "Cannot come";
        Refused = "refused", "The client would rather have somebody else";
    }
}

/// The search for somebody to come to one visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cover {
    /// Which.
    pub id: CoverId,
    /// The visit.
    pub visit: VisitId,
    /// The engagement in which it was booked.
    pub engagement: EngagementId,
    /// Whose visit.
    pub client: ClientId,
    /// Who was to come.
    pub worker: WorkerId,
    /// Those before them who were to come and did not, where it covers a visit itself: they are not asked either.
    pub before: Vec<WorkerId>,
    /// Why somebody else is looked for.
    pub cause: CoverCause,
    /// Who asked for it, and why; none where it follows by itself.
    pub asked_for: Option<Reasoned>,
    /// When, where and what: those who are asked agree to exactly this.
    pub details: VisitDetails,
    /// Suburb in which it takes place.
    pub suburb: String,
    /// When it begins, as an instant.
    pub from: DateTime<Utc>,
    /// When it ends.
    pub until: DateTime<Utc>,
    /// Where the search stands.
    pub state: CoverState,
    /// When it began.
    pub begun_at: DateTime<Utc>,
    /// Until when it goes on.
    pub lasts_until: DateTime<Utc>,
    /// Everybody who was asked, the first ones first.
    pub asked: Vec<Asked>,
    /// How often somebody was asked.
    pub waves: u32,
    /// Whether nobody was left to ask, and those who had been asked were given more time.
    pub last_call: bool,
    /// When it goes on by itself.
    pub deadline: Option<DateTime<Utc>>,
    /// Raised whenever `deadline` changes, and by nothing else.
    pub deadline_generation: u32,
    /// Who can come, or comes.
    pub taken_by: Option<WorkerId>,
    /// What was booked.
    pub booked: Option<VisitId>,
    /// Why nobody comes, in numbers.
    pub unfilled: Option<WhyUnfilled>,
    /// Why the search was withdrawn; none where what it was for has passed by itself.
    pub withdrawal: Option<Reasoned>,
    /// When it came to its end.
    pub closed_at: Option<DateTime<Utc>>,
}

/// Somebody who was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Who.
    pub worker: WorkerId,
    /// Whether they and the client know each other.
    pub known: bool,
    /// In which wave, from 1.
    pub wave: u32,
    /// When.
    pub at: DateTime<Utc>,
    /// What they answered.
    pub answer: CoverAnswer,
    /// Who answered.
    pub answered_by: Option<Acting>,
    /// Why they cannot come, or why the client would rather have somebody else. For staff alone.
    pub reason: Option<String>,
}

/// Somebody who can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CanBeAsked {
    /// Who.
    pub worker: WorkerId,
    /// Whether they and the client know each other.
    pub known: bool,
}

/// Those of whom nobody could be asked when last looked for, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LeftOut {
    /// Taken elsewhere then, or on the way.
    pub not_free: u32,
    /// On leave then.
    pub away: u32,
    /// Not to be booked for it as things stand.
    pub not_eligible: u32,
}

/// Why nobody comes, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct WhyUnfilled {
    /// How many were asked.
    pub asked: u32,
    /// How many of those the client knows.
    pub known: u32,
    /// How many cannot come.
    pub declined: u32,
    /// How many have not answered.
    pub silent: u32,
    /// How many the client did not want.
    pub refused: u32,
    /// Whether somebody could come and the client did not say in time whether they may.
    pub not_confirmed: bool,
    /// Who could not be asked when last looked for.
    pub left_out: LeftOut,
}

impl Cover {
    /// Whether anything can still become of it.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        match self.state {
            CoverState::Seeking | CoverState::Accepted => true,
            CoverState::Covered | CoverState::Unfilled | CoverState::Withdrawn => false,
        }
    }

    /// Whether `worker` may be asked, as far as the search itself goes: none who was to come already, and nobody twice.
    #[must_use]
    pub fn may_ask(&self, worker: WorkerId) -> bool {
        self.worker != worker && !self.before.contains(&worker) && self.asked(worker).is_none()
    }

    /// What became of asking `worker`; none where they were not asked.
    #[must_use]
    pub fn asked(&self, worker: WorkerId) -> Option<&Asked> {
        self.asked.iter().find(|asked| asked.worker == worker)
    }
}
