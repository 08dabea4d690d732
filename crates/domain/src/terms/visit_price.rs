//! What a visit costs under the terms in force.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeDelta, Timelike, Utc, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{AgreedTerms, BandRate, TimeBand};
use crate::cancellation::holidays_around;
use crate::money::{Cents, Price, for_minutes};
use crate::vocabulary::{Service, Vocabulary};

/// What a visit costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct VisitPrice {
    /// The time bands it touches, in the order in which it does. What the support worker gets is rounded
    /// once in each.
    pub parts: Vec<BandPart>,
    /// All of it. The service's part is rounded once, over the whole visit.
    pub total: Price,
}

/// As much of a visit as lies in one time band.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BandPart {
    /// Which.
    pub band: TimeBand,
    /// How long, in minutes that really pass.
    #[schema(example = 90)]
    pub minutes: u32,
    /// What the support worker gets for an hour of it.
    #[schema(example = 6000)]
    pub hourly: Cents,
    /// What they get for it.
    #[schema(example = 9000)]
    pub worker_gets: Cents,
}

/// Why a visit has no price: the terms do not cover it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotCovered {
    /// The service is not part of the terms.
    #[error("the agreed terms do not include: {}", .0.label())]
    Service(Service),
    /// The service has no rate at a time that the visit touches.
    #[error("the agreed terms have no rate for {} on: {}", .0.label(), .1.label())]
    Band(Service, TimeBand),
}

impl TimeBand {
    /// The band of a local time at the visit's place. A public holiday goes before the day of the week.
    #[must_use]
    pub fn of(local: NaiveDateTime, holidays: &[NaiveDate]) -> Self {
        if holidays.contains(&local.date()) {
            return Self::PublicHoliday;
        }
        match (local.weekday(), local.hour()) {
            (Weekday::Sat, _) => Self::Saturday,
            (Weekday::Sun, _) => Self::Sunday,
            (_, 0..6) => Self::WeekdayNight,
            (_, 6..20) => Self::WeekdayDaytime,
            _ => Self::WeekdayEvening,
        }
    }
}

/// What a service costs under the terms of one moment, kept with whatever was booked under them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookedRates {
    /// The service.
    pub service: Service,
    /// What the support worker gets for an hour in each band.
    pub rates: Vec<BandRate>,
    /// The service's part, in basis points of what the support worker gets.
    pub service_basis_points: u16,
    /// The public holidays that count.
    pub holidays: Vec<NaiveDate>,
}

impl BookedRates {
    /// What `minutes` cost that begin at `from`, at a place in `zone`. Each minute that really passes counts in
    /// the band of the local time at which it begins, so that a night in which clocks change costs what it lasts.
    ///
    /// # Errors
    /// Where there is no rate for a band that they touch.
    pub fn price(
        &self,
        from: DateTime<Utc>,
        zone: Tz,
        minutes: u32,
    ) -> Result<VisitPrice, NotCovered> {
        let touched = bands(from, zone, minutes, &self.holidays);
        let unknown = touched
            .iter()
            .find(|(band, _)| self.hourly(*band).is_none());
        match unknown {
            Some((band, _)) => Err(NotCovered::Band(self.service, *band)),
            None => Ok(self.price_of(&touched)),
        }
    }

    /// What `minutes` cost that were really worked from `from` on, and how many of them have no rate: a visit can
    /// begin or end in a band that nobody meant it to touch. Those cost nothing, since no price of theirs was agreed.
    #[must_use]
    pub fn price_worked(&self, from: DateTime<Utc>, zone: Tz, minutes: u32) -> (VisitPrice, u32) {
        let touched = bands(from, zone, minutes, &self.holidays);
        let (priced, unpriced): (Vec<_>, Vec<_>) = touched
            .into_iter()
            .partition(|(band, _)| self.hourly(*band).is_some());
        let unpriced = unpriced.iter().map(|(_, minutes)| minutes).sum();
        (self.price_of(&priced), unpriced)
    }

    fn hourly(&self, band: TimeBand) -> Option<Cents> {
        let rate = self.rates.iter().find(|rate| rate.band == band);
        rate.map(|rate| rate.hourly)
    }

    /// What so many minutes in each band cost; bands without a rate are left out.
    fn price_of(&self, touched: &[(TimeBand, u32)]) -> VisitPrice {
        let part = |&(band, minutes): &(TimeBand, u32)| {
            let hourly = self.hourly(band)?;
            Some(BandPart {
                band,
                minutes,
                hourly,
                worker_gets: for_minutes(hourly, minutes),
            })
        };
        let parts: Vec<BandPart> = touched.iter().filter_map(part).collect();
        let worker_gets = parts
            .iter()
            .fold(0_u32, |sum, part| sum.saturating_add(part.worker_gets.0));
        VisitPrice {
            parts,
            total: Price::of(Cents(worker_gets), self.service_basis_points),
        }
    }

    /// The same, with no more public holidays than a visit between these instants can touch.
    #[must_use]
    pub fn around(mut self, from: DateTime<Utc>, until: DateTime<Utc>) -> Self {
        self.holidays = holidays_around(&self.holidays, from, until);
        self
    }
}

impl AgreedTerms {
    /// What a service costs under these terms; `holidays` are the public holidays that count.
    ///
    /// # Errors
    /// Where the terms do not cover the service.
    pub fn rates(
        &self,
        service: Service,
        holidays: &[NaiveDate],
    ) -> Result<BookedRates, NotCovered> {
        let mut services = self.terms.services.iter();
        let offered = services.find(|offered| offered.service == service);
        Ok(BookedRates {
            service,
            rates: offered.ok_or(NotCovered::Service(service))?.rates.clone(),
            service_basis_points: self.service_basis_points,
            holidays: holidays.to_vec(),
        })
    }
}

/// The minutes in each band, in the order in which the bands are first touched.
fn bands(
    from: DateTime<Utc>,
    zone: Tz,
    minutes: u32,
    holidays: &[NaiveDate],
) -> Vec<(TimeBand, u32)> {
    let mut touched: Vec<(TimeBand, u32)> = Vec::new();
    for minute in 0..minutes {
        let at = from + TimeDelta::minutes(i64::from(minute));
        let band = TimeBand::of(at.with_timezone(&zone).naive_local(), holidays);
        match touched.iter_mut().find(|(known, _)| *known == band) {
            Some((_, counted)) => *counted = counted.saturating_add(1),
            None => touched.push((band, 1)),
        }
    }
    touched
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::id::OfferId;
    use crate::invalid::Findings;
    use crate::local_time::resolve;
    use crate::terms::{BandRate, ServiceRates, Terms};

    const SOCIAL: Service = Service::SocialSupport;
    const NIGHTS: Service = Service::OvernightSupport;

    fn agreed() -> AgreedTerms {
        let rates = |rates: &[(TimeBand, u32)]| {
            let rates = rates.iter();
            rates
                .map(|(band, hourly)| BandRate {
                    band: *band,
                    hourly: Cents(*hourly),
                })
                .collect()
        };
        let hourly = [6000, 6601, 7000, 8003, 9000, 12_000];
        let everything: Vec<_> = TimeBand::ALL.iter().copied().zip(hourly).collect();
        AgreedTerms {
            offer: OfferId::from_uuid(Uuid::nil()),
            version: 1,
            terms: Terms {
                services: vec![
                    ServiceRates {
                        service: SOCIAL,
                        rates: rates(&[(TimeBand::WeekdayDaytime, 6000)]),
                    },
                    ServiceRates {
                        service: NIGHTS,
                        rates: rates(&everything),
                    },
                ],
                minutes_per_week: 240,
                scope: "Company.".into(),
                limits: vec![],
            },
            understandings: vec![],
            service_basis_points: 250,
            agreed_at: DateTime::UNIX_EPOCH,
        }
    }

    fn parts(price: &VisitPrice) -> Vec<(TimeBand, u32, u32)> {
        let parts = price.parts.iter();
        parts
            .map(|part| (part.band, part.minutes, part.worker_gets.0))
            .collect()
    }

    fn price(starts: &str, zone: &str, minutes: u32, holidays: &[&str]) -> VisitPrice {
        let holidays: Vec<NaiveDate> = holidays.iter().map(|day| day.parse().unwrap()).collect();
        let mut findings = Findings::default();
        let from = resolve(starts.parse().unwrap(), zone, "", &mut findings).unwrap();
        let rates = agreed().rates(NIGHTS, &holidays).unwrap();
        rates.price(from, zone.parse().unwrap(), minutes).unwrap()
    }

    #[test]
    fn every_hour_of_a_week_lies_in_its_band() {
        use TimeBand::{
            PublicHoliday, Saturday, Sunday, WeekdayDaytime, WeekdayEvening, WeekdayNight,
        };
        let holidays = ["2026-12-25".parse().unwrap()];
        for (local, band) in [
            ("2026-12-21T00:00:00", WeekdayNight),
            ("2026-12-21T05:59:00", WeekdayNight),
            ("2026-12-21T06:00:00", WeekdayDaytime),
            ("2026-12-21T19:59:59", WeekdayDaytime),
            ("2026-12-21T20:00:00", WeekdayEvening),
            ("2026-12-21T23:59:00", WeekdayEvening),
            ("2026-12-25T03:00:00", PublicHoliday),
            ("2026-12-26T03:00:00", Saturday),
            ("2026-12-27T23:00:00", Sunday),
        ] {
            assert_eq!(
                TimeBand::of(local.parse().unwrap(), &holidays),
                band,
                "{local}"
            );
        }
    }

    #[test]
    fn a_visit_over_a_boundary_is_rounded_once_in_each_band_and_the_fee_over_all() {
        // Monday, from half an hour before the evening to twenty minutes into it.
        let price = price("2026-12-21T19:30:00", "Australia/Brisbane", 50, &[]);
        // 20 minutes at 66.01 an hour are 22.0033….
        assert_eq!(
            parts(&price),
            [
                (TimeBand::WeekdayDaytime, 30, 3000),
                (TimeBand::WeekdayEvening, 20, 2200)
            ]
        );
        assert_eq!(price.total, Price::of(Cents(5200), 250));
    }

    #[test]
    fn midnight_changes_the_day_and_so_the_band() {
        let price = price(
            "2026-12-25T22:00:00",
            "Australia/Melbourne",
            240,
            &["2026-12-25"],
        );
        assert_eq!(
            parts(&price),
            [
                (TimeBand::PublicHoliday, 120, 24_000),
                (TimeBand::Saturday, 120, 16_006)
            ]
        );
        let week = self::price("2026-12-21T23:00:00", "Australia/Melbourne", 480, &[]);
        assert_eq!(
            parts(&week),
            [
                (TimeBand::WeekdayEvening, 60, 6601),
                (TimeBand::WeekdayNight, 360, 42_000),
                (TimeBand::WeekdayDaytime, 60, 6000),
            ]
        );
    }

    #[test]
    fn a_night_in_which_clocks_change_costs_what_it_lasts() {
        // Clocks go back on Sunday, 5 April 2026, at three: from Saturday evening to eight by the clock are
        // eleven hours, nine of them on Sunday.
        let longer = price("2026-04-04T22:00:00", "Australia/Melbourne", 660, &[]);
        assert_eq!(
            parts(&longer),
            [
                (TimeBand::Saturday, 120, 16_006),
                (TimeBand::Sunday, 540, 81_000)
            ]
        );
        // Clocks go forward on Sunday, 29 March 2026, at two: from Sunday, 23:00 back to Saturday, 23:00, is a
        // day of 23 hours.
        let shorter = price("2026-03-28T23:00:00", "Europe/Vienna", 23 * 60 + 60, &[]);
        assert_eq!(
            parts(&shorter),
            [
                (TimeBand::Saturday, 60, 8003),
                (TimeBand::Sunday, 23 * 60, 207_000),
            ]
        );
    }

    #[test]
    fn what_the_terms_do_not_cover_is_named() {
        let (monday, zone) = ("2026-12-21T19:30:00Z".parse().unwrap(), chrono_tz::UTC);
        let agreed = agreed();
        let refused = |service, minutes| {
            let rates = agreed.rates(service, &[])?;
            rates.price(monday, zone, minutes).map(drop)
        };
        assert_eq!(refused(SOCIAL, 30), Ok(()));
        assert_eq!(
            refused(SOCIAL, 31),
            Err(NotCovered::Band(SOCIAL, TimeBand::WeekdayEvening))
        );
        assert_eq!(
            refused(Service::Gardening, 30),
            Err(NotCovered::Service(Service::Gardening))
        );
        // What was worked all the same costs nothing in a band without a rate.
        let rates = agreed.rates(SOCIAL, &[]).unwrap();
        let (worked, unpriced) = rates.price_worked(monday, zone, 50);
        assert_eq!(parts(&worked), [(TimeBand::WeekdayDaytime, 30, 3000)]);
        assert_eq!((worked.total, unpriced), (Price::of(Cents(3000), 250), 20));
    }
}
