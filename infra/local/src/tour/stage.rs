//! Where the tour is played: a host of its own, and the printing of each step.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anstream::println;
use chrono::{DateTime, TimeDelta, Utc};
use owo_colors::OwoColorize;
use platform::clock::ManualClock;
use platform::metrics::Metrics;
use serde_json::{Value, json};

use super::script::{Answer, Call, Who};
use crate::host::{Host, Options, StartError};
use crate::instruments::Bench;

/// The tour begins on a Monday morning in Brisbane.
const BEGINS: &str = "2026-11-02T00:00:00Z";
const LONGEST_LINE: usize = 160;

/// What went wrong on the tour.
#[derive(Debug, thiserror::Error)]
pub enum TourError {
    /// The host did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The host did not answer.
    #[error("the host did not answer: {0}")]
    Http(#[from] reqwest::Error),
    /// A folder or file could not be used.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A step was not what it should be.
    #[error("step {step} is not what it should be: {what}")]
    Step {
        /// Which step.
        step: u32,
        /// What was expected, and what came.
        what: String,
    },
}

/// The host on which the tour is played.
pub(super) struct Stage {
    host: Host,
    http: reqwest::Client,
    step: u32,
    keys: AtomicU32,
    bench: Bench,
    _folder: tempfile::TempDir,
}

impl Stage {
    pub(super) async fn open(bench: Bench) -> Result<Self, TourError> {
        let making = "Rapport: the tour. A sample community is being made ...";
        say(&bench, making.dimmed());
        let folder = tempfile::tempdir()?;
        let begins: DateTime<Utc> = BEGINS.parse().unwrap_or_default();
        let options = Options {
            data: folder.path().join("tour.db"),
            port: 0,
            base_clock: Arc::new(ManualClock::new(begins)),
            community: true,
            metrics: Metrics::none(),
        };
        let host = Host::start_on(options, bench.clone()).await?;
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(60))
            .build()?;
        let stage = Self {
            host,
            http,
            step: 0,
            keys: AtomicU32::new(0),
            bench,
            _folder: folder,
        };
        stage.settle().await?;
        Ok(stage)
    }

    pub(super) async fn close(self) {
        self.say(format_args!(
            "\n{} {} steps, each as it should be.",
            "The tour is over:".green().bold(),
            self.step
        ));
        self.host.stop().await;
    }

    fn say(&self, line: impl Display) {
        say(&self.bench, line);
    }

    pub(super) fn chapter(&self, title: &str) {
        self.bench.chapter(title);
        self.say(format_args!("\n{}", title.bold().underline()));
    }

    /// One step of the story: says who does what, asks, shows the answer, and fails unless its status is
    /// the expected one.
    pub(super) async fn step(
        &mut self,
        who: Who,
        does: &str,
        call: Call,
    ) -> Result<Answer, TourError> {
        self.step = self.step.saturating_add(1);
        self.say(format_args!(
            "\n{:>3}. {} {does}",
            self.step,
            who.name.cyan().bold()
        ));
        self.say(format_args!("     {} {}", call.method, call.path));
        let expected = call.expected;
        let shown = call.shown;
        let (status, answer) = self.ask(who, call).await?;
        let mark = if status == expected {
            status.green().to_string()
        } else {
            status.red().to_string()
        };
        self.say(format_args!("     {} {mark}", "\u{2192}".dimmed()));
        for line in lines(&answer, shown) {
            self.say(format_args!("       {}", line.dimmed()));
        }
        self.check(status == expected, || {
            format!("expected {expected}, got {status}: {}", answer.text)
        })?;
        // Notices, mail and shards follow at once: what comes next may rest on them.
        self.settle().await?;
        Ok(answer)
    }

    /// Asks without making a step of it.
    pub(super) async fn look(&self, who: Who, path: &str) -> Result<Answer, TourError> {
        let (status, answer) = self.ask(who, Call::get(path)).await?;
        self.check(status == 200, || {
            format!("GET {path} answered {status}: {}", answer.text)
        })?;
        Ok(answer)
    }

    /// The form token that a script in a partner's page fetches.
    pub(super) async fn form_token(&self, origin: &str, form: &str) -> Result<String, TourError> {
        let url = format!("{}/v1/forms/{form}/token", self.host.url());
        let response = self
            .http
            .get(url)
            .header("origin", origin)
            .send()
            .await?
            .error_for_status()?;
        let body: Value = response.json().await?;
        Ok(body["token"].as_str().unwrap_or_default().to_owned())
    }

    /// Fails the step under way unless something holds.
    pub(super) fn check(
        &self,
        holds: bool,
        what: impl FnOnce() -> String,
    ) -> Result<(), TourError> {
        if holds {
            Ok(())
        } else {
            Err(TourError::Step {
                step: self.step,
                what: what(),
            })
        }
    }

    /// What is wrong with the step under way.
    pub(super) fn wrong(&self, what: String) -> TourError {
        TourError::Step {
            step: self.step,
            what,
        }
    }

    /// Uploads `bytes` by the link of an announced attachment.
    pub(super) async fn upload(&self, announced: &Answer, bytes: Vec<u8>) -> Result<(), TourError> {
        let mut request = self.http.put(announced.at("/upload/url")).body(bytes);
        let headers = announced.json.pointer("/upload/headers");
        for (name, value) in headers.and_then(Value::as_object).into_iter().flatten() {
            request = request.header(name, value.as_str().unwrap_or_default());
        }
        let status = request.send().await?.status().as_u16();
        self.check(status == 201, || {
            format!("the upload was answered {status}")
        })?;
        self.remark("It is uploaded by that link.");
        Ok(())
    }

    /// A remark on what has just been seen.
    pub(super) fn remark(&self, words: &str) {
        self.say(format_args!("       {}", words.italic()));
    }

    /// Moves the clock, stepping through everything that falls due on the way.
    pub(super) async fn pass(&mut self, time: TimeDelta, words: &str) -> Result<(), TourError> {
        self.say(format_args!("\n     {} {words}", "\u{29d6}".yellow()));
        let to = self
            .dev(
                "/dev/clock/advance",
                &json!({"seconds": time.num_seconds()}),
            )
            .await?;
        self.say(format_args!(
            "     {}",
            format!("It is now {}.", to["now"].as_str().unwrap_or_default()).dimmed()
        ));
        Ok(())
    }

    async fn settle(&self) -> Result<(), TourError> {
        self.dev("/dev/clock/advance", &json!({"seconds": 0}))
            .await
            .map(drop)
    }

    /// What only the local host offers.
    pub(super) async fn dev(&self, path: &str, body: &Value) -> Result<Value, TourError> {
        let request = self
            .http
            .post(format!("{}{path}", self.host.url()))
            .json(body);
        let response = request.send().await?.error_for_status()?;
        let text = response.text().await?;
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    /// The newest mail to an address: its file's name without the ending, and its text.
    pub(super) fn mail_to(&self, address: &str) -> Result<(String, String), TourError> {
        let mut mails = Vec::new();
        for file in std::fs::read_dir(self.host.mail_folder())? {
            let path = file?.path();
            let text = std::fs::read_to_string(&path)?;
            let to = text
                .lines()
                .find(|line| line.starts_with("To:"))
                .unwrap_or_default();
            if to.contains(address) {
                let name = path
                    .file_stem()
                    .map(|name| name.to_string_lossy().into_owned());
                mails.push((name.unwrap_or_default(), text));
            }
        }
        // Notice ids, with which the names begin, are ordered in time.
        mails.sort();
        mails.pop().ok_or_else(|| TourError::Step {
            step: self.step,
            what: format!("no mail to {address}"),
        })
    }

    /// The token of the activation link in the newest mail to an address.
    pub(super) fn link_token(&self, address: &str) -> Result<String, TourError> {
        let (_, text) = self.mail_to(address)?;
        let token = text
            .split("/activate#")
            .nth(1)
            .and_then(|rest| rest.split_whitespace().next());
        token.map(str::to_owned).ok_or_else(|| TourError::Step {
            step: self.step,
            what: "the mail holds no link".into(),
        })
    }

    /// What time it is on this stage.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.host.context().now()
    }

    async fn ask(&self, who: Who, call: Call) -> Result<(u16, Answer), TourError> {
        let is_post = call.method == reqwest::Method::POST;
        let mut request = self
            .http
            .request(call.method, format!("{}{}", self.host.url(), call.path));
        if let Some(subject) = who.subject {
            let token = self.dev("/dev/token", &json!({"subject": subject})).await?;
            request = request.bearer_auth(token["access_token"].as_str().unwrap_or_default());
            if is_post {
                let key = self.keys.fetch_add(1, Ordering::Relaxed);
                request = request.header("idempotency-key", format!("tour-{key}"));
            }
        }
        for (name, value) in call.headers {
            request = request.header(name, value);
        }
        if let Some((content_type, body)) = call.body {
            request = request.header("content-type", content_type).body(body);
        }
        let response = request.send().await?;
        let header = |name: &str| {
            let value = response
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let (tag, location, status) = (
            header("etag"),
            header("location"),
            response.status().as_u16(),
        );
        let text = response.text().await?;
        let json = serde_json::from_str(&text).unwrap_or_default();
        Ok((
            status,
            Answer {
                text,
                json,
                tag,
                location,
            },
        ))
    }
}

/// What is measured is not told.
fn say(bench: &Bench, line: impl Display) {
    if bench.instruments.is_none() {
        println!("{line}");
    }
}

/// The parts of an answer that are shown; a problem's own words where there are none.
fn lines(answer: &Answer, shown: &[&str]) -> Vec<String> {
    const OF_A_PROBLEM: [&str; 4] = ["/type", "/detail", "/errors", "/plans"];
    let is_problem = answer.at("/type").starts_with("/problems/");
    let pointers = if is_problem { &OF_A_PROBLEM } else { shown };
    let mut lines: Vec<String> = pointers
        .iter()
        .filter(|pointer| answer.json.pointer(pointer).is_some())
        .map(|pointer| shortened(&format!("{}: {}", &pointer[1..], answer.at(pointer))))
        .collect();
    if !answer.location.is_empty() {
        lines.push(format!("Location: {}", answer.location));
    }
    lines
}

fn shortened(line: &str) -> String {
    if line.chars().count() <= LONGEST_LINE {
        return line.to_owned();
    }
    let kept: String = line.chars().take(LONGEST_LINE).collect();
    format!("{kept} \u{2026}")
}
