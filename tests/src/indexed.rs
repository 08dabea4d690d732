//! The index builder and the matcher over one table and a real folder, without a host around them.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::TimeDelta;
use domain::candidates::CandidateList;
use domain::due::{Consumer, Due, DueRow};
use domain::id::{PersonId, WorkerId};
use domain::match_request::{MatchRequest, Submission};
use domain::packed::IndexRecord;
use domain::place::{Cell, Place};
use domain::policy::Policy;
use dynoxide::Database;
use functions::context::{Context, Deployment};
use functions::matcher::{Matcher, MatcherError};
use index_builder::{IndexBuilder, Outcome};
use platform::blobs::{BlobName, Blobs, FolderBlobs};
use platform::clock::ManualClock;
use platform::ids::IdSource;
use platform::keys::DeploymentKey;
use platform::mail::FolderMail;
use platform::metrics::Metrics;
use platform::tokens::TokenRules;
use rapport::embedded::{in_process, in_process_http};
use serde_json::{Value, json};
use store::{CellRow, Commit, DueKey, Key, ShardPointer, Store, Versioned, consumer_of};
use tempfile::TempDir;

use crate::faults::Faults;
use crate::people::{active_worker, carlton, modest_request};
use crate::start;

const TABLE: &str = "indexed";

/// A table, a folder of shards, and processes that build and search them.
pub struct Indexed {
    /// One process that searches; [`Self::cold`] begins another.
    pub context: Context,
    /// One process that builds, whose calls to the table [`Self::faults`] decides about.
    pub builder: IndexBuilder,
    /// The clock of all of them.
    pub clock: Arc<ManualClock>,
    /// What goes wrong between the builder and the table.
    pub faults: Faults,
    database: Database,
    folder: TempDir,
    ids: Arc<IdSource>,
    written: AtomicU32,
}

impl Default for Indexed {
    fn default() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::memory().unwrap();
        let clock = Arc::new(ManualClock::new(start()));
        let ids = Arc::new(IdSource::seeded(clock.clone(), 1));
        let faults = Faults::default();
        let dynamodb = faults.under(
            in_process_http(database.clone()),
            "http://in-process.invalid",
        );
        let builder = IndexBuilder {
            store: Store::new(dynamodb, TABLE),
            blobs: blobs(&folder),
            clock: clock.clone(),
            ids: ids.clone(),
            metrics: Metrics::none(),
        };
        Self {
            context: context(&database, &folder, &clock, &ids, Matcher::default()),
            builder,
            clock,
            faults,
            database,
            folder,
            ids,
            written: AtomicU32::new(0),
        }
    }
}

impl Indexed {
    /// An empty table.
    pub async fn start() -> Self {
        let indexed = Self::default();
        let made = indexed.context.store.create_table_if_absent().await;
        made.unwrap();
        indexed
    }

    /// A process that has opened no shard yet and keeps at most so many bytes of them open.
    #[must_use]
    pub fn cold(&self, most_bytes: usize) -> Context {
        let matcher = Matcher::within(most_bytes);
        context(
            &self.database,
            &self.folder,
            &self.clock,
            &self.ids,
            matcher,
        )
    }

    /// Another process that builds, and that nothing goes wrong for.
    #[must_use]
    pub fn another_builder(&self) -> IndexBuilder {
        IndexBuilder {
            store: self.context.store.clone(),
            ..self.builder.clone()
        }
    }

    /// So many people to put into rows.
    #[must_use]
    pub fn people(&self, many: usize) -> Vec<WorkerId> {
        (0..many).map(|_| self.ids.fresh()).collect()
    }

    /// Makes the rows of the place's cell those of `present` and no others of `all`, in one commit with the row that
    /// has the shard rebuilt.
    ///
    /// No two calls write the same: a count of them stands in each row.
    pub async fn write_rows(&self, place: &Place, present: &BTreeSet<WorkerId>, all: &[WorkerId]) {
        let count = self.written.fetch_add(1, Ordering::Relaxed);
        self.write_rows_with(count, place, present, all).await;
    }

    /// The same, with `mark` in each row.
    pub async fn write_rows_with(
        &self,
        mark: u32,
        place: &Place,
        present: &BTreeSet<WorkerId>,
        all: &[WorkerId],
    ) {
        let cell = place.cell();
        let worker = *all.first().unwrap();
        let commit = Commit::of_derived(self.ids.fresh(), self.context.now(), Key::worker(worker));
        let commit = all.iter().fold(commit, |commit, worker| {
            if present.contains(worker) {
                let mut record = record(*worker, place);
                record.reliability.exposure = mark;
                return commit.derive(&CellRow { cell, record });
            }
            commit.derive_nothing_at(&Key::cell_row(cell, *worker))
        });
        let cells = vec![cell];
        let commit = commit.due(DueRow {
            due: Due::Reindex { worker, cells },
            at: self.context.now(),
            generation: 0,
        });
        self.context.store.commit(commit).await.unwrap();
    }

    /// The pointer of a cell.
    pub async fn pointer(&self, cell: Cell) -> Versioned<ShardPointer> {
        let pointer = self.context.store.get(&Key::shard_pointer(cell)).await;
        pointer.unwrap().unwrap()
    }

    /// The file of the object that a pointer names.
    #[must_use]
    pub fn object(&self, pointer: &ShardPointer) -> PathBuf {
        self.folder.path().join("blobs").join(&pointer.blob)
    }

    /// The names of all objects of shards.
    pub async fn objects(&self) -> BTreeSet<String> {
        let listed = self.context.blobs.list("shards/", None).await.unwrap();
        listed
            .iter()
            .map(|name: &BlobName| name.to_string())
            .collect()
    }

    /// The rows of the index builder that are due now.
    pub async fn due(&self) -> Vec<DueKey> {
        let due = self.context.store.due_by(self.context.now(), 100).await;
        let mut due = due.unwrap();
        due.retain(|key| consumer_of(key) == Some(Consumer::IndexBuilder));
        due
    }

    /// Deals with everything that is due now, and with what falls due by that.
    pub async fn settle(&self) {
        loop {
            let due = self.due().await;
            if due.is_empty() {
                return;
            }
            for (key, outcome) in self.another_builder().consume(&due).await {
                assert!(matches!(outcome, Outcome::Done(_)), "{key}: {outcome:?}");
            }
        }
    }

    /// Lets so much time pass that whatever is superseded or abandoned is removed.
    pub async fn outlast_grace(&self) {
        self.clock
            .advance(index_builder::GRACE + TimeDelta::hours(1));
        self.settle().await;
    }
}

/// What a client at `place` would be listed now.
///
/// # Errors
/// When there is no shard to ask.
pub async fn listed(context: &Context, place: &Place) -> Result<CandidateList, MatcherError> {
    let mut asked = modest_request();
    asked["place"] = json!(place);
    listed_for(context, asked).await
}

/// What a client who asks so would be listed now.
///
/// # Errors
/// When there is no shard to ask.
pub async fn listed_for(context: &Context, asked: Value) -> Result<CandidateList, MatcherError> {
    let submission = Submission {
        id: context.fresh(),
        client: context.fresh(),
        by: context.fresh(),
        on_behalf_of: None,
        details: serde_json::from_value(asked).unwrap(),
    };
    let policy = Policy::default();
    let request = MatchRequest::submit(submission, &policy, context.now()).unwrap();
    functions::candidate_list::compute(context, &request, &policy).await
}

/// The rows that are due some time, the next one first, but for those that remove superseded shards: these wait for a
/// day whatever else happens, and have tests of their own.
pub async fn due_sometime(store: &Store) -> Vec<DueKey> {
    let some_time = "9999-12-31T00:00:00Z".parse().unwrap();
    let mut due = store.due_by(some_time, 2_000).await.unwrap();
    due.retain(|key| !key.sk.starts_with("DUE#remove-shard#"));
    due
}

/// Who is on a list.
#[must_use]
pub fn workers_on(list: &CandidateList) -> BTreeSet<WorkerId> {
    list.candidates
        .iter()
        .map(|candidate| candidate.worker)
        .collect()
}

/// [`carlton`], as the domain has it.
#[must_use]
pub fn melbourne() -> Place {
    serde_json::from_value(carlton()).unwrap()
}

/// A place in another cell, out of everybody's reach.
#[must_use]
pub fn sydney() -> Place {
    Place {
        latitude: -33.87,
        longitude: 151.21,
        ..melbourne()
    }
}

/// What the index holds of somebody, everybody saying the same of themselves but for where they live.
fn record(worker: WorkerId, place: &Place) -> IndexRecord {
    let person = PersonId::from_uuid(worker.uuid());
    let mut worker = active_worker(worker, person);
    let area = worker.profile.service_area.as_mut().unwrap();
    area.base = place.clone();
    IndexRecord::of(&worker).unwrap()
}

fn blobs(folder: &TempDir) -> Arc<dyn Blobs> {
    Arc::new(FolderBlobs::open_beside_others(folder.path().join("blobs")).unwrap())
}

fn context(
    database: &Database,
    folder: &TempDir,
    clock: &Arc<ManualClock>,
    ids: &Arc<IdSource>,
    matcher: Matcher,
) -> Context {
    let mail = FolderMail::open(folder.path().join("mail"), "rapport@localhost.invalid");
    Context {
        store: Store::new(in_process(database.clone()), TABLE),
        clock: clock.clone(),
        ids: ids.clone(),
        key: DeploymentKey::from_bytes(&[7; 32]),
        token_rules: TokenRules {
            issuer: "https://issuer.indexed.invalid".to_owned(),
            audience: "rapport".to_owned(),
            scope: "rapport".to_owned(),
        },
        mail: Arc::new(mail.unwrap()),
        blobs: blobs(folder),
        matcher,
        metrics: Metrics::none(),
        deployment: Deployment {
            organisation: "Indexed".to_owned(),
            app_url: "https://app.indexed.invalid".to_owned(),
            emergency: "Ring 000.".to_owned(),
            first_administrator: None,
        },
    }
}
