//! The embedded table: DynamoDB's API over SQLite, in this process.
//!
//! It is reached through the official SDK in one of two ways. [`loopback`] serves it on a local port,
//! where other tools can look at it, too. [`in_process`] hands the SDK's requests over without a
//! socket: faster, and without anything that time or another process could disturb, so that a
//! simulation replays.

use std::net::{Ipv4Addr, SocketAddr};

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A port of this machine on which the table is served, until this is dropped.
#[derive(Debug)]
pub struct Served {
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl Served {
    /// Where a tool finds it, with any credentials and region.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Serves `database` on a free port of the loopback interface.
///
/// # Errors
/// No port is free.
pub async fn loopback(database: Database) -> std::io::Result<(DynamoDb, Served)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let served = Served {
        address: listener.local_addr()?,
        server: tokio::spawn(dynoxide::server::serve_on(listener, database)),
    };
    let http = aws_smithy_http_client::Builder::new().build_http();
    Ok((sdk(http, &served.endpoint()), served))
}

/// The SDK on top of `database`, without a socket. Each call runs to its end on the caller's thread.
#[must_use]
pub fn in_process(database: Database) -> DynamoDb {
    sdk(in_process_http(database), "http://in-process.invalid")
}

/// What [`in_process`] puts under the SDK, to be wrapped where faults are to be injected.
#[must_use]
pub fn in_process_http(database: Database) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(InProcess(database));
    http_client_fn(move |_, _| connector.clone())
}

/// The SDK over `http`. It never retries: the store does, and knows which of its calls may be.
#[must_use]
pub fn sdk(http: SharedHttpClient, endpoint: &str) -> DynamoDb {
    // The table asks for credentials and does not look at them.
    let credentials = Credentials::builder()
        .access_key_id("local")
        .secret_access_key("local")
        .provider_name("embedded table")
        .build();
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(credentials)
        .endpoint_url(endpoint)
        .http_client(http)
        .retry_config(RetryConfig::disabled())
        .build();
    DynamoDb::from_conf(config)
}

/// Answers the SDK's requests from the database itself.
struct InProcess(Database);

impl std::fmt::Debug for InProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InProcess")
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(answer(&self.0, &request))
    }
}

fn answer(database: &Database, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let operation = request
        .headers()
        .get("x-amz-target")
        .and_then(|target| target.rsplit_once('.'))
        .map_or("", |(_, operation)| operation);
    let body = request.body().bytes().unwrap_or_default();
    let (status, answer) = match perform(database, operation, body) {
        Ok(answer) => (200, answer),
        Err(error) => (error.status_code(), error.to_json()),
    };
    let status =
        StatusCode::try_from(status).map_err(|error| ConnectorError::other(error.into(), None))?;
    Ok(HttpResponse::new(status, SdkBody::from(answer)))
}

/// The operations that `store` uses, and those that tools and tests ask for.
fn perform(database: &Database, operation: &str, body: &[u8]) -> Result<String, DynoxideError> {
    match operation {
        "BatchGetItem" => typed(body, |request| database.batch_get_item(request)),
        "BatchWriteItem" => typed(body, |request| database.batch_write_item(request)),
        "CreateTable" => typed(body, |request| database.create_table(request)),
        "DeleteItem" => typed(body, |request| database.delete_item(request)),
        "DescribeTable" => typed(body, |request| database.describe_table(request)),
        "GetItem" => typed(body, |request| database.get_item(request)),
        "PutItem" => typed(body, |request| database.put_item(request)),
        "Query" => typed(body, |request| database.query(request)),
        "Scan" => typed(body, |request| database.scan(request)),
        "TransactGetItems" => typed(body, |request| database.transact_get_items(request)),
        "TransactWriteItems" => typed(body, |request| database.transact_write_items(request)),
        "UpdateItem" => typed(body, |request| database.update_item(request)),
        _ => Err(DynoxideError::ValidationException(format!(
            "the embedded table is not asked for {operation} in process"
        ))),
    }
}

fn typed<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    operation: impl FnOnce(Q) -> dynoxide::Result<A>,
) -> Result<String, DynoxideError> {
    let malformed =
        |error: serde_json::Error| DynoxideError::SerializationException(error.to_string());
    let request = serde_json::from_slice(body).map_err(malformed)?;
    serde_json::to_string(&operation(request)?).map_err(malformed)
}

#[cfg(test)]
mod tests;
