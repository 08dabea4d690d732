//! When the support worker of an engagement can be had, for both sides to find a time by.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use domain::access::Duty;
use domain::id::EngagementId;
use domain::schedule::{Stretch, taken};
use domain::support_worker::SupportWorker;
use serde::Serialize;
use store::Key;
use utoipa::ToSchema;

use super::booked;
use crate::caller::Caller;
use crate::context::Shared;
use crate::path::{Path, Query};
use crate::problem::Problem;
use crate::schedule::RangeQuery;
use crate::standing::see_engagement;

/// When somebody cannot be had.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FreeBusyView {
    /// In order, and joined where two touch.
    busy: Vec<Stretch>,
}

/// Show when the support worker of an engagement is taken
///
/// By visits, by the journeys between those of different engagements, and by leave: what lies between is free. It does
/// not say by what, nor how many visits a stretch holds.
#[utoipa::path(get, path = "/v1/engagements/{engagement}/free-busy", tag = "calendars",
    params(("engagement" = EngagementId, Path), RangeQuery),
    responses((status = 200, body = FreeBusyView, example = json!({"busy": [
        {"from": "2026-12-01T22:30:00Z", "until": "2026-12-02T01:30:00Z"}
    ]})))
)]
pub(super) async fn show_free_busy(
    State(context): State<Shared>,
    caller: Caller,
    Path(engagement): Path<EngagementId>,
    Query(range): Query<RangeQuery>,
) -> Result<Response, Problem> {
    let (_, held) = see_engagement(&context, &caller, engagement, Duty::Schedules).await?;
    if !held.value.is_live() {
        // Those who have parted have no times to find any more.
        return Err(Problem::forbidden());
    }
    let range = range.read(context.now())?;
    let range = (range.from, range.until);
    let worker = Key::worker(held.value.worker);
    let worker = context.store.get::<SupportWorker>(&worker).await?;
    let worker = worker.ok_or_else(Problem::not_found)?.value;
    let policy = context.store.policy().await?;
    let buffer = TimeDelta::minutes(i64::from(policy.travel_buffer_minutes));
    let around = (range.0 - buffer, range.1 + buffer);
    let booked = booked(&context, worker.person, around).await?;
    let busy = taken(&booked, worker.away(), Some(engagement), buffer, range);
    Ok(axum::Json(FreeBusyView { busy }).into_response())
}
