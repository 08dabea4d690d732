//! `kill -9`, for real: the program is killed again and again while people work with it, and whatever
//! was answered is there, once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by panicking"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rapport::community::Samples;
use rapport::data_file::beside;
use rapport::host::FIRST_ADMINISTRATOR;
use reqwest::{Client as Http, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// How often the program is killed; `RAPPORT_SIMULATION=full` for the larger number.
const KILLS: (usize, usize) = (4, 20);
const WRITERS: usize = 3;

/// The program, until it is killed.
struct Program {
    child: Child,
    url: String,
}

impl Program {
    fn start(data: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rapport"))
            .args(["--port", "0", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines
            .by_ref()
            .map(Result::unwrap)
            .find_map(|line| Some(line.split_once("running on ")?.1.trim().to_owned()))
            .expect("it says where it runs");
        // Nobody is to wait for a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Killed already, unless the test failed.
        let _ = self.child.kill();
    }
}

/// One program, as somebody calls it.
#[derive(Clone)]
struct Api {
    http: Http,
    url: String,
    token: String,
}

impl Api {
    async fn open(program: &Program) -> Self {
        let api = Self {
            http: Http::new(),
            url: program.url.replace("localhost", "127.0.0.1"),
            token: String::new(),
        };
        api.as_(FIRST_ADMINISTRATOR).await.unwrap()
    }

    async fn as_(&self, subject: &str) -> Result<Self, reqwest::Error> {
        let subject = json!({"subject": subject});
        let token = self
            .http
            .post(format!("{}/dev/token", self.url))
            .json(&subject);
        let token: Value = token.send().await?.json().await?;
        Ok(Self {
            token: token["access_token"].as_str().unwrap().to_owned(),
            ..self.clone()
        })
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.http
            .get(format!("{}{path}", self.url))
            .bearer_auth(&self.token)
    }

    fn post(&self, path: &str, key: &str, body: &Value) -> RequestBuilder {
        self.http
            .post(format!("{}{path}", self.url))
            .bearer_auth(&self.token)
            .header("idempotency-key", key)
            .json(body)
    }

    async fn read(&self, path: &str) -> Value {
        let answer = self.get(path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    /// Deals with everything that falls due within a day.
    async fn settle(&self) {
        let advance = self.http.post(format!("{}/dev/clock/advance", self.url));
        let advanced = advance
            .json(&json!({"seconds": 86_400}))
            .send()
            .await
            .unwrap();
        assert_eq!(advanced.status(), 200);
    }

    async fn all(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut next = Some(path.to_owned());
        while let Some(path) = next {
            let mut page = self.read(&path).await;
            items.append(page["items"].as_array_mut().unwrap());
            let separator = if path.contains('?') { '&' } else { '?' };
            let base = path
                .split("cursor=")
                .next()
                .unwrap()
                .trim_end_matches(['&', '?']);
            next = page["next"]
                .as_str()
                .map(|cursor| format!("{base}{separator}cursor={cursor}"));
        }
        items
    }
}

/// Somebody who opens tickets and takes them, and who asks again where there was no answer.
struct Writer {
    number: usize,
    me: String,
    opened: Option<String>,
    taken: Vec<String>,
}

impl Writer {
    /// Works until the program is gone.
    async fn work(&mut self, api: &Api, answered: &UnboundedSender<()>) {
        while self.step(api).await.is_ok() {
            let _ = answered.send(());
        }
    }

    async fn step(&mut self, api: &Api) -> Result<(), reqwest::Error> {
        match self.opened.clone() {
            None => {
                self.opened = self.open(api).await?;
            }
            Some(ticket) => {
                if self.take(api, &ticket).await? {
                    self.taken.extend(self.opened.take());
                }
            }
        }
        Ok(())
    }

    /// Under a key of its own, so that asking again is the same act.
    async fn open(&self, api: &Api) -> Result<Option<String>, reqwest::Error> {
        let work = format!("work-{}-{}", self.number, self.taken.len());
        let body = json!({"subject": work, "note": "To be done."});
        let answer = api.post("/v1/tickets", &work, &body).send().await?;
        let Some(answer) = unless_busy(answer, 201) else {
            return Ok(None);
        };
        let ticket: Value = answer.json().await?;
        Ok(ticket["id"].as_str().map(str::to_owned))
    }

    async fn take(&self, api: &Api, ticket: &str) -> Result<bool, reqwest::Error> {
        let path = format!("/v1/tickets/{ticket}");
        let answer = api.get(&path).send().await?;
        let Some(answer) = unless_busy(answer, 200) else {
            return Ok(false);
        };
        let etag = answer.headers()["etag"].clone();
        let seen: Value = answer.json().await?;
        // Done by the last attempt, whose answer was lost.
        if seen["assignee"] == *self.me {
            return Ok(true);
        }
        let body = json!({"assignee": self.me, "due_at": seen["due_at"]});
        let put = api
            .http
            .put(format!("{}{path}", api.url))
            .bearer_auth(&api.token);
        let answer = put.header("if-match", etag).json(&body).send().await?;
        Ok(unless_busy(answer, 200).is_some())
    }
}

/// Clients who ask for support, one after the other, and staff who send them their candidates early.
struct Matchmaker {
    samples: Samples,
    next: usize,
    requested: Option<Requested>,
    sent: Vec<Requested>,
}

#[derive(Clone)]
struct Requested {
    /// Whose: a sample client's login.
    subject: String,
    /// Which.
    id: String,
}

impl Matchmaker {
    fn new() -> Self {
        Self {
            samples: Samples::read().unwrap(),
            next: 1,
            requested: None,
            sent: Vec::new(),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Requested> {
        self.sent.iter().chain(&self.requested)
    }

    /// Works until the program is gone.
    async fn work(&mut self, api: &Api, answered: &UnboundedSender<()>) {
        while self.step(api).await.is_ok() {
            let _ = answered.send(());
        }
    }

    async fn step(&mut self, api: &Api) -> Result<(), reqwest::Error> {
        match self.requested.clone() {
            None => self.request(api).await,
            Some(requested) => {
                if self.send_early(api, &requested.id).await? {
                    self.sent.extend(self.requested.take());
                }
                Ok(())
            }
        }
    }

    async fn request(&mut self, api: &Api) -> Result<(), reqwest::Error> {
        let subject = format!("sample-client-{:02}", self.next);
        let clock: Value = api.get("/dev/clock").send().await?.json().await?;
        let now = clock["now"].as_str().unwrap().parse().unwrap();
        let Some(details) = self.samples.match_request(&subject, now) else {
            // Not everybody asks for support: somebody begins again.
            self.next = self.next % 30 + 1;
            return Ok(());
        };
        let client = api.as_(&subject).await?;
        let me: Value = client.get("/v1/me").send().await?.json().await?;
        let id = me["roles"]["clients"][0].as_str().unwrap();
        let path = format!("/v1/clients/{id}/match-requests");
        let body = serde_json::to_value(details).unwrap();
        let answer = client.post(&path, "request", &body).send().await?;
        match answer.status().as_u16() {
            201 => {
                let id: Value = answer.json().await?;
                let id = id["id"].as_str().unwrap().to_owned();
                self.requested = Some(Requested { subject, id });
                self.next += 1;
            }
            // Not on a plan that allows it.
            403 | 409 => self.next += 1,
            status => assert_eq!(status, 503, "{subject}"),
        }
        Ok(())
    }

    async fn send_early(&self, api: &Api, id: &str) -> Result<bool, reqwest::Error> {
        let path = format!("/v1/match-requests/{id}");
        let preview = api.get(&format!("{path}/candidate-preview")).send().await?;
        let Some(preview) = unless_busy(preview, 200) else {
            return Ok(false);
        };
        let etag = preview.headers()["etag"].clone();
        let key = format!("{id}-{}", etag.to_str().unwrap().trim_matches('"'));
        let release = api.post(&format!("{path}/release"), &key, &json!({}));
        let answer = release.header("if-match", etag).send().await?;
        match answer.status().as_u16() {
            // The latter where it was done before, and the answer was lost.
            201 | 409 => Ok(true),
            status => {
                assert!([412, 503].contains(&status), "{status}");
                Ok(false)
            }
        }
    }
}

fn unless_busy(answer: Response, expected: u16) -> Option<Response> {
    let status = answer.status();
    if status == 503 {
        return None;
    }
    assert_eq!(status, expected, "{}", answer.url());
    Some(answer)
}

#[tokio::test]
async fn nothing_answered_is_lost_and_nothing_happens_twice() {
    let kills = match std::env::var("RAPPORT_SIMULATION") {
        Ok(how_much) if how_much == "full" => KILLS.1,
        _ => KILLS.0,
    };
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("rapport.db");
    let mut writers: Vec<Writer> = Vec::new();
    let mut matchmaker = Matchmaker::new();
    for kill in 0..kills {
        let program = Program::start(&data);
        let api = Api::open(&program).await;
        let me = api.read("/v1/me").await["id"].as_str().unwrap().to_owned();
        writers.extend((writers.len()..WRITERS).map(|number| Writer {
            number,
            me: me.clone(),
            opened: None,
            taken: Vec::new(),
        }));
        everything_answered_is_there(&api, &writers, &matchmaker).await;
        // Anywhere between the first write and a few dozen, with others under way.
        let moment = 1 + kill * 17 % 41;
        let (answered, mut heard) = unbounded_channel();
        let [one, two, three] = &mut writers[..] else {
            panic!("three writers")
        };
        let killed = async {
            for _ in 0..moment {
                heard.recv().await;
            }
            program.kill();
        };
        tokio::join!(
            one.work(&api, &answered),
            two.work(&api, &answered),
            three.work(&api, &answered),
            matchmaker.work(&api, &answered),
            killed,
        );
    }
    let program = Program::start(&data);
    let api = Api::open(&program).await;
    api.settle().await;
    // A day later the first token has expired.
    let api = Api::open(&program).await;
    everything_answered_is_there(&api, &writers, &matchmaker).await;
    nothing_stands_twice(&api, &data, &writers).await;
    everybody_heard_once(&api, &data, &matchmaker).await;
    let taken: usize = writers.iter().map(|writer| writer.taken.len()).sum();
    let sent = matchmaker.sent.len();
    println!("killed {kills} times: {taken} tickets opened and taken, {sent} lists sent");
    program.kill();
}

async fn everything_answered_is_there(api: &Api, writers: &[Writer], matchmaker: &Matchmaker) {
    for Requested { subject, id } in matchmaker.all() {
        let client = api.as_(subject).await.unwrap();
        client.read(&format!("/v1/match-requests/{id}")).await;
    }
    for Requested { subject, id } in &matchmaker.sent {
        let client = api.as_(subject).await.unwrap();
        client
            .read(&format!("/v1/match-requests/{id}/candidates"))
            .await;
    }
    for writer in writers {
        for ticket in &writer.taken {
            let found = api.read(&format!("/v1/tickets/{ticket}")).await;
            assert_eq!(found["assignee"], *writer.me, "{ticket}");
        }
        if let Some(opened) = &writer.opened {
            api.read(&format!("/v1/tickets/{opened}")).await;
        }
    }
}

async fn nothing_stands_twice(api: &Api, data: &Path, writers: &[Writer]) {
    let mut subjects: BTreeMap<String, usize> = BTreeMap::new();
    for ticket in api.all("/v1/tickets?queue=general&limit=100").await {
        *subjects.entry(ticket["subject"].to_string()).or_default() += 1;
    }
    assert!(subjects.values().all(|times| *times == 1), "{subjects:?}");

    let inbox = api.all("/v1/inbox?limit=100").await;
    let mails = mails(data);
    for ticket in writers.iter().flat_map(|writer| &writer.taken) {
        let told = inbox
            .iter()
            .filter(|notice| notice["body"].to_string().contains(ticket));
        assert_eq!(told.count(), 1, "inbox items about {ticket}");
        let mailed = mails.iter().filter(|mail| mail.contains(ticket));
        assert_eq!(mailed.count(), 1, "mails about {ticket}");
    }
}

/// Each list was released once: by staff, or by the schedule where the program was killed before.
async fn everybody_heard_once(api: &Api, data: &Path, matchmaker: &Matchmaker) {
    const READY: &str = "Your candidates are ready";
    let mails = mails(data);
    for Requested { subject, id } in matchmaker.all() {
        let client = api.as_(subject).await.unwrap();
        client
            .read(&format!("/v1/match-requests/{id}/candidates"))
            .await;
        let inbox = client.all("/v1/inbox?limit=100").await;
        let told = inbox.iter().filter(|notice| notice["subject"] == READY);
        assert_eq!(told.count(), 1, "inbox items to {subject}");
        let me = client.read("/v1/me").await;
        let address = me["contact"]["email"].as_str().unwrap();
        let mailed = mails
            .iter()
            .filter(|mail| mail.contains(address) && mail.contains(READY));
        assert_eq!(mailed.count(), 1, "mails to {subject}");
    }
}

fn mails(data: &Path) -> Vec<String> {
    let files = std::fs::read_dir(beside(data, ".mail")).unwrap();
    let mails = files.map(|mail| std::fs::read_to_string(mail.unwrap().path()).unwrap());
    // Long lines are broken and marked.
    mails.map(|mail| mail.replace("=\r\n", "")).collect()
}
