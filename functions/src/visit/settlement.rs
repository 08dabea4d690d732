//! What an engagement that has ended, or in which visits were stopped, leaves behind: what was still to come is
//! cancelled.

use std::collections::BTreeSet;

use domain::due::{Due, DueRow};
use domain::engagement::{Engagement, Reasoned};
use domain::id::{EngagementId, VisitId};
use domain::schedule::Month;
use domain::visit::{Visit, VisitState};
use store::{Actor, Audit, Commit, Key, PendingDue, StoreError, Versioned};

use super::of_engagement;
use crate::booking::free_all;
use crate::consume::{ConsumeError, Effect};
use crate::context::Context;
use crate::cover;
use crate::problem::Problem;

/// The most visits whose cancellation costs something that one commit looks at.
const MOST_CHARGED: usize = 60;
/// How many visits are cancelled in one commit.
const CANCELLED_AT_ONCE: usize = 20;
const REASON: &str = "The engagement has ended.";

/// Cancels what is still to come of an engagement that has ended, or in which visits were stopped.
pub(crate) async fn when_due(
    context: &Context,
    pending: &PendingDue,
    engagement: EngagementId,
) -> Result<Effect, ConsumeError> {
    let key = Key::engagement(engagement);
    let Some(held) = context.store.get::<Engagement>(&key).await? else {
        return Ok(Effect::Superseded);
    };
    // It may have been opened again, or resumed, meanwhile.
    let Some(why) = why(&held.value) else {
        return Ok(Effect::Superseded);
    };
    let ahead = ahead(context, engagement).await?;
    let audit = context.audit(Actor::Service, "settle_visits", &key);
    // INVARIANT: nothing is booked in an engagement that is paused or has ended, so whatever is found here is all there
    // is.
    let rests_on = Some(&held);
    let charged = &held.value.charged_at_end;
    call_off(context, pending, audit, ahead, &why, charged, rests_on).await
}

/// Why its visits are off, and since when: whoever stopped them, or ended the engagement, called them off.
fn why(engagement: &Engagement) -> Option<Reasoned> {
    if engagement.stopped.is_some() {
        return engagement.stopped.clone();
    }
    engagement.end.as_ref().map(|end| Reasoned {
        reason: REASON.to_owned(),
        ..end.clone()
    })
}

/// Calls off the last of the visits `ahead`, those of a month at once, with something larger that was ended, as `why`
/// says; finishes the row with the first of them. Both sides have heard of that end, and are not told of each visit.
///
/// What cancelling the `charged` ones cost then was quoted and acknowledged; the others cost nothing.
///
/// # Errors
/// When the table does not answer.
pub(crate) async fn call_off(
    context: &Context,
    pending: &PendingDue,
    mut audit: Audit,
    mut ahead: Vec<Versioned<Visit>>,
    why: &Reasoned,
    charged: &BTreeSet<VisitId>,
    rests_on: Option<&Versioned<Engagement>>,
) -> Result<Effect, ConsumeError> {
    let step = last_of_a_month(&mut ahead);
    (audit.fields).extend(step.iter().map(|visit| visit.value.id.to_string()));
    let policy = context.store.policy().await?;
    let mut commit = Commit::new(audit);
    if let Some(held) = rests_on {
        commit = commit.unchanged(held);
    }
    let mut off = Vec::new();
    for was in &step {
        let charged = charged.contains(&was.value.id);
        let Ok(mut next) = was.value.cancel_with(why.clone(), charged, &policy) else {
            continue;
        };
        commit = cover::called_off(context, commit, &mut next).await?;
        commit = commit.replace(was, &next);
        off.push(next);
    }
    if off.is_empty() {
        return Ok(Effect::Superseded);
    }
    let commit = free_all(context, commit, &off).await?;
    if ahead.is_empty() {
        return Ok(commit.finish(pending).into());
    }
    Ok(Effect::Step(Box::new(commit)))
}

/// Adds to a commit that what is still to come in an engagement is cancelled.
pub(crate) fn settles(context: &Context, commit: Commit, engagement: EngagementId) -> Commit {
    commit.due_of(
        &Key::engagement(engagement),
        DueRow {
            due: Due::VisitSettlement { engagement },
            at: context.now(),
            generation: 0,
        },
    )
}

/// Makes the commit fail where one of the `charged` visits, of those `ahead`, is not any more as it was quoted.
///
/// # Errors
/// 409 `too-many-charged` where there are more than one commit can look at.
pub(crate) fn as_quoted(
    commit: Commit,
    ahead: &[Versioned<Visit>],
    charged: &BTreeSet<VisitId>,
) -> Result<Commit, Problem> {
    if MOST_CHARGED < charged.len() {
        let detail = "cancel some of the visits that are close by first";
        return Err(Problem::wrong_state("too-many-charged", detail));
    }
    let quoted = ahead.iter();
    let quoted = quoted.filter(|visit| charged.contains(&visit.value.id));
    Ok(quoted.fold(commit, Commit::unchanged))
}

/// Takes the last of these visits away, which are in order: those of one month and no more than one commit cancels, so
/// that few sheets are written with them.
fn last_of_a_month(ahead: &mut Vec<Versioned<Visit>>) -> Vec<Versioned<Visit>> {
    let last = ahead.last().map(|visit| Month::of(visit.value.from));
    let first = ahead.partition_point(|visit| Some(Month::of(visit.value.from)) != last);
    ahead.split_off(first.max(ahead.len().saturating_sub(CANCELLED_AT_ONCE)))
}

/// The visits of an engagement that are booked and have not begun, in order.
pub(crate) async fn ahead(
    context: &Context,
    engagement: EngagementId,
) -> Result<Vec<Versioned<Visit>>, StoreError> {
    let mut visits = of_engagement(context, engagement).await?;
    visits.retain(|visit| visit.value.state == VisitState::Booked);
    visits.sort_by_key(|visit| visit.value.from);
    Ok(visits)
}
