//! What a visit that took place comes to: confirmed or disputed by the client's side, settled by staff.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::access::Duty;
use domain::engagement::{Happening, Reasoned, Side};
use domain::id::VisitId;
use domain::notice::Told;
use domain::ticket::{Ticket, TicketCause};
use domain::visit::{ConfirmVisitError, DisputeVisitError, Recorded, SettleDisputeError};
use serde::Deserialize;
use store::{Commit, Key};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{load, on_side, show, tell_of};
use crate::body::Command;
use crate::caller::Caller;
use crate::context::Shared;
use crate::path::Path;
use crate::perform::{Decision, once};
use crate::problem::Problem;
use crate::reason::need_reason;
use crate::standing::{on_duty, over_engagement};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(confirm_visit))
        .routes(routes!(dispute_visit))
        .routes(routes!(settle_dispute))
}

/// Confirm a visit
///
/// By the client's side: exactly what the support worker wrote down, as `worked` shows it, is charged.
#[utoipa::path(post, path = "/v1/visits/{visit}/confirmation", tag = "visits", params(("visit" = VisitId, Path)),
    request_body(content = Recorded, example = json!({
        "minutes": 120, "charge": {"client_pays": 12300, "worker_gets": 12000, "service_keeps": 300}
    })),
    responses((status = 201, body = super::VisitView))
)]
async fn confirm_visit(
    State(context): State<Shared>,
    caller: Caller,
    Path(visit): Path<VisitId>,
    command: Command<Recorded>,
) -> Result<Response, Problem> {
    let done = once(&context, caller.person.value.id, &command.key, || async {
        let was = load(&context, visit).await?;
        let party = on_side(&context, &caller, &was.value, Side::Client).await?;
        let next = (was.value).confirm(party.acting, command.body, context.now())?;
        let audit = context.audit(party.acting, "confirm_visit", &Key::visit(visit));
        let commit = tell_of(
            &context,
            Commit::new(audit).replace(&was, &next),
            &party.engagement.value,
            Happening::VisitConfirmed,
            visit,
            Told::Both,
        );
        Ok(Decision::new(party.insisted_on(commit), visit))
    })
    .await?;
    let view = show(&context, &caller, visit).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

/// What the client does not agree with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DisputeVisit {
    /// In words for staff and for the support worker; kept with the visit.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Dispute a visit
///
/// By the client's side, within 28 days after it was completed, whether or not it was confirmed meanwhile. Nothing is
/// charged until staff have heard both sides and decided.
#[utoipa::path(post, path = "/v1/visits/{visit}/dispute", tag = "visits", params(("visit" = VisitId, Path)),
    request_body(content = DisputeVisit, example = json!({"reason": "She left an hour early."})),
    responses((status = 201, body = super::VisitView))
)]
async fn dispute_visit(
    State(context): State<Shared>,
    caller: Caller,
    Path(visit): Path<VisitId>,
    command: Command<DisputeVisit>,
) -> Result<Response, Problem> {
    let reason = &command.body.reason;
    let done = once(&context, caller.person.value.id, &command.key, || async {
        let was = load(&context, visit).await?;
        let party = on_side(&context, &caller, &was.value, Side::Client).await?;
        need_reason(reason)?;
        let now = context.now();
        let next = was.value.dispute(Reasoned {
            side: Some(party.side),
            acting: party.acting,
            at: now,
            reason: reason.trim().to_owned(),
        })?;
        let ticket = Ticket::open(context.fresh(), TicketCause::VisitDisputed, visit, now);
        let audit = context.audit(party.acting, "dispute_visit", &Key::visit(visit));
        let commit = Commit::new(audit).replace(&was, &next).insert(&ticket);
        let commit = tell_of(
            &context,
            commit,
            &party.engagement.value,
            Happening::VisitDisputed,
            visit,
            Told::Both,
        );
        Ok(Decision::new(party.insisted_on(commit), visit))
    })
    .await?;
    let view = show(&context, &caller, visit).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

/// What staff decide on a dispute.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SettleDispute {
    /// As many of the minutes that were written down are paid, from the beginning on.
    #[schema(minimum = 0, example = 60)]
    payable_minutes: u32,
    /// In words for both sides; kept with the visit.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Settle a dispute about a visit
///
/// By staff who hear disputes. What they decide stands, and both sides hear of it.
#[utoipa::path(post, path = "/v1/visits/{visit}/dispute-settlement", tag = "visits",
    params(("visit" = VisitId, Path)),
    request_body(content = SettleDispute, example = json!({
        "payable_minutes": 60, "reason": "Both agree that she left after an hour."
    })),
    responses((status = 201, body = super::VisitView))
)]
async fn settle_dispute(
    State(context): State<Shared>,
    caller: Caller,
    Path(visit): Path<VisitId>,
    command: Command<SettleDispute>,
) -> Result<Response, Problem> {
    on_duty(&caller, Duty::Disputes)?;
    let SettleDispute {
        payable_minutes,
        reason,
    } = &command.body;
    need_reason(reason)?;
    let done = once(&context, caller.person.value.id, &command.key, || async {
        let was = load(&context, visit).await?;
        let held = was.value.engagement;
        let over = over_engagement(&context, &caller, held, Duty::Disputes).await?;
        let why = Reasoned {
            side: None,
            acting: over.duty.acting,
            at: context.now(),
            reason: reason.trim().to_owned(),
        };
        let next = was.value.settle_dispute(why, *payable_minutes)?;
        let (key, fields) = (Key::visit(visit), vec!["dispute".to_owned()]);
        let acting = over.duty.acting;
        let audit = context.correction(acting, "settle_dispute", &key, fields, reason);
        let commit = tell_of(
            &context,
            Commit::new(audit).replace(&was, &next),
            &over.engagement.value,
            Happening::DisputeSettled,
            visit,
            Told::Both,
        );
        Ok(Decision::new(over.duty.insisted_on(commit), visit))
    })
    .await?;
    let view = show(&context, &caller, visit).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

impl From<ConfirmVisitError> for Problem {
    fn from(error: ConfirmVisitError) -> Self {
        match error {
            ConfirmVisitError::NotCompleted => Self::wrong_state("visit-not-completed", error),
            ConfirmVisitError::Cancelled => Self::wrong_state("visit-cancelled", error),
            ConfirmVisitError::Missed => Self::wrong_state("visit-missed", error),
            ConfirmVisitError::AlreadyConfirmed => Self::wrong_state("visit-confirmed", error),
            ConfirmVisitError::NeedsClient => Self::wrong_state("client-only", error),
            ConfirmVisitError::Disputed => Self::wrong_state("visit-disputed", error),
            ConfirmVisitError::Stale(recorded) => {
                let recorded = serde_json::to_value(recorded).unwrap_or_default();
                Self::wrong_state("visit-recorded-otherwise", error).with("recorded", recorded)
            }
        }
    }
}

impl From<DisputeVisitError> for Problem {
    fn from(error: DisputeVisitError) -> Self {
        let kind = match error {
            DisputeVisitError::NotCompleted => "visit-not-completed",
            DisputeVisitError::Cancelled => "visit-cancelled",
            DisputeVisitError::Missed => "visit-missed",
            DisputeVisitError::AlreadyDisputed => "visit-disputed",
            DisputeVisitError::Settled => "dispute-settled",
            DisputeVisitError::TooLate(_) => "dispute-too-late",
        };
        Self::wrong_state(kind, error)
    }
}

impl From<SettleDisputeError> for Problem {
    fn from(error: SettleDisputeError) -> Self {
        match error {
            SettleDisputeError::NotDisputed => Self::wrong_state("visit-not-disputed", error),
            SettleDisputeError::MoreThanWorked(_) => Self::invalid_field("/payable_minutes", error),
        }
    }
}
