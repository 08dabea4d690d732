//! The engine against the rules as written, and against damaged bytes.

mod samples;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use chrono::NaiveDate;
use domain::availability::Exception;
use domain::eligibility::{Asked, Relations, judge, judge_record};
use domain::id::{MatchRequestId, WorkerId};
use domain::packed::IndexRecord;
use domain::place::{Area, cover};
use domain::support_worker::{SupportWorker, WorkerState};
use proptest::prelude::*;
use uuid::Uuid;

use crate::{
    BuiltShard, Limits, OpenShardError, Query, Scored, SearchShardError, Shard, ShardCache,
    Weights, build_shard, contributions, explain, top,
};
use samples::Samples;

const LIMITS: Limits = Limits {
    shortlist: 5,
    reserve: 5,
};

/// Who stands in the rows of the cell.
fn in_cell(workers: &[SupportWorker]) -> Vec<IndexRecord> {
    let cell = samples::centre().cell();
    workers
        .iter()
        .filter(|worker| {
            let area = worker.profile.service_area.as_ref().unwrap();
            cover(area.base.latitude, area.base.longitude, area.radius_km).contains(&cell)
        })
        .filter_map(IndexRecord::of)
        .collect()
}

fn built(records: &[IndexRecord]) -> BuiltShard {
    build_shard(samples::centre().cell(), records).unwrap()
}

fn relations(samples: &mut Samples, workers: &[SupportWorker]) -> Relations {
    let mut some = || -> BTreeSet<WorkerId> {
        workers
            .iter()
            .filter(|_| samples.one_in(20))
            .map(|worker| worker.id)
            .collect()
    };
    Relations {
        blocked: some(),
        known: some(),
        own: workers.iter().take(2).map(|worker| worker.person).collect(),
    }
}

/// Everybody whom the written rules admit, ranked by the written criteria, one after the other.
fn by_the_book(
    query: Query<'_>,
    records: &[IndexRecord],
    weights: &Weights,
    most: usize,
) -> Vec<Scored> {
    let mut ranked: Vec<_> = records
        .iter()
        .filter(|record| judge_record(query.asked, record, query.relations).is_eligible())
        .filter(|record| !query.relations.known.contains(&record.worker))
        .map(|record| {
            let contributions = contributions(query.asked, record, weights);
            let scored = Scored {
                worker: record.worker,
                score: contributions.iter().map(|part| part.points).sum(),
                contributions,
            };
            let lot = top::lot(query.request, record.worker);
            let rank = (Reverse(scored.score), record.reliability.exposure, lot);
            (rank, scored)
        })
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.truncate(most);
    ranked.into_iter().map(|(_, scored)| scored).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Whoever the compiled plan admits, and nobody else, with the same scores, parts of scores and order.
    #[test]
    fn the_plan_finds_whom_the_rules_and_criteria_find(seed in any::<u64>(), few in any::<bool>()) {
        let mut samples = Samples::new(seed);
        let mut workers = samples.workers(300);
        // Some are as good as others in everything: only lots tell them apart.
        workers.extend(samples.doubles(&workers[..60]));
        let weights = samples.weights();
        let records = in_cell(&workers);
        let shards = [
            Shard::open(built(&records).bytes).unwrap(),
            Shard::open(build_shard(Area::Everywhere, &records).unwrap().bytes).unwrap(),
        ];
        let relations = relations(&mut samples, &workers);
        // With few wanted most are dropped by their bound; with everybody wanted nobody is.
        let limits = if few { LIMITS } else { Limits { shortlist: 200, reserve: 200 } };
        for number in 0..12 {
            let asked = Asked::of(&samples.request(), samples::now());
            let query = Query {
                request: MatchRequestId::from_uuid(Uuid::from_u128(number)),
                asked: &asked,
                relations: &relations,
            };
            let expected = by_the_book(query, &records, &weights, limits.shortlist + limits.reserve);
            for shard in &shards {
                let found = shard.search(query, &weights, limits).unwrap();
                prop_assert_eq!(&found.candidates, &expected);
            }
            for scored in &expected {
                let points: u32 = scored.contributions.iter().map(|part| part.points).sum();
                prop_assert_eq!(points, scored.score);
                let worker = workers.iter().find(|worker| worker.id == scored.worker).unwrap();
                let account = explain::for_staff(&asked, worker, &relations, &weights);
                prop_assert_eq!(account.score, scored.score);
                prop_assert_eq!(account.broken, vec![]);
            }
        }
    }

    /// The packed profile judges like the live record.
    #[test]
    fn what_is_packed_judges_like_the_profile(seed in any::<u64>()) {
        let mut samples = Samples::new(seed);
        let workers = samples.workers(120);
        let shard = Shard::open(built(&in_cell(&workers)).bytes).unwrap();
        let relations = relations(&mut samples, &workers);
        for _ in 0..12 {
            let asked = Asked::of(&samples.request(), samples::now());
            for record in shard.records().unwrap() {
                let worker = workers.iter().find(|worker| worker.id == record.worker).unwrap();
                prop_assert_eq!(
                    judge_record(&asked, &record, &relations),
                    judge(&asked, worker, &relations)
                );
            }
        }
    }
}

#[test]
fn the_engine_finds_somebody_often_enough_for_these_tests_to_mean_something() {
    let mut samples = Samples::new(7);
    let workers = samples.workers(300);
    let shard = Shard::open(built(&in_cell(&workers)).bytes).unwrap();
    let relations = relations(&mut samples, &workers);
    let mut full = 0;
    let mut reported = 0;
    for _ in 0..100 {
        let asked = Asked::of(&samples.request(), samples::now());
        let query = Query {
            request: MatchRequestId::from_uuid(Uuid::nil()),
            asked: &asked,
            relations: &relations,
        };
        let found = shard.search(query, &Weights::default(), LIMITS).unwrap();
        full += usize::from(found.candidates.len() >= LIMITS.shortlist);
        reported += usize::from(!found.misses.removed.is_empty());
        assert_eq!(
            found.misses.removed.is_empty(),
            found.candidates.len() >= LIMITS.shortlist
        );
        for count in &found.misses.removed {
            assert!(count.alone <= count.removes && count.removes <= found.considered);
        }
    }
    assert!(
        full >= 20 && reported >= 20,
        "{full} full, {reported} reported"
    );
}

#[test]
fn records_read_back_and_a_version_names_the_content() {
    let mut samples = Samples::new(1);
    let mut records = in_cell(&samples.workers(80));
    let shard = built(&records);
    let mut read = Shard::open(shard.bytes).unwrap().records().unwrap();
    read.sort_by_key(|record| record.worker);
    records.sort_by_key(|record| record.worker);
    assert_eq!(read, records);
    records.reverse();
    assert_eq!(built(&records).version, shard.version);
    records[0].skills ^= 1;
    assert_ne!(built(&records).version, shard.version);
}

#[test]
fn a_shard_opens_from_whatever_holds_its_bytes() {
    let mut samples = Samples::new(8);
    let bytes = built(&in_cell(&samples.workers(30))).bytes;
    let shared: std::sync::Arc<[u8]> = bytes.as_slice().into();
    let shard = Shard::open(std::sync::Arc::clone(&shared)).unwrap();
    let owned = Shard::open(bytes).unwrap();
    assert_eq!(shard.records().unwrap(), owned.records().unwrap());
    assert_eq!(shard.size(), shared.len());
    let some = owned.records().unwrap().remove(0);
    assert_eq!(shard.record_of(some.worker).unwrap(), Some(some));
}

#[test]
fn what_is_listed_in_any_order_and_at_any_date_reads_back() {
    let mut samples = Samples::new(9);
    let mut records = in_cell(&samples.workers(60));
    for (number, record) in records.iter_mut().enumerate() {
        record.services.reverse();
        record.certifications.reverse();
        record.checks_until = [
            None,
            NaiveDate::from_ymd_opt(1899, 12, 31),
            NaiveDate::from_ymd_opt(2019, 12, 31),
        ][number % 3];
        record.working_since = [
            NaiveDate::from_ymd_opt(2020, 1, 1),
            NaiveDate::from_ymd_opt(1970, 1, 1),
            None,
        ][number % 3];
        record.exceptions.push(Exception::Away {
            first: NaiveDate::from_ymd_opt(2031, 5, 1).unwrap(),
            last: NaiveDate::from_ymd_opt(2030, 5, 1).unwrap(),
        });
        record.worked_days = u32::MAX;
        record.reliability.answer_minutes = u32::MAX;
    }
    let mut read = Shard::open(built(&records).bytes)
        .unwrap()
        .records()
        .unwrap();
    read.sort_by_key(|record| record.worker);
    records.sort_by_key(|record| record.worker);
    assert_eq!(read, records);
}

#[test]
fn an_empty_shard_opens_and_finds_nobody() {
    let shard = Shard::open(built(&[]).bytes).unwrap();
    let mut samples = Samples::new(2);
    let asked = Asked::of(&samples.request(), samples::now());
    let relations = relations(&mut samples, &[]);
    let query = Query {
        request: MatchRequestId::from_uuid(Uuid::nil()),
        asked: &asked,
        relations: &relations,
    };
    let found = shard.search(query, &Weights::default(), LIMITS).unwrap();
    assert_eq!((found.candidates.len(), found.considered), (0, 0));
    assert_eq!(shard.records().unwrap(), []);
}

#[test]
fn a_place_in_another_cell_is_refused_rather_than_answered_in_part() {
    let mut samples = Samples::new(6);
    let shard = Shard::open(built(&in_cell(&samples.workers(20))).bytes).unwrap();
    let mut details = samples.request();
    details.place.latitude += 2.0;
    let asked = Asked::of(&details, samples::now());
    let relations = relations(&mut samples, &[]);
    let query = Query {
        request: MatchRequestId::from_uuid(Uuid::nil()),
        asked: &asked,
        relations: &relations,
    };
    let refused = shard.search(query, &Weights::default(), LIMITS);
    assert!(matches!(refused, Err(SearchShardError::OtherCell)));
}

#[test]
fn torn_and_damaged_bytes_never_open() {
    let mut samples = Samples::new(3);
    let bytes = built(&in_cell(&samples.workers(40))).bytes;
    for _ in 0..400 {
        let mut damaged = bytes.clone();
        let place = samples.below(bytes.len());
        if samples.one_in(2) {
            damaged.truncate(place);
        } else {
            damaged[place] ^= 1 << samples.below(8);
        }
        assert!(Shard::open(damaged).is_err(), "damaged at {place}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(matches!(
        Shard::open(longer),
        Err(OpenShardError::Container(_))
    ));
    assert!(Shard::open(bytes).is_ok());
}

#[test]
fn who_is_not_active_is_explained_but_not_indexed() {
    let mut samples = Samples::new(4);
    let mut worker = samples.workers(1).remove(0);
    worker.state = WorkerState::Paused;
    assert_eq!(IndexRecord::of(&worker), None);
    let asked = Asked::of(&samples.request(), samples::now());
    let relations = relations(&mut samples, &[]);
    let account = explain::for_staff(&asked, &worker, &relations, &Weights::default());
    assert_eq!(
        account.broken.first(),
        Some(&domain::eligibility::Rule::Active)
    );
    assert!(account.words()[0].starts_with("Not met: Active"));
}

#[test]
fn the_cache_stays_within_its_bound_and_keeps_what_is_used() {
    let mut samples = Samples::new(5);
    let shards: Vec<BuiltShard> = (0..3)
        .map(|_| built(&in_cell(&samples.workers(20))))
        .collect();
    let largest = shards.iter().map(|shard| shard.bytes.len()).max().unwrap();
    let cache = ShardCache::new(largest * 2);
    let put = |at: usize| {
        let shard = Shard::open(shards[at].bytes.clone()).unwrap();
        cache.insert(&shards[at].version, shard)
    };
    put(0);
    put(1);
    assert!(cache.get(&shards[0].version).is_some());
    let held = put(2);
    assert!(cache.get(&shards[1].version).is_none(), "longest unused");
    assert!(cache.get(&shards[0].version).is_some());
    assert_eq!(cache.get(&shards[2].version).unwrap().size(), held.size());
}
