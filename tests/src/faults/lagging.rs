//! Indexes that are behind the table, as a global index of DynamoDB always may be.

use std::collections::{HashMap, VecDeque};

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

use super::Call;

/// An index is behind by so many written items at most.
const BEHIND: usize = 12;

/// What is asked of an index.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Asked {
    /// The index, the condition, its values but for the instant up to which something is due, which only
    /// grows, and where the page begins.
    what: String,
    newest_first: bool,
}

/// An item's key.
type ItemKey = (String, String);

/// What indexes held when they were last asked, and what was written of late.
#[derive(Default)]
pub(super) struct Indexes {
    seen: HashMap<Asked, HashMap<ItemKey, Value>>,
    written: VecDeque<ItemKey>,
}

/// What is asked of an index, if anything.
pub(super) fn call_of_index(call: &Call<'_>) -> Option<Asked> {
    if call.operation != "Query" {
        return None;
    }
    let body: Value = serde_json::from_slice(call.body).ok()?;
    let index = body.get("IndexName")?;
    let mut values = body["ExpressionAttributeValues"].clone();
    values.as_object_mut()?.remove(":until");
    Some(Asked {
        what: json!([
            index,
            body["KeyConditionExpression"],
            values,
            body["ExclusiveStartKey"]
        ])
        .to_string(),
        newest_first: body["ScanIndexForward"] == json!(false),
    })
}

impl Indexes {
    /// Notes what a call is about to write.
    pub(super) fn write(&mut self, call: &Call<'_>) {
        if !super::writes(call) {
            return;
        }
        let body: Value = serde_json::from_slice(call.body).unwrap_or_default();
        let many = body["TransactItems"].as_array().cloned();
        let writes = many.unwrap_or_else(|| vec![json!({"Write": body})]);
        for write in &writes {
            let named = write.as_object().into_iter().flat_map(|one| one.values());
            let keys =
                named.filter_map(|one| item_key(&one["Key"]).or_else(|| item_key(&one["Item"])));
            self.written.extend(keys);
        }
        while self.written.len() > BEHIND {
            self.written.pop_front();
        }
    }

    /// Remembers a true answer.
    pub(super) fn see(&mut self, asked: Asked, answer: &HttpResponse) {
        let answer = body_of(answer);
        let items = items_of(&answer).map(|item| (item_key(item), item.clone()));
        let items = items.filter_map(|(key, item)| Some((key?, item)));
        self.seen.insert(asked, items.collect());
    }

    /// The answer as the index would have given it before the last writes.
    pub(super) fn behind(&self, asked: &Asked, answer: &HttpResponse) -> HttpResponse {
        let mut answer = body_of(answer);
        let written = |key: &ItemKey| self.written.contains(key);
        let mut items: Vec<Value> = items_of(&answer)
            .filter(|item| !item_key(item).is_some_and(|key| written(&key)))
            .cloned()
            .collect();
        let before = self.seen.get(asked).into_iter().flatten();
        let before = before.filter(|(key, _)| written(key));
        items.extend(before.map(|(_, item)| item.clone()));
        items.sort_by_key(|item| place(item).map(str::to_owned));
        if asked.newest_first {
            items.reverse();
        }
        answer["Count"] = items.len().into();
        answer["Items"] = items.into();
        super::response(200, &answer)
    }
}

fn body_of(answer: &HttpResponse) -> Value {
    let body: &SdkBody = answer.body();
    serde_json::from_slice(body.bytes().unwrap_or_default()).unwrap_or_default()
}

fn items_of(answer: &Value) -> impl Iterator<Item = &Value> {
    answer["Items"].as_array().into_iter().flatten()
}

/// Where in its index an item stands.
fn place(item: &Value) -> Option<&str> {
    ["due_sk", "staff_sk"]
        .iter()
        .find_map(|name| item[*name]["S"].as_str())
}

fn item_key(item: &Value) -> Option<ItemKey> {
    let text = |name: &str| item[name]["S"].as_str().map(str::to_owned);
    Some((text("pk")?, text("sk")?))
}
