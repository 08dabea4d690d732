//! Consuming the index builder's due rows: many at once, each changed cell built once.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::due::Due;
use domain::place::Cell;
use store::{Commit, DueKey, PendingDue};

use crate::build::{BuildError, IndexBuilder};

/// What became of one row.
#[derive(Debug)]
pub enum Outcome {
    /// What it asked for has happened, now or before.
    Done,
    /// Not due yet: to be delivered again then.
    Early(DateTime<Utc>),
    /// It stays, to be tried again.
    Failed(BuildError),
}

impl From<Result<(), BuildError>> for Outcome {
    fn from(result: Result<(), BuildError>) -> Self {
        match result {
            Ok(()) => Self::Done,
            Err(error) => Self::Failed(error),
        }
    }
}

impl IndexBuilder {
    /// Does what `keys` ask for: rebuilds every cell that they name, each once, and deletes the rows whose cells
    /// all succeeded; removes the objects that are not current any more.
    ///
    /// The rows are read before the cells are: whatever a row's commit wrote is in the shard built after.
    pub async fn consume(&self, keys: &[DueKey]) -> Vec<(DueKey, Outcome)> {
        let mut outcomes = Vec::with_capacity(keys.len());
        let mut changes = Vec::with_capacity(keys.len());
        for key in keys {
            let outcome = match self.store.pending_due(key).await {
                Ok(Some(row)) if self.clock.now() < row.row.at => Outcome::Early(row.row.at),
                Ok(Some(row)) => match row.row.due.clone() {
                    Due::Reindex { cells, .. } => {
                        changes.push((row, cells));
                        continue;
                    }
                    Due::RemoveShard { cell, blob } => self.remove(&row, cell, &blob).await.into(),
                    // INVARIANT: a row is deleted by whoever brought its effect about, and by nobody else.
                    _ => Outcome::Failed(BuildError::Misrouted),
                },
                Ok(None) => Outcome::Done,
                Err(error) => Outcome::Failed(error.into()),
            };
            outcomes.push((key.clone(), outcome));
        }
        let failed = self
            .rebuild_all(changes.iter().flat_map(|(_, cells)| cells))
            .await;
        for (row, cells) in changes {
            let stuck = cells.iter().find(|cell| failed.contains(*cell));
            let outcome = match stuck {
                Some(cell) => Outcome::Failed(BuildError::NotRebuilt(*cell)),
                None => self.finish(&row).await.into(),
            };
            outcomes.push((row.key, outcome));
        }
        outcomes
    }

    /// Rebuilds each of `cells` once, and gives those that failed.
    async fn rebuild_all(&self, cells: impl Iterator<Item = &Cell>) -> BTreeSet<Cell> {
        let cells: BTreeSet<Cell> = cells.copied().collect();
        let mut failed = BTreeSet::new();
        for cell in cells {
            if let Err(error) = self.rebuild(cell).await {
                tracing::warn!(%cell, %error, "a shard was not rebuilt");
                failed.insert(cell);
            }
        }
        failed
    }

    /// Deletes a row whose effect has happened; somebody else may have.
    async fn finish(&self, row: &PendingDue) -> Result<(), BuildError> {
        let commit = Commit::of_effect(self.ids.fresh(), self.clock.now(), row);
        self.stands(commit).await?;
        Ok(())
    }
}
