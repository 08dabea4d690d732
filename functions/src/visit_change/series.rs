//! Series: booked as one by an acceptance, made into visits soon after, and ended as one.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, FixedOffset, Utc};
use domain::access::{Acting, Duty};
use domain::due::{Due, DueRow};
use domain::engagement::{Engagement, Happening, Reasoned, Side};
use domain::id::{EngagementId, ProposalId, SeriesId, VisitId, WorkerId};
use domain::money::Price;
use domain::notice::Told;
use domain::proposal::Proposal;
use domain::recurrence::Repeats;
use domain::series::{EndSeriesError, Series, ends_with_series};
use domain::support_worker::{SupportWorker, WorkerState};
use domain::visit::{ChargedVisits, Visit, VisitState};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Actor, Audit, Commit, EngagementVisit, Key, PendingDue, StoreError, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Command;
use crate::booking::free_unmade;
use crate::caller::Caller;
use crate::consume::{ConsumeError, Effect};
use crate::context::{Context, Shared};
use crate::conversation::tell;
use crate::path::Path;
use crate::perform::{Decision, Tagged, once};
use crate::problem::Problem;
use crate::reason::need_reason;
use crate::standing::{act_in_engagement, see_engagement};
use crate::visit::{armed, as_quoted, call_off};

/// How many visits are made in one commit: each takes three writes.
const MADE_AT_ONCE: usize = 20;

/// The routes of series, which the family of changes serves.
pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(show_series))
        .routes(routes!(end_series))
}

/// A series as both sides and staff see it.
#[derive(Debug, Serialize, ToSchema)]
struct BookedSeries {
    id: SeriesId,
    engagement: EngagementId,
    proposal: ProposalId,
    repeats: Repeats,
    /// How many visits were booked.
    count: u32,
    /// What all of them cost together as they were booked.
    total: Price,
    booked_by: Acting,
    booked_at: DateTime<Utc>,
    /// Which side ended it before its time, and why.
    end: Option<SeriesEnding>,
    /// Its visits, as they stand now.
    visits: Vec<SeriesVisit>,
}

/// How a series came to its end before its time.
#[derive(Debug, Serialize, ToSchema)]
struct SeriesEnding {
    side: Option<Side>,
    at: DateTime<Utc>,
    reason: String,
}

/// A visit of a series.
#[derive(Debug, Serialize, ToSchema)]
struct SeriesVisit {
    visit: VisitId,
    state: VisitState,
    /// When it begins, with the offset of its place.
    from: DateTime<FixedOffset>,
    /// When it ends.
    until: DateTime<FixedOffset>,
}

/// Show a series
#[utoipa::path(get, path = "/v1/engagements/{engagement}/series/{series}", tag = "visit changes",
    params(("engagement" = EngagementId, Path), ("series" = SeriesId, Path)),
    responses((status = 200, body = BookedSeries, example = json!({
        "id": "ser_0190b2f06bd47c5a9a3e5b7f21d40000", "engagement": "eng_0190b2f06bd47c5a9a3e5b7f21d4c8ab",
        "proposal": "prop_0190b2f06bd47c5a9a3e5b7f21d4c8ac",
        "repeats": {"rule": "FREQ=WEEKLY;BYDAY=TU;COUNT=12", "except": ["2026-12-22"]}, "count": 11,
        "total": {"client_pays": 135300, "worker_gets": 132000, "service_keeps": 3300},
        "booked_by": {"by": "per_0190b2f06bd47c5a9a3e5b7f21d4c8ae", "on_behalf_of": null},
        "booked_at": "2026-11-25T02:00:00Z", "end": null,
        "visits": [{
            "visit": "vis_0190b2f06bd47c5a9a3e5b7f21d40000", "state": "booked",
            "from": "2026-12-01T09:00:00+10:00", "until": "2026-12-01T11:00:00+10:00"
        }]
    })))
)]
async fn show_series(
    State(context): State<Shared>,
    caller: Caller,
    Path((engagement, series)): Path<(EngagementId, SeriesId)>,
) -> Result<Response, Problem> {
    let view = show(&context, &caller, engagement, series).await?;
    Ok(view.into_response())
}

async fn show(
    context: &Context,
    caller: &Caller,
    engagement: EngagementId,
    series: SeriesId,
) -> Result<Tagged<BookedSeries>, Problem> {
    see_engagement(context, caller, engagement, Duty::Schedules).await?;
    let Versioned { version, value } = load(context, engagement, series).await?;
    let key = Key::proposal(engagement, value.proposal);
    let proposal = context.store.get::<Proposal>(&key).await?;
    let proposal = proposal.ok_or_else(Problem::not_found)?.value;
    let offer = proposal.current.series.ok_or_else(Problem::not_found)?;
    let mut visits = visits(context, &value).await?;
    visits.sort_by_key(|visit| (visit.value.from, visit.value.id));
    let visits = visits.into_iter().map(|visit| SeriesVisit {
        from: visit.value.details.local(visit.value.from),
        until: visit.value.details.local(visit.value.until),
        visit: visit.value.id,
        state: visit.value.state,
    });
    let view = BookedSeries {
        id: value.id,
        engagement,
        proposal: value.proposal,
        repeats: offer.repeats,
        count: value.count,
        total: offer.total,
        booked_by: value.booked_by,
        booked_at: value.booked_at,
        end: value.end.map(|end| SeriesEnding {
            side: end.side,
            at: end.at,
            reason: end.reason,
        }),
        visits: visits.collect(),
    };
    Ok(Tagged { version, view })
}

async fn load(
    context: &Context,
    engagement: EngagementId,
    series: SeriesId,
) -> Result<Versioned<Series>, Problem> {
    let found = context.store.get(&Key::series(engagement, series)).await?;
    found.ok_or_else(Problem::not_found)
}

/// The visits of a series that have been made.
async fn visits(context: &Context, series: &Series) -> Result<Vec<Versioned<Visit>>, StoreError> {
    let keys: Vec<Key> = series.visits().map(Key::visit).collect();
    context.store.get_many(&keys).await
}

/// Why a series is ended.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SeriesEnd {
    /// In words for both sides; kept with each visit.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
    /// Exactly the charge that a refusal of this request came with, where one did.
    acknowledged: Option<Price>,
}

/// End a series
///
/// By either side. Every visit of it that is still to come is cancelled, each as one that this side cancels now. Where
/// the client ends it and a visit is so close that its cancellation is charged for, the answer is 409
/// `series-end-charge` with the `charge`; it goes through once exactly that is sent back as `acknowledged`.
#[utoipa::path(post, path = "/v1/engagements/{engagement}/series/{series}/end", tag = "visit changes",
    params(("engagement" = EngagementId, Path), ("series" = SeriesId, Path)),
    request_body(content = SeriesEnd, example = json!({"reason": "From the new year my sister comes on Tuesdays."})),
    responses((status = 201, body = BookedSeries))
)]
async fn end_series(
    State(context): State<Shared>,
    caller: Caller,
    Path((engagement, series)): Path<(EngagementId, SeriesId)>,
    command: Command<SeriesEnd>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let done = once(&context, by, &command.key, || async {
        let party = act_in_engagement(&context, &caller, engagement, None).await?;
        need_reason(&command.body.reason)?;
        let was = load(&context, engagement, series).await?;
        let now = context.now();
        let mut ahead = visits(&context, &was.value).await?;
        ahead.retain(|visit| ends_with_series(&visit.value, now));
        let policy = context.store.policy().await?;
        let cancelled = ahead.iter().map(|visit| &visit.value);
        let charged = ChargedVisits::of(cancelled, Some(party.side), &policy, now);
        let why = Reasoned {
            side: Some(party.side),
            acting: party.acting,
            at: now,
            reason: command.body.reason.trim().to_owned(),
        };
        let acknowledged = command.body.acknowledged;
        let next = (was.value).end(why, charged, acknowledged, ahead.is_empty())?;
        let audit = audit(&context, party.acting, "end_series", &next);
        let commit = Commit::new(audit).replace(&was, &next).due(DueRow {
            due: Due::SeriesEnd { engagement, series },
            at: now,
            generation: 0,
        });
        let commit = as_quoted(commit, &ahead, &next.charged_at_end)?;
        let (held, about) = (&party.engagement.value, Some(series.to_string()));
        let happening = Happening::SeriesEnded;
        let commit = tell(&context, commit, held, happening, about, Told::Both);
        Ok(Decision::new(party.insisted_on(commit), series))
    })
    .await?;
    let view = show(&context, &caller, engagement, series).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

/// What a commit made now says of itself. A series is audited with its engagement, and so named.
fn audit(
    context: &Context,
    actor: impl Into<Actor>,
    operation: &'static str,
    series: &Series,
) -> Audit {
    let key = Key::series(series.engagement, series.id);
    Audit {
        fields: vec![series.id.to_string()],
        ..context.audit(actor, operation, &key)
    }
}

/// Makes the next visits of a series that was booked, and finishes the row with the last of them. Where the engagement
/// has ended meanwhile, or its visits were stopped, the time of those that have not been made is free again.
pub(crate) async fn unfold_when_due(
    context: &Context,
    pending: &PendingDue,
    engagement: EngagementId,
    series: SeriesId,
) -> Result<Effect, ConsumeError> {
    let store = &context.store;
    let key = Key::series(engagement, series);
    let Some(was) = store.get::<Series>(&key).await? else {
        return Ok(Effect::Superseded);
    };
    let held = store
        .get::<Engagement>(&Key::engagement(engagement))
        .await?;
    let proposal = Key::proposal(engagement, was.value.proposal);
    let proposal = store.get::<Proposal>(&proposal).await?;
    let (Some(held), Some(proposal)) = (held, proposal) else {
        return Ok(Effect::Superseded);
    };
    if was.value.is_unfolded() {
        return Ok(Effect::Superseded);
    }
    let policy = store.policy().await?;
    let (next, visits) = (was.value).unfold(&proposal.value, MADE_AT_ONCE, &policy, context.now());
    // INVARIANT: what is made is made in a live engagement whose visits were not stopped, so that its end, or the stop,
    // finds all there is.
    if held.value.visits_are_off() || visits.is_empty() {
        let current = &proposal.value.current;
        let offer = current.series.as_ref();
        let occurrences = offer.map_or_else(Vec::new, |it| it.occurrences(&current.visit));
        let next = Series {
            count: was.value.made,
            ..was.value.clone()
        };
        let audit = audit(context, Actor::Service, "free_series", &next);
        let commit = Commit::new(audit).replace(&was, &next).unchanged(&held);
        let commit = free_unmade(context, commit, &was.value, &occurrences).await?;
        return Ok(commit.finish(pending).into());
    }
    let audit = audit(context, Actor::Service, "unfold_series", &next);
    let mut commit = Commit::new(audit).replace(&was, &next).unchanged(&held);
    for visit in &visits {
        let mark = EngagementVisit {
            engagement,
            visit: visit.id,
        };
        commit = armed(commit.insert(visit).insert(&mark), visit);
    }
    if !next.is_unfolded() {
        return Ok(Effect::Step(Box::new(commit)));
    }
    let commit = looked_over(context, commit, next.worker).await?;
    Ok(commit.finish(pending).into())
}

/// Has what is booked with the support worker looked at once more, where they were suspended while the visits were
/// being made.
///
/// INVARIANT: whoever suspends them afterwards finds all of the visits.
async fn looked_over(
    context: &Context,
    commit: Commit,
    worker: WorkerId,
) -> Result<Commit, StoreError> {
    let key = Key::worker(worker);
    let Some(found) = context.store.get::<SupportWorker>(&key).await? else {
        return Ok(commit);
    };
    let commit = commit.unchanged(&found);
    Ok(match found.value.state {
        WorkerState::Suspended => commit.due_of(
            &key,
            DueRow {
                due: Due::SuspensionCover { worker },
                at: context.now(),
                generation: 0,
            },
        ),
        _ => commit,
    })
}

/// Cancels the last visits of a series that was ended, those of a month at once, and finishes the row with the first of
/// them. Both sides have heard of the end, and are not told of each.
pub(crate) async fn end_when_due(
    context: &Context,
    pending: &PendingDue,
    engagement: EngagementId,
    series: SeriesId,
) -> Result<Effect, ConsumeError> {
    let key = Key::series(engagement, series);
    let Some(ended) = context.store.get::<Series>(&key).await? else {
        return Ok(Effect::Superseded);
    };
    let Some(end) = &ended.value.end else {
        return Ok(Effect::Superseded);
    };
    let mut ahead = visits(context, &ended.value).await?;
    ahead.retain(|visit| ends_with_series(&visit.value, end.at));
    ahead.sort_by_key(|visit| visit.value.from);
    let audit = audit(context, Actor::Service, "end_series_visits", &ended.value);
    let charged = &ended.value.charged_at_end;
    call_off(context, pending, audit, ahead, end, charged, None).await
}

impl From<EndSeriesError> for Problem {
    fn from(error: EndSeriesError) -> Self {
        match error {
            EndSeriesError::AlreadyEnded => Self::wrong_state("series-ended", error),
            EndSeriesError::BeingMade => Self::wrong_state("series-being-made", error),
            EndSeriesError::Over => Self::wrong_state("series-over", error),
            EndSeriesError::Charge(charge) => {
                Self::wrong_state("series-end-charge", error).with("charge", json!(charge))
            }
        }
    }
}
