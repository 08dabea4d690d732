//! The `partner` family as a Lambda function.

use std::process::ExitCode;

use rapport_functions::{lambda, partner};

fn main() -> ExitCode {
    lambda::serve(partner::router, &[])
}
