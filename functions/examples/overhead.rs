//! What a function's own code adds to a request, when nothing has to be waited for: microseconds and allocations of
//! a family's router, with and without the way through Lambda's event, beside a router with one empty handler.
//!
//! `cargo run --profile lambda -p rapport-functions --features lambda --example overhead`

use std::alloc::System;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use axum::Router;
use axum::routing::get;
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, Context as LambdaContext, LambdaEvent};
use platform::blobs::FolderBlobs;
use platform::clock::SystemClock;
use platform::ids::IdSource;
use platform::keys::DeploymentKey;
use platform::mail::FolderMail;
use platform::metrics::Metrics;
use platform::tokens::TokenRules;
use rapport_functions::api::Routes;
use rapport_functions::context::{Context, Deployment, Shared};
use rapport_functions::matcher::Matcher;
use rapport_functions::{activation, docs, lambda, person, signup, ticket};
use serde_json::{Value, json};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region as Allocations, StatsAlloc};
use store::Store;
use tower::{Service, ServiceExt};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

type Error = Box<dyn std::error::Error + Send + Sync>;

const ROUNDS: usize = 15;
const REQUESTS: u32 = 2_000;

/// One request, and how it is answered.
struct Case {
    what: &'static str,
    routes: Routes,
    method: &'static str,
    path: &'static str,
    signed_in: bool,
    body: &'static str,
    status: u16,
}

/// Requests that are answered without anything outside, and two that read once from a table that answers at once.
const CASES: [Case; 6] = [
    Case {
        what: "docs: the page to read",
        routes: docs::router,
        method: "GET",
        path: "/docs",
        signed_in: false,
        body: "",
        status: 200,
    },
    Case {
        what: "ticket: nobody is signed in",
        routes: ticket::router,
        method: "GET",
        path: "/v1/tickets",
        signed_in: false,
        body: "",
        status: 401,
    },
    Case {
        what: "ticket: no such route",
        routes: ticket::router,
        method: "GET",
        path: "/v1/none",
        signed_in: true,
        body: "",
        status: 404,
    },
    Case {
        what: "activation: an empty field",
        routes: activation::router,
        method: "POST",
        path: "/v1/activations",
        signed_in: true,
        body: r#"{"token": ""}"#,
        status: 422,
    },
    Case {
        what: "signup: one read",
        routes: signup::router,
        method: "POST",
        path: "/v1/partners/ptn_01900000000070008000000000000001/signups",
        signed_in: false,
        body: "{}",
        status: 401,
    },
    Case {
        what: "person: one read",
        routes: person::router,
        method: "GET",
        path: "/v1/me",
        signed_in: true,
        body: "",
        status: 403,
    },
];

/// What one request takes in the median.
struct Taken {
    time: Duration,
    allocations: usize,
    bytes: usize,
}

fn main() -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(measure())
}

async fn measure() -> Result<(), Error> {
    let context = context()?;
    println!(
        "{:30} {:>10} {:>7} {:>7} {:>9} {:>10} {:>7} {:>7} {:>9}",
        "", "router us", "ratio", "allocs", "bytes", "event us", "ratio", "allocs", "bytes"
    );
    let empty = Router::new().route("/", get(async || {}));
    let nothing = event("GET", "/", false, "");
    let base = [
        through_router(&empty, &nothing, 200).await?,
        through_event(&empty, &nothing, 200).await?,
    ];
    print("an empty handler", &base, &base);
    for case in CASES {
        let router = lambda::service(case.routes, context.clone());
        let event = event(case.method, case.path, case.signed_in, case.body);
        let taken = [
            through_router(&router, &event, case.status).await?,
            through_event(&router, &event, case.status).await?,
        ];
        print(case.what, &taken, &base);
    }
    Ok(())
}

fn print(what: &str, taken: &[Taken; 2], base: &[Taken; 2]) {
    print!("{what:30}");
    for (taken, base) in taken.iter().zip(base) {
        let micros = |taken: &Taken| taken.time.as_secs_f64() * 1e6;
        print!(
            " {:>10.2} {:>7.2} {:>7} {:>9}",
            micros(taken),
            micros(taken) / micros(base),
            taken.allocations,
            taken.bytes
        );
    }
    println!();
}

/// From a request as the runtime hands it on to the last byte of the answer.
async fn through_router(router: &Router, event: &[u8], status: u16) -> Result<Taken, Error> {
    let request: LambdaRequest = serde_json::from_slice(event)?;
    let (parts, body) = lambda_http::Request::from(request).into_parts();
    let body = body.to_vec();
    let request = || {
        let body = axum::body::Body::from(body.clone());
        axum::extract::Request::from_parts(parts.clone(), body)
    };
    repeated(async || {
        let request = request();
        let region = Allocations::new(ALLOCATOR);
        let begun = Instant::now();
        let answer = router.clone().oneshot(request).await?;
        let answered = answer.status().as_u16();
        axum::body::to_bytes(answer.into_body(), usize::MAX).await?;
        let (time, change) = (begun.elapsed(), region.change());
        expect(answered, status)?;
        Ok((time, change.allocations, change.bytes_allocated))
    })
    .await
}

/// From the bytes of Lambda's event to the bytes of the answer to it.
async fn through_event(router: &Router, event: &[u8], status: u16) -> Result<Taken, Error> {
    let mut adapter = Adapter::from(router.clone());
    repeated(async || {
        let context = LambdaContext::default();
        let region = Allocations::new(ALLOCATOR);
        let begun = Instant::now();
        let request: LambdaRequest = serde_json::from_slice(event)?;
        let answer = adapter.call(LambdaEvent::new(request, context)).await?;
        let answer = serde_json::to_vec(&answer)?;
        let (time, change) = (begun.elapsed(), region.change());
        let answer: Value = serde_json::from_slice(&answer)?;
        let answered = answer.get("statusCode").and_then(Value::as_u64);
        expect(
            answered
                .and_then(|code| u16::try_from(code).ok())
                .unwrap_or_default(),
            status,
        )?;
        Ok((time, change.allocations, change.bytes_allocated))
    })
    .await
}

/// The median round's mean.
async fn repeated(
    mut once: impl AsyncFnMut() -> Result<(Duration, usize, usize), Error>,
) -> Result<Taken, Error> {
    let mut rounds = Vec::with_capacity(ROUNDS);
    let (mut allocations, mut bytes) = (0, 0);
    for _ in 0..ROUNDS {
        let mut time = Duration::ZERO;
        for _ in 0..REQUESTS {
            let taken = once().await?;
            time += taken.0;
            (allocations, bytes) = (taken.1, taken.2);
        }
        rounds.push(time / REQUESTS);
    }
    rounds.sort();
    let time = rounds.get(ROUNDS / 2).copied().unwrap_or_default();
    Ok(Taken {
        time,
        allocations,
        bytes,
    })
}

fn expect(answered: u16, status: u16) -> Result<(), Error> {
    if answered == status {
        Ok(())
    } else {
        Err(format!("answered {answered} in place of {status}").into())
    }
}

fn event(method: &str, path: &str, signed_in: bool, body: &str) -> Vec<u8> {
    let claims = json!({"jwt": {"scopes": null, "claims": {
        "iss": "https://issuer.example", "sub": "nobody", "aud": "rapport", "token_use": "access",
        "scope": "rapport", "iat": "1700000000", "exp": "4000000000",
    }}});
    let event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
        "headers": {
            "content-type": "application/json", "idempotency-key": "overhead", "host": "api.example",
            "user-agent": "overhead", "accept": "application/json", "x-forwarded-for": "192.0.2.1",
        },
        "requestContext": {
            "accountId": "1", "apiId": "a", "stage": "$default", "requestId": "r", "routeKey": "$default",
            "time": "26/Nov/2026:00:00:00 +0000", "timeEpoch": 1_795_000_000_000_u64,
            "http": {
                "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1",
                "userAgent": "overhead",
            },
            "authorizer": if signed_in { claims } else { Value::Null },
        },
        "body": body, "isBase64Encoded": false,
    });
    event.to_string().into_bytes()
}

/// A context over a table that holds nothing and answers without being asked twice.
fn context() -> Result<Shared, Error> {
    let connector = SharedHttpConnector::new(Nothing);
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::for_tests())
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .retry_config(RetryConfig::disabled())
        .build();
    let folder = tempfile::tempdir()?;
    let clock = Arc::new(SystemClock);
    Ok(Arc::new(Context {
        store: Store::new(aws_sdk_dynamodb::Client::from_conf(config), "nothing"),
        ids: Arc::new(IdSource::from_os(clock.clone())?),
        clock,
        key: DeploymentKey::from_bytes(&[7; 32]),
        token_rules: TokenRules {
            issuer: "https://issuer.example".to_owned(),
            audience: "rapport".to_owned(),
            scope: "rapport".to_owned(),
        },
        mail: Arc::new(FolderMail::open(folder.path(), "rapport@example.org")?),
        blobs: Arc::new(FolderBlobs::open(folder.path())?),
        matcher: Matcher::default(),
        metrics: Metrics::none(),
        deployment: Deployment {
            organisation: "Measured".to_owned(),
            app_url: "https://app.example".to_owned(),
            emergency: "Ring 000.".to_owned(),
            first_administrator: None,
        },
    }))
}

/// A table that holds nothing.
#[derive(Debug)]
struct Nothing;

impl HttpConnector for Nothing {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let ok = StatusCode::try_from(200_u16);
        HttpConnectorFuture::ready(
            ok.map(|ok| HttpResponse::new(ok, SdkBody::from("{}")))
                .map_err(|error| {
                    aws_smithy_runtime_api::client::result::ConnectorError::other(
                        error.into(),
                        None,
                    )
                }),
        )
    }
}
