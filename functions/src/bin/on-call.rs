//! The `on-call` family as a Lambda function.

use std::process::ExitCode;

use rapport_functions::{lambda, on_call};

fn main() -> ExitCode {
    lambda::serve(on_call::router, &[])
}
