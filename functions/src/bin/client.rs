//! The `client` family as a Lambda function.

use std::process::ExitCode;

use rapport_functions::{client, lambda};

fn main() -> ExitCode {
    lambda::serve(client::router, &[])
}
