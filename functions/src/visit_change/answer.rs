//! The support worker's side of a change: proposing one, asked or not, or saying that it cannot be.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::change_request::RefuseChangeError;
use domain::engagement::{Happening, Reasoned, Side};
use domain::id::{ChangeRequestId, VisitId};
use domain::proposal::{Proposal, ProposeChangeError};
use domain::visit::VisitDetails;
use serde::Deserialize;
use store::Commit;
use utoipa::ToSchema;

use super::{ChangeRequestView, answered, audit, load, not_open, show};
use crate::body::Command;
use crate::caller::Caller;
use crate::context::Shared;
use crate::conversation::tell;
use crate::path::Path;
use crate::perform::{Decision, once};
use crate::problem::Problem;
use crate::proposal::{self, ProposalView};
use crate::rates::Rates;
use crate::reason::need_reason;
use crate::standing::act_in_engagement;
use crate::visit;

/// What a visit would be changed to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangedVisit {
    visit: VisitDetails,
}

/// Propose a change of a booked visit
///
/// By the support worker, asked or not; it answers the request that is open, if one is. The proposal is revised,
/// accepted, declined or withdrawn like any other, and lapses at the latest as the visit begins. Until it is accepted,
/// and if it is not, the visit stands as it is booked; then it moves on all schedules at once.
#[utoipa::path(post, path = "/v1/visits/{visit}/change-proposals", tag = "visit changes",
    params(("visit" = VisitId, Path)),
    request_body(content = ChangedVisit, example = json!({"visit": {
        "starts": "2026-12-01T14:00:00", "time_zone": "Australia/Brisbane", "minutes": 120, "place": "home",
        "service": "social_support", "notes": ""
    }})),
    responses((status = 201, body = ProposalView))
)]
pub(super) async fn propose_change(
    State(context): State<Shared>,
    caller: Caller,
    Path(visit): Path<VisitId>,
    command: Command<ChangedVisit>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let done = once(&context, by, &command.key, || async {
        let booked = visit::load(&context, visit).await?;
        let engagement = booked.value.engagement;
        let party = act_in_engagement(&context, &caller, engagement, Some(Side::Worker)).await?;
        let held = &party.engagement.value;
        let policy = context.store.policy().await?;
        let rates = Rates::of(&context, held.client).await?;
        let (id, now) = (context.fresh(), context.now());
        let away = proposal::away(&context, held).await?;
        let (wanted, under) = (command.body.visit.clone(), rates.conditions(&policy, &away));
        let made =
            Proposal::propose_change(id, &booked.value, held, wanted, party.acting, under, now)?;
        let audit = proposal::audit(&context, party.acting, "propose_change", &made);
        let commit = Commit::new(audit)
            .insert(&made)
            .due(proposal::deadline(&made))
            .unchanged(&booked);
        let commit = answered(&context, commit, &made).await?;
        let (about, happening) = (Some(id.to_string()), Happening::ChangeProposed);
        let commit = tell(&context, commit, held, happening, about, Side::Client);
        let commit = party.insisted_on(rates.insisted_on(commit));
        Ok(Decision::new(commit, id))
    })
    .await?;
    let engagement = visit::load(&context, visit).await?.value.engagement;
    let view = proposal::show(&context, &caller, engagement, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

/// Why a visit is not changed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeRefusal {
    /// In words for the client.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Refuse a change request
///
/// By the support worker. The visit stands as it is booked.
#[utoipa::path(post, path = "/v1/visits/{visit}/change-requests/{request}/refusal", tag = "visit changes",
    params(("visit" = VisitId, Path), ("request" = ChangeRequestId, Path)),
    request_body(content = ChangeRefusal, example = json!({"reason": "I am with somebody else that afternoon."})),
    responses((status = 201, body = ChangeRequestView))
)]
pub(super) async fn refuse_change(
    State(context): State<Shared>,
    caller: Caller,
    Path((visit, request)): Path<(VisitId, ChangeRequestId)>,
    command: Command<ChangeRefusal>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let done = once(&context, by, &command.key, || async {
        let of = visit::load(&context, visit).await?;
        let engagement = of.value.engagement;
        let party = act_in_engagement(&context, &caller, engagement, Some(Side::Worker)).await?;
        need_reason(&command.body.reason)?;
        let was = load(&context, visit, request).await?;
        let why = Reasoned {
            side: Some(party.side),
            acting: party.acting,
            at: context.now(),
            reason: command.body.reason.trim().to_owned(),
        };
        let next = was.value.refuse(&of.value, why)?;
        let audit = audit(&context, party.acting, "refuse_change", &next);
        let commit = Commit::new(audit)
            .replace(&was, &next)
            .replace(&of, &of.value.without_change_request(request));
        let (held, about) = (&party.engagement.value, Some(request.to_string()));
        let happening = Happening::ChangeRefused;
        let commit = tell(&context, commit, held, happening, about, Side::Client);
        Ok(Decision::new(party.insisted_on(commit), request))
    })
    .await?;
    let view = show(&context, &caller, visit, request).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

impl From<ProposeChangeError> for Problem {
    fn from(error: ProposeChangeError) -> Self {
        match error {
            ProposeChangeError::NotBooked | ProposeChangeError::TimeHasCome => {
                Self::wrong_state("visit-not-to-come", error)
            }
            ProposeChangeError::Visit(refused) => refused.into(),
        }
    }
}

impl From<RefuseChangeError> for Problem {
    fn from(error: RefuseChangeError) -> Self {
        match error {
            RefuseChangeError::NotOpen(refused) => not_open(refused),
            RefuseChangeError::Proposed => Self::wrong_state("change-request-proposed", error),
        }
    }
}
