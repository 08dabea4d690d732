//! The open columns of a shard's one segment.

use std::sync::{Arc, OnceLock};

use domain::id::{PersonId, WorkerId};
use domain::packed::IndexRecord;
use domain::vocabulary::{Service, Vocabulary};
use tantivy::columnar::{
    Column as TantivyColumn, ColumnIndex, ColumnValues, ColumnarReader, DynamicColumn, StrColumn,
};
use tantivy::index::{InvertedIndexReader, SegmentComponent};
use tantivy::postings::BlockSegmentPostings;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, Segment as TantivySegment, SegmentReader, Term};

use crate::columns::{
    CERTIFICATES, Column, EXCEPTIONS, HOURS, NEIGHBOURHOODS, REORDERED, WORDS, rate_column,
};
use crate::row::{self, Lists};
use crate::shard::{OpenShardError, SearchShardError};

/// One number of everybody.
type Values = Arc<dyn ColumnValues<u64>>;

/// The open columns.
pub(crate) struct Segment {
    // INVARIANT: one for each column, in their order.
    values: Vec<Values>,
    // INVARIANT: one for each service, in the order of the vocabulary.
    rates: Vec<Values>,
    hours: TantivyColumn<u64>,
    exceptions: TantivyColumn<u64>,
    certificates: TantivyColumn<u64>,
    reordered: TantivyColumn<u64>,
    words: StrColumn,
    /// Every stem in the segment, in order, read when first asked about: its place is its number in the column.
    stems: OnceLock<Vec<String>>,
    neighbourhoods: Arc<InvertedIndexReader>,
    neighbourhood: Field,
}

impl Segment {
    /// Opens the columns of a segment that holds somebody.
    pub(crate) fn open(
        segment: &TantivySegment,
        reader: &SegmentReader,
    ) -> Result<Self, OpenShardError> {
        let file = segment
            .open_read(SegmentComponent::FastFields)
            .map_err(tantivy::TantivyError::from)?;
        let mut found = Found::read(&ColumnarReader::open(file)?)?;
        let values = Column::ALL.iter().map(|column| found.full(column.name()));
        let values = values.collect::<Result<_, _>>()?;
        let rates = Service::ALL
            .iter()
            .map(|service| found.full(&rate_column(*service)));
        let rates = rates.collect::<Result<_, _>>()?;
        let rows = reader.max_doc();
        let neighbourhood = reader.schema().get_field(NEIGHBOURHOODS)?;
        Ok(Self {
            values,
            rates,
            hours: found.list(HOURS, rows),
            exceptions: found.list(EXCEPTIONS, rows),
            certificates: found.list(CERTIFICATES, rows),
            reordered: found.list(REORDERED, rows),
            words: found.words(rows),
            stems: OnceLock::new(),
            neighbourhoods: reader.inverted_index(neighbourhood)?,
            neighbourhood,
        })
    }

    fn values(&self, column: Column) -> Option<&Values> {
        self.values.get(column as usize)
    }

    /// What a column holds of a row.
    pub(crate) fn get(&self, column: Column, doc: DocId) -> u64 {
        self.values(column).map_or(0, |values| values.get_val(doc))
    }

    /// What a column holds of each of these rows.
    pub(crate) fn gather(&self, column: Column, docs: &[DocId], into: &mut [u64]) {
        if let Some(values) = self.values(column) {
            values.get_vals(docs, into);
        }
    }

    /// What an hour of a service costs; 0 where it is not offered.
    pub(crate) fn rate(&self, service: Service, doc: DocId) -> u64 {
        let rates = self.rates.get(service.bit() as usize);
        rates.map_or(0, |rates| rates.get_val(doc))
    }

    /// The same of each of these rows.
    pub(crate) fn gather_rates(&self, service: Service, docs: &[DocId], into: &mut [u64]) {
        if let Some(rates) = self.rates.get(service.bit() as usize) {
            rates.get_vals(docs, into);
        }
    }

    /// Who a row is about.
    pub(crate) fn worker(&self, doc: DocId) -> WorkerId {
        WorkerId::from_uuid(uuid::Uuid::from_u64_pair(
            self.get(Column::WorkerHigh, doc),
            self.get(Column::WorkerLow, doc),
        ))
    }

    /// The person behind a row.
    pub(crate) fn person(&self, doc: DocId) -> PersonId {
        PersonId::from_uuid(uuid::Uuid::from_u64_pair(
            self.get(Column::PersonHigh, doc),
            self.get(Column::PersonLow, doc),
        ))
    }

    /// The spans of the usual week.
    pub(crate) fn hours(&self, doc: DocId) -> impl Iterator<Item = u64> + '_ {
        self.hours.values_for_doc(doc)
    }

    /// Dated departures from the usual week.
    pub(crate) fn exceptions(&self, doc: DocId) -> impl Iterator<Item = u64> + '_ {
        self.exceptions.values_for_doc(doc)
    }

    /// Certificates with their last days.
    pub(crate) fn certificates(&self, doc: DocId) -> impl Iterator<Item = u64> + '_ {
        self.certificates.values_for_doc(doc)
    }

    /// The numbers of the stems of a row's introduction, ascending.
    pub(crate) fn words(&self, doc: DocId) -> impl Iterator<Item = u64> + '_ {
        self.words.ords().values_for_doc(doc)
    }

    /// The number of a stem; none where nobody writes it.
    pub(crate) fn number_of(&self, stem: &str) -> Result<Option<u64>, SearchShardError> {
        let stems = self.stems()?;
        let place = stems.binary_search_by(|known| known.as_str().cmp(stem));
        Ok(place.ok().and_then(|place| u64::try_from(place).ok()))
    }

    fn stems(&self) -> Result<&[String], SearchShardError> {
        if let Some(stems) = self.stems.get() {
            return Ok(stems);
        }
        let mut stems = Vec::with_capacity(self.words.num_terms());
        let mut stream = self.words.dictionary().stream()?;
        while stream.advance() {
            let stem = str::from_utf8(stream.key()).map_err(|_| SearchShardError::Row)?;
            stems.push(stem.to_owned());
        }
        Ok(self.stems.get_or_init(|| stems))
    }

    /// The whole of a row.
    pub(crate) fn record(&self, doc: DocId) -> Result<IndexRecord, SearchShardError> {
        let stems = self.stems()?;
        let stem = |number| {
            let place = usize::try_from(number).ok()?;
            stems.get(place).cloned()
        };
        let words: Option<Vec<String>> = self.words(doc).map(stem).collect();
        Ok(IndexRecord {
            words: words.ok_or(SearchShardError::Row)?,
            ..self.record_without_words(doc)?
        })
    }

    /// A row but for the words of its introduction: all that the rules look at.
    pub(crate) fn record_without_words(&self, doc: DocId) -> Result<IndexRecord, SearchShardError> {
        let lists = Lists {
            hours: self.hours(doc).collect(),
            exceptions: self.exceptions(doc).collect(),
            certificates: self.certificates(doc).collect(),
            reordered: self.reordered.values_for_doc(doc).collect(),
        };
        row::decode(
            |column| self.get(column, doc),
            |service| self.rate(service, doc),
            &lists,
        )
        .ok_or(SearchShardError::Row)
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

/// The columns found in a segment, taken out one by one.
///
/// All are read in one pass: looking each up by its name would read the table of names as often.
struct Found(Vec<(String, DynamicColumn)>);

impl Found {
    fn read(columnar: &ColumnarReader) -> Result<Self, OpenShardError> {
        let columns = columnar
            .iter_columns()?
            .map(|(name, handle)| Ok((name, handle.open()?)));
        Ok(Self(columns.collect::<std::io::Result<_>>()?))
    }

    fn take(&mut self, name: &str) -> Option<DynamicColumn> {
        let place = self.0.iter().position(|(found, _)| found == name)?;
        Some(self.0.swap_remove(place).1)
    }

    fn numbers(&mut self, name: &str) -> Option<TantivyColumn<u64>> {
        match self.take(name)? {
            DynamicColumn::U64(numbers) => Some(numbers),
            _ => None,
        }
    }

    /// A column that holds a number of everybody, without the detour by way of which rows have one.
    fn full(&mut self, name: &str) -> Result<Values, OpenShardError> {
        match self.numbers(name) {
            Some(TantivyColumn {
                index: ColumnIndex::Full,
                values,
            }) => Ok(values),
            _ => Err(OpenShardError::Content),
        }
    }

    /// A column of lists; there is none where nobody has any.
    fn list(&mut self, name: &str, rows: u32) -> TantivyColumn<u64> {
        self.numbers(name)
            .unwrap_or_else(|| TantivyColumn::build_empty_column(rows))
    }

    fn words(&mut self, rows: u32) -> StrColumn {
        match self.take(WORDS) {
            Some(DynamicColumn::Str(words)) => words,
            _ => StrColumn::wrap(tantivy::columnar::BytesColumn::empty(rows)),
        }
    }
}
