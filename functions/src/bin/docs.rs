//! The `docs` family as a Lambda function.

use std::process::ExitCode;

use functions::{docs, lambda};

fn main() -> ExitCode {
    lambda::serve(docs::router, &[])
}
