//! How a visit repeats: a recurrence rule of RFC 5545, read in the local time of the visit's place.
//!
//! People agree on what the clock on the wall shows, so a rule is worked out on local times, and each is looked up
//! in the zone by itself: nine o'clock stays nine o'clock where clocks are changed.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use chrono::{DateTime, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use rrule::{RRule, RRuleSet, Unvalidated};
use serde::{Deserialize, Serialize};

use crate::invalid::Findings;
use crate::local_time;
use crate::visit::{Times, VisitDetails};

/// How many visits a series has at most; those that are left out count, so no more are left out than that.
pub const MOST_OCCURRENCES: usize = 366;
/// How long a series goes on at most, from its first visit, in months.
const LONGEST_MONTHS: u32 = 12;
const LONGEST_RULE: usize = 200;
const LARGEST_INTERVAL: u16 = 366;
/// What a rule can say, besides where it ends. A visit has its time already, and weeks and days of a year are left to
/// those who keep calendars.
const PARTS: [&str; 7] = [
    "FREQ",
    "INTERVAL",
    "BYDAY",
    "BYMONTHDAY",
    "BYMONTH",
    "BYSETPOS",
    "WKST",
];
const FREQUENCIES: [&str; 3] = ["DAILY", "WEEKLY", "MONTHLY"];

/// How a visit repeats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Repeats {
    /// A recurrence rule of RFC 5545 with `FREQ=DAILY`, `WEEKLY` or `MONTHLY`, without times of its own, and with an
    /// end: `COUNT`, or `UNTIL` as a date or time at the visit's place, or in UTC with a `Z`.
    #[schema(max_length = 200, example = "FREQ=WEEKLY;BYDAY=TU;COUNT=12")]
    pub rule: String,
    /// Dates on which the rule falls and no visit takes place, each once.
    #[serde(default)]
    #[schema(max_items = 366)]
    pub except: Vec<NaiveDate>,
}

/// One visit of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occurrence {
    /// Its number among those that take place, from 0.
    pub number: u32,
    /// When it begins, at its place.
    pub starts: NaiveDateTime,
    /// The same as an instant.
    pub from: DateTime<Utc>,
    /// When it ends.
    pub until: DateTime<Utc>,
}

impl Occurrence {
    /// Its beginning and its end.
    #[must_use]
    pub const fn times(&self) -> Times {
        Times {
            from: self.from,
            until: self.until,
        }
    }
}

/// Where a rule ends.
enum End {
    Count(usize),
    Until(NaiveDateTime),
}

impl Repeats {
    /// The visits of a series that somebody proposes. Adds whatever is wrong under `pointer`, also what is no fault of
    /// a series that is booked: dates left out more than once, or more of them than a series has.
    pub fn proposed(
        &self,
        visit: &VisitDetails,
        pointer: &str,
        findings: &mut Findings,
    ) -> Option<Vec<Occurrence>> {
        // First, so that nobody has a list without end looked through.
        if MOST_OCCURRENCES < self.except.len() {
            let detail = format!("has at most {MOST_OCCURRENCES} dates");
            findings.add(format!("{pointer}/except"), detail);
            return None;
        }
        let mut seen = BTreeSet::new();
        let again = |(_, except): &(usize, &NaiveDate)| !seen.insert(**except);
        let again: Vec<usize> = (self.except.iter().enumerate().filter(again))
            .map(|(place, _)| place)
            .collect();
        for place in &again {
            findings.add(format!("{pointer}/except/{place}"), "is there twice");
        }
        let found = self.occurrences(visit, pointer, findings);
        found.filter(|_| again.is_empty())
    }

    /// The visits of the series that begins with `visit`; none where it is not right. Adds whatever is wrong with how
    /// it repeats under `pointer`.
    pub fn occurrences(
        &self,
        visit: &VisitDetails,
        pointer: &str,
        findings: &mut Findings,
    ) -> Option<Vec<Occurrence>> {
        let rule = format!("{pointer}/rule");
        let dates = match self.dates(visit) {
            Ok(dates) => dates,
            Err(wrong) => {
                findings.add(rule, wrong);
                return None;
            }
        };
        let mut right = true;
        for (place, except) in self.except.iter().enumerate() {
            let wrong = if *except == visit.starts.date() {
                "is the first visit itself: begin the series later"
            } else if !dates.iter().any(|date| date.date() == *except) {
                "is no date of the series"
            } else {
                continue;
            };
            findings.add(format!("{pointer}/except/{place}"), wrong);
            right = false;
        }
        let kept = dates.into_iter();
        let kept = kept.filter(|date| !self.except.contains(&date.date()));
        let mut occurrences: Vec<Occurrence> = Vec::new();
        for starts in kept {
            let mut wrong = Findings::default();
            let from = local_time::resolve(starts, &visit.time_zone, "", &mut wrong);
            let faults = wrong.into_result().err().into_iter().flatten();
            for fault in faults {
                let (date, why) = (starts.date(), fault.detail);
                let detail = format!("falls on {date}, when the time {why}, or leave the date out");
                findings.add(rule.as_str(), detail);
            }
            let Some(from) = from else {
                right = false;
                continue;
            };
            occurrences.push(Occurrence {
                number: u32::try_from(occurrences.len()).unwrap_or(u32::MAX),
                starts,
                from,
                until: from + TimeDelta::minutes(i64::from(visit.minutes)),
            });
        }
        if right && occurrences.len() < 2 {
            findings.add(
                rule.as_str(),
                "has one visit only: propose it without repeating it",
            );
            right = false;
        }
        let overlap = occurrences.iter().zip(occurrences.iter().skip(1));
        let mut overlap = overlap.filter(|(one, next)| next.from < one.until);
        if let Some((_, next)) = overlap.next() {
            let date = next.starts.date();
            let detail = format!(
                "brings the visit on {date} before the one before it is over: repeat less often, or shorten the visit"
            );
            findings.add(rule.as_str(), detail);
            right = false;
        }
        right.then_some(occurrences)
    }

    /// Every date of the rule, those left out included, or what is wrong with it.
    fn dates(&self, visit: &VisitDetails) -> Result<Vec<NaiveDateTime>, String> {
        let (parts, end) = self.read(visit)?;
        let starts = visit.starts;
        let last = starts.checked_add_months(Months::new(LONGEST_MONTHS));
        let last = last.ok_or("goes on for too long")?;
        let (until, count) = match end {
            End::Count(count) => (last, count),
            End::Until(until) if until < starts => {
                return Err("ends before the first visit".to_owned());
            }
            End::Until(until) if last < until => return Err(too_long()),
            End::Until(until) => (until, MOST_OCCURRENCES.saturating_add(1)),
        };
        // Local times, dressed up as UTC: clocks are none of the rule's business.
        let start = rrule::Tz::UTC.from_utc_datetime(&starts);
        let text = format!("{parts};UNTIL={}Z", until.format("%Y%m%dT%H%M%S"));
        let rule: RRule<Unvalidated> = text.parse().map_err(|_| not_a_rule())?;
        let rule = rule.validate(start).map_err(|_| not_a_rule())?;
        let most = u16::try_from(count).unwrap_or(u16::MAX);
        // With limits of its own, so that a rule that never falls on any day comes to an end.
        let dates = RRuleSet::new(start).rrule(rule).all(most).dates;
        let dates: Vec<NaiveDateTime> = dates.into_iter().map(|date| date.naive_utc()).collect();
        match dates.first() {
            None => return Err("falls on no date".to_owned()),
            Some(first) if *first != starts => {
                let (first, starts) = (first.date(), starts.date());
                return Err(format!("begins on {first}; the visit is to be on {starts}"));
            }
            Some(_) => {}
        }
        if MOST_OCCURRENCES < dates.len() {
            return Err(format!("has more than {MOST_OCCURRENCES} visits"));
        }
        if matches!(end, End::Count(count) if dates.len() < count) {
            return Err(too_long());
        }
        Ok(dates)
    }

    /// What the rule says of days, and where it ends.
    fn read(&self, visit: &VisitDetails) -> Result<(String, End), String> {
        if self.rule.is_empty() || LONGEST_RULE < self.rule.len() {
            return Err(format!("has 1 to {LONGEST_RULE} characters"));
        }
        let (mut parts, mut names, mut end) = (Vec::new(), Vec::new(), None);
        for part in self.rule.split(';') {
            let (name, value) = part.split_once('=').ok_or_else(not_a_rule)?;
            if names.contains(&name) {
                return Err(format!("says {name} twice"));
            }
            names.push(name);
            let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "+-,".contains(c);
            if value.is_empty() || !value.chars().all(plain) {
                return Err(not_a_rule());
            }
            match name {
                "COUNT" | "UNTIL" if end.is_some() => {
                    return Err("ends by COUNT or by UNTIL, not by both".to_owned());
                }
                "COUNT" => end = Some(End::Count(count(value)?)),
                "UNTIL" => end = Some(End::Until(until(value, visit).ok_or_else(not_a_rule)?)),
                "FREQ" if !FREQUENCIES.contains(&value) => {
                    return Err("repeats DAILY, WEEKLY or MONTHLY".to_owned());
                }
                "INTERVAL"
                    if !value
                        .parse()
                        .is_ok_and(|n| (1..=LARGEST_INTERVAL).contains(&n)) =>
                {
                    return Err(format!("has an INTERVAL of 1 to {LARGEST_INTERVAL}"));
                }
                name if PARTS.contains(&name) => parts.push(part),
                _ => {
                    return Err(format!(
                        "says nothing but {}, COUNT and UNTIL",
                        PARTS.join(", ")
                    ));
                }
            }
        }
        if !names.contains(&"FREQ") {
            return Err(not_a_rule());
        }
        let numbered = |part: &str| part.starts_with("BYDAY=") && part.contains(char::is_numeric);
        if parts.iter().any(|part| numbered(part)) && !parts.contains(&"FREQ=MONTHLY") {
            return Err("counts the weekdays of a month only with FREQ=MONTHLY".to_owned());
        }
        let end = end.ok_or("has no end: add COUNT or UNTIL")?;
        Ok((parts.join(";"), end))
    }
}

fn not_a_rule() -> String {
    "is not a recurrence rule, e.g. FREQ=WEEKLY;BYDAY=TU;COUNT=12".to_owned()
}

fn too_long() -> String {
    format!("goes on for more than {LONGEST_MONTHS} months")
}

fn count(value: &str) -> Result<usize, String> {
    let count = value.parse().ok();
    let count = count.filter(|count| (2..=MOST_OCCURRENCES).contains(count));
    count.ok_or_else(|| format!("has a COUNT of 2 to {MOST_OCCURRENCES}"))
}

/// The last local time at which a visit may begin.
fn until(value: &str, visit: &VisitDetails) -> Option<NaiveDateTime> {
    let end_of_day = NaiveTime::from_hms_opt(23, 59, 59)?;
    if let Ok(day) = NaiveDate::parse_from_str(value, "%Y%m%d") {
        return Some(day.and_time(end_of_day));
    }
    match value.strip_suffix('Z') {
        Some(utc) => {
            let at = NaiveDateTime::parse_from_str(utc, "%Y%m%dT%H%M%S").ok()?;
            Some(visit.local(at.and_utc()).naive_local())
        }
        None => NaiveDateTime::parse_from_str(value, "%Y%m%dT%H%M%S").ok(),
    }
}
