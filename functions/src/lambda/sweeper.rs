//! The sweeper: wakes on a schedule, takes every due row that is late, and sends it on.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use lambda_runtime::{LambdaEvent, service_fn};
use platform::clock::{Clock, SystemClock};
use platform::dispatch::Dispatch;
use platform::metrics::Metrics;
use serde_json::Value;
use store::Store;
use tracing::Instrument;

use super::{Error, invocation};
use crate::sweep::{measure_index, sweep};

/// So long before its time is up the sweeper takes no more rows. The next one does.
const SPARE: TimeDelta = TimeDelta::seconds(10);

pub(super) async fn run(
    store: Store,
    dispatch: Arc<dyn Dispatch>,
    metrics: Metrics,
) -> Result<(), Error> {
    let consumer = service_fn(|event: LambdaEvent<Value>| {
        let (store, dispatch, metrics) = (&store, &dispatch, &metrics);
        let run = invocation(&event.context).run();
        let sweeping = async move {
            let until = until(event.context.deadline);
            let swept = sweep(store, dispatch.as_ref(), metrics, &SystemClock, until).await?;
            tracing::info!(?swept, "swept");
            measure_index(store, metrics, SystemClock.now()).await?;
            Ok::<_, Error>(())
        };
        sweeping.instrument(run)
    });
    lambda_runtime::run(consumer).await
}

/// `deadline` as the runtime says it: milliseconds since 1970.
fn until(deadline: u64) -> DateTime<Utc> {
    let millis = i64::try_from(deadline).unwrap_or(i64::MAX);
    let deadline = DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::<Utc>::MAX_UTC);
    deadline - SPARE
}
