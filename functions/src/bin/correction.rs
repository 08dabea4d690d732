//! The `correction` family as a Lambda function.

use std::process::ExitCode;

use rapport_functions::{correction, lambda};

fn main() -> ExitCode {
    lambda::serve(correction::router, &[])
}
