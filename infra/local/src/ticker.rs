//! The ticker: does what queues, schedules and the sweeper do on AWS, a few times a second.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use domain::due::Consumer;
use functions::consume::{Consumed, consume};
use functions::context::Shared;
use functions::sweep::{PutOff, put_off};
use index_builder::{IndexBuilder, Outcome};
use platform::clock::Clock;
use platform::dispatch::WakeTicker;
use store::{DueKey, StoreError, consumer_of};
use tokio::sync::Mutex;

use crate::clock::{DevClock, DevClockError};
use crate::instruments::Bench;

/// When the nightly rebuild begins, after midnight UTC.
const NIGHT: TimeDelta = TimeDelta::minutes(2 * 60 + 15);
const EVERY: Duration = Duration::from_millis(500);
/// Rows taken from each bucket of the index at a time.
const BATCH: u16 = 25;

/// What became of one row in one turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delivered {
    /// It is gone, parked or to be tried later.
    Moved,
    /// It stays as it is: to be left alone for the rest of the turn.
    Left,
}

/// Delivers due rows to their consumers.
pub struct Ticker {
    context: Shared,
    clock: Arc<DevClock>,
    wake: WakeTicker,
    index: IndexBuilder,
    bench: Bench,
    /// When the last night began, once that is known.
    night: Mutex<Option<DateTime<Utc>>>,
    /// One delivery at a time: moving the clock steps through instants in order.
    turn: Mutex<()>,
}

/// Why the clock was not advanced all the way.
#[derive(Debug, thiserror::Error)]
pub enum AdvanceError {
    /// The table does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The clock cannot be moved.
    #[error(transparent)]
    Clock(#[from] DevClockError),
}

impl Ticker {
    /// A ticker over `context`, whose clock is `clock`.
    #[must_use]
    pub fn new(context: Shared, clock: Arc<DevClock>, index: IndexBuilder, bench: Bench) -> Self {
        let (wake, turn, night) = Default::default();
        Self {
            context,
            clock,
            wake,
            index,
            bench,
            night,
            turn,
        }
    }

    /// Looks for due rows now rather than at the next tick.
    pub fn wake(&self) {
        self.wake.wake();
    }

    /// Ticks until dropped.
    pub async fn run(&self) {
        loop {
            if let Err(error) = self.settle().await {
                tracing::warn!(%error, "due rows could not be read");
            }
            // Whichever comes first.
            drop(tokio::time::timeout(EVERY, self.wake.woken()).await);
        }
    }

    /// Delivers until nothing is due that anything can be done about; gives how many rows were delivered.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn settle(&self) -> Result<usize, StoreError> {
        let _turn = self.turn.lock().await;
        self.deliver_all().await
    }

    /// Moves the clock to `to`, stopping at each instant at which something falls due on the way.
    ///
    /// # Errors
    /// See [`AdvanceError`].
    pub async fn advance_to(&self, to: DateTime<Utc>) -> Result<DateTime<Utc>, AdvanceError> {
        let _turn = self.turn.lock().await;
        self.deliver_all().await?;
        while let Some(next) = self.context.store.next_due().await? {
            if next > to {
                break;
            }
            if next > self.clock.now() {
                self.clock.advance_to(next)?;
            }
            if self.deliver_all().await? == 0 {
                // A row that nothing can be done about: it must not hold the clock up.
                break;
            }
        }
        if to > self.clock.now() {
            self.clock.advance_to(to)?;
        }
        self.deliver_all().await?;
        Ok(self.clock.now())
    }

    /// Begins the nightly rebuild once its hour has passed, as the clock of a deployment does. After a longer absence
    /// there is one night to be made up for; a new table waits for its first.
    async fn begin_night(&self) {
        let hour = last_hour(self.context.now());
        let mut night = self.night.lock().await;
        let begun = match *night {
            Some(begun) => Ok(begun),
            None => self
                .index
                .last_night()
                .await
                .map(|last| last.unwrap_or(hour)),
        };
        let began = match begun {
            Ok(begun) if begun < hour => self.index.begin_night(hour).await.map(|()| hour),
            other => other,
        };
        match began {
            Ok(begun) => *night = Some(begun),
            Err(error) => tracing::warn!(%error, "the nightly rebuild could not begin"),
        }
    }

    async fn deliver_all(&self) -> Result<usize, StoreError> {
        self.begin_night().await;
        let mut delivered: usize = 0;
        let mut left = BTreeSet::new();
        loop {
            let mut due = self.context.store.due_by(self.context.now(), BATCH).await?;
            due.retain(|key| !left.contains(key));
            if due.is_empty() {
                return Ok(delivered.saturating_sub(left.len()));
            }
            delivered = delivered.saturating_add(due.len());
            // Changed cells are built once for all the rows that name them.
            let (changes, others): (Vec<_>, Vec<_>) = due
                .into_iter()
                .partition(|key| consumer_of(key) == Some(Consumer::IndexBuilder));
            for key in others {
                if self.deliver_one(&key).await? == Delivered::Left {
                    left.insert(key);
                }
            }
            let build = self.index.consume(&changes);
            let built = match changes.first() {
                Some(first) => {
                    let operation = operation(first);
                    self.bench.during(operation, changes.len(), build).await
                }
                None => Vec::new(),
            };
            for (key, outcome) in built {
                let delivered = match outcome {
                    Outcome::Done(_) => Delivered::Moved,
                    Outcome::Early(_) => Delivered::Left,
                    Outcome::Failed(error) => self.postpone(&key, error.code(), &error).await?,
                };
                if delivered == Delivered::Left {
                    left.insert(key);
                }
            }
        }
    }

    /// A row that fails waits longer each time, and is parked in the end: it cannot hold up the others.
    async fn deliver_one(&self, key: &DueKey) -> Result<Delivered, StoreError> {
        let consumed = consume(&self.context, key);
        match self.bench.during(operation(key), 1, consumed).await {
            Ok(Consumed::Done) => Ok(Delivered::Moved),
            Ok(Consumed::Early(_)) => Ok(Delivered::Left),
            Err(error) => self.postpone(key, error.code(), &error).await,
        }
    }

    async fn postpone(
        &self,
        key: &DueKey,
        code: &'static str,
        error: &(dyn Display + Sync),
    ) -> Result<Delivered, StoreError> {
        let now = self.context.now();
        let put_off = put_off(&self.context.store, key, now, now, Some(code), error).await?;
        Ok(match put_off {
            PutOff::Stuck => Delivered::Left,
            PutOff::Later(_) | PutOff::Parked(_) | PutOff::Elsewhere => Delivered::Moved,
        })
    }
}

/// The consumer, and the kind of row, e.g. `expiry: offer-lapse`.
fn operation(key: &DueKey) -> String {
    let consumer = consumer_of(key).map_or("nobody", Consumer::kind);
    let kind = key.sk.split('#').nth(1).unwrap_or_default();
    format!("{consumer}: {kind}")
}

/// When the last nightly rebuild was to begin.
fn last_hour(now: DateTime<Utc>) -> DateTime<Utc> {
    let day = TimeDelta::days(1);
    let midnight = (now - NIGHT).duration_trunc(day).unwrap_or(now);
    midnight + NIGHT
}
