//! Shards kept in memory by version, within a bound.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::shard::Shard;

/// Open shards by their version, the least recently used leaving first once the bound is reached.
///
/// A version names one content for ever, so nothing here goes stale; a query keeps its shard alive by its `Arc`.
#[derive(Debug)]
pub struct ShardCache {
    most_bytes: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    shards: BTreeMap<String, (u64, Arc<Shard>)>,
    bytes: usize,
    /// Counts uses, to tell which was longest ago.
    uses: u64,
}

impl ShardCache {
    /// A cache that holds at most so many bytes of shards, or the one used last where that alone is larger.
    #[must_use]
    pub fn new(most_bytes: usize) -> Self {
        Self {
            most_bytes,
            held: Mutex::default(),
        }
    }

    /// The shard of this version, if it is held.
    #[must_use]
    pub fn get(&self, version: &str) -> Option<Arc<Shard>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.uses += 1;
        let now = held.uses;
        let (used, shard) = held.shards.get_mut(version)?;
        *used = now;
        Some(Arc::clone(shard))
    }

    /// Holds a shard from now on, and lets go of others beyond the bound.
    pub fn insert(&self, version: &str, shard: Shard) -> Arc<Shard> {
        let shard = Arc::new(shard);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.uses += 1;
        let entry = (held.uses, Arc::clone(&shard));
        held.bytes += shard.size();
        if let Some((_, replaced)) = held.shards.insert(version.to_owned(), entry) {
            held.bytes -= replaced.size();
        }
        while held.bytes > self.most_bytes && held.shards.len() > 1 {
            held.let_go_of_oldest();
        }
        shard
    }
}

impl Held {
    fn let_go_of_oldest(&mut self) {
        let oldest = self
            .shards
            .iter()
            .min_by_key(|(_, (used, _))| *used)
            .map(|(version, _)| version.clone());
        if let Some((_, shard)) = oldest.and_then(|version| self.shards.remove(&version)) {
            self.bytes -= shard.size();
        }
    }
}
