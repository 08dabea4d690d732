//! What came back, and what it should have been.

use std::ops::Index;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// An answer, with what was asked, so that a failed expectation tells the whole story.
#[derive(Debug, Clone)]
pub struct Answer {
    asked: String,
    status: StatusCode,
    headers: HeaderMap,
    text: String,
    json: Value,
}

impl Answer {
    pub(crate) async fn of(asked: String, response: reqwest::Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        let json = serde_json::from_str(&text).unwrap_or_default();
        Self {
            asked,
            status,
            headers,
            text,
            json,
        }
    }

    /// Fails unless the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert!(
            self.status == status,
            "expected {status} from\n{}\nbut got {}\n{:#?}\n{}",
            self.asked,
            self.status,
            self.headers,
            self.text
        );
        self
    }

    /// Fails unless it is a problem of this status and kind, e.g. `ticket-closed`.
    #[track_caller]
    pub fn expect_problem(self, status: u16, kind: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json"),
            "{}",
            answer.asked
        );
        assert_eq!(answer["status"], status, "{}", answer.text);
        assert_eq!(
            answer["type"],
            format!("/problems/{kind}"),
            "{}",
            answer.text
        );
        answer
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// A header, if it is there and readable.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Every header, as text.
    #[must_use]
    pub fn headers(&self) -> String {
        format!("{:?}", self.headers)
    }

    /// Everything that came but for the date: status, headers and body.
    #[must_use]
    pub fn whole(&self) -> String {
        let mut headers = self.headers.clone();
        headers.remove("date");
        format!("{} {headers:?}\n{}", self.status, self.text)
    }

    /// The version that was shown.
    #[must_use]
    #[track_caller]
    pub fn etag(&self) -> String {
        self.header("etag").expect("an ETag").to_owned()
    }

    /// Whether it repeats an earlier answer.
    #[must_use]
    pub fn replayed(&self) -> bool {
        self.header("idempotency-replayed") == Some("true")
    }

    /// The address of the next page.
    #[must_use]
    pub fn next_page(&self) -> Option<String> {
        let link = self.header("link")?;
        let address = link.strip_prefix('<')?.strip_suffix(">; rel=\"next\"")?;
        Some(address.to_owned())
    }

    /// The body as it came.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The body; null where it is no JSON.
    #[must_use]
    pub const fn json(&self) -> &Value {
        &self.json
    }

    /// A text in the body.
    #[must_use]
    #[track_caller]
    pub fn string(&self, field: &str) -> String {
        let found = self.json[field].as_str();
        found
            .unwrap_or_else(|| panic!("{field} in {}", self.text))
            .to_owned()
    }

    /// The fields that were not accepted, sorted.
    #[must_use]
    pub fn pointers(&self) -> Vec<&str> {
        let errors = self.json["errors"].as_array();
        let mut pointers: Vec<_> = errors
            .into_iter()
            .flatten()
            .filter_map(|error| error["pointer"].as_str())
            .collect();
        pointers.sort_unstable();
        pointers
    }
}

impl Index<&str> for Answer {
    type Output = Value;

    fn index(&self, field: &str) -> &Value {
        &self.json[field]
    }
}
