//! The data file: one SQLite file that holds the embedded table, used by one host at a time.
//!
//! The file is marked in its own header (SQLite's `application_id` and `user_version`), so that a
//! wrong or newer file is refused before anything in it is touched.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use dynoxide::Database;
use rusqlite::{Connection, ErrorCode, OpenFlags};

/// `Rapp`, in SQLite's header.
const APPLICATION_ID: u32 = 0x5261_7070;

/// The open data file. The lock ends with it, and with the process, however that ends.
#[derive(Debug)]
pub struct DataFile {
    path: PathBuf,
    _lock: File,
}

/// Why the data file was not opened, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum OpenDataFileError {
    /// Another host has it.
    #[error(
        "{} is in use by another running host: stop that one first, or start this one with another data file",
        .0.display()
    )]
    InUse(PathBuf),
    /// It is not what it should be.
    #[error(
        "{path} is damaged or is not a data file of this program ({detail}): restore a copy of it, \
         or move it and the files beside it that begin with its name away to start with fresh sample data",
        path = path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// A newer version of this program wrote it.
    #[error(
        "{path} has data format {found}, and this program knows formats up to {known}: \
         start the newer version that wrote it, or move it away to start with fresh sample data",
        path = path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format this program knows.
        known: u32,
    },
    /// It cannot be reached.
    #[error("{path} cannot be opened: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl DataFile {
    /// Opens the file at `path`, or makes it, for this host alone. `format` is the newest data
    /// format this program writes; an older file is marked with it, as items are upcast when read.
    ///
    /// # Errors
    /// See [`OpenDataFileError`]; the file is then as it was found.
    pub fn open(path: &Path, format: u32) -> Result<(Self, Database), OpenDataFileError> {
        let lock = lock(path)?;
        let corrupt = |detail: String| OpenDataFileError::Corrupt {
            path: path.to_owned(),
            detail,
        };
        check_and_mark(path, format)?;
        let name = path
            .to_str()
            .ok_or_else(|| corrupt("its name is not Unicode".to_owned()))?;
        let database = Database::new(name).map_err(|error| corrupt(error.to_string()))?;
        let file = Self {
            path: path.to_owned(),
            _lock: lock,
        };
        Ok((file, database))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Takes the lock on a file of its own: SQLite has locks on the data file and its companions.
fn lock(path: &Path) -> Result<File, OpenDataFileError> {
    let lock_path = beside(path, ".lock");
    let failed = |source| OpenDataFileError::Io {
        path: lock_path.clone(),
        source,
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    // Never removed: a host that opened it just before would hold a lock that nobody else sees.
    let file = File::create(&lock_path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenDataFileError::InUse(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// `path` with `suffix` after its name.
#[must_use]
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn check_and_mark(path: &Path, format: u32) -> Result<(), OpenDataFileError> {
    let failed = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
            OpenDataFileError::Io {
                path: path.to_owned(),
                source: io::Error::other(error),
            }
        }
        _ => OpenDataFileError::Corrupt {
            path: path.to_owned(),
            detail: error.to_string(),
        },
    };
    // A host killed before its first write leaves an empty file: that is a new one, too.
    let new = fs::metadata(path).map_or(true, |found| found.len() == 0);
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
    )
    .map_err(failed)?;
    if new {
        return mark(&connection, format).map_err(failed);
    }
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, u32>(0));
    if number("application_id").map_err(failed)? != APPLICATION_ID {
        return Err(OpenDataFileError::Corrupt {
            path: path.to_owned(),
            detail: "it belongs to another program".to_owned(),
        });
    }
    let found = number("user_version").map_err(failed)?;
    if found > format {
        return Err(OpenDataFileError::Newer {
            path: path.to_owned(),
            found,
            known: format,
        });
    }
    let verdict: String = connection
        .pragma_query_value(None, "quick_check", |row| row.get(0))
        .map_err(failed)?;
    if verdict != "ok" {
        return Err(OpenDataFileError::Corrupt {
            path: path.to_owned(),
            detail: verdict,
        });
    }
    if found < format {
        mark(&connection, format).map_err(failed)?;
    }
    Ok(())
}

/// One transaction, so that no file is ever marked as ours without its format.
fn mark(connection: &Connection, format: u32) -> rusqlite::Result<()> {
    connection.execute_batch(&format!(
        "BEGIN; PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {format}; COMMIT;"
    ))
}

#[cfg(test)]
mod tests;
