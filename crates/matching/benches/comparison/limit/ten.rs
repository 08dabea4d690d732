//! The ten best so far.

use domain::candidates::Criterion;
use domain::id::{MatchRequestId, WorkerId};
use domain::vocabulary::Vocabulary;
use sha2::{Digest, Sha256};

const TEN: usize = 10;

/// One of the ten best.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Best {
    pub(crate) worker: WorkerId,
    pub(crate) score: u32,
    /// What they are worth by each criterion.
    pub(crate) values: [u32; Criterion::ALL.len()],
}

/// One of the ten best so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) row: u32,
    pub(super) worker: WorkerId,
    pub(super) score: u32,
    pub(super) exposure: u32,
    pub(super) dear: Dear,
}

/// What somebody is worth by what is dear to work out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dear {
    pub(super) distance: u32,
    pub(super) days: u32,
    pub(super) words: u32,
}

pub(super) struct Ten {
    request: MatchRequestId,
    best: Vec<Entry>,
}

impl Ten {
    pub(super) fn new(request: MatchRequestId) -> Self {
        Self {
            request,
            best: Vec::with_capacity(TEN + 1),
        }
    }

    /// Whether somebody with at most this score could be one of the ten.
    pub(super) fn may_take(&self, score: u32, exposure: u32) -> bool {
        match self.best.get(TEN - 1) {
            Some(last) => score > last.score || score == last.score && exposure <= last.exposure,
            None => true,
        }
    }

    pub(super) fn offer(&mut self, new: Entry) {
        if !self.may_take(new.score, new.exposure) {
            return;
        }
        let at = self
            .best
            .iter()
            .rposition(|one| self.comes_before(one, &new));
        self.best.insert(at.map_or(0, |at| at + 1), new);
        self.best.truncate(TEN);
    }

    fn comes_before(&self, one: &Entry, other: &Entry) -> bool {
        if (one.score, one.exposure) == (other.score, other.exposure) {
            // Lots are drawn between equals alone.
            self.lot(one.worker) < self.lot(other.worker)
        } else {
            (other.score, one.exposure) < (one.score, other.exposure)
        }
    }

    fn lot(&self, worker: WorkerId) -> [u8; 16] {
        let mut hash = Sha256::new();
        hash.update(self.request.uuid().as_bytes());
        hash.update(worker.uuid().as_bytes());
        let digest: [u8; 32] = hash.finalize().into();
        std::array::from_fn(|at| digest[at])
    }

    pub(super) fn finish(self) -> Vec<Entry> {
        self.best
    }
}
