//! Getting a due row to its consumer in time.
//!
//! On AWS the table's stream brings new rows and the adapter sends them to a queue or a schedule;
//! locally it wakes the ticker. Either way it only saves waiting: a row nobody was told of is found
//! by the sweeper, so nothing here has to be certain.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::BoxFuture;

#[cfg(feature = "aws-dispatch")]
mod aws;
mod route;
#[cfg(feature = "aws-dispatch")]
mod settings;

#[cfg(feature = "aws-dispatch")]
pub use aws::QueuesAndSchedules;
pub use route::{Route, route, schedule_name};
#[cfg(feature = "aws-dispatch")]
pub use settings::{DispatchSettings, DispatchSettingsError};

/// Names one due row. All that a message carries: its consumer reads the row itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DueKey {
    /// The row's partition key.
    pub pk: String,
    /// The row's sort key.
    pub sk: String,
    /// Which consumer it is for.
    pub kind: String,
    /// When it is due.
    pub at: DateTime<Utc>,
}

/// Rows that could not be sent on, all others were; the sweeper will find them.
#[derive(Debug, thiserror::Error)]
#[error("{} due rows could not be dispatched", .0.len())]
pub struct DispatchError(pub Vec<Undispatched>);

/// A row that could not be sent on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undispatched {
    /// Which.
    pub row: DueKey,
    /// Whether it is worth trying again: not where the deployment is at fault.
    pub passing: bool,
    /// Why, in words that can be logged.
    pub reason: String,
}

#[cfg(feature = "aws-dispatch")]
impl Undispatched {
    fn new(row: &DueKey, why: &crate::aws::Failed) -> Self {
        Self {
            row: row.clone(),
            passing: why.passing,
            reason: why.code.clone(),
        }
    }
}

/// Sends due rows on.
pub trait Dispatch: Send + Sync {
    /// Called after the commit that wrote `rows`; the same rows may come again.
    ///
    /// # Errors
    /// [`DispatchError`].
    fn dispatch<'a>(&'a self, rows: &'a [DueKey]) -> BoxFuture<'a, Result<(), DispatchError>>;
}

/// Wakes the ticker of this process, which reads what is due from the table.
#[derive(Debug, Clone, Default)]
pub struct WakeTicker {
    wake: Arc<Notify>,
}

impl WakeTicker {
    /// Waits until rows have been dispatched since the last wait. For one ticker.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Wakes the ticker, as when the clock has been moved.
    pub fn wake(&self) {
        self.wake.notify_one();
    }
}

impl Dispatch for WakeTicker {
    fn dispatch<'a>(&'a self, rows: &'a [DueKey]) -> BoxFuture<'a, Result<(), DispatchError>> {
        if !rows.is_empty() {
            self.wake();
        }
        Box::pin(std::future::ready(Ok(())))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    fn row() -> DueKey {
        DueKey {
            pk: "MREQ#1".into(),
            sk: "DUE#release".into(),
            kind: "candidate-release".into(),
            at: DateTime::from_timestamp(1_795_300_000, 0).unwrap(),
        }
    }

    #[tokio::test]
    async fn a_dispatch_before_the_wait_is_not_lost_and_several_wake_once() {
        let ticker = WakeTicker::default();
        ticker.dispatch(&[row()]).await.unwrap();
        ticker.clone().dispatch(&[row(), row()]).await.unwrap();
        ticker.woken().await;
        let again = timeout(Duration::from_millis(20), ticker.woken()).await;
        assert!(again.is_err());
    }

    #[tokio::test]
    async fn no_rows_wake_nobody() {
        let ticker = WakeTicker::default();
        ticker.dispatch(&[]).await.unwrap();
        let woken = timeout(Duration::from_millis(20), ticker.woken()).await;
        assert!(woken.is_err());
    }
}
