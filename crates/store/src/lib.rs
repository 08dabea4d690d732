//! The one DynamoDB table: keys, items, and the commit that every state change is.
//!
//! The table is always spoken to through `aws-sdk-dynamodb`, whether AWS answers or the embedded one.
//! This crate decides nothing about the service: rules live in `domain`.

mod audit;
mod commit;
mod conversation;
mod due;
mod entities;
mod error;
mod idempotency;
mod index_source;
mod item;
mod key;
mod retry;
mod table;

pub use audit::{Actor, Audit, AuditEntry, AuditItem};
pub use commit::{Commit, CommitError};
pub use conversation::DisclosedRead;
pub use due::{
    AnnouncedDue, DueKey, PendingDue, Postponed, announced, consumer_of, due_of_token, due_token,
};
pub use entities::{
    CellRow, ClientEngagement, ClientMatchRequest, EngagementVisit, Hint, InboxItem, Login, Night,
    OwnReport, PartnerForm, Setting, ShardPointer, StoredScheme, WorkerCover, WorkerEngagement,
    WorkerInvitation,
};
pub use error::StoreError;
pub use idempotency::{IDEMPOTENCY_DAYS, Once, Remembered};
pub use item::{Entity, Page, StaffIndex, Versioned};
pub use key::{Key, StaffPartition};
pub use table::{FORMAT, Store};
