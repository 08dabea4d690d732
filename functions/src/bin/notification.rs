//! Fans notices out and sends mail, from the queue of their due rows.

use std::process::ExitCode;

use domain::due::Consumer;
use rapport_functions::lambda::{self, Port};

fn main() -> ExitCode {
    lambda::consume(Consumer::Notification, &[Port::Mail])
}
