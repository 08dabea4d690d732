//! The mixed story: what people do, how often each, and which answers are right.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{Datelike, TimeDelta};
use platform::clock::{Clock, SystemClock};
use platform::signature::{ID_HEADER, RequestSignature, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use reqwest::Method;
use serde_json::json;

use crate::Error;
use crate::cast::{ADMINISTRATOR, COORDINATOR, Cast, Pair};
use crate::host::{Answer, Host};
use crate::ledger::{Kind, Ledger};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    LookAtOneself,
    ReadInbox,
    LookAtEngagement,
    ReadMessages,
    LookAtCandidates,
    LookAtSchedule,
    ListTickets,
    PreviewCandidates,
    Write,
    SignUp,
    OpenTicket,
    AskAndTakeBack,
    Propose,
    Accept,
}

/// How often each is done, of the sum of all.
const MIX: [(Act, usize); 14] = [
    (Act::LookAtOneself, 6),
    (Act::ReadInbox, 6),
    (Act::LookAtEngagement, 10),
    (Act::ReadMessages, 10),
    (Act::LookAtCandidates, 8),
    (Act::LookAtSchedule, 6),
    (Act::ListTickets, 5),
    (Act::PreviewCandidates, 5),
    (Act::Write, 16),
    (Act::SignUp, 8),
    (Act::OpenTicket, 5),
    (Act::AskAndTakeBack, 4),
    (Act::Propose, 6),
    (Act::Accept, 5),
];

pub(crate) struct Story {
    pub(crate) cast: Cast,
    pub(crate) ledger: Ledger,
    host: Arc<Host>,
    begun: AtomicUsize,
    /// Open proposals that nobody has accepted yet: the pair, and the path.
    open: Mutex<Vec<(usize, String)>>,
}

/// What came of one act.
pub(crate) enum Came {
    Right,
    /// 429 or 503, with a time to come back.
    TurnedAway(u16),
    /// Anything else, in words.
    Wrong(String),
}

impl Story {
    pub(crate) fn new(cast: Cast, host: Arc<Host>) -> Self {
        Self {
            cast,
            host,
            ledger: Ledger::default(),
            begun: AtomicUsize::new(0),
            open: Mutex::default(),
        }
    }

    /// The next act, in an order that is the same on every run.
    pub(crate) async fn next(&self) -> Came {
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        let act = act(number);
        match self.play(act, number).await {
            Ok(came) => came,
            Err(error) => Came::Wrong(format!("{act:?}: no answer: {error}")),
        }
    }

    async fn play(&self, act: Act, number: usize) -> Result<Came, Error> {
        let host = &self.host;
        let place = number % self.cast.pairs.len();
        let pair = &self.cast.pairs[place];
        let mark = format!("mark-{number:07}");
        let answer = match act {
            Act::LookAtOneself => host.get(&pair.client, "/v1/me").await?,
            Act::ReadInbox => host.get(&pair.worker, "/v1/inbox").await?,
            Act::LookAtEngagement => host.get(&pair.client, &pair.engagement).await?,
            Act::ReadMessages => {
                host.get(&pair.worker, &format!("{}/messages", pair.engagement))
                    .await?
            }
            Act::LookAtCandidates => {
                host.get(&pair.client, &format!("{}/candidates", pair.request))
                    .await?
            }
            Act::LookAtSchedule => {
                let path = format!("/v1/support-workers/{}/schedule", pair.worker_id);
                host.get(&pair.worker, &path).await?
            }
            Act::ListTickets => {
                host.get(COORDINATOR, "/v1/tickets?queue=match_requests")
                    .await?
            }
            Act::PreviewCandidates => {
                host.get(COORDINATOR, &format!("{}/candidate-preview", pair.request))
                    .await?
            }
            Act::Write => {
                let path = format!("{}/messages", pair.engagement);
                let body = json!({"text": mark, "attachments": []});
                let by = if number.is_multiple_of(2) {
                    &pair.client
                } else {
                    &pair.worker
                };
                self.ledger.ask(Kind::Message, place, &mark);
                let answer = host.post(by, &path, &body).await?;
                self.promised(&answer, &mark, "/message").map(|()| answer)?
            }
            Act::SignUp => self.sign_up(&mark).await?,
            Act::OpenTicket => {
                self.ledger.ask(Kind::Ticket, 0, &mark);
                let body = json!({"subject": pair.client_id, "note": mark});
                let answer = host.post(COORDINATOR, "/v1/tickets", &body).await?;
                self.promised(&answer, &mark, "/id").map(|()| answer)?
            }
            Act::AskAndTakeBack => return self.ask_and_take_back(number, &mark).await,
            Act::Propose => self.propose(place, pair, number, &mark).await?,
            Act::Accept => match self.accept(&mark).await? {
                Some(answer) => answer,
                None => host.get(ADMINISTRATOR, "/v1/me").await?,
            },
        };
        Ok(judge(act, &answer))
    }

    /// Notes what a 2xx has promised.
    fn promised(&self, answer: &Answer, mark: &str, pointer: &str) -> Result<(), Error> {
        if !(200..300).contains(&answer.status) {
            return Ok(());
        }
        match answer.text(pointer) {
            id if id.is_empty() => Err(format!("no {pointer} in {}", answer.body).into()),
            id => {
                self.ledger.promise(mark, id);
                Ok(())
            }
        }
    }

    async fn sign_up(&self, mark: &str) -> Result<Answer, Error> {
        let body = json!({
            "signup_for": "self", "given_name": "Load", "family_name": mark, "birth_date": "1950-01-01",
            "email": format!("{mark}@example.org"), "about": mark,
        });
        let bytes = body.to_string();
        let signature =
            RequestSignature::sign(&self.cast.secret, mark, SystemClock.now(), bytes.as_bytes());
        self.ledger.ask(Kind::Signup, 0, mark);
        let request = self.host.request(Method::POST, &self.cast.signups);
        let request = request
            .header("content-type", "application/json")
            .header(ID_HEADER, signature.id)
            .header(TIMESTAMP_HEADER, signature.timestamp)
            .header(SIGNATURE_HEADER, signature.signature)
            .body(bytes);
        let answer = self.host.send(request).await?;
        self.promised(&answer, mark, "/reference")?;
        Ok(answer)
    }

    async fn ask_and_take_back(&self, number: usize, mark: &str) -> Result<Came, Error> {
        let asker = &self.cast.askers[number % self.cast.askers.len()];
        let path = format!("/v1/clients/{}/match-requests", asker.client_id);
        self.ledger.ask(Kind::Request, 0, mark);
        let answer = self
            .host
            .post(&asker.subject, &path, &asker.details)
            .await?;
        self.promised(&answer, mark, "/id")?;
        if answer.status != 201 {
            return Ok(judge(Act::AskAndTakeBack, &answer));
        }
        let id = answer.text("/id");
        let taken_back = format!("{mark}-withdrawn");
        self.ledger.ask(Kind::Withdrawal, 0, &taken_back);
        let path = format!("/v1/match-requests/{id}/withdrawal");
        let answer = self.host.post(&asker.subject, &path, &json!({})).await?;
        if answer.status == 201 {
            self.ledger.promise(&taken_back, id);
        }
        Ok(judge(Act::AskAndTakeBack, &answer))
    }

    async fn propose(
        &self,
        place: usize,
        pair: &Pair,
        number: usize,
        mark: &str,
    ) -> Result<Answer, Error> {
        self.ledger.ask(Kind::Proposal, place, mark);
        let path = format!("{}/proposals", pair.engagement);
        let body = json!({"visit": {
            "starts": slot(number), "time_zone": "Australia/Melbourne", "minutes": 60, "place": "home",
            "service": pair.service, "notes": mark,
        }});
        let answer = self.host.post(&pair.worker, &path, &body).await?;
        self.promised(&answer, mark, "/id")?;
        if answer.status == 201 {
            let path = format!("{path}/{}", answer.text("/id"));
            self.open().push((place, path));
        }
        Ok(answer)
    }

    /// The oldest open proposal; none where there is none.
    async fn accept(&self, mark: &str) -> Result<Option<Answer>, Error> {
        let oldest = {
            let mut open = self.open();
            if open.is_empty() {
                None
            } else {
                Some(open.remove(0))
            }
        };
        let Some((place, path)) = oldest else {
            return Ok(None);
        };
        self.ledger.ask(Kind::Visit, place, mark);
        let client = &self.cast.pairs[place].client;
        let path = format!("{path}/acceptance");
        let answer = self
            .host
            .post(client, &path, &json!({"revision": 1}))
            .await?;
        self.promised(&answer, mark, "/visit")?;
        Ok(Some(answer))
    }

    fn open(&self) -> std::sync::MutexGuard<'_, Vec<(usize, String)>> {
        self.open
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Spread by a multiplier that shares no factor with the sum, so that kinds alternate.
fn act(number: usize) -> Act {
    let sum: usize = MIX.iter().map(|(_, often)| often).sum();
    let mut left = number.wrapping_mul(37) % sum;
    for (act, often) in MIX {
        match left.checked_sub(often) {
            Some(rest) => left = rest,
            None => return act,
        }
    }
    Act::LookAtOneself
}

/// A weekday's hour in Melbourne within the year that proposals reach, another one for each number for long.
fn slot(number: usize) -> String {
    let hours = [8, 10, 12, 14, 16];
    let mut day = (SystemClock.now() + TimeDelta::days(3)).date_naive();
    day += TimeDelta::days(((number / hours.len()) % 250) as i64);
    while day.weekday().number_from_monday() > 5 {
        day += TimeDelta::days(2);
    }
    format!("{day}T{:02}:00:00", hours[number % hours.len()])
}

/// 409 is right where an hour is taken or a client has asked for enough already.
fn judge(act: Act, answer: &Answer) -> Came {
    match (act, answer.status) {
        (_, 429 | 503) if answer.retry_after => Came::TurnedAway(answer.status),
        (_, 200..=299) | (Act::Accept | Act::AskAndTakeBack, 409) => Came::Right,
        (_, status) => Came::Wrong(format!("{act:?}: {status}: {}", answer.body)),
    }
}
