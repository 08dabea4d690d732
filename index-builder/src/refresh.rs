//! What the nightly rebuild brings into the records first: how support workers have done, and how often they were shown.
//!
//! Nobody edits these facts. They are worked out from invitations, visits and released lists, and written with what
//! matching sees of them, in one commit for each support worker whom they change.

use domain::id::WorkerId;
use domain::invitation::Invitation;
use domain::packed::index_change;
use domain::policy::Policy;
use domain::support_worker::{Happened, SupportWorker, WorkerState};
use domain::vocabulary::Vocabulary;
use store::{
    Actor, Audit, Commit, CommitError, Entity, Key, StaffPartition, StoreError, Versioned,
    WorkerInvitation,
};

use crate::build::IndexBuilder;
use crate::tally::{Place, Tally};

/// The most invitations of one support worker that are looked at, the newest first.
const MOST_INVITATIONS: usize = 1_000;
/// How often one support worker is tried whose record others keep changing.
const MOST_ROUNDS: usize = 8;
const PAGE: u16 = 100;
/// Pages that are counted before the next ones are asked for.
const PAGES_AT_ONCE: usize = 100;

/// What a refresh came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Refreshed {
    /// Active support workers looked at.
    pub looked_at: u64,
    /// Whose facts were different.
    pub changed: u64,
}

/// Brings every active support worker's facts up to date; `progress` hears of each one looked at.
///
/// A crash half-way leaves some as they were; the next run finds them.
///
/// # Errors
/// When the table does not answer.
pub async fn refresh(
    builder: &IndexBuilder,
    mut progress: impl FnMut(),
) -> Result<Refreshed, StoreError> {
    let now = builder.clock.now();
    let policy = builder.store.policy().await?;
    let mut tally = Tally::default();
    let mut place = Some(Place::default());
    while let Some(from) = place {
        place = tally.count(builder, now, from, PAGES_AT_ONCE).await?;
    }
    let mut refreshed = Refreshed::default();
    let active = StaffPartition::Workers(WorkerState::Active.code());
    let mut cursor = None;
    loop {
        let page = builder
            .store
            .staff_list::<SupportWorker>(active, false, PAGE, cursor.as_deref())
            .await?;
        for worker in page.items {
            refreshed.looked_at = refreshed.looked_at.saturating_add(1);
            if refresh_one(builder, worker, &tally, &policy, Shards::ByRows).await? {
                refreshed.changed = refreshed.changed.saturating_add(1);
            }
            progress();
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(refreshed);
        }
    }
}

/// How the shards come to hold what was brought up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shards {
    /// By a due row for each support worker.
    ByRows,
    /// By whoever rebuilds every shard afterwards.
    Afterwards,
}

/// Whether anything was different.
pub(crate) async fn refresh_one(
    builder: &IndexBuilder,
    mut was: Versioned<SupportWorker>,
    tally: &Tally,
    policy: &Policy,
    shards: Shards,
) -> Result<bool, StoreError> {
    let id = was.value.id;
    let now = builder.clock.now();
    let invitations = invitations(builder, id).await?;
    let happened = Happened {
        invitations: &invitations,
        completed_visits: tally.completed(id),
        exposure: tally.exposure(id),
    };
    for _ in 0..MOST_ROUNDS {
        let reliability = was
            .value
            .reliability
            .brought_up_to_date(&happened, policy, now);
        if reliability == was.value.reliability {
            return Ok(false);
        }
        let next = SupportWorker {
            reliability,
            ..was.value.clone()
        };
        let audit = Audit {
            commit: builder.ids.fresh(),
            at: now,
            actor: Actor::Service,
            operation: "refresh_reliability",
            aggregate: next.key(),
            fields: vec!["reliability".to_owned()],
            reason: None,
        };
        let commit = Commit::new(audit).replace(&was, &next);
        let change = index_change(Some(&was.value), &next);
        let commit = match shards {
            // No facts of these make anybody leave a cell.
            Shards::Afterwards if change.delete.is_empty() => commit.with_index_rows(change),
            Shards::Afterwards | Shards::ByRows => commit.reindexed(change, id),
        };
        match builder.store.commit(commit).await {
            Ok(()) | Err(CommitError::AlreadyDone | CommitError::Replayed) => return Ok(true),
            Err(CommitError::Conflict(_) | CommitError::LimitReached(_)) => {}
            Err(CommitError::Store(error)) => return Err(error),
        }
        match builder.store.get::<SupportWorker>(&Key::worker(id)).await? {
            Some(found) => was = found,
            None => return Ok(false),
        }
    }
    // Somebody is changing this record again and again; tomorrow is another night.
    Ok(false)
}

async fn invitations(
    builder: &IndexBuilder,
    worker: WorkerId,
) -> Result<Vec<Invitation>, StoreError> {
    let pk = Key::worker(worker).pk;
    let marks = builder
        .store
        .list_newest::<WorkerInvitation>(&pk, "INV#", MOST_INVITATIONS)
        .await?;
    let keys: Vec<Key> = marks
        .iter()
        .map(|mark| Key::candidate(mark.value.match_request, mark.value.candidate))
        .collect();
    let found = builder.store.get_many::<Invitation>(&keys).await?;
    Ok(found.into_iter().map(|found| found.value).collect())
}
