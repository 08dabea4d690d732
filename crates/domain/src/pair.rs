//! A client and a support worker, as far as they know each other: what matching and invitations rest on.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::engagement::Side;
use crate::id::{ClientId, EngagementId, WorkerId};

/// One client and one support worker. There is a record once something has come about between them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// The client.
    pub client: ClientId,
    /// The support worker.
    pub worker: WorkerId,
    /// When their first engagement was opened: since then they know each other.
    pub known_since: Option<DateTime<Utc>>,
    /// Their engagement that has not ended.
    ///
    /// INVARIANT: at most one, since whatever opens or ends one writes this record.
    pub engagement: Option<EngagementId>,
    /// Who wants to have nothing to do with the other.
    pub blocked_by: BTreeSet<Side>,
}

impl Pair {
    /// Two who do not know each other.
    #[must_use]
    pub const fn strangers(client: ClientId, worker: WorkerId) -> Self {
        Self {
            client,
            worker,
            known_since: None,
            engagement: None,
            blocked_by: BTreeSet::new(),
        }
    }

    /// Whether either has blocked the other.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        !self.blocked_by.is_empty()
    }

    /// The pair once an engagement between them is open.
    #[must_use]
    pub fn with_engagement(self, engagement: EngagementId, now: DateTime<Utc>) -> Self {
        Self {
            known_since: self.known_since.or(Some(now)),
            engagement: Some(engagement),
            ..self
        }
    }

    /// The pair once their engagement has ended.
    #[must_use]
    pub fn without_engagement(self) -> Self {
        Self {
            engagement: None,
            ..self
        }
    }

    /// The pair once `side` wants to have nothing to do with the other.
    ///
    /// # Errors
    /// When that side has blocked the other already.
    pub fn block(mut self, side: Side) -> Result<Self, BlockError> {
        if !self.blocked_by.insert(side) {
            return Err(BlockError::AlreadyBlocked);
        }
        Ok(self)
    }

    /// The pair once `side` has taken its block back; the other side's stands.
    ///
    /// # Errors
    /// When that side has not blocked the other.
    pub fn unblock(mut self, side: Side) -> Result<Self, UnblockError> {
        if !self.blocked_by.remove(&side) {
            return Err(UnblockError::NotBlocked);
        }
        Ok(self)
    }
}

/// Why a side does not block the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// It has already.
    #[error("blocked already")]
    AlreadyBlocked,
}

/// Why a side does not unblock the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnblockError {
    /// It has not blocked them.
    #[error("not blocked")]
    NotBlocked,
}
