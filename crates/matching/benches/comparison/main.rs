//! How fast matching is, beside what the machine can do at best and beside what one would otherwise build.
//!
//! In one run, for every size: the limit (plain arrays), the engine on one segment, the engine through shards, plain
//! BM25, and PostgreSQL where it is installed. All answers but BM25's are checked against a naive evaluator's. What is
//! printed are ratios of one run; times alone mean little on another machine.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a comparison that cannot go on says so by panicking"
)]

mod engines;
mod limit;
#[path = "../../tests/agreement/naive.rs"]
mod naive;
mod postgres;
mod progress;
mod report;
mod scaling;
mod text;
mod timing;
mod world;

use std::process::ExitCode;

use clap::Parser;
use population::Layout;
use rapport_matching::{Scored, Weights};

use engines::{OneSegment, Shards};
use limit::Columns;
use report::{Agreement, SizeReport};
use text::TextSearch;
use timing::Contender;
use world::{TenBest, World};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// People are made and shards built on so many threads; times are taken on one.
const THREADS: usize = 2;

/// Compares ways to find the ten best support workers for a request.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:
  cargo bench -p rapport-matching --bench comparison
  cargo bench -p rapport-matching --bench comparison -- --sizes 100000 --requests 200 --without-postgres")]
struct Arguments {
    /// How many support workers, one comparison for each number.
    #[arg(long, value_delimiter = ',', default_values_t = [10_000, 100_000, 1_000_000])]
    sizes: Vec<u64>,
    /// How many match requests.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    requests: u64,
    /// What the people and requests are drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Regions that the people live in: the fewer, the denser.
    #[arg(long, default_value_t = Layout::default().regions, value_parser = clap::value_parser!(u32).range(1..))]
    regions: u32,
    /// How often every request is asked of each; its best time counts.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How many support workers to begin with where places and density are scaled; 0 leaves that out.
    #[arg(long, default_value_t = 30_000)]
    scaling: u64,
    /// Leave PostgreSQL out.
    #[arg(long)]
    without_postgres: bool,
    /// Leave plain BM25 out.
    #[arg(long)]
    without_text: bool,
    /// Leave the naive evaluator out, and hold all against the limit alone.
    #[arg(long)]
    without_naive: bool,
    /// Print JSON rather than tables.
    #[arg(long)]
    json: bool,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("comparison: answers differ");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("comparison: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all answers agree.
fn run(arguments: &Arguments) -> Result<bool, Error> {
    let mut agreed = true;
    let mut reports = vec![];
    for size in &arguments.sizes {
        let report = compare(arguments, *size)?;
        agreed &= report.agreements.iter().all(Agreement::is_full);
        if !arguments.json {
            report.print();
        }
        reports.push(report);
    }
    let scaling = match arguments.scaling {
        0 => None,
        workers => Some(scaling::measure(arguments, workers)?),
    };
    if arguments.json {
        report::print_json(&reports, scaling.as_ref());
    } else if let Some(scaling) = scaling {
        scaling.print();
    }
    Ok(agreed)
}

fn compare(arguments: &Arguments, size: u64) -> Result<SizeReport, Error> {
    let layout = Layout {
        regions: arguments.regions,
    };
    let (naively, texts) = (!arguments.without_naive, !arguments.without_text);
    let world = World::new(
        arguments.seed,
        size,
        layout,
        arguments.requests,
        (naively, texts),
    )?;
    let weights = Weights::default();
    let anybody = world.requests.first().ok_or("no requests")?;
    eprintln!("{size} support workers: building");
    let columns = Columns::new(&world.records, &anybody.asked);
    let one = OneSegment::new(&world.records)?;
    let shards = Shards::new(&world.records)?;
    let agreements = agreements(&world, &columns, &one, &shards, &weights)?;
    let queries = world.texts.as_ref().map(|texts| {
        let requests = world.requests.iter();
        requests
            .map(|request| texts.query(&request.details))
            .collect::<Vec<_>>()
    });
    let mut contenders = vec![
        Contender {
            name: "limit: plain arrays",
            answer: Box::new(|number| {
                Ok(columns
                    .search(world.requests[number].query(), &weights)
                    .len())
            }),
        },
        Contender {
            name: "engine, one segment",
            answer: Box::new(|number| {
                Ok(one
                    .search(&world.requests[number], &weights)?
                    .candidates
                    .len())
            }),
        },
        Contender {
            name: report::SHARDS,
            answer: Box::new(|number| {
                let found = shards.search(&world.requests[number], &weights)?;
                Ok(found.map_or(0, |found| found.candidates.len()))
            }),
        },
    ];
    if let (Some(texts), Some(queries)) = (&world.texts, &queries) {
        contenders.push(Contender {
            name: "plain BM25",
            answer: Box::new(|number| TextSearch::search(texts, &queries[number])),
        });
    }
    let rounds = usize::try_from(arguments.rounds)?;
    let times = timing::take(&contenders, world.requests.len(), rounds)?;
    drop(contenders);
    let postgres = if arguments.without_postgres {
        None
    } else {
        postgres::measure(&world)?
    };
    let within_reach = world.requests.iter();
    let within_reach = within_reach.map(|request| columns.filed_under(request.asked.position));
    Ok(SizeReport {
        workers: size,
        requests: world.requests.len(),
        times,
        postgres,
        agreements,
        filed: within_reach.sum::<usize>() as f64 / world.requests.len() as f64,
        making: world.making,
        one_segment: (one.building, one.bytes()),
        shards: shards.facts,
    })
}

/// Holds every contender's answers against the naive evaluator's, or against the limit's where that was left out.
fn agreements(
    world: &World,
    columns: &Columns,
    one: &OneSegment,
    shards: &Shards,
    weights: &Weights,
) -> Result<Vec<Agreement>, Error> {
    let mut of_limit = Agreement::new("limit: plain arrays");
    let mut of_one = Agreement::new("engine, one segment");
    let mut of_shards = Agreement::new(report::SHARDS);
    for (number, request) in world.requests.iter().enumerate() {
        let best = columns.search(request.query(), weights);
        let ten: TenBest = best.iter().map(|best| (best.worker, best.score)).collect();
        let expected = world.expected.get(number).unwrap_or(&ten);
        of_limit.note(number, &ten == expected, ten.len());
        // Not the scores alone: every criterion's value.
        let same = |candidates: &[Scored]| {
            let mut both = candidates.iter().zip(&best);
            candidates.len() == expected.len()
                && candidates
                    .iter()
                    .zip(expected)
                    .all(|(scored, expected)| (scored.worker, scored.score) == *expected)
                && both.all(|(scored, best)| {
                    let values = scored.contributions.iter().map(|part| part.value);
                    values.eq(best.values)
                })
        };
        let found = one.search(request, weights)?;
        of_one.note(number, same(&found.candidates), found.candidates.len());
        let found = shards.search(request, weights)?;
        let candidates = found.map(|found| found.candidates).unwrap_or_default();
        of_shards.note(number, same(&candidates), candidates.len());
    }
    Ok(vec![of_limit, of_one, of_shards])
}
