//! Consuming the rows that name changed cells: many rows at once, each cell built once.

use std::collections::BTreeSet;

use domain::due::Due;
use domain::place::Cell;
use store::{Commit, CommitError, DueKey, PendingDue, StoreError};

use crate::build::{BuildError, IndexBuilder};

/// What became of one row.
#[derive(Debug)]
pub enum Outcome {
    /// Its cells are up to date, and the row is gone.
    Done,
    /// It stays, to be tried again.
    Failed(BuildError),
}

impl IndexBuilder {
    /// Rebuilds every cell that `keys` name, each once, and deletes the rows whose cells all succeeded.
    ///
    /// The rows are read before the cells are: whatever a row's commit wrote is in the shard built after.
    pub async fn consume(&self, keys: &[DueKey]) -> Vec<(DueKey, Outcome)> {
        let mut outcomes = Vec::with_capacity(keys.len());
        let mut pending = Vec::with_capacity(keys.len());
        for key in keys {
            match self.store.pending_due(key).await {
                Ok(Some(row)) => match &row.row.due {
                    Due::Reindex { cells, .. } => {
                        let cells = cells.clone();
                        pending.push((row, cells));
                    }
                    // INVARIANT: a row is deleted by whoever brought its effect about, and by nobody else.
                    _ => {
                        outcomes.push((key.clone(), Outcome::Failed(BuildError::Misrouted)));
                    }
                },
                Ok(None) => outcomes.push((key.clone(), Outcome::Done)),
                Err(error) => outcomes.push((key.clone(), Outcome::Failed(error.into()))),
            }
        }
        let cells: BTreeSet<Cell> = pending
            .iter()
            .flat_map(|(_, cells)| cells)
            .copied()
            .collect();
        let mut failed = BTreeSet::new();
        for cell in cells {
            if let Err(error) = self.rebuild(cell).await {
                tracing::warn!(%cell, %error, "a shard was not rebuilt");
                failed.insert(cell);
            }
        }
        for (row, cells) in pending {
            let stuck = cells.iter().find(|cell| failed.contains(*cell));
            let outcome = match stuck {
                Some(cell) => Outcome::Failed(BuildError::NotRebuilt(*cell)),
                None => self
                    .finish(&row)
                    .await
                    .map_or_else(|error| Outcome::Failed(error.into()), |()| Outcome::Done),
            };
            outcomes.push((row.key, outcome));
        }
        outcomes
    }

    async fn finish(&self, row: &PendingDue) -> Result<(), StoreError> {
        let commit = Commit::of_effect(self.ids.fresh(), self.clock.now(), row);
        match self.store.commit(commit).await {
            Ok(())
            | Err(
                CommitError::AlreadyDone
                | CommitError::Conflict(_)
                | CommitError::Replayed
                | CommitError::LimitReached(_),
            ) => Ok(()),
            Err(CommitError::Store(error)) => Err(error),
        }
    }
}
