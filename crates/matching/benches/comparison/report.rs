//! What is printed.

use std::time::Duration;

use crate::engines::ShardFacts;
use crate::postgres::Measured;
use crate::scaling::ScalingReport;
use crate::timing::{Times, of_sorted};

/// How many answers are the same as those of the naive evaluator: the same ten in the same order, scores and all.
#[derive(Debug, Clone)]
pub(crate) struct Agreement {
    name: &'static str,
    agreed: usize,
    asked: usize,
    full: usize,
    first_to_differ: Option<usize>,
}

impl Agreement {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            agreed: 0,
            asked: 0,
            full: 0,
            first_to_differ: None,
        }
    }

    pub(crate) fn note(&mut self, number: usize, agrees: bool, found: usize) {
        self.asked += 1;
        self.agreed += usize::from(agrees);
        self.full += usize::from(found == 10);
        if !agrees && self.first_to_differ.is_none() {
            self.first_to_differ = Some(number);
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.agreed == self.asked
    }
}

/// How the engine goes by, as the product uses it.
pub(crate) const SHARDS: &str = "engine, shards";

/// One size.
pub(crate) struct SizeReport {
    pub(crate) workers: u64,
    pub(crate) requests: usize,
    pub(crate) times: Vec<Times>,
    /// None where it was left out.
    pub(crate) postgres: Option<Measured>,
    pub(crate) agreements: Vec<Agreement>,
    /// Support workers filed under the neighbourhood of a request, in the mean.
    pub(crate) filed: f64,
    pub(crate) making: Duration,
    pub(crate) one_segment: (Duration, usize),
    pub(crate) shards: ShardFacts,
}

impl SizeReport {
    /// The mean time of a contender beside the limit's for the same requests.
    fn ratio(&self, times: &Times) -> f64 {
        let limit = self.times.first().map(|limit| limit.among(times).mean());
        times.mean() / limit.unwrap_or(f64::NAN)
    }

    /// How many times as long PostgreSQL takes as the engine through shards, in the mean and at p99, for the same
    /// requests.
    fn beside_postgres(&self) -> Option<(f64, f64)> {
        let postgres = &self.postgres.as_ref()?.times;
        let engine = self.times.iter().find(|times| times.name == SHARDS)?;
        let engine = engine.among(postgres);
        let p99 = postgres.percentile(99) / engine.percentile(99);
        Some((postgres.mean() / engine.mean(), p99))
    }

    fn all_times(&self) -> impl Iterator<Item = &Times> {
        let postgres = self.postgres.iter().map(|measured| &measured.times);
        self.times.iter().chain(postgres)
    }

    pub(crate) fn print(&self) {
        println!(
            "\n{} support workers, {} requests, {:.0} filed under a request's neighbourhood in the mean",
            self.workers, self.requests, self.filed
        );
        println!(
            "{:24} {:>10} {:>10} {:>10} {:>12} {:>9}",
            "", "p50 µs", "p99 µs", "mean µs", "requests/s", "limit ×"
        );
        for times in self.all_times() {
            println!(
                "{:24} {:>10.1} {:>10.1} {:>10.1} {:>12.0} {:>9.2}",
                times.name,
                times.percentile(50) * 1e6,
                times.percentile(99) * 1e6,
                times.mean() * 1e6,
                1.0 / times.mean(),
                self.ratio(times)
            );
        }
        for agreement in &self.agreements {
            let differs = agreement
                .first_to_differ
                .map(|number| format!("; request {number} is the first to differ"));
            println!(
                "{:24} agrees on {} of {} requests, {} of them with ten candidates{}",
                agreement.name,
                agreement.agreed,
                agreement.asked,
                agreement.full,
                differs.unwrap_or_default()
            );
        }
        match &self.postgres {
            Some(of) => println!(
                "PostgreSQL {}: {}; the first {} requests; agrees on {} of the {} that ask for nothing it leaves out",
                of.version, of.best_way, of.asked, of.agreed.0, of.agreed.1
            ),
            None => println!("PostgreSQL was left out, or is not installed"),
        }
        if let Some((mean, p99)) = self.beside_postgres() {
            println!(
                "PostgreSQL takes {mean:.0} times as long as the engine through shards, {p99:.0} times at p99"
            );
        }
        let of = &self.shards;
        println!(
            "{} shards, {} entries, {:.0} bytes each ({:.0} in the largest, of {} entries), built at {:.0} entries/s \
             on {} threads; open in {:.0} µs (p50), {:.0} µs (p99)",
            of.shards,
            of.entries,
            of.bytes_per_entry(),
            of.largest.1,
            of.largest.0,
            of.entries as f64 / of.building.as_secs_f64(),
            crate::THREADS,
            of_sorted(&of.opening, 50) * 1e6,
            of_sorted(&of.opening, 99) * 1e6,
        );
        println!(
            "one segment: {:.0} bytes a support worker, built at {:.0} a second; a support worker is made in {:.1} µs",
            self.one_segment.1 as f64 / self.workers as f64,
            self.workers as f64 / self.one_segment.0.as_secs_f64(),
            self.making.as_secs_f64() * 1e6
        );
    }
}

pub(crate) fn print_json(reports: &[SizeReport], scaling: Option<&ScalingReport>) {
    let sizes = reports.iter().map(|report| {
        let of = &report.shards;
        serde_json::json!({
            "workers": report.workers,
            "requests": report.requests,
            "filed": report.filed,
            "contenders": report.all_times().map(|times| serde_json::json!({
                "name": times.name,
                "p50_us": times.percentile(50) * 1e6,
                "p99_us": times.percentile(99) * 1e6,
                "mean_us": times.mean() * 1e6,
                "times_the_limit": report.ratio(times),
            })).collect::<Vec<_>>(),
            "postgres_beside_shards": report.beside_postgres(),
            "agreements": report.agreements.iter().map(|agreement| serde_json::json!({
                "name": agreement.name,
                "agreed": agreement.agreed,
                "asked": agreement.asked,
            })).collect::<Vec<_>>(),
            "shards": {
                "count": of.shards,
                "entries": of.entries,
                "bytes_per_entry": of.bytes_per_entry(),
                "bytes_per_entry_of_largest": of.largest.1,
                "opening_p50_us": of_sorted(&of.opening, 50) * 1e6,
                "opening_p99_us": of_sorted(&of.opening, 99) * 1e6,
            },
        })
    });
    let sizes: Vec<_> = sizes.collect();
    let scaling = scaling.map(ScalingReport::json);
    println!(
        "{}",
        serde_json::json!({"sizes": sizes, "scaling": scaling})
    );
}
