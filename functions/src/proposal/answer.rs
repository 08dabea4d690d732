//! What becomes of a proposal short of a visit: revised, declined, withdrawn, or another time asked for.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use domain::change_request::WishedTimes;
use domain::engagement::{Happening, Reasoned, Side};
use domain::id::{EngagementId, ProposalId};
use domain::policy::Policy;
use domain::proposal::{
    AskOtherTimeError, DeclineProposalError, Proposal, ProposedVisit, ReviseProposalError,
    WithdrawProposalError,
};
use serde::Deserialize;
use store::{Commit, Versioned};
use utoipa::ToSchema;

use super::{ProposalView, audit, away, deadline, load, not_open, show};
use crate::body::{Command, IdempotencyKey, Nothing};
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::conversation::tell;
use crate::path::Path;
use crate::perform::{Decision, once};
use crate::problem::Problem;
use crate::rates::Rates;
use crate::reason::need_reason;
use crate::standing::{Party, act_in_engagement};
use crate::visit_change;

/// One kind of act on a proposal: whose it is, and what the other side hears of it.
struct Act {
    side: Side,
    operation: &'static str,
    happening: Happening,
}

impl Act {
    /// The proposal as it is next, its deadline where that has moved, and what the other side hears.
    fn written(
        &self,
        context: &Context,
        party: &Party,
        was: &Versioned<Proposal>,
        next: &Proposal,
    ) -> Commit {
        let audit = audit(context, party.acting, self.operation, next);
        let mut commit = Commit::new(audit).replace(was, next);
        if next.deadline_generation != was.value.deadline_generation {
            commit = commit.due(deadline(next));
        }
        let (held, told) = (&party.engagement.value, self.side.other());
        let about = Some(next.id.to_string());
        tell(context, commit, held, self.happening, about, told)
    }
}

/// What an act rests on besides the proposal.
struct Situation<'a> {
    party: &'a Party,
    policy: &'a Policy,
    now: DateTime<Utc>,
}

/// Does what puts no price on anything.
async fn act(
    context: &Context,
    caller: &Caller,
    (engagement, proposal): (EngagementId, ProposalId),
    key: &IdempotencyKey,
    act: &Act,
    change: impl Fn(&Proposal, &Situation<'_>) -> Result<Proposal, Problem> + Sync,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let change = &change;
    let done = once(context, by, key, || async move {
        let party = act_in_engagement(context, caller, engagement, Some(act.side)).await?;
        let was = load(context, engagement, proposal).await?;
        let policy = context.store.policy().await?;
        let situation = Situation {
            party: &party,
            policy: &policy,
            now: context.now(),
        };
        let next = change(&was.value, &situation)?;
        let commit = act.written(context, &party, &was, &next);
        let commit = visit_change::followed(context, commit, &next).await?;
        Ok(Decision::new(party.insisted_on(commit), proposal))
    })
    .await?;
    let view = show(context, caller, engagement, proposal).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

/// Revise a proposal
///
/// By the support worker. What is proposed now takes the place of what was, under the next number; the client can
/// accept nothing else.
#[utoipa::path(post, path = "/v1/engagements/{engagement}/proposals/{proposal}/revisions", tag = "proposals",
    params(("engagement" = EngagementId, Path), ("proposal" = ProposalId, Path)),
    request_body(content = ProposedVisit, example = json!({"visit": {
        "starts": "2026-12-01T14:00:00", "time_zone": "Australia/Brisbane", "minutes": 120,
        "place": {"elsewhere": {"suburb": "West End", "address": "The library's front door, 178 Boundary Street"}},
        "service": "social_support", "notes": ""
    }})),
    responses((status = 201, body = ProposalView))
)]
pub(super) async fn revise_proposal(
    State(context): State<Shared>,
    caller: Caller,
    Path((engagement, proposal)): Path<(EngagementId, ProposalId)>,
    command: Command<ProposedVisit>,
) -> Result<Response, Problem> {
    let revise = Act {
        side: Side::Worker,
        operation: "revise_proposal",
        happening: Happening::ProposalRevised,
    };
    let by = caller.person.value.id;
    let done = once(&context, by, &command.key, || async {
        let party = act_in_engagement(&context, &caller, engagement, Some(revise.side)).await?;
        let held = &party.engagement.value;
        let was = load(&context, engagement, proposal).await?;
        let policy = context.store.policy().await?;
        let rates = Rates::of(&context, held.client).await?;
        let away = away(&context, held).await?;
        let (proposed, under) = (command.body.clone(), rates.conditions(&policy, &away));
        let revised = was
            .value
            .revise(held, proposed, party.acting, under, context.now())?;
        let commit = revise.written(&context, &party, &was, &revised);
        let commit = party.insisted_on(rates.insisted_on(commit));
        Ok(Decision::new(commit, proposal))
    })
    .await?;
    let view = show(&context, &caller, engagement, proposal).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

/// Why a visit is not wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Refusal {
    /// In words for the support worker.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Decline a proposal
///
/// By the client. The support worker can propose another visit.
#[utoipa::path(post, path = "/v1/engagements/{engagement}/proposals/{proposal}/refusal", tag = "proposals",
    params(("engagement" = EngagementId, Path), ("proposal" = ProposalId, Path)),
    request_body(content = Refusal, example = json!({"reason": "My sister visits me that week."})),
    responses((status = 201, body = ProposalView))
)]
pub(super) async fn decline_proposal(
    State(context): State<Shared>,
    caller: Caller,
    Path(path): Path<(EngagementId, ProposalId)>,
    command: Command<Refusal>,
) -> Result<Response, Problem> {
    let decline = Act {
        side: Side::Client,
        operation: "decline_proposal",
        happening: Happening::ProposalDeclined,
    };
    act(
        &context,
        &caller,
        path,
        &command.key,
        &decline,
        |was, it| {
            need_reason(&command.body.reason)?;
            let why = Reasoned {
                side: Some(it.party.side),
                acting: it.party.acting,
                at: it.now,
                reason: command.body.reason.trim().to_owned(),
            };
            Ok(was.decline(why, it.now)?)
        },
    )
    .await
}

/// What would suit better.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    /// In words for the support worker.
    #[schema(min_length = 1, max_length = 500)]
    text: String,
    /// The times that would suit, where they are that clear.
    times: Option<WishedTimes>,
}

/// Ask for another time
///
/// By the client, in words, and with times of their own where they have some. The proposal stands meanwhile; the
/// support worker can revise it.
#[utoipa::path(post, path = "/v1/engagements/{engagement}/proposals/{proposal}/other-times", tag = "proposals",
    params(("engagement" = EngagementId, Path), ("proposal" = ProposalId, Path)),
    request_body(content = Wish, example = json!({
        "text": "In the afternoon?", "times": {"starts": "2026-12-01T14:00:00", "minutes": 120}
    })),
    responses((status = 201, body = ProposalView))
)]
pub(super) async fn ask_other_time(
    State(context): State<Shared>,
    caller: Caller,
    Path(path): Path<(EngagementId, ProposalId)>,
    command: Command<Wish>,
) -> Result<Response, Problem> {
    let ask = Act {
        side: Side::Client,
        operation: "ask_other_time",
        happening: Happening::AnotherTimeAsked,
    };
    act(&context, &caller, path, &command.key, &ask, |was, it| {
        let Wish { text, times } = &command.body;
        Ok(was.ask_other_time(text, *times, it.party.acting, it.policy, it.now)?)
    })
    .await
}

/// Withdraw a proposal
///
/// By the support worker.
#[utoipa::path(post, path = "/v1/engagements/{engagement}/proposals/{proposal}/withdrawal", tag = "proposals",
    params(("engagement" = EngagementId, Path), ("proposal" = ProposalId, Path)),
    request_body(content = Nothing, example = json!({})),
    responses((status = 201, body = ProposalView))
)]
pub(super) async fn withdraw_proposal(
    State(context): State<Shared>,
    caller: Caller,
    Path(path): Path<(EngagementId, ProposalId)>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    let withdraw = Act {
        side: Side::Worker,
        operation: "withdraw_proposal",
        happening: Happening::ProposalWithdrawn,
    };
    act(
        &context,
        &caller,
        path,
        &command.key,
        &withdraw,
        |was, it| Ok(was.withdraw(it.now)?),
    )
    .await
}

impl From<ReviseProposalError> for Problem {
    fn from(error: ReviseProposalError) -> Self {
        match error {
            ReviseProposalError::NotOpen(refused) => not_open(refused),
            ReviseProposalError::TooMany => Self::wrong_state("proposal-too-many-revisions", error),
            ReviseProposalError::Visit(refused) => refused.into(),
        }
    }
}

impl From<DeclineProposalError> for Problem {
    fn from(error: DeclineProposalError) -> Self {
        match error {
            DeclineProposalError::NotOpen(refused) => not_open(refused),
        }
    }
}

impl From<AskOtherTimeError> for Problem {
    fn from(error: AskOtherTimeError) -> Self {
        match error {
            AskOtherTimeError::NotOpen(refused) => not_open(refused),
            AskOtherTimeError::TooMany => Self::wrong_state("proposal-too-many-other-times", error),
            AskOtherTimeError::Invalid(errors) => Self::invalid(errors),
        }
    }
}

impl From<WithdrawProposalError> for Problem {
    fn from(error: WithdrawProposalError) -> Self {
        match error {
            WithdrawProposalError::NotOpen(refused) => not_open(refused),
        }
    }
}
