//! The meter: stands where the SDK's requests leave the process, so that it misses none.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector,
    http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use chrono::{DateTime, TimeDelta, Utc};
use platform::blobs::Blobs;
use platform::clock::SharedClock;
use platform::mail::Mail;
use rapport::instruments::{Instruments, under_way};
use serde_json::{Value, json};

use super::count::{Counted, Place, Tally};
use super::outside::{CountedBlobs, CountedMail};
use super::units::{Consistency, Item, half_reads, index_writes, size, writes};

/// What a row that falls due later than this waits for in a schedule: a queue holds messages back for no longer.
const LONGEST_DELAY: TimeDelta = TimeDelta::minutes(15);
/// What DynamoDB adds to an item, and to an entry of an index, where it is kept.
const KEEPING_BYTES: usize = 100;

/// Counts, by chapter and operation.
#[derive(Clone, Default)]
pub struct Meter(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    chapter: String,
    tally: Tally,
}

impl Meter {
    /// What was counted so far. What the host does by itself in place of the stream and the sweeper is no operation's,
    /// and left out.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.state().tally.clone()
    }

    pub(super) fn count(&self, counted: Counted) {
        if let Some(operation) = under_way() {
            self.count_for(&operation, counted);
        }
    }

    fn count_for(&self, operation: &str, counted: Counted) {
        let mut state = self.state();
        let place = Place {
            chapter: state.chapter.clone(),
            operation: operation.to_owned(),
        };
        *state.tally.0.entry(place).or_default() += counted;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Instruments for Meter {
    fn on_table(&self, http: SharedHttpClient, clock: SharedClock) -> SharedHttpClient {
        let meter = self.clone();
        http_client_fn(move |settings, components| {
            SharedHttpConnector::new(Metered {
                table: Table(http.http_connector(settings, components)),
                clock: clock.clone(),
                meter: meter.clone(),
            })
        })
    }

    fn on_blobs(&self, blobs: Arc<dyn Blobs>) -> Arc<dyn Blobs> {
        Arc::new(CountedBlobs::new(blobs, self.clone()))
    }

    fn on_mail(&self, mail: Arc<dyn Mail>) -> Arc<dyn Mail> {
        Arc::new(CountedMail::new(mail, self.clone()))
    }

    fn begins(&self, operation: &str, times: usize) {
        let times = times as u64;
        let counted = if operation.contains(": ") {
            Counted {
                deliveries: times,
                ..Counted::default()
            }
        } else {
            Counted {
                requests: times,
                ..Counted::default()
            }
        };
        self.count_for(operation, counted);
    }

    fn chapter(&self, title: &str) {
        title.clone_into(&mut self.state().chapter);
    }
}

struct Metered {
    table: Table,
    clock: SharedClock,
    meter: Meter,
}

impl std::fmt::Debug for Metered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metered")
    }
}

impl HttpConnector for Metered {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (table, meter, now) = (self.table.clone(), self.meter.clone(), self.clock.now());
        HttpConnectorFuture::new(async move {
            let operation = operation(&request);
            let asked = body(request.body());
            let written = written(&operation, &asked);
            let before = table.items(&asked, &written).await?;
            let response = table.0.call(request).await?;
            let after = table.items(&asked, &written).await?;
            let answer = body(response.body());
            let changes: Vec<_> = written.iter().zip(before).zip(after).collect();
            let mut counted = Counted {
                calls: 1,
                half_reads: half_reads_of(&operation, &asked, &answer),
                ..Counted::default()
            };
            for ((write, before), after) in &changes {
                let done = response.status().is_success();
                counted += cost(write, before.as_ref(), after.as_ref(), done, now);
            }
            counted.dispatches = u64::from(counted.messages + counted.schedules > 0);
            meter.count(counted);
            Ok(response)
        })
    }
}

/// The table beneath the meter, to be looked at without being counted.
#[derive(Clone)]
struct Table(SharedHttpConnector);

impl Table {
    async fn items(
        &self,
        asked: &Value,
        written: &[Write],
    ) -> Result<Vec<Option<Item>>, ConnectorError> {
        let mut items = Vec::with_capacity(written.len());
        for write in written {
            let table = write.body.get("TableName").or(asked.get("TableName"));
            let get = json!({"TableName": table, "Key": write.key, "ConsistentRead": true});
            let mut request = HttpRequest::new(SdkBody::from(get.to_string()));
            let target = "DynamoDB_20120810.GetItem";
            request.headers_mut().insert("x-amz-target", target);
            let answer = body(self.0.call(request).await?.body());
            items.push(answer["Item"].as_object().cloned());
        }
        Ok(items)
    }
}

/// One write, or check of a condition.
struct Write {
    key: Value,
    body: Value,
    in_transaction: bool,
}

fn operation(request: &HttpRequest) -> String {
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    let (_, operation) = target.rsplit_once('.').unwrap_or_default();
    operation.to_owned()
}

fn body(body: &SdkBody) -> Value {
    let bytes = body.bytes().expect("a body in memory");
    serde_json::from_slice(bytes).expect("a body of JSON")
}

/// The items that a call writes or checks.
fn written(operation: &str, asked: &Value) -> Vec<Write> {
    let write = |body: &Value, in_transaction| Write {
        key: body
            .get("Key")
            .cloned()
            .unwrap_or_else(|| key_of(&body["Item"])),
        body: body.clone(),
        in_transaction,
    };
    match operation {
        "PutItem" | "UpdateItem" | "DeleteItem" => vec![write(asked, false)],
        "TransactWriteItems" => {
            let actions = asked["TransactItems"].as_array().into_iter().flatten();
            let bodies = actions.flat_map(|action| action.as_object().into_iter().flatten());
            bodies.map(|(_, body)| write(body, true)).collect()
        }
        "GetItem" | "BatchGetItem" | "Query" | "DescribeTable" | "CreateTable" => Vec::new(),
        other => panic!("{other} is not counted yet: add it to the meter"),
    }
}

fn key_of(item: &Value) -> Value {
    json!({"pk": item["pk"], "sk": item["sk"]})
}

fn cost(
    write: &Write,
    before: Option<&Item>,
    after: Option<&Item>,
    done: bool,
    now: DateTime<Utc>,
) -> Counted {
    // A write that failed costs what it would have cost.
    let wanted = write.body.get("Item").and_then(Value::as_object);
    let mut counted = Counted {
        writes: writes(
            before,
            if done { after } else { wanted },
            write.in_transaction,
        ),
        kept_bytes: kept(after) - kept(before),
        ..Counted::default()
    };
    for index in INDEXES {
        let entry = |item: Option<&Item>| item.and_then(|item| entry(item, index));
        counted.index_writes += index_writes(entry(before).as_ref(), entry(after).as_ref());
    }
    if let Some(at) = after.filter(|_| before != after).and_then(announced) {
        let soon = at <= now + LONGEST_DELAY;
        counted.messages += u64::from(soon);
        counted.schedules += u64::from(!soon);
    }
    counted
}

/// The keys of the table's two indexes, which project keys alone.
const INDEXES: [[&str; 2]; 2] = [["due_pk", "due_sk"], ["staff_pk", "staff_sk"]];

/// An item's entry in an index: its own key, and the index's.
fn entry(item: &Item, index: [&str; 2]) -> Option<Item> {
    let names = ["pk", "sk"].into_iter().chain(index);
    let parts = names.map(|name| Some((name.to_owned(), item.get(name)?.clone())));
    parts.collect()
}

fn kept(item: Option<&Item>) -> i64 {
    let Some(item) = item else { return 0 };
    let entries = INDEXES.into_iter().filter_map(|index| entry(item, index));
    let all = std::iter::once(size(item)).chain(entries.map(|entry| size(&entry)));
    all.map(|bytes| bytes + KEEPING_BYTES).sum::<usize>() as i64
}

/// When a due row is to be tried, if the stream tells `dispatch` of it.
fn announced(item: &Item) -> Option<DateTime<Utc>> {
    let item = serde_json::from_value(Value::Object(item.clone())).expect("an item");
    store::announced(&item).map(|announced| announced.at)
}

fn half_reads_of(operation: &str, asked: &Value, answer: &Value) -> u64 {
    let consistency = |of: &Value| match of["ConsistentRead"].as_bool() {
        Some(true) => Consistency::Strong,
        _ => Consistency::Eventual,
    };
    let size_of = |item: &Value| item.as_object().map_or(0, size);
    match operation {
        "GetItem" => half_reads(size_of(&answer["Item"]), consistency(asked)),
        "BatchGetItem" => {
            let tables = asked["RequestItems"].as_object().into_iter().flatten();
            let each = tables.map(|(name, table)| {
                let found = answer["Responses"][name].as_array().into_iter().flatten();
                let left = answer["UnprocessedKeys"][name]["Keys"].as_array();
                let found: Vec<usize> = found.map(size_of).collect();
                let keys = table["Keys"].as_array().map_or(0, Vec::len);
                let absent = keys - found.len() - left.map_or(0, Vec::len);
                let sizes = found.into_iter().chain(std::iter::repeat_n(0, absent));
                sizes
                    .map(|size| half_reads(size, consistency(table)))
                    .sum::<u64>()
            });
            each.sum()
        }
        "Query" => {
            for narrowed in ["FilterExpression", "ProjectionExpression", "Select"] {
                let whole = asked.get(narrowed).is_none();
                assert!(whole, "a query with {narrowed} reads more than it answers");
            }
            let found = answer["Items"].as_array().into_iter().flatten();
            half_reads(found.map(size_of).sum(), consistency(asked))
        }
        _ => 0,
    }
}
