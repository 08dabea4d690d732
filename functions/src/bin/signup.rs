//! The `signup` family as a Lambda function.

use std::process::ExitCode;

use rapport_functions::{lambda, signup};

fn main() -> ExitCode {
    lambda::serve(signup::router, &[])
}
