//! Asking the index: which shard holds a place, and who in it suits a request.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::candidates::Basis;
use domain::eligibility::{Asked, Relations};
use domain::id::WorkerId;
use domain::match_request::MatchRequest;
use domain::packed::IndexRecord;
use domain::place::Cell;
use domain::policy::Policy;
use domain::relaxation::Misses;
use matching::{
    Limits, OpenShardError, Query, Scored, SearchShardError, Shard, ShardCache, Weights,
};
use platform::blobs::{BlobError, BlobName};
use store::{Key, Setting, ShardPointer, StoreError};

use crate::context::Context;

/// How much memory open shards may take, in bytes.
const MOST_SHARD_BYTES: usize = 256 * 1024 * 1024;

/// The open shards of this process.
#[derive(Debug)]
pub struct Matcher {
    open: ShardCache,
    /// The version of each cell that was last opened whole, to fall back on.
    last_good: Mutex<BTreeMap<Cell, String>>,
}

impl Default for Matcher {
    fn default() -> Self {
        Self {
            open: ShardCache::new(MOST_SHARD_BYTES),
            last_good: Mutex::default(),
        }
    }
}

/// Why no candidates could be looked for.
#[derive(Debug, thiserror::Error)]
pub enum MatcherError {
    /// The table gave no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The shard could not be fetched.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The shard is damaged, and no earlier one is at hand.
    #[error("the shard of cell {cell} cannot be opened: {source}")]
    Damaged {
        /// Whose shard.
        cell: Cell,
        /// What is wrong with it.
        source: OpenShardError,
    },
    /// The shard is not where the pointer says, and no earlier one is at hand.
    #[error("the shard of cell {cell} has vanished")]
    Vanished {
        /// Whose shard.
        cell: Cell,
    },
    /// The shard could not be read.
    #[error(transparent)]
    Search(#[from] SearchShardError),
}

/// Who suits a request, and what stood in the way of more.
#[derive(Debug, Clone)]
pub struct Found {
    /// What this was computed from.
    pub basis: Basis,
    /// The best first.
    pub ranked: Vec<Scored>,
    /// How many support workers work around the place.
    pub considered: u32,
    /// What stood in the way of more; only where few were found.
    pub misses: Misses,
}

/// Looks for `wanted` candidates for a request, under the weights now in force.
///
/// # Errors
/// See [`MatcherError`].
pub async fn find(
    context: &Context,
    request: &MatchRequest,
    asked: &Asked,
    relations: &Relations,
    policy: &Policy,
    wanted: usize,
) -> Result<Found, MatcherError> {
    let cell = request.details.place.cell();
    let weights = weights(context).await?;
    let pointer = context
        .store
        .get::<ShardPointer>(&Key::shard_pointer(cell))
        .await?;
    let version = pointer
        .as_ref()
        .map(|pointer| pointer.value.version.clone());
    let basis = Basis {
        cell,
        shard: version,
        weights: weights.version,
        policy: policy.version,
    };
    let Some(pointer) = pointer else {
        return Ok(Found {
            basis,
            ranked: Vec::new(),
            considered: 0,
            misses: Misses::default(),
        });
    };
    let shard = context.matcher.shard(context, &pointer.value).await?;
    let query = Query {
        request: request.id,
        asked,
        relations,
    };
    let shortlist = usize::from(policy.shortlist);
    let limits = Limits {
        shortlist,
        reserve: wanted.saturating_sub(shortlist),
    };
    let found = shard.search(query, &weights, limits)?;
    Ok(Found {
        basis,
        ranked: found.candidates,
        considered: found.considered,
        misses: found.misses,
    })
}

/// What the index holds of a support worker for this place; none where it holds nothing.
///
/// # Errors
/// See [`MatcherError`].
pub async fn row_of(
    context: &Context,
    cell: Cell,
    worker: WorkerId,
) -> Result<Option<IndexRecord>, MatcherError> {
    let pointer = context
        .store
        .get::<ShardPointer>(&Key::shard_pointer(cell))
        .await?;
    let Some(pointer) = pointer else {
        return Ok(None);
    };
    let shard = context.matcher.shard(context, &pointer.value).await?;
    Ok(shard.record_of(worker)?)
}

/// The weights in force.
///
/// # Errors
/// When the table does not answer.
pub async fn weights(context: &Context) -> Result<Weights, StoreError> {
    let current = context
        .store
        .get::<Setting<Weights>>(&Key::current_setting("weights"))
        .await?;
    Ok(current
        .map(|setting| setting.value.value)
        .unwrap_or_default())
}

async fn fetch(context: &Context, pointer: &ShardPointer) -> Result<Shard, MatcherError> {
    let cell = pointer.cell;
    let name: BlobName = pointer
        .blob
        .parse()
        .map_err(|_| MatcherError::Vanished { cell })?;
    let bytes = context
        .blobs
        .get(&name)
        .await?
        .ok_or(MatcherError::Vanished { cell })?;
    Shard::open(bytes).map_err(|source| MatcherError::Damaged { cell, source })
}

impl Matcher {
    /// The shard that `pointer` names; if it turns out damaged, the last one of the cell that was whole.
    async fn shard(
        &self,
        context: &Context,
        pointer: &ShardPointer,
    ) -> Result<Arc<Shard>, MatcherError> {
        if let Some(shard) = self.open.get(&pointer.version) {
            return Ok(shard);
        }
        match fetch(context, pointer).await {
            Ok(shard) => {
                self.good().insert(pointer.cell, pointer.version.clone());
                Ok(self.open.insert(&pointer.version, shard))
            }
            Err(error) => {
                tracing::error!(%error, cell = %pointer.cell, "ALARM: a shard cannot be opened; rebuild it");
                let fallback = self.good().get(&pointer.cell).cloned();
                fallback
                    .and_then(|version| self.open.get(&version))
                    .ok_or(error)
            }
        }
    }

    fn good(&self) -> std::sync::MutexGuard<'_, BTreeMap<Cell, String>> {
        self.last_good
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
