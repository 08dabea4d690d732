//! Releasing a candidate list: when it falls due, or early by staff. Both come here, and the
//! conditional state transition lets one of them win.

use domain::candidates::CandidateList;
use domain::candidates::ReleasedList;
use domain::id::MatchRequestId;
use domain::match_request::{MatchRequest, ReleaseCause, ReleaseMatchRequestError};
use domain::notice::Event;
use domain::ticket::{Ticket, TicketCause};
use store::{Actor, Commit, Key, PendingDue, StoreError, Versioned};

use crate::candidate_list::{Settlement, settle_now};
use crate::consume::{ConsumeError, Effect};
use crate::context::Context;
use crate::matcher::MatcherError;
use crate::problem::Problem;

/// Why a list is not released.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// The request does not allow it.
    #[error(transparent)]
    State(#[from] ReleaseMatchRequestError),
    /// The index or the table does not answer.
    #[error(transparent)]
    Matcher(#[from] MatcherError),
}

/// A match request and its list, as read.
pub struct Requested {
    /// The request.
    pub request: Versioned<MatchRequest>,
    /// Its list.
    pub list: Versioned<CandidateList>,
}

/// Reads a match request and its list; none if there is none.
///
/// # Errors
/// When the table does not answer.
pub async fn requested(
    context: &Context,
    id: MatchRequestId,
) -> Result<Option<Requested>, StoreError> {
    let request = context
        .store
        .get::<MatchRequest>(&Key::match_request(id))
        .await?;
    let list = context
        .store
        .get::<CandidateList>(&Key::candidate_list(id))
        .await?;
    Ok(request
        .zip(list)
        .map(|(request, list)| Requested { request, list }))
}

/// What would be released now.
///
/// # Errors
/// When the index or the table does not answer.
pub async fn settlement(
    context: &Context,
    requested: &Requested,
) -> Result<Settlement, MatcherError> {
    let policy = context.store.policy().await?;
    settle_now(
        context,
        &requested.request.value,
        &requested.list.value,
        &policy,
        context.now(),
    )
    .await
}

/// The commit that releases what `settlement` found, by `actor`.
///
/// # Errors
/// When the request does not allow it.
pub fn release(
    context: &Context,
    requested: &Requested,
    settlement: Settlement,
    cause: ReleaseCause,
    actor: impl Into<Actor>,
) -> Result<Commit, ReleaseMatchRequestError> {
    let now = context.now();
    let was = &requested.request;
    let next = was.value.release(cause, now)?;
    let Settlement {
        mut list,
        settled,
        blind,
        shown,
        ..
    } = settlement;
    let nobody = blind.is_empty();
    list.released = Some(ReleasedList {
        at: now,
        candidates: blind,
        differences: settled.differences,
        exhausted_at: None,
    });
    let (match_request, client) = (next.id, next.client);
    let mut commit = Commit::new(context.audit(
        actor,
        "release_candidates",
        &Key::match_request(match_request),
    ))
    .replace(was, &next)
    .replace(&requested.list, &list)
    .notify(
        context.fresh(),
        Event::CandidatesReleased {
            match_request,
            client,
        },
    );
    // INVARIANT: whoever is shown was eligible by the record that stands when the release does.
    for worker in &shown {
        commit = commit.unchanged(worker);
    }
    if nobody {
        commit = commit.insert(&Ticket::open(
            context.fresh(),
            TicketCause::NoCandidates,
            match_request,
            now,
        ));
    }
    Ok(commit)
}

/// The effect of a release falling due.
pub(crate) async fn when_due(
    context: &Context,
    pending: &PendingDue,
    match_request: MatchRequestId,
) -> Result<Effect, ConsumeError> {
    let Some(requested) = requested(context, match_request).await? else {
        return Ok(Effect::Superseded);
    };
    let cause = ReleaseCause::Due {
        generation: pending.row.generation,
    };
    // Asked before the work is done, and again by the commit.
    if let Err(refused) = requested.request.value.release(cause, context.now()) {
        return after_refusal(refused);
    }
    let settlement = settlement(context, &requested).await?;
    match release(context, &requested, settlement, cause, Actor::Service) {
        Ok(commit) => Ok(commit.finish(pending).into()),
        Err(refused) => after_refusal(refused),
    }
}

fn after_refusal(refused: ReleaseMatchRequestError) -> Result<Effect, ConsumeError> {
    match refused {
        ReleaseMatchRequestError::AlreadyReleased
        | ReleaseMatchRequestError::Withdrawn
        | ReleaseMatchRequestError::Closed
        | ReleaseMatchRequestError::Superseded => Ok(Effect::Superseded),
        ReleaseMatchRequestError::Early(at) => Ok(Effect::Early(at)),
    }
}

impl From<ReleaseMatchRequestError> for Problem {
    fn from(error: ReleaseMatchRequestError) -> Self {
        let kind = match error {
            ReleaseMatchRequestError::AlreadyReleased => "candidates-released",
            ReleaseMatchRequestError::Withdrawn => "match-request-withdrawn",
            ReleaseMatchRequestError::Closed => "match-request-closed",
            ReleaseMatchRequestError::Superseded => "release-superseded",
            ReleaseMatchRequestError::Early(_) => "release-early",
        };
        Self::wrong_state(kind, error)
    }
}
