//! The engine against an evaluator that works every answer out the long way, from the profiles.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by panicking"
)]

mod naive;

use std::collections::BTreeMap;

use domain::candidates::Criterion;
use domain::eligibility::{Asked, Relations, judge};
use domain::id::{PersonId, WorkerId};
use domain::match_request::MatchRequestDetails;
use domain::packed::IndexRecord;
use domain::place::{Cell, cover};
use domain::support_worker::SupportWorker;
use domain::vocabulary::Vocabulary;
use population::{Layout, Population};
use rapport_matching::{Limits, Query, Scored, Shard, Weights, build_shard};
use uuid::Uuid;

use naive::{Seeking, Shown};

const LIMITS: Limits = Limits {
    shortlist: 5,
    reserve: 5,
};
const REQUESTS: u64 = 200;

/// The people of one region, and the shards of the cells that were asked for.
struct World {
    population: Population,
    workers: Vec<SupportWorker>,
    shards: BTreeMap<Cell, Shard>,
}

struct Answer {
    asked: Asked,
    relations: Relations,
    details: MatchRequestDetails,
    candidates: Vec<Scored>,
}

impl World {
    fn new(seed: u64, workers: u64) -> Self {
        let population = Population::new(seed, workers, Layout { regions: 1 });
        Self {
            workers: (0..workers)
                .map(|number| population.worker(number))
                .collect(),
            population,
            shards: BTreeMap::new(),
        }
    }

    fn shard(&mut self, cell: Cell) -> &Shard {
        self.shards.entry(cell).or_insert_with(|| {
            let here = self.workers.iter().filter(|worker| {
                let area = worker.profile.service_area.as_ref().unwrap();
                cover(area.base.latitude, area.base.longitude, area.radius_km).contains(&cell)
            });
            let records: Vec<IndexRecord> = here.filter_map(IndexRecord::of).collect();
            Shard::open(build_shard(cell, &records).unwrap().bytes).unwrap()
        })
    }

    fn answer(&mut self, number: u64) -> Answer {
        let details = self.population.request(number);
        let relations = self.population.relations(number);
        let asked = Asked::of(&details, self.population.now());
        let query = Query {
            request: self.population.request_id(number),
            asked: &asked,
            relations: &relations,
        };
        let shard = self.shard(asked.cell);
        let found = shard.search(query, &Weights::default(), LIMITS).unwrap();
        Answer {
            candidates: found.candidates,
            asked,
            relations,
            details,
        }
    }
}

/// The same ten in the same order with the same scores; nobody breaks a hard rule, and every score adds up.
#[test]
fn the_engine_agrees_with_the_naive_evaluator() {
    let mut world = World::new(1, 2000);
    let weights = Weights::default();
    let (mut full, mut some) = (0, 0);
    for number in 0..REQUESTS {
        let answer = world.answer(number);
        let request = world.population.request_id(number);
        let now = world.population.now();
        let seeking = || Seeking::new(request, &answer.details, &answer.relations, now);
        let (mut seeking, mut elsewhere) = (seeking(), seeking());
        for (number, worker) in world.workers.iter().enumerate() {
            let seeking = if number % 3 == 0 {
                &mut elsewhere
            } else {
                &mut seeking
            };
            seeking.look_at(&Shown::new(worker));
        }
        seeking.join(elsewhere);
        let got = answer.candidates.iter();
        let got: Vec<_> = got.map(|scored| (scored.worker, scored.score)).collect();
        assert_eq!(got, seeking.ten(), "request {number}");
        full += usize::from(got.len() == 10);
        some += usize::from(!got.is_empty());
        for scored in &answer.candidates {
            let mut workers = world.workers.iter();
            let worker = workers.find(|worker| worker.id == scored.worker).unwrap();
            let judged = judge(&answer.asked, worker, &answer.relations);
            assert!(judged.is_eligible(), "request {number}: {judged:?}");
            assert!(!answer.relations.known.contains(&worker.id));
            assert_adds_up(scored, &weights);
        }
    }
    // Otherwise the agreement would mean little.
    assert!(full > 40 && some > 120, "{full} full, {some} not empty");
}

fn assert_adds_up(scored: &Scored, weights: &Weights) {
    let parts = &scored.contributions;
    assert_eq!(parts.len(), Criterion::ALL.len());
    let points: u32 = parts.iter().map(|part| part.points).sum();
    assert_eq!(points, scored.score);
    for part in parts {
        assert_eq!(part.weight, weights.of(part.criterion));
        assert_eq!(part.points, part.weight * part.value);
        assert!(part.value <= 1000, "{part:?}");
    }
}

/// A name is the person's and no part of what the index holds; what stands for somebody in it are the two ids. With
/// all of them drawn anew, who is ranked where may change among equals only.
#[test]
fn whatever_anybody_is_called_the_order_is_the_same() {
    let mut world = World::new(3, 800);
    let mut renamed = World::new(3, 800);
    for (number, worker) in renamed.workers.iter_mut().enumerate() {
        worker.id = WorkerId::from_uuid(fresh(2 * number));
        worker.person = PersonId::from_uuid(fresh(2 * number + 1));
    }
    for (before, after) in world.workers.iter().zip(&renamed.workers) {
        let (before, after) = (IndexRecord::of(before), IndexRecord::of(after));
        let (before, after) = (before.unwrap(), after.unwrap());
        let nobody = |record: IndexRecord| IndexRecord {
            worker: WorkerId::from_uuid(Uuid::nil()),
            person: PersonId::from_uuid(Uuid::nil()),
            ..record
        };
        assert_ne!(before.worker, after.worker);
        assert_eq!(nobody(before), nobody(after));
    }
    let mut ranked = 0;
    for number in 0..REQUESTS / 2 {
        // Somebody blocked under one id would not be under another.
        let relations = world.population.relations(number);
        if !relations.blocked.is_empty() || !relations.known.is_empty() {
            continue;
        }
        let (before, after) = (world.answer(number), renamed.answer(number));
        let ranks = |world: &World, answer: &Answer| -> Vec<(u32, u32)> {
            let rank = |scored: &Scored| {
                let mut workers = world.workers.iter();
                let worker = workers.find(|worker| worker.id == scored.worker).unwrap();
                (scored.score, worker.reliability.exposure)
            };
            answer.candidates.iter().map(rank).collect()
        };
        assert_eq!(
            ranks(&world, &before),
            ranks(&renamed, &after),
            "request {number}"
        );
        ranked += before.candidates.len();
    }
    assert!(ranked > 100, "{ranked}");
}

/// An id like no other of the population.
fn fresh(number: usize) -> Uuid {
    let mixed = (number as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    Uuid::from_u128(mixed)
}
