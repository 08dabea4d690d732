//! Due rows in the table: written by a commit, found through the sparse `due` index, deleted by the
//! effect's own commit.

mod announced;
mod parked;

use std::sync::atomic::{AtomicU32, Ordering};

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Duration, SecondsFormat, Utc};
use domain::due::{Consumer, Due, DueRow};
use domain::id::CommitId;

use crate::error::StoreError;
use crate::item::{
    Attributes, BODY, SCHEMA, STAFF_PK, STAFF_SK, VERSION, key_attributes, key_of, number,
    read_number, read_text,
};
use crate::key::{Key, StaffPartition};
use crate::retry::{Failure, failure};
use crate::table::{Store, salt};

pub use announced::{AnnouncedDue, announced};
pub use parked::{due_of_token, due_token};

pub(crate) const DUE_INDEX: &str = "due";
pub(crate) const DUE_PK: &str = "due_pk";
pub(crate) const DUE_SK: &str = "due_sk";
const NEXT_TRY: &str = "next_try";
const TRIES: &str = "tries";
/// Marks a row that only the sweeper is to find; see [`crate::Commit::due_untold`].
const UNTOLD: &str = "untold";
const ACT: &str = "act";
const FAILED: &str = "failed";
const PARKED_AT: &str = "parked_at";

/// How many partitions of the index the rows are spread over.
const BUCKETS: u64 = 16;
/// After this many tries, about a day, a row is parked until staff redrive it.
const MOST_TRIES: u32 = 58;
const FIRST_DELAY_SECONDS: i64 = 30;
/// So often the delay doubles at first, to four minutes ...
const FIRST_DOUBLINGS: u32 = 3;
/// ... and it stays so until this many tries, three hours or more: what an outage held up is done soon after it.
const PATIENT_TRIES: u32 = 50;

/// Where a due row lies; all that a queue message carries.
pub type DueKey = Key;

/// A due row as read.
#[derive(Debug, Clone)]
pub struct PendingDue {
    /// Where it lies.
    pub key: DueKey,
    /// What is due, and since when.
    pub row: DueRow,
    /// When it is to be tried next.
    pub next_try: DateTime<Utc>,
    /// How often it was tried in vain.
    pub tries: u32,
    /// The audited commit that it follows from; none on a row of an older version.
    pub act: Option<CommitId>,
    /// Why it failed last, as a stable code; none where nobody who tried could say.
    pub failed: Option<String>,
    /// Since when it waits for staff, if it does.
    pub parked_at: Option<DateTime<Utc>>,
}

/// What became of a row that could not be dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Postponed {
    /// It will be tried again then.
    Until(DateTime<Utc>),
    /// It has been tried too often and waits for staff.
    Parked,
    /// Somebody else dealt with it or moved it meanwhile.
    Elsewhere,
}

const CANDIDATE_RELEASE: &str = "candidate-release";
const CHECK_EXPIRY: &str = "check-expiry";
const INVITATION_LAPSE: &str = "invitation-lapse";
const INVITATION_WITHDRAWAL: &str = "invitation-withdrawal";
const READ_DISCLOSURE: &str = "read-disclosure";
const OFFER_LAPSE: &str = "offer-lapse";
const PROPOSAL_LAPSE: &str = "proposal-lapse";
const VISIT_DEADLINE: &str = "visit-deadline";
const COVER_WAVE: &str = "cover-wave";
const SUSPENSION_COVER: &str = "suspension-cover";
const LEAVE_LOOK: &str = "leave-look";
const VISIT_SETTLEMENT: &str = "visit-settlement";
const ALERT_ESCALATION: &str = "alert-escalation";
const SERIES_UNFOLD: &str = "series-unfold";
const SERIES_END: &str = "series-end";
const REPORT_DEADLINE: &str = "report-deadline";
const NOTICE: &str = "notice";
const MAIL: &str = "mail";
const REINDEX: &str = "reindex";
const REMOVE_SHARD: &str = "remove-shard";
const NIGHT: &str = "night";

const CONSUMERS: [(&str, Consumer); 21] = [
    (CANDIDATE_RELEASE, Consumer::CandidateRelease),
    (CHECK_EXPIRY, Consumer::Expiry),
    (INVITATION_LAPSE, Consumer::Expiry),
    (INVITATION_WITHDRAWAL, Consumer::Expiry),
    (READ_DISCLOSURE, Consumer::Expiry),
    (OFFER_LAPSE, Consumer::Expiry),
    (PROPOSAL_LAPSE, Consumer::Expiry),
    (VISIT_DEADLINE, Consumer::Expiry),
    (COVER_WAVE, Consumer::Expiry),
    (SUSPENSION_COVER, Consumer::Expiry),
    (LEAVE_LOOK, Consumer::Expiry),
    (VISIT_SETTLEMENT, Consumer::Expiry),
    (ALERT_ESCALATION, Consumer::Expiry),
    (SERIES_UNFOLD, Consumer::Expiry),
    (SERIES_END, Consumer::Expiry),
    (REPORT_DEADLINE, Consumer::Expiry),
    (NOTICE, Consumer::Notification),
    (MAIL, Consumer::Notification),
    (REINDEX, Consumer::IndexBuilder),
    (REMOVE_SHARD, Consumer::IndexBuilder),
    (NIGHT, Consumer::IndexBuilder),
];

/// The part of a due row's key that says what it is: two rows of one name are the same row.
fn name(row: &DueRow, commit: &str) -> String {
    match &row.due {
        Due::CandidateRelease { .. } => format!("{CANDIDATE_RELEASE}#{}", row.generation),
        Due::CheckExpiry { .. } => format!("{CHECK_EXPIRY}#{}", row.generation),
        Due::InvitationLapse { candidate, .. } => {
            format!("{INVITATION_LAPSE}#{candidate}#{}", row.generation)
        }
        Due::InvitationWithdrawal { .. } => format!("{INVITATION_WITHDRAWAL}#{commit}"),
        Due::ReadDisclosure { read, .. } => format!("{READ_DISCLOSURE}#{read}"),
        Due::OfferLapse { offer, .. } => format!("{OFFER_LAPSE}#{offer}"),
        Due::ProposalLapse { proposal, .. } => {
            format!("{PROPOSAL_LAPSE}#{proposal}#{}", row.generation)
        }
        Due::VisitDeadline { .. } => format!("{VISIT_DEADLINE}#{}", row.generation),
        Due::CoverWave { .. } => format!("{COVER_WAVE}#{}", row.generation),
        Due::SuspensionCover { .. } => format!("{SUSPENSION_COVER}#{commit}"),
        Due::LeaveLook { .. } => format!("{LEAVE_LOOK}#{commit}"),
        Due::VisitSettlement { .. } => format!("{VISIT_SETTLEMENT}#{commit}"),
        Due::AlertEscalation { .. } => format!("{ALERT_ESCALATION}#{}", row.generation),
        Due::SeriesUnfold { series, .. } => format!("{SERIES_UNFOLD}#{series}"),
        Due::SeriesEnd { series, .. } => format!("{SERIES_END}#{series}"),
        Due::ReportDeadline { .. } => format!("{REPORT_DEADLINE}#{}", row.generation),
        Due::Notice { notice, .. } => format!("{NOTICE}#{notice}"),
        Due::Mail {
            notice, recipient, ..
        } => format!("{MAIL}#{notice}#{recipient}"),
        Due::Reindex { .. } => format!("{REINDEX}#{commit}"),
        Due::RemoveShard { blob, .. } => format!("{REMOVE_SHARD}#{blob}#{}", row.generation),
        Due::Night { night, row, .. } => format!("{NIGHT}#{night}#{row}"),
    }
}

/// Whose a row is, told from its key alone: how rows are sent on without being read.
#[must_use]
pub fn consumer_of(key: &DueKey) -> Option<Consumer> {
    let kind = key.sk.strip_prefix("DUE#")?.split('#').next()?;
    CONSUMERS
        .iter()
        .find(|(name, _)| *name == kind)
        .map(|(_, consumer)| *consumer)
}

/// Where a row lies that `commit` wrote beside `aggregate`.
pub(crate) fn due_key(aggregate: &Key, row: &DueRow, commit: &str) -> DueKey {
    Key::due(aggregate, &name(row, commit))
}

pub(crate) fn due_item(
    aggregate: &Key,
    row: &DueRow,
    commit: &str,
    act: CommitId,
) -> Result<Attributes, StoreError> {
    let key = due_key(aggregate, row, commit);
    let body = serde_dynamo::to_attribute_value(row).map_err(|error| StoreError::Unreadable {
        key: key.clone(),
        detail: error.to_string(),
    })?;
    let mut item = key_attributes(&key);
    item.insert(SCHEMA.to_owned(), number(1));
    item.insert(VERSION.to_owned(), number(1));
    item.insert(BODY.to_owned(), body);
    item.insert(TRIES.to_owned(), number(0));
    item.insert(ACT.to_owned(), AttributeValue::S(act.to_string()));
    item.insert(NEXT_TRY.to_owned(), AttributeValue::S(instant(row.at)));
    item.insert(DUE_PK.to_owned(), AttributeValue::S(bucket(&key)));
    item.insert(DUE_SK.to_owned(), AttributeValue::S(order(&key, row.at)));
    Ok(item)
}

/// The same, as a row that nobody is told of.
pub(crate) fn untold(mut item: Attributes) -> Attributes {
    item.insert(UNTOLD.to_owned(), AttributeValue::Bool(true));
    item
}

fn decode_due(mut item: Attributes) -> Result<PendingDue, StoreError> {
    let key = key_of(&item)?;
    let unreadable = |detail: &str| StoreError::Unreadable {
        key: key.clone(),
        detail: detail.to_owned(),
    };
    let next_try = read_text(&item, NEXT_TRY)
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| unreadable("no next_try"))?;
    let tries = read_number(&item, TRIES)
        .and_then(|tries| u32::try_from(tries).ok())
        .ok_or_else(|| unreadable("no tries"))?;
    let act = read_text(&item, ACT).and_then(|text| text.parse().ok());
    let failed = read_text(&item, FAILED);
    let is_parked = read_text(&item, STAFF_PK) == Some(StaffPartition::Parked.to_string());
    let parked_at = read_text(&item, PARKED_AT).and_then(|text| text.parse().ok());
    // An older version did not say when.
    let parked_at = is_parked.then(|| parked_at.unwrap_or(next_try));
    let body = item.remove(BODY).ok_or_else(|| unreadable("no body"))?;
    let row =
        serde_dynamo::from_attribute_value(body).map_err(|error| unreadable(&error.to_string()))?;
    Ok(PendingDue {
        key,
        row,
        next_try,
        tries,
        act,
        failed,
        parked_at,
    })
}

/// How long a row waits that has been tried so often before: doubling to four minutes, the same for a few
/// hours, then doubling again.
fn delay(tries: u32) -> Duration {
    let tries = tries.min(MOST_TRIES);
    let doublings = tries.min(FIRST_DOUBLINGS) + tries.saturating_sub(PATIENT_TRIES);
    Duration::seconds(FIRST_DELAY_SECONDS << doublings)
}

fn bucket(key: &Key) -> String {
    format!("DUE#{}", salt(key) % BUCKETS)
}

/// Fixed width, so that text order is time order.
fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn order(key: &Key, at: DateTime<Utc>) -> String {
    format!("{}#{key}", instant(at))
}

impl Store {
    /// The rows to be tried by `now`, oldest first within each bucket, at most `limit` per bucket.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn due_by(&self, now: DateTime<Utc>, limit: u16) -> Result<Vec<DueKey>, StoreError> {
        let mut due = Vec::new();
        for bucket in 0..BUCKETS {
            let rows = self.due_bucket(bucket, Some(now), limit).await?;
            for item in &rows {
                due.push((read_text(item, DUE_SK).unwrap_or_default(), key_of(item)?));
            }
        }
        due.sort();
        Ok(due.into_iter().map(|(_, key)| key).collect())
    }

    /// The earliest instant at which a row is to be tried.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn next_due(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let mut earliest: Option<DateTime<Utc>> = None;
        for bucket in 0..BUCKETS {
            let first = self.due_bucket(bucket, None, 1).await?;
            let at = first
                .first()
                .and_then(|item| read_text(item, DUE_SK))
                .and_then(|order| order.split('#').next().and_then(|at| at.parse().ok()));
            earliest = [earliest, at].into_iter().flatten().min();
        }
        Ok(earliest)
    }

    async fn due_bucket(
        &self,
        bucket: u64,
        by: Option<DateTime<Utc>>,
        limit: u16,
    ) -> Result<Vec<Attributes>, StoreError> {
        // `~` sorts after every key that could follow the instant.
        let until = by.map_or_else(|| "~".to_owned(), |by| format!("{}~", instant(by)));
        self.retrying(bucket, || async {
            let query = self
                .dynamodb
                .query()
                .table_name(&self.table)
                .index_name(DUE_INDEX)
                .key_condition_expression("due_pk = :bucket AND due_sk <= :until")
                .expression_attribute_values(":bucket", AttributeValue::S(format!("DUE#{bucket}")))
                .expression_attribute_values(":until", AttributeValue::S(until.clone()))
                .limit(i32::from(limit));
            let answer = query.send().await.map_err(|error| failure(&error))?;
            Ok::<_, Failure<StoreError>>(answer.items.unwrap_or_default())
        })
        .await
    }

    /// A due row, read consistently; none if its effect has happened.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn pending_due(&self, key: &DueKey) -> Result<Option<PendingDue>, StoreError> {
        self.get_item(key).await?.map(decode_due).transpose()
    }

    /// Moves a row that could not be dealt with to a later try, see [`delay`]; parks it after
    /// [`MOST_TRIES`]. `why`, a stable code, stays with it where somebody knows.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn postpone(
        &self,
        pending: &PendingDue,
        now: DateTime<Utc>,
        why: Option<&str>,
    ) -> Result<Postponed, StoreError> {
        let tries = pending.tries.saturating_add(1);
        let parked = tries >= MOST_TRIES;
        let next = now + delay(pending.tries);
        let (update, outcome) = if parked {
            (
                "SET tries = :tries, staff_pk = :parked, staff_sk = :order, parked_at = :now{why} REMOVE due_pk, due_sk",
                Postponed::Parked,
            )
        } else {
            (
                "SET tries = :tries, next_try = :next, due_sk = :order{why}",
                Postponed::Until(next),
            )
        };
        let mut call = self
            .dynamodb
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key_attributes(&pending.key)))
            .update_expression(update.replace("{why}", why.map_or("", |_| ", failed = :why")))
            .condition_expression("tries = :was")
            .expression_attribute_values(":was", number(pending.tries))
            .expression_attribute_values(":tries", number(tries))
            .expression_attribute_values(":order", AttributeValue::S(order(&pending.key, next)));
        call = if parked {
            call.expression_attribute_values(
                ":parked",
                AttributeValue::S(StaffPartition::Parked.to_string()),
            )
            .expression_attribute_values(":now", AttributeValue::S(instant(now)))
        } else {
            call.expression_attribute_values(":next", AttributeValue::S(instant(next)))
        };
        if let Some(why) = why {
            call = call.expression_attribute_values(":why", AttributeValue::S(why.to_owned()));
        }
        self.unless_changed(call, outcome, &pending.key, (tries, next))
            .await
    }

    /// Deletes a row whose deadline has been superseded: it has no effect any more.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn forget_due(&self, pending: &PendingDue) -> Result<(), StoreError> {
        self.retrying(salt(&pending.key), || async {
            let call = self.dynamodb.delete_item().table_name(&self.table);
            let call = call.set_key(Some(key_attributes(&pending.key)));
            call.send().await.map_err(|error| failure(&error))?;
            Ok::<_, Failure<StoreError>>(())
        })
        .await
    }

    /// Makes the change that `call` is, after which the row at `key` is at this try, to be tried then.
    async fn unless_changed(
        &self,
        call: UpdateItemFluentBuilder,
        outcome: Postponed,
        key: &DueKey,
        becomes: (u32, DateTime<Utc>),
    ) -> Result<Postponed, StoreError> {
        let attempts = AtomicU32::new(0);
        let changed = self.retrying(salt(key), || async {
            attempts.fetch_add(1, Ordering::Relaxed);
            match call.clone().send().await {
                Ok(_) => Ok(true),
                Err(error) => match failure(&error) {
                    Failure::Final(StoreError::Refused(code))
                        if code == "ConditionalCheckFailedException" =>
                    {
                        Ok(false)
                    }
                    other => Err(other),
                },
            }
        });
        let changed = changed.await?;
        // An attempt whose answer was lost can have changed the row by itself.
        let unsure = !changed && attempts.into_inner() > 1;
        if changed || (unsure && self.stands_so(key, becomes).await?) {
            Ok(outcome)
        } else {
            Ok(Postponed::Elsewhere)
        }
    }

    async fn stands_so(
        &self,
        key: &DueKey,
        (tries, next): (u32, DateTime<Utc>),
    ) -> Result<bool, StoreError> {
        let found = self.get_item(key).await?;
        Ok(found.is_some_and(|item| {
            let place = read_text(&item, DUE_SK).or_else(|| read_text(&item, STAFF_SK));
            let at_place = place.is_some_and(|place| place == order(key, next));
            at_place && read_number(&item, TRIES) == Some(u64::from(tries))
        }))
    }
}
