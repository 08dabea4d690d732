use chrono::{NaiveDateTime, TimeDelta};

use super::*;
use crate::visit::tests::booked;

/// A visit that begins then, at a place in `zone`.
fn visit(from: &str, zone: &str, minutes: i64) -> Visit {
    let mut visit = booked();
    visit.from = from.parse().unwrap();
    visit.until = visit.from + TimeDelta::minutes(minutes);
    zone.clone_into(&mut visit.details.time_zone);
    visit
}

fn lines(calendar: &str) -> Vec<String> {
    let unfolded = calendar.replace("\r\n ", "");
    unfolded
        .split_terminator("\r\n")
        .map(str::to_owned)
        .collect()
}

/// The values of a property in the order of the lines, its parameters aside.
fn values<'a>(lines: &'a [String], property: &str) -> Vec<&'a str> {
    let values = lines.iter().filter_map(|line| line.split_once(':'));
    values
        .filter(|(name, _)| name.split(';').next() == Some(property))
        .map(|(_, value)| value)
        .collect()
}

#[test]
fn an_event_says_when_and_nothing_of_who_or_where() {
    let mut visit = visit("2026-11-30T23:00:00Z", "Australia/Brisbane", 120);
    visit.sequence = 3;
    visit.details.notes = "The key is under the mat.".to_owned();
    let calendar = of_visits("Visits; mine, and so on", "https://app.example", &[visit]);
    let lines = lines(&calendar);
    for line in [
        "X-WR-CALNAME:Visits\\; mine\\, and so on",
        "UID:vis_00000000000000000000000000000014@visits.rapport",
        "SEQUENCE:3",
        "DTSTART;TZID=Australia/Brisbane:20261201T090000",
        "DTEND;TZID=Australia/Brisbane:20261201T110000",
        "SUMMARY:Support visit",
        "URL:https://app.example/visits/vis_00000000000000000000000000000014",
    ] {
        assert!(
            lines.iter().any(|held| held == line),
            "{line} in {lines:#?}"
        );
    }
    for secret in ["key", "West End", "social"] {
        assert!(!calendar.contains(secret), "{secret}");
    }
    assert_eq!(
        values(&lines, "TZOFFSETTO"),
        ["+1000"],
        "clocks are left alone there"
    );
}

#[test]
fn lines_are_folded_at_75_octets_and_between_characters() {
    let name = "\u{00fc}".repeat(120);
    let calendar = of_visits(&name, "https://app.example", &[]);
    assert!(
        calendar
            .split("\r\n")
            .all(|line| line.len() <= LONGEST_LINE)
    );
    assert!(
        calendar
            .split("\r\n")
            .any(|line| line.len() >= LONGEST_LINE - 1)
    );
    assert!(lines(&calendar).contains(&format!("NAME:{name}")));
}

#[test]
fn a_zone_tells_each_change_of_its_clocks_by_the_clock_before_it() {
    let calendar = of_visits(
        "Visits",
        "",
        &[visit("2026-11-30T23:00:00Z", "Australia/Lord_Howe", 60)],
    );
    let lines = lines(&calendar);
    let starts = values(&lines, "DTSTART");
    // Half an hour forward on 4 October 2026 at two, back on 4 April 2027 at two.
    for change in ["20261004T020000", "20270404T020000"] {
        assert!(starts.contains(&change), "{change} in {starts:?}");
    }
    let at = lines
        .iter()
        .position(|line| line == "DTSTART:20261004T020000");
    let change = &lines[at.unwrap() - 1..at.unwrap() + 4];
    assert_eq!(
        change,
        [
            "BEGIN:DAYLIGHT",
            "DTSTART:20261004T020000",
            "TZOFFSETFROM:+1030",
            "TZOFFSETTO:+1100",
            "TZNAME:+1100"
        ]
    );
}

#[test]
fn a_time_that_clocks_show_twice_is_written_so_that_nobody_takes_the_wrong_one() {
    // Sydney's clocks are put back on 4 April 2027 at three, 16:00 UTC the day before: from one to two, and a half
    // past two the second time.
    let second = visit("2027-04-03T14:00:00Z", "Australia/Sydney", 150);
    let first = visit("2027-04-03T14:00:00Z", "Australia/Sydney", 90);
    let ends = |visit: Visit| {
        let calendar = of_visits("Visits", "", &[visit]);
        let lines = lines(&calendar);
        lines.into_iter().find(|line| line.starts_with("DTEND"))
    };
    assert_eq!(
        ends(first),
        Some("DTEND;TZID=Australia/Sydney:20270404T023000".to_owned())
    );
    assert_eq!(ends(second), Some("DTEND:20270403T163000Z".to_owned()));
}

#[test]
fn free_and_busy_is_in_utc() {
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let range = (at("2026-12-01T00:00:00Z"), at("2026-12-29T00:00:00Z"));
    let taken = Stretch {
        from: at("2026-12-02T01:30:00Z"),
        until: at("2026-12-02T04:30:00Z"),
    };
    let calendar = of_busy("feed_1", range, &[taken], range.0);
    let lines = lines(&calendar);
    assert!(lines.contains(&"FREEBUSY;FBTYPE=BUSY:20261202T013000Z/20261202T043000Z".to_owned()));
    assert_eq!(values(&lines, "UID"), ["feed_1@visits.rapport"]);
}

/// Reads the zone back as RFC 5545 says, and knows no other: what holds at a local time is the observance with the
/// latest onset before it, an onset being what the clocks show as they are changed.
fn offset_by_the_book(lines: &[String], at: NaiveDateTime) -> i32 {
    let time = |text: &str| NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").unwrap();
    let seconds = |text: &str| {
        let number: i32 = text[1..5].parse().unwrap();
        let seconds = number / 100 * 3600 + number % 100 * 60;
        if text.starts_with('-') {
            -seconds
        } else {
            seconds
        }
    };
    let begins = lines
        .iter()
        .position(|line| line == "BEGIN:VEVENT")
        .unwrap();
    let zone = &lines[..begins];
    let onsets = values(zone, "DTSTART").into_iter().map(time);
    let offsets = values(zone, "TZOFFSETTO").into_iter().map(seconds);
    let from = values(zone, "TZOFFSETFROM").into_iter().map(seconds);
    let mut held = None;
    for ((onset, to), from) in onsets.zip(offsets).zip(from) {
        // A time that comes twice is the first of the two, and so before the change.
        let changed = onset + TimeDelta::seconds(i64::from((to - from).max(0)));
        let onset = if to < from { onset } else { changed };
        if onset <= at && held.is_none_or(|(latest, _)| latest <= onset) {
            held = Some((onset, to));
        }
    }
    held.unwrap().1
}

#[test]
fn every_quarter_of_an_hour_of_three_years_reads_back_as_the_instant_it_was() {
    for zone in [
        "Australia/Sydney",
        "Australia/Lord_Howe",
        "Australia/Brisbane",
        "Europe/London",
        "America/New_York",
        "Africa/Casablanca",
    ] {
        let first: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
        let last = first + TimeDelta::days(3 * 365);
        let ends = [first, last].map(|at| visit(&at.to_rfc3339(), zone, 30));
        let lines = lines(&of_visits("Visits", "", &ends));
        let mut at = first;
        while at < last {
            let local = at.with_timezone(&zone.parse::<Tz>().unwrap());
            let naive = local.naive_local();
            if local
                .timezone()
                .from_local_datetime(&naive)
                .single()
                .is_some()
            {
                let read = naive - TimeDelta::seconds(i64::from(offset_by_the_book(&lines, naive)));
                assert_eq!(read.and_utc(), at, "{zone} {local}");
            }
            at += TimeDelta::minutes(15);
        }
    }
}
