//! The limit: what the machine can do at best. Plain arrays, facts that are read together side by side, walked by hand, with the same reverse
//! cover from neighbourhoods to people; nothing is stored, checked or explained.
//!
//! It does the same work and gives the same answers: filter, exact distance, score with every criterion's value, ten
//! best; it skips whom an upper bound rules out. Whatever makes it faster belongs here.

mod columns;
mod scan;
mod score;
mod ten;

pub(crate) use columns::{Around, Columns};
