//! The store's contract, on the embedded table and, where `RAPPORT_DYNAMODB_LOCAL` names an endpoint,
//! on DynamoDB Local.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by panicking"
)]

mod commit;
mod due_rows;
mod lost_answers;
mod reading;
mod sweeping;
mod things;
