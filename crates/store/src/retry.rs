//! Trying again: the only place that waits for the table.

use std::time::Duration;

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use tokio::time::Instant;

use crate::error::StoreError;
use crate::table::Store;

/// Attempts of one call before the caller is told that the table is unavailable.
const ATTEMPTS: u32 = 6;
const FIRST_WAIT: Duration = Duration::from_millis(20);
/// After so long nothing is tried again: somebody is waiting for an answer.
const DEADLINE: Duration = Duration::from_secs(8);

/// What one failed attempt means.
pub(crate) enum Failure<E> {
    /// Try the same call again.
    Passing,
    /// An answer: hand it on.
    Final(E),
}

impl Store {
    /// Runs `attempt` until it answers, waiting longer each time, with a jitter taken from `salt` so that
    /// callers who collided do not collide again, and a simulation replays; see [`Store::with_jitter`].
    pub(crate) async fn retrying<T, E, F>(&self, salt: u64, attempt: impl Fn() -> F) -> Result<T, E>
    where
        E: From<StoreError>,
        F: Future<Output = Result<T, Failure<E>>> + Send,
    {
        let begun = Instant::now();
        for tries in 0..ATTEMPTS {
            match attempt().await {
                Ok(answer) => return Ok(answer),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Passing) => {
                    let wait = wait(salt ^ self.jitter, tries);
                    if tries + 1 == ATTEMPTS || begun.elapsed() + wait > DEADLINE {
                        break;
                    }
                    tokio::time::sleep(wait).await;
                }
            }
        }
        Err(StoreError::Unavailable.into())
    }
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
pub(crate) fn failure<E>(error: &SdkError<E, HttpResponse>) -> Failure<StoreError>
where
    E: ProvideErrorMetadata,
{
    const PASSING: [&str; 6] = [
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    ];
    match error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
            Failure::Passing
        }
        // Whatever the table, or something before it, calls its own failure.
        SdkError::ServiceError(answered) if answered.raw().status().is_server_error() => {
            Failure::Passing
        }
        other => match other.code() {
            Some(code) if PASSING.contains(&code) => Failure::Passing,
            Some(code) => Failure::Final(StoreError::Refused(code.to_owned())),
            None => Failure::Final(StoreError::Refused("unknown error".to_owned())),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use aws_sdk_dynamodb::config::http::HttpResponse;
    use aws_sdk_dynamodb::error::ErrorMetadata;
    use aws_sdk_dynamodb::operation::get_item::GetItemError;
    use aws_smithy_types::body::SdkBody;

    use super::*;

    fn answered(status: u16, code: Option<&str>) -> SdkError<GetItemError, HttpResponse> {
        let raw = HttpResponse::new(status.try_into().unwrap(), SdkBody::empty());
        let mut said = ErrorMetadata::builder();
        if let Some(code) = code {
            said = said.code(code);
        }
        SdkError::service_error(GetItemError::generic(said.build()), raw)
    }

    #[test]
    fn failures_of_the_table_and_of_what_is_before_it_pass() {
        for (status, code) in [
            (500, Some("InternalServerError")),
            (503, Some("ServiceUnavailable")),
            (502, None),
            (400, Some("ThrottlingException")),
            (400, Some("ProvisionedThroughputExceededException")),
            (400, Some("TransactionInProgressException")),
        ] {
            let failure = failure(&answered(status, code));
            assert!(matches!(failure, Failure::Passing), "{status} {code:?}");
        }
        for (code, said) in [
            (Some("ValidationException"), "ValidationException"),
            (
                Some("ConditionalCheckFailedException"),
                "ConditionalCheckFailedException",
            ),
            (Some("AccessDeniedException"), "AccessDeniedException"),
            (None, "unknown error"),
        ] {
            let Failure::Final(StoreError::Refused(refused)) = failure(&answered(400, code)) else {
                panic!("{said} is not final");
            };
            assert_eq!(refused, said);
        }
    }

    fn store() -> Store {
        let dynamodb = aws_sdk_dynamodb::Config::builder()
            .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::v2026_01_12())
            .build();
        Store::new(aws_sdk_dynamodb::Client::from_conf(dynamodb), "none")
    }

    /// How often a call is tried that fails after `each`.
    async fn tries(each: Duration) -> u32 {
        let tried = AtomicU32::new(0);
        let outcome: Result<(), StoreError> = store()
            .retrying(7, || async {
                tokio::time::sleep(each).await;
                tried.fetch_add(1, Ordering::Relaxed);
                Err(Failure::Passing)
            })
            .await;
        assert!(matches!(outcome, Err(StoreError::Unavailable)));
        tried.into_inner()
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_is_tried_six_times_and_not_for_ever() {
        assert_eq!(tries(Duration::from_millis(1)).await, 6);
        assert_eq!(tries(Duration::from_secs(2)).await, 4);
        assert_eq!(tries(Duration::from_secs(60)).await, 1);
    }

    #[test]
    fn waits_double_and_differ_between_processes() {
        for tries in 0..ATTEMPTS {
            let whole = FIRST_WAIT * 2_u32.pow(tries);
            for salt in [0, 1, 7, u64::MAX] {
                let wait = wait(salt, tries);
                assert!(
                    whole / 2 <= wait && wait <= whole,
                    "{salt} {tries}: {wait:?}"
                );
            }
        }
        let waits: std::collections::BTreeSet<_> =
            (0..100_u64).map(|process| wait(3 ^ process, 0)).collect();
        assert!(waits.len() > 50, "{waits:?}");
    }
}
