//! People whom the client knows already: offered openly, by name, in a list of their own.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::candidates::KnownCandidate;
use domain::eligibility::{Asked, judge};
use domain::engagement::Side;
use domain::id::{CandidateId, MatchRequestId, WorkerId};
use domain::invitation::Invitation;
use domain::match_request::MatchRequestState;
use domain::pair::Pair;
use domain::person::PersonName;
use serde::Serialize;
use store::{Commit, Key};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::act::{invited, is_taken};
use super::{ProgressView, Review, Who, decided, not_available};
use crate::body::{Command, Nothing};
use crate::caller::Caller;
use crate::candidate_list::{MOST_PAIRS, live_records, relations};
use crate::context::{Context, Shared};
use crate::identities::name_of;
use crate::path::Path;
use crate::perform::{Decision, once};
use crate::problem::Problem;

/// The most known support workers that are shown, and that one request invites.
const MOST_KNOWN: usize = 100;

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list_known_workers))
        .routes(routes!(invite_known_worker))
}

/// The support workers whom the client knows.
#[derive(Debug, Serialize, ToSchema)]
struct KnownWorkersView {
    match_request: MatchRequestId,
    /// By name.
    workers: Vec<KnownWorkerView>,
}

/// Somebody whom the client knows.
#[derive(Debug, Serialize, ToSchema)]
struct KnownWorkerView {
    worker: WorkerId,
    name: PersonName,
    /// Whether they can be invited; why not is never said.
    available: bool,
    /// The id to withdraw an invitation and answer questions by, once they were invited.
    candidate: Option<CandidateId>,
    #[serde(flatten)]
    progress: ProgressView,
}

/// List support workers whom the client knows
///
/// Those whom an earlier engagement connected with the client, openly and by name.
#[utoipa::path(get, path = "/v1/match-requests/{match_request}/known-workers", tag = "candidate review",
    params(("match_request" = MatchRequestId, Path)),
    responses((status = 200, body = KnownWorkersView, example = json!({
        "match_request": "mreq_0190b2f06bd47c5a9a3e5b7f21d4c8aa",
        "workers": [{
            "worker": "wrk_0190b2f06bd47c5a9a3e5b7f21d4c8ab", "name": {"given": "Mirela", "family": "Kos"},
            "available": true, "candidate": null, "state": "presented", "answer_by": null, "questions": [],
            "engagement": null
        }]
    })))
)]
async fn list_known_workers(
    State(context): State<Shared>,
    caller: Caller,
    Path(request): Path<MatchRequestId>,
) -> Result<Response, Problem> {
    let view = known_workers(&context, &caller, request).await?;
    Ok(Json(view).into_response())
}

async fn known_workers(
    context: &Context,
    caller: &Caller,
    request: MatchRequestId,
) -> Result<KnownWorkersView, Problem> {
    let review = Review::of(context, caller, request).await?;
    let request = review.request();
    let decided = decided(context, request).await?;
    let asked = Asked::of(&request.details, context.now());
    let relations = relations(context, request).await?;
    let pairs = context.store.pairs_of(request.client, MOST_PAIRS).await?;
    let known: Vec<Pair> = pairs
        .into_iter()
        .map(|pair| pair.value)
        .filter(is_known)
        .take(MOST_KNOWN)
        .collect();
    let live = live_records(context, known.iter().map(|pair| pair.worker)).await?;
    let mut workers = Vec::with_capacity(known.len());
    for pair in &known {
        let Some(worker) = live.get(&pair.worker) else {
            continue;
        };
        let mut ids = review.list().known.iter();
        let candidate = ids.find(|known| known.worker == pair.worker);
        let candidate = candidate.map(|known| known.id);
        let available = request.state == MatchRequestState::Released
            && pair.engagement.is_none()
            && judge(&asked, &worker.value, &relations).is_eligible();
        let decided = candidate.and_then(|candidate| decided.get(&candidate));
        let progress = ProgressView::of(decided, available);
        workers.push(KnownWorkerView {
            worker: pair.worker,
            name: name_of(context, worker.value.person).await?,
            available: progress.is_available(),
            candidate,
            progress,
        });
    }
    workers.sort_by_cached_key(|worker| worker.name.full());
    Ok(KnownWorkersView {
        match_request: request.id,
        workers,
    })
}

/// Whom the client has blocked is none of these any more. Whoever has blocked the client is, and not available: that
/// they have is their own affair.
fn is_known(pair: &Pair) -> bool {
    pair.known_since.is_some() && !pair.blocked_by.contains(&Side::Client)
}

/// Invite a support worker whom the client knows
///
/// Openly: they see who invites them. Refused where they are not available; why not is never said.
#[utoipa::path(post, path = "/v1/match-requests/{match_request}/known-workers/{worker}/invitation", tag = "candidate review",
    params(("match_request" = MatchRequestId, Path), ("worker" = WorkerId, Path)),
    request_body(content = Nothing, example = json!({})),
    responses((status = 201, body = KnownWorkersView))
)]
async fn invite_known_worker(
    State(context): State<Shared>,
    caller: Caller,
    Path((request, worker)): Path<(MatchRequestId, WorkerId)>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let done = once(&context, by, &command.key, || async {
        let review = Review::of(&context, &caller, request).await?;
        let client = review.request().client;
        let pair = context
            .store
            .get::<Pair>(&Key::pair(client, worker))
            .await?;
        pair.filter(|pair| is_known(&pair.value))
            .ok_or_else(Problem::not_found)?;
        // Who was shown blindly before the two came to know each other is not invited twice.
        if let Some(listed) = review.list().listed(worker) {
            let key = Key::candidate(request, listed.id);
            let blind = context.store.get::<Invitation>(&key).await?;
            if blind.is_some_and(|blind| is_taken(blind.value.state)) {
                return Err(not_available());
            }
        }
        let list = &review.requested.list;
        let (next, candidate) = list.value.with_known(KnownCandidate {
            id: context.fresh(),
            worker,
        });
        if next.known.len() > MOST_KNOWN {
            return Err(not_available());
        }
        let who = Who {
            candidate,
            worker,
            open: true,
        };
        let acting = review.standing.acting;
        let audit = context.audit(acting, "invite_known_worker", &Key::match_request(request));
        // INVARIANT: one id each, since whatever adds one writes the list.
        let commit = Commit::new(audit).replace(list, &next);
        let commit = invited(&context, commit, &review, who).await?;
        Ok(Decision::new(review.standing.insisted_on(commit), request))
    })
    .await?;
    let view = known_workers(&context, &caller, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, Json(view)))
}
