//! Busy sheets: when a person is taken, and so what is on their schedule.

mod taken;

pub use taken::{Stretch, taken};

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::id::{EngagementId, PersonId, VisitId};

#[cfg(test)]
mod tests;

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

    /// The month of a date.
    #[must_use]
    pub fn of_date(date: NaiveDate) -> Self {
        Self {
            year: date.year(),
            month: date.month(),
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

    /// The month before this one.
    #[must_use]
    pub const fn previous(self) -> Self {
        if self.month <= 1 {
            Self {
                year: self.year.saturating_sub(1),
                month: 12,
            }
        } else {
            Self {
                year: self.year,
                month: self.month.saturating_sub(1),
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

/// How much one sheet holds at most.
pub const MOST_BOOKED: usize = 500;

/// Why an interval cannot be booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Overlap {
    /// The person is somewhere else then.
    #[error("another visit takes place at that time")]
    Taken {
        /// The other visit.
        by: VisitId,
    },
    /// The person could not get there from the visit before it, or from it to the one after.
    #[error("too little time would be left to travel between it and another visit")]
    TooClose {
        /// The other visit.
        to: VisitId,
    },
    /// The month is full.
    #[error("no more than {MOST_BOOKED} visits are booked in a month")]
    Full,
}

/// Why two records are not joined: somebody would have to be in two places at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the two have visits booked at the same time; cancel one of each before merging")]
pub struct BookingsOverlap;

/// Refuses to let two people be one while their bookings overlap, or while they are the two of one visit.
///
/// # Errors
/// When two different visits overlap, or one of the two travels to a visit at the other's.
pub fn must_not_overlap(one: &[Busy], other: &[Busy]) -> Result<(), BookingsOverlap> {
    let clash = |mine: &Busy| {
        let mut theirs = other.iter();
        // A visit can be on both sheets in the same part: the two were one before, and were parted.
        theirs.any(|busy| match busy.visit == mine.visit {
            true => busy.travels != mine.travels,
            false => busy.overlaps(mine),
        })
    };
    if one.iter().any(clash) {
        return Err(BookingsOverlap);
    }
    Ok(())
}

impl Busy {
    /// Every month on whose sheet it is written, with `buffer` for the journey on either side: whatever is too
    /// close to it touches one of these months, so each sheet decides by itself.
    #[must_use]
    pub fn months(&self, buffer: TimeDelta) -> Vec<Month> {
        Month::touched(self.from - buffer, self.until + buffer)
    }

    /// Every month on whose sheet it may have been written, whatever the buffer was then (up to 28 days).
    #[must_use]
    pub fn months_around(&self) -> Vec<Month> {
        self.months(TimeDelta::days(28))
    }

    /// Whether the two share an instant.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.from < other.until && other.from < self.until
    }

    /// Whether a person who travels needs `buffer` between the two.
    #[must_use]
    pub fn is_a_journey_from(&self, other: &Self) -> bool {
        self.travels && other.travels && self.engagement != other.engagement
    }

    /// What speaks against both on one sheet.
    fn against(&self, other: &Self, buffer: TimeDelta) -> Result<(), Overlap> {
        if self.overlaps(other) {
            return Err(Overlap::Taken { by: other.visit });
        }
        let close = self.from < other.until + buffer && other.from < self.until + buffer;
        if close && self.is_a_journey_from(other) {
            return Err(Overlap::TooClose { to: other.visit });
        }
        Ok(())
    }
}

impl BusySheet {
    /// A sheet on which nothing stands.
    #[must_use]
    pub const fn empty(person: PersonId, month: Month) -> Self {
        Self {
            person,
            month,
            booked: Vec::new(),
        }
    }

    /// The sheet with one more interval, `buffer` being kept free for journeys between engagements.
    ///
    /// INVARIANT: no two intervals of a sheet overlap, and whatever is booked keeps the buffer to what stands.
    ///
    /// # Errors
    /// See [`Overlap`].
    pub fn book(&self, busy: Busy, buffer: TimeDelta) -> Result<Self, Overlap> {
        for other in &self.booked {
            busy.against(other, buffer)?;
        }
        if self.booked.len() >= MOST_BOOKED {
            return Err(Overlap::Full);
        }
        let mut next = self.clone();
        let place = next.booked.partition_point(|other| other.from < busy.from);
        next.booked.insert(place, busy);
        Ok(next)
    }

    /// The sheet without a visit; none where the visit does not stand on it.
    #[must_use]
    pub fn free(&self, visit: VisitId) -> Option<Self> {
        self.keep(|booked| booked != visit)
    }

    /// The sheet with only the visits that are `theirs`; none where all of them are.
    pub fn keep(&self, theirs: impl Fn(VisitId) -> bool) -> Option<Self> {
        let mut next = self.clone();
        next.booked.retain(|busy| theirs(busy.visit));
        (next.booked.len() < self.booked.len()).then_some(next)
    }

    /// What is booked on it and has not ended by `now`.
    pub fn ahead(&self, now: DateTime<Utc>) -> impl Iterator<Item = &Busy> {
        self.booked.iter().filter(move |busy| now < busy.until)
    }
}
