//! What a request costs where there are ten times the places, and where ten times as many live in the same places.

use domain::packed::IndexRecord;
use population::Layout;
use rapport_matching::Weights;
use serde_json::{Value, json};

use crate::engines::Shards;
use crate::limit::Around;
use crate::timing::{self, Contender};
use crate::world::{Prepared, World};
use crate::{Arguments, Error};

/// One population, through shards as the product uses them.
struct Scaled {
    name: &'static str,
    workers: u64,
    requests: Vec<Prepared>,
    shards: Shards,
    /// Support workers filed under a request's neighbourhood, in the mean.
    filed: f64,
}

/// What a request took in the mean, in each of the three.
pub(crate) struct ScalingReport {
    rows: Vec<(&'static str, u64, f64, f64)>,
}

impl Scaled {
    fn new(
        arguments: &Arguments,
        name: &'static str,
        workers: u64,
        regions: u32,
    ) -> Result<Self, Error> {
        let layout = Layout { regions };
        let world = World::new(
            arguments.seed,
            workers,
            layout,
            arguments.requests,
            (false, false),
        )?;
        let cells = world.requests.iter().map(|request| request.asked.cell);
        let shards = Shards::of_cells(&world.records, &cells.collect())?;
        Ok(Self {
            name,
            workers,
            filed: filed(&world.records, &world.requests),
            requests: world.requests,
            shards,
        })
    }
}

/// Counted straight from the people, as no array is at hand here.
fn filed(records: &[IndexRecord], requests: &[Prepared]) -> f64 {
    let mut asked = std::collections::HashMap::new();
    for request in requests {
        *asked
            .entry(request.asked.position.neighbourhood())
            .or_insert(0_u64) += 1;
    }
    let mut around = Around::default();
    let of = |record| -> u64 {
        let reached = around.reached_by(record);
        reached
            .filter_map(|neighbourhood| asked.get(&neighbourhood))
            .sum()
    };
    let sum: u64 = records.iter().map(of).sum();
    sum as f64 / requests.len() as f64
}

/// Measures the three in turn, in one run.
pub(crate) fn measure(arguments: &Arguments, workers: u64) -> Result<ScalingReport, Error> {
    let regions = arguments.regions;
    let worlds = [
        Scaled::new(arguments, "as it is", workers, regions)?,
        Scaled::new(
            arguments,
            "ten times the places",
            10 * workers,
            10 * regions,
        )?,
        Scaled::new(arguments, "ten times the density", 10 * workers, regions)?,
    ];
    let weights = Weights::default();
    let contenders: Vec<Contender<'_>> = worlds
        .iter()
        .map(|world| Contender {
            name: world.name,
            answer: Box::new(|number| {
                let found = world.shards.search(&world.requests[number], &weights)?;
                Ok(found.map_or(0, |found| found.candidates.len()))
            }),
        })
        .collect();
    let requests = usize::try_from(arguments.requests)?;
    let times = timing::take(&contenders, requests, usize::try_from(arguments.rounds)?)?;
    let rows = worlds.iter().zip(&times);
    Ok(ScalingReport {
        rows: rows
            .map(|(world, times)| (world.name, world.workers, world.filed, times.mean()))
            .collect(),
    })
}

impl ScalingReport {
    /// Name, support workers, how many of them are filed under a request's neighbourhood and how that grew, how the
    /// mean time of a request grew.
    fn growth(&self) -> impl Iterator<Item = (&'static str, u64, f64, f64, f64)> {
        let base = self.rows.first().map_or((1.0, 1.0), |row| (row.2, row.3));
        let rows = self.rows.iter();
        rows.map(move |(name, workers, filed, mean)| {
            (*name, *workers, *filed, filed / base.0, mean / base.1)
        })
    }

    pub(crate) fn print(&self) {
        println!("\nThrough shards, mean time of a request beside the first line's");
        println!(
            "{:24} {:>16} {:>18} {:>9} {:>9}",
            "", "support workers", "filed around one", "growth", "time ×"
        );
        for (name, workers, filed, growth, time) in self.growth() {
            println!("{name:24} {workers:>16} {filed:>18.0} {growth:>9.2} {time:>9.2}");
        }
    }

    pub(crate) fn json(&self) -> Value {
        let rows = self.growth().map(|(name, workers, filed, growth, time)| {
            json!({"name": name, "workers": workers, "filed": filed, "growth": growth, "time": time})
        });
        Value::Array(rows.collect())
    }
}
