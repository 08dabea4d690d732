//! What every function binary shares: a context from the environment, and the two Lambda runtimes.
//!
//! An HTTP function runs its family's router behind API Gateway's HTTP API, whose JWT authorizer has
//! checked the token; a consumer takes batches of due rows from its queue.

mod consumer;
mod http;
mod ports;
mod settings;
mod stream;
mod sweeper;

use std::process::ExitCode;
use std::sync::Arc;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use domain::due::Consumer;
use platform::aws;
use platform::clock::SystemClock;
use platform::dispatch::{Dispatch, DispatchSettings, QueuesAndSchedules};
use platform::ids::IdSource;
use platform::metrics::Metrics;
use platform::telemetry::{self, LogFormat};
use platform::trail::Invocation;
use store::Store;

pub use http::service;
pub use ports::Port;

use crate::api::Routes;
use crate::context::{Context, Shared};
use crate::matcher::Matcher;
use settings::Settings;

/// How the keys begin that every function may read.
const READ_BY_ALL: &str = "PERSON";

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Runs one family behind API Gateway. `ports` are those it may reach; see [`Port`].
#[must_use]
pub fn serve(routes: Routes, ports: &[Port]) -> ExitCode {
    start(async || {
        let context = context(ports).await?;
        warm(&context, ports).await;
        http::run(routes, context).await
    })
}

/// Runs a family that reads nothing behind API Gateway.
#[must_use]
pub fn describe(routes: Routes) -> ExitCode {
    start(async || http::run(routes, context(&[]).await?).await)
}

/// Runs a consumer of due rows on its queue. `ports` are those it may reach; see [`Port`].
#[must_use]
pub fn consume(consumer: Consumer, ports: &[Port]) -> ExitCode {
    start(async || {
        let context = context(ports).await?;
        warm(&context, ports).await;
        consumer::run(consumer, context).await
    })
}

/// Runs the consumer of the table's stream.
#[must_use]
pub fn dispatch() -> ExitCode {
    start(async || stream::run(dispatcher(&aws::config().await)?).await)
}

/// Runs the sweeper.
#[must_use]
pub fn sweep() -> ExitCode {
    start(async || {
        let config = aws::config().await;
        let ids = IdSource::from_os(Arc::new(SystemClock))?;
        let store = store(&config, settings::table(environment)?, &ids);
        aws::warm(environment, store.warm(READ_BY_ALL)).await;
        sweeper::run(store, dispatcher(&config)?, metrics()).await
    })
}

/// Does the function's work until the process is stopped.
fn start(run: impl AsyncFnOnce() -> Result<(), Error>) -> ExitCode {
    // A second subscriber cannot be there yet.
    drop(telemetry::start(LogFormat::Json));
    let ran = runtime().and_then(|runtime| runtime.block_on(run()));
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the function cannot run");
            ExitCode::FAILURE
        }
    }
}

/// One thread: a function's instance answers one event at a time.
fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime)
}

/// What is measured is written to standard output.
fn metrics() -> Metrics {
    Metrics::from_environment(environment, Arc::new(SystemClock))
}

fn invocation(context: &lambda_runtime::Context) -> Invocation {
    Invocation::of(&context.request_id, context.xray_trace_id.as_deref())
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Reads, of everything that the function reaches, something that is not there.
///
/// The service that mail is handed to has no call for that; what all calls share is at hand for it.
async fn warm(context: &Context, ports: &[Port]) {
    let blobs = ports.iter().filter_map(|port| port.folder());
    aws::warm(environment, async {
        let table = context.store.warm(READ_BY_ALL);
        let blobs = async {
            for folder in blobs {
                let Ok(nothing) = format!("{folder}/nothing").parse() else {
                    continue;
                };
                drop(context.blobs.get(&nothing).await);
            }
        };
        tokio::join!(table, blobs);
    })
    .await;
}

/// Built once, before the first event.
async fn context(ports: &[Port]) -> Result<Shared, Error> {
    let settings = Settings::read(environment)?;
    let config = aws::config().await;
    let mail = ports::mail(ports, &config, environment)?;
    let blobs = ports::blobs(ports, &config, environment)?;
    let clock = Arc::new(SystemClock);
    let ids = IdSource::from_os(clock.clone())?;
    Ok(Arc::new(Context {
        store: store(&config, settings.table, &ids),
        ids: Arc::new(ids),
        clock,
        key: settings.key,
        token_rules: settings.token_rules,
        mail,
        blobs,
        matcher: Matcher::default(),
        metrics: metrics(),
        deployment: settings.deployment,
    }))
}

/// The store retries, so the SDK does not.
fn store(config: &SdkConfig, table: String, ids: &IdSource) -> Store {
    let config = aws_sdk_dynamodb::config::Builder::from(config);
    let config = config.retry_config(RetryConfig::disabled()).build();
    Store::new(aws_sdk_dynamodb::Client::from_conf(config), table)
        .with_jitter(u64::from_be_bytes(ids.random_bytes()))
}

/// The queue of every consumer, and the schedules before them.
fn dispatcher(config: &SdkConfig) -> Result<Arc<dyn Dispatch>, Error> {
    let kinds = Consumer::ALL.map(Consumer::kind);
    Ok(Arc::new(QueuesAndSchedules::new(
        config,
        DispatchSettings::read(environment, &kinds)?,
        Arc::new(SystemClock),
    )))
}
