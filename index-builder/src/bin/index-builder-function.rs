//! The index builder as a Lambda function: changed cells, from the queue of their due rows.

use std::process::ExitCode;
use std::sync::Arc;

use aws_config::SdkConfig;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use domain::due::Consumer;
use lambda_runtime::{LambdaEvent, service_fn};
use platform::aws;
use platform::blobs::{Blobs, FolderBlobs};
use platform::clock::SystemClock;
use platform::dispatch::DueKey;
use platform::ids::IdSource;
use platform::metrics::Metrics;
use platform::telemetry::{self, LogFormat};
use platform::trail::{self, Invocation, Mark};
use rapport_index_builder::on_aws::{bucket, on_aws};
use rapport_index_builder::{IndexBuilder, Outcome};
use store::Key;
use tracing::{Instrument, Span};

type Error = Box<dyn std::error::Error + Send + Sync>;

const TABLE: &str = "RAPPORT_TABLE";
const BUCKET: &str = "RAPPORT_BUCKET";
/// A folder in place of a bucket: for trying the function out.
const BLOB_FOLDER: &str = "RAPPORT_BLOB_FOLDER";

fn main() -> ExitCode {
    // A second subscriber cannot be there yet.
    drop(telemetry::start(LogFormat::Json));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let ran = runtime
        .map_err(Error::from)
        .and_then(|runtime| runtime.block_on(run()));
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the function cannot run");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Error> {
    let builder = builder().await?;
    aws::warm(environment, warm(&builder)).await;
    let consumer = service_fn(|event: LambdaEvent<SqsEvent>| {
        let builder = &builder;
        let invocation = invocation(&event.context);
        // Boxed: a future as deep as this one is more than the compiler lays out by itself.
        async move {
            let dealing = Box::pin(batch(builder, &invocation, event.payload));
            Ok::<_, Error>(dealing.instrument(invocation.run()).await)
        }
    });
    lambda_runtime::run(consumer).await
}

async fn builder() -> Result<IndexBuilder, Error> {
    let Some(table) = environment(TABLE) else {
        return Err(format!("the environment needs {TABLE}").into());
    };
    let config = aws::config().await;
    let clock = Arc::new(SystemClock);
    let metrics = Metrics::from_environment(environment, clock.clone());
    let ids = IdSource::from_os(clock)?;
    Ok(on_aws(&config, table, blobs(&config)?, ids, metrics))
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Reads what is not there, in the table and among the blobs.
async fn warm(builder: &IndexBuilder) {
    let blobs = async {
        if let Ok(nothing) = "shards/nothing".parse() {
            drop(builder.blobs.get(&nothing).await);
        }
    };
    tokio::join!(builder.store.warm("SHARD"), blobs);
}

fn blobs(config: &SdkConfig) -> Result<Arc<dyn Blobs>, Error> {
    if let Some(name) = environment(BUCKET) {
        return Ok(bucket(config, name));
    }
    match environment(BLOB_FOLDER) {
        Some(folder) => Ok(Arc::new(FolderBlobs::open(folder)?)),
        None => Err(format!("the environment needs {BUCKET}").into()),
    }
}

fn invocation(context: &lambda_runtime::Context) -> Invocation {
    Invocation::of(&context.request_id, context.xray_trace_id.as_deref())
}

/// A message, and the span of what is logged of it.
struct Message {
    key: Key,
    id: String,
    span: Span,
}

/// Builds each cell that the batch names once, and removes what is to be removed; messages whose rows stay come
/// again.
async fn batch(
    builder: &IndexBuilder,
    invocation: &Invocation,
    event: SqsEvent,
) -> SqsBatchResponse {
    let kind = Consumer::IndexBuilder.kind();
    let mut answer = SqsBatchResponse::default();
    let mut keys = Vec::new();
    let mut messages = Vec::new();
    for message in event.records {
        let id = message.message_id.unwrap_or_default();
        let received = message.attributes.get("ApproximateReceiveCount");
        let received = received.and_then(|count| count.parse().ok());
        let span = invocation.message(kind, Mark::read(&id).as_ref(), received);
        match serde_json::from_str::<DueKey>(&message.body.unwrap_or_default()) {
            Ok(named) if named.kind == kind => {
                let key = Key {
                    pk: named.pk,
                    sk: named.sk,
                };
                if key == Key::night_begins() {
                    let beginning = builder.begin_night(named.at).instrument(span.clone());
                    let outcome = match beginning.await {
                        Ok(()) => Outcome::Done(None),
                        Err(error) => Outcome::Failed(error),
                    };
                    if !span.in_scope(|| is_done(&key, &outcome)) {
                        answer.add_failure(id);
                    }
                    continue;
                }
                if !keys.contains(&key) {
                    keys.push(key.clone());
                }
                messages.push(Message { key, id, span });
            }
            Ok(_) | Err(_) => {
                span.in_scope(|| tracing::error!("a message names no change of the index"));
                answer.add_failure(id);
            }
        }
    }
    for (key, outcome) in builder.consume(&keys).await {
        for message in messages.iter().filter(|message| message.key == key) {
            let _line = message.span.enter();
            if !is_done(&key, &outcome) {
                answer.add_failure(message.id.clone());
            }
        }
        if let Outcome::Failed(failed) = &outcome
            && let Err(error) = builder.store.note_failure(&key, failed.code()).await
        {
            tracing::warn!(%key, %error, "why is not kept with the row");
        }
    }
    answer
}

/// Whether the queue may forget the message; the log hears either way.
fn is_done(key: &Key, outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Done(act) => {
            trail::follows(*act);
            tracing::info!(%key, "a due row is dealt with");
            true
        }
        // Its message comes again when its visibility timeout ends, which is late enough.
        Outcome::Early(at) => {
            tracing::info!(%key, %at, "a due row is early");
            false
        }
        Outcome::Failed(error) => {
            tracing::warn!(%key, %error, "a due row could not be dealt with");
            false
        }
    }
}
