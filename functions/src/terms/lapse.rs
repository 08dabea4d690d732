//! An offer that nobody answered in time.

use domain::engagement::{Engagement, Happening};
use domain::id::{EngagementId, OfferId};
use domain::notice::Told;
use domain::terms::{LapseOfferError, Offer};
use store::{Actor, Commit, Key, PendingDue};

use crate::consume::{ConsumeError, Effect};
use crate::context::Context;
use crate::conversation::tell;

/// The effect of an offer's time being over. Where the engagement has ended, nobody has to hear of it.
pub(crate) async fn when_due(
    context: &Context,
    pending: &PendingDue,
    engagement: EngagementId,
    offer: OfferId,
) -> Result<Effect, ConsumeError> {
    let key = Key::engagement(engagement);
    let Some(was) = context.store.get::<Engagement>(&key).await? else {
        return Ok(Effect::Superseded);
    };
    if was.value.open_offer != Some(offer) {
        return Ok(Effect::Superseded);
    }
    // The open offer is always the newest.
    let newest = Key::offer(engagement, was.value.offers);
    let Some(open) = context.store.get::<Offer>(&newest).await? else {
        return Ok(Effect::Superseded);
    };
    let generation = pending.row.generation;
    match was
        .value
        .lapse_offer(&open.value, generation, context.now())
    {
        Ok(lapsed) => {
            let audit = context.audit(Actor::Service, "lapse_offer", &key);
            let commit = Commit::new(audit)
                .replace(&was, &lapsed.engagement)
                .replace(&open, &lapsed.offer)
                .finish(pending);
            let commit = if was.value.is_live() {
                let (about, happening) = (Some(offer.to_string()), Happening::OfferLapsed);
                tell(context, commit, &was.value, happening, about, Told::Both)
            } else {
                commit
            };
            Ok(commit.into())
        }
        Err(LapseOfferError::Superseded) => Ok(Effect::Superseded),
        Err(LapseOfferError::Early(at)) => Ok(Effect::Early(at)),
    }
}
