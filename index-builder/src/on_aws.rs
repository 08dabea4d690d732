//! The builder over a table and a bucket on AWS: what the function and the command share.

use std::sync::Arc;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use platform::blobs::{Blobs, BucketBlobs};
use platform::clock::SystemClock;
use platform::ids::IdSource;
use platform::metrics::Metrics;
use store::Store;

use crate::build::IndexBuilder;

/// The shards' place in a bucket.
#[must_use]
pub fn bucket(config: &SdkConfig, name: impl Into<String>) -> Arc<dyn Blobs> {
    Arc::new(BucketBlobs::new(config, name.into()))
}

/// A builder over the table `table`, with shards at `blobs`.
#[must_use]
pub fn on_aws(
    config: &SdkConfig,
    table: impl Into<String>,
    blobs: Arc<dyn Blobs>,
    ids: IdSource,
    metrics: Metrics,
) -> IndexBuilder {
    // The store retries, so the SDK does not.
    let dynamodb = aws_sdk_dynamodb::config::Builder::from(config);
    let dynamodb = dynamodb.retry_config(RetryConfig::disabled()).build();
    let jitter = u64::from_be_bytes(ids.random_bytes());
    IndexBuilder {
        store: Store::new(aws_sdk_dynamodb::Client::from_conf(dynamodb), table).with_jitter(jitter),
        blobs,
        ids: Arc::new(ids),
        clock: Arc::new(SystemClock),
        metrics,
    }
}
