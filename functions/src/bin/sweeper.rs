//! Sends late due rows on once more, every few minutes.

use std::process::ExitCode;

use rapport_functions::lambda;

fn main() -> ExitCode {
    lambda::sweep()
}
