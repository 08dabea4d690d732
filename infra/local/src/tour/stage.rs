//! The stage: asks what each step says, at the place where the tour is played, and prints it.

use std::fmt::Display;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anstream::println;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use owo_colors::OwoColorize;
use serde_json::Value;

use super::place::{LocalHost, Place, PlaceError, SentMail};
use super::script::{Answer, Call, Who};
use crate::host::StartError;
use crate::instruments::Bench;

const LONGEST_LINE: usize = 160;
/// As long as a 503 asks to be waited for.
const WHEN_BUSY: Duration = Duration::from_secs(2);

/// What went wrong on the tour.
#[derive(Debug, thiserror::Error)]
pub enum TourError {
    /// The host did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The host did not answer.
    #[error("the host did not answer: {0}")]
    Http(#[from] reqwest::Error),
    /// The place does not do what the tour needs.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// A step was not what it should be.
    #[error("step {step} is not what it should be: {what}")]
    Step {
        /// Which step.
        step: u32,
        /// What was expected, and what came.
        what: String,
    },
}

/// The place where the tour is played, and how far it has come.
pub(super) struct Stage {
    place: Box<dyn Place>,
    http: reqwest::Client,
    step: u32,
    skipped: u32,
    keys: AtomicU32,
    bench: Bench,
}

impl Stage {
    pub(super) async fn on_a_local_host(bench: Bench) -> Result<Self, TourError> {
        let making = "Rapport: the tour. A sample community is being made ...";
        say(&bench, making.dimmed());
        let host = LocalHost::start(http()?, bench.clone()).await?;
        Self::at(Box::new(host), bench).await
    }

    pub(super) async fn at(place: Box<dyn Place>, bench: Bench) -> Result<Self, TourError> {
        let stage = Self {
            place,
            http: http()?,
            step: 0,
            skipped: 0,
            keys: AtomicU32::new(0),
            bench,
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
        if self.skipped > 0 {
            self.say(format_args!("Left out: {}.", self.skipped));
        }
        self.place.close().await;
    }

    /// Says what of the story cannot be shown here, and why.
    pub(super) fn skip(&mut self, what: &str) {
        self.skipped = self.skipped.saturating_add(1);
        self.say(format_args!("\n     {} {what}", "left out:".yellow()));
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
        let (status, answer) = self.answered(who, call).await?;
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
        let (status, answer) = self.answered(who, Call::get(path)).await?;
        self.check(status == 200, || {
            format!("GET {path} answered {status}: {}", answer.text)
        })?;
        Ok(answer)
    }

    /// The form token that a script in a partner's page fetches.
    pub(super) async fn form_token(&self, origin: &str, form: &str) -> Result<String, TourError> {
        let url = format!("{}/v1/forms/{form}/token", self.place.api());
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
        // A bucket says 200, a folder 201.
        self.check(status == 200 || status == 201, || {
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
        self.place.advance(time).await?;
        let now = self.now().to_rfc3339_opts(SecondsFormat::AutoSi, true);
        self.say(format_args!(
            "     {}",
            format!("It is now {now}.").dimmed()
        ));
        Ok(())
    }

    async fn settle(&self) -> Result<(), TourError> {
        Ok(self.place.advance(TimeDelta::zero()).await?)
    }

    /// Lets a mail come back; false where the service would not hear of it.
    pub(super) async fn bounce(&self, mail: &SentMail) -> Result<bool, TourError> {
        Ok(self.place.bounce(mail).await?)
    }

    /// The newest mail to an address.
    pub(super) async fn mail_to(&self, address: &str) -> Result<SentMail, TourError> {
        let mails = self.place.mails().await?;
        let newest = mails.into_iter().rfind(|mail| mail.to.contains(address));
        newest.ok_or_else(|| self.wrong(format!("no mail to {address}")))
    }

    /// The token of the activation link in the newest mail to an address.
    pub(super) async fn link_token(&self, address: &str) -> Result<String, TourError> {
        let mail = self.mail_to(address).await?;
        let token = mail
            .text
            .split("/activate#")
            .nth(1)
            .and_then(|rest| rest.split_whitespace().next());
        token
            .map(str::to_owned)
            .ok_or_else(|| self.wrong("the mail holds no link".into()))
    }

    /// What time it is on this stage.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.place.now()
    }

    /// Asks once more, with the same key, where the service says that it is busy.
    async fn answered(&self, who: Who, call: Call) -> Result<(u16, Answer), TourError> {
        let key = self.keys.fetch_add(1, Ordering::Relaxed);
        let first = self.ask(who.clone(), call.clone(), key).await?;
        if first.0 != 503 {
            return Ok(first);
        }
        self.remark("The service is busy; asked once more.");
        tokio::time::sleep(WHEN_BUSY).await;
        self.ask(who, call, key).await
    }

    async fn ask(&self, who: Who, call: Call, key: u32) -> Result<(u16, Answer), TourError> {
        let is_post = call.method == reqwest::Method::POST;
        let mut request = self
            .http
            .request(call.method, format!("{}{}", self.place.api(), call.path));
        if let Some(subject) = who.subject {
            request = request.bearer_auth(self.place.token(&subject).await?);
            if is_post {
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

fn http() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(60))
        .build()
}

/// The parts of an answer that are shown; a problem's own words where there are none.
fn lines(answer: &Answer, shown: &[&str]) -> Vec<String> {
    const OF_A_PROBLEM: [&str; 5] = ["/type", "/detail", "/errors", "/plans", "/warning"];
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
