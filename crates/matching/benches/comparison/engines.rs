//! The engine, on one segment for everywhere, and through one shard for each cell as the product uses it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use domain::packed::IndexRecord;
use domain::place::{Area, Cell, Position, cover};
use rapport_matching::{Found, Limits, Shard, Weights, build_shard};

use crate::Error;
use crate::progress::Progress;
use crate::world::Prepared;

/// Ten, and no account of why there are not more: explaining that is no part of the comparison.
pub(crate) const LIMITS: Limits = Limits {
    shortlist: 0,
    reserve: 10,
};

/// One segment that holds everybody.
pub(crate) struct OneSegment {
    shard: Shard,
    pub(crate) building: Duration,
}

impl OneSegment {
    pub(crate) fn new(records: &[IndexRecord]) -> Result<Self, Error> {
        let started = Instant::now();
        let built = build_shard(Area::Everywhere, records)?;
        let shard = Shard::open(built.bytes)?;
        Ok(Self {
            shard,
            building: started.elapsed(),
        })
    }

    pub(crate) fn search(&self, request: &Prepared, weights: &Weights) -> Result<Found, Error> {
        Ok(self.shard.search(request.query(), weights, LIMITS)?)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.shard.size()
    }
}

/// A shard for each cell.
pub(crate) struct Shards {
    shards: HashMap<Cell, Arc<Shard>>,
    pub(crate) facts: ShardFacts,
}

/// What building and opening the shards has shown.
pub(crate) struct ShardFacts {
    pub(crate) shards: usize,
    /// Support workers in all shards together: one is in several.
    pub(crate) entries: usize,
    pub(crate) bytes: usize,
    /// The bytes an entry of the shard with the most entries, and how many those are.
    pub(crate) largest: (usize, f64),
    /// Building on all threads.
    pub(crate) building: Duration,
    /// How long each took to open from bytes in memory, ascending.
    pub(crate) opening: Vec<Duration>,
}

impl ShardFacts {
    pub(crate) fn bytes_per_entry(&self) -> f64 {
        self.bytes as f64 / self.entries.max(1) as f64
    }
}

impl Shards {
    /// A shard for every cell that somebody works in.
    pub(crate) fn new(records: &[IndexRecord]) -> Result<Self, Error> {
        Self::build(records, by_cell(records))
    }

    /// The shards of these cells alone.
    pub(crate) fn of_cells(
        records: &[IndexRecord],
        wanted: &BTreeSet<Cell>,
    ) -> Result<Self, Error> {
        let mut cells = by_cell(records);
        cells.retain(|(cell, _)| wanted.contains(cell));
        Self::build(records, cells)
    }

    fn build(records: &[IndexRecord], cells: Vec<(Cell, Vec<u32>)>) -> Result<Self, Error> {
        let progress = Progress::new("shards built", cells.len() as u64);
        let started = Instant::now();
        let next = AtomicUsize::new(0);
        let opened = Mutex::new(vec![]);
        thread::scope(|scope| {
            let build = || -> Result<(), Error> {
                while let Some((cell, rows)) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let here: Vec<IndexRecord> = rows
                        .iter()
                        .filter_map(|row| records.get(*row as usize).cloned())
                        .collect();
                    let bytes = build_shard(*cell, &here)?.bytes;
                    opened
                        .lock()
                        .map_err(|_| "a thread failed")?
                        .push((*cell, bytes));
                    progress.add(1);
                }
                Ok(())
            };
            let threads: Vec<_> = (0..crate::THREADS).map(|_| scope.spawn(build)).collect();
            threads
                .into_iter()
                .try_for_each(|thread| thread.join().map_err(|_| "a thread failed")?)
        })?;
        let building = started.elapsed();
        progress.finish();
        let built = opened.into_inner().map_err(|_| "a thread failed")?;
        Self::open(built, building)
    }

    fn open(built: Vec<(Cell, Vec<u8>)>, building: Duration) -> Result<Self, Error> {
        let mut shards = HashMap::new();
        let mut opening = vec![];
        let (mut entries, mut bytes) = (0, 0);
        let mut largest = (0, 0.0);
        for (cell, content) in built {
            bytes += content.len();
            let (shard, took) = open_warm(&content)?;
            opening.push(took);
            let workers = shard.workers() as usize;
            entries += workers;
            if workers > largest.0 {
                largest = (workers, shard.size() as f64 / workers as f64);
            }
            shards.insert(cell, Arc::new(shard));
        }
        opening.sort_unstable();
        Ok(Self {
            facts: ShardFacts {
                shards: shards.len(),
                entries,
                bytes,
                largest,
                building,
                opening,
            },
            shards,
        })
    }

    /// What the product does: the shard of the client's cell, and no other.
    pub(crate) fn search(
        &self,
        request: &Prepared,
        weights: &Weights,
    ) -> Result<Option<Found>, Error> {
        let Some(shard) = self.shards.get(&request.asked.cell) else {
            return Ok(None);
        };
        Ok(Some(shard.search(request.query(), weights, LIMITS)?))
    }
}

/// Opens a shard from bytes in memory, and says how long that takes: the best of a few times.
fn open_warm(content: &[u8]) -> Result<(Shard, Duration), Error> {
    let mut best: Option<(Shard, Duration)> = None;
    for _ in 0..5 {
        let bytes = content.to_vec();
        let started = Instant::now();
        let shard = Shard::open(bytes)?;
        let took = started.elapsed();
        if best.as_ref().is_none_or(|(_, least)| took < *least) {
            best = Some((shard, took));
        }
    }
    Ok(best.ok_or("a shard was not opened")?)
}

/// The rows that each cell's shard holds, the fullest cells first so that no thread is left with one at the end.
fn by_cell(records: &[IndexRecord]) -> Vec<(Cell, Vec<u32>)> {
    let mut cells: BTreeMap<Cell, Vec<u32>> = BTreeMap::new();
    for (row, record) in (0..).zip(records) {
        let (latitude, longitude) = degrees(record.position);
        for cell in cover(latitude, longitude, record.radius_km) {
            cells.entry(cell).or_default().push(row);
        }
    }
    let mut cells: Vec<_> = cells.into_iter().collect();
    cells.sort_by_key(|(_, rows)| std::cmp::Reverse(rows.len()));
    cells
}

/// Degrees of a position, to about a metre.
pub(crate) fn degrees(position: Position) -> (f64, f64) {
    let [x, y, z] = [position.x, position.y, position.z].map(f64::from);
    (z.atan2(x.hypot(y)).to_degrees(), y.atan2(x).to_degrees())
}
