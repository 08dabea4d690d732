//! Schedules: what is booked for a client, for a support worker, and for everybody.
//!
//! A person's is read from their busy sheets, everybody's from the list of a month; a visit is read again
//! for each, so that all three show the same.

mod everybody;

use std::collections::BTreeSet;

use axum::extract::{OriginalUri, State};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Datelike, FixedOffset, TimeDelta, Utc};
use domain::access::{Duty, Scope};
use domain::client::Client;
use domain::id::{ClientId, EngagementId, PersonId, SeriesId, VisitId, WorkerId};
use domain::schedule::Month;
use domain::support_worker::SupportWorker;
use domain::visit::{Visit, VisitState};
use domain::vocabulary::Service;
use serde::{Deserialize, Serialize};
use store::{Key, StoreError};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::booking;
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::page::{Listed, PageQuery};
use crate::path::{Path, Query};
use crate::problem::Problem;
use crate::standing::{as_worker, for_client, on_duty};

/// How much is shown unless told, in days.
const USUAL_DAYS: i64 = 28;
/// How much is shown at most, in days.
const MOST_DAYS: i64 = 366;

/// The years that can be asked for.
const KNOWN_YEARS: std::ops::RangeInclusive<i32> = 1970..=2200;

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(show_client_schedule))
        .routes(routes!(show_worker_schedule))
        .routes(routes!(everybody::show_schedule))
}

/// Which part of a schedule is wanted: whatever takes place at some time in it.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RangeQuery {
    /// Its beginning; now unless told.
    from: Option<DateTime<Utc>>,
    /// Its end; 28 days after the beginning unless told, and at most 366.
    until: Option<DateTime<Utc>>,
}

/// A stretch of time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    pub(crate) from: DateTime<Utc>,
    pub(crate) until: DateTime<Utc>,
}

impl RangeQuery {
    pub(crate) fn read(self, now: DateTime<Utc>) -> Result<Range, Problem> {
        let from = self.from.unwrap_or(now);
        if !KNOWN_YEARS.contains(&from.year()) {
            return Err(Problem::invalid_field("?from", "is within a lifetime"));
        }
        let after = |days| from + TimeDelta::days(days);
        let until = self.until.unwrap_or(after(USUAL_DAYS));
        if until <= from || after(MOST_DAYS) < until {
            let detail = format!("is after `from`, and at most {MOST_DAYS} days after it");
            return Err(Problem::invalid_field("?until", detail));
        }
        Ok(Range { from, until })
    }
}

impl Range {
    fn holds(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> bool {
        from < self.until && self.from < until
    }
}

/// A visit as it stands on a schedule: the same on everybody's.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScheduledVisit {
    visit: VisitId,
    engagement: EngagementId,
    client: ClientId,
    worker: WorkerId,
    /// The series that it belongs to, if it does.
    series: Option<SeriesId>,
    state: VisitState,
    service: Service,
    /// When it begins, with the offset of its place.
    from: DateTime<FixedOffset>,
    /// When it ends.
    until: DateTime<FixedOffset>,
    /// IANA name of the place's time zone.
    time_zone: String,
    /// Suburb in which it takes place.
    suburb: String,
}

impl ScheduledVisit {
    pub(crate) fn of(visit: Visit) -> Self {
        Self {
            from: visit.details.local(visit.from),
            until: visit.details.local(visit.until),
            visit: visit.id,
            engagement: visit.engagement,
            client: visit.client,
            worker: visit.worker,
            series: visit.series,
            state: visit.state,
            service: visit.details.service,
            time_zone: visit.details.time_zone,
            suburb: visit.suburb,
        }
    }
}

/// Show a client's schedule
///
/// The earliest first.
#[utoipa::path(get, path = "/v1/clients/{client}/schedule", tag = "schedules",
    params(("client" = ClientId, Path), RangeQuery, PageQuery),
    responses((status = 200, body = Listed<ScheduledVisit>, example = json!({"items": [{
        "visit": "vis_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "engagement": "eng_0190b2f06bd47c5a9a3e5b7f21d4c8ab",
        "client": "clt_0190b2f06bd47c5a9a3e5b7f21d4c8ac", "worker": "wrk_0190b2f06bd47c5a9a3e5b7f21d4c8ad",
        "series": null, "state": "booked", "service": "social_support", "from": "2026-12-01T09:00:00+10:00",
        "until": "2026-12-01T11:00:00+10:00", "time_zone": "Australia/Brisbane", "suburb": "West End"
    }]})))
)]
async fn show_client_schedule(
    State(context): State<Shared>,
    caller: Caller,
    Path(client): Path<ClientId>,
    OriginalUri(uri): OriginalUri,
    Query(range): Query<RangeQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    if on_duty(&caller, Duty::Schedules).is_err() {
        for_client(&context, &caller, client, Scope::Engagements).await?;
    }
    let range = range.read(context.now())?;
    let found = context.store.get::<Client>(&Key::client(client)).await?;
    let person = found.ok_or_else(Problem::not_found)?.value.person;
    let theirs = |visit: &Visit| visit.client == client;
    let shown = of_person(&context, person, range, &page, theirs).await?;
    Ok(shown.at(&uri))
}

/// Show a support worker's schedule
///
/// The earliest first.
#[utoipa::path(get, path = "/v1/support-workers/{worker}/schedule", tag = "schedules",
    params(("worker" = WorkerId, Path), RangeQuery, PageQuery),
    responses((status = 200, body = Listed<ScheduledVisit>, example = json!({"items": []})))
)]
async fn show_worker_schedule(
    State(context): State<Shared>,
    caller: Caller,
    Path(worker): Path<WorkerId>,
    OriginalUri(uri): OriginalUri,
    Query(range): Query<RangeQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    if on_duty(&caller, Duty::Schedules).is_err() {
        as_worker(&context, &caller, worker).await?;
    }
    let range = range.read(context.now())?;
    let key = Key::worker(worker);
    let found = context.store.get::<SupportWorker>(&key).await?;
    let person = found.ok_or_else(Problem::not_found)?.value.person;
    let theirs = |visit: &Visit| visit.worker == worker;
    let shown = of_person(&context, person, range, &page, theirs).await?;
    Ok(shown.at(&uri))
}

/// A page of what a person's sheets hold in `range`, as far as it is `theirs` in the role that is asked for.
async fn of_person(
    context: &Context,
    person: PersonId,
    range: Range,
    page: &PageQuery,
    theirs: impl Fn(&Visit) -> bool,
) -> Result<Listed<ScheduledVisit>, Problem> {
    let after = page.cursor().map(Place::read).transpose()?;
    let person = context.living_person(person).await?;
    let person = person.ok_or_else(Problem::not_found)?.value.id;
    let records = booking::records_of(context, person).await?;
    let months = Month::touched(range.from, range.until);
    let sheets = booking::sheets(context, &records, &months).await?;
    let booked = sheets.iter().flat_map(|sheet| &sheet.value.booked);
    let places: BTreeSet<Place> = booked
        .filter(|busy| range.holds(busy.from, busy.until))
        .map(|busy| Place(busy.from, busy.visit))
        .filter(|place| after.is_none_or(|after| after < *place))
        .collect();
    let places: Vec<Place> = places.into_iter().collect();
    let limit = usize::from(page.limit());
    let mut shown: Vec<Visit> = Vec::new();
    // One more than is shown, to know whether there is another page.
    for some in places.chunks(limit + 1) {
        let keys: Vec<Key> = some.iter().map(|place| Key::visit(place.1)).collect();
        let visits = context.store.get_many::<Visit>(&keys).await?;
        let visits = visits.into_iter().map(|visit| visit.value);
        // A sheet only finds: what the visit says now is what counts.
        shown.extend(visits.filter(|visit| {
            visit.counts() && range.holds(visit.from, visit.until) && theirs(visit)
        }));
        if shown.len() > limit {
            break;
        }
    }
    let more = shown.len() > limit;
    shown.truncate(limit);
    let last = shown.last().filter(|_| more);
    Ok(Listed {
        next: last.map(|visit| Place(visit.from, visit.id).to_string()),
        items: shown.into_iter().map(ScheduledVisit::of).collect(),
    })
}

/// A place on a person's schedule, from which the next page goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place(DateTime<Utc>, VisitId);

impl Place {
    fn read(cursor: &str) -> Result<Self, Problem> {
        let place = || -> Option<Self> {
            let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
            let text = String::from_utf8(bytes).ok()?;
            let (at, visit) = text.split_once('\n')?;
            let at = DateTime::from_timestamp_micros(at.parse().ok()?)?;
            Some(Self(at, visit.parse().ok()?))
        };
        place().ok_or_else(|| StoreError::BadCursor.into())
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self(at, visit) = self;
        let text = format!("{}\n{visit}", at.timestamp_micros());
        f.write_str(&URL_SAFE_NO_PAD.encode(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_as_it_was_written_and_nothing_else_does() {
        let visit = "vis_0190b2f06bd47c5a9a3e5b7f21d4c8aa".parse().unwrap();
        let place = Place("2026-12-01T09:00:00Z".parse().unwrap(), visit);
        assert_eq!(Place::read(&place.to_string()).unwrap(), place);
        for wrong in ["", "x", "MQ", &URL_SAFE_NO_PAD.encode("1\nclt_1")] {
            assert_eq!(Place::read(wrong).unwrap_err().status(), 400, "{wrong}");
        }
    }

    #[test]
    fn a_range_is_the_next_four_weeks_unless_told() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let now = at("2026-11-25T00:00:00Z");
        let read = |from: Option<&str>, until: Option<&str>| {
            let query = RangeQuery {
                from: from.map(at),
                until: until.map(at),
            };
            let range = query.read(now).map(|range| (range.from, range.until));
            range.map_err(|problem| problem.errors()[0].pointer.clone())
        };
        let usual = now + TimeDelta::days(28);
        assert_eq!(read(None, None), Ok((now, usual)));
        let year = "2027-11-26T00:00:00Z";
        assert_eq!(read(None, Some(year)), Ok((now, at(year))));
        let wrong = Err("?until".to_owned());
        assert_eq!(read(None, Some("2027-11-26T00:00:01Z")), wrong);
        assert_eq!(read(None, Some("2026-11-25T00:00:00Z")), wrong);
        assert_eq!(
            read(Some("2027-01-01T00:00:00Z"), Some("2026-12-01T00:00:00Z")),
            wrong
        );
        let never = read(Some("+262142-12-31T00:00:00Z"), None);
        assert_eq!(never, Err("?from".to_owned()));
    }
}
