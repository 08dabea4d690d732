//! Lists, a page at a time.

use axum::Json;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use store::Page;

const DEFAULT_LIMIT: u16 = 50;
const MAX_LIMIT: u16 = 100;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// At most this many entries; 50 unless told, never more than 100.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// Where to go on, from an earlier page's `next`.
    cursor: Option<String>,
}

impl PageQuery {
    /// The number of entries to read.
    #[must_use]
    pub fn limit(&self) -> u16 {
        self.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT)
    }

    /// Where to go on.
    #[must_use]
    pub fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }
}

/// A page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Listed<T> {
    /// The entries, in the list's order.
    pub items: Vec<T>,
    /// The cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T: Serialize> Listed<T> {
    /// The page as views.
    pub fn of<S>(page: Page<S>, view: impl FnMut(S) -> T) -> Self {
        Self {
            items: page.items.into_iter().map(view).collect(),
            next: page.next,
        }
    }

    /// The answer, with a `Link` to the next page of the list at `uri`.
    #[must_use]
    pub fn at(self, uri: &Uri) -> Response {
        let next = self.next.clone();
        page_at(uri, next.as_deref(), self)
    }
}

/// The answer with one page of the list at `uri`, and a `Link` to the next.
#[must_use]
pub fn page_at(uri: &Uri, next: Option<&str>, page: impl Serialize) -> Response {
    let link = next.map(|next| next_link(uri, next));
    let mut response = Json(page).into_response();
    if let Some(Ok(link)) = link.map(|link| HeaderValue::from_str(&link)) {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

fn next_link(uri: &Uri, cursor: &str) -> String {
    let kept = uri.query().unwrap_or_default().split('&');
    let kept: Vec<&str> = kept
        .filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="))
        .collect();
    let query = kept
        .into_iter()
        .map(str::to_owned)
        .chain([format!("cursor={cursor}")]);
    let query = query.collect::<Vec<_>>().join("&");
    format!("<{}?{query}>; rel=\"next\"", uri.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_the_filter_and_replaces_the_cursor() {
        let uri: Uri = "/v1/tickets?queue=people&cursor=old&limit=5"
            .parse()
            .unwrap();
        assert_eq!(
            next_link(&uri, "new"),
            "</v1/tickets?queue=people&limit=5&cursor=new>; rel=\"next\""
        );
    }
}
