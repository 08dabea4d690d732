//! Terms: offered, countered, accepted in exactly one version, capped by who pays; and taken back.

mod funding;

use chrono::TimeDelta;
use domain::access::StaffRole;
use domain::conversation::{Content, Message};
use domain::engagement::{Engagement, EngagementState};
use domain::id::{ClientId, EngagementId, PersonId};
use domain::vocabulary::Vocabulary;
use rapport_tests::answer::Answer;
use rapport_tests::people::{
    modest_terms, settle_client, settle_engagement, settle_representative, settle_staff,
    settle_worker,
};
use rapport_tests::world::World;
use reqwest::Method;
use serde_json::{Value, json};
use store::Key;

use crate::all_at_once;

/// What the client's side hears of the plan that everything here begins with.
const ON_A_PLAN: &str = "Your membership plan";

/// A client with a representative and a plan, and a support worker whom they know.
struct Pair {
    world: World,
    client: ClientId,
    person: PersonId,
    engagement: EngagementId,
}

impl Pair {
    async fn settle() -> Self {
        Self::settle_as(|_| {}).await
    }

    async fn settle_as(change: impl FnOnce(&mut Engagement)) -> Self {
        let world = World::start().await;
        let context = world.context();
        let worker = settle_worker(context, "wim").await;
        let (client, person) = settle_client(context, "ana").await;
        settle_representative(context, "rita", client, |_| {}).await;
        settle_staff(context, "cora", StaffRole::Coordinator).await;
        let engagement = settle_engagement(context, client, worker, change).await;
        let pair = Self {
            world,
            client,
            person,
            engagement,
        };
        pair.on_plan(250).await;
        pair
    }

    /// Puts the client on a plan of which the service keeps so much.
    async fn on_plan(&self, basis_points: u16) {
        let ada = self.world.administrator();
        let terms = json!({
            "name": format!("Keeps {basis_points}"), "entitlements": ["match_requests"], "open_match_requests": 3,
            "fees": {"monthly": 1900, "service_basis_points": basis_points}
        });
        let plan = ada.post("/v1/membership-plans", &terms).await.expect(201);
        let path = format!("/v1/clients/{}", self.client);
        let etag = ada.get(&path).await.expect(200).etag();
        let assign = json!({"plan": plan["id"], "reason": "Chosen by telephone."});
        let put = ada.put(&format!("{path}/membership"), &etag, &assign).await;
        put.expect(200);
    }

    fn path(&self, of: &str) -> String {
        format!("/v1/engagements/{}/{of}", self.engagement)
    }

    async fn get(&self, subject: &str, of: &str) -> Answer {
        self.world.as_(subject).get(&self.path(of)).await
    }

    async fn act(&self, subject: &str, on: &str, body: &Value) -> Answer {
        self.world.as_(subject).post(&self.path(on), body).await
    }

    async fn offer(&self, subject: &str, hourly: u32) -> Answer {
        self.act(subject, "offers", &at(hourly)).await
    }

    async fn counter(&self, subject: &str, version: u32, hourly: u32) -> Answer {
        let on = format!("offers/{version}/counter-offers");
        self.act(subject, &on, &at(hourly)).await
    }

    async fn accept(&self, subject: &str, version: u32) -> Answer {
        let on = format!("offers/{version}/acceptance");
        self.act(subject, &on, &json!({})).await
    }

    async fn withdraw(&self, subject: &str, version: u32) -> Answer {
        let on = format!("offers/{version}/withdrawal");
        self.act(subject, &on, &json!({})).await
    }

    /// The states of all offers, newest first.
    async fn states(&self) -> Vec<String> {
        let offers = self.get("ana", "offers").await.expect(200);
        let offers = offers["items"].as_array().unwrap().iter();
        offers
            .map(|offer| offer["state"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The subjects of what somebody was told, sorted: all of it within one moment of this world's clock.
    async fn told(&self, subject: &str) -> Vec<String> {
        self.world.settle().await;
        let inbox = self.world.as_(subject).get("/v1/inbox").await.expect(200);
        let items = inbox["items"].as_array().unwrap().iter();
        let mut told: Vec<_> = items
            .map(|item| item["subject"].as_str().unwrap().to_owned())
            .collect();
        told.sort();
        told
    }

    /// What happened, as the conversation has it, sorted.
    async fn happened(&self) -> Vec<&'static str> {
        let store = &self.world.context().store;
        let pk = Key::engagement(self.engagement).pk;
        let lines = store.list_all::<Message>(&pk, "MSG#", 100).await.unwrap();
        let happened = lines.into_iter().map(|line| match line.value.content {
            Content::Happened { happening, .. } => happening.code(),
            other => panic!("{other:?}"),
        });
        let mut happened: Vec<_> = happened.collect();
        happened.sort_unstable();
        happened
    }
}

/// Company by day, at so much an hour.
fn at(hourly: u32) -> Value {
    let mut terms = modest_terms();
    terms["services"][0]["rates"] = json!([{"band": "weekday_daytime", "hourly": hourly}]);
    json!({"terms": terms})
}

fn hourly(view: &Value) -> &Value {
    &view["terms"]["services"][0]["rates"][0]["hourly"]
}

#[tokio::test]
async fn two_people_come_to_terms() {
    let pair = Pair::settle_as(|engagement| {
        let agreed = json!([{"kind": "routine", "text": "Shoes off at the door."}]);
        engagement.understandings = serde_json::from_value(agreed).unwrap();
    })
    .await;
    for subject in ["ana", "wim", "cora"] {
        let none = pair.get(subject, "terms").await;
        none.expect_problem(404, "no-terms-yet");
    }
    let first = pair.offer("wim", 6000).await.expect(201);
    assert_eq!(
        (&first["version"], &first["side"]),
        (&json!(1), &json!("worker"))
    );
    assert_eq!(first["understandings"][0]["text"], "Shoes off at the door.");
    let price = json!({"client_pays": 6150, "worker_gets": 6000, "service_keeps": 150});
    for subject in ["ana", "rita", "wim", "cora"] {
        let shown = pair.get(subject, "offers/1").await.expect(200);
        assert_eq!(hourly(shown.json()), &price);
        assert_eq!(shown.json(), first.json());
    }

    // One at a time, and only the other side answers.
    for subject in ["wim", "ana"] {
        let refused = pair
            .offer(subject, 5900)
            .await
            .expect_problem(409, "offer-open");
        assert_eq!(refused["open_version"], 1);
    }
    pair.accept("wim", 1).await.expect_problem(403, "own-offer");
    pair.counter("wim", 1, 5900)
        .await
        .expect_problem(403, "own-offer");
    pair.withdraw("ana", 1)
        .await
        .expect_problem(403, "not-your-offer");
    pair.accept("ana", 2).await.expect_problem(404, "not-found");

    let second = pair.counter("ana", 1, 5500).await.expect(201);
    assert_eq!(
        (&second["version"], &second["side"]),
        (&json!(2), &json!("client"))
    );
    // Whoever still looks at the first version agrees to nothing by it.
    let stale = pair.accept("ana", 1).await;
    let stale = stale.expect_problem(409, "offer-stale-version");
    assert_eq!(stale["open_version"], 2);
    pair.withdraw("wim", 1)
        .await
        .expect_problem(409, "offer-stale-version");
    pair.withdraw("ana", 2).await.expect(201);
    let closed = pair
        .accept("wim", 2)
        .await
        .expect_problem(409, "offer-closed");
    assert_eq!(closed["state"], "withdrawn");

    pair.offer("ana", 5700).await.expect(201);
    pair.counter("wim", 3, 5800).await.expect(201);
    let key = pair.world.fresh_key();
    let acceptance = pair.path("offers/4/acceptance");
    let ana = pair.world.as_("ana");
    let agreed = ana
        .post_with_key(&acceptance, &key, &json!({}))
        .await
        .expect(201);
    assert_eq!(agreed["version"], 4);
    let price = json!({"client_pays": 5945, "worker_gets": 5800, "service_keeps": 145});
    assert_eq!(hourly(agreed.json()), &price);
    let again = ana
        .post_with_key(&acceptance, &key, &json!({}))
        .await
        .expect(201);
    assert!(again.replayed());
    for subject in ["ana", "rita", "wim", "cora"] {
        let shown = pair.get(subject, "terms").await.expect(200);
        assert_eq!(shown.json(), agreed.json());
    }
    assert_eq!(
        pair.states().await,
        ["accepted", "countered", "withdrawn", "countered"]
    );
    let page = pair.get("wim", "offers?limit=3").await.expect(200);
    assert_eq!(page["items"][0]["version"], 4);
    let rest = pair
        .world
        .as_("wim")
        .get(&page.next_page().unwrap())
        .await
        .expect(200);
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);

    assert_eq!(
        pair.happened().await,
        [
            "offer_accepted",
            "offer_countered",
            "offer_countered",
            "offer_made",
            "offer_made",
            "offer_withdrawn"
        ]
    );
    let (accepted, offered) = ("Terms were agreed", "Terms were offered");
    let (countered, withdrawn) = (
        "An offer was answered with other terms",
        "An offer was withdrawn",
    );
    assert_eq!(
        pair.told("wim").await,
        [countered, withdrawn, accepted, offered]
    );
    assert_eq!(
        pair.told("rita").await,
        [countered, accepted, offered, ON_A_PLAN]
    );

    // The price of what is agreed stays as it was agreed; what is offered has the price of now.
    pair.on_plan(300).await;
    let shown = pair.get("ana", "terms").await.expect(200);
    assert_eq!(shown.json(), agreed.json());
    pair.offer("wim", 6000).await.expect(201);
    pair.on_plan(400).await;
    let open = pair.get("ana", "offers/5").await.expect(200);
    assert_eq!(hourly(open.json())["client_pays"], 6240);
    let agreed = pair.accept("ana", 5).await.expect(201);
    assert_eq!(hourly(agreed.json())["client_pays"], 6240);
}

#[tokio::test]
async fn what_is_wrong_with_terms_is_named() {
    let pair = Pair::settle().await;
    let mut wrong = at(0);
    wrong["terms"]["minutes_per_week"] = json!(20);
    let nursing = json!({"service": "nursing_care", "rates": [{"band": "sunday", "hourly": 9000}]});
    wrong["terms"]["services"]
        .as_array_mut()
        .unwrap()
        .push(nursing);
    let refused = pair.act("ana", "offers", &wrong).await;
    let refused = refused.expect_problem(422, "invalid-fields");
    assert_eq!(
        refused.pointers(),
        [
            "/terms/minutes_per_week",
            "/terms/services/0/rates/0/hourly",
            "/terms/services/1/service"
        ]
    );
    assert_eq!(pair.states().await, [""; 0]);
}

#[tokio::test]
async fn of_two_who_answer_at_once_one_is_heard() {
    let pair = Pair::settle().await;
    let mut version = 0;
    for _ in 0..6 {
        // Both accept: the terms are agreed once.
        version = pair.offer("wim", 6000).await.expect(201)["version"]
            .as_u64()
            .unwrap() as u32;
        let both = ["ana", "rita"].map(|subject| pair.accept(subject, version));
        one_is_heard(&all_at_once(both).await);
        // One accepts, another answers with other terms, and the support worker withdraws.
        version = pair.offer("wim", 6100).await.expect(201)["version"]
            .as_u64()
            .unwrap() as u32;
        let accept = pair.accept("ana", version);
        let counter = pair.counter("rita", version, 5000);
        let withdraw = pair.withdraw("wim", version);
        let all: [std::pin::Pin<Box<dyn Future<Output = Answer>>>; 3] =
            [Box::pin(accept), Box::pin(counter), Box::pin(withdraw)];
        let answers = all_at_once(all).await;
        one_is_heard(&answers);
        let in_force = pair.get("ana", "terms").await.expect(200)["version"].clone();
        assert_eq!(in_force == version, answers[0].status() == 201);
        if answers[1].status() == 201 {
            version += 1;
            pair.withdraw("ana", version).await.expect(201);
        }
        assert!(!pair.states().await.contains(&"open".to_owned()));
    }
    assert_eq!(pair.states().await.len(), version as usize);
}

fn one_is_heard(answers: &[Answer]) {
    let heard = answers.iter().filter(|answer| answer.status() == 201);
    assert_eq!(heard.count(), 1, "{answers:?}");
    let refused = answers.iter().filter(|answer| answer.status() == 409);
    assert_eq!(refused.count(), answers.len() - 1, "{answers:?}");
}

#[tokio::test]
async fn an_offer_lapses_after_a_week() {
    let pair = Pair::settle().await;
    let offer = pair.offer("wim", 6000).await.expect(201);
    pair.counter("ana", 1, 5500).await.expect(201);
    let week = TimeDelta::days(7);
    let lapses_at: chrono::DateTime<chrono::Utc> = offer.string("lapses_at").parse().unwrap();
    assert_eq!(
        lapses_at
            - offer
                .string("made_at")
                .parse::<chrono::DateTime<chrono::Utc>>()
                .unwrap(),
        week
    );
    pair.world.advance_by(week - TimeDelta::minutes(1)).await;
    assert_eq!(pair.states().await, ["open", "countered"]);
    pair.world.advance_by(TimeDelta::minutes(2)).await;
    // The deadline of the offer that was answered has done nothing.
    assert_eq!(pair.states().await, ["lapsed", "countered"]);
    pair.accept("wim", 2)
        .await
        .expect_problem(409, "offer-lapsed");
    for subject in ["ana", "rita", "wim"] {
        let told = pair.told(subject).await;
        let lapsed = told.iter().filter(|told| *told == "An offer has lapsed");
        assert_eq!(lapsed.count(), 1, "{told:?}");
    }
    assert_eq!(
        pair.happened().await,
        ["offer_countered", "offer_lapsed", "offer_made"]
    );
    pair.offer("wim", 6000).await.expect(201);
}

#[tokio::test]
async fn nothing_is_negotiated_while_the_engagement_is_paused() {
    let pair = Pair::settle_as(|engagement| engagement.state = EngagementState::Paused).await;
    let refused = pair.offer("wim", 6000).await;
    refused.expect_problem(409, "engagement-paused");
}

#[tokio::test]
async fn a_representative_agrees_on_the_clients_behalf() {
    let pair = Pair::settle().await;
    pair.offer("wim", 6000).await.expect(201);
    pair.accept("rita", 1).await.expect(201);
    let offer = pair.get("wim", "offers/1").await.expect(200);
    assert_eq!(
        offer["answered_by"]["on_behalf_of"],
        pair.client.to_string()
    );
    // The client hears of it.
    assert_eq!(
        pair.told("ana").await,
        ["Terms were agreed", "Terms were offered", ON_A_PLAN]
    );
}

#[tokio::test]
async fn staff_agree_for_somebody_who_told_them_to() {
    let pair = Pair::settle().await;
    pair.offer("wim", 6000).await.expect(201);
    let acceptance = pair.path("offers/1/acceptance");
    let told = |behalf: Option<String>| {
        let (cora, key) = (pair.world.as_("cora"), pair.world.fresh_key());
        let acceptance = acceptance.clone();
        async move {
            cora.ask(Method::POST, &acceptance, |request| {
                let request = request
                    .header("idempotency-key", key)
                    .header("on-instruction", "by telephone on 25 November, 10:20")
                    .json(&json!({}));
                match behalf {
                    Some(behalf) => request.header("on-behalf-of", behalf),
                    None => request,
                }
            })
            .await
        }
    };
    pair.accept("cora", 1)
        .await
        .expect_problem(404, "not-found");
    told(None).await.expect_problem(400, "malformed");
    told(Some(pair.client.to_string())).await.expect(201);
    let offer = pair.get("wim", "offers/1").await.expect(200);
    assert_eq!(
        offer["answered_by"]["instructed_by"],
        pair.person.to_string()
    );
    assert_eq!(
        offer["answered_by"]["on_behalf_of"],
        pair.client.to_string()
    );
    // What was agreed, and that it was done as she had said.
    assert_eq!(
        pair.told("ana").await,
        [
            "Done for you, as you told us",
            "Terms were agreed",
            "Terms were offered",
            ON_A_PLAN
        ]
    );
}

#[tokio::test]
async fn an_agreement_made_by_mistake_gives_way_to_the_one_before() {
    let pair = Pair::settle().await;
    for (version, hourly) in [(1, 6000), (2, 600)] {
        pair.offer("wim", hourly).await.expect(201);
        pair.accept("ana", version).await.expect(201);
    }
    let slip = json!({"reason": "A zero was missing; both say so."});
    let reversal = pair.path("terms-reversal");
    pair.act("cora", "terms-reversal", &slip).await.expect(403);
    let ada = pair.world.administrator();
    let blank = ada.post(&reversal, &json!({"reason": " "})).await;
    assert_eq!(blank.expect(422).pointers(), ["/reason"]);
    let reversed = ada.post(&reversal, &slip).await.expect(201);
    assert_eq!(
        (&reversed["version"], &reversed["state"]),
        (&json!(2), &json!("accepted"))
    );
    assert!(reversed["reversed_at"].is_string());
    let restored = pair.get("wim", "terms").await.expect(200);
    assert_eq!(restored["version"], 1);
    assert_eq!(hourly(restored.json())["worker_gets"], 6000);
    for subject in ["ana", "wim"] {
        let told = pair.told(subject).await;
        assert!(
            told.contains(&"Staff took an agreement on terms back".to_owned()),
            "{told:?}"
        );
    }
    ada.post(&reversal, &slip).await.expect(201);
    pair.get("ana", "terms")
        .await
        .expect_problem(404, "no-terms-yet");
    let nothing = ada.post(&reversal, &slip).await;
    nothing.expect_problem(409, "no-terms-yet");
    // Negotiating goes on from there.
    pair.offer("ana", 6000).await.expect(201);
    pair.accept("wim", 3).await.expect(201);
}
