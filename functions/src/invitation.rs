//! A support worker's invitations: what they see of the client's request, blind, and what they answer.

mod answer;

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::blind::{BlindQuestion, BlindRequest};
use domain::client::Client;
use domain::id::{EngagementId, InvitationId, WorkerId};
use domain::invitation::{CandidateState, Invitation};
use domain::match_request::MatchRequest;
use domain::person::PersonName;
use serde::Serialize;
use store::{Key, Versioned, WorkerInvitation};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::identities::{self, name_of};
use crate::page::{Listed, PageQuery};
use crate::path::{Path, Query};
use crate::problem::Problem;
use crate::standing::as_worker;

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list_invitations))
        .routes(routes!(show_invitation))
        .merge(answer::router())
}

/// An invitation as the support worker sees it.
#[derive(Debug, Serialize, ToSchema)]
struct InvitationView {
    id: InvitationId,
    /// Where it stands.
    state: CandidateState,
    /// When it was sent.
    invited_at: Option<DateTime<Utc>>,
    /// Until when it can be answered.
    answer_by: Option<DateTime<Utc>>,
    /// What the client asks for, as far as they share it.
    request: BlindRequest,
    /// What you asked, and what was answered.
    questions: Vec<BlindQuestion>,
    /// Who invites, where you know each other already.
    client_name: Option<PersonName>,
    /// What your acceptance opened.
    engagement: Option<EngagementId>,
}

/// List invitations
///
/// The newest first. What they say of a client is what the client shares with whoever they invite.
#[utoipa::path(get, path = "/v1/support-workers/{worker}/invitations", tag = "invitations",
    params(("worker" = WorkerId, Path), PageQuery),
    responses((status = 200, body = Listed<InvitationView>, example = json!({"items": []})))
)]
async fn list_invitations(
    State(context): State<Shared>,
    caller: Caller,
    Path(worker): Path<WorkerId>,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    as_worker(&context, &caller, worker).await?;
    let pk = Key::worker(worker).pk;
    let marks = context
        .store
        .list::<WorkerInvitation>(&pk, "INV#", true, page.limit(), page.cursor())
        .await?;
    let keys: Vec<Key> = marks
        .items
        .iter()
        .map(|mark| Key::candidate(mark.value.match_request, mark.value.candidate))
        .collect();
    let found = context.store.get_many::<Invitation>(&keys).await?;
    let mut items = Vec::with_capacity(found.len());
    for invitation in found.into_iter().map(|found| found.value) {
        if is_theirs(&invitation) {
            items.push(view(&context, invitation).await?);
        }
    }
    let next = marks.next;
    Ok(Listed { items, next }.at(&uri))
}

/// Show an invitation
#[utoipa::path(get, path = "/v1/support-workers/{worker}/invitations/{invitation}", tag = "invitations",
    params(("worker" = WorkerId, Path), ("invitation" = InvitationId, Path)),
    responses((status = 200, body = InvitationView, example = json!({
        "id": "inv_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "state": "invited",
        "invited_at": "2026-03-03T00:00:00Z", "answer_by": "2026-03-06T00:00:00Z",
        "request": {
            "suburb": "West End", "time_zone": "Australia/Brisbane", "services": ["personal_care"],
            "days": [{"weekday": "monday", "day_part": "morning", "strength": "must"}],
            "period": {"from": "2026-03-09", "until": null}, "budget": {"least": 4000, "most": 6500},
            "hazards": ["dogs"], "level": "moderate", "tasks": ["transfers"], "conditions": null,
            "mobility": "aided", "interests": ["classical_music"], "about_me": null
        },
        "questions": [{
            "question": "qst_0190b2f06bd47c5a9a3e5b7f21d4c8ac", "text": "Is there a lift?",
            "answer": "There is.", "state": "answered"
        }],
        "client_name": null, "engagement": null
    })))
)]
async fn show_invitation(
    State(context): State<Shared>,
    caller: Caller,
    Path((worker, invitation)): Path<(WorkerId, InvitationId)>,
) -> Result<Response, Problem> {
    let view = show(&context, &caller, worker, invitation).await?;
    Ok(Json(view).into_response())
}

async fn show(
    context: &Context,
    caller: &Caller,
    worker: WorkerId,
    invitation: InvitationId,
) -> Result<InvitationView, Problem> {
    as_worker(context, caller, worker).await?;
    let found = load(context, worker, invitation).await?;
    view(context, found.value).await
}

/// The support worker's invitation; 404 where there is none.
async fn load(
    context: &Context,
    worker: WorkerId,
    invitation: InvitationId,
) -> Result<Versioned<Invitation>, Problem> {
    let key = Key::worker_invitation(worker, invitation);
    let mark = context.store.get::<WorkerInvitation>(&key).await?;
    let mark = mark.ok_or_else(Problem::not_found)?.value;
    let key = Key::candidate(mark.match_request, mark.candidate);
    let found = context.store.get::<Invitation>(&key).await?;
    found
        .filter(|found| is_theirs(&found.value))
        .ok_or_else(Problem::not_found)
}

/// Whether the support worker sees it: what the client thinks about them before inviting them (again) is not theirs.
const fn is_theirs(invitation: &Invitation) -> bool {
    match invitation.state {
        CandidateState::Presented | CandidateState::Passed => false,
        CandidateState::Invited
        | CandidateState::Accepted
        | CandidateState::Declined
        | CandidateState::Lapsed
        | CandidateState::Withdrawn => true,
    }
}

async fn view(context: &Context, invitation: Invitation) -> Result<InvitationView, Problem> {
    let (request, client) = (invitation.match_request, invitation.client);
    let request = context
        .store
        .get::<MatchRequest>(&Key::match_request(request))
        .await?
        .ok_or_else(Problem::not_found)?;
    let client = load_client(context, client).await?;
    let identities = identities::client_side(context, &client.value).await?;
    let client_name = match invitation.open {
        true => Some(name_of(context, client.value.person).await?),
        false => None,
    };
    Ok(InvitationView {
        id: invitation.id,
        state: invitation.state,
        invited_at: invitation.invited_at,
        answer_by: invitation.answer_by,
        request: BlindRequest::of(&request.value.details, &identities),
        questions: invitation
            .questions
            .iter()
            .map(BlindQuestion::for_worker)
            .collect(),
        client_name,
        engagement: invitation.engagement,
    })
}

async fn load_client(
    context: &Context,
    client: domain::id::ClientId,
) -> Result<Versioned<Client>, Problem> {
    let client = context.store.get(&Key::client(client)).await?;
    client.ok_or_else(Problem::not_found)
}
