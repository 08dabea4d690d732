//! Staff who do for somebody what they were told on the telephone.

use domain::access::{Authority, AuthorityState, Scope, StaffRole};
use domain::person::Person;
use rapport_tests::answer::Answer;
use rapport_tests::people::{
    modest_request, settle_client, settle_representative, settle_staff, settle_worker,
};
use rapport_tests::world::World;
use reqwest::Method;
use serde_json::{Value, json};
use store::Key;

use crate::engaged::edit;
use crate::engagements::Pair;

async fn told(world: &World, subject: &str, path: &str, how: &str, body: &Value) -> Answer {
    let key = world.fresh_key();
    world
        .as_(subject)
        .ask(Method::POST, path, |request| {
            request
                .header("idempotency-key", key)
                .header("on-instruction", how)
                .json(body)
        })
        .await
}

async fn heard(world: &World, subject: &str) -> Vec<String> {
    world.settle().await;
    let inbox = world.as_(subject).get("/v1/inbox").await.expect(200);
    let items = inbox["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["body"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn what_staff_do_on_instruction_is_recorded_as_such_and_whoever_told_them_hears_of_it() {
    let world = World::start().await;
    let (client, person) = settle_client(world.context(), "ana").await;
    let cora = settle_staff(world.context(), "cora", StaffRole::Coordinator).await;
    settle_staff(world.context(), "max", StaffRole::Mediator).await;
    let terms = json!({
        "name": "Together", "entitlements": ["match_requests"], "open_match_requests": 3,
        "fees": {"monthly": 1900, "service_basis_points": 250}
    });
    let ada = world.administrator();
    let plan = ada.post("/v1/membership-plans", &terms).await.expect(201);
    let record = format!("/v1/clients/{client}");
    let tag = ada.get(&record).await.etag();
    let assign = json!({"plan": plan["id"], "reason": "Chosen."});
    ada.put(&format!("{record}/membership"), &tag, &assign)
        .await
        .expect(200);

    let requests = format!("{record}/match-requests");
    let how = "by telephone, 25 November, 10:20";
    for (subject, how, status) in [
        ("cora", "", 400),
        ("max", how, 403),
        ("ana", how, 404),
        ("nobody-here", how, 403),
    ] {
        told(&world, subject, &requests, how, &modest_request())
            .await
            .expect(status);
    }
    let made = told(&world, "cora", &requests, how, &modest_request())
        .await
        .expect(201);
    assert_eq!(made["by"], json!(cora));
    assert_eq!(made["on_behalf_of"], json!(client));

    let audit = format!("/v1/audit/match-request/{}", made.string("id"));
    let audit = audit.replace("match-request", "match_request");
    let audit = ada.get(&audit).await.expect(200);
    let entry = &audit["items"][0];
    assert_eq!(entry["actor"]["instructed_by"], json!(person));
    assert_eq!(entry["reason"], how);

    let bodies = heard(&world, "ana").await;
    let done = bodies
        .iter()
        .find(|body| body.contains("spoken instruction"));
    assert!(
        done.is_some_and(|body| body.contains("submit match request")),
        "{bodies:?}"
    );
}

#[tokio::test]
async fn a_support_worker_can_have_something_done_too() {
    let world = World::start().await;
    let worker = settle_worker(world.context(), "mira").await;
    settle_staff(world.context(), "cora", StaffRole::Coordinator).await;
    let path = format!("/v1/support-workers/{worker}/pause");
    let how = "at the front desk";
    // Nobody carries out their own instruction, and without one it is not theirs to do.
    told(&world, "mira", &path, how, &json!({}))
        .await
        .expect(404);
    world.as_("cora").post(&path, &json!({})).await.expect(403);
    let paused = told(&world, "cora", &path, how, &json!({}))
        .await
        .expect(201);
    assert_eq!(paused["state"], "paused");
    let bodies = heard(&world, "mira").await;
    assert!(
        bodies.iter().any(|body| body.contains("pause worker")),
        "{bodies:?}"
    );
}

/// Nobody is told to look something up, whatever the method that looks.
#[tokio::test]
async fn an_instruction_opens_nothing_to_look_at() {
    let pair = Pair::settle().await;
    let client = pair.client.to_string();
    for method in [Method::GET, Method::HEAD] {
        let path = format!("{}/messages", pair.path);
        let cora = pair.world.as_("cora");
        let looked = cora.ask(method, &path, |request| {
            let request = request.header("on-instruction", "by telephone");
            request.header("on-behalf-of", &client)
        });
        looked.await.expect(404);
    }
}

/// What staff see of engagements they see of other people's: not of those of whom they once stood for.
#[tokio::test]
async fn staff_look_at_no_engagement_of_whom_they_represent_as_staff() {
    let pair = Pair::settle().await;
    let (world, context) = (&pair.world, pair.world.context());
    let rita = world.as_("rita").get("/v1/me").await.expect(200);
    let rita = rita["id"].as_str().unwrap().parse().unwrap();
    edit::<Person>(world, &Key::person(rita), |person| {
        person.roles.staff.insert(StaffRole::Coordinator);
    })
    .await;
    let looked = async |what: &str, status: u16| {
        let path = format!("{}{what}", pair.path);
        world.as_("rita").get(&path).await.expect(status);
    };
    for what in ["", "/offers", "/proposals"] {
        looked(what, 200).await;
    }
    let held = Key::authority(pair.client, rita);
    edit::<Authority>(world, &held, |held| held.state = AuthorityState::Revoked).await;
    assert!(
        context
            .store
            .get::<Authority>(&held)
            .await
            .unwrap()
            .is_some()
    );
    for what in ["", "/offers", "/terms", "/proposals"] {
        looked(what, 403).await;
    }
}

/// What was done for a client is told to those who could have done it for them.
#[tokio::test]
async fn of_what_was_done_hears_who_may_do_it() {
    let pair = Pair::settle().await;
    let context = pair.world.context();
    for (subject, scope) in [("ella", Scope::Engagements), ("mary", Scope::MatchRequests)] {
        let alone = |held: &mut Authority| held.scopes = [scope].into();
        settle_representative(context, subject, pair.client, alone).await;
    }
    let key = pair.world.fresh_key();
    let client = pair.client.to_string();
    let cora = pair.world.as_("cora");
    let path = format!("{}/block", pair.path);
    let blocked = cora.ask(Method::POST, &path, |request| {
        let request = request.header("on-instruction", "by telephone");
        let request = request.header("on-behalf-of", &client);
        let request = request.header("idempotency-key", key);
        request.json(&json!({"reason": "She kept ringing at night."}))
    });
    blocked.await.expect(201);
    // Why, and how staff were told to.
    let audit = format!("/v1/audit/engagement/{}", pair.engagement);
    settle_staff(context, "sue", StaffRole::Supervisor).await;
    let audit = pair.world.as_("sue").get(&audit).await.expect(200);
    let mut items = audit["items"].as_array().unwrap().iter();
    let why = json!("She kept ringing at night.\nby telephone");
    assert!(items.any(|item| item["reason"] == why), "{items:?}");
    let done = "Done for you, as you told us".to_owned();
    assert!(pair.told("ella").await.contains(&done));
    assert!(!pair.told("mary").await.contains(&done));
    assert!(pair.told("ana").await.contains(&done));
}
