//! How searches for cover are stored.

use domain::cover::Cover;
use domain::id::{CoverId, WorkerId};
use domain::vocabulary::Vocabulary;
use serde::{Deserialize, Serialize};

use super::instant;
use crate::item::{Entity, StaffIndex};
use crate::key::{Key, StaffPartition};

impl Entity for Cover {
    fn key(&self) -> Key {
        Key::cover(self.id)
    }

    fn staff_index(&self) -> Option<StaffIndex> {
        Some(StaffIndex {
            partition: StaffPartition::Covers(self.state.code()),
            order: instant(self.from),
        })
    }
}

/// The mark, with a support worker, that they were asked to cover a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerCover {
    /// Who.
    pub worker: WorkerId,
    /// In which search.
    pub cover: CoverId,
}

impl Entity for WorkerCover {
    fn key(&self) -> Key {
        Key::worker_cover(self.worker, self.cover)
    }
}
