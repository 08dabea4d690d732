//! The `activation` family as a Lambda function.

use std::process::ExitCode;

use functions::{activation, lambda};

fn main() -> ExitCode {
    lambda::serve(activation::router, &[])
}
