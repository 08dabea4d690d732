//! The whole service in this process, on a free port, with a folder and a clock of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use functions::context::Shared;
use index_builder::IndexBuilder;
use platform::clock::ManualClock;
use platform::ids::IdSource;
use platform::metrics::Metric;
use rapport::host::{FIRST_ADMINISTRATOR, Host, Options};
use rapport::issuer::Issuer;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::answer::Answer;
use crate::measured::Measured;
use crate::start;

/// A running host, and whoever wants to call it.
pub struct World {
    host: Host,
    folder: TempDir,
    base: Arc<ManualClock>,
    http: reqwest::Client,
    issuer: Issuer,
    keys: IdSource,
    measured: Measured,
}

impl World {
    /// A fresh world.
    pub async fn start() -> Self {
        let base = Arc::new(ManualClock::new(start()));
        Self::start_in(tempfile::tempdir().unwrap(), base).await
    }

    async fn start_in(folder: TempDir, base: Arc<ManualClock>) -> Self {
        let measured = Measured::default();
        let options = Options {
            data: data_file(&folder),
            port: 0,
            community: false,
            metrics: measured.to_metrics(base.clone()),
            base_clock: base.clone(),
        };
        let host = Host::start(options).await.unwrap();
        let issuer = Issuer::new(host.context().token_rules.clone()).unwrap();
        Self {
            keys: IdSource::from_os(base.clone()).unwrap(),
            host,
            folder,
            base,
            measured,
            // Where an answer leads is for the tests to look at.
            http: reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
            issuer,
        }
    }

    /// Stops the host and starts another one over the same files.
    pub async fn restart(self) -> Self {
        let Self {
            host, folder, base, ..
        } = self;
        host.stop().await;
        Self::start_in(folder, base).await
    }

    /// What the functions work with, for what no route does.
    #[must_use]
    pub const fn context(&self) -> &Shared {
        self.host.context()
    }

    /// A process that builds shards, beside the host's own.
    #[must_use]
    pub fn index_builder(&self) -> IndexBuilder {
        let context = self.context();
        IndexBuilder {
            store: context.store.clone(),
            blobs: context.blobs.clone(),
            clock: context.clock.clone(),
            ids: context.ids.clone(),
            metrics: context.metrics.clone(),
        }
    }

    /// What was measured since the host started, oldest first.
    #[must_use]
    pub fn measured(&self, metric: Metric) -> Vec<u64> {
        self.measured.values(metric)
    }

    /// Where other tools find the table.
    #[must_use]
    pub fn table_endpoint(&self) -> String {
        self.host.table_endpoint()
    }

    /// The folder that holds the shards.
    #[must_use]
    pub fn blob_folder(&self) -> PathBuf {
        let mut folder = self.data_file().into_os_string();
        folder.push(".blobs");
        folder.into()
    }

    /// The issuer whose tokens this world accepts.
    #[must_use]
    pub const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The host's address.
    #[must_use]
    pub fn url(&self) -> String {
        // The host listens on one of the addresses that `localhost` may mean: no need to find out which.
        self.host.url().replace("localhost", "127.0.0.1")
    }

    /// The data file.
    #[must_use]
    pub fn data_file(&self) -> PathBuf {
        data_file(&self.folder)
    }

    /// What time it is here.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.context().now()
    }

    /// Somebody without a token.
    #[must_use]
    pub fn nobody(&self) -> Caller<'_> {
        self.caller(Presented::Nothing)
    }

    /// Somebody who has signed in.
    #[must_use]
    pub fn as_<'a>(&'a self, subject: &'a str) -> Caller<'a> {
        self.caller(Presented::TokenOf(subject))
    }

    /// The administrator who needs no appointment.
    #[must_use]
    pub fn administrator(&self) -> Caller<'_> {
        self.as_(FIRST_ADMINISTRATOR)
    }

    /// Somebody who presents this as a token.
    #[must_use]
    pub fn bearing<'a>(&'a self, token: &'a str) -> Caller<'a> {
        self.caller(Presented::This(token))
    }

    const fn caller<'a>(&'a self, presented: Presented<'a>) -> Caller<'a> {
        Caller {
            world: self,
            presented,
        }
    }

    /// A key that nobody has used yet.
    #[must_use]
    pub fn fresh_key(&self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.keys.random_bytes()))
    }

    /// Deals with everything that is due now.
    pub async fn settle(&self) {
        self.advance_by(TimeDelta::zero()).await;
    }

    /// Lets hours pass, and everything happen that falls due meanwhile.
    pub async fn advance(&self, hours: i64) {
        self.advance_by(TimeDelta::hours(hours)).await;
    }

    /// Lets it become this instant, as [`World::advance_by`].
    pub async fn advance_to(&self, at: &str) {
        let at: DateTime<Utc> = at.parse().unwrap();
        self.advance_by(at - self.now()).await;
    }

    /// Lets time pass, and everything happen that falls due meanwhile.
    pub async fn advance_by(&self, by: TimeDelta) {
        let body = json!({"seconds": by.num_seconds()});
        let request = self
            .nobody()
            .request(Method::POST, "/dev/clock/advance")
            .json(&body);
        self.send("POST /dev/clock/advance", request)
            .await
            .expect(200);
    }

    /// The folder that mail goes to.
    #[must_use]
    pub fn mail_folder(&self) -> &Path {
        self.host.mail_folder()
    }

    /// The mails that went out, by message id.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        mails_in(self.host.mail_folder())
    }

    /// The token of the activation link in the newest mail to this address.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn link_token(&self, address: &str) -> String {
        let mut links = self
            .mails()
            .into_iter()
            .filter(|mail| mail.is_to(address))
            .filter_map(|mail| {
                let (_, link) = mail.raw.split_once("/activate#")?;
                Some(link.split_whitespace().next()?.to_owned())
            });
        // Mails are sorted by notice ids, which are ordered in time.
        links.next_back().expect("a mail with a link")
    }

    async fn send(&self, asked: impl Into<String>, request: RequestBuilder) -> Answer {
        Answer::of(asked.into(), request.send().await.unwrap()).await
    }
}

fn data_file(folder: &TempDir) -> PathBuf {
    folder.path().join("rapport.db")
}

/// One mail that went out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Its file's name without the ending.
    pub message_id: String,
    /// The file, as it lies there.
    pub raw: String,
}

impl Mail {
    /// Whether it went to this address.
    #[must_use]
    pub fn is_to(&self, address: &str) -> bool {
        let mut headers = self.raw.lines().take_while(|line| !line.is_empty());
        headers.any(|line| line.starts_with("To:") && line.contains(address))
    }
}

/// The mails in a folder, by message id.
#[must_use]
pub fn mails_in(folder: &Path) -> Vec<Mail> {
    let mut mails: Vec<Mail> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "eml"))
        .map(|path| Mail {
            message_id: path.file_stem().unwrap().to_string_lossy().into_owned(),
            raw: std::fs::read_to_string(path).unwrap(),
        })
        .collect();
    mails.sort_by(|one, other| one.message_id.cmp(&other.message_id));
    mails
}

#[derive(Clone, Copy)]
enum Presented<'a> {
    Nothing,
    TokenOf(&'a str),
    This(&'a str),
}

/// Somebody who calls.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    world: &'a World,
    presented: Presented<'a>,
}

impl Caller<'_> {
    /// Reads.
    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, |request| request).await
    }

    /// Acts, under a fresh key.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        let key = self.world.fresh_key();
        self.post_with_key(path, &key, body).await
    }

    /// Acts, under a given key.
    pub async fn post_with_key(&self, path: &str, key: &str, body: &Value) -> Answer {
        self.ask(Method::POST, path, |request| {
            request.header("idempotency-key", key).json(body)
        })
        .await
    }

    /// Sends a file of comma-separated values, under a fresh key.
    pub async fn post_csv(&self, path: &str, file: &str) -> Answer {
        let key = self.world.fresh_key();
        self.post_csv_with_key(path, &key, file).await
    }

    /// Sends a file of comma-separated values, under a given key.
    pub async fn post_csv_with_key(&self, path: &str, key: &str, file: &str) -> Answer {
        let file = file.to_owned();
        self.ask(Method::POST, path, |request| {
            let request = request.header("idempotency-key", key);
            request.header("content-type", "text/csv").body(file)
        })
        .await
    }

    /// Edits the version with this ETag.
    pub async fn put(&self, path: &str, etag: &str, body: &Value) -> Answer {
        self.ask(Method::PUT, path, |request| {
            request.header("if-match", etag).json(body)
        })
        .await
    }

    /// Asks for anything; `finish` adds headers and body.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        finish: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Answer {
        let request = finish(self.request(method.clone(), path));
        let sent = request.try_clone().and_then(|request| request.build().ok());
        let body = sent
            .as_ref()
            .and_then(|sent| sent.body()?.as_bytes())
            .unwrap_or_default();
        let shown = String::from_utf8_lossy(&body[..body.len().min(2_000)]).into_owned();
        let who = match self.presented {
            Presented::Nothing => "nobody",
            Presented::TokenOf(subject) => subject,
            Presented::This(_) => "the bearer of some token",
        };
        let asked = format!("{method} {path} by {who} {shown}");
        self.world.send(asked, request).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self
            .world
            .http
            .request(method, format!("{}{path}", self.world.url()));
        match self.presented {
            Presented::Nothing => request,
            Presented::This(token) => request.header("authorization", format!("Bearer {token}")),
            Presented::TokenOf(subject) => {
                let lifetime = TimeDelta::hours(1);
                let token = self
                    .world
                    .issuer
                    .access_token(subject, self.world.now(), lifetime);
                request.bearer_auth(token.unwrap())
            }
        }
    }
}
