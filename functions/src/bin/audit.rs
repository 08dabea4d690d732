//! The `audit` family as a Lambda function.

use std::process::ExitCode;

use rapport_functions::{audit, lambda};

fn main() -> ExitCode {
    lambda::serve(audit::router, &[])
}
