use super::*;
use crate::eligibility::Broken;
use crate::engagement::{Reasoned, Side};
use crate::money::Cents;
use crate::proposal::tests::{details, id, now, open};
use crate::terms::{BandRate, TimeBand};

mod account;
mod cancelling;
mod commands;
mod deadline;

pub(crate) fn booked() -> Visit {
    let proposal = open();
    let booking = Booking {
        id: id(20),
        suburb: "West End".to_owned(),
        acting: Acting::by(id(21)),
        terms: UnderTerms {
            version: 1,
            rates: BookedRates {
                service: Service::SocialSupport,
                rates: vec![BandRate {
                    band: TimeBand::WeekdayDaytime,
                    hourly: Cents(5400),
                }],
                service_basis_points: 250,
                holidays: Vec::new(),
            },
        },
        booked_for: [id(21), id(22)].into(),
    };
    Visit::book(
        &proposal,
        &proposal.current,
        booking,
        &Policy::default(),
        now(),
    )
}

pub(crate) fn reasoned(side: Option<Side>, at: DateTime<Utc>) -> Reasoned {
    Reasoned {
        side,
        acting: Acting::by(id(21)),
        at,
        reason: "As things are.".to_owned(),
    }
}

/// Completed after so many minutes, begun at its time.
pub(crate) fn completed_after(minutes: i64) -> Visit {
    let visit = booked();
    let until = visit.from + TimeDelta::minutes(minutes);
    let begun = visit
        .start(None, Broken::NONE, &Policy::default(), visit.from)
        .unwrap();
    begun.complete(None, &Policy::default(), until).unwrap()
}

#[test]
fn the_address_is_for_visits_at_home_that_are_booked_or_under_way() {
    use VisitState::{Booked, Cancelled, Completed, Started};
    for (state, shown) in [
        (Booked, true),
        (Started, true),
        (Completed, false),
        (Cancelled, false),
    ] {
        let at_home = Visit { state, ..booked() };
        assert_eq!(at_home.shows_address(now()), shown, "{state:?}");
        assert_eq!(at_home.counts(), state != Cancelled, "{state:?}");
        let mut elsewhere = at_home;
        elsewhere.details.place = VisitPlace::Elsewhere {
            suburb: "West End".to_owned(),
            address: "The library".to_owned(),
        };
        assert!(!elsewhere.shows_address(now()));
    }
}

/// The fields at fault, of a visit proposed now.
fn faults(change: impl FnOnce(&mut VisitDetails)) -> Vec<String> {
    let mut visit = details();
    change(&mut visit);
    let mut findings = Findings::default();
    let times = visit.find_faults("/visit", &Policy::default(), now(), &mut findings);
    let faults = findings.into_result().err().unwrap_or_default();
    assert_eq!(
        times.is_none(),
        faults.iter().any(|it| {
            ["/visit/minutes", "/visit/starts", "/visit/time_zone"].contains(&&*it.pointer)
        })
    );
    faults.into_iter().map(|fault| fault.pointer).collect()
}

#[test]
fn every_fault_of_a_visit_names_its_field() {
    let starts =
        |text: &'static str| move |it: &mut VisitDetails| it.starts = text.parse().unwrap();
    let sydney = |text: &'static str| {
        move |it: &mut VisitDetails| {
            it.starts = text.parse().unwrap();
            it.time_zone = "Australia/Sydney".to_owned();
        }
    };
    let elsewhere = |suburb: &'static str, address: &'static str| {
        move |it: &mut VisitDetails| {
            it.place = VisitPlace::Elsewhere {
                suburb: suburb.to_owned(),
                address: address.to_owned(),
            };
        }
    };
    let none: [&str; 0] = [];
    assert_eq!(faults(|_| {}), none);
    assert_eq!(faults(|it| it.minutes = 30), none);
    assert_eq!(faults(|it| it.minutes = 1440), none);
    assert_eq!(faults(elsewhere("West End", "The library")), none);
    assert_eq!(faults(|it| it.minutes = 29), ["/visit/minutes"]);
    assert_eq!(faults(|it| it.minutes = 1441), ["/visit/minutes"]);
    assert_eq!(faults(|it| it.minutes = u32::MAX), ["/visit/minutes"]);
    // It is noon in Brisbane.
    assert_eq!(faults(starts("2026-11-25T12:00:00")), ["/visit/starts"]);
    assert_eq!(faults(starts("2026-11-25T12:01:00")), none);
    assert_eq!(faults(starts("2027-11-26T12:00:00")), none);
    assert_eq!(faults(starts("2027-11-26T12:01:00")), ["/visit/starts"]);
    assert_eq!(faults(starts("2026-12-01T09:00:30")), ["/visit/starts"]);
    assert_eq!(faults(starts("2026-12-01T09:00:00.5")), ["/visit/starts"]);
    assert_eq!(faults(starts("+262142-12-31T23:59:00")), ["/visit/starts"]);
    assert_eq!(faults(starts("-262143-01-01T00:00:00")), ["/visit/starts"]);
    // The clocks of Sydney are put forward on 3 October 2027 and back on 4 April 2027.
    assert_eq!(faults(sydney("2027-10-03T02:30:00")), ["/visit/starts"]);
    assert_eq!(faults(sydney("2027-04-04T02:30:00")), ["/visit/starts"]);
    assert_eq!(faults(sydney("2027-04-04T03:30:00")), none);
    assert_eq!(
        faults(|it| it.time_zone = "Brisbane".to_owned()),
        ["/visit/time_zone"]
    );
    assert_eq!(faults(|it| it.notes = "x".repeat(1001)), ["/visit/notes"]);
    assert_eq!(
        faults(elsewhere("", "\u{7}")),
        [
            "/visit/place/elsewhere/suburb",
            "/visit/place/elsewhere/address"
        ]
    );
}

#[test]
fn a_short_visit_is_warned_about_and_no_more() {
    for (minutes, warned) in [(30, true), (119, true), (120, false), (121, false)] {
        let visit = VisitDetails {
            minutes,
            ..details()
        };
        let expected: &[VisitWarning] = if warned { &[VisitWarning::Short] } else { &[] };
        assert_eq!(
            visit.warnings(&[], &Policy::default(), &[]),
            expected,
            "{minutes}"
        );
    }
}

#[test]
fn a_visit_on_leave_is_warned_about_by_the_calendar_of_its_place() {
    // At nine in the morning of 1 December in Brisbane, and a week later; the night before in UTC.
    let first = booked().times();
    let week = TimeDelta::days(7);
    let second = Times {
        from: first.from + week,
        until: first.until + week,
    };
    let leave = |first: &str, last: &str| Leave {
        first: first.parse().unwrap(),
        last: last.parse().unwrap(),
    };
    for (away, warned) in [
        (leave("2026-11-20", "2026-11-30"), false),
        (leave("2026-11-20", "2026-12-01"), true),
        (leave("2026-12-02", "2026-12-07"), false),
        (leave("2026-12-08", "2026-12-08"), true),
    ] {
        let found = details().warnings(&[first, second], &Policy::default(), &[away]);
        assert_eq!(found.contains(&VisitWarning::Leave), warned, "{away:?}");
    }
}

#[test]
fn times_are_shown_as_clocks_at_the_place_show_them() {
    let visit = booked();
    let shown = visit.details.local(visit.from).to_rfc3339();
    assert_eq!(shown, "2026-12-01T09:00:00+10:00");
}
