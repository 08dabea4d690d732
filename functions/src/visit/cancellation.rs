//! Cancelling a visit: by either side, at a charge that the client saw before, and by staff; and letting a charge go.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::access::{Acting, Duty};
use domain::engagement::{Engagement, Happening, Reasoned, Side};
use domain::id::VisitId;
use domain::money::Price;
use domain::notice::Told;
use domain::visit::{
    CancelVisitError, CancellationQuote, Visit, WaiveChargeError, Waiver, WaiverGrounds,
};
use serde::Deserialize;
use store::{Commit, Key, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{load, show, tell_of};
use crate::body::Command;
use crate::booking::free;
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::cover;
use crate::path::Path;
use crate::perform::{Decision, once};
use crate::problem::Problem;
use crate::reason::need_reason;
use crate::standing::{OnDuty, Party, act_in_engagement, on_duty, over_engagement, see_engagement};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(quote_cancellation))
        .routes(routes!(cancel_visit))
        .routes(routes!(waive_charge))
}

/// Ask what a cancellation costs
///
/// As things stand now, for the caller's side. A support worker's cancellation and one by staff never cost anything;
/// nor does one by the client once the support worker has not come in time.
#[utoipa::path(get, path = "/v1/visits/{visit}/cancellation-quote", tag = "visits",
    params(("visit" = VisitId, Path)),
    responses(
        (status = 200, body = CancellationQuote, example = json!({
            "side": "client", "charges": true,
            "charge": {"client_pays": 12300, "worker_gets": 12000, "service_keeps": 300},
            "free_until": "2026-11-29T23:00:00Z",
            "rules": {"notice": {"hours": 24}, "charge_basis_points": 10000}
        })),
        (status = 409, description = "It can no longer be cancelled")
    )
)]
async fn quote_cancellation(
    State(context): State<Shared>,
    caller: Caller,
    Path(visit): Path<VisitId>,
) -> Result<Response, Problem> {
    let Versioned { value, .. } = load(&context, visit).await?;
    let seen = see_engagement(&context, &caller, value.engagement, Duty::Schedules).await?;
    let policy = context.store.policy().await?;
    let quote = value.cancellation_quote(seen.0, &policy, context.now())?;
    Ok(Json(quote).into_response())
}

/// Why a visit is not to take place.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CancelVisit {
    /// In words for both sides; kept with the visit.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
    /// Exactly what it costs now, as the quote says. Needed where it costs anything.
    #[serde(default)]
    charge: Option<Price>,
}

/// Cancel a visit
///
/// By either side, and by staff where it was booked by mistake. Both people's time is free again, and both hear of it.
/// Where it costs the client something, it is done only with exactly the charge that holds now; else the refusal says
/// what that is. Where a support worker cancels at short notice, somebody else is looked for.
#[utoipa::path(post, path = "/v1/visits/{visit}/cancellation", tag = "visits", params(("visit" = VisitId, Path)),
    request_body(content = CancelVisit, example = json!({
        "reason": "The day was misread; both said so by telephone."
    })),
    responses((status = 201, body = super::VisitView))
)]
async fn cancel_visit(
    State(context): State<Shared>,
    caller: Caller,
    Path(visit): Path<VisitId>,
    command: Command<CancelVisit>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let CancelVisit { reason, charge } = &command.body;
    let done = once(&context, by, &command.key, || async {
        let was = load(&context, visit).await?;
        let canceller = Canceller::of(&context, &caller, &was.value).await?;
        // After the caller is known, so that strangers learn nothing from how a body is refused.
        need_reason(reason)?;
        let policy = context.store.policy().await?;
        let why = Reasoned {
            side: canceller.side(),
            acting: canceller.acting(),
            at: context.now(),
            reason: reason.trim().to_owned(),
        };
        let mut next = was.value.cancel_at_cost(why, *charge, &policy)?;
        let commit = canceller.commit(&context, visit, reason);
        let commit = cover::called_off(&context, commit, &mut next).await?;
        let commit = free(&context, commit.replace(&was, &next), &next).await?;
        let commit = tell_of(
            &context,
            commit,
            canceller.engagement(),
            Happening::VisitCancelled,
            visit,
            Told::Both,
        );
        Ok(Decision::new(canceller.insisted_on(commit), visit))
    })
    .await?;
    let view = show(&context, &caller, visit).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

/// Who cancels: somebody on one of the sides, or staff who reverse a mistake.
enum Canceller {
    Side(Box<Party>),
    Staff(Box<(OnDuty, Versioned<Engagement>)>),
}

impl Canceller {
    async fn of(context: &Context, caller: &Caller, visit: &Visit) -> Result<Self, Problem> {
        // A relationship of one's own goes before a staff role.
        match act_in_engagement(context, caller, visit.engagement, None).await {
            Ok(party) => Ok(Self::Side(Box::new(party))),
            Err(refused)
                if refused.status() == StatusCode::NOT_FOUND && caller.instruction.is_none() =>
            {
                let held = visit.engagement;
                let over = over_engagement(context, caller, held, Duty::Reversals).await?;
                Ok(Self::Staff(Box::new((over.duty, over.engagement))))
            }
            Err(refused) => Err(refused),
        }
    }

    fn side(&self) -> Option<Side> {
        match self {
            Self::Side(party) => Some(party.side),
            Self::Staff(_) => None,
        }
    }

    fn acting(&self) -> Acting {
        match self {
            Self::Side(party) => party.acting,
            Self::Staff(staff) => staff.0.acting,
        }
    }

    fn engagement(&self) -> &Engagement {
        match self {
            Self::Side(party) => &party.engagement.value,
            Self::Staff(staff) => &staff.1.value,
        }
    }

    /// What the audit says of it. The reason of one of the sides lies with the visit alone.
    fn commit(&self, context: &Context, visit: VisitId, reason: &str) -> Commit {
        let key = Key::visit(visit);
        let (acting, operation) = (self.acting(), "cancel_visit");
        Commit::new(match self {
            Self::Side(_) => context.audit(acting, operation, &key),
            Self::Staff(_) => context.correction(acting, operation, &key, Vec::new(), reason),
        })
    }

    fn insisted_on(&self, commit: Commit) -> Commit {
        match self {
            Self::Side(party) => party.insisted_on(commit),
            Self::Staff(staff) => staff.0.insisted_on(commit),
        }
    }
}

/// Why a charge is let go.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WaiveCharge {
    /// On what grounds.
    grounds: WaiverGrounds,
    /// In words for both sides; kept with the visit.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Waive the charge for a cancelled visit
///
/// By staff, once. Both sides hear of it.
#[utoipa::path(post, path = "/v1/visits/{visit}/waiver", tag = "visits", params(("visit" = VisitId, Path)),
    request_body(content = WaiveCharge, example = json!({
        "grounds": "illness", "reason": "Taken to hospital the evening before."
    })),
    responses((status = 201, body = super::VisitView))
)]
async fn waive_charge(
    State(context): State<Shared>,
    caller: Caller,
    Path(visit): Path<VisitId>,
    command: Command<WaiveCharge>,
) -> Result<Response, Problem> {
    on_duty(&caller, Duty::Reversals)?;
    let WaiveCharge { grounds, reason } = &command.body;
    need_reason(reason)?;
    let done = once(&context, caller.person.value.id, &command.key, || async {
        let was = load(&context, visit).await?;
        let held = was.value.engagement;
        let over = over_engagement(&context, &caller, held, Duty::Reversals).await?;
        let acting = over.duty.acting;
        let next = was.value.waive(Waiver {
            grounds: *grounds,
            why: Reasoned {
                side: None,
                acting,
                at: context.now(),
                reason: reason.trim().to_owned(),
            },
        })?;
        let (key, fields) = (Key::visit(visit), vec!["cancellation".to_owned()]);
        let audit = context.correction(acting, "waive_charge", &key, fields, reason);
        let commit = tell_of(
            &context,
            Commit::new(audit).replace(&was, &next),
            &over.engagement.value,
            Happening::ChargeWaived,
            visit,
            Told::Both,
        );
        Ok(Decision::new(over.duty.insisted_on(commit), visit))
    })
    .await?;
    let view = show(&context, &caller, visit).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

impl From<CancelVisitError> for Problem {
    fn from(error: CancelVisitError) -> Self {
        match error {
            CancelVisitError::Started => Self::wrong_state("visit-started", error),
            CancelVisitError::Completed => Self::wrong_state("visit-completed", error),
            CancelVisitError::Missed => Self::wrong_state("visit-missed", error),
            CancelVisitError::AlreadyCancelled => Self::wrong_state("visit-cancelled", error),
            CancelVisitError::Charge(quote) => {
                let shown = serde_json::to_value(quote).unwrap_or_default();
                Self::wrong_state("cancellation-charge", error).with("quote", shown)
            }
        }
    }
}

impl From<WaiveChargeError> for Problem {
    fn from(error: WaiveChargeError) -> Self {
        let kind = match error {
            WaiveChargeError::NotCancelled => "visit-not-cancelled",
            WaiveChargeError::NothingCharged => "nothing-charged",
            WaiveChargeError::AlreadyWaived => "charge-waived",
        };
        Self::wrong_state(kind, error)
    }
}
