//! Changing a booked visit: the client asks, the support worker proposes, and the visit stands as it is booked until
//! the client accepts.

mod answer;
mod asking;
mod series;

use axum::extract::{OriginalUri, State};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::access::{Acting, Duty};
use domain::change_request::{
    ChangeRequest, ChangeRequestNotOpen, ChangeRequestState, ChangeWarning, WishedTimes,
};
use domain::engagement::Reasoned;
use domain::id::{ChangeRequestId, EngagementId, ProposalId, VisitId};
use domain::proposal::{Change, Proposal};
use domain::visit::Visit;
use serde::Serialize;
use store::{Actor, Audit, Commit, Key, StoreError, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::page::{Listed, PageQuery};
use crate::path::{Path, Query};
use crate::perform::Tagged;
use crate::problem::Problem;
use crate::standing::see_engagement;
use crate::visit;

pub(crate) use series::{end_when_due, unfold_when_due};

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list_change_requests, asking::ask_for_change))
        .routes(routes!(show_change_request))
        .routes(routes!(answer::refuse_change))
        .routes(routes!(asking::withdraw_change_request))
        .routes(routes!(answer::propose_change))
        .merge(series::router())
}

/// A client's wish to alter a visit, as both sides see it.
#[derive(Debug, Serialize, ToSchema)]
struct ChangeRequestView {
    id: ChangeRequestId,
    visit: VisitId,
    engagement: EngagementId,
    /// Of which form of the visit it was asked.
    sequence: u32,
    asked_by: Acting,
    asked_at: DateTime<Utc>,
    wish: String,
    /// The times that would suit, where they are that clear.
    times: Option<WishedTimes>,
    /// What the client was warned of and acknowledged.
    warning: Option<ChangeWarning>,
    state: ChangeRequestState,
    /// The proposal that answers it.
    proposal: Option<ProposalId>,
    /// Who refused it, and why.
    refusal: Option<Reasoned>,
    closed_at: Option<DateTime<Utc>>,
}

impl ChangeRequestView {
    fn of(request: ChangeRequest, visit: &Visit, now: DateTime<Utc>) -> Self {
        Self {
            state: request.state_of(visit, now),
            id: request.id,
            visit: request.visit,
            engagement: request.engagement,
            sequence: request.sequence,
            asked_by: request.asked_by,
            asked_at: request.asked_at,
            wish: request.wish,
            times: request.times,
            warning: request.warning,
            proposal: request.proposal,
            refusal: request.refusal,
            closed_at: request.closed_at,
        }
    }
}

/// Show a change request
#[utoipa::path(get, path = "/v1/visits/{visit}/change-requests/{request}", tag = "visit changes",
    params(("visit" = VisitId, Path), ("request" = ChangeRequestId, Path)),
    responses((status = 200, body = ChangeRequestView, example = json!({
        "id": "chg_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "visit": "vis_0190b2f06bd47c5a9a3e5b7f21d4c8ab",
        "engagement": "eng_0190b2f06bd47c5a9a3e5b7f21d4c8ac", "sequence": 0,
        "asked_by": {"by": "per_0190b2f06bd47c5a9a3e5b7f21d4c8ad", "on_behalf_of": null},
        "asked_at": "2026-11-30T03:00:00Z", "wish": "Could you come in the afternoon?",
        "times": {"starts": "2026-12-01T14:00:00", "minutes": 120},
        "warning": {"sequence": 0, "late": true, "may_cost": {
            "client_pays": 12300, "worker_gets": 12000, "service_keeps": 300
        }},
        "state": "pending", "proposal": null, "refusal": null, "closed_at": null
    })))
)]
async fn show_change_request(
    State(context): State<Shared>,
    caller: Caller,
    Path((visit, request)): Path<(VisitId, ChangeRequestId)>,
) -> Result<Response, Problem> {
    let view = show(&context, &caller, visit, request).await?;
    Ok(view.into_response())
}

async fn show(
    context: &Context,
    caller: &Caller,
    visit: VisitId,
    request: ChangeRequestId,
) -> Result<Tagged<ChangeRequestView>, Problem> {
    let visit = visit::load(context, visit).await?.value;
    see_engagement(context, caller, visit.engagement, Duty::Schedules).await?;
    let Versioned { version, value } = load(context, visit.id, request).await?;
    Ok(Tagged {
        version,
        view: ChangeRequestView::of(value, &visit, context.now()),
    })
}

async fn load(
    context: &Context,
    visit: VisitId,
    request: ChangeRequestId,
) -> Result<Versioned<ChangeRequest>, Problem> {
    let key = Key::change_request(visit, request);
    let found = context.store.get(&key).await?;
    found.ok_or_else(Problem::not_found)
}

/// List the change requests of a visit
///
/// The newest first.
#[utoipa::path(get, path = "/v1/visits/{visit}/change-requests", tag = "visit changes",
    params(("visit" = VisitId, Path), PageQuery),
    responses((status = 200, body = Listed<ChangeRequestView>, example = json!({"items": []})))
)]
async fn list_change_requests(
    State(context): State<Shared>,
    caller: Caller,
    Path(visit): Path<VisitId>,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    let visit = visit::load(&context, visit).await?.value;
    see_engagement(&context, &caller, visit.engagement, Duty::Schedules).await?;
    let pk = Key::visit(visit.id).pk;
    let found = context
        .store
        .list::<ChangeRequest>(&pk, "CHANGE#", true, page.limit(), page.cursor())
        .await?;
    let now = context.now();
    let view =
        |request: Versioned<ChangeRequest>| ChangeRequestView::of(request.value, &visit, now);
    Ok(Listed::of(found, view).at(&uri))
}

/// What a commit made now says of itself. A request is audited with its visit, and so named.
fn audit(
    context: &Context,
    actor: impl Into<Actor>,
    operation: &'static str,
    request: &ChangeRequest,
) -> Audit {
    Audit {
        fields: vec![request.id.to_string()],
        ..context.audit(actor, operation, &Key::visit(request.visit))
    }
}

/// Adds that the request which a proposal was just made for, if it was, is answered by it.
///
/// # Errors
/// When the table does not answer.
async fn answered(
    context: &Context,
    commit: Commit,
    made: &Proposal,
) -> Result<Commit, StoreError> {
    let change = made.changes.as_ref();
    let Some(was) = asked_with(context, change).await? else {
        return Ok(commit);
    };
    Ok(match was.value.answered_by(made) {
        Some(next) => commit.replace(&was, &next),
        None => commit,
    })
}

/// Adds what becomes of the request that a proposal answers, where that was declined or withdrawn or has lapsed.
///
/// # Errors
/// When the table does not answer.
pub(crate) async fn followed(
    context: &Context,
    commit: Commit,
    proposal: &Proposal,
) -> Result<Commit, StoreError> {
    let Some(change) = &proposal.changes else {
        return Ok(commit);
    };
    let Some((was, next)) = following(context, proposal, change).await? else {
        return Ok(commit);
    };
    let commit = commit.replace(&was, &next);
    if next.closed_at.is_none() {
        return Ok(commit);
    }
    let visit = context
        .store
        .get::<Visit>(&Key::visit(change.visit))
        .await?;
    let marked = visit.filter(|visit| visit.value.change_request == Some(next.id));
    Ok(match marked {
        Some(visit) => {
            let unmarked = visit.value.without_change_request(next.id);
            commit.replace(&visit, &unmarked)
        }
        None => commit,
    })
}

/// The same, where the proposal was accepted, and the visit is written with it.
///
/// # Errors
/// 409 `change-request-closed` where the client has withdrawn the request meanwhile.
pub(crate) async fn resolved(
    context: &Context,
    commit: Commit,
    accepted: &Proposal,
    change: &Change,
) -> Result<Commit, Problem> {
    if change.request.is_none() {
        return Ok(commit);
    }
    match following(context, accepted, change).await? {
        Some((was, next)) => Ok(commit.replace(&was, &next)),
        None => {
            let detail =
                "the request that this proposal answers is closed; ask for the change again";
            Err(Problem::wrong_state("change-request-closed", detail))
        }
    }
}

/// The request that a proposal answers, as it is and as it is next; none where nothing becomes of it.
async fn following(
    context: &Context,
    proposal: &Proposal,
    change: &Change,
) -> Result<Option<(Versioned<ChangeRequest>, ChangeRequest)>, StoreError> {
    let was = asked_with(context, Some(change)).await?;
    Ok(was.and_then(|was| {
        let next = was.value.follow(proposal)?;
        Some((was, next))
    }))
}

/// The request for which a change was proposed; none where nobody had asked.
async fn asked_with(
    context: &Context,
    change: Option<&Change>,
) -> Result<Option<Versioned<ChangeRequest>>, StoreError> {
    let asked = change.and_then(|change| Some((change.visit, change.request?)));
    match asked {
        Some((visit, request)) => {
            let key = Key::change_request(visit, request);
            context.store.get(&key).await
        }
        None => Ok(None),
    }
}

fn not_open(refused: ChangeRequestNotOpen) -> Problem {
    let kind = match refused {
        ChangeRequestNotOpen::Resolved => "change-request-resolved",
        ChangeRequestNotOpen::Refused => "change-request-refused",
        ChangeRequestNotOpen::Withdrawn => "change-request-withdrawn",
        ChangeRequestNotOpen::Overtaken => "visit-not-to-come",
    };
    Problem::wrong_state(kind, refused)
}
