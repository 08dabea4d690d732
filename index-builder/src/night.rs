//! The nightly rebuild: facts that nobody edits are brought into the records, and every shard is rebuilt.
//!
//! However many people there are, each step fits into one call of a function. The steps are due rows:
//!
//! ```text
//! Count ─ Count ─ … ─ SpreadWorkers ─ SpreadWorkers ─ …    one after the other
//!                       ├ Refresh ┐      ├ Refresh ┐       side by side
//!                       └ Refresh ┴──────┴ Refresh ┴ SpreadCells ─ …
//!                                                      ├ Rebuild ┐
//!                                                      └ Rebuild ┴ completed
//! ```
//!
//! INVARIANT: a step ends in one commit that deletes its row, counts it off the night and writes the steps that follow;
//! what it did before can be done twice. So a step that is delivered twice, or ends half-way, counts once; whoever is
//! the last of those side by side, and nobody else, writes what comes after them.

use chrono::{DateTime, Utc};
use domain::due::{Due, DueRow, NightStep};
use domain::id::{CommitId, WorkerId};
use domain::place::Cell;
use domain::support_worker::{SupportWorker, WorkerState};
use domain::vocabulary::Vocabulary;
use platform::blobs::BlobName;
use store::{Commit, Key, Night, PendingDue, ShardPointer, StaffPartition, Versioned};

use crate::build::{BuildError, IndexBuilder};
use crate::refresh::{Refreshed, Shards, refresh_one};
use crate::tally::{Place, Tally};

/// Where what was counted lies among the blobs.
const FOLDER: &str = "tallies";
/// Pages of 100 that one step counts.
const PAGES: usize = 200;
/// Entries of a list that one step reads ahead of those who deal with them.
const SPREAD: u16 = 100;
/// Pages that it reads, so that its commit stays below 25 writes.
const SPREAD_PAGES: usize = 10;
/// Support workers of one step.
const WORKERS: usize = 50;
/// Shards of one step.
const CELLS: usize = 5;
/// How often a step is counted off a night that others change at the same time.
const MOST_ROUNDS: usize = 64;

/// What one step came to, before it is written down.
#[derive(Debug, Default)]
struct Came {
    /// Steps that stand side by side.
    beside: Vec<NightStep>,
    /// The one step that follows.
    next: Option<NightStep>,
    refreshed: Refreshed,
    shards: u64,
    /// The blob with what was counted, once that is all of it.
    tally: Option<String>,
}

impl IndexBuilder {
    /// Begins the night of `at`; nothing where it has begun already.
    ///
    /// A night before it that has not come to its end is given up: this one does all that it would have done.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn begin_night(&self, at: DateTime<Utc>) -> Result<(), BuildError> {
        let was = self.store.get::<Night>(&Key::night()).await?;
        let last = was.as_ref().map(|was| &was.value);
        if last.is_some_and(|last| at <= last.begun_at) {
            return Ok(());
        }
        let count = NightStep::Count {
            list: 0,
            cursor: None,
            tally: None,
        };
        let mut next = Night::after(last, at);
        let commit = Commit::of_derived(self.ids.fresh(), self.clock.now(), Key::night());
        let commit = self.write(commit, &mut next, vec![count]);
        let commit = match &was {
            Some(was) => commit.replace(was, &next),
            None => commit.insert(&next),
        };
        // Where it does not stand, somebody else has begun it.
        if self.stands(commit).await? {
            let left_over = last.and_then(|last| last.tally.as_deref());
            self.forget(left_over).await;
        }
        Ok(())
    }

    /// When the night began that is under way or was the last one; none before the first.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn last_night(&self) -> Result<Option<DateTime<Utc>>, BuildError> {
        let night = self.store.get::<Night>(&Key::night()).await?;
        Ok(night.map(|night| night.value.begun_at))
    }

    /// Does one step of a night.
    ///
    /// # Errors
    /// See [`BuildError`]; the row is still there then.
    pub(crate) async fn step(
        &self,
        pending: &PendingDue,
        number: u32,
        step: &NightStep,
    ) -> Result<(), BuildError> {
        let Some(night) = self.night(number).await? else {
            return Ok(self.store.forget_due(pending).await?);
        };
        let came = self.work(&night.value, step).await?;
        for _ in 0..MOST_ROUNDS {
            let Some(was) = self.night(number).await? else {
                return Ok(self.store.forget_due(pending).await?);
            };
            if self.store.pending_due(&pending.key).await?.is_none() {
                return Ok(());
            }
            let commit = Commit::of_effect(self.ids.fresh(), self.clock.now(), pending);
            let (mut next, steps) = counted_off(&was.value, step, &came, self.clock.now());
            let commit = self.write(commit, &mut next, steps).replace(&was, &next);
            if self.stands(commit).await? {
                if let NightStep::Count { tally, .. } = step {
                    self.forget(tally.as_deref()).await;
                }
                if next.completed_at.is_some() {
                    tracing::info!(
                        night = next.number,
                        looked_at = next.looked_at,
                        changed = next.changed,
                        shards = next.shards,
                        "the nightly rebuild has come to its end"
                    );
                    self.forget(next.tally.as_deref()).await;
                }
                return Ok(());
            }
        }
        Err(BuildError::NightBusy(number))
    }

    /// The night, if it is still the one that its rows are of.
    async fn night(&self, number: u32) -> Result<Option<Versioned<Night>>, BuildError> {
        let night = self.store.get::<Night>(&Key::night()).await?;
        Ok(night.filter(|night| night.value.number == number))
    }

    /// Adds rows for `steps` to a commit, numbered on by the night.
    fn write(&self, commit: Commit, night: &mut Night, steps: Vec<NightStep>) -> Commit {
        let at = self.clock.now();
        steps.into_iter().fold(commit, |commit, step| {
            night.rows = night.rows.saturating_add(1);
            let due = Due::Night {
                night: night.number,
                row: night.rows,
                step,
            };
            commit.due(DueRow {
                due,
                at,
                generation: 0,
            })
        })
    }

    /// What a step is about, without writing down that it is done.
    async fn work(&self, night: &Night, step: &NightStep) -> Result<Came, BuildError> {
        match step {
            NightStep::Count {
                list,
                cursor,
                tally,
            } => {
                let from = Place {
                    list: *list,
                    cursor: cursor.clone(),
                };
                self.count(night, from, tally.as_deref()).await
            }
            NightStep::SpreadWorkers { cursor } => self.spread_workers(cursor.clone()).await,
            NightStep::Refresh { workers } => self.refresh_some(night, workers).await,
            NightStep::SpreadCells { cursor } => self.spread_cells(cursor.clone()).await,
            NightStep::Rebuild { cells } => self.rebuild_some(cells).await,
        }
    }

    async fn count(
        &self,
        night: &Night,
        from: Place,
        before: Option<&str>,
    ) -> Result<Came, BuildError> {
        let mut tally = match before {
            Some(blob) => self.tally(night, blob).await?,
            None => Tally::default(),
        };
        let place = tally.count(self, night.begun_at, from, PAGES).await?;
        let bytes = serde_json::to_vec(&tally).map_err(|_| BuildError::Tally(night.number))?;
        // A name of its own: the same step done twice must not take the other's away.
        let mark: CommitId = self.ids.fresh();
        let blob = BlobName::for_marked_contents(FOLDER, &mark.to_string(), &bytes)?;
        self.blobs.put(&blob, bytes).await?;
        let blob = blob.as_str().to_owned();
        Ok(match place {
            Some(Place { list, cursor }) => Came {
                next: Some(NightStep::Count {
                    list,
                    cursor,
                    tally: Some(blob),
                }),
                ..Came::default()
            },
            None => Came {
                next: Some(NightStep::SpreadWorkers { cursor: None }),
                tally: Some(blob),
                ..Came::default()
            },
        })
    }

    async fn tally(&self, night: &Night, blob: &str) -> Result<Tally, BuildError> {
        let lost = || BuildError::Tally(night.number);
        let name: BlobName = blob.parse().map_err(|_| lost())?;
        let bytes = self.blobs.get(&name).await?.ok_or_else(lost)?;
        if !name.matches(&bytes) {
            return Err(lost());
        }
        serde_json::from_slice(&bytes).map_err(|_| lost())
    }

    async fn spread_workers(&self, mut cursor: Option<String>) -> Result<Came, BuildError> {
        let active = StaffPartition::Workers(WorkerState::Active.code());
        let mut workers: Vec<WorkerId> = Vec::new();
        for _ in 0..SPREAD_PAGES {
            let page = self
                .store
                .staff_list::<SupportWorker>(active, false, SPREAD, cursor.as_deref())
                .await?;
            workers.extend(page.items.iter().map(|worker| worker.value.id));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let beside = workers.chunks(WORKERS).map(|workers| NightStep::Refresh {
            workers: workers.to_vec(),
        });
        Ok(Came {
            beside: beside.collect(),
            next: cursor.map(|cursor| NightStep::SpreadWorkers {
                cursor: Some(cursor),
            }),
            ..Came::default()
        })
    }

    async fn refresh_some(&self, night: &Night, workers: &[WorkerId]) -> Result<Came, BuildError> {
        let counted = night.tally.as_deref();
        let counted = counted.ok_or(BuildError::Tally(night.number))?;
        let tally = self.tally(night, counted).await?;
        let policy = self.store.policy().await?;
        let keys: Vec<Key> = workers.iter().map(|worker| Key::worker(*worker)).collect();
        let mut refreshed = Refreshed::default();
        for worker in self.store.get_many::<SupportWorker>(&keys).await? {
            if worker.value.state != WorkerState::Active {
                continue;
            }
            refreshed.looked_at = refreshed.looked_at.saturating_add(1);
            // INVARIANT: the shards of this night are rebuilt after the last of its records was brought up to date.
            if refresh_one(self, worker, &tally, &policy, Shards::Afterwards).await? {
                refreshed.changed = refreshed.changed.saturating_add(1);
            }
        }
        Ok(Came {
            refreshed,
            ..Came::default()
        })
    }

    async fn spread_cells(&self, cursor: Option<String>) -> Result<Came, BuildError> {
        let page = self
            .store
            .staff_list::<ShardPointer>(StaffPartition::Shards, false, SPREAD, cursor.as_deref())
            .await?;
        let cells: Vec<Cell> = page.items.iter().map(|shard| shard.value.cell).collect();
        let beside = cells.chunks(CELLS).map(|cells| NightStep::Rebuild {
            cells: cells.to_vec(),
        });
        Ok(Came {
            beside: beside.collect(),
            next: page.next.map(|cursor| NightStep::SpreadCells {
                cursor: Some(cursor),
            }),
            ..Came::default()
        })
    }

    async fn rebuild_some(&self, cells: &[Cell]) -> Result<Came, BuildError> {
        for cell in cells {
            self.rebuild(*cell).await?;
        }
        Ok(Came {
            shards: u64::try_from(cells.len()).unwrap_or(u64::MAX),
            ..Came::default()
        })
    }

    /// Removes what was counted and is of no more use. What stays when this fails harms nobody.
    async fn forget(&self, tally: Option<&str>) {
        let Some(Ok(name)) = tally.map(str::parse::<BlobName>) else {
            return;
        };
        if let Err(error) = self.blobs.delete(&name).await {
            tracing::warn!(%error, "what a night has counted was not removed");
        }
    }
}

/// The night after `step`, and the steps that follow.
fn counted_off(
    was: &Night,
    step: &NightStep,
    came: &Came,
    now: DateTime<Utc>,
) -> (Night, Vec<NightStep>) {
    let mut next = was.clone();
    next.looked_at = next.looked_at.saturating_add(came.refreshed.looked_at);
    next.changed = next.changed.saturating_add(came.refreshed.changed);
    next.shards = next.shards.saturating_add(came.shards);
    match step {
        NightStep::Count { .. } => next.tally.clone_from(&came.tally),
        NightStep::SpreadWorkers { .. } | NightStep::SpreadCells { .. } => {
            let more = u32::try_from(came.beside.len()).unwrap_or(u32::MAX);
            next.left = next.left.saturating_add(more);
            next.all_written = came.next.is_none();
        }
        NightStep::Refresh { .. } | NightStep::Rebuild { .. } => {
            next.left = next.left.saturating_sub(1);
        }
    }
    let mut steps = came.beside.clone();
    steps.extend(came.next.clone());
    if next.all_written && next.left == 0 {
        match step {
            NightStep::Count { .. }
            | NightStep::SpreadWorkers { .. }
            | NightStep::Refresh { .. } => {
                next.all_written = false;
                steps.push(NightStep::SpreadCells { cursor: None });
            }
            NightStep::SpreadCells { .. } | NightStep::Rebuild { .. } => {
                next.completed_at = Some(now);
                next.as_of = next.begun_at;
            }
        }
    }
    (next, steps)
}
