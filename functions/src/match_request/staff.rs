//! What staff do with a match request before its candidates are shown: find it, exclude, pin, and send early.

use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::access::Duty;
use domain::candidates::{CandidateList, DecideCandidateError, StaffDecision};
use domain::id::{MatchRequestId, WorkerId};
use domain::match_request::{MatchRequest, MatchRequestState, ReleaseCause};
use domain::vocabulary::Vocabulary;
use serde::Deserialize;
use store::{Commit, Key, StaffPartition};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::preview::{PreviewView, preview, tag};
use super::{MatchRequestView, show};
use crate::body::{Command, Nothing};
use crate::caller::Caller;
use crate::candidate_release::{Requested, release, requested, settlement};
use crate::context::{Context, Shared};
use crate::matcher::MatcherError;
use crate::page::{Listed, PageQuery};
use crate::path::{Path, Query};
use crate::perform::{Decision, once};
use crate::problem::Problem;
use crate::reason::need_reason;
use crate::standing::{OnDuty, on_duty, over_client};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list_match_requests))
        .merge(super::preview::router())
        .merge(super::explanation::router())
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
