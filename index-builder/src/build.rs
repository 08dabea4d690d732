//! Building and publishing one cell's shard.
//!
//! A publication is three steps, any of which may be the last that its process takes:
//!
//! 1. the object is announced: a due row that will remove it, should nothing come of it;
//! 2. the object is stored, under a name that no other publication has;
//! 3. one commit moves the pointer by compare-and-set, calls the announced removal off, and has the superseded
//!    object removed once nobody can be reading it any more.
//!
//! INVARIANT: of an object that the pointer names no removal is pending, and the other way round. Whoever loses
//! the race for step 3, or ends before it, leaves an announced row behind, and the row removes the object.

use std::sync::Arc;

use domain::packed::IndexRecord;
use domain::place::Cell;
use matching::{BuildShardError, BuiltShard, Shard, build_shard, version_of};
use platform::blobs::{BlobError, BlobName, BlobNameError, Blobs};
use platform::clock::SharedClock;
use platform::ids::IdSource;
use platform::metrics::Metrics;
use store::{CellRow, Commit, CommitError, Key, ShardPointer, Store, StoreError, Versioned};

use crate::removal::{announced, superseded};

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
    /// What happens, counted.
    pub metrics: Metrics,
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
    /// What the night has counted is gone or damaged; the next night counts again.
    #[error("what night {0} has counted cannot be read")]
    Tally(u32),
    /// The night's rows kept being dealt with at the same time.
    #[error("night {0} is too busy")]
    NightBusy(u32),
    /// The row is for another consumer.
    #[error("a row of another consumer was delivered")]
    Misrouted,
}

impl BuildError {
    /// A stable word for it, for staff who look at what failed.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Shard(_) => "shard_not_made",
            Self::Blob(_) => "blob_refused",
            Self::Name(_) => "blob_unnamed",
            Self::TooMany(_) => "cell_too_large",
            Self::Busy(_) | Self::NightBusy(_) => "busy",
            Self::NotRebuilt(_) => "shard_not_rebuilt",
            Self::Tally(_) => "tally_lost",
            Self::Misrouted => "misrouted",
        }
    }
}

/// What a build came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Built {
    /// A new shard is the current one.
    Published,
    /// The current shard holds just these rows, and its damaged or vanished object has been replaced.
    Healed,
    /// The current shard holds just these rows already, and its object is whole.
    Unchanged,
}

impl IndexBuilder {
    /// Makes the shard of `cell` hold the rows that stand now, in an object that is whole.
    ///
    /// # Errors
    /// See [`BuildError`].
    pub async fn rebuild(&self, cell: Cell) -> Result<Built, BuildError> {
        for _ in 0..MOST_ROUNDS {
            // The pointer first: a build that another one overtakes must not publish older rows over newer.
            let pointer = self.pointer(cell).await?;
            let records = self.records(cell).await?;
            let version = version_of(cell, &records)?;
            let current = pointer.as_ref().map(|pointer| &pointer.value);
            let same = current.filter(|pointer| pointer.version == version);
            let built = match same {
                // Rows change far more often than they do not: looking at the object costs little beside building.
                Some(pointer) if self.is_whole(pointer).await? => return Ok(Built::Unchanged),
                Some(_) => Built::Healed,
                None => Built::Published,
            };
            let shard = build_shard(cell, &records)?;
            // Most who lose the race lose it while they build: they leave nothing behind that has to be removed.
            let read = pointer.as_ref().map(|pointer| pointer.version);
            let overtaken = self.pointer(cell).await?.map(|pointer| pointer.version) != read;
            if !overtaken && self.publish(pointer.as_ref(), cell, shard).await? {
                return Ok(built);
            }
        }
        Err(BuildError::Busy(cell))
    }

    /// Whether the object that `pointer` names is there, is what was published, and is the cell's shard.
    pub(crate) async fn is_whole(&self, pointer: &ShardPointer) -> Result<bool, BlobError> {
        let Ok(name) = pointer.blob.parse::<BlobName>() else {
            return Ok(false);
        };
        let bytes = match self.blobs.get(&name).await {
            Ok(Some(bytes)) => bytes,
            Ok(None) | Err(BlobError::TooLarge(_)) => return Ok(false),
            Err(error) => return Err(error),
        };
        Ok(name.matches(&bytes)
            && Shard::open(bytes).is_ok_and(|shard| shard.cell() == Some(pointer.cell)))
    }

    /// Stores a shard and makes it the current one, unless another one has become so since `was` was read.
    async fn publish(
        &self,
        was: Option<&Versioned<ShardPointer>>,
        cell: Cell,
        shard: BuiltShard,
    ) -> Result<bool, BuildError> {
        let BuiltShard {
            version,
            bytes,
            workers,
        } = shard;
        let key = Key::shard_pointer(cell);
        let announcing = self.ids.fresh();
        let mark = format!("{cell}.{announcing}");
        let blob = BlobName::for_marked_contents(FOLDER, &mark, &bytes)?;
        let announced = announced(cell, &blob, self.clock.now());
        let commit = Commit::of_derived(announcing, self.clock.now(), key.clone());
        if !self.stands(commit.due_untold(announced.clone())).await? {
            return Ok(false);
        }
        self.blobs.put(&blob, bytes).await?;
        let next = ShardPointer {
            cell,
            version,
            blob: blob.as_str().to_owned(),
            workers: u32::try_from(workers).unwrap_or(u32::MAX),
            built_at: self.clock.now(),
        };
        let commit = Commit::of_derived(self.ids.fresh(), next.built_at, key)
            .call_off(&announced, announcing);
        let commit = match was {
            Some(was) => commit
                .replace(was, &next)
                .due(superseded(&was.value, next.built_at)),
            None => commit.insert(&next),
        };
        self.stands(commit).await
    }

    /// Whether a commit came to stand, rather than find that somebody else was first.
    pub(crate) async fn stands(&self, commit: Commit) -> Result<bool, BuildError> {
        match self.store.commit(commit).await {
            Ok(()) => Ok(true),
            Err(
                CommitError::Conflict(_)
                | CommitError::AlreadyDone
                | CommitError::Replayed
                | CommitError::LimitReached(_),
            ) => Ok(false),
            Err(CommitError::Store(error)) => Err(error.into()),
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
