//! RFC 9457 problems: the only error answers this service gives.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::access::Denied;
use domain::invalid::Invalid;
use platform::blobs::BlobError;
use serde::Serialize;
use serde_json::{Map, Value};
use store::StoreError;

/// A refusal, with a stable type that programs can tell apart and words that people understand.
#[derive(Debug, Clone)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
    detail: Option<String>,
    errors: Vec<Invalid>,
    more: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The body of a problem.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ProblemBody {
    /// Stable and relative, e.g. `/problems/proposal-stale-revision`.
    #[schema(example = "/problems/invalid-fields")]
    #[serde(rename = "type")]
    kind: String,
    /// What kind of refusal this is.
    title: String,
    /// The HTTP status code.
    status: u16,
    /// This occurrence in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// Each field that cannot be accepted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Invalid>,
    /// Members of this kind of refusal alone.
    #[serde(flatten)]
    more: Map<String, Value>,
}

impl Problem {
    /// A refusal of its own kind: `kind` becomes `/problems/kind`.
    #[must_use]
    pub fn new(status: StatusCode, kind: &'static str, title: &'static str) -> Self {
        let (detail, errors, more, headers) = Default::default();
        Self(Box::new(Parts {
            status,
            kind,
            title,
            detail,
            errors,
            more,
            headers,
        }))
    }

    /// Says more of this occurrence.
    #[must_use]
    pub fn detail(mut self, detail: impl ToString) -> Self {
        self.0.detail = Some(detail.to_string());
        self
    }

    /// Adds a member of its own.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.more.insert(name.to_owned(), value.into());
        self
    }

    /// The status it will be answered with.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// Whether it is of this kind: `/problems/kind`.
    #[must_use]
    pub fn is(&self, kind: &str) -> bool {
        self.0.kind == kind
    }

    /// What kind of refusal it is, in words.
    #[must_use]
    pub fn title(&self) -> &'static str {
        self.0.title
    }

    /// The fields that cannot be accepted.
    #[must_use]
    pub fn errors(&self) -> &[Invalid] {
        &self.0.errors
    }

    /// 400: cannot be read.
    #[must_use]
    pub fn malformed(detail: impl ToString) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "malformed",
            "The request cannot be read",
        )
        .detail(detail)
    }

    /// 422: can be read, but these fields cannot be accepted.
    #[must_use]
    pub fn invalid(errors: Vec<Invalid>) -> Self {
        let title = "Some fields cannot be accepted";
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-fields", title);
        problem.0.errors = errors;
        problem
    }

    /// 422: one field cannot be accepted.
    #[must_use]
    pub fn invalid_field(pointer: impl Into<String>, detail: impl ToString) -> Self {
        Self::invalid(vec![Invalid {
            pointer: pointer.into(),
            detail: detail.to_string(),
        }])
    }

    /// 401: no token that could be accepted. Which check failed is nobody's business.
    #[must_use]
    pub fn unauthenticated() -> Self {
        let mut problem = Self::new(
            StatusCode::UNAUTHORIZED,
            "not-signed-in",
            "A valid access token is needed",
        );
        problem
            .0
            .headers
            .push((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
        problem
    }

    /// 401: a partner's request that cannot be accepted. Unknown partner, stale, forged or replayed: all alike.
    #[must_use]
    pub fn signature_refused() -> Self {
        let title = "A valid signature is needed";
        let mut problem = Self::new(StatusCode::UNAUTHORIZED, "signature-refused", title);
        let scheme = HeaderValue::from_static("Rapport-Signature");
        problem.0.headers.push((header::WWW_AUTHENTICATE, scheme));
        problem
    }

    /// 403: the caller sees the thing, but the act is not theirs.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "not-yours",
            "This is not yours to do",
        )
    }

    /// 404: absent, or invisible to this caller, which is the same.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "There is no such thing here",
        )
    }

    /// 409: not in this state.
    #[must_use]
    pub fn wrong_state(kind: &'static str, detail: impl ToString) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            kind,
            "This cannot be done as things stand",
        )
        .detail(detail)
    }

    /// 429: an hourly limit is reached; the next hour begins anew.
    #[must_use]
    pub fn too_many(now: DateTime<Utc>) -> Self {
        let title = "Too many requests in this hour";
        let mut problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", title);
        let wait = 3600 - now.timestamp().rem_euclid(3600);
        let wait = HeaderValue::from(wait);
        problem.0.headers.push((header::RETRY_AFTER, wait));
        problem
    }

    /// 503: nothing has been done, or finding out needs the same request again.
    #[must_use]
    pub fn unavailable() -> Self {
        let title = "The service is busy; send the same request again";
        let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", title);
        problem
            .0
            .headers
            .push((header::RETRY_AFTER, HeaderValue::from_static("2")));
        problem
    }

    /// 500: a defect of ours. Details go to the log, never to the caller.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something went wrong on our side",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Parts {
            status,
            kind,
            title,
            detail,
            errors,
            more,
            headers,
        } = *self.0;
        let body = ProblemBody {
            kind: format!("/problems/{kind}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail,
            errors,
            more,
        };
        let mut response = (status, Json(body)).into_response();
        let json = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response.headers_mut().extend(headers);
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable => Self::unavailable(),
            StoreError::BadCursor => Self::malformed("cursor: not one that this list gave out"),
            StoreError::TooLarge { .. } => {
                tracing::error!(%error, "an item has grown too large");
                let title = "This has grown larger than the service can keep";
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "too-large-to-keep", title)
            }
            StoreError::Refused(_) | StoreError::Newer { .. } | StoreError::Unreadable { .. } => {
                tracing::error!(%error, "the table gave no usable answer");
                Self::internal()
            }
        }
    }
}

impl From<BlobError> for Problem {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Unavailable(error) => {
                tracing::warn!(%error, "blobs gave no answer");
                Self::unavailable()
            }
            BlobError::TooLarge(_) | BlobError::NotAFileName | BlobError::NoLinks => {
                tracing::error!(%error, "blobs gave no usable answer");
                Self::internal()
            }
        }
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Invisible => Self::not_found(),
            Denied::NotYours => Self::forbidden(),
        }
    }
}

impl From<Vec<Invalid>> for Problem {
    fn from(errors: Vec<Invalid>) -> Self {
        Self::invalid(errors)
    }
}
