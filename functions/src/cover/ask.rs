//! Asking for somebody else to come to a visit, and how that stands.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::access::{Acting, Duty};
use domain::cover::{BeginCoverError, Cover, CoverCause};
use domain::engagement::{Reasoned, Side};
use domain::id::{EngagementId, VisitId};
use domain::visit::Visit;
use serde::Deserialize;
use store::{Commit, Key};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::begun;
use super::view::CoverView;
use crate::body::Command;
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::on_call;
use crate::path::Path;
use crate::perform::{Decision, once};
use crate::problem::Problem;
use crate::reason::need_reason;
use crate::standing::{OverEngagement, Party, act_in_engagement, over_engagement, see_engagement};
use crate::visit;

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(show_cover, ask_for_cover))
}

/// Somebody who asks for cover, or no longer: one of the two of the visit, or staff.
pub(super) enum Asking {
    Party(Box<Party>),
    Staff(Box<OverEngagement>),
}

impl Asking {
    /// Lets `caller` ask for cover in an engagement, or refuses. A relationship of one's own goes before a staff role.
    pub(super) async fn of(
        context: &Context,
        caller: &Caller,
        engagement: EngagementId,
    ) -> Result<Self, Problem> {
        match act_in_engagement(context, caller, engagement, None).await {
            Ok(party) => Ok(Self::Party(Box::new(party))),
            Err(refused)
                if refused.status() == StatusCode::NOT_FOUND && caller.instruction.is_none() =>
            {
                let over = over_engagement(context, caller, engagement, Duty::Schedules).await?;
                Ok(Self::Staff(Box::new(over)))
            }
            Err(refused) => Err(refused),
        }
    }

    pub(super) const fn side(&self) -> Option<Side> {
        match self {
            Self::Party(party) => Some(party.side),
            Self::Staff(_) => None,
        }
    }

    pub(super) const fn acting(&self) -> Acting {
        match self {
            Self::Party(party) => party.acting,
            Self::Staff(over) => over.duty.acting,
        }
    }

    pub(super) fn insisted_on(&self, commit: Commit) -> Commit {
        match self {
            Self::Party(party) => party.insisted_on(commit),
            Self::Staff(over) => over.insisted_on(commit),
        }
    }
}

/// Why somebody else should come.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AskForCover {
    /// Why; for staff, and for the side that says it.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Ask for somebody else to come to a visit
///
/// By the client's side, by the support worker who will be away, and by staff. What is booked stands until somebody
/// else is booked in its place.
#[utoipa::path(post, path = "/v1/visits/{visit}/cover", tag = "cover", params(("visit" = VisitId, Path)),
    request_body(content = AskForCover, example = json!({"reason": "I am away from the 20th to the 24th."})),
    responses((status = 201, body = CoverView))
)]
async fn ask_for_cover(
    State(context): State<Shared>,
    caller: Caller,
    Path(visit): Path<VisitId>,
    command: Command<AskForCover>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let reason = &command.body.reason;
    let engagement = visit::load(&context, visit).await?.value.engagement;
    let side = Asking::of(&context, &caller, engagement).await?.side();
    need_reason(reason)?;
    let done = once(&context, by, &command.key, || async {
        let was = visit::load(&context, visit).await?;
        let asking = Asking::of(&context, &caller, engagement).await?;
        let why = Reasoned {
            side: asking.side(),
            acting: asking.acting(),
            at: context.now(),
            reason: reason.trim().to_owned(),
        };
        let cause = cause(&was.value, asking.side());
        let begun = begun(&context, &was.value, cause, Some(why)).await??;
        let mut next = was.value.clone();
        let audit = context.audit(asking.acting(), "ask_for_cover", &Key::visit(visit));
        let commit = begun.added(&context, Commit::new(audit), &mut next);
        let commit = commit.replace(&was, &next);
        Ok(Decision::new(asking.insisted_on(commit), visit))
    })
    .await?;
    let view = view(&context, visit, side).await?;
    Ok(done.answer(StatusCode::CREATED, Json(view)))
}

/// Why somebody else is looked for: what its support worker called off still has nobody to come.
fn cause(visit: &Visit, side: Option<Side>) -> CoverCause {
    match side {
        _ if visit.was_called_off_by_worker() => CoverCause::Cancelled,
        Some(Side::Worker) => CoverCause::Leave,
        Some(Side::Client) | None => CoverCause::Asked,
    }
}

/// Show how the search for somebody to come to a visit stands
///
/// The client sees who can come once somebody has said so; staff see everybody who was asked, those who look after
/// alerts where they are called for the visit.
#[utoipa::path(get, path = "/v1/visits/{visit}/cover", tag = "cover", params(("visit" = VisitId, Path)),
    responses((status = 200, body = CoverView, example = json!({
        "cover": "cov_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "visit": "vis_0190b2f06bd47c5a9a3e5b7f21d4c8ab",
        "cause": "cancelled", "reason": null, "state": "accepted", "begun_at": "2026-12-01T06:10:00Z",
        "lasts_until": "2026-12-01T09:00:00Z", "closed_at": null,
        "comes": {"worker": "wrk_0190b2f06bd47c5a9a3e5b7f21d4c8ac", "name": {"given": "Mirela", "family": "Kos"},
                  "known": true},
        "booked": null, "asked": null, "unfilled": null
    })))
)]
async fn show_cover(
    State(context): State<Shared>,
    caller: Caller,
    Path(visit): Path<VisitId>,
) -> Result<Response, Problem> {
    let of = visit::load(&context, visit).await?.value;
    let duty = on_call::duty_to_see(&caller, &of);
    let (side, _) = see_engagement(&context, &caller, of.engagement, duty).await?;
    Ok(Json(view(&context, visit, side).await?).into_response())
}

async fn view(context: &Context, visit: VisitId, side: Option<Side>) -> Result<CoverView, Problem> {
    let cover = visit::load(context, visit).await?.value.cover;
    let key = Key::cover(cover.ok_or_else(Problem::not_found)?);
    let cover = context.store.get::<Cover>(&key).await?;
    let cover = cover.ok_or_else(Problem::not_found)?;
    Ok(CoverView::of(context, &cover.value, side).await?)
}

impl From<BeginCoverError> for Problem {
    fn from(error: BeginCoverError) -> Self {
        let kind = match error {
            BeginCoverError::Begun => "visit-started",
            BeginCoverError::Over => "visit-over",
            BeginCoverError::Cancelled => "visit-cancelled",
            BeginCoverError::Stopped => "visits-stopped",
            BeginCoverError::Sought => "cover-sought",
        };
        Self::wrong_state(kind, error)
    }
}
