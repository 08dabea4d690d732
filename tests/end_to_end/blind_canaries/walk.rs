//! Asking for everything that the API's document holds.

use domain::id::{PersonId, WorkerId};
use rapport_tests::document::{Document, Operation};
use rapport_tests::world::World;
use reqwest::Method;
use serde_json::Value;

use super::Clients;
use super::watch::Watched;
use crate::all_at_once;

/// Every operation of the document, asked for by the client and the representative about what is theirs, what is
/// somebody else's, what is a support worker's, and what is nothing. Gives how many answers were searched.
pub(super) async fn walk(
    world: &World,
    clients: &Clients,
    workers: &[(WorkerId, PersonId)],
    requests: &[String],
    readers: [&Watched<'_>; 2],
) -> usize {
    let (worker, person) = workers[17];
    let id_of = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    let tickets = world.administrator().get("/v1/tickets?queue=workers").await;
    let ticket = tickets.expect(200)["items"][0]["id"].clone();
    let shown = readers[0].get(&format!("{}/candidates", requests[0])).await;
    let shown = shown.expect(200)["candidates"].clone();
    let candidates: Vec<String> = shown
        .as_array()
        .into_iter()
        .flatten()
        .take(1)
        .filter_map(|one| Some(one["candidate"].as_str()?.to_owned()))
        .collect();
    let ids = |name: &str| -> Vec<String> {
        let ids = match name {
            "client" => vec![clients.ana.to_string(), clients.berta.to_string()],
            "match_request" => vec![id_of(&requests[0]), id_of(&requests[1])],
            "worker" => vec![worker.to_string()],
            "person" => vec![person.to_string()],
            "candidate" => candidates.clone(),
            "ticket" => vec![ticket.as_str().unwrap().to_owned()],
            "id" => vec![worker.to_string(), person.to_string()],
            "kind" => vec!["support_worker".to_owned(), "identity".to_owned()],
            "number" => vec!["1".to_owned()],
            _ => Vec::new(),
        };
        let nothing = ["%00", "none-free", "%F0%9F%90%A6", "*"].map(str::to_owned);
        ids.into_iter().chain(nothing).collect()
    };
    let about = |text: &str| match text.split_once('_') {
        Some(("wrk", _)) => Some(worker.to_string()),
        Some(("per", _)) => Some(person.to_string()),
        Some(("mreq", _)) => Some(id_of(&requests[0])),
        Some(("clt", _)) => Some(clients.ana.to_string()),
        _ => None,
    };
    let document = Document::published();
    let mut questions = Vec::new();
    for operation in document.operations() {
        let body = document.example_body(operation);
        let body = body.map(|body| (body.media_type, in_terms_of(body.value, &about)));
        let reads = operation.method == "GET";
        for path in paths(operation, &ids) {
            let queries: &[&str] = if reads { &QUERIES } else { &[""] };
            for query in queries {
                let method: Method = operation.method.parse().unwrap();
                questions.push((method, format!("{path}{query}"), body.clone()));
            }
        }
    }
    for some in questions.chunks(32) {
        for reader in readers {
            let asked = some.iter().map(|question| ask(world, reader, question));
            all_at_once(asked).await;
        }
    }
    questions.len() * readers.len()
}

/// What is asked behind a path that is read.
const QUERIES: [&str; 3] = [
    "",
    "?limit=2&cursor=AAAA",
    "?limit=x&state=none-free&queue=1",
];

async fn ask(
    world: &World,
    reader: &Watched<'_>,
    (method, path, body): &(Method, String, Option<(String, Value)>),
) {
    let key = world.fresh_key();
    let answer = reader.caller.ask(method.clone(), path, |request| {
        let request = request.header("idempotency-key", key);
        let request = request.header("if-match", "\"1\"");
        match body {
            Some((kind, Value::String(text))) => {
                request.header("content-type", kind).body(text.clone())
            }
            Some((_, value)) => request.json(value),
            None => request,
        }
    });
    let answer = reader.searched(path, answer.await);
    assert!(answer.status() < 500, "{path}: {}", answer.text());
}

/// The operation's path with each of the ids in each of its places.
fn paths(operation: &Operation, ids: &impl Fn(&str) -> Vec<String>) -> Vec<String> {
    operation
        .path
        .split('/')
        .skip(1)
        .fold(vec![String::new()], |paths, part| {
            let name = part
                .strip_prefix('{')
                .and_then(|part| part.strip_suffix('}'));
            let parts = name.map_or_else(|| vec![part.to_owned()], ids);
            paths
                .iter()
                .flat_map(|path| parts.iter().map(move |part| format!("{path}/{part}")))
                .collect()
        })
}

fn in_terms_of(value: Value, about: &impl Fn(&str) -> Option<String>) -> Value {
    match value {
        Value::String(text) => Value::String(about(&text).unwrap_or(text)),
        Value::Array(values) => {
            let values = values.into_iter();
            values.map(|value| in_terms_of(value, about)).collect()
        }
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (name, in_terms_of(value, about)))
            .collect(),
        other => other,
    }
}
