//! The people and requests of one size, made once; nobody's profile is kept longer than it is looked at.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use domain::eligibility::{Asked, Relations};
use domain::id::{MatchRequestId, WorkerId};
use domain::match_request::MatchRequestDetails;
use domain::packed::IndexRecord;
use population::{Layout, Population};
use rapport_matching::Query;

use crate::Error;
use crate::naive::{Seeking, Shown};
use crate::progress::Progress;
use crate::text::{TextSearch, Texts};

/// A request as everybody is asked it.
pub(crate) struct Prepared {
    pub(crate) id: MatchRequestId,
    pub(crate) details: MatchRequestDetails,
    pub(crate) asked: Asked,
    pub(crate) relations: Relations,
}

impl Prepared {
    pub(crate) fn query(&self) -> Query<'_> {
        Query {
            request: self.id,
            asked: &self.asked,
            relations: &self.relations,
        }
    }
}

/// The best ten with their scores, in order.
pub(crate) type TenBest = Vec<(WorkerId, u32)>;

pub(crate) struct World {
    pub(crate) records: Vec<IndexRecord>,
    pub(crate) requests: Vec<Prepared>,
    /// What the naive evaluator finds for each request.
    pub(crate) expected: Vec<TenBest>,
    pub(crate) texts: Option<TextSearch>,
    /// How long one support worker takes to make.
    pub(crate) making: Duration,
}

/// People made before their number is drawn anew.
const BATCH: u64 = 256;

impl World {
    /// Makes everybody, and has the naive evaluator look at each where `naively`.
    pub(crate) fn new(
        seed: u64,
        workers: u64,
        layout: Layout,
        requests: u64,
        (naively, texts): (bool, bool),
    ) -> Result<Self, Error> {
        let population = Population::new(seed, workers, layout);
        let requests: Vec<Prepared> = (0..requests)
            .map(|number| {
                let details = population.request(number);
                Prepared {
                    id: population.request_id(number),
                    asked: Asked::of(&details, population.now()),
                    relations: population.relations(number),
                    details,
                }
            })
            .collect();
        let texts = if texts { Some(Texts::new()?) } else { None };
        let progress = Progress::new("people made", workers);
        let next = AtomicU64::new(0);
        let parts = thread::scope(|scope| {
            let make = || {
                make_some(
                    &population,
                    &requests,
                    naively,
                    texts.as_ref(),
                    &next,
                    &progress,
                )
            };
            let threads: Vec<_> = (0..crate::THREADS).map(|_| scope.spawn(make)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().map_err(|_| "a thread failed")?)
                .collect::<Result<Vec<Part>, Error>>()
        })?;
        progress.finish();
        let mut records = Vec::with_capacity(usize::try_from(workers)?);
        let mut seeking: Vec<Seeking> = vec![];
        for part in parts {
            records.extend(part.records);
            if seeking.is_empty() {
                seeking = part.seeking;
            } else {
                for (one, other) in seeking.iter_mut().zip(part.seeking) {
                    one.join(other);
                }
            }
        }
        let expected = seeking.iter().map(Seeking::ten).collect();
        Ok(Self {
            records,
            expected,
            texts: texts.map(Texts::finish).transpose()?,
            making: time_making(&population),
            requests,
        })
    }
}

struct Part<'a> {
    records: Vec<IndexRecord>,
    seeking: Vec<Seeking<'a>>,
}

fn make_some<'a>(
    population: &Population,
    requests: &'a [Prepared],
    naively: bool,
    texts: Option<&Texts>,
    next: &AtomicU64,
    progress: &Progress,
) -> Result<Part<'a>, Error> {
    let seeking = requests.iter().filter(|_| naively);
    let seeking = seeking.map(|request| {
        Seeking::new(
            request.id,
            &request.details,
            &request.relations,
            population.now(),
        )
    });
    let mut part = Part {
        records: vec![],
        seeking: seeking.collect(),
    };
    loop {
        let first = next.fetch_add(BATCH, Ordering::Relaxed);
        if first >= population.workers() {
            return Ok(part);
        }
        let behind = population.workers().min(first + BATCH);
        for number in first..behind {
            let worker = population.worker(number);
            let shown = Shown::new(&worker);
            for seeking in &mut part.seeking {
                seeking.look_at(&shown);
            }
            if let Some(texts) = texts {
                texts.add(&worker)?;
            }
            part.records.extend(IndexRecord::of(&worker));
        }
        progress.add(behind - first);
    }
}

fn time_making(population: &Population) -> Duration {
    const SOME: u32 = 2000;
    let started = Instant::now();
    for number in 0..u64::from(SOME) {
        std::hint::black_box(population.worker(number));
    }
    started.elapsed() / SOME
}
