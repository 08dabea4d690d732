//! Candidate review: what the client sees of the candidates, blind.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::access::Scope;
use domain::blind::{BlindCandidate, BlindRemoval, what_removes};
use domain::candidates::{CandidateList, ReleasedList};
use domain::eligibility::{Asked, judge};
use domain::id::{CandidateId, MatchRequestId};
use domain::match_request::{MatchRequest, MatchRequestState};
use domain::support_worker::SupportWorker;
use matching::explain;
use serde::Serialize;
use store::{Key, StoreError};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::caller::Caller;
use crate::candidate_list::relations;
use crate::candidate_release::requested;
use crate::context::{Context, Shared};
use crate::path::Path;
use crate::problem::Problem;
use crate::standing::for_client;

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list_candidates))
}

/// The candidates of a match request, blind.
#[derive(Debug, Serialize, ToSchema)]
struct CandidatesView {
    match_request: MatchRequestId,
    /// Since when they can be seen.
    released_at: DateTime<Utc>,
    /// The best first.
    candidates: Vec<CandidateView>,
    /// Where fewer could be shown than there are places: what stood in the way of more, so that the client
    /// can ask for something else. Small numbers are left out.
    stood_in_the_way: Vec<BlindRemoval>,
}

/// One candidate, and why they are on the list.
#[derive(Debug, Serialize, ToSchema)]
struct CandidateView {
    /// What may be seen.
    #[serde(flatten)]
    candidate: BlindCandidate,
    /// What matches, in words.
    why: Vec<String>,
}

/// Show the candidates
///
/// The list as it was released. Whoever has become unavailable since is marked so; why is never said.
#[utoipa::path(get, path = "/v1/match-requests/{match_request}/candidates", tag = "candidate review",
    params(("match_request" = MatchRequestId, Path)),
    responses((status = 200, body = CandidatesView, example = json!({
        "match_request": "mreq_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "released_at": "2026-03-03T00:00:00Z",
        "candidates": [{
            "candidate": "cand_0190b2f06bd47c5a9a3e5b7f21d4c8ab", "alias": "Banksia", "available": true,
            "distance": "under_5_km", "experience": "five_to_ten_years", "rating": "very_good",
            "rate": {"from": 5500, "to": 6000}, "services": ["personal_care"],
            "matches": [{"shares": ["classical_music"]}], "introduction": "I like unhurried mornings.",
            "why": ["Shares your interest in: Classical music"]
        }],
        "stood_in_the_way": [{"words": "Have rates outside your budget", "removes": 12, "without_it": null}]
    })))
)]
async fn list_candidates(
    State(context): State<Shared>,
    caller: Caller,
    Path(request): Path<MatchRequestId>,
) -> Result<Response, Problem> {
    let requested = requested(&context, request)
        .await?
        .ok_or_else(Problem::not_found)?;
    let (request, list) = (requested.request.value, requested.list.value);
    for_client(&context, &caller, request.client, Scope::MatchRequests).await?;
    let Some(released) = list.released.clone() else {
        return Err(Problem::wrong_state(
            "candidates-not-released",
            "the candidates cannot be seen yet",
        )
        .with("release_at", request.release_at.to_rfc3339()));
    };
    let available = availability(&context, &request, &list, &released).await?;
    let ReleasedList { at, candidates, .. } = released;
    let stood_in_the_way = if candidates.len() < usize::from(list.shortlist) {
        what_removes(&list.removed)
    } else {
        Vec::new()
    };
    let candidates = candidates
        .into_iter()
        .map(|candidate| {
            let available = available
                .get(&candidate.candidate)
                .copied()
                .unwrap_or(false);
            let why = explain::for_client(&candidate.matches);
            CandidateView {
                candidate: BlindCandidate {
                    available,
                    ..candidate
                },
                why,
            }
        })
        .collect();
    Ok(Json(CandidatesView {
        match_request: request.id,
        released_at: at,
        candidates,
        stood_in_the_way,
    })
    .into_response())
}

/// Who of those shown could be invited now, by live records.
async fn availability(
    context: &Context,
    request: &MatchRequest,
    list: &CandidateList,
    released: &ReleasedList,
) -> Result<BTreeMap<CandidateId, bool>, StoreError> {
    let asked = Asked::of(&request.details, context.now());
    let relations = relations(context, request).await?;
    let open = request.state == MatchRequestState::Released;
    let shown = released
        .candidates
        .iter()
        .filter_map(|shown| list.candidate(shown.candidate));
    let shown: Vec<_> = shown.collect();
    let keys: Vec<Key> = shown
        .iter()
        .map(|candidate| Key::worker(candidate.worker))
        .collect();
    let live = context.store.get_many::<SupportWorker>(&keys).await?;
    let eligible = |worker| {
        let live = live.iter().find(|live| live.value.id == worker);
        live.is_some_and(|live| judge(&asked, &live.value, &relations).is_eligible())
    };
    Ok(shown
        .into_iter()
        .map(|candidate| (candidate.id, open && eligible(candidate.worker)))
        .collect())
}
