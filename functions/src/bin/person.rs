//! The `person` family as a Lambda function.

use std::process::ExitCode;

use rapport_functions::{lambda, person};

fn main() -> ExitCode {
    lambda::serve(person::router, &[])
}
