//! `verify`: what differs between records, rows and shards.

use anstream::println;
use rapport_index_builder::{CellReport, Differences, IndexBuilder, LAG, verify};
use serde_json::json;

use crate::Error;

/// Whether everything says the same.
pub(crate) async fn run(builder: &IndexBuilder, as_json: bool) -> Result<bool, Error> {
    let reports = verify(builder, LAG).await?;
    if as_json {
        println!("{}", json!(reports));
    } else {
        print(&reports);
    }
    Ok(reports.iter().all(CellReport::is_faithful))
}

fn print(reports: &[CellReport]) {
    for report in reports.iter().filter(|report| !report.is_faithful()) {
        println!("cell {}", report.cell);
        if let Some(damage) = &report.damage {
            println!("  {damage}");
        }
        print_differences("the shard", &report.shard);
        print_differences("the rows", &report.rows);
    }
    let faithful = reports.iter().filter(|report| report.is_faithful()).count();
    let empty = reports.iter().filter(|report| report.workers == 0).count();
    let workers: usize = reports.iter().map(|report| report.workers).sum();
    println!(
        "{faithful} of {} cells hold what the records say ({workers} entries; {empty} cells have none)",
        reports.len()
    );
}

fn print_differences(copy: &str, differences: &Differences) {
    for worker in &differences.missing {
        println!("  {worker} is missing from {copy}");
    }
    for worker in &differences.ghosts {
        println!("  {worker} should not be in {copy}");
    }
    for stale in &differences.stale {
        let fields = stale.fields.join(", ");
        println!("  {} is not up to date in {copy}: {fields}", stale.worker);
    }
}
