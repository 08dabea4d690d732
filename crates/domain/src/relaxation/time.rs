//! Required times, one by one, and when else they could be.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Relaxation;
use crate::availability::{
    DayHours, DayPart, DayParts, DayStrength, HalfHour, Hours, RequestedDay, Times, Weekday,
    day_parts_of,
};
use crate::eligibility::Asked;
use crate::vocabulary::Vocabulary;

/// A time that a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AskedTime {
    /// The day.
    pub weekday: Weekday,
    /// The part of it.
    pub day_part: DayPart,
    /// Exactly these hours; any two in a row where none are given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Hours>,
}

impl AskedTime {
    /// Each of these times: day-parts in the order of the week, then exact hours as they were asked for.
    pub fn each(times: &Times) -> impl Iterator<Item = Self> {
        let parts = Weekday::ALL.iter().flat_map(|weekday| {
            let parts = DayPart::ALL.iter();
            parts.map(|part| Self::any(*weekday, *part))
        });
        parts
            .filter(|time| times.parts.contains(time.parts()))
            .chain(times.hours.iter().map(|hours| Self::exact(*hours)))
    }

    /// These times together.
    pub fn all(times: impl IntoIterator<Item = Self>) -> Times {
        let days = times.into_iter().map(|time| RequestedDay {
            weekday: time.weekday,
            day_part: time.day_part,
            hours: time.hours,
            strength: DayStrength::Must,
        });
        Times::of(days)
    }

    /// The whole day-part.
    #[must_use]
    pub const fn any(weekday: Weekday, day_part: DayPart) -> Self {
        Self {
            weekday,
            day_part,
            hours: None,
        }
    }

    /// The day-part that exact hours lie in, and the hours as a client would write them.
    fn exact(hours: DayHours) -> Self {
        // Half hours since midnight, those of the next day from 48 on: only a night has any.
        let bits = u128::from(hours.today) | u128::from(hours.tomorrow) << 48;
        let (from, until) = (bits.trailing_zeros(), 128 - bits.leading_zeros());
        let day_part = match from {
            0..24 => DayPart::Morning,
            24..36 => DayPart::Afternoon,
            36..44 => DayPart::Evening,
            44.. => DayPart::Night,
        };
        let time = |half_hours: u32, last: u32| {
            let of_day = half_hours - if half_hours > last { 48 } else { 0 };
            u8::try_from(of_day).ok().and_then(HalfHour::after_midnight)
        };
        Self {
            weekday: hours.weekday,
            day_part,
            hours: (bits != 0)
                .then(|| time(from, 47).zip(time(until, 48)))
                .flatten()
                .map(|(from, until)| Hours { from, until }),
        }
    }

    /// The day-part in words, without hours: `Monday mornings`.
    pub(super) fn at_any_time(self) -> Self {
        Self::any(self.weekday, self.day_part)
    }

    fn parts(self) -> DayParts {
        DayParts::of([(self.weekday, self.day_part)])
    }
}

/// `Monday mornings`, or `Mondays 09:00 to 11:00`.
impl fmt::Display for AskedTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = self.weekday.label();
        match self.hours {
            Some(Hours { from, until }) => write!(f, "{day}s {from} to {until}"),
            None => write!(f, "{day} {}s", self.day_part.label().to_lowercase()),
        }
    }
}

/// What could be asked differently about the required times.
pub(super) fn relaxations(asked: &Asked) -> Vec<Relaxation> {
    let times: Vec<AskedTime> = AskedTime::each(&asked.required).collect();
    let (first, last) = asked.window;
    let occurring = day_parts_of(first, last);
    let free = |time: AskedTime| {
        occurring.contains(time.parts()) && !times.iter().any(|other| other.parts() == time.parts())
    };
    let movable = |moved: &dyn Fn(AskedTime) -> Option<AskedTime>| {
        let mut moved = times.iter().filter_map(|time| moved(*time)).peekable();
        moved.peek().is_some() && moved.all(free)
    };
    let others = pairs::<DayPart>().filter_map(|(from, to)| {
        let moved = |time: AskedTime| (time.day_part == from).then(|| time.at_part(to));
        movable(&moved).then_some(Relaxation::OtherPart { from, to })
    });
    let days = pairs::<Weekday>().filter_map(|(from, to)| {
        let moved = |time: AskedTime| (time.weekday == from).then(|| time.on(to));
        movable(&moved).then_some(Relaxation::OtherDay { from, to })
    });
    let exact = times.iter().filter(|time| time.hours.is_some());
    let wishes = times.iter().copied().map(Relaxation::TimeAsWish);
    wishes
        .chain((times.len() > 1).then_some(Relaxation::TimesAsWishes))
        .chain(exact.copied().map(Relaxation::AnyHours))
        .chain(others)
        .chain(days)
        .collect()
}

/// Every two different words.
fn pairs<V: Vocabulary>() -> impl Iterator<Item = (V, V)> {
    let all = || V::ALL.iter().copied();
    all().flat_map(move |one| {
        all()
            .filter(move |other| *other != one)
            .map(move |other| (one, other))
    })
}

impl AskedTime {
    /// The same day at another part of it. Exact hours belong to their part.
    pub(super) const fn at_part(self, to: DayPart) -> Self {
        Self::any(self.weekday, to)
    }

    /// The same time on another day.
    pub(super) const fn on(self, to: Weekday) -> Self {
        Self {
            weekday: to,
            ..self
        }
    }
}
