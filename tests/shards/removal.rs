//! Objects of shards that are not current any more, or never became so: removed, and only those.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::id::WorkerId;
use domain::place::Place;
use index_builder::{Built, GRACE};
use rand::RngExt;
use rand::rngs::StdRng;
use rapport_tests::faults::{Fault, any};
use rapport_tests::indexed::{Indexed, listed, melbourne, workers_on};
use rapport_tests::seeds::{Effort, Task, interleave, seeds};

/// Runs of builders and removals that get in each other's way.
const MELEES: Effort = Effort {
    reduced: 6,
    full: 200,
};

async fn with_people(world: &Indexed, place: &Place, many: usize) -> Vec<WorkerId> {
    let all = world.people(many);
    let present = all.iter().copied().collect();
    world.write_rows(place, &present, &all).await;
    world.settle().await;
    all
}

/// After the grace one object is left of a cell: the current one, whole, and nothing is due any more.
async fn only_the_current_one_is_left(world: &Indexed, place: &Place) {
    world.settle().await;
    // What is announced first condemns, and is removed in the same hour.
    world.outlast_grace().await;
    let pointer = world.pointer(place.cell()).await.value;
    assert_eq!(world.objects().await, BTreeSet::from([pointer.blob]));
    assert_eq!(world.context.store.next_due().await.unwrap(), None);
    let built = world.another_builder().rebuild(place.cell()).await.unwrap();
    assert_eq!(built, Built::Unchanged);
}

#[tokio::test]
async fn a_superseded_object_stays_for_its_grace_and_whoever_holds_it_goes_on() {
    let world = Indexed::start().await;
    let here = melbourne();
    let all = with_people(&world, &here, 4).await;
    let first = world.pointer(here.cell()).await.value;
    let holder = world.cold(usize::MAX);
    let list = listed(&holder, &here).await.unwrap();
    let fewer: BTreeSet<WorkerId> = all.iter().copied().take(2).collect();
    world.write_rows(&here, &fewer, &all).await;
    world.settle().await;
    let second = world.pointer(here.cell()).await.value;
    let both = BTreeSet::from([first.blob.clone(), second.blob.clone()]);
    world.clock.advance(GRACE - TimeDelta::seconds(1));
    world.settle().await;
    assert_eq!(world.objects().await, both);
    world.clock.advance(TimeDelta::hours(1));
    world.settle().await;
    assert_eq!(world.objects().await, BTreeSet::from([second.blob]));
    assert_eq!(list.basis.shard, Some(first.version));
    assert_eq!(workers_on(&listed(&holder, &here).await.unwrap()), fewer);
}

#[tokio::test]
async fn the_same_rows_come_back_in_an_object_of_their_own() {
    let world = Indexed::start().await;
    let here = melbourne();
    let all = world.people(4);
    let everybody = all.iter().copied().collect();
    world.write_rows_with(7, &here, &everybody, &all).await;
    world.settle().await;
    let first = world.pointer(here.cell()).await.value;
    let fewer: BTreeSet<WorkerId> = all.iter().copied().take(2).collect();
    world.write_rows(&here, &fewer, &all).await;
    world.settle().await;
    world.clock.advance(GRACE - TimeDelta::minutes(1));
    world.write_rows_with(7, &here, &everybody, &all).await;
    world.settle().await;
    let third = world.pointer(here.cell()).await.value;
    assert_eq!(third.version, first.version);
    assert_ne!(third.blob, first.blob);
    // The removal of the first object falls due now, and leaves the third alone.
    world.clock.advance(TimeDelta::hours(1));
    world.settle().await;
    assert!(!world.objects().await.contains(&first.blob));
    assert_eq!(
        workers_on(&listed(&world.context, &here).await.unwrap()),
        everybody
    );
    only_the_current_one_is_left(&world, &here).await;
}

/// The builder's process ends at each of its calls in turn, before and after it is carried out: while publishing, and
/// while removing.
#[tokio::test]
async fn a_crash_at_any_call_leaves_no_object_behind_and_none_missing() {
    let here = melbourne();
    let mut crashes = 0;
    for fault in [Fault::CrashBefore, Fault::CrashAfter] {
        for call in 0.. {
            let world = Indexed::start().await;
            let all = with_people(&world, &here, 4).await;
            let fewer: BTreeSet<WorkerId> = all.iter().copied().take(2).collect();
            world.write_rows(&here, &fewer, &all).await;
            let mut left = call;
            world.faults.choose(move |_| {
                let now = left == 0;
                left = usize::wrapping_sub(left, 1);
                now.then_some(fault)
            });
            let until_removed = async {
                loop {
                    let due = world.due().await;
                    if due.is_empty() && world.context.store.next_due().await.unwrap().is_none() {
                        return;
                    }
                    if due.is_empty() {
                        world.clock.advance(GRACE);
                    }
                    world.builder.consume(&due).await;
                }
            };
            let lived = world.faults.until_crash(until_removed).await.is_some();
            world.faults.stop();
            world.faults.restart();
            only_the_current_one_is_left(&world, &here).await;
            assert_eq!(
                workers_on(&listed(&world.context, &here).await.unwrap()),
                fewer
            );
            if lived {
                break;
            }
            crashes += 1;
        }
    }
    println!("{crashes} crashes");
    assert!(crashes >= 16, "{crashes}");
}

/// Builders and removals at the same time, each row delivered often and in any order, with lost answers and
/// conflicts, in the order that the seed chooses.
#[tokio::test]
async fn whoever_comes_in_between_the_current_object_stays_and_the_others_go() {
    tokio::time::pause();
    for seed in seeds(MELEES.now()) {
        let mut chance = seed.chance();
        let world = Indexed::start().await;
        let here = melbourne();
        let all = with_people(&world, &here, 6).await;
        let mut present = BTreeSet::new();
        for _ in 0..6 {
            present = some_of(&all, &mut chance);
            world.write_rows(&here, &present, &all).await;
            // Sometimes long enough for removals to fall due, announced ones of builds under way included.
            world
                .clock
                .advance(TimeDelta::hours(chance.random_range(0..40)));
            let due = world.due().await;
            let mut storm = seed.chance();
            world.faults.choose(move |call| {
                let luck = storm.random_range(0..100);
                match luck {
                    0..4 => Some(Fault::AnswerLost),
                    4..8 if any(&call) => Some(Fault::Conflicted),
                    8..10 => Some(Fault::Throttled),
                    _ => None,
                }
            });
            let builders = chance.random_range(1..=4);
            let tasks = (0..builders).map(|_| -> Task<'_, ()> {
                Box::pin(async {
                    world.builder.consume(&due).await;
                })
            });
            let tasks = tasks.collect();
            interleave(&mut chance, &world.faults, tasks).await;
            world.faults.stop();
        }
        only_the_current_one_is_left(&world, &here).await;
        assert_eq!(
            workers_on(&listed(&world.context, &here).await.unwrap()),
            present
        );
    }
}

fn some_of(all: &[WorkerId], chance: &mut StdRng) -> BTreeSet<WorkerId> {
    all.iter()
        .filter(|_| chance.random_range(0..2) == 0)
        .copied()
        .collect()
}
