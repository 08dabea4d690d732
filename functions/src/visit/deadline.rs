//! What time brings about for a visit: reminders, an alert where it does not begin, and its end.

use chrono::{DateTime, Utc};
use domain::alert::AlertCause;
use domain::cover::CoverCause;
use domain::due::{Due, DueRow};
use domain::engagement::{Engagement, Happening};
use domain::id::VisitId;
use domain::notice::Told;
use domain::ticket::{Ticket, TicketCause};
use domain::visit::{PassVisitDeadlineError, Visit, VisitState, VisitStep};
use store::{Actor, Commit, Key, PendingDue, StoreError, Versioned};

use super::tell_of;
use crate::consume::{ConsumeError, Effect};
use crate::context::Context;
use crate::{cover, on_call};

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
    let now = context.now();
    let deadline = match was.value.due_deadline(pending.row.generation, now) {
        Ok(deadline) => deadline,
        Err(PassVisitDeadlineError::Superseded) => return Ok(Effect::Superseded),
        Err(PassVisitDeadlineError::Early(at)) => return Ok(Effect::Early(at)),
    };
    let key = Key::engagement(was.value.engagement);
    let Some(held) = context.store.get::<Engagement>(&key).await? else {
        return Ok(Effect::Superseded);
    };
    let policy = context.store.policy().await?;
    let audit = context.audit(Actor::Service, "pass_visit_deadline", &Key::visit(visit));
    let commit = Commit::new(audit).finish(pending);
    let next = match deadline.step {
        VisitStep::Remind | VisitStep::Alert | VisitStep::AskToFinish | VisitStep::Unfinished => {
            was.value.clone()
        }
        VisitStep::Miss => Visit {
            state: VisitState::Missed,
            ..was.value.clone()
        },
        VisitStep::Confirm => match was.value.confirm_in_silence(now) {
            Ok(confirmed) => confirmed,
            Err(_) => return Ok(Effect::Superseded),
        },
    };
    let mut next = next.armed_after(deadline, &policy, now);
    let tell =
        |commit, happening, told| tell_of(context, commit, &held.value, happening, visit, told);
    let commit = match deadline.step {
        // What an outage held up is not made good once it helps nobody.
        VisitStep::Remind if !was.value.can_be_reminded_of(now) => commit,
        VisitStep::Remind => tell(commit, Happening::VisitReminder, Told::Both),
        VisitStep::Alert => {
            let commit = tell(commit, Happening::VisitNotStarted, Told::Both);
            alerted(context, commit, &mut next, now).await?
        }
        VisitStep::Miss => tell(commit, Happening::VisitMissed, Told::Both),
        VisitStep::AskToFinish => tell(commit, Happening::VisitNotFinished, Told::Worker),
        VisitStep::Unfinished => {
            let cause = TicketCause::VisitNotFinished;
            commit.insert(&Ticket::open(context.fresh(), cause, visit, now))
        }
        VisitStep::Confirm => tell(commit, Happening::VisitConfirmed, Told::Both),
    };
    Ok(written(commit, &was, &next).into())
}

/// Staff and whoever is on call hear of a visit that has not begun, the client is called where they cannot do without
/// it, and somebody else is looked for while there is something left of its time.
async fn alerted(
    context: &Context,
    commit: Commit,
    visit: &mut Visit,
    now: DateTime<Utc>,
) -> Result<Commit, StoreError> {
    // It takes the place of an earlier one, that nobody was found to come.
    let commit = on_call::has_settled(context, commit, visit.alert).await?;
    let cause = AlertCause::VisitNotStarted;
    let (commit, alert) = on_call::raise(context, commit, cause, visit.id);
    visit.alert = Some(alert);
    let commit = match visit.details.essential {
        true => {
            let cause = TicketCause::WelfareCall;
            commit.insert(&Ticket::open(context.fresh(), cause, visit.id, now))
        }
        false => commit,
    };
    match now < visit.until {
        true => cover::seek(context, commit, visit, CoverCause::NotArrived).await,
        false => Ok(commit),
    }
}

fn written(commit: Commit, was: &Versioned<Visit>, next: &Visit) -> Commit {
    armed(commit.replace(was, next), next)
}
