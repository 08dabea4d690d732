//! Questions of candidates, and answers to them, that may give somebody away: staff look before they cross.

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use domain::access::{self, Duty};
use domain::client::Client;
use domain::id::{CandidateId, MatchRequestId, QuestionId};
use domain::invitation::{
    Invitation, Question, QuestionState, ScreenQuestionError, ScreeningDecision,
};
use domain::notice::Event;
use domain::screening::{Identities, ScreeningFinding};
use domain::support_worker::SupportWorker;
use serde::{Deserialize, Serialize};
use store::{Commit, Key, StaffPartition};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::after_release::candidate_of;
use super::staff::over_request;
use crate::body::Command;
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::identities;
use crate::page::{Listed, PageQuery};
use crate::path::{Path, Query};
use crate::perform::{Decision, once};
use crate::problem::Problem;
use crate::reason::need_reason;
use crate::standing::on_duty;

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list_screenings))
        .routes(routes!(screen_question))
}

/// A question and its answer, as staff see them.
#[derive(Debug, Serialize, ToSchema)]
struct ScreeningView {
    match_request: MatchRequestId,
    candidate: CandidateId,
    question: QuestionId,
    /// What waits: `screening` the question, `answer_screening` the answer.
    state: QuestionState,
    /// The question.
    text: String,
    /// The answer, if there is one.
    answer: Option<String>,
    /// What in the text that waits may give somebody away.
    findings: Vec<ScreeningFinding>,
    /// When the question was asked.
    at: DateTime<Utc>,
}

impl ScreeningView {
    fn of(invitation: &Invitation, question: &Question, identities: &Identities) -> Self {
        let findings = question
            .waiting_text()
            .map(|text| identities.found_in(text));
        Self {
            match_request: invitation.match_request,
            candidate: invitation.candidate,
            question: question.id,
            state: question.state,
            text: question.text.clone(),
            answer: question.answer.clone(),
            findings: findings.unwrap_or_default(),
            at: question.at,
        }
    }
}

/// List questions and answers that wait for screening
///
/// Those that wait longest first. A page holds everything that waits of up to `limit` candidates, without those that
/// the caller stands in a relation to: it can be longer than asked, or shorter while more follow.
#[utoipa::path(get, path = "/v1/screenings", tag = "match requests", params(PageQuery),
    responses((status = 200, body = Listed<ScreeningView>, example = json!({"items": [{
        "match_request": "mreq_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "candidate": "cand_0190b2f06bd47c5a9a3e5b7f21d4c8ab",
        "question": "qst_0190b2f06bd47c5a9a3e5b7f21d4c8ac", "state": "screening",
        "text": "Could you ring 0491 570 156?", "answer": null,
        "findings": [{"kind": "phone", "passage": "0491 570 156"}], "at": "2026-03-03T00:00:00Z"
    }]})))
)]
async fn list_screenings(
    State(context): State<Shared>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    on_duty(&caller, Duty::MatchRequests)?;
    let found = context
        .store
        .staff_list::<Invitation>(
            StaffPartition::Screenings,
            false,
            page.limit(),
            page.cursor(),
        )
        .await?;
    let person = &caller.person.value;
    let mut items = Vec::new();
    for invitation in found.items.iter().map(|found| &found.value) {
        let theirs = person.roles.workers.contains(&invitation.worker)
            || access::over_client(person, invitation.client, Duty::MatchRequests).is_err();
        if theirs {
            continue;
        }
        let identities = identities_of(&context, invitation).await?;
        let waiting = invitation
            .questions
            .iter()
            .filter(|question| question.waits_for_staff());
        items.extend(waiting.map(|question| ScreeningView::of(invitation, question, &identities)));
    }
    let next = found.next;
    Ok(Listed { items, next }.at(&uri))
}

async fn identities_of(context: &Context, invitation: &Invitation) -> Result<Identities, Problem> {
    let client = context
        .store
        .get::<Client>(&Key::client(invitation.client))
        .await?;
    let worker = context
        .store
        .get::<SupportWorker>(&Key::worker(invitation.worker))
        .await?;
    let (client, worker) = client.zip(worker).ok_or_else(Problem::not_found)?;
    Ok(identities::both_sides(context, &client.value, &worker.value).await?)
}

/// What staff decide about a question, or about its answer.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Screen {
    decision: ScreeningDecision,
    /// Why, in words for staff.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Decide about a question or an answer that waits
///
/// Passed on, it crosses as it is. A question that is refused is never shown to the client; an answer that is refused
/// can be given anew.
#[utoipa::path(post, path = "/v1/match-requests/{match_request}/candidates/{candidate}/questions/{question}/screening",
    tag = "match requests",
    params(("match_request" = MatchRequestId, Path), ("candidate" = CandidateId, Path), ("question" = QuestionId, Path)),
    request_body(content = Screen, example = json!({
        "decision": "pass_on", "reason": "Rose is the name of the street's garden, not of a person."
    })),
    responses((status = 201, body = ScreeningView))
)]
async fn screen_question(
    State(context): State<Shared>,
    caller: Caller,
    Path((request, candidate, question)): Path<(MatchRequestId, CandidateId, QuestionId)>,
    command: Command<Screen>,
) -> Result<Response, Problem> {
    let Screen { decision, reason } = &command.body;
    let done = once(&context, caller.person.value.id, &command.key, || async {
        let (duty, requested) = over_request(&context, &caller, request).await?;
        let was = candidate_of(&context, &caller, &requested, candidate).await?;
        need_reason(reason)?;
        let next = was.value.screen(question, *decision)?;
        let key = Key::match_request(request);
        let audit = context.correction(duty.acting, "screen_question", &key, Vec::new(), reason);
        let mut commit = Commit::new(audit).replace(&was, &next);
        if let Some(event) = heard(&next, question) {
            commit = commit.notify(context.fresh(), event);
        }
        Ok(Decision::new(duty.insisted_on(commit), question))
    })
    .await?;
    let (_, requested) = over_request(&context, &caller, request).await?;
    let stands = candidate_of(&context, &caller, &requested, candidate).await?;
    let invitation = &stands.value;
    let question = invitation
        .question(done.id()?)
        .ok_or_else(Problem::not_found)?;
    let identities = identities_of(&context, invitation).await?;
    let view = ScreeningView::of(invitation, question, &identities);
    Ok(done.answer(StatusCode::CREATED, Json(view)))
}

/// Who hears of what became of a question: the client of one to answer, whoever asked of an answer.
fn heard(invitation: &Invitation, question: QuestionId) -> Option<Event> {
    match invitation.question(question)?.state {
        QuestionState::Asked => Some(Event::QuestionAsked {
            match_request: invitation.match_request,
            client: invitation.client,
            candidate: invitation.candidate,
        }),
        QuestionState::Answered => Some(Event::QuestionAnswered {
            invitation: invitation.id,
            worker: invitation.worker,
        }),
        QuestionState::Screening | QuestionState::AnswerScreening | QuestionState::Refused => None,
    }
}

impl From<ScreenQuestionError> for Problem {
    fn from(error: ScreenQuestionError) -> Self {
        match error {
            ScreenQuestionError::Unknown => Self::not_found(),
            ScreenQuestionError::NotWaiting => Self::wrong_state("nothing-to-screen", error),
        }
    }
}
