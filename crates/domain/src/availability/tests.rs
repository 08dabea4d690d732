use proptest::prelude::*;

use super::*;

fn time(text: &str) -> HalfHour {
    text.parse().unwrap()
}

fn hours(weekday: Weekday, from: &str, until: &str) -> WeeklyHours {
    WeeklyHours {
        weekday,
        from: time(from),
        until: time(until),
    }
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn times_read_back_as_written() {
    for text in ["00:00", "09:30", "24:00"] {
        assert_eq!(time(text).to_string(), text);
    }
    for refused in ["9:30", "09:15", "24:30", ""] {
        assert!(refused.parse::<HalfHour>().is_err(), "{refused}");
    }
}

#[test]
fn a_day_part_needs_two_hours_in_a_row() {
    for (from, until, expected) in [
        ("09:00", "11:00", vec![DayPart::Morning]),
        ("09:00", "10:30", vec![]),
        ("11:00", "13:00", vec![]),
        (
            "10:00",
            "20:00",
            vec![DayPart::Morning, DayPart::Afternoon, DayPart::Evening],
        ),
        ("22:00", "24:00", vec![DayPart::Night]),
    ] {
        let availability = Availability {
            weekly: vec![hours(Weekday::Monday, from, until)],
            exceptions: vec![],
        };
        let expected = DayParts::of(expected.into_iter().map(|part| (Weekday::Monday, part)));
        assert_eq!(availability.week().day_parts(), expected, "{from} {until}");
    }
}

#[test]
fn a_night_runs_into_the_next_day_and_sunday_into_monday() {
    let availability = Availability {
        weekly: vec![
            hours(Weekday::Sunday, "23:00", "24:00"),
            hours(Weekday::Monday, "00:00", "01:00"),
        ],
        exceptions: vec![],
    };
    assert_eq!(
        availability.week().day_parts(),
        DayParts::of([(Weekday::Sunday, DayPart::Night)])
    );
}

#[test]
fn exceptions_take_days_away_and_add_others() {
    let monday = DayParts::of([(Weekday::Monday, DayPart::Morning)]);
    let week = Availability {
        weekly: vec![hours(Weekday::Monday, "08:00", "12:00")],
        exceptions: vec![],
    }
    .week();
    // 23 and 30 November 2026 are Mondays.
    let (first, last) = (date("2026-11-21"), date("2026-11-30"));
    let away = |first, last| Exception::Away {
        first: date(first),
        last: date(last),
    };
    let extra = Exception::Extra {
        date: date("2026-11-24"),
        from: time("18:00"),
        until: time("20:00"),
    };
    assert_eq!(week.day_parts_between(&[], first, last), monday);
    let one = [away("2026-11-22", "2026-11-25")];
    assert_eq!(week.day_parts_between(&one, first, last), monday);
    let both = [away("2026-11-22", "2026-12-25")];
    assert_eq!(
        week.day_parts_between(&both, first, last),
        DayParts::default()
    );
    let added = [away("2026-11-22", "2026-12-25"), extra];
    assert_eq!(
        week.day_parts_between(&added, first, last),
        DayParts::of([(Weekday::Tuesday, DayPart::Evening)])
    );
}

#[test]
fn a_window_without_the_weekday_offers_nothing() {
    let week = Availability {
        weekly: vec![hours(Weekday::Monday, "08:00", "12:00")],
        exceptions: vec![],
    }
    .week();
    let (first, last) = (date("2026-11-24"), date("2026-11-26"));
    assert_eq!(
        week.day_parts_between(&[], first, last),
        DayParts::default()
    );
    assert_eq!(day_parts_of(first, last).count(), 12);
    assert_eq!(
        week.day_parts_between(&[], last, first),
        DayParts::default()
    );
}

fn span(from: &str, until: &str) -> Hours {
    Hours {
        from: time(from),
        until: time(until),
    }
}

#[test]
fn exact_hours_lie_within_their_day_part() {
    for (part, from, until, holds) in [
        (DayPart::Morning, "06:00", "12:00", true),
        (DayPart::Morning, "09:00", "09:30", true),
        (DayPart::Morning, "09:30", "09:30", false),
        (DayPart::Morning, "05:30", "07:00", false),
        (DayPart::Morning, "11:30", "12:30", false),
        (DayPart::Evening, "18:00", "22:00", true),
        (DayPart::Evening, "18:00", "22:30", false),
        (DayPart::Night, "22:00", "24:00", true),
        (DayPart::Night, "22:00", "00:00", true),
        (DayPart::Night, "23:00", "05:30", true),
        (DayPart::Night, "00:00", "06:00", true),
        (DayPart::Night, "05:00", "23:00", false),
        (DayPart::Night, "21:30", "23:00", false),
        (DayPart::Night, "05:00", "06:30", false),
    ] {
        assert_eq!(
            part.holds(span(from, until)),
            holds,
            "{part:?} {from} {until}"
        );
    }
}

#[test]
fn exact_hours_have_to_be_free_from_beginning_to_end_on_one_date() {
    let availability = Availability {
        weekly: vec![
            hours(Weekday::Monday, "09:00", "11:00"),
            hours(Weekday::Tuesday, "23:00", "24:00"),
            hours(Weekday::Wednesday, "00:00", "02:00"),
        ],
        exceptions: vec![Exception::Extra {
            date: date("2026-11-23"),
            from: time("11:00"),
            until: time("12:00"),
        }],
    };
    let monday_to_friday = (date("2026-11-23"), date("2026-11-27"));
    for (weekday, part, from, until, free) in [
        (Weekday::Monday, DayPart::Morning, "09:00", "09:30", true),
        (Weekday::Monday, DayPart::Morning, "08:30", "09:30", false),
        // The extra hour joins the usual ones on that date.
        (Weekday::Monday, DayPart::Morning, "10:00", "12:00", true),
        (Weekday::Tuesday, DayPart::Night, "23:00", "02:00", true),
        (Weekday::Tuesday, DayPart::Night, "23:00", "02:30", false),
        (Weekday::Tuesday, DayPart::Night, "00:30", "02:00", true),
        (Weekday::Wednesday, DayPart::Night, "00:30", "02:00", false),
        (Weekday::Saturday, DayPart::Morning, "09:00", "09:30", false),
    ] {
        let times = Times::of([RequestedDay {
            weekday,
            day_part: part,
            hours: Some(span(from, until)),
            strength: DayStrength::Must,
        }]);
        let met = availability
            .week()
            .free_on(&availability.exceptions, monday_to_friday, &times);
        assert_eq!(
            (met, times.count()),
            (u32::from(free), 1),
            "{weekday:?} {from} {until}"
        );
    }
}

#[test]
fn times_count_day_parts_and_exact_hours_alike() {
    let day = |weekday, hours| RequestedDay {
        weekday,
        day_part: DayPart::Morning,
        hours,
        strength: DayStrength::Prefer,
    };
    let availability = Availability {
        weekly: vec![hours(Weekday::Monday, "06:00", "12:00")],
        exceptions: vec![],
    };
    let times = Times::of([
        day(Weekday::Monday, None),
        day(Weekday::Monday, Some(span("07:00", "08:00"))),
        day(Weekday::Friday, None),
        day(Weekday::Friday, Some(span("07:00", "08:00"))),
    ]);
    let fortnight = (date("2026-11-23"), date("2026-12-06"));
    assert_eq!(times.count(), 4);
    assert_eq!(availability.week().free_on(&[], fortnight, &times), 2);
}

/// What [`Week::free_on`] says, date by date.
fn free_by_date(
    week: Week,
    exceptions: &[Exception],
    (first, last): (NaiveDate, NaiveDate),
    times: &Times,
) -> u32 {
    let on = |date: NaiveDate| {
        let away = |exception: &Exception| matches!(exception, Exception::Away { first, last } if *first <= date && date <= *last);
        let mut hours = week.rows()[Weekday::of(date) as usize];
        if exceptions.iter().any(away) {
            hours = 0;
        }
        for exception in exceptions {
            if let Exception::Extra {
                date: extra,
                from,
                until,
            } = exception
                && *extra == date
            {
                hours |= (from.0..until.0).fold(0, |bits, bit| bits | 1 << bit);
            }
        }
        hours
    };
    let dates = first.iter_days().take_while(|date| *date <= last);
    let dates: Vec<NaiveDate> = dates.take(LOOK_AHEAD_DAYS as usize).collect();
    let tomorrow = |date: &NaiveDate| on(date.succ_opt().unwrap());
    let has_part = |weekday: Weekday, part: DayPart| {
        dates
            .iter()
            .filter(|date| Weekday::of(**date) == weekday)
            .any(|date| {
                let (from, length) = part.span();
                let both = u128::from(on(*date)) | u128::from(tomorrow(date)) << 48;
                (from..=from + length - 4).any(|from| both >> from & 0b1111 == 0b1111)
            })
    };
    let has_hours = |hours: &&DayHours| {
        let mut dates = dates
            .iter()
            .filter(|date| Weekday::of(**date) == hours.weekday);
        dates.any(|date| hours.fit(on(*date), tomorrow(date)))
    };
    let parts = Weekday::ALL.iter().flat_map(|weekday| {
        let parts = DayPart::ALL
            .iter()
            .filter(|part| has_part(*weekday, **part));
        parts.map(|part| (*weekday, *part))
    });
    DayParts::of(parts).shared(times.parts) + times.hours.iter().filter(has_hours).count() as u32
}

proptest! {
    /// Weeks, requested times, windows and exceptions of any kind: what is computed in short is what is computed date by
    /// date, and nobody is free on more than their widest week has.
    #[test]
    fn the_short_way_and_the_widest_week_agree_with_the_dates(
        rows in prop::array::uniform7(0..1_u64 << 48),
        sparse in prop::array::uniform7(0..1_u64 << 48),
        parts in 0..1_u32 << 28,
        hours in prop::collection::vec((0..7_usize, 0..4_usize, 0..48_u8, 0..=48_u8), 0..6),
        from in 0..7_i64,
        days in -2..40_i64,
        exceptions in prop::collection::vec((any::<bool>(), -40..60_i64, -1..40_i64, 0..24_u8, 25..=48_u8), 0..6),
    ) {
        let mut week = Week::from_rows(rows);
        for (row, others) in week.0.iter_mut().zip(sparse) {
            // Longer stretches of free and of busy time than chance alone would give.
            *row |= *row << 1 & others | *row >> 1;
            *row &= (1 << 48) - 1;
        }
        let exact = hours.into_iter().map(|(weekday, part, from, until)| RequestedDay {
            weekday: Weekday::ALL[weekday],
            day_part: DayPart::ALL[part],
            hours: Some(Hours { from: HalfHour(from), until: HalfHour(until) }),
            strength: DayStrength::Must,
        });
        let exact = exact.filter(|day| day.hours.is_some_and(|hours| day.day_part.holds(hours)));
        let times = Times { parts: DayParts::from_bits(parts), ..Times::of(exact) };
        let day = |number| date("2026-11-21") + chrono::TimeDelta::days(number);
        let window = (day(from), day(from + days));
        let exceptions: Vec<Exception> = exceptions
            .into_iter()
            .map(|(away, first, length, from, until)| if away {
                Exception::Away { first: day(first), last: day(first + length) }
            } else {
                Exception::Extra { date: day(first), from: HalfHour(from), until: HalfHour(until) }
            })
            .collect();
        prop_assert_eq!(
            week.free_on(&exceptions, window, &times),
            free_by_date(week, &exceptions, window, &times)
        );
        let free = week.day_parts_between(&exceptions, window.0, window.1);
        prop_assert!(week.widest(&exceptions).day_parts().contains(free));
        prop_assert!(day_parts_of(window.0, window.1).contains(free));
    }
}

#[test]
fn leave_touches_what_begins_on_its_days_and_what_runs_into_them() {
    let leave = Leave {
        first: "2026-12-24".parse().unwrap(),
        last: "2026-12-26".parse().unwrap(),
    };
    for (from, until, touched) in [
        ("2026-12-23T20:00:00", "2026-12-24T00:00:00", false),
        ("2026-12-23T20:00:00", "2026-12-24T00:01:00", true),
        ("2026-12-24T00:00:00", "2026-12-24T01:00:00", true),
        ("2026-12-26T23:30:00", "2026-12-27T01:00:00", true),
        ("2026-12-27T00:00:00", "2026-12-27T01:00:00", false),
    ] {
        let (from, until) = (from.parse().unwrap(), until.parse().unwrap());
        assert_eq!(leave.touches(from, until), touched, "{from} to {until}");
    }
}

#[test]
fn whatever_a_visit_touches_is_asked_for_in_whole_half_hours() {
    let half_hours = |from: u64, until: u64| (1 << until) - (1 << from);
    for (from, until, today, tomorrow) in [
        (
            "2026-12-01T09:00:00",
            "2026-12-01T11:00:00",
            (18, 22),
            (0, 0),
        ),
        (
            "2026-12-01T09:10:00",
            "2026-12-01T10:40:00",
            (18, 22),
            (0, 0),
        ),
        (
            "2026-12-01T22:00:00",
            "2026-12-02T00:00:00",
            (44, 48),
            (0, 0),
        ),
        (
            "2026-12-01T22:00:00",
            "2026-12-02T06:15:00",
            (44, 48),
            (0, 13),
        ),
    ] {
        let touched = DayHours::touched(from.parse().unwrap(), until.parse().unwrap());
        let expected = DayHours {
            weekday: Weekday::Tuesday,
            today: half_hours(today.0, today.1),
            tomorrow: half_hours(tomorrow.0, tomorrow.1),
        };
        assert_eq!(touched, Some(expected), "{from} to {until}");
    }
    let days = DayHours::touched(
        "2026-12-01T09:00:00".parse().unwrap(),
        "2026-12-03T09:00:00".parse().unwrap(),
    );
    assert_eq!(days, None);
}
