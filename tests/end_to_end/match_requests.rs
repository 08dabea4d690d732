//! Match requests, from what a plan allows to the list that the client sees.

mod damaged;
mod few;
mod settling;

use std::collections::BTreeSet;

use domain::access::StaffRole;
use domain::id::{ClientId, WorkerId};
use rapport_tests::answer::Answer;
use rapport_tests::people::{
    modest_request, settle_client, settle_representative, settle_staff, settle_worker,
};
use rapport_tests::world::World;
use serde_json::{Value, json};

const WORKERS: usize = 8;

/// Support workers around Carlton, a client on a plan, a coordinator.
struct Carlton {
    world: World,
    client: ClientId,
    workers: Vec<WorkerId>,
}

impl Carlton {
    async fn settle() -> Self {
        let world = World::start().await;
        let mut workers = Vec::new();
        for number in 0..WORKERS {
            workers.push(settle_worker(world.context(), &format!("worker-{number}")).await);
        }
        let (client, _) = settle_client(world.context(), "ana").await;
        settle_staff(world.context(), "cora", StaffRole::Coordinator).await;
        world.settle().await;
        let carlton = Self {
            world,
            client,
            workers,
        };
        let plan = carlton.plan("Together", &["match_requests"], 3).await;
        carlton.assign(&plan).await;
        carlton
    }

    async fn plan(&self, name: &str, entitlements: &[&str], open: u16) -> Value {
        let terms = json!({
            "name": name, "entitlements": entitlements, "open_match_requests": open,
            "fees": {"monthly": 1900, "service_basis_points": 250}
        });
        let plan = self
            .world
            .administrator()
            .post("/v1/membership-plans", &terms)
            .await;
        plan.expect(201)["id"].clone()
    }

    async fn assign(&self, plan: &Value) {
        let ada = self.world.administrator();
        let path = format!("/v1/clients/{}", self.client);
        let client = ada.get(&path).await.expect(200);
        let assign = json!({"plan": plan, "reason": "Chosen by telephone."});
        ada.put(&format!("{path}/membership"), &client.etag(), &assign)
            .await
            .expect(200);
    }

    async fn ask(&self, subject: &str, details: &Value) -> Answer {
        let path = format!("/v1/clients/{}/match-requests", self.client);
        self.world.as_(subject).post(&path, details).await
    }

    /// The path of a match request that the client has submitted.
    async fn submitted(&self) -> String {
        let request = self.ask("ana", &modest_request()).await.expect(201);
        format!("/v1/match-requests/{}", request.string("id"))
    }

    async fn preview(&self, request: &str) -> Answer {
        let path = format!("{request}/candidate-preview");
        self.world.as_("cora").get(&path).await.expect(200)
    }

    async fn release(&self, request: &str, etag: &str) -> Answer {
        let (path, key) = (
            format!("{request}/release"),
            format!("release-{}", self.world.fresh_key()),
        );
        let cora = self.world.as_("cora");
        cora.ask(reqwest::Method::POST, &path, |request| {
            request
                .header("if-match", etag)
                .header("idempotency-key", key)
                .json(&json!({}))
        })
        .await
    }

    async fn candidates(&self, request: &str) -> Answer {
        self.world
            .as_("ana")
            .get(&format!("{request}/candidates"))
            .await
    }

    async fn decide(&self, request: &str, what: &str, worker: &Value) -> Answer {
        let decision = json!({"worker": worker, "reason": "Parted badly."});
        self.world
            .as_("cora")
            .post(&format!("{request}/{what}"), &decision)
            .await
    }

    async fn suspend(&self, worker: &str) {
        let reason = json!({"reason": "A complaint is being looked into."});
        let path = format!("/v1/support-workers/{worker}/suspension");
        let ada = self.world.administrator();
        ada.post(&path, &reason).await.expect(201);
    }

    /// What the client was told, by its first line.
    async fn told(&self) -> Vec<String> {
        self.world.settle().await;
        let inbox = self.world.as_("ana").get("/v1/inbox").await.expect(200);
        let items = inbox["items"].as_array().unwrap();
        items
            .iter()
            .map(|item| item["subject"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn ids(list: &Value) -> Vec<String> {
    let list = list.as_array().unwrap();
    list.iter()
        .map(|entry| entry["candidate"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn without_the_entitlement_the_plans_that_have_it_are_named() {
    let carlton = Carlton::settle().await;
    let small = carlton.plan("Essential", &["support_plans"], 0).await;
    let standing = carlton.submitted().await;
    carlton.assign(&small).await;
    let refused = carlton.ask("ana", &modest_request()).await;
    assert!([403, 409].contains(&refused.status()), "{}", refused.text());
    assert!(refused.text().contains("Together"), "{}", refused.text());
    assert!(!refused.text().contains("Essential"), "{}", refused.text());
    // What stands goes on standing.
    carlton.world.advance(24).await;
    carlton.candidates(&standing).await.expect(200);
}

#[tokio::test]
async fn what_staff_preview_is_what_the_client_sees_after_a_day() {
    let carlton = Carlton::settle().await;
    let request = carlton.submitted().await;
    let early = carlton.candidates(&request).await;
    early.expect_problem(409, "candidates-not-released");
    let preview = carlton.preview(&request).await;
    assert_eq!(preview["shown"].as_array().unwrap().len(), 5);
    assert_eq!(preview["listed"].as_array().unwrap().len(), WORKERS);
    for listed in preview["listed"].as_array().unwrap() {
        let points = listed["contributions"].as_array().unwrap().iter();
        let points: u64 = points.map(|one| one["points"].as_u64().unwrap()).sum();
        assert_eq!(listed["score"], points, "contributions add up to the score");
    }
    let tickets = carlton
        .world
        .as_("cora")
        .get("/v1/tickets?queue=match_requests")
        .await
        .expect(200);
    assert_eq!(tickets["items"][0]["cause"], "match_request_submitted");

    carlton.world.advance(23).await;
    carlton.candidates(&request).await.expect(409);
    carlton.world.advance(1).await;
    let seen = carlton.candidates(&request).await.expect(200);
    assert_eq!(ids(&seen["candidates"]), ids(&preview["shown"]));
    let told = carlton.told().await;
    let ready = told
        .iter()
        .filter(|subject| *subject == "Your candidates are ready");
    assert_eq!(ready.count(), 1, "{told:?}");
    for number in 0..WORKERS {
        for secret in [
            format!("worker-{number}"),
            carlton.workers[number].to_string(),
        ] {
            assert!(!seen.text().contains(&secret) && !seen.headers().contains(&secret));
        }
    }
}

#[tokio::test]
async fn an_early_send_takes_the_preview_that_was_looked_at() {
    let carlton = Carlton::settle().await;
    let request = carlton.submitted().await;
    let before = carlton.preview(&request).await;
    let (out, pinned) = (
        &before["listed"][0]["worker"],
        &before["listed"][7]["worker"],
    );
    carlton
        .decide(&request, "exclusions", out)
        .await
        .expect(201);
    let twice = carlton.decide(&request, "exclusions", out).await;
    twice.expect_problem(409, "already-decided");
    carlton.decide(&request, "pins", pinned).await.expect(201);
    let stale = carlton.release(&request, &before.etag()).await;
    stale.expect_problem(412, "stale-etag");

    let after = carlton.preview(&request).await;
    let shown: BTreeSet<String> = ids(&after["shown"]).into_iter().collect();
    assert!(!shown.contains(before["listed"][0]["candidate"].as_str().unwrap()));
    assert!(shown.contains(before["listed"][7]["candidate"].as_str().unwrap()));
    carlton.release(&request, &after.etag()).await.expect(201);
    let seen = carlton.candidates(&request).await.expect(200);
    assert_eq!(ids(&seen["candidates"]), ids(&after["shown"]));

    let again = carlton.release(&request, &after.etag()).await;
    again.expect_problem(409, "candidates-released");
    let late = carlton.decide(&request, "pins", out).await;
    late.expect_problem(409, "candidates-released");
    carlton.world.advance(48).await;
    let told = carlton.told().await;
    let ready = told
        .iter()
        .filter(|subject| *subject == "Your candidates are ready");
    assert_eq!(
        ready.count(),
        1,
        "the schedule releases nothing a second time: {told:?}"
    );
}

#[tokio::test]
async fn who_has_become_ineligible_is_replaced_and_the_difference_is_kept() {
    let carlton = Carlton::settle().await;
    let request = carlton.submitted().await;
    let before = carlton.preview(&request).await;
    let leaving = before["listed"][1]["worker"].as_str().unwrap();
    let number = carlton
        .workers
        .iter()
        .position(|worker| worker.to_string() == leaving)
        .unwrap();
    let subject = format!("worker-{number}");
    let pause = format!("/v1/support-workers/{leaving}/pause");
    carlton
        .world
        .as_(&subject)
        .post(&pause, &json!({}))
        .await
        .expect(201);
    carlton.world.advance(24).await;

    let seen = ids(&carlton.candidates(&request).await.expect(200)["candidates"]);
    assert_eq!(seen.len(), 5);
    assert!(!seen.contains(&ids(&before["shown"])[1]));
    assert!(
        seen.contains(
            &before["listed"][5]["candidate"]
                .as_str()
                .unwrap()
                .to_owned()
        )
    );
    let kept = carlton.preview(&request).await;
    let differences = kept["differences"].as_array().unwrap();
    assert_eq!(
        differences.len(),
        2,
        "one left, one came: {}",
        kept["differences"]
    );
    assert!(
        differences
            .iter()
            .any(|difference| difference["worker"] == leaving)
    );

    // After the release the list stays as it was shown; whoever leaves is not available.
    let next = before["listed"][2]["worker"].as_str().unwrap();
    let number = carlton
        .workers
        .iter()
        .position(|worker| worker.to_string() == next)
        .unwrap();
    let pause = format!("/v1/support-workers/{next}/pause");
    carlton
        .world
        .as_(&format!("worker-{number}"))
        .post(&pause, &json!({}))
        .await
        .expect(201);
    let later = carlton.candidates(&request).await.expect(200);
    assert_eq!(ids(&later["candidates"]), seen);
    let available = later["candidates"].as_array().unwrap().iter();
    assert_eq!(available.filter(|one| one["available"] == true).count(), 4);
}

#[tokio::test]
async fn a_withdrawn_request_is_never_released() {
    let carlton = Carlton::settle().await;
    let request = carlton.submitted().await;
    let preview = carlton.preview(&request).await;
    let withdrawn = carlton
        .world
        .as_("ana")
        .post(&format!("{request}/withdrawal"), &json!({}))
        .await;
    assert_eq!(withdrawn.expect(201)["state"], "withdrawn");
    let refused = carlton.release(&request, &preview.etag()).await;
    refused.expect_problem(409, "match-request-withdrawn");
    carlton.world.advance(72).await;
    carlton
        .candidates(&request)
        .await
        .expect_problem(409, "candidates-not-released");
    let told = carlton.told().await;
    assert!(
        !told.contains(&"Your candidates are ready".to_owned()),
        "{told:?}"
    );
}

/// Nobody fits: staff know at once, and know why.
#[tokio::test]
async fn an_empty_list_opens_a_ticket_and_says_which_rules_remove_how_many() {
    let carlton = Carlton::settle().await;
    let mut details = modest_request();
    details["budget"] = json!({"least": 0, "most": 1000});
    let request = carlton.ask("ana", &details).await.expect(201);
    let tickets = carlton
        .world
        .as_("cora")
        .get("/v1/tickets?queue=match_requests")
        .await
        .expect(200);
    assert_eq!(tickets["items"][0]["cause"], "no_candidates");
    assert_eq!(tickets["items"][0]["subject"], request["id"]);
    let path = format!("/v1/match-requests/{}", request.string("id"));
    let preview = carlton.preview(&path).await;
    let removed = preview["misses"]["removed"].as_array().unwrap();
    let budget = removed.iter().find(|count| count["rule"] == "budget");
    assert_eq!(budget.unwrap()["removes"], WORKERS, "{}", preview["misses"]);
    let explained = format!("{path}/candidate-preview/{}", carlton.workers[0]);
    let explained = carlton.world.as_("cora").get(&explained).await.expect(200);
    assert_eq!(explained["broken"], json!(["budget"]));
}

#[tokio::test]
async fn a_representative_acts_until_their_authority_is_revoked() {
    let carlton = Carlton::settle().await;
    let context = carlton.world.context();
    let person = settle_representative(context, "rep", carlton.client, |_| {}).await;
    let request = carlton.ask("rep", &modest_request()).await.expect(201);
    assert_eq!(request["by"], person.to_string());
    assert_eq!(request["on_behalf_of"], carlton.client.to_string());
    let revocation = format!(
        "/v1/clients/{}/authorities/{person}/revocation",
        carlton.client
    );
    let reason = json!({"reason": "I look after this myself now."});
    carlton
        .world
        .as_("ana")
        .post(&revocation, &reason)
        .await
        .expect(201);
    carlton.ask("rep", &modest_request()).await.expect(404);
    let path = format!("/v1/match-requests/{}", request.string("id"));
    let rep = carlton.world.as_("rep");
    rep.get(&path).await.expect(404);
    rep.post(&format!("{path}/withdrawal"), &json!({}))
        .await
        .expect(404);
    // Who may see it no longer is told no longer.
    carlton.world.advance(24).await;
    let inbox = rep.get("/v1/inbox").await.expect(200);
    assert!(!inbox.text().contains("candidates"), "{}", inbox.text());
    let released = carlton
        .world
        .mails()
        .into_iter()
        .filter(|mail| mail.raw.contains("candidates are ready"));
    assert!(
        released
            .into_iter()
            .all(|mail| mail.is_to("ana@people.example"))
    );
}

#[tokio::test]
async fn faults_of_a_request_are_all_named_at_once() {
    let carlton = Carlton::settle().await;
    let mut details = modest_request();
    details["services"] = json!([]);
    details["budget"] = json!({"least": 5000, "most": 4000});
    details["period"] = json!({"from": "2020-01-01", "until": null});
    let refused = carlton
        .ask("ana", &details)
        .await
        .expect_problem(422, "invalid-fields");
    let pointers = refused.pointers();
    for pointer in ["/services", "/period/from"] {
        assert!(pointers.contains(&pointer), "{pointers:?}");
    }
    assert!(
        pointers
            .iter()
            .any(|pointer| pointer.starts_with("/budget")),
        "{pointers:?}"
    );
}
