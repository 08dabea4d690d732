//! A proposal whose time has come unaccepted.

use domain::engagement::{Engagement, Happening};
use domain::id::{EngagementId, ProposalId};
use domain::notice::Told;
use domain::proposal::{LapseProposalError, Proposal};
use store::{Actor, Commit, Key, PendingDue};

use super::audit;
use crate::consume::{ConsumeError, Effect};
use crate::context::Context;
use crate::conversation::tell;
use crate::visit_change;

/// The effect of a proposal's deadline.
pub(crate) async fn when_due(
    context: &Context,
    pending: &PendingDue,
    engagement: EngagementId,
    proposal: ProposalId,
) -> Result<Effect, ConsumeError> {
    let key = Key::proposal(engagement, proposal);
    let Some(was) = context.store.get::<Proposal>(&key).await? else {
        return Ok(Effect::Superseded);
    };
    let key = Key::engagement(engagement);
    let Some(held) = context.store.get::<Engagement>(&key).await? else {
        return Ok(Effect::Superseded);
    };
    match was.value.lapse(pending.row.generation, context.now()) {
        Ok(lapsed) => {
            let audit = audit(context, Actor::Service, "lapse_proposal", &lapsed);
            let commit = Commit::new(audit).replace(&was, &lapsed).finish(pending);
            let commit = visit_change::followed(context, commit, &lapsed).await?;
            if !held.value.is_live() {
                // Those who have parted are left in peace.
                return Ok(commit.into());
            }
            let (about, happening) = (Some(proposal.to_string()), Happening::ProposalLapsed);
            Ok(tell(context, commit, &held.value, happening, about, Told::Both).into())
        }
        Err(LapseProposalError::NotOpen(_) | LapseProposalError::Superseded) => {
            Ok(Effect::Superseded)
        }
        Err(LapseProposalError::Early(at)) => Ok(Effect::Early(at)),
    }
}
