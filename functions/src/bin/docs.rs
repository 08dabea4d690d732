//! The `docs` family as a Lambda function.

use std::process::ExitCode;

use rapport_functions::{docs, lambda};

fn main() -> ExitCode {
    lambda::describe(docs::router)
}
