//! The schedule of everybody, for staff: the months' lists, filtered.

use axum::extract::{OriginalUri, State};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use domain::access::Duty;
use domain::id::PersonId;
use domain::person::Roles;
use domain::schedule::Month;
use domain::visit::{LONGEST_VISIT_MINUTES, Visit, VisitState};
use serde::Deserialize;
use store::{StaffPartition, StoreError};
use utoipa::IntoParams;

use super::{Range, RangeQuery, ScheduledVisit};
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::page::{Listed, PageQuery};
use crate::path::Query;
use crate::problem::Problem;
use crate::standing::on_duty;

/// How many reads one page takes at most: a filter that lets little through gives a short page sooner than a slow one.
const MOST_READS: usize = 20;

/// Which visits are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct VisitFilter {
    /// Visits to or by this person.
    person: Option<PersonId>,
    /// Visits in this suburb.
    #[param(max_length = 80)]
    place: Option<String>,
    /// Visits in this state; all but cancelled ones unless told.
    #[param(inline)]
    state: Option<VisitState>,
}

/// Show everybody's schedule
///
/// The earliest first; a page can be shorter than asked.
#[utoipa::path(get, path = "/v1/schedule", tag = "schedules", params(RangeQuery, VisitFilter, PageQuery),
    responses((status = 200, body = Listed<ScheduledVisit>, example = json!({"items": []})))
)]
pub(super) async fn show_schedule(
    State(context): State<Shared>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Query(range): Query<RangeQuery>,
    Query(filter): Query<VisitFilter>,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    on_duty(&caller, Duty::Schedules)?;
    let range = range.read(context.now())?;
    let wanted = Wanted::read(&context, filter, range).await?;
    let (visits, next) = found(&context, &wanted, &page).await?;
    let items = visits.into_iter().map(ScheduledVisit::of).collect();
    Ok(Listed { items, next }.at(&uri))
}

/// Which visits are wanted, as a visit can be held against it.
struct Wanted {
    range: Range,
    /// Who a person is to visits; none for everybody's.
    roles: Option<Roles>,
    place: Option<String>,
    state: Option<VisitState>,
}

impl Wanted {
    async fn read(context: &Context, filter: VisitFilter, range: Range) -> Result<Self, Problem> {
        let roles = match filter.person {
            // Of somebody who is not known there are no visits.
            Some(person) => {
                let person = context.living_person(person).await?;
                Some(person.map_or_else(Roles::default, |person| person.value.roles))
            }
            None => None,
        };
        Ok(Self {
            range,
            roles,
            place: filter.place.map(|place| place.trim().to_lowercase()),
            state: filter.state,
        })
    }

    fn holds(&self, visit: &Visit) -> bool {
        let theirs = |roles: &Roles| {
            roles.clients.contains(&visit.client) || roles.workers.contains(&visit.worker)
        };
        self.range.holds(visit.from, visit.until)
            && self
                .state
                .map_or(visit.counts(), |state| state == visit.state)
            && self.roles.as_ref().is_none_or(theirs)
            && (self.place.as_ref()).is_none_or(|place| *place == visit.suburb.to_lowercase())
    }

    /// The months in whose lists they can stand: by their beginning, which may lie before the range.
    fn months(&self) -> Vec<Month> {
        let longest = TimeDelta::minutes(i64::from(LONGEST_VISIT_MINUTES));
        Month::touched(self.range.from - longest, self.range.until)
    }
}

/// A page of them, and where the next begins.
async fn found(
    context: &Context,
    wanted: &Wanted,
    page: &PageQuery,
) -> Result<(Vec<Visit>, Option<String>), Problem> {
    let limit = usize::from(page.limit());
    let (start, mut within) = match page.cursor().map(read_cursor).transpose()? {
        Some((month, within)) => (Some(month), within),
        None => (None, None),
    };
    let mut months = (wanted.months().into_iter())
        .filter(|month| start.is_none_or(|start| start <= *month))
        .peekable();
    let mut shown: Vec<Visit> = Vec::new();
    for _ in 0..MOST_READS {
        let Some(month) = months.peek().copied() else {
            return Ok((shown, None));
        };
        let left = u16::try_from(limit.saturating_sub(shown.len())).unwrap_or(u16::MAX);
        if left == 0 {
            return Ok((shown, Some(write_cursor(month, within.as_deref()))));
        }
        let partition = StaffPartition::Visits(month);
        let found = context
            .store
            .staff_list::<Visit>(partition, false, left, within.as_deref())
            .await?;
        let over = |visit: &Visit| wanted.range.until <= visit.from;
        let past = found.items.iter().any(|visit| over(&visit.value));
        let visits = found.items.into_iter().map(|visit| visit.value);
        shown.extend(visits.filter(|visit| wanted.holds(visit)));
        if past {
            return Ok((shown, None));
        }
        within = found.next;
        if within.is_none() {
            months.next();
        }
    }
    let next = months.peek();
    let next = next.map(|month| write_cursor(*month, within.as_deref()));
    Ok((shown, next))
}

/// A month, and a place within its list.
fn write_cursor(month: Month, within: Option<&str>) -> String {
    URL_SAFE_NO_PAD.encode(format!("{month}\n{}", within.unwrap_or_default()))
}

fn read_cursor(cursor: &str) -> Result<(Month, Option<String>), Problem> {
    let read = || -> Option<_> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (month, within) = text.split_once('\n')?;
        let within = Some(within.to_owned()).filter(|within| !within.is_empty());
        Some((month.parse().ok()?, within))
    };
    read().ok_or_else(|| StoreError::BadCursor.into())
}
