//! The places that blobs are kept in, each empty.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use platform::blobs::{Blobs, FolderBlobs};
use platform::clock::{Clock, ManualClock};
use platform::keys::DeploymentKey;
use rapport::blob_links::{Desk, router};

/// One place, and whom to ask what time it is there.
pub(crate) struct Place {
    pub(crate) blobs: Arc<dyn Blobs>,
    clock: Arc<dyn Clock>,
    /// What a second upload by the same link is answered.
    pub(crate) taken: u16,
    /// Whether links are checked when they are followed: the emulator takes every one.
    pub(crate) checks_links: bool,
}

impl Place {
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}

/// Runs `test` on every place there is.
pub(crate) async fn in_every_place(test: impl AsyncFn(Place)) {
    println!("in a folder");
    let folder = tempfile::tempdir().unwrap();
    test(in_folder(folder.path()).await).await;
    in_bucket(test).await;
}

async fn in_folder(folder: &std::path::Path) -> Place {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let key = DeploymentKey::from_bytes(&[7; 32]).blob_links();
    let blobs = FolderBlobs::open(folder).unwrap();
    let blobs = Arc::new(blobs.with_links(url, key.clone()));
    let clock = Arc::new(ManualClock::new(rapport_tests::start()));
    let desk = Desk {
        blobs: blobs.clone(),
        key,
        clock: clock.clone(),
    };
    tokio::spawn(async move { axum::serve(listener, router(desk)).await });
    Place {
        blobs,
        clock,
        taken: 409,
        checks_links: true,
    }
}

#[cfg(not(feature = "aws"))]
async fn in_bucket(_: impl AsyncFn(Place)) {
    println!("not in a bucket: the feature `aws` is off");
}

#[cfg(feature = "aws")]
async fn in_bucket(test: impl AsyncFn(Place)) {
    use platform::blobs::BucketBlobs;
    use rapport_tests::emulator::{config, fresh_name};

    let Ok(endpoint) = std::env::var("RAPPORT_S3") else {
        println!("not in a bucket: RAPPORT_S3 names no endpoint");
        return;
    };
    println!("in a bucket at {endpoint}");
    let config = config(&endpoint).await;
    let bucket = fresh_name("blobs");
    let s3 = aws_sdk_s3::Client::new(&config);
    s3.create_bucket().bucket(&bucket).send().await.unwrap();
    test(Place {
        blobs: Arc::new(BucketBlobs::new(&config, bucket)),
        clock: Arc::new(platform::clock::SystemClock),
        taken: 412,
        checks_links: false,
    })
    .await;
}
