//! End-to-end tests over HTTP, simulation, authorisation matrix.
