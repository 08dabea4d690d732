//! What follows when a candidate is gone: the next one is shown, and staff hear when nobody is left.

use domain::blind::BlindCandidate;
use domain::candidates::{CandidateList, MOST_CANDIDATES, reserve};
use domain::eligibility::Asked;
use domain::invitation::{CandidateState, Invitation};
use domain::match_request::{MatchRequest, MatchRequestState};
use domain::notice::Event;
use domain::policy::Policy;
use domain::support_worker::SupportWorker;
use domain::ticket::{Ticket, TicketCause};
use store::{Commit, Key, StoreError, Versioned};

use crate::candidate_list::{listed, live_records, relations, values};
use crate::candidate_release::Requested;
use crate::context::Context;
use crate::eligible::availability;
use crate::matcher::{self, MatcherError};

/// The most candidates of one request of whom something can be stored.
pub(crate) const MOST_INVITATIONS: usize = 200;

/// A released list with more candidates shown.
pub struct More {
    /// The list.
    pub list: CandidateList,
    /// The live records of those shown in addition, which the commit insists on.
    pub shown: Vec<Versioned<SupportWorker>>,
}

/// Shows up to `wanted` more candidates of a released list: from its reserve, and where that is used up from a query
/// of the shard as it is now.
///
/// # Errors
/// When the table does not answer. Where the index does not, what the reserve holds is shown all the same.
pub async fn more(
    context: &Context,
    request: &MatchRequest,
    list: &CandidateList,
    policy: &Policy,
    wanted: usize,
) -> Result<More, StoreError> {
    if wanted == 0 {
        return Ok(More {
            list: list.clone(),
            shown: Vec::new(),
        });
    }
    let asked = Asked::of(&request.details, context.now());
    let relations = relations(context, request).await?;
    let mut list = list.clone();
    let everybody = |list: &CandidateList| -> Vec<_> {
        let listed = list.candidates.iter();
        listed.map(|listed| listed.worker).collect()
    };
    let mut live = live_records(context, everybody(&list).into_iter()).await?;
    if reserve(&list, &asked, &values(&live), &relations).len() < wanted
        && list.candidates.len() < MOST_CANDIDATES
    {
        // Enough even if everybody on the list is found again.
        let enough = list.candidates.len().saturating_add(policy.list_size());
        match matcher::find(context, request, &asked, &relations, policy, enough).await {
            Ok(found) => {
                let fresh = listed(context, &list, found.ranked);
                list = list.append(fresh);
                live.extend(live_records(context, everybody(&list).into_iter()).await?);
            }
            Err(MatcherError::Store(error)) => return Err(error),
            Err(error) => {
                tracing::error!(%error, "the index does not answer");
            }
        }
    }
    let next = reserve(&list, &asked, &values(&live), &relations);
    let (mut blind, mut shown) = (Vec::new(), Vec::new());
    for listed in next {
        let Some(worker) = live.get(&listed.worker) else {
            continue;
        };
        if blind.len() < wanted
            && let Some(view) = BlindCandidate::of(listed, &worker.value, &asked)
        {
            blind.push(view);
            shown.push(worker.clone());
        }
    }
    Ok(More {
        list: list.show_also(blind),
        shown,
    })
}

/// Everything that is stored of a request's candidates.
///
/// # Errors
/// When the table does not answer.
pub async fn invitations_of(
    context: &Context,
    request: &MatchRequest,
) -> Result<Vec<Versioned<Invitation>>, StoreError> {
    let pk = Key::match_request(request.id).pk;
    context.store.list_all(&pk, "CAND#", MOST_INVITATIONS).await
}

/// Adds to `commit` what follows when the support worker has declined or let it lapse: the next candidate is shown,
/// and the client hears of it. Nothing follows where the request has come to its end.
///
/// # Errors
/// When the table does not answer.
pub async fn after_refusal(
    context: &Context,
    commit: Commit,
    requested: &Requested,
    gone: &Invitation,
) -> Result<Commit, StoreError> {
    let request = &requested.request.value;
    if request.state != MatchRequestState::Released {
        return Ok(commit);
    }
    let list = &requested.list.value;
    let policy = context.store.policy().await?;
    // Whom the client knows is nobody that the list has another for.
    let wanted = usize::from(!gone.open);
    let More { list, shown } = more(context, request, list, &policy, wanted).await?;
    let event = Event::CandidateUnavailable {
        match_request: request.id,
        client: request.client,
        replaced: !shown.is_empty(),
    };
    let commit = commit.notify(context.fresh(), event);
    // INVARIANT: whoever is shown was eligible by the record that stands when they are.
    let commit = shown.iter().fold(commit, Commit::unchanged);
    if shown.is_empty() {
        return after_leaving(context, commit, requested, gone).await;
    }
    Ok(commit
        .replace(&requested.list, &list)
        .unchanged(&requested.request))
}

/// Adds to `commit` what follows when a candidate is gone and nobody takes their place: staff hear, once, when nobody
/// is left whom the client could invite or who has been.
///
/// # Errors
/// When the table does not answer.
pub async fn after_leaving(
    context: &Context,
    commit: Commit,
    requested: &Requested,
    gone: &Invitation,
) -> Result<Commit, StoreError> {
    let Requested { request, list } = requested;
    let commit = commit.unchanged(request);
    let told = list
        .value
        .released
        .as_ref()
        .and_then(|list| list.exhausted_at);
    let exhausted = told.is_none() && !anybody_left(context, requested, gone).await?;
    let at = exhausted.then(|| context.now()).or(told);
    // INVARIANT: of two who leave at once one comes after the other, since each writes the list, which was read
    // before anybody was looked at: the last one to leave is never overlooked.
    let commit = commit.replace(list, &list.value.with_exhausted_at(at));
    if !exhausted {
        return Ok(commit);
    }
    Ok(commit.insert(&Ticket::open(
        context.fresh(),
        TicketCause::CandidatesExhausted,
        request.value.id,
        context.now(),
    )))
}

async fn anybody_left(
    context: &Context,
    requested: &Requested,
    gone: &Invitation,
) -> Result<bool, StoreError> {
    let (request, list) = (&requested.request.value, &requested.list.value);
    let decided = invitations_of(context, request).await?;
    let others = decided
        .iter()
        .map(|decided| &decided.value)
        .filter(|decided| decided.candidate != gone.candidate);
    let waited_for = others.clone().any(|other| {
        matches!(
            other.state,
            CandidateState::Invited | CandidateState::Accepted
        )
    });
    if waited_for {
        return Ok(true);
    }
    let available = availability(context, request, list).await?;
    Ok(available.into_iter().any(|(candidate, available)| {
        let mut others = others.clone();
        let ended = others
            .any(|other| other.candidate == candidate && other.state != CandidateState::Presented);
        available && candidate != gone.candidate && !ended
    }))
}
