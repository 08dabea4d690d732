//! What staff do with a match request before its candidates are shown: look at exactly what the client
//! would see, ask why somebody is not on it, exclude, pin, and send early.

use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::access::Duty;
use domain::blind::BlindCandidate;
use domain::candidates::{
    Basis, CandidateList, Contribution, DecideCandidateError, Difference, RuleCount, StaffDecision,
};
use domain::eligibility::{Asked, Rule};
use domain::id::{CandidateId, MatchRequestId, WorkerId};
use domain::invitation::CandidateState;
use domain::match_request::{MatchRequest, MatchRequestState, ReleaseCause};
use domain::support_worker::SupportWorker;
use domain::vocabulary::Vocabulary;
use matching::explain;
use serde::{Deserialize, Serialize};
use store::{Commit, Key, StaffPartition};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{MatchRequestView, show};
use crate::body::{Command, Nothing};
use crate::caller::Caller;
use crate::candidate_list::{Settlement, relations};
use crate::candidate_release::{Requested, release, requested, settlement};
use crate::context::{Context, Shared};
use crate::matcher::{self, MatcherError};
use crate::page::{Listed, PageQuery};
use crate::path::{Path, Query};
use crate::perform::{Decision, Tagged, once};
use crate::problem::Problem;
use crate::reason::need_reason;
use crate::replacement::invitations_of;
use crate::standing::{OnDuty, on_duty, over_client};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list_match_requests))
        .routes(routes!(preview_candidates))
        .routes(routes!(explain_candidate))
        .routes(routes!(exclude_candidate))
        .routes(routes!(pin_candidate))
        .routes(routes!(release_candidates))
}

/// Which match requests are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct MatchRequestFilter {
    /// In this state; submitted ones unless told.
    state: Option<MatchRequestState>,
}

/// List match requests
///
/// Those in one state, by submission, the oldest first.
#[utoipa::path(get, path = "/v1/match-requests", tag = "match requests", params(MatchRequestFilter, PageQuery),
    responses((status = 200, body = Listed<MatchRequestView>, example = json!({"items": []})))
)]
async fn list_match_requests(
    State(context): State<Shared>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Query(filter): Query<MatchRequestFilter>,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    on_duty(&caller, Duty::MatchRequests)?;
    let state = filter.state.unwrap_or(MatchRequestState::Submitted);
    let partition = StaffPartition::MatchRequests(state.code());
    let found = context
        .store
        .staff_list::<MatchRequest>(partition, false, page.limit(), page.cursor())
        .await?;
    Ok(Listed::of(found, |request| MatchRequestView::of(request.value)).at(&uri))
}

/// The whole request and exactly what the client would be shown now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PreviewView {
    request: MatchRequestView,
    /// What the client sees, in order.
    shown: Vec<BlindCandidate>,
    /// Everybody on the list, shortlist and reserve, as staff see them.
    listed: Vec<ListedView>,
    /// People whom the client knows and has invited.
    known: Vec<KnownView>,
    /// How what is shown differs from the list at submission.
    differences: Vec<Difference>,
    /// How many support workers were considered at submission.
    considered: u32,
    /// Where few were found: how many each rule removes.
    removed: Vec<RuleCount>,
    /// What the list was computed from.
    basis: Basis,
    /// When it was released; none while this is a preview.
    released_at: Option<DateTime<Utc>>,
}

/// A candidate as staff see them.
#[derive(Debug, Serialize, ToSchema)]
struct ListedView {
    candidate: CandidateId,
    alias: String,
    worker: WorkerId,
    score: u32,
    /// Adds up to the score.
    contributions: Vec<Contribution>,
    excluded: bool,
    pinned: bool,
    /// Where they stand, once the client has decided something about them.
    state: Option<CandidateState>,
    /// Why the client passed or they declined. For staff alone.
    reason: Option<String>,
}

/// Somebody whom the client knows and has invited, as staff see them.
#[derive(Debug, Serialize, ToSchema)]
struct KnownView {
    candidate: CandidateId,
    worker: WorkerId,
    /// Where they stand.
    state: Option<CandidateState>,
    /// Why they declined. For staff alone.
    reason: Option<String>,
}

/// Preview the candidates
///
/// Computed by the very code that releases them, without writing. The ETag stands for what would be
/// shown; send it with an early release, which is refused if that has changed since.
#[utoipa::path(get, path = "/v1/match-requests/{match_request}/candidate-preview", tag = "match requests",
    params(("match_request" = MatchRequestId, Path)),
    responses((status = 200, body = PreviewView, example = json!({
        "request": {
            "id": "mreq_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "client": "clt_0190b2f06bd47c5a9a3e5b7f21d4c8ab",
            "by": "per_0190b2f06bd47c5a9a3e5b7f21d4c8ac", "on_behalf_of": null,
            "details": {"services": ["social_support"], "days": [], "about_me": "", "preferences": [], "certifications": [],
                        "care_needs": {"level": "light", "conditions": [], "mobility": "independent", "hazards": [], "tasks": [],
                                       "share": {"care": false, "conditions": false, "mobility": false, "about_me": false, "interests": false}},
                        "budget": {"least": 0, "most": 6000},
                        "place": {"suburb": "West End", "postcode": "4101", "latitude": -27.48, "longitude": 153.01, "time_zone": "Australia/Brisbane"},
                        "period": {"from": "2026-03-09", "until": null}},
            "state": "submitted", "submitted_at": "2026-03-02T00:00:00Z", "release_at": "2026-03-03T00:00:00Z",
            "released_at": null, "closed_at": null, "policy_version": 1
        },
        "shown": [{
            "candidate": "cand_0190b2f06bd47c5a9a3e5b7f21d4c8ad", "alias": "Banksia", "available": true,
            "distance": "under_5_km", "experience": "five_to_ten_years", "rating": null,
            "rate": {"from": 5500, "to": 6000}, "services": ["social_support"], "matches": [],
            "introduction": "I like unhurried mornings."
        }],
        "listed": [{
            "candidate": "cand_0190b2f06bd47c5a9a3e5b7f21d4c8ad", "alias": "Banksia",
            "worker": "wrk_0190b2f06bd47c5a9a3e5b7f21d4c8ae", "score": 36000,
            "contributions": [{"criterion": "distance", "value": 900, "weight": 40, "points": 36000}],
            "excluded": false, "pinned": false, "state": null, "reason": null
        }],
        "known": [],
        "differences": [], "considered": 74,
        "removed": [{"rule": "budget", "removes": 41, "alone": 6}],
        "basis": {"cell": "84be0e3ffffffff", "shard": "5e2c0a1f", "weights": 1, "policy": 1},
        "released_at": null
    })))
)]
async fn preview_candidates(
    State(context): State<Shared>,
    caller: Caller,
    Path(request): Path<MatchRequestId>,
) -> Result<Response, Problem> {
    let (_, requested) = over_request(&context, &caller, request).await?;
    Ok(preview(&context, requested).await?.into_response())
}

/// Lets `caller` decide, as staff, on a match request, or refuses.
pub(super) async fn over_request(
    context: &Context,
    caller: &Caller,
    request: MatchRequestId,
) -> Result<(OnDuty, Requested), Problem> {
    // First, so that nobody else learns which requests there are.
    on_duty(caller, Duty::MatchRequests)?;
    let requested = requested(context, request).await?;
    let requested = requested.ok_or_else(Problem::not_found)?;
    let client = requested.request.value.client;
    Ok((over_client(caller, client, Duty::MatchRequests)?, requested))
}

pub(super) async fn preview(
    context: &Context,
    requested: Requested,
) -> Result<Tagged<PreviewView>, Problem> {
    let settlement = settlement(context, &requested).await?;
    let version = tag(&requested, &settlement);
    let Settlement {
        list,
        settled,
        blind,
        ..
    } = settlement;
    let decided = invitations_of(context, &requested.request.value).await?;
    let standing = |candidate: CandidateId| {
        let mut decided = decided.iter().map(|decided| &decided.value);
        let decided = decided.find(|decided| decided.candidate == candidate);
        (
            decided.map(|decided| decided.state),
            decided.and_then(|decided| decided.reason.clone()),
        )
    };
    let CandidateList {
        basis,
        candidates,
        considered,
        removed,
        exclusions,
        pins,
        released,
        known,
        ..
    } = list;
    let known = known.into_iter().map(|known| {
        let (state, reason) = standing(known.id);
        KnownView {
            candidate: known.id,
            worker: known.worker,
            state,
            reason,
        }
    });
    let has = |decisions: &[StaffDecision], worker| {
        decisions.iter().any(|decision| decision.worker == worker)
    };
    let listed = candidates.into_iter().map(|candidate| {
        let (state, reason) = standing(candidate.id);
        ListedView {
            candidate: candidate.id,
            alias: candidate.alias,
            worker: candidate.worker,
            score: candidate.score,
            contributions: candidate.contributions,
            excluded: has(&exclusions, candidate.worker),
            pinned: has(&pins, candidate.worker),
            state,
            reason,
        }
    });
    let released_at = released.as_ref().map(|released| released.at);
    let (shown, differences) = match released {
        Some(released) => (released.candidates, released.differences),
        None => (blind, settled.differences),
    };
    let request = MatchRequestView::of(requested.request.value);
    let view = PreviewView {
        request,
        shown,
        listed: listed.collect(),
        known: known.collect(),
        differences,
        considered,
        removed,
        basis,
        released_at,
    };
    Ok(Tagged { version, view })
}

fn tag(requested: &Requested, settlement: &Settlement) -> u64 {
    settlement.tag(requested.request.version, requested.list.version)
}

/// Why somebody is or is not on the list.
#[derive(Debug, Serialize, ToSchema)]
struct ExplanationView {
    worker: WorkerId,
    /// Whether they are on the list.
    listed: bool,
    /// Hard rules that are kept.
    kept: Vec<Rule>,
    /// Hard rules that are broken.
    broken: Vec<Rule>,
    /// What they would score, criterion by criterion.
    contributions: Vec<Contribution>,
    /// The same in words.
    words: Vec<String>,
}

/// Explain a support worker's place
///
/// Why they are on the list, or why not: every hard rule by their live record, and every criterion.
#[utoipa::path(get, path = "/v1/match-requests/{match_request}/candidate-preview/{worker}", tag = "match requests",
    params(("match_request" = MatchRequestId, Path), ("worker" = WorkerId, Path)),
    responses((status = 200, body = ExplanationView, example = json!({
        "worker": "wrk_0190b2f06bd47c5a9a3e5b7f21d4c8ae", "listed": false,
        "kept": ["active", "checks_through_period", "services", "certifications", "preferences", "avoided",
                 "availability", "distance", "not_blocked", "boundaries", "not_themselves"],
        "broken": ["budget"],
        "contributions": [{"criterion": "distance", "value": 900, "weight": 40, "points": 36000}],
        "words": ["Not met: Rates within the budget", "Distance: 900 of 1000, weighing 40, adds 36.000"]
    })))
)]
async fn explain_candidate(
    State(context): State<Shared>,
    caller: Caller,
    Path((request, worker)): Path<(MatchRequestId, WorkerId)>,
) -> Result<Response, Problem> {
    let (_, requested) = over_request(&context, &caller, request).await?;
    let found = context
        .store
        .get::<SupportWorker>(&Key::worker(worker))
        .await?;
    let live = found.ok_or_else(Problem::not_found)?.value;
    let asked = Asked::of(&requested.request.value.details, context.now());
    let relations = relations(&context, &requested.request.value).await?;
    let weights = matcher::weights(&context).await?;
    let account = explain::for_staff(&asked, &live, &relations, &weights);
    let view = ExplanationView {
        worker,
        listed: requested.list.value.listed(worker).is_some(),
        words: account.words(),
        kept: account.kept,
        broken: account.broken,
        contributions: account.contributions,
    };
    Ok(axum::Json(view).into_response())
}

/// A decision about one candidate.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Decide {
    /// Whom it is about.
    #[schema(example = "wrk_0190b2f06bd47c5a9a3e5b7f21d4c8aa")]
    worker: WorkerId,
    /// Why, in words for staff.
    #[schema(
        min_length = 1,
        max_length = 500,
        example = "Worked together before and parted badly."
    )]
    reason: String,
}

/// Exclude a candidate
#[utoipa::path(post, path = "/v1/match-requests/{match_request}/exclusions", tag = "match requests",
    params(("match_request" = MatchRequestId, Path)), request_body = Decide,
    responses((status = 201, body = PreviewView))
)]
async fn exclude_candidate(
    State(context): State<Shared>,
    caller: Caller,
    Path(request): Path<MatchRequestId>,
    command: Command<Decide>,
) -> Result<Response, Problem> {
    decide(
        &context,
        &caller,
        request,
        &command,
        "exclude_candidate",
        CandidateList::exclude,
    )
    .await
}

/// Pin a candidate
///
/// Puts somebody from the reserve among those shown. A pin never overrides a hard rule.
#[utoipa::path(post, path = "/v1/match-requests/{match_request}/pins", tag = "match requests",
    params(("match_request" = MatchRequestId, Path)), request_body = Decide,
    responses((status = 201, body = PreviewView))
)]
async fn pin_candidate(
    State(context): State<Shared>,
    caller: Caller,
    Path(request): Path<MatchRequestId>,
    command: Command<Decide>,
) -> Result<Response, Problem> {
    decide(
        &context,
        &caller,
        request,
        &command,
        "pin_candidate",
        CandidateList::pin,
    )
    .await
}

async fn decide(
    context: &Context,
    caller: &Caller,
    request: MatchRequestId,
    command: &Command<Decide>,
    operation: &'static str,
    apply: fn(&CandidateList, StaffDecision) -> Result<CandidateList, DecideCandidateError>,
) -> Result<Response, Problem> {
    let Decide { worker, reason } = &command.body;
    let person = &caller.person.value;
    let done = once(context, person.id, &command.key, || async {
        let (duty, requested) = over_request(context, caller, request).await?;
        need_reason(reason)?;
        // INVARIANT: nobody decides on themselves.
        if person.roles.workers.contains(worker) {
            return Err(Problem::forbidden());
        }
        let (worker, by, at) = (*worker, duty.acting.by, context.now());
        let next = apply(
            &requested.list.value,
            StaffDecision {
                worker,
                by,
                at,
                reason: reason.clone(),
            },
        )?;
        let key = Key::match_request(request);
        let audit = context.correction(duty.acting, operation, &key, Vec::new(), reason);
        let commit = Commit::new(audit).replace(&requested.list, &next);
        Ok(Decision::new(duty.insisted_on(commit), request))
    })
    .await?;
    let (_, requested) = over_request(context, caller, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, preview(context, requested).await?))
}

/// Send the candidates early
///
/// Takes the ETag of the preview in `If-Match`: what is released is what was looked at.
#[utoipa::path(post, path = "/v1/match-requests/{match_request}/release", tag = "match requests",
    params(("match_request" = MatchRequestId, Path), ("If-Match" = String, Header, description = "The preview's ETag")),
    request_body(content = Nothing, example = json!({})),
    responses((status = 201, body = MatchRequestView), (status = 412, description = "Not what was previewed any more"))
)]
async fn release_candidates(
    State(context): State<Shared>,
    caller: Caller,
    Path(request): Path<MatchRequestId>,
    previewed: crate::body::IfMatch,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    let done = once(&context, caller.person.value.id, &command.key, || async {
        let (duty, requested) = over_request(&context, &caller, request).await?;
        // Refused for its state first: a released list has another preview, too.
        requested
            .request
            .value
            .release(ReleaseCause::Staff, context.now())?;
        let settlement = settlement(&context, &requested).await?;
        crate::body::must_match(previewed.0, tag(&requested, &settlement))?;
        let commit = release(
            &context,
            &requested,
            settlement,
            ReleaseCause::Staff,
            duty.acting,
        )?;
        Ok(Decision::new(duty.insisted_on(commit), request))
    })
    .await?;
    Ok(done.answer(
        StatusCode::CREATED,
        show(&context, &caller, done.id()?).await?,
    ))
}

impl From<DecideCandidateError> for Problem {
    fn from(error: DecideCandidateError) -> Self {
        match error {
            DecideCandidateError::AlreadyReleased => {
                Self::wrong_state("candidates-released", error)
            }
            DecideCandidateError::AlreadyDecided => Self::wrong_state("already-decided", error),
            DecideCandidateError::NotListed => Self::invalid_field("/worker", error),
            DecideCandidateError::NoReason => Self::invalid_field("/reason", error),
        }
    }
}

impl From<MatcherError> for Problem {
    fn from(error: MatcherError) -> Self {
        match error {
            MatcherError::Store(error) => error.into(),
            MatcherError::Shard { .. } | MatcherError::Search(_) => {
                tracing::error!(%error, "the index does not answer");
                Self::unavailable()
            }
        }
    }
}
