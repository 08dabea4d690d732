//! The `terms` family as a Lambda function.

use std::process::ExitCode;

use rapport_functions::{lambda, terms};

fn main() -> ExitCode {
    lambda::serve(terms::router, &[])
}
