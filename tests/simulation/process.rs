//! A process of the simulated service: what it holds, and what happens in it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use chrono::{DateTime, TimeDelta, Utc};
use domain::due::Consumer;
use domain::person::LoginKey;
use dynoxide::Database;
use functions::consume::{Consumed, consume};
use functions::context::{Context, Deployment, FirstAdministrator, Shared};
use functions::matcher::Matcher;
use functions::sweep::{Swept, sweep};
use http_body_util::BodyExt;
use index_builder::{IndexBuilder, Outcome};
use platform::clock::{Clock, ManualClock};
use platform::ids::IdSource;
use platform::keys::DeploymentKey;
use platform::metrics::Metrics;
use platform::tokens::{Claims, TokenRules};
use rapport::embedded::in_process_http;
use rapport_tests::faults::{Faults, give_way};
use serde_json::{Value, json};
use store::{DueKey, Store, consumer_of};
use tower::ServiceExt;

use crate::ask::{Ask, Reply};
use crate::ports::{Letterbox, Shelf};
use crate::queues::Queues;
use crate::simulated::{ADMINISTRATOR, TABLE};

/// What a process holds, and loses when it ends.
pub(crate) struct Process {
    pub(crate) context: Shared,
    pub(crate) index: IndexBuilder,
    router: Router,
    clock: Arc<ManualClock>,
}

/// Something that happens in a process.
#[derive(Clone)]
pub(crate) enum Act {
    Ask(Ask),
    Deliver(DueKey),
    /// The same, from a queue that keeps what is not dealt with yet.
    Receive(DueKey),
    /// The sweeper's run: what is late is sent on to these queues.
    Sweep(Queues),
    /// Every deadline and effect that is due by then is delivered, but for notices.
    DeliverDue,
    /// The clock has the night of this time begun.
    BeginNight(DateTime<Utc>),
    /// The clock shows this time, once others have gone on so many times.
    Strike(DateTime<Utc>, usize),
}

/// What came of it, where the process lived to see it.
#[derive(Debug, Clone)]
pub(crate) enum Came {
    Answered(Reply),
    /// Whether the row was dealt with.
    Delivered(bool),
    /// What a sweep came to.
    Swept(Swept),
}

impl Process {
    pub(crate) fn begin(
        database: &Database,
        faults: &Faults,
        clock: &Arc<ManualClock>,
        ids: &Arc<IdSource>,
        mail: &Arc<Letterbox>,
        blobs: &Arc<Shelf>,
    ) -> Self {
        let dynamodb = faults.under(
            in_process_http(database.clone()),
            "http://in-process.invalid",
        );
        let context = Arc::new(Context {
            store: Store::new(dynamodb, TABLE),
            clock: clock.clone(),
            ids: ids.clone(),
            key: DeploymentKey::from_bytes(&[7; 32]),
            token_rules: token_rules(),
            mail: mail.clone(),
            blobs: blobs.clone(),
            matcher: Matcher::default(),
            metrics: Metrics::none(),
            deployment: deployment(),
        });
        let index = IndexBuilder {
            store: context.store.clone(),
            blobs: context.blobs.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
            metrics: Metrics::none(),
        };
        let (router, _) = functions::api::all(context.clone());
        Self {
            context,
            index,
            router,
            clock: clock.clone(),
        }
    }

    pub(crate) async fn let_happen(&self, act: &Act) -> Came {
        match act {
            Act::Ask(ask) => Came::Answered(self.answer(ask).await),
            Act::Deliver(key) | Act::Receive(key)
                if consumer_of(key) == Some(Consumer::IndexBuilder) =>
            {
                let outcomes = self.index.consume(std::slice::from_ref(key)).await;
                Came::Delivered(
                    outcomes
                        .iter()
                        .all(|(_, outcome)| matches!(outcome, Outcome::Done(_))),
                )
            }
            Act::Deliver(key) => Came::Delivered(consume(&self.context, key).await.is_ok()),
            Act::Receive(key) => {
                let consumed = consume(&self.context, key).await;
                Came::Delivered(matches!(consumed, Ok(Consumed::Done)))
            }
            Act::Sweep(queues) => {
                let (store, clock) = (&self.context.store, self.clock.as_ref());
                // It has a minute, and none of the simulation's clock passes.
                let until = clock.now() + TimeDelta::minutes(1);
                let swept = sweep(store, queues, &Metrics::none(), clock, until).await;
                Came::Swept(swept.unwrap_or_default())
            }
            Act::BeginNight(at) => Came::Delivered(self.index.begin_night(*at).await.is_ok()),
            Act::DeliverDue => Came::Delivered(self.deliver_due().await),
            Act::Strike(at, after) => {
                for _ in 0..*after {
                    give_way().await;
                }
                self.clock.set(self.clock.now().max(*at));
                Came::Delivered(true)
            }
        }
    }

    async fn deliver_due(&self) -> bool {
        let context = &self.context;
        let Ok(due) = context.store.due_by(context.now(), 100).await else {
            return false;
        };
        let mut done = true;
        for key in due {
            if consumer_of(&key) == Some(Consumer::Expiry) {
                done &= consume(context, &key).await.is_ok();
            }
        }
        done
    }

    pub(crate) async fn answer(&self, ask: &Ask) -> Reply {
        let mut request = Request::builder().method(ask.method.clone()).uri(&ask.path);
        for (name, value) in &ask.headers {
            request = request.header(*name, value);
        }
        let body = match &ask.body {
            Some(Value::String(file)) => {
                request = request.header("content-type", "text/csv");
                Body::from(file.clone())
            }
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let mut request = request.body(body).unwrap();
        request.extensions_mut().insert(self.claims(&ask.by));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let etag = response.headers().get("etag");
        let etag = etag.map_or("", |etag| etag.to_str().unwrap()).to_owned();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&body).unwrap_or_default();
        Reply { status, etag, body }
    }

    /// What a gateway hands on.
    fn claims(&self, subject: &str) -> Claims {
        let now = self.context.now().timestamp();
        let TokenRules {
            issuer,
            audience,
            scope,
        } = &self.context.token_rules;
        let claims = json!({
            "iss": issuer, "aud": audience, "sub": subject, "token_use": "access", "scope": scope,
            "iat": now, "exp": now + 3600,
        });
        serde_json::from_value(claims).unwrap()
    }
}

fn token_rules() -> TokenRules {
    TokenRules {
        issuer: "https://issuer.simulated.invalid".to_owned(),
        audience: "rapport".to_owned(),
        scope: "rapport".to_owned(),
    }
}

fn deployment() -> Deployment {
    Deployment {
        organisation: "Simulated".to_owned(),
        app_url: "https://app.simulated.invalid".to_owned(),
        emergency: "Ring 000.".to_owned(),
        first_administrator: Some(FirstAdministrator {
            login: LoginKey {
                issuer: token_rules().issuer,
                subject: ADMINISTRATOR.to_owned(),
            },
            name: domain::person::PersonName {
                given: "Ada".to_owned(),
                family: "Osei".to_owned(),
            },
            email: "ada@staff.example".to_owned(),
        }),
    }
}
