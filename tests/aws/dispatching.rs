//! Due rows go to their queue, or into a schedule that brings them there.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_scheduler::types::{ActionAfterCompletion, FlexibleTimeWindowMode};
use chrono::TimeDelta;
use domain::due::Consumer;
use platform::clock::{Clock, ManualClock, SystemClock};
use platform::dispatch::{Dispatch, DueKey};

use crate::on_the_emulator;
use crate::queues::{Queues, ROLE, row};

#[tokio::test]
async fn rows_that_are_due_lie_in_the_queue_of_their_kind() {
    on_the_emulator(async |config| {
        let queues = Queues::create(config).await;
        let now = SystemClock.now();
        let dispatch = queues.dispatch(Arc::new(SystemClock));
        // More than one batch, and one row that was due long ago.
        let mut expiring: Vec<_> = (0..23).map(|n| row(Consumer::Expiry, n, now)).collect();
        expiring[7].at = now - TimeDelta::days(400);
        let mailed = row(Consumer::Notification, 99, now);
        let mut rows = expiring.clone();
        rows.insert(11, mailed.clone());
        dispatch.dispatch(&rows).await.unwrap();
        assert_eq!(queues.received("expiry", 23).await, expiring);
        assert_eq!(queues.received("notification", 1).await, [mailed]);
        assert!(queues.schedules().await.is_empty());
        dispatch.dispatch(&[]).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_row_that_is_due_soon_is_not_seen_before() {
    on_the_emulator(async |config| {
        let queues = Queues::create(config).await;
        let soon = row(
            Consumer::Expiry,
            1,
            SystemClock.now() + TimeDelta::seconds(4),
        );
        let dispatch = queues.dispatch(Arc::new(SystemClock));
        let rows = [soon.clone()];
        dispatch.dispatch(&rows).await.unwrap();
        assert_eq!(queues.received("expiry", 1).await, rows);
        assert!(SystemClock.now() >= soon.at);
    })
    .await;
}

#[tokio::test]
async fn a_row_that_is_due_later_is_one_schedule_however_often_it_comes() {
    on_the_emulator(async |config| {
        let queues = Queues::create(config).await;
        let at = "2100-03-02T10:00:00.250Z".parse().unwrap();
        let later = row(Consumer::CandidateRelease, 1, at);
        let dispatch = queues.dispatch(Arc::new(SystemClock));
        for _ in 0..2 {
            let rows = [later.clone(), later.clone()];
            dispatch.dispatch(&rows).await.unwrap();
        }
        let [name] = &queues.schedules().await[..] else {
            panic!("one schedule was expected");
        };
        let call = queues.scheduler.get_schedule().name(name);
        let made = call.group_name(&queues.group).send().await.unwrap();
        assert_eq!(
            made.schedule_expression.as_deref(),
            Some("at(2100-03-02T10:00:01)")
        );
        assert!(matches!(
            made.schedule_expression_timezone.as_deref(),
            None | Some("UTC")
        ));
        assert_eq!(
            made.action_after_completion,
            Some(ActionAfterCompletion::Delete)
        );
        let window = made.flexible_time_window.unwrap();
        assert_eq!(window.mode, FlexibleTimeWindowMode::Off);
        let target = made.target.unwrap();
        assert_eq!(target.arn, queues.arns["candidate-release"]);
        assert_eq!(target.role_arn, ROLE);
        let said: DueKey = serde_json::from_str(target.input.as_deref().unwrap()).unwrap();
        assert_eq!(said, later);

        // Moved: another deadline, another schedule.
        let moved = DueKey {
            at: at + TimeDelta::days(1),
            ..later
        };
        dispatch.dispatch(&[moved]).await.unwrap();
        assert_eq!(queues.schedules().await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_schedule_brings_its_row_to_the_queue_and_is_gone() {
    on_the_emulator(async |config| {
        let queues = Queues::create(config).await;
        // For a clock that is half an hour slow, what is due in a moment is due later.
        let now = SystemClock.now();
        let slow = Arc::new(ManualClock::new(now - TimeDelta::minutes(30)));
        let later = row(Consumer::Expiry, 1, now + TimeDelta::seconds(2));
        let rows = [later];
        queues.dispatch(slow).dispatch(&rows).await.unwrap();
        assert_eq!(queues.schedules().await.len(), 1);
        assert_eq!(queues.received("expiry", 1).await, rows);
        for _ in 0..30 {
            if queues.schedules().await.is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        panic!("the schedule is still there");
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_sent_is_named_and_all_else_is_sent() {
    on_the_emulator(async |config| {
        let mut queues = Queues::create(config).await;
        let gone = format!("{}-gone", queues.urls["expiry"]);
        queues.urls.insert("expiry".to_owned(), gone);
        queues.group = "no-such-group".to_owned();
        let now = SystemClock.now();
        let without_queue = row(Consumer::Expiry, 1, now);
        let without_group = row(Consumer::Notification, 2, now + TimeDelta::days(1));
        let unheard_of = DueKey {
            kind: "unheard-of".to_owned(),
            ..row(Consumer::Expiry, 3, now)
        };
        let good = row(Consumer::Notification, 4, now);
        let dispatch = queues.dispatch(Arc::new(SystemClock));
        let rows = [
            without_queue.clone(),
            without_group.clone(),
            unheard_of.clone(),
            good.clone(),
        ];
        let failed = dispatch.dispatch(&rows).await.unwrap_err();
        let mut named: Vec<_> = failed
            .0
            .iter()
            .map(|lost| (&lost.row, lost.passing))
            .collect();
        named.sort_by(|(one, _), (other, _)| one.pk.cmp(&other.pk));
        // All of them are the deployment's faults.
        assert_eq!(
            named,
            [
                (&without_queue, false),
                (&without_group, false),
                (&unheard_of, false)
            ]
        );
        assert_eq!(queues.received("notification", 1).await, [good]);
    })
    .await;
}

#[tokio::test]
async fn what_is_out_of_reach_may_be_reached_later() {
    on_the_emulator(async |config| {
        let queues = Queues::create(config.clone()).await;
        let nowhere = config
            .to_builder()
            .endpoint_url("http://127.0.0.1:9")
            .build();
        let unreachable = Queues::at(nowhere, queues);
        let now = SystemClock.now();
        let rows = [
            row(Consumer::Expiry, 1, now),
            row(Consumer::Expiry, 2, now + TimeDelta::days(1)),
        ];
        let dispatch = unreachable.dispatch(Arc::new(SystemClock));
        let failed = dispatch.dispatch(&rows).await.unwrap_err();
        assert_eq!(failed.0.len(), 2);
        assert!(failed.0.iter().all(|lost| lost.passing), "{failed:?}");
    })
    .await;
}
