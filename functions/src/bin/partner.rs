//! The `partner` family as a Lambda function.

use std::process::ExitCode;

use functions::{lambda, partner};

fn main() -> ExitCode {
    lambda::serve(partner::router, &[])
}
