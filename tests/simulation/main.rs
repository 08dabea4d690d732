//! Begins.
