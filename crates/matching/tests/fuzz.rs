//! Hostile input: requests as JSON, and the bytes of shards.
//!
//! A few hundred cases of each in an ordinary `cargo test`; `PROPTEST_CASES=100000` tries as many. Cases are drawn by
//! `proptest`, which shrinks what fails and needs no other toolchain: without a nightly compiler no fuzzer knows which
//! paths a case took, and the others would add some twenty crates to draw cases as blindly.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by panicking"
)]

use proptest::test_runner::Config;

/// As many cases as the environment says. What fails is printed, not kept in a file.
fn config() -> Config {
    Config {
        failure_persistence: None,
        ..Config::default()
    }
}

mod fuzz {
    pub(crate) mod request;
    pub(crate) mod shard;
}
