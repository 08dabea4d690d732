//! Booked visits: shown to both sides, started and completed by the support worker, cancelled by staff where they
//! were booked by mistake.

mod deadline;
mod settlement;

pub(crate) use deadline::{armed, when_due as deadline_when_due};
pub(crate) use settlement::when_due;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, FixedOffset, Utc};
use domain::access::{Acting, Duty};
use domain::eligibility::startable;
use domain::engagement::{Engagement, Happening, Reasoned, Side};
use domain::id::{ClientId, EngagementId, ProposalId, VisitId, WorkerId};
use domain::notice::Told;
use domain::terms::VisitPrice;
use domain::visit::{
    CancelVisitError, CompleteVisitError, StartVisitError, Visit, VisitPlace, VisitState,
};
use domain::vocabulary::Service;
use serde::{Deserialize, Serialize};
use store::{Commit, Key, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::{Command, Nothing};
use crate::booking::{Both, free};
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::conversation::tell;
use crate::path::Path;
use crate::perform::{Decision, Tagged, once};
use crate::problem::Problem;
use crate::reason::need_reason;
use crate::standing::{act_in_engagement, in_engagement, on_duty, over_engagement, see_engagement};

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(show_visit))
        .routes(routes!(start_visit))
        .routes(routes!(complete_visit))
        .routes(routes!(cancel_visit))
}

/// A visit as both sides and staff see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct VisitView {
    id: VisitId,
    engagement: EngagementId,
    client: ClientId,
    worker: WorkerId,
    proposal: ProposalId,
    /// Exactly the revision of the proposal that was accepted.
    revision: u32,
    state: VisitState,
    service: Service,
    /// When it begins, with the offset of its place.
    from: DateTime<FixedOffset>,
    /// When it ends.
    until: DateTime<FixedOffset>,
    /// IANA name of the place's time zone.
    time_zone: String,
    minutes: u32,
    place: VisitPlace,
    /// Suburb in which it takes place.
    suburb: String,
    /// Where the client lives: for the support worker alone, while a visit there is booked or under way.
    home_address: Option<String>,
    notes: String,
    booked_by: Acting,
    booked_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    completed_at: Option<DateTime<Utc>>,
    /// Which side cancelled it, and why.
    cancellation: Option<CancellationView>,
    /// The version of the terms under which it was booked.
    terms_version: u32,
    /// What it costs, as the client saw it before it was booked.
    price: VisitPrice,
    /// The visit in whose place it was booked.
    covers: Option<VisitId>,
    /// The visit that was booked in its place.
    covered_by: Option<VisitId>,
}

/// How a visit came to be cancelled. Who it was on their side, or among the staff, is not said: an engagement that
/// was ended, or whose other side was blocked, does not say so either.
#[derive(Debug, Serialize, ToSchema)]
struct CancellationView {
    /// On which side; none for staff.
    side: Option<Side>,
    at: DateTime<Utc>,
    reason: String,
}

impl From<Reasoned> for CancellationView {
    fn from(
        Reasoned {
            side, at, reason, ..
        }: Reasoned,
    ) -> Self {
        Self { side, at, reason }
    }
}

impl VisitView {
    fn of(visit: Visit, home_address: Option<String>) -> Self {
        let local = |at| visit.details.local(at);
        Self {
            from: local(visit.from),
            until: local(visit.until),
            id: visit.id,
            engagement: visit.engagement,
            client: visit.client,
            worker: visit.worker,
            proposal: visit.proposal,
            revision: visit.revision,
            state: visit.state,
            service: visit.details.service,
            time_zone: visit.details.time_zone,
            minutes: visit.details.minutes,
            place: visit.details.place,
            suburb: visit.suburb,
            home_address,
            notes: visit.details.notes,
            booked_by: visit.booked_by,
            booked_at: visit.booked_at,
            started_at: visit.started_at,
            completed_at: visit.completed_at,
            cancellation: visit.cancellation.map(CancellationView::from),
            terms_version: visit.terms_version,
            price: visit.price,
            covers: visit.covers,
            covered_by: visit.covered_by,
        }
    }
}

/// Show a visit
///
/// The support worker sees where the client lives while a visit there is booked or under way.
#[utoipa::path(get, path = "/v1/visits/{visit}", tag = "visits", params(("visit" = VisitId, Path)),
    responses((status = 200, body = VisitView, example = json!({
        "id": "vis_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "engagement": "eng_0190b2f06bd47c5a9a3e5b7f21d4c8ab",
        "client": "clt_0190b2f06bd47c5a9a3e5b7f21d4c8ac", "worker": "wrk_0190b2f06bd47c5a9a3e5b7f21d4c8ad",
        "proposal": "prop_0190b2f06bd47c5a9a3e5b7f21d4c8ae", "revision": 2, "state": "booked",
        "service": "social_support", "from": "2026-12-01T09:00:00+10:00", "until": "2026-12-01T11:00:00+10:00",
        "time_zone": "Australia/Brisbane", "minutes": 120, "place": "home", "suburb": "West End",
        "home_address": "8 Vulture Street, West End 4101", "notes": "",
        "booked_by": {"by": "per_0190b2f06bd47c5a9a3e5b7f21d4c8af", "on_behalf_of": null},
        "booked_at": "2026-11-25T02:00:00Z", "started_at": null, "completed_at": null, "cancellation": null,
        "terms_version": 1,
        "price": {"parts": [{"band": "weekday_daytime", "minutes": 120, "hourly": 6000, "worker_gets": 12000}],
                  "total": {"client_pays": 12300, "worker_gets": 12000, "service_keeps": 300}},
        "covers": null, "covered_by": null
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
    let seen = see_engagement(context, caller, value.engagement, Duty::Schedules).await?;
    let (side, Versioned { value: held, .. }) = seen;
    // Those who have parted keep no way to the door, even before what was booked is cancelled.
    let shown = side == Some(Side::Worker) && held.is_live() && value.shows_address();
    let home_address = if shown {
        let both = Both::of(context, &held).await?;
        both.address().map(str::to_owned)
    } else {
        None
    };
    Ok(Tagged {
        version,
        view: VisitView::of(value, home_address),
    })
}

async fn load(context: &Context, visit: VisitId) -> Result<Versioned<Visit>, Problem> {
    let found = context.store.get(&Key::visit(visit)).await?;
    found.ok_or_else(Problem::not_found)
}

/// Start a visit
///
/// By the support worker, at most 30 minutes before its time.
#[utoipa::path(post, path = "/v1/visits/{visit}/start", tag = "visits", params(("visit" = VisitId, Path)),
    request_body(content = Nothing, example = json!({})),
    responses((status = 201, body = VisitView))
)]
async fn start_visit(
    State(context): State<Shared>,
    caller: Caller,
    Path(visit): Path<VisitId>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let done = once(&context, by, &command.key, || async {
        let was = load(&context, visit).await?;
        let engagement = was.value.engagement;
        let party = act_in_engagement(&context, &caller, engagement, Some(Side::Worker)).await?;
        let held = &party.engagement.value;
        let both = Both::of(&context, held).await?;
        let now = context.now();
        let visited = both.visited(&was.value.details, now);
        let broken = startable(&visited, &both.worker.value);
        let next = was.value.start(broken, now)?;
        let audit = context.audit(party.acting, "start_visit", &Key::visit(visit));
        let commit = Commit::new(audit).replace(&was, &next);
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
/// By the support worker who started it.
#[utoipa::path(post, path = "/v1/visits/{visit}/completion", tag = "visits", params(("visit" = VisitId, Path)),
    request_body(content = Nothing, example = json!({})),
    responses((status = 201, body = VisitView))
)]
async fn complete_visit(
    State(context): State<Shared>,
    caller: Caller,
    Path(visit): Path<VisitId>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let done = once(&context, by, &command.key, || async {
        let was = load(&context, visit).await?;
        let engagement = was.value.engagement;
        let party = match was.value.state {
            // What was begun is finished, whatever has become of the engagement meanwhile.
            VisitState::Started => in_engagement(&context, &caller, engagement).await?,
            VisitState::Booked
            | VisitState::Completed
            | VisitState::Confirmed
            | VisitState::Disputed
            | VisitState::Cancelled
            | VisitState::Missed => {
                act_in_engagement(&context, &caller, engagement, Some(Side::Worker)).await?
            }
        };
        if party.side != Side::Worker {
            return Err(Problem::forbidden());
        }
        let held = &party.engagement.value;
        let next = was.value.complete(context.now())?;
        let audit = context.audit(party.acting, "complete_visit", &Key::visit(visit));
        let commit = Commit::new(audit).replace(&was, &next);
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

/// Why a visit is taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Cancellation {
    /// In words for both sides; kept with the visit.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Cancel a visit booked by mistake
///
/// By staff. Both people's time is free again, and both hear of it.
#[utoipa::path(post, path = "/v1/visits/{visit}/cancellation", tag = "visits", params(("visit" = VisitId, Path)),
    request_body(content = Cancellation, example = json!({"reason": "The day was misread; both said so by telephone."})),
    responses((status = 201, body = VisitView))
)]
async fn cancel_visit(
    State(context): State<Shared>,
    caller: Caller,
    Path(visit): Path<VisitId>,
    command: Command<Cancellation>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let reason = &command.body.reason;
    on_duty(&caller, Duty::Reversals)?;
    need_reason(reason)?;
    let done = once(&context, by, &command.key, || async {
        let was = load(&context, visit).await?;
        let held = was.value.engagement;
        let standing = over_engagement(&context, &caller, held, Duty::Reversals).await?;
        let (duty, held) = (&standing.duty, &standing.engagement);
        let why = Reasoned {
            side: None,
            acting: duty.acting,
            at: context.now(),
            reason: reason.trim().to_owned(),
        };
        let next = was.value.cancel(why)?;
        let key = Key::visit(visit);
        let audit = context.correction(duty.acting, "cancel_visit", &key, Vec::new(), reason);
        let commit = Commit::new(audit).replace(&was, &next);
        let commit = free(&context, commit, &next).await?;
        let commit = tell_of(
            &context,
            commit,
            &held.value,
            Happening::VisitCancelled,
            visit,
            Told::Both,
        );
        Ok(Decision::new(duty.insisted_on(commit), visit))
    })
    .await?;
    let view = show(&context, &caller, visit).await?;
    Ok(done.answer(StatusCode::CREATED, view))
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
            StartVisitError::NotEligible(broken) => {
                let labels = broken.rules().map(domain::vocabulary::Vocabulary::label);
                let labels: Vec<&str> = labels.collect();
                Self::wrong_state("support-worker-not-eligible", error).with("needed", labels)
            }
        }
    }
}

impl From<CompleteVisitError> for Problem {
    fn from(error: CompleteVisitError) -> Self {
        let kind = match error {
            CompleteVisitError::NotStarted => "visit-not-started",
            CompleteVisitError::AlreadyCompleted => "visit-completed",
            CompleteVisitError::Cancelled => "visit-cancelled",
        };
        Self::wrong_state(kind, error)
    }
}

impl From<CancelVisitError> for Problem {
    fn from(error: CancelVisitError) -> Self {
        let kind = match error {
            CancelVisitError::Started => "visit-started",
            CancelVisitError::Completed => "visit-completed",
            CancelVisitError::Missed => "visit-missed",
            CancelVisitError::AlreadyCancelled => "visit-cancelled",
        };
        Self::wrong_state(kind, error)
    }
}
