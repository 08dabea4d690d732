//! The `proposal` family as a Lambda function.

use std::process::ExitCode;

use rapport_functions::{lambda, proposal};

fn main() -> ExitCode {
    lambda::serve(proposal::router, &[])
}
