//! What to do in an emergency: said in every answer to a safety report, whatever the answer is.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::context::Deployment;
use crate::problem::Problem;

/// What to do in an emergency, and whom to ring.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Emergency {
    /// In words of this deployment.
    #[schema(example = "If anybody is in danger now, ring 000.")]
    words: String,
}

impl Emergency {
    /// What a deployment says.
    #[must_use]
    pub fn of(deployment: &Deployment) -> Self {
        Self {
            words: deployment.emergency.clone(),
        }
    }
}

/// What an answer of this family holds: what it would, and whom to ring.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes what is added on the way out")]
pub(super) struct Said<T> {
    #[schema(inline)]
    #[serde(flatten)]
    answer: T,
    emergency: Emergency,
}

/// Adds `emergency` to whatever is answered, refusals before any handler runs included.
pub(super) async fn say(request: Request, next: Next) -> Response {
    let said = request.extensions().get::<Emergency>().cloned();
    let response = next.run(request).await;
    match said {
        Some(emergency) => with(response, &emergency).await,
        None => response,
    }
}

async fn with(response: Response, emergency: &Emergency) -> Response {
    let (mut parts, body) = response.into_parts();
    // It was made here, in memory, and is as long as it is.
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return Problem::internal().into_response();
    };
    let Ok(Value::Object(mut members)) = serde_json::from_slice(&bytes) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    members.insert("emergency".to_owned(), json!(emergency));
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(Value::Object(members).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{StatusCode, header};

    async fn said(response: Response) -> (Response, Value) {
        let emergency = Emergency {
            words: "Ring 000.".to_owned(),
        };
        let (parts, body) = with(response, &emergency).await.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let json = serde_json::from_slice(&bytes).unwrap_or_default();
        (Response::from_parts(parts, Body::empty()), json)
    }

    #[tokio::test]
    async fn an_answer_keeps_all_it_says_and_says_whom_to_ring() {
        let made = (
            StatusCode::CREATED,
            [(header::ETAG, "\"1\"")],
            axum::Json(json!({"id": 7})),
        );
        let (response, body) = said(made.into_response()).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(response.headers()[header::ETAG], "\"1\"");
        assert_eq!(body, json!({"id": 7, "emergency": {"words": "Ring 000."}}));
    }

    #[tokio::test]
    async fn a_refusal_stays_a_problem_and_says_whom_to_ring() {
        let (response, body) =
            said(Problem::too_many(chrono::DateTime::UNIX_EPOCH).into_response()).await;
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert!(response.headers().contains_key(header::RETRY_AFTER));
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "application/problem+json"
        );
        assert_eq!(body["type"], "/problems/too-many-requests");
        assert_eq!(body["emergency"], json!({"words": "Ring 000."}));
    }
}
