//! Due rows on AWS: soon to the queue of their kind, later by a schedule whose target is that queue.
//!
//! A schedule's name is made from its row, so that a row that comes again finds it there. A row in a
//! queue twice is harmless: its consumer reads the row.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_scheduler::Client as Scheduler;
use aws_sdk_scheduler::operation::create_schedule::CreateScheduleError;
use aws_sdk_scheduler::operation::create_schedule::builders::CreateScheduleFluentBuilder;
use aws_sdk_scheduler::types::{
    ActionAfterCompletion, FlexibleTimeWindow, FlexibleTimeWindowMode, Target,
};
use aws_sdk_sqs::Client as Sqs;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use chrono::{DateTime, Utc};
use tokio::task::JoinSet;

use super::route::{Route, at_expression, route, schedule_name};
use super::settings::DispatchSettings;
use super::{Dispatch, DispatchError, DueKey, Undispatched};
use crate::BoxFuture;
use crate::aws::Failed;
use crate::clock::SharedClock;

/// SQS's limit of one batch.
const BATCH: usize = 10;
/// How many schedules are made at the same time: far below what the service lets one account make.
const AT_ONCE: usize = 8;

/// The queues, and the schedules that feed them.
#[derive(Debug, Clone)]
pub struct QueuesAndSchedules {
    sqs: Sqs,
    scheduler: Scheduler,
    settings: DispatchSettings,
    clock: SharedClock,
}

impl QueuesAndSchedules {
    /// The queues and the schedule group that `settings` name.
    #[must_use]
    pub fn new(config: &SdkConfig, settings: DispatchSettings, clock: SharedClock) -> Self {
        Self {
            sqs: Sqs::new(config),
            scheduler: Scheduler::new(config),
            settings,
            clock,
        }
    }

    /// Sends rows of one kind to its queue, each to be seen after so many seconds.
    async fn send(&self, kind: &str, rows: &[(&DueKey, i32)]) -> Vec<Undispatched> {
        let Some(url) = self.settings.queue_url(kind) else {
            return undispatched(rows, &without_queue(kind));
        };
        let mut failed = Vec::new();
        for batch in rows.chunks(BATCH) {
            failed.extend(self.send_batch(url, batch).await);
        }
        failed
    }

    async fn send_batch(&self, url: &str, batch: &[(&DueKey, i32)]) -> Vec<Undispatched> {
        let mut entries = Vec::with_capacity(batch.len());
        for (index, (row, delay)) in batch.iter().enumerate() {
            match entry(index, row, *delay) {
                Ok(entry) => entries.push(entry),
                Err(why) => return undispatched(batch, &why),
            }
        }
        let call = self.sqs.send_message_batch().queue_url(url);
        let answer = match call.set_entries(Some(entries)).send().await {
            Ok(answer) => answer,
            Err(error) => return undispatched(batch, &Failed::from(&error)),
        };
        let refused = answer.failed.into_iter().filter_map(|refused| {
            let (row, _) = batch.get(refused.id.parse::<usize>().ok()?)?;
            Some(Undispatched {
                row: (*row).clone(),
                passing: !refused.sender_fault,
                reason: refused.code,
            })
        });
        refused.collect()
    }

    /// Makes a schedule for each row.
    async fn schedule(&self, rows: &[(&DueKey, DateTime<Utc>)]) -> Vec<Undispatched> {
        let mut failed = Vec::new();
        for some in rows.chunks(AT_ONCE) {
            let mut under_way = JoinSet::new();
            for (row, at) in some {
                match self.schedule_of(row, *at) {
                    Ok(call) => {
                        let row = (*row).clone();
                        under_way.spawn(async move { (row, make(call).await) });
                    }
                    Err(why) => failed.push(Undispatched::new(row, &why)),
                }
            }
            while let Some(made) = under_way.join_next().await {
                // A call that panicked leaves its row to the sweeper.
                if let Ok((row, Err(why))) = made {
                    failed.push(Undispatched::new(&row, &why));
                }
            }
        }
        failed
    }

    fn schedule_of(
        &self,
        row: &DueKey,
        at: DateTime<Utc>,
    ) -> Result<CreateScheduleFluentBuilder, Failed> {
        let queue = self
            .settings
            .queue_arn(&row.kind)
            .ok_or_else(|| without_queue(&row.kind))?;
        let target = Target::builder()
            .arn(queue)
            .role_arn(&self.settings.schedule_role)
            .input(message(row)?);
        let exactly = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off);
        Ok(self
            .scheduler
            .create_schedule()
            .name(schedule_name(row))
            .group_name(&self.settings.schedule_group)
            .schedule_expression(at_expression(at))
            .flexible_time_window(exactly.build().map_err(unmade)?)
            .target(target.build().map_err(unmade)?)
            .action_after_completion(ActionAfterCompletion::Delete))
    }
}

/// Already there is as good as made.
async fn make(call: CreateScheduleFluentBuilder) -> Result<(), Failed> {
    match call.send().await {
        Ok(_) => Ok(()),
        Err(error) => match error.as_service_error() {
            Some(CreateScheduleError::ConflictException(_)) => Ok(()),
            _ => Err(Failed::from(&error)),
        },
    }
}

impl Dispatch for QueuesAndSchedules {
    fn dispatch<'a>(&'a self, rows: &'a [DueKey]) -> BoxFuture<'a, Result<(), DispatchError>> {
        Box::pin(async move {
            let now = self.clock.now();
            let mut soon = BTreeMap::<&str, Vec<_>>::new();
            let mut later = Vec::new();
            for row in rows {
                match route(row.at, now) {
                    Route::Queue { delay } => soon.entry(&row.kind).or_default().push((row, delay)),
                    Route::Schedule { at } => later.push((row, at)),
                }
            }
            let mut failed = self.schedule(&later).await;
            for (kind, rows) in soon {
                failed.extend(self.send(kind, &rows).await);
            }
            if failed.is_empty() {
                Ok(())
            } else {
                Err(DispatchError(failed))
            }
        })
    }
}

fn undispatched(rows: &[(&DueKey, i32)], why: &Failed) -> Vec<Undispatched> {
    rows.iter()
        .map(|(row, _)| Undispatched::new(row, why))
        .collect()
}

/// A defect of the deployment.
fn without_queue(kind: &str) -> Failed {
    Failed {
        code: format!("no queue is named for {kind}"),
        passing: false,
    }
}

/// By its index, a batch's answer says which message it did not take.
fn entry(index: usize, row: &DueKey, delay: i32) -> Result<SendMessageBatchRequestEntry, Failed> {
    let entry = SendMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .message_body(message(row)?)
        .delay_seconds(delay);
    entry.build().map_err(unmade)
}

/// What a queue and a schedule hand on: the row's name.
fn message(row: &DueKey) -> Result<String, Failed> {
    serde_json::to_string(row).map_err(unmade)
}

fn unmade<E>(_: E) -> Failed {
    Failed {
        code: "a call that cannot be made".to_owned(),
        passing: false,
    }
}
