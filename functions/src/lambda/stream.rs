//! The consumer of the table's stream: new due rows go to their queues and schedules.

use std::sync::Arc;

use aws_lambda_events::dynamodb::{Event, EventRecord};
use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use lambda_runtime::{LambdaEvent, service_fn};
use platform::dispatch::{Dispatch, DueKey};
use tracing::Instrument;

use super::{Error, invocation};

pub(super) async fn run(dispatch: Arc<dyn Dispatch>) -> Result<(), Error> {
    let consumer = service_fn(|event: LambdaEvent<Event>| {
        let dispatch = &dispatch;
        let run = invocation(&event.context).run();
        async move { Ok::<_, Error>(batch(dispatch.as_ref(), event.payload).await) }.instrument(run)
    });
    lambda_runtime::run(consumer).await
}

/// Sends on what the records announce, all at once, and names the first that must come again: the
/// stream goes back to it and repeats what came after, which is harmless.
///
/// What the deployment is at fault for does not come again, so as not to hold up the stream. Whatever is
/// lost here the sweeper finds.
async fn batch(dispatch: &dyn Dispatch, event: Event) -> DynamoDbEventResponse {
    let mut answer = DynamoDbEventResponse::default();
    let (rows, sequence): (Vec<_>, Vec<_>) = event.records.iter().filter_map(due).unzip();
    let Err(error) = dispatch.dispatch(&rows).await else {
        return answer;
    };
    for lost in &error.0 {
        let (pk, sk, why) = (&lost.row.pk, &lost.row.sk, &lost.reason);
        if lost.passing {
            tracing::warn!(pk, sk, why, "a due row was not sent on");
        } else {
            tracing::error!(pk, sk, why, "ALARM: a due row cannot be sent on");
        }
    }
    let comes_again = |row: &DueKey| error.0.iter().any(|lost| lost.passing && lost.row == *row);
    let first = rows.iter().zip(sequence).find(|(row, _)| comes_again(row));
    answer.batch_item_failures.extend(first.map(|(_, number)| {
        let mut failure = DynamoDbBatchItemFailure::default();
        failure.item_identifier = number;
        failure
    }));
    answer
}

/// The row that a record announces, and the record's number in the stream.
fn due(record: &EventRecord) -> Option<(DueKey, Option<String>)> {
    if !matches!(record.event_name.as_str(), "INSERT" | "MODIFY") {
        return None;
    }
    let announced = store::announced(&record.change.new_image)?;
    let row = DueKey {
        pk: announced.key.pk,
        sk: announced.key.sk,
        kind: announced.consumer.kind().to_owned(),
        at: announced.at,
    };
    Some((row, record.change.sequence_number.clone()))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use platform::BoxFuture;
    use platform::dispatch::{DispatchError, Undispatched};
    use serde_json::{Value, json};

    use super::*;

    /// Remembers what it was given, and fails for the rows it was told to.
    #[derive(Default)]
    struct Sieve {
        given: Mutex<Vec<DueKey>>,
        fails: Vec<(&'static str, bool)>,
    }

    impl Dispatch for Sieve {
        fn dispatch<'a>(&'a self, rows: &'a [DueKey]) -> BoxFuture<'a, Result<(), DispatchError>> {
            self.given.lock().unwrap().extend_from_slice(rows);
            let lost: Vec<_> = rows
                .iter()
                .filter_map(|row| {
                    let (_, passing) = self.fails.iter().find(|(pk, _)| *pk == row.pk)?;
                    Some(Undispatched {
                        row: row.clone(),
                        passing: *passing,
                        reason: "told to".to_owned(),
                    })
                })
                .collect();
            let answer = if lost.is_empty() {
                Ok(())
            } else {
                Err(DispatchError(lost))
            };
            Box::pin(std::future::ready(answer))
        }
    }

    fn record(number: u32, event: &str, pk: &str, sk: &str, tries: &str) -> Value {
        json!({
            "eventID": number.to_string(), "eventName": event, "eventVersion": "1.1",
            "eventSource": "aws:dynamodb", "awsRegion": "eu-west-1",
            "dynamodb": {
                "ApproximateCreationDateTime": 1_795_300_000, "SequenceNumber": number.to_string(),
                "SizeBytes": 100, "StreamViewType": "NEW_IMAGE",
                "Keys": {"pk": {"S": pk}, "sk": {"S": sk}},
                "NewImage": {
                    "pk": {"S": pk}, "sk": {"S": sk}, "tries": {"N": tries}, "due_pk": {"S": "DUE#1"},
                    "next_try": {"S": "2026-03-03T10:00:00.000Z"}, "body": {"M": {"at": {"S": "x"}}},
                },
            },
        })
    }

    fn event(records: Vec<Value>) -> Event {
        serde_json::from_value(json!({"Records": records})).unwrap()
    }

    #[tokio::test]
    async fn new_rows_are_sent_on_and_nothing_else_is() {
        let sieve = Sieve::default();
        let removed = json!({
            "eventID": "9", "eventName": "REMOVE", "awsRegion": "eu-west-1",
            "dynamodb": {"SequenceNumber": "9", "SizeBytes": 20, "Keys": {"pk": {"S": "A"}, "sk": {"S": "DUE#mail#1"}}},
        });
        let answer = batch(
            &sieve,
            event(vec![
                record(1, "INSERT", "A", "DUE#mail#1", "0"),
                record(2, "INSERT", "A", "META", "0"),
                record(3, "MODIFY", "B", "DUE#check-expiry#4", "0"),
                record(4, "MODIFY", "C", "DUE#check-expiry#4", "1"),
                removed,
            ]),
        )
        .await;
        assert_eq!(answer.batch_item_failures.len(), 0);
        let at = "2026-03-03T10:00:00Z".parse().unwrap();
        let row = |pk: &str, sk: &str, kind: &str| DueKey {
            pk: pk.into(),
            sk: sk.into(),
            kind: kind.into(),
            at,
        };
        assert_eq!(
            *sieve.given.lock().unwrap(),
            [
                row("A", "DUE#mail#1", "notification"),
                row("B", "DUE#check-expiry#4", "expiry")
            ]
        );
    }

    #[tokio::test]
    async fn the_stream_goes_back_to_the_first_that_may_pass_later() {
        let records = || {
            vec![
                record(1, "INSERT", "A", "DUE#mail#1", "0"),
                record(2, "INSERT", "B", "DUE#mail#1", "0"),
                record(3, "INSERT", "C", "DUE#mail#1", "0"),
            ]
        };
        for (fails, back_to) in [
            (vec![("C", true), ("B", true)], Some("2")),
            (vec![("A", false), ("C", true)], Some("3")),
            (vec![("A", false)], None),
        ] {
            let sieve = Sieve {
                fails: fails.clone(),
                ..Sieve::default()
            };
            let answer = batch(&sieve, event(records())).await;
            let failures: Vec<_> = answer
                .batch_item_failures
                .iter()
                .filter_map(|failure| failure.item_identifier.as_deref())
                .collect();
            assert_eq!(failures, Vec::from_iter(back_to), "{fails:?}");
        }
    }
}
