//! Fans notices out and sends mail, from the queue of their due rows.

use std::process::ExitCode;

use rapport_functions::lambda::{self, Port};

fn main() -> ExitCode {
    lambda::consume("notification", &[Port::Mail])
}
