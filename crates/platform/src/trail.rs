//! What a line of a function's log is followed by: the ids of the request or message that it belongs to, of the trace,
//! of the commit that it came to and of the act that this follows from.
//!
//! They stand on the span around the work, and so on every line that is written meanwhile, by whomever.
//!
//! RULE: what stands here are ids, codes and numbers, and the types see to it: [`Mark`] takes nothing that could be
//! words, and everything else is ours.

use std::fmt;
use std::time::Duration;

use domain::id::CommitId;
use tracing::Span;
use tracing::field::{Empty, display};

/// The most characters of an id that somebody else made.
const LONGEST: usize = 128;

/// An id that somebody else made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark(String);

impl Mark {
    /// `text` if it is made of letters, digits, `-`, `_` and `=`, and not long.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte);
        let is_id = (1..=LONGEST).contains(&text.len()) && text.bytes().all(allowed);
        is_id.then(|| Self(text.to_owned()))
    }

    /// The id of the trace in X-Ray's header: `Root=1-…;Parent=…;Sampled=1`.
    #[must_use]
    pub fn of_trace(header: &str) -> Option<Self> {
        let mut parts = header.split(';');
        parts.find_map(|part| Self::read(part.trim().strip_prefix("Root=")?))
    }

    /// The id of the caller's own trace in a `traceparent` header, as W3C's Trace Context has it.
    #[must_use]
    pub fn of_caller_trace(header: &str) -> Option<Self> {
        let mut parts = header.split('-');
        let (version, trace) = (parts.next()?, parts.next()?);
        let hexadecimal = |text: &str, length| {
            let allowed = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            text.len() == length && text.bytes().all(allowed)
        };
        let is_id = hexadecimal(trace, 32) && trace.bytes().any(|digit| digit != b'0');
        (hexadecimal(version, 2) && is_id).then(|| Self(trace.to_owned()))
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One call of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    request: Option<Mark>,
    trace: Option<Mark>,
}

impl Invocation {
    /// What Lambda calls it: its request's id, and X-Ray's header if there is one.
    #[must_use]
    pub fn of(request: &str, trace: Option<&str>) -> Self {
        Self {
            request: Mark::read(request),
            trace: trace.and_then(Mark::of_trace),
        }
    }

    /// The span of one request over HTTP. `route` is the route as it is described, never a path.
    #[must_use]
    pub fn request(
        &self,
        api_request: Option<&Mark>,
        caller_trace: Option<&Mark>,
        method: &'static str,
        route: &str,
    ) -> Span {
        tracing::info_span!(
            "request",
            request = self.request.as_ref().map(display),
            trace = self.trace.as_ref().map(display),
            api_request = api_request.map(display),
            caller_trace = caller_trace.map(display),
            method,
            route,
            commit = Empty,
        )
    }

    /// The span of one message of a consumer's queue, which has been received so many times.
    #[must_use]
    pub fn message(
        &self,
        kind: &'static str,
        message: Option<&Mark>,
        received: Option<u32>,
    ) -> Span {
        tracing::info_span!(
            "message",
            request = self.request.as_ref().map(display),
            trace = self.trace.as_ref().map(display),
            kind,
            message = message.map(display),
            received,
            act = Empty,
            commit = Empty,
        )
    }

    /// The span of one run of a function that serves neither.
    #[must_use]
    pub fn run(&self) -> Span {
        tracing::info_span!(
            "run",
            request = self.request.as_ref().map(display),
            trace = self.trace.as_ref().map(display),
        )
    }
}

/// Says on this span what its work follows from: the audited commit that wrote the due row.
pub fn follows(act: Option<CommitId>) {
    if let Some(act) = act {
        Span::current().record("act", display(act));
    }
}

/// Says on this span what its work came to. Where that is more than one commit, the last one stays.
pub fn came_to(commit: CommitId) {
    Span::current().record("commit", display(commit));
}

/// A duration as it stands in a log line.
#[must_use]
pub fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::telemetry::LogFormat;
    use crate::telemetry::tests::logged;

    #[test]
    fn ids_are_told_from_words() {
        for id in [
            "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
            "JKJaXmPLvHcESHA=",
            "1-5759e988-bd862e3fe1be46a994272793",
        ] {
            assert_eq!(Mark::read(id).unwrap().to_string(), id);
        }
        let long = "a".repeat(LONGEST + 1);
        for words in ["", "Ada Osei", "ada@example.org", "a\nb", "é", &long] {
            assert_eq!(Mark::read(words), None, "{words:?}");
        }
    }

    #[test]
    fn a_trace_is_found_in_the_headers_that_carry_one() {
        let xray = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
        let trace = Mark::of_trace(xray).unwrap();
        assert_eq!(trace.to_string(), "1-5759e988-bd862e3fe1be46a994272793");
        assert_eq!(Mark::of_trace("Sampled=0"), None);
        assert_eq!(Mark::of_trace("Root=Ada Osei"), None);
        let caller = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let trace = Mark::of_caller_trace(caller).unwrap();
        assert_eq!(trace.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        for other in [
            "",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-ada.osei@example.org-00f067aa0ba902b7-01",
            "ada-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(Mark::of_caller_trace(other), None, "{other:?}");
        }
    }

    #[test]
    fn every_line_of_a_message_says_which_and_what_it_came_to() {
        let line = logged(LogFormat::Json, "info", || {
            let trace = Some("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0");
            let invocation = Invocation::of("8476a536-e9f4-11e8-9739-2dfe598c3fcd", trace);
            let message = Mark::read("059f36b4-87a3-44ab-83d2-661975830a7d");
            let span = invocation.message("notification", message.as_ref(), Some(2));
            span.in_scope(|| {
                follows(Some(CommitId::from_uuid(Uuid::from_u128(1))));
                came_to(CommitId::from_uuid(Uuid::from_u128(2)));
                came_to(CommitId::from_uuid(Uuid::from_u128(3)));
                tracing::info!("done");
            });
        });
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            line["span"],
            serde_json::json!({
                "name": "message", "request": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
                "trace": "1-5759e988-bd862e3fe1be46a994272793", "kind": "notification",
                "message": "059f36b4-87a3-44ab-83d2-661975830a7d", "received": 2,
                "act": "cmt_00000000000000000000000000000001",
                "commit": "cmt_00000000000000000000000000000003",
            })
        );
    }
}
