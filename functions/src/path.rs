//! Path and query parameters, with problems instead of plain-text rejections.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use domain::invalid::Invalid;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// Path parameters. An id that is none names nothing: 404.
#[derive(Debug)]
pub struct Path<T>(pub T);

/// Query parameters. Unknown ones are ignored, as links grow them.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(_) => Err(Problem::not_found()),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = serde_urlencoded::Deserializer::new(form_pairs(query));
        serde_path_to_error::deserialize(pairs)
            .map(Self)
            .map_err(|error| {
                let pointer = format!("?{}", error.path());
                Problem::invalid(vec![Invalid {
                    pointer,
                    detail: error.inner().to_string(),
                }])
            })
    }
}

fn form_pairs(query: &str) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(query.as_bytes())
}
