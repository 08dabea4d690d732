//! The rules of the service: pure, without I/O, without a clock.
//!
//! This crate knows no async, no storage and no HTTP. Time is an argument, effects are data returned.
//! The `ToSchema` derives only describe shapes for the API document.

#[macro_use]
pub mod vocabulary;

pub mod access;
pub mod activation;
pub mod alert;
pub mod attachment;
pub mod authority;
pub mod availability;
pub mod blind;
pub mod calendar;
pub mod cancellation;
pub mod candidates;
pub mod change_request;
pub mod check;
pub mod client;
pub mod conversation;
pub mod correction;
pub mod cover;
pub mod due;
pub mod eligibility;
pub mod engagement;
pub mod feed;
pub mod funding;
pub mod id;
pub mod import;
pub mod invalid;
pub mod invitation;
pub mod lack;
pub mod local_time;
pub mod match_request;
pub mod meeting;
pub mod membership;
pub mod money;
pub mod notice;
pub mod packed;
pub mod pair;
pub mod partner;
pub mod person;
pub mod place;
pub mod policy;
pub mod profile;
pub mod proposal;
pub mod recurrence;
pub mod relaxation;
pub mod rota;
pub mod safety;
pub mod schedule;
pub mod screening;
pub mod series;
pub mod signup;
pub mod staff;
pub mod statement;
pub mod support_worker;
pub mod terms;
pub mod ticket;
pub mod visit;
pub mod words;
