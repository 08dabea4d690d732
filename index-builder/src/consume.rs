//! Consuming the index builder's due rows: many at once, each changed cell built once.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::due::Due;
use domain::id::CommitId;
use domain::place::Cell;
use platform::metrics::Metric;
use store::{Commit, DueKey, PendingDue};

use crate::build::{BuildError, IndexBuilder};

/// What became of one row.
#[derive(Debug)]
pub enum Outcome {
    /// What it asked for has happened, now or before. Where it was now, this is the audited commit that it follows
    /// from.
    Done(Option<CommitId>),
    /// Not due yet: to be delivered again then.
    Early(DateTime<Utc>),
    /// It stays, to be tried again.
    Failed(BuildError),
}

impl Outcome {
    fn of(row: &PendingDue, result: Result<(), BuildError>) -> Self {
        match result {
            Ok(()) => Self::Done(row.act),
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
                    Due::RemoveShard { cell, blob } => {
                        Outcome::of(&row, self.remove(&row, cell, &blob).await)
                    }
                    Due::Night { night, step, .. } => {
                        let stepped = Box::pin(self.step(&row, night, &step)).await;
                        Outcome::of(&row, stepped)
                    }
                    // INVARIANT: a row is deleted by whoever brought its effect about, and by nobody else.
                    _ => Outcome::Failed(BuildError::Misrouted),
                },
                Ok(None) => Outcome::Done(None),
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
                None => Outcome::of(&row, self.finish(&row).await),
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

    /// Deletes a row whose effect has happened, and measures how long it took; somebody else may have.
    async fn finish(&self, row: &PendingDue) -> Result<(), BuildError> {
        let now = self.clock.now();
        let commit = Commit::of_effect(self.ids.fresh(), now, row);
        if self.stands(commit).await? {
            let lag = (now - row.row.at).num_milliseconds();
            let lag = u64::try_from(lag).unwrap_or_default();
            self.metrics.record(Metric::IndexLag, lag);
        }
        Ok(())
    }
}
