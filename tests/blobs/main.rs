//! What every place that keeps blobs does: a folder, with the local host serving its links, and, where
//! `RAPPORT_S3` names an endpoint, a bucket.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by panicking"
)]

mod keeping;
mod links;
mod places;
