//! The `safety` family as a Lambda function.

use std::process::ExitCode;

use rapport_functions::{lambda, safety};

fn main() -> ExitCode {
    lambda::serve(safety::router, &[])
}
