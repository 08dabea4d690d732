//! Money, in whole cents of the deployment's one currency.

use std::iter::Sum;

use serde::{Deserialize, Serialize};

/// An amount in whole cents; never a float.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(transparent)]
pub struct Cents(pub u32);

impl Cents {
    /// Whole currency units, the cents cut off: for bands and summaries.
    #[must_use]
    pub const fn units(self) -> u32 {
        self.0 / 100
    }
}

impl std::fmt::Display for Cents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

/// All of it, in basis points.
const WHOLE: u64 = 10_000;

/// What something costs: who pays and who gets how much.
///
/// INVARIANT: `client_pays` is `worker_gets` and `service_keeps` together, to the cent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Price {
    /// What the client pays.
    #[schema(example = 6150)]
    pub client_pays: Cents,
    /// What the support worker gets of it.
    #[schema(example = 6000)]
    pub worker_gets: Cents,
    /// What the service keeps of it.
    #[schema(example = 150)]
    pub service_keeps: Cents,
}

impl Price {
    /// What nothing is charged for.
    pub const NOTHING: Self = Self {
        client_pays: Cents(0),
        worker_gets: Cents(0),
        service_keeps: Cents(0),
    };

    /// The price of what the support worker gets `worker_gets` for. The service's part lies on top of it:
    /// `basis_points` of it, rounded half up to whole cents.
    ///
    /// ```
    /// # use rapport_domain::money::{Cents, Price};
    /// assert_eq!(Price::of(Cents(6000), 250).client_pays, Cents(6150));
    /// ```
    #[must_use]
    pub fn of(worker_gets: Cents, basis_points: u16) -> Self {
        let part = u64::from(worker_gets.0) * u64::from(basis_points);
        let service_keeps = cents((part + WHOLE / 2) / WHOLE);
        Self {
            client_pays: Cents(worker_gets.0.saturating_add(service_keeps.0)),
            worker_gets,
            service_keeps,
        }
    }

    /// `basis_points` of it, 10 000 for all. Each part is rounded half up, and they add up.
    #[must_use]
    pub fn share(&self, basis_points: u16) -> Self {
        let of = |part: Cents| {
            let all = u64::from(part.0) * u64::from(basis_points);
            cents((all + WHOLE / 2) / WHOLE)
        };
        let (worker_gets, service_keeps) = (of(self.worker_gets), of(self.service_keeps));
        Self {
            client_pays: Cents(worker_gets.0.saturating_add(service_keeps.0)),
            worker_gets,
            service_keeps,
        }
    }

    /// The most that the support worker can get where the client pays at most `most`.
    #[must_use]
    pub fn highest_within(most: Cents, basis_points: u16) -> Cents {
        // The largest `gets` with `gets + (gets * points + 5000) / 10000 <= most`, in whole numbers.
        let room = u64::from(most.0) * WHOLE + (WHOLE / 2 - 1);
        cents(room / (WHOLE + u64::from(basis_points)))
    }
}

impl Sum for Price {
    fn sum<I: Iterator<Item = Self>>(prices: I) -> Self {
        let add = |one: Cents, other: Cents| Cents(one.0.saturating_add(other.0));
        prices.fold(Self::NOTHING, |sum, price| Self {
            client_pays: add(sum.client_pays, price.client_pays),
            worker_gets: add(sum.worker_gets, price.worker_gets),
            service_keeps: add(sum.service_keeps, price.service_keeps),
        })
    }
}

/// What `minutes` cost at `hourly`, rounded half up to whole cents.
#[must_use]
pub fn for_minutes(hourly: Cents, minutes: u32) -> Cents {
    let sixtieths = u64::from(hourly.0) * u64::from(minutes);
    cents((sixtieths + 30) / 60)
}

fn cents(amount: u64) -> Cents {
    Cents(u32::try_from(amount).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_services_part_is_rounded_half_up() {
        for (gets, points, keeps) in [
            (6000, 0, 0),
            (6000, 250, 150),
            // 20 cents at 2.5 % are exactly half a cent; one cent less is below it.
            (20, 250, 1),
            (19, 250, 0),
            (60, 250, 2),
            (5999, 333, 200),
            (100_000, 10_000, 100_000),
        ] {
            assert_eq!(Price::of(Cents(gets), points).service_keeps, Cents(keeps));
        }
    }

    #[test]
    fn minutes_are_rounded_half_up() {
        for (hourly, minutes, cost) in [
            (6000, 60, 6000),
            (6001, 30, 3001),
            (5999, 1, 100),
            (29, 1, 0),
            (30, 1, 1),
        ] {
            assert_eq!(for_minutes(Cents(hourly), minutes), Cents(cost));
        }
    }

    proptest! {
        #[test]
        fn a_price_adds_up_to_the_cent_and_never_falls_as_its_parts_rise(
            gets in 0_u32..=100_000, more in 0_u32..=1_000, points in 0_u16..=10_000, above in 0_u16..=500,
        ) {
            let price = Price::of(Cents(gets), points);
            prop_assert_eq!(price.client_pays.0, price.worker_gets.0 + price.service_keeps.0);
            prop_assert_eq!(price.worker_gets, Cents(gets));
            let dearer = Price::of(Cents(gets + more), points);
            prop_assert!(dearer.client_pays >= price.client_pays && dearer.service_keeps >= price.service_keeps);
            let greedier = Price::of(Cents(gets), (points + above).min(10_000));
            prop_assert!(greedier.service_keeps >= price.service_keeps);
        }

        #[test]
        fn the_highest_rate_under_a_cap_is_within_it_and_a_cent_more_is_not(
            most in 0_u32..=200_000, points in 0_u16..=10_000,
        ) {
            let highest = Price::highest_within(Cents(most), points);
            prop_assert!(Price::of(highest, points).client_pays <= Cents(most));
            prop_assert!(Price::of(Cents(highest.0 + 1), points).client_pays > Cents(most));
        }
    }
}
