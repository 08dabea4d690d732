//! The index builder as a command: rebuilds shards and holds them against the live records.

mod generate;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anstream::{eprintln, println};
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use clap::{Args, Parser, Subcommand};
use domain::place::Cell;
use indicatif::{ProgressBar, ProgressStyle};
use platform::blobs::FolderBlobs;
use platform::clock::SystemClock;
use platform::ids::IdSource;
use rapport_index_builder::{Built, CellReport, IndexBuilder, cells, verify};
use serde_json::json;
use store::Store;

type Error = Box<dyn std::error::Error>;

/// Builds index shards from the table, and checks them against it.
#[derive(Debug, Parser)]
#[command(
    after_help = "Examples, while `cargo run` is serving (it prints where its table is):
  index-builder --endpoint http://127.0.0.1:43210 --blobs data/rapport.db.blobs verify
  index-builder --endpoint http://127.0.0.1:43210 --blobs data/rapport.db.blobs rebuild
  index-builder --endpoint http://127.0.0.1:43210 --blobs data/rapport.db.blobs rebuild 84be0a3ffffffff

Without a table:
  index-builder generate --workers 10000 --requests 1000 --shards --into people"
)]
struct Arguments {
    #[command(flatten)]
    place: PlaceArguments,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
struct PlaceArguments {
    /// Where the table is served.
    #[arg(long)]
    endpoint: Option<String>,
    /// The table's name.
    #[arg(long, default_value = "rapport")]
    table: String,
    /// The folder that holds the shards.
    #[arg(long)]
    blobs: Option<PathBuf>,
    /// Print JSON rather than words.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Rebuild the shards of these cells, or of every cell that has one.
    Rebuild {
        /// H3 cells of resolution 4, as hexadecimal text.
        cells: Vec<Cell>,
    },
    /// Compare every shard with the live records; fails where one differs.
    Verify,
    /// Make invented support workers and match requests, as many as are wanted, and an index of them; needs no table.
    Generate(generate::Generate),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("index-builder: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all is well.
async fn run(Arguments { place, command }: Arguments) -> Result<bool, Error> {
    match command {
        Command::Generate(generate) => {
            generate::run(&generate, place.json)?;
            Ok(true)
        }
        Command::Rebuild { cells } => rebuild(&builder(&place)?, cells, place.json).await,
        Command::Verify => {
            let reports = verify(&builder(&place)?).await?;
            print_reports(&reports, place.json);
            Ok(reports.iter().all(CellReport::is_faithful))
        }
    }
}

fn builder(place: &PlaceArguments) -> Result<IndexBuilder, Error> {
    let (Some(endpoint), Some(blobs)) = (&place.endpoint, &place.blobs) else {
        return Err(
            "say where the table is with --endpoint, and where the shards are with --blobs".into(),
        );
    };
    // A table served without TLS is on this machine, and does not look at credentials.
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new(
            "local",
            "local",
            None,
            None,
            "command line",
        ))
        .endpoint_url(endpoint)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::disabled())
        .build();
    let clock = Arc::new(SystemClock);
    Ok(IndexBuilder {
        store: Store::new(aws_sdk_dynamodb::Client::from_conf(config), &place.table),
        blobs: Arc::new(FolderBlobs::open(blobs)?),
        ids: Arc::new(IdSource::from_os(clock.clone())?),
        clock,
    })
}

async fn rebuild(builder: &IndexBuilder, named: Vec<Cell>, as_json: bool) -> Result<bool, Error> {
    let cells = if named.is_empty() {
        cells(builder).await?
    } else {
        named
    };
    let bar = ProgressBar::new(cells.len().try_into()?);
    bar.set_style(ProgressStyle::with_template(
        "{bar:40} {pos}/{len} shards, {per_sec}, {eta} left",
    )?);
    bar.enable_steady_tick(Duration::from_millis(200));
    let mut published: usize = 0;
    for cell in &cells {
        published = published.saturating_add(usize::from(
            builder.rebuild(*cell).await? == Built::Published,
        ));
        bar.inc(1);
    }
    bar.finish_and_clear();
    if as_json {
        println!("{}", json!({"cells": cells.len(), "published": published}));
    } else {
        println!(
            "{} shards looked at, {published} published anew",
            cells.len()
        );
    }
    Ok(true)
}

fn print_reports(reports: &[CellReport], as_json: bool) {
    if as_json {
        println!("{}", json!(reports));
        return;
    }
    for report in reports.iter().filter(|report| !report.is_faithful()) {
        println!("cell {}", report.cell);
        for (what, workers) in [
            ("missing from the shard", &report.missing),
            ("only in the shard", &report.ghosts),
            ("not up to date", &report.stale),
        ] {
            for worker in workers {
                println!("  {worker} {what}");
            }
        }
        if let Some(damage) = &report.damage {
            println!("  damaged: {damage}");
        }
    }
    let faithful = reports.iter().filter(|report| report.is_faithful()).count();
    let workers: usize = reports.iter().map(|report| report.workers).sum();
    println!(
        "{faithful} of {} shards say what the table says ({workers} entries)",
        reports.len()
    );
}
