//! The sweeper: wakes on a schedule, takes every due row that is late, and sends it on.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use lambda_runtime::{LambdaEvent, service_fn};
use platform::clock::SystemClock;
use platform::dispatch::Dispatch;
use serde_json::Value;
use store::Store;

use super::Error;
use crate::sweep::sweep;

/// So long before its time is up the sweeper takes no more rows. The next one does.
const SPARE: TimeDelta = TimeDelta::seconds(10);

pub(super) async fn run(store: Store, dispatch: Arc<dyn Dispatch>) -> Result<(), Error> {
    let consumer = service_fn(|event: LambdaEvent<Value>| {
        let (store, dispatch) = (&store, &dispatch);
        async move {
            let until = until(event.context.deadline);
            let swept = sweep(store, dispatch.as_ref(), &SystemClock, until).await?;
            tracing::info!(?swept, "swept");
            Ok::<_, Error>(())
        }
    });
    lambda_runtime::run(consumer).await
}

/// `deadline` as the runtime says it: milliseconds since 1970.
fn until(deadline: u64) -> DateTime<Utc> {
    let millis = i64::try_from(deadline).unwrap_or(i64::MAX);
    let deadline = DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::<Utc>::MAX_UTC);
    deadline - SPARE
}
