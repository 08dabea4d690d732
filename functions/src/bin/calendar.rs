//! The `calendar` family as a Lambda function.

use std::process::ExitCode;

use rapport_functions::{calendar, lambda};

fn main() -> ExitCode {
    lambda::serve(calendar::router, &[])
}
