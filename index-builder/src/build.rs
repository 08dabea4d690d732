//! Building and publishing one cell's shard.

use std::sync::Arc;

use domain::packed::IndexRecord;
use domain::place::Cell;
use matching::{BuildShardError, BuiltShard, build_shard, version_of};
use platform::blobs::{BlobError, BlobName, BlobNameError, Blobs};
use platform::clock::SharedClock;
use platform::ids::IdSource;
use store::{CellRow, Commit, CommitError, Key, ShardPointer, Store, StoreError, Versioned};

/// Where shards lie among the blobs.
const FOLDER: &str = "shards";
/// The most support workers one shard is built from.
pub(crate) const MOST_WORKERS: usize = 200_000;
/// How often a build starts over because another one published first.
const MOST_ROUNDS: usize = 16;

/// Builds shards.
#[derive(Clone)]
pub struct IndexBuilder {
    /// The table: rows and pointers.
    pub store: Store,
    /// Where shards lie.
    pub blobs: Arc<dyn Blobs>,
    /// What time it is.
    pub clock: SharedClock,
    /// Fresh ids.
    pub ids: Arc<IdSource>,
}

/// Why a cell's shard was not built; the current one stays.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The table gave no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The shard could not be made.
    #[error(transparent)]
    Shard(#[from] BuildShardError),
    /// The shard could not be stored.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The shard could not be named: a defect.
    #[error(transparent)]
    Name(#[from] BlobNameError),
    /// The cell holds more support workers than one shard may.
    #[error("cell {0} has more than {MOST_WORKERS} support workers")]
    TooMany(Cell),
    /// Others kept publishing first.
    #[error("cell {0} is being rebuilt by too many at once")]
    Busy(Cell),
    /// A cell that a row names was not rebuilt; the log says why.
    #[error("cell {0} was not rebuilt")]
    NotRebuilt(Cell),
    /// The row is for another consumer.
    #[error("a row of another consumer was delivered")]
    Misrouted,
}

/// What a build came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Built {
    /// A new shard is the current one.
    Published,
    /// The current shard holds just these rows already.
    Unchanged,
}

impl IndexBuilder {
    /// Makes the shard of `cell` hold the rows that stand now.
    ///
    /// # Errors
    /// See [`BuildError`].
    pub async fn rebuild(&self, cell: Cell) -> Result<Built, BuildError> {
        for _ in 0..MOST_ROUNDS {
            // The pointer first: a build that another one overtakes must not publish older rows over newer.
            let pointer = self.pointer(cell).await?;
            let records = self.records(cell).await?;
            let version = version_of(cell, &records)?;
            if pointer
                .as_ref()
                .is_some_and(|pointer| pointer.value.version == version)
            {
                return Ok(Built::Unchanged);
            }
            let BuiltShard { bytes, .. } = build_shard(cell, &records)?;
            let blob = BlobName::for_contents(FOLDER, &bytes)?;
            self.blobs.put(&blob, bytes).await?;
            let next = ShardPointer {
                cell,
                version,
                blob: blob.as_str().to_owned(),
                workers: u32::try_from(records.len()).unwrap_or(u32::MAX),
                built_at: self.clock.now(),
            };
            match self
                .store
                .commit(self.pointing(pointer.as_ref(), &next))
                .await
            {
                Ok(()) => return Ok(Built::Published),
                Err(
                    CommitError::Conflict(_)
                    | CommitError::AlreadyDone
                    | CommitError::Replayed
                    | CommitError::LimitReached(_),
                ) => {}
                Err(CommitError::Store(error)) => return Err(error.into()),
            }
        }
        Err(BuildError::Busy(cell))
    }

    fn pointing(&self, was: Option<&Versioned<ShardPointer>>, next: &ShardPointer) -> Commit {
        let key = Key::shard_pointer(next.cell);
        let commit = Commit::of_derived(self.ids.fresh(), next.built_at, key);
        match was {
            Some(was) => commit.replace(was, next),
            None => commit.insert(next),
        }
    }

    pub(crate) async fn pointer(
        &self,
        cell: Cell,
    ) -> Result<Option<Versioned<ShardPointer>>, StoreError> {
        self.store.get(&Key::shard_pointer(cell)).await
    }

    /// The rows of a cell, read consistently.
    pub(crate) async fn records(&self, cell: Cell) -> Result<Vec<IndexRecord>, BuildError> {
        let (pk, prefix) = Key::cell_rows(cell);
        let rows = self
            .store
            .list_all::<CellRow>(&pk, prefix, MOST_WORKERS + 1)
            .await?;
        if rows.len() > MOST_WORKERS {
            return Err(BuildError::TooMany(cell));
        }
        Ok(rows.into_iter().map(|row| row.value.record).collect())
    }
}
