//! What an engagement that has ended leaves behind: visits that were still to come are cancelled.

use chrono::{DateTime, Utc};
use domain::access::Acting;
use domain::engagement::{Engagement, Happening, Reasoned};
use domain::id::EngagementId;
use domain::notice::Told;
use domain::visit::Visit;
use store::{Actor, Commit, EngagementVisit, Key, PendingDue, StoreError, Versioned};

use super::tell_of;
use crate::booking::free;
use crate::consume::{ConsumeError, Effect};
use crate::context::Context;

/// The most visits of one engagement that are looked through.
const MOST_VISITS: usize = 10_000;
const REASON: &str = "The engagement has ended.";

/// Cancels the next visit that is still to come, and finishes the row with the last of them.
pub(crate) async fn when_due(
    context: &Context,
    pending: &PendingDue,
    engagement: EngagementId,
) -> Result<Effect, ConsumeError> {
    let key = Key::engagement(engagement);
    let Some(held) = context.store.get::<Engagement>(&key).await? else {
        return Ok(Effect::Superseded);
    };
    // Staff may have opened it again meanwhile.
    if held.value.is_live() {
        return Ok(Effect::Superseded);
    }
    let now = context.now();
    let mut ahead = ahead(context, engagement, now).await?;
    let Some(was) = ahead.pop() else {
        return Ok(Effect::Superseded);
    };
    let Ok(next) = was.value.cancel(ended_by(&held.value, &was.value, now)) else {
        return Ok(Effect::Superseded);
    };
    let visit = next.id;
    let audit = context.audit(Actor::Service, "settle_visit", &Key::visit(visit));
    // INVARIANT: nothing is booked in an engagement that has ended, so whatever is found here is all there is.
    let commit = Commit::new(audit).replace(&was, &next).unchanged(&held);
    let commit = free(context, commit, &next).await?;
    let commit = tell_of(
        context,
        commit,
        &held.value,
        Happening::VisitCancelled,
        visit,
        Told::Both,
    );
    if ahead.is_empty() {
        return Ok(commit.finish(pending).into());
    }
    Ok(Effect::Step(Box::new(commit)))
}

/// The visits of an engagement that are still to come, the latest first.
async fn ahead(
    context: &Context,
    engagement: EngagementId,
    now: DateTime<Utc>,
) -> Result<Vec<Versioned<Visit>>, StoreError> {
    let pk = Key::engagement(engagement).pk;
    let marks = context
        .store
        .list_all::<EngagementVisit>(&pk, "VISIT#", MOST_VISITS)
        .await?;
    let keys: Vec<Key> = marks
        .iter()
        .map(|mark| Key::visit(mark.value.visit))
        .collect();
    let mut visits = context.store.get_many::<Visit>(&keys).await?;
    visits.retain(|visit| visit.value.is_ahead(now));
    visits.sort_by_key(|visit| std::cmp::Reverse(visit.value.from));
    Ok(visits)
}

/// Why a visit is off: whoever ended the engagement ended it too.
fn ended_by(engagement: &Engagement, visit: &Visit, now: DateTime<Utc>) -> Reasoned {
    let end = engagement.end.as_ref();
    Reasoned {
        side: end.and_then(|end| end.side),
        acting: end.map_or(Acting::by(visit.booked_by.by), |end| end.acting),
        at: now,
        reason: REASON.to_owned(),
    }
}
