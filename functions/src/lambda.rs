//! What every function binary shares: a context from the environment, and the two Lambda runtimes.
//!
//! An HTTP function runs its family's router behind API Gateway's HTTP API, whose JWT authorizer has
//! checked the token; a consumer takes batches of due rows from its queue.

mod consumer;
mod http;
mod ports;
mod settings;

use std::process::ExitCode;
use std::sync::Arc;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use platform::clock::SystemClock;
use platform::ids::IdSource;
use platform::telemetry::{self, LogFormat};
use store::Store;

pub use ports::Port;

use crate::api::Routes;
use crate::context::{Context, Shared};
use crate::matcher::Matcher;
use settings::Settings;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Runs one family behind API Gateway. `ports` are those it may reach; see [`Port`].
#[must_use]
pub fn serve(routes: Routes, ports: &[Port]) -> ExitCode {
    start(ports, async |context| http::run(routes, context).await)
}

/// Runs the consumer of the queue `kind`. `ports` are those it may reach; see [`Port`].
#[must_use]
pub fn consume(kind: &'static str, ports: &[Port]) -> ExitCode {
    start(ports, async |context| consumer::run(kind, context).await)
}

/// Builds the context once, then answers events until the process is stopped.
fn start(ports: &[Port], run: impl AsyncFnOnce(Shared) -> Result<(), Error>) -> ExitCode {
    // A second subscriber cannot be there yet.
    drop(telemetry::start(LogFormat::Json));
    let ran = runtime().and_then(|runtime| {
        runtime.block_on(async {
            let context = context(ports).await?;
            run(context).await
        })
    });
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

async fn context(ports: &[Port]) -> Result<Shared, Error> {
    let environment = |name: &str| std::env::var(name).ok();
    let settings = Settings::read(environment)?;
    let mail = ports::mail(ports, environment)?;
    let blobs = ports::blobs(ports, environment)?;
    let clock = Arc::new(SystemClock);
    Ok(Arc::new(Context {
        store: Store::new(dynamodb().await, settings.table),
        ids: Arc::new(IdSource::from_os(clock.clone())?),
        clock,
        key: settings.key,
        token_rules: settings.token_rules,
        mail,
        blobs,
        matcher: Matcher::default(),
        deployment: settings.deployment,
    }))
}

/// DynamoDB as the function's role and region reach it. The store retries, so the SDK does not.
async fn dynamodb() -> aws_sdk_dynamodb::Client {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .retry_config(RetryConfig::disabled())
        .load()
        .await;
    aws_sdk_dynamodb::Client::new(&config)
}
