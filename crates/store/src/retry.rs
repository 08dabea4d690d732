//! Trying again: the only place that waits for the table.

use std::time::Duration;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::error::StoreError;

/// Attempts of one call before the caller is told that the table is unavailable.
const ATTEMPTS: u32 = 6;
const FIRST_WAIT: Duration = Duration::from_millis(20);

/// What one failed attempt means.
pub(crate) enum Failure<E> {
    /// Try the same call again.
    Passing,
    /// An answer: hand it on.
    Final(E),
}

/// Runs `attempt` until it answers, waiting longer each time, with a jitter taken from `salt` so that
/// callers who collided do not collide again, and a simulation replays.
pub(crate) async fn retrying<T, E, F>(salt: u64, attempt: impl Fn() -> F) -> Result<T, E>
where
    E: From<StoreError>,
    F: Future<Output = Result<T, Failure<E>>> + Send,
{
    for tries in 0..ATTEMPTS {
        match attempt().await {
            Ok(answer) => return Ok(answer),
            Err(Failure::Final(error)) => return Err(error),
            Err(Failure::Passing) => {
                if tries + 1 < ATTEMPTS {
                    tokio::time::sleep(wait(salt, tries)).await;
                }
            }
        }
    }
    Err(StoreError::Unavailable.into())
}

/// 20 ms doubling, each between half and the whole.
fn wait(salt: u64, tries: u32) -> Duration {
    let whole = FIRST_WAIT * 2_u32.saturating_pow(tries);
    let spread = salt
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .rotate_left(tries * 7)
        % 512;
    let half = whole / 2;
    half + half * u32::try_from(spread).unwrap_or_default() / 512
}

/// Sorts an SDK error into passing and final.
pub(crate) fn failure<E, R>(error: &SdkError<E, R>) -> Failure<StoreError>
where
    E: ProvideErrorMetadata,
{
    const PASSING: [&str; 7] = [
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionInProgressException",
    ];
    match error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
            Failure::Passing
        }
        other => match other.code() {
            Some(code) if PASSING.contains(&code) => Failure::Passing,
            Some("TransactionConflictException") => Failure::Passing,
            Some(code) => Failure::Final(StoreError::Refused(code.to_owned())),
            None => Failure::Final(StoreError::Refused("unknown error".to_owned())),
        },
    }
}
