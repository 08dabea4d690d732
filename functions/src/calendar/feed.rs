//! What calendar programs read by a link.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use chrono::TimeDelta;
use domain::calendar;
use domain::engagement::Engagement;
use domain::feed::FeedOf;
use domain::id::EngagementId;
use domain::schedule::{Busy, taken};
use domain::support_worker::SupportWorker;
use domain::visit::Visit;
use store::{Key, Versioned};

use super::{as_file, booked, opened, range};
use crate::context::{Context, Shared};
use crate::path::Path;
use crate::problem::Problem;

/// Read a calendar
///
/// RFC 5545, by a link that its holder opened: the visits of the last five weeks and all that are booked. Each event
/// says when, in the local time of its place, and leads to the app for everything else. No access token is needed.
#[utoipa::path(get, path = "/v1/calendars/{token}", tags = ["calendars", crate::api::PUBLIC_TAG],
    params(("token" = String, Path, description = "From the link, with or without `.ics`")),
    responses((status = 200, content_type = "text/calendar", body = String, example = "BEGIN:VCALENDAR\r\n…"))
)]
pub(super) async fn show_calendar(
    State(context): State<Shared>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    let (feed, person) = opened(&context, &token).await?;
    let range = range(&context);
    let booked = booked(&context, person, range).await?;
    let keys: Vec<Key> = booked.iter().map(|busy| Key::visit(busy.visit)).collect();
    let visits = context.store.get_many::<Visit>(&keys).await?;
    let mut visits: Vec<Visit> = visits.into_iter().map(|visit| visit.value).collect();
    // A sheet only finds: what the visit says now is what counts.
    visits.retain(|visit| feed.of.is_of(visit.client, visit.worker) && visit.counts());
    visits.sort_by_key(|visit| (visit.from, visit.id));
    let name = format!("{}: visits", context.deployment.organisation);
    let app = &context.deployment.app_url;
    Ok(as_file(calendar::of_visits(&name, app, &visits)))
}

/// Read when somebody is taken
///
/// RFC 5545 free and busy time, by the same link: when they have visits, are on the way between two or are on leave, and
/// nothing of what for. Of somebody who is both a client and a support worker it says what the link is to. No access
/// token is needed.
#[utoipa::path(get, path = "/v1/calendars/{token}/free-busy", tags = ["calendars", crate::api::PUBLIC_TAG],
    params(("token" = String, Path, description = "From the link")),
    responses((status = 200, content_type = "text/calendar", body = String, example = "BEGIN:VCALENDAR\r\n…"))
)]
pub(super) async fn show_calendar_free_busy(
    State(context): State<Shared>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    let (feed, person) = opened(&context, &token).await?;
    let range = range(&context);
    let policy = context.store.policy().await?;
    let buffer = TimeDelta::minutes(i64::from(policy.travel_buffer_minutes));
    let booked = booked(&context, person, range).await?;
    let booked = only_of(&context, feed.of, booked).await?;
    let worker = match feed.of {
        FeedOf::SupportWorker(worker) => context.store.get(&Key::worker(worker)).await?,
        FeedOf::Client(_) => None,
    };
    let worker: Option<Versioned<SupportWorker>> = worker;
    let away = worker.iter().flat_map(|worker| worker.value.away());
    let busy = taken(&booked, away, None, buffer, range);
    let uid = format!("free-busy-{}-{person}", feed.number);
    Ok(as_file(calendar::of_busy(
        &uid,
        range,
        &busy,
        context.now(),
    )))
}

/// What of it is the client's, or the support worker's, that a link is to: one person can be both, and the calendars of
/// each may be read by others. A visit is on a sheet under the engagement of its two, also where it covers another.
async fn only_of(
    context: &Context,
    of: FeedOf,
    mut booked: Vec<Busy>,
) -> Result<Vec<Busy>, Problem> {
    // By engagement: a visit of a series may not have been made yet.
    let engagements: BTreeSet<EngagementId> = booked.iter().map(|busy| busy.engagement).collect();
    let keys: Vec<Key> = engagements.into_iter().map(Key::engagement).collect();
    let engagements = context.store.get_many::<Engagement>(&keys).await?;
    let engagements = engagements.into_iter().map(|held| held.value);
    let theirs: BTreeSet<EngagementId> = engagements
        .filter(|held| of.is_of(held.client, held.worker))
        .map(|held| held.id)
        .collect();
    booked.retain(|busy| theirs.contains(&busy.engagement));
    Ok(booked)
}
