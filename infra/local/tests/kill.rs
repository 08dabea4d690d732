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

/// The administrator at one program.
#[derive(Clone)]
struct Api {
    http: Http,
    url: String,
    token: String,
}

impl Api {
    async fn open(program: &Program) -> Self {
        let http = Http::new();
        let url = program.url.replace("localhost", "127.0.0.1");
        let subject = json!({"subject": FIRST_ADMINISTRATOR});
        let token = http.post(format!("{url}/dev/token")).json(&subject);
        let token: Value = token.send().await.unwrap().json().await.unwrap();
        let token = token["access_token"].as_str().unwrap().to_owned();
        Self { http, url, token }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.http
            .get(format!("{}{path}", self.url))
            .bearer_auth(&self.token)
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
            items.extend(page["items"].as_array_mut().unwrap().drain(..));
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
        let open = api
            .http
            .post(format!("{}/v1/tickets", api.url))
            .bearer_auth(&api.token);
        let answer = open
            .header("idempotency-key", &work)
            .json(&body)
            .send()
            .await?;
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
        everything_answered_is_there(&api, &writers).await;
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
            killed,
        );
    }
    let program = Program::start(&data);
    let api = Api::open(&program).await;
    api.settle().await;
    // A day later the first token has expired.
    let api = Api::open(&program).await;
    everything_answered_is_there(&api, &writers).await;
    nothing_stands_twice(&api, &data, &writers).await;
    let taken: usize = writers.iter().map(|writer| writer.taken.len()).sum();
    println!("killed {kills} times, {taken} tickets opened and taken");
    program.kill();
}

async fn everything_answered_is_there(api: &Api, writers: &[Writer]) {
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
    let mails: Vec<String> = std::fs::read_dir(beside(data, ".mail"))
        .unwrap()
        .map(|mail| std::fs::read_to_string(mail.unwrap().path()).unwrap())
        // Long lines are broken and marked.
        .map(|mail| mail.replace("=\r\n", ""))
        .collect();
    for ticket in writers.iter().flat_map(|writer| &writer.taken) {
        let told = inbox
            .iter()
            .filter(|notice| notice["body"].to_string().contains(ticket));
        assert_eq!(told.count(), 1, "inbox items about {ticket}");
        let mailed = mails.iter().filter(|mail| mail.contains(ticket));
        assert_eq!(mailed.count(), 1, "mails about {ticket}");
    }
}
