//! From worker records to index shards.
//!
//! A shard is built from the rows of its cell, stored in an object named by its publication and its
//! content, and becomes the current one when the pointer in the table is moved to it by compare-and-set.
//! Whoever loses starts over from the rows as they are then, so that no change is ever left out. What is
//! current no longer is removed once nobody can be reading it.

mod build;
mod consume;
mod inspect;
mod night;
#[cfg(feature = "aws")]
pub mod on_aws;
mod refresh;
mod removal;
mod tally;
mod verify;

pub use build::{BuildError, Built, IndexBuilder};
pub use consume::Outcome;
pub use inspect::{Content, Current, Inspection, inspect, inspect_bytes};
pub use refresh::{Refreshed, refresh};
pub use removal::GRACE;
pub use verify::{CellReport, Differences, LAG, Stale, cells, heal, verify};
