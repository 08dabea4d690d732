//! Calendars: links by which calendar programs read when somebody has visits, and when they are free.

mod feed;
mod free_busy;
mod links;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use domain::access::{self, Authority, Scope};
use domain::client::Client;
use domain::feed::{Feed, FeedOf, Feeds};
use domain::id::{PersonId, PersonKind};
use domain::person::Person;
use domain::schedule::{Busy, Month};
use domain::support_worker::SupportWorker;
use platform::link::LinkPurpose;
use store::{Key, StoreError};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::booking::{self, FARTHEST_DAYS};
use crate::context::{Context, Shared};
use crate::problem::Problem;

/// How far back a calendar goes, in days.
const DAYS_BACK: i64 = 35;

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(
            links::list_calendar_links,
            links::open_calendar_link
        ))
        .routes(routes!(links::revoke_calendar_link))
        .routes(routes!(feed::show_calendar))
        .routes(routes!(feed::show_calendar_free_busy))
        .routes(routes!(free_busy::show_free_busy))
}

/// The token that opens one link of a person: derived again each time, and stored nowhere.
fn token(context: &Context, person: PersonId, feed: Feed) -> String {
    let links = context.key.links(LinkPurpose::Calendar);
    links.token(person, feed.number)
}

/// The link that a token opens, with the person whose visits it shows.
///
/// INVARIANT: it opens nothing that its holder could not see at this moment. Whoever loses an authority, or is no
/// support worker any more, keeps a link that finds nothing; and so does a record that was merged into another, since
/// its links stand in no list any more by which somebody could revoke them.
///
/// # Errors
/// 404 for every token that opens nothing, whatever the reason.
async fn opened(context: &Context, file: &str) -> Result<(Feed, PersonId), Problem> {
    let token = file.strip_suffix(".ics").unwrap_or(file);
    let links = context.key.links(LinkPurpose::Calendar);
    let read = links.verify::<PersonKind>(token);
    let (holder, number) = read.map_err(|_| Problem::not_found())?;
    let feeds = context.store.get::<Feeds>(&Key::feeds(holder)).await?;
    let feed = feeds.and_then(|feeds| feeds.value.find(number));
    let feed = feed.ok_or_else(Problem::not_found)?;
    let holder = context.store.get::<Person>(&Key::person(holder)).await?;
    let holder = holder.filter(|holder| holder.value.merged_into.is_none());
    let holder = holder.ok_or_else(Problem::not_found)?.value;
    let shown = shown_to(context, &holder, feed.of).await?;
    Ok((feed, shown.ok_or_else(Problem::not_found)?))
}

/// The person whose visits they are, where `holder` may see them now.
async fn shown_to(
    context: &Context,
    holder: &Person,
    of: FeedOf,
) -> Result<Option<PersonId>, StoreError> {
    let store = &context.store;
    match of {
        FeedOf::Client(client) => {
            let key = Key::authority(client, holder.id);
            let held = store.get::<Authority>(&key).await?;
            let held = held.as_ref().map(|held| &held.value);
            let now = context.now();
            if access::for_client(holder, client, held, Scope::Engagements, now).is_err() {
                return Ok(None);
            }
            let client = store.get::<Client>(&Key::client(client)).await?;
            Ok(client.map(|client| client.value.person))
        }
        FeedOf::SupportWorker(worker) => {
            if access::as_worker(holder, worker).is_err() {
                return Ok(None);
            }
            let worker = store.get::<SupportWorker>(&Key::worker(worker)).await?;
            Ok(worker.map(|worker| worker.value.person))
        }
    }
}

/// As far as calendars go from now: some weeks back, and ahead as far as anything is booked.
fn range(context: &Context) -> (DateTime<Utc>, DateTime<Utc>) {
    let now = context.now();
    (
        now - TimeDelta::days(DAYS_BACK),
        now + TimeDelta::days(FARTHEST_DAYS),
    )
}

/// What is on a person's sheets in this range, each visit once.
async fn booked(
    context: &Context,
    person: PersonId,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<Busy>, Problem> {
    let person = context.living_person(person).await?;
    let person = person.ok_or_else(Problem::not_found)?.value.id;
    let records = booking::records_of(context, person).await?;
    let months = Month::touched(from, until);
    let sheets = booking::sheets(context, &records, &months).await?;
    let mut booked: Vec<Busy> = sheets
        .iter()
        .flat_map(|sheet| sheet.value.booked.iter().copied())
        .filter(|busy| busy.from < until && from < busy.until)
        .collect();
    booked.sort_by_key(|busy| (busy.from, busy.visit));
    booked.dedup_by_key(|busy| busy.visit);
    Ok(booked)
}

/// A calendar as an answer.
fn as_file(calendar: String) -> Response {
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/calendar; charset=utf-8"),
        ),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("inline; filename=\"visits.ics\""),
        ),
    ];
    (headers, calendar).into_response()
}
