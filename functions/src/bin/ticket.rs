//! The `ticket` family as a Lambda function.

use std::process::ExitCode;

use functions::{lambda, ticket};

fn main() -> ExitCode {
    lambda::serve(ticket::router, &[])
}
