//! The queues and the schedule group of one deployment, empty.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_config::SdkConfig;
use aws_sdk_scheduler::Client as Scheduler;
use aws_sdk_sqs::Client as Sqs;
use aws_sdk_sqs::types::QueueAttributeName;
use chrono::{DateTime, Utc};
use domain::due::Consumer;
use platform::clock::Clock;
use platform::dispatch::{DispatchSettings, DueKey, QueuesAndSchedules};
use rapport_tests::emulator::fresh_name;
use serde_json::json;

/// The role that a schedule sends by.
pub(crate) const ROLE: &str = "arn:aws:iam::000000000000:role/schedules";

pub(crate) struct Queues {
    config: SdkConfig,
    sqs: Sqs,
    pub(crate) scheduler: Scheduler,
    pub(crate) urls: BTreeMap<String, String>,
    pub(crate) arns: BTreeMap<String, String>,
    pub(crate) group: String,
}

impl Queues {
    pub(crate) async fn create(config: SdkConfig) -> Self {
        let (sqs, scheduler) = (Sqs::new(&config), Scheduler::new(&config));
        let (mut urls, mut arns) = (BTreeMap::new(), BTreeMap::new());
        for kind in Consumer::ALL.map(Consumer::kind) {
            let created = sqs.create_queue().queue_name(fresh_name(kind));
            let url = created.send().await.unwrap().queue_url.unwrap();
            let asked = sqs.get_queue_attributes().queue_url(&url);
            let asked = asked.attribute_names(QueueAttributeName::QueueArn);
            let attributes = asked.send().await.unwrap().attributes.unwrap();
            arns.insert(
                kind.to_owned(),
                attributes[&QueueAttributeName::QueueArn].clone(),
            );
            urls.insert(kind.to_owned(), url);
        }
        let group = fresh_name("due");
        let created = scheduler.create_schedule_group().name(&group);
        created.send().await.unwrap();
        Self {
            config,
            sqs,
            scheduler,
            urls,
            arns,
            group,
        }
    }

    /// The same queues, reached in another way.
    pub(crate) fn at(config: SdkConfig, queues: Self) -> Self {
        Self { config, ..queues }
    }

    pub(crate) fn dispatch(&self, clock: Arc<dyn Clock>) -> QueuesAndSchedules {
        let environment = |name: &str| match name {
            "RAPPORT_QUEUES" => Some(json!(self.urls).to_string()),
            "RAPPORT_QUEUE_ARNS" => Some(json!(self.arns).to_string()),
            "RAPPORT_SCHEDULE_GROUP" => Some(self.group.clone()),
            "RAPPORT_SCHEDULE_ROLE_ARN" => Some(ROLE.to_owned()),
            _ => None,
        };
        let kinds = Consumer::ALL.map(Consumer::kind);
        let settings = DispatchSettings::read(environment, &kinds).unwrap();
        QueuesAndSchedules::new(&self.config, settings, clock)
    }

    /// The rows that the queue of `kind` names, as soon as there are as many as `at_least`, or when a while
    /// has passed without another one.
    pub(crate) async fn received(&self, kind: &str, at_least: usize) -> Vec<DueKey> {
        let mut rows = Vec::new();
        for _ in 0..30 {
            let call = self.sqs.receive_message().queue_url(&self.urls[kind]);
            let call = call.max_number_of_messages(10).wait_time_seconds(1);
            for message in call.send().await.unwrap().messages.unwrap_or_default() {
                rows.push(serde_json::from_str(message.body.as_deref().unwrap()).unwrap());
                let handle = message.receipt_handle.unwrap();
                let call = self.sqs.delete_message().queue_url(&self.urls[kind]);
                call.receipt_handle(handle).send().await.unwrap();
            }
            if rows.len() >= at_least {
                break;
            }
        }
        rows.sort_by(|one: &DueKey, other| (&one.pk, &one.sk).cmp(&(&other.pk, &other.sk)));
        rows
    }

    /// The names of the schedules that there are.
    pub(crate) async fn schedules(&self) -> Vec<String> {
        let call = self.scheduler.list_schedules().group_name(&self.group);
        let listed = call.send().await.unwrap().schedules;
        listed
            .into_iter()
            .filter_map(|schedule| schedule.name)
            .collect()
    }
}

pub(crate) fn row(kind: Consumer, number: usize, at: DateTime<Utc>) -> DueKey {
    DueKey {
        pk: format!("AGGREGATE#{number:03}"),
        sk: "DUE#something#1".to_owned(),
        kind: kind.kind().to_owned(),
        at,
    }
}
