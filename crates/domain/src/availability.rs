//! When a support worker can work and a client wants support.
//!
//! Local time throughout, at half-hour resolution: a week is seven rows of 48 half hours.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta, Timelike};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::invalid::Findings;
use crate::vocabulary::Vocabulary;

mod week;

use week::half_hours;
pub use week::{Week, day_parts_of};

vocabulary! {
    /// A local weekday.
    Weekday {
        Monday = "monday", "Monday";
        Tuesday = "tuesday", "Tuesday";
        Wednesday = "wednesday", "Wednesday";
        Thursday = "thursday", "Thursday";
        Friday = "friday", "Friday";
        Saturday = "saturday", "Saturday";
        Sunday = "sunday", "Sunday";
    }

    /// A part of a local day. A night belongs to the day on which it begins.
    DayPart {
        Morning = "morning", "Morning";
        Afternoon = "afternoon", "Afternoon";
        Evening = "evening", "Evening";
        Night = "night", "Night";
    }

    /// How much a wish counts.
    Strength {
        Must = "must", "Must";
        Prefer = "prefer", "Prefer";
        Avoid = "avoid", "Avoid";
    }

    /// How much a requested day counts.
    DayStrength {
        Must = "must", "Must";
        Prefer = "prefer", "Prefer";
    }
}

impl Weekday {
    /// The weekday of a date.
    #[must_use]
    pub fn of(date: NaiveDate) -> Self {
        match date.weekday() {
            chrono::Weekday::Mon => Self::Monday,
            chrono::Weekday::Tue => Self::Tuesday,
            chrono::Weekday::Wed => Self::Wednesday,
            chrono::Weekday::Thu => Self::Thursday,
            chrono::Weekday::Fri => Self::Friday,
            chrono::Weekday::Sat => Self::Saturday,
            chrono::Weekday::Sun => Self::Sunday,
        }
    }
}

/// A time of day on the half hour, `00:00` to `24:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HalfHour(u8);

impl HalfHour {
    /// So many half hours after midnight.
    #[must_use]
    pub const fn after_midnight(half_hours: u8) -> Option<Self> {
        if half_hours <= 48 {
            Some(Self(half_hours))
        } else {
            None
        }
    }

    /// Half hours since midnight, 0 to 48.
    #[must_use]
    pub const fn half_hours(self) -> u8 {
        self.0
    }
}

/// Text that is not a time on the half hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a time on the half hour, 00:00 to 24:00")]
pub struct ParseHalfHourError;

impl FromStr for HalfHour {
    type Err = ParseHalfHourError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        (0..=48)
            .map(Self)
            .find(|time| time.to_string() == text)
            .ok_or(ParseHalfHourError)
    }
}

impl fmt::Display for HalfHour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 2, self.0 % 2 * 30)
    }
}

impl Serialize for HalfHour {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HalfHour {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for HalfHour {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some("^(([01][0-9]|2[0-3]):[03]0|24:00)$"))
            .into()
    }
}

impl utoipa::ToSchema for HalfHour {}

/// Hours of every such weekday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WeeklyHours {
    /// The day.
    pub weekday: Weekday,
    /// From this time.
    pub from: HalfHour,
    /// Until this time; what runs past midnight goes on in the next day's hours.
    pub until: HalfHour,
}

/// A departure from the weekly hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Exception {
    /// Not working on these whole days.
    Away {
        /// The first day away.
        first: NaiveDate,
        /// The last day away.
        last: NaiveDate,
    },
    /// Working on a day beyond the weekly hours.
    Extra {
        /// The day.
        date: NaiveDate,
        /// From this time.
        from: HalfHour,
        /// Until this time.
        until: HalfHour,
    },
}

/// A stretch of whole days on which a support worker is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Leave {
    /// The first day away.
    pub first: NaiveDate,
    /// The last day away.
    pub last: NaiveDate,
}

impl Leave {
    /// Whether something from `from` until before `until`, by the clock at its place, touches it.
    #[must_use]
    pub fn touches(self, from: NaiveDateTime, until: NaiveDateTime) -> bool {
        let ends = (until - TimeDelta::nanoseconds(1)).max(from);
        from.date() <= self.last && self.first <= ends.date()
    }
}

/// When a support worker can work.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Availability {
    /// The pattern of a usual week.
    #[serde(default)]
    pub weekly: Vec<WeeklyHours>,
    /// Dated departures from it.
    #[serde(default)]
    pub exceptions: Vec<Exception>,
}

/// A day-part on which a client wants support.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestedDay {
    /// The day.
    pub weekday: Weekday,
    /// The part of it.
    pub day_part: DayPart,
    /// Within that part, exactly these hours; two hours in a row of any where none are given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Hours>,
    /// How much it counts.
    pub strength: DayStrength,
}

/// A span of one day-part. A night's hours after midnight are the next day's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// From this time.
    pub from: HalfHour,
    /// Until this time.
    pub until: HalfHour,
}

impl DayPart {
    /// Its first half hour of the day, and how many it has.
    const fn span(self) -> (u8, u8) {
        match self {
            Self::Morning => (12, 12),
            Self::Afternoon => (24, 12),
            Self::Evening => (36, 8),
            Self::Night => (44, 16),
        }
    }

    /// Whether these hours lie within it, and are at least half an hour.
    #[must_use]
    pub fn holds(self, hours: Hours) -> bool {
        self.half_hours_of(hours) != 0
    }

    /// Half hours from the beginning of the day-part as bits; none where the hours are not within it.
    fn half_hours_of(self, hours: Hours) -> u64 {
        let (first, length) = self.span();
        let since = |time: HalfHour| {
            let past_midnight = self == Self::Night && time.0 < first;
            (time.0 + if past_midnight { 48 } else { 0 }).checked_sub(first)
        };
        match (since(hours.from), since(hours.until)) {
            (Some(from), Some(until)) if from < until && until <= length => {
                ((1 << until) - 1) & !((1 << from) - 1)
            }
            _ => 0,
        }
    }
}

/// Hours of every such weekday as half hours of that day and of the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayHours {
    /// The day on which they begin.
    pub weekday: Weekday,
    /// Half hours of that day.
    pub today: u64,
    /// Half hours of the next day.
    pub tomorrow: u64,
}

impl DayHours {
    /// These hours of a day-part.
    fn of(weekday: Weekday, part: DayPart, hours: Hours) -> Self {
        let half_hours = part.half_hours_of(hours);
        let (first, _) = part.span();
        Self {
            weekday,
            today: half_hours << first & ((1 << 48) - 1),
            tomorrow: if part == DayPart::Night {
                half_hours >> 4
            } else {
                0
            },
        }
    }

    /// Every half hour that something touches from `from` until before `until`, by the clock at its place; none
    /// where that is more than two days.
    #[must_use]
    pub fn touched(from: NaiveDateTime, until: NaiveDateTime) -> Option<Self> {
        const WHOLE_DAY: u64 = (1 << 48) - 1;
        let last = (until - TimeDelta::nanoseconds(1)).max(from);
        let half_hour = |at: NaiveDateTime| at.hour() * 2 + at.minute() / 30;
        let before = (1_u64 << half_hour(from)) - 1;
        let through = (1_u64 << (half_hour(last) + 1)) - 1;
        let (today, tomorrow) = match (last.date() - from.date()).num_days() {
            0 => (through & !before, 0),
            1 => (WHOLE_DAY & !before, through),
            _ => return None,
        };
        Some(Self {
            weekday: Weekday::of(from.date()),
            today,
            tomorrow,
        })
    }

    /// Whether two days in a row with these half hours hold them all.
    #[must_use]
    pub const fn fit(self, today: u64, tomorrow: u64) -> bool {
        today & self.today == self.today && tomorrow & self.tomorrow == self.tomorrow
    }
}

/// Times of the week that a client asks for: day-parts with time enough, and exact hours.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Times {
    /// Day-parts, any two hours of each.
    pub parts: DayParts,
    /// Exact hours.
    pub hours: Vec<DayHours>,
}

impl Times {
    /// The times that these requested days mean.
    #[must_use]
    pub fn of(days: impl IntoIterator<Item = RequestedDay>) -> Self {
        let mut times = Self::default();
        for day in days {
            match day.hours {
                Some(hours) => {
                    times
                        .hours
                        .push(DayHours::of(day.weekday, day.day_part, hours));
                }
                None => times.parts = times.parts.or(DayParts::of([(day.weekday, day.day_part)])),
            }
        }
        times
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.parts
            .count()
            .saturating_add(u32::try_from(self.hours.len()).unwrap_or(u32::MAX))
    }
}

/// The least time in a row that makes a day-part worth offering, in half hours: shorter visits are warned about.
const LONG_ENOUGH: u32 = 4;

/// How far ahead the dates of support without an end are looked at, in days.
pub const LOOK_AHEAD_DAYS: i64 = 28;

/// Weekly hours and exceptions that one profile may hold.
const MOST_HOURS: usize = 42;
const MOST_EXCEPTIONS: usize = 60;

/// A set of day-parts of the week, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DayParts(u32);

impl DayParts {
    /// These day-parts.
    #[must_use]
    pub fn of(days: impl IntoIterator<Item = (Weekday, DayPart)>) -> Self {
        days.into_iter().fold(Self(0), |set, (weekday, part)| {
            Self(set.0 | 1 << (weekday.bit() * 4 + part.bit()))
        })
    }

    /// Bits, four to the weekday.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The set with these bits.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// Whether the set holds all of `other`.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// How many of `other` the set holds.
    #[must_use]
    pub const fn shared(self, other: Self) -> u32 {
        (self.0 & other.0).count_ones()
    }

    /// How many day-parts.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// The day-parts in both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    fn on(weekday: Weekday, parts: u32) -> Self {
        Self(parts << (weekday.bit() * 4))
    }

    const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Weekday {
    /// The day after.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Monday => Self::Tuesday,
            Self::Tuesday => Self::Wednesday,
            Self::Wednesday => Self::Thursday,
            Self::Thursday => Self::Friday,
            Self::Friday => Self::Saturday,
            Self::Saturday => Self::Sunday,
            Self::Sunday => Self::Monday,
        }
    }
}

impl Availability {
    /// The usual week as bits.
    #[must_use]
    pub fn week(&self) -> Week {
        let mut week = Week::default();
        for hours in &self.weekly {
            if let Some(row) = week.0.get_mut(hours.weekday.bit() as usize) {
                *row |= half_hours(hours.from, hours.until);
            }
        }
        week
    }

    /// The stretches of whole days away, as they were written down.
    pub fn leave(&self) -> impl Iterator<Item = Leave> {
        self.exceptions
            .iter()
            .filter_map(|exception| match *exception {
                Exception::Away { first, last } => Some(Leave { first, last }),
                Exception::Extra { .. } => None,
            })
    }

    /// Adds what is wrong under `pointer`.
    pub fn find_faults(&self, pointer: &str, findings: &mut Findings) {
        findings.at_most(format!("{pointer}/weekly"), &self.weekly, MOST_HOURS);
        for (place, hours) in self.weekly.iter().enumerate() {
            findings.check(
                hours.from < hours.until,
                format!("{pointer}/weekly/{place}/until"),
                "is after the beginning; hours past midnight go under the next day",
            );
        }
        findings.at_most(
            format!("{pointer}/exceptions"),
            &self.exceptions,
            MOST_EXCEPTIONS,
        );
        for (place, exception) in self.exceptions.iter().enumerate() {
            match exception {
                Exception::Away { first, last } => findings.check(
                    first <= last && (*last - *first).num_days() <= 366,
                    format!("{pointer}/exceptions/{place}/away/last"),
                    "is at or after the first day, and within a year of it",
                ),
                Exception::Extra { from, until, .. } => findings.check(
                    from < until,
                    format!("{pointer}/exceptions/{place}/extra/until"),
                    "is after the beginning",
                ),
            }
        }
    }
}

#[cfg(test)]
mod tests;
