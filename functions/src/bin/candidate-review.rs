//! The `candidate-review` family as a Lambda function.

use std::process::ExitCode;

use functions::candidate_review;
use functions::lambda::{self, Port};

fn main() -> ExitCode {
    lambda::serve(candidate_review::router, &[Port::Blobs])
}
