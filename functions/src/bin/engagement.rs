//! The `engagement` family as a Lambda function.

use std::process::ExitCode;

use rapport_functions::{engagement, lambda};

fn main() -> ExitCode {
    lambda::serve(engagement::router, &[])
}
