//! The ports a function may reach.
//!
//! Least privilege: a function is given the ports that its binary names and is refused the others,
//! as its role on AWS would refuse them.

use std::io;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use platform::BoxFuture;
use platform::blobs::{BlobError, BlobName, Blobs, Download, FolderBlobs, Link, Upload};
use platform::mail::{FolderMail, Mail, MailError, OutgoingMail};

use super::Error;

/// A port that not every function may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// Sends mail.
    Mail,
    /// Keeps shards and evidence.
    Blobs,
}

/// The folder that mail is written to, and the service's own address. The mail service's adapter comes
/// with deployment; until then a function that mails runs only where somebody has named a folder.
const MAIL_FOLDER: &str = "RAPPORT_MAIL_FOLDER";
const MAIL_FROM: &str = "RAPPORT_MAIL_FROM";
/// The folder that blobs are kept in. The bucket's adapter comes with deployment, too.
const BLOB_FOLDER: &str = "RAPPORT_BLOB_FOLDER";

pub(super) fn mail(
    ports: &[Port],
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Arc<dyn Mail>, Error> {
    if !ports.contains(&Port::Mail) {
        return Ok(Arc::new(Withheld));
    }
    let (Some(folder), Some(from)) = (environment(MAIL_FOLDER), environment(MAIL_FROM)) else {
        let missing = format!(
            "this function sends mail and has no mail service: set {MAIL_FOLDER} and {MAIL_FROM} to have it \
             written to a folder"
        );
        return Err(missing.into());
    };
    Ok(Arc::new(FolderMail::open(folder, from)?))
}

pub(super) fn blobs(
    ports: &[Port],
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Arc<dyn Blobs>, Error> {
    if !ports.contains(&Port::Blobs) {
        return Ok(Arc::new(Withheld));
    }
    let Some(folder) = environment(BLOB_FOLDER) else {
        let missing = format!(
            "this function keeps blobs and has no bucket: set {BLOB_FOLDER} to have them kept in a folder"
        );
        return Err(missing.into());
    };
    Ok(Arc::new(FolderBlobs::open(folder)?))
}

/// What a function has in place of a port that its binary does not name. Reaching it is a defect of
/// that list: the request or the row fails, loudly, and nothing is lost.
struct Withheld;

fn withheld<T, E>(port: Port) -> BoxFuture<'static, Result<T, E>>
where
    T: Send + 'static,
    E: From<io::Error> + Send + 'static,
{
    tracing::error!(?port, "a port that this function was not given is reached");
    let refusal = io::Error::from(io::ErrorKind::PermissionDenied);
    Box::pin(std::future::ready(Err(refusal.into())))
}

impl Mail for Withheld {
    fn send<'a>(&'a self, _: &'a OutgoingMail) -> BoxFuture<'a, Result<(), MailError>> {
        withheld(Port::Mail)
    }
}

impl Blobs for Withheld {
    fn put<'a>(&'a self, _: &'a BlobName, _: Vec<u8>) -> BoxFuture<'a, Result<(), BlobError>> {
        withheld(Port::Blobs)
    }

    fn get<'a>(&'a self, _: &'a BlobName) -> BoxFuture<'a, Result<Option<Vec<u8>>, BlobError>> {
        withheld(Port::Blobs)
    }

    fn list<'a>(
        &'a self,
        _: &'a str,
        _: Option<&'a BlobName>,
    ) -> BoxFuture<'a, Result<Vec<BlobName>, BlobError>> {
        withheld(Port::Blobs)
    }

    fn delete<'a>(&'a self, _: &'a BlobName) -> BoxFuture<'a, Result<(), BlobError>> {
        withheld(Port::Blobs)
    }

    fn upload_link<'a>(
        &'a self,
        _: &'a BlobName,
        _: &'a Upload,
        _: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<Link, BlobError>> {
        withheld(Port::Blobs)
    }

    fn download_link<'a>(
        &'a self,
        _: &'a BlobName,
        _: &'a Download,
        _: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<Link, BlobError>> {
        withheld(Port::Blobs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_named_must_be_there() {
        let nothing = |_: &str| None;
        let refused = mail(&[Port::Mail], nothing).err().unwrap().to_string();
        assert!(refused.contains(MAIL_FOLDER) && refused.contains(MAIL_FROM));
        let refused = blobs(&[Port::Blobs], nothing).err().unwrap().to_string();
        assert!(refused.contains(BLOB_FOLDER));
    }

    #[tokio::test]
    async fn a_port_that_is_not_named_is_refused_when_reached() {
        let name: BlobName = "shards/one".parse().unwrap();
        let withheld = blobs(&[Port::Mail], |_| None).unwrap();
        let refused = withheld.get(&name).await.unwrap_err();
        assert!(matches!(
            refused,
            BlobError::Unavailable(error) if error.kind() == io::ErrorKind::PermissionDenied
        ));
    }
}
