//! Releases candidate lists, from the queue of their due rows.

use std::process::ExitCode;

use domain::due::Consumer;
use rapport_functions::lambda::{self, Port};

fn main() -> ExitCode {
    lambda::consume(Consumer::CandidateRelease, &[Port::Shards])
}
