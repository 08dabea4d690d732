//! The `conversation` family as a Lambda function.

use std::process::ExitCode;

use rapport_functions::conversation;
use rapport_functions::lambda::{self, Port};

fn main() -> ExitCode {
    lambda::serve(conversation::router, &[Port::Attachments])
}
