//! A shard in memory, open for searching.

use std::sync::Arc;

use domain::id::WorkerId;
use domain::packed::IndexRecord;
use domain::place::{Area, Cell};
use tantivy::columnar::{Column as TantivyColumn, ColumnValues};
use tantivy::directory::OwnedBytes;
use tantivy::index::InvertedIndexReader;
use tantivy::postings::BlockSegmentPostings;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, Index, SegmentReader, Term};

use crate::columns::{CERTIFICATES, Column, EXCEPTIONS, NEIGHBOURHOODS, OFFERED};
use crate::container::{self, ReadContainerError};
use crate::directory::ShardDirectory;
use crate::row::{self, Lists};

/// Why bytes cannot be opened as a shard.
#[derive(Debug, thiserror::Error)]
pub enum OpenShardError {
    /// They are not, or not entirely, a shard of this schema.
    #[error(transparent)]
    Container(#[from] ReadContainerError),
    /// The segment in them does not open.
    #[error("the segment does not open")]
    Index(#[from] tantivy::TantivyError),
    /// It does not hold one segment for one cell of the index.
    #[error("the shard does not hold what it should")]
    Content,
}

/// Why a shard that opened cannot be searched.
#[derive(Debug, thiserror::Error)]
pub enum SearchShardError {
    /// The segment cannot be read.
    #[error("the segment cannot be read")]
    Read(#[from] std::io::Error),
    /// The request is about a place in another cell: this shard lacks people who would reach it.
    #[error("the place lies in another cell")]
    OtherCell,
    /// A row holds what is never written.
    #[error("a row cannot be decoded")]
    Row,
}

/// Everybody whose service area touches one cell, or everybody there is, packed for matching. Immutable; share it freely.
pub struct Shard {
    area: Area,
    size: usize,
    workers: u32,
    // INVARIANT: none exactly when the shard is empty.
    segment: Option<Segment>,
}

/// The open columns of the one segment.
pub(crate) struct Segment {
    values: Vec<Arc<dyn ColumnValues<u64>>>,
    certificates: TantivyColumn<u64>,
    exceptions: TantivyColumn<u64>,
    offered: TantivyColumn<u64>,
    neighbourhoods: Arc<InvertedIndexReader>,
    neighbourhood: Field,
}

impl std::fmt::Debug for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shard")
            .field("area", &self.area)
            .field("workers", &self.workers)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl Shard {
    /// Opens the bytes of a shard, once they have proven whole.
    ///
    /// # Errors
    /// When they are torn, truncated, damaged, or of another schema: such a shard is never searched.
    pub fn open(bytes: Vec<u8>) -> Result<Self, OpenShardError> {
        let size = bytes.len();
        let (area, files) = container::read(&bytes)?;
        let area = Area::try_from(area).map_err(|_| OpenShardError::Content)?;
        let index = Index::open(ShardDirectory::new(&OwnedBytes::new(bytes), files))?;
        let segments = index.searchable_segments()?;
        let [segment] = segments.as_slice() else {
            return Err(OpenShardError::Content);
        };
        let reader = SegmentReader::open(segment)?;
        let workers = reader.max_doc();
        let segment = (workers > 0).then(|| Segment::open(&reader)).transpose()?;
        Ok(Self {
            area,
            size,
            workers,
            segment,
        })
    }

    /// What it is for.
    #[must_use]
    pub fn area(&self) -> Area {
        self.area
    }

    /// The cell it is for; none where it is for everywhere.
    #[must_use]
    pub fn cell(&self) -> Option<Cell> {
        match self.area {
            Area::Cell(cell) => Some(cell),
            Area::Everywhere => None,
        }
    }

    /// How many support workers it holds.
    #[must_use]
    pub fn workers(&self) -> u32 {
        self.workers
    }

    /// How many bytes it takes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Everybody in it, in the order of the segment: what `verify` and `inspect` compare and print.
    ///
    /// # Errors
    /// When a row cannot be decoded.
    pub fn records(&self) -> Result<Vec<IndexRecord>, SearchShardError> {
        let Some(segment) = &self.segment else {
            return Ok(vec![]);
        };
        (0..self.workers).map(|doc| segment.record(doc)).collect()
    }

    /// What it holds of one support worker; none where they are not in it.
    ///
    /// # Errors
    /// When the row cannot be decoded.
    pub fn record_of(&self, worker: WorkerId) -> Result<Option<IndexRecord>, SearchShardError> {
        let Some(segment) = &self.segment else {
            return Ok(None);
        };
        (0..self.workers)
            .find(|doc| segment.worker(*doc) == worker)
            .map(|doc| segment.record(doc))
            .transpose()
    }

    pub(crate) fn segment(&self) -> Option<&Segment> {
        self.segment.as_ref()
    }
}

impl Segment {
    fn open(reader: &SegmentReader) -> tantivy::Result<Self> {
        let fast = reader.fast_fields();
        let values = Column::ALL
            .iter()
            .map(|column| Ok(fast.u64(column.name())?.first_or_default_col(0)))
            .collect::<tantivy::Result<_>>()?;
        let list = |name: &str| -> tantivy::Result<TantivyColumn<u64>> {
            let column = fast.column_opt::<u64>(name)?;
            Ok(column.unwrap_or_else(|| TantivyColumn::build_empty_column(reader.max_doc())))
        };
        let neighbourhood = reader.schema().get_field(NEIGHBOURHOODS)?;
        Ok(Self {
            values,
            certificates: list(CERTIFICATES)?,
            exceptions: list(EXCEPTIONS)?,
            offered: list(OFFERED)?,
            neighbourhoods: reader.inverted_index(neighbourhood)?,
            neighbourhood,
        })
    }

    /// What a column holds of a row.
    pub(crate) fn get(&self, column: Column, doc: DocId) -> u64 {
        // INVARIANT: `values` has one handle for each column, in their order.
        self.values
            .get(column as usize)
            .map_or(0, |values| values.get_val(doc))
    }

    /// Who a row is about.
    pub(crate) fn worker(&self, doc: DocId) -> WorkerId {
        WorkerId::from_uuid(uuid::Uuid::from_u64_pair(
            self.get(Column::WorkerHigh, doc),
            self.get(Column::WorkerLow, doc),
        ))
    }

    /// Whether a row departs from its usual week at some time.
    pub(crate) fn has_exceptions(&self, doc: DocId) -> bool {
        self.exceptions.first(doc).is_some()
    }

    /// The whole of a row.
    pub(crate) fn record(&self, doc: DocId) -> Result<IndexRecord, SearchShardError> {
        let lists = Lists {
            offered: self.offered.values_for_doc(doc).collect(),
            certificates: self.certificates.values_for_doc(doc).collect(),
            exceptions: self.exceptions.values_for_doc(doc).collect(),
        };
        row::decode(|column| self.get(column, doc), &lists).ok_or(SearchShardError::Row)
    }

    /// The rows filed under a neighbourhood, block by block.
    pub(crate) fn filed_under(
        &self,
        neighbourhood: u64,
    ) -> Result<Option<BlockSegmentPostings>, SearchShardError> {
        let term = Term::from_field_u64(self.neighbourhood, neighbourhood);
        Ok(self
            .neighbourhoods
            .read_block_postings(&term, IndexRecordOption::Basic)?)
    }
}
