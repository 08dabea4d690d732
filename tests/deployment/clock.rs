//! The clock of a deployment on the emulator: the machine's, moved by as much as a file says.
//!
//! The emulator and every function it starts read the same file, through libfaketime.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_smithy_async::time::TimeSource;
use chrono::{DateTime, TimeDelta, Utc};
use platform::clock::{Clock, SystemClock};

#[derive(Debug, Clone)]
pub(crate) struct MovedClock {
    file: PathBuf,
    moved: Arc<Mutex<TimeDelta>>,
}

impl MovedClock {
    /// The clock that `file` moves: seconds, with a sign.
    pub(crate) fn open(file: PathBuf) -> Self {
        let text = std::fs::read_to_string(&file).unwrap();
        let seconds: f64 = text.trim().parse().expect("seconds, with a sign");
        let moved = TimeDelta::microseconds((seconds * 1e6).round() as i64);
        Self {
            file,
            moved: Arc::new(Mutex::new(moved)),
        }
    }

    /// Moves it forward, and waits until everybody has seen it: they look at the file once in each second.
    pub(crate) async fn advance(&self, by: TimeDelta) {
        assert!(by >= TimeDelta::zero(), "the clock only moves forward");
        if by.is_zero() {
            return;
        }
        {
            let mut moved = self.moved.lock().unwrap();
            *moved += by;
            let seconds = moved.num_milliseconds() as f64 / 1000.0;
            // Whole or not at all.
            let next = self.file.with_extension("next");
            std::fs::write(&next, format!("{seconds:+.3}\n")).unwrap();
            std::fs::rename(&next, &self.file).unwrap();
        }
        let into_the_second = u64::from(SystemClock.now().timestamp_subsec_millis());
        tokio::time::sleep(Duration::from_millis(1050 - into_the_second)).await;
    }
}

impl Clock for MovedClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + *self.moved.lock().unwrap()
    }
}

impl TimeSource for MovedClock {
    fn now(&self) -> SystemTime {
        Clock::now(self).into()
    }
}
