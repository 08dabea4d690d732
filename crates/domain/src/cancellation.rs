//! Cancelling a visit: how much notice costs nothing, and what less of it may cost.

use chrono::{DateTime, Datelike, Days, NaiveDate, SubsecRound, TimeDelta, Utc, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::invalid::Findings;
use crate::local_time::midnight;
use crate::money::Price;

const MOST_HOURS: u32 = 28 * 24;
const MOST_BUSINESS_DAYS: u32 = 20;
/// All of the price, in basis points.
const WHOLE: u16 = 10_000;

/// How much notice of a cancellation costs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Notice {
    /// So many hours, as they really pass, before the visit begins; exactly so many are enough.
    Hours(u32),
    /// So many whole business days at the visit's place between the day of the notice and the day of the visit,
    /// neither of the two counted. Saturdays, Sundays and the scheme's public holidays are no business days.
    ClearBusinessDays(u32),
}

/// What a funding scheme, or the organisation where there is none, says of cancellations by the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancellationRules {
    /// The notice that costs nothing.
    #[schema(example = json!({"hours": 24}))]
    pub notice: Notice,
    /// What may be charged where there is less, in basis points of the booked price.
    #[schema(minimum = 0, maximum = 10_000, example = 10_000)]
    pub charge_basis_points: u16,
}

/// The terms on which one visit can be cancelled: seen with the proposal, and agreed on by accepting it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CancellationTerms {
    /// The rules that they come from.
    pub rules: CancellationRules,
    /// The last second in which the client can cancel without a charge.
    pub free_until: DateTime<Utc>,
}

impl CancellationRules {
    /// Adds whatever is wrong under `pointer`.
    pub fn find_faults(&self, pointer: &str, findings: &mut Findings) {
        let (given, most, name) = match self.notice {
            Notice::Hours(hours) => (hours, MOST_HOURS, "hours"),
            Notice::ClearBusinessDays(days) => (days, MOST_BUSINESS_DAYS, "clear_business_days"),
        };
        findings.check(
            given <= most,
            format!("{pointer}/notice/{name}"),
            format!("is at most {most}"),
        );
        findings.check(
            self.charge_basis_points <= WHOLE,
            format!("{pointer}/charge_basis_points"),
            format!("is at most {WHOLE}"),
        );
    }

    /// What they mean for a visit that begins at `from`, at a place in `zone` with these public holidays.
    #[must_use]
    pub fn terms(self, from: DateTime<Utc>, zone: Tz, holidays: &[NaiveDate]) -> CancellationTerms {
        let free_until = match self.notice {
            Notice::Hours(hours) => from - TimeDelta::hours(i64::from(hours)),
            Notice::ClearBusinessDays(days) => {
                let on = from.with_timezone(&zone).date_naive();
                // The last second before that day begins.
                midnight(first_clear_day(on, days, holidays), zone) - TimeDelta::seconds(1)
            }
        };
        CancellationTerms {
            rules: self,
            free_until,
        }
    }
}

impl CancellationTerms {
    /// Whether a cancellation by the client at `now` may be charged.
    #[must_use]
    pub fn charges(&self, now: DateTime<Utc>) -> bool {
        self.free_until < now.trunc_subsecs(0) && self.rules.charge_basis_points > 0
    }

    /// What a cancellation by the client at `now` costs, of a visit of this price.
    #[must_use]
    pub fn charge(&self, price: Price, now: DateTime<Utc>) -> Price {
        let share = match self.charges(now) {
            true => self.rules.charge_basis_points,
            false => 0,
        };
        price.share(share)
    }
}

/// The first of `days` business days that lie clear between a notice and the visit `on` this day; the day itself
/// where none need to.
fn first_clear_day(on: NaiveDate, days: u32, holidays: &[NaiveDate]) -> NaiveDate {
    let is_business = |day: &NaiveDate| {
        !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) && !holidays.contains(day)
    };
    let earlier = std::iter::successors(on.pred_opt(), NaiveDate::pred_opt);
    let counted = usize::try_from(days).unwrap_or(usize::MAX);
    match counted.checked_sub(1) {
        None => on,
        Some(before) => earlier.filter(is_business).nth(before).unwrap_or(on),
    }
}

/// The dates of `holidays` that a visit between these instants can touch, wherever it takes place.
#[must_use]
pub fn holidays_around(
    holidays: &[NaiveDate],
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Vec<NaiveDate> {
    let first = from.date_naive() - Days::new(2);
    let last = until.date_naive() + Days::new(2);
    let near = holidays.iter().copied();
    near.filter(|day| (first..=last).contains(day)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Cents;

    const BRISBANE: Tz = chrono_tz::Australia::Brisbane;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn rules(notice: Notice) -> CancellationRules {
        CancellationRules {
            notice,
            charge_basis_points: 5_000,
        }
    }

    #[test]
    fn notice_in_hours_is_enough_at_exactly_so_many() {
        let from = at("2026-12-01T00:00:00Z");
        let terms = rules(Notice::Hours(24)).terms(from, BRISBANE, &[]);
        assert_eq!(terms.free_until, at("2026-11-30T00:00:00Z"));
        assert!(!terms.charges(at("2026-11-30T00:00:00Z")));
        assert!(!terms.charges(at("2026-11-30T00:00:00.999Z")));
        assert!(terms.charges(at("2026-11-30T00:00:01Z")));
        let price = Price::of(Cents(10_001), 250);
        assert_eq!(terms.charge(price, from).worker_gets, Cents(5_001));
        assert_eq!(terms.charge(price, terms.free_until).client_pays, Cents(0));
    }

    #[test]
    fn clear_business_days_leave_out_both_ends_weekends_and_holidays() {
        // Tuesday, 29 December 2026; Christmas is a Friday, its substitute a Monday.
        let from = at("2026-12-29T00:00:00Z");
        let holidays = ["2026-12-25", "2026-12-28"].map(|day| day.parse().unwrap());
        for (days, free_until) in [
            // The day before, a public holiday, will do: nothing needs to lie between.
            (0, "2026-12-28T13:59:59Z"),
            // Thursday lies clear, so that Wednesday is the last day.
            (1, "2026-12-23T13:59:59Z"),
            (2, "2026-12-22T13:59:59Z"),
            (7, "2026-12-15T13:59:59Z"),
        ] {
            let terms = rules(Notice::ClearBusinessDays(days)).terms(from, BRISBANE, &holidays);
            assert_eq!(terms.free_until, at(free_until), "{days}");
        }
    }

    #[test]
    fn faults_name_their_fields() {
        let mut findings = Findings::default();
        CancellationRules {
            notice: Notice::ClearBusinessDays(21),
            charge_basis_points: 10_001,
        }
        .find_faults("/cancellation", &mut findings);
        let faults = findings.into_result().unwrap_err();
        let pointers: Vec<&str> = faults.iter().map(|fault| &*fault.pointer).collect();
        assert_eq!(
            pointers,
            [
                "/cancellation/notice/clear_business_days",
                "/cancellation/charge_basis_points"
            ]
        );
    }
}
