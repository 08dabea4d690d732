//! The index builder as a command: rebuilds shards, looks into them, and holds them against the live records.

mod command;
mod generate;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anstream::eprintln;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use clap::{Args, Parser, Subcommand};
use domain::place::Cell;
use platform::blobs::FolderBlobs;
use platform::clock::SystemClock;
use platform::ids::IdSource;
use platform::metrics::Metrics;
use rapport_index_builder::IndexBuilder;
use store::Store;

use crate::command::{inspect, rebuild, verify};

type Error = Box<dyn std::error::Error>;

/// Builds index shards from the table, looks into them, and checks them against the live records.
#[derive(Debug, Parser)]
#[command(
    after_help = "Examples, while `cargo run` is serving (it prints where its table is):
  index-builder --endpoint http://127.0.0.1:43210 --blobs data/rapport.db.blobs verify
  index-builder --endpoint http://127.0.0.1:43210 --blobs data/rapport.db.blobs rebuild
  index-builder --endpoint http://127.0.0.1:43210 --blobs data/rapport.db.blobs rebuild 84be635ffffffff
  index-builder --endpoint http://127.0.0.1:43210 --blobs data/rapport.db.blobs rebuild --records
  index-builder --endpoint http://127.0.0.1:43210 --blobs data/rapport.db.blobs inspect 84be635ffffffff

On AWS, built with `--features aws`, under the credentials and region that the AWS command line would use; TABLE and
BUCKET are the deployment's outputs TableName and BucketName:
  index-builder --table TABLE --bucket BUCKET verify
  index-builder --table TABLE --bucket BUCKET rebuild 84be635ffffffff

Without a table:
  index-builder inspect some.shard --json
  index-builder generate --workers 10000 --requests 1000 --shards --into people

The exit code is 0 where all is well, 1 where something differs, is damaged or failed."
)]
struct Arguments {
    #[command(flatten)]
    place: PlaceArguments,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
struct PlaceArguments {
    /// Where the table is served, if not on AWS.
    #[arg(long, global = true, conflicts_with = "bucket")]
    endpoint: Option<String>,
    /// The table's name.
    #[arg(long, global = true, default_value = "rapport")]
    table: String,
    /// The folder that holds the shards.
    #[arg(long, global = true, conflicts_with = "bucket")]
    blobs: Option<PathBuf>,
    /// The bucket on AWS that holds the shards.
    #[arg(long, global = true)]
    bucket: Option<String>,
    /// Print JSON rather than words.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Rebuild the shards of these cells, or of every cell that has one or should; replace damaged objects.
    Rebuild {
        /// H3 cells of resolution 4, as hexadecimal text.
        cells: Vec<Cell>,
        /// First bring into the records who answers, who completed visits and who was shown, as every night.
        #[arg(long)]
        records: bool,
    },
    /// Compare every shard with its rows, and the rows with the live records.
    Verify,
    /// Say what one shard holds, in counts, and whether it is whole.
    Inspect {
        /// An H3 cell of resolution 4, as hexadecimal text, or the path of a shard's file.
        #[arg(value_name = "CELL|FILE")]
        what: String,
    },
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
    let json = place.json;
    match command {
        Command::Generate(generate) => {
            generate::run(&generate, json)?;
            Ok(true)
        }
        Command::Rebuild { cells, records } => {
            rebuild::run(&builder(&place).await?, cells, records, json).await
        }
        Command::Verify => verify::run(&builder(&place).await?, json).await,
        Command::Inspect { what } => match what.parse::<Cell>() {
            Ok(cell) => inspect::cell(&builder(&place).await?, cell, json).await,
            Err(_) => inspect::file(&what, json),
        },
    }
}

async fn builder(place: &PlaceArguments) -> Result<IndexBuilder, Error> {
    match &place.bucket {
        Some(bucket) => on_aws(&place.table, bucket).await,
        None => local(place),
    }
}

#[cfg(feature = "aws")]
async fn on_aws(table: &str, bucket: &str) -> Result<IndexBuilder, Error> {
    use rapport_index_builder::on_aws;
    let config = platform::aws::config().await;
    let blobs = on_aws::bucket(&config, bucket);
    let ids = IdSource::from_os(Arc::new(SystemClock))?;
    Ok(on_aws::on_aws(&config, table, blobs, ids, Metrics::none()))
}

#[cfg(not(feature = "aws"))]
async fn on_aws(_: &str, _: &str) -> Result<IndexBuilder, Error> {
    Err("this program was built without AWS: build it with --features aws to use --bucket".into())
}

fn local(place: &PlaceArguments) -> Result<IndexBuilder, Error> {
    let (Some(endpoint), Some(blobs)) = (&place.endpoint, &place.blobs) else {
        return Err(
            "say where the table is served and where the shards lie: --endpoint URL --blobs FOLDER \
             (a running `cargo run` prints the first; the second lies beside its data file), or --table NAME \
             --bucket NAME on AWS"
                .into(),
        );
    };
    if !blobs.is_dir() {
        return Err(format!("{} is no folder", blobs.display()).into());
    }
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
        blobs: Arc::new(FolderBlobs::open_beside_others(blobs)?),
        ids: Arc::new(IdSource::from_os(clock.clone())?),
        clock,
        metrics: Metrics::none(),
    })
}
