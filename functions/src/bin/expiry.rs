//! Lets checks, links and offers expire, from the queue of their due rows.

use std::process::ExitCode;

use rapport_functions::lambda;

fn main() -> ExitCode {
    lambda::consume("expiry", &[])
}
