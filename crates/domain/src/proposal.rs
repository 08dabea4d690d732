//! Proposals: a dated visit that a support worker offers, in numbered revisions of which the client accepts one.

mod change;
mod operations;

pub use change::{Change, ChangeVisitError, ProposeChangeError};
pub use operations::{
    AcceptProposalError, AskOtherTimeError, DeclineProposalError, LapseProposalError,
    ProposalNotOpen, ProposeVisitError, ReviseProposalError, UnderTerms, WithdrawProposalError,
};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::access::Acting;
use crate::availability::Leave;
use crate::cancellation::{CancellationRules, CancellationTerms};
use crate::change_request::WishedTimes;
use crate::engagement::Reasoned;
use crate::id::{ClientId, EngagementId, ProposalId, SeriesId, VisitId, WorkerId};
use crate::policy::Policy;
use crate::recurrence::Repeats;
use crate::series::SeriesOffer;
use crate::terms::VisitPrice;
use crate::visit::{VisitDetails, VisitWarning};
use crate::vocabulary::Vocabulary;

/// How often a proposal can be revised, the first revision included.
pub const MOST_REVISIONS: usize = 50;
/// How often another time can be asked for.
pub const MOST_OTHER_TIMES: usize = 20;

vocabulary! {
    /// Where a proposal stands.
    ProposalState {
        Open = "open", "Open";
        Accepted = "accepted", "Accepted";
        Declined = "declined", "Declined";
        Withdrawn = "withdrawn", "Withdrawn";
        Lapsed = "lapsed", "Lapsed";
    }
}

/// A proposal of a visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Which.
    pub id: ProposalId,
    /// In which engagement.
    pub engagement: EngagementId,
    /// To whom.
    pub client: ClientId,
    /// By whom.
    pub worker: WorkerId,
    /// The booked visit that it would change; none where it books what was not booked before.
    pub changes: Option<Change>,
    /// Where it stands.
    pub state: ProposalState,
    /// The revision that can be accepted.
    pub current: Revision,
    /// The revisions before it, the first one first.
    pub earlier: Vec<Revision>,
    /// What the client asked for instead.
    pub other_times: Vec<OtherTime>,
    /// When it lapses: as the current revision's visit would begin, or when the policy's days for an offer are over.
    pub lapses_at: DateTime<Utc>,
    /// Raised whenever `lapses_at` moves, and by nothing else.
    pub deadline_generation: u32,
    /// Who declined it, and why.
    pub refusal: Option<Reasoned>,
    /// When it was accepted, declined or withdrawn, or lapsed.
    pub closed_at: Option<DateTime<Utc>>,
    /// The visit that was booked, or changed, when it was accepted.
    pub visit: Option<VisitId>,
    /// The series that was booked when it was accepted, where it is one.
    pub series: Option<SeriesId>,
    /// The policy under which the current revision was made.
    pub policy_version: u32,
}

/// What is proposed: a visit, or a series of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposedVisit {
    /// The visit; where it repeats, the first one.
    pub visit: VisitDetails,
    /// How it repeats, if it does.
    pub repeats: Option<Repeats>,
}

impl From<VisitDetails> for ProposedVisit {
    fn from(visit: VisitDetails) -> Self {
        Self {
            visit,
            repeats: None,
        }
    }
}

/// One revision of a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Its number, from 1.
    pub number: u32,
    /// When it was made.
    pub at: DateTime<Utc>,
    /// Who made it.
    pub acting: Acting,
    /// The visit.
    pub visit: VisitDetails,
    /// When the visit begins, as an instant.
    pub from: DateTime<Utc>,
    /// When it ends.
    pub until: DateTime<Utc>,
    /// What it costs under the terms in force when it was made.
    pub price: VisitPrice,
    /// The terms on which the client can cancel the visit once it is booked.
    pub cancellation: CancellationTerms,
    /// What deserves a second look before it is accepted.
    pub warnings: Vec<VisitWarning>,
    /// The series that the visit is the first of, if it is one.
    pub series: Option<SeriesOffer>,
}

/// What visits are proposed under, besides the terms that the two have agreed on.
#[derive(Debug, Clone, Copy)]
pub struct Conditions<'a> {
    /// The organisation's policy.
    pub policy: &'a Policy,
    /// The public holidays that count for the client.
    pub holidays: &'a [NaiveDate],
    /// What the client's funding scheme, or else the policy, says of cancellations.
    pub cancellation: CancellationRules,
    /// When the support worker is away.
    pub away: &'a [Leave],
}

/// Another time that the client asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OtherTime {
    /// When it was asked for.
    pub at: DateTime<Utc>,
    /// By whom.
    pub acting: Acting,
    /// What was asked for.
    #[schema(min_length = 1, max_length = 500)]
    pub text: String,
    /// The times that would suit, where they are that clear.
    pub times: Option<WishedTimes>,
}

impl Proposal {
    /// Where it stands at `now`: time lets it lapse, whether or not anything has come round to say so.
    #[must_use]
    pub fn state_at(&self, now: DateTime<Utc>) -> ProposalState {
        match self.state {
            ProposalState::Open if self.lapses_at <= now => ProposalState::Lapsed,
            state => state,
        }
    }

    /// Every revision, the first one first.
    pub fn revisions(&self) -> impl Iterator<Item = &Revision> {
        self.earlier.iter().chain([&self.current])
    }
}

#[cfg(test)]
pub(crate) mod tests;
