//! The day itself, and what it comes to.

use super::*;
use crate::eligibility::Rule;

const SECOND: TimeDelta = TimeDelta::seconds(1);

fn minutes(minutes: i64) -> TimeDelta {
    TimeDelta::minutes(minutes)
}

#[test]
fn it_begins_at_most_half_an_hour_early_and_with_somebody_who_may() {
    let visit = booked();
    let earliest = visit.from - minutes(30);
    let early = visit.start(None, Broken::NONE, &Policy::default(), earliest - SECOND);
    assert_eq!(early, Err(StartVisitError::Early(earliest)));
    let begun = visit
        .start(None, Broken::NONE, &Policy::default(), earliest)
        .unwrap();
    assert_eq!(begun.started_at, Some(earliest));
    let broken = Broken::NONE.unless(false, Rule::Active);
    let refused = visit.start(None, broken, &Policy::default(), earliest);
    assert_eq!(refused, Err(StartVisitError::NotEligible(broken)));
}

#[test]
fn it_began_when_it_really_did() {
    let visit = booked();
    let (earliest, now) = (visit.from - minutes(30), visit.from + minutes(40));
    let start = |at| visit.start(Some(at), Broken::NONE, &Policy::default(), now);
    for at in [earliest, visit.from + minutes(3), now] {
        assert_eq!(start(at).unwrap().started_at, Some(at));
    }
    let refused = |at| start(at).unwrap_err();
    let unlikely = StartVisitError::Time;
    assert_eq!(refused(now + SECOND), unlikely(UnlikelyTime::Future));
    let early = refused(earliest - SECOND);
    assert_eq!(early, unlikely(UnlikelyTime::Early(earliest)));
    // Booked ten minutes before its time.
    let visit = Visit {
        booked_at: visit.from - minutes(10),
        ..visit
    };
    let before = visit.start(
        Some(visit.from - minutes(11)),
        Broken::NONE,
        &Policy::default(),
        now,
    );
    assert_eq!(before, Err(unlikely(UnlikelyTime::BeforeBooking)));
}

#[test]
fn it_ended_when_it_really_did() {
    let visit = booked();
    let policy = Policy::default();
    let begun = visit
        .start(None, Broken::NONE, &Policy::default(), visit.from)
        .unwrap();
    let longest = minutes(120) + TimeDelta::hours(24);
    let now = visit.from + TimeDelta::days(3);
    let complete = |lasted| begun.complete(Some(visit.from + lasted), &policy, now);
    for (lasted, worked) in [
        (TimeDelta::zero(), 0),
        (TimeDelta::seconds(29), 0),
        (TimeDelta::seconds(30), 1),
        (minutes(120), 120),
        (longest, 26 * 60),
    ] {
        let done = complete(lasted).unwrap();
        assert_eq!(done.completed_at, Some(visit.from + lasted));
        let written = done.worked.unwrap();
        assert_eq!((written.minutes, written.recorded_at), (worked, now));
        // Silence runs from when the client could know of it.
        let due = done.deadline.unwrap();
        assert_eq!(
            (due.step, due.at),
            (VisitStep::Confirm, now + TimeDelta::days(1))
        );
        assert_eq!(done.deadline_generation, begun.deadline_generation + 1);
    }
    let unlikely = |lasted| match complete(lasted) {
        Err(CompleteVisitError::Time(unlikely)) => unlikely,
        other => panic!("{other:?}"),
    };
    assert_eq!(unlikely(-SECOND), UnlikelyTime::BeforeStart);
    assert_eq!(
        unlikely(longest + SECOND),
        UnlikelyTime::TooLong(visit.from + longest)
    );
    assert_eq!(unlikely(now + SECOND - visit.from), UnlikelyTime::Future);
    // Whoever forgot has to say when it was.
    let forgotten = begun.complete(None, &policy, now);
    let latest = UnlikelyTime::TooLong(visit.from + longest);
    assert_eq!(forgotten, Err(CompleteVisitError::Time(latest)));
}

#[test]
fn what_was_worked_is_priced_by_the_rates_of_the_booking() {
    // 54.00 an hour, and 2.5 % on top of it.
    for (worked, gets, unpriced) in [(120, 10_800, 0), (121, 10_890, 0), (0, 0, 0)] {
        let written = completed_after(worked).worked.unwrap();
        assert_eq!(written.price.total, Price::of(Cents(gets), 250));
        assert_eq!(written.unpriced_minutes, unpriced);
    }
    // From nine in the morning on; from eight in the evening on there is no rate.
    let written = completed_after(12 * 60).worked.unwrap();
    assert_eq!(written.price.total, Price::of(Cents(11 * 5400), 250));
    assert_eq!(written.unpriced_minutes, 60);
}

#[test]
fn silence_costs_no_more_than_was_worked_or_booked() {
    let booked = booked().price.total;
    for (worked, gets) in [(60, 5400), (120, 10_800), (240, 10_800)] {
        let visit = completed_after(worked);
        let confirmed = visit.confirm_in_silence(visit.until).unwrap();
        assert_eq!(confirmed.charge(), Price::of(Cents(gets), 250));
        assert!(confirmed.charge().client_pays <= booked.client_pays);
        assert_eq!(confirmed.confirmation.unwrap().by, ConfirmedBy::Silence);
    }
}

#[test]
fn the_client_confirms_exactly_what_they_saw() {
    let visit = completed_after(240);
    let recorded = visit.worked.as_ref().unwrap().recorded();
    let acting = Acting::by(id(21));
    for seen in [
        Recorded {
            minutes: 120,
            ..recorded
        },
        Recorded {
            charge: booked().price.total,
            ..recorded
        },
    ] {
        let refused = visit.confirm(acting, seen, visit.until);
        assert_eq!(refused, Err(ConfirmVisitError::Stale(recorded)));
    }
    let confirmed = visit.confirm(acting, recorded, visit.until).unwrap();
    // All of it, though that is more than was booked.
    assert_eq!(confirmed.charge(), Price::of(Cents(21_600), 250));
    assert_eq!(confirmed.deadline, None);
}

#[test]
fn what_was_written_down_is_corrected_until_the_client_answers() {
    let visit = completed_after(180);
    let policy = Policy::default();
    let now = visit.until + TimeDelta::hours(20);
    let correct = |from, until| visit.correct(from, until, Broken::NONE, &policy, now);
    let corrected = correct(visit.from + minutes(5), visit.until).unwrap();
    let written = corrected.worked.as_ref().unwrap();
    assert_eq!((written.minutes, written.recorded_at), (115, now));
    assert_eq!(written.price.total, Price::of(Cents(10_350), 250));
    // The client has as long for it as for the first.
    let due = corrected.deadline.unwrap();
    assert_eq!(
        (due.step, due.at),
        (VisitStep::Confirm, now + TimeDelta::days(1))
    );
    let old = corrected.due_deadline(visit.deadline_generation, now);
    assert_eq!(old, Err(PassVisitDeadlineError::Superseded));
    let early = visit.from - minutes(31);
    assert_eq!(
        correct(early, visit.until),
        Err(CorrectVisitError::Start(UnlikelyTime::Early(
            visit.from - minutes(30)
        )))
    );
    assert_eq!(
        correct(visit.from, now + SECOND),
        Err(CorrectVisitError::End(UnlikelyTime::Future))
    );
    assert_eq!(
        correct(visit.from, visit.from - SECOND),
        Err(CorrectVisitError::End(UnlikelyTime::BeforeStart))
    );
}

#[test]
fn what_begins_after_its_end_is_another_visit() {
    let visit = booked();
    let policy = Policy::default();
    let now = visit.until + minutes(10);
    let start = |visit: &Visit, at| visit.start(Some(at), Broken::NONE, &policy, now);
    assert!(start(&visit, visit.until).is_ok());
    let late = start(&visit, visit.until + SECOND);
    let wrong = UnlikelyTime::Late(visit.until);
    assert_eq!(late, Err(StartVisitError::Time(wrong)));
    let worked = completed_after(120);
    let later = worked.until + TimeDelta::days(1);
    let moved = worked.correct(
        later,
        later + minutes(60),
        Broken::NONE,
        &policy,
        later + minutes(60),
    );
    assert_eq!(moved, Err(CorrectVisitError::Start(wrong)));
}

#[test]
fn a_visit_that_nobody_said_had_begun_is_written_down_within_a_week() {
    let missed = Visit {
        state: VisitState::Missed,
        deadline: None,
        ..booked()
    };
    let policy = Policy::default();
    let last = missed.until + TimeDelta::days(7);
    let record =
        |visit: &Visit, broken, now| visit.correct(visit.from, visit.until, broken, &policy, now);
    let recorded = record(&missed, Broken::NONE, last).unwrap();
    // Nothing is charged before the client has answered, corrected meanwhile or not.
    let corrected = record(&recorded, Broken::NONE, last + SECOND).unwrap();
    for recorded in [recorded, corrected] {
        assert_eq!(
            (recorded.charge(), recorded.deadline),
            (Price::NOTHING, None)
        );
        let silent = recorded.confirm_in_silence(last + TimeDelta::days(9));
        assert_eq!(silent, Err(ConfirmVisitError::NeedsClient));
        let seen = recorded.worked.as_ref().unwrap().recorded();
        let confirmed = recorded.confirm(Acting::by(id(21)), seen, last).unwrap();
        assert_eq!(confirmed.charge(), missed.price.total);
    }
    let late = record(&missed, Broken::NONE, last + SECOND);
    assert_eq!(late, Err(CorrectVisitError::Missed(last)));
    let blocked = Broken::NONE.unless(false, Rule::NotBlocked);
    let refused = record(&missed, blocked, last);
    assert_eq!(refused, Err(CorrectVisitError::NotEligible(blocked)));
    let covered = Visit {
        covered_by: Some(id(77)),
        ..missed.clone()
    };
    let refused = record(&covered, Broken::NONE, last);
    assert_eq!(refused, Err(CorrectVisitError::Covered));
}

#[test]
fn it_can_be_disputed_for_28_days_and_once() {
    let visit = completed_after(120);
    let last = visit.worked.as_ref().unwrap().recorded_at + TimeDelta::days(28);
    let silent = visit.confirm_in_silence(visit.until).unwrap();
    for visit in [&visit, &silent] {
        let dispute = |at| visit.dispute(reasoned(Some(Side::Client), at));
        let late = dispute(last + SECOND);
        assert_eq!(late, Err(DisputeVisitError::TooLate(last)));
        let disputed = dispute(last).unwrap();
        assert_eq!(disputed.charge(), Price::NOTHING);
        assert_eq!(disputed.deadline, None);
        let more = disputed.settle_dispute(reasoned(None, last), 121);
        assert_eq!(more, Err(SettleDisputeError::MoreThanWorked(120)));
        for (payable, gets) in [(0, 0), (60, 5400), (120, 10_800)] {
            let settled = disputed
                .settle_dispute(reasoned(None, last), payable)
                .unwrap();
            assert_eq!(settled.charge(), Price::of(Cents(gets), 250));
            let again = settled.dispute(reasoned(Some(Side::Client), last));
            assert_eq!(again, Err(DisputeVisitError::Settled));
        }
    }
}
