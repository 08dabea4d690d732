//! Invitations as time passes: unanswered ones lapse, and those of a request that has come to its end are withdrawn.

use domain::id::{CandidateId, MatchRequestId};
use domain::invitation::{Invitation, LapseInvitationError};
use domain::match_request::{MatchRequest, MatchRequestState};
use domain::notice::Event;
use store::{Actor, Commit, Key, PendingDue};

use crate::candidate_release::requested;
use crate::consume::{ConsumeError, Effect};
use crate::context::Context;
use crate::replacement::{after_refusal, invitations_of};

/// Lets an unanswered invitation lapse.
pub(crate) async fn lapse(
    context: &Context,
    pending: &PendingDue,
    match_request: MatchRequestId,
    candidate: CandidateId,
) -> Result<Effect, ConsumeError> {
    // Before the invitation: see `after_leaving`.
    let Some(requested) = requested(context, match_request).await? else {
        return Ok(Effect::Superseded);
    };
    let key = Key::candidate(match_request, candidate);
    let Some(was) = context.store.get::<Invitation>(&key).await? else {
        return Ok(Effect::Superseded);
    };
    let next = match was.value.lapse(pending.row.generation, context.now()) {
        Ok(next) => next,
        Err(LapseInvitationError::Superseded) => return Ok(Effect::Superseded),
        Err(LapseInvitationError::Early(at)) => return Ok(Effect::Early(at)),
    };
    let event = Event::InvitationLapsed {
        invitation: next.id,
        worker: next.worker,
    };
    let commit = Commit::new(context.audit(Actor::Service, "lapse_invitation", &key))
        .finish(pending)
        .replace(&was, &next)
        .notify(context.fresh(), event);
    let commit = after_refusal(context, commit, &requested, &next).await?;
    Ok(commit.into())
}

/// Withdraws the unanswered invitations of a request that has come to its end, one after the other.
pub(crate) async fn withdraw_all(
    context: &Context,
    pending: &PendingDue,
    match_request: MatchRequestId,
) -> Result<Effect, ConsumeError> {
    let key = Key::match_request(match_request);
    let Some(request) = context.store.get::<MatchRequest>(&key).await? else {
        return Ok(Effect::Superseded);
    };
    if request.value.state == MatchRequestState::Released {
        return Ok(Effect::Superseded);
    }
    // INVARIANT: an invitation insists on the request's being open, so that none is added any more.
    for was in invitations_of(context, &request.value).await? {
        let Ok(next) = was.value.withdraw(context.now()) else {
            continue;
        };
        let event = Event::InvitationWithdrawn {
            invitation: next.id,
            worker: next.worker,
        };
        let audit = context.audit(Actor::Service, "withdraw_invitation", &key);
        let commit = Commit::new(audit)
            .replace(&was, &next)
            .notify(context.fresh(), event);
        return Ok(Effect::Step(Box::new(commit)));
    }
    Ok(context.effect(pending).into())
}
