//! How the local host bears load: a steady rate, then twice what it can bear, and an audit of what it answered.

#![allow(
    clippy::indexing_slicing,
    reason = "places are taken modulo the number of places, and JSON gives null where it holds nothing"
)]

mod audit;
mod cast;
mod host;
mod ledger;
mod pace;
mod story;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use serde_json::json;

use host::Host;
use pace::Phase;
use story::Story;

/// Starts the local host as a process of its own with the sample community, finds by a short ramp how many requests a
/// second it can bear, asks half of that for a time and then twice as much, at a pace that does not wait for answers.
/// Then reads back whether everything that was answered is there, once, and whether anything that is due was left.
///
/// Fails for an answer that is neither right nor a 429 or 503, and for anything the audit finds.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:
  cargo build --profile test -p rapport && cargo run --profile test -p rapport-tests --bin load
  cargo run --profile test -p rapport-tests --bin load -- --seconds 10 --bears 100
  cargo run --profile test -p rapport-tests --bin load -- --json")]
struct Arguments {
    /// How long each of the two phases lasts.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// So many requests a second are borne: no ramp.
    #[arg(long)]
    bears: Option<u32>,
    /// The host's program; beside this one unless told.
    #[arg(long)]
    host: Option<PathBuf>,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Where the ramp begins, in requests a second, and how long it stays on each step.
const FIRST_STEP: u32 = 25;
const STEP: Duration = Duration::from_secs(5);
/// A step is borne when 99 of 100 answers come within this time, and next to nothing is turned away.
const BORNE_WITHIN: Duration = Duration::from_secs(1);
const BORNE_TURNED_AWAY: f64 = 0.005;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(faults) if faults.is_empty() => ExitCode::SUCCESS,
        Ok(faults) => {
            for fault in faults {
                eprintln!("load: {fault}");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<Vec<String>, Error> {
    eprintln!("The host starts and makes its community ...");
    let host = Arc::new(Host::start(arguments.host).await?);
    eprintln!("Pairs who know each other are brought together ...");
    let story = Arc::new(Story::new(cast::settle(host.clone()).await?, host.clone()));
    let mut phases = Vec::new();
    let bears = match arguments.bears {
        Some(bears) => bears,
        None => ramp(&story, &mut phases).await?,
    };
    let time = Duration::from_secs(arguments.seconds);
    for (name, rate) in [
        ("steady, half of it", bears / 2),
        ("overload, twice it", bears * 2),
    ] {
        eprintln!("{name}: {rate} requests a second for {time:?} ...");
        phases.push(pace::hold(&story, name, rate.max(1), time).await?);
    }
    eprintln!("What was answered is read back ...");
    let audit = audit::look(&host, &story).await?;
    if arguments.json {
        println!(
            "{:#}",
            json!({"bears": bears, "phases": phases, "audit": audit})
        );
    } else {
        println!("the host bears about {bears} requests a second of the mixed story here");
        pace::print(&phases);
        println!("{}", audit.in_words());
    }
    let wrong = phases.iter().flat_map(|phase| phase.wrong.clone());
    Ok(wrong.chain(audit.faults).collect())
}

/// Half as much again from step to step, until one is too much twice in a row, so that a hiccup of the machine does
/// not count; gives the last rate that was borne.
async fn ramp(story: &Arc<Story>, phases: &mut Vec<Phase>) -> Result<u32, Error> {
    let mut rate = FIRST_STEP;
    let mut borne = FIRST_STEP;
    let mut failed = false;
    loop {
        eprintln!("ramp: {rate} requests a second ...");
        let phase = pace::hold(story, "ramp", rate, STEP).await?;
        let turned_away = phase.turned_away() as f64 / phase.asked as f64;
        let bears = phase.p99 <= BORNE_WITHIN && turned_away <= BORNE_TURNED_AWAY;
        phases.push(phase);
        match (bears, failed) {
            (true, _) => {
                borne = rate;
                rate += rate / 2;
                failed = false;
            }
            (false, false) => failed = true,
            (false, true) => return Ok(borne),
        }
    }
}
