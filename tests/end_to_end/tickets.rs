//! Tickets, from opening to closing, and who hears of them.

use domain::access::StaffRole;
use rapport_tests::people::settle_staff;
use rapport_tests::world::World;
use serde_json::json;

use crate::some_work;

#[tokio::test]
async fn a_ticket_is_opened_found_dated_assigned_remarked_on_and_closed() {
    let world = World::start().await;
    let coordinator = settle_staff(world.context(), "cora", StaffRole::Coordinator).await;
    let ada = world.administrator();
    let ticket = ada
        .post("/v1/tickets", &some_work("Call back."))
        .await
        .expect(201);
    let path = format!("/v1/tickets/{}", ticket.string("id"));
    assert_eq!(ticket["state"], "open");
    assert_eq!(ticket["queue"], "general");
    assert_eq!(ticket["notes"][0]["text"], "Call back.");

    let found = ada.get("/v1/tickets?queue=general").await.expect(200);
    assert_eq!(found["items"][0]["id"], ticket["id"]);

    let change = json!({"assignee": coordinator.to_string(), "due_at": "2026-03-02T09:00:00Z"});
    let edited = ada.put(&path, &ticket.etag(), &change).await.expect(200);
    assert_eq!(edited["assignee"], coordinator.to_string());
    assert_eq!(edited["overdue"], false);
    world.settle().await;
    let mails = world.mails();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].is_to("cora@people.example"));

    world.advance(10).await;
    assert_eq!(ada.get(&path).await.expect(200)["overdue"], true);
    assert_eq!(world.mails(), mails, "nobody is told twice");

    let cora = world.as_("cora");
    let done = json!({"text": "Called."});
    cora.post(&format!("{path}/notes"), &done).await.expect(201);
    let closed = cora
        .post(&format!("{path}/closure"), &done)
        .await
        .expect(201);
    assert_eq!(closed["state"], "closed");
    assert_eq!(closed["notes"].as_array().unwrap().len(), 3);
    let late = cora.post(&format!("{path}/notes"), &done).await;
    late.expect_problem(409, "ticket-closed");
    assert_eq!(
        ada.get("/v1/tickets?queue=general").await.expect(200)["items"],
        json!([])
    );
    let closed = ada
        .get("/v1/tickets?queue=general&state=closed")
        .await
        .expect(200);
    assert_eq!(closed["items"][0]["id"], ticket["id"]);
}

#[tokio::test]
async fn an_edit_needs_the_version_that_was_seen() {
    let world = World::start().await;
    let ada = world.administrator();
    let ticket = ada
        .post("/v1/tickets", &some_work("Once."))
        .await
        .expect(201);
    let path = format!("/v1/tickets/{}", ticket.string("id"));
    let change = json!({"assignee": null, "due_at": "2026-03-05T09:00:00Z"});
    ada.put(&path, &ticket.etag(), &change).await.expect(200);
    let stale = ada.put(&path, &ticket.etag(), &change).await;
    stale.expect_problem(412, "stale-etag");
    let blind = ada
        .ask(reqwest::Method::PUT, &path, |request| request.json(&change))
        .await;
    blind.expect_problem(428, "if-match-needed");
    for unknown in ["*", "1", "W/\"1\"", "\"one\""] {
        let refused = ada.put(&path, unknown, &change).await;
        refused.expect_problem(400, "malformed");
    }
}

#[tokio::test]
async fn what_was_done_is_there_after_a_restart() {
    let world = World::start().await;
    let opened = world
        .administrator()
        .post("/v1/tickets", &some_work("Stay."))
        .await
        .expect(201);
    world.advance(30).await;
    let before = world.now();
    let world = world.restart().await;
    assert_eq!(world.now(), before, "time does not go back");
    let path = format!("/v1/tickets/{}", opened.string("id"));
    let found = world.administrator().get(&path).await.expect(200);
    assert_eq!(found["notes"], opened["notes"]);
}

/// Mail that comes back opens a ticket, and that address is left in peace.
#[tokio::test]
async fn a_bounce_opens_one_ticket() {
    let world = World::start().await;
    let coordinator = settle_staff(world.context(), "cora", StaffRole::Coordinator).await;
    let ada = world.administrator();
    let assign = async || {
        let ticket = ada
            .post("/v1/tickets", &some_work("Look."))
            .await
            .expect(201);
        let path = format!("/v1/tickets/{}", ticket.string("id"));
        let change = json!({"assignee": coordinator.to_string(), "due_at": ticket["due_at"]});
        ada.put(&path, &ticket.etag(), &change).await.expect(200);
        world.settle().await;
    };
    assign().await;
    let mail = world.mails().remove(0);
    for _ in 0..2 {
        let bounce = json!({"message_id": mail.message_id});
        world
            .nobody()
            .post("/dev/mail-bounces", &bounce)
            .await
            .expect(204);
    }
    assign().await;
    assert_eq!(world.mails(), [mail]);
    let tickets = ada.get("/v1/tickets?queue=people").await.expect(200);
    let bounced = tickets["items"].as_array().unwrap();
    assert_eq!(bounced.len(), 1);
    assert_eq!(bounced[0]["cause"], "mail_bounced");
    assert_eq!(bounced[0]["subject"], coordinator.to_string());
}
