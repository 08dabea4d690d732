//! What staff do once the client has seen the candidates: look for more, and take a mistake back.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::access::Duty;
use domain::id::{CandidateId, MatchRequestId};
use domain::invitation::{Invitation, ReverseCandidateError};
use domain::match_request::MatchRequestState;
use domain::notice::Event;
use serde::Deserialize;
use store::{Commit, Key, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::preview::{PreviewView, preview};
use super::staff::over_request;
use crate::body::{Command, Nothing};
use crate::caller::Caller;
use crate::candidate_release::Requested;
use crate::context::{Context, Shared};
use crate::path::Path;
use crate::perform::{Decision, once};
use crate::problem::Problem;
use crate::reason::need_reason;
use crate::replacement::{More, more};
use crate::standing::over_client;

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(replenish_candidates))
        .routes(routes!(reverse_candidate))
}

/// Show the client more candidates
///
/// Looks again, in the reserve and in the index as it is now, and shows as many as a shortlist has. The client hears
/// of it.
#[utoipa::path(post, path = "/v1/match-requests/{match_request}/replenishment", tag = "match requests",
    params(("match_request" = MatchRequestId, Path)),
    request_body(content = Nothing, example = json!({})),
    responses((status = 201, body = PreviewView))
)]
async fn replenish_candidates(
    State(context): State<Shared>,
    caller: Caller,
    Path(request): Path<MatchRequestId>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    let done = once(&context, caller.person.value.id, &command.key, || async {
        let (duty, requested) = over_request(&context, &caller, request).await?;
        must_be_shown(&requested)?;
        let policy = context.store.policy().await?;
        let wanted = usize::from(policy.shortlist);
        let (was, list) = (&requested.request, &requested.list);
        let More { list: next, shown } =
            more(&context, &was.value, &list.value, &policy, wanted).await?;
        if shown.is_empty() {
            return Err(Problem::wrong_state(
                "no-candidates",
                "nobody else was found who meets everything that is asked for",
            ));
        }
        let key = Key::match_request(request);
        let audit = context.audit(duty.acting, "replenish_candidates", &key);
        let commit = Commit::new(audit)
            .replace(list, &next)
            .unchanged(was)
            .notify(context.fresh(), shown_again(&requested));
        // INVARIANT: whoever is shown was eligible by the record that stands when they are.
        let commit = shown.iter().fold(commit, Commit::unchanged);
        Ok(Decision::new(duty.insisted_on(commit), request))
    })
    .await?;
    let (_, requested) = over_request(&context, &caller, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, preview(&context, requested).await?))
}

/// Why a decision about a candidate is taken back.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReverseCandidate {
    /// Why, in words for staff.
    #[schema(
        min_length = 1,
        max_length = 500,
        example = "She pressed decline by mistake and called at once."
    )]
    reason: String,
}

/// Take back what was decided about a candidate
///
/// Somebody passed over, who declined, whose invitation lapsed or was withdrawn can be invited again.
#[utoipa::path(post, path = "/v1/match-requests/{match_request}/candidates/{candidate}/reversal", tag = "match requests",
    params(("match_request" = MatchRequestId, Path), ("candidate" = CandidateId, Path)),
    request_body = ReverseCandidate, responses((status = 201, body = PreviewView))
)]
async fn reverse_candidate(
    State(context): State<Shared>,
    caller: Caller,
    Path((request, candidate)): Path<(MatchRequestId, CandidateId)>,
    command: Command<ReverseCandidate>,
) -> Result<Response, Problem> {
    let done = once(&context, caller.person.value.id, &command.key, || async {
        let (_, requested) = over_request(&context, &caller, request).await?;
        let was = candidate_of(&context, &caller, &requested, candidate).await?;
        let duty = over_client(&caller, was.value.client, Duty::Reversals)?;
        need_reason(&command.body.reason)?;
        must_be_shown(&requested)?;
        let next = was.value.reverse(context.now())?;
        let list = &requested.list;
        let audit = context.correction(
            duty.acting,
            "reverse_candidate",
            &Key::match_request(request),
            vec!["state".to_owned()],
            &command.body.reason,
        );
        let commit = Commit::new(audit)
            .replace(&was, &next)
            .replace(list, &list.value.with_exhausted_at(None))
            .unchanged(&requested.request)
            .notify(context.fresh(), shown_again(&requested));
        Ok(Decision::new(duty.insisted_on(commit), request))
    })
    .await?;
    let (_, requested) = over_request(&context, &caller, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, preview(&context, requested).await?))
}

/// A candidate about whom something was decided, for staff who are not the candidate.
pub(super) async fn candidate_of(
    context: &Context,
    caller: &Caller,
    requested: &Requested,
    candidate: CandidateId,
) -> Result<Versioned<Invitation>, Problem> {
    let key = Key::candidate(requested.request.value.id, candidate);
    let found = context.store.get::<Invitation>(&key).await?;
    let found = found.ok_or_else(Problem::not_found)?;
    // INVARIANT: nobody decides on themselves.
    if caller
        .person
        .value
        .roles
        .workers
        .contains(&found.value.worker)
    {
        return Err(Problem::forbidden());
    }
    Ok(found)
}

fn must_be_shown(requested: &Requested) -> Result<(), Problem> {
    match requested.request.value.state {
        MatchRequestState::Released => Ok(()),
        MatchRequestState::Submitted => Err(Problem::wrong_state(
            "candidates-not-released",
            "the candidates have not been shown yet",
        )),
        MatchRequestState::Fulfilled
        | MatchRequestState::Withdrawn
        | MatchRequestState::Exhausted => Err(Problem::wrong_state(
            "match-request-closed",
            "the match request is closed",
        )),
    }
}

/// The client hears that there is somebody to look at.
fn shown_again(requested: &Requested) -> Event {
    Event::CandidatesReleased {
        match_request: requested.request.value.id,
        client: requested.request.value.client,
    }
}

impl From<ReverseCandidateError> for Problem {
    fn from(error: ReverseCandidateError) -> Self {
        match error {
            ReverseCandidateError::Presented => Self::wrong_state("candidate-presented", error),
            ReverseCandidateError::Invited => Self::wrong_state("candidate-invited", error),
            ReverseCandidateError::Accepted => Self::wrong_state("candidate-accepted", error),
        }
    }
}
