//! The `visit-change` family as a Lambda function.

use std::process::ExitCode;

use rapport_functions::{lambda, visit_change};

fn main() -> ExitCode {
    lambda::serve(visit_change::router, &[])
}
