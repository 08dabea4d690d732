//! The consumer of one queue of due rows.

use std::time::Instant;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use domain::due::Consumer;
use lambda_runtime::{LambdaEvent, service_fn};
use platform::dispatch::DueKey;
use platform::trail::{Invocation, Mark, milliseconds};
use store::Key;
use tracing::Instrument;

use super::{Error, invocation};
use crate::consume::{Consumed, consume};
use crate::context::{Context, Shared};

pub(super) async fn run(consumer: Consumer, context: Shared) -> Result<(), Error> {
    let kind = consumer.kind();
    let consumer = service_fn(|event: LambdaEvent<SqsEvent>| {
        let context = &context;
        let invocation = invocation(&event.context);
        async move { Ok::<_, Error>(batch(context, &invocation, kind, event.payload).await) }
    });
    lambda_runtime::run(consumer).await
}

/// Deals with each message by itself and names those that must come again; the queue forgets the rest.
///
/// Nothing rests on a message: its row stays in the table until its effect's commit deletes it, so a
/// message that ends in the dead-letter queue raises an alarm and the sweeper still brings its row.
async fn batch(
    context: &Context,
    invocation: &Invocation,
    kind: &'static str,
    event: SqsEvent,
) -> SqsBatchResponse {
    let mut answer = SqsBatchResponse::default();
    for message in event.records {
        let body = message.body.unwrap_or_default();
        let id = message.message_id.unwrap_or_default();
        let received = message.attributes.get("ApproximateReceiveCount");
        let received = received.and_then(|count| count.parse().ok());
        let span = invocation.message(kind, Mark::read(&id).as_ref(), received);
        let dealing = deal_with(context, kind, &body);
        if !dealing.instrument(span).await {
            answer.add_failure(id);
        }
    }
    answer
}

/// Whether the queue may forget the message.
///
/// A row can be early by as much as two clocks differ. Its message comes again when its visibility
/// timeout ends, which is late enough; forgetting it would leave the row to the sweeper alone.
async fn deal_with(context: &Context, kind: &str, body: &str) -> bool {
    let due = match serde_json::from_str::<DueKey>(body) {
        Ok(due) if due.kind == kind => due,
        Ok(due) => {
            tracing::error!(kind = due.kind, "a message of another queue was delivered");
            return false;
        }
        Err(error) => {
            tracing::error!(%error, "a message names no due row");
            return false;
        }
    };
    let key = Key {
        pk: due.pk,
        sk: due.sk,
    };
    let begun = Instant::now();
    let consumed = consume(context, &key).await;
    let milliseconds = milliseconds(begun.elapsed());
    match consumed {
        Ok(Consumed::Done) => {
            tracing::info!(%key, milliseconds, "a due row is dealt with");
            true
        }
        Ok(Consumed::Early(at)) => {
            tracing::info!(%key, milliseconds, %at, "a due row is early");
            false
        }
        Err(error) => {
            tracing::warn!(%key, milliseconds, %error, "a due row could not be dealt with");
            if let Err(error) = context.store.note_failure(&key, error.code()).await {
                tracing::warn!(%key, %error, "why is not kept with the row");
            }
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use aws_sdk_dynamodb::config::{BehaviorVersion, Region};
    use platform::clock::SystemClock;
    use platform::ids::IdSource;
    use platform::metrics::Metrics;
    use serde_json::json;
    use store::Store;

    use super::*;
    use crate::context::Deployment;
    use crate::lambda::ports;
    use crate::matcher::Matcher;

    /// A context whose table no test here may reach.
    fn context() -> Context {
        let dynamodb = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static("us-east-1"))
            .build();
        let nowhere = aws_config::SdkConfig::builder().build();
        let clock = Arc::new(SystemClock);
        Context {
            store: Store::new(aws_sdk_dynamodb::Client::from_conf(dynamodb), "none"),
            ids: Arc::new(IdSource::from_os(clock.clone()).unwrap()),
            clock,
            key: platform::keys::DeploymentKey::from_bytes(&[0; 32]),
            token_rules: platform::tokens::TokenRules {
                issuer: String::new(),
                audience: String::new(),
                scope: String::new(),
            },
            mail: ports::mail(&[], &nowhere, |_| None).unwrap(),
            blobs: ports::blobs(&[], &nowhere, |_| None).unwrap(),
            matcher: Matcher::default(),
            metrics: Metrics::none(),
            deployment: Deployment {
                organisation: String::new(),
                app_url: String::new(),
                emergency: String::new(),
                first_administrator: None,
            },
        }
    }

    #[tokio::test]
    async fn messages_that_are_not_for_this_queue_come_back_by_name() {
        let other = json!({"pk": "PERSON#per_1", "sk": "DUE#mail#1", "kind": "notification", "at": "2026-03-02T00:00:00Z"});
        let event = json!({"Records": [
            {"messageId": "m1", "body": "no due row"},
            {"messageId": "m2", "body": other.to_string()},
            {"messageId": "m3"},
        ]});
        let event = serde_json::from_value(event).unwrap();
        let invocation = Invocation::of("r", None);
        let answer = batch(&context(), &invocation, "candidate-release", event).await;
        assert_eq!(
            serde_json::to_value(answer).unwrap(),
            json!({"batchItemFailures": [
                {"itemIdentifier": "m1"}, {"itemIdentifier": "m2"}, {"itemIdentifier": "m3"}
            ]})
        );
    }
}
