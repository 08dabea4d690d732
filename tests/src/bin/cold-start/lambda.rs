//! As much of Lambda as a function needs to start and to answer twice: its Runtime API on a port of this machine.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::due::Consumer;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::{Mutex, mpsc};

/// What one start took; times in milliseconds.
pub(crate) struct Started {
    /// From the process to its first request for work.
    pub(crate) to_next: f64,
    /// From handing out the first event to its answer.
    pub(crate) first_answer: f64,
    /// From handing out the second event to its answer: what an answer takes when everything is warm.
    pub(crate) second_answer: f64,
    /// What was answered, in short.
    pub(crate) status: String,
}

/// How long a start may take before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// The settings of a function.
pub(crate) fn environment(table: &str, endpoint: &str) -> Vec<(String, String)> {
    [
        ("AWS_ACCESS_KEY_ID", "none"),
        ("AWS_SECRET_ACCESS_KEY", "none"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL_DYNAMODB", endpoint),
        ("AWS_LAMBDA_FUNCTION_NAME", "measured"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "measured"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "measured"),
        ("RAPPORT_TABLE", table),
        ("RAPPORT_BUCKET", "measured"),
        ("RAPPORT_MAIL_FROM", "rapport@example.org"),
        ("RAPPORT_DEPLOYMENT_KEY", &"5a".repeat(32)),
        ("RAPPORT_ORGANISATION", "Measured"),
        ("RAPPORT_APP_URL", "https://app.example"),
        ("RAPPORT_EMERGENCY", "Ring 000."),
        ("RAPPORT_ISSUER", "https://issuer.example"),
        ("RAPPORT_AUDIENCE", "rapport"),
        ("RAPPORT_SCOPE", "rapport"),
        ("RAPPORT_QUEUES", &by_kind("https://queues.invalid/")),
        ("RAPPORT_QUEUE_ARNS", &by_kind("arn:aws:sqs:us-east-1:1:")),
        ("RAPPORT_SCHEDULE_GROUP", "measured"),
        ("RAPPORT_SCHEDULE_ROLE_ARN", "arn:aws:iam::1:role/measured"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

fn by_kind(prefix: &str) -> String {
    let kinds = Consumer::ALL.map(Consumer::kind);
    let queues = kinds.map(|kind| (kind.to_owned(), format!("{prefix}{kind}").into()));
    Value::Object(queues.into_iter().collect()).to_string()
}

/// Starts a function, has it answer `event` twice, and ends it.
pub(crate) async fn start(
    binary: &Path,
    environment: &[(String, String)],
    event: &Value,
) -> Result<Started, Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (heard, mut hears) = mpsc::unbounded_channel();
    let api = Arc::new(Api {
        event: event.to_string(),
        left: Mutex::new(2),
        heard,
    });
    let serving = tokio::spawn(async move { axum::serve(listener, router(api)).await });
    let begun = Instant::now();
    let mut process = Command::new(binary)
        .env_clear()
        .envs(environment.iter().cloned())
        .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let mut next = async |what: &str| {
        let heard = tokio::time::timeout(PATIENCE, hears.recv()).await;
        let missing = || format!("{}: no {what} within {PATIENCE:?}", binary.display());
        heard.ok().flatten().ok_or_else(missing)
    };
    let (asked, _) = next("request for work").await?;
    let (answered, status) = next("answer").await?;
    let (asked_again, _) = next("second request for work").await?;
    let (answered_again, _) = next("second answer").await?;
    process.kill().await?;
    serving.abort();
    let ms = |from: Instant, to: Instant| (to - from).as_secs_f64() * 1_000.0;
    Ok(Started {
        to_next: ms(begun, asked),
        first_answer: ms(asked, answered),
        second_answer: ms(asked_again, answered_again),
        status,
    })
}

struct Api {
    event: String,
    /// How many events are still handed out.
    left: Mutex<usize>,
    /// Whatever the function asks or answers, with the instant and what was said.
    heard: mpsc::UnboundedSender<(Instant, String)>,
}

fn router(api: Arc<Api>) -> Router {
    const INVOCATION: &str = "/2018-06-01/runtime/invocation";
    Router::new()
        .route(&format!("{INVOCATION}/next"), get(hand_out))
        .route(&format!("{INVOCATION}/{{id}}/response"), post(take))
        .route(&format!("{INVOCATION}/{{id}}/error"), post(take_error))
        .route("/2018-06-01/runtime/init/error", post(take_error))
        .with_state(api)
}

async fn hand_out(State(api): State<Arc<Api>>) -> Response {
    let now = Instant::now();
    {
        let mut left = api.left.lock().await;
        if *left == 0 {
            drop(left);
            return std::future::pending().await;
        }
        *left -= 1;
    }
    drop(api.heard.send((now, String::new())));
    let headers = [
        ("lambda-runtime-aws-request-id", "1"),
        ("lambda-runtime-deadline-ms", "4000000000000"),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:1:function:measured",
        ),
        ("content-type", "application/json"),
    ];
    (headers, api.event.clone()).into_response()
}

async fn take(State(api): State<Arc<Api>>, answer: Bytes) -> StatusCode {
    let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
    let status = match &answer["statusCode"] {
        Value::Null => "done".to_owned(),
        status => status.to_string(),
    };
    drop(api.heard.send((Instant::now(), status)));
    StatusCode::ACCEPTED
}

async fn take_error(State(api): State<Arc<Api>>, error: Bytes) -> StatusCode {
    let said = format!("error: {}", String::from_utf8_lossy(&error));
    drop(api.heard.send((Instant::now(), said)));
    StatusCode::ACCEPTED
}
