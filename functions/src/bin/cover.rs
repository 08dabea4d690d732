//! The `cover` family as a Lambda function.

use std::process::ExitCode;

use rapport_functions::{cover, lambda};

fn main() -> ExitCode {
    lambda::serve(cover::router, &[])
}
