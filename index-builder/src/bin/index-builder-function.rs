//! The index builder as a Lambda function: changed cells, from the queue of their due rows.

use std::process::ExitCode;
use std::sync::Arc;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use lambda_runtime::{LambdaEvent, service_fn};
use platform::blobs::FolderBlobs;
use platform::clock::SystemClock;
use platform::dispatch::DueKey;
use platform::ids::IdSource;
use platform::telemetry::{self, LogFormat};
use rapport_index_builder::{IndexBuilder, Outcome};
use store::{Key, Store};

type Error = Box<dyn std::error::Error + Send + Sync>;

const KIND: &str = "index-builder";
const TABLE: &str = "RAPPORT_TABLE";
/// The folder that shards are kept in; the bucket's adapter comes with deployment.
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
    let consumer = service_fn(|event: LambdaEvent<SqsEvent>| {
        let builder = &builder;
        // Boxed: a future as deep as this one is more than the compiler lays out by itself.
        async move { Ok::<_, Error>(Box::pin(batch(builder, event.payload)).await) }
    });
    lambda_runtime::run(consumer).await
}

async fn builder() -> Result<IndexBuilder, Error> {
    let (Ok(table), Ok(folder)) = (std::env::var(TABLE), std::env::var(BLOB_FOLDER)) else {
        return Err(format!("the environment needs {TABLE} and {BLOB_FOLDER}").into());
    };
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .retry_config(RetryConfig::disabled())
        .load()
        .await;
    let clock = Arc::new(SystemClock);
    Ok(IndexBuilder {
        store: Store::new(aws_sdk_dynamodb::Client::new(&config), table),
        blobs: Arc::new(FolderBlobs::open(folder)?),
        ids: Arc::new(IdSource::from_os(clock.clone())?),
        clock,
    })
}

/// Builds each cell that the batch names once, and removes what is to be removed; messages whose rows stay come
/// again.
async fn batch(builder: &IndexBuilder, event: SqsEvent) -> SqsBatchResponse {
    let mut answer = SqsBatchResponse::default();
    let mut keys = Vec::new();
    let mut messages = Vec::new();
    for message in event.records {
        let id = message.message_id.unwrap_or_default();
        match serde_json::from_str::<DueKey>(&message.body.unwrap_or_default()) {
            Ok(DueKey { pk, sk, kind, .. }) if kind == KIND => {
                let key = Key { pk, sk };
                keys.push(key.clone());
                messages.push((key, id));
            }
            Ok(_) | Err(_) => {
                tracing::error!(message = id, "a message names no change of the index");
                answer.add_failure(id);
            }
        }
    }
    for (key, outcome) in builder.consume(&keys).await {
        match outcome {
            Outcome::Done => continue,
            // Its message comes again when its visibility timeout ends, which is late enough.
            Outcome::Early(at) => tracing::info!(%key, %at, "a due row is early"),
            Outcome::Failed(error) => {
                tracing::warn!(%key, %error, "a due row could not be dealt with");
            }
        }
        let stay = messages.iter().filter(|(of, _)| *of == key);
        stay.for_each(|(_, id)| answer.add_failure(id.clone()));
    }
    answer
}
