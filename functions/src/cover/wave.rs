//! A search that goes on as time passes: others are asked, or nobody is left to ask and staff hear of it.

use domain::alert::AlertCause;
use domain::cover::{Cover, CoverState, PassCoverDeadlineError};
use domain::engagement::Happening;
use domain::id::CoverId;
use domain::notice::{Event, Told};
use domain::ticket::{Ticket, TicketCause};
use domain::visit::Visit;
use store::{Actor, Commit, Key, PendingDue, StoreError, WorkerCover};

use super::search::{Found, look};
use super::{Search, armed, withdrawn};
use crate::consume::{ConsumeError, Effect};
use crate::context::Context;
use crate::on_call;

/// The effect of a search's deadline.
pub(crate) async fn when_due(
    context: &Context,
    pending: &PendingDue,
    cover: CoverId,
) -> Result<Effect, ConsumeError> {
    let Some(search) = Search::of(context, cover).await? else {
        return Ok(Effect::Superseded);
    };
    let (was, now) = (&search.cover.value, context.now());
    match was.must_be_due(pending.row.generation, now) {
        Ok(()) => {}
        Err(PassCoverDeadlineError::Superseded) => return Ok(Effect::Superseded),
        Err(PassCoverDeadlineError::Early(at)) => return Ok(Effect::Early(at)),
    }
    let audit = context.audit(Actor::Service, "go_on_with_cover", &Key::cover(cover));
    let commit = Commit::new(audit).finish(pending).unchanged(&search.visit);
    if !search.is_wanted() {
        return Ok(withdrawn(context, commit, &search.cover).into());
    }
    let policy = context.store.policy().await?;
    let found = match was.state {
        CoverState::Seeking => look(context, &search, &policy).await?,
        CoverState::Accepted
        | CoverState::Covered
        | CoverState::Unfilled
        | CoverState::Withdrawn => Found::default(),
    };
    let next = was.go_on(&found.next, found.left_out, &policy, now);
    let commit = commit.replace(&search.cover, &next);
    if next.state == CoverState::Unfilled {
        let commit = alerted(context, commit, &search, &next).await?;
        let commit = search.let_go(context, commit);
        let commit = search.told(context, commit, Happening::CoverUnfilled, Told::Client);
        return Ok(commit.into());
    }
    let new = next.asked.iter().skip(was.asked.len());
    let commit = new.fold(armed(commit, &next), |commit, asked| {
        let worker = asked.worker;
        commit
            .insert(&WorkerCover { worker, cover })
            .notify(context.fresh(), Event::CoverOffered { cover, worker })
    });
    Ok(commit.into())
}

/// Staff hear that nobody comes, and why, in numbers. Whoever is on call is told, too, where the visit is close, unless
/// an alert about it goes its way already: one at a time is enough.
async fn alerted(
    context: &Context,
    commit: Commit,
    search: &Search,
    cover: &Cover,
) -> Result<Commit, StoreError> {
    let cause = TicketCause::CoverUnfilled;
    let mut ticket = Ticket::open(context.fresh(), cause, cover.visit, context.now());
    ticket.related.push(cover.id.to_string());
    let commit = commit.insert(&ticket);
    let was = &search.visit;
    let close = was.value.is_at_short_notice(context.now());
    if !close || on_call::is_live(context, was.value.alert).await? {
        return Ok(commit);
    }
    let (commit, alert) = on_call::raise(context, commit, AlertCause::CoverUnfilled, cover.visit);
    let next = Visit {
        alert: Some(alert),
        ..was.value.clone()
    };
    Ok(commit.replace(was, &next))
}
