//! The life of shards: published, served, superseded, damaged, healed and removed, over a real table and a real
//! folder.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by panicking"
)]

mod damage;
mod publishers;
mod removal;
mod verify;
