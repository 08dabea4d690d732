//! When somebody is taken, with nothing said of what for.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::Busy;
use crate::id::EngagementId;

/// A stretch of time in which somebody is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
pub struct Stretch {
    /// First instant taken.
    pub from: DateTime<Utc>,
    /// First instant free again.
    pub until: DateTime<Utc>,
}

/// When somebody cannot be had between `from` and `until`, in order and joined where stretches touch, so that one
/// visit cannot be told from two, nor from leave.
///
/// While they are `away`, and with a journey of `buffer` before and after each visit that they travel to, but for those
/// of the engagement `within`, between whose visits no journey lies.
#[must_use]
pub fn taken<'a>(
    booked: impl IntoIterator<Item = &'a Busy>,
    away: impl IntoIterator<Item = Stretch>,
    within: Option<EngagementId>,
    buffer: TimeDelta,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
) -> Vec<Stretch> {
    let with_journeys = |busy: &Busy| {
        let travels = busy.travels && within != Some(busy.engagement);
        let journey = if travels { buffer } else { TimeDelta::zero() };
        Stretch {
            from: busy.from - journey,
            until: busy.until + journey,
        }
    };
    let within_range = |stretch: Stretch| Stretch {
        from: stretch.from.max(from),
        until: stretch.until.min(until),
    };
    let booked = booked.into_iter().map(with_journeys);
    let mut stretches: Vec<Stretch> = booked.chain(away).map(within_range).collect();
    stretches.retain(|stretch| stretch.from < stretch.until);
    stretches.sort_unstable();
    let mut joined: Vec<Stretch> = Vec::new();
    for next in stretches {
        match joined.last_mut() {
            Some(last) if next.from <= last.until => last.until = last.until.max(next.until),
            _ => joined.push(next),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::proposal::tests::id;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes)
    }

    fn busy(from: i64, until: i64, engagement: u128, travels: bool) -> Busy {
        Busy {
            from: at(from),
            until: at(until),
            visit: id(u128::from(from.unsigned_abs())),
            engagement: id(engagement),
            travels,
        }
    }

    fn minutes(stretches: &[Stretch]) -> Vec<(i64, i64)> {
        let minutes = |at: DateTime<Utc>| (at - DateTime::UNIX_EPOCH).num_minutes();
        let stretches = stretches.iter();
        stretches
            .map(|it| (minutes(it.from), minutes(it.until)))
            .collect()
    }

    #[test]
    fn journeys_count_but_within_the_engagement_that_asks() {
        let booked = [
            busy(600, 660, 1, true),
            busy(100, 160, 2, true),
            busy(690, 720, 1, true),
            busy(1000, 1060, 1, false),
        ];
        let buffer = TimeDelta::minutes(30);
        let seen = |within| {
            let range = (at(80), at(1030));
            minutes(&taken(&booked, [], within, buffer, range))
        };
        assert_eq!(seen(None), [(80, 190), (570, 750), (1000, 1030)]);
        assert_eq!(
            seen(Some(id(1))),
            [(80, 190), (600, 660), (690, 720), (1000, 1030)]
        );
    }

    proptest! {
        #[test]
        fn a_minute_is_taken_exactly_where_a_visit_a_journey_or_leave_takes_it(
            visits in proptest::collection::vec((0_i64..300, 1_i64..60, 0_u128..3, any::<bool>()), 0..12),
            buffer in 0_i64..40,
            away in proptest::collection::vec((0_i64..300, 1_i64..60), 0..3),
        ) {
            let booked: Vec<Busy> =
                visits.iter().map(|(from, long, engagement, travels)| busy(*from, from + long, *engagement, *travels)).collect();
            let range = (at(-50), at(400));
            let leave = away.iter().map(|(from, long)| Stretch { from: at(*from), until: at(from + long) });
            let found = taken(&booked, leave, Some(id(1)), TimeDelta::minutes(buffer), range);
            prop_assert!(found.windows(2).all(|two| two[0].until < two[1].from), "in order, and apart");
            for minute in -50..400 {
                let inside = found.iter().any(|it| it.from <= at(minute) && at(minute) < it.until);
                let expected = visits.iter().any(|(from, long, engagement, travels)| {
                    let journey = if *travels && *engagement != 1 { buffer } else { 0 };
                    from - journey <= minute && minute < from + long + journey
                });
                let on_leave = away.iter().any(|(from, long)| (*from..from + long).contains(&minute));
                prop_assert_eq!(inside, expected || on_leave, "minute {}", minute);
            }
        }
    }
}
