//! How each thing of the domain is stored: its key, and the list in which staff find it.

mod alert;
mod cover;
mod engagement;
mod night;
mod safety;

use chrono::{DateTime, SecondsFormat, Utc};
use domain::access::Authority;
use domain::candidates::CandidateList;
use domain::client::Client;
use domain::correction::Merge;
use domain::funding::FundingScheme;
use domain::id::{ClientId, FormId, MatchRequestId, NoticeId, PartnerId, PersonId};
use domain::import::{ImportRun, Imported};
use domain::match_request::MatchRequest;
use domain::membership::MembershipPlan;
use domain::notice::Event;
use domain::packed::IndexRecord;
use domain::pair::Pair;
use domain::partner::Partner;
use domain::person::{LoginKey, Person};
use domain::place::Cell;
use domain::policy::Policy;
use domain::signup::Signup;
use domain::support_worker::SupportWorker;
use domain::ticket::Ticket;
use domain::vocabulary::Vocabulary;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use cover::WorkerCover;
pub use engagement::{ClientEngagement, EngagementVisit, WorkerEngagement, WorkerInvitation};
pub use night::Night;
pub use safety::OwnReport;

use crate::item::{Entity, Page, StaffIndex, Versioned};
use crate::key::{Key, StaffPartition};

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

impl Entity for Person {
    fn key(&self) -> Key {
        Key::person(self.id)
    }

    fn staff_index(&self) -> Option<StaffIndex> {
        let listed = !self.roles.staff.is_empty() && self.merged_into.is_none();
        listed.then(|| StaffIndex {
            partition: StaffPartition::Staff,
            order: self.id.to_string(),
        })
    }
}

/// A login, and whose account it opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// The login.
    pub login: LoginKey,
    /// Whose account. A merged record is followed from here, in one place.
    pub person: PersonId,
}

impl Entity for Login {
    fn key(&self) -> Key {
        Key::login(&self.login)
    }
}

/// A hint that a person has certain details: only ever a reason for staff to look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// The keyed hash of the details.
    pub hash: String,
    /// Who has them.
    pub person: PersonId,
}

impl Entity for Hint {
    fn key(&self) -> Key {
        Key::hint(&self.hash, self.person)
    }
}

impl Entity for Merge {
    fn key(&self) -> Key {
        Key::merge(self.into, self.duplicate)
    }
}

impl Entity for Client {
    fn key(&self) -> Key {
        Key::client(self.id)
    }
}

impl Entity for Authority {
    fn key(&self) -> Key {
        Key::authority(self.client, self.representative)
    }
}

impl Entity for MembershipPlan {
    fn key(&self) -> Key {
        Key::membership_plan(self.id)
    }

    fn staff_index(&self) -> Option<StaffIndex> {
        Some(StaffIndex {
            partition: StaffPartition::MembershipPlans,
            order: self.terms.name.clone(),
        })
    }
}

/// One version of a funding scheme, stored twice like any [`Setting`]: under its number for good, and as the
/// current one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredScheme {
    /// Whether this is the current one, rather than its place in the history.
    pub current: bool,
    /// Since when.
    pub since: DateTime<Utc>,
    /// What it says.
    pub scheme: FundingScheme,
}

impl Entity for StoredScheme {
    fn key(&self) -> Key {
        let FundingScheme { code, version, .. } = &self.scheme;
        if self.current {
            Key::current_funding_scheme(code)
        } else {
            Key::funding_scheme_version(code, *version)
        }
    }

    fn staff_index(&self) -> Option<StaffIndex> {
        self.current.then(|| StaffIndex {
            partition: StaffPartition::FundingSchemes,
            order: self.scheme.code.to_string(),
        })
    }
}

impl Entity for SupportWorker {
    fn key(&self) -> Key {
        Key::worker(self.id)
    }

    fn staff_index(&self) -> Option<StaffIndex> {
        let partition = StaffPartition::Workers(self.state.code());
        Some(StaffIndex {
            partition,
            order: self.id.to_string(),
        })
    }
}

impl Entity for MatchRequest {
    fn key(&self) -> Key {
        Key::match_request(self.id)
    }

    fn staff_index(&self) -> Option<StaffIndex> {
        let partition = StaffPartition::MatchRequests(self.state.code());
        Some(StaffIndex {
            partition,
            order: instant(self.submitted_at),
        })
    }
}

/// The mark, with a client, of a match request made for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientMatchRequest {
    /// Whose.
    pub client: ClientId,
    /// Which.
    pub match_request: MatchRequestId,
}

impl Entity for ClientMatchRequest {
    fn key(&self) -> Key {
        Key::client_match_request(self.client, self.match_request)
    }
}

impl Entity for Ticket {
    fn key(&self) -> Key {
        Key::ticket(self.id)
    }

    fn staff_index(&self) -> Option<StaffIndex> {
        let partition = StaffPartition::Tickets(self.queue, self.state);
        Some(StaffIndex {
            partition,
            order: instant(self.due_at),
        })
    }
}

impl Entity for Partner {
    fn key(&self) -> Key {
        Key::partner(self.id)
    }

    fn staff_index(&self) -> Option<StaffIndex> {
        Some(StaffIndex {
            partition: StaffPartition::Partners,
            order: self.settings.name.to_lowercase(),
        })
    }
}

/// A form's publishable key, and whose form it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerForm {
    /// The publishable key.
    pub form: FormId,
    /// Whose form.
    pub partner: PartnerId,
}

impl Entity for PartnerForm {
    fn key(&self) -> Key {
        Key::form(self.form)
    }
}

impl Entity for Signup {
    fn key(&self) -> Key {
        Key::signup(self.id)
    }

    fn staff_index(&self) -> Option<StaffIndex> {
        Some(StaffIndex {
            partition: StaffPartition::Signups,
            order: instant(self.received_at),
        })
    }
}

impl Entity for ImportRun {
    fn key(&self) -> Key {
        Key::import(self.id)
    }

    fn staff_index(&self) -> Option<StaffIndex> {
        Some(StaffIndex {
            partition: StaffPartition::Imports,
            order: instant(self.at),
        })
    }
}

impl Entity for Imported {
    fn key(&self) -> Key {
        Key::imported(self.role.kind(), &self.reference)
    }
}

/// What one person hears of one event. Text is made at reading, from state read then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxItem {
    /// Whose inbox.
    pub person: PersonId,
    /// Which notice: time-ordered.
    pub notice: NoticeId,
    /// What happened.
    pub event: Event,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// When it was marked as read.
    pub read_at: Option<DateTime<Utc>>,
}

impl Entity for InboxItem {
    fn key(&self) -> Key {
        Key::inbox(self.person, self.notice)
    }
}

/// One version of a setting that the organisation decides. Each is stored twice: under its number for
/// good, and as the current one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting<T> {
    /// Which setting, e.g. `policy`.
    pub what: String,
    /// Its number, from 1.
    pub number: u32,
    /// Whether this is the current one, rather than its place in the history.
    pub current: bool,
    /// Since when.
    pub since: DateTime<Utc>,
    /// What was decided.
    pub value: T,
}

impl<T: Serialize + DeserializeOwned + Send> Entity for Setting<T> {
    fn key(&self) -> Key {
        if self.current {
            Key::current_setting(&self.what)
        } else {
            Key::setting_version(&self.what, self.number)
        }
    }
}

impl crate::table::Store {
    /// People who have the details behind `hash`, at most `most` of them.
    ///
    /// # Errors
    /// See [`crate::StoreError`].
    pub async fn people_hinted(
        &self,
        hash: &str,
        most: usize,
    ) -> Result<Vec<PersonId>, crate::StoreError> {
        let (pk, prefix) = Key::hints(hash);
        let hints = self.list_all::<Hint>(&pk, prefix, most).await?;
        Ok(hints.into_iter().map(|hint| hint.value.person).collect())
    }

    /// A page of the hints with this hash: who has the details behind it.
    ///
    /// # Errors
    /// See [`crate::StoreError`].
    pub async fn hinted(
        &self,
        hash: &str,
        limit: u16,
        cursor: Option<&str>,
    ) -> Result<Page<Versioned<Hint>>, crate::StoreError> {
        let (pk, prefix) = Key::hints(hash);
        self.list(&pk, prefix, false, limit, cursor).await
    }

    /// The records that were merged into a person's, and what moved with each.
    ///
    /// # Errors
    /// See [`crate::StoreError`].
    pub async fn merged_into(
        &self,
        survivor: PersonId,
        most: usize,
    ) -> Result<Vec<Versioned<Merge>>, crate::StoreError> {
        let pk = Key::person(survivor).pk;
        self.list_all(&pk, "MERGE#", most).await
    }

    /// Every authority over a client, whatever became of it, up to `most`.
    ///
    /// # Errors
    /// See [`crate::StoreError`].
    pub async fn authorities_over(
        &self,
        client: ClientId,
        most: usize,
    ) -> Result<Vec<Versioned<Authority>>, crate::StoreError> {
        let pk = Key::client(client).pk;
        self.list_all(&pk, "AUTHORITY#", most).await
    }

    /// Everybody whom a client knows or has had to do with, up to `most`.
    ///
    /// # Errors
    /// See [`crate::StoreError`].
    pub async fn pairs_of(
        &self,
        client: ClientId,
        most: usize,
    ) -> Result<Vec<Versioned<Pair>>, crate::StoreError> {
        let pk = Key::client(client).pk;
        self.list_all(&pk, "PAIR#", most).await
    }

    /// A page of what a person heard, newest first.
    ///
    /// # Errors
    /// See [`crate::StoreError`]; [`crate::StoreError::BadCursor`] for a cursor not made here.
    pub async fn inbox(
        &self,
        person: PersonId,
        limit: u16,
        cursor: Option<&str>,
    ) -> Result<Page<Versioned<InboxItem>>, crate::StoreError> {
        let pk = Key::person(person).pk;
        self.list(&pk, "INBOX#", true, limit, cursor).await
    }

    /// The policy in force; the defaults until the organisation decides otherwise.
    ///
    /// # Errors
    /// See [`crate::StoreError`].
    pub async fn policy(&self) -> Result<Policy, crate::StoreError> {
        let current = self
            .get::<Setting<Policy>>(&Key::current_setting("policy"))
            .await?;
        Ok(current
            .map(|setting| setting.value.value)
            .unwrap_or_default())
    }
}

/// Which shard of a cell is the current one. Moved by compare-and-set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardPointer {
    /// The cell.
    pub cell: Cell,
    /// The shard's version: names its content.
    pub version: String,
    /// The name of the object that holds it.
    pub blob: String,
    /// How many support workers it holds.
    pub workers: u32,
    /// When it was built.
    pub built_at: DateTime<Utc>,
}

impl Entity for ShardPointer {
    fn key(&self) -> Key {
        Key::shard_pointer(self.cell)
    }

    fn staff_index(&self) -> Option<StaffIndex> {
        Some(StaffIndex {
            partition: StaffPartition::Shards,
            order: self.cell.to_string(),
        })
    }
}

/// A support worker's packed profile in one cell of their service area: what shards are built from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellRow {
    /// The cell.
    pub cell: Cell,
    /// The packed profile.
    pub record: IndexRecord,
}

impl Entity for CellRow {
    fn key(&self) -> Key {
        Key::cell_row(self.cell, self.record.worker)
    }
}

impl Entity for CandidateList {
    fn key(&self) -> Key {
        Key::candidate_list(self.request)
    }
}
