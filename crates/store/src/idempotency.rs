//! Idempotency records: what a caller's key was used for, and what came of it.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use crate::item::Entity;
use crate::key::Key;

/// How long a key is remembered. Checked on reading; the table's TTL only tidies up.
pub const IDEMPOTENCY_DAYS: i64 = 14;

/// One use of an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// Whose key: a person's, partner's or form's id.
    pub caller: String,
    /// The key as sent.
    pub key: String,
    /// A digest of method, path and body.
    pub digest: String,
}

/// What is remembered: no bodies, only what the answer is made from again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// Whose key.
    pub caller: String,
    /// The key.
    pub key: String,
    /// The digest it was used with; another one is refused.
    pub digest: String,
    /// The id that the operation made or changed.
    pub target: String,
    /// From when on the key counts as unused.
    pub expires_at: DateTime<Utc>,
}

impl Remembered {
    pub(crate) fn new(once: &Once, target: String, now: DateTime<Utc>) -> Self {
        Self {
            caller: once.caller.clone(),
            key: once.key.clone(),
            digest: once.digest.clone(),
            target,
            expires_at: now + Duration::days(IDEMPOTENCY_DAYS),
        }
    }
}

impl Once {
    pub(crate) fn stored_at(&self) -> Key {
        Key::idempotency(&self.caller, &self.key)
    }
}

impl Entity for Remembered {
    fn key(&self) -> Key {
        Key::idempotency(&self.caller, &self.key)
    }
}
