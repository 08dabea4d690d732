//! What the client answers to a candidate's question, without either learning who the other is.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::id::{CandidateId, MatchRequestId, QuestionId};
use domain::invitation::{AnswerQuestionError, QuestionState};
use domain::notice::Event;
use domain::support_worker::SupportWorker;
use serde::Deserialize;
use store::{Commit, Key};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{CandidatesView, Review, candidates};
use crate::body::Command;
use crate::caller::Caller;
use crate::context::Shared;
use crate::identities;
use crate::path::Path;
use crate::perform::{Decision, once};
use crate::problem::Problem;

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(answer_question))
}

/// An answer.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Answer {
    /// The answer, without names or contact details.
    #[schema(
        min_length = 1,
        max_length = 500,
        example = "There is a lift, and parking in front of the house."
    )]
    text: String,
}

/// Answer a candidate's question
///
/// They do not learn who answers. An answer with what may be a name or contact details waits until staff have looked
/// at it.
#[utoipa::path(post, path = "/v1/match-requests/{match_request}/candidates/{candidate}/questions/{question}/answer",
    tag = "candidate review",
    params(("match_request" = MatchRequestId, Path), ("candidate" = CandidateId, Path), ("question" = QuestionId, Path)),
    request_body = Answer, responses((status = 201, body = CandidatesView))
)]
async fn answer_question(
    State(context): State<Shared>,
    caller: Caller,
    Path((request, candidate, question)): Path<(MatchRequestId, CandidateId, QuestionId)>,
    command: Command<Answer>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let done = once(&context, by, &command.key, || async {
        let review = Review::of(&context, &caller, request).await?;
        let who = review.who(candidate)?;
        let candidate = review.candidate(&context, who).await?;
        let worker = context
            .store
            .get::<SupportWorker>(&Key::worker(who.worker))
            .await?
            .ok_or_else(Problem::not_found)?;
        let client = &review.standing.client.value;
        let identities = identities::both_sides(&context, client, &worker.value).await?;
        let text = &command.body.text;
        let standing = &candidate.standing;
        let next = standing.answer(question, text, &identities, context.now())?;
        let acting = review.standing.acting;
        let audit = context.audit(acting, "answer_question", &Key::match_request(request));
        let mut commit = candidate.become_in(Commit::new(audit), &next);
        let state = next.question(question).map(|question| question.state);
        if state == Some(QuestionState::Answered) {
            let event = Event::QuestionAnswered {
                invitation: next.id,
                worker: next.worker,
            };
            commit = commit.notify(context.fresh(), event);
        }
        Ok(Decision::new(review.standing.insisted_on(commit), request))
    })
    .await?;
    let view = candidates(&context, &caller, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, Json(view)))
}

impl From<AnswerQuestionError> for Problem {
    fn from(error: AnswerQuestionError) -> Self {
        match error {
            AnswerQuestionError::Unknown => Self::not_found(),
            AnswerQuestionError::Answered => Self::wrong_state("question-answered", error),
            AnswerQuestionError::NotOpen => Self::wrong_state("candidate-not-invited", error),
            AnswerQuestionError::Invalid(errors) => Self::invalid(errors),
        }
    }
}
