//! The candidate list of a match request: computed when it is submitted, settled against live records
//! whenever it is previewed and when it is released. Routes and the release consumer share this.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::access::AuthorityState;
use domain::blind::BlindCandidate;
use domain::candidates::{CandidateList, ListedCandidate, MOST_CANDIDATES, Settled, settle};
use domain::client::Client;
use domain::eligibility::{Asked, Relations};
use domain::id::WorkerId;
use domain::match_request::MatchRequest;
use domain::policy::Policy;
use domain::support_worker::SupportWorker;
use matching::Scored;
use sha2::{Digest, Sha256};
use store::{Key, StoreError, Versioned};

use crate::authority::MOST_AUTHORITIES;
use crate::context::Context;
use crate::matcher::{self, MatcherError};

/// The most support workers that one client has had to do with, as far as matching looks.
pub(crate) const MOST_PAIRS: usize = 1_000;

/// A list held against live records: what the client would see now.
pub struct Settlement {
    /// The list, with replacements from a fresh query appended where its own reserve was not enough.
    pub list: CandidateList,
    /// Who is shown, and how that differs from the list at submission.
    pub settled: Settled,
    /// The blind view of those shown, in order.
    pub blind: Vec<BlindCandidate>,
    /// The live records of those shown, which a release insists on.
    pub shown: Vec<Versioned<SupportWorker>>,
    /// The live records of everybody on the list.
    pub live: BTreeMap<WorkerId, Versioned<SupportWorker>>,
    /// The request, as it was read for this.
    pub asked: Asked,
    /// What stands between the client and particular support workers.
    pub relations: Relations,
}

/// Ranks candidates for a new request.
///
/// # Errors
/// When the index or the table does not answer.
pub async fn compute(
    context: &Context,
    request: &MatchRequest,
    policy: &Policy,
) -> Result<CandidateList, MatcherError> {
    let now = request.submitted_at;
    let asked = Asked::of(&request.details, now);
    let relations = relations(context, request).await?;
    let found = matcher::find(
        context,
        request,
        &asked,
        &relations,
        policy,
        policy.list_size(),
    )
    .await?;
    let list = CandidateList {
        request: request.id,
        basis: found.basis,
        candidates: Vec::new(),
        shortlist: policy.shortlist,
        considered: found.considered,
        misses: found.misses,
        exclusions: Vec::new(),
        pins: Vec::new(),
        released: None,
        known: Vec::new(),
    };
    let candidates = listed(context, &list, found.ranked);
    Ok(list.append(candidates))
}

/// Holds a list against live records, as of `now`.
///
/// # Errors
/// When the index or the table does not answer.
pub async fn settle_now(
    context: &Context,
    request: &MatchRequest,
    list: &CandidateList,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<Settlement, MatcherError> {
    let asked = Asked::of(&request.details, now);
    let relations = relations(context, request).await?;
    let mut list = list.clone();
    let mut live = live_records(
        context,
        list.candidates.iter().map(|candidate| candidate.worker),
    )
    .await?;
    let mut settled = settle(&list, &asked, &values(&live), &relations, policy);
    if settled.vacant > 0 && list.candidates.len() < MOST_CANDIDATES {
        // Enough to fill the list even if everybody on it is found again.
        let wanted = policy.list_size().saturating_add(list.candidates.len());
        let found = matcher::find(context, request, &asked, &relations, policy, wanted).await?;
        let candidates = listed(context, &list, found.ranked);
        live.extend(
            live_records(context, candidates.iter().map(|candidate| candidate.worker)).await?,
        );
        list = list.append(candidates);
        list.misses = found.misses;
        settled = settle(&list, &asked, &values(&live), &relations, policy);
    }
    let mut blind = Vec::with_capacity(settled.shown.len());
    let mut shown = Vec::with_capacity(settled.shown.len());
    for candidate in &settled.shown {
        let Some(worker) = live.get(&candidate.worker) else {
            continue;
        };
        if let Some(view) = BlindCandidate::of(candidate, &worker.value, &asked) {
            blind.push(view);
            shown.push(worker.clone());
        }
    }
    Ok(Settlement {
        list,
        settled,
        blind,
        shown,
        live,
        asked,
        relations,
    })
}

impl Settlement {
    /// Whether the client sees this support worker, or would now.
    #[must_use]
    pub fn shows(&self, worker: WorkerId) -> bool {
        let released = self.list.released.is_some();
        let before = || {
            let mut shown = self.shown.iter();
            shown.any(|shown| shown.value.id == worker)
        };
        let listed = self.list.listed(worker);
        if released {
            listed.is_some_and(|listed| self.list.shown(listed.id).is_some())
        } else {
            before()
        }
    }

    /// Identifies what would be shown: who, in which order, with which words. Fresh candidate ids of
    /// replacements that were never stored play no part.
    #[must_use]
    pub fn tag(&self, request_version: u64, list_version: u64) -> u64 {
        let mut hasher = Sha256::new();
        hasher.update(request_version.to_be_bytes());
        hasher.update(list_version.to_be_bytes());
        for worker in &self.shown {
            hasher.update(worker.value.id.to_string());
            hasher.update(worker.version.to_be_bytes());
        }
        let digest = hasher.finalize();
        digest
            .iter()
            .take(8)
            .fold(0, |tag, byte| tag << 8 | u64::from(*byte))
    }
}

/// What stands between the request's client and particular support workers.
///
/// # Errors
/// When the table does not answer.
pub async fn relations(context: &Context, request: &MatchRequest) -> Result<Relations, StoreError> {
    let client = context
        .store
        .get::<Client>(&Key::client(request.client))
        .await?;
    let person = client.map_or(request.by, |client| client.value.person);
    // A client whose record was merged may be a support worker under the surviving one.
    let person = context
        .living_person(person)
        .await?
        .map_or(person, |person| person.value.id);
    let pairs = context.store.pairs_of(request.client, MOST_PAIRS).await?;
    let (mut blocked, mut known) = (BTreeSet::new(), BTreeSet::new());
    for Versioned { value: pair, .. } in pairs {
        if pair.is_blocked() {
            blocked.insert(pair.worker);
        }
        if pair.known_since.is_some() {
            known.insert(pair.worker);
        }
    }
    let authorities = context
        .store
        .authorities_over(request.client, MOST_AUTHORITIES)
        .await?;
    let held = authorities
        .into_iter()
        .filter(|held| held.value.state != AuthorityState::Revoked)
        .map(|held| held.value.representative);
    Ok(Relations {
        own: held.chain([person]).collect(),
        blocked,
        known,
    })
}

pub(crate) async fn live_records(
    context: &Context,
    workers: impl Iterator<Item = WorkerId>,
) -> Result<BTreeMap<WorkerId, Versioned<SupportWorker>>, StoreError> {
    let keys: Vec<Key> = workers.map(Key::worker).collect();
    let found = context.store.get_many::<SupportWorker>(&keys).await?;
    Ok(found
        .into_iter()
        .map(|worker| (worker.value.id, worker))
        .collect())
}

pub(crate) fn values(
    live: &BTreeMap<WorkerId, Versioned<SupportWorker>>,
) -> BTreeMap<WorkerId, SupportWorker> {
    live.iter()
        .map(|(id, worker)| (*id, worker.value.clone()))
        .collect()
}

/// Gives those who are not on the list yet an id and an alias for this request alone.
///
/// An alias is drawn from the request and the place on its list, never from who it is: the same one in
/// two requests says nothing, and a replacement goes by the same name in a preview as in the release.
pub(crate) fn listed(
    context: &Context,
    list: &CandidateList,
    ranked: Vec<Scored>,
) -> Vec<ListedCandidate> {
    let mut aliases: Vec<&str> = list.free_aliases().collect();
    let new = ranked
        .into_iter()
        .filter(|scored| list.listed(scored.worker).is_none());
    new.zip(list.candidates.len()..)
        .map_while(|(scored, rank)| {
            let drawn = Sha256::digest(format!("{}#{rank}", list.request));
            let draw = drawn.first().copied().map_or(0, usize::from);
            let place = draw.checked_rem(aliases.len())?;
            Some(ListedCandidate {
                id: context.fresh(),
                alias: aliases.swap_remove(place).to_owned(),
                worker: scored.worker,
                score: scored.score,
                contributions: scored.contributions,
            })
        })
        .collect()
}
