//! The `schedule` family as a Lambda function.

use std::process::ExitCode;

use rapport_functions::{lambda, schedule};

fn main() -> ExitCode {
    lambda::serve(schedule::router, &[])
}
