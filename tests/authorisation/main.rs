//! Who may do what: every operation of the API, called over HTTP by everybody there is.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by panicking"
)]

mod household;
mod matrix;
