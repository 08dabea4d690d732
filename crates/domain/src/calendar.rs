//! Calendars as other programs read them: RFC 5545, with no more in them than when somebody is taken.

mod zone;

use std::collections::BTreeMap;
use std::fmt::Write;

use chrono::{DateTime, TimeZone, Utc};
use chrono_tz::Tz;

use crate::id::VisitId;
use crate::schedule::Stretch;
use crate::visit::Visit;

/// Who made the calendar, as its programs name themselves.
const PRODUCT: &str = "-//Rapport//Visits//EN";
/// What stands behind the id of a visit, so that nobody else's id is the same. Never changed: a calendar program
/// knows a visit again by it.
const UID_SPACE: &str = "visits.rapport";
/// How often a calendar program is asked to look again.
const LOOK_AGAIN: &str = "PT1H";
/// The longest line, in octets, without its line break (RFC 5545, section 3.1).
const LONGEST_LINE: usize = 75;

/// A calendar in the making.
#[derive(Debug)]
struct Calendar(String);

/// The calendar of `visits`: one event each, in the local time of its place.
///
/// Who, where and what for is left to the app, to which each event links under `app_url`. An event is known again by
/// its `UID`, and its `SEQUENCE` grows whenever it is moved.
///
/// ```
/// # use rapport_domain::calendar;
/// let empty = calendar::of_visits("Visits", "https://app.example", &[]);
/// assert!(empty.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"));
/// assert!(empty.ends_with("END:VCALENDAR\r\n"));
/// ```
#[must_use]
pub fn of_visits(name: &str, app_url: &str, visits: &[Visit]) -> String {
    let mut calendar = Calendar::begin(name);
    for (zone, from, until) in zones(visits) {
        zone::write(&mut calendar, zone, from, until);
    }
    for visit in visits {
        calendar.event(app_url, visit);
    }
    calendar.end()
}

/// The calendar that says when somebody is taken between `from` and `until`, and nothing else.
#[must_use]
pub fn of_busy(
    uid: &str,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    busy: &[Stretch],
    now: DateTime<Utc>,
) -> String {
    let mut calendar = Calendar::begin("Taken");
    calendar.line("BEGIN", "VFREEBUSY");
    calendar.line("UID", &format!("{uid}@{UID_SPACE}"));
    calendar.line("DTSTAMP", &utc(now));
    calendar.line("DTSTART", &utc(from));
    calendar.line("DTEND", &utc(until));
    for taken in busy {
        let period = format!("{}/{}", utc(taken.from), utc(taken.until));
        calendar.line("FREEBUSY;FBTYPE=BUSY", &period);
    }
    calendar.line("END", "VFREEBUSY");
    calendar.end()
}

/// The zones that these visits are in, each with the first beginning and the last end in it.
fn zones(visits: &[Visit]) -> Vec<(Tz, DateTime<Utc>, DateTime<Utc>)> {
    let mut zones: BTreeMap<&str, (Tz, DateTime<Utc>, DateTime<Utc>)> = BTreeMap::new();
    for visit in visits {
        let zone = visit.details.zone();
        let known = zones
            .entry(zone.name())
            .or_insert((zone, visit.from, visit.until));
        known.1 = known.1.min(visit.from);
        known.2 = known.2.max(visit.until);
    }
    zones.into_values().collect()
}

impl Calendar {
    fn begin(name: &str) -> Self {
        let mut calendar = Self(String::new());
        for (property, value) in [
            ("BEGIN", "VCALENDAR"),
            ("VERSION", "2.0"),
            ("PRODID", PRODUCT),
            ("CALSCALE", "GREGORIAN"),
        ] {
            calendar.line(property, value);
        }
        calendar.line("NAME", &text(name));
        calendar.line("X-WR-CALNAME", &text(name));
        calendar.line("REFRESH-INTERVAL;VALUE=DURATION", LOOK_AGAIN);
        calendar
    }

    fn event(&mut self, app_url: &str, visit: &Visit) {
        let zone = visit.details.zone();
        self.line("BEGIN", "VEVENT");
        self.line("UID", &uid(visit.id));
        self.line("SEQUENCE", &visit.sequence.to_string());
        self.line("DTSTAMP", &utc(visit.booked_at));
        self.at("DTSTART", visit.from, zone);
        self.at("DTEND", visit.until, zone);
        self.line("SUMMARY", "Support visit");
        self.line("URL", &format!("{app_url}/visits/{}", visit.id));
        self.line("STATUS", "CONFIRMED");
        self.line("CLASS", "PRIVATE");
        self.line("TRANSP", "OPAQUE");
        self.line("END", "VEVENT");
    }

    /// An instant in the local time of `zone`; in UTC where clocks show that time twice, of which a calendar
    /// program takes the first.
    fn at(&mut self, property: &str, at: DateTime<Utc>, zone: Tz) {
        let local = at.with_timezone(&zone);
        let first = zone.from_local_datetime(&local.naive_local()).earliest();
        if zone == Tz::UTC || first != Some(local) {
            return self.line(property, &utc(at));
        }
        let local = local.format("%Y%m%dT%H%M%S").to_string();
        self.line(&format!("{property};TZID={}", zone.name()), &local);
    }

    /// Adds a line, folded where it is too long: what goes on begins with a blank (RFC 5545, section 3.1).
    fn line(&mut self, property: &str, value: &str) {
        let mut used = 0;
        for c in property.chars().chain([':']).chain(value.chars()) {
            if used + c.len_utf8() > LONGEST_LINE {
                self.0.push_str("\r\n ");
                used = 1;
            }
            self.0.push(c);
            used += c.len_utf8();
        }
        self.0.push_str("\r\n");
    }

    fn end(mut self) -> String {
        self.line("END", "VCALENDAR");
        self.0
    }
}

/// How a visit is known to calendar programs.
fn uid(visit: VisitId) -> String {
    format!("{visit}@{UID_SPACE}")
}

fn utc(at: DateTime<Utc>) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

/// Text as a property's value (RFC 5545, section 3.3.11).
fn text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => {
                escaped.push('\\');
                escaped.push(c);
            }
            '\n' => escaped.push_str("\\n"),
            c if c.is_control() => {}
            c => escaped.push(c),
        }
    }
    escaped
}

/// An offset as a property's value (RFC 5545, section 3.3.14): seconds only where there are some.
fn offset(seconds: i32) -> String {
    let (sign, seconds) = (if seconds < 0 { '-' } else { '+' }, seconds.unsigned_abs());
    let mut written = format!("{sign}{:02}{:02}", seconds / 3600, seconds / 60 % 60);
    if seconds % 60 != 0 {
        let _ = write!(written, "{:02}", seconds % 60);
    }
    written
}

#[cfg(test)]
mod tests;
