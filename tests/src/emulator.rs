//! An emulator of AWS, where an environment variable names its endpoint.

use std::sync::Arc;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider};
use platform::clock::SystemClock;
use platform::ids::IdSource;

/// Reaches everything at `endpoint`, as whoever may do anything there.
pub async fn config(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "test");
    platform::aws::config()
        .await
        .to_builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .build()
}

/// A name that nothing has yet: an emulator keeps what it is given.
#[must_use]
pub fn fresh_name(kind: &str) -> String {
    let ids = IdSource::from_os(Arc::new(SystemClock)).unwrap();
    let random: [u8; 8] = ids.random_bytes();
    format!("{kind}-{:016x}", u64::from_be_bytes(random))
}
