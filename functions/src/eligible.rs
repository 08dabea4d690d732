//! Who could be invited, or accept, at this moment: the hard rules by live records, and what the two are to each other.

use std::collections::BTreeMap;

use domain::candidates::CandidateList;
use domain::eligibility::{Asked, judge};
use domain::id::{CandidateId, ClientId, WorkerId};
use domain::match_request::{MatchRequest, MatchRequestState};
use domain::pair::Pair;
use domain::support_worker::SupportWorker;
use store::{Commit, Key, StoreError, Versioned};

use crate::candidate_list::{live_records, relations};
use crate::context::Context;

/// Somebody eligible for a request, by records that a commit can insist on.
pub struct Eligible {
    /// The support worker.
    pub worker: Versioned<SupportWorker>,
    /// What they and the client are to each other; none where nothing has come about between them.
    pub pair: Option<Versioned<Pair>>,
    client: ClientId,
}

impl Eligible {
    /// Whether the two know each other.
    #[must_use]
    pub fn is_known(&self) -> bool {
        let pair = self.pair.as_ref();
        pair.is_some_and(|pair| pair.value.known_since.is_some())
    }

    /// Makes the commit fail if the support worker's record, or what stands between the two, has changed.
    pub fn insisted_on(&self, commit: Commit) -> Commit {
        let commit = commit.unchanged(&self.worker);
        match &self.pair {
            Some(pair) => commit.unchanged(pair),
            None => commit.absent(&Key::pair(self.client, self.worker.value.id)),
        }
    }
}

/// A support worker, if the request is open and they are eligible for it now, and not engaged with the client.
///
/// # Errors
/// When the table does not answer.
pub async fn eligible_now(
    context: &Context,
    request: &MatchRequest,
    worker: WorkerId,
) -> Result<Option<Eligible>, StoreError> {
    let client = request.client;
    // First, so that whatever is judged below is no older than what a commit insists on.
    let pair = context
        .store
        .get::<Pair>(&Key::pair(client, worker))
        .await?;
    let found = context
        .store
        .get::<SupportWorker>(&Key::worker(worker))
        .await?;
    let Some(worker) = found else {
        return Ok(None);
    };
    let stands_between = pair
        .as_ref()
        .is_some_and(|pair| pair.value.is_blocked() || pair.value.engagement.is_some());
    let asked = Asked::of(&request.details, context.now());
    let relations = relations(context, request).await?;
    let eligible = request.state == MatchRequestState::Released
        && !stands_between
        && judge(&asked, &worker.value, &relations).is_eligible();
    Ok(eligible.then_some(Eligible {
        worker,
        pair,
        client,
    }))
}

/// Who of those shown could be invited now. Whoever the client knows by now is found in a list of their own.
///
/// # Errors
/// When the table does not answer.
pub async fn availability(
    context: &Context,
    request: &MatchRequest,
    list: &CandidateList,
) -> Result<BTreeMap<CandidateId, bool>, StoreError> {
    let asked = Asked::of(&request.details, context.now());
    let relations = relations(context, request).await?;
    let open = request.state == MatchRequestState::Released;
    let shown = list
        .candidates
        .iter()
        .filter(|listed| list.shown(listed.id).is_some());
    let live = live_records(context, shown.clone().map(|listed| listed.worker)).await?;
    let eligible = |worker| {
        let live = live.get(&worker);
        !relations.known.contains(&worker)
            && live.is_some_and(|live| judge(&asked, &live.value, &relations).is_eligible())
    };
    Ok(shown
        .map(|listed| (listed.id, open && eligible(listed.worker)))
        .collect())
}
