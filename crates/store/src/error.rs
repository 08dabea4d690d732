//! Why the table gave no answer.

use crate::key::Key;

/// A read or write that did not come to an answer about the service.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The table is throttling, unreachable or too slow; the same call may succeed later.
    #[error("the table did not answer in time")]
    Unavailable,
    /// The table refused the call: a defect here or in the deployment.
    #[error("the table refused the call: {0}")]
    Refused(String),
    /// A thing has grown larger than the table takes; nothing was sent.
    #[error("{key} would take {bytes} bytes: an item can have 400 KB, and a commit 4 MB")]
    TooLarge {
        /// Which item; of a commit that is too large as a whole, what it is about.
        key: Key,
        /// How large it would be.
        bytes: usize,
    },
    /// An item was written by a newer version of this program.
    #[error("item {key} has schema {found}, newer than {known}, the newest this program knows")]
    Newer {
        /// Which item.
        key: Key,
        /// Its schema number.
        found: u32,
        /// The newest one known here.
        known: u32,
    },
    /// An item cannot be read back.
    #[error("item {key} cannot be read: {detail}")]
    Unreadable {
        /// Which item.
        key: Key,
        /// What is wrong, without the item's content.
        detail: String,
    },
    /// A cursor that this service did not make.
    #[error("the cursor is not one of ours")]
    BadCursor,
}

impl StoreError {
    /// A stable word for it, for staff who look at what failed.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unavailable => "table_unavailable",
            Self::Refused(_) => "table_refused",
            Self::TooLarge { .. } => "item_too_large",
            Self::Newer { .. } => "item_newer",
            Self::Unreadable { .. } => "item_unreadable",
            Self::BadCursor => "bad_cursor",
        }
    }
}
