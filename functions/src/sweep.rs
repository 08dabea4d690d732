//! Due rows that were not dealt with in time: put off a little longer each time, and parked in the end.
//!
//! On AWS the sweeper puts off what is late and sends it on again; locally the ticker puts off what it
//! could not deliver. A row is never lost: it stays in the table until its effect's commit deletes it.

use std::collections::BTreeSet;
use std::fmt::Display;

use chrono::{DateTime, TimeDelta, Utc};
use platform::clock::Clock;
use platform::dispatch::{Dispatch, DueKey as Sent};
use platform::metrics::{Metric, Metrics};
use store::{DueKey, Key, Night, Postponed, Store, StoreError, consumer_of};

/// So long its queue or schedule has for a row before the sweeper takes it.
const LATE: TimeDelta = TimeDelta::minutes(2);
/// Rows taken from each bucket of the index at a time.
const BATCH: u16 = 25;

/// What became of a row that was to be put off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutOff {
    /// It was late by so much, and will be tried again later.
    Later(TimeDelta),
    /// It was late by so much, has been tried too often, and waits for staff.
    Parked(TimeDelta),
    /// It is gone, or somebody else has put it off.
    Elsewhere,
    /// It cannot be read, and stays as it is.
    Stuck,
}

/// Puts a row off that was to be tried by `due_by`, for what `why` says; `code` is the stable word for it, where it is
/// known.
///
/// # Errors
/// When the table does not answer.
pub async fn put_off(
    store: &Store,
    key: &DueKey,
    due_by: DateTime<Utc>,
    now: DateTime<Utc>,
    code: Option<&'static str>,
    why: &(dyn Display + Sync),
) -> Result<PutOff, StoreError> {
    let pending = match store.pending_due(key).await {
        Ok(pending) => pending,
        Err(unreadable @ (StoreError::Unreadable { .. } | StoreError::Newer { .. })) => {
            tracing::error!(%key, %unreadable, "ALARM: a due row cannot be read");
            return Ok(PutOff::Stuck);
        }
        Err(error) => return Err(error),
    };
    // The index that rows are found by can be behind the table.
    let Some(pending) = pending.filter(|pending| pending.next_try <= due_by) else {
        return Ok(PutOff::Elsewhere);
    };
    let late = now - pending.row.at;
    match store.postpone(&pending, now, code).await? {
        Postponed::Until(until) => {
            tracing::warn!(%key, %until, %why, "a due row is postponed");
            Ok(PutOff::Later(late))
        }
        Postponed::Parked => {
            let failed = pending.failed.as_deref();
            tracing::error!(%key, %why, failed, "ALARM: a due row is parked");
            Ok(PutOff::Parked(late))
        }
        Postponed::Elsewhere => Ok(PutOff::Elsewhere),
    }
}

/// What one sweep came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Rows that were sent on.
    pub sent: usize,
    /// Rows that could not be: they have been put off, and the next sweep takes them.
    pub unsent: usize,
    /// Rows that now wait for staff.
    pub parked: usize,
    /// Rows that cannot be read.
    pub stuck: usize,
    /// Rows that were late, whatever became of them.
    pub late: usize,
    /// How late the latest of them was, in seconds.
    pub latest: u64,
}

/// Puts off every row that is late and sends it on, until none is left or `until` has come.
///
/// A row is put off first: of two sweeps at the same time one sends it. What was found is measured, even where the sweep
/// ends early.
///
/// # Errors
/// When the table does not answer.
pub async fn sweep(
    store: &Store,
    dispatch: &dyn Dispatch,
    metrics: &Metrics,
    clock: &dyn Clock,
    until: DateTime<Utc>,
) -> Result<Swept, StoreError> {
    let mut swept = Swept::default();
    let ended = sweep_into(&mut swept, store, dispatch, clock, until).await;
    let counted = |count| u64::try_from(count).unwrap_or(u64::MAX);
    metrics.record(Metric::Overdue, counted(swept.late));
    metrics.record(Metric::OverdueAge, swept.latest);
    metrics.record(Metric::Parked, counted(swept.parked));
    ended.map(|()| swept)
}

/// Measures how old the facts are that the nightly rebuild brings into the index; nothing before the first night.
///
/// # Errors
/// When the table does not answer.
pub async fn measure_index(
    store: &Store,
    metrics: &Metrics,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    if let Some(night) = store.get::<Night>(&Key::night()).await? {
        let age = (now - night.value.as_of).num_seconds();
        metrics.record(Metric::IndexAge, u64::try_from(age).unwrap_or_default());
    }
    Ok(())
}

async fn sweep_into(
    swept: &mut Swept,
    store: &Store,
    dispatch: &dyn Dispatch,
    clock: &dyn Clock,
    until: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut seen = BTreeSet::new();
    while clock.now() < until {
        let now = clock.now();
        let late = now - LATE;
        let mut due = store.due_by(late, BATCH).await?;
        due.retain(|key| seen.insert(key.clone()));
        if due.is_empty() {
            break;
        }
        let mut rows = Vec::with_capacity(due.len());
        for key in due {
            let why = "nobody dealt with it in time";
            match put_off(store, &key, late, now, None, &why).await? {
                PutOff::Later(late) => {
                    swept.found_late(late);
                    rows.extend(to_be_sent(key, now));
                }
                PutOff::Parked(late) => {
                    swept.found_late(late);
                    swept.parked += 1;
                }
                PutOff::Stuck => swept.stuck += 1,
                PutOff::Elsewhere => {}
            }
        }
        let unsent = send(dispatch, &rows).await;
        swept.unsent += unsent;
        swept.sent += rows.len().saturating_sub(unsent);
    }
    Ok(())
}

impl Swept {
    fn found_late(&mut self, late: TimeDelta) {
        self.late += 1;
        let late = u64::try_from(late.num_seconds()).unwrap_or_default();
        self.latest = self.latest.max(late);
    }
}

fn to_be_sent(key: DueKey, now: DateTime<Utc>) -> Option<Sent> {
    let Some(consumer) = consumer_of(&key) else {
        tracing::error!(%key, "ALARM: a due row is nobody's");
        return None;
    };
    Some(Sent {
        pk: key.pk,
        sk: key.sk,
        kind: consumer.kind().to_owned(),
        at: now,
    })
}

/// Sends rows on; gives how many could not be.
async fn send(dispatch: &dyn Dispatch, rows: &[Sent]) -> usize {
    let Err(error) = dispatch.dispatch(rows).await else {
        return 0;
    };
    for lost in &error.0 {
        tracing::warn!(
            pk = lost.row.pk,
            sk = lost.row.sk,
            why = lost.reason,
            "a due row was not sent on"
        );
    }
    error.0.len()
}
