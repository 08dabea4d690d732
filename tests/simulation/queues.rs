//! The queues and schedules of a simulation: what they may do to a message, they do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use platform::BoxFuture;
use platform::clock::{Clock, ManualClock};
use platform::dispatch::{Dispatch, DispatchError, DueKey, Route, route, schedule_name};

/// How long a message is hidden while it is dealt with, and how often it is tried, as the deployment template has it.
const HIDDEN: TimeDelta = TimeDelta::seconds(180);
const MOST_RECEIVES: u32 = 5;

/// Every consumer's queue, their dead-letter queue, and the schedules before them.
#[derive(Clone)]
pub(crate) struct Queues {
    clock: Arc<ManualClock>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    received: u64,
    waiting: BTreeMap<u64, Message>,
    schedules: BTreeMap<String, (DateTime<Utc>, DueKey)>,
    dead: Vec<DueKey>,
    schedules_are_lost: bool,
}

struct Message {
    row: DueKey,
    seen_from: DateTime<Utc>,
    receives: u32,
}

/// A message as received: to be deleted by this number once it has been dealt with.
pub(crate) type Received = (u64, store::DueKey);

impl State {
    fn send(&mut self, row: DueKey, seen_from: DateTime<Utc>) {
        self.received += 1;
        let message = Message {
            row,
            seen_from,
            receives: 0,
        };
        self.waiting.insert(self.received, message);
    }
}

impl Queues {
    pub(crate) fn new(clock: Arc<ManualClock>) -> Self {
        Self {
            clock,
            state: Arc::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on no schedule fires.
    pub(crate) fn lose_schedules(&self) {
        let mut state = self.state();
        state.schedules_are_lost = true;
        state.schedules.clear();
    }

    /// Sends what schedules are due for.
    pub(crate) fn fire(&self) {
        let now = self.clock.now();
        let mut state = self.state();
        let fires = state.schedules.extract_if(.., |_, (at, _)| *at <= now);
        let fires: Vec<_> = fires.map(|(_, (_, row))| row).collect();
        for row in fires {
            state.send(row, now);
        }
    }

    /// What can be seen now and was not tried too often. It is hidden from others for a while.
    pub(crate) fn receive(&self) -> Vec<Received> {
        let now = self.clock.now();
        let mut state = self.state();
        let dead = state.waiting.extract_if(.., |_, message| {
            message.seen_from <= now && message.receives >= MOST_RECEIVES
        });
        let dead: Vec<_> = dead.map(|(_, message)| message.row).collect();
        state.dead.extend(dead);
        let visible = state.waiting.iter_mut();
        let visible = visible.filter(|(_, message)| message.seen_from <= now);
        visible
            .map(|(number, message)| {
                message.receives += 1;
                message.seen_from = now + HIDDEN;
                let (pk, sk) = (message.row.pk.clone(), message.row.sk.clone());
                (*number, store::DueKey { pk, sk })
            })
            .collect()
    }

    pub(crate) fn delete(&self, number: u64) {
        self.state().waiting.remove(&number);
    }

    /// When there is something to be done next.
    pub(crate) fn next(&self) -> Option<DateTime<Utc>> {
        let state = self.state();
        let seen = state.waiting.values().map(|message| message.seen_from);
        let fired = state.schedules.values().map(|(at, _)| *at);
        seen.chain(fired).min()
    }

    /// What was tried too often.
    pub(crate) fn dead(&self) -> Vec<DueKey> {
        self.state().dead.clone()
    }

    /// Sends back what was tried too often.
    pub(crate) fn redrive(&self) {
        let now = self.clock.now();
        let mut state = self.state();
        for row in std::mem::take(&mut state.dead) {
            state.send(row, now);
        }
    }
}

impl Dispatch for Queues {
    fn dispatch<'a>(&'a self, rows: &'a [DueKey]) -> BoxFuture<'a, Result<(), DispatchError>> {
        let now = self.clock.now();
        let mut state = self.state();
        for row in rows {
            match route(row.at, now) {
                Route::Queue { delay } => {
                    let seen_from = now + TimeDelta::seconds(delay.into());
                    state.send(row.clone(), seen_from);
                }
                Route::Schedule { .. } if state.schedules_are_lost => {}
                Route::Schedule { at } => {
                    let schedule = (at, row.clone());
                    state.schedules.insert(schedule_name(row), schedule);
                }
            }
        }
        Box::pin(std::future::ready(Ok(())))
    }
}
