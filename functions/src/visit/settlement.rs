//! What an engagement that has ended, or in which visits were stopped, leaves behind: what was still to come is
//! cancelled.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::access::Acting;
use domain::cover::CoverCause;
use domain::due::{Due, DueRow};
use domain::engagement::{Engagement, Reasoned, Side};
use domain::id::{EngagementId, VisitId};
use domain::schedule::Month;
use domain::visit::{Visit, VisitState};
use store::{Actor, Commit, Key, PendingDue, StoreError, Versioned};

use super::of_engagement;
use crate::booking::free_all;
use crate::consume::{ConsumeError, Effect};
use crate::context::Context;
use crate::problem::Problem;
use crate::{cover, on_call};

/// The most visits whose cancellation costs something that one commit looks at.
const MOST_CHARGED: usize = 60;
/// How many visits are cancelled in one commit.
const CANCELLED_AT_ONCE: usize = 20;
const REASON: &str = "The engagement has ended.";

/// Cancels the last visits that are still to come, those of a month at once, and finishes the row with the first of them.
/// Both sides have heard of the end, or hear once that visits were stopped, and are not told of each.
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
    if !held.value.visits_are_off() {
        return Ok(Effect::Superseded);
    }
    let now = context.now();
    let policy = context.store.policy().await?;
    let mut ahead = ahead(context, engagement).await?;
    let step = last_of_a_month(&mut ahead);
    let mut audit = context.audit(Actor::Service, "settle_visits", &key);
    (audit.fields).extend(step.iter().map(|visit| visit.value.id.to_string()));
    // INVARIANT: nothing is booked in an engagement that is paused or has ended, so whatever is found here is all there
    // is.
    let mut commit = Commit::new(audit).unchanged(&held);
    let mut cancelled = Vec::new();
    for was in &step {
        let why = ended_by(&held.value, &was.value, now);
        let (side, at) = (why.side, why.at);
        // What was quoted for some of them was acknowledged when the engagement was ended; else it costs nothing.
        let charged = held.value.charged_at_end.contains(&was.value.id);
        let Ok(mut next) = was.value.cancel_with(why, charged, &policy) else {
            continue;
        };
        // Whether anybody goes where visits were stopped, staff decide.
        let left_alone = side == Some(Side::Worker) && held.value.stopped.is_none();
        commit = match left_alone && was.value.is_at_short_notice(at) {
            true => cover::seek(context, commit, &mut next, CoverCause::Cancelled).await?,
            false => {
                let commit = cover::unless_wanted(context, commit, &next).await?;
                on_call::has_settled(context, commit, next.alert).await?
            }
        };
        commit = commit.replace(was, &next);
        cancelled.push(next);
    }
    if cancelled.is_empty() {
        return Ok(Effect::Superseded);
    }
    let commit = free_all(context, commit, &cancelled).await?;
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
pub(crate) fn last_of_a_month(ahead: &mut Vec<Versioned<Visit>>) -> Vec<Versioned<Visit>> {
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

/// Why a visit is off, and since when: whoever stopped the visits, or ended the engagement, ended it too.
fn ended_by(engagement: &Engagement, visit: &Visit, now: DateTime<Utc>) -> Reasoned {
    if let Some(stopped) = &engagement.stopped {
        return stopped.clone();
    }
    let end = engagement.end.as_ref();
    Reasoned {
        side: end.and_then(|end| end.side),
        acting: end.map_or(Acting::by(visit.booked_by.by), |end| end.acting),
        at: end.map_or(now, |end| end.at),
        reason: REASON.to_owned(),
    }
}
