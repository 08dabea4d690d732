//! The usual week, and what of it holds on dates.

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};

use super::{DayParts, Exception, HalfHour, LONG_ENOUGH, LOOK_AHEAD_DAYS, Times, Weekday};
use crate::vocabulary::Vocabulary;

/// The half hours of a usual week: a row of 48 bits for each weekday, Monday first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Week(pub(super) [u64; 7]);

impl Week {
    /// The week with these rows.
    #[must_use]
    pub const fn from_rows(rows: [u64; 7]) -> Self {
        Self(rows)
    }

    /// Its rows.
    #[must_use]
    pub const fn rows(self) -> [u64; 7] {
        self.0
    }

    fn row(&self, weekday: Weekday) -> u64 {
        self.0.get(weekday.bit() as usize).copied().unwrap_or(0)
    }

    /// The day-parts of a usual week with time enough in a row.
    #[must_use]
    pub fn day_parts(&self) -> DayParts {
        Weekday::ALL
            .iter()
            .fold(DayParts::default(), |set, &weekday| {
                let parts = parts_with_time(self.row(weekday), self.row(weekday.next()));
                set.or(DayParts::on(weekday, parts))
            })
    }

    /// The day-parts that occur, with time enough, on at least one date of the window, exceptions heeded.
    ///
    /// Looks at [`LOOK_AHEAD_DAYS`] at most. Empty where the window is.
    #[must_use]
    pub fn day_parts_between(
        &self,
        exceptions: &[Exception],
        first: NaiveDate,
        last: NaiveDate,
    ) -> DayParts {
        self.days(exceptions, first, last)
            .fold(DayParts::default(), |set, day| {
                set.or(DayParts::on(
                    day.weekday,
                    parts_with_time(day.today, day.tomorrow),
                ))
            })
    }

    /// How many of these times occur, each in full, on at least one date of the window, exceptions heeded.
    #[must_use]
    pub fn free_on(
        &self,
        exceptions: &[Exception],
        (first, last): (NaiveDate, NaiveDate),
        times: &Times,
    ) -> u32 {
        let parts = if times.parts == DayParts::default() {
            0
        } else {
            self.day_parts_between(exceptions, first, last)
                .shared(times.parts)
        };
        let met = times.hours.iter().filter(|hours| {
            self.days(exceptions, first, last)
                .any(|day| day.weekday == hours.weekday && hours.fit(day.today, day.tomorrow))
        });
        parts.saturating_add(u32::try_from(met.count()).unwrap_or(u32::MAX))
    }

    /// The usual week with everything extra added to its weekday: whoever is free on a date is free in this week too.
    #[must_use]
    pub fn widest(&self, exceptions: &[Exception]) -> Self {
        let mut widest = *self;
        for exception in exceptions {
            if let Exception::Extra { date, from, until } = exception
                && let Some(row) = widest.0.get_mut(Weekday::of(*date).bit() as usize)
            {
                *row |= half_hours(*from, *until);
            }
        }
        widest
    }

    /// Every day of the window that differs from the others: a usual day once for its weekday, then the days that an
    /// exception touches, or touches the day after. Days without any hours may be left out.
    fn days(
        &self,
        exceptions: &[Exception],
        first: NaiveDate,
        last: NaiveDate,
    ) -> impl Iterator<Item = Day> {
        let window = Window::new(first, last);
        let (away, extra) = window.touched_by(exceptions);
        let with_next = |days: u64| days | days >> 1;
        let gone = away & !extra;
        let untouched = window.days & !with_next(away | extra);
        let touched = window.days & with_next(away | extra) & !(gone & gone >> 1);
        let usual = Weekday::ALL.iter().copied();
        let usual = usual.filter(move |weekday| untouched & window.each(*weekday) != 0);
        let usual = usual.map(|weekday| Day {
            weekday,
            today: self.row(weekday),
            tomorrow: self.row(weekday.next()),
        });
        let others = days_in(touched).filter_map(move |day| {
            let date = first.checked_add_days(Days::new(day))?;
            Some(Day {
                weekday: Weekday::of(date),
                today: self.hours_on(exceptions, date),
                tomorrow: date
                    .succ_opt()
                    .map_or(0, |tomorrow| self.hours_on(exceptions, tomorrow)),
            })
        });
        usual.chain(others)
    }

    /// The half hours of one date: nothing while away, and whatever is extra.
    fn hours_on(&self, exceptions: &[Exception], date: NaiveDate) -> u64 {
        let away = exceptions.iter().any(
            |exception| matches!(exception, Exception::Away { first, last } if (*first..=*last).contains(&date)),
        );
        let usual = if away { 0 } else { self.row(Weekday::of(date)) };
        exceptions
            .iter()
            .fold(usual, |hours, exception| match exception {
                Exception::Extra {
                    date: on,
                    from,
                    until,
                } if *on == date => hours | half_hours(*from, *until),
                Exception::Extra { .. } | Exception::Away { .. } => hours,
            })
    }
}

/// A day with the one after it.
#[derive(Debug, Clone, Copy)]
struct Day {
    weekday: Weekday,
    today: u64,
    tomorrow: u64,
}

/// A stretch of days, one bit each from its first.
#[derive(Debug, Clone, Copy)]
struct Window {
    first: NaiveDate,
    /// INVARIANT: [`LOOK_AHEAD_DAYS`] at most, so that the day after the last has a bit too.
    days: u64,
}

impl Window {
    fn new(first: NaiveDate, last: NaiveDate) -> Self {
        let days = (last - first).num_days().saturating_add(1);
        Self {
            first,
            days: bits_below(days.min(LOOK_AHEAD_DAYS)),
        }
    }

    /// The days of the window and the one after it on which somebody is away, and on which they have extra hours.
    fn touched_by(self, exceptions: &[Exception]) -> (u64, u64) {
        let day = |date: NaiveDate| (date - self.first).num_days();
        let mut touched = (0, 0);
        for exception in exceptions {
            match exception {
                Exception::Away { first, last } => {
                    touched.0 |=
                        bits_below(day(*last).saturating_add(1)) & !bits_below(day(*first));
                }
                Exception::Extra { date, .. } => {
                    touched.1 |= bits_below(day(*date).saturating_add(1)) & !bits_below(day(*date));
                }
            }
        }
        touched
    }

    /// The bits of every such weekday.
    fn each(self, weekday: Weekday) -> u64 {
        /// A bit for the first day of every week.
        const WEEKLY: u64 = 1 | 1 << 7 | 1 << 14 | 1 << 21 | 1 << 28;
        let since_first = (weekday.bit() + 7 - Weekday::of(self.first).bit()) % 7;
        WEEKLY << since_first
    }
}

/// The days whose bits are set.
fn days_in(mut days: u64) -> impl Iterator<Item = u64> {
    std::iter::from_fn(move || {
        let day = days.trailing_zeros();
        days &= days.checked_sub(1)?;
        Some(u64::from(day))
    })
}

/// All bits below this one; none where it is negative.
fn bits_below(bit: i64) -> u64 {
    match u32::try_from(bit.max(0)).map(|bit| 1_u64.checked_shl(bit)) {
        Ok(Some(above)) => above - 1,
        _ => u64::MAX,
    }
}

/// Every day-part of the weekdays that occur in the window.
#[must_use]
pub fn day_parts_of(first: NaiveDate, last: NaiveDate) -> DayParts {
    let window = Window::new(first, last);
    let weekdays = Weekday::ALL.iter().copied();
    weekdays
        .filter(|weekday| window.days & window.each(*weekday) != 0)
        .fold(DayParts::default(), |set, weekday| {
            set.or(DayParts::on(weekday, 0b1111))
        })
}

/// One bit for each day-part that has time enough in a row; the night runs on into tomorrow's first hours.
const fn parts_with_time(today: u64, tomorrow: u64) -> u32 {
    let morning = enough(today >> 12 & 0xfff);
    let afternoon = enough(today >> 24 & 0xfff);
    let evening = enough(today >> 36 & 0xff);
    let night = enough(today >> 44 & 0xf | (tomorrow & 0xfff) << 4);
    morning | afternoon << 1 | evening << 2 | night << 3
}

const fn enough(hours: u64) -> u32 {
    let mut run = hours;
    let mut shift = 1;
    while shift < LONG_ENOUGH {
        run &= hours >> shift;
        shift += 1;
    }
    (run != 0) as u32
}

/// The bits from one time until another.
pub(super) fn half_hours(from: HalfHour, until: HalfHour) -> u64 {
    let until = (1_u64 << until.half_hours()) - 1;
    let from = (1_u64 << from.half_hours()) - 1;
    until & !from
}
