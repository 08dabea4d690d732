//! Calls that fail, and calls that succeed unheard: the store tries again, and nothing happens twice.

use rapport_tests::faults::{Fault, any, writes};
use rapport_tests::tables::on_every_table;
use store::{CommitError, Key, Postponed, StoreError};

use crate::things::{about, activated, audits, notice, once, read, release, stored_ticket, ticket};

#[tokio::test]
async fn passing_faults_are_waited_out() {
    on_every_table(async |table| {
        for fault in [
            Fault::Throttled,
            Fault::Failed,
            Fault::Conflicted,
            Fault::AnswerLost,
            Fault::Slow,
        ] {
            let was = stored_ticket(&table).await;
            let key = Key::ticket(was.value.id);
            table.faults.next([fault; 5], writes);
            let commit = table.commit(&key).replace(&was, &about(&was.value, "next"));
            table.store.commit(commit).await.unwrap();
            table.faults.next([fault; 5], any);
            let now = read(&table, &was.value).await.unwrap();
            assert_eq!(
                (now.version, now.value.subject.as_str()),
                (2, "next"),
                "{fault:?}"
            );
            assert_eq!(audits(&table, &key).await.len(), 2, "{fault:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn faults_that_last_are_reported_and_change_nothing() {
    on_every_table(async |table| {
        for fault in [Fault::Throttled, Fault::Failed, Fault::Conflicted] {
            let ticket = ticket(&table);
            table.faults.choose(move |_| Some(fault));
            let commit = table.commit(&Key::ticket(ticket.id)).insert(&ticket);
            let outcome = table.store.commit(commit).await;
            let unavailable = matches!(outcome, Err(CommitError::Store(StoreError::Unavailable)));
            assert!(unavailable, "{fault:?}: {outcome:?}");
            table.faults.stop();
            assert_eq!(read(&table, &ticket).await, None);
        }
    })
    .await;
}

/// The table's own memory of transactions is switched off here: the audit item is what tells.
#[tokio::test]
async fn a_commit_whose_answer_is_lost_succeeds_once() {
    on_every_table(async |table| {
        let rested_on = stored_ticket(&table).await;
        let ticket = ticket(&table);
        let (key, once) = (Key::ticket(ticket.id), once("k", "digest"));
        let commit = table.commit(&key).insert(&ticket).unchanged(&rested_on);
        table.faults.next([Fault::AnswerLost], writes);
        table
            .store
            .commit_once(commit, &once, ticket.id.to_string())
            .await
            .unwrap();
        assert_eq!(read(&table, &ticket).await.unwrap().version, 1);
        assert_eq!(audits(&table, &key).await.len(), 1);
    })
    .await;
}

/// Whoever asks again with the same key learns what became of the first time.
#[tokio::test]
async fn a_commit_that_is_never_heard_of_is_found_by_its_key() {
    on_every_table(async |table| {
        let ticket = ticket(&table);
        let (key, once) = (Key::ticket(ticket.id), once("k", "digest"));
        let mut answered = false;
        table.faults.choose(move |_| {
            let first = !std::mem::replace(&mut answered, true);
            Some(if first {
                Fault::AnswerLost
            } else {
                Fault::Throttled
            })
        });
        let commit = || table.commit(&key).insert(&ticket);
        let outcome = table
            .store
            .commit_once(commit(), &once, ticket.id.to_string())
            .await;
        assert!(matches!(
            outcome,
            Err(CommitError::Store(StoreError::Unavailable))
        ));
        table.faults.stop();
        let again = table
            .store
            .commit_once(commit(), &once, ticket.id.to_string())
            .await;
        assert!(matches!(again, Err(CommitError::Replayed)));
        assert_eq!(audits(&table, &key).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_effect_whose_answer_is_lost_is_known_to_have_happened() {
    on_every_table(async |table| {
        let person = table.ids.fresh();
        let key = Key::person(person);
        let commit = table.commit(&key).notify(notice(&table), activated(person));
        table.store.commit(commit).await.unwrap();
        let due = table
            .store
            .due_by(rapport_tests::start(), 10)
            .await
            .unwrap();
        let pending = table.store.pending_due(&due[0]).await.unwrap().unwrap();
        let effect = store::Commit::of_effect(table.ids.fresh(), rapport_tests::start(), &pending);
        table.faults.next([Fault::AnswerLost], writes);
        let outcome = table.store.commit(effect).await;
        assert!(
            matches!(outcome, Err(CommitError::AlreadyDone)),
            "{outcome:?}"
        );
        assert!(table.store.pending_due(&due[0]).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn a_postponement_whose_answer_is_lost_counts_one_try() {
    on_every_table(async |table| {
        let id = table.ids.fresh();
        let key = Key::match_request(id);
        table
            .store
            .commit(table.commit(&key).due(release(id, 0)))
            .await
            .unwrap();
        let due = table
            .store
            .due_by(rapport_tests::start(), 10)
            .await
            .unwrap();
        let pending = table.store.pending_due(&due[0]).await.unwrap().unwrap();
        table.faults.next([Fault::AnswerLost], writes);
        let outcome = table
            .store
            .postpone(&pending, rapport_tests::start(), None)
            .await
            .unwrap();
        let now = table.store.pending_due(&due[0]).await.unwrap().unwrap();
        assert_eq!(now.tries, 1);
        assert_eq!(outcome, Postponed::Until(now.next_try));
    })
    .await;
}
