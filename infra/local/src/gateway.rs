//! The gateway in front of the functions: what API Gateway is on AWS.

use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use functions::context::Shared;
use functions::problem::Problem;
use platform::tokens::TokenVerifier;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;

use crate::instruments::Bench;
use crate::ticker::Ticker;

/// How many requests are answered at the same time; more are asked to come back. The table does one thing after
/// another: with several times as many, those that are let in wait so long that they are given up.
const MOST_AT_ONCE: usize = 64;

/// Checks tokens, and keeps more requests than it can bear away from the functions.
#[derive(Clone)]
pub struct Gateway {
    verifier: Arc<TokenVerifier>,
    context: Shared,
    ticker: Arc<Ticker>,
    places: Arc<Semaphore>,
    bench: Bench,
}

impl Gateway {
    /// A gateway that trusts the keys of `verifier`.
    #[must_use]
    pub fn new(
        verifier: TokenVerifier,
        context: Shared,
        ticker: Arc<Ticker>,
        bench: Bench,
    ) -> Self {
        let places = Arc::new(Semaphore::new(MOST_AT_ONCE));
        Self {
            verifier: Arc::new(verifier),
            context,
            ticker,
            places,
            bench,
        }
    }
}

/// Puts the gateway in front of `api`.
pub fn guard(gateway: Gateway, api: Router) -> Router {
    api.layer(from_fn_with_state(gateway, pass))
        .layer(CatchPanicLayer::custom(|_| {
            Problem::internal().into_response()
        }))
}

async fn pass(State(gateway): State<Gateway>, mut request: Request, next: Next) -> Response {
    let Ok(_place) = gateway.places.try_acquire() else {
        return Problem::unavailable().into_response();
    };
    if let Some(token) = bearer(request.headers()) {
        let now = gateway.context.now();
        let claims = token.and_then(|token| gateway.verifier.claims(token).ok());
        let accepted =
            claims.filter(|claims| gateway.context.token_rules.check(claims, now).is_ok());
        let Some(claims) = accepted else {
            return Problem::unauthenticated().into_response();
        };
        request.extensions_mut().insert(claims);
    }
    let only_reads = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    let operation = operation(&request);
    let response = gateway.bench.during(operation, 1, next.run(request)).await;
    if !only_reads {
        gateway.ticker.wake();
    }
    response
}

/// The operation as the API's document names it, e.g. `GET /v1/clients/{client}`.
fn operation(request: &Request) -> String {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("(no operation)", MatchedPath::as_str);
    format!("{} {route}", request.method())
}

/// The bearer token: none, or one that cannot even be read.
fn bearer(headers: &HeaderMap) -> Option<Option<&str>> {
    let value = headers.get(header::AUTHORIZATION)?;
    Some(value.to_str().ok().and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token)
    }))
}
