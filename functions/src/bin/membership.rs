//! The `membership` family as a Lambda function.

use std::process::ExitCode;

use rapport_functions::{lambda, membership};

fn main() -> ExitCode {
    lambda::serve(membership::router, &[])
}
