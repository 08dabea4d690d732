//! The service in one process, with everything going wrong that can go wrong between it and its table.
//!
//! What happens is decided by seeds: a failing one is printed, and `RAPPORT_SEED` replays it. A plain
//! `cargo test` runs a few; `RAPPORT_SIMULATION=full` runs all of them, and `RAPPORT_SIMULATION=20` a fifth.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by panicking"
)]

mod ask;
mod bookings;
mod conversation;
mod covers;
mod delivery;
mod engagement_story;
mod imports;
mod invitations;
mod nights;
mod offers;
mod outages;
mod ports;
mod process;
mod queues;
mod release;
mod series;
mod simulated;
mod stopped;
mod story;
mod the_day;
mod tickets;
mod weather;
