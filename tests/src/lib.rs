//! What the tests share: tables to test against, faults to inject, seeds to replay, people put
//! straight into the table, and a running world with callers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by panicking"
)]

pub mod answer;
pub mod cost;
pub mod document;
#[cfg(feature = "aws")]
pub mod emulator;
pub mod faults;
pub mod indexed;
pub mod measured;
pub mod parked;
pub mod people;
pub mod seeds;
pub mod signups;
pub mod tables;
pub mod visits;
pub mod world;

use chrono::{DateTime, Utc};

/// When the tests begin: a Monday, far from every change of clocks.
#[must_use]
pub fn start() -> DateTime<Utc> {
    "2026-03-02T00:00:00Z".parse().unwrap()
}
