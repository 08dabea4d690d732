//! Blobs in a folder.

use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::links::LinkMaker;
use super::{
    BlobError, BlobLinkKey, BlobName, Blobs, Download, Link, MAX_BLOB_BYTES, MAX_LISTED, Upload,
};
use crate::BoxFuture;
use crate::folder::{
    blocking, clear_unfinished, files_below, is_unfinished, write_new, write_whole,
};

/// Keeps each blob as a file, at its name below a folder.
#[derive(Debug)]
pub struct FolderBlobs {
    folder: PathBuf,
    links: Option<LinkMaker>,
}

impl FolderBlobs {
    /// Uses `folder`, making it where needed, and clears away what an earlier process did not finish writing.
    /// Hands out no links.
    ///
    /// # Errors
    /// The folder cannot be made or written.
    pub fn open(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = folder.into();
        std::fs::create_dir_all(&folder)?;
        clear_unfinished(&folder)?;
        Ok(Self {
            folder,
            links: None,
        })
    }

    /// Uses a folder in which other processes keep blobs at the same time: what they have not finished writing is
    /// theirs. Hands out no links.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn open_beside_others(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = folder.into();
        std::fs::create_dir_all(&folder)?;
        Ok(Self {
            folder,
            links: None,
        })
    }

    /// Hands out links to `<base_url>/blobs/<token>`, with tokens made by `key`. Whoever serves that
    /// address checks them with the same key.
    #[must_use]
    pub fn with_links(self, base_url: impl Into<String>, key: BlobLinkKey) -> Self {
        let base_url = base_url.into();
        Self {
            links: Some(LinkMaker { base_url, key }),
            ..self
        }
    }

    /// Keeps `bytes` as `name` unless something is kept so: whether they are kept now. Of several at the
    /// same time, one is.
    ///
    /// # Errors
    /// [`BlobError`].
    pub async fn put_new(&self, name: &BlobName, bytes: Vec<u8>) -> Result<bool, BlobError> {
        let path = self.path_for(name, bytes.len())?;
        let kept = blocking(move || {
            make_folder_of(&path)?;
            match write_new(&path, &bytes) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
                written => written.map(|()| true),
            }
        });
        Ok(kept.await?)
    }

    fn links(&self) -> Result<&LinkMaker, BlobError> {
        self.links.as_ref().ok_or(BlobError::NoLinks)
    }

    /// Where so many bytes go.
    fn path_for(&self, name: &BlobName, bytes: usize) -> Result<PathBuf, BlobError> {
        if bytes > MAX_BLOB_BYTES {
            return Err(too_large(bytes));
        }
        Ok(self.path(name))
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
            let path = self.path_for(name, bytes.len())?;
            blocking(move || {
                if read_if_there(&path)?.is_some_and(|kept| kept == bytes) {
                    return Ok(());
                }
                make_folder_of(&path)?;
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
                .filter(|name| name.as_str().starts_with(prefix) && Some(name) > after)
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

    fn upload_link<'a>(
        &'a self,
        name: &'a BlobName,
        upload: &'a Upload,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<Link, BlobError>> {
        Box::pin(async move { self.links()?.upload(name, upload, now) })
    }

    fn download_link<'a>(
        &'a self,
        name: &'a BlobName,
        as_file: &'a Download,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<Link, BlobError>> {
        Box::pin(async move { self.links()?.download(name, as_file, now) })
    }
}

fn make_folder_of(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), std::fs::create_dir_all)
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
    use domain::attachment::MediaType;

    use super::*;
    use crate::keys::DeploymentKey;

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
    async fn a_name_of_its_own_is_written_once() {
        let (_folder, blobs) = open();
        let name = name("attachments/eng_1/att_1");
        assert!(blobs.put_new(&name, b"first".to_vec()).await.unwrap());
        assert!(!blobs.put_new(&name, b"second".to_vec()).await.unwrap());
        assert!(!blobs.put_new(&name, b"first".to_vec()).await.unwrap());
        let kept = blobs.get(&name).await.unwrap();
        assert_eq!(kept, Some(b"first".to_vec()));
        let listed = blobs.list("", None).await.unwrap();
        assert_eq!(listed, std::slice::from_ref(&name));
        blobs.delete(&name).await.unwrap();
        assert!(blobs.put_new(&name, b"second".to_vec()).await.unwrap());
    }

    #[tokio::test]
    async fn of_many_writers_at_the_same_time_one_writes() {
        let (_folder, blobs) = open();
        let blobs = std::sync::Arc::new(blobs);
        let writers: Vec<_> = (0_u8..16)
            .map(|writer| {
                let blobs = blobs.clone();
                tokio::spawn(async move {
                    let written = blobs.put_new(&name("a/1"), vec![writer; 4_096]).await;
                    written.unwrap().then_some(writer)
                })
            })
            .collect();
        let mut winners = Vec::new();
        for writer in writers {
            winners.extend(writer.await.unwrap());
        }
        let [winner] = winners[..] else {
            panic!("{winners:?}");
        };
        let kept = blobs.get(&name("a/1")).await.unwrap();
        assert_eq!(kept, Some(vec![winner; 4_096]));
        assert_eq!(files_below(&blobs.folder).unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_folder_hands_out_no_links_unless_told_how() {
        let (_folder, blobs) = open();
        let now = DateTime::from_timestamp(1_795_300_000, 0).unwrap();
        let upload = Upload {
            media_type: MediaType::Pdf,
            bytes: 1,
        };
        let as_file = Download {
            media_type: MediaType::Pdf,
            file_name: "a.pdf".into(),
        };
        let name = name("a/1");
        let refused = blobs.upload_link(&name, &upload, now).await;
        assert!(matches!(refused, Err(BlobError::NoLinks)));
        let refused = blobs.download_link(&name, &as_file, now).await;
        assert!(matches!(refused, Err(BlobError::NoLinks)));

        let key = DeploymentKey::from_bytes(&[7; 32]).blob_links();
        let blobs = blobs.with_links("http://localhost:3000", key.clone());
        let link = blobs.upload_link(&name, &upload, now).await.unwrap();
        let (address, token) = link.url.rsplit_once('/').unwrap();
        assert_eq!(address, "http://localhost:3000/blobs");
        assert_eq!(key.upload(token, now), Ok((name.clone(), upload)));
        let link = blobs.download_link(&name, &as_file, now).await.unwrap();
        let (_, token) = link.url.rsplit_once('/').unwrap();
        assert_eq!(key.download(token, now), Ok((name, as_file)));
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
        let put = blobs.put_new(&name("a"), vec![0; MAX_BLOB_BYTES + 1]).await;
        assert!(matches!(put, Err(BlobError::TooLarge(_))));
    }
}
