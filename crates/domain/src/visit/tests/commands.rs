//! Every state and every command.

use super::*;
use crate::vocabulary::Vocabulary;

/// What can be done to a visit, in the order of the table's columns.
const COMMANDS: [&str; 10] = [
    "start", "complete", "cancel", "confirm", "silence", "dispute", "settle", "waive", "quote",
    "correct",
];

/// What each comes to: the next state, or the refusal.
const TABLE: [(VisitState, [&str; 10]); 7] = [
    (
        VisitState::Booked,
        [
            "started",
            "NotStarted",
            "cancelled",
            "NotCompleted",
            "NotCompleted",
            "NotCompleted",
            "NotDisputed",
            "NotCancelled",
            "booked",
            "NotCompleted",
        ],
    ),
    (
        VisitState::Started,
        [
            "AlreadyStarted",
            "completed",
            "Started",
            "NotCompleted",
            "NotCompleted",
            "NotCompleted",
            "NotDisputed",
            "NotCancelled",
            "Started",
            "NotCompleted",
        ],
    ),
    (
        VisitState::Completed,
        [
            "Completed",
            "AlreadyCompleted",
            "Completed",
            "confirmed",
            "confirmed",
            "disputed",
            "NotDisputed",
            "NotCancelled",
            "Completed",
            "completed",
        ],
    ),
    (
        VisitState::Confirmed,
        [
            "Completed",
            "AlreadyCompleted",
            "Completed",
            "AlreadyConfirmed",
            "AlreadyConfirmed",
            "disputed",
            "NotDisputed",
            "NotCancelled",
            "Completed",
            "Confirmed",
        ],
    ),
    (
        VisitState::Disputed,
        [
            "Completed",
            "AlreadyCompleted",
            "Completed",
            "Disputed",
            "Disputed",
            "AlreadyDisputed",
            "confirmed",
            "NotCancelled",
            "Completed",
            "Disputed",
        ],
    ),
    (
        VisitState::Missed,
        [
            "Missed",
            "NotStarted",
            "Missed",
            "Missed",
            "Missed",
            "Missed",
            "NotDisputed",
            "NotCancelled",
            "Missed",
            "completed",
        ],
    ),
    (
        VisitState::Cancelled,
        [
            "Cancelled",
            "Cancelled",
            "AlreadyCancelled",
            "Cancelled",
            "Cancelled",
            "Cancelled",
            "NotDisputed",
            "cancelled",
            "AlreadyCancelled",
            "Cancelled",
        ],
    ),
];

fn in_state(state: VisitState) -> Visit {
    let visit = booked();
    let policy = Policy::default();
    let begun = visit
        .start(None, Broken::NONE, &Policy::default(), visit.from)
        .unwrap();
    let completed = completed_after(120);
    let later = visit.until + TimeDelta::hours(1);
    match state {
        VisitState::Booked => visit,
        VisitState::Started => begun,
        VisitState::Completed => completed,
        VisitState::Confirmed => completed.confirm_in_silence(later).unwrap(),
        VisitState::Disputed => completed
            .dispute(reasoned(Some(Side::Client), later))
            .unwrap(),
        VisitState::Missed => Visit { state, ..visit },
        VisitState::Cancelled => {
            let charge = visit
                .cancellation_terms
                .charge(visit.price.total, visit.from);
            let why = reasoned(Some(Side::Client), visit.from);
            visit.cancel_at_cost(why, Some(charge), &policy).unwrap()
        }
    }
}

fn done<E: std::fmt::Debug>(result: Result<Visit, E>) -> String {
    match result {
        Ok(next) => next.state.code().to_owned(),
        Err(error) => format!("{error:?}"),
    }
}

fn come_to(command: &str, visit: &Visit) -> String {
    let policy = Policy::default();
    let at = visit.until;
    let client = reasoned(Some(Side::Client), at);
    let staff = reasoned(None, at);
    match command {
        "start" => done(visit.start(None, Broken::NONE, &Policy::default(), at)),
        "complete" => done(visit.complete(None, &policy, at)),
        "cancel" => done(visit.cancel(staff)),
        "confirm" => {
            let seen = in_state(VisitState::Completed).worked.unwrap().recorded();
            done(visit.confirm(Acting::by(id(21)), seen, at))
        }
        "silence" => done(visit.confirm_in_silence(at)),
        "dispute" => done(visit.dispute(client)),
        "settle" => done(visit.settle_dispute(staff, 60)),
        "waive" => done(visit.waive(Waiver {
            grounds: WaiverGrounds::Illness,
            why: staff,
        })),
        "quote" => done(
            visit
                .cancellation_quote(None, &policy, at)
                .map(|_| visit.clone()),
        ),
        "correct" => done(visit.correct(visit.from, visit.until, Broken::NONE, &policy, at)),
        other => panic!("{other}"),
    }
}

#[test]
fn every_state_and_command() {
    assert_eq!(TABLE.map(|(state, _)| state), VisitState::ALL);
    for (state, expected) in TABLE {
        let visit = in_state(state);
        assert_eq!(visit.state, state);
        for (command, expected) in COMMANDS.into_iter().zip(expected) {
            assert_eq!(come_to(command, &visit), expected, "{state:?} {command}");
        }
    }
}

#[test]
fn nothing_is_charged_but_what_was_confirmed_or_agreed_for_a_cancellation() {
    use VisitState::{Cancelled, Confirmed};
    for (state, _) in TABLE {
        let charged = in_state(state).charge() != Price::NOTHING;
        assert_eq!(
            charged,
            [Confirmed, Cancelled].contains(&state),
            "{state:?}"
        );
    }
}
