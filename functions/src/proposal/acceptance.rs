//! Accepting one exact revision of a proposal: the visit is booked, and both people's time with it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::eligibility::bookable;
use domain::engagement::{Happening, Side};
use domain::id::{EngagementId, ProposalId};
use domain::notice::Told;
use domain::proposal::AcceptProposalError;
use domain::visit::{Booking, Visit};
use serde::Deserialize;
use store::{Commit, EngagementVisit};
use utoipa::ToSchema;

use super::{ProposalView, audit, load, not_open, show};
use crate::body::Command;
use crate::booking::Both;
use crate::caller::Caller;
use crate::context::Shared;
use crate::conversation::tell;
use crate::path::Path;
use crate::perform::{Decision, once};
use crate::problem::Problem;
use crate::rates::Rates;
use crate::standing::act_in_engagement;
use crate::visit::armed;

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
/// By the client: exactly the revision that they saw. It books the visit on both people's schedules, where
/// both are free and the support worker may still give this support.
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
            id,
            suburb: both.suburb(details),
            acting: party.acting,
            terms,
            booked_for: both.records(),
        };
        let policy = context.store.policy().await?;
        let visit = Visit::book(&accepted, &accepted.current, booking, &policy, now);
        // 20 writes and checks where nothing was merged and a month turns, two of each person's sheets; three more
        // for the first visit, which fulfils the request, and two where staff were told to.
        let audit = audit(&context, party.acting, "accept_proposal", &accepted);
        let commit = Commit::new(audit)
            .replace(&was, &accepted)
            .insert(&visit)
            .insert(&EngagementVisit {
                engagement,
                visit: id,
            });
        let commit = armed(commit, &visit);
        let commit = both.book(&context, commit, &visit, &policy).await?;
        let commit = both.first_visit_fulfils(&context, commit);
        let about = Some(id.to_string());
        let commit = tell(
            &context,
            commit,
            held,
            Happening::VisitBooked,
            about,
            Told::Both,
        );
        let commit = party.insisted_on(both.insisted_on(rates.insisted_on(commit)));
        Ok(Decision::new(commit, proposal))
    })
    .await?;
    let view = show(&context, &caller, engagement, proposal).await?;
    Ok(done.answer(StatusCode::CREATED, view))
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
