//! Due rows: found when due, postponed ever longer, parked in the end, and finished once.

use chrono::{DateTime, TimeDelta, Utc};
use rapport_tests::faults::Fault;
use rapport_tests::start;
use rapport_tests::tables::{Table, on_every_table};
use store::{Commit, CommitError, DueKey, Key, PendingDue, Postponed};

use crate::things::{activated, notice, release};

/// A deadline some seconds after the beginning, and the key of its row.
async fn deadline(table: &Table, seconds: i64) -> DueKey {
    let id = table.ids.fresh();
    let aggregate = Key::match_request(id);
    let commit = table.commit(&aggregate).due(release(id, seconds));
    table.store.commit(commit).await.unwrap();
    let due = table
        .store
        .due_by(start() + TimeDelta::days(365), 100)
        .await
        .unwrap();
    due.into_iter().find(|key| key.pk == aggregate.pk).unwrap()
}

async fn pending(table: &Table, key: &DueKey) -> Option<PendingDue> {
    table.store.pending_due(key).await.unwrap()
}

/// The parked row, where there is one.
async fn only_parked(table: &Table) -> Option<PendingDue> {
    let mut page = table.store.parked(10, None).await.unwrap();
    assert!(page.items.len() < 2 && page.next.is_none());
    page.items.pop()
}

async fn redrive(table: &Table, row: &PendingDue, at: DateTime<Utc>) -> Result<(), CommitError> {
    let aggregate = Key {
        pk: row.key.pk.clone(),
        sk: String::new(),
    };
    let commit = table.commit(&aggregate).redrive(row, at);
    table.store.commit(commit).await
}

/// Why a row failed stays with it, and changes neither when it is tried nor how often it was.
#[tokio::test]
async fn a_row_keeps_why_it_failed_last() {
    on_every_table(async |table| {
        let key = deadline(&table, 0).await;
        let before = pending(&table, &key).await.unwrap();
        assert_eq!(before.failed, None);
        for why in ["busy", "shard_unusable"] {
            table.store.note_failure(&key, why).await.unwrap();
            let after = pending(&table, &key).await.unwrap();
            assert_eq!(after.failed.as_deref(), Some(why));
            assert_eq!((after.tries, after.next_try), (0, before.next_try));
        }
        // Whoever puts it off without knowing better leaves that as it is.
        let row = pending(&table, &key).await.unwrap();
        table.store.postpone(&row, start(), None).await.unwrap();
        let after = pending(&table, &key).await.unwrap();
        assert_eq!(after.failed.as_deref(), Some("shard_unusable"));
    })
    .await;
}

/// What an act brings about names it, however many effects lie between.
#[tokio::test]
async fn an_effect_of_an_effect_follows_from_the_same_act() {
    on_every_table(async |table| {
        let id = table.ids.fresh();
        let aggregate = Key::match_request(id);
        let act = table.commit(&aggregate).due(release(id, 0));
        let cause = act.id();
        table.store.commit(act).await.unwrap();
        for seconds in [1, 2, 3] {
            let due = table
                .store
                .due_by(start() + TimeDelta::days(1), 10)
                .await
                .unwrap();
            let row = pending(&table, &due[0]).await.unwrap();
            assert_eq!(row.act, Some(cause));
            let mut next = release(id, seconds);
            next.generation = 10 + u32::try_from(seconds).unwrap();
            let effect = Commit::of_effect(table.ids.fresh(), start(), &row).due(next);
            table.store.commit(effect).await.unwrap();
        }
        // An effect that is audited is an act of its own.
        let due = table
            .store
            .due_by(start() + TimeDelta::days(1), 10)
            .await
            .unwrap();
        let row = pending(&table, &due[0]).await.unwrap();
        let mut next = release(id, 4);
        next.generation = 14;
        let audited = table.commit(&aggregate).finish(&row).due(next);
        let cause = audited.id();
        table.store.commit(audited).await.unwrap();
        let due = table
            .store
            .due_by(start() + TimeDelta::days(1), 10)
            .await
            .unwrap();
        assert_eq!(pending(&table, &due[0]).await.unwrap().act, Some(cause));
    })
    .await;
}

#[tokio::test]
async fn rows_are_found_when_due_and_oldest_first() {
    on_every_table(async |table| {
        assert_eq!(table.store.next_due().await.unwrap(), None);
        let mut keys = Vec::new();
        for seconds in [40, 10, 30, 20, 50] {
            keys.push((seconds, deadline(&table, seconds).await));
        }
        keys.sort();
        let next = table.store.next_due().await.unwrap();
        assert_eq!(next, Some(start() + TimeDelta::seconds(10)));
        for (now, how_many) in [(9, 0), (10, 1), (35, 3), (50, 5)] {
            let due = table
                .store
                .due_by(start() + TimeDelta::seconds(now), 100)
                .await
                .unwrap();
            let expected: Vec<_> = keys
                .iter()
                .take(how_many)
                .map(|(_, key)| key.clone())
                .collect();
            assert_eq!(due, expected, "at {now}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_effect_finishes_its_row_and_cannot_happen_again() {
    on_every_table(async |table| {
        let key = deadline(&table, 0).await;
        let row = pending(&table, &key).await.unwrap();
        let effect = || table.commit(&key).finish(&row);
        table.store.commit(effect()).await.unwrap();
        assert!(pending(&table, &key).await.is_none());
        let again = table.store.commit(effect()).await;
        assert!(matches!(again, Err(CommitError::AlreadyDone)));
        assert_eq!(table.store.next_due().await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_row_that_fails_waits_minutes_for_hours_then_ever_longer_and_is_parked_at_last() {
    on_every_table(async |table| {
        let key = deadline(&table, 0).await;
        let mut now = start();
        let mut waits = Vec::new();
        loop {
            let row = pending(&table, &key).await.unwrap();
            match table.store.postpone(&row, now, Some("busy")).await.unwrap() {
                Postponed::Until(next) => {
                    waits.push(next - now);
                    let before = next - TimeDelta::milliseconds(1);
                    assert_eq!(table.store.due_by(before, 10).await.unwrap(), []);
                    assert_eq!(
                        table.store.due_by(next, 10).await.unwrap(),
                        std::slice::from_ref(&key)
                    );
                    assert_eq!(table.store.next_due().await.unwrap(), Some(next));
                    now = next;
                }
                Postponed::Parked => break,
                Postponed::Elsewhere => panic!("nobody else was there"),
            }
            assert!(waits.len() < 100, "a row that always fails is never parked");
        }
        let minutes: Vec<_> = waits.chunk_by(PartialEq::eq).collect();
        let minutes: Vec<_> = minutes
            .iter()
            .map(|same| (same[0].as_seconds_f64() / 60.0, same.len()))
            .collect();
        let (first, later) = minutes.split_at(4);
        assert_eq!(first, [(0.5, 1), (1.0, 1), (2.0, 1), (4.0, 48)]);
        let doubling = [8.0, 16.0, 32.0, 64.0, 128.0, 256.0].map(|minutes| (minutes, 1));
        assert_eq!(later, doubling);
        let later = now + TimeDelta::days(365);
        assert_eq!(table.store.due_by(later, 10).await.unwrap(), []);
        let row = only_parked(&table).await.unwrap();
        assert_eq!(row.key, key);
        assert_eq!(row.parked_at, Some(now));
        assert_eq!(row.failed.as_deref(), Some("busy"));
        assert_eq!(row.tries, 58);

        redrive(&table, &row, later).await.unwrap();
        assert!(only_parked(&table).await.is_none());
        assert_eq!(
            table.store.due_by(later, 10).await.unwrap(),
            std::slice::from_ref(&key)
        );
        let again = pending(&table, &key).await.unwrap();
        assert_eq!((again.tries, again.next_try), (0, later));
        assert_eq!((again.parked_at, again.failed), (None, None));
        assert_eq!(again.act, row.act);
        let twice = redrive(&table, &row, later).await;
        assert!(matches!(twice, Err(CommitError::Conflict(_))), "{twice:?}");
    })
    .await;
}

/// What a global index always may do: rows are read again, so neither does harm.
#[tokio::test]
async fn an_index_that_lags_hides_new_rows_and_shows_finished_ones() {
    on_every_table(async |table| {
        let old = deadline(&table, 0).await;
        let due = async || table.store.due_by(start(), 10).await.unwrap();
        assert_eq!(due().await, std::slice::from_ref(&old));
        let row = pending(&table, &old).await.unwrap();
        table.faults.choose(|_| Some(Fault::Lagging));
        let new = table.ids.fresh();
        let commit = table.commit(&Key::match_request(new)).due(release(new, 0));
        table.store.commit(commit).await.unwrap();
        assert_eq!(due().await, std::slice::from_ref(&old));
        table.store.forget_due(&row).await.unwrap();
        assert_eq!(due().await, std::slice::from_ref(&old));
        assert!(pending(&table, &old).await.is_none());
        let gone = table.store.postpone(&row, start(), None).await.unwrap();
        assert_eq!(gone, Postponed::Elsewhere);
        table.faults.stop();
        let caught_up: Vec<_> = due().await.into_iter().map(|key| key.pk).collect();
        assert_eq!(caught_up, [Key::match_request(new).pk]);
    })
    .await;
}

#[tokio::test]
async fn of_two_that_postpone_a_row_one_does() {
    on_every_table(async |table| {
        let key = deadline(&table, 0).await;
        let row = pending(&table, &key).await.unwrap();
        let first = table.store.postpone(&row, start(), None).await.unwrap();
        assert!(matches!(first, Postponed::Until(_)));
        let second = table.store.postpone(&row, start(), None).await.unwrap();
        assert_eq!(second, Postponed::Elsewhere);
        assert_eq!(pending(&table, &key).await.unwrap().tries, 1);
    })
    .await;
}

#[tokio::test]
async fn a_finished_row_is_neither_postponed_nor_redriven_back_to_life() {
    on_every_table(async |table| {
        let key = deadline(&table, 0).await;
        let row = pending(&table, &key).await.unwrap();
        table.store.forget_due(&row).await.unwrap();
        table.store.forget_due(&row).await.unwrap();
        assert_eq!(
            table.store.postpone(&row, start(), None).await.unwrap(),
            Postponed::Elsewhere
        );
        table.store.note_failure(&key, "busy").await.unwrap();
        let redriven = redrive(&table, &row, start()).await;
        assert!(
            matches!(redriven, Err(CommitError::Conflict(_))),
            "{redriven:?}"
        );
        assert!(pending(&table, &key).await.is_none());
    })
    .await;
}

#[tokio::test]
async fn a_deadline_is_one_row_however_often_it_is_written() {
    on_every_table(async |table| {
        let id = table.ids.fresh();
        let aggregate = Key::match_request(id);
        for _ in 0..2 {
            table
                .store
                .commit(table.commit(&aggregate).due(release(id, 5)))
                .await
                .unwrap();
        }
        let due = table
            .store
            .due_by(start() + TimeDelta::seconds(5), 10)
            .await
            .unwrap();
        assert_eq!(due.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn notices_of_one_commit_are_rows_of_their_own_beside_its_aggregate() {
    on_every_table(async |table| {
        let person = table.ids.fresh();
        let aggregate = Key::person(person);
        let commit: Commit = table.commit(&aggregate);
        let commit = commit.notify(notice(&table), activated(person));
        let commit = commit.notify(notice(&table), activated(person));
        table.store.commit(commit).await.unwrap();
        let due = table.store.due_by(start(), 10).await.unwrap();
        assert_eq!(due.len(), 2);
        assert!(due.iter().all(|key| key.pk == aggregate.pk));
    })
    .await;
}
