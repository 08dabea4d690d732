//! Match requests: submitted and withdrawn by the client or a representative; previewed, shaped and
//! sent early by staff.

mod after_release;
mod explanation;
mod misses;
mod preview;
mod screening;
mod staff;

use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::access::{Duty, Scope};
use domain::due::{Due, DueRow};
use domain::id::{ClientId, MatchRequestId, PersonId};
use domain::match_request::{
    FulfilMatchRequestError, MatchRequest, MatchRequestDetails, MatchRequestState, Submission,
    SubmitMatchRequestError, WithdrawMatchRequestError,
};
use domain::notice::Event;
use domain::ticket::{Ticket, TicketCause};
use serde::Serialize;
use store::{ClientMatchRequest, Commit, Key, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::{Command, Nothing};
use crate::caller::Caller;
use crate::candidate_list;
use crate::closing::{closed, fulfilled};
use crate::context::{Context, Shared};
use crate::membership;
use crate::page::{Listed, PageQuery};
use crate::path::{Path, Query};
use crate::perform::{Decision, Tagged, once};
use crate::problem::Problem;
use crate::standing::{for_client, on_duty};

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list_client_match_requests, submit_match_request))
        .routes(routes!(show_match_request))
        .routes(routes!(withdraw_match_request))
        .routes(routes!(fulfil_match_request))
        .merge(staff::router())
        .merge(after_release::router())
        .merge(screening::router())
}

/// A match request as the client, their representatives and staff see it. Nothing in it depends on who
/// the candidates are.
#[derive(Debug, Serialize, ToSchema)]
pub struct MatchRequestView {
    id: MatchRequestId,
    client: ClientId,
    /// Who submitted it.
    by: PersonId,
    /// For whom, where somebody acted for the client.
    on_behalf_of: Option<ClientId>,
    details: MatchRequestDetails,
    state: MatchRequestState,
    submitted_at: DateTime<Utc>,
    /// When candidates are shown at the latest.
    release_at: DateTime<Utc>,
    released_at: Option<DateTime<Utc>>,
    closed_at: Option<DateTime<Utc>>,
    /// The policy it was submitted under.
    policy_version: u32,
}

impl MatchRequestView {
    fn of(request: MatchRequest) -> Self {
        Self {
            id: request.id,
            client: request.client,
            by: request.by,
            on_behalf_of: request.on_behalf_of,
            details: request.details,
            state: request.state,
            submitted_at: request.submitted_at,
            release_at: request.release_at,
            released_at: request.released_at,
            closed_at: request.closed_at,
            policy_version: request.policy_version,
        }
    }
}

/// Submit a match request
///
/// Needs a membership plan that includes match requests, and fewer open ones than it allows. Candidates are shown after the policy's delay,
/// or earlier by staff.
#[utoipa::path(post, path = "/v1/clients/{client}/match-requests", tag = "match requests",
    params(("client" = ClientId, Path)),
    request_body(content = MatchRequestDetails, example = json!({
        "services": ["personal_care", "meal_preparation"],
        "days": [{"weekday": "monday", "day_part": "morning", "hours": {"from": "08:00", "until": "10:30"},
                  "strength": "must"},
                 {"weekday": "thursday", "day_part": "morning", "strength": "prefer"}],
        "care_needs": {"level": "moderate", "conditions": ["dementia"], "mobility": "aided",
                       "hazards": ["dogs"], "tasks": ["transfers"],
                       "share": {"care": true, "conditions": true, "mobility": true, "about_me": false, "interests": true}},
        "about_me": "I taught music for thirty years and still play most days.",
        "preferences": [{"strength": "prefer", "wish": {"interest": "classical_music"}},
                        {"strength": "must", "wish": {"language": "en"}}],
        "certifications": ["first_aid"],
        "budget": {"least": 4000, "most": 6500},
        "place": {"suburb": "West End", "postcode": "4101", "latitude": -27.48, "longitude": 153.01,
                  "time_zone": "Australia/Brisbane"},
        "period": {"from": "2026-03-09", "until": null}
    })),
    responses((status = 201, body = MatchRequestView))
)]
async fn submit_match_request(
    State(context): State<Shared>,
    caller: Caller,
    Path(client): Path<ClientId>,
    command: Command<MatchRequestDetails>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let done = once(&context, by, &command.key, || async {
        let standing = for_client(&context, &caller, client, Scope::MatchRequests).await?;
        let was = &standing.client;
        let plan = membership::require_another_match_request(&context, &was.value).await?;
        let policy = context.store.policy().await?;
        let submission = Submission {
            id: context.fresh(),
            client,
            by,
            on_behalf_of: standing.acting.on_behalf_of,
            details: command.body.clone(),
        };
        let request = MatchRequest::submit(submission, &policy, context.now())?;
        let list = candidate_list::compute(&context, &request, &policy).await?;
        let cause = if list.candidates.is_empty() {
            TicketCause::NoCandidates
        } else {
            TicketCause::MatchRequestSubmitted
        };
        let ticket = Ticket::open(context.fresh(), cause, request.id, request.submitted_at);
        let key = Key::match_request(request.id);
        // The largest ordinary commit, 11 writes and checks: what a request is, who may make it, and
        // everything that follows from it, all at once.
        let commit = Commit::new(context.audit(standing.acting, "submit_match_request", &key))
            .insert(&request)
            .insert(&list)
            .insert(&ClientMatchRequest {
                client,
                match_request: request.id,
            })
            .insert(&ticket)
            .replace(was, &was.value.clone().with_open(request.id))
            .unchanged(&plan)
            .due(DueRow {
                due: Due::CandidateRelease {
                    match_request: request.id,
                },
                at: request.release_at,
                generation: request.deadline_generation,
            })
            .notify(
                context.fresh(),
                Event::MatchRequestSubmitted {
                    match_request: request.id,
                    client,
                },
            );
        Ok(Decision::new(standing.insisted_on(commit), request.id))
    })
    .await?;
    Ok(done.answer(
        StatusCode::CREATED,
        show(&context, &caller, done.id()?).await?,
    ))
}

/// Show a match request
#[utoipa::path(get, path = "/v1/match-requests/{match_request}", tag = "match requests",
    params(("match_request" = MatchRequestId, Path)),
    responses((status = 200, body = MatchRequestView, example = json!({
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
    })))
)]
async fn show_match_request(
    State(context): State<Shared>,
    caller: Caller,
    Path(request): Path<MatchRequestId>,
) -> Result<Response, Problem> {
    Ok(show(&context, &caller, request).await?.into_response())
}

async fn show(
    context: &Context,
    caller: &Caller,
    request: MatchRequestId,
) -> Result<Tagged<MatchRequestView>, Problem> {
    let Versioned { version, value } = load(context, request).await?;
    if on_duty(caller, Duty::MatchRequests).is_err() {
        for_client(context, caller, value.client, Scope::MatchRequests).await?;
    }
    Ok(Tagged {
        version,
        view: MatchRequestView::of(value),
    })
}

/// The stored request; 404 where there is none.
async fn load(
    context: &Context,
    request: MatchRequestId,
) -> Result<Versioned<MatchRequest>, Problem> {
    context
        .store
        .get(&Key::match_request(request))
        .await?
        .ok_or_else(Problem::not_found)
}

/// List a client's match requests
///
/// The newest first.
#[utoipa::path(get, path = "/v1/clients/{client}/match-requests", tag = "match requests",
    params(("client" = ClientId, Path), PageQuery),
    responses((status = 200, body = Listed<MatchRequestView>, example = json!({"items": []})))
)]
async fn list_client_match_requests(
    State(context): State<Shared>,
    caller: Caller,
    Path(client): Path<ClientId>,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    if on_duty(&caller, Duty::MatchRequests).is_err() {
        for_client(&context, &caller, client, Scope::MatchRequests).await?;
    }
    let pk = Key::client(client).pk;
    let marks = context
        .store
        .list::<ClientMatchRequest>(&pk, "MREQ#", true, page.limit(), page.cursor())
        .await?;
    let keys: Vec<Key> = marks
        .items
        .iter()
        .map(|mark| Key::match_request(mark.value.match_request))
        .collect();
    let items = context.store.get_many::<MatchRequest>(&keys).await?;
    let items = items
        .into_iter()
        .map(|request| MatchRequestView::of(request.value))
        .collect();
    Ok(Listed {
        items,
        next: marks.next,
    }
    .at(&uri))
}

/// Withdraw a match request
///
/// Before its release, nothing is released any more.
#[utoipa::path(post, path = "/v1/match-requests/{match_request}/withdrawal", tag = "match requests",
    params(("match_request" = MatchRequestId, Path)),
    request_body(content = Nothing, example = json!({})),
    responses((status = 201, body = MatchRequestView))
)]
async fn withdraw_match_request(
    State(context): State<Shared>,
    caller: Caller,
    Path(request): Path<MatchRequestId>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let done = once(&context, by, &command.key, || async {
        let was = load(&context, request).await?;
        let client = was.value.client;
        let standing = for_client(&context, &caller, client, Scope::MatchRequests).await?;
        let next = was.value.withdraw(context.now())?;
        let key = Key::match_request(request);
        let audit = context.audit(standing.acting, "withdraw_match_request", &key);
        let event = Event::MatchRequestWithdrawn {
            match_request: request,
            client,
        };
        let was_theirs = &standing.client;
        let commit = closed(&context, Commit::new(audit), &was, &next, was_theirs, event);
        Ok(Decision::new(standing.insisted_on(commit), request))
    })
    .await?;
    Ok(done.answer(
        StatusCode::CREATED,
        show(&context, &caller, done.id()?).await?,
    ))
}

/// Say that a match request is fulfilled
///
/// It has come to what it was for, and is closed; invitations that nobody has answered are withdrawn. The first
/// visit that is booked says the same.
#[utoipa::path(post, path = "/v1/match-requests/{match_request}/fulfilment", tag = "match requests",
    params(("match_request" = MatchRequestId, Path)),
    request_body(content = Nothing, example = json!({})),
    responses((status = 201, body = MatchRequestView))
)]
async fn fulfil_match_request(
    State(context): State<Shared>,
    caller: Caller,
    Path(request): Path<MatchRequestId>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let done = once(&context, by, &command.key, || async {
        let was = load(&context, request).await?;
        let client = was.value.client;
        let standing = for_client(&context, &caller, client, Scope::MatchRequests).await?;
        let next = was.value.fulfil(context.now())?;
        let key = Key::match_request(request);
        let audit = context.audit(standing.acting, "fulfil_match_request", &key);
        let (was_theirs, event) = (&standing.client, fulfilled(&next));
        let commit = closed(&context, Commit::new(audit), &was, &next, was_theirs, event);
        Ok(Decision::new(standing.insisted_on(commit), request))
    })
    .await?;
    Ok(done.answer(
        StatusCode::CREATED,
        show(&context, &caller, done.id()?).await?,
    ))
}

impl From<SubmitMatchRequestError> for Problem {
    fn from(error: SubmitMatchRequestError) -> Self {
        match error {
            SubmitMatchRequestError::Invalid(errors) => Self::invalid(errors),
        }
    }
}

impl From<WithdrawMatchRequestError> for Problem {
    fn from(error: WithdrawMatchRequestError) -> Self {
        match error {
            WithdrawMatchRequestError::AlreadyWithdrawn => {
                Self::wrong_state("match-request-withdrawn", error)
            }
            WithdrawMatchRequestError::Closed => Self::wrong_state("match-request-closed", error),
        }
    }
}

impl From<FulfilMatchRequestError> for Problem {
    fn from(error: FulfilMatchRequestError) -> Self {
        match error {
            FulfilMatchRequestError::NotReleased => {
                Self::wrong_state("candidates-not-released", error)
            }
            FulfilMatchRequestError::AlreadyFulfilled => {
                Self::wrong_state("match-request-fulfilled", error)
            }
            FulfilMatchRequestError::Closed => Self::wrong_state("match-request-closed", error),
        }
    }
}
