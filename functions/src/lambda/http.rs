//! A family behind API Gateway's HTTP API.

use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use lambda_http::request::RequestContext;
use platform::tokens::Claims;
use platform::trail::{Invocation, Mark, milliseconds};
use serde_json::{Map, Value};
use tracing::{Instrument, Span};

use super::{Error, invocation};
use crate::api::{self, Routes};
use crate::context::Shared;

pub(super) async fn run(routes: Routes, context: Shared) -> Result<(), Error> {
    lambda_http::run(service(routes, context)).await
}

/// One family as it answers behind API Gateway.
pub fn service(routes: Routes, context: Shared) -> Router {
    let router = api::family(routes, context);
    router.layer(from_fn(hand_on_claims)).layer(from_fn(follow))
}

/// Puts what a request can be followed by on every line that is logged for it, and logs how it was answered.
async fn follow(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let span = span(&request);
    let answering = async {
        let response = next.run(request).await;
        let status = response.status().as_u16();
        let milliseconds = milliseconds(begun.elapsed());
        tracing::info!(status, milliseconds, "answered");
        response
    };
    answering.instrument(span).await
}

fn span(request: &Request) -> Span {
    let extensions = request.extensions();
    let of_lambda = extensions.get::<lambda_runtime::Context>();
    let invocation = of_lambda.map_or_else(|| Invocation::of("", None), invocation);
    let api_request = match extensions.get::<RequestContext>() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.as_deref(),
        _ => None,
    };
    let caller_trace = request.headers().get("traceparent");
    let caller_trace = caller_trace.and_then(|header| header.to_str().ok());
    let route = extensions.get::<MatchedPath>();
    invocation.request(
        api_request.and_then(Mark::read).as_ref(),
        caller_trace.and_then(Mark::of_caller_trace).as_ref(),
        method(request.method()),
        route.map_or("none", MatchedPath::as_str),
    )
}

/// A caller can make methods up; what they are called is not logged.
const fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Puts the claims of the token that the authorizer has verified where [`crate::caller`] looks for
/// them. Claims that cannot be read are left out, and so the caller is not signed in.
async fn hand_on_claims(mut request: Request, next: Next) -> Response {
    let claims = request
        .extensions()
        .get::<RequestContext>()
        .and_then(claims);
    if let Some(claims) = claims {
        request.extensions_mut().insert(claims);
    }
    next.run(request).await
}

fn claims(context: &RequestContext) -> Option<Claims> {
    let RequestContext::ApiGatewayV2(context) = context else {
        return None;
    };
    let authorized = context.authorizer.as_ref()?.jwt.as_ref()?;
    let claims: Map<_, _> = authorized
        .claims
        .iter()
        .map(|(name, text)| (name.clone(), claim(name, text)))
        .collect();
    serde_json::from_value(claims.into())
        .inspect_err(|error| tracing::warn!(%error, "the authorizer's claims cannot be read"))
        .ok()
}

/// The authorizer hands every claim on as text, a list as `[one two]`. Only the audience can be a list.
fn claim(name: &str, text: &str) -> Value {
    let list = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    match list {
        Some(list) if name == "aud" => list.split_whitespace().collect(),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use axum::body::{Body, to_bytes};
    use axum::extract::Extension;
    use axum::routing::get;
    use chrono::DateTime;
    use domain::id::CommitId;
    use platform::telemetry::{LogFormat, logger};
    use platform::tokens::TokenRules;
    use platform::trail;
    use serde_json::json;
    use tower::ServiceExt;

    use super::*;

    const SUBJECT: &str = "0190b2f0";

    fn context(authorizer: Value) -> RequestContext {
        let context = json!({
            "routeKey": "GET /v1/tickets", "accountId": "1", "stage": "$default", "apiId": "a",
            "requestId": "r", "time": "", "timeEpoch": 0,
            "http": {"method": "GET", "path": "/v1/tickets", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
            "authorizer": authorizer,
        });
        RequestContext::ApiGatewayV2(serde_json::from_value(context).unwrap())
    }

    fn authorizer(audience: &str) -> Value {
        json!({"jwt": {"scopes": null, "claims": {
            "iss": "https://issuer.example", "sub": SUBJECT, "aud": audience, "token_use": "access",
            "scope": "openid rapport", "iat": "1800000000", "exp": "1800003600",
        }}})
    }

    fn rules() -> TokenRules {
        TokenRules {
            issuer: "https://issuer.example".into(),
            audience: "rapport".into(),
            scope: "rapport".into(),
        }
    }

    #[test]
    fn the_authorizers_text_becomes_claims_that_pass_the_rules() {
        let now = DateTime::from_timestamp(1_800_000_060, 0).unwrap();
        for audience in ["rapport", "[other rapport]"] {
            let claims = claims(&context(authorizer(audience))).unwrap();
            assert_eq!(rules().check(&claims, now).unwrap().subject, SUBJECT);
        }
        let others = claims(&context(authorizer("[other another]"))).unwrap();
        assert!(rules().check(&others, now).is_err());
    }

    #[test]
    fn without_a_complete_token_nobody_is_signed_in() {
        for authorizer in [
            json!(null),
            json!({"iam": {}}),
            json!({"jwt": {"claims": {"sub": SUBJECT}}}),
            json!({"lambda": {"sub": SUBJECT}}),
        ] {
            assert!(claims(&context(authorizer)).is_none());
        }
    }

    /// What was logged.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_request_is_followed_by_ids_and_its_route_and_by_nothing_of_its_path() {
        let lines = Lines::default();
        let writer = lines.clone();
        let logger = logger(LogFormat::Json, "info", move || writer.clone());
        let logging = tracing::dispatcher::set_default(&logger);
        let commit = CommitId::from_uuid("0190b2f06bd47c5a9a3e5b7f21d4c8ae".parse().unwrap());
        let handler = async move || trail::came_to(commit);
        let router = Router::new()
            .route("/v1/people/{person}", get(handler))
            .layer(from_fn(follow));
        let mut request = Request::builder()
            .uri("/v1/people/ada@example.org?name=Osei")
            .header(
                "traceparent",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            )
            .body(Body::empty())
            .unwrap();
        let mut of_lambda = lambda_runtime::Context::default();
        of_lambda.request_id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd".into();
        of_lambda.xray_trace_id = Some("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1".into());
        request.extensions_mut().insert(of_lambda);
        request.extensions_mut().insert(context(json!(null)));
        router.oneshot(request).await.unwrap();
        drop(logging);

        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        for personal in ["ada", "example.org", "Osei"] {
            assert!(!text.contains(personal), "{text}");
        }
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&line["message"], &line["status"]),
            (&json!("answered"), &json!(200))
        );
        assert!(line["milliseconds"].is_u64());
        assert_eq!(
            line["span"],
            json!({
                "name": "request", "request": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
                "trace": "1-5759e988-bd862e3fe1be46a994272793", "api_request": "r",
                "caller_trace": "4bf92f3577b34da6a3ce929d0e0e4736",
                "method": "GET", "route": "/v1/people/{person}",
                "commit": "cmt_0190b2f06bd47c5a9a3e5b7f21d4c8ae",
            })
        );
    }

    #[tokio::test]
    async fn a_router_finds_the_claims_in_its_request() {
        let signed_in = async |claims: Option<Extension<Claims>>| claims.is_some().to_string();
        let router = Router::new()
            .route("/", get(signed_in))
            .layer(from_fn(hand_on_claims));
        for (authorizer, expected) in [(authorizer("rapport"), "true"), (json!(null), "false")] {
            let mut request = Request::new(Body::empty());
            request.extensions_mut().insert(context(authorizer));
            let answer = router.clone().oneshot(request).await.unwrap();
            let body = to_bytes(answer.into_body(), 100).await.unwrap();
            assert_eq!(body, expected);
        }
    }
}
