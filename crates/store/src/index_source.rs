//! What matching sees of a support worker, as part of the commit that changes them.

use domain::due::{Due, DueRow};
use domain::id::WorkerId;
use domain::packed::IndexChange;

use crate::commit::Commit;
use crate::entities::CellRow;
use crate::key::Key;

impl Commit {
    /// Writes the rows of the index source, deletes those of the cells left, and has the shards of both kinds rebuilt.
    ///
    /// INVARIANT: what matching sees changes in the same commit as the support worker.
    pub fn reindexed(self, change: IndexChange, worker: WorkerId) -> Self {
        let cells: Vec<_> = change.put.iter().chain(&change.delete).copied().collect();
        if cells.is_empty() {
            return self;
        }
        let deleted: Vec<_> = change.delete.clone();
        let commit = self.with_index_rows(change);
        let commit = deleted.into_iter().fold(commit, |commit, cell| {
            commit.derive_nothing_at(&Key::cell_row(cell, worker))
        });
        let at = commit.at();
        commit.due(DueRow {
            due: Due::Reindex { worker, cells },
            at,
            generation: 0,
        })
    }

    /// Writes the rows of the index source alone.
    pub fn with_index_rows(self, change: IndexChange) -> Self {
        let Some(record) = change.record else {
            return self;
        };
        change.put.into_iter().fold(self, |commit, cell| {
            commit.derive(&CellRow {
                cell,
                record: record.clone(),
            })
        })
    }
}
