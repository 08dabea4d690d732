//! The service as its callers find it: over HTTP, against the local host, a file per subject.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by panicking"
)]

mod data_file;
mod idempotency;
mod limits;
mod match_requests;
mod paging;
mod support_workers;
mod tickets;
mod tokens;

use serde_json::{Value, json};

/// A ticket to be opened by hand.
fn some_work(note: &str) -> Value {
    json!({"subject": "clt_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "note": note})
}
