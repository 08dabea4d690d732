//! Alerts: the first on call is told, then the next, until somebody says that they look after it.

use chrono::{DateTime, Utc};
use domain::access::StaffRole;
use domain::person::Person;
use domain::visit::Visit;
use rapport_tests::answer::Answer;
use rapport_tests::people::{settle_person, settle_staff};
use rapport_tests::visits::at_home;
use serde_json::{Value, json};
use store::Key;

use crate::all_at_once;
use crate::engaged::{Engaged, edit};

const ROTA: &str = "/v1/on-call-rota";
const ON_CALL: &str = "You are on call, and something cannot wait";
const UNANSWERED: &str = "Nobody on call has answered";

/// A visit in which nobody has come by a quarter past nine in Melbourne, and three who are on call then.
struct Late {
    engaged: Engaged,
    people: Vec<String>,
    visit: String,
}

impl Late {
    async fn settle() -> Self {
        let engaged = Engaged::settle().await;
        let context = engaged.world.context();
        let mut people = Vec::new();
        for (subject, role) in [
            ("cora", StaffRole::Coordinator),
            ("sam", StaffRole::Supervisor),
            ("cleo", StaffRole::Coordinator),
        ] {
            people.push(settle_staff(context, subject, role).await.to_string());
        }
        let [cora, sam, cleo] = &*people else {
            panic!("as many as were made")
        };
        let rota = json!({
            "shifts": [
                {"from": "2026-03-02T00:00:00Z", "until": "2026-03-02T12:00:00Z", "people": [cleo]},
                {"from": "2026-03-02T12:00:00Z", "until": "2026-03-03T00:00:00Z", "people": [cora, sam]}
            ],
            "fallback": [sam, cleo]
        });
        let ada = engaged.world.administrator();
        ada.put(ROTA, "\"0\"", &rota).await.expect(200);
        let visit = engaged.book(&at_home("2026-03-03T09:00:00")).await;
        let (_, id) = visit.rsplit_once('/').unwrap();
        let id = Key::visit(id.parse().unwrap());
        edit::<Visit>(&engaged.world, &id, |it| it.suburb = "Carlton".to_owned()).await;
        Self {
            engaged,
            people,
            visit,
        }
    }

    async fn at(&self, at: &str) {
        let at: DateTime<Utc> = at.parse().unwrap();
        let world = &self.engaged.world;
        world.advance_by(at - world.now()).await;
    }

    /// How often each of the three, in their order, was told that it is their turn.
    async fn turns(&self) -> [usize; 3] {
        let mut turns = [0; 3];
        for (subject, turn) in ["cora", "sam", "cleo"].into_iter().zip(&mut turns) {
            *turn = self.heard(subject, ON_CALL).await;
        }
        turns
    }

    async fn heard(&self, subject: &str, what: &str) -> usize {
        let told = self.engaged.told(subject).await;
        told.iter().filter(|it| *it == what).count()
    }

    async fn alerts(&self, state: &str) -> Vec<Value> {
        let path = format!("/v1/alerts?state={state}");
        let found = self.engaged.world.as_("cora").get(&path).await.expect(200);
        found["items"].as_array().unwrap().clone()
    }

    async fn acknowledge(&self, subject: &str, alert: &Value) -> Answer {
        let path = format!(
            "/v1/alerts/{}/acknowledgement",
            alert["id"].as_str().unwrap()
        );
        self.engaged
            .world
            .as_(subject)
            .post(&path, &json!({}))
            .await
    }
}

#[tokio::test]
async fn one_after_the_other_is_told_until_nobody_is_left_and_everybody_hears() {
    let late = Late::settle().await;
    late.at("2026-03-02T22:14:59Z").await;
    assert_eq!(late.alerts("open").await, [] as [Value; 0]);
    late.at("2026-03-02T22:15:00Z").await;
    let [alert] = &*late.alerts("open").await else {
        panic!("one alert")
    };
    assert_eq!(alert["cause"], "visit_not_started");
    assert!(late.visit.ends_with(alert["about"].as_str().unwrap()));
    assert_eq!(late.turns().await, [1, 0, 0]);
    // Staff who look after alerts know of it from the beginning.
    for subject in ["cora", "sam", "cleo"] {
        assert_eq!(late.heard(subject, "Something cannot wait").await, 1);
    }
    for (at, turns) in [
        ("2026-03-02T22:24:59Z", [1, 0, 0]),
        ("2026-03-02T22:25:00Z", [1, 1, 0]),
        ("2026-03-02T22:34:59Z", [1, 1, 0]),
        ("2026-03-02T22:35:00Z", [1, 1, 1]),
    ] {
        late.at(at).await;
        assert_eq!(late.turns().await, turns, "{at}");
    }
    assert_eq!(late.heard("cleo", UNANSWERED).await, 0);
    late.at("2026-03-02T22:45:00Z").await;
    for subject in ["cora", "sam", "cleo"] {
        assert_eq!(late.heard(subject, UNANSWERED).await, 1);
    }
    late.at("2026-03-03T06:00:00Z").await;
    assert_eq!(late.turns().await, [1, 1, 1]);
    let [alert] = &*late.alerts("open").await else {
        panic!("one alert")
    };
    let told: Vec<&str> = alert["told"]
        .as_array()
        .unwrap()
        .iter()
        .map(|told| told["person"].as_str().unwrap())
        .collect();
    assert_eq!(told, late.people);
    assert_eq!(alert["everybody_at"], "2026-03-02T22:45:00Z");
    late.acknowledge("sam", alert).await.expect(201);
}

#[tokio::test]
async fn nobody_else_is_told_once_somebody_looks_after_it() {
    let late = Late::settle().await;
    late.at("2026-03-02T22:25:00Z").await;
    let alert = late.alerts("open").await.remove(0);
    late.acknowledge("ana", &alert).await.expect(404);
    let known = late.acknowledge("sam", &alert).await.expect(201);
    assert_eq!(known["state"], "acknowledged");
    assert_eq!(known["acknowledged"]["person"], late.people[1]);
    let again = late.acknowledge("cora", &alert).await;
    again.expect_problem(409, "alert-acknowledged");
    late.at("2026-03-03T06:00:00Z").await;
    assert_eq!(late.turns().await, [1, 1, 0]);
    assert_eq!(late.heard("cora", UNANSWERED).await, 0);
    assert_eq!(late.alerts("open").await, [] as [Value; 0]);
    assert_eq!(late.alerts("acknowledged").await.len(), 1);
}

/// A supervisor, who sees no schedules otherwise, is woken.
#[tokio::test]
async fn whoever_is_woken_sees_at_once_what_for_and_whom_to_ring() {
    let late = Late::settle().await;
    let world = &late.engaged.world;
    for (person, phone) in [
        (late.engaged.client_person, "+61 400 000 002"),
        (late.engaged.worker_person, "+61 400 000 001"),
    ] {
        edit(world, &Key::person(person), |it: &mut Person| {
            it.contact.phone = Some(phone.to_owned());
        })
        .await;
    }
    let sam = world.as_("sam");
    let cover = format!("{}/cover", late.visit);
    for path in [&late.visit, &cover] {
        sam.get(path).await.expect(403);
    }
    late.at("2026-03-02T22:25:00Z").await;
    let [alert] = &*late.alerts("open").await else {
        panic!("one alert")
    };
    // A list leads to it, and says nothing of anybody.
    assert!(!alert.to_string().contains("+61"), "{alert}");
    let path = format!("/v1/alerts/{}", alert["id"].as_str().unwrap());
    let opened = sam.get(&path).await.expect(200);
    let about = json!({
        "visit": alert["about"], "engagement": late.engaged.engagement, "client": late.engaged.client,
        "worker": late.engaged.worker, "series": null, "state": "booked", "service": "social_support",
        "from": "2026-03-03T09:00:00+11:00", "until": "2026-03-03T11:00:00+11:00",
        "time_zone": "Australia/Melbourne", "suburb": "Carlton", "essential": false,
        "people": [
            {"side": "client", "name": {"given": "Given", "family": "ana"},
             "contact": {"email": "ana@people.example", "phone": "+61 400 000 002"}},
            {"side": "worker", "name": {"given": "Given", "family": "wanda"},
             "contact": {"email": "wanda@people.example", "phone": "+61 400 000 001"}}
        ]
    });
    assert_eq!(opened["visit"], about);
    let shown = sam.get(&late.visit).await.expect(200);
    assert_eq!(shown["state"], "booked");
    assert_eq!(shown["home_address"], Value::Null);
    sam.get(&cover).await.expect(200);
    let answered = late.acknowledge("sam", alert).await.expect(201);
    assert_eq!(answered["visit"], about);
    // What they were told of it leaves the service without any of that.
    let inbox = sam.get("/v1/inbox").await.expect(200);
    for secret in ["+61", "Carlton", "ana", "wanda"] {
        assert!(!inbox.text().contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn an_alert_tells_nobody_on_a_side_how_to_reach_the_other() {
    let late = Late::settle().await;
    let world = &late.engaged.world;
    let sam = Key::person(late.people[1].parse().unwrap());
    edit(world, &sam, |person: &mut Person| {
        person.roles.represents.insert(late.engaged.client);
    })
    .await;
    late.at("2026-03-02T22:25:00Z").await;
    let alert = late.alerts("open").await.remove(0);
    let path = format!("/v1/alerts/{}", alert["id"].as_str().unwrap());
    let opened = world.as_("sam").get(&path).await.expect(200);
    assert_eq!(opened["visit"]["suburb"], "Carlton");
    assert_eq!(opened["visit"]["people"], Value::Null);
}

#[tokio::test]
async fn a_visit_that_begins_late_calls_nobody_else() {
    let late = Late::settle().await;
    late.at("2026-03-02T22:16:00Z").await;
    let wanda = late.engaged.world.as_("wanda");
    let start = format!("{}/start", late.visit);
    wanda.post(&start, &json!({})).await.expect(201);
    assert_eq!(late.alerts("settled").await.len(), 1);
    late.at("2026-03-03T06:00:00Z").await;
    assert_eq!(late.turns().await, [1, 0, 0]);
    let settled = late.alerts("settled").await;
    assert_eq!(settled.len(), 1);
    let answered = late.acknowledge("cora", &settled[0]).await;
    answered.expect_problem(409, "alert-settled");
}

#[tokio::test]
async fn a_visit_that_begins_in_time_alerts_nobody() {
    let late = Late::settle().await;
    late.at("2026-03-02T22:14:59Z").await;
    let wanda = late.engaged.world.as_("wanda");
    let start = format!("{}/start", late.visit);
    wanda.post(&start, &json!({})).await.expect(201);
    late.at("2026-03-03T06:00:00Z").await;
    assert_eq!(late.turns().await, [0, 0, 0]);
    for state in ["open", "acknowledged", "settled"] {
        assert_eq!(late.alerts(state).await, [] as [Value; 0]);
    }
}

#[tokio::test]
async fn whoever_has_left_the_staff_is_passed_over() {
    let late = Late::settle().await;
    let world = &late.engaged.world;
    let cora = Key::person(late.people[0].parse().unwrap());
    edit(world, &cora, |person: &mut Person| {
        person.roles.staff.clear()
    })
    .await;
    late.at("2026-03-02T22:15:00Z").await;
    assert_eq!(late.heard("sam", ON_CALL).await, 1);
}

#[tokio::test]
async fn a_rota_is_checked_and_edited_against_what_was_seen() {
    let engaged = Engaged::settle().await;
    let (world, context) = (&engaged.world, engaged.world.context());
    let cora = settle_staff(context, "cora", StaffRole::Coordinator).await;
    let mina = settle_staff(context, "mina", StaffRole::Mediator).await;
    let nobody = settle_person(context, "nobody", domain::person::Roles::default()).await;
    let ada = world.administrator();
    let empty = ada.get(ROTA).await.expect(200);
    assert_eq!(
        (empty.etag(), empty.json()),
        ("\"0\"".to_owned(), &json!({"shifts": [], "fallback": []}))
    );
    let shift = |from: &str, until: &str, people: Value| json!({"from": from, "until": until, "people": people});
    let (eight, noon, six) = (
        "2026-03-03T08:00:00Z",
        "2026-03-03T12:00:00Z",
        "2026-03-03T18:00:00Z",
    );
    for (rota, pointer) in [
        (
            json!({"shifts": [shift(noon, noon, json!([cora]))], "fallback": []}),
            "/shifts/0/until",
        ),
        (
            json!({"shifts": [shift(eight, six, json!([cora])), shift(noon, six, json!([cora]))], "fallback": []}),
            "/shifts/1/from",
        ),
        (
            json!({"shifts": [shift(eight, noon, json!([]))], "fallback": []}),
            "/shifts/0/people",
        ),
        (
            json!({"shifts": [], "fallback": [cora, cora]}),
            "/fallback/1",
        ),
        (
            json!({"shifts": [], "fallback": [cora, nobody]}),
            "/fallback/1",
        ),
        (
            json!({"shifts": [shift(eight, noon, json!([mina]))], "fallback": []}),
            "/shifts/0/people/0",
        ),
        (json!({"shifts": [], "fallback": [], "more": 1}), "/more"),
    ] {
        let refused = ada.put(ROTA, "\"0\"", &rota).await.expect(422);
        assert_eq!(refused.pointers(), [pointer], "{rota}");
    }
    let rota = json!({"shifts": [shift(eight, noon, json!([cora]))], "fallback": [cora]});
    world
        .as_("cora")
        .put(ROTA, "\"0\"", &rota)
        .await
        .expect(403);
    let made = ada.put(ROTA, "\"0\"", &rota).await.expect(200);
    ada.put(ROTA, "\"0\"", &rota).await.expect(412);
    ada.put(ROTA, &made.etag(), &rota).await.expect(200);
    assert_eq!(world.as_("cora").get(ROTA).await.expect(200).json(), &rota);
}

#[tokio::test]
async fn an_alert_is_acknowledged_by_one_of_those_who_try_at_once() {
    let late = Late::settle().await;
    late.at("2026-03-02T22:15:00Z").await;
    let alert = late.alerts("open").await.remove(0);
    let all = ["cora", "sam", "cleo", "cora", "sam", "cleo"];
    let answers = all_at_once(all.map(|subject| late.acknowledge(subject, &alert))).await;
    let done: Vec<&Answer> = answers.iter().filter(|it| it.status() == 201).collect();
    assert_eq!(done.len(), 1);
    let known = late.alerts("acknowledged").await.remove(0);
    assert_eq!(known["acknowledged"], done[0]["acknowledged"]);
}

#[tokio::test]
async fn where_nobody_is_on_call_everybody_who_looks_after_alerts_is_told_at_once() {
    let engaged = Engaged::settle().await;
    let context = engaged.world.context();
    settle_staff(context, "cora", StaffRole::Coordinator).await;
    settle_staff(context, "mina", StaffRole::Mediator).await;
    engaged.book(&at_home("2026-03-03T09:00:00")).await;
    let at: DateTime<Utc> = "2026-03-02T22:15:00Z".parse().unwrap();
    engaged.world.advance_by(at - engaged.world.now()).await;
    for (subject, heard) in [("cora", true), ("mina", false), ("wanda", false)] {
        let told = engaged.told(subject).await;
        assert_eq!(told.iter().any(|it| it == UNANSWERED), heard, "{subject}");
    }
}
