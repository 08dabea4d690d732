//! What the support worker answers to an invitation: a question, yes, or no.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::access::{self, Duty};
use domain::engagement::{Engagement, Happening};
use domain::id::{InvitationId, QuestionId, WorkerId};
use domain::invitation::{
    AcceptInvitationError, AskQuestionError, DeclineInvitationError, Invitation, QuestionState,
};
use domain::notice::{Event, Told};
use domain::pair::Pair;
use domain::support_worker::SupportWorker;
use serde::Deserialize;
use store::{ClientEngagement, Commit, Key, Versioned, WorkerEngagement};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{InvitationView, load, load_client, show};
use crate::body::{Command, Nothing};
use crate::caller::Caller;
use crate::candidate_release::{Requested, requested};
use crate::context::{Context, Shared};
use crate::conversation::tell;
use crate::eligible::eligible_now;
use crate::identities;
use crate::path::Path;
use crate::perform::{Decision, once};
use crate::problem::Problem;
use crate::replacement::after_refusal;
use crate::standing::{ForWorker, as_worker};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(ask_question))
        .routes(routes!(accept_invitation))
        .routes(routes!(decline_invitation))
}

/// A support worker's invitation, and what it rests on.
struct Answering {
    standing: ForWorker,
    requested: Requested,
    invitation: Versioned<Invitation>,
}

impl Answering {
    async fn of(
        context: &Context,
        caller: &Caller,
        worker: WorkerId,
        invitation: InvitationId,
    ) -> Result<Self, Problem> {
        let standing = as_worker(context, caller, worker).await?;
        let found = load(context, worker, invitation).await?;
        // INVARIANT: staff who carry out an instruction do not stand on the other side.
        if caller.instruction.is_some() {
            access::over_client(&caller.person.value, found.value.client, Duty::Instructions)?;
        }
        let requested = requested(context, found.value.match_request).await?;
        let requested = requested.ok_or_else(Problem::not_found)?;
        // Again, now that the list has been read: see `after_leaving`.
        let invitation = load(context, worker, invitation).await?;
        Ok(Self {
            standing,
            requested,
            invitation,
        })
    }

    fn commit(&self, context: &Context, operation: &'static str) -> Commit {
        let key = Key::match_request(self.invitation.value.match_request);
        Commit::new(context.audit(self.standing.acting, operation, &key))
    }
}

/// A question.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AskQuestion {
    /// The question, without names or contact details.
    #[schema(min_length = 1, max_length = 500, example = "Is there a lift?")]
    text: String,
}

/// Ask the client something
///
/// The client does not learn who asks. A question with what may be a name or contact details waits until staff have
/// looked at it.
#[utoipa::path(post, path = "/v1/support-workers/{worker}/invitations/{invitation}/questions", tag = "invitations",
    params(("worker" = WorkerId, Path), ("invitation" = InvitationId, Path)),
    request_body = AskQuestion, responses((status = 201, body = InvitationView))
)]
async fn ask_question(
    State(context): State<Shared>,
    caller: Caller,
    Path((worker, invitation)): Path<(WorkerId, InvitationId)>,
    command: Command<AskQuestion>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let done = once(&context, by, &command.key, || async {
        let answering = Answering::of(&context, &caller, worker, invitation).await?;
        let was = &answering.invitation;
        let client = load_client(&context, was.value.client).await?;
        let own = context
            .store
            .get::<SupportWorker>(&Key::worker(worker))
            .await?
            .ok_or_else(Problem::not_found)?;
        let identities = identities::both_sides(&context, &client.value, &own.value).await?;
        let question: QuestionId = context.fresh();
        let text = &command.body.text;
        let next = was.value.ask(question, text, &identities, context.now())?;
        let mut commit = answering
            .commit(&context, "ask_question")
            .replace(was, &next);
        let state = next.question(question).map(|question| question.state);
        if state == Some(QuestionState::Asked) {
            let event = Event::QuestionAsked {
                match_request: next.match_request,
                client: next.client,
                candidate: next.candidate,
            };
            commit = commit.notify(context.fresh(), event);
        }
        let commit = answering.standing.insisted_on(commit);
        Ok(Decision::new(commit, invitation))
    })
    .await?;
    let view = show(&context, &caller, worker, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, Json(view)))
}

/// Accept an invitation
///
/// Opens an engagement: from now on the two of you know each other. Whether you still meet what the client asks for is
/// looked at once more.
#[utoipa::path(post, path = "/v1/support-workers/{worker}/invitations/{invitation}/acceptance", tag = "invitations",
    params(("worker" = WorkerId, Path), ("invitation" = InvitationId, Path)),
    request_body(content = Nothing, example = json!({})),
    responses((status = 201, body = InvitationView))
)]
async fn accept_invitation(
    State(context): State<Shared>,
    caller: Caller,
    Path((worker, invitation)): Path<(WorkerId, InvitationId)>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let done = once(&context, by, &command.key, || async {
        let answering = Answering::of(&context, &caller, worker, invitation).await?;
        let now = context.now();
        let was = &answering.invitation;
        let acting = answering.standing.acting;
        let next = was.value.accept(acting, context.fresh(), now)?;
        let request = &answering.requested.request;
        let client = load_client(&context, next.client).await?;
        let eligible = eligible_now(&context, &request.value, worker).await?;
        let eligible = eligible.ok_or_else(not_open)?;
        let engagement = opened(&next, now)?;
        let (id, client_id) = (engagement.id, engagement.client);
        let commit = answering
            .commit(&context, "accept_invitation")
            .replace(was, &next)
            .insert(&engagement)
            .insert(&ClientEngagement {
                client: client_id,
                engagement: id,
            })
            .insert(&WorkerEngagement {
                worker,
                engagement: id,
            });
        // INVARIANT: one live engagement of the same two, since each writes what they are to each other.
        let commit = match &eligible.pair {
            Some(pair) => commit.replace(pair, &pair.value.clone().with_engagement(id, now)),
            None => commit.insert(&Pair::strangers(client_id, worker).with_engagement(id, now)),
        };
        let commit = commit
            .unchanged(&eligible.worker)
            .unchanged(&client)
            .unchanged(request);
        let happening = Happening::EngagementOpened;
        let commit = tell(&context, commit, &engagement, happening, None, Told::Both);
        let commit = answering.standing.insisted_on(commit);
        Ok(Decision::new(commit, invitation))
    })
    .await?;
    let view = show(&context, &caller, worker, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, Json(view)))
}

/// What an accepted invitation opens.
fn opened(
    accepted: &Invitation,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Engagement, Problem> {
    let id = accepted.engagement.ok_or_else(not_open)?;
    Ok(Engagement::open(
        id,
        accepted.client,
        accepted.worker,
        accepted.match_request,
        accepted.id,
        now,
    ))
}

/// Why somebody declines.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DeclineInvitation {
    /// Why; for staff alone.
    #[schema(
        min_length = 1,
        max_length = 500,
        example = "Mondays are taken from next month on."
    )]
    reason: String,
}

/// Decline an invitation
///
/// The client learns that you are not available, and neither why nor that you declined.
#[utoipa::path(post, path = "/v1/support-workers/{worker}/invitations/{invitation}/refusal", tag = "invitations",
    params(("worker" = WorkerId, Path), ("invitation" = InvitationId, Path)),
    request_body = DeclineInvitation, responses((status = 201, body = InvitationView))
)]
async fn decline_invitation(
    State(context): State<Shared>,
    caller: Caller,
    Path((worker, invitation)): Path<(WorkerId, InvitationId)>,
    command: Command<DeclineInvitation>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let done = once(&context, by, &command.key, || async {
        let answering = Answering::of(&context, &caller, worker, invitation).await?;
        let was = &answering.invitation;
        let acting = answering.standing.acting;
        let reason = &command.body.reason;
        let next = was.value.decline(acting, reason, context.now())?;
        let commit = answering
            .commit(&context, "decline_invitation")
            .replace(was, &next);
        let commit = after_refusal(&context, commit, &answering.requested, &next).await?;
        let commit = answering.standing.insisted_on(commit);
        Ok(Decision::new(commit, invitation))
    })
    .await?;
    let view = show(&context, &caller, worker, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, Json(view)))
}

/// 409: cannot be accepted; what stands in the way on the client's side is not said.
fn not_open() -> Problem {
    Problem::wrong_state(
        "invitation-not-open",
        "as things stand, this invitation cannot be accepted",
    )
}

impl From<AcceptInvitationError> for Problem {
    fn from(error: AcceptInvitationError) -> Self {
        match error {
            AcceptInvitationError::NotOpen | AcceptInvitationError::Expired => {
                Self::wrong_state("invitation-not-open", error)
            }
        }
    }
}

impl From<DeclineInvitationError> for Problem {
    fn from(error: DeclineInvitationError) -> Self {
        match error {
            DeclineInvitationError::NotOpen | DeclineInvitationError::Expired => {
                Self::wrong_state("invitation-not-open", error)
            }
            DeclineInvitationError::Invalid(errors) => Self::invalid(errors),
        }
    }
}

impl From<AskQuestionError> for Problem {
    fn from(error: AskQuestionError) -> Self {
        match error {
            AskQuestionError::NotOpen => Self::wrong_state("invitation-not-open", error),
            AskQuestionError::TooMany => Self::wrong_state("too-many-questions", error),
            AskQuestionError::Invalid(errors) => Self::invalid(errors),
        }
    }
}
