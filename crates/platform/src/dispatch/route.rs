//! Where a due row goes, under what name and when.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use ring::digest::{SHA256, digest};

use super::DueKey;
use crate::keys::hex_encode;

/// The longest delay of a message in SQS, 15 minutes.
const LONGEST_DELAY: TimeDelta = TimeDelta::minutes(15);
/// So many bytes of a hash tell every row from every other; with the kind before them a name stays
/// within the 64 characters that a schedule's name may have.
const NAME_BYTES: usize = 16;

/// Where a row goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Into its kind's queue.
    Queue {
        /// After how many seconds it may be seen: 0 to 900.
        delay: i32,
    },
    /// Into a schedule.
    Schedule {
        /// When it fires, in whole seconds.
        at: DateTime<Utc>,
    },
}

/// Where a row goes that is due at `due`. Never earlier than it is due: both the queue and the schedule know whole seconds only. What is past
/// goes to the queue at once, for a schedule in the past is refused.
#[must_use]
pub fn route(due: DateTime<Utc>, now: DateTime<Utc>) -> Route {
    let wait = (due - now).max(TimeDelta::zero());
    if wait > LONGEST_DELAY {
        return Route::Schedule {
            at: whole_second_from(due),
        };
    }
    let begun = i64::from(wait.subsec_nanos() > 0);
    // At most 900.
    let delay = i32::try_from(wait.num_seconds() + begun).unwrap_or(i32::MAX);
    Route::Queue { delay }
}

fn whole_second_from(at: DateTime<Utc>) -> DateTime<Utc> {
    let second = at.trunc_subsecs(0);
    if second < at {
        second + TimeDelta::seconds(1)
    } else {
        second
    }
}

/// The name of a row's schedule. The same row at the same time always has the same name; a row that was moved has another one. Its
/// deadline's generation is part of its key.
#[must_use]
pub fn schedule_name(row: &DueKey) -> String {
    let DueKey { pk, sk, kind, at } = row;
    let identity = format!("{pk}\n{sk}\n{}", at.timestamp_millis());
    let hash = digest(&SHA256, identity.as_bytes());
    let short: Vec<u8> = hash.as_ref().iter().take(NAME_BYTES).copied().collect();
    format!("{kind}-{}", hex_encode(&short))
}

/// In UTC, which is what a schedule is read in unless it says otherwise.
#[cfg(any(test, feature = "aws-dispatch"))]
pub(super) fn at_expression(at: DateTime<Utc>) -> String {
    at.format("at(%Y-%m-%dT%H:%M:%S)").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-03-02T10:00:00.250Z".parse().unwrap()
    }

    #[test]
    fn a_row_goes_to_the_queue_for_15_minutes_and_into_a_schedule_from_then_on() {
        for (millis, delay) in [
            (-86_400_000, 0),
            (-1, 0),
            (0, 0),
            (1, 1),
            (1_000, 1),
            (1_001, 2),
            (899_001, 900),
            (900_000, 900),
        ] {
            let routed = route(now() + TimeDelta::milliseconds(millis), now());
            assert_eq!(routed, Route::Queue { delay }, "{millis} ms");
        }
        for (millis, at) in [
            (900_001, "2026-03-02T10:15:01Z"),
            (900_750, "2026-03-02T10:15:01Z"),
            (900_751, "2026-03-02T10:15:02Z"),
            (86_400_000, "2026-03-03T10:00:01Z"),
        ] {
            let routed = route(now() + TimeDelta::milliseconds(millis), now());
            let at = at.parse().unwrap();
            assert_eq!(routed, Route::Schedule { at }, "{millis} ms");
        }
    }

    #[test]
    fn a_name_is_the_rows_own_and_one_that_a_schedule_may_have() {
        let row = DueKey {
            pk: "MREQ#mreq_1".into(),
            sk: "DUE#candidate-release#0".into(),
            kind: "candidate-release".into(),
            at: now(),
        };
        let name = schedule_name(&row);
        assert_eq!(name, schedule_name(&row.clone()));
        assert_eq!(name, "candidate-release-ace4b8af6d51a95b663f6dc2e51b0e23");
        assert!(name.len() <= 64);
        let others = [
            DueKey {
                pk: "MREQ#mreq_2".into(),
                ..row.clone()
            },
            DueKey {
                sk: "DUE#candidate-release#1".into(),
                ..row.clone()
            },
            DueKey {
                at: now() + TimeDelta::milliseconds(1),
                ..row
            },
        ];
        for other in others {
            assert_ne!(schedule_name(&other), name, "{other:?}");
        }
    }

    #[test]
    fn an_expression_is_in_utc_and_whole_seconds() {
        let at = "2026-03-02T23:15:01+13:00"
            .parse::<DateTime<Utc>>()
            .unwrap();
        assert_eq!(at_expression(at), "at(2026-03-02T10:15:01)");
    }
}
