//! Asking the index: which shard holds a place, and who in it suits a request.

mod open;

use std::time::Instant;

use domain::candidates::Basis;
use domain::eligibility::{Asked, Relations};
use domain::id::WorkerId;
use domain::match_request::MatchRequest;
use domain::packed::IndexRecord;
use domain::place::Cell;
use domain::policy::Policy;
use domain::relaxation::Misses;
use matching::{Limits, Query, Scored, SearchShardError, Weights};
use platform::metrics::Metric;
use platform::trail::milliseconds;
use store::{Key, Setting, ShardPointer, StoreError};

use crate::context::Context;

use open::Opened;
pub use open::{Matcher, OpenError};

/// Why no candidates could be looked for.
#[derive(Debug, thiserror::Error)]
pub enum MatcherError {
    /// The table gave no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no shard to search, neither the current one nor an earlier one.
    #[error("cell {cell} has no shard that can be searched: {source}")]
    Shard {
        /// Whose shard.
        cell: Cell,
        /// Why not the current one.
        source: OpenError,
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

/// Looks for `wanted` candidates for a request, under the weights now in force; measures how long it took.
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
    let begun = Instant::now();
    let found = look(context, request, asked, relations, policy, wanted).await?;
    let took = milliseconds(begun.elapsed());
    context.metrics.record(Metric::MatchLatency, took);
    Ok(found)
}

async fn look(
    context: &Context,
    request: &MatchRequest,
    asked: &Asked,
    relations: &Relations,
    policy: &Policy,
    wanted: usize,
) -> Result<Found, MatcherError> {
    let cell = request.details.place.cell();
    let weights = weights(context).await?;
    let opened = current_shard(context, cell).await?;
    let basis = |shard| Basis {
        cell,
        shard,
        weights: weights.version,
        policy: policy.version,
    };
    let Some(opened) = opened else {
        return Ok(Found {
            basis: basis(None),
            ranked: Vec::new(),
            considered: 0,
            misses: Misses::default(),
        });
    };
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
    let found = opened.shard.search(query, &weights, limits)?;
    Ok(Found {
        // Of the shard that was searched, which is not the pointer's while that one is refused.
        basis: basis(Some(opened.version)),
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
    match current_shard(context, cell).await? {
        Some(opened) => Ok(opened.shard.record_of(worker)?),
        None => Ok(None),
    }
}

/// The shard that answers for a cell; none where nobody has ever worked there.
async fn current_shard(context: &Context, cell: Cell) -> Result<Option<Opened>, MatcherError> {
    let pointer = context
        .store
        .get::<ShardPointer>(&Key::shard_pointer(cell))
        .await?;
    let Some(pointer) = pointer else {
        return Ok(None);
    };
    let opened = context.matcher.shard(context, &pointer.value).await;
    let opened = opened.map_err(|source| MatcherError::Shard { cell, source })?;
    Ok(Some(opened))
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
