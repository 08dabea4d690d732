//! What time brings about, in its order, and after an outage.

use super::*;

fn steps(visit: &Visit, now: impl Fn(DateTime<Utc>) -> DateTime<Utc>) -> Vec<(VisitStep, i64)> {
    let policy = Policy::default();
    let mut visit = visit.clone();
    let mut passed = Vec::new();
    while let Some(deadline) = visit.deadline {
        let generation = visit.deadline_generation;
        let at = now(deadline.at);
        assert_eq!(visit.due_deadline(generation, at), Ok(deadline));
        let old = visit.due_deadline(generation - 1, at);
        assert_eq!(old, Err(PassVisitDeadlineError::Superseded));
        if deadline.step != VisitStep::Remind || visit.can_be_reminded_of(at) {
            passed.push((deadline.step, (deadline.at - visit.from).num_minutes()));
        }
        visit = visit.armed_after(deadline, &policy, at);
    }
    passed
}

#[test]
fn a_visit_is_reminded_of_alerted_about_and_missed() {
    use VisitStep::{Alert, Miss, Remind};
    let visit = booked();
    let all = [(Remind, -48 * 60), (Remind, -120), (Alert, 15), (Miss, 135)];
    assert_eq!(steps(&visit, |due| due), all);
    // One booked, or moved to, a day ahead is reminded of once.
    let policy = Policy::default();
    let sooner = visit
        .clone()
        .armed(&policy, visit.from - TimeDelta::days(1));
    assert_eq!(steps(&sooner, |due| due), all[1..]);
}

#[test]
fn an_outage_reminds_of_nothing_twice_and_of_nothing_that_should_have_begun() {
    use VisitStep::{Alert, Miss, Remind};
    let visit = booked();
    let until = |back: DateTime<Utc>| move |due: DateTime<Utc>| due.max(back);
    let hour_before = visit.from - TimeDelta::hours(1);
    assert_eq!(
        steps(&visit, until(hour_before)),
        [(Remind, -48 * 60), (Alert, 15), (Miss, 135)]
    );
    let after = visit.from + TimeDelta::minutes(5);
    assert_eq!(steps(&visit, until(after)), [(Alert, 15), (Miss, 135)]);
    assert_eq!(
        steps(&visit, until(visit.until + TimeDelta::days(2))),
        [(Alert, 15), (Miss, 135)]
    );
}

#[test]
fn whatever_begins_or_cancels_it_calls_its_deadlines_off() {
    let visit = booked();
    let generation = visit.deadline_generation;
    let begun = visit
        .start(None, Broken::NONE, &Policy::default(), visit.from)
        .unwrap();
    let cancelled = visit.cancel(reasoned(None, now())).unwrap();
    for over in [begun, cancelled] {
        let late = over.due_deadline(generation, visit.until);
        assert_eq!(late, Err(PassVisitDeadlineError::Superseded));
        assert!(!over.can_be_reminded_of(now()));
    }
    let done = completed_after(60);
    let at = done.worked.as_ref().unwrap().recorded_at + TimeDelta::hours(24);
    assert_eq!(steps(&done, |due| due), [(VisitStep::Confirm, 25 * 60)]);
    assert_eq!(done.deadline.unwrap().at, at);
}

#[test]
fn a_visit_that_has_begun_is_asked_about_an_hour_after_its_end_and_looked_into_a_day_after() {
    let visit = booked();
    let begun = visit.start(None, Broken::NONE, &Policy::default(), visit.from);
    let hours = |hours: i64| 120 + hours * 60;
    assert_eq!(
        steps(&begun.unwrap(), |due| due),
        [
            (VisitStep::AskToFinish, hours(1)),
            (VisitStep::Unfinished, hours(24))
        ]
    );
}
