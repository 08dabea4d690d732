//! A time zone as a calendar carries it: every change of its clocks around the calendar's events, one by one, so
//! that nobody has to know the zone's rules, or have the same ones.

use chrono::{DateTime, Days, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::{OffsetComponents, OffsetName, Tz};

use super::{Calendar, offset};

/// How far around the events changes are told, in days: programs look up the change before an event.
const AROUND_DAYS: u64 = 400;

/// What clocks show beside UTC for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Observance {
    seconds: i32,
    is_daylight: bool,
    name: String,
}

/// A change of the clocks.
#[derive(Debug)]
struct Change {
    /// What clocks show as they are changed, before they are.
    local: NaiveDateTime,
    from: i32,
    to: Observance,
}

/// Writes the zone as it is from `from` to `until`.
pub(super) fn write(calendar: &mut Calendar, zone: Tz, from: DateTime<Utc>, until: DateTime<Utc>) {
    if zone == Tz::UTC {
        return;
    }
    calendar.line("BEGIN", "VTIMEZONE");
    calendar.line("TZID", zone.name());
    for change in changes(
        zone,
        from - Days::new(AROUND_DAYS),
        until + Days::new(AROUND_DAYS),
    ) {
        change.write(calendar);
    }
    calendar.line("END", "VTIMEZONE");
}

/// What holds at the beginning, as if clocks had been set then, and every change after it.
fn changes(zone: Tz, from: DateTime<Utc>, until: DateTime<Utc>) -> Vec<Change> {
    let first = observance(zone, from);
    let mut changes = vec![Change {
        local: local(from, first.seconds),
        from: first.seconds,
        to: first,
    }];
    let (mut before, mut day) = (from, from + Days::new(1));
    while before < until {
        let (was, is) = (observance(zone, before), observance(zone, day));
        if was != is {
            let at = moment(zone, before, day);
            changes.push(Change {
                local: local(at, was.seconds),
                from: was.seconds,
                to: observance(zone, at),
            });
        }
        (before, day) = (day, day + Days::new(1));
    }
    changes
}

/// The first second in which what holds at `before` does not hold any more; it does not hold at `after`.
fn moment(zone: Tz, mut before: DateTime<Utc>, mut after: DateTime<Utc>) -> DateTime<Utc> {
    let held = observance(zone, before);
    while TimeDelta::seconds(1) < after - before {
        let between = before + TimeDelta::seconds((after - before).num_seconds() / 2);
        if observance(zone, between) == held {
            before = between;
        } else {
            after = between;
        }
    }
    after
}

fn observance(zone: Tz, at: DateTime<Utc>) -> Observance {
    let there = zone.offset_from_utc_datetime(&at.naive_utc());
    let seconds = there.fix().local_minus_utc();
    Observance {
        seconds,
        is_daylight: there.dst_offset() != TimeDelta::zero(),
        name: there
            .abbreviation()
            .map_or_else(|| offset(seconds), str::to_owned),
    }
}

fn local(at: DateTime<Utc>, seconds: i32) -> NaiveDateTime {
    at.naive_utc() + TimeDelta::seconds(i64::from(seconds))
}

impl Change {
    fn write(&self, calendar: &mut Calendar) {
        let kind = if self.to.is_daylight {
            "DAYLIGHT"
        } else {
            "STANDARD"
        };
        calendar.line("BEGIN", kind);
        let local = self.local.format("%Y%m%dT%H%M%S").to_string();
        calendar.line("DTSTART", &local);
        calendar.line("TZOFFSETFROM", &offset(self.from));
        calendar.line("TZOFFSETTO", &offset(self.to.seconds));
        calendar.line("TZNAME", &self.to.name);
        calendar.line("END", kind);
    }
}
