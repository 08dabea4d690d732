//! How the adapters reach AWS: how long they wait, what they try again, and what they say of a failure.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// How long a connection may take: within a region it takes milliseconds.
const CONNECTING: Duration = Duration::from_secs(1);
/// How long one attempt of a call may take. Calls that carry a blob are given longer.
const ATTEMPT: Duration = Duration::from_secs(4);
/// How long a call may take with all its attempts: well within what a request may take.
const CALL: Duration = Duration::from_secs(12);
const ATTEMPTS: u32 = 3;

/// The role, region and endpoints that the environment names, over TLS by rustls.
///
/// A call is tried [`ATTEMPTS`] times, with a growing wait of random length, within [`CALL`]. Whoever tries
/// again by itself switches that off.
pub async fn config() -> SdkConfig {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECTING)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(CALL);
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .timeout_config(timeouts.build())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .load()
        .await
}

/// What can be logged of a failure: the service's own code. Its words can repeat what was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}")]
pub(crate) struct Failed {
    pub(crate) code: String,
    /// Whether the same call may succeed later with nothing changed.
    pub(crate) passing: bool,
}

/// The codes by which services ask for patience, beyond every 5xx.
const THROTTLES: [&str; 7] = [
    "LimitExceededException",
    "RequestThrottled",
    "RequestTimeout",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

impl<E: ProvideErrorMetadata> From<&SdkError<E, HttpResponse>> for Failed {
    fn from(error: &SdkError<E, HttpResponse>) -> Self {
        let of = |code: &str, passing| Self {
            code: code.to_owned(),
            passing,
        };
        match error {
            SdkError::TimeoutError(_) => of("no answer in time", true),
            SdkError::DispatchFailure(_) => of("not reached", true),
            SdkError::ResponseError(_) => of("an answer that cannot be read", true),
            SdkError::ServiceError(answered) => {
                let code = answered.err().code().unwrap_or("no code");
                let broken = answered.raw().status().is_server_error();
                of(code, broken || THROTTLES.contains(&code))
            }
            _ => of("a call that cannot be made", false),
        }
    }
}
