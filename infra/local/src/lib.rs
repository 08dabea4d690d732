//! The whole system in one process: HTTP gateway, embedded table, ticker, sample people.

pub mod blob_links;
pub mod clock;
pub mod community;
pub mod data_file;
pub mod dev;
pub mod embedded;
pub mod gateway;
pub mod host;
pub mod instruments;
pub mod issuer;
pub mod ticker;
pub mod tour;
