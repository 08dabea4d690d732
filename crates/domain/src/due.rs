//! Due rows: every effect and every deadline, written in the commit that causes it.
//!
//! A consumer re-reads state and deletes the row in the effect's own commit. Row gone means done;
//! another generation means superseded; early means back with a delay.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::id::{MatchRequestId, NoticeId, PersonId, WorkerId};
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
    /// Rebuild the index shards that a support worker's change touches.
    Reindex {
        /// Whose change.
        worker: WorkerId,
        /// The cells entered, stayed in and left.
        cells: Vec<Cell>,
    },
}

/// The queue, and so the consumer, of a due row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Consumer {
    /// Releases candidate lists.
    CandidateRelease,
    /// Lets checks, links and offers expire.
    Expiry,
    /// Fans notices out and sends mail.
    Notification,
    /// Builds index shards.
    IndexBuilder,
}

impl Due {
    /// Who consumes it.
    #[must_use]
    pub const fn consumer(&self) -> Consumer {
        match self {
            Self::CandidateRelease { .. } => Consumer::CandidateRelease,
            Self::CheckExpiry { .. } => Consumer::Expiry,
            Self::Notice { .. } | Self::Mail { .. } => Consumer::Notification,
            Self::Reindex { .. } => Consumer::IndexBuilder,
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
