//! Holding the shards against the rows they are built from, and the rows against the live records.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::id::WorkerId;
use domain::packed::IndexRecord;
use domain::place::{Cell, cover};
use domain::support_worker::{SupportWorker, WorkerState};
use domain::vocabulary::Vocabulary;
use matching::Shard;
use platform::blobs::BlobName;
use serde::Serialize;
use store::{CellRow, Key, ShardPointer, StaffPartition, StoreError, Versioned};

use crate::build::{BuildError, IndexBuilder};

/// How long after a change a shard may still lack it: cells that differ are looked at once more after this.
pub const LAG: Duration = Duration::from_secs(2);
/// Support workers, or pointers, read at a time.
const PAGE: u16 = 100;

/// How what one cell's clients are matched with differs from what it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CellReport {
    /// The cell.
    pub cell: Cell,
    /// Rows in the cell.
    pub workers: usize,
    /// Why the shard cannot be read at all, or that there is none.
    pub damage: Option<String>,
    /// Between the rows and the shard, which is built from them.
    pub shard: Differences,
    /// Between the live records and the rows, which are written in the same commits.
    pub rows: Differences,
}

/// What a copy holds otherwise than its source.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Differences {
    /// In the source and not in the copy.
    pub missing: Vec<WorkerId>,
    /// In the copy and not in the source.
    pub ghosts: Vec<WorkerId>,
    /// In both, and not the same.
    pub stale: Vec<Stale>,
}

/// A support worker of whom two places say different things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stale {
    /// Who.
    pub worker: WorkerId,
    /// The names of the fields that differ; never what stands in them.
    pub fields: Vec<String>,
}

impl Differences {
    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.ghosts.is_empty() && self.stale.is_empty()
    }

    fn between(
        source: &BTreeMap<WorkerId, IndexRecord>,
        copy: &BTreeMap<WorkerId, IndexRecord>,
    ) -> Self {
        let only_in = |one: &BTreeMap<WorkerId, _>, other: &BTreeMap<WorkerId, _>| {
            let keys = one.keys().filter(|worker| !other.contains_key(worker));
            keys.copied().collect()
        };
        let both = source
            .iter()
            .filter_map(|(worker, is)| Some((*worker, is, copy.get(worker)?)));
        Self {
            missing: only_in(source, copy),
            ghosts: only_in(copy, source),
            stale: both
                .filter(|(_, is, held)| is != held)
                .map(|(worker, is, held)| Stale {
                    worker,
                    fields: differing_fields(is, held),
                })
                .collect(),
        }
    }
}

impl CellReport {
    /// Whether records, rows and shard say the same.
    #[must_use]
    pub const fn is_faithful(&self) -> bool {
        self.damage.is_none() && self.shard.is_empty() && self.rows.is_empty()
    }
}

/// Compares, for every cell that anything is known of, the live records with the rows and the rows with the shard.
///
/// The service may go on meanwhile: cells that differ are looked at once more after `patience`. Memory is bounded by
/// the largest cell. Not found is a row in a cell that has no shard and that no support worker's present area
/// touches: no commit leaves one behind, and nobody is matched from it.
///
/// # Errors
/// When the table does not answer. A damaged shard is reported, not an error.
pub async fn verify(
    builder: &IndexBuilder,
    patience: Duration,
) -> Result<Vec<CellReport>, BuildError> {
    let mut known = pointers(builder).await?;
    let suspects = suspects(builder, &mut known).await?;
    let none = BTreeSet::new();
    let mut reports = Vec::new();
    let mut waited = false;
    for (cell, pointer) in &known {
        let suspects = suspects.get(cell).unwrap_or(&none);
        let mut report = compare(builder, *cell, pointer.as_ref(), suspects).await?;
        if !report.is_faithful() {
            if !waited {
                tokio::time::sleep(patience).await;
                waited = true;
            }
            let pointer = builder.pointer(*cell).await?.map(|pointer| pointer.value);
            report = compare(builder, *cell, pointer.as_ref(), suspects).await?;
        }
        reports.push(report);
    }
    Ok(reports)
}

/// Every cell that has a shard or should have one.
///
/// # Errors
/// When the table does not answer.
pub async fn cells(builder: &IndexBuilder) -> Result<Vec<Cell>, BuildError> {
    let mut known = pointers(builder).await?;
    suspects(builder, &mut known).await?;
    Ok(known.into_keys().collect())
}

/// Rebuilds the shards whose objects are damaged, vanished or of an earlier schema, and gives their cells: what a
/// process does that begins to serve over what another one left.
///
/// # Errors
/// When the table does not answer, or a shard cannot be built.
pub async fn heal(builder: &IndexBuilder) -> Result<Vec<Cell>, BuildError> {
    let mut healed = Vec::new();
    for (cell, pointer) in pointers(builder).await? {
        let whole = match &pointer {
            Some(pointer) => builder.is_whole(pointer).await?,
            None => false,
        };
        if !whole {
            builder.rebuild(cell).await?;
            healed.push(cell);
        }
    }
    Ok(healed)
}

/// The cells that have a shard.
async fn pointers(
    builder: &IndexBuilder,
) -> Result<BTreeMap<Cell, Option<ShardPointer>>, StoreError> {
    let mut pointers = BTreeMap::new();
    let mut cursor = None;
    loop {
        let page = builder
            .store
            .staff_list::<ShardPointer>(StaffPartition::Shards, false, PAGE, cursor.as_deref())
            .await?;
        let found = page.items.into_iter().map(|pointer| pointer.value);
        pointers.extend(found.map(|pointer| (pointer.cell, Some(pointer))));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(pointers);
        }
    }
}

/// Walks everybody once: who seems to lack a row, by the cell they lack it in. Adds every cell that anybody works in
/// to `known`.
async fn suspects(
    builder: &IndexBuilder,
    known: &mut BTreeMap<Cell, Option<ShardPointer>>,
) -> Result<BTreeMap<Cell, BTreeSet<WorkerId>>, StoreError> {
    let mut suspects: BTreeMap<Cell, BTreeSet<WorkerId>> = BTreeMap::new();
    for state in WorkerState::ALL {
        let partition = StaffPartition::Workers(state.code());
        let mut cursor = None;
        loop {
            let page = builder
                .store
                .staff_list::<SupportWorker>(partition, false, PAGE, cursor.as_deref())
                .await?;
            for Versioned { value: worker, .. } in page.items {
                if IndexRecord::of(&worker).is_none() {
                    continue;
                }
                let cells = cells_of(&worker);
                let keys: Vec<Key> = cells
                    .iter()
                    .map(|cell| Key::cell_row(*cell, worker.id))
                    .collect();
                let rows = builder.store.get_many::<CellRow>(&keys).await?;
                let held: BTreeSet<Cell> = rows.iter().map(|row| row.value.cell).collect();
                for cell in cells {
                    known.entry(cell).or_default();
                    if !held.contains(&cell) {
                        suspects.entry(cell).or_default().insert(worker.id);
                    }
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
    }
    Ok(suspects)
}

fn cells_of(worker: &SupportWorker) -> Vec<Cell> {
    let area = worker.profile.service_area.as_ref();
    let cells = area.map(|area| cover(area.base.latitude, area.base.longitude, area.radius_km));
    cells.unwrap_or_default()
}

async fn compare(
    builder: &IndexBuilder,
    cell: Cell,
    pointer: Option<&ShardPointer>,
    suspects: &BTreeSet<WorkerId>,
) -> Result<CellReport, BuildError> {
    let rows = by_worker(builder.records(cell).await?);
    let everybody: Vec<WorkerId> = rows.keys().chain(suspects).copied().collect();
    let live = live(builder, cell, &everybody).await?;
    let shard = match pointer {
        Some(pointer) => shard_records(builder, pointer).await,
        // Nobody to be matched with, and nobody who is: no shard is needed.
        None if rows.is_empty() => Ok(Vec::new()),
        None => Err("the cell has rows and no shard".to_owned()),
    };
    let (damage, shard) = match shard {
        Ok(records) => (None, Differences::between(&rows, &by_worker(records))),
        Err(damage) => (Some(damage), Differences::default()),
    };
    Ok(CellReport {
        cell,
        workers: rows.len(),
        damage,
        shard,
        rows: Differences::between(&live, &rows),
    })
}

/// What the rows of the cell should say of these support workers.
async fn live(
    builder: &IndexBuilder,
    cell: Cell,
    workers: &[WorkerId],
) -> Result<BTreeMap<WorkerId, IndexRecord>, StoreError> {
    let mut live = BTreeMap::new();
    for some in workers.chunks(usize::from(PAGE)) {
        let keys: Vec<Key> = some.iter().map(|worker| Key::worker(*worker)).collect();
        for found in builder.store.get_many::<SupportWorker>(&keys).await? {
            let worker = found.value;
            if cells_of(&worker).contains(&cell)
                && let Some(record) = IndexRecord::of(&worker)
            {
                live.insert(worker.id, record);
            }
        }
    }
    Ok(live)
}

async fn shard_records(
    builder: &IndexBuilder,
    pointer: &ShardPointer,
) -> Result<Vec<IndexRecord>, String> {
    let shard = open(builder, pointer).await?;
    shard.records().map_err(|error| error.to_string())
}

/// The shard that a pointer names, proven to be the one that was published.
pub(crate) async fn open(builder: &IndexBuilder, pointer: &ShardPointer) -> Result<Shard, String> {
    let name: BlobName = pointer
        .blob
        .parse()
        .map_err(|_| "the pointer names no object".to_owned())?;
    let found = builder.blobs.get(&name).await;
    let found = found.map_err(|error| error.to_string())?;
    let bytes = found.ok_or_else(|| "the object has vanished".to_owned())?;
    if !name.matches(&bytes) {
        return Err("the object is not what was published".to_owned());
    }
    let shard = Shard::open(bytes).map_err(|error| error.to_string())?;
    if shard.cell() != Some(pointer.cell) {
        return Err("the object is the shard of another cell".to_owned());
    }
    Ok(shard)
}

fn by_worker(records: Vec<IndexRecord>) -> BTreeMap<WorkerId, IndexRecord> {
    records
        .into_iter()
        .map(|record| (record.worker, record))
        .collect()
}

/// The names of the fields in which two records differ.
fn differing_fields(one: &IndexRecord, other: &IndexRecord) -> Vec<String> {
    let fields = |record: &IndexRecord| match serde_json::to_value(record) {
        Ok(serde_json::Value::Object(fields)) => fields,
        // A record is a structure: it has fields, and all of them can be written down.
        Ok(_) | Err(_) => serde_json::Map::new(),
    };
    let (one, other) = (fields(one), fields(other));
    let differing = one
        .iter()
        .filter(|(name, value)| other.get(*name) != Some(value));
    differing.map(|(name, _)| name.clone()).collect()
}
