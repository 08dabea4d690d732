//! What the nightly rebuild brings into the records first: how support workers have done, and how often they were shown.
//!
//! Nobody edits these facts. They are worked out from invitations, visits and released lists, and written with what
//! matching sees of them, in one commit for each support worker whom they change.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::candidates::CandidateList;
use domain::id::WorkerId;
use domain::invitation::Invitation;
use domain::match_request::{MatchRequest, MatchRequestState};
use domain::packed::index_change;
use domain::policy::Policy;
use domain::schedule::Month;
use domain::support_worker::{Happened, SupportWorker, WorkerState};
use domain::visit::{Visit, VisitState};
use domain::vocabulary::Vocabulary;
use store::{
    Actor, Audit, Commit, CommitError, Entity, Key, StaffPartition, StoreError, Versioned,
    WorkerInvitation,
};

use crate::build::IndexBuilder;

/// Months of visits that are counted, this one included.
const MONTHS: usize = 13;
/// The most invitations of one support worker that are looked at, the newest first.
const MOST_INVITATIONS: usize = 1_000;
/// How often one support worker is tried whose record others keep changing.
const MOST_ROUNDS: usize = 8;
const PAGE: u16 = 100;

/// What a refresh came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Refreshed {
    /// Active support workers looked at.
    pub looked_at: u64,
    /// Whose facts were different.
    pub changed: u64,
}

/// What is counted over everybody, once.
struct Tally {
    exposure: BTreeMap<WorkerId, u32>,
    completed: BTreeMap<WorkerId, u32>,
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
    let tally = Tally {
        exposure: exposure(builder, now - policy.responsiveness()).await?,
        completed: completed(builder, now).await?,
    };
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
            if refresh_one(builder, worker, &tally, &policy, now).await? {
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

/// Whether anything was different.
async fn refresh_one(
    builder: &IndexBuilder,
    mut was: Versioned<SupportWorker>,
    tally: &Tally,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let id = was.value.id;
    let counted = |all: &BTreeMap<WorkerId, u32>| all.get(&id).copied().unwrap_or(0);
    let invitations = invitations(builder, id).await?;
    let happened = Happened {
        invitations: &invitations,
        completed_visits: counted(&tally.completed),
        exposure: counted(&tally.exposure),
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
        let commit = Commit::new(audit)
            .replace(&was, &next)
            .reindexed(index_change(Some(&was.value), &next), id);
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

/// How many lists released since then each support worker stood on.
async fn exposure(
    builder: &IndexBuilder,
    since: DateTime<Utc>,
) -> Result<BTreeMap<WorkerId, u32>, StoreError> {
    let mut exposure = BTreeMap::new();
    for state in MatchRequestState::ALL {
        let partition = StaffPartition::MatchRequests(state.code());
        let mut cursor = None;
        loop {
            let page = builder
                .store
                .staff_list::<MatchRequest>(partition, true, PAGE, cursor.as_deref())
                .await?;
            let requests = page.items.iter().map(|request| &request.value);
            // The newest first: a list is released after its request was submitted.
            let past = page
                .items
                .last()
                .is_some_and(|request| request.value.submitted_at < since);
            let lists: Vec<Key> = requests
                .filter(|request| request.released_at.is_some_and(|at| since <= at))
                .map(|request| Key::candidate_list(request.id))
                .collect();
            for list in builder.store.get_many::<CandidateList>(&lists).await? {
                add_shown(&mut exposure, &list.value);
            }
            cursor = page.next;
            if cursor.is_none() || past {
                break;
            }
        }
    }
    Ok(exposure)
}

fn add_shown(exposure: &mut BTreeMap<WorkerId, u32>, list: &CandidateList) {
    let released = list.released.iter();
    let shown = released.flat_map(|released| &released.candidates);
    for listed in shown.filter_map(|shown| list.candidate(shown.candidate)) {
        let count = exposure.entry(listed.worker).or_default();
        *count = count.saturating_add(1);
    }
}

/// How many visits each support worker completed in the last year.
async fn completed(
    builder: &IndexBuilder,
    now: DateTime<Utc>,
) -> Result<BTreeMap<WorkerId, u32>, StoreError> {
    let mut completed = BTreeMap::new();
    let months = std::iter::successors(Some(Month::of(now)), |month| Some(month.previous()));
    for month in months.take(MONTHS) {
        let mut cursor = None;
        loop {
            let page = builder
                .store
                .staff_list::<Visit>(
                    StaffPartition::Visits(month),
                    false,
                    PAGE,
                    cursor.as_deref(),
                )
                .await?;
            let done = page
                .items
                .iter()
                .filter(|visit| visit.value.state == VisitState::Completed);
            for visit in done {
                let count: &mut u32 = completed.entry(visit.value.worker).or_default();
                *count = count.saturating_add(1);
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
    }
    Ok(completed)
}
