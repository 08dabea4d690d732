//! What was tried too often: staff find it, see why, and put it back.

use domain::access::StaffRole;
use platform::metrics::Metric;
use rapport_tests::parked::parked_row;
use rapport_tests::people::{settle_client, settle_staff};
use rapport_tests::world::World;
use serde_json::{Value, json};
use store::{Key, due_token};

use crate::some_work;

async fn parked(world: &World) -> Vec<Value> {
    let found = world.administrator().get("/v1/parked-rows").await;
    found.expect(200)["items"].as_array().unwrap().clone()
}

/// The commit that opened something, as its audit names it.
async fn opened(world: &World, ticket: &str) -> Value {
    let path = format!("/v1/audit/ticket/{ticket}");
    let audit = world.administrator().get(&path).await.expect(200);
    let entries = audit["items"].as_array().unwrap();
    let opening = entries
        .iter()
        .find(|entry| entry["operation"] == "open_ticket");
    opening.unwrap()["commit"].clone()
}

#[tokio::test]
async fn a_mail_that_could_not_be_sent_for_two_days_is_put_back_and_sent_once() {
    let world = World::start().await;
    let cora = settle_staff(world.context(), "cora", StaffRole::Coordinator).await;
    let ada = world.administrator();
    let ticket = ada
        .post("/v1/tickets", &some_work("Call back."))
        .await
        .expect(201);
    let path = format!("/v1/tickets/{}", ticket.string("id"));
    world.settle().await;
    let before = world.mails().len();

    // Mail has nowhere to go.
    let folder = world.mail_folder().to_owned();
    let aside = folder.with_extension("aside");
    std::fs::rename(&folder, &aside).unwrap();
    let change = json!({"assignee": cora.to_string(), "due_at": "2026-03-02T09:00:00Z"});
    ada.put(&path, &ticket.etag(), &change).await.expect(200);
    world.settle().await;
    assert_eq!(parked(&world).await, [] as [Value; 0], "it is tried again");
    world.advance(48).await;
    let rows = parked(&world).await;
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!(row["about"], cora.to_string());
    assert_eq!(row["kind"], "mail");
    assert_eq!(row["why"], "mail_unavailable");
    assert_eq!(row["tries"], 58);
    assert_eq!(row["due_at"], "2026-03-02T00:00:00Z");
    // What it follows from is the act that staff did, two effects before.
    let audit = ada
        .get(&format!("/v1/audit/ticket/{}", ticket.string("id")))
        .await;
    let audit = audit.expect(200);
    let edit = audit["items"].as_array().unwrap();
    let edit = edit
        .iter()
        .find(|entry| entry["operation"] == "edit_ticket");
    assert_eq!(row["act"], edit.unwrap()["commit"]);
    assert_ne!(row["act"], opened(&world, &ticket.string("id")).await);

    std::fs::rename(&aside, &folder).unwrap();
    assert_eq!(world.mails().len(), before);
    let sent = world.measured(Metric::MailSent).len();
    let redrive = format!("/v1/parked-rows/{}/redrive", row["id"].as_str().unwrap());
    let again = ada.post(&redrive, &json!({})).await.expect(201);
    assert_eq!(again["id"], row["id"]);
    world.settle().await;
    assert_eq!(parked(&world).await, [] as [Value; 0]);
    let mails = world.mails();
    assert_eq!(mails.len(), before + 1);
    assert!(mails.iter().any(|mail| mail.is_to("cora@people.example")));
    assert_eq!(world.measured(Metric::MailSent).len(), sent + 1);
    let path = format!("/v1/audit/person/{cora}");
    let audit = ada.get(&path).await.expect(200);
    assert_eq!(audit["items"][0]["operation"], "redrive_row");

    // It is done, and so gone.
    ada.post(&redrive, &json!({}))
        .await
        .expect_problem(404, "not-found");
    world.advance(48).await;
    assert_eq!(world.mails(), mails);
}

#[tokio::test]
async fn a_row_is_put_back_once_and_only_a_parked_one() {
    let world = World::start().await;
    let ada = world.administrator();
    let row = parked_row(world.context()).await;
    let path = format!("/v1/parked-rows/{}/redrive", due_token(&row));
    world.advance(1).await;
    let key = "put-back-1";
    let first = ada.post_with_key(&path, key, &json!({})).await.expect(201);
    let again = ada.post_with_key(&path, key, &json!({})).await.expect(201);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(first["id"], again["id"]);
    world.settle().await;
    let left = world.context().store.pending_due(&row).await.unwrap();
    assert!(left.is_none());

    // One that is gone is left alone, and whatever is no row is none.
    let (client, _) = settle_client(world.context(), "rosa").await;
    let other = Key::client(client);
    for token in [due_token(&other), due_token(&row), "no-row".to_owned()] {
        let path = format!("/v1/parked-rows/{token}/redrive");
        ada.post(&path, &json!({}))
            .await
            .expect_problem(404, "not-found");
    }
}

#[tokio::test]
async fn parked_rows_are_listed_page_by_page() {
    let world = World::start().await;
    let mut rows = Vec::new();
    for _ in 0..5 {
        rows.push(due_token(&parked_row(world.context()).await));
    }
    let ada = world.administrator();
    let (mut found, mut path) = (Vec::new(), "/v1/parked-rows?limit=2".to_owned());
    loop {
        let page = ada.get(&path).await.expect(200);
        for item in page["items"].as_array().unwrap() {
            found.push(item["id"].as_str().unwrap().to_owned());
        }
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/parked-rows?limit=2&cursor={next}"),
            None => break,
        }
    }
    found.sort();
    rows.sort();
    assert_eq!(found, rows);
}
