//! The sample community: the people, plans and partners that a new table starts with.
//!
//! They come from `samples/`, built into the program, and go through the domain's own operations, so
//! that a sample support worker is active for the reasons any other is. Each is one commit. Their ids
//! are made from their names in the samples: seeding that was interrupted goes on where it stopped,
//! and what stands already is left alone.

mod people;
mod sample;
mod worker;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::due::{Due, DueRow};
use domain::id::{Id, Kind, WorkerId};
use domain::place::Cell;
use domain::policy::Policy;
use functions::context::Context;
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::{Actor, Commit, CommitError, Entity, Key, Store, StoreError};
use uuid::Builder;

pub use sample::{ReadSamplesError, SampleMatchRequest, Samples};

/// Somebody to try the service as.
#[derive(Debug, Clone, Copy)]
pub struct Introduced {
    /// The subject to ask the local issuer for a token of.
    pub subject: &'static str,
    /// Who that is.
    pub who: &'static str,
}

/// Whom to try the service as: one of each role. A test finds every one of them in the samples.
pub const INTRODUCED: [Introduced; 7] = [
    introduced("sample-administrator", "an administrator"),
    introduced("sample-coordinator", "a coordinator"),
    introduced("sample-supervisor", "a supervisor"),
    introduced("sample-mediator", "a mediator"),
    introduced("sample-client-01", "a client"),
    introduced("sample-representative-11", "a guardian of a client"),
    introduced("sample-worker-001", "a support worker"),
];

const fn introduced(subject: &'static str, who: &'static str) -> Introduced {
    Introduced { subject, who }
}

/// The time that every sample id carries: 2026-01-01, midnight UTC, in milliseconds.
const IDS_MADE_AT: u64 = 1_767_225_600_000;
const MARK: &str = "community";

/// Why the sample community is not there.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The samples cannot be read: a defect of this build.
    #[error(transparent)]
    Samples(#[from] ReadSamplesError),
    /// The rules of the service refuse a sample: a defect of this build.
    #[error("the sample {subject} is refused: {detail}")]
    Refused {
        /// Which sample.
        subject: String,
        /// Why.
        detail: String,
    },
    /// The table does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SeedError {
    fn refused(subject: &str, why: impl std::fmt::Debug) -> Self {
        Self::Refused {
            subject: subject.to_owned(),
            detail: format!("{why:?}"),
        }
    }
}

/// Written last: the whole community stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Seeded {
    at: DateTime<Utc>,
}

impl Entity for Seeded {
    fn key(&self) -> Key {
        Key::system(MARK)
    }
}

/// Puts the sample community into the table, unless it stands there. Shows its progress on a terminal.
///
/// `table` is the context's own table; nobody else is served yet, so it can be reached without a socket.
///
/// # Errors
/// See [`SeedError`]. What stands by then stays, and the next call goes on from there.
pub async fn seed(context: &Context, table: &Store) -> Result<(), SeedError> {
    if table.get::<Seeded>(&Key::system(MARK)).await?.is_some() {
        return Ok(());
    }
    let commits = Seeding::new(context)?.commits()?;
    let progress = progress(commits.len());
    for commit in commits {
        match table.commit(commit).await {
            // A conflict: it stands from a start that was interrupted.
            Ok(())
            | Err(CommitError::Conflict(_) | CommitError::Replayed | CommitError::AlreadyDone) => {}
            Err(CommitError::LimitReached(key)) => {
                return Err(SeedError::refused(&key.to_string(), "a limit is reached"));
            }
            Err(CommitError::Store(error)) => return Err(error.into()),
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(())
}

fn progress(steps: usize) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(steps).unwrap_or(0));
    // The template is checked by a test; without it the bar is only plainer.
    match ProgressStyle::with_template(TEMPLATE) {
        Ok(style) => bar
            .with_style(style)
            .with_message("Making the sample community"),
        Err(_) => bar,
    }
}

const TEMPLATE: &str = "{msg} {bar:30} {pos}/{len} · {per_sec} · {eta} left";

/// What the commits are made from.
struct Seeding<'a> {
    context: &'a Context,
    samples: Samples,
    policy: Policy,
    now: DateTime<Utc>,
}

impl<'a> Seeding<'a> {
    fn new(context: &'a Context) -> Result<Self, SeedError> {
        Ok(Self {
            context,
            samples: Samples::read()?,
            policy: Policy::default(),
            now: context.now(),
        })
    }

    /// Every commit, the mark's last.
    fn commits(&self) -> Result<Vec<Commit>, SeedError> {
        let mut commits = self.organisation()?;
        for client in &self.samples.clients {
            commits.extend(self.client(client)?);
        }
        let mut cells = BTreeSet::new();
        for worker in &self.samples.workers {
            let (commit, touched) = self.worker(worker)?;
            commits.push(commit);
            cells.extend(touched);
        }
        commits.push(self.finish(cells));
        Ok(commits)
    }

    /// The mark, and one row for all shards: three hundred rows would build each of them many times.
    fn finish(&self, cells: BTreeSet<Cell>) -> Commit {
        let worker: WorkerId = sample_id(MARK);
        let reindex = DueRow {
            due: Due::Reindex {
                worker,
                cells: cells.into_iter().collect(),
            },
            at: self.now,
            generation: 0,
        };
        self.commit(&Key::system(MARK))
            .insert(&Seeded { at: self.now })
            // Where the index builder looks for rows, and nowhere else may.
            .due_of(&Key::worker(worker), reindex)
    }

    fn commit(&self, aggregate: &Key) -> Commit {
        let audit = self
            .context
            .audit(Actor::Service, "seed_community", aggregate);
        Commit::new(audit)
    }
}

/// The id that goes by `name` in the samples: the same one in every table.
#[must_use]
pub fn sample_id<K: Kind>(name: &str) -> Id<K> {
    let hash = Sha256::digest(format!("{}\n{name}", K::PREFIX));
    let random = hash.first_chunk::<10>().copied().unwrap_or_default();
    Id::from_uuid(Builder::from_unix_timestamp_millis(IDS_MADE_AT, &random).into_uuid())
}

#[cfg(test)]
mod tests;
