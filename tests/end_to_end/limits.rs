//! What is too large, too long, or not what it should be: refused with words that help.

use rapport_tests::world::{Caller, World};
use reqwest::Method;
use serde_json::json;

use crate::some_work;

async fn open(
    caller: &Caller<'_>,
    content_type: &str,
    body: String,
) -> rapport_tests::answer::Answer {
    caller
        .ask(Method::POST, "/v1/tickets", |request| {
            request
                .header("idempotency-key", "k")
                .header("content-type", content_type)
                .body(body)
        })
        .await
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let world = World::start().await;
    let large = some_work(&"x".repeat(300_000)).to_string();
    let refused = open(&world.administrator(), "application/json", large).await;
    refused.expect_problem(413, "body-too-large");
}

#[tokio::test]
async fn a_body_that_is_no_json_is_refused() {
    let world = World::start().await;
    let ada = world.administrator();
    for garbage in [
        "{",
        "not json",
        "{\"subject\": \"a\"} {}",
        "\u{0}",
        "[1, 2",
        "{\"a\": NaN}",
    ] {
        let refused = open(&ada, "application/json", garbage.to_owned()).await;
        let status = refused.status();
        assert!([400, 422].contains(&status), "{garbage}: {status}");
    }
    let cut_off = open(&ada, "application/json", "{\"subject\": \"a".to_owned()).await;
    cut_off.expect_problem(400, "malformed");
    // As deep as anybody likes to nest: neither a crash nor an answer that takes long.
    let deep = open(&ada, "application/json", "[".repeat(100_000)).await;
    assert!([400, 422].contains(&deep.status()));
    let form = open(
        &ada,
        "application/x-www-form-urlencoded",
        "subject=a&note=b".to_owned(),
    )
    .await;
    form.expect_problem(415, "not-json");
}

#[tokio::test]
async fn every_field_that_cannot_be_accepted_is_named() {
    let world = World::start().await;
    let ada = world.administrator();
    for (body, pointers) in [
        (
            json!({"subject": "", "note": ""}),
            vec!["/note", "/subject"],
        ),
        (
            json!({"subject": "s".repeat(81), "note": "n".repeat(2001)}),
            vec!["/note", "/subject"],
        ),
        (
            json!({"subject": "s", "note": "n", "more": 1}),
            vec!["/more"],
        ),
        (json!({"subject": "s", "note": 7}), vec!["/note"]),
        (
            json!({"subject": "s", "note": "n", "due_at": "tomorrow"}),
            vec!["/due_at"],
        ),
    ] {
        let refused = ada
            .post("/v1/tickets", &body)
            .await
            .expect_problem(422, "invalid-fields");
        assert_eq!(refused.pointers(), pointers, "{body}");
    }
    let missing = ada.post("/v1/tickets", &json!({"subject": "s"})).await;
    let missing = missing.expect_problem(422, "invalid-fields");
    assert!(missing.text().contains("note"), "{}", missing.text());
}

#[tokio::test]
async fn what_is_not_there_is_not_there() {
    let world = World::start().await;
    let ada = world.administrator();
    for path in [
        "/",
        "/v1",
        "/v1/tickets/",
        "/v1/tickets/tkt_1",
        "/v1/tickets/tkt_0190b2f06bd47c5a9a3e5b7f21d4c8aa",
        "/v1/tickets/clt_0190b2f06bd47c5a9a3e5b7f21d4c8aa",
        "/v1/tickets/..%2f..%2fetc",
        "/v1/tickets/%00",
    ] {
        ada.get(path).await.expect_problem(404, "not-found");
    }
    let wrong_way = ada
        .ask(Method::DELETE, "/v1/tickets", |request| request)
        .await;
    wrong_way.expect_problem(405, "method-not-allowed");
}

#[tokio::test]
async fn answers_are_not_kept_by_anybody_in_between() {
    let world = World::start().await;
    let answer = world
        .administrator()
        .get("/v1/tickets?queue=general")
        .await
        .expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
}
