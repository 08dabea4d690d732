//! The local host's clock: the machine's, moved forward at will.

use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use platform::clock::{Clock, SharedClock};
use platform::folder::write_whole;

/// Another clock plus an offset that is kept in a file, so that a restart does not turn time back.
///
/// INVARIANT: the offset only grows, and is on disk before anybody is told a time that rests on it.
#[derive(Debug)]
pub struct DevClock {
    base: SharedClock,
    file: PathBuf,
    offset: Mutex<TimeDelta>,
}

/// Why the clock was not started or moved.
#[derive(Debug, thiserror::Error)]
pub enum DevClockError {
    /// The file holds no offset.
    #[error(
        "{} does not hold a clock offset in milliseconds: delete it to go back to the present, or restore it",
        .0.display()
    )]
    NotAnOffset(PathBuf),
    /// The file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The clock only moves forward.
    #[error("the clock only moves forward")]
    Backward,
    /// Further than dates reach.
    #[error("the clock cannot be moved that far")]
    TooFar,
}

impl DevClock {
    /// Continues with the offset in `file`, or starts at none where there is no file.
    ///
    /// # Errors
    /// The file is there and cannot be used.
    pub fn open(base: SharedClock, file: impl Into<PathBuf>) -> Result<Self, DevClockError> {
        let file = file.into();
        let offset = match std::fs::read_to_string(&file) {
            Ok(text) => {
                parse_offset(&text).ok_or_else(|| DevClockError::NotAnOffset(file.clone()))?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => TimeDelta::zero(),
            Err(source) => return Err(DevClockError::Io { path: file, source }),
        };
        Ok(Self {
            base,
            file,
            offset: Mutex::new(offset),
        })
    }

    /// Moves forward by `by`, from now on and after a restart; gives the new time.
    ///
    /// # Errors
    /// The clock is where it was.
    pub fn advance(&self, by: TimeDelta) -> Result<DateTime<Utc>, DevClockError> {
        let mut offset = self.offset.lock().unwrap_or_else(PoisonError::into_inner);
        self.move_to(&mut offset, by)
    }

    /// Moves forward to `to`; gives the new time, which is later than `to` only by what passes meanwhile.
    ///
    /// # Errors
    /// The clock is where it was; [`DevClockError::Backward`] when `to` has passed.
    pub fn advance_to(&self, to: DateTime<Utc>) -> Result<DateTime<Utc>, DevClockError> {
        let mut offset = self.offset.lock().unwrap_or_else(PoisonError::into_inner);
        let now = shifted(self.base.now(), *offset)?;
        self.move_to(&mut offset, to - now)
    }

    fn move_to(
        &self,
        offset: &mut TimeDelta,
        by: TimeDelta,
    ) -> Result<DateTime<Utc>, DevClockError> {
        // Whole milliseconds, as everywhere; a fraction is rounded up so that `to` is reached.
        let millis = by.num_milliseconds();
        let fraction = by > TimeDelta::milliseconds(millis);
        let by = TimeDelta::milliseconds(millis.saturating_add(i64::from(fraction)));
        if by < TimeDelta::zero() {
            return Err(DevClockError::Backward);
        }
        let moved = offset.checked_add(&by).ok_or(DevClockError::TooFar)?;
        let now = shifted(self.base.now(), moved)?;
        let text = moved.num_milliseconds().to_string();
        write_whole(&self.file, text.as_bytes()).map_err(|source| DevClockError::Io {
            path: self.file.clone(),
            source,
        })?;
        *offset = moved;
        Ok(now)
    }
}

impl Clock for DevClock {
    fn now(&self) -> DateTime<Utc> {
        let offset = *self.offset.lock().unwrap_or_else(PoisonError::into_inner);
        self.base
            .now()
            .checked_add_signed(offset)
            .unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

fn parse_offset(text: &str) -> Option<TimeDelta> {
    let millis: i64 = text.trim().parse().ok()?;
    (millis >= 0)
        .then(|| TimeDelta::try_milliseconds(millis))
        .flatten()
}

/// The last year that RFC 3339 can write.
const LAST_YEAR: i32 = 9_999;

fn shifted(now: DateTime<Utc>, by: TimeDelta) -> Result<DateTime<Utc>, DevClockError> {
    use chrono::Datelike;
    now.checked_add_signed(by)
        .filter(|moved| moved.year() <= LAST_YEAR)
        .ok_or(DevClockError::TooFar)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use platform::clock::ManualClock;

    use super::*;

    fn start() -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_300_000, 0).unwrap()
    }

    fn base() -> Arc<ManualClock> {
        Arc::new(ManualClock::new(start()))
    }

    #[test]
    fn it_runs_with_its_base_and_keeps_its_offset_over_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("clock");
        let base = base();
        let clock = DevClock::open(base.clone(), &file).unwrap();
        assert_eq!(clock.now(), start());
        let day = TimeDelta::hours(24);
        assert_eq!(clock.advance(day).unwrap(), start() + day);
        base.advance(TimeDelta::seconds(5));
        assert_eq!(clock.now(), start() + day + TimeDelta::seconds(5));

        drop(clock);
        let clock = DevClock::open(base, &file).unwrap();
        assert_eq!(clock.now(), start() + day + TimeDelta::seconds(5));
        let week = start() + TimeDelta::weeks(1);
        assert_eq!(clock.advance_to(week).unwrap(), week);
        assert_eq!(clock.now(), week);
    }

    #[test]
    fn it_never_moves_backward_or_out_of_range() {
        let folder = tempfile::tempdir().unwrap();
        let clock = DevClock::open(base(), folder.path().join("clock")).unwrap();
        assert!(matches!(
            clock.advance(TimeDelta::milliseconds(-1)),
            Err(DevClockError::Backward)
        ));
        assert!(matches!(
            clock.advance_to(start() - TimeDelta::seconds(1)),
            Err(DevClockError::Backward)
        ));
        assert!(matches!(
            clock.advance(TimeDelta::MAX),
            Err(DevClockError::TooFar)
        ));
        assert_eq!(clock.now(), start());
    }

    #[test]
    fn a_file_that_is_no_offset_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("clock");
        for text in ["", "tomorrow", "-5", "1.5", "99999999999999999999"] {
            std::fs::write(&file, text).unwrap();
            let refused = DevClock::open(base(), &file).unwrap_err().to_string();
            assert!(refused.contains("delete it"), "{refused}");
        }
    }
}
