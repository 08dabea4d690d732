//! The `ticket` family as a Lambda function.

use std::process::ExitCode;

use rapport_functions::{lambda, ticket};

fn main() -> ExitCode {
    lambda::serve(ticket::router, &[])
}
