//! Local times: what a clock on the wall of a place shows, and the instant it means.
//!
//! People agree on local times. Where clocks are put forward some of them do not exist, and where they
//! are put back some come twice: neither can be agreed on.

use chrono::{
    DateTime, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;

use crate::invalid::Findings;

/// The longest name of a time zone that is looked up, in characters.
pub const MAX_ZONE_NAME: usize = 64;

/// The instant that a clock in `zone` shows as `starts`.
///
/// What is wrong is added to `findings`: under `{pointer}/time_zone` a zone that there is not, under
/// `{pointer}/starts` a time that the clocks of the zone never show, or show twice. `pointer` names the
/// object that holds the two, and is empty for the body itself.
///
/// ```
/// # use rapport_domain::{invalid::Findings, local_time::resolve};
/// let mut findings = Findings::default();
/// let nine = "2026-12-01T09:00:00".parse().unwrap();
/// let at = resolve(nine, "Australia/Brisbane", "", &mut findings).unwrap();
/// assert_eq!(at.to_rfc3339(), "2026-11-30T23:00:00+00:00");
/// assert_eq!(resolve(nine, "Australia/Atlantis", "/details", &mut findings), None);
/// assert_eq!(findings.into_result().unwrap_err()[0].pointer, "/details/time_zone");
/// ```
pub fn resolve(
    starts: NaiveDateTime,
    zone: &str,
    pointer: &str,
    findings: &mut Findings,
) -> Option<DateTime<Utc>> {
    let known = Some(zone).filter(|zone| zone.len() <= MAX_ZONE_NAME);
    let Some(zone) = known.and_then(|zone| zone.parse::<Tz>().ok()) else {
        findings.add(
            format!("{pointer}/time_zone"),
            "is not a time zone, e.g. Australia/Brisbane",
        );
        return None;
    };
    let wrong = match zone.from_local_datetime(&starts) {
        MappedLocalTime::Single(at) => return Some(at.to_utc()),
        MappedLocalTime::Ambiguous(..) => {
            "comes twice on that day, since the clocks are put back; choose another time"
        }
        MappedLocalTime::None => {
            "does not exist on that day, since the clocks are put forward; choose another time"
        }
    };
    findings.add(format!("{pointer}/starts"), wrong);
    None
}

/// The first instant of a date in a zone, also where clocks skip midnight.
#[must_use]
pub fn midnight(date: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = date.and_time(NaiveTime::MIN);
    // Clocks are put forward by whole half hours, and nowhere by more than a day.
    let begins = (0..=48).find_map(|half_hours| {
        let wall = midnight.checked_add_signed(TimeDelta::minutes(30 * half_hours))?;
        zone.from_local_datetime(&wall).earliest()
    });
    begins.map_or_else(|| midnight.and_utc(), |begins| begins.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_its_first_instant_also_where_clocks_skip_midnight() {
        for (date, zone, begins) in [
            ("2026-12-01", "Australia/Brisbane", "2026-11-30T14:00:00Z"),
            // In Beirut and in Santiago clocks are put forward at midnight.
            ("2026-03-29", "Asia/Beirut", "2026-03-28T22:00:00Z"),
            ("2026-09-06", "America/Santiago", "2026-09-06T04:00:00Z"),
            // Cuba's clocks are put forward at midnight, and back at one o'clock.
            ("2026-03-08", "America/Havana", "2026-03-08T05:00:00Z"),
            ("2026-11-01", "America/Havana", "2026-11-01T04:00:00Z"),
            // Samoa had no 30 December 2011.
            ("2011-12-30", "Pacific/Apia", "2011-12-30T10:00:00Z"),
        ] {
            let begun = midnight(date.parse().unwrap(), zone.parse().unwrap());
            assert_eq!(
                begun,
                begins.parse::<DateTime<Utc>>().unwrap(),
                "{date} {zone}"
            );
        }
    }

    fn resolved(starts: &str, zone: &str) -> Result<String, (String, String)> {
        let mut findings = Findings::default();
        let at = resolve(starts.parse().unwrap(), zone, "/at", &mut findings);
        match (at, findings.into_result()) {
            (Some(at), Ok(())) => Ok(at.to_rfc3339()),
            (None, Err(found)) => {
                assert_eq!(found.len(), 1, "one fault for one field");
                Err((found[0].pointer.clone(), found[0].detail.clone()))
            }
            (at, findings) => panic!("{at:?} and {findings:?}"),
        }
    }

    #[test]
    fn a_time_that_its_clocks_show_once_is_an_instant() {
        for (starts, zone, at) in [
            (
                "2026-12-01T09:00:00",
                "Australia/Brisbane",
                "2026-11-30T23:00:00+00:00",
            ),
            // Sydney's clocks are put forward on 4 October 2026 at 2:00 and back on 4 April 2027 at 3:00.
            (
                "2026-10-04T01:59:59",
                "Australia/Sydney",
                "2026-10-03T15:59:59+00:00",
            ),
            (
                "2026-10-04T03:00:00",
                "Australia/Sydney",
                "2026-10-03T16:00:00+00:00",
            ),
            (
                "2027-04-04T01:59:59",
                "Australia/Sydney",
                "2027-04-03T14:59:59+00:00",
            ),
            (
                "2027-04-04T03:00:00",
                "Australia/Sydney",
                "2027-04-03T17:00:00+00:00",
            ),
            // Lord Howe Island moves its clocks by half an hour.
            (
                "2026-10-04T02:30:00",
                "Australia/Lord_Howe",
                "2026-10-03T15:30:00+00:00",
            ),
            ("2026-06-01T00:00:00", "UTC", "2026-06-01T00:00:00+00:00"),
        ] {
            assert_eq!(resolved(starts, zone), Ok(at.to_owned()), "{starts} {zone}");
        }
    }

    #[test]
    fn a_time_that_never_comes_or_comes_twice_is_a_fault_of_its_field() {
        for (starts, zone, pointer, word) in [
            (
                "2026-10-04T02:00:00",
                "Australia/Sydney",
                "/at/starts",
                "not exist",
            ),
            (
                "2026-10-04T02:59:59",
                "Australia/Sydney",
                "/at/starts",
                "not exist",
            ),
            (
                "2027-04-04T02:00:00",
                "Australia/Sydney",
                "/at/starts",
                "twice",
            ),
            (
                "2027-04-04T02:59:59",
                "Australia/Sydney",
                "/at/starts",
                "twice",
            ),
            (
                "2026-10-04T02:15:00",
                "Australia/Lord_Howe",
                "/at/starts",
                "not exist",
            ),
            ("2026-06-01T00:00:00", "", "/at/time_zone", "time zone"),
            ("2026-06-01T00:00:00", "AEST", "/at/time_zone", "time zone"),
            (
                "2026-06-01T00:00:00",
                "australia/sydney",
                "/at/time_zone",
                "time zone",
            ),
        ] {
            let (named, detail) = resolved(starts, zone).unwrap_err();
            assert_eq!(named, pointer, "{starts} {zone}");
            assert!(detail.contains(word), "{starts} {zone}: {detail}");
        }
        let (named, _) = resolved("2026-06-01T00:00:00", &"A".repeat(1_000_000)).unwrap_err();
        assert_eq!(named, "/at/time_zone");
    }

    #[test]
    fn at_the_ends_of_time_nothing_overflows() {
        for zone in ["Australia/Sydney", "America/Los_Angeles", "UTC"] {
            for starts in [NaiveDateTime::MIN, NaiveDateTime::MAX] {
                let mut findings = Findings::default();
                let at = resolve(starts, zone, "", &mut findings);
                assert_eq!(at.is_some(), findings.into_result().is_ok(), "{zone}");
            }
        }
    }
}
