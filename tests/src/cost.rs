//! What the service costs on AWS: counted while the tour is played, at DynamoDB's rounding rules, and priced.

pub mod count;
mod meter;
mod outside;
mod prices;
mod report;
pub mod units;

use std::sync::Arc;

use rapport::instruments::{Bench, Instruments};
use rapport::tour::{self, TourError};

pub use count::{Counted, Tally};
pub use meter::Meter;
pub use report::{Report, operations_table};

/// Ids are the same on every run, and so are the sizes of items.
const SEED: u64 = 1;

/// Plays the tour and counts what it takes.
///
/// # Errors
/// At the tour's first step that is not what it should be.
pub async fn of_the_tour() -> Result<Tally, TourError> {
    let meter = Arc::new(Meter::default());
    let instruments: Arc<dyn Instruments> = meter.clone();
    tour::measure(Bench {
        instruments: Some(instruments),
        seed: Some(SEED),
    })
    .await?;
    Ok(meter.tally())
}
