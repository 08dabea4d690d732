//! What a cancellation costs, at every moment and to every side.

use super::*;
use crate::cancellation::{CancellationRules, Notice};

const MOMENT: TimeDelta = TimeDelta::nanoseconds(1);

fn with(rules: CancellationRules, holidays: &[&str]) -> Visit {
    let visit = booked();
    let holidays: Vec<NaiveDate> = holidays.iter().map(|day| day.parse().unwrap()).collect();
    Visit {
        cancellation_terms: rules.terms(visit.from, visit.details.zone(), &holidays),
        ..visit
    }
}

fn half(notice: Notice) -> CancellationRules {
    CancellationRules {
        notice,
        charge_basis_points: 5_000,
    }
}

#[test]
fn both_schemes_charge_from_the_first_instant_that_is_too_late() {
    // Two hours on Tuesday, 1 December, from nine in Brisbane: 110.70, of which 108.00 are the support worker's.
    for (rules, holidays, free_until) in [
        (half(Notice::Hours(24)), &[][..], "2026-11-29T23:00:00Z"),
        (
            half(Notice::ClearBusinessDays(2)),
            &[],
            // Thursday: Friday and Monday lie clear.
            "2026-11-26T13:59:59Z",
        ),
        (
            half(Notice::ClearBusinessDays(2)),
            &["2026-11-27"],
            "2026-11-25T13:59:59Z",
        ),
    ] {
        let visit = with(rules, holidays);
        let last: DateTime<Utc> = free_until.parse().unwrap();
        assert_eq!(visit.cancellation_terms.free_until, last);
        let policy = Policy::default();
        let quote = |side, at| visit.cancellation_quote(side, &policy, at).unwrap();
        let client = Some(Side::Client);
        assert!(!quote(client, last).charges);
        let late = quote(client, last + TimeDelta::seconds(1));
        assert_eq!(
            (late.charges, late.charge),
            (true, Price::of(Cents(5400), 250))
        );
        // Nobody pays for a support worker's cancellation, for that of staff, or where nobody came.
        let waited = visit.from + TimeDelta::minutes(15);
        for free in [
            quote(Some(Side::Worker), visit.from),
            quote(None, visit.from),
            quote(client, waited),
        ] {
            assert_eq!((free.charges, free.charge), (false, Price::NOTHING));
        }
        assert!(quote(client, waited - MOMENT).charges);
    }
}

#[test]
fn it_goes_through_with_exactly_the_charge_that_holds() {
    let visit = with(half(Notice::Hours(24)), &[]);
    let policy = Policy::default();
    let at = visit.from - TimeDelta::hours(3);
    let cancel = |side, seen| visit.cancel_at_cost(reasoned(side, at), seen, &policy);
    let client = Some(Side::Client);
    let charge = Price::of(Cents(5400), 250);
    let quote = visit.cancellation_quote(client, &policy, at).unwrap();
    for seen in [None, Some(Price::NOTHING), Some(visit.price.total)] {
        assert_eq!(cancel(client, seen), Err(CancelVisitError::Charge(quote)));
    }
    let cancelled = cancel(client, Some(charge)).unwrap();
    assert_eq!(cancelled.charge(), charge);
    assert_eq!((cancelled.sequence, cancelled.deadline), (1, None));
    for side in [Some(Side::Worker), None] {
        assert!(matches!(
            cancel(side, Some(charge)),
            Err(CancelVisitError::Charge(_))
        ));
        assert_eq!(cancel(side, None).unwrap().charge(), Price::NOTHING);
    }
}

#[test]
fn a_charge_is_waived_once_and_only_where_there_is_one() {
    let visit = with(half(Notice::Hours(24)), &[]);
    let waiver = || Waiver {
        grounds: WaiverGrounds::Hardship,
        why: reasoned(None, visit.from),
    };
    let free = visit
        .cancel(reasoned(Some(Side::Worker), visit.from))
        .unwrap();
    assert_eq!(free.waive(waiver()), Err(WaiveChargeError::NothingCharged));
    let why = reasoned(Some(Side::Client), visit.from);
    let seen = Some(Price::of(Cents(5400), 250));
    let charged = visit.cancel_at_cost(why, seen, &Policy::default()).unwrap();
    let waived = charged.waive(waiver()).unwrap();
    assert_eq!(waived.charge(), Price::NOTHING);
    assert_eq!(
        waived.cancellation.as_ref().unwrap().charge,
        charged.charge()
    );
    assert_eq!(waived.waive(waiver()), Err(WaiveChargeError::AlreadyWaived));
}

#[test]
fn notice_is_short_under_24_hours_that_really_pass() {
    let visit = booked();
    let exactly = visit.from - TimeDelta::hours(24);
    assert!(!visit.is_at_short_notice(exactly));
    assert!(visit.is_at_short_notice(exactly + TimeDelta::seconds(1)));
    assert!(!visit.is_at_short_notice(exactly - TimeDelta::seconds(1)));
}

#[test]
fn what_ends_with_something_larger_costs_what_was_quoted_then_and_nothing_that_was_not() {
    let visit = with(half(Notice::Hours(24)), &[]);
    let policy = Policy::default();
    let close = visit.from - TimeDelta::hours(1);
    let cancel = |visit: &Visit, side, at, charged| {
        let why = reasoned(side, at);
        visit.cancel_with(why, charged, &policy).unwrap().charge()
    };
    let off = |visit: &Visit, side, at| cancel(visit, side, at, true);
    let client = Some(Side::Client);
    assert_eq!(off(&visit, client, close), Price::of(Cents(5400), 250));
    assert_eq!(
        off(&visit, client, visit.from - TimeDelta::days(2)),
        Price::NOTHING
    );
    assert_eq!(off(&visit, Some(Side::Worker), close), Price::NOTHING);
    assert_eq!(cancel(&visit, client, close, false), Price::NOTHING);
    // Nobody was quoted anything for what was moved so close only afterwards.
    let moved = Visit {
        booked_at: close + TimeDelta::seconds(1),
        ..visit
    };
    assert_eq!(off(&moved, client, close), Price::NOTHING);
}
