//! A person's own links to calendars: made, shown again, and revoked.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::access::Scope;
use domain::feed::{Feed, FeedOf, Feeds, OpenFeedError, RevokeFeedError};
use domain::id::PersonId;
use serde::{Deserialize, Serialize};
use store::{Commit, Key, Versioned};
use utoipa::ToSchema;

use super::token;
use crate::body::{Command, Nothing};
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::page::Listed;
use crate::path::Path;
use crate::perform::{Decision, once};
use crate::problem::Problem;
use crate::standing::{as_worker, for_client};

/// A link to a calendar.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CalendarLinkView {
    /// Which of the caller's links.
    number: u32,
    of: FeedOf,
    since: DateTime<Utc>,
    /// The path of the calendar, for a calendar program to subscribe to. Whoever has it can read it: it is only for
    /// the caller's own programs.
    #[schema(example = "/v1/calendars/per_0190b2f06bd47c5a9a3e5b7f21d4c8aa.1.3q2-7w.ics")]
    calendar: String,
    /// The path of the calendar that says when they are taken, and nothing else.
    free_busy: String,
}

impl CalendarLinkView {
    fn of(context: &Context, person: PersonId, feed: Feed) -> Self {
        let calendar = format!("/v1/calendars/{}", token(context, person, feed));
        Self {
            number: feed.number,
            of: feed.of,
            since: feed.since,
            free_busy: format!("{calendar}/free-busy"),
            calendar: format!("{calendar}.ics"),
        }
    }
}

/// Whose calendar is wanted.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WantedCalendar {
    of: FeedOf,
}

/// Open a link to a calendar
///
/// For the caller's own calendar programs, to the visits of a client or a support worker whose schedule they may see.
/// The link needs no signing in. It ends when it is revoked, and finds nothing once its holder may not see the
/// schedule any more, or their record was merged into another: then it is opened anew.
#[utoipa::path(post, path = "/v1/me/calendar-links", tag = "calendars",
    request_body(content = WantedCalendar, example = json!({"of": {"client": "clt_0190b2f06bd47c5a9a3e5b7f21d4c8ac"}})),
    responses((status = 201, body = CalendarLinkView))
)]
pub(super) async fn open_calendar_link(
    State(context): State<Shared>,
    caller: Caller,
    command: Command<WantedCalendar>,
) -> Result<Response, Problem> {
    own(&caller)?;
    let by = caller.person.value.id;
    let done = once(&context, by, &command.key, || async {
        let of = command.body.of;
        let was = feeds(&context, by).await?;
        let none = Feeds::none(by);
        let held = was.as_ref().map_or(&none, |was| &was.value);
        let (next, feed) = held.open(of, context.now())?;
        let key = Key::feeds(by);
        let commit = match of {
            FeedOf::Client(client) => {
                let standing = for_client(&context, &caller, client, Scope::Engagements).await?;
                let audit = context.audit(standing.acting, "open_calendar_link", &key);
                standing.insisted_on(Commit::new(audit))
            }
            FeedOf::SupportWorker(worker) => {
                let standing = as_worker(&context, &caller, worker).await?;
                let audit = context.audit(standing.acting, "open_calendar_link", &key);
                standing.insisted_on(Commit::new(audit))
            }
        };
        let commit = match &was {
            Some(was) => commit.replace(was, &next),
            None => commit.insert(&next),
        };
        Ok(Decision::new(commit, feed.number))
    })
    .await?;
    let number: u32 = done.target().parse().map_err(|_| Problem::internal())?;
    let held = feeds(&context, by).await?;
    let feed = held.and_then(|held| held.value.find(number));
    let feed = feed.ok_or_else(Problem::not_found)?;
    let view = CalendarLinkView::of(&context, by, feed);
    Ok(done.answer(StatusCode::CREATED, axum::Json(view)))
}

/// List the caller's links to calendars
///
/// Those that were not revoked, the oldest first.
#[utoipa::path(get, path = "/v1/me/calendar-links", tag = "calendars",
    responses((status = 200, body = Listed<CalendarLinkView>, example = json!({"items": [{
        "number": 1, "of": {"client": "clt_0190b2f06bd47c5a9a3e5b7f21d4c8ac"}, "since": "2026-11-25T02:00:00Z",
        "calendar": "/v1/calendars/per_0190b2f06bd47c5a9a3e5b7f21d4c8aa.1.3q2-7w.ics",
        "free_busy": "/v1/calendars/per_0190b2f06bd47c5a9a3e5b7f21d4c8aa.1.3q2-7w/free-busy"
    }]})))
)]
pub(super) async fn list_calendar_links(
    State(context): State<Shared>,
    caller: Caller,
) -> Result<Response, Problem> {
    own(&caller)?;
    let by = caller.person.value.id;
    let held = feeds(&context, by).await?;
    let live = held.map_or_else(Vec::new, |held| held.value.live);
    let view = |feed| CalendarLinkView::of(&context, by, feed);
    let listed = Listed {
        items: live.into_iter().map(view).collect(),
        next: None,
    };
    Ok(axum::Json(listed).into_response())
}

/// Revoke a link to a calendar
///
/// It opens nothing from then on.
#[utoipa::path(post, path = "/v1/me/calendar-links/{number}/revocation", tag = "calendars",
    params(("number" = u32, Path)), request_body(content = Nothing, example = json!({})),
    responses((status = 201, body = RevokedLink))
)]
pub(super) async fn revoke_calendar_link(
    State(context): State<Shared>,
    caller: Caller,
    Path(number): Path<u32>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    own(&caller)?;
    let by = caller.person.value.id;
    let done = once(&context, by, &command.key, || async {
        let was = feeds(&context, by).await?;
        let was = was.ok_or_else(Problem::not_found)?;
        let next = was.value.revoke(number)?;
        let audit = context.audit(
            domain::access::Acting::by(by),
            "revoke_calendar_link",
            &Key::feeds(by),
        );
        let commit = Commit::new(audit).replace(&was, &next);
        Ok(Decision::new(commit.unchanged(&caller.person), number))
    })
    .await?;
    Ok(done.answer(StatusCode::CREATED, axum::Json(RevokedLink { number })))
}

/// A link that opens nothing any more.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RevokedLink {
    number: u32,
}

/// A link is for whoever signs in themselves: what staff are told to do for somebody is not done with links.
fn own(caller: &Caller) -> Result<(), Problem> {
    match caller.instruction {
        Some(_) => Err(Problem::forbidden()),
        None => Ok(()),
    }
}

async fn feeds(context: &Context, person: PersonId) -> Result<Option<Versioned<Feeds>>, Problem> {
    Ok(context.store.get(&Key::feeds(person)).await?)
}

impl From<OpenFeedError> for Problem {
    fn from(error: OpenFeedError) -> Self {
        match error {
            OpenFeedError::TooMany => Self::wrong_state("too-many-calendar-links", error),
        }
    }
}

impl From<RevokeFeedError> for Problem {
    fn from(error: RevokeFeedError) -> Self {
        match error {
            RevokeFeedError::Unknown => Self::not_found(),
        }
    }
}
