//! What a commit promises: all of it or nothing, only on what was read, and once per key.

use chrono::TimeDelta;
use rapport_tests::start;
use rapport_tests::tables::on_every_table;
use store::{Audit, Commit, CommitError, IDEMPOTENCY_DAYS, Key, StoreError};

use crate::things::{about, audits, hint, once, read, stored_ticket, ticket};

#[tokio::test]
async fn insert_takes_a_free_key_and_no_other() {
    on_every_table(async |table| {
        let was = stored_ticket(&table).await;
        assert_eq!(was.version, 1);
        let key = Key::ticket(was.value.id);
        let again = table.commit(&key).insert(&about(&was.value, "another"));
        let refused = table.store.commit(again).await;
        assert!(matches!(refused, Err(CommitError::Conflict(taken)) if taken == key));
        assert_eq!(read(&table, &was.value).await, Some(was));
    })
    .await;
}

#[tokio::test]
async fn replace_and_remove_need_the_version_that_was_read() {
    on_every_table(async |table| {
        let first = stored_ticket(&table).await;
        let key = Key::ticket(first.value.id);
        let next = about(&first.value, "next");
        let replace = || table.commit(&key).replace(&first, &next);
        table.store.commit(replace()).await.unwrap();
        let second = read(&table, &next).await.unwrap();
        assert_eq!((second.version, &second.value), (2, &next));

        for stale in [replace(), table.commit(&key).remove(&first)] {
            let refused = table.store.commit(stale).await;
            assert!(matches!(refused, Err(CommitError::Conflict(changed)) if changed == key));
        }
        assert_eq!(read(&table, &next).await, Some(second.clone()));

        table
            .store
            .commit(table.commit(&key).remove(&second))
            .await
            .unwrap();
        assert_eq!(read(&table, &next).await, None);
        let gone = table
            .store
            .commit(table.commit(&key).replace(&second, &next))
            .await;
        assert!(matches!(gone, Err(CommitError::Conflict(_))));
    })
    .await;
}

#[tokio::test]
async fn a_decision_stands_only_on_what_is_unchanged() {
    on_every_table(async |table| {
        let rested_on = stored_ticket(&table).await;
        let first = ticket(&table);
        let key = Key::ticket(first.id);
        let commit = table.commit(&key).insert(&first).unchanged(&rested_on);
        table.store.commit(commit).await.unwrap();

        let other = Key::ticket(rested_on.value.id);
        let change = table
            .commit(&other)
            .replace(&rested_on, &about(&rested_on.value, "changed"));
        table.store.commit(change).await.unwrap();
        let second = ticket(&table);
        let commit = table
            .commit(&Key::ticket(second.id))
            .insert(&second)
            .unchanged(&rested_on);
        let refused = table.store.commit(commit).await;
        assert!(matches!(refused, Err(CommitError::Conflict(changed)) if changed == other));
        assert_eq!(
            read(&table, &second).await,
            None,
            "nothing of a refused commit stands"
        );
    })
    .await;
}

#[tokio::test]
async fn a_decision_stands_only_where_there_is_still_nothing() {
    on_every_table(async |table| {
        let nothing = ticket(&table);
        let rested_on = Key::ticket(nothing.id);
        let commit = |thing: &domain::ticket::Ticket| {
            let commit = table.commit(&Key::ticket(thing.id)).absent(&rested_on);
            commit.insert(thing)
        };
        table.store.commit(commit(&ticket(&table))).await.unwrap();
        let insert = table.commit(&rested_on).insert(&nothing);
        table.store.commit(insert).await.unwrap();
        let second = ticket(&table);
        let refused = table.store.commit(commit(&second)).await;
        assert!(matches!(refused, Err(CommitError::Conflict(changed)) if changed == rested_on));
        assert_eq!(read(&table, &second).await, None);
    })
    .await;
}

#[tokio::test]
async fn a_check_gives_way_to_a_write_of_the_same_item_whichever_comes_first() {
    on_every_table(async |table| {
        let first = stored_ticket(&table).await;
        let key = Key::ticket(first.value.id);
        let next = about(&first.value, "next");
        let commit = table.commit(&key).unchanged(&first).replace(&first, &next);
        table.store.commit(commit).await.unwrap();
        let second = read(&table, &next).await.unwrap();
        let commit = table
            .commit(&key)
            .replace(&second, &first.value)
            .unchanged(&second);
        table.store.commit(commit).await.unwrap();
        assert_eq!(read(&table, &next).await.unwrap().version, 3);
    })
    .await;
}

#[tokio::test]
async fn a_check_of_an_older_reading_is_not_lost_to_a_write_from_a_fresher_one() {
    on_every_table(async |table| {
        let first = stored_ticket(&table).await;
        let key = Key::ticket(first.value.id);
        let next = about(&first.value, "next");
        let commit = table.commit(&key).replace(&first, &next);
        table.store.commit(commit).await.unwrap();
        let second = read(&table, &next).await.unwrap();

        let third = about(&next, "third");
        for torn in [
            table
                .commit(&key)
                .unchanged(&first)
                .replace(&second, &third),
            table
                .commit(&key)
                .replace(&second, &third)
                .unchanged(&first),
            table.commit(&key).remove(&second).unchanged(&first),
        ] {
            let refused = table.store.commit(torn).await;
            assert!(matches!(refused, Err(CommitError::Conflict(changed)) if changed == key));
        }
        assert_eq!(read(&table, &next).await, Some(second));
    })
    .await;
}

#[tokio::test]
async fn derived_things_are_written_whatever_was_there() {
    on_every_table(async |table| {
        let hint = hint(&table, "aa");
        let key = Key::hint(&hint.hash, hint.person);
        let stored = async || table.store.get::<store::Hint>(&key).await.unwrap();
        for _ in 0..2 {
            table
                .store
                .commit(table.commit(&key).derive(&hint))
                .await
                .unwrap();
            assert_eq!(stored().await.unwrap().value, hint);
        }
        for _ in 0..2 {
            table
                .store
                .commit(table.commit(&key).derive_nothing_at(&key))
                .await
                .unwrap();
            assert_eq!(stored().await, None);
        }
    })
    .await;
}

#[tokio::test]
async fn a_quota_counts_to_its_limit() {
    on_every_table(async |table| {
        let partner = table.ids.fresh();
        let count = |hour| {
            let key = Key::quota(partner, hour);
            table.commit(&key).count(&key, 3, start() + TimeDelta::hours(2))
        };
        for _ in 0..3 {
            table.store.commit(count("2026-03-02T00")).await.unwrap();
        }
        let refused = table.store.commit(count("2026-03-02T00")).await;
        assert!(matches!(refused, Err(CommitError::LimitReached(key)) if key == Key::quota(partner, "2026-03-02T00")));
        table.store.commit(count("2026-03-02T01")).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn every_commit_leaves_one_audit_item_without_the_reasons_words() {
    on_every_table(async |table| {
        let was = stored_ticket(&table).await;
        let key = Key::ticket(was.value.id);
        let audit = Audit {
            fields: vec!["due_at".to_owned()],
            reason: Some("asked for by telephone".to_owned()),
            ..table.audit(&key)
        };
        let commit = Commit::new(audit.clone()).replace(&was, &about(&was.value, "next"));
        table.store.commit(commit).await.unwrap();
        let found = audits(&table, &key).await;
        assert_eq!(found.len(), 2);
        let last = found
            .iter()
            .find(|entry| entry.item.commit == audit.commit)
            .unwrap();
        assert_eq!(last.item.fields, ["due_at"]);
        assert!(last.item.reasoned);
        assert!(!format!("{:?}", last.item).contains("telephone"));
        assert_eq!(last.reason.as_deref(), Some("asked for by telephone"));
    })
    .await;
}

#[tokio::test]
async fn a_key_is_used_once_and_remembers_what_it_came_to() {
    on_every_table(async |table| {
        let first = ticket(&table);
        let (key, once) = (Key::ticket(first.id), once("k", "digest"));
        assert_eq!(table.store.remembered(&once, start()).await.unwrap(), None);
        let commit = table.commit(&key).insert(&first);
        table
            .store
            .commit_once(commit, &once, first.id.to_string())
            .await
            .unwrap();
        let remembered = table
            .store
            .remembered(&once, start())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (remembered.target, remembered.digest.as_str()),
            (first.id.to_string(), "digest")
        );

        // Whatever the digest, and even where another condition fails, too: the key's use comes first.
        for digest in ["digest", "another"] {
            let used = crate::things::once("k", digest);
            let second = table.commit(&key).insert(&first);
            let refused = table
                .store
                .commit_once(second, &used, "other".to_owned())
                .await;
            assert!(matches!(refused, Err(CommitError::Replayed)), "{refused:?}");
        }
        let kept = table
            .store
            .remembered(&once, start())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(kept.target, first.id.to_string());
    })
    .await;
}

#[tokio::test]
async fn keys_of_different_callers_are_different_keys() {
    on_every_table(async |table| {
        let mine = once("k", "digest");
        let theirs = store::Once {
            caller: "per_2".to_owned(),
            ..mine.clone()
        };
        for once in [&mine, &theirs] {
            let ticket = ticket(&table);
            let commit = table.commit(&Key::ticket(ticket.id)).insert(&ticket);
            table
                .store
                .commit_once(commit, once, ticket.id.to_string())
                .await
                .unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn an_expired_key_can_be_used_again_before_the_table_has_tidied_up() {
    on_every_table(async |table| {
        let first = ticket(&table);
        let key = Key::ticket(first.id);
        let once = once("k", "digest");
        let commit = table.commit(&key).insert(&first);
        table
            .store
            .commit_once(commit, &once, first.id.to_string())
            .await
            .unwrap();

        let last = start() + TimeDelta::days(IDEMPOTENCY_DAYS) - TimeDelta::milliseconds(1);
        assert!(table.store.remembered(&once, last).await.unwrap().is_some());
        let after = start() + TimeDelta::days(IDEMPOTENCY_DAYS);
        assert_eq!(table.store.remembered(&once, after).await.unwrap(), None);
        for (at, free) in [(last, false), (after, true)] {
            let next = ticket(&table);
            let audit = Audit {
                at,
                ..table.audit(&Key::ticket(next.id))
            };
            let commit = Commit::new(audit).insert(&next);
            let outcome = table
                .store
                .commit_once(commit, &once, next.id.to_string())
                .await;
            assert_eq!(outcome.is_ok(), free, "{at}: {outcome:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn more_writes_than_a_transaction_holds_are_refused_whole() {
    on_every_table(async |table| {
        let tickets: Vec<_> = (0..100).map(|_| ticket(&table)).collect();
        let commit_of = |tickets: &[domain::ticket::Ticket]| {
            let aggregate = Key::ticket(tickets[0].id);
            tickets
                .iter()
                .fold(table.commit(&aggregate), |commit, ticket| {
                    commit.insert(ticket)
                })
        };
        // With its audit item, this is one too many.
        assert_eq!(commit_of(&tickets).len(), 101);
        let refused = table.store.commit(commit_of(&tickets)).await;
        assert!(matches!(
            refused,
            Err(CommitError::Store(StoreError::Refused(_)))
        ));
        assert_eq!(read(&table, &tickets[0]).await, None);
        table.store.commit(commit_of(&tickets[1..])).await.unwrap();
        assert!(read(&table, &tickets[99]).await.is_some());
    })
    .await;
}
