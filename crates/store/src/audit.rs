//! Audit items: who did what to which aggregate, when, and to which fields. Ids and field names, never
//! values. A reason's words lie beside the aggregate, where erasure can reach them.

use std::collections::HashMap;

use chrono::{DateTime, SecondsFormat, Utc};
use domain::access::Acting;
use domain::id::{ClientId, CommitId, PartnerId, PersonId};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::item::{Entity, Page};
use crate::key::Key;
use crate::table::Store;

/// How the sort key of every audit item begins: with a year. A table does not look for an empty prefix.
const ANY_YEAR: &str = "2";

/// Who made a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Actor {
    /// A person, for themselves, for a client, or as staff.
    Person {
        /// Who.
        by: PersonId,
        /// For whom.
        on_behalf_of: Option<ClientId>,
        /// Whose spoken instruction it followed, where staff did it for somebody.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instructed_by: Option<PersonId>,
    },
    /// A partner's site.
    Partner {
        /// Which.
        partner: PartnerId,
    },
    /// The service itself, when something fell due.
    Service,
}

impl From<Acting> for Actor {
    fn from(acting: Acting) -> Self {
        Self::Person {
            by: acting.by,
            on_behalf_of: acting.on_behalf_of,
            instructed_by: acting.instructed_by,
        }
    }
}

/// What a commit says about itself.
#[derive(Debug, Clone)]
pub struct Audit {
    /// The commit's id, fresh: it is also how an outcome that got lost is found out.
    pub commit: CommitId,
    /// When.
    pub at: DateTime<Utc>,
    /// By whom.
    pub actor: Actor,
    /// The operation's name, e.g. `withdraw_match_request`.
    pub operation: &'static str,
    /// The aggregate it was done to.
    pub aggregate: Key,
    /// Which of its fields changed; empty for a state change that the operation names.
    pub fields: Vec<String>,
    /// Why, in staff's words, for corrections.
    pub reason: Option<String>,
}

impl Actor {
    /// Whether staff did it because somebody told them to; how they were told is kept as the reason.
    const fn is_instructed(&self) -> bool {
        matches!(
            self,
            Self::Person {
                instructed_by: Some(_),
                ..
            }
        )
    }
}

/// An audit item as stored and read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditItem {
    /// Which commit.
    pub commit: CommitId,
    /// When.
    pub at: DateTime<Utc>,
    /// By whom.
    pub actor: Actor,
    /// The operation's name.
    pub operation: String,
    /// The aggregate's partition key.
    pub aggregate: String,
    /// Which of its fields changed.
    pub fields: Vec<String>,
    /// Whether a reason lies beside the aggregate.
    pub reasoned: bool,
}

impl Entity for AuditItem {
    fn key(&self) -> Key {
        let time = self.at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let aggregate = Key {
            pk: self.aggregate.clone(),
            sk: String::new(),
        };
        Key::audit(&aggregate, format!("{time}#{}", self.commit))
    }
}

impl From<&Audit> for AuditItem {
    fn from(audit: &Audit) -> Self {
        Self {
            commit: audit.commit,
            at: audit.at,
            actor: audit.actor,
            operation: audit.operation.to_owned(),
            aggregate: audit.aggregate.pk.clone(),
            fields: audit.fields.clone(),
            reasoned: audit.reason.is_some() || audit.actor.is_instructed(),
        }
    }
}

/// The words of a reason, beside the aggregate they are about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReasonItem {
    pub(crate) aggregate: String,
    pub(crate) commit: CommitId,
    pub(crate) text: String,
}

impl Entity for ReasonItem {
    fn key(&self) -> Key {
        let aggregate = Key {
            pk: self.aggregate.clone(),
            sk: String::new(),
        };
        Key::reason(&aggregate, &self.commit.to_string())
    }
}

/// What was done to an aggregate, with the words of the reason if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// What was done.
    pub item: AuditItem,
    /// Why; gone once it was erased.
    pub reason: Option<String>,
}

impl Store {
    /// A page of what was done to `aggregate`, newest first.
    ///
    /// # Errors
    /// See [`StoreError`]; [`StoreError::BadCursor`] for a cursor not made here.
    pub async fn audit_of(
        &self,
        aggregate: &Key,
        limit: u16,
        cursor: Option<&str>,
    ) -> Result<Page<AuditEntry>, StoreError> {
        let pk = Key::audit_partition(aggregate);
        let page = self
            .list::<AuditItem>(&pk, ANY_YEAR, true, limit, cursor)
            .await?;
        let items = page.items.into_iter().map(|item| item.value);
        let items: Vec<AuditItem> = items.collect();
        let reasoned = items.iter().filter(|item| item.reasoned);
        let keys: Vec<Key> = reasoned
            .map(|item| Key::reason(aggregate, &item.commit.to_string()))
            .collect();
        let reasons = self.get_many::<ReasonItem>(&keys).await?;
        let mut words: HashMap<CommitId, String> = reasons
            .into_iter()
            .map(|reason| (reason.value.commit, reason.value.text))
            .collect();
        let items = items
            .into_iter()
            .map(|item| AuditEntry {
                reason: words.remove(&item.commit),
                item,
            })
            .collect();
        Ok(Page {
            items,
            next: page.next,
        })
    }
}
