//! What people ask, and what they are answered.

use axum::http::Method;
use serde_json::Value;

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) by: String,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<Value>,
}

impl Ask {
    pub(crate) fn get(by: &str, path: impl Into<String>) -> Self {
        Self {
            by: by.to_owned(),
            method: Method::GET,
            path: path.into(),
            headers: Vec::new(),
            body: None,
        }
    }

    pub(crate) fn post(
        by: &str,
        path: impl Into<String>,
        key: impl Into<String>,
        body: Value,
    ) -> Self {
        Self {
            method: Method::POST,
            headers: vec![("idempotency-key", key.into())],
            body: Some(body),
            ..Self::get(by, path)
        }
    }

    /// A file of comma-separated values.
    pub(crate) fn csv(
        by: &str,
        path: impl Into<String>,
        key: impl Into<String>,
        file: &str,
    ) -> Self {
        Self::post(by, path, key, Value::String(file.to_owned()))
    }

    pub(crate) fn put(by: &str, path: impl Into<String>, etag: &str, body: Value) -> Self {
        let ask = Self {
            method: Method::PUT,
            body: Some(body),
            ..Self::get(by, path)
        };
        ask.matching(etag)
    }

    pub(crate) fn matching(mut self, etag: &str) -> Self {
        self.headers.push(("if-match", etag.to_owned()));
        self
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) etag: String,
    pub(crate) body: Value,
}

impl Reply {
    /// The table may answer another time; everything else is final.
    pub(crate) fn is_final(&self) -> bool {
        self.status < 500
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    #[track_caller]
    pub(crate) fn text(&self, field: &str) -> String {
        self.body[field]
            .as_str()
            .unwrap_or_else(|| panic!("{field}: {}", self.body))
            .to_owned()
    }
}
