//! How the adapters reach AWS: how long they wait, what they try again, and what they say of a failure.

use std::time::{Duration, Instant};

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::trail::milliseconds;

/// How long a connection may take: within a region it takes milliseconds.
const CONNECTING: Duration = Duration::from_secs(1);
/// How long one attempt of a call may take. Calls that carry a blob are given longer.
const ATTEMPT: Duration = Duration::from_secs(4);
/// How long a call may take with all its attempts: well within what a request may take.
const CALL: Duration = Duration::from_secs(12);
const ATTEMPTS: u32 = 3;
/// The certificates that AWS's endpoints chain to, and nobody else's. Reading those of the machine, some 300 files and
/// bundles, took two thirds of a function's start.
const ROOTS: &str = include_str!("aws_roots.pem");

/// The role, region and endpoints that the environment names, over TLS by rustls.
///
/// A call is tried [`ATTEMPTS`] times, with a growing wait of random length, within [`CALL`]. Whoever tries
/// again by itself switches that off.
pub async fn config() -> SdkConfig {
    let trusted = TrustStore::empty().with_pem_certificate(ROOTS);
    let tls = TlsContext::builder().with_trust_store(trusted).build();
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        // Building it cannot fail; the machine's certificates would do, too.
        .tls_context(tls.unwrap_or_default())
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

/// Whether connections are made before the first event; `off` where a start is measured without.
const WARM_VARIABLE: &str = "RAPPORT_WARM";
/// How long a start may take longer for it.
const WARMING: Duration = Duration::from_secs(2);

/// Has `calls`, which change nothing, made while the function starts: there it has more processor than ever after, and
/// nobody waits. They leave credentials, certificates and connections behind for the first event.
///
/// However they end, and whether in time or not, the function starts.
pub async fn warm(environment: impl Fn(&str) -> Option<String>, calls: impl Future<Output = ()>) {
    if environment(WARM_VARIABLE).as_deref() == Some("off") {
        return;
    }
    let begun = Instant::now();
    let in_time = tokio::time::timeout(WARMING, calls).await.is_ok();
    tracing::info!(
        in_time,
        milliseconds = milliseconds(begun.elapsed()),
        "warmed"
    );
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use ring::digest::{SHA256, digest};

    use super::*;
    use crate::keys::hex_encode;

    /// As Amazon Trust Services publishes them.
    const FINGERPRINTS: [&str; 5] = [
        "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
        "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
        "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
        "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
        "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
    ];

    #[test]
    fn the_roots_are_those_that_amazon_publishes() {
        let certificates = ROOTS.split("-----BEGIN CERTIFICATE-----").skip(1);
        let fingerprints: Vec<String> = certificates
            .map(|text| {
                let (body, _) = text.split_once("-----END CERTIFICATE-----").unwrap();
                let der = STANDARD.decode(body.replace('\n', "")).unwrap();
                hex_encode(digest(&SHA256, &der).as_ref())
            })
            .collect();
        assert_eq!(fingerprints, FINGERPRINTS);
    }

    #[tokio::test(start_paused = true)]
    async fn a_start_is_warmed_unless_told_otherwise_and_never_waits_for_ever() {
        for (told, expected) in [(None, true), (Some("on"), true), (Some("off"), false)] {
            let called = AtomicBool::new(false);
            let calls = async {
                called.store(true, Ordering::Relaxed);
                std::future::pending::<()>().await;
            };
            warm(|_| told.map(str::to_owned), calls).await;
            assert_eq!(called.into_inner(), expected, "{told:?}");
        }
    }
}
