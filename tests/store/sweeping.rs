//! The sweeper takes what is late, puts it off, and sends it on once.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use domain::due::{Due, DueRow};
use functions::sweep::{Swept, sweep};
use platform::BoxFuture;
use platform::clock::ManualClock;
use platform::dispatch::{Dispatch, DispatchError, DueKey as Sent, Undispatched};
use platform::metrics::{Metric, Metrics};
use rapport_tests::measured::Measured;
use rapport_tests::start;
use rapport_tests::tables::{Table, on_every_table};
use store::{DueKey, Key};

/// Remembers what it was given; takes nothing while it is shut.
#[derive(Default)]
struct Outbox {
    given: Mutex<Vec<Sent>>,
    shut: bool,
}

impl Dispatch for Outbox {
    fn dispatch<'a>(&'a self, rows: &'a [Sent]) -> BoxFuture<'a, Result<(), DispatchError>> {
        let answer = if self.shut && !rows.is_empty() {
            let lost = rows.iter().map(|row| Undispatched {
                row: row.clone(),
                passing: true,
                reason: "shut".to_owned(),
            });
            Err(DispatchError(lost.collect()))
        } else {
            self.given.lock().unwrap().extend_from_slice(rows);
            Ok(())
        };
        Box::pin(std::future::ready(answer))
    }
}

impl Outbox {
    fn sent(&self) -> Vec<Sent> {
        std::mem::take(&mut self.given.lock().unwrap())
    }
}

async fn deadline(table: &Table, at: DateTime<Utc>) -> DueKey {
    let id = table.ids.fresh();
    let aggregate = Key::match_request(id);
    let row = DueRow {
        due: Due::CandidateRelease { match_request: id },
        at,
        generation: 0,
    };
    let commit = table.commit(&aggregate).due(row);
    table.store.commit(commit).await.unwrap();
    Key {
        pk: aggregate.pk,
        sk: "DUE#candidate-release#0".to_owned(),
    }
}

async fn swept(table: &Table, outbox: &Outbox, now: DateTime<Utc>) -> Swept {
    let until = now + TimeDelta::minutes(1);
    let clock = ManualClock::new(now);
    let measured = Measured::default();
    let metrics = measured.to_metrics(Arc::new(ManualClock::new(now)));
    let swept = sweep(&table.store, outbox, &metrics, &clock, until).await;
    let swept = swept.unwrap();
    // Every sweep says what it found, nothing included: an alarm waits for that.
    let counted = |count: usize| vec![u64::try_from(count).unwrap()];
    assert_eq!(measured.values(Metric::Overdue), counted(swept.late));
    assert_eq!(measured.values(Metric::Parked), counted(swept.parked));
    assert_eq!(measured.values(Metric::OverdueAge), [swept.latest]);
    swept
}

#[tokio::test]
async fn a_late_row_is_sent_once_and_again_after_twice_the_wait() {
    on_every_table(async |table| {
        let outbox = Outbox::default();
        let key = deadline(&table, start()).await;
        deadline(&table, start() + TimeDelta::minutes(5)).await;
        let late = start() + TimeDelta::minutes(2);
        let early = late - TimeDelta::milliseconds(1);
        assert_eq!(swept(&table, &outbox, early).await, Swept::default());
        let one = |latest| Swept {
            sent: 1,
            late: 1,
            latest,
            ..Swept::default()
        };
        assert_eq!(swept(&table, &outbox, late).await, one(120));
        let sent = Sent {
            pk: key.pk.clone(),
            sk: key.sk.clone(),
            kind: "candidate-release".to_owned(),
            at: late,
        };
        assert_eq!(outbox.sent(), [sent]);
        // Put off by 30 s, and two minutes late again after that.
        let again = late + TimeDelta::seconds(30) + TimeDelta::minutes(2);
        let early = again - TimeDelta::milliseconds(1);
        assert_eq!(swept(&table, &outbox, early).await, Swept::default());
        assert_eq!(swept(&table, &outbox, again).await, one(270));
        let pending = table.store.pending_due(&key).await.unwrap().unwrap();
        assert_eq!(pending.tries, 2);
        assert_eq!(pending.next_try - again, TimeDelta::minutes(1));
    })
    .await;
}

#[tokio::test]
async fn of_two_sweeps_at_the_same_time_one_sends_a_row() {
    on_every_table(async |table| {
        for _ in 0..60 {
            deadline(&table, start()).await;
        }
        let (one, other) = (Outbox::default(), Outbox::default());
        let now = start() + TimeDelta::minutes(3);
        let both = tokio::join!(swept(&table, &one, now), swept(&table, &other, now));
        assert_eq!(both.0.sent + both.1.sent, 60);
        let mut rows = one.sent();
        rows.extend(other.sent());
        rows.sort_by(|one, other| one.pk.cmp(&other.pk));
        rows.dedup();
        assert_eq!(rows.len(), 60);
    })
    .await;
}

#[tokio::test]
async fn what_could_not_be_sent_is_sent_by_a_later_sweep() {
    on_every_table(async |table| {
        deadline(&table, start()).await;
        let mut outbox = Outbox {
            shut: true,
            ..Outbox::default()
        };
        let now = start() + TimeDelta::minutes(2);
        assert_eq!(swept(&table, &outbox, now).await.unsent, 1);
        outbox.shut = false;
        let later = now + TimeDelta::minutes(5);
        assert_eq!(swept(&table, &outbox, later).await.sent, 1);
        assert_eq!(outbox.sent().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_row_that_never_goes_away_is_parked_and_sent_no_more() {
    on_every_table(async |table| {
        let key = deadline(&table, start()).await;
        let outbox = Outbox::default();
        let mut now = start();
        let mut sent = 0;
        let parked = loop {
            now += TimeDelta::days(2);
            let swept = swept(&table, &outbox, now).await;
            sent += swept.sent;
            if swept.sent == 0 {
                break swept.parked;
            }
            assert!(sent < 100, "it is never parked");
        };
        assert_eq!((sent, parked), (57, 1));
        assert_eq!(outbox.sent().len(), 57);
        let parked = table.store.parked(10, None).await.unwrap().items;
        assert_eq!(parked.len(), 1);
        assert_eq!(parked[0].key, key);
        // Nobody who tried could say.
        assert_eq!(parked[0].failed, None);
        let later = now + TimeDelta::days(365);
        assert_eq!(swept(&table, &outbox, later).await, Swept::default());
    })
    .await;
}

#[tokio::test]
async fn a_sweep_whose_time_is_up_takes_nothing() {
    on_every_table(async |table| {
        deadline(&table, start()).await;
        let now = start() + TimeDelta::minutes(3);
        let (outbox, clock) = (Outbox::default(), ManualClock::new(now));
        let swept = sweep(&table.store, &outbox, &Metrics::none(), &clock, now)
            .await
            .unwrap();
        assert_eq!(swept, Swept::default());
        assert!(outbox.sent().is_empty());
    })
    .await;
}
