//! What a suspended support worker is booked for: it is off, and somebody else is looked for.

use domain::access::Acting;
use domain::cover::CoverCause;
use domain::engagement::{Engagement, Happening, Reasoned, Side};
use domain::id::WorkerId;
use domain::notice::Told;
use domain::support_worker::{SupportWorker, WorkerState};
use domain::visit::{Visit, VisitState};
use store::{Actor, Commit, Key, PendingDue, Versioned};

use super::{seek, told, tried_again};
use crate::booking::{bookings, free, records_of, sheets_ahead};
use crate::consume::{ConsumeError, Effect};
use crate::context::Context;

/// Why the visit is off, for both sides: that they are suspended, and why, stays with staff.
const REASON: &str = "The support worker cannot come.";

/// Takes the next visit off that is booked with them, and looks for somebody else to come to it; finishes the row with
/// the last.
pub(crate) async fn when_due(
    context: &Context,
    pending: &PendingDue,
    worker: WorkerId,
) -> Result<Effect, ConsumeError> {
    let key = Key::worker(worker);
    let Some(suspended) = context.store.get::<SupportWorker>(&key).await? else {
        return Ok(Effect::Superseded);
    };
    // Staff may have taken it back meanwhile.
    if suspended.value.state != WorkerState::Suspended {
        return Ok(Effect::Superseded);
    }
    let mut booked = booked_ahead(context, &suspended.value).await?;
    booked.sort_by_key(|visit| std::cmp::Reverse(visit.value.from));
    let Some(was) = booked.pop() else {
        return Ok(Effect::Superseded);
    };
    let why = Reasoned {
        side: Some(Side::Worker),
        acting: Acting::by(suspended.value.person),
        at: context.now(),
        reason: REASON.to_owned(),
    };
    let Ok(mut next) = was.value.cancel(why) else {
        return Ok(Effect::Superseded);
    };
    let key = Key::visit(next.id);
    let audit = context.audit(Actor::Service, "cover_for_suspended_worker", &key);
    let commit = Commit::new(audit).unchanged(&suspended);
    let commit = free(context, commit, &next).await?;
    let commit = seek(context, commit, &mut next, CoverCause::Suspended).await?;
    let commit = commit.replace(&was, &next);
    let held = Key::engagement(next.engagement);
    let commit = match context.store.get::<Engagement>(&held).await? {
        Some(held) => told(
            context,
            commit,
            &held.value,
            Happening::VisitCancelled,
            &next,
            Told::Both,
        ),
        None => commit,
    };
    if booked.is_empty() {
        return Ok(commit.finish(pending).into());
    }
    Ok(Effect::Step(Box::new(commit)))
}

/// What is booked with a support worker, has not begun and is not over.
pub(super) async fn booked_ahead(
    context: &Context,
    worker: &SupportWorker,
) -> Result<Vec<Versioned<Visit>>, ConsumeError> {
    let Some(person) = context.living_person(worker.person).await? else {
        return Ok(Vec::new());
    };
    let records = records_of(context, person.value.id).await;
    let records = records.map_err(|refused| tried_again(&refused))?;
    let now = context.now();
    let sheets = sheets_ahead(context, &records).await?;
    let keys: Vec<Key> = bookings(&sheets, now)
        .iter()
        .map(|busy| Key::visit(busy.visit))
        .collect();
    let mut visits = context.store.get_many::<Visit>(&keys).await?;
    visits.retain(|visit| {
        let visit = &visit.value;
        visit.worker == worker.id && visit.state == VisitState::Booked && now < visit.until
    });
    Ok(visits)
}
