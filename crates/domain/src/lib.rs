//! The rules of the service: pure, without I/O, without a clock.
//!
//! This crate knows no async, no storage and no HTTP. Time is an argument, effects are data returned.
//! The `ToSchema` derives only describe shapes for the API document.

pub mod access;
pub mod client;
pub mod due;
pub mod id;
pub mod invalid;
pub mod money;
pub mod notice;
pub mod person;
pub mod ticket;
