//! A family behind API Gateway's HTTP API.

use std::time::Instant;

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
    let router = api::family(routes, context);
    let router = router.layer(from_fn(hand_on_claims)).layer(from_fn(follow));
    lambda_http::run(router).await
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
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::extract::Extension;
    use axum::routing::get;
    use chrono::DateTime;
    use platform::tokens::TokenRules;
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
