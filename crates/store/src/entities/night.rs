//! The nightly rebuild, as far as it has come.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::item::Entity;
use crate::key::Key;

/// The nightly rebuild that is under way or was the last one. Its steps are due rows beside it, and each of them
/// replaces it in its own commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Night {
    /// Which night; the rows of an earlier one do nothing any more.
    pub number: u32,
    /// When it was to begin.
    pub begun_at: DateTime<Utc>,
    /// How many rows were written for it: the next one's number.
    pub rows: u32,
    /// How many of the rows that stand side by side are still to be dealt with.
    pub left: u32,
    /// Whether all of those have been written.
    pub all_written: bool,
    /// The blob that holds what was counted, once that is complete.
    pub tally: Option<String>,
    /// Support workers looked at, and those whose facts were different.
    pub looked_at: u64,
    /// See `looked_at`.
    pub changed: u64,
    /// Shards that were rebuilt or found to be as they should be.
    pub shards: u64,
    /// When it came to its end.
    pub completed_at: Option<DateTime<Utc>>,
    /// As of when the records know what happened: when the last night began that came to its end. Before that, when
    /// the first one began.
    pub as_of: DateTime<Utc>,
}

impl Night {
    /// A night that begins, after `last` if there was one.
    #[must_use]
    pub fn after(last: Option<&Self>, begun_at: DateTime<Utc>) -> Self {
        Self {
            number: last.map_or(0, |last| last.number).saturating_add(1),
            begun_at,
            rows: 0,
            left: 0,
            all_written: false,
            tally: None,
            looked_at: 0,
            changed: 0,
            shards: 0,
            completed_at: None,
            as_of: last.map_or(begun_at, |last| last.as_of),
        }
    }
}

impl Entity for Night {
    fn key(&self) -> Key {
        Key::night()
    }
}
