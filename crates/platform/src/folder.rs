//! Files that are either whole or absent, whenever the power fails.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Names beginning so are being written, or were when the process died.
pub(crate) const UNFINISHED: &str = ".unfinished-";

/// Tells writers of the same name apart; processes are told apart by their id.
static WRITERS: AtomicU64 = AtomicU64::new(0);

/// Puts `bytes` at `path`, replacing what was there: on disk before this returns, and never half.
///
/// # Errors
/// The file cannot be written; what was there before is untouched.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_and(path, bytes, |unfinished| fs::rename(unfinished, path))
}

/// Puts `bytes` at `path` where nothing is: on disk before this returns, and never half.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] where something is, which is untouched; or the file cannot be written.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Unlike a new name, a second one never replaces anything.
    write_and(path, bytes, |unfinished| fs::hard_link(unfinished, path))
}

/// Writes `bytes` beside `path`, and then has them named.
fn write_and(
    path: &Path,
    bytes: &[u8],
    name: impl FnOnce(&Path) -> io::Result<()>,
) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let writer = WRITERS.fetch_add(1, Ordering::Relaxed);
    let unfinished = folder.join(format!("{UNFINISHED}{}-{writer}", std::process::id()));
    let written = write_synced(&unfinished, bytes).and_then(|()| name(&unfinished));
    // Best effort: what stays behind is ignored by readers and cleared at the next start. After a
    // renaming there is nothing to remove.
    let _ = fs::remove_file(&unfinished);
    written?;
    sync_folder(folder)
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a new name last: on Unix, a folder is a file of names. Elsewhere folders cannot be opened.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Removes what a dead process left unfinished, in `folder` and below.
pub(crate) fn clear_unfinished(folder: &Path) -> io::Result<()> {
    for file in files_below(folder)? {
        if is_unfinished(&file) {
            fs::remove_file(file)?;
        }
    }
    Ok(())
}

/// Every file in `folder` and below, in no order.
pub(crate) fn files_below(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                files.push(entry.path());
            }
        }
    }
    Ok(files)
}

pub(crate) fn is_unfinished(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with(UNFINISHED))
}

/// Runs file work where it may block, and gives its result back.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|failed| Err(io::Error::other(failed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write_whole(&path, b"one").unwrap();
        write_whole(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(files_below(folder.path()).unwrap(), [path]);
    }

    #[test]
    fn a_new_file_replaces_nothing_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write_new(&path, b"one").unwrap();
        let refused = write_new(&path, b"two").unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(files_below(folder.path()).unwrap(), [path]);
    }

    #[test]
    fn leftovers_of_a_dead_process_are_cleared() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("below")).unwrap();
        fs::write(folder.path().join("below/.unfinished-1-0"), b"half").unwrap();
        fs::write(folder.path().join("below/whole"), b"whole").unwrap();
        clear_unfinished(folder.path()).unwrap();
        assert_eq!(
            files_below(folder.path()).unwrap(),
            [folder.path().join("below/whole")]
        );
    }
}
