//! The blind rule: nothing that reaches a client tells who a candidate is, and nothing that reaches a candidate who the
//! client is. Profiles and clients are full of canaries, and everything the other can reach is searched for them.

mod few;
mod following;
mod introductions;
mod invited;
mod walk;
mod watch;

use std::collections::{BTreeMap, BTreeSet};

use domain::access::StaffRole;
use domain::candidates::CandidateList;
use domain::check::CheckKind;
use domain::id::{ClientId, PersonId, WorkerId};
use domain::money::Cents;
use domain::person::Person;
use domain::profile::{Training, WorkEntry};
use domain::support_worker::SupportWorker;
use domain::vocabulary::Vocabulary;
use rapport_tests::answer::Answer;
use rapport_tests::people::{
    complete_profile, modest_request, settle_client, settle_representative, settle_staff,
    settle_workers,
};
use rapport_tests::world::{Mail, World};
use reqwest::Method;
use serde_json::{Value, json};
use store::Key;

use self::walk::walk;
use self::watch::{Watch, Watched};
use crate::all_at_once;

const PROFILES: usize = 300;
/// How many of them are made over HTTP, as their owners and staff make them.
const BY_HTTP: usize = 3;
/// Every so many ask the same rate, so that a request's budget picks out just them.
const PER_RATE: usize = 5;
const RATES: usize = PROFILES / PER_RATE;

fn rate(group: usize) -> u32 {
    3_000 + 100 * u32::try_from(group).unwrap()
}

/// An introduction as its writer would like it, with everything in it that must not be.
fn revealing(number: usize) -> String {
    format!(
        "Hello, my name is Canarygiven{number} Canaryfamily{number}. Call me on +61 491 573 {number:03}, write \
         to canary{number}@canary-mail.example, or look at https://canary-link{number}.example/about-me."
    )
}

/// Fills a profile with what must not reach a client.
fn with_canaries(number: usize, person: &mut Person, worker: &mut SupportWorker) {
    person.name.given = format!("Canarygiven{number}");
    person.name.family = format!("Canaryfamily{number}");
    person.contact.email = format!("canary{number}@canary-mail.example");
    person.contact.phone = Some(format!("+61 491 573 {number:03}"));
    person.address = Some(format!("{number} Canary Street, Canaryburb"));
    let profile = &mut worker.profile;
    profile.introduction = revealing(number);
    profile.services[0].hourly_rate = Cents(rate(number / PER_RATE));
    profile.work_history = vec![WorkEntry {
        role: format!("Canaryrole {number}"),
        organisation: format!("Canary Care {number}"),
        from: "2020-03-01".parse().unwrap(),
        until: None,
        support_work: true,
    }];
    profile.training = vec![Training {
        title: format!("Canarycourse {number}"),
        institution: format!("Canary College {number}"),
        completed_on: "2019-12-01".parse().unwrap(),
    }];
    let area = profile.service_area.as_mut().unwrap();
    // One cell's worth: every change of a profile costs building each shard it touches.
    area.radius_km = 1;
    area.base.suburb = format!("Canaryburb {number}");
    area.base.postcode = format!("CANARY{number}");
    for check in &mut worker.checks {
        check.evidence = Some(format!("Canary policy {number}"));
    }
}
/// The people of these tests: two clients, one of them with a representative, and staff.
struct Clients {
    /// Acts for herself.
    ana: ClientId,
    /// Is acted for by Elena.
    berta: ClientId,
}

impl Clients {
    async fn settle(world: &World) -> Self {
        let context = world.context();
        let (ana, _) = settle_client(context, "ana").await;
        let (berta, _) = settle_client(context, "berta").await;
        settle_representative(context, "elena", berta, |_| {}).await;
        settle_staff(context, "cora", StaffRole::Coordinator).await;
        let ada = world.administrator();
        let terms = json!({
            "name": "Together", "entitlements": ["match_requests"], "open_match_requests": 50,
            "fees": {"monthly": 1900, "service_basis_points": 250}
        });
        let plan = ada.post("/v1/membership-plans", &terms).await.expect(201);
        for client in [ana, berta] {
            let path = format!("/v1/clients/{client}");
            let tag = ada.get(&path).await.etag();
            let assign = json!({"plan": plan["id"], "reason": "Chosen on the phone."});
            let path = format!("{path}/membership");
            ada.put(&path, &tag, &assign).await.expect(200);
        }
        Self { ana, berta }
    }

    fn requests_of(client: ClientId) -> String {
        format!("/v1/clients/{client}/match-requests")
    }
}

/// A request that those suit who ask a rate of these groups.
fn request_for(first: usize, last: usize) -> Value {
    let mut details = modest_request();
    details["budget"] = json!({"least": rate(first), "most": rate(last)});
    details
}

async fn preview(world: &World, request: &str) -> Answer {
    let path = format!("{request}/candidate-preview");
    world.as_("cora").get(&path).await.expect(200)
}

async fn send_early(world: &World, request: &str) {
    let tag = preview(world, request).await.etag();
    let cora = world.as_("cora");
    let key = world.fresh_key();
    let path = format!("{request}/release");
    let released = cora.ask(Method::POST, &path, |r| {
        let r = r.header("if-match", tag).header("idempotency-key", key);
        r.json(&json!({}))
    });
    released.await.expect(201);
}

async fn suspend(world: &World, worker: &str) {
    let reason = json!({"reason": "A canary's complaint about Canaryfamily is looked into."});
    let path = format!("/v1/support-workers/{worker}/suspension");
    world.administrator().post(&path, &reason).await.expect(201);
}

/// A support worker with canaries, from registering to being active, over HTTP.
async fn settle_by_http(world: &World, number: usize) -> (WorkerId, PersonId) {
    let subject = format!("canary-{number}");
    let worker = world.as_(&subject);
    let ada = world.administrator();
    let details = json!({
        "name": {"given": format!("Canarygiven{number}"), "family": format!("Canaryfamily{number}")},
        "contact": {"email": format!("canary{number}@canary-mail.example"), "phone": format!("+61 491 573 {number:03}")}
    });
    let registered = worker.post("/v1/support-workers", &details).await;
    let registered = registered.expect(201);
    let path = format!("/v1/support-workers/{}", registered.string("id"));
    let mut profile = complete_profile();
    let clean = profile["introduction"].clone();
    profile["services"][0]["hourly_rate"] = json!(rate(number / PER_RATE));
    profile["service_area"]["radius_km"] = json!(1);
    profile["service_area"]["base"]["suburb"] = json!(format!("Canaryburb {number}"));
    profile["work_history"] = json!([{
        "role": "Canaryrole", "organisation": "Canary Care", "from": "2020-03-01", "until": null, "support_work": true
    }]);
    profile["training"] = json!([{
        "title": "Canarycourse", "institution": "Canary College", "completed_on": "2019-12-01"
    }]);
    let edit = format!("{path}/profile");
    let saved = worker.put(&edit, &registered.etag(), &profile).await;
    saved.expect(200);
    let submission = format!("{path}/submission");
    worker.post(&submission, &json!({})).await.expect(201);
    let seen = json!({"evidence": "Canary policy", "expires_on": null});
    for kind in CheckKind::ALL {
        let verify = format!("{path}/checks/{}/verification", kind.code());
        ada.post(&verify, &seen).await.expect(201);
    }
    let approve = format!("{path}/introduction-approval");
    let approved = json!({"introduction": clean});
    ada.post(&approve, &approved).await.expect(201);
    // What staff have not approved.
    profile["introduction"] = json!(revealing(number));
    let tag = worker.get(&path).await.etag();
    worker.put(&edit, &tag, &profile).await.expect(200);
    let record = ada.get(&path).await.expect(200);
    let person = record["for_staff"]["person"].as_str().unwrap();
    (
        registered.string("id").parse().unwrap(),
        person.parse().unwrap(),
    )
}

async fn settle_profiles(world: &World) -> Vec<(WorkerId, PersonId)> {
    let subjects = (0..PROFILES - BY_HTTP).map(|number| format!("canary-{number}"));
    let mut workers = settle_workers(world.context(), subjects, with_canaries).await;
    for number in PROFILES - BY_HTTP..PROFILES {
        workers.push(settle_by_http(world, number).await);
    }
    world.settle().await;
    workers
}

#[tokio::test]
async fn no_canary_of_three_hundred_profiles_reaches_a_client() {
    let world = World::start().await;
    let workers = settle_profiles(&world).await;
    let clients = Clients::settle(&world).await;
    let watch = Watch::over(&workers);
    let watched = |subject| Watched {
        caller: world.as_(subject),
        watch: &watch,
    };
    let (ana, elena) = (watched("ana"), watched("elena"));

    // A request for each rate: by Ana herself, and by Elena on Berta's behalf. Two more each need the reserve.
    let spans = (0..RATES).map(|rate| (rate, rate));
    let spans: Vec<_> = spans.chain((0..4).map(|n| (10 * n, 10 * n + 2))).collect();
    let of_ana = |number: usize| number.is_multiple_of(2);
    let submit = async |number: usize, (first, last): (usize, usize)| {
        let (by, client) = if of_ana(number) {
            (&ana, clients.ana)
        } else {
            (&elena, clients.berta)
        };
        let path = Clients::requests_of(client);
        let mut faulty = request_for(first, last);
        faulty["budget"]["most"] = json!(0);
        faulty["services"] = json!(["canary"]);
        by.caller.post(&path, &faulty).await.expect(422);
        let submitted = by.post(&path, &request_for(first, last)).await.expect(201);
        let request = format!("/v1/match-requests/{}", submitted.string("id"));
        let early = by.get(&format!("{request}/candidates")).await;
        early.expect_problem(409, "candidates-not-released");
        let not_theirs = by.get(&format!("{request}/candidate-preview")).await;
        not_theirs.expect_problem(404, "not-found");
        by.get(&request).await.expect(200);
        request
    };
    let mut requests = Vec::new();
    let numbered: Vec<_> = spans.iter().copied().enumerate().collect();
    for some in numbered.chunks(16) {
        let submitted = all_at_once(some.iter().map(|(number, span)| submit(*number, *span)));
        requests.extend(submitted.await);
    }
    // Staff decide, with reasons that are for staff; some are suspended before they are ever shown.
    let mut left = BTreeSet::new();
    for request in &requests[RATES..] {
        let before = preview(&world, request).await;
        let first = before["listed"][0]["worker"].as_str().unwrap().to_owned();
        suspend(&world, &first).await;
        let second = &before["listed"][1]["worker"];
        let exclude = json!({"worker": second, "reason": "Canaryfamily parted badly."});
        let path = format!("{request}/exclusions");
        world.as_("cora").post(&path, &exclude).await.expect(201);
        left.insert(first);
    }
    for request in requests.iter().step_by(3) {
        send_early(&world, request).await;
    }
    world.advance(24).await;

    let mut shown = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for (number, request) in requests.iter().enumerate() {
        let by = if of_ana(number) { &ana } else { &elena };
        let path = format!("{request}/candidates");
        let list = by.get(&path).await.expect(200);
        let worker_of = worker_of_each(&world, request).await;
        let candidates = list["candidates"].as_array().unwrap();
        if number >= RATES {
            assert_eq!(candidates.len(), 5, "whoever left was replaced");
        }
        for candidate in candidates {
            let candidate = candidate["candidate"].as_str().unwrap();
            assert!(
                ids.insert(candidate.to_owned()),
                "an id for one request alone"
            );
            shown.insert(worker_of[candidate].clone());
        }
        // Somebody becomes unavailable; that is all that is said.
        if number % 20 == 0 && number < RATES {
            let gone = worker_of[candidates[0]["candidate"].as_str().unwrap()].clone();
            suspend(&world, &gone).await;
            let later = by.get(&path).await.expect(200);
            assert_eq!(later["candidates"][0]["available"], false);
            let mut as_before = later.json().clone();
            as_before["candidates"][0]["available"] = json!(true);
            assert_eq!(as_before["candidates"][0]["state"], "not_available");
            as_before["candidates"][0]["state"] = json!("presented");
            assert_eq!(&as_before, list.json(), "nothing else changes");
        }
    }
    let seen_of_all = shown.len() + left.difference(&shown).count();
    assert_eq!(seen_of_all, PROFILES, "every profile had its turn");

    // Everything they heard.
    for reader in [&ana, &elena] {
        let heard = reader.pages("/v1/inbox?limit=7").await;
        assert!(heard.len() > 60, "{}", heard.len());
        for notice in heard.iter().take(3) {
            let path = format!("/v1/inbox/{}/reads", notice["id"].as_str().unwrap());
            reader.post(&path, &json!({})).await.expect(201);
        }
    }
    let to_client_side = |mail: &Mail| {
        ["ana", "berta", "elena"]
            .iter()
            .any(|name| mail.is_to(&format!("{name}@people.example")))
    };
    let mails: Vec<_> = world.mails().into_iter().filter(to_client_side).collect();
    assert!(mails.len() >= 3 * RATES, "{}", mails.len());
    for mail in &mails {
        watch.search(&mail.message_id, &mail.raw);
    }
    // The lists, page by page; and the document and its page, which everybody may read.
    let path = format!("{}?limit=7", Clients::requests_of(clients.ana));
    assert_eq!(ana.pages(&path).await.len(), requests.len() / 2);
    for path in [
        "/openapi.json",
        "/docs",
        "/",
        "/v1/me",
        "/v1/membership-plans",
    ] {
        ana.get(path).await;
    }
    println!(
        "{} profiles in {} lists, {} mails",
        shown.len(),
        requests.len(),
        mails.len()
    );
    let walked = walk(&world, &clients, &workers, &requests, [&ana, &elena]).await;
    println!("{walked} answers to everything else a client can ask");
}

/// Which support worker stands behind each candidate of a list.
async fn worker_of_each(world: &World, request: &str) -> BTreeMap<String, String> {
    let (_, id) = request.rsplit_once('/').unwrap();
    let key = Key::candidate_list(id.parse().unwrap());
    let list = world.context().store.get::<CandidateList>(&key).await;
    let listed = list.unwrap().unwrap().value.candidates.into_iter();
    listed
        .map(|one| (one.id.to_string(), one.worker.to_string()))
        .collect()
}
