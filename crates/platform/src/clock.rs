//! Time, read in one place, so that a simulation or a tour can decide what time it is.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// Tells the time.
///
/// INVARIANT: `now` is whole milliseconds, so that a time written to the table reads back equal.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present instant.
    fn now(&self) -> DateTime<Utc>;
}

/// The clock as it is handed around.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the system clock"
    )]
    fn now(&self) -> DateTime<Utc> {
        DateTime::<Utc>::from(SystemTime::now()).trunc_subsecs(3)
    }
}

/// A clock that stands still until it is moved: for simulations and tests.
#[derive(Debug)]
pub struct ManualClock {
    now: Mutex<DateTime<Utc>>,
}

impl ManualClock {
    /// A clock that shows `start`, cut to milliseconds.
    #[must_use]
    pub fn new(start: DateTime<Utc>) -> Self {
        Self {
            now: Mutex::new(start.trunc_subsecs(3)),
        }
    }

    /// Shows `now` from here on; earlier than before is allowed, as clocks do jump.
    pub fn set(&self, now: DateTime<Utc>) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = now.trunc_subsecs(3);
    }

    /// Moves by `by`, at most to the last instant that can be represented.
    pub fn advance(&self, by: TimeDelta) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now = now
            .checked_add_signed(by)
            .unwrap_or(DateTime::<Utc>::MAX_UTC)
            .trunc_subsecs(3);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_gives_whole_milliseconds() {
        let now = SystemClock.now();
        assert_eq!(now, now.trunc_subsecs(3));
        assert!(now > DateTime::<Utc>::from_timestamp_millis(1_600_000_000_000).unwrap());
    }

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let start = DateTime::<Utc>::from_timestamp(1_800_000_000, 123_456_789).unwrap();
        let clock = ManualClock::new(start);
        assert_eq!(clock.now().timestamp_subsec_nanos(), 123_000_000);
        assert_eq!(clock.now(), clock.now());
        clock.advance(TimeDelta::hours(24));
        assert_eq!(clock.now(), start.trunc_subsecs(3) + TimeDelta::hours(24));
        clock.set(start - TimeDelta::hours(1));
        assert!(clock.now() < start);
    }
}
