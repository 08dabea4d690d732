//! The `import` family as a Lambda function.

use std::process::ExitCode;

use rapport_functions::{import, lambda};

fn main() -> ExitCode {
    lambda::serve(import::router, &[])
}
