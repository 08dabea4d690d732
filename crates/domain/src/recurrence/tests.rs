use std::collections::BTreeSet;

use chrono::{Datelike, Weekday};
use proptest::prelude::*;

use super::*;
use crate::proposal::tests::details;

fn visit(starts: &str, zone: &str, minutes: u32) -> VisitDetails {
    VisitDetails {
        starts: starts.parse().unwrap(),
        time_zone: zone.to_owned(),
        minutes,
        ..details()
    }
}

fn repeats(rule: &str, except: &[&str]) -> Repeats {
    Repeats {
        rule: rule.to_owned(),
        except: except.iter().map(|day| day.parse().unwrap()).collect(),
    }
}

/// The dates, or the first fault's pointer and detail.
fn found(visit: &VisitDetails, repeats: &Repeats) -> Result<Vec<String>, (String, String)> {
    let mut findings = Findings::default();
    let occurrences = repeats.proposed(visit, "/repeats", &mut findings);
    match (occurrences, findings.into_result()) {
        (Some(found), Ok(())) => Ok(found
            .iter()
            .map(|it| it.starts.date().to_string())
            .collect()),
        (None, Err(faults)) => Err((faults[0].pointer.clone(), faults[0].detail.clone())),
        other => panic!("{other:?}"),
    }
}

fn dates(starts: &str, rule: &str, except: &[&str]) -> Vec<String> {
    let visit = visit(starts, "Australia/Melbourne", 120);
    found(&visit, &repeats(rule, except)).unwrap_or_else(|fault| panic!("{rule}: {fault:?}"))
}

#[test]
fn a_rule_falls_on_its_dates() {
    for (starts, rule, except, expected) in [
        (
            "2026-03-10T09:00:00",
            "FREQ=WEEKLY;COUNT=3",
            &[][..],
            &["2026-03-10", "2026-03-17", "2026-03-24"][..],
        ),
        (
            "2026-03-10T09:00:00",
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;UNTIL=20260326",
            &["2026-03-24"],
            &["2026-03-10", "2026-03-12", "2026-03-26"],
        ),
        // Those that are left out count.
        (
            "2026-03-10T09:00:00",
            "FREQ=DAILY;COUNT=3",
            &["2026-03-11"],
            &["2026-03-10", "2026-03-12"],
        ),
        // The second Tuesday; months without a 31st have none; the last working day.
        (
            "2026-03-10T09:00:00",
            "FREQ=MONTHLY;BYDAY=2TU;COUNT=3",
            &[],
            &["2026-03-10", "2026-04-14", "2026-05-12"],
        ),
        (
            "2026-03-31T09:00:00",
            "FREQ=MONTHLY;COUNT=3",
            &[],
            &["2026-03-31", "2026-05-31", "2026-07-31"],
        ),
        (
            "2026-03-31T09:00:00",
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=3",
            &[],
            &["2026-03-31", "2026-04-30", "2026-05-29"],
        ),
        // A time of day, at the place and in UTC: nine in Melbourne is 22:00 the day before, until clocks change.
        (
            "2026-03-10T09:00:00",
            "FREQ=DAILY;UNTIL=20260312T085959",
            &[],
            &["2026-03-10", "2026-03-11"],
        ),
        (
            "2026-03-10T09:00:00",
            "FREQ=DAILY;UNTIL=20260311T220000Z",
            &[],
            &["2026-03-10", "2026-03-11", "2026-03-12"],
        ),
        (
            "2026-03-10T09:00:00",
            "FREQ=DAILY;UNTIL=20260311T215959Z",
            &[],
            &["2026-03-10", "2026-03-11"],
        ),
    ] {
        assert_eq!(dates(starts, rule, except), expected, "{rule}");
    }
}

/// A whole year, from a date to the same date, and not a day longer.
#[test]
fn a_year_is_the_longest() {
    let year = dates(
        "2026-03-10T09:00:00",
        "FREQ=DAILY;UNTIL=20270310T090000",
        &[],
    );
    assert_eq!(year.len(), 366);
    assert_eq!(year.last().unwrap(), "2027-03-10");
    let months = dates("2026-03-10T09:00:00", "FREQ=MONTHLY;COUNT=13", &[]);
    assert_eq!(months.last().unwrap(), "2027-03-10");
    // With a 29 February in between there are too many days.
    let leap = visit("2027-03-10T09:00:00", "Australia/Melbourne", 120);
    let refused = found(&leap, &repeats("FREQ=DAILY;UNTIL=20280310T090000", &[]));
    assert!(refused.unwrap_err().1.contains("more than 366 visits"));
    let visit = visit("2026-03-10T09:00:00", "Australia/Melbourne", 120);
    for rule in [
        "FREQ=DAILY;UNTIL=20270310T090001",
        "FREQ=MONTHLY;COUNT=14",
        "FREQ=WEEKLY;COUNT=54",
    ] {
        let refused = found(&visit, &repeats(rule, &[])).unwrap_err();
        assert!(
            refused.1.contains("more than 12 months"),
            "{rule}: {refused:?}"
        );
    }
}

#[test]
fn nine_stays_nine_where_clocks_change_and_what_cannot_be_told_apart_is_named() {
    let across = visit("2026-04-01T09:00:00", "Australia/Lord_Howe", 60);
    let mut findings = Findings::default();
    let weekly = repeats("FREQ=WEEKLY;COUNT=2", &[]);
    let across = weekly
        .occurrences(&across, "/repeats", &mut findings)
        .unwrap();
    // Lord Howe puts its clocks back by half an hour.
    assert_eq!(
        across[1].from - across[0].from,
        TimeDelta::minutes(7 * 24 * 60 + 30)
    );
    let twice = visit("2026-03-29T02:30:00", "Australia/Melbourne", 60);
    let (pointer, detail) = found(&twice, &weekly).unwrap_err();
    assert_eq!(pointer, "/repeats/rule");
    assert!(
        detail.contains("2026-04-05") && detail.contains("twice"),
        "{detail}"
    );
    let never = visit("2026-09-27T02:30:00", "Australia/Melbourne", 60);
    let (_, detail) = found(&never, &weekly).unwrap_err();
    assert!(
        detail.contains("2026-10-04") && detail.contains("not exist"),
        "{detail}"
    );
    // Leaving the date out is a way round it.
    let without = repeats("FREQ=WEEKLY;COUNT=3", &["2026-10-04"]);
    assert_eq!(
        found(&never, &without).unwrap(),
        ["2026-09-27", "2026-10-11"]
    );
}

#[test]
fn dates_are_left_out_once_each_and_no_more_than_a_series_has() {
    let tuesday = visit("2026-03-10T09:00:00", "Australia/Melbourne", 120);
    let weekly = "FREQ=WEEKLY;COUNT=4";
    let twice = repeats(weekly, &["2026-03-17", "2026-03-24", "2026-03-17"]);
    let (pointer, detail) = found(&tuesday, &twice).unwrap_err();
    assert_eq!(
        (&*pointer, &*detail),
        ("/repeats/except/2", "is there twice")
    );
    // What was booked with such a list goes on being what it is.
    let booked = twice.occurrences(&tuesday, "/repeats", &mut Findings::default());
    assert_eq!(booked.unwrap().len(), 2);

    let days = tuesday.starts.date().iter_days().skip(1);
    let many = Repeats {
        rule: weekly.to_owned(),
        except: days.take(MOST_OCCURRENCES + 1).collect(),
    };
    let (pointer, detail) = found(&tuesday, &many).unwrap_err();
    assert_eq!(
        (&*pointer, &*detail),
        ("/repeats/except", "has at most 366 dates")
    );
}

#[test]
fn whatever_never_comes_is_found_out_soon() {
    let tuesday = visit("2026-03-10T09:00:00", "Australia/Melbourne", 120);
    for rule in [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=2",
        "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=31;COUNT=366",
        "FREQ=DAILY;INTERVAL=366;BYMONTH=2;BYMONTHDAY=30;COUNT=366",
        "FREQ=MONTHLY;BYDAY=5TU;BYMONTHDAY=1;COUNT=2",
        "FREQ=WEEKLY;BYMONTHDAY=3;COUNT=2",
        "FREQ=DAILY;BYDAY=2TU;COUNT=2",
        "FREQ=WEEKLY;BYDAY=XX;COUNT=2",
        "FREQ=WEEKLY;BYSETPOS=0;COUNT=2",
        "FREQ=WEEKLY;INTERVAL=99999999999999;COUNT=2",
        "RRULE:FREQ=WEEKLY;COUNT=2",
        "FREQ=WEEKLY;COUNT=2;FREQ=DAILY",
        "FREQ=WEEKLY;COUNT=2\nEXDATE:20260310T090000Z",
        "FREQ=WEEKLY;COUNT=-2",
        "FREQ=WEEKLY;UNTIL=20261301",
        "freq=weekly;count=2",
        ";;;",
    ] {
        let (pointer, _) = found(&tuesday, &repeats(rule, &[])).unwrap_err();
        assert_eq!(pointer, "/repeats/rule", "{rule}");
    }
    let endless = "FREQ=WEEKLY;BYDAY=".to_owned() + &"TU,".repeat(100_000);
    assert!(found(&tuesday, &repeats(&endless, &[])).is_err());
}

fn part() -> impl Strategy<Value = String> {
    prop_oneof![
        "FREQ=(DAILY|WEEKLY|MONTHLY)",
        "INTERVAL=[0-9]{1,3}",
        "BYDAY=[+-]?[0-5]?(MO|TU|WE|TH|FR|SA|SU)(,(MO|TU|WE|SU))?",
        "BYMONTHDAY=-?[0-9]{1,2}(,[0-9]{1,2})?",
        "BYMONTH=[0-9]{1,2}",
        "BYSETPOS=-?[0-9]{1,3}",
        "WKST=(MO|SU)",
        "COUNT=[0-9]{1,3}",
        "UNTIL=202[67](0[1-9]|1[0-2])[0-3][0-9](T[0-2][0-9]0000Z?)?",
        "[A-Z]{1,5}=[A-Z0-9+,-]{0,6}",
    ]
}

proptest! {
    /// Whatever somebody writes, it is refused by name, or comes to an orderly series.
    #[test]
    fn a_rule_comes_to_an_orderly_series_or_to_a_fault(
        parts in prop::collection::vec(part(), 1..6),
        day in 0_i64..366, hour in 0_i64..24, minutes in 30_u32..1440,
        zone in prop::sample::select(vec!["Australia/Sydney", "Australia/Lord_Howe", "America/New_York", "UTC"]),
    ) {
        let mut visit = visit("2026-01-01T00:00:00", zone, minutes);
        visit.starts += TimeDelta::days(day) + TimeDelta::hours(hour);
        let rule = parts.join(";");
        let repeats = repeats(&rule, &[]);
        let mut findings = Findings::default();
        let found = repeats.proposed(&visit, "/repeats", &mut findings);
        let Some(found) = found else {
            let faults = findings.into_result().unwrap_err();
            prop_assert!(faults.iter().all(|it| it.pointer == "/repeats/rule"));
            return Ok(());
        };
        prop_assert!(findings.into_result().is_ok());
        prop_assert!((2..=MOST_OCCURRENCES).contains(&found.len()), "{rule}");
        prop_assert_eq!(found[0].starts, visit.starts);
        let last = visit.starts.checked_add_months(Months::new(12)).unwrap();
        for (number, occurrence) in found.iter().enumerate() {
            prop_assert_eq!(usize::try_from(occurrence.number).unwrap(), number);
            prop_assert_eq!(occurrence.starts.time(), visit.starts.time());
            prop_assert_eq!(visit.local(occurrence.from).naive_local(), occurrence.starts);
            prop_assert!(occurrence.starts <= last);
        }
        for pair in found.windows(2) {
            prop_assert!(pair[0].until <= pair[1].from);
        }
    }

    /// The same dates as whoever counts them off a calendar.
    #[test]
    fn a_weekly_rule_falls_on_the_days_that_a_calendar_shows(
        days in prop::collection::btree_set(0_usize..7, 1..5), interval in 1_i64..5, count in 2_usize..40, day in 0_i64..300,
    ) {
        const DAYS: [(Weekday, &str); 7] = [
            (Weekday::Mon, "MO"), (Weekday::Tue, "TU"), (Weekday::Wed, "WE"), (Weekday::Thu, "TH"),
            (Weekday::Fri, "FR"), (Weekday::Sat, "SA"), (Weekday::Sun, "SU"),
        ];
        let mut visit = visit("2026-01-01T12:00:00", "Australia/Sydney", 60);
        visit.starts += TimeDelta::days(day);
        let begins = visit.starts.date();
        let mut days: BTreeSet<usize> = days;
        days.insert(usize::try_from(begins.weekday().num_days_from_monday()).unwrap());
        let names: Vec<&str> = days.iter().map(|day| DAYS[*day].1).collect();
        let rule = format!("FREQ=WEEKLY;INTERVAL={interval};BYDAY={};COUNT={count}", names.join(","));
        let monday = begins - TimeDelta::days(i64::from(begins.weekday().num_days_from_monday()));
        let expected: Vec<String> = begins
            .iter_days()
            .filter(|date| (*date - monday).num_days() / 7 % interval == 0)
            .filter(|date| days.iter().any(|day| DAYS[*day].0 == date.weekday()))
            .take(count)
            .map(|date| date.to_string())
            .collect();
        let last = begins.checked_add_months(Months::new(12)).unwrap().to_string();
        match found(&visit, &repeats(&rule, &[])) {
            Ok(found) => prop_assert_eq!(found, expected),
            Err((_, detail)) => {
                prop_assert!(detail.contains("12 months"), "{}: {}", rule, detail);
                prop_assert!(last < *expected.last().unwrap());
            }
        }
    }
}
