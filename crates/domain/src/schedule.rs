//! Busy sheets: when a person is taken, and so what is on their schedule.

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::id::{EngagementId, PersonId, VisitId};

/// A month in UTC, written `2026-12`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i32,
    month: u32,
}

impl Month {
    /// The month in which an instant lies.
    #[must_use]
    pub fn of(at: DateTime<Utc>) -> Self {
        Self {
            year: at.year(),
            month: at.month(),
        }
    }

    /// The month after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        if self.month >= 12 {
            Self {
                year: self.year.saturating_add(1),
                month: 1,
            }
        } else {
            Self {
                year: self.year,
                month: self.month.saturating_add(1),
            }
        }
    }

    /// Every month that an interval touches, the earliest first.
    #[must_use]
    pub fn touched(from: DateTime<Utc>, until: DateTime<Utc>) -> Vec<Self> {
        let last = Self::of((until - TimeDelta::nanoseconds(1)).max(from));
        let mut months = vec![Self::of(from)];
        while let Some(month) = months.last().copied().filter(|month| *month < last) {
            months.push(month.next());
        }
        months
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl std::str::FromStr for Month {
    type Err = ParseMonthError;

    fn from_str(text: &str) -> Result<Self, ParseMonthError> {
        let (year, month) = text.split_once('-').ok_or(ParseMonthError)?;
        let read = Self {
            year: year.parse().map_err(|_| ParseMonthError)?,
            month: month.parse().map_err(|_| ParseMonthError)?,
        };
        let canonical = (1..=12).contains(&read.month) && read.to_string() == text;
        canonical.then_some(read).ok_or(ParseMonthError)
    }
}

/// Text that is not a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a month, e.g. 2026-12")]
pub struct ParseMonthError;

impl Serialize for Month {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Month {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// When one person is taken, of everything that touches one month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusySheet {
    /// Who.
    pub person: PersonId,
    /// The month, in UTC.
    pub month: Month,
    /// What is booked, the earliest first.
    pub booked: Vec<Busy>,
}

/// One booked interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Busy {
    /// First instant taken.
    pub from: DateTime<Utc>,
    /// First instant free again.
    pub until: DateTime<Utc>,
    /// The visit.
    pub visit: VisitId,
    /// Its engagement: within one, no travel lies between two visits.
    pub engagement: EngagementId,
    /// Whether the person travels to it: the support worker does.
    pub travels: bool,
}
