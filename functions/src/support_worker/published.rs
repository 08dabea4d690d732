//! A support worker's change as one commit: the record, what matching sees of it, the next deadline, and
//! who hears of it. Every operation and every expiry goes through here.

use domain::availability::Leave;
use domain::due::{Due, DueRow};
use domain::id::WorkerId;
use domain::notice::Event;
use domain::packed::index_change;
use domain::support_worker::{Changed, SupportWorker, WorkerEffect};
use domain::ticket::{Ticket, TicketCause};
use store::{Commit, Key, Versioned};

use crate::context::Context;

/// Adds a change of a support worker, with all that follows from it, to a commit.
///
/// INVARIANT: what matching sees changes in the same commit as the support worker, so whoever may not be
/// matched any more is out of the index source at once.
///
/// Beside the ordinary writes there is one row for every cell of the service area that is entered, stayed
/// in or left: at most [`MOST_CELLS`](domain::place::MOST_CELLS), about 31 for the farthest travel where
/// people live. Only an edit that moves an active support worker out of the whole area writes twice as many,
/// beside six others: the audit item, the check of the caller, the support worker, the ticket, the
/// deadline and the row that has shards rebuilt.
pub(crate) fn publish(
    context: &Context,
    commit: Commit,
    was: &Versioned<SupportWorker>,
    changed: &Changed,
) -> Commit {
    let next = &changed.worker;
    let commit = commit
        .replace(was, next)
        .reindexed(index_change(Some(&was.value), next), next.id);
    let commit = rearmed(commit, &was.value, next);
    let commit = booked_visits(context, commit, &was.value, changed);
    told(context, commit, changed)
}

/// Has what is booked with them looked at, where the change bears on it: cover is looked for where they are suspended,
/// and they hear of visits on days that they have just marked as away.
fn booked_visits(
    context: &Context,
    commit: Commit,
    was: &SupportWorker,
    changed: &Changed,
) -> Commit {
    let worker = changed.worker.id;
    let suspended = changed.effects.contains(&WorkerEffect::Suspended);
    let earlier: Vec<Leave> = was.profile.availability.leave().collect();
    let mut leave = changed.worker.profile.availability.leave();
    let away = leave.any(|leave| !earlier.contains(&leave));
    let due = [
        suspended.then_some(Due::SuspensionCover { worker }),
        away.then_some(Due::LeaveLook { worker }),
    ];
    due.into_iter().flatten().fold(commit, |commit, due| {
        let row = DueRow {
            due,
            at: context.now(),
            generation: 0,
        };
        commit.due_of(&Key::worker(worker), row)
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

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Utc};
    use domain::availability::{Availability, HalfHour, Weekday, WeeklyHours};
    use domain::check::CheckKind;
    use domain::money::Cents;
    use domain::place::{Cell, MOST_CELLS, Place, cover};
    use domain::policy::Policy;
    use domain::profile::{OfferedService, ServiceArea, WorkerProfile};
    use domain::support_worker::WorkerState;
    use domain::vocabulary::{Language, Service, Vocabulary};
    use store::{Actor, Audit};

    const WRITES_OF_ONE_TRANSACTION: usize = 100;
    const OTHER_WRITES_OF_AN_EDIT: usize = 6;

    fn now() -> DateTime<Utc> {
        "2026-11-21T00:00:00Z".parse().unwrap()
    }

    fn profile(latitude: f64, longitude: f64) -> WorkerProfile {
        WorkerProfile {
            introduction: "x".repeat(100),
            services: vec![OfferedService {
                service: Service::SocialSupport,
                hourly_rate: Cents(5400),
            }],
            languages: vec![Language::English],
            availability: Availability {
                weekly: vec![WeeklyHours {
                    weekday: Weekday::Monday,
                    from: HalfHour::after_midnight(16).unwrap(),
                    until: HalfHour::after_midnight(32).unwrap(),
                }],
                exceptions: vec![],
            },
            service_area: Some(ServiceArea {
                base: Place {
                    suburb: "Carlton".into(),
                    postcode: "3053".into(),
                    latitude,
                    longitude,
                    time_zone: "Australia/Melbourne".into(),
                },
                radius_km: 100,
            }),
            hours_wanted: Some(20),
            ..WorkerProfile::default()
        }
    }

    fn draft() -> SupportWorker {
        let id = "wrk_0190b2f06bd47c5a9a3e5b7f21d4c8aa";
        let person = "per_0190b2f06bd47c5a9a3e5b7f21d4c8ab";
        SupportWorker::new(id.parse().unwrap(), person.parse().unwrap())
    }

    fn active(profile: WorkerProfile) -> SupportWorker {
        let policy = Policy::default();
        let introduction = profile.introduction.clone();
        let worker = draft();
        let worker = worker.edit_profile(profile, &policy).unwrap().worker;
        let worker = worker.submit(now()).unwrap().worker;
        let worker = CheckKind::ALL.iter().fold(worker, |worker, kind| {
            let until = Some("2027-11-21".parse().unwrap());
            let verified = worker.verify_check(*kind, "seen", until, None, &policy, now());
            verified.unwrap().worker
        });
        worker
            .approve_introduction(&introduction, now())
            .unwrap()
            .worker
    }

    fn empty() -> Commit {
        Commit::new(Audit {
            commit: "cmt_0190b2f06bd47c5a9a3e5b7f21d4c8ac".parse().unwrap(),
            at: now(),
            actor: Actor::Service,
            operation: "test",
            aggregate: Key::worker(draft().id),
            fields: vec![],
            reason: None,
        })
    }

    fn writes(was: Option<&SupportWorker>, next: &SupportWorker) -> usize {
        let change = index_change(was, next);
        empty().reindexed(change, next.id).len() - empty().len()
    }

    #[test]
    fn every_cell_and_one_reindexing_are_written_and_nothing_where_nothing_changed() {
        let worker = active(profile(-37.8, 144.97));
        assert_eq!(worker.state, WorkerState::Active);
        let cells = cover(-37.8, 144.97, 100).len();
        assert_eq!(writes(Some(&draft()), &worker), cells + 1);
        assert_eq!(writes(Some(&worker), &worker), 0);
        let paused = worker.pause().unwrap().worker;
        assert_eq!(writes(Some(&worker), &paused), cells + 1);
        assert_eq!(writes(Some(&paused), &paused), 0);
    }

    #[test]
    fn whoever_moves_is_taken_out_of_the_cells_left_and_fits_one_transaction() {
        // Where cells are smallest, and far from there.
        let worker = active(profile(50.101_96, -143.490_3));
        let moved = worker
            .edit_profile(profile(66.296_42, 10.995), &Policy::default())
            .unwrap()
            .worker;
        let change = index_change(Some(&worker), &moved);
        let left: Vec<Cell> = cover(50.101_96, -143.490_3, 100);
        assert_eq!(change.delete, left);
        assert!(change.put.len() + change.delete.len() > 80);
        const { assert!(2 * MOST_CELLS + OTHER_WRITES_OF_AN_EDIT <= WRITES_OF_ONE_TRANSACTION) };
    }

    #[test]
    fn the_deadline_is_armed_when_it_moves_and_only_then() {
        let worker = active(profile(-37.8, 144.97));
        assert_eq!(rearmed(empty(), &draft(), &worker).len(), empty().len() + 1);
        assert_eq!(rearmed(empty(), &worker, &worker).len(), empty().len());
    }
}
