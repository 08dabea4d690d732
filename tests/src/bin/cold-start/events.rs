//! The functions, and an event for each that it answers without anybody's data: a request, a message, a record.

use domain::due::Consumer;
use functions::api::FAMILIES;
use serde_json::{Value, json};

/// A function, and what it is sent.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) event: Value,
}

/// Every function of the deployment.
pub(crate) fn functions() -> Vec<Function> {
    let of_families = FAMILIES.iter().map(|(name, routes)| {
        let (_, document) = routes().split_for_parts();
        let document = serde_json::to_value(document).unwrap();
        Function {
            name: (*name).to_owned(),
            event: request(&document),
        }
    });
    let of_consumers = Consumer::ALL.into_iter().map(|consumer| Function {
        // The index builder has a command of the same name.
        name: match consumer.kind() {
            "index-builder" => "index-builder-function".to_owned(),
            kind => kind.to_owned(),
        },
        event: message(consumer.kind()),
    });
    let of_the_clock = [("dispatch", json!({"Records": []})), ("sweeper", json!({}))];
    let of_the_clock = of_the_clock.map(|(name, event)| Function {
        name: name.to_owned(),
        event,
    });
    of_families
        .chain(of_consumers)
        .chain(of_the_clock)
        .collect()
}

/// The family's first reading operation, asked by somebody nobody knows; where it only writes, its first operation
/// with an empty body.
fn request(document: &Value) -> Value {
    let paths = document["paths"].as_object().unwrap();
    let reads = paths.iter().find(|(_, item)| item.get("get").is_some());
    let (path, item) = reads.or_else(|| paths.iter().next()).unwrap();
    let method = item.as_object().unwrap().keys().next().unwrap();
    let method = if item.get("get").is_some() {
        "get"
    } else {
        method
    };
    let filled = path.replace(['{', '}'], "");
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": filled, "rawQueryString": "",
        "headers": {"content-type": "application/json", "idempotency-key": "cold-start"},
        "requestContext": {
            "accountId": "1", "apiId": "a", "stage": "$default", "requestId": "r", "routeKey": "$default",
            "time": "26/Nov/2026:00:00:00 +0000", "timeEpoch": 1_795_000_000_000_u64,
            "http": {
                "method": method.to_uppercase(), "path": filled, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1",
                "userAgent": "cold-start",
            },
            "authorizer": {"jwt": {"scopes": null, "claims": {
                "iss": "https://issuer.example", "sub": "nobody", "aud": "rapport", "token_use": "access",
                "scope": "rapport", "iat": "1700000000", "exp": "4000000000",
            }}},
        },
        "body": "{}", "isBase64Encoded": false,
    })
}

/// Names a row that is gone: its effect has happened.
fn message(kind: &str) -> Value {
    let body = json!({
        "pk": "MREQ#mreq_01900000000070008000000000000001", "sk": "DUE#notice#1", "kind": kind,
        "at": "2026-11-02T00:00:00Z",
    });
    json!({"Records": [{
        "messageId": "m", "receiptHandle": "h", "body": body.to_string(), "attributes": {}, "messageAttributes": {},
        "eventSource": "aws:sqs", "awsRegion": "us-east-1",
    }]})
}
