//! Booked visits: shown to both sides, cancelled by either, started and completed by the support worker, and confirmed
//! or disputed by the client.

mod account;
mod cancellation;
mod deadline;
mod settlement;
mod statement;
mod view;

pub(crate) use deadline::{armed, when_due as deadline_when_due};
pub(crate) use settlement::{ahead, as_quoted, call_off, settles, when_due};

use std::fmt::Display;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::access::{self, Duty};
use domain::eligibility::{Broken, startable};
use domain::engagement::{Engagement, Happening, Side};
use domain::id::{EngagementId, VisitId};
use domain::notice::Told;
use domain::ticket::{Ticket, TicketCause};
use domain::visit::{
    CompleteVisitError, CorrectVisitError, StartVisitError, UnlikelyTime, Visit, VisitState,
};
use domain::vocabulary::Vocabulary;
use serde::Deserialize;
use store::{Commit, EngagementVisit, Key, StoreError, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::view::VisitView;
use crate::body::Command;
use crate::booking::Both;
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::conversation::tell;
use crate::path::Path;
use crate::perform::{Decision, Tagged, once};
use crate::problem::Problem;
use crate::standing::{Party, act_in_engagement, in_engagement, see_engagement};
use crate::{cover, on_call};

/// The most visits of one engagement that are looked through.
const MOST_VISITS: usize = 10_000;

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(show_visit))
        .routes(routes!(start_visit))
        .routes(routes!(complete_visit))
        .routes(routes!(correct_visit))
        .merge(cancellation::router())
        .merge(account::router())
        .merge(statement::router())
}

/// Show a visit
///
/// The support worker sees where the client lives while a visit there is booked or under way. Staff who look after
/// alerts see the visits that they are called for.
#[utoipa::path(get, path = "/v1/visits/{visit}", tag = "visits", params(("visit" = VisitId, Path)),
    responses((status = 200, body = VisitView, example = json!({
        "id": "vis_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "engagement": "eng_0190b2f06bd47c5a9a3e5b7f21d4c8ab",
        "client": "clt_0190b2f06bd47c5a9a3e5b7f21d4c8ac", "worker": "wrk_0190b2f06bd47c5a9a3e5b7f21d4c8ad",
        "proposal": "prop_0190b2f06bd47c5a9a3e5b7f21d4c8ae", "revision": 2, "series": null, "state": "confirmed",
        "service": "social_support", "from": "2026-12-01T09:00:00+10:00", "until": "2026-12-01T11:00:00+10:00",
        "time_zone": "Australia/Brisbane", "minutes": 120, "place": "home", "suburb": "West End",
        "home_address": null, "notes": "",
        "booked_by": {"by": "per_0190b2f06bd47c5a9a3e5b7f21d4c8af", "on_behalf_of": null},
        "booked_at": "2026-11-25T02:00:00Z", "essential": false, "sequence": 0, "change_request": null,
        "cover": null, "covers": null, "covered_by": null,
        "started_at": "2026-11-30T23:02:00Z", "completed_at": "2026-12-01T01:02:20Z",
        "worked": {
            "minutes": 120, "unpriced_minutes": 0,
            "price": {"parts": [{"band": "weekday_daytime", "minutes": 120, "hourly": 6000, "worker_gets": 12000}],
                      "total": {"client_pays": 12300, "worker_gets": 12000, "service_keeps": 300}},
            "recorded_at": "2026-12-01T01:02:20Z", "disputable_until": "2026-12-29T01:02:20Z"
        },
        "confirmation": {"by": "silence", "acting": null, "at": "2026-12-02T01:02:20Z",
                         "charge": {"client_pays": 12300, "worker_gets": 12000, "service_keeps": 300}},
        "dispute": null, "cancellation": null,
        "cancellation_terms": {"rules": {"notice": {"hours": 24}, "charge_basis_points": 10000},
                               "free_until": "2026-11-29T23:00:00Z"},
        "terms_version": 1,
        "price": {"parts": [{"band": "weekday_daytime", "minutes": 120, "hourly": 6000, "worker_gets": 12000}],
                  "total": {"client_pays": 12300, "worker_gets": 12000, "service_keeps": 300}},
        "charge": {"client_pays": 12300, "worker_gets": 12000, "service_keeps": 300}
    })))
)]
async fn show_visit(
    State(context): State<Shared>,
    caller: Caller,
    Path(visit): Path<VisitId>,
) -> Result<Response, Problem> {
    Ok(show(&context, &caller, visit).await?.into_response())
}

async fn show(
    context: &Context,
    caller: &Caller,
    visit: VisitId,
) -> Result<Tagged<VisitView>, Problem> {
    let Versioned { version, value } = load(context, visit).await?;
    let duty = duty_to_see(caller, &value);
    let seen = see_engagement(context, caller, value.engagement, duty).await?;
    let (side, Versioned { value: held, .. }) = seen;
    // Those who have parted, or were stopped, keep no way to the door, even before what was booked is cancelled.
    let may_come = !held.visits_are_off() && value.shows_address(context.now());
    let shown = side == Some(Side::Worker) && may_come;
    let home_address = if shown {
        let both = Both::of(context, &held).await?;
        both.address().map(str::to_owned)
    } else {
        None
    };
    Ok(Tagged {
        version,
        view: VisitView::of(value, side, home_address),
    })
}

/// Staff who hear disputes see the visits that they are about, and those who answer alerts what they are called for,
/// whatever else they may see.
fn duty_to_see(caller: &Caller, visit: &Visit) -> Duty {
    let has = |duty| access::staff(&caller.person.value, duty).is_ok();
    match visit.dispute.is_some() && !has(Duty::Schedules) && has(Duty::Disputes) {
        true => Duty::Disputes,
        false => on_call::duty_to_see(caller, visit),
    }
}

pub(crate) async fn load(context: &Context, visit: VisitId) -> Result<Versioned<Visit>, Problem> {
    let found = context.store.get(&Key::visit(visit)).await?;
    found.ok_or_else(Problem::not_found)
}

/// Every visit that was ever booked in an engagement.
async fn of_engagement(
    context: &Context,
    engagement: EngagementId,
) -> Result<Vec<Versioned<Visit>>, StoreError> {
    let pk = Key::engagement(engagement).pk;
    let marks = context
        .store
        .list_all::<EngagementVisit>(&pk, "VISIT#", MOST_VISITS)
        .await?;
    let keys: Vec<Key> = marks
        .iter()
        .map(|mark| Key::visit(mark.value.visit))
        .collect();
    context.store.get_many(&keys).await
}

/// When something really was.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReallyAt {
    /// When it really was; just now where nothing is said.
    #[schema(example = "2026-12-01T09:02:00+10:00")]
    #[serde(default)]
    at: Option<DateTime<Utc>>,
}

/// Start a visit
///
/// By the support worker, at most 30 minutes before its time. Whoever comes to say so later says when it really was.
#[utoipa::path(post, path = "/v1/visits/{visit}/start", tag = "visits", params(("visit" = VisitId, Path)),
    request_body(content = ReallyAt, example = json!({})),
    responses((status = 201, body = VisitView))
)]
async fn start_visit(
    State(context): State<Shared>,
    caller: Caller,
    Path(visit): Path<VisitId>,
    command: Command<ReallyAt>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let done = once(&context, by, &command.key, || async {
        let was = load(&context, visit).await?;
        let engagement = was.value.engagement;
        let party = act_in_engagement(&context, &caller, engagement, Some(Side::Worker)).await?;
        let held = &party.engagement.value;
        let both = Both::of(&context, held).await?;
        let (policy, now) = (context.store.policy().await?, context.now());
        let visited = both.visited(&was.value.details, now);
        let broken = startable(&visited, &both.worker.value);
        let next = was.value.start(command.body.at, broken, &policy, now)?;
        if held.visits_are_off() {
            let detail = "visits were stopped; it does not take place";
            return Err(Problem::wrong_state("visits-stopped", detail));
        }
        let audit = context.audit(party.acting, "start_visit", &Key::visit(visit));
        let commit = armed(Commit::new(audit).replace(&was, &next), &next);
        let commit = cover::unless_wanted(&context, commit, &next).await?;
        let commit = on_call::has_settled(&context, commit, was.value.alert).await?;
        let commit = tell_of(
            &context,
            commit,
            held,
            Happening::VisitStarted,
            visit,
            Told::Client,
        );
        let commit = party.insisted_on(both.insisted_on(commit));
        Ok(Decision::new(commit, visit))
    })
    .await?;
    let view = show(&context, &caller, visit).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

/// Complete a visit
///
/// By the support worker who started it. What was worked, in whole minutes, is priced under the terms of the booking;
/// minutes in a time band without an agreed rate cost nothing. It confirms itself after a day, at no more than was
/// booked, where the client neither confirms nor disputes it.
#[utoipa::path(post, path = "/v1/visits/{visit}/completion", tag = "visits", params(("visit" = VisitId, Path)),
    request_body(content = ReallyAt, example = json!({})),
    responses((status = 201, body = VisitView))
)]
async fn complete_visit(
    State(context): State<Shared>,
    caller: Caller,
    Path(visit): Path<VisitId>,
    command: Command<ReallyAt>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let done = once(&context, by, &command.key, || async {
        let was = load(&context, visit).await?;
        let engagement = was.value.engagement;
        let party = match was.value.state {
            // What was begun is finished, whatever has become of the engagement meanwhile.
            VisitState::Started => on_side(&context, &caller, &was.value, Side::Worker).await?,
            VisitState::Booked
            | VisitState::Completed
            | VisitState::Confirmed
            | VisitState::Disputed
            | VisitState::Cancelled
            | VisitState::Missed => {
                act_in_engagement(&context, &caller, engagement, Some(Side::Worker)).await?
            }
        };
        let held = &party.engagement.value;
        let policy = context.store.policy().await?;
        let next = was
            .value
            .complete(command.body.at, &policy, context.now())?;
        let audit = context.audit(party.acting, "complete_visit", &Key::visit(visit));
        let commit = armed(Commit::new(audit).replace(&was, &next), &next);
        let commit = tell_of(
            &context,
            commit,
            held,
            Happening::VisitCompleted,
            visit,
            Told::Client,
        );
        Ok(Decision::new(party.insisted_on(commit), visit))
    })
    .await?;
    let view = show(&context, &caller, visit).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

/// When a visit really was.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CorrectVisit {
    /// When the support worker really began.
    started_at: DateTime<Utc>,
    /// When they really finished.
    completed_at: DateTime<Utc>,
}

/// Correct what was written down of a visit
///
/// By the support worker, until the client has confirmed or disputed it. It is new to the client then, who has a day
/// again to say something to it. A visit that took place though nobody said that it began can be written down so, too:
/// within seven days, by a support worker who could begin it now. It waits for the client to confirm or dispute it then,
/// however long that takes.
#[utoipa::path(post, path = "/v1/visits/{visit}/correction", tag = "visits", params(("visit" = VisitId, Path)),
    request_body(content = CorrectVisit, example = json!({
        "started_at": "2026-12-01T09:02:00+10:00", "completed_at": "2026-12-01T11:00:00+10:00"
    })),
    responses((status = 201, body = VisitView))
)]
async fn correct_visit(
    State(context): State<Shared>,
    caller: Caller,
    Path(visit): Path<VisitId>,
    command: Command<CorrectVisit>,
) -> Result<Response, Problem> {
    let CorrectVisit {
        started_at,
        completed_at,
    } = command.body;
    let done = once(&context, caller.person.value.id, &command.key, || async {
        let was = load(&context, visit).await?;
        let party = on_side(&context, &caller, &was.value, Side::Worker).await?;
        let both = Both::of(&context, &party.engagement.value).await?;
        let (policy, now) = (context.store.policy().await?, context.now());
        let broken = startable(&both.visited(&was.value.details, now), &both.worker.value);
        let next = (was.value).correct(started_at, completed_at, broken, &policy, now)?;
        let audit = context.audit(party.acting, "correct_visit", &Key::visit(visit));
        let commit = armed(Commit::new(audit).replace(&was, &next), &next);
        let commit = on_call::has_settled(&context, commit, was.value.alert).await?;
        // Both had heard that it did not take place; staff see to it that the client answers.
        let commit = match was.value.state {
            VisitState::Missed => {
                let ticket = TicketCause::VisitRecordedLate;
                commit.insert(&Ticket::open(context.fresh(), ticket, visit, now))
            }
            _ => commit,
        };
        let happening = match next.waits_for_client() {
            true => Happening::VisitRecordedLate,
            false => Happening::VisitCorrected,
        };
        let commit = tell_of(
            &context,
            both.insisted_on(commit),
            &party.engagement.value,
            happening,
            visit,
            Told::Client,
        );
        Ok(Decision::new(party.insisted_on(commit), visit))
    })
    .await?;
    let view = show(&context, &caller, visit).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

/// The caller on one side of a visit's engagement, whether or not it has ended: what was begun comes to its end.
async fn on_side(
    context: &Context,
    caller: &Caller,
    visit: &Visit,
    side: Side,
) -> Result<Party, Problem> {
    let party = in_engagement(context, caller, visit.engagement).await?;
    match party.side == side {
        true => Ok(party),
        false => Err(Problem::forbidden()),
    }
}

fn tell_of(
    context: &Context,
    commit: Commit,
    engagement: &Engagement,
    happening: Happening,
    visit: VisitId,
    told: Told,
) -> Commit {
    let about = Some(visit.to_string());
    tell(context, commit, engagement, happening, about, told)
}

impl From<StartVisitError> for Problem {
    fn from(error: StartVisitError) -> Self {
        match error {
            StartVisitError::AlreadyStarted => Self::wrong_state("visit-started", error),
            StartVisitError::Completed => Self::wrong_state("visit-completed", error),
            StartVisitError::Cancelled => Self::wrong_state("visit-cancelled", error),
            StartVisitError::Missed => Self::wrong_state("visit-missed", error),
            StartVisitError::Early(_) => Self::wrong_state("visit-early", error),
            StartVisitError::Time(unlikely) => unlikely.into(),
            StartVisitError::NotEligible(broken) => not_eligible(broken, error),
        }
    }
}

fn not_eligible(broken: Broken, error: impl Display) -> Problem {
    let labels: Vec<&str> = broken.rules().map(Vocabulary::label).collect();
    Problem::wrong_state("support-worker-not-eligible", error).with("needed", labels)
}

impl From<CompleteVisitError> for Problem {
    fn from(error: CompleteVisitError) -> Self {
        match error {
            CompleteVisitError::NotStarted => Self::wrong_state("visit-not-started", error),
            CompleteVisitError::AlreadyCompleted => Self::wrong_state("visit-completed", error),
            CompleteVisitError::Cancelled => Self::wrong_state("visit-cancelled", error),
            CompleteVisitError::Time(unlikely) => unlikely.into(),
        }
    }
}

impl From<CorrectVisitError> for Problem {
    fn from(error: CorrectVisitError) -> Self {
        match error {
            CorrectVisitError::NotCompleted => Self::wrong_state("visit-not-completed", error),
            CorrectVisitError::Confirmed => Self::wrong_state("visit-confirmed", error),
            CorrectVisitError::Disputed => Self::wrong_state("visit-disputed", error),
            CorrectVisitError::Missed(_) => Self::wrong_state("visit-missed", error),
            CorrectVisitError::Covered => Self::wrong_state("visit-covered", error),
            CorrectVisitError::NotEligible(broken) => not_eligible(broken, error),
            CorrectVisitError::Cancelled => Self::wrong_state("visit-cancelled", error),
            CorrectVisitError::Start(unlikely) => Self::invalid_field("/started_at", unlikely),
            CorrectVisitError::End(unlikely) => Self::invalid_field("/completed_at", unlikely),
        }
    }
}

impl From<UnlikelyTime> for Problem {
    fn from(unlikely: UnlikelyTime) -> Self {
        Self::invalid_field("/at", unlikely)
    }
}
