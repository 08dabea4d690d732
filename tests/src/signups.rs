//! Partners, and the signups that their servers and forms send.

use std::fmt::Write;

use platform::signature::{
    ID_HEADER, PartnerSecret, RequestSignature, SIGNATURE_HEADER, TIMESTAMP_HEADER,
};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::world::World;

/// The origin of the pages that may show [`settings`]' form.
pub const ORIGIN: &str = "https://www.northside.example";
/// Where [`settings`]' form leads with `redirect=thanks`.
pub const THANKS: &str = "https://www.northside.example/thank-you";

/// A partner as the tests know it.
#[derive(Debug, Clone)]
pub struct Partner {
    /// Its id.
    pub id: String,
    /// The publishable key of its form.
    pub form: String,
    /// The secret of its first signing key.
    pub secret: PartnerSecret,
}

/// What a partner of the tests is set to.
#[must_use]
pub fn settings() -> Value {
    json!({
        "name": "Northside", "state": "active", "fields": {}, "origins": [ORIGIN],
        "redirects": {"thanks": THANKS}, "ticket_per_signup": false, "hourly_quota": 10_000
    })
}

/// Adds a partner with one signing key.
pub async fn add_partner(world: &World, settings: &Value) -> Partner {
    let ada = world.administrator();
    let added = ada.post("/v1/partners", settings).await.expect(201);
    let id = added.string("id");
    let (_, secret) = add_key(world, &id).await;
    Partner {
        form: added.string("form"),
        id,
        secret,
    }
}

/// Gives a partner another signing key: its number and its secret.
pub async fn add_key(world: &World, partner: &str) -> (u64, PartnerSecret) {
    let path = format!("/v1/partners/{partner}/keys");
    let key = world.administrator().post(&path, &json!({})).await;
    let key = key.expect(201);
    let number = key["number"].as_u64().unwrap();
    (number, PartnerSecret::from_text(key.string("secret")))
}

/// A client who signs up for themselves.
#[must_use]
pub fn somebody(name: &str) -> Value {
    json!({"given_name": name, "family_name": "Marchetti", "email": format!("{name}@people.example")})
}

/// A client whom somebody else signs up.
#[must_use]
pub fn represented(name: &str, by: &str) -> Value {
    json!({
        "signup_for": "representative", "given_name": name, "family_name": "Marchetti",
        "representative_given_name": by, "representative_family_name": "Marchetti",
        "representative_email": format!("{by}@people.example"), "relationship": "daughter",
        "scopes": ["details", "match_requests"]
    })
}

/// Sends a body with signature headers, each of which may be anything, to the signups of `partner`.
pub async fn send(
    world: &World,
    partner: &str,
    headers: &[(&str, Vec<u8>)],
    body: Vec<u8>,
) -> Answer {
    let path = format!("/v1/partners/{partner}/signups");
    let nobody = world.nobody();
    nobody
        .ask(Method::POST, &path, |request| {
            let request = request
                .header("content-type", "application/json")
                .body(body);
            headers.iter().fold(request, |request, (name, value)| {
                request.header(*name, value.as_slice())
            })
        })
        .await
}

/// The three headers of a signature.
#[must_use]
pub fn headers_of(signature: &RequestSignature) -> Vec<(&'static str, Vec<u8>)> {
    let value = |text: &str| text.as_bytes().to_vec();
    vec![
        (ID_HEADER, value(&signature.id)),
        (TIMESTAMP_HEADER, value(&signature.timestamp)),
        (SIGNATURE_HEADER, value(&signature.signature)),
    ]
}

/// Sends a signup as the partner's server does.
pub async fn sign_up(world: &World, partner: &Partner, id: &str, signup: &Value) -> Answer {
    let body = signup.to_string().into_bytes();
    let signature = RequestSignature::sign(&partner.secret, id, world.now(), &body);
    send(world, &partner.id, &headers_of(&signature), body).await
}

/// A fresh form token, as a script in the partner's page gets it.
pub async fn form_token(world: &World, partner: &Partner) -> String {
    let path = format!("/v1/forms/{}/token", partner.form);
    let given = world
        .nobody()
        .ask(Method::GET, &path, |request| {
            request.header("origin", ORIGIN)
        })
        .await;
    given.expect(200).string("token")
}

/// Submits a form as a browser does, from a page of [`ORIGIN`].
pub async fn submit(world: &World, form: &str, fields: &[(&str, &str)]) -> Answer {
    submit_with(world, form, fields, |request| {
        request.header("origin", ORIGIN)
    })
    .await
}

/// Submits a form with headers of the test's own.
pub async fn submit_with(
    world: &World,
    form: &str,
    fields: &[(&str, &str)],
    finish: impl FnOnce(RequestBuilder) -> RequestBuilder,
) -> Answer {
    let path = format!("/v1/forms/{form}/signups");
    let body = form_encoded(fields);
    let nobody = world.nobody();
    nobody
        .ask(Method::POST, &path, |request| {
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            finish(request.body(body))
        })
        .await
}

/// How many signups are stored.
pub async fn signups_stored(world: &World) -> usize {
    all(world, "/v1/signups?limit=100").await.len()
}

/// Every entry of a list, as the administrator sees it.
pub async fn all(world: &World, path: &str) -> Vec<Value> {
    let mut entries = Vec::new();
    let mut next = Some(path.to_owned());
    while let Some(path) = next {
        let page = world.administrator().get(&path).await.expect(200);
        entries.extend(page["items"].as_array().unwrap().clone());
        next = page.next_page();
    }
    entries
}

/// Fields as a browser writes them into a body.
#[must_use]
pub fn form_encoded(fields: &[(&str, &str)]) -> String {
    let mut body = String::new();
    for (name, value) in fields {
        if !body.is_empty() {
            body.push('&');
        }
        encode(&mut body, name);
        body.push('=');
        encode(&mut body, value);
    }
    body
}

fn encode(body: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'*' => {
                body.push(char::from(byte));
            }
            b' ' => body.push('+'),
            other => write!(body, "%{other:02X}").unwrap(),
        }
    }
}
