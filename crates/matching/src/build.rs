//! Builds the shard of one cell from its records.

use std::cmp::Reverse;

use domain::packed::IndexRecord;
use domain::place::{Area, Neighbourhood};
use domain::vocabulary::{Service, Vocabulary};
use sha2::{Digest, Sha256};
use tantivy::directory::RamDirectory;
use tantivy::schema::{Field, Schema};
use tantivy::{IndexBuilder, IndexSettings, TantivyDocument};

use crate::columns::{
    CERTIFICATES, Column, EXCEPTIONS, HOURS, NEIGHBOURHOODS, REORDERED, WORDS, fingerprint,
    rate_column, schema,
};
use crate::container;
use crate::lean;
use crate::row::{encode, encode_lists};

/// What the builder sizes its tables by to begin with, in bytes: a cell has a few dozen neighbourhoods. It is no bound:
/// the tables grow, and whatever comes goes into one segment.
const MEMORY: usize = 1 << 20;

/// A shard ready to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltShard {
    /// Names the content: the same records give the same version, whoever builds it and whenever.
    pub version: String,
    /// What is stored under that name.
    pub bytes: Vec<u8>,
    /// How many support workers it holds.
    pub workers: usize,
}

/// Why a shard cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildShardError {
    /// A record cannot be written down.
    #[error("a record cannot be encoded")]
    Encode(#[from] serde_json::Error),
    /// The index library failed.
    #[error("the segment cannot be built")]
    Index(#[from] tantivy::TantivyError),
    /// A file of the segment cannot be read back.
    #[error("the segment cannot be read back")]
    ReadBack(#[from] std::io::Error),
}

/// Builds the shard of a cell from the records stored under it, or that of everywhere, in any order.
///
/// # Errors
/// When the segment cannot be built; nothing in the records themselves makes it fail.
pub fn build_shard(
    area: impl Into<Area>,
    records: &[IndexRecord],
) -> Result<BuiltShard, BuildShardError> {
    let area = area.into();
    let records = in_order(records);
    let version = version_in_order(area, &records)?;
    let directory = RamDirectory::create();
    let settings = IndexSettings {
        docstore_compress_dedicated_thread: false,
        ..IndexSettings::default()
    };
    let schema = schema();
    let fields = Fields::of(&schema)?;
    let mut writer = IndexBuilder::new()
        .schema(schema)
        .settings(settings)
        .single_segment_index_writer::<TantivyDocument>(directory.clone(), MEMORY)?;
    let mut filing = Filing::new(area);
    for record in &records {
        writer.add_document(fields.document(record, filing.around(record)))?;
    }
    let index = writer.finalize()?;
    let files = lean::files(&index, &directory)?;
    Ok(BuiltShard {
        version,
        bytes: container::write(area.index(), &files),
        workers: records.len(),
    })
}

/// The version that a shard of these records has, to see whether one is still right without building it.
///
/// # Errors
/// When a record cannot be written down.
pub fn version_of(
    area: impl Into<Area>,
    records: &[IndexRecord],
) -> Result<String, BuildShardError> {
    version_in_order(area.into(), &in_order(records))
}

/// Neighbours next to each other, and among them those who travel farthest first: who reaches one place from another
/// then lies together, and so does what a search reads.
fn in_order(records: &[IndexRecord]) -> Vec<&IndexRecord> {
    let mut keyed: Vec<_> = records
        .iter()
        .map(|record| {
            let home = record.position.neighbourhood();
            ((home, Reverse(record.radius_km), record.worker), record)
        })
        .collect();
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, record)| record).collect()
}

fn version_in_order(area: Area, records: &[&IndexRecord]) -> Result<String, BuildShardError> {
    let mut hash = Sha256::new();
    hash.update(fingerprint());
    hash.update(area.index().to_le_bytes());
    for record in records {
        hash.update(serde_json::to_vec(record)?);
        hash.update(b"\n");
    }
    let digest = hash.finalize();
    Ok(digest
        .iter()
        .take(16)
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}")))
}

/// The neighbourhoods that somebody may be filed under.
struct Filing {
    area: Area,
    /// Everywhere: around whose home, within which radius. Records come sorted by home, so one is enough.
    around: (u64, u16),
    neighbourhoods: Vec<Neighbourhood>,
}

impl Filing {
    fn new(area: Area) -> Self {
        Self {
            area,
            around: (0, 0),
            neighbourhoods: match area {
                Area::Cell(cell) => cell.neighbourhoods(),
                Area::Everywhere => vec![],
            },
        }
    }

    fn around(&mut self, record: &IndexRecord) -> &[Neighbourhood] {
        if self.area == Area::Everywhere {
            let home = record.position.neighbourhood();
            let (around, radius_km) = self.around;
            if around != home || radius_km < record.radius_km {
                self.around = (home, record.radius_km);
                self.neighbourhoods = Neighbourhood::around(home, record.radius_km);
            }
        }
        &self.neighbourhoods
    }
}

/// The fields of the schema, looked up once.
struct Fields {
    columns: Vec<(Column, Field)>,
    rates: Vec<(Service, Field)>,
    hours: Field,
    exceptions: Field,
    certificates: Field,
    reordered: Field,
    words: Field,
    neighbourhoods: Field,
}

impl Fields {
    fn of(schema: &Schema) -> tantivy::Result<Self> {
        let columns = Column::ALL
            .iter()
            .map(|column| Ok((*column, schema.get_field(column.name())?)))
            .collect::<tantivy::Result<_>>()?;
        let rates = Service::ALL
            .iter()
            .map(|service| Ok((*service, schema.get_field(&rate_column(*service))?)))
            .collect::<tantivy::Result<_>>()?;
        Ok(Self {
            columns,
            rates,
            hours: schema.get_field(HOURS)?,
            exceptions: schema.get_field(EXCEPTIONS)?,
            certificates: schema.get_field(CERTIFICATES)?,
            reordered: schema.get_field(REORDERED)?,
            words: schema.get_field(WORDS)?,
            neighbourhoods: schema.get_field(NEIGHBOURHOODS)?,
        })
    }

    fn document(&self, record: &IndexRecord, neighbourhoods: &[Neighbourhood]) -> TantivyDocument {
        let mut document = TantivyDocument::new();
        for (column, field) in &self.columns {
            document.add_u64(*field, encode(record, *column));
        }
        for (service, field) in &self.rates {
            let rate = record.rate(*service);
            document.add_u64(*field, rate.map_or(0, |rate| u64::from(rate.0)));
        }
        for word in &record.words {
            document.add_text(self.words, word);
        }
        for neighbourhood in neighbourhoods {
            if neighbourhood.may_be_reached(record.position, record.radius_km) {
                document.add_u64(self.neighbourhoods, neighbourhood.index);
            }
        }
        let lists = encode_lists(record);
        for (field, values) in [
            (self.hours, lists.hours),
            (self.exceptions, lists.exceptions),
            (self.certificates, lists.certificates),
            (self.reordered, lists.reordered),
        ] {
            for value in values {
                document.add_u64(field, value);
            }
        }
        document
    }
}
