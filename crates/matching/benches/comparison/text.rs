//! Plain BM25: what is built in a hurry. Everything that people write or tick goes into text fields, and a request is
//! a query of its words. It knows no hard rule, so it answers another question; the time is what it takes.

use domain::match_request::{MatchRequestDetails, Wish};
use domain::support_worker::SupportWorker;
use domain::vocabulary::Vocabulary;
use tantivy::collector::TopDocs;
use tantivy::query::{BooleanQuery, Occur, Query, TermQuery};
use tantivy::schema::{FAST, Field, INDEXED, IndexRecordOption, Schema, TEXT};
use tantivy::{Index, IndexWriter, Searcher, TantivyDocument, Term};

use crate::Error;

const MEMORY: usize = 512 << 20;

/// Being filled.
pub(crate) struct Texts {
    index: Index,
    writer: IndexWriter,
    fields: Fields,
}

/// Ready to be searched.
pub(crate) struct TextSearch {
    searcher: Searcher,
    fields: Fields,
}

#[derive(Clone, Copy)]
struct Fields {
    introduction: Field,
    offered: Field,
    about: Field,
    suburb: Field,
    worker: Field,
}

impl Texts {
    pub(crate) fn new() -> Result<Self, Error> {
        let mut schema = Schema::builder();
        let fields = Fields {
            introduction: schema.add_text_field("introduction", TEXT),
            offered: schema.add_text_field("offered", TEXT),
            about: schema.add_text_field("about", TEXT),
            suburb: schema.add_text_field("suburb", TEXT),
            worker: schema.add_u64_field("worker", FAST | INDEXED),
        };
        let index = Index::create_in_ram(schema.build());
        let writer = index.writer_with_num_threads(1, MEMORY)?;
        Ok(Self {
            index,
            writer,
            fields,
        })
    }

    pub(crate) fn add(&self, worker: &SupportWorker) -> Result<(), Error> {
        let profile = &worker.profile;
        let of = self.fields;
        let mut document = TantivyDocument::new();
        document.add_u64(of.worker, worker.id.uuid().as_u64_pair().1);
        document.add_text(of.introduction, &profile.introduction);
        for offered in &profile.services {
            document.add_text(of.offered, offered.service.label());
        }
        for skill in &profile.skills {
            document.add_text(of.offered, skill.label());
        }
        for condition in &profile.conditions {
            document.add_text(of.offered, condition.condition.label());
        }
        for interest in &profile.interests {
            document.add_text(of.about, interest.label());
        }
        for language in &profile.languages {
            document.add_text(of.about, language.label());
        }
        if let Some(area) = &profile.service_area {
            document.add_text(of.suburb, &area.base.suburb);
        }
        self.writer.add_document(document)?;
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<TextSearch, Error> {
        self.writer.commit()?;
        self.writer.wait_merging_threads()?;
        Ok(TextSearch {
            searcher: self.index.reader()?.searcher(),
            fields: self.fields,
        })
    }
}

impl TextSearch {
    /// The words of a request as a query: any of them will do.
    pub(crate) fn query(&self, details: &MatchRequestDetails) -> BooleanQuery {
        let of = self.fields;
        let mut words: Vec<(Field, String)> = vec![];
        let mut say = |field, text: &str| {
            let runs = text.split(|c: char| !c.is_alphanumeric());
            words.extend(
                runs.filter(|run| !run.is_empty())
                    .map(|run| (field, run.to_lowercase())),
            );
        };
        for service in &details.services {
            say(of.offered, service.label());
        }
        for condition in &details.care_needs.conditions {
            say(of.offered, condition.label());
        }
        for preference in &details.preferences {
            match preference.wish {
                Wish::Interest(word) => say(of.about, word.label()),
                Wish::Language(word) => say(of.about, word.label()),
                Wish::Skill(word) => say(of.offered, word.label()),
                Wish::Culture(_) | Wish::Gender(_) => {}
            }
        }
        say(of.suburb, &details.place.suburb);
        say(of.introduction, &details.about_me);
        words.sort();
        words.dedup();
        let clauses = words.into_iter().map(|(field, word)| {
            let term = Term::from_field_text(field, &word);
            let query: Box<dyn Query> =
                Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs));
            (Occur::Should, query)
        });
        BooleanQuery::new(clauses.collect())
    }

    pub(crate) fn search(&self, query: &BooleanQuery) -> Result<usize, Error> {
        let ten = self
            .searcher
            .search(query, &TopDocs::with_limit(10).order_by_score())?;
        Ok(ten.len())
    }
}
