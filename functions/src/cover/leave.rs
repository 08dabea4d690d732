//! A support worker's leave, and the visits that it falls on.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Days, FixedOffset};
use domain::access::Duty;
use domain::availability::Leave;
use domain::cover::{Cover, CoverState};
use domain::id::{EngagementId, VisitId, WorkerId};
use domain::notice::Event;
use domain::support_worker::SupportWorker;
use domain::visit::Visit;
use domain::vocabulary::Service;
use serde::Serialize;
use store::{Key, PendingDue, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::suspension::booked_ahead;
use crate::caller::Caller;
use crate::consume::{ConsumeError, Effect};
use crate::context::{Context, Shared};
use crate::path::Path;
use crate::problem::Problem;
use crate::standing::{as_worker, on_duty};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(show_leave))
}

/// A support worker's leave.
#[derive(Debug, Serialize, ToSchema)]
struct LeaveView {
    worker: WorkerId,
    /// Every stretch of days away that is not over, the earliest first.
    away: Vec<AwayView>,
}

/// Some days away.
#[derive(Debug, Serialize, ToSchema)]
struct AwayView {
    #[serde(flatten)]
    leave: Leave,
    /// What is booked then, by the calendar of its place; nights that run into it included.
    visits: Vec<HitVisitView>,
}

/// A booked visit that falls into somebody's leave, and what can be done about it.
#[derive(Debug, Serialize, ToSchema)]
struct HitVisitView {
    visit: VisitId,
    engagement: EngagementId,
    service: Service,
    /// When it begins, with the offset of its place.
    from: DateTime<FixedOffset>,
    /// When it ends.
    until: DateTime<FixedOffset>,
    /// IANA name of the place's time zone.
    time_zone: String,
    /// Suburb in which it takes place.
    suburb: String,
    /// How the search for somebody else stands, if there is one.
    cover: Option<CoverState>,
    /// Where another time is proposed to the client.
    #[schema(example = "/v1/visits/vis_0190b2f06bd47c5a9a3e5b7f21d4c8aa/change-proposals")]
    propose_change: String,
    /// Where somebody else is asked for.
    #[schema(example = "/v1/visits/vis_0190b2f06bd47c5a9a3e5b7f21d4c8aa/cover")]
    ask_for_cover: String,
}

impl HitVisitView {
    fn of(visit: Visit, cover: Option<CoverState>) -> Self {
        Self {
            propose_change: format!("/v1/visits/{}/change-proposals", visit.id),
            ask_for_cover: format!("/v1/visits/{}/cover", visit.id),
            visit: visit.id,
            engagement: visit.engagement,
            service: visit.details.service,
            from: visit.details.local(visit.from),
            until: visit.details.local(visit.until),
            time_zone: visit.details.time_zone,
            suburb: visit.suburb,
            cover,
        }
    }
}

/// Show a support worker's leave, and the visits that it falls on
///
/// What is booked stands until another time is accepted or somebody else is booked in its place: each visit says where
/// either is done.
#[utoipa::path(get, path = "/v1/support-workers/{worker}/leave", tag = "cover", params(("worker" = WorkerId, Path)),
    responses((status = 200, body = LeaveView, example = json!({
        "worker": "wrk_0190b2f06bd47c5a9a3e5b7f21d4c8aa",
        "away": [{"first": "2026-12-24", "last": "2027-01-02", "visits": [{
            "visit": "vis_0190b2f06bd47c5a9a3e5b7f21d4c8ab", "engagement": "eng_0190b2f06bd47c5a9a3e5b7f21d4c8ac",
            "service": "social_support", "from": "2026-12-29T09:00:00+10:00", "until": "2026-12-29T11:00:00+10:00",
            "time_zone": "Australia/Brisbane", "suburb": "West End", "cover": "seeking",
            "propose_change": "/v1/visits/vis_0190b2f06bd47c5a9a3e5b7f21d4c8ab/change-proposals",
            "ask_for_cover": "/v1/visits/vis_0190b2f06bd47c5a9a3e5b7f21d4c8ab/cover"
        }]}]
    })))
)]
async fn show_leave(
    State(context): State<Shared>,
    caller: Caller,
    Path(worker): Path<WorkerId>,
) -> Result<Response, Problem> {
    if on_duty(&caller, Duty::Schedules).is_err() {
        as_worker(&context, &caller, worker).await?;
    }
    let key = Key::worker(worker);
    let found = context.store.get::<SupportWorker>(&key).await?;
    let found = found.ok_or_else(Problem::not_found)?.value;
    let booked = booked_ahead(&context, &found).await;
    let mut booked = booked.map_err(|_| Problem::unavailable())?;
    booked.sort_by_key(|visit| visit.value.from);
    // Wherever in the world a visit takes place, today there is not before yesterday here.
    let today = context.now().date_naive() - Days::new(1);
    let mut leave: Vec<Leave> = found.profile.availability.leave().collect();
    leave.retain(|leave| today <= leave.last);
    leave.sort_by_key(|leave| (leave.first, leave.last));
    let mut away = Vec::with_capacity(leave.len());
    for leave in leave {
        let mut visits = Vec::new();
        for visit in booked.iter().filter(|visit| hit(leave, &visit.value)) {
            let cover = state_of(&context, &visit.value).await?;
            visits.push(HitVisitView::of(visit.value.clone(), cover));
        }
        away.push(AwayView { leave, visits });
    }
    Ok(Json(LeaveView { worker, away }).into_response())
}

fn hit(leave: Leave, visit: &Visit) -> bool {
    visit.details.falls_into(leave, visit.times())
}

async fn state_of(context: &Context, visit: &Visit) -> Result<Option<CoverState>, Problem> {
    let Some(cover) = visit.cover else {
        return Ok(None);
    };
    let cover = context.store.get::<Cover>(&Key::cover(cover)).await?;
    Ok(cover.map(|cover| cover.value.state))
}

/// Lets a support worker know, once, that days which they have just blocked hold visits that are booked.
pub(crate) async fn when_due(
    context: &Context,
    pending: &PendingDue,
    worker: WorkerId,
) -> Result<Effect, ConsumeError> {
    let key = Key::worker(worker);
    let found: Option<Versioned<SupportWorker>> = context.store.get(&key).await?;
    let Some(found) = found else {
        return Ok(Effect::Superseded);
    };
    let booked = booked_ahead(context, &found.value).await?;
    let hit = found.value.profile.availability.leave().any(|leave| {
        let mut booked = booked.iter();
        booked.any(|visit| hit(leave, &visit.value))
    });
    if !hit {
        return Ok(Effect::Superseded);
    }
    let event = Event::LeaveHitsVisits { worker };
    let commit = context.effect(pending).notify(context.fresh(), event);
    Ok(commit.into())
}
