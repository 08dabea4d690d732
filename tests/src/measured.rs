//! What a service says of itself in numbers, kept for a test to look at.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use platform::clock::SharedClock;
use platform::metrics::{Metric, Metrics};
use serde_json::Value;

/// The lines that were written.
#[derive(Debug, Clone, Default)]
pub struct Measured(Arc<Mutex<Vec<u8>>>);

impl Measured {
    /// Metrics that are kept here.
    #[must_use]
    pub fn to_metrics(&self, clock: SharedClock) -> Metrics {
        Metrics::to("tested", clock, self.clone())
    }

    /// Every value of `metric` so far, oldest first.
    #[must_use]
    pub fn values(&self, metric: Metric) -> Vec<u64> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let (name, _) = metric.name_and_unit();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines
            .filter_map(|line: Value| line[name].as_u64())
            .collect()
    }
}

impl Write for Measured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
