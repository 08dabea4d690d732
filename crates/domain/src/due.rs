//! Due rows: every effect and every deadline, written in the commit that causes it.
//!
//! A consumer re-reads state and deletes the row in the effect's own commit. Row gone means done;
//! another generation means superseded; early means back with a delay.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::id::{
    AlertId, CandidateId, ConversationReadId, CoverId, EngagementId, MatchRequestId, NoticeId,
    OfferId, PersonId, ProposalId, ReportId, SeriesId, VisitId, WorkerId,
};
use crate::notice::Event;
use crate::place::Cell;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Due {
    /// Release a match request's candidates.
    CandidateRelease {
        /// Which request.
        match_request: MatchRequestId,
    },
    /// Look at a support worker's checks: one is to be announced as expiring, or expires.
    CheckExpiry {
        /// Whose.
        worker: WorkerId,
    },
    /// Tell everybody whom an event concerns.
    Notice {
        /// Which notice.
        notice: NoticeId,
        /// What happened.
        event: Event,
    },
    /// Mail one person about one notice.
    Mail {
        /// Which notice.
        notice: NoticeId,
        /// To whom.
        recipient: PersonId,
        /// What happened.
        event: Event,
    },
    /// Let an unanswered invitation lapse.
    InvitationLapse {
        /// Of which request.
        match_request: MatchRequestId,
        /// Whose invitation.
        candidate: CandidateId,
    },
    /// Withdraw the open invitations of a request that has come to its end.
    InvitationWithdrawal {
        /// Which request.
        match_request: MatchRequestId,
    },
    /// Let both sides know that staff read their conversation.
    ReadDisclosure {
        /// Whose conversation.
        engagement: EngagementId,
        /// Which reading.
        read: ConversationReadId,
    },
    /// Let an unanswered offer lapse.
    OfferLapse {
        /// In which engagement.
        engagement: EngagementId,
        /// Which offer.
        offer: OfferId,
    },
    /// Let a proposal lapse whose time has come unaccepted.
    ProposalLapse {
        /// In which engagement.
        engagement: EngagementId,
        /// Which proposal.
        proposal: ProposalId,
    },
    /// The next thing that time brings about for a visit: a reminder, an alert, its confirmation.
    VisitDeadline {
        /// Which visit.
        visit: VisitId,
    },
    /// Go on looking for somebody to cover a visit.
    CoverWave {
        /// Which search.
        cover: CoverId,
    },
    /// Look for somebody else to come to what a suspended support worker is booked for.
    SuspensionCover {
        /// Who is suspended.
        worker: WorkerId,
    },
    /// Look whether a support worker's leave falls on visits that are booked.
    LeaveLook {
        /// Whose leave.
        worker: WorkerId,
    },
    /// Cancel what is still booked in an engagement that has ended.
    VisitSettlement {
        /// Which engagement.
        engagement: EngagementId,
    },
    /// Tell the next of those on call of an alert that nobody has answered.
    AlertEscalation {
        /// Which alert.
        alert: AlertId,
    },
    /// Make the visits of a series that was booked.
    SeriesUnfold {
        /// In which engagement.
        engagement: EngagementId,
        /// Which series.
        series: SeriesId,
    },
    /// Cancel what is still to come of a series that was ended.
    SeriesEnd {
        /// In which engagement.
        engagement: EngagementId,
        /// Which series.
        series: SeriesId,
    },
    /// Look whether a safety report was dealt with in time.
    ReportDeadline {
        /// Which report.
        report: ReportId,
    },
    /// Rebuild the index shards that a support worker's change touches.
    Reindex {
        /// Whose change.
        worker: WorkerId,
        /// The cells entered, stayed in and left.
        cells: Vec<Cell>,
    },
    /// Delete the object of a shard that is not, or not any more, the current one.
    RemoveShard {
        /// Whose shard.
        cell: Cell,
        /// The name of the object.
        blob: String,
    },
    /// One step of the nightly rebuild.
    Night {
        /// Of which night.
        night: u32,
        /// Which of the night's rows this is.
        row: u32,
        /// What is to be done.
        step: NightStep,
    },
}

/// A step of the nightly rebuild: a slice small enough for one call of a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum NightStep {
    /// Count who was shown and who completed visits, from here on.
    Count {
        /// Which of the lists that are counted through.
        list: usize,
        /// Where in it.
        cursor: Option<String>,
        /// The blob that holds what was counted before.
        tally: Option<String>,
    },
    /// Have the records of the next support workers brought up to date.
    SpreadWorkers {
        /// Where in the list of active ones.
        cursor: Option<String>,
    },
    /// Bring the records of these support workers up to date.
    Refresh {
        /// Whose.
        workers: Vec<WorkerId>,
    },
    /// Have the next shards rebuilt.
    SpreadCells {
        /// Where in the list of shards.
        cursor: Option<String>,
    },
    /// Rebuild the shards of these cells.
    Rebuild {
        /// Which.
        cells: Vec<Cell>,
    },
}

/// The queue, and so the consumer, of a due row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Consumer {
    /// Releases candidate lists.
    CandidateRelease,
    /// Lets checks, invitations, offers and proposals expire, and settles what they leave behind.
    Expiry,
    /// Fans notices out and sends mail.
    Notification,
    /// Builds index shards.
    IndexBuilder,
}

impl Consumer {
    /// Every one.
    pub const ALL: [Self; 4] = [
        Self::CandidateRelease,
        Self::Expiry,
        Self::Notification,
        Self::IndexBuilder,
    ];

    /// The kind of due row it is for, as queues are named and messages say it.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::CandidateRelease => "candidate-release",
            Self::Expiry => "expiry",
            Self::Notification => "notification",
            Self::IndexBuilder => "index-builder",
        }
    }
}

impl Due {
    /// Who consumes it.
    #[must_use]
    pub const fn consumer(&self) -> Consumer {
        match self {
            Self::CandidateRelease { .. } => Consumer::CandidateRelease,
            Self::CheckExpiry { .. }
            | Self::InvitationLapse { .. }
            | Self::InvitationWithdrawal { .. }
            | Self::ReadDisclosure { .. }
            | Self::OfferLapse { .. }
            | Self::ProposalLapse { .. }
            | Self::VisitDeadline { .. }
            | Self::CoverWave { .. }
            | Self::SuspensionCover { .. }
            | Self::LeaveLook { .. }
            | Self::VisitSettlement { .. }
            | Self::AlertEscalation { .. }
            | Self::SeriesUnfold { .. }
            | Self::SeriesEnd { .. }
            | Self::ReportDeadline { .. } => Consumer::Expiry,
            Self::Notice { .. } | Self::Mail { .. } => Consumer::Notification,
            Self::Reindex { .. } | Self::RemoveShard { .. } | Self::Night { .. } => {
                Consumer::IndexBuilder
            }
        }
    }
}

/// One effect or deadline, and when it is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueRow {
    /// What is to be done.
    pub due: Due,
    /// When.
    pub at: DateTime<Utc>,
    /// The deadline's generation, kept on the aggregate and raised only by rescheduling.
    pub generation: u32,
}
