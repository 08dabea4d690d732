//! Sends new due rows to their queues and schedules, from the table's stream.

use std::process::ExitCode;

use rapport_functions::lambda;

fn main() -> ExitCode {
    lambda::dispatch()
}
