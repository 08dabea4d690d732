//! Booking whoever can come in the place of a visit's support worker.

use domain::access::Acting;
use domain::cover::{ConfirmCoverError, Cover};
use domain::engagement::{Happening, Reasoned};
use domain::notice::Told;
use domain::policy::Policy;
use domain::visit::{CoverBooking, Visit, VisitState};
use store::{Commit, EngagementVisit};

use super::comer::Comer;
use super::{Search, told};
use crate::context::Context;
use crate::on_call;
use crate::problem::Problem;
use crate::visit::armed;

/// Why the visit that was booked before is off.
const REASON: &str = "Somebody else comes to it.";

/// How the client's side came to agree.
pub(super) enum Agreed {
    /// To whoever comes.
    To(Acting),
    /// Beforehand, to whoever would come.
    Beforehand(Acting),
}

/// Adds to the commit that `accepted`, whom somebody can come for, is settled with them: the visit that was booked is
/// off, if it still stood, and theirs is booked in its place, at the price that the client agreed to.
///
/// INVARIANT: the visit is written as it was read, so that whoever begins it meanwhile is not replaced.
pub(super) async fn booked(
    context: &Context,
    commit: Commit,
    search: &Search,
    accepted: &Cover,
    comer: &Comer,
    agreed: Agreed,
    policy: &Policy,
) -> Result<Commit, Problem> {
    let (was, now) = (&search.visit, context.now());
    let worker = comer.engagement.worker;
    let (acting, unseen) = match agreed {
        Agreed::To(acting) => (acting, false),
        Agreed::Beforehand(acting) => (acting, true),
    };
    let booking = CoverBooking {
        id: context.fresh(),
        engagement: comer.engagement.id,
        worker,
        acting,
        unseen,
        booked_for: comer.both.records(),
    };
    let visit = was.value.covered_as(booking, policy, now);
    let next = accepted.book(worker, visit.id, now)?;
    let off = match was.value.state {
        VisitState::Booked => was.value.cancel(Reasoned {
            side: None,
            acting,
            at: now,
            reason: REASON.to_owned(),
        })?,
        _ => was.value.clone(),
    };
    let off = Visit {
        covered_by: Some(visit.id),
        ..off
    };
    // 36 writes and checks where nothing was merged and a month turns.
    let commit = commit
        .unchanged(&search.held)
        .replace(&search.cover, &next)
        .replace(was, &off)
        .insert(&visit)
        .insert(&EngagementVisit {
            engagement: visit.engagement,
            visit: visit.id,
        });
    let both = &comer.both;
    let commit = on_call::has_settled(context, armed(commit, &visit), was.value.alert).await?;
    let commit = both
        .rebook(context, commit, &was.value, &visit, policy)
        .await?;
    let commit = comer.connected(commit);
    let commit = search.told(context, commit, Happening::CoverBooked, Told::Worker);
    let commit = match comer.opens() {
        true => told(
            context,
            commit,
            &comer.engagement,
            Happening::EngagementOpened,
            &visit,
            Told::Both,
        ),
        false => commit,
    };
    Ok(told(
        context,
        commit,
        &comer.engagement,
        Happening::CoverBooked,
        &visit,
        Told::Both,
    ))
}

impl From<ConfirmCoverError> for Problem {
    fn from(error: ConfirmCoverError) -> Self {
        match error {
            ConfirmCoverError::NobodyYet => Self::wrong_state("cover-nobody-yet", error),
            ConfirmCoverError::SomebodyElse => Self::wrong_state("cover-somebody-else", error),
            ConfirmCoverError::Closed(closed) => super::closed(closed),
        }
    }
}
