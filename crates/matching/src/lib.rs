//! Which support workers suit a match request, in which order, and why.
//!
//! A [`Shard`] holds everybody whose service area touches one cell of the map, packed for matching. It is built from
//! the cell's records by [`build_shard`], kept as immutable bytes, and asked by [`Shard::search`]. This crate knows no
//! storage, no HTTP and no clock; the hard rules are `domain::eligibility`'s.
//!
//! A search looks up one term, the client's neighbourhood, and gets the rows of everybody whose travel may touch it
//! (`segment`). Its plan (`plan`) holds them against masks, a few columns of whole numbers read many rows at a time
//! (`scan`); what is left loses points stage by stage, and is dropped once it cannot come among the best any more; the
//! rules and criteria that are dear to look at come last (`rank`). What each column holds stands in `row`.

mod build;
mod cache;
mod codes;
mod columns;
mod container;
mod criteria;
mod directory;
pub mod explain;
mod lean;
mod misses;
mod plan;
mod rank;
mod row;
mod scan;
mod search;
mod segment;
mod shard;
mod top;
mod weights;

pub use build::{BuildShardError, BuiltShard, build_shard, version_of};
pub use cache::ShardCache;
pub use criteria::{contributions, value};
pub use domain::place::Area;
pub use search::{Found, Limits, Query, Scored};
pub use shard::{OpenShardError, SearchShardError, Shard};
pub use weights::{InvalidWeightsError, Weight, Weights};

#[cfg(test)]
mod tests;
