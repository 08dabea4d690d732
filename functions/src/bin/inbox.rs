//! The `inbox` family as a Lambda function.

use std::process::ExitCode;

use rapport_functions::{inbox, lambda};

fn main() -> ExitCode {
    lambda::serve(inbox::router, &[])
}
