//! The open shards of a process: fetched by the pointer, kept by version, and only ever whole ones.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use domain::place::Cell;
use matching::{OpenShardError, Shard, ShardCache};
use platform::blobs::{BlobError, BlobName};
use store::ShardPointer;

use crate::context::Context;

/// How much memory open shards may take, in bytes.
const MOST_SHARD_BYTES: usize = 256 * 1024 * 1024;
/// How long an object that was refused is left alone, in seconds: doubled with each refusal, up to the last.
/// A shard can be as large as a blob may be; a damaged one must not be fetched again for every request.
const FIRST_WAIT_SECONDS: i64 = 1;
const LAST_WAIT_SECONDS: i64 = 60;

/// The open shards of this process.
#[derive(Debug)]
pub struct Matcher {
    open: ShardCache,
    cells: Mutex<BTreeMap<Cell, Arc<Known>>>,
    alarms: AtomicU64,
}

/// What this process knows of the shards of one cell.
#[derive(Debug, Default)]
struct Known {
    /// Held by whoever fetches, so that those who come meanwhile wait for one fetch rather than make their own.
    fetching: tokio::sync::Mutex<()>,
    past: Mutex<Past>,
}

#[derive(Debug, Default)]
struct Past {
    /// The last one that was whole. By name: where the memory's bound has let go of it, it is fetched again,
    /// for its object stays a while after it is superseded.
    good: Option<ShardPointer>,
    refused: Option<Refused>,
}

#[derive(Debug)]
struct Refused {
    /// The object's name: another object of the cell is tried at once.
    blob: String,
    times: u32,
    again_at: DateTime<Utc>,
}

/// Why there is no shard to search.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The object could not be fetched.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The object is not there.
    #[error("the shard has vanished")]
    Vanished,
    /// The object is not the one that was published under its name: torn, damaged or exchanged.
    #[error("the shard is not what was published")]
    Exchanged,
    /// The object was published so, and is no shard of this schema.
    #[error(transparent)]
    Shard(#[from] OpenShardError),
    /// The object is the shard of another cell.
    #[error("the shard is another cell's")]
    OtherCell,
    /// The object was refused a moment ago.
    #[error("the shard was refused, and is tried again at {0}")]
    Waiting(DateTime<Utc>),
}

/// A shard that can be searched, and which one it is.
#[derive(Debug, Clone)]
pub(super) struct Opened {
    pub(super) version: String,
    pub(super) shard: Arc<Shard>,
}

impl Default for Matcher {
    fn default() -> Self {
        Self::within(MOST_SHARD_BYTES)
    }
}

impl Matcher {
    /// A matcher whose open shards take at most so many bytes, or one that is larger by itself.
    #[must_use]
    pub fn within(most_bytes: usize) -> Self {
        Self {
            open: ShardCache::new(most_bytes),
            cells: Mutex::default(),
            alarms: AtomicU64::new(0),
        }
    }

    /// How many alarms about shards this process has raised: one for each object that was fetched and refused.
    #[must_use]
    pub fn alarms(&self) -> u64 {
        self.alarms.load(Ordering::Relaxed)
    }

    /// The shard that `pointer` names; while that one cannot be opened, the last one of the cell that was whole.
    ///
    /// # Errors
    /// When neither is at hand.
    pub(super) async fn shard(
        &self,
        context: &Context,
        pointer: &ShardPointer,
    ) -> Result<Opened, OpenError> {
        let known = self.known(pointer.cell);
        if let Some(opened) = self.held(pointer) {
            known.past().was_good(pointer);
            return Ok(opened);
        }
        let _fetching = known.fetching.lock().await;
        // Whoever went before may have fetched it.
        if let Some(opened) = self.held(pointer) {
            return Ok(opened);
        }
        let refusal = match self.current(context, pointer, &known).await {
            Ok(opened) => return Ok(opened),
            Err(refusal) => refusal,
        };
        let good = known.past().good.clone();
        let good = good.filter(|good| good.blob != pointer.blob);
        let Some(good) = good else {
            return Err(refusal);
        };
        if let Some(opened) = self.held(&good) {
            return Ok(opened);
        }
        match fetch(context, &good).await {
            Ok(shard) => Ok(self.keep(&good, shard)),
            Err(error) => {
                self.raise(&good, &error);
                known.past().good = None;
                Err(refusal)
            }
        }
    }

    /// Fetches what `pointer` names, unless it was refused a moment ago.
    async fn current(
        &self,
        context: &Context,
        pointer: &ShardPointer,
        known: &Known,
    ) -> Result<Opened, OpenError> {
        let now = context.now();
        if let Some(until) = known.past().waits(&pointer.blob, now) {
            return Err(OpenError::Waiting(until));
        }
        match fetch(context, pointer).await {
            Ok(shard) => {
                let mut past = known.past();
                past.was_good(pointer);
                past.refused = None;
                Ok(self.keep(pointer, shard))
            }
            Err(error) => {
                self.raise(pointer, &error);
                known.past().refuse(&pointer.blob, now);
                Err(error)
            }
        }
    }

    fn held(&self, pointer: &ShardPointer) -> Option<Opened> {
        let shard = self.open.get(&pointer.version)?;
        Some(Opened {
            version: pointer.version.clone(),
            shard,
        })
    }

    fn keep(&self, pointer: &ShardPointer, shard: Shard) -> Opened {
        Opened {
            version: pointer.version.clone(),
            shard: self.open.insert(&pointer.version, shard),
        }
    }

    fn raise(&self, pointer: &ShardPointer, error: &OpenError) {
        let alarms = self.alarms.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        tracing::error!(
            alarm = "shard-refused", alarms, %error, cell = %pointer.cell, version = pointer.version,
            "ALARM: a shard is refused; rebuild it"
        );
    }

    fn known(&self, cell: Cell) -> Arc<Known> {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(cells.entry(cell).or_default())
    }
}

impl Known {
    fn past(&self) -> MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Past {
    fn was_good(&mut self, pointer: &ShardPointer) {
        if self
            .good
            .as_ref()
            .is_none_or(|good| good.blob != pointer.blob)
        {
            self.good = Some(pointer.clone());
        }
    }

    /// Until when an object is left alone; none if it may be tried.
    fn waits(&self, blob: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let refused = self.refused.as_ref()?;
        (refused.blob == blob && now < refused.again_at).then_some(refused.again_at)
    }

    fn refuse(&mut self, blob: &str, now: DateTime<Utc>) {
        let before = self.refused.take().filter(|refused| refused.blob == blob);
        let times = before.map_or(0, |refused| refused.times);
        let wait = FIRST_WAIT_SECONDS << times.min(u8::BITS);
        self.refused = Some(Refused {
            blob: blob.to_owned(),
            times: times.saturating_add(1),
            again_at: now + TimeDelta::seconds(wait.min(LAST_WAIT_SECONDS)),
        });
    }
}

/// INVARIANT: what is searched is what was published for this cell under this name, byte by byte. A whole shard
/// of another cell, or of another time, is refused like a torn one.
async fn fetch(context: &Context, pointer: &ShardPointer) -> Result<Shard, OpenError> {
    let name: BlobName = pointer.blob.parse().map_err(|_| OpenError::Vanished)?;
    let bytes = context.blobs.get(&name).await?.ok_or(OpenError::Vanished)?;
    if !name.matches(&bytes) {
        return Err(OpenError::Exchanged);
    }
    let shard = Shard::open(bytes)?;
    match shard.cell() == Some(pointer.cell) {
        true => Ok(shard),
        false => Err(OpenError::OtherCell),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_is_left_alone_for_longer_each_time_and_anything_else_is_not() {
        let mut past = Past::default();
        let mut now: DateTime<Utc> = "2026-03-02T00:00:00Z".parse().unwrap();
        for wait in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert_eq!(past.waits("shards/one", now), None);
            past.refuse("shards/one", now);
            let until = now + TimeDelta::seconds(wait);
            assert_eq!(past.waits("shards/one", now), Some(until));
            assert_eq!(past.waits("shards/two", now), None);
            now = until;
        }
        past.refuse("shards/two", now);
        assert_eq!(
            past.waits("shards/two", now),
            Some(now + TimeDelta::seconds(1))
        );
    }
}
