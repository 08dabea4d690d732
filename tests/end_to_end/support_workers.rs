//! Support workers: from registering to being matched, and everything that takes them out again.

use domain::access::StaffRole;
use domain::check::CheckKind;
use domain::id::WorkerId;
use domain::place::cover;
use domain::vocabulary::Vocabulary;
use rapport_tests::answer::Answer;
use rapport_tests::people::{settle_client, settle_staff};
use rapport_tests::world::World;
use serde_json::{Value, json};
use store::{CellRow, Key};

const INTRODUCTION: &str = "I have supported people with dementia in their homes for six years. \
    What matters to me is an unhurried morning and a good cup of tea.";
const MELBOURNE: (f64, f64) = (-37.8, 144.97);
const SYDNEY: (f64, f64) = (-33.87, 151.21);

fn profile(introduction: &str, (latitude, longitude): (f64, f64)) -> Value {
    json!({
        "introduction": introduction,
        "services": [{"service": "social_support", "hourly_rate": 5400}],
        "languages": ["en"],
        "service_area": {
            "base": {
                "suburb": "Carlton", "postcode": "3053", "latitude": latitude, "longitude": longitude,
                "time_zone": "Australia/Melbourne"
            },
            "radius_km": 20
        },
        "availability": {
            "weekly": [{"weekday": "monday", "from": "08:00", "until": "16:00"}], "exceptions": []
        },
        "hours_wanted": 20
    })
}

async fn register(world: &World, subject: &str) -> Answer {
    let details = json!({
        "name": {"given": "Mira", "family": "Okafor"},
        "contact": {"email": format!("{subject}@people.example"), "phone": null}
    });
    let caller = world.as_(subject);
    let registered = caller.post("/v1/support-workers", &details).await;
    registered.expect(201)
}

/// A support worker whose profile is submitted.
async fn submitted(world: &World, subject: &str) -> String {
    let worker = register(world, subject).await;
    let path = format!("/v1/support-workers/{}", worker.string("id"));
    let mira = world.as_(subject);
    mira.put(
        &format!("{path}/profile"),
        &worker.etag(),
        &profile(INTRODUCTION, MELBOURNE),
    )
    .await
    .expect(200);
    mira.post(&format!("{path}/submission"), &json!({}))
        .await
        .expect(201);
    path
}

async fn verify(world: &World, path: &str, kind: CheckKind, expires_on: Option<&str>) -> Answer {
    let seen = json!({"evidence": "POL-7", "expires_on": expires_on});
    let path = format!("{path}/checks/{}/verification", kind.code());
    world.administrator().post(&path, &seen).await.expect(201)
}

/// A support worker who is active, whose insurance lasts until a day.
async fn active(world: &World, subject: &str, insured_until: Option<&str>) -> String {
    let path = submitted(world, subject).await;
    let approval = json!({"introduction": INTRODUCTION});
    world
        .administrator()
        .post(&format!("{path}/introduction-approval"), &approval)
        .await
        .expect(201);
    for kind in CheckKind::ALL {
        let until = insured_until.filter(|_| *kind == CheckKind::Insurance);
        verify(world, &path, *kind, until).await;
    }
    path
}

/// In how many cells around a place the index source holds this support worker.
async fn cells_held(world: &World, path: &str, (latitude, longitude): (f64, f64)) -> usize {
    let worker: WorkerId = path.rsplit('/').next().unwrap().parse().unwrap();
    let keys: Vec<Key> = cover(latitude, longitude, 20)
        .into_iter()
        .map(|cell| Key::cell_row(cell, worker))
        .collect();
    let rows = world.context().store.get_many::<CellRow>(&keys).await;
    rows.unwrap().len()
}

fn cells_around((latitude, longitude): (f64, f64)) -> usize {
    cover(latitude, longitude, 20).len()
}

#[tokio::test]
async fn a_profile_is_written_submitted_verified_and_becomes_matchable() {
    let world = World::start().await;
    let path = submitted(&world, "mira").await;
    let mira = world.as_("mira");
    let ada = world.administrator();
    let completeness = mira.get(&format!("{path}/completeness")).await.expect(200);
    assert_eq!(completeness["improvements"].as_array().unwrap().len(), 3);

    let tickets = ada.get("/v1/tickets?queue=workers").await.expect(200);
    assert_eq!(tickets["items"][0]["cause"], "worker_submitted");
    let listed = ada.get("/v1/support-workers").await.expect(200);
    assert_eq!(listed["items"][0]["name"]["given"], "Mira");
    assert_eq!(listed["items"][0]["introduction_awaits_approval"], true);

    let screening = ada
        .get(&format!("{path}/introduction-screening"))
        .await
        .expect(200);
    assert_eq!(screening["introduction"], INTRODUCTION);
    assert_eq!(screening["findings"], json!([]));
    let approve = format!("{path}/introduction-approval");
    let other = json!({"introduction": "Another text."});
    let stale = ada.post(&approve, &other).await;
    stale.expect_problem(409, "introduction-changed");
    let exact = json!({"introduction": INTRODUCTION});
    ada.post(&approve, &exact).await.expect(201);

    for kind in CheckKind::ALL {
        assert_eq!(mira.get(&path).await.expect(200)["state"], "submitted");
        assert_eq!(cells_held(&world, &path, MELBOURNE).await, 0);
        verify(&world, &path, *kind, None).await;
    }
    let now = mira.get(&path).await.expect(200);
    assert_eq!(now["state"], "active");
    assert_eq!(now["missing"], json!([]));
    assert!(now["for_staff"].is_null());
    assert_eq!(
        cells_held(&world, &path, MELBOURNE).await,
        cells_around(MELBOURNE)
    );
    world.settle().await;
    let told = world.mails();
    let active = told
        .iter()
        .filter(|mail| mail.raw.contains("You can now be matched"));
    assert_eq!(active.count(), 1);
}

#[tokio::test]
async fn registering_happens_once_and_clients_can_be_support_workers_too() {
    let world = World::start().await;
    let nobody_yet = world.as_("mira");
    let without = nobody_yet.post("/v1/support-workers", &json!({})).await;
    assert_eq!(without.expect(422).pointers(), ["/contact", "/name"]);
    let details = json!({
        "name": {"given": "Mira", "family": "Okafor"}, "contact": {"email": "mira@people.example"}
    });
    let register = async |key| {
        nobody_yet
            .post_with_key("/v1/support-workers", key, &details)
            .await
    };
    let first = register("one").await.expect(201);
    let again = register("one").await.expect(201);
    assert!(again.replayed());
    assert_eq!(first["id"], again["id"]);
    let twice = register("two").await;
    let twice = twice.expect_problem(409, "worker-already-registered");
    assert_eq!(twice["worker"], first["id"]);

    settle_client(world.context(), "carla").await;
    let carla = world.as_("carla");
    let known = carla.post("/v1/support-workers", &details).await;
    assert_eq!(known.expect(422).pointers(), ["/contact", "/name"]);
    carla
        .post("/v1/support-workers", &json!({}))
        .await
        .expect(201);
}

#[tokio::test]
async fn only_the_support_worker_writes_and_only_other_staff_decide() {
    let world = World::start().await;
    settle_staff(world.context(), "cora", StaffRole::Coordinator).await;
    let path = submitted(&world, "mira").await;
    register(&world, "nora").await;
    let reason = json!({"reason": "Asked for."});
    for (subject, see, pause, suspend) in [
        ("mira", 200, 409, 403),
        ("nora", 404, 404, 404),
        ("cora", 403, 403, 403),
    ] {
        let caller = world.as_(subject);
        caller.get(&path).await.expect(see);
        let paused = caller.post(&format!("{path}/pause"), &json!({})).await;
        paused.expect(pause);
        let suspended = caller.post(&format!("{path}/suspension"), &reason).await;
        suspended.expect(suspend);
    }
    let ada = world.administrator();
    ada.post(&format!("{path}/pause"), &json!({}))
        .await
        .expect(403);
    // An administrator who is a support worker too does not decide on herself.
    let own = ada
        .post("/v1/support-workers", &json!({}))
        .await
        .expect(201);
    let own = format!("/v1/support-workers/{}/suspension", own.string("id"));
    ada.post(&own, &reason).await.expect(403);
}

#[tokio::test]
async fn what_is_not_right_any_more_takes_them_out_at_once() {
    let world = World::start().await;
    let path = active(&world, "mira", None).await;
    let mira = world.as_("mira");
    let ada = world.administrator();
    let everywhere = cells_around(MELBOURNE);
    let reason = json!({"reason": "The insurer says that it was cancelled."});
    let nothing = json!({});
    let steps = [
        (&mira, "pause", &nothing, "paused", 0),
        (&mira, "resumption", &nothing, "active", everywhere),
        (&ada, "suspension", &reason, "suspended", 0),
        (&ada, "reinstatement", &reason, "active", everywhere),
        (&ada, "checks/insurance/revocation", &reason, "submitted", 0),
    ];
    for (caller, step, body, state, cells) in steps {
        let now = caller.post(&format!("{path}/{step}"), body).await;
        assert_eq!(now.expect(201)["state"], state, "{step}");
        assert_eq!(cells_held(&world, &path, MELBOURNE).await, cells, "{step}");
        let hidden = mira.get(&path).await.expect(200);
        assert!(!hidden.text().contains("insurer"), "{step}");
    }
    verify(&world, &path, CheckKind::Insurance, None).await;
    assert_eq!(cells_held(&world, &path, MELBOURNE).await, everywhere);
}

#[tokio::test]
async fn an_edit_moves_the_rows_and_waits_for_approval_of_a_new_introduction() {
    let world = World::start().await;
    let path = active(&world, "mira", None).await;
    let mira = world.as_("mira");
    let edit = format!("{path}/profile");
    let was = mira.get(&path).await.expect(200);
    let faulty = json!({"introduction": "Short."});
    let refused = mira.put(&edit, &was.etag(), &faulty).await.expect(422);
    assert!(refused.pointers().contains(&"/introduction"));

    let text = format!("{INTRODUCTION} And a walk in the garden.");
    let moved = mira.put(&edit, &was.etag(), &profile(&text, SYDNEY)).await;
    let moved = moved.expect(200);
    assert_eq!(moved["state"], "active");
    assert_eq!(moved["introduction_approved"], INTRODUCTION);
    assert_eq!(cells_held(&world, &path, MELBOURNE).await, 0);
    assert_eq!(
        cells_held(&world, &path, SYDNEY).await,
        cells_around(SYDNEY)
    );
    let tickets = world
        .administrator()
        .get("/v1/tickets?queue=workers")
        .await
        .expect(200);
    let causes: Vec<&Value> = tickets["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|ticket| &ticket["cause"])
        .collect();
    assert!(causes.contains(&&json!("introduction_changed")));
    let stale = mira.put(&edit, &was.etag(), &profile(&text, SYDNEY)).await;
    stale.expect_problem(412, "stale-etag");
}

#[tokio::test]
async fn a_check_is_announced_expires_and_is_renewed() {
    let world = World::start().await;
    let last_day = (world.now() + chrono::TimeDelta::days(40)).date_naive();
    let path = active(&world, "mira", Some(&last_day.to_string())).await;
    let mira = world.as_("mira");
    let insurance = async || {
        let worker = mira.get(&path).await.expect(200);
        let checks = worker["checks"].as_array().unwrap().clone();
        let found = checks
            .into_iter()
            .find(|check| check["kind"] == "insurance");
        found.unwrap()["state"].clone()
    };
    let told = |words: &str| {
        let mails = world.mails();
        mails.iter().filter(|mail| mail.raw.contains(words)).count()
    };
    // 90 days before is past already: notice is given at once.
    world.settle().await;
    assert_eq!(insurance().await, "expiring");
    assert_eq!(told("Insurance expires soon"), 1);
    world.advance(11 * 24).await;
    assert_eq!(told("Insurance expires soon"), 2);
    world.advance(28 * 24).await;
    assert_eq!(told("Insurance expires soon"), 3);
    assert_eq!(mira.get(&path).await.expect(200)["state"], "active");
    world.advance(2 * 24).await;
    assert_eq!(insurance().await, "expired");
    assert_eq!(told("Insurance has expired"), 1);
    let out = mira.get(&path).await.expect(200);
    assert_eq!(out["state"], "submitted");
    assert_eq!(out["missing"], json!([{"check": "insurance"}]));
    assert_eq!(cells_held(&world, &path, MELBOURNE).await, 0);

    // Renewed twice: the deadline of the first renewal is superseded by the second.
    let later = |days| (world.now() + chrono::TimeDelta::days(days)).date_naive();
    let (soon, late) = (later(100).to_string(), later(400).to_string());
    verify(&world, &path, CheckKind::Insurance, Some(&soon)).await;
    verify(&world, &path, CheckKind::Insurance, Some(&late)).await;
    world.advance(200 * 24).await;
    assert_eq!(insurance().await, "verified");
    assert_eq!(told("Insurance expires soon"), 3);
    assert_eq!(mira.get(&path).await.expect(200)["state"], "active");
}
