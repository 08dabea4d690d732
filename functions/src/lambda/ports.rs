//! The ports a function may reach.
//!
//! Least privilege: a function is given the ports that its binary names and is refused the others,
//! as its role on AWS would refuse them.

use std::io;
use std::sync::Arc;

use aws_config::SdkConfig;
use chrono::{DateTime, Utc};
use platform::BoxFuture;
use platform::blobs::{
    BlobError, BlobName, Blobs, BucketBlobs, Download, FolderBlobs, Link, Upload,
};
use platform::mail::{FolderMail, Mail, MailError, OutgoingMail, SesMail};

use super::Error;

/// A port that not every function may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// Sends mail.
    Mail,
    /// Keeps the index's shards.
    Shards,
    /// Keeps the files of conversations.
    Attachments,
}

impl Port {
    /// The folder among the blobs that it is for.
    pub(super) const fn folder(self) -> Option<&'static str> {
        match self {
            Self::Mail => None,
            Self::Shards => Some("shards"),
            Self::Attachments => Some("attachments"),
        }
    }
}

/// The service's own address.
const MAIL_FROM: &str = "RAPPORT_MAIL_FROM";
/// SES's configuration set, by which somebody hears of bounces; optional.
const MAIL_CONFIGURATION_SET: &str = "RAPPORT_MAIL_CONFIGURATION_SET";
/// A folder that mail is written to instead of being sent: for trying a function out.
const MAIL_FOLDER: &str = "RAPPORT_MAIL_FOLDER";
const BUCKET: &str = "RAPPORT_BUCKET";
/// A folder in place of a bucket: for trying a function out.
const BLOB_FOLDER: &str = "RAPPORT_BLOB_FOLDER";

pub(super) fn mail(
    ports: &[Port],
    config: &SdkConfig,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Arc<dyn Mail>, Error> {
    if !ports.contains(&Port::Mail) {
        return Ok(Arc::new(Withheld));
    }
    let Some(from) = environment(MAIL_FROM) else {
        return Err(format!("this function sends mail: set {MAIL_FROM}").into());
    };
    if let Some(folder) = environment(MAIL_FOLDER) {
        return Ok(Arc::new(FolderMail::open(folder, from)?));
    }
    let configuration_set = environment(MAIL_CONFIGURATION_SET);
    Ok(Arc::new(SesMail::new(config, from, configuration_set)?))
}

pub(super) fn blobs(
    ports: &[Port],
    config: &SdkConfig,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Arc<dyn Blobs>, Error> {
    if ports.iter().all(|port| port.folder().is_none()) {
        return Ok(Arc::new(Withheld));
    }
    if let Some(bucket) = environment(BUCKET) {
        return Ok(Arc::new(BucketBlobs::new(config, bucket)));
    }
    let Some(folder) = environment(BLOB_FOLDER) else {
        let missing =
            format!("this function keeps blobs: set {BUCKET}, or {BLOB_FOLDER} to try it out");
        return Err(missing.into());
    };
    Ok(Arc::new(FolderBlobs::open(folder)?))
}

/// What a function has in place of a port that its binary does not name. Reaching it is a defect of
/// that list: the request or the row fails, loudly, and nothing is lost.
struct Withheld;

fn withheld<T, E>(port: &'static str) -> BoxFuture<'static, Result<T, E>>
where
    T: Send + 'static,
    E: From<io::Error> + Send + 'static,
{
    tracing::error!(port, "a port that this function was not given is reached");
    let refusal = io::Error::from(io::ErrorKind::PermissionDenied);
    Box::pin(std::future::ready(Err(refusal.into())))
}

impl Mail for Withheld {
    fn send<'a>(&'a self, _: &'a OutgoingMail) -> BoxFuture<'a, Result<(), MailError>> {
        withheld("mail")
    }
}

impl Blobs for Withheld {
    fn put<'a>(&'a self, _: &'a BlobName, _: Vec<u8>) -> BoxFuture<'a, Result<(), BlobError>> {
        withheld("blobs")
    }

    fn get<'a>(&'a self, _: &'a BlobName) -> BoxFuture<'a, Result<Option<Vec<u8>>, BlobError>> {
        withheld("blobs")
    }

    fn list<'a>(
        &'a self,
        _: &'a str,
        _: Option<&'a BlobName>,
    ) -> BoxFuture<'a, Result<Vec<BlobName>, BlobError>> {
        withheld("blobs")
    }

    fn delete<'a>(&'a self, _: &'a BlobName) -> BoxFuture<'a, Result<(), BlobError>> {
        withheld("blobs")
    }

    fn upload_link<'a>(
        &'a self,
        _: &'a BlobName,
        _: &'a Upload,
        _: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<Link, BlobError>> {
        withheld("blobs")
    }

    fn download_link<'a>(
        &'a self,
        _: &'a BlobName,
        _: &'a Download,
        _: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<Link, BlobError>> {
        withheld("blobs")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> SdkConfig {
        SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::v2026_01_12())
            .region(aws_config::Region::from_static("eu-west-1"))
            .build()
    }

    #[test]
    fn a_port_that_is_named_must_be_there() {
        let nothing = |_: &str| None;
        let refused = mail(&[Port::Mail], &config(), nothing).err().unwrap();
        assert!(refused.to_string().contains(MAIL_FROM));
        let refused = blobs(&[Port::Shards], &config(), nothing).err().unwrap();
        assert!(refused.to_string().contains(BUCKET));
    }

    #[tokio::test]
    async fn a_folder_takes_the_place_of_what_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap().to_owned();
        let environment = |name: &str| match name {
            MAIL_FROM => Some("rapport@example.net".to_owned()),
            MAIL_FOLDER | BLOB_FOLDER => Some(path.clone()),
            _ => None,
        };
        let sent = OutgoingMail {
            message_id: "ntc_1".into(),
            to: "ada@example.org".into(),
            subject: "Hello".into(),
            text: "Hello".into(),
            date: DateTime::UNIX_EPOCH,
        };
        let mail = mail(&[Port::Mail], &config(), environment).unwrap();
        mail.send(&sent).await.unwrap();
        assert!(folder.path().join("ntc_1.eml").exists());
        let name: BlobName = "shards/one".parse().unwrap();
        let blobs = blobs(&[Port::Shards], &config(), environment).unwrap();
        blobs.put(&name, b"one".to_vec()).await.unwrap();
        assert!(folder.path().join("shards/one").exists());
    }

    #[tokio::test]
    async fn a_port_that_is_not_named_is_refused_when_reached() {
        let name: BlobName = "shards/one".parse().unwrap();
        let withheld = blobs(&[Port::Mail], &config(), |_| None).unwrap();
        let refused = withheld.get(&name).await.unwrap_err();
        assert!(matches!(
            refused,
            BlobError::Unavailable(error) if error.kind() == io::ErrorKind::PermissionDenied
        ));
    }
}
