//! `generate`: a believable population as files, and the static index of it.

mod lines;
mod shards;
#[cfg(test)]
mod tests;

use std::fs::{create_dir, read_dir, remove_dir_all, rename};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use population::{Layout, Population};
use serde::Serialize;

/// The most support workers that can be asked for.
const MOST_WORKERS: i64 = 10_000_000;
/// The most match requests.
const MOST_REQUESTS: i64 = 1_000_000;
/// What is made at once, before it is another thread's turn.
const BATCH: u64 = 500;
/// Each makes its part.
const THREADS: usize = 2;

/// What to generate.
#[derive(Debug, Clone, Args)]
#[command(after_help = "What is written:
  FOLDER/support-workers.jsonl  one support worker a line, as JSON: ids, the profile they gave (introduction, services
                                and rates, skills, conditions, languages, interests, boundaries, area, hours and
                                exceptions), what staff verified (checks with their last days, certificates,
                                conditions proven, the approved introduction), and how they have done so far
  FOLDER/requests.jsonl         one match request a line: its id, and the details that a client submits
  FOLDER/shards/…               with --shards, one immutable shard for each cell, named by what is in it
  FOLDER/shards.json            with --shards, each cell's file, support workers and bytes
The people are invented, and the same for the same seed. The folder appears once all is written.

Examples:
  index-builder generate --workers 10000 --requests 1000 --into /tmp/people
  index-builder generate --workers 1000000 --requests 1000 --seed 7 --shards --into /tmp/people --json")]
pub(crate) struct Generate {
    /// How many support workers, 1 to 10,000,000.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=MOST_WORKERS as u64))]
    workers: u64,
    /// How many match requests, up to 1,000,000.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(..=MOST_REQUESTS as u64))]
    requests: u64,
    /// What they are drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Regions that they live in: the fewer, the denser.
    #[arg(long, default_value_t = Layout::default().regions, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    regions: u32,
    /// Build the static index, too.
    #[arg(long)]
    shards: bool,
    /// The folder to write: new, or empty.
    #[arg(long, value_name = "FOLDER")]
    into: PathBuf,
}

/// What was generated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Generated {
    workers: u64,
    requests: u64,
    /// Bytes of the two files of lines.
    bytes: u64,
    shards: Option<shards::Built>,
}

/// Why nothing was generated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GenerateError {
    /// The folder holds something.
    #[error("{} is not empty; choose a new folder, or empty it", .0.display())]
    NotEmpty(PathBuf),
    /// An earlier run was interrupted.
    #[error("{} is left of a run that was interrupted; remove it, and try again", .0.display())]
    LeftOver(PathBuf),
    /// The folder has no name.
    #[error("{} cannot be written as a new folder", .0.display())]
    NoName(PathBuf),
    /// Files cannot be written.
    #[error("cannot write {}", .0.display())]
    Write(PathBuf, #[source] io::Error),
    /// A record cannot be written down: a defect.
    #[error("a record cannot be written as JSON")]
    Encode(#[from] serde_json::Error),
    /// A shard cannot be built.
    #[error("a shard cannot be built")]
    Shard(#[from] matching::BuildShardError),
    /// A thread stopped: a defect, or no memory.
    #[error("a thread stopped before it was done")]
    Stopped,
}

impl Generate {
    /// Writes it all, or nothing.
    ///
    /// # Errors
    /// See [`GenerateError`]. What was written by then is removed.
    pub(crate) fn run(&self) -> Result<Generated, GenerateError> {
        let partial = self.partial()?;
        let written = self.write(&partial).and_then(|generated| {
            rename(&partial, &self.into)
                .map_err(|error| GenerateError::Write(self.into.clone(), error))?;
            Ok(generated)
        });
        if written.is_err() {
            // The first fault is what to tell; a folder that stays is told of next time.
            let _ = remove_dir_all(&partial);
        }
        written
    }

    /// A new folder beside the one wanted, so that what is not whole never stands under its name.
    fn partial(&self) -> Result<PathBuf, GenerateError> {
        let into = &self.into;
        let cannot = |error| GenerateError::Write(into.clone(), error);
        match read_dir(into).map(|mut within| within.next().is_none()) {
            Ok(true) => {}
            Ok(false) => return Err(GenerateError::NotEmpty(into.clone())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(cannot(error)),
        }
        let Some(name) = into.file_name() else {
            return Err(GenerateError::NoName(into.clone()));
        };
        let mut partial = name.to_owned();
        partial.push(".partial");
        let partial = into.with_file_name(partial);
        match create_dir(&partial) {
            Ok(()) => Ok(partial),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(GenerateError::LeftOver(partial))
            }
            Err(error) => Err(cannot(error)),
        }
    }

    fn write(&self, folder: &Path) -> Result<Generated, GenerateError> {
        let layout = Layout {
            regions: self.regions,
        };
        let population = Population::new(self.seed, self.workers, layout);
        let (worker_bytes, cells) = lines::write_workers(&population, folder, self.shards)?;
        let request_bytes = lines::write_requests(&population, self.requests, folder)?;
        let shards = if self.shards {
            Some(shards::write(&population, cells, folder)?)
        } else {
            None
        };
        Ok(Generated {
            workers: self.workers,
            requests: self.requests,
            bytes: worker_bytes + request_bytes,
            shards,
        })
    }
}

/// Generates, and prints what came of it.
///
/// # Errors
/// See [`GenerateError`].
pub(crate) fn run(generate: &Generate, as_json: bool) -> Result<(), GenerateError> {
    let started = Instant::now();
    let generated = generate.run()?;
    let seconds = started.elapsed().as_secs_f64();
    if as_json {
        let mut json = serde_json::to_value(&generated)?;
        if let Some(fields) = json.as_object_mut() {
            fields.insert("seconds".into(), seconds.into());
        }
        anstream::println!("{json}");
        return Ok(());
    }
    anstream::println!(
        "{} support workers and {} match requests in {}, {} MB, in {seconds:.1} s",
        generated.workers,
        generated.requests,
        generate.into.display(),
        generated.bytes / 1_000_000
    );
    if let Some(shards) = &generated.shards {
        anstream::println!("{shards}");
    }
    Ok(())
}

/// A bar with rate and time left, on standard error.
fn progress(what: &'static str, all: u64) -> ProgressBar {
    let bar = ProgressBar::new(all).with_message(what);
    // Without the template the bar is only plainer.
    if let Ok(style) =
        ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}, {per_sec}, {eta} left")
    {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
