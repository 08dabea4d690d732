//! Large immutable objects, named by their contents: a folder locally, a bucket on AWS.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::BoxFuture;
use crate::folder::{blocking, clear_unfinished, files_below, is_unfinished, write_whole};
use crate::keys::hex_encode;

/// The largest blob.
pub const MAX_BLOB_BYTES: usize = 64 * 1024 * 1024;
/// The most names one [`Blobs::list`] gives.
pub const MAX_LISTED: usize = 1_000;
const MAX_NAME_LENGTH: usize = 200;

/// Keeps blobs.
pub trait Blobs: Send + Sync {
    /// Keeps `bytes` as `name`. Names come from contents, so putting a name again changes nothing,
    /// except that it heals what a disk has damaged.
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
}

/// Why a blob operation failed.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// More than [`MAX_BLOB_BYTES`].
    #[error("a blob of {0} bytes is too large")]
    TooLarge(u64),
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

    /// Whether `bytes` are what this name was made for.
    #[must_use]
    pub fn matches(&self, bytes: &[u8]) -> bool {
        self.0
            .rsplit_once('/')
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

/// Keeps each blob as a file, at its name below a folder.
#[derive(Debug)]
pub struct FolderBlobs {
    folder: PathBuf,
}

impl FolderBlobs {
    /// Uses `folder`, making it where needed.
    ///
    /// # Errors
    /// The folder cannot be made or written.
    pub fn open(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = folder.into();
        std::fs::create_dir_all(&folder)?;
        clear_unfinished(&folder)?;
        Ok(Self { folder })
    }

    fn path(&self, name: &BlobName) -> PathBuf {
        self.folder.join(name.as_str())
    }
}

impl Blobs for FolderBlobs {
    fn put<'a>(
        &'a self,
        name: &'a BlobName,
        bytes: Vec<u8>,
    ) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move {
            if bytes.len() > MAX_BLOB_BYTES {
                return Err(too_large(bytes.len()));
            }
            let path = self.path(name);
            blocking(move || {
                if read_if_there(&path)?.is_some_and(|kept| kept == bytes) {
                    return Ok(());
                }
                if let Some(folder) = path.parent() {
                    std::fs::create_dir_all(folder)?;
                }
                write_whole(&path, &bytes)
            })
            .await?;
            Ok(())
        })
    }

    fn get<'a>(&'a self, name: &'a BlobName) -> BoxFuture<'a, Result<Option<Vec<u8>>, BlobError>> {
        Box::pin(async move {
            let path = self.path(name);
            let bytes = blocking(move || read_if_there(&path)).await?;
            match bytes {
                Some(bytes) if bytes.len() > MAX_BLOB_BYTES => Err(too_large(bytes.len())),
                bytes => Ok(bytes),
            }
        })
    }

    fn list<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a BlobName>,
    ) -> BoxFuture<'a, Result<Vec<BlobName>, BlobError>> {
        Box::pin(async move {
            let folder = self.folder.clone();
            let files = blocking(move || files_below(&folder)).await?;
            let mut names: Vec<_> = files
                .iter()
                .filter(|file| !is_unfinished(file))
                .filter_map(|file| name_below(&self.folder, file))
                .filter(|name| name.0.starts_with(prefix) && Some(name) > after)
                .collect();
            names.sort_unstable();
            names.truncate(MAX_LISTED);
            Ok(names)
        })
    }

    fn delete<'a>(&'a self, name: &'a BlobName) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move {
            let path = self.path(name);
            blocking(move || match std::fs::remove_file(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                removed => removed,
            })
            .await?;
            Ok(())
        })
    }
}

fn too_large(bytes: usize) -> BlobError {
    BlobError::TooLarge(u64::try_from(bytes).unwrap_or(u64::MAX))
}

fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The blob that `file` is; `None` for a file that somebody else put there.
fn name_below(folder: &Path, file: &Path) -> Option<BlobName> {
    let parts: Option<Vec<_>> = file
        .strip_prefix(folder)
        .ok()?
        .iter()
        .map(|part| part.to_str())
        .collect();
    parts?.join("/").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> (tempfile::TempDir, FolderBlobs) {
        let folder = tempfile::tempdir().unwrap();
        let blobs = FolderBlobs::open(folder.path().join("blobs")).unwrap();
        (folder, blobs)
    }

    fn name(text: &str) -> BlobName {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn a_blob_is_kept_listed_and_forgotten() {
        let (_folder, blobs) = open();
        let stored = BlobName::for_contents("shards/841e8c7ffffffff", b"segment").unwrap();
        assert_eq!(blobs.get(&stored).await.unwrap(), None);
        blobs.put(&stored, b"segment".to_vec()).await.unwrap();
        blobs.put(&stored, b"segment".to_vec()).await.unwrap();
        let kept = blobs.get(&stored).await.unwrap().unwrap();
        assert!(stored.matches(&kept));
        assert!(!stored.matches(b"segmenT"));
        let listed = blobs.list("shards/", None).await.unwrap();
        assert_eq!(listed, std::slice::from_ref(&stored));
        blobs.delete(&stored).await.unwrap();
        blobs.delete(&stored).await.unwrap();
        assert_eq!(blobs.list("", None).await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_damaged_blob_is_healed_by_putting_it_again() {
        let (_folder, blobs) = open();
        let stored = BlobName::for_contents("shards", b"segment").unwrap();
        blobs.put(&stored, b"segment".to_vec()).await.unwrap();
        std::fs::write(blobs.path(&stored), b"seg").unwrap();
        let torn = blobs.get(&stored).await.unwrap().unwrap();
        assert!(!stored.matches(&torn));
        blobs.put(&stored, b"segment".to_vec()).await.unwrap();
        assert!(stored.matches(&blobs.get(&stored).await.unwrap().unwrap()));
    }

    #[tokio::test]
    async fn a_listing_is_sorted_filtered_resumed_and_free_of_unfinished_files() {
        let (_folder, blobs) = open();
        for text in ["b/2", "a/1", "b/1", "b/3"] {
            blobs.put(&name(text), text.into()).await.unwrap();
        }
        std::fs::write(blobs.folder.join("b/.unfinished-1-0"), b"half").unwrap();
        let names = blobs.list("b/", None).await.unwrap();
        assert_eq!(names, [name("b/1"), name("b/2"), name("b/3")]);
        let rest = blobs.list("b/", Some(&name("b/1"))).await.unwrap();
        assert_eq!(rest, [name("b/2"), name("b/3")]);

        let reopened = FolderBlobs::open(&blobs.folder).unwrap();
        assert!(!reopened.folder.join("b/.unfinished-1-0").exists());
    }

    #[tokio::test]
    async fn a_blob_too_large_is_refused() {
        let (_folder, blobs) = open();
        let put = blobs.put(&name("a"), vec![0; MAX_BLOB_BYTES + 1]).await;
        assert!(matches!(put, Err(BlobError::TooLarge(_))));
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
