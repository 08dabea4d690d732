//! `rebuild`: every shard as its rows are now, and whole.

use std::time::Duration;

use anstream::{eprintln, println};
use domain::place::Cell;
use indicatif::{ProgressBar, ProgressStyle};
use rapport_index_builder::{Built, IndexBuilder, Refreshed, cells, refresh};
use serde::Serialize;

use crate::Error;

/// What a rebuild came to.
#[derive(Debug, Default, Serialize)]
struct Rebuilt {
    cells: usize,
    published: usize,
    healed: usize,
    unchanged: usize,
    failed: Vec<Cell>,
    refreshed: Option<Refreshed>,
}

/// Whether every cell was rebuilt. One that fails does not hold up the others.
pub(crate) async fn run(
    builder: &IndexBuilder,
    named: Vec<Cell>,
    records: bool,
    as_json: bool,
) -> Result<bool, Error> {
    let refreshed = match records {
        true => Some(refresh_records(builder).await?),
        false => None,
    };
    let cells = match named.is_empty() {
        true => cells(builder).await?,
        false => named,
    };
    let mut rebuilt = Rebuilt {
        cells: cells.len(),
        refreshed,
        ..Rebuilt::default()
    };
    let bar = ProgressBar::new(cells.len().try_into()?);
    bar.set_style(ProgressStyle::with_template(
        "{bar:40} {pos}/{len} shards, {per_sec}, {eta} left",
    )?);
    bar.enable_steady_tick(Duration::from_millis(200));
    for cell in cells {
        match builder.rebuild(cell).await {
            Ok(Built::Published) => rebuilt.published += 1,
            Ok(Built::Healed) => rebuilt.healed += 1,
            Ok(Built::Unchanged) => rebuilt.unchanged += 1,
            Err(error) => {
                bar.suspend(|| eprintln!("cell {cell}: {error}"));
                rebuilt.failed.push(cell);
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    rebuilt.print(as_json)?;
    Ok(rebuilt.failed.is_empty())
}

async fn refresh_records(builder: &IndexBuilder) -> Result<Refreshed, Error> {
    let bar = ProgressBar::new_spinner();
    bar.set_style(ProgressStyle::with_template(
        "{spinner} {pos} records, {per_sec}",
    )?);
    bar.enable_steady_tick(Duration::from_millis(200));
    let refreshed = refresh(builder, || bar.inc(1)).await?;
    bar.finish_and_clear();
    Ok(refreshed)
}

impl Rebuilt {
    fn print(&self, as_json: bool) -> Result<(), Error> {
        if as_json {
            println!("{}", serde_json::to_string(self)?);
            return Ok(());
        }
        if let Some(Refreshed { looked_at, changed }) = self.refreshed {
            println!("{looked_at} records looked at, {changed} brought up to date");
        }
        println!(
            "{} shards looked at: {} published anew, {} damaged and replaced, {} as they should be, {} failed",
            self.cells,
            self.published,
            self.healed,
            self.unchanged,
            self.failed.len()
        );
        Ok(())
    }
}
