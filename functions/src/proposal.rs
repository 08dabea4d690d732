//! Proposals: a support worker offers a dated visit, in numbered revisions; the client accepts one exact revision.

mod acceptance;
mod answer;
mod lapse;

pub(crate) use lapse::when_due;

use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, FixedOffset, Utc};
use domain::access::{Acting, Duty};
use domain::availability::Leave;
use domain::cancellation::CancellationTerms;
use domain::due::{Due, DueRow};
use domain::engagement::{Engagement, Happening, Reasoned, Side};
use domain::id::{ClientId, EngagementId, ProposalId, SeriesId, VisitId, WorkerId};
use domain::money::Price;
use domain::proposal::{
    Change, OtherTime, Proposal, ProposalNotOpen, ProposalState, ProposeVisitError, ProposedVisit,
    Revision,
};
use domain::recurrence::Repeats;
use domain::series::SeriesOffer;
use domain::support_worker::SupportWorker;
use domain::terms::VisitPrice;
use domain::visit::{VisitDetails, VisitWarning};
use serde::Serialize;
use store::{Actor, Audit, Commit, Key, StoreError, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Command;
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::conversation::tell;
use crate::page::{Listed, PageQuery};
use crate::path::{Path, Query};
use crate::perform::{Decision, Tagged, once};
use crate::problem::Problem;
use crate::rates::Rates;
use crate::standing::{act_in_engagement, see_engagement};

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list_proposals, propose_visit))
        .routes(routes!(show_proposal))
        .routes(routes!(answer::revise_proposal))
        .routes(routes!(acceptance::accept_proposal))
        .routes(routes!(answer::decline_proposal))
        .routes(routes!(answer::ask_other_time))
        .routes(routes!(answer::withdraw_proposal))
}

/// A proposal as both sides see it. The client's address is no part of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProposalView {
    id: ProposalId,
    engagement: EngagementId,
    client: ClientId,
    worker: WorkerId,
    /// The booked visit that it would change: it stands as it is booked until this is accepted.
    changes: Option<Change>,
    state: ProposalState,
    /// The revision that can be accepted.
    current: RevisionView,
    /// The revisions before it, the first one first.
    earlier: Vec<RevisionView>,
    /// What the client asked for instead.
    other_times: Vec<OtherTime>,
    /// When it lapses unless it is accepted before.
    lapses_at: DateTime<Utc>,
    /// Who declined it, and why.
    refusal: Option<Reasoned>,
    closed_at: Option<DateTime<Utc>>,
    /// The visit that was booked, or changed, when it was accepted.
    visit: Option<VisitId>,
    /// The series that was booked when it was accepted, where it is one.
    series: Option<SeriesId>,
    /// The policy under which the current revision was made.
    policy_version: u32,
}

/// One revision of a proposal.
#[derive(Debug, Serialize, ToSchema)]
struct RevisionView {
    /// Its number, from 1: what an acceptance names.
    number: u32,
    at: DateTime<Utc>,
    acting: Acting,
    visit: VisitDetails,
    /// When the visit begins, with the offset of its place.
    from: DateTime<FixedOffset>,
    /// When it ends.
    until: DateTime<FixedOffset>,
    /// What it costs, under the terms in force when it was made.
    price: VisitPrice,
    /// The terms on which it can be cancelled once it is booked.
    cancellation: CancellationTerms,
    /// What deserves a second look before it is accepted.
    warnings: Vec<VisitWarning>,
    /// The series that the visit is the first of, if it is one. The price above is the first visit's.
    series: Option<SeriesView>,
}

/// A series that is proposed.
#[derive(Debug, Serialize, ToSchema)]
struct SeriesView {
    repeats: Repeats,
    /// How many visits there are.
    count: u32,
    /// What all of them cost together.
    total: Price,
    /// When the last one ends.
    until: DateTime<FixedOffset>,
    /// Each of them, of the current revision where the proposal is shown by itself.
    occurrences: Vec<OccurrenceView>,
}

/// One visit of a series that is proposed.
#[derive(Debug, Serialize, ToSchema)]
struct OccurrenceView {
    /// When it begins, with the offset of its place.
    from: DateTime<FixedOffset>,
    /// When it ends.
    until: DateTime<FixedOffset>,
    /// What it costs, in its own time bands and on its own public holidays.
    price: Price,
}

impl SeriesView {
    fn of(offer: SeriesOffer, visit: &VisitDetails, whole: bool) -> Self {
        let occurrences = match whole {
            true => offer.occurrences(visit),
            false => Vec::new(),
        };
        let prices = offer.prices(&occurrences, visit).unwrap_or_default();
        let each = occurrences.into_iter().zip(prices);
        Self {
            count: offer.count,
            total: offer.total,
            until: visit.local(offer.until),
            repeats: offer.repeats,
            occurrences: each
                .map(|(occurrence, price)| OccurrenceView {
                    from: visit.local(occurrence.from),
                    until: visit.local(occurrence.until),
                    price: price.total,
                })
                .collect(),
        }
    }
}

impl RevisionView {
    fn of(revision: Revision, whole: bool) -> Self {
        let local = |at| revision.visit.local(at);
        Self {
            series: revision
                .series
                .map(|offer| SeriesView::of(offer, &revision.visit, whole)),
            from: local(revision.from),
            until: local(revision.until),
            number: revision.number,
            at: revision.at,
            acting: revision.acting,
            visit: revision.visit,
            price: revision.price,
            cancellation: revision.cancellation,
            warnings: revision.warnings,
        }
    }
}

impl ProposalView {
    /// `whole` where it is shown by itself, with every visit of a series.
    fn of(proposal: Proposal, whole: bool, now: DateTime<Utc>) -> Self {
        Self {
            changes: proposal.changes,
            state: proposal.state_at(now),
            id: proposal.id,
            engagement: proposal.engagement,
            client: proposal.client,
            worker: proposal.worker,
            current: RevisionView::of(proposal.current, whole),
            earlier: (proposal.earlier.into_iter())
                .map(|earlier| RevisionView::of(earlier, false))
                .collect(),
            other_times: proposal.other_times,
            lapses_at: proposal.lapses_at,
            refusal: proposal.refusal,
            closed_at: proposal.closed_at,
            visit: proposal.visit,
            series: proposal.series,
            policy_version: proposal.policy_version,
        }
    }
}

/// Propose a visit, or a series of them
///
/// By the support worker, in an open engagement whose terms cover the service. It lapses as the visit would
/// begin, or when an offer's time is over. A series is a visit that `repeats` by a recurrence rule of RFC 5545, in the
/// local time of its place, for at most 12 months; it is accepted as one.
#[utoipa::path(post, path = "/v1/engagements/{engagement}/proposals", tag = "proposals",
    params(("engagement" = EngagementId, Path)),
    request_body(content = ProposedVisit, example = json!({"visit": {
        "starts": "2026-12-01T09:00:00", "time_zone": "Australia/Brisbane", "minutes": 120, "place": "home",
        "service": "social_support", "notes": "A walk by the river, if it is dry."
    }, "repeats": {"rule": "FREQ=WEEKLY;BYDAY=TU;COUNT=12", "except": ["2026-12-22"]}})),
    responses((status = 201, body = ProposalView))
)]
async fn propose_visit(
    State(context): State<Shared>,
    caller: Caller,
    Path(engagement): Path<EngagementId>,
    command: Command<ProposedVisit>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let done = once(&context, by, &command.key, || async {
        let party = act_in_engagement(&context, &caller, engagement, Some(Side::Worker)).await?;
        let held = &party.engagement.value;
        let policy = context.store.policy().await?;
        let proposed = command.body.clone();
        let (id, now) = (context.fresh(), context.now());
        let rates = Rates::of(&context, held.client).await?;
        let away = away(&context, held).await?;
        let under = rates.conditions(&policy, &away);
        let proposal = Proposal::propose(id, held, proposed, party.acting, under, now)?;
        let audit = audit(&context, party.acting, "propose_visit", &proposal);
        let commit = Commit::new(audit)
            .insert(&proposal)
            .due(deadline(&proposal));
        let about = Some(id.to_string());
        let commit = tell(
            &context,
            commit,
            held,
            Happening::ProposalMade,
            about,
            Side::Client,
        );
        let commit = party.insisted_on(rates.insisted_on(commit));
        Ok(Decision::new(commit, id))
    })
    .await?;
    let view = show(&context, &caller, engagement, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

/// Show a proposal
#[utoipa::path(get, path = "/v1/engagements/{engagement}/proposals/{proposal}", tag = "proposals",
    params(("engagement" = EngagementId, Path), ("proposal" = ProposalId, Path)),
    responses((status = 200, body = ProposalView, example = json!({
        "id": "prop_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "engagement": "eng_0190b2f06bd47c5a9a3e5b7f21d4c8ab",
        "client": "clt_0190b2f06bd47c5a9a3e5b7f21d4c8ac", "worker": "wrk_0190b2f06bd47c5a9a3e5b7f21d4c8ad",
        "changes": null, "state": "open", "earlier": [], "other_times": [],
        "current": {
            "number": 1, "at": "2026-11-25T02:00:00Z",
            "acting": {"by": "per_0190b2f06bd47c5a9a3e5b7f21d4c8ae", "on_behalf_of": null},
            "visit": {"starts": "2026-12-01T09:00:00", "time_zone": "Australia/Brisbane", "minutes": 90, "place": "home",
                      "service": "social_support", "notes": "", "essential": false},
            "from": "2026-12-01T09:00:00+10:00", "until": "2026-12-01T10:30:00+10:00", "warnings": ["short_visit"],
            "series": null,
            "price": {"parts": [{"band": "weekday_daytime", "minutes": 90, "hourly": 6000, "worker_gets": 9000}],
                      "total": {"client_pays": 9225, "worker_gets": 9000, "service_keeps": 225}},
            "cancellation": {"rules": {"notice": {"hours": 24}, "charge_basis_points": 10000},
                             "free_until": "2026-11-29T23:00:00Z"}
        },
        "lapses_at": "2026-11-30T23:00:00Z", "refusal": null, "closed_at": null, "visit": null, "series": null,
        "policy_version": 1
    })))
)]
async fn show_proposal(
    State(context): State<Shared>,
    caller: Caller,
    Path((engagement, proposal)): Path<(EngagementId, ProposalId)>,
) -> Result<Response, Problem> {
    let view = show(&context, &caller, engagement, proposal).await?;
    Ok(view.into_response())
}

pub(crate) async fn show(
    context: &Context,
    caller: &Caller,
    engagement: EngagementId,
    proposal: ProposalId,
) -> Result<Tagged<ProposalView>, Problem> {
    see_engagement(context, caller, engagement, Duty::Engagements).await?;
    let Versioned { version, value } = load(context, engagement, proposal).await?;
    Ok(Tagged {
        version,
        view: ProposalView::of(value, true, context.now()),
    })
}

async fn load(
    context: &Context,
    engagement: EngagementId,
    proposal: ProposalId,
) -> Result<Versioned<Proposal>, Problem> {
    let key = Key::proposal(engagement, proposal);
    let found = context.store.get(&key).await?;
    found.ok_or_else(Problem::not_found)
}

/// List an engagement's proposals
///
/// The newest first.
#[utoipa::path(get, path = "/v1/engagements/{engagement}/proposals", tag = "proposals",
    params(("engagement" = EngagementId, Path), PageQuery),
    responses((status = 200, body = Listed<ProposalView>, example = json!({"items": []})))
)]
async fn list_proposals(
    State(context): State<Shared>,
    caller: Caller,
    Path(engagement): Path<EngagementId>,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    see_engagement(&context, &caller, engagement, Duty::Engagements).await?;
    let pk = Key::engagement(engagement).pk;
    let found = context
        .store
        .list::<Proposal>(&pk, "PROP#", true, page.limit(), page.cursor())
        .await?;
    let now = context.now();
    Ok(Listed::of(found, |proposal| {
        ProposalView::of(proposal.value, false, now)
    })
    .at(&uri))
}

/// When the support worker of an engagement is away. Nothing rests on it but a warning.
pub(crate) async fn away(
    context: &Context,
    engagement: &Engagement,
) -> Result<Vec<Leave>, StoreError> {
    let key = Key::worker(engagement.worker);
    let worker = context.store.get::<SupportWorker>(&key).await?;
    let leave = |worker: &Versioned<SupportWorker>| {
        let leave = worker.value.profile.availability.leave();
        leave.collect()
    };
    Ok(worker.as_ref().map(leave).unwrap_or_default())
}

/// What a commit made now says of itself. A proposal is audited with its engagement, and so named.
pub(crate) fn audit(
    context: &Context,
    actor: impl Into<Actor>,
    operation: &'static str,
    proposal: &Proposal,
) -> Audit {
    let key = Key::proposal(proposal.engagement, proposal.id);
    Audit {
        fields: vec![proposal.id.to_string()],
        ..context.audit(actor, operation, &key)
    }
}

/// When it lapses.
pub(crate) const fn deadline(proposal: &Proposal) -> DueRow {
    DueRow {
        due: Due::ProposalLapse {
            engagement: proposal.engagement,
            proposal: proposal.id,
        },
        at: proposal.lapses_at,
        generation: proposal.deadline_generation,
    }
}

fn not_open(refused: ProposalNotOpen) -> Problem {
    let kind = match refused {
        ProposalNotOpen::Accepted => "proposal-accepted",
        ProposalNotOpen::Declined => "proposal-declined",
        ProposalNotOpen::Withdrawn => "proposal-withdrawn",
        ProposalNotOpen::Lapsed => "proposal-lapsed",
    };
    Problem::wrong_state(kind, refused)
}

impl From<ProposeVisitError> for Problem {
    fn from(error: ProposeVisitError) -> Self {
        match error {
            ProposeVisitError::Engagement(refused) => refused.into(),
            ProposeVisitError::NoTerms => Self::wrong_state("terms-not-agreed", error),
            ProposeVisitError::NotCovered(_) => Self::wrong_state("terms-do-not-cover", error),
            ProposeVisitError::Invalid(errors) => Self::invalid(errors),
        }
    }
}
