//! Lets checks, invitations and offers expire, from the queue of their due rows.

use std::process::ExitCode;

use rapport_functions::lambda::{self, Port};

fn main() -> ExitCode {
    lambda::consume("expiry", &[Port::Blobs])
}
