//! The nightly rebuild: however often its steps are delivered, and wherever processes end, each counts once and all are
//! done.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;
use domain::candidates::CandidateList;
use domain::id::WorkerId;
use domain::support_worker::SupportWorker;
use rapport_tests::people::settle_workers;
use rapport_tests::seeds::{Effort, Seed, seeds};
use store::{Key, Night};

use crate::release::Place;
use crate::simulated::{Act, Simulated};

const NIGHTS: Effort = Effort {
    reduced: 3,
    full: 30,
};
/// More than two steps' worth, and with those of the place.
const MORE_WORKERS: usize = 112;

/// A place whose requests were released, everybody in it, and how often each was shown.
struct Shown {
    place: Place,
    exposure: BTreeMap<WorkerId, u32>,
}

async fn shown(seed: &Seed) -> Shown {
    let mut place = Place::settle(seed, 3).await;
    let subjects = (0..MORE_WORKERS).map(|number| format!("more-{number}"));
    let more = settle_workers(place.world.context(), subjects, |_, _, _| {}).await;
    let more = more.into_iter().map(|(worker, _)| worker);
    let mut exposure: BTreeMap<WorkerId, u32> = more
        .chain(place.workers.clone())
        .map(|it| (it, 0))
        .collect();
    let mut requests = Vec::new();
    for number in 0..3 {
        requests.push(place.request(number).await);
    }
    place.world.pass(TimeDelta::hours(24)).await;
    for request in requests {
        let list = Key::candidate_list(request);
        let list: CandidateList = place.world.stored(&list).await.unwrap();
        for shown in &list.released.as_ref().unwrap().candidates {
            let worker = list.candidate(shown.candidate).unwrap().worker;
            *exposure.get_mut(&worker).unwrap() += 1;
        }
    }
    assert_eq!(exposure.values().sum::<u32>(), 15);
    Shown { place, exposure }
}

async fn night(world: &Simulated) -> Night {
    world.stored(&Key::night()).await.unwrap()
}

/// Everybody's record says how often they were shown, the shards say what the records say, and nothing of a night is
/// left to be done.
async fn is_complete(world: &Simulated, exposure: &BTreeMap<WorkerId, u32>) {
    for (worker, expected) in exposure {
        let record: SupportWorker = world.stored(&Key::worker(*worker)).await.unwrap();
        assert_eq!(record.reliability.exposure, *expected, "{worker}");
    }
    let reports = index_builder::verify(world.index(), Duration::ZERO).await;
    let reports = reports.unwrap();
    assert!(!reports.is_empty());
    assert!(reports.iter().all(index_builder::CellReport::is_faithful));
    let due = world.observer.due_by(world.now(), 1_000).await.unwrap();
    assert_eq!(due, []);
}

#[tokio::test(start_paused = true)]
async fn every_step_of_a_night_counts_once() {
    for seed in seeds(NIGHTS.now()) {
        let Shown {
            mut place,
            exposure,
        } = shown(&seed).await;
        let world = &mut place.world;
        let at = world.now();
        world.brew();
        // The clock's message comes more than once.
        world.insist_on(vec![Act::BeginNight(at); 3]).await;
        world.deliver().await;
        world.calm();
        let night = night(world).await;
        assert_eq!((night.number, night.left), (1, 0));
        assert_eq!(night.as_of, at);
        assert!(night.completed_at.is_some());
        assert_eq!(night.looked_at, exposure.len() as u64);
        is_complete(world, &exposure).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_night_that_did_not_end_is_made_up_for_by_the_next() {
    for seed in seeds(NIGHTS.now()) {
        let Shown {
            mut place,
            exposure,
        } = shown(&seed).await;
        let world = &mut place.world;
        let first = world.now();
        world.insist_on(vec![Act::BeginNight(first)]).await;
        // Some of its steps are done, and some are not.
        for _ in 0..3 {
            let due = world.observer.due_by(world.now(), 2).await.unwrap();
            world.deliver_often(due).await;
        }
        assert!(night(world).await.completed_at.is_none());
        world.clock.advance(TimeDelta::hours(24));
        let second = world.now();
        world.brew();
        world.insist_on(vec![Act::BeginNight(second)]).await;
        // Its message comes again, late.
        world.insist_on(vec![Act::BeginNight(first)]).await;
        world.deliver().await;
        world.calm();
        let night = night(world).await;
        assert_eq!((night.number, night.left), (2, 0));
        assert_eq!(night.as_of, second);
        assert_eq!(night.looked_at, exposure.len() as u64);
        is_complete(world, &exposure).await;
    }
}
