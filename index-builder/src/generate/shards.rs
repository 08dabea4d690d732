//! The static index of a population: one shard for each cell, and a table of them.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{create_dir_all, write as write_file};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use domain::packed::IndexRecord;
use domain::place::Cell;
use indicatif::ProgressBar;
use matching::build_shard;
use population::Population;
use serde::{Deserialize, Serialize};

use super::lines::Cells;
use super::{GenerateError, THREADS, progress};

/// Where shards lie, as in the service.
const FOLDER: &str = "shards";
/// The table of them.
pub(super) const TABLE: &str = "shards.json";

/// One shard, as the table names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Its file, below the folder.
    pub(super) file: String,
    /// How many support workers it holds.
    pub(super) workers: usize,
    /// How large it is.
    pub(super) bytes: usize,
}

/// The whole index.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Built {
    /// How many shards.
    shards: usize,
    /// Support workers in all of them together: one is in several.
    entries: usize,
    /// How large all are together.
    bytes: usize,
}

impl fmt::Display for Built {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = self.bytes.checked_div(self.entries).unwrap_or(0);
        write!(
            f,
            "{} shards with {} entries of {each} bytes in the mean",
            self.shards, self.entries
        )
    }
}

/// Builds and writes the shard of every cell. Only those being built are held in memory.
pub(super) fn write(
    population: &Population,
    cells: Cells,
    folder: &Path,
) -> Result<Built, GenerateError> {
    let cannot = |error| GenerateError::Write(folder.to_path_buf(), error);
    create_dir_all(folder.join(FOLDER)).map_err(cannot)?;
    let mut cells: Vec<(Cell, Vec<u32>)> = cells.into_iter().collect();
    // The fullest first, so that no thread is left with one at the end.
    cells.sort_by_key(|(_, numbers)| std::cmp::Reverse(numbers.len()));
    let bar = progress(
        "entries of shards",
        cells.iter().map(|cell| cell.1.len() as u64).sum(),
    );
    let table = build_all(population, &cells, folder, &bar)?;
    bar.finish_and_clear();
    let built = table.values().fold(Built::default(), |sum, entry| Built {
        shards: sum.shards + 1,
        entries: sum.entries + entry.workers,
        bytes: sum.bytes + entry.bytes,
    });
    let text = serde_json::to_vec_pretty(&table)?;
    write_file(folder.join(TABLE), text).map_err(cannot)?;
    Ok(built)
}

fn build_all(
    population: &Population,
    cells: &[(Cell, Vec<u32>)],
    folder: &Path,
    bar: &ProgressBar,
) -> Result<BTreeMap<Cell, Entry>, GenerateError> {
    let next = AtomicUsize::new(0);
    let table = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        let build = || -> Result<(), GenerateError> {
            while let Some((cell, numbers)) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                let entry = build_one(population, *cell, numbers, folder)?;
                bar.inc(numbers.len() as u64);
                let mut table = table.lock().map_err(|_| GenerateError::Stopped)?;
                table.insert(*cell, entry);
            }
            Ok(())
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(build)).collect();
        let mut results = threads.into_iter().map(|thread| thread.join());
        results.try_for_each(|result| result.map_err(|_| GenerateError::Stopped)?)
    })?;
    table.into_inner().map_err(|_| GenerateError::Stopped)
}

fn build_one(
    population: &Population,
    cell: Cell,
    numbers: &[u32],
    folder: &Path,
) -> Result<Entry, GenerateError> {
    let people = numbers
        .iter()
        .map(|number| population.worker(u64::from(*number)));
    let records: Vec<IndexRecord> = people
        .filter_map(|worker| IndexRecord::of(&worker))
        .collect();
    let built = build_shard(cell, &records)?;
    // The version names what is in it; the bytes themselves hold a random id, and differ from run to run.
    let file = format!("{FOLDER}/{}", built.version);
    let path = folder.join(&file);
    let bytes = built.bytes.len();
    write_file(&path, built.bytes).map_err(|error| GenerateError::Write(path, error))?;
    Ok(Entry {
        file,
        workers: built.workers,
        bytes,
    })
}
