//! The API's own description: the OpenAPI document for programs, and a page made from it for people.

mod example;
mod page;
mod read;
mod schema;

use std::sync::LazyLock;

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api;
use crate::context::Shared;

/// How long the document may be kept: it changes only with a deployment.
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(show_document))
        .routes(routes!(show_page))
}

/// What both routes serve, made at the first request.
struct Documents {
    json: String,
    page: String,
    /// Lets the page use its own style and nothing else.
    policy: HeaderValue,
}

static DOCUMENTS: LazyLock<Documents> = LazyLock::new(|| {
    let document = serde_json::to_value(api::document()).unwrap_or_default();
    Documents::of(&document)
});

impl Documents {
    fn of(document: &Value) -> Self {
        Self {
            json: document.to_string(),
            page: page::render(document).into_string(),
            policy: policy(),
        }
    }
}

fn policy() -> HeaderValue {
    let style = STANDARD.encode(Sha256::digest(page::STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// Read the API's description as a program
///
/// This OpenAPI 3.1 document.
#[utoipa::path(get, path = "/openapi.json", tags = ["documents", api::PUBLIC_TAG], responses(
    (status = 200, content_type = "application/json", body = Value, example = json!({"openapi": "3.1.0"}))
))]
async fn show_document() -> Response {
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        ),
        (header::CACHE_CONTROL, KEPT),
    ];
    (headers, DOCUMENTS.json.as_str()).into_response()
}

/// Read the API's description as a person
///
/// A page made from the OpenAPI document. It loads nothing from elsewhere and runs no script.
#[utoipa::path(get, path = "/docs", tags = ["documents", api::PUBLIC_TAG], responses(
    (status = 200, content_type = "text/html", body = String, example = "<!DOCTYPE html>…")
))]
async fn show_page() -> Response {
    const REFERRER_POLICY: HeaderName = header::REFERRER_POLICY;
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (header::CACHE_CONTROL, KEPT),
        (header::CONTENT_SECURITY_POLICY, DOCUMENTS.policy.clone()),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (headers, DOCUMENTS.page.as_str()).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn attributes<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
        let opening = format!(" {name}=\"");
        page.split(&opening)
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect()
    }

    #[test]
    fn the_page_shows_every_operation_and_schema_of_the_document() {
        let document = serde_json::to_value(api::document()).unwrap();
        let page = DOCUMENTS.page.replace("<wbr>", "");
        for (path, item) in document["paths"].as_object().unwrap() {
            assert!(page.contains(path.as_str()), "{path} is not on the page");
            for operation in item.as_object().unwrap().values() {
                let summary = operation["summary"].as_str().unwrap();
                assert!(page.contains(summary), "{summary} is not on the page");
            }
        }
        for schema in document["components"]["schemas"]
            .as_object()
            .unwrap()
            .keys()
        {
            let id = format!(" id=\"schema-{schema}\"");
            assert!(page.contains(&id), "{schema} is not on the page");
        }
    }

    #[test]
    fn ids_are_unique_and_every_link_within_the_page_leads_somewhere() {
        let page = &DOCUMENTS.page;
        let ids = attributes(page, "id");
        let unique: BTreeSet<_> = ids.iter().copied().collect();
        assert_eq!(ids.len(), unique.len());
        let targets = attributes(page, "href").into_iter();
        let broken: BTreeSet<_> = targets
            .filter(|target| match target.strip_prefix('#') {
                Some(id) => !unique.contains(id),
                None => *target != "/openapi.json",
            })
            .collect();
        assert_eq!(broken, BTreeSet::new());
    }

    #[test]
    fn the_page_loads_and_runs_nothing() {
        let page = &DOCUMENTS.page;
        for loading in [
            "<script", "<img", "<link", "<iframe", " src=", "url(", "@import", " style=",
        ] {
            assert!(!page.contains(loading), "{loading} is on the page");
        }
        assert_eq!(page.matches("<style>").count(), 1);
        let policy = DOCUMENTS.policy.to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
    }
}
