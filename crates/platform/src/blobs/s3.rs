//! Blobs in a bucket.
//!
//! A link is one of S3's pre-signed addresses. The function's own rights are in it, so it allows no more
//! than they do, and ends with the function's credentials where those end before it would.

use std::io;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_s3::Client as S3;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::timeout::TimeoutConfig;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SubsecRound, Utc};
use domain::attachment::is_file_name;
use ring::digest::{SHA256, digest};

use super::{
    BlobError, BlobName, Blobs, Download, LINK_LIFETIME, Link, MAX_BLOB_BYTES, MAX_LISTED, Upload,
};
use crate::BoxFuture;
use crate::aws::Failed;

/// How long one attempt may take to move the largest blob.
const ATTEMPT: Duration = Duration::from_secs(10);
const CALL: Duration = Duration::from_secs(25);
/// Under which nothing is ever replaced.
const WHERE_NOTHING_IS: &str = "*";
/// The headers of a link that whoever follows it has to send, apart from those that go without saying.
const SIGNED: [&str; 3] = ["content-type", "content-length", "if-none-match"];

/// Keeps each blob as an object of its name.
#[derive(Debug, Clone)]
pub struct BucketBlobs {
    s3: S3,
    bucket: String,
}

impl BucketBlobs {
    /// The bucket `bucket`, reached as `config` says.
    #[must_use]
    pub fn new(config: &SdkConfig, bucket: impl Into<String>) -> Self {
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(ATTEMPT)
            .operation_timeout(CALL);
        let config = aws_sdk_s3::config::Builder::from(config).timeout_config(timeouts.build());
        Self {
            s3: S3::from_conf(config.build()),
            bucket: bucket.into(),
        }
    }

    async fn read(&self, name: &BlobName) -> Result<Option<Vec<u8>>, BlobError> {
        let call = self.s3.get_object().bucket(&self.bucket);
        let mut body = match call.key(name.as_str()).send().await {
            Ok(object) => object.body,
            Err(error) => {
                return match error.as_service_error() {
                    Some(GetObjectError::NoSuchKey(_)) => Ok(None),
                    _ => Err(unavailable(&error)),
                };
            }
        };
        let mut bytes = Vec::new();
        while let Some(part) = body.try_next().await.map_err(io::Error::other)? {
            check_size(bytes.len().saturating_add(part.len()))?;
            bytes.extend_from_slice(&part);
        }
        Ok(Some(bytes))
    }

    /// The names behind `after`. The bucket lists them in the order of their bytes, which is ours.
    async fn names(
        &self,
        prefix: &str,
        after: Option<&BlobName>,
    ) -> Result<Vec<BlobName>, BlobError> {
        let mut names = Vec::new();
        let mut next = None;
        loop {
            let call = self.s3.list_objects_v2().bucket(&self.bucket);
            let page = call
                .prefix(prefix)
                .set_start_after(after.map(|after| after.as_str().to_owned()))
                .set_continuation_token(next)
                .send()
                .await
                .map_err(|error| unavailable(&error))?;
            // What somebody else put there has no name of ours.
            let objects = page.contents.unwrap_or_default();
            let ours = objects
                .iter()
                .filter_map(|object| object.key()?.parse().ok());
            names.extend(ours);
            next = page.next_continuation_token;
            if next.is_none() || names.len() >= MAX_LISTED {
                names.truncate(MAX_LISTED);
                return Ok(names);
            }
        }
    }
}

impl Blobs for BucketBlobs {
    fn put<'a>(
        &'a self,
        name: &'a BlobName,
        bytes: Vec<u8>,
    ) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move {
            check_size(bytes.len())?;
            let call = self.s3.put_object().bucket(&self.bucket);
            // Replaces what is there: the same bytes, or damaged ones. The bucket refuses what is not
            // as it was sent.
            call.key(name.as_str())
                .checksum_sha256(STANDARD.encode(digest(&SHA256, &bytes)))
                .body(ByteStream::from(bytes))
                .send()
                .await
                .map_err(|error| unavailable(&error))?;
            Ok(())
        })
    }

    fn get<'a>(&'a self, name: &'a BlobName) -> BoxFuture<'a, Result<Option<Vec<u8>>, BlobError>> {
        Box::pin(self.read(name))
    }

    fn list<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a BlobName>,
    ) -> BoxFuture<'a, Result<Vec<BlobName>, BlobError>> {
        Box::pin(self.names(prefix, after))
    }

    fn delete<'a>(&'a self, name: &'a BlobName) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move {
            let call = self.s3.delete_object().bucket(&self.bucket);
            // A name that is not there is deleted, too.
            let deleted = call.key(name.as_str()).send().await;
            deleted.map_err(|error| unavailable(&error))?;
            Ok(())
        })
    }

    fn upload_link<'a>(
        &'a self,
        name: &'a BlobName,
        upload: &'a Upload,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<Link, BlobError>> {
        Box::pin(async move {
            check_size(usize::try_from(upload.bytes).unwrap_or(usize::MAX))?;
            let call = self.s3.put_object().bucket(&self.bucket);
            let signed = call
                .key(name.as_str())
                .content_type(upload.media_type.media_type())
                .content_length(i64::try_from(upload.bytes).unwrap_or(i64::MAX))
                .if_none_match(WHERE_NOTHING_IS)
                .presigned(for_a_while(now)?)
                .await
                .map_err(|error| unavailable(&error))?;
            Ok(link("PUT", &signed, now))
        })
    }

    fn download_link<'a>(
        &'a self,
        name: &'a BlobName,
        as_file: &'a Download,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<Link, BlobError>> {
        Box::pin(async move {
            if !is_file_name(&as_file.file_name) {
                return Err(BlobError::NotAFileName);
            }
            let call = self.s3.get_object().bucket(&self.bucket);
            let signed = call
                .key(name.as_str())
                .response_content_type(as_file.media_type.media_type())
                .response_content_disposition(as_file.disposition())
                .response_cache_control("private, no-store")
                .presigned(for_a_while(now)?)
                .await
                .map_err(|error| unavailable(&error))?;
            Ok(link("GET", &signed, now))
        })
    }
}

fn check_size(bytes: usize) -> Result<(), BlobError> {
    if bytes > MAX_BLOB_BYTES {
        return Err(BlobError::TooLarge(
            u64::try_from(bytes).unwrap_or(u64::MAX),
        ));
    }
    Ok(())
}

/// [`LINK_LIFETIME`] from `now`, in whole seconds, as a signature says it.
fn for_a_while(now: DateTime<Utc>) -> Result<PresigningConfig, BlobError> {
    let lifetime = LINK_LIFETIME.to_std().unwrap_or_default();
    let config = PresigningConfig::builder()
        .start_time(now.trunc_subsecs(0).into())
        .expires_in(lifetime)
        .build();
    Ok(config.map_err(io::Error::other)?)
}

fn link(method: &'static str, signed: &PresignedRequest, now: DateTime<Utc>) -> Link {
    let headers = signed.headers();
    let to_be_sent = headers.filter(|(name, _)| SIGNED.contains(name));
    Link {
        method,
        url: signed.uri().to_owned(),
        headers: to_be_sent
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        expires_at: now.trunc_subsecs(0) + LINK_LIFETIME,
    }
}

fn unavailable<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> BlobError {
    BlobError::Unavailable(io::Error::other(Failed::from(error)))
}

#[cfg(test)]
mod tests {
    use aws_config::{BehaviorVersion, Region};
    use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
    use domain::attachment::MediaType;

    use super::*;

    /// Signs links, and reaches nothing.
    fn blobs() -> BucketBlobs {
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        BucketBlobs::new(&config, "rapport-blobs")
    }

    fn now() -> DateTime<Utc> {
        "2026-03-02T10:00:00.250Z".parse().unwrap()
    }

    fn name() -> BlobName {
        "attachments/eng_1/att_1".parse().unwrap()
    }

    #[tokio::test]
    async fn an_upload_link_is_signed_with_its_size_its_type_and_that_nothing_is_there() {
        let upload = Upload {
            media_type: MediaType::Pdf,
            bytes: 48_213,
        };
        let link = blobs().upload_link(&name(), &upload, now()).await.unwrap();
        let (address, query) = link.url.split_once('?').unwrap();
        assert_eq!(
            address,
            "https://rapport-blobs.s3.eu-west-1.amazonaws.com/attachments/eng_1/att_1"
        );
        let parameters: Vec<_> = query.split('&').collect();
        for parameter in [
            "X-Amz-Date=20260302T100000Z",
            "X-Amz-Expires=900",
            "X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost%3Bif-none-match",
        ] {
            assert!(parameters.contains(&parameter), "{parameter}: {query}");
        }
        let mut headers = link.headers.clone();
        headers.sort();
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            headers,
            [
                header("content-length", "48213"),
                header("content-type", "application/pdf"),
                header("if-none-match", "*"),
            ]
        );
        let ends = "2026-03-02T10:15:00Z".parse::<DateTime<Utc>>().unwrap();
        assert_eq!((link.method, link.expires_at), ("PUT", ends));
    }

    #[tokio::test]
    async fn a_download_link_needs_no_headers_and_says_how_the_file_is_saved() {
        let as_file = Download {
            media_type: MediaType::Pdf,
            file_name: "a b.pdf".to_owned(),
        };
        let link = blobs().download_link(&name(), &as_file, now()).await;
        let link = link.unwrap();
        assert_eq!((link.method, link.headers.len()), ("GET", 0));
        for parameter in [
            "X-Amz-SignedHeaders=host&",
            "response-content-type=application%2Fpdf&",
            "response-content-disposition=attachment%3B%20filename%2A%3DUTF-8%27%27a%2520b.pdf&",
        ] {
            assert!(link.url.contains(parameter), "{parameter}: {}", link.url);
        }
    }
}
