//! Links to blobs: who holds one may put or get one blob, for a while, and need not be known.
//!
//! Where links lead to the local host, the permission is a token: `<statement>.<mac>`, the statement
//! being base64url of JSON, e.g.
//! `{"name":"attachments/eng_…/att_…","until":1795300900,"act":{"PUT":{"media_type":"pdf","bytes":48213}}}`.
//! Tokens are stored nowhere and cannot be taken back; they end soon.

use std::fmt;
use std::io;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use domain::attachment::{MediaType, is_file_name};
use serde::{Deserialize, Serialize};

use super::{BlobError, BlobName, MAX_BLOB_BYTES};
use crate::keys::SubKey;

/// How long a link can be followed.
pub const LINK_LIFETIME: TimeDelta = TimeDelta::minutes(15);

/// No statement and mac together are longer; what is longer is refused unread.
const MAX_TOKEN_LENGTH: usize = 1_200;

/// What exactly may be put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upload {
    /// Its kind.
    pub media_type: MediaType,
    /// Its size, at most [`MAX_BLOB_BYTES`].
    pub bytes: u64,
}

/// As what a blob is got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Download {
    /// Its kind.
    pub media_type: MediaType,
    /// Under what name it is saved; see [`is_file_name`].
    pub file_name: String,
}

impl Download {
    /// The value of `Content-Disposition`: to be saved under its name, never shown in place. The name
    /// is written as RFC 5987 has it, so that no character of it means anything to HTTP.
    #[must_use]
    pub fn disposition(&self) -> String {
        use fmt::Write;
        let mut value = "attachment; filename*=UTF-8''".to_owned();
        for byte in self.file_name.bytes() {
            // Writing to a `String` cannot fail.
            let _ = match byte {
                b'-' | b'.' | b'_' | b'~' => write!(value, "{}", char::from(byte)),
                _ if byte.is_ascii_alphanumeric() => write!(value, "{}", char::from(byte)),
                _ => write!(value, "%{byte:02X}"),
            };
        }
        value
    }
}

/// A permission to put or get one blob, to be followed as it stands.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    /// The HTTP method.
    pub method: &'static str,
    /// The address, which is the permission: whoever has it can follow it, so it is never logged.
    pub url: String,
    /// Headers to be sent, by lower-case name. The link holds for these values alone. A browser sends
    /// `content-length` by itself.
    pub headers: Vec<(String, String)>,
    /// From this instant on it is refused.
    pub expires_at: DateTime<Utc>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            method, expires_at, ..
        } = self;
        write!(f, "Link({method} … until {expires_at})")
    }
}

/// Makes and checks the tokens of links to blobs; from [`crate::keys::DeploymentKey::blob_links`].
#[derive(Debug, Clone)]
pub struct BlobLinkKey(pub(crate) SubKey);

/// Text that is no token of this key for this act, or not any more: malformed, forged, made for the
/// other act, or expired. The bearer is told no more than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a live link to a blob of this deployment")]
pub struct BlobLinkError;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    name: BlobName,
    #[serde(with = "chrono::serde::ts_seconds")]
    until: DateTime<Utc>,
    act: Act,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Act {
    #[serde(rename = "PUT")]
    Put(Upload),
    #[serde(rename = "GET")]
    Get(Download),
}

impl BlobLinkKey {
    /// What the bearer of `token` may put, and as what.
    ///
    /// # Errors
    /// At `now`, nothing.
    pub fn upload(
        &self,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<(BlobName, Upload), BlobLinkError> {
        match self.read(token, now) {
            Some((name, Act::Put(upload))) => Ok((name, upload)),
            Some((_, Act::Get(_))) | None => Err(BlobLinkError),
        }
    }

    /// What the bearer of `token` may get, and as what file.
    ///
    /// # Errors
    /// At `now`, nothing.
    pub fn download(
        &self,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<(BlobName, Download), BlobLinkError> {
        match self.read(token, now) {
            Some((name, Act::Get(as_file))) => Ok((name, as_file)),
            Some((_, Act::Put(_))) | None => Err(BlobLinkError),
        }
    }

    fn read(&self, token: &str, now: DateTime<Utc>) -> Option<(BlobName, Act)> {
        if token.len() > MAX_TOKEN_LENGTH {
            return None;
        }
        let (said, mac) = token.split_once('.')?;
        // The mac covers the text as it came, so another spelling of the same statement fails.
        if !self.0.verify_text(said.as_bytes(), mac) {
            return None;
        }
        let json = URL_SAFE_NO_PAD.decode(said).ok()?;
        let Statement { name, until, act } = serde_json::from_slice(&json).ok()?;
        (now < until).then_some((name, act))
    }

    fn token(&self, statement: &Statement) -> serde_json::Result<String> {
        let said = URL_SAFE_NO_PAD.encode(serde_json::to_string(statement)?);
        let mac = self.0.tag_text(said.as_bytes());
        Ok(format!("{said}.{mac}"))
    }
}

/// Makes links with tokens.
#[derive(Debug)]
pub(super) struct LinkMaker {
    pub(super) base_url: String,
    pub(super) key: BlobLinkKey,
}

impl LinkMaker {
    pub(super) fn upload(
        &self,
        name: &BlobName,
        upload: &Upload,
        now: DateTime<Utc>,
    ) -> Result<Link, BlobError> {
        if upload.bytes > MAX_BLOB_BYTES as u64 {
            return Err(BlobError::TooLarge(upload.bytes));
        }
        let headers = [
            ("content-type", upload.media_type.media_type().to_owned()),
            ("content-length", upload.bytes.to_string()),
        ];
        Ok(Link {
            headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
            ..self.link("PUT", name, Act::Put(*upload), now)?
        })
    }

    pub(super) fn download(
        &self,
        name: &BlobName,
        as_file: &Download,
        now: DateTime<Utc>,
    ) -> Result<Link, BlobError> {
        if !is_file_name(&as_file.file_name) {
            return Err(BlobError::NotAFileName);
        }
        self.link("GET", name, Act::Get(as_file.clone()), now)
    }

    fn link(
        &self,
        method: &'static str,
        name: &BlobName,
        act: Act,
        now: DateTime<Utc>,
    ) -> Result<Link, BlobError> {
        // Whole seconds, as a token says them.
        let expires_at = (now + LINK_LIFETIME).trunc_subsecs(0);
        let statement = Statement {
            name: name.clone(),
            until: expires_at,
            act,
        };
        let token = self.key.token(&statement).map_err(io::Error::from)?;
        Ok(Link {
            method,
            url: format!("{}/blobs/{token}", self.base_url),
            headers: Vec::new(),
            expires_at,
        })
    }
}

#[cfg(test)]
mod tests;
