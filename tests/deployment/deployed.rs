//! What there is of a deployment: where it is, how it is reached, and what falls due in it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use chrono::TimeDelta;
use functions::context::{self, Context};
use functions::matcher::Matcher;
use platform::blobs::BucketBlobs;
use platform::ids::IdSource;
use platform::keys::DeploymentKey;
use platform::mail::SesMail;
use platform::metrics::Metrics;
use platform::tokens::TokenRules;
use rapport::issuer::{self, Issuer, IssuerError};
use rapport_tests::emulator;
use reqwest::RequestBuilder;
use serde::Deserialize;
use serde_json::Value;
use store::Store;
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::clock::MovedClock;

/// How long what is due may take: it goes through stream, function, queue and function.
const PATIENCE: Duration = Duration::from_secs(45);
/// The sweeper comes every five minutes, and leaves a row alone for two.
const UNTIL_SWEPT: TimeDelta = TimeDelta::minutes(8);
const SWEEPS: u32 = 2;
const TOKENS_HOLD: TimeDelta = TimeDelta::hours(1);
const LOOKS_EVERY: Duration = Duration::from_millis(100);
/// Rows of each bucket that are looked at: one is enough to know that something is due.
const ROWS: u16 = 5;

/// What the script that deploys it says.
#[derive(Debug, Deserialize)]
struct Description {
    stack: String,
    api: String,
    parameters: BTreeMap<String, String>,
    outputs: BTreeMap<String, String>,
    deployment_key: String,
}

pub(crate) struct Deployed {
    pub(crate) api: String,
    pub(crate) endpoint: String,
    pub(crate) http: reqwest::Client,
    pub(crate) issuer: Issuer,
    pub(crate) clock: MovedClock,
    pub(crate) stack: String,
    pub(crate) table: String,
    pub(crate) config: SdkConfig,
    /// As an operator has it, with every right: for what is put into the table, and looked at there.
    pub(crate) context: Context,
}

impl Deployed {
    /// The deployment that the environment names, if any.
    pub(crate) async fn from_environment() -> Option<Self> {
        let file = std::env::var("RAPPORT_DEPLOYMENT").ok()?;
        let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("set {name}"));
        let said = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let clock = MovedClock::open(variable("RAPPORT_CLOCK").into());
        Some(Self::new(said, variable("RAPPORT_AWS"), clock).await)
    }

    async fn new(said: Description, endpoint: String, clock: MovedClock) -> Self {
        let config = emulator::config(&endpoint).await.to_builder();
        let config = config.time_source(clock.clone()).build();
        let parameter = |name: &str| said.parameters[name].clone();
        let rules = TokenRules {
            issuer: parameter("Issuer"),
            audience: parameter("Audience"),
            scope: parameter("Scope"),
        };
        let dynamodb = aws_sdk_dynamodb::Client::new(&config);
        let context = Context {
            store: Store::new(dynamodb, &said.outputs["TableName"]),
            ids: Arc::new(IdSource::from_os(Arc::new(clock.clone())).unwrap()),
            clock: Arc::new(clock.clone()),
            key: DeploymentKey::from_hex(&said.deployment_key).unwrap(),
            token_rules: rules.clone(),
            mail: Arc::new(SesMail::new(&config, parameter("MailFrom"), None).unwrap()),
            blobs: Arc::new(BucketBlobs::new(&config, &said.outputs["BucketName"])),
            matcher: Matcher::default(),
            metrics: Metrics::none(),
            deployment: context::Deployment {
                organisation: parameter("Organisation"),
                app_url: parameter("AppUrl"),
                emergency: parameter("Emergency"),
                first_administrator: None,
            },
        };
        Self {
            api: said.api,
            endpoint,
            http: reqwest::Client::new(),
            issuer: Issuer::new(rules).unwrap(),
            clock,
            stack: said.stack,
            table: said.outputs["TableName"].clone(),
            config,
            context,
        }
    }

    /// Publishes the issuer's keys where the authorizer looks for them.
    pub(crate) async fn publish_keys(&self) {
        let rules = self.context.token_rules.clone();
        let address = rules.issuer.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind(&address).await.unwrap();
        let issuer = Arc::new(Issuer::new(rules).unwrap());
        let router = issuer::router(issuer, Arc::new(self.clock.clone()));
        tokio::spawn(async move { axum::serve(listener, router).await });
    }

    /// Puts the sample community into the table, and waits until its shards are built.
    pub(crate) async fn seed(&self) {
        println!("The sample community is being made ...");
        let store = &self.context.store;
        rapport::community::seed(&self.context, store)
            .await
            .unwrap();
        self.settle().await.unwrap();
    }

    /// An access token of `subject`.
    pub(crate) fn token(&self, subject: &str) -> Result<String, IssuerError> {
        let now = self.context.now();
        self.issuer.access_token(subject, now, TOKENS_HOLD)
    }

    /// What `subject` reads at `path`.
    pub(crate) async fn get(&self, subject: &str, path: &str) -> Value {
        let request = self.http.get(format!("{}{path}", self.api));
        self.answered(subject, path, request).await
    }

    /// What `subject` is answered to `body`.
    pub(crate) async fn post(&self, subject: &str, path: &str, body: &Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.api)).json(body);
        let key = format!("{subject}-{}", self.context.now().timestamp_millis());
        let request = request.header("idempotency-key", key);
        self.answered(subject, path, request).await
    }

    async fn answered(&self, subject: &str, path: &str, request: RequestBuilder) -> Value {
        let request = request.bearer_auth(self.token(subject).unwrap());
        let response = request.send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{subject}, {path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The address of one of the stack's queues.
    pub(crate) async fn queue(&self, name: &str) -> String {
        let sqs = aws_sdk_sqs::Client::new(&self.config);
        let named = sqs
            .get_queue_url()
            .queue_name(format!("{}-{name}", self.stack));
        named.send().await.unwrap().queue_url.unwrap()
    }

    /// Waits until nothing is due. A message that failed on a busy machine stays hidden for long: the clock is moved on
    /// then, until the sweeper brings its row once more.
    ///
    /// # Errors
    /// The rows that are due and stay so.
    pub(crate) async fn settle(&self) -> Result<(), String> {
        let mut rows = Vec::new();
        for round in 0..=SWEEPS {
            if round > 0 {
                println!("     (the sweeper is waited for: {})", rows.join(", "));
                self.clock.advance(UNTIL_SWEPT).await;
            }
            let gives_up = Instant::now() + PATIENCE;
            while Instant::now() < gives_up {
                // No answer is as good as something due.
                if let Ok(due) = self.context.store.due_by(self.context.now(), ROWS).await {
                    if due.is_empty() {
                        return Ok(());
                    }
                    rows = due.iter().map(ToString::to_string).collect();
                }
                tokio::time::sleep(LOOKS_EVERY).await;
            }
        }
        Err(format!(
            "still due after {SWEEPS} sweeps: {}",
            rows.join(", ")
        ))
    }

    /// Moves the clock, stopping at each instant at which something falls due on the way.
    ///
    /// # Errors
    /// The rows that are due and stay so.
    pub(crate) async fn advance(&self, by: TimeDelta) -> Result<(), String> {
        self.settle().await?;
        let until = self.context.now() + by;
        loop {
            let Ok(next) = self.context.store.next_due().await else {
                continue;
            };
            let to = next.map_or(until, |next| next.min(until));
            let wait = to - self.context.now();
            self.clock.advance(wait.max(TimeDelta::zero())).await;
            self.settle().await?;
            if self.context.now() >= until {
                return Ok(());
            }
        }
    }
}
