//! Holding the shards against the live records.

use std::collections::BTreeMap;

use domain::id::WorkerId;
use domain::packed::IndexRecord;
use domain::place::Cell;
use matching::{OpenShardError, SearchShardError, Shard};
use platform::blobs::{BlobName, BlobNameError};
use serde::Serialize;
use store::{ShardPointer, StaffPartition, StoreError};

use crate::build::{BuildError, IndexBuilder};

/// How one cell's shard differs from its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CellReport {
    /// The cell.
    pub cell: Cell,
    /// Support workers in the rows.
    pub workers: usize,
    /// In the rows and not in the shard.
    pub missing: Vec<WorkerId>,
    /// In the shard and not in the rows.
    pub ghosts: Vec<WorkerId>,
    /// In both, but not the same.
    pub stale: Vec<WorkerId>,
    /// Why the shard cannot be read at all.
    pub damage: Option<String>,
}

impl CellReport {
    /// Whether shard and rows say the same.
    #[must_use]
    pub const fn is_faithful(&self) -> bool {
        self.missing.is_empty()
            && self.ghosts.is_empty()
            && self.stale.is_empty()
            && self.damage.is_none()
    }
}

/// Compares every shard that a pointer names with the rows of its cell.
///
/// # Errors
/// When the table does not answer. A damaged shard is reported, not an error.
pub async fn verify(builder: &IndexBuilder) -> Result<Vec<CellReport>, BuildError> {
    let mut reports = Vec::new();
    for pointer in pointers(builder).await? {
        reports.push(compare(builder, &pointer).await?);
    }
    Ok(reports)
}

/// Every cell that has a shard.
///
/// # Errors
/// When the table does not answer.
pub async fn cells(builder: &IndexBuilder) -> Result<Vec<Cell>, StoreError> {
    let pointers = pointers(builder).await?;
    Ok(pointers.into_iter().map(|pointer| pointer.cell).collect())
}

async fn pointers(builder: &IndexBuilder) -> Result<Vec<ShardPointer>, StoreError> {
    let mut pointers = Vec::new();
    let mut cursor = None;
    loop {
        let page = builder
            .store
            .staff_list::<ShardPointer>(StaffPartition::Shards, false, 100, cursor.as_deref())
            .await?;
        pointers.extend(page.items.into_iter().map(|pointer| pointer.value));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(pointers);
        }
    }
}

async fn compare(builder: &IndexBuilder, pointer: &ShardPointer) -> Result<CellReport, BuildError> {
    let rows = by_worker(builder.records(pointer.cell).await?);
    let empty = || CellReport {
        cell: pointer.cell,
        workers: rows.len(),
        missing: Vec::new(),
        ghosts: Vec::new(),
        stale: Vec::new(),
        damage: None,
    };
    let shard = match shard_records(builder, pointer).await {
        Ok(records) => by_worker(records),
        Err(damage) => {
            return Ok(CellReport {
                damage: Some(damage),
                ..empty()
            });
        }
    };
    let missing = rows
        .keys()
        .filter(|worker| !shard.contains_key(worker))
        .copied()
        .collect();
    let ghosts = shard
        .keys()
        .filter(|worker| !rows.contains_key(worker))
        .copied()
        .collect();
    let stale = rows
        .iter()
        .filter(|(worker, row)| shard.get(worker).is_some_and(|held| held != *row));
    let stale = stale.map(|(worker, _)| *worker).collect();
    Ok(CellReport {
        missing,
        ghosts,
        stale,
        ..empty()
    })
}

async fn shard_records(
    builder: &IndexBuilder,
    pointer: &ShardPointer,
) -> Result<Vec<IndexRecord>, String> {
    let name: BlobName = pointer
        .blob
        .parse()
        .map_err(|error: BlobNameError| error.to_string())?;
    let found = builder
        .blobs
        .get(&name)
        .await
        .map_err(|error| error.to_string())?;
    let bytes = found.ok_or_else(|| "the object has vanished".to_owned())?;
    let shard = Shard::open(bytes).map_err(|error: OpenShardError| error.to_string())?;
    shard
        .records()
        .map_err(|error: SearchShardError| error.to_string())
}

fn by_worker(records: Vec<IndexRecord>) -> BTreeMap<WorkerId, IndexRecord> {
    records
        .into_iter()
        .map(|record| (record.worker, record))
        .collect()
}
