//! What a step consists of: who calls, what they send, and what should come back.

use std::borrow::Cow;

use serde_json::Value;

use crate::community::Samples;

/// Somebody in the story.
#[derive(Debug, Clone)]
pub(super) struct Who {
    /// Who they are to the reader.
    pub(super) name: Cow<'static, str>,
    /// Their login; none for somebody who is not signed in.
    pub(super) subject: Option<Cow<'static, str>>,
}

impl Who {
    pub(super) const fn with_login(name: &'static str, subject: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            subject: Some(Cow::Borrowed(subject)),
        }
    }

    /// The sample support worker with this id, whom only the story itself finds.
    pub(super) fn sample_worker(samples: &Samples, id: &str) -> Option<Self> {
        let worker = samples.known().find(|known| known.id == id)?;
        Some(Self {
            name: format!("{}, support worker,", worker.given()).into(),
            subject: Some(worker.subject().to_owned().into()),
        })
    }

    pub(super) const fn stranger(name: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            subject: None,
        }
    }
}

/// One request, and the status it should be answered with.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) method: reqwest::Method,
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<(&'static str, Vec<u8>)>,
    pub(super) expected: u16,
    pub(super) shown: &'static [&'static str],
}

impl Call {
    fn new(method: reqwest::Method, path: impl Into<String>, expected: u16) -> Self {
        Self {
            method,
            path: path.into(),
            headers: Vec::new(),
            body: None,
            expected,
            shown: &[],
        }
    }

    pub(super) fn get(path: impl Into<String>) -> Self {
        Self::new(reqwest::Method::GET, path, 200)
    }

    pub(super) fn post(path: impl Into<String>, body: &Value) -> Self {
        let call = Self::new(reqwest::Method::POST, path, 201);
        call.sending("application/json", body.to_string().into_bytes())
    }

    /// An edit of what carries the ETag `tag`.
    pub(super) fn put(path: impl Into<String>, tag: &str, body: &Value) -> Self {
        let call = Self::new(reqwest::Method::PUT, path, 200).with("if-match", tag);
        call.sending("application/json", body.to_string().into_bytes())
    }

    pub(super) fn sending(mut self, content_type: &'static str, body: Vec<u8>) -> Self {
        self.body = Some((content_type, body));
        self
    }

    pub(super) fn with(mut self, header: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((header, value.into()));
        self
    }

    /// The status that should come back, where it is not the usual one.
    pub(super) const fn answered(mut self, status: u16) -> Self {
        self.expected = status;
        self
    }

    /// The parts of the answer worth showing, as JSON pointers.
    pub(super) const fn showing(mut self, pointers: &'static [&'static str]) -> Self {
        self.shown = pointers;
        self
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    /// The whole body as text.
    pub(super) text: String,
    /// The same as JSON, or null.
    pub(super) json: Value,
    /// The ETag, if any.
    pub(super) tag: String,
    /// Where a redirect leads, if anywhere.
    pub(super) location: String,
}

impl Answer {
    /// The text at a JSON pointer, or nothing.
    pub(super) fn at(&self, pointer: &str) -> String {
        match self.json.pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        }
    }

    /// The list at a JSON pointer; empty if there is none.
    pub(super) fn list(&self, pointer: &str) -> &[Value] {
        self.json
            .pointer(pointer)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }
}
