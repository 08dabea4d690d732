//! What the client decides about a candidate: invite, pass over, take an invitation back.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::due::{Due, DueRow};
use domain::id::{CandidateId, MatchRequestId};
use domain::invitation::{
    CandidateState, InviteCandidateError, PassCandidateError, WithdrawInvitationError,
};
use domain::match_request::MatchRequestState;
use domain::notice::Event;
use serde::Deserialize;
use store::{Commit, Key, WorkerInvitation};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{CandidatesView, Review, Who, candidates, not_available};
use crate::body::{Command, Nothing};
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::eligible::eligible_now;
use crate::path::Path;
use crate::perform::{Decision, once};
use crate::problem::Problem;
use crate::replacement::after_leaving;

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(invite_candidate))
        .routes(routes!(pass_candidate))
        .routes(routes!(withdraw_invitation))
}

/// Invite a candidate
///
/// They see the needs that you agreed to share, and have until `answer_by` to accept or decline. Refused where they
/// are not available; why not is never said.
#[utoipa::path(post, path = "/v1/match-requests/{match_request}/candidates/{candidate}/invitation", tag = "candidate review",
    params(("match_request" = MatchRequestId, Path), ("candidate" = CandidateId, Path)),
    request_body(content = Nothing, example = json!({})),
    responses((status = 201, body = CandidatesView))
)]
async fn invite_candidate(
    State(context): State<Shared>,
    caller: Caller,
    Path((request, candidate)): Path<(MatchRequestId, CandidateId)>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let done = once(&context, by, &command.key, || async {
        let review = Review::of(&context, &caller, request).await?;
        let who = review.blind(candidate)?;
        let audit = context.audit(
            review.standing.acting,
            "invite_candidate",
            &Key::match_request(request),
        );
        let commit = invited(&context, Commit::new(audit), &review, who).await?;
        Ok(Decision::new(review.standing.insisted_on(commit), request))
    })
    .await?;
    let view = candidates(&context, &caller, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, Json(view)))
}

/// Adds to `commit` that somebody is invited, who hears of it and has until their deadline to answer.
pub(super) async fn invited(
    context: &Context,
    commit: Commit,
    review: &Review,
    who: Who,
) -> Result<Commit, Problem> {
    let candidate = review.candidate(context, who).await?;
    let policy = context.store.policy().await?;
    let now = context.now();
    let next = candidate
        .standing
        .invite(review.standing.acting, &policy, now)?;
    let eligible = eligible_now(context, review.request(), who.worker).await?;
    // Whoever the client has come to know since is invited openly.
    let eligible = eligible.filter(|eligible| who.open || !eligible.is_known());
    let eligible = eligible.ok_or_else(not_available)?;
    let commit = eligible
        .insisted_on(candidate.become_in(commit, &next))
        .unchanged(&review.requested.request)
        .notify(
            context.fresh(),
            Event::Invited {
                invitation: next.id,
                worker: next.worker,
            },
        )
        .due(DueRow {
            due: Due::InvitationLapse {
                match_request: next.match_request,
                candidate: next.candidate,
            },
            at: next.answer_by.unwrap_or(now),
            generation: next.deadline_generation,
        });
    if candidate.is_marked() {
        return Ok(commit);
    }
    Ok(commit.insert(&WorkerInvitation {
        worker: next.worker,
        invitation: next.id,
        match_request: next.match_request,
        candidate: next.candidate,
    }))
}

/// Why somebody is passed over.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PassCandidate {
    /// Why; for staff alone, so that the next list suits better.
    #[schema(
        min_length = 1,
        max_length = 500,
        example = "I would rather have somebody who speaks Greek."
    )]
    reason: String,
}

/// Pass a candidate over
///
/// Neither they nor anybody but staff hears of it.
#[utoipa::path(post, path = "/v1/match-requests/{match_request}/candidates/{candidate}/pass", tag = "candidate review",
    params(("match_request" = MatchRequestId, Path), ("candidate" = CandidateId, Path)),
    request_body = PassCandidate, responses((status = 201, body = CandidatesView))
)]
async fn pass_candidate(
    State(context): State<Shared>,
    caller: Caller,
    Path((request, candidate)): Path<(MatchRequestId, CandidateId)>,
    command: Command<PassCandidate>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let done = once(&context, by, &command.key, || async {
        let review = Review::of(&context, &caller, request).await?;
        let candidate = review.candidate(&context, review.blind(candidate)?).await?;
        must_be_open(&review)?;
        let acting = review.standing.acting;
        let reason = &command.body.reason;
        let next = candidate.standing.pass(acting, reason, context.now())?;
        let audit = context.audit(acting, "pass_candidate", &Key::match_request(request));
        let commit = candidate.become_in(Commit::new(audit), &next);
        let commit = after_leaving(&context, commit, &review.requested, &next).await?;
        Ok(Decision::new(review.standing.insisted_on(commit), request))
    })
    .await?;
    let view = candidates(&context, &caller, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, Json(view)))
}

/// Withdraw an invitation
///
/// As long as it is not answered. The support worker hears of it.
#[utoipa::path(post, path = "/v1/match-requests/{match_request}/candidates/{candidate}/withdrawal", tag = "candidate review",
    params(("match_request" = MatchRequestId, Path), ("candidate" = CandidateId, Path)),
    request_body(content = Nothing, example = json!({})),
    responses((status = 201, body = CandidatesView))
)]
async fn withdraw_invitation(
    State(context): State<Shared>,
    caller: Caller,
    Path((request, candidate)): Path<(MatchRequestId, CandidateId)>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let done = once(&context, by, &command.key, || async {
        let review = Review::of(&context, &caller, request).await?;
        let candidate = review.candidate(&context, review.who(candidate)?).await?;
        let next = candidate.standing.withdraw(context.now())?;
        let acting = review.standing.acting;
        let audit = context.audit(acting, "withdraw_invitation", &Key::match_request(request));
        let event = Event::InvitationWithdrawn {
            invitation: next.id,
            worker: next.worker,
        };
        let commit = candidate
            .become_in(Commit::new(audit), &next)
            .notify(context.fresh(), event);
        // Where the request has come to its end, all of them are being withdrawn.
        let commit = if review.request().state == MatchRequestState::Released {
            after_leaving(&context, commit, &review.requested, &next).await?
        } else {
            commit
        };
        Ok(Decision::new(review.standing.insisted_on(commit), request))
    })
    .await?;
    let view = candidates(&context, &caller, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, Json(view)))
}

fn must_be_open(review: &Review) -> Result<(), Problem> {
    if review.request().state == MatchRequestState::Released {
        return Ok(());
    }
    Err(Problem::wrong_state(
        "match-request-closed",
        "the match request is closed",
    ))
}

/// Whether somebody waits for an answer of theirs, or has it.
pub(super) const fn is_taken(state: CandidateState) -> bool {
    matches!(state, CandidateState::Invited | CandidateState::Accepted)
}

impl From<InviteCandidateError> for Problem {
    fn from(error: InviteCandidateError) -> Self {
        match error {
            InviteCandidateError::Invited => Self::wrong_state("candidate-invited", error),
            InviteCandidateError::Passed => Self::wrong_state("candidate-passed", error),
            InviteCandidateError::Withdrawn => Self::wrong_state("invitation-withdrawn", error),
            InviteCandidateError::Accepted => Self::wrong_state("candidate-accepted", error),
            // To the letter what is said of everybody who is not available.
            InviteCandidateError::NotAvailable => not_available(),
        }
    }
}

impl From<PassCandidateError> for Problem {
    fn from(error: PassCandidateError) -> Self {
        match error {
            PassCandidateError::Invited => Self::wrong_state("candidate-invited", error),
            PassCandidateError::Over => Self::wrong_state("candidate-over", error),
            PassCandidateError::Invalid(errors) => Self::invalid(errors),
        }
    }
}

impl From<WithdrawInvitationError> for Problem {
    fn from(error: WithdrawInvitationError) -> Self {
        match error {
            WithdrawInvitationError::NotInvited => {
                Self::wrong_state("candidate-not-invited", error)
            }
        }
    }
}
