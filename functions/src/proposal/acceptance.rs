//! Accepting one exact revision of a proposal: the visit is booked, or changed, or the whole series is booked, and both
//! people's time with it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use domain::due::{Due, DueRow};
use domain::eligibility::bookable;
use domain::engagement::{Engagement, Happening, Side};
use domain::id::{EngagementId, ProposalId};
use domain::notice::Told;
use domain::policy::Policy;
use domain::proposal::{AcceptProposalError, Change, ChangeVisitError, Proposal};
use domain::series::Series;
use domain::visit::{Booking, Visit};
use serde::Deserialize;
use store::{Commit, EngagementVisit};
use utoipa::ToSchema;

use super::{ProposalView, audit, load, not_open, show};
use crate::body::Command;
use crate::booking::Both;
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::conversation::tell;
use crate::cover;
use crate::path::Path;
use crate::perform::{Decision, once};
use crate::problem::Problem;
use crate::rates::Rates;
use crate::standing::act_in_engagement;
use crate::visit::{self, armed};
use crate::visit_change;

/// What is accepted.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Acceptance {
    /// The number of the revision that was seen.
    #[schema(minimum = 1)]
    revision: u32,
}

/// Accept a proposal
///
/// By the client: exactly the revision that they saw. It books the visit, or all visits of the series, on both
/// people's schedules, where both are free and the support worker may still give this support; or it changes the booked
/// visit that the proposal is about, where that is still what it was when the change was proposed.
#[utoipa::path(post, path = "/v1/engagements/{engagement}/proposals/{proposal}/acceptance", tag = "proposals",
    params(("engagement" = EngagementId, Path), ("proposal" = ProposalId, Path)),
    request_body(content = Acceptance, example = json!({"revision": 1})),
    responses((status = 201, body = ProposalView))
)]
pub(super) async fn accept_proposal(
    State(context): State<Shared>,
    caller: Caller,
    Path((engagement, proposal)): Path<(EngagementId, ProposalId)>,
    command: Command<Acceptance>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let done = once(&context, by, &command.key, || async {
        let party = act_in_engagement(&context, &caller, engagement, Some(Side::Client)).await?;
        let held = &party.engagement.value;
        let was = load(&context, engagement, proposal).await?;
        let (id, now) = (context.fresh(), context.now());
        let rates = Rates::of(&context, held.client).await?;
        let revision = command.body.revision;
        let accepted = was.value.accept(revision, held, id, rates.holidays(), now);
        let (accepted, terms) = accepted?;
        let both = Both::of(&context, held).await?;
        let details = &accepted.current.visit;
        let broken = bookable(&both.visited(details, now), &both.worker.value);
        if !broken.is_eligible() {
            // Which rule it is may be the other side's own affair.
            let detail = "the support worker cannot be booked for this visit as things stand";
            return Err(Problem::wrong_state("support-worker-not-eligible", detail));
        }
        let booking = Booking {
            id: accepted.visit.unwrap_or(id),
            suburb: both.suburb(details),
            acting: party.acting,
            terms,
            booked_for: both.records(),
        };
        let policy = context.store.policy().await?;
        // 20 writes and checks where nothing was merged and a month turns, two of each person's sheets; three more
        // for the first visit, which fulfils the request, and two where staff were told to.
        let audit = audit(&context, party.acting, "accept_proposal", &accepted);
        let commit = Commit::new(audit).replace(&was, &accepted);
        let effect = Effect {
            context: &context,
            engagement: held,
            accepted: &accepted,
            both: &both,
            policy: &policy,
            now,
        };
        let commit = match &accepted.changes {
            Some(change) => effect.change_visit(commit, change, booking).await?,
            None if accepted.series.is_some() => effect.book_series(commit, booking).await?,
            None => effect.book_visit(commit, booking).await?,
        };
        let commit = party.insisted_on(both.insisted_on(rates.insisted_on(commit)));
        Ok(Decision::new(commit, proposal))
    })
    .await?;
    let view = show(&context, &caller, engagement, proposal).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

/// What an acceptance brings about.
struct Effect<'a> {
    context: &'a Context,
    engagement: &'a Engagement,
    accepted: &'a Proposal,
    both: &'a Both,
    policy: &'a Policy,
    now: DateTime<Utc>,
}

impl Effect<'_> {
    async fn book_visit(&self, commit: Commit, booking: Booking) -> Result<Commit, Problem> {
        let current = &self.accepted.current;
        let visit = Visit::book(self.accepted, current, booking, self.policy, self.now);
        let commit = commit.insert(&visit).insert(&EngagementVisit {
            engagement: visit.engagement,
            visit: visit.id,
        });
        let commit = armed(commit, &visit);
        let (both, context) = (self.both, self.context);
        let commit = both.book(context, commit, &visit, self.policy).await?;
        let commit = both.first_visit_fulfils(context, commit);
        Ok(self.told(commit, Happening::VisitBooked, visit.id))
    }

    /// The visit stays the same one: it moves on all schedules at once.
    async fn change_visit(
        &self,
        commit: Commit,
        change: &Change,
        booking: Booking,
    ) -> Result<Commit, Problem> {
        let context = self.context;
        let was = visit::load(context, change.visit).await?;
        let next = (was.value).change(self.accepted, booking, self.policy, self.now)?;
        let commit = armed(commit.replace(&was, &next), &next);
        let commit = cover::unless_wanted(context, commit, &next).await?;
        let rebooked = self
            .both
            .rebook(context, commit, &was.value, &next, self.policy);
        let commit = rebooked.await?;
        let commit = visit_change::resolved(context, commit, self.accepted, change).await?;
        Ok(self.told(commit, Happening::VisitChanged, next.id))
    }

    /// All of the time is taken up now; the visits are made soon after.
    async fn book_series(&self, commit: Commit, booking: Booking) -> Result<Commit, Problem> {
        let current = &self.accepted.current;
        let series = Series::book(self.accepted, booking, self.now);
        let (Some(series), Some(offer)) = (series, &current.series) else {
            return Err(Problem::internal());
        };
        let commit = commit.insert(&series).due(DueRow {
            due: Due::SeriesUnfold {
                engagement: series.engagement,
                series: series.id,
            },
            at: self.now,
            generation: 0,
        });
        let (both, context) = (self.both, self.context);
        let occurrences = offer.occurrences(&current.visit);
        let booked = both.book_series(context, commit, &series, &occurrences, self.policy);
        let commit = both.first_visit_fulfils(context, booked.await?);
        Ok(self.told(commit, Happening::SeriesBooked, series.id))
    }

    fn told(&self, commit: Commit, happening: Happening, about: impl ToString) -> Commit {
        let (context, engagement) = (self.context, self.engagement);
        let about = Some(about.to_string());
        tell(context, commit, engagement, happening, about, Told::Both)
    }
}

impl From<ChangeVisitError> for Problem {
    fn from(error: ChangeVisitError) -> Self {
        match error {
            ChangeVisitError::NotAsProposed => Self::wrong_state("proposal-visit-changed", error),
        }
    }
}

impl From<AcceptProposalError> for Problem {
    fn from(error: AcceptProposalError) -> Self {
        match error {
            AcceptProposalError::NotOpen(refused) => not_open(refused),
            AcceptProposalError::StaleRevision { current } => {
                Self::wrong_state("proposal-stale-revision", error).with("current", current)
            }
            AcceptProposalError::Engagement(refused) => refused.into(),
            AcceptProposalError::NoTerms => Self::wrong_state("terms-not-agreed", error),
            AcceptProposalError::NotCovered(_) => Self::wrong_state("terms-do-not-cover", error),
            AcceptProposalError::PriceChanged => Self::wrong_state("proposal-price-changed", error),
        }
    }
}
