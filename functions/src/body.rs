//! Reading requests: bodies, idempotency keys and `If-Match`, all with limits and kind refusals.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::invalid::Invalid;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::problem::Problem;

/// The largest JSON or form body.
pub const MAX_BODY_BYTES: usize = 256 * 1024;
const MAX_KEY_LENGTH: usize = 128;

/// A POST: its body, and the key that makes it happen once however often it is sent.
#[derive(Debug)]
pub struct Command<T> {
    /// The caller's key for this act.
    pub key: IdempotencyKey,
    /// The body.
    pub body: T,
}

/// A POST of a file: its bytes, and the key that makes it happen once however often it is sent.
#[derive(Debug)]
pub struct CsvCommand {
    /// The caller's key for this act.
    pub key: IdempotencyKey,
    /// The file, whatever is in it.
    pub file: Bytes,
}

/// A caller's key for one act, and a digest of what was asked for with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// As sent.
    pub key: String,
    /// Of method, path and body: the same key with another digest is refused.
    pub digest: String,
}

/// The body of a POST that says all it has to say in its path.
#[derive(Debug, Default, serde::Deserialize, serde::Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// An edit: its body, and the version it was made against.
#[derive(Debug)]
pub struct Edit<T> {
    /// The version that the caller last saw, from `If-Match`.
    pub version: u64,
    /// The body.
    pub body: T,
}

/// Digest of what is asked for.
pub fn digest(method: &str, path: &str, body: &[u8]) -> String {
    let mut hasher = Sha256::new();
    for part in [method.as_bytes(), path.as_bytes(), body] {
        hasher.update(part.len().to_be_bytes());
        hasher.update(part);
    }
    URL_SAFE_NO_PAD.encode(hasher.finalize())
}

/// Reads the whole body, up to [`MAX_BODY_BYTES`].
///
/// # Errors
/// 413 for a larger one.
pub async fn read_bytes(request: Request) -> Result<Bytes, Problem> {
    axum::body::to_bytes(request.into_body(), MAX_BODY_BYTES)
        .await
        .map_err(|_| {
            let title = "The body is too large";
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", title)
                .detail(format!("at most {MAX_BODY_BYTES} bytes are read"))
        })
}

/// Reads JSON strictly: every fault names the field it lies in.
///
/// # Errors
/// 400 where it is no JSON, 422 where a field is missing, unknown or of the wrong type.
pub fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // A body that is left out is an empty one.
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let inner = error.inner();
        match inner.classify() {
            serde_json::error::Category::Data => Problem::invalid(vec![Invalid {
                pointer: pointer(error.path()),
                detail: words(inner),
            }]),
            serde_json::error::Category::Io
            | serde_json::error::Category::Syntax
            | serde_json::error::Category::Eof => Problem::malformed(format!("not JSON: {inner}")),
        }
    })?;
    json.end()
        .map_err(|_| Problem::malformed("something follows the JSON value"))?;
    Ok(value)
}

/// What the library for times says of a text that is none, without what would be right.
const NO_TIME: [&str; 6] = [
    "input is out of range",
    "no possible date and time matching input",
    "input is not enough for unique date and time",
    "input contains invalid characters",
    "premature end of input",
    "trailing input",
];

/// The library's message without its position, which the pointer says better.
fn words(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    match NO_TIME.contains(&message) {
        true => "is no date or time as it is written here: 2026-12-01 is a date, 2026-12-01T09:00:00 a local time, \
                 2026-12-01T09:00:00+10:00 an instant"
            .to_owned(),
        false => message.to_owned(),
    }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { variant } => format!("/{variant}"),
            Segment::Unknown => "/?".to_owned(),
        })
        .collect()
}

pub(crate) fn require_json(headers: &HeaderMap, body: &[u8]) -> Result<(), Problem> {
    match content_type(headers).next() {
        Some(json) if json.eq_ignore_ascii_case("application/json") => Ok(()),
        None if body.is_empty() => Ok(()),
        _ => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "not-json",
            "This operation reads application/json",
        )),
    }
}

/// CSV, in no encoding but UTF-8: any other would have to be guessed from what stands in it.
fn require_csv(headers: &HeaderMap) -> Result<(), Problem> {
    let mut parts = content_type(headers);
    let is_csv = parts
        .next()
        .is_some_and(|media_type| media_type.eq_ignore_ascii_case("text/csv"));
    let in_utf_8 = parts
        .filter_map(|part| part.split_once('='))
        .all(|(name, value)| {
            let value = value.trim().trim_matches('"');
            !name.trim().eq_ignore_ascii_case("charset") || value.eq_ignore_ascii_case("utf-8")
        });
    if is_csv && in_utf_8 {
        return Ok(());
    }
    let title = "This operation reads text/csv in UTF-8";
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "not-csv",
        title,
    ))
}

/// The media type, then its parameters; nothing where none is given.
fn content_type(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    value
        .into_iter()
        .flat_map(|value| value.split(';'))
        .map(str::trim)
}

fn idempotency_key(parts: &Parts, body: &[u8]) -> Result<IdempotencyKey, Problem> {
    let key = parts
        .headers
        .get("idempotency-key")
        .and_then(|value| value.to_str().ok())
        .filter(|key| (1..=MAX_KEY_LENGTH).contains(&key.len()))
        .filter(|key| {
            key.bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'#')
        });
    let Some(key) = key else {
        return Err(Problem::malformed(
            "Idempotency-Key: a header of 1 to 128 visible ASCII characters is needed, fresh for each act and the same for each repetition",
        ));
    };
    let digest = digest(parts.method.as_str(), parts.uri.path(), body);
    Ok(IdempotencyKey {
        key: key.to_owned(),
        digest,
    })
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Command<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = read_bytes(Request::new(body)).await?;
        require_json(&parts.headers, &bytes)?;
        let key = idempotency_key(&parts, &bytes)?;
        Ok(Self {
            key,
            body: read_json(&bytes)?,
        })
    }
}

impl<S: Send + Sync> FromRequest<S> for CsvCommand {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let file = read_bytes(Request::new(body)).await?;
        require_csv(&parts.headers)?;
        let key = idempotency_key(&parts, &file)?;
        Ok(Self { key, file })
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Edit<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = read_bytes(Request::new(body)).await?;
        require_json(&parts.headers, &bytes)?;
        let IfMatch(version) = IfMatch::read(&parts.headers)?;
        Ok(Self {
            version,
            body: read_json(&bytes)?,
        })
    }
}

/// The version that the caller last saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IfMatch(pub u64);

impl IfMatch {
    fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(value) = headers.get(header::IF_MATCH) else {
            return Err(Problem::new(
                StatusCode::PRECONDITION_REQUIRED,
                "if-match-needed",
                "Send If-Match with the ETag that you last saw",
            ));
        };
        value
            .to_str()
            .ok()
            .and_then(|text| {
                text.trim()
                    .strip_prefix('"')?
                    .strip_suffix('"')?
                    .parse()
                    .ok()
            })
            .map(Self)
            .ok_or_else(|| Problem::malformed("If-Match: not an ETag that this service gave out"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::read(&parts.headers)
    }
}

/// Refuses an edit made against another version than the one stored.
///
/// # Errors
/// 412.
pub fn must_match(sent: u64, stored: u64) -> Result<(), Problem> {
    if sent == stored {
        return Ok(());
    }
    let title = "It has changed since you last saw it; read it again";
    Err(Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "stale-etag",
        title,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[expect(dead_code, reason = "read by the parser alone")]
        names: Vec<u8>,
    }

    #[test]
    fn every_fault_of_a_body_names_its_field() {
        let pointer_of = |text: &str| {
            let problem = read_json::<Sample>(text.as_bytes()).unwrap_err();
            (
                problem.status().as_u16(),
                problem.errors().first().map(|error| error.pointer.clone()),
            )
        };
        assert_eq!(
            pointer_of(r#"{"names": [1, "x"]}"#),
            (422, Some("/names/1".to_owned()))
        );
        assert_eq!(
            pointer_of(r#"{"names": [], "more": 1}"#),
            (422, Some("/more".to_owned()))
        );
        assert_eq!(pointer_of(r#"{"names": [}"#), (400, None));
        assert_eq!(pointer_of(r#"{"names": []} x"#), (400, None));
        assert_eq!(pointer_of(""), (422, Some(String::new())));
    }

    #[test]
    fn whoever_writes_a_time_wrong_learns_how_it_is_written() {
        let said = |text: &str| {
            let at = read_json::<chrono::DateTime<chrono::Utc>>(text.as_bytes());
            at.unwrap_err().errors()[0].detail.clone()
        };
        // Without an offset, with a day too many, in words, with more behind it.
        for wrong in [
            "2026-03-03T09:00:00",
            "2026-02-30T09:00:00Z",
            "tomorrow",
            "2026-03-03T09:00:00Z!",
        ] {
            let said = said(&format!("\"{wrong}\""));
            assert!(
                said.contains("2026-12-01T09:00:00+10:00"),
                "{wrong}: {said}"
            );
        }
    }

    #[test]
    fn csv_is_read_in_utf_8_alone() {
        let accepted = |value: &'static str| {
            let value = header::HeaderValue::from_static(value);
            require_csv(&HeaderMap::from_iter([(header::CONTENT_TYPE, value)])).is_ok()
        };
        for right in [
            "text/csv",
            "Text/CSV; charset=UTF-8",
            "text/csv; header=present; charset=\"utf-8\"",
        ] {
            assert!(accepted(right), "{right}");
        }
        for wrong in [
            "",
            "text/plain",
            "application/json",
            "text/csv; charset=windows-1252",
            "text/csv2",
        ] {
            assert!(!accepted(wrong), "{wrong}");
        }
        assert!(require_csv(&HeaderMap::new()).is_err());
    }

    #[test]
    fn a_digest_tells_apart_where_one_part_ends() {
        assert_ne!(digest("POST", "/a", b"b"), digest("POST", "/ab", b""));
    }
}
