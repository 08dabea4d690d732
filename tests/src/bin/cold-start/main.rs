//! How long the functions take to start: from the process to the first request for work, and to the first answer.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a measurement that cannot go on says so by panicking"
)]

mod events;
mod lambda;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Parser;
use dynoxide::Database;
use serde_json::json;
use store::Store;

use events::Function;
use lambda::Started;

/// Builds every function as it ships, and an empty one in the same way; starts each many times in turn with the empty
/// one, against a Lambda Runtime API and a table on this machine; prints medians and their ratios.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:
  cargo run -p rapport-tests --bin cold-start                          every function, 21 pairs of starts
  cargo run -p rapport-tests --bin cold-start -- --only proposal,expiry --runs 5
  cargo run -p rapport-tests --bin cold-start -- --set RAPPORT_WARMING=off
  cargo run -p rapport-tests --bin cold-start -- --built --json        what was built before, for programs")]
struct Arguments {
    /// So many pairs of starts of each function.
    #[arg(long, default_value_t = 21)]
    runs: usize,
    /// Only these functions, by name.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Settings for the functions, beyond those that they need.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Measures what was built before.
    #[arg(long)]
    built: bool,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

const TABLE: &str = "rapport";
/// What is asked for: no function takes longer to its first request for work than so many empty ones.
const MOST_TIMES: f64 = 6.0;

/// One function's medians; times in milliseconds.
#[derive(Debug, serde::Serialize)]
struct Row {
    function: String,
    bytes: u64,
    to_next: f64,
    empty_to_next: f64,
    times_empty: f64,
    first_answer: f64,
    second_answer: f64,
    status: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(kept) if kept => ExitCode::SUCCESS,
        Ok(_) => {
            eprintln!(
                "cold-start: a function takes more than {MOST_TIMES} times as long as an empty one"
            );
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("cold-start: {error}");
            ExitCode::FAILURE
        }
    }
}

type Error = Box<dyn std::error::Error>;

async fn run(arguments: Arguments) -> Result<bool, Error> {
    let mut functions = events::functions();
    if !arguments.only.is_empty() {
        functions.retain(|function| arguments.only.contains(&function.name));
        if functions.len() < arguments.only.len() {
            return Err("--only names a function that there is not".into());
        }
    }
    if !arguments.built {
        build(&functions)?;
    }
    let (dynamodb, table) = rapport::embedded::loopback(Database::memory()?).await?;
    Store::new(dynamodb, TABLE).create_table_if_absent().await?;
    let mut environment = lambda::environment(TABLE, &table.endpoint());
    for set in &arguments.set {
        let (name, value) = set.split_once('=').ok_or("--set takes NAME=VALUE")?;
        environment.push((name.to_owned(), value.to_owned()));
    }
    let folder = target().join("lambda");
    let empty = folder.join("examples").join("empty");
    let mut rows = Vec::new();
    for function in &functions {
        eprintln!("{} ...", function.name);
        let binary = folder.join(&function.name);
        let mut starts = Vec::new();
        let mut empty_starts = Vec::new();
        for _ in 0..arguments.runs {
            empty_starts.push(lambda::start(&empty, &environment, &json!({})).await?);
            starts.push(lambda::start(&binary, &environment, &function.event).await?);
        }
        rows.push(row(&binary, function, &starts, &empty_starts)?);
    }
    let empty_bytes = std::fs::metadata(&empty)?.len();
    if arguments.json {
        println!(
            "{:#}",
            json!({"empty_bytes": empty_bytes, "functions": rows})
        );
    } else {
        print(&rows, empty_bytes, arguments.runs);
    }
    Ok(rows.iter().all(|row| row.times_empty <= MOST_TIMES))
}

fn row(
    binary: &Path,
    function: &Function,
    starts: &[Started],
    empty_starts: &[Started],
) -> Result<Row, Error> {
    let of = |starts: &[Started], which: fn(&Started) -> f64| median(starts.iter().map(which));
    let to_next = of(starts, |start| start.to_next);
    let empty_to_next = of(empty_starts, |start| start.to_next);
    Ok(Row {
        function: function.name.clone(),
        bytes: std::fs::metadata(binary)?.len(),
        to_next,
        empty_to_next,
        times_empty: to_next / empty_to_next,
        first_answer: of(starts, |start| start.first_answer),
        second_answer: of(starts, |start| start.second_answer),
        status: starts
            .first()
            .map(|start| start.status.clone())
            .unwrap_or_default(),
    })
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn print(rows: &[Row], empty_bytes: u64, runs: usize) {
    let megabytes = |bytes: u64| bytes as f64 / 1_048_576.0;
    println!(
        "medians of {runs} pairs of starts; the empty function has {:.2} MB",
        megabytes(empty_bytes)
    );
    println!(
        "{:18} {:>7} {:>12} {:>9} {:>8} {:>12} {:>13}  answered",
        "function", "MB", "to next ms", "empty ms", "ratio", "1st answer", "2nd answer ms"
    );
    for row in rows {
        println!(
            "{:18} {:>7.2} {:>12.2} {:>9.2} {:>8.2} {:>12.2} {:>13.2}  {}",
            row.function,
            megabytes(row.bytes),
            row.to_next,
            row.empty_to_next,
            row.times_empty,
            row.first_answer,
            row.second_answer,
            row.status
        );
    }
}

fn build(functions: &[Function]) -> Result<(), Error> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.args([
        "build",
        "--locked",
        "--profile",
        "lambda",
        "--features",
        "lambda",
    ]);
    command.args(["-p", "rapport-functions", "-p", "rapport-index-builder"]);
    command.args(["--example", "empty"]);
    for function in functions {
        command.args(["--bin", &function.name]);
    }
    if command.status()?.success() {
        Ok(())
    } else {
        Err("the functions were not built".into())
    }
}

/// Where this program was built, and the functions are.
fn target() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    program.ancestors().nth(2).unwrap().to_owned()
}
