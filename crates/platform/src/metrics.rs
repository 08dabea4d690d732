//! What happens, counted: lines in CloudWatch's embedded metric format, from which CloudWatch makes metrics by itself.
//!
//! A function writes them to standard output, where its log is taken from; locally nothing is written. Numbers
//! alone: which act of whom it was is for the log and the audit.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;

use crate::clock::SharedClock;

/// The environment variable that names the stage; without it nothing is written.
pub const STAGE_VARIABLE: &str = "RAPPORT_STAGE";

/// Where the metrics of every stage are found. Each costs by itself, so there is one dimension.
const NAMESPACE: &str = "Rapport";
const DIMENSION: &str = "Stage";

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Lists of candidates that came to be seen.
    Released,
    /// Invitations that clients sent.
    Invited,
    /// Invitations that support workers accepted.
    Accepted,
    /// Invitations that nobody answered in time.
    Lapsed,
    /// Mails handed over, each counted once its row is gone.
    MailSent,
    /// Due rows that a sweep found late.
    Overdue,
    /// How late the latest of them was.
    OverdueAge,
    /// Due rows that were given up until staff redrive them.
    Parked,
    /// From a change of a support worker until a shard held it.
    IndexLag,
    /// How long ago the last nightly rebuild began that came to its end.
    IndexAge,
    /// How long it took to find candidates in the index, its opening included.
    MatchLatency,
}

impl Metric {
    /// Every one.
    pub const ALL: [Self; 11] = [
        Self::Released,
        Self::Invited,
        Self::Accepted,
        Self::Lapsed,
        Self::MailSent,
        Self::Overdue,
        Self::OverdueAge,
        Self::Parked,
        Self::IndexLag,
        Self::IndexAge,
        Self::MatchLatency,
    ];

    /// Its name and unit, as CloudWatch knows them.
    #[must_use]
    pub const fn name_and_unit(self) -> (&'static str, &'static str) {
        match self {
            Self::Released => ("Released", "Count"),
            Self::Invited => ("Invited", "Count"),
            Self::Accepted => ("Accepted", "Count"),
            Self::Lapsed => ("Lapsed", "Count"),
            Self::MailSent => ("MailSent", "Count"),
            Self::Overdue => ("Overdue", "Count"),
            Self::OverdueAge => ("OverdueAge", "Seconds"),
            Self::Parked => ("Parked", "Count"),
            Self::IndexLag => ("IndexLag", "Milliseconds"),
            Self::IndexAge => ("IndexAge", "Seconds"),
            Self::MatchLatency => ("MatchLatency", "Milliseconds"),
        }
    }
}

/// Where measurements go.
#[derive(Clone, Default)]
pub struct Metrics(Option<Arc<Written>>);

struct Written {
    stage: String,
    clock: SharedClock,
    to: Mutex<Box<dyn Write + Send>>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = self.0.as_ref().map(|written| &written.stage);
        f.debug_tuple("Metrics").field(&stage).finish()
    }
}

impl Metrics {
    /// Nothing is measured.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// To standard output, for the stage that the environment names; nothing where it names none.
    #[must_use]
    pub fn from_environment(
        environment: impl Fn(&str) -> Option<String>,
        clock: SharedClock,
    ) -> Self {
        match environment(STAGE_VARIABLE).filter(|stage| !stage.is_empty()) {
            Some(stage) => Self::to(stage, clock, io::stdout()),
            None => Self::none(),
        }
    }

    /// One line for each measurement of `stage` to `writer`.
    #[must_use]
    pub fn to(
        stage: impl Into<String>,
        clock: SharedClock,
        writer: impl Write + Send + 'static,
    ) -> Self {
        Self(Some(Arc::new(Written {
            stage: stage.into(),
            clock,
            to: Mutex::new(Box::new(writer)),
        })))
    }

    /// Counts one more.
    pub fn count(&self, metric: Metric) {
        self.record(metric, 1);
    }

    /// Records a value, in the metric's unit.
    pub fn record(&self, metric: Metric, value: u64) {
        let Some(written) = &self.0 else {
            return;
        };
        let line = written.line(metric, value);
        let mut to = written.to.lock().unwrap_or_else(PoisonError::into_inner);
        // A measurement that cannot be written must not end what it measures.
        drop(to.write_all(line.as_bytes()).and_then(|()| to.flush()));
    }
}

impl Written {
    fn line(&self, metric: Metric, value: u64) -> String {
        let (name, unit) = metric.name_and_unit();
        let line = json!({
            "_aws": {
                "Timestamp": self.clock.now().timestamp_millis(),
                "CloudWatchMetrics": [{
                    "Namespace": NAMESPACE,
                    "Dimensions": [[DIMENSION]],
                    "Metrics": [{"Name": name, "Unit": unit}],
                }],
            },
            DIMENSION: self.stage,
            name: value,
        });
        format!("{line}\n")
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::clock::ManualClock;
    use crate::telemetry::tests::Lines;

    #[test]
    fn a_line_says_what_cloudwatch_needs_and_no_more() {
        let clock = Arc::new(ManualClock::new(DateTime::UNIX_EPOCH));
        let lines = Lines::default();
        let metrics = Metrics::to("rapport-test", clock, lines.clone());
        metrics.record(Metric::MatchLatency, 7);
        metrics.count(Metric::Released);
        let lines = lines.text();
        let lines: Vec<serde_json::Value> = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let line = |name: &str, unit: &str, value: u64| {
            json!({
                "_aws": {"Timestamp": 0, "CloudWatchMetrics": [{
                    "Namespace": "Rapport", "Dimensions": [["Stage"]], "Metrics": [{"Name": name, "Unit": unit}],
                }]},
                "Stage": "rapport-test", name: value,
            })
        };
        assert_eq!(
            lines,
            [
                line("MatchLatency", "Milliseconds", 7),
                line("Released", "Count", 1)
            ]
        );
    }

    #[test]
    fn without_a_stage_nothing_is_measured() {
        let clock: SharedClock = Arc::new(ManualClock::new(DateTime::UNIX_EPOCH));
        for stage in [None, Some(String::new())] {
            let metrics = Metrics::from_environment(|_| stage.clone(), clock.clone());
            assert!(metrics.0.is_none());
        }
        let named = |name: &str| (name == STAGE_VARIABLE).then(|| "test".to_owned());
        assert!(Metrics::from_environment(named, clock).0.is_some());
    }

    #[test]
    fn names_are_told_apart() {
        let names: std::collections::BTreeSet<_> = Metric::ALL
            .iter()
            .map(|metric| metric.name_and_unit().0)
            .collect();
        assert_eq!(names.len(), Metric::ALL.len());
    }
}
