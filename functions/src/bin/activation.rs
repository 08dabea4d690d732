//! The `activation` family as a Lambda function.

use std::process::ExitCode;

use rapport_functions::{activation, lambda};

fn main() -> ExitCode {
    lambda::serve(activation::router, &[])
}
