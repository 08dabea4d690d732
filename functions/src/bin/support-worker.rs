//! The `support-worker` family as a Lambda function.

use std::process::ExitCode;

use rapport_functions::{lambda, support_worker};

fn main() -> ExitCode {
    lambda::serve(support_worker::router, &[])
}
