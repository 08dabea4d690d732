//! The `staff` family as a Lambda function.

use std::process::ExitCode;

use rapport_functions::{lambda, staff};

fn main() -> ExitCode {
    lambda::serve(staff::router, &[])
}
