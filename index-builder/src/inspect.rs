//! What one shard holds, in counts: never whom.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::packed::IndexRecord;
use domain::place::Cell;
use domain::vocabulary::{Language, Service, Vocabulary, mask};
use matching::{Shard, version_of};
use serde::Serialize;
use store::ShardPointer;

use crate::build::{BuildError, IndexBuilder};
use crate::verify::open;

/// A shard, seen from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// Where the pointer leads; none where a file was named.
    pub current: Option<Current>,
    /// "whole", or what is wrong with magic, fingerprint, checksum or content.
    pub state: String,
    /// What it holds; none where it cannot be opened.
    pub content: Option<Content>,
}

/// What the pointer says of a cell's current shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Current {
    /// The version.
    pub version: String,
    /// The name of the object.
    pub object: String,
    /// How many support workers it was built from.
    pub workers: u32,
    /// When it was built.
    pub built_at: DateTime<Utc>,
}

/// What an open shard holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Content {
    /// The cell it is for; none of one that is for everywhere.
    pub cell: Option<Cell>,
    /// The version that its entries have.
    pub version: Option<String>,
    /// How many support workers.
    pub workers: u32,
    /// Bytes in all.
    pub bytes: usize,
    /// Bytes for each support worker, rounded up.
    pub bytes_per_worker: usize,
    /// How many offer each service.
    pub services: BTreeMap<&'static str, usize>,
    /// How many speak each language.
    pub languages: BTreeMap<&'static str, usize>,
}

impl Inspection {
    /// Whether it is whole and is what the pointer says.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let said = self.current.as_ref().map(|current| &current.version);
        let Some(content) = &self.content else {
            return false;
        };
        said.is_none_or(|said| content.version.as_ref() == Some(said))
    }
}

/// Looks at the current shard of a cell; none where the cell has none.
///
/// # Errors
/// When the table does not answer. A damaged shard is described, not an error.
pub async fn inspect(builder: &IndexBuilder, cell: Cell) -> Result<Option<Inspection>, BuildError> {
    let Some(pointer) = builder.pointer(cell).await? else {
        return Ok(None);
    };
    let ShardPointer {
        version,
        blob,
        workers,
        built_at,
        ..
    } = pointer.value.clone();
    let inspection = described(open(builder, &pointer.value).await)?;
    Ok(Some(Inspection {
        current: Some(Current {
            version,
            object: blob,
            workers,
            built_at,
        }),
        ..inspection
    }))
}

/// Looks at the bytes of a shard.
///
/// # Errors
/// When what it holds cannot be written down: a defect.
pub fn inspect_bytes(bytes: Vec<u8>) -> Result<Inspection, BuildError> {
    described(Shard::open(bytes).map_err(|error| error.to_string()))
}

fn described(shard: Result<Shard, String>) -> Result<Inspection, BuildError> {
    let read = shard.and_then(|shard| match shard.records() {
        Ok(records) => Ok((shard, records)),
        Err(error) => Err(error.to_string()),
    });
    Ok(match read {
        Ok((shard, records)) => Inspection {
            current: None,
            state: "whole".to_owned(),
            content: Some(Content::of(&shard, &records)?),
        },
        Err(wrong) => Inspection {
            current: None,
            state: wrong,
            content: None,
        },
    })
}

impl Content {
    fn of(shard: &Shard, records: &[IndexRecord]) -> Result<Self, BuildError> {
        let (bytes, workers) = (shard.size(), shard.workers());
        let cell = shard.cell();
        let version = cell.map(|cell| version_of(cell, records)).transpose()?;
        Ok(Self {
            cell,
            version,
            workers,
            bytes,
            bytes_per_worker: bytes.div_ceil(usize::try_from(workers).unwrap_or(usize::MAX).max(1)),
            services: counts::<Service>(records, IndexRecord::service_mask),
            languages: counts::<Language>(records, |record| record.languages),
        })
    }
}

/// How many records have each word; words that nobody has are left out.
fn counts<V: Vocabulary>(
    records: &[IndexRecord],
    of: impl Fn(&IndexRecord) -> u64,
) -> BTreeMap<&'static str, usize> {
    let count = |word: V| {
        let bit = mask([word]);
        records
            .iter()
            .filter(|record| of(record) & bit != 0)
            .count()
    };
    V::ALL
        .iter()
        .map(|word| (word.code(), count(*word)))
        .filter(|(_, count)| *count > 0)
        .collect()
}
