//! The client's side of a change: asking for it, and leaving it be.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::change_request::{
    AskForChangeError, ChangeWarning, Wish, WishedTimes, WithdrawChangeError,
};
use domain::engagement::{Happening, Side};
use domain::id::{ChangeRequestId, VisitId};
use serde::Deserialize;
use serde_json::json;
use store::Commit;
use utoipa::ToSchema;

use super::{ChangeRequestView, audit, load, not_open, show};
use crate::body::{Command, Nothing};
use crate::caller::Caller;
use crate::context::Shared;
use crate::conversation::tell;
use crate::path::Path;
use crate::perform::{Decision, once};
use crate::problem::Problem;
use crate::standing::act_in_engagement;
use crate::visit;

/// What a client asks for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeWish {
    /// In words for the support worker.
    #[schema(min_length = 1, max_length = 500)]
    wish: String,
    /// The times that would suit, where they are that clear.
    times: Option<WishedTimes>,
    /// Exactly the warning that a refusal of this request came with, where one did: the client knows of it.
    acknowledged: Option<ChangeWarning>,
}

/// Ask for a change of a visit
///
/// By the client or a representative, at any time before it begins. Asking is free. Where less time is left than the
/// policy of the booking asks for, or a cancellation could be charged, the answer is 409 `change-warning` with what it
/// may cost; it goes through once exactly that `warning` is sent back as `acknowledged`. The visit stands as it is
/// booked until the client accepts a proposal that answers the request.
#[utoipa::path(post, path = "/v1/visits/{visit}/change-requests", tag = "visit changes",
    params(("visit" = VisitId, Path)),
    request_body(content = ChangeWish, example = json!({
        "wish": "Could you come in the afternoon?", "times": {"starts": "2026-12-01T14:00:00", "minutes": 120}
    })),
    responses((status = 201, body = ChangeRequestView))
)]
pub(super) async fn ask_for_change(
    State(context): State<Shared>,
    caller: Caller,
    Path(visit): Path<VisitId>,
    command: Command<ChangeWish>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let done = once(&context, by, &command.key, || async {
        let was = visit::load(&context, visit).await?;
        let engagement = was.value.engagement;
        let party = act_in_engagement(&context, &caller, engagement, Some(Side::Client)).await?;
        let policy = context.store.policy().await?;
        let wish = Wish {
            id: context.fresh(),
            acting: party.acting,
            text: command.body.wish.clone(),
            times: command.body.times,
            acknowledged: command.body.acknowledged,
        };
        let (marked, request) = was.value.ask_for_change(wish, &policy, context.now())?;
        let audit = audit(&context, party.acting, "ask_for_change", &request);
        let commit = Commit::new(audit).insert(&request).replace(&was, &marked);
        let (held, about) = (&party.engagement.value, Some(request.id.to_string()));
        let happening = Happening::ChangeRequested;
        let commit = tell(&context, commit, held, happening, about, Side::Worker);
        Ok(Decision::new(party.insisted_on(commit), request.id))
    })
    .await?;
    let view = show(&context, &caller, visit, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

/// Withdraw a change request
///
/// By the client's side. A proposal that answers it cannot be accepted any more.
#[utoipa::path(post, path = "/v1/visits/{visit}/change-requests/{request}/withdrawal", tag = "visit changes",
    params(("visit" = VisitId, Path), ("request" = ChangeRequestId, Path)),
    request_body(content = Nothing, example = json!({})),
    responses((status = 201, body = ChangeRequestView))
)]
pub(super) async fn withdraw_change_request(
    State(context): State<Shared>,
    caller: Caller,
    Path((visit, request)): Path<(VisitId, ChangeRequestId)>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let done = once(&context, by, &command.key, || async {
        let of = visit::load(&context, visit).await?;
        let engagement = of.value.engagement;
        let party = act_in_engagement(&context, &caller, engagement, Some(Side::Client)).await?;
        let was = load(&context, visit, request).await?;
        let next = was.value.withdraw(&of.value, context.now())?;
        let audit = audit(&context, party.acting, "withdraw_change_request", &next);
        let commit = Commit::new(audit)
            .replace(&was, &next)
            .replace(&of, &of.value.without_change_request(request));
        let (held, about) = (&party.engagement.value, Some(request.to_string()));
        let happening = Happening::ChangeWithdrawn;
        let commit = tell(&context, commit, held, happening, about, Side::Worker);
        Ok(Decision::new(party.insisted_on(commit), request))
    })
    .await?;
    let view = show(&context, &caller, visit, request).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

impl From<AskForChangeError> for Problem {
    fn from(error: AskForChangeError) -> Self {
        match error {
            AskForChangeError::NotBooked | AskForChangeError::TimeHasCome => {
                Self::wrong_state("visit-not-to-come", error)
            }
            AskForChangeError::AlreadyAsked(request) => {
                Self::wrong_state("change-already-asked-for", error)
                    .with("change_request", request.to_string())
            }
            AskForChangeError::Invalid(errors) => Self::invalid(errors),
            AskForChangeError::Warning(warning) => {
                Self::wrong_state("change-warning", error).with("warning", json!(warning))
            }
        }
    }
}

impl From<WithdrawChangeError> for Problem {
    fn from(error: WithdrawChangeError) -> Self {
        match error {
            WithdrawChangeError::NotOpen(refused) => not_open(refused),
        }
    }
}
