//! The whole system in one process: HTTP gateway, embedded table, ticker, sample people.

pub mod clock;
pub mod data_file;
pub mod embedded;
pub mod issuer;
