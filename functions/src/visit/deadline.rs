//! What time brings about for a visit: reminders, an alert where it does not begin, and its end.

use domain::due::{Due, DueRow};
use domain::engagement::{Engagement, Happening};
use domain::id::VisitId;
use domain::notice::Told;
use domain::visit::{PassVisitDeadlineError, Visit, VisitState, VisitStep};
use store::{Actor, Commit, Key, PendingDue};

use super::tell_of;
use crate::consume::{ConsumeError, Effect};
use crate::context::Context;

/// Adds the row of the deadline that is armed for `visit`, if one is.
pub(crate) fn armed(commit: Commit, visit: &Visit) -> Commit {
    match visit.deadline {
        Some(deadline) => commit.due_of(
            &Key::visit(visit.id),
            DueRow {
                due: Due::VisitDeadline { visit: visit.id },
                at: deadline.at,
                generation: visit.deadline_generation,
            },
        ),
        None => commit,
    }
}

/// Passes the deadline that `pending` stands for, and arms the next one in the same commit.
pub(crate) async fn when_due(
    context: &Context,
    pending: &PendingDue,
    visit: VisitId,
) -> Result<Effect, ConsumeError> {
    let key = Key::visit(visit);
    let Some(was) = context.store.get::<Visit>(&key).await? else {
        return Ok(Effect::Superseded);
    };
    let deadline = match was
        .value
        .due_deadline(pending.row.generation, context.now())
    {
        Ok(deadline) => deadline,
        Err(PassVisitDeadlineError::Superseded) => return Ok(Effect::Superseded),
        Err(PassVisitDeadlineError::Early(at)) => return Ok(Effect::Early(at)),
    };
    let key = Key::engagement(was.value.engagement);
    let Some(held) = context.store.get::<Engagement>(&key).await? else {
        return Ok(Effect::Superseded);
    };
    let policy = context.store.policy().await?;
    let state = match deadline.step {
        VisitStep::Remind | VisitStep::Alert => was.value.state,
        VisitStep::Miss => VisitState::Missed,
        VisitStep::Confirm => VisitState::Confirmed,
    };
    let (happening, told) = match deadline.step {
        VisitStep::Remind => (Happening::VisitReminder, Told::Both),
        VisitStep::Alert => (Happening::VisitNotStarted, Told::Client),
        VisitStep::Miss => (Happening::VisitMissed, Told::Both),
        VisitStep::Confirm => (Happening::VisitConfirmed, Told::Both),
    };
    let next = Visit {
        state,
        ..was.value.clone()
    };
    let next = next.armed(&policy, deadline.at);
    let audit = context.audit(Actor::Service, "pass_visit_deadline", &Key::visit(visit));
    let commit = Commit::new(audit).replace(&was, &next).finish(pending);
    let commit = armed(commit, &next);
    let commit = tell_of(context, commit, &held.value, happening, visit, told);
    Ok(commit.into())
}
