//! A support worker's change as one commit: the record, what matching sees of it, the next deadline, and
//! who hears of it. Every operation and every expiry goes through here.

use chrono::{DateTime, Utc};
use domain::due::{Due, DueRow};
use domain::id::WorkerId;
use domain::notice::Event;
use domain::packed::{IndexChange, index_change};
use domain::support_worker::{Changed, SupportWorker, WorkerEffect};
use domain::ticket::{Ticket, TicketCause};
use store::{CellRow, Commit, Key, Versioned};

use crate::context::Context;

/// Adds a change of a support worker, with all that follows from it, to a commit.
///
/// INVARIANT: what matching sees changes in the same commit as the support worker, so whoever may not be
/// matched any more is out of the index source at once.
///
/// Beside the ordinary writes there is one row for every cell of the service area that is entered, stayed
/// in or left: at most [`MOST_CELLS`](domain::place::MOST_CELLS), and twice that when an active support
/// worker moves to the far side of the country.
pub(crate) fn publish(
    context: &Context,
    commit: Commit,
    was: &Versioned<SupportWorker>,
    changed: &Changed,
) -> Commit {
    let next = &changed.worker;
    let commit = commit.replace(was, next);
    let commit = reindexed(
        commit,
        index_change(Some(&was.value), next),
        next.id,
        context.now(),
    );
    let commit = rearmed(commit, &was.value, next);
    told(context, commit, changed)
}

/// Writes the rows of the index source, deletes those of the cells left, and has both kinds rebuilt.
fn reindexed(commit: Commit, change: IndexChange, worker: WorkerId, now: DateTime<Utc>) -> Commit {
    let IndexChange {
        record,
        put,
        delete,
    } = change;
    let cells: Vec<_> = put.iter().chain(&delete).copied().collect();
    if cells.is_empty() {
        return commit;
    }
    let commit = record.iter().fold(commit, |commit, record| {
        put.iter().fold(commit, |commit, cell| {
            commit.derive(&CellRow {
                cell: *cell,
                record: record.clone(),
            })
        })
    });
    let commit = delete.iter().fold(commit, |commit, cell| {
        commit.derive_nothing_at(&Key::cell_row(*cell, worker))
    });
    commit.due(DueRow {
        due: Due::Reindex { worker, cells },
        at: now,
        generation: 0,
    })
}

/// Arms the deadline if it moved. The row of an earlier generation is left to find itself superseded.
fn rearmed(commit: Commit, was: &SupportWorker, next: &SupportWorker) -> Commit {
    let moved = next.deadline_generation != was.deadline_generation;
    match next.deadline.filter(|_| moved) {
        Some(at) => commit.due(DueRow {
            due: Due::CheckExpiry { worker: next.id },
            at,
            generation: next.deadline_generation,
        }),
        None => commit,
    }
}

/// Lets the support worker know what happened, and opens one ticket for whatever staff have to look at.
fn told(context: &Context, commit: Commit, changed: &Changed) -> Commit {
    let worker = changed.worker.id;
    let commit = changed
        .effects
        .iter()
        .filter_map(|effect| event(worker, effect))
        .fold(commit, |commit, event| {
            commit.notify(context.fresh(), event)
        });
    match changed.effects.iter().find_map(ticket_cause) {
        Some(cause) => commit.insert(&Ticket::open(context.fresh(), cause, worker, context.now())),
        None => commit,
    }
}

/// What the support worker hears of an effect: nothing of what they did themselves and saw the answer of.
fn event(worker: WorkerId, effect: &WorkerEffect) -> Option<Event> {
    match effect {
        WorkerEffect::Submitted => Some(Event::WorkerSubmitted { worker }),
        WorkerEffect::Activated => Some(Event::WorkerActivated { worker }),
        WorkerEffect::Suspended => Some(Event::WorkerSuspended { worker }),
        WorkerEffect::Reinstated => Some(Event::WorkerReinstated { worker }),
        WorkerEffect::CheckVerified(check) => Some(Event::CheckVerified {
            worker,
            check: *check,
        }),
        WorkerEffect::CheckExpiring(check, _) => Some(Event::CheckExpiring {
            worker,
            check: *check,
        }),
        WorkerEffect::CheckExpired(check) => Some(Event::CheckExpired {
            worker,
            check: *check,
        }),
        WorkerEffect::CheckRevoked(check) => Some(Event::CheckRevoked {
            worker,
            check: *check,
        }),
        WorkerEffect::IntroductionApproved => Some(Event::IntroductionApproved { worker }),
        // What deactivates is told as the check that lapsed or was revoked.
        WorkerEffect::Deactivated { .. }
        | WorkerEffect::Paused
        | WorkerEffect::Resumed
        | WorkerEffect::IntroductionAwaitsApproval => None,
    }
}

/// What staff have to look at after an effect.
fn ticket_cause(effect: &WorkerEffect) -> Option<TicketCause> {
    match effect {
        WorkerEffect::Submitted => Some(TicketCause::WorkerSubmitted),
        WorkerEffect::IntroductionAwaitsApproval => Some(TicketCause::IntroductionChanged),
        WorkerEffect::CheckExpiring(..) | WorkerEffect::CheckExpired(_) => {
            Some(TicketCause::CheckExpiring)
        }
        WorkerEffect::Activated
        | WorkerEffect::Deactivated { .. }
        | WorkerEffect::Paused
        | WorkerEffect::Resumed
        | WorkerEffect::Suspended
        | WorkerEffect::Reinstated
        | WorkerEffect::CheckVerified(_)
        | WorkerEffect::CheckRevoked(_)
        | WorkerEffect::IntroductionApproved => None,
    }
}
