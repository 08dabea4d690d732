//! Many publishers and many readers of one cell at the same time, in threads of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use domain::id::WorkerId;
use index_builder::Outcome;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rapport_tests::indexed::{Indexed, listed, melbourne, workers_on};
use rapport_tests::seeds::Effort;
use tokio::sync::Mutex;

/// For how many seconds.
const SECONDS: Effort = Effort {
    reduced: 5,
    full: 60,
};
const PUBLISHERS: usize = 8;
const READERS: usize = 8;
/// The most rows that a publisher delivers at a time.
const DELIVERED: usize = 16;
/// So many of them are in the rows at a time, few enough that everybody there is fits one list.
const WORKERS: usize = 20;
const PRESENT: usize = 8;

/// What the table has held, change by change.
#[derive(Default)]
struct History {
    /// Every set of people that ever stood in the rows together. No two are alike.
    sets: BTreeSet<BTreeSet<WorkerId>>,
    last: BTreeSet<WorkerId>,
}

/// Eight publishers change the rows of one cell and rebuild its shard, as fast as they can and without regard for each
/// other; eight readers ask, two of them in processes that keep no shard; and days pass, so that what is superseded is
/// removed at the same time.
///
/// Each change replaces half of the people in the rows, in one commit. An answer put together of two versions would
/// hold a set of people that never stood there.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_answer_is_one_whole_version_and_no_change_is_lost() {
    let world = Arc::new(Indexed::start().await);
    let all = Arc::new(world.people(WORKERS));
    let history = Arc::new(Mutex::new(History::default()));
    change(&world, &all, &history, &mut StdRng::seed_from_u64(0)).await;
    world.settle().await;
    let over = Arc::new(AtomicBool::new(false));
    let built = Arc::new(AtomicUsize::new(0));
    let mut publishers = Vec::new();
    for number in 0..PUBLISHERS {
        let (world, all, history) = (world.clone(), all.clone(), history.clone());
        let (over, built) = (over.clone(), built.clone());
        publishers.push(tokio::spawn(async move {
            let mut chance = StdRng::seed_from_u64(number as u64 + 1);
            let builder = world.another_builder();
            while !over.load(Ordering::Relaxed) {
                change(&world, &all, &history, &mut chance).await;
                // Everybody delivers whatever is due: rows are delivered often, and at the same time.
                let mut due = world.due().await;
                due.shuffle(&mut chance);
                due.truncate(DELIVERED);
                for (_, outcome) in builder.consume(&due).await {
                    // One that others kept overtaking stays, and is delivered again.
                    built.fetch_add(
                        usize::from(matches!(outcome, Outcome::Done(_))),
                        Ordering::Relaxed,
                    );
                }
            }
        }));
    }
    let mut readers = Vec::new();
    for number in 0..READERS {
        let (world, over) = (world.clone(), over.clone());
        readers.push(tokio::spawn(async move {
            let cold = world.cold(1);
            let context = if number < 2 { &cold } else { &world.context };
            // By version, what was answered: the same each time.
            let mut answers: BTreeMap<String, BTreeSet<WorkerId>> = BTreeMap::new();
            let mut asked: usize = 0;
            while !over.load(Ordering::Relaxed) {
                let list = listed(context, &melbourne()).await.unwrap();
                let workers = workers_on(&list);
                let version = list.basis.shard.unwrap();
                let before = answers.entry(version).or_insert_with(|| workers.clone());
                assert_eq!(*before, workers, "two answers of one version");
                asked += 1;
            }
            assert_eq!(context.matcher.alarms(), 0);
            (asked, answers)
        }));
    }
    let seconds = u64::try_from(SECONDS.now()).unwrap();
    for _ in 0..seconds * 4 {
        tokio::time::sleep(Duration::from_millis(250)).await;
        world.clock.advance(TimeDelta::hours(5));
    }
    over.store(true, Ordering::Relaxed);
    for publisher in publishers {
        publisher.await.unwrap();
    }
    let mut answered: BTreeMap<String, BTreeSet<WorkerId>> = BTreeMap::new();
    let mut asked = 0;
    for reader in readers {
        let (times, answers) = reader.await.unwrap();
        asked += times;
        for (version, workers) in answers {
            let before = answered.entry(version).or_insert_with(|| workers.clone());
            assert_eq!(*before, workers, "two answers of one version");
        }
    }
    let history = Arc::into_inner(history).unwrap().into_inner();
    for workers in answered.values() {
        assert!(
            history.sets.contains(workers),
            "a mixed answer: {workers:?}"
        );
    }

    // Everything that was changed is in the shard in the end, and nothing else is left.
    world.settle().await;
    let last = listed(&world.context, &melbourne()).await.unwrap();
    assert_eq!(workers_on(&last), history.last);
    world.outlast_grace().await;
    let pointer = world.pointer(melbourne().cell()).await;
    assert_eq!(world.objects().await, BTreeSet::from([pointer.value.blob]));
    println!(
        "{seconds} s: {} changes, {} rows delivered, {} publications, {asked} answers of {} versions",
        history.sets.len(),
        built.load(Ordering::Relaxed),
        pointer.version,
        answered.len()
    );
}

/// Replaces who stands in the rows with a set that never stood there.
async fn change(world: &Indexed, all: &[WorkerId], history: &Mutex<History>, chance: &mut StdRng) {
    let mut history = history.lock().await;
    let present = loop {
        let mut some = all.to_vec();
        some.shuffle(chance);
        some.truncate(PRESENT);
        let some: BTreeSet<WorkerId> = some.into_iter().collect();
        if history.sets.insert(some.clone()) {
            break some;
        }
    };
    world.write_rows(&melbourne(), &present, all).await;
    history.last = present;
    // Others may go on between two changes.
    drop(history);
    tokio::time::sleep(Duration::from_millis(chance.random_range(0..20))).await;
}
