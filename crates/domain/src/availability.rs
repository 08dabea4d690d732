//! When a support worker can work and a client wants support.
//!
//! Local time throughout, at half-hour resolution: a week is seven rows of 48 half hours.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::vocabulary::Vocabulary;

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
    /// How much it counts.
    pub strength: DayStrength,
}
