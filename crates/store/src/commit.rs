//! The commit: every state change of the service is one of these, a single conditional transaction.
//!
//! It holds the aggregates (absent, or at the version read), checks on everything the decision rested
//! on, one audit item, the idempotency record, notices and the next deadline. Either all of it stands
//! in the table or nothing does.

mod carry_out;
mod size;

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update,
};
use chrono::{DateTime, Utc};
use domain::due::{Due, DueRow};
use domain::id::{CommitId, NoticeId};
use domain::notice::Event;

use crate::audit::{Audit, AuditItem, ReasonItem};
use crate::due::{PendingDue, due_item, due_key, untold};
use crate::error::StoreError;
use crate::idempotency::{Once, Remembered};
use crate::item::{Attributes, Entity, TTL, Versioned, encode, key_attributes, number};
use crate::key::Key;

/// DynamoDB's limit of one transaction.
const MOST_WRITES: usize = 100;
/// Its limit of one item, 400 KB.
const MOST_ITEM_BYTES: usize = 400 * 1024;
/// And of all items of one transaction, 4 MB.
const MOST_COMMIT_BYTES: usize = 4 * 1024 * 1024;

/// What a write is there for, so that a failed condition can be told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Idempotency,
    Audit,
    Due,
    Limit,
    State,
}

struct Write {
    role: Role,
    key: Key,
    item: TransactWriteItem,
}

/// A state change in the making.
#[must_use = "a commit changes nothing until the store carries it out"]
pub struct Commit {
    id: CommitId,
    /// What it follows from: itself, or the act that wrote the due row whose effect it is.
    act: CommitId,
    at: DateTime<Utc>,
    operation: &'static str,
    /// The words of its reason so far.
    reason: Option<String>,
    aggregate: Key,
    writes: Vec<Write>,
    /// The version at which each thing that the decision rested on was read.
    read: BTreeMap<Key, u64>,
    /// Why it cannot be carried out, as far as that is known before.
    refusal: Option<CommitError>,
}

/// Why a commit changed nothing, or may not have.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The idempotency key has been used: look at what is remembered.
    #[error("the idempotency key has been used")]
    Replayed,
    /// The due row is gone: its effect has happened.
    #[error("the effect has happened already")]
    AlreadyDone,
    /// A limit has been reached; what was counted was not done.
    #[error("{0} has reached its limit")]
    LimitReached(Key),
    /// Something the decision rested on has changed: read again and decide again.
    #[error("{0} has changed since it was read")]
    Conflict(Key),
    /// The table gave no answer. With [`StoreError::Unavailable`] the commit may have happened; the same
    /// idempotency key or due row finds out.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Commit {
    /// An empty commit that will say `audit` of itself.
    pub fn new(audit: Audit) -> Self {
        let item = AuditItem::from(&audit);
        let Audit {
            commit: id,
            at,
            operation,
            aggregate,
            reason,
            ..
        } = audit;
        let mut commit = Self::empty(id, at, aggregate);
        commit.operation = operation;
        commit.put(Role::Audit, &item, 1, Condition::Absent);
        match reason {
            Some(text) => commit.because(text),
            None => commit,
        }
    }

    /// Keeps the words of a reason beside the aggregate: staff's own, or how an instruction was given; where there
    /// are both, one below the other.
    pub fn because(mut self, text: String) -> Self {
        let text = match self.reason.take() {
            Some(reason) => format!("{reason}\n{text}"),
            None => text,
        };
        self.reason = Some(text.clone());
        let reason = ReasonItem {
            aggregate: self.aggregate.pk.clone(),
            commit: self.id,
            text,
        };
        // A commit writes nothing twice.
        let key = reason.key();
        self.writes.retain(|write| write.key != key);
        self.put(Role::State, &reason, 1, Condition::Absent);
        self
    }

    /// Its own id, by which its audit item is found.
    #[must_use]
    pub const fn id(&self) -> CommitId {
        self.id
    }

    /// The name of the operation that it is; empty for most effects and for derived data.
    #[must_use]
    pub const fn operation(&self) -> &'static str {
        self.operation
    }

    /// Names an effect that leaves no audit item, so that it can be counted.
    pub const fn named(mut self, operation: &'static str) -> Self {
        self.operation = operation;
        self
    }

    /// The commit of an effect that changes no aggregate, such as telling people: it finishes its due
    /// row and leaves no audit item. The row's absence tells an outcome whose answer got lost.
    pub fn of_effect(id: CommitId, at: DateTime<Utc>, pending: &PendingDue) -> Self {
        let aggregate = Key {
            pk: pending.key.pk.clone(),
            sk: String::new(),
        };
        let mut commit = Self::empty(id, at, aggregate);
        // Whatever follows from an effect follows from the act that it is the effect of.
        commit.act = pending.act.unwrap_or(id);
        commit.finish(pending)
    }

    /// The commit of derived data alone, which can be made again from what it derives from: no audit
    /// item. Whoever loses the answer reads again.
    pub fn of_derived(id: CommitId, at: DateTime<Utc>, aggregate: Key) -> Self {
        Self::empty(id, at, aggregate)
    }

    fn empty(id: CommitId, at: DateTime<Utc>, aggregate: Key) -> Self {
        Self {
            id,
            act: id,
            at,
            operation: "",
            reason: None,
            aggregate,
            writes: Vec::new(),
            read: BTreeMap::new(),
            refusal: None,
        }
    }

    /// When it is made.
    pub(crate) const fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// How many writes and checks it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.writes.len()
    }

    /// Whether it holds nothing; it never does.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Stores a new thing; fails if its key is taken.
    pub fn insert<T: Entity>(mut self, thing: &T) -> Self {
        self.put(Role::State, thing, 1, Condition::Absent);
        self
    }

    /// Stores the next version of a thing; fails if it is no longer at the version read.
    pub fn replace<T: Entity>(mut self, was: &Versioned<T>, next: &T) -> Self {
        self.rest_on(&was.value.key(), was.version);
        self.put(
            Role::State,
            next,
            was.version.saturating_add(1),
            Condition::Version(was.version),
        );
        self
    }

    /// Stores derived data, whatever was there: what it derives from is conditional in the same commit.
    pub fn derive<T: Entity>(mut self, thing: &T) -> Self {
        self.put(Role::State, thing, 1, Condition::None);
        self
    }

    /// Deletes derived data, whether or not it is there.
    pub fn derive_nothing_at(mut self, key: &Key) -> Self {
        let delete = Delete::builder()
            .table_name("")
            .set_key(Some(key_attributes(key)))
            .build();
        self.write(
            Role::State,
            key.clone(),
            delete.map(|delete| TransactWriteItem::builder().delete(delete).build()),
        );
        self
    }

    /// Deletes a thing; fails if it is no longer at the version read.
    pub fn remove<T: Entity>(mut self, was: &Versioned<T>) -> Self {
        let key = was.value.key();
        self.rest_on(&key, was.version);
        let delete = Delete::builder()
            .table_name("")
            .set_key(Some(key_attributes(&key)))
            .condition_expression("version = :version")
            .expression_attribute_values(":version", number(was.version))
            .build();
        self.write(
            Role::State,
            key,
            delete.map(|delete| TransactWriteItem::builder().delete(delete).build()),
        );
        self
    }

    /// Fails if a thing the decision rested on is no longer at the version read. Where the commit writes
    /// that thing too, it fails unless both were read at the same version.
    pub fn unchanged<T: Entity>(mut self, read: &Versioned<T>) -> Self {
        let key = read.value.key();
        self.rest_on(&key, read.version);
        if self.writes.iter().any(|write| write.key == key) {
            return self;
        }
        let check = ConditionCheck::builder()
            .table_name("")
            .set_key(Some(key_attributes(&key)))
            .condition_expression("version = :version")
            .expression_attribute_values(":version", number(read.version))
            .build();
        self.write(
            Role::State,
            key,
            check.map(|check| TransactWriteItem::builder().condition_check(check).build()),
        );
        self
    }

    /// Fails if something has come to stand at `key`, where the decision rested on there being nothing.
    pub fn absent(mut self, key: &Key) -> Self {
        if self.writes.iter().any(|write| write.key == *key) {
            return self;
        }
        let check = ConditionCheck::builder()
            .table_name("")
            .set_key(Some(key_attributes(key)))
            .condition_expression("attribute_not_exists(pk)")
            .build();
        self.write(
            Role::State,
            key.clone(),
            check.map(|check| TransactWriteItem::builder().condition_check(check).build()),
        );
        self
    }

    /// Counts one more under `key`; fails once `limit` is reached. The table's TTL tidies the counter up
    /// after `until`.
    pub fn count(mut self, key: &Key, limit: u32, until: DateTime<Utc>) -> Self {
        let update = Update::builder()
            .table_name("")
            .set_key(Some(key_attributes(key)))
            .update_expression("ADD #count :one SET #ttl = :until")
            .condition_expression("attribute_not_exists(#count) OR #count < :limit")
            .expression_attribute_names("#count", "count")
            .expression_attribute_names("#ttl", TTL)
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":limit", number(limit))
            .expression_attribute_values(":until", number(until.timestamp()))
            .build();
        self.write(
            Role::Limit,
            key.clone(),
            update.map(|update| TransactWriteItem::builder().update(update).build()),
        );
        self
    }

    /// Lets everybody whom `event` concerns know, once this commit stands.
    pub fn notify(self, notice: NoticeId, event: Event) -> Self {
        let at = self.at;
        self.due(DueRow {
            due: Due::Notice { notice, event },
            at,
            generation: 0,
        })
    }

    /// Writes an effect or deadline beside the aggregate.
    pub fn due(self, row: DueRow) -> Self {
        let aggregate = self.aggregate.clone();
        self.due_of(&aggregate, row)
    }

    /// Writes a deadline that is called off within moments, unless something goes wrong: nobody is told of it, and
    /// should it come to it, the sweeper finds it a few minutes late. It saves a schedule and its firing each time.
    pub fn due_untold(mut self, row: DueRow) -> Self {
        match due_item(&self.aggregate, &row, &self.id.to_string(), self.act) {
            Ok(item) => self.put_item(Role::State, untold(item), Condition::None),
            Err(error) => self.refuse(error),
        }
        self
    }

    /// Writes an effect or deadline beside another aggregate than the one this commit is about.
    pub fn due_of(mut self, aggregate: &Key, row: DueRow) -> Self {
        match due_item(aggregate, &row, &self.id.to_string(), self.act) {
            Ok(item) => self.put_item(Role::State, item, Condition::None),
            Err(error) => self.refuse(error),
        }
        self
    }

    /// Deletes the due row whose effect this commit is; fails if the effect has happened already.
    pub fn finish(self, pending: &PendingDue) -> Self {
        self.delete_due(&pending.key)
    }

    /// Deletes a due row that the commit `by` wrote beside this one's aggregate, and that need not come about any
    /// more; fails with [`CommitError::AlreadyDone`] if it is gone.
    pub fn call_off(self, row: &DueRow, by: CommitId) -> Self {
        let key = due_key(&self.aggregate, row, &by.to_string());
        self.delete_due(&key)
    }

    fn delete_due(mut self, key: &Key) -> Self {
        let delete = Delete::builder()
            .table_name("")
            .set_key(Some(key_attributes(key)))
            .condition_expression("attribute_exists(pk)")
            .build();
        self.write(
            Role::Due,
            key.clone(),
            delete.map(|delete| TransactWriteItem::builder().delete(delete).build()),
        );
        self
    }

    // INVARIANT: a check gives way to a write of the same item only where both rest on one reading of it.
    fn rest_on(&mut self, key: &Key, version: u64) {
        let known = *self.read.entry(key.clone()).or_insert(version);
        if known != version {
            self.refuse(CommitError::Conflict(key.clone()));
        }
    }

    fn refuse(&mut self, refusal: impl Into<CommitError>) {
        self.refusal.get_or_insert(refusal.into());
    }

    fn remember(&mut self, once: &Once, target: String) {
        let remembered = Remembered::new(once, target, self.at);
        self.put(
            Role::Idempotency,
            &remembered,
            1,
            Condition::AbsentOrExpired(self.at),
        );
    }

    fn put<T: Entity>(&mut self, role: Role, thing: &T, version: u64, condition: Condition) {
        match encode(thing, version) {
            Ok(item) => self.put_item(role, item, condition),
            Err(error) => self.refuse(error),
        }
    }

    fn put_item(&mut self, role: Role, mut item: Attributes, condition: Condition) {
        let Ok(key) = crate::item::key_of(&item) else {
            self.refuse(StoreError::Refused("an item without keys".into()));
            return;
        };
        if let Condition::AbsentOrExpired(now) = condition {
            let until = now + chrono::Duration::days(crate::idempotency::IDEMPOTENCY_DAYS);
            item.insert(TTL.to_owned(), number(until.timestamp()));
        }
        let put = Put::builder().table_name("").set_item(Some(item));
        let put = match condition {
            Condition::None => put,
            Condition::Absent => put.condition_expression("attribute_not_exists(pk)"),
            Condition::AbsentOrExpired(now) => put
                .condition_expression("attribute_not_exists(pk) OR #ttl <= :now")
                .expression_attribute_names("#ttl", TTL)
                .expression_attribute_values(":now", number(now.timestamp())),
            Condition::Version(version) => put
                .condition_expression("version = :version")
                .expression_attribute_values(":version", AttributeValue::N(version.to_string())),
        };
        self.write(
            role,
            key,
            put.build()
                .map(|put| TransactWriteItem::builder().put(put).build()),
        );
    }

    pub(crate) fn write(
        &mut self,
        role: Role,
        key: Key,
        item: Result<TransactWriteItem, aws_sdk_dynamodb::error::BuildError>,
    ) {
        match item {
            // A transaction may name an item once; a write takes the place of a check.
            Ok(item) => {
                self.writes
                    .retain(|write| write.key != key || write.item.condition_check().is_none());
                self.writes.push(Write { role, key, item });
            }
            Err(error) => self.refuse(StoreError::Refused(error.to_string())),
        }
    }

    fn into_writes(self, table: &str) -> Result<Vec<Write>, CommitError> {
        if let Some(refusal) = self.refusal {
            return Err(refusal);
        }
        if self.writes.len() > MOST_WRITES {
            let writes = self.writes.len();
            return Err(StoreError::Refused(format!("{writes} writes in one commit")).into());
        }
        let mut all = 0;
        for write in &self.writes {
            let bytes = size::size_of(&write.item);
            all += bytes;
            if bytes > MOST_ITEM_BYTES {
                return Err(StoreError::TooLarge {
                    key: write.key.clone(),
                    bytes,
                }
                .into());
            }
        }
        if all > MOST_COMMIT_BYTES {
            let key = self.aggregate;
            return Err(StoreError::TooLarge { key, bytes: all }.into());
        }
        Ok(self
            .writes
            .into_iter()
            .map(|write| Write {
                item: in_table(write.item, table),
                ..write
            })
            .collect())
    }
}

enum Condition {
    None,
    Absent,
    AbsentOrExpired(DateTime<Utc>),
    Version(u64),
}

fn in_table(mut item: TransactWriteItem, table: &str) -> TransactWriteItem {
    if let Some(put) = &mut item.put {
        table.clone_into(&mut put.table_name);
    }
    if let Some(delete) = &mut item.delete {
        table.clone_into(&mut delete.table_name);
    }
    if let Some(check) = &mut item.condition_check {
        table.clone_into(&mut check.table_name);
    }
    if let Some(update) = &mut item.update {
        table.clone_into(&mut update.table_name);
    }
    item
}
