//! Where the tour is played: what it needs beyond the HTTP API itself.
//!
//! There are two places: the local host, here, and a deployment, in the tests of deploying.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use platform::BoxFuture;
use platform::clock::ManualClock;
use platform::metrics::Metrics;
use serde_json::{Value, json};

use crate::host::{Host, Options, StartError};
use crate::instruments::Bench;

/// The tour begins on a Monday morning in Brisbane.
pub const BEGINS: &str = "2026-11-02T00:00:00Z";

/// A mail that went out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMail {
    /// What the notice and its recipient are called, where the place knows it.
    pub message_id: String,
    /// The recipient's address.
    pub to: String,
    /// What it says.
    pub text: String,
}

/// A place where the tour can be played. Nobody else uses it meanwhile.
pub trait Place: Send + Sync {
    /// Where the API is, without a slash at the end.
    fn api(&self) -> String;

    /// What time it is there.
    fn now(&self) -> DateTime<Utc>;

    /// An access token of `subject`.
    fn token<'a>(&'a self, subject: &'a str) -> BoxFuture<'a, Result<String, PlaceError>>;

    /// Moves the clock, through every instant at which something falls due, and waits until nothing is due any
    /// more. By nothing: only waits.
    fn advance(&self, by: TimeDelta) -> BoxFuture<'_, Result<(), PlaceError>>;

    /// Every mail that went out, the oldest first.
    fn mails(&self) -> BoxFuture<'_, Result<Vec<SentMail>, PlaceError>>;

    /// Lets a mail come back; false where the service would not hear of it.
    fn bounce<'a>(&'a self, mail: &'a SentMail) -> BoxFuture<'a, Result<bool, PlaceError>>;

    /// Ends it.
    fn close(self: Box<Self>) -> BoxFuture<'static, ()>;
}

/// A place does not do what the tour needs, in words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct PlaceError(pub String);

impl PlaceError {
    /// An error in its own words.
    pub fn of(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// The local host, with data and clock of its own.
pub(super) struct LocalHost {
    host: Host,
    http: reqwest::Client,
    _folder: tempfile::TempDir,
}

impl LocalHost {
    pub(super) async fn start(http: reqwest::Client, bench: Bench) -> Result<Self, StartError> {
        let folder = tempfile::tempdir().map_err(|source| StartError::Io {
            what: "a folder for the tour".to_owned(),
            source,
        })?;
        let begins: DateTime<Utc> = BEGINS.parse().unwrap_or_default();
        let options = Options {
            data: folder.path().join("tour.db"),
            port: 0,
            base_clock: Arc::new(ManualClock::new(begins)),
            community: true,
            metrics: Metrics::none(),
        };
        Ok(Self {
            host: Host::start_on(options, bench).await?,
            http,
            _folder: folder,
        })
    }

    /// What only the local host offers.
    async fn dev(&self, path: &str, body: Value) -> Result<Value, PlaceError> {
        let request = self
            .http
            .post(format!("{}{path}", self.host.url()))
            .json(&body);
        let response = request.send().await.map_err(PlaceError::of)?;
        let response = response.error_for_status().map_err(PlaceError::of)?;
        let text = response.text().await.map_err(PlaceError::of)?;
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    fn read_mails(&self) -> std::io::Result<Vec<SentMail>> {
        let mut mails = Vec::new();
        for file in std::fs::read_dir(self.host.mail_folder())? {
            let path = file?.path();
            let text = std::fs::read_to_string(&path)?;
            let to = text.lines().find_map(|line| line.strip_prefix("To:"));
            let name = path.file_stem().unwrap_or_default();
            mails.push(SentMail {
                message_id: name.to_string_lossy().into_owned(),
                to: to.unwrap_or_default().trim().to_owned(),
                text,
            });
        }
        // Notice ids, with which the names begin, are ordered in time.
        mails.sort_by(|one, other| one.message_id.cmp(&other.message_id));
        Ok(mails)
    }
}

impl Place for LocalHost {
    fn api(&self) -> String {
        self.host.url()
    }

    fn now(&self) -> DateTime<Utc> {
        self.host.context().now()
    }

    fn token<'a>(&'a self, subject: &'a str) -> BoxFuture<'a, Result<String, PlaceError>> {
        Box::pin(async move {
            let answer = self.dev("/dev/token", json!({"subject": subject})).await?;
            let token = answer.pointer("/access_token").and_then(Value::as_str);
            token
                .map(str::to_owned)
                .ok_or_else(|| PlaceError::of("the issuer gave no token"))
        })
    }

    fn advance(&self, by: TimeDelta) -> BoxFuture<'_, Result<(), PlaceError>> {
        let seconds = json!({"seconds": by.num_seconds()});
        Box::pin(async move { self.dev("/dev/clock/advance", seconds).await.map(drop) })
    }

    fn mails(&self) -> BoxFuture<'_, Result<Vec<SentMail>, PlaceError>> {
        Box::pin(async { self.read_mails().map_err(PlaceError::of) })
    }

    fn bounce<'a>(&'a self, mail: &'a SentMail) -> BoxFuture<'a, Result<bool, PlaceError>> {
        let named = json!({"message_id": mail.message_id});
        Box::pin(async move { self.dev("/dev/mail-bounces", named).await.map(|_| true) })
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move { self.host.stop().await })
    }
}
