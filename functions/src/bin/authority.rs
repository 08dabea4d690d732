//! The `authority` family as a Lambda function.

use std::process::ExitCode;

use rapport_functions::{authority, lambda};

fn main() -> ExitCode {
    lambda::serve(authority::router, &[])
}
