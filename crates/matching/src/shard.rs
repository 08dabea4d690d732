//! A shard in memory, open for searching.

use domain::id::WorkerId;
use domain::packed::IndexRecord;
use domain::place::{Area, Cell};
use stable_deref_trait::StableDeref;
use tantivy::directory::OwnedBytes;
use tantivy::{Index, SegmentReader};

use crate::container::{self, ReadContainerError};
use crate::directory::ShardDirectory;
use crate::segment::Segment;

/// Why bytes cannot be opened as a shard.
#[derive(Debug, thiserror::Error)]
pub enum OpenShardError {
    /// They are not, or not entirely, a shard of this schema.
    #[error(transparent)]
    Container(#[from] ReadContainerError),
    /// The segment in them does not open.
    #[error("the segment does not open")]
    Index(#[from] tantivy::TantivyError),
    /// A file of the segment cannot be read.
    #[error("the segment cannot be read")]
    Read(#[from] std::io::Error),
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
    /// Opens the bytes of a shard, once they have proven whole: bytes in memory, or a memory map of them.
    ///
    /// # Errors
    /// When they are torn, truncated, damaged, or of another schema: such a shard is never searched.
    pub fn open<B>(bytes: B) -> Result<Self, OpenShardError>
    where
        B: StableDeref<Target = [u8]> + Send + Sync + 'static,
    {
        let bytes = OwnedBytes::new(bytes);
        let size = bytes.len();
        let (area, files) = container::read(&bytes)?;
        let area = Area::try_from(area).map_err(|_| OpenShardError::Content)?;
        let index = Index::open(ShardDirectory::new(&bytes, files))?;
        let segments = index.searchable_segments()?;
        let [segment] = segments.as_slice() else {
            return Err(OpenShardError::Content);
        };
        let reader = SegmentReader::open(segment)?;
        let workers = reader.max_doc();
        let segment = (workers > 0)
            .then(|| Segment::open(segment, &reader))
            .transpose()?;
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
