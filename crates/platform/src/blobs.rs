//! Large immutable objects: a folder locally, a bucket on AWS.
//!
//! What the service makes itself is named by its contents and kept with [`Blobs::put`]. What people
//! upload gets a name beforehand, and goes past the functions through a [`Link`] that allows exactly
//! one object of an exact size and type; a name that is taken stays as it is.

use std::fmt;
use std::io;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::BoxFuture;
use crate::keys::hex_encode;

mod folder;
mod links;
#[cfg(feature = "aws-blobs")]
mod s3;

pub use folder::FolderBlobs;
pub use links::{BlobLinkError, BlobLinkKey, Download, LINK_LIFETIME, Link, Upload};
#[cfg(feature = "aws-blobs")]
pub use s3::BucketBlobs;

/// The largest blob.
pub const MAX_BLOB_BYTES: usize = 64 * 1024 * 1024;
/// The most names one [`Blobs::list`] gives.
pub const MAX_LISTED: usize = 1_000;
const MAX_NAME_LENGTH: usize = 200;

/// Keeps blobs.
pub trait Blobs: Send + Sync {
    /// Keeps `bytes` as `name`, which comes from them ([`BlobName::for_contents`]), so that putting it
    /// again changes nothing, except that it heals what a disk has damaged.
    ///
    /// # Errors
    /// [`BlobError`].
    fn put<'a>(
        &'a self,
        name: &'a BlobName,
        bytes: Vec<u8>,
    ) -> BoxFuture<'a, Result<(), BlobError>>;

    /// What is kept as `name`, if anything is. Check it with [`BlobName::matches`] before trusting it.
    ///
    /// # Errors
    /// [`BlobError`].
    fn get<'a>(&'a self, name: &'a BlobName) -> BoxFuture<'a, Result<Option<Vec<u8>>, BlobError>>;

    /// The names beginning with `prefix` that sort behind `after`, sorted, at most [`MAX_LISTED`].
    ///
    /// # Errors
    /// [`BlobError`].
    fn list<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a BlobName>,
    ) -> BoxFuture<'a, Result<Vec<BlobName>, BlobError>>;

    /// Forgets `name`; it need not exist.
    ///
    /// # Errors
    /// [`BlobError`].
    fn delete<'a>(&'a self, name: &'a BlobName) -> BoxFuture<'a, Result<(), BlobError>>;

    /// A link by which whoever holds it puts exactly `upload` as `name`, for [`LINK_LIFETIME`] from `now`
    /// and where nothing has that name by then.
    ///
    /// # Errors
    /// [`BlobError`].
    fn upload_link<'a>(
        &'a self,
        name: &'a BlobName,
        upload: &'a Upload,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<Link, BlobError>>;

    /// A link by which whoever holds it gets what is kept as `name`, to be saved `as_file`, for
    /// [`LINK_LIFETIME`] from `now`. Whether anything is kept is found out by following it.
    ///
    /// # Errors
    /// [`BlobError`].
    fn download_link<'a>(
        &'a self,
        name: &'a BlobName,
        as_file: &'a Download,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<Link, BlobError>>;
}

/// Why a blob operation failed.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// More than [`MAX_BLOB_BYTES`].
    #[error("a blob of {0} bytes is too large")]
    TooLarge(u64),
    /// No link can call a file so: a defect of whoever asked, for such a name is refused earlier.
    #[error("no link can call a file so")]
    NotAFileName,
    /// Blobs are kept here, but nobody is served by a link.
    #[error("this deployment hands out no links")]
    NoLinks,
    /// Not now: try again.
    #[error("blobs are not available: {0}")]
    Unavailable(#[from] io::Error),
}

/// A blob's name: up to 200 of `a-z A-Z 0-9 _ - .` in parts separated by slashes, none beginning
/// with a dot.
///
/// INVARIANT: joined to a folder, it stays in that folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobName(String);

/// Text that is not a blob's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a blob name")]
pub struct BlobNameError;

impl BlobName {
    /// `<folder>/<SHA-256 of the contents>`.
    ///
    /// # Errors
    /// `folder` cannot be part of a name.
    pub fn for_contents(folder: &str, bytes: &[u8]) -> Result<Self, BlobNameError> {
        format!("{folder}/{}", content_hash(bytes)).parse()
    }

    /// `<folder>/<mark>.<SHA-256 of the contents>`: a name that the same contents do not get again under
    /// another mark.
    ///
    /// # Errors
    /// `folder` or `mark` cannot be part of a name.
    pub fn for_marked_contents(
        folder: &str,
        mark: &str,
        bytes: &[u8],
    ) -> Result<Self, BlobNameError> {
        format!("{folder}/{mark}.{}", content_hash(bytes)).parse()
    }

    /// Whether `bytes` are what this name was made for.
    #[must_use]
    pub fn matches(&self, bytes: &[u8]) -> bool {
        self.0
            .rsplit_once(['/', '.'])
            .is_some_and(|(_, hash)| hash == content_hash(bytes))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn content_hash(bytes: &[u8]) -> String {
    hex_encode(digest(&SHA256, bytes).as_ref())
}

impl FromStr for BlobName {
    type Err = BlobNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let part = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
        };
        let named = text.len() <= MAX_NAME_LENGTH && text.split('/').all(part);
        named.then(|| Self(text.to_owned())).ok_or(BlobNameError)
    }
}

impl fmt::Display for BlobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for BlobName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for BlobName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_made_of_contents_matches_them_and_nothing_else() {
        for name in [
            BlobName::for_contents("shards", b"segment").unwrap(),
            BlobName::for_marked_contents("shards", "841e8c7ffffffff.1", b"segment").unwrap(),
        ] {
            assert!(name.matches(b"segment"), "{name}");
            assert!(!name.matches(b"segmenT"), "{name}");
        }
        let unmarked = "shards/segment".parse::<BlobName>().unwrap();
        assert!(!unmarked.matches(b"segment"));
    }

    #[test]
    fn a_name_cannot_leave_its_folder() {
        for refused in [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "../a",
            "a/../b",
            "a/.b",
            "a\\b",
            "a b",
            "C:a",
            "a\0",
            "é",
            &"a".repeat(201),
        ] {
            assert_eq!(refused.parse::<BlobName>(), Err(BlobNameError), "{refused}");
        }
    }
}
