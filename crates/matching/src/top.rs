//! The best found so far.

use std::cmp::Ordering;

use domain::id::{MatchRequestId, WorkerId};
use domain::money::Cents;
use sha2::{Digest, Sha256};
use tantivy::DocId;

/// Somebody who keeps every rule, with what decides their rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) score: u32,
    pub(crate) exposure: u64,
    pub(crate) worker: WorkerId,
    pub(crate) doc: DocId,
    /// What had to be computed for the score, so that explaining it computes nothing twice.
    pub(crate) late: Late,
}

/// Facts that no column holds as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Late {
    /// How many of the preferred times are free.
    pub(crate) free: u32,
    /// How far away they live.
    pub(crate) metres: u32,
    /// What the dearest service asked for costs.
    pub(crate) dearest: Option<Cents>,
    /// How many of the words asked are in common.
    pub(crate) common_words: usize,
}

/// The best found so far, the very best first.
pub(crate) struct Top {
    request: MatchRequestId,
    most: usize,
    // INVARIANT: in order, at most `most`.
    entries: Vec<Entry>,
}

impl Top {
    /// None yet, of at most so many.
    pub(crate) const fn new(request: MatchRequestId, most: usize) -> Self {
        Self {
            request,
            most,
            entries: vec![],
        }
    }

    /// The least score with which somebody can still come among them. Who just reaches it may: ties are decided by
    /// more than scores.
    pub(crate) fn enough(&self) -> u32 {
        if self.entries.len() < self.most {
            0
        } else {
            self.entries.last().map_or(u32::MAX, |last| last.score)
        }
    }

    /// Takes somebody in who ranks before the last, or while there is room.
    pub(crate) fn offer(&mut self, entry: Entry) {
        let place = self
            .entries
            .partition_point(|held| self.order(held, &entry) == Ordering::Less);
        if place < self.most {
            self.entries.insert(place, entry);
            self.entries.truncate(self.most);
        }
    }

    /// The best first.
    pub(crate) fn into_entries(self) -> Vec<Entry> {
        self.entries
    }

    /// The score ranks before all else; ties go to the least exposed, then to chance that cannot be steered.
    fn order(&self, one: &Entry, other: &Entry) -> Ordering {
        let lot = |entry: &Entry| lot(self.request, entry.worker);
        other
            .score
            .cmp(&one.score)
            .then(one.exposure.cmp(&other.exposure))
            .then_with(|| lot(one).cmp(&lot(other)))
    }
}

/// Draws a lot that is the same every time for this request and support worker.
pub(crate) fn lot(request: MatchRequestId, worker: WorkerId) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update(request.uuid().as_bytes());
    hash.update(worker.uuid().as_bytes());
    let digest: [u8; 32] = hash.finalize().into();
    let mut lot = [0; 16];
    lot.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    lot
}
