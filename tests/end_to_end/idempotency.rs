//! The same act asked for again: answered again, done once.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use rapport_tests::world::World;
use serde_json::json;
use store::IDEMPOTENCY_DAYS;

use crate::some_work;

#[tokio::test]
async fn a_repetition_gets_the_same_answer_and_says_so() {
    let world = World::start().await;
    let ada = world.administrator();
    let ask = async || {
        ada.post_with_key("/v1/tickets", "key-1", &some_work("Once."))
            .await
            .expect(201)
    };
    let first = ask().await;
    assert!(!first.replayed());
    let again = ask().await;
    assert!(again.replayed());
    assert_eq!(again.json(), first.json());
    assert_eq!(again.etag(), first.etag());

    // Answered from the state as it is now, not from a copy kept with the key.
    let path = format!("/v1/tickets/{}", first.string("id"));
    ada.post(&format!("{path}/closure"), &json!({"text": "Done."}))
        .await
        .expect(201);
    assert_eq!(ask().await["state"], "closed");
}

#[tokio::test]
async fn the_same_key_for_something_else_is_refused() {
    let world = World::start().await;
    let ada = world.administrator();
    let first = ada
        .post_with_key("/v1/tickets", "key-1", &some_work("This."))
        .await
        .expect(201);
    let another_body = ada
        .post_with_key("/v1/tickets", "key-1", &some_work("That."))
        .await;
    another_body.expect_problem(422, "key-reused");
    let path = format!("/v1/tickets/{}/notes", first.string("id"));
    let another_path = ada
        .post_with_key(&path, "key-1", &json!({"text": "This."}))
        .await;
    another_path.expect_problem(422, "key-reused");
}

#[tokio::test]
async fn a_refusal_does_not_use_the_key_up() {
    let world = World::start().await;
    let ada = world.administrator();
    let refused = ada
        .post_with_key("/v1/tickets", "key-1", &some_work(""))
        .await;
    refused.expect_problem(422, "invalid-fields");
    let mended = ada
        .post_with_key("/v1/tickets", "key-1", &some_work("Now."))
        .await;
    assert!(!mended.expect(201).replayed());
}

#[tokio::test]
async fn duplicates_at_the_same_time_are_one() {
    let world = World::start().await;
    let ada = world.administrator();
    ada.get("/v1/tickets?queue=general").await.expect(200);
    let work = some_work("Together.");
    let one = || ada.post_with_key("/v1/tickets", "key-1", &work);
    let (a, b, c, d, e, f) = tokio::join!(one(), one(), one(), one(), one(), one());
    let answers = [a, b, c, d, e, f].map(|answer| answer.expect(201));
    let ids: BTreeSet<String> = answers.iter().map(|answer| answer.string("id")).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(
        answers.iter().filter(|answer| !answer.replayed()).count(),
        1
    );
    let found = ada.get("/v1/tickets?queue=general").await.expect(200);
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_is_forgotten_after_its_days() {
    let world = World::start().await;
    let ada = world.administrator();
    let ask = async || {
        ada.post_with_key("/v1/tickets", "key-1", &some_work("Again."))
            .await
            .expect(201)
    };
    let first = ask().await.string("id");
    world
        .advance_by(TimeDelta::days(IDEMPOTENCY_DAYS) - TimeDelta::seconds(1))
        .await;
    assert_eq!(ask().await.string("id"), first);
    world.advance_by(TimeDelta::seconds(1)).await;
    let second = ask().await;
    assert!(!second.replayed());
    assert_ne!(second.string("id"), first);
}

#[tokio::test]
async fn a_key_must_be_there_and_usable() {
    let world = World::start().await;
    let ada = world.administrator();
    let work = some_work("No key.");
    let keyless = ada
        .ask(reqwest::Method::POST, "/v1/tickets", |request| {
            request.json(&work)
        })
        .await;
    keyless.expect_problem(400, "malformed");
    for key in ["", "with space", "with#hash", &"k".repeat(129)] {
        let refused = ada.post_with_key("/v1/tickets", key, &work).await;
        refused.expect_problem(400, "malformed");
    }
    let found = ada.get("/v1/tickets?queue=general").await.expect(200);
    assert_eq!(found["items"], json!([]));
}
