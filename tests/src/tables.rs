//! The tables that the store is tested against: the embedded one always, DynamoDB Local where there is one.

use std::sync::Arc;

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use dynoxide::Database;
use platform::clock::{ManualClock, SystemClock};
use platform::ids::IdSource;
use store::{Actor, Audit, Commit, Key, Store};

use crate::faults::Faults;
use crate::start;

/// One table, empty, and what can go wrong on the way to it.
#[derive(Debug)]
pub struct Table {
    /// The table, behind [`Self::faults`].
    pub store: Store,
    /// The SDK without the store, for what the store would not do.
    pub dynamodb: DynamoDb,
    /// The table's name.
    pub name: String,
    /// What goes wrong.
    pub faults: Faults,
    /// Fresh ids.
    pub ids: IdSource,
}

/// Runs `test` on every table there is.
pub async fn on_every_table(test: impl AsyncFn(Table)) {
    println!("on the embedded table");
    // In process nothing takes time but the store's own waits between tries, and those cost nothing now.
    tokio::time::pause();
    let http = rapport::embedded::in_process_http(Database::memory().unwrap());
    test(Table::create(http, "http://in-process.invalid").await).await;
    if let Ok(endpoint) = std::env::var("RAPPORT_DYNAMODB_LOCAL") {
        println!("on DynamoDB Local at {endpoint}");
        tokio::time::resume();
        let http = aws_smithy_http_client::Builder::new().build_http();
        test(Table::create(http, &endpoint).await).await;
    }
}

impl Table {
    async fn create(http: SharedHttpClient, endpoint: &str) -> Self {
        // DynamoDB Local keeps its tables: each test has one of its own.
        let ids = IdSource::from_os(Arc::new(SystemClock)).unwrap();
        let name = format!("contract-{:032x}", u128::from_be_bytes(ids.random_bytes()));
        let faults = Faults::default();
        let store = Store::new(faults.under(http.clone(), endpoint), &name);
        store.create_table_if_absent().await.unwrap();
        Self {
            store,
            dynamodb: rapport::embedded::sdk(http, endpoint),
            name,
            faults,
            ids: IdSource::seeded(Arc::new(ManualClock::new(start())), 1),
        }
    }

    /// A commit about `aggregate`, made at the tests' beginning.
    pub fn commit(&self, aggregate: &Key) -> Commit {
        Commit::new(self.audit(aggregate))
    }

    /// What such a commit says of itself.
    #[must_use]
    pub fn audit(&self, aggregate: &Key) -> Audit {
        Audit {
            commit: self.ids.fresh(),
            at: start(),
            actor: Actor::Service,
            operation: "test",
            aggregate: aggregate.clone(),
            fields: Vec::new(),
            reason: None,
        }
    }
}
