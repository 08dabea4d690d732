//! One Lambda function per family of operations, and the consumers of due rows.
//!
//! Families never call each other: they meet in the table. A use case that a route and a consumer
//! share is a module of its own that both use.

pub mod activation;
pub mod api;
pub mod audit;
pub mod authority;
pub mod body;
mod booking;
pub mod calendar;
pub mod caller;
pub mod candidate_list;
pub mod candidate_release;
pub mod candidate_review;
pub mod check_expiry;
pub mod client;
pub mod closing;
mod committed;
pub mod consume;
pub mod context;
pub mod conversation;
pub mod correction;
pub mod cover;
pub mod docs;
pub mod due_row;
pub mod duplicate;
pub mod eligible;
pub mod engagement;
pub mod few;
pub mod identities;
pub mod import;
pub mod inbox;
pub mod invitation;
pub mod invitation_expiry;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod match_request;
pub mod matcher;
pub mod membership;
pub mod notification;
pub mod on_call;
pub mod page;
pub mod partner;
pub mod path;
pub mod perform;
pub mod person;
pub mod problem;
pub mod proposal;
pub mod rates;
pub mod reason;
pub mod replacement;
pub mod safety;
pub mod schedule;
pub mod series;
pub mod signup;
pub mod staff;
pub mod standing;
pub mod support_worker;
pub mod sweep;
pub mod terms;
pub mod ticket;
pub mod visit;
pub mod visit_change;
