//! `cargo run`: the whole system on this machine.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anstream::{eprintln, println};
use clap::{Parser, Subcommand};
use owo_colors::OwoColorize;
use platform::clock::SystemClock;
use platform::metrics::Metrics;
use platform::telemetry::{self, LogFormat};
use rapport::community::INTRODUCED;
use rapport::host::{Host, Options, StartError};
use rapport::tour;

/// Rapport on this machine: the whole service in one process, with sample people.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:
  cargo run                                 serve on http://localhost:3000
  cargo run -- tour                         the story, step by step
  cargo run -- --port 3001 --data try.db    another port and data file
  cargo run -- openapi > openapi.json       the API document")]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// The data file; mail, blobs and the clock lie beside it.
    #[arg(long, default_value = "data/rapport.db")]
    data: PathBuf,
    /// The port on this machine.
    #[arg(long, default_value_t = 3000)]
    port: u16,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Play the story of the service, step by step, on a server, data and clock of its own.
    Tour,
    /// Print the OpenAPI 3.1 document.
    Openapi,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{} {error}", "rapport:".red().bold());
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    match arguments.command {
        None => Ok(serve(arguments).await?),
        Some(Command::Tour) => Ok(tour::play().await?),
        Some(Command::Openapi) => {
            println!("{}", functions::api::document().to_pretty_json()?);
            Ok(())
        }
    }
}

async fn serve(arguments: Arguments) -> Result<(), StartError> {
    // A second subscriber cannot be there yet.
    drop(telemetry::start(LogFormat::Plain));
    let options = Options {
        data: arguments.data,
        port: arguments.port,
        base_clock: Arc::new(SystemClock),
        community: true,
        metrics: Metrics::none(),
    };
    let host = Host::start(options).await?;
    print_welcome(&host);
    drop(tokio::signal::ctrl_c().await);
    host.stop().await;
    Ok(())
}

fn print_welcome(host: &Host) {
    let url = host.url();
    println!("{} {}", "Rapport is running on".bold(), url.green().bold());
    println!("  the API, to read        {url}/docs");
    println!("  the API, for programs   {url}/openapi.json");
    println!("  mail that went out      {}", host.mail_folder().display());
    println!("  the table, for tools    {}", host.table_endpoint());
    println!("  the data file           {}", host.data_file().display());
    println!(
        "  move the clock          curl -s {url}/dev/clock/advance --json '{{\"seconds\": 86400}}'"
    );
    println!(
        "  a token for somebody    curl -s {url}/dev/token --json '{{\"subject\": \"SUBJECT\"}}'"
    );
    println!("  with one of these as SUBJECT:");
    for introduced in INTRODUCED {
        println!("    {:<26}{}", introduced.subject, introduced.who);
    }
    println!("  who is behind an id     curl -s {url}/dev/people");
    println!("  the whole story, told   cargo run -- tour");
}
