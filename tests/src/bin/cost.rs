//! What one match costs on AWS: plays the tour, counts, and prices it.

use std::process::ExitCode;

use clap::Parser;
use rapport_tests::cost::{Report, of_the_tour};

/// Plays the tour with a meter on everything that AWS counts, and prints what each operation takes, what one match
/// takes, and what a month of them costs.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:
  cargo run -p rapport-tests --bin cost               for people
  cargo run -p rapport-tests --bin cost -- --json     for programs")]
struct Arguments {
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    eprintln!("The tour is played; it takes about half a minute ...");
    match of_the_tour().await {
        Ok(tally) => {
            let report = Report::new(tally);
            if arguments.json {
                println!("{:#}", report.json());
            } else {
                print!("{}", report.text());
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("cost: {error}");
            ExitCode::FAILURE
        }
    }
}
