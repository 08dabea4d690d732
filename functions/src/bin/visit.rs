//! The `visit` family as a Lambda function.

use std::process::ExitCode;

use rapport_functions::{lambda, visit};

fn main() -> ExitCode {
    lambda::serve(visit::router, &[])
}
