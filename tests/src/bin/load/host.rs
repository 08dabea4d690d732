//! The host as a process of its own, and how to call it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

use crate::Error;

/// How long somebody waits for an answer.
const PATIENCE: Duration = Duration::from_secs(30);
const TABLE_LINE: &str = "the table, for tools";

/// A running host.
pub(crate) struct Host {
    pub(crate) url: String,
    /// Where the table is served.
    pub(crate) table: String,
    http: reqwest::Client,
    tokens: Mutex<BTreeMap<String, String>>,
    keys: AtomicU64,
    _process: Child,
    _folder: TempDir,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: bool,
    pub(crate) etag: String,
    pub(crate) body: Value,
}

impl Answer {
    /// The text at a JSON pointer.
    pub(crate) fn text(&self, pointer: &str) -> String {
        let found = self.body.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or_default().to_owned()
    }

    pub(crate) fn items(&self, pointer: &str) -> Vec<Value> {
        let found = self.body.pointer(pointer).and_then(Value::as_array);
        found.cloned().unwrap_or_default()
    }
}

impl Host {
    /// Starts one over a new data file, on a free port.
    pub(crate) async fn start(program: Option<PathBuf>) -> Result<Self, Error> {
        let program = match program {
            Some(program) => program,
            None => std::env::current_exe()?.with_file_name("rapport"),
        };
        let folder = tempfile::tempdir()?;
        let port = std::net::TcpListener::bind("127.0.0.1:0")?
            .local_addr()?
            .port();
        let mut process = Command::new(&program)
            .args(["--port", &port.to_string(), "--data"])
            .arg(folder.path().join("load.db"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| {
                format!(
                    "{}: {error}; build it, or name it with --host",
                    program.display()
                )
            })?;
        let output = process.stdout.take().ok_or("no output of the host")?;
        let mut lines = BufReader::new(output).lines();
        let table = loop {
            let line = lines.next_line().await?.ok_or("the host did not start")?;
            if let Some((_, endpoint)) = line.split_once(TABLE_LINE) {
                break endpoint.trim().to_owned();
            }
        };
        // What else it prints is read and dropped, so that it never waits for somebody to read.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self {
            url: format!("http://127.0.0.1:{port}"),
            table,
            http: reqwest::Client::builder().timeout(PATIENCE).build()?,
            tokens: Mutex::default(),
            keys: AtomicU64::new(0),
            _process: process,
            _folder: folder,
        })
    }

    pub(crate) async fn get(&self, subject: &str, path: &str) -> Result<Answer, Error> {
        let request = self.request(Method::GET, path);
        self.send(self.as_(request, subject).await?).await
    }

    /// Acts, under a key that nobody has used.
    pub(crate) async fn post(
        &self,
        subject: &str,
        path: &str,
        body: &Value,
    ) -> Result<Answer, Error> {
        self.post_if(subject, path, None, body).await
    }

    /// Acts on the version with this ETag.
    pub(crate) async fn post_if(
        &self,
        subject: &str,
        path: &str,
        etag: Option<&str>,
        body: &Value,
    ) -> Result<Answer, Error> {
        let key = format!("load-{}", self.keys.fetch_add(1, Ordering::Relaxed));
        let mut request = self.request(Method::POST, path);
        request = request.header("idempotency-key", key).json(body);
        if let Some(etag) = etag {
            request = request.header("if-match", etag);
        }
        self.send(self.as_(request, subject).await?).await
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Answer, Error> {
        let response = request.send().await?;
        let headers = response.headers();
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let (etag, retry_after) = (
            header("etag").unwrap_or_default().to_owned(),
            header("retry-after").is_some(),
        );
        let status = response.status().as_u16();
        let body = response.bytes().await?;
        Ok(Answer {
            status,
            retry_after,
            etag,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        })
    }

    /// What only the local host offers.
    pub(crate) async fn dev(&self, path: &str, body: &Value) -> Result<Answer, Error> {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    async fn as_(&self, request: RequestBuilder, subject: &str) -> Result<RequestBuilder, Error> {
        let known = self.tokens.lock().await.get(subject).cloned();
        let token = match known {
            Some(token) => token,
            None => {
                let answer = self.dev("/dev/token", &json!({"subject": subject})).await?;
                let token = answer.text("/access_token");
                self.tokens
                    .lock()
                    .await
                    .insert(subject.to_owned(), token.clone());
                token
            }
        };
        Ok(request.bearer_auth(token))
    }

    /// Every item of a list, page by page.
    pub(crate) async fn all(&self, subject: &str, path: &str) -> Result<Vec<Value>, Error> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let join = if path.contains('?') { '&' } else { '?' };
            let more = if cursor.is_empty() {
                String::new()
            } else {
                format!("&cursor={cursor}")
            };
            let page = self
                .get(subject, &format!("{path}{join}limit=100{more}"))
                .await?;
            if page.status != 200 {
                return Err(format!("GET {path} answered {}: {}", page.status, page.body).into());
            }
            items.extend(page.items("/items"));
            cursor = page.text("/next");
            if cursor.is_empty() {
                return Ok(items);
            }
        }
    }
}
