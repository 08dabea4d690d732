//! The outside world: clock, ids, tokens, mail, blobs, dispatch, telemetry.
//!
//! Two kinds of module live here. *Ports* ([`clock`], [`mail`], [`blobs`], [`dispatch`]) are traits,
//! because each has two real adapters: one on AWS, one in the local process. The rest
//! ([`ids`], [`tokens`], [`keys`] and what is derived from them) is the same everywhere.
//!
//! This crate knows no HTTP and no table.

use std::pin::Pin;

#[cfg(feature = "aws")]
pub mod aws;
pub mod blobs;
pub mod clock;
pub mod digest;
pub mod dispatch;
pub mod folder;
pub mod form;
pub mod hint;
pub mod ids;
pub mod keys;
pub mod link;
pub mod mail;
pub mod metrics;
mod ring_provider;
pub mod signature;
pub mod telemetry;
pub mod tokens;
pub mod trail;

/// What a port's methods return: ports are used as trait objects, which `async fn` does not allow.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
