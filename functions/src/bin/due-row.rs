//! The `due-row` family as a Lambda function.

use std::process::ExitCode;

use rapport_functions::{due_row, lambda};

fn main() -> ExitCode {
    lambda::serve(due_row::router, &[])
}
