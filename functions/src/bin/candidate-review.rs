//! The `candidate-review` family as a Lambda function.

use std::process::ExitCode;

use rapport_functions::candidate_review;
use rapport_functions::lambda::{self, Port};

fn main() -> ExitCode {
    lambda::serve(candidate_review::router, &[Port::Shards])
}
