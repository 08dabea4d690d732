//! From worker records to index shards.
//!
//! A shard is built from the rows of its cell, stored under the name of its content, and becomes the
//! current one when the pointer in the table is moved to it by compare-and-set. Whoever loses starts
//! over from the rows as they are then, so that no change is ever left out.

mod build;
mod consume;
mod refresh;
mod verify;

pub use build::{BuildError, Built, IndexBuilder};
pub use consume::Outcome;
pub use refresh::{Refreshed, refresh};
pub use verify::{CellReport, cells, verify};
