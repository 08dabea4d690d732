//! The `match-request` family as a Lambda function.

use std::process::ExitCode;

use rapport_functions::lambda::{self, Port};
use rapport_functions::match_request;

fn main() -> ExitCode {
    lambda::serve(match_request::router, &[Port::Shards])
}
