//! The `invitation` family as a Lambda function.

use std::process::ExitCode;

use rapport_functions::invitation;
use rapport_functions::lambda::{self, Port};

fn main() -> ExitCode {
    lambda::serve(invitation::router, &[Port::Shards])
}
