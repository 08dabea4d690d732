//! The story from signup to a released list, with the process ending again and again on the way.

use chrono::TimeDelta;
use domain::id::{ClientId, MatchRequestId, PersonId};
use domain::match_request::MatchRequest;
use platform::signature::{ID_HEADER, RequestSignature, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use rapport_tests::people::{modest_request, settle_worker};
use rapport_tests::seeds::{Effort, Seed, seeds};
use serde_json::{Value, json};
use store::{InboxItem, Key};

use crate::simulated::{ADMINISTRATOR, Ask, Simulated};
use crate::weather::{RELENTLESS, storm};

/// How often the process is to end in the course of the story.
const CRASHES: Effort = Effort {
    reduced: 40,
    full: 2_000,
};
const CLIENTS: usize = 4;
const WORKERS: usize = 7;

#[tokio::test(start_paused = true)]
async fn the_story_survives_every_end_of_the_process() {
    let (wanted, mut crashes, mut stories) = (CRASHES.now(), 0, 0);
    for seed in seeds(wanted) {
        crashes += tell(&seed).await;
        stories += CLIENTS;
        if crashes >= wanted {
            break;
        }
    }
    println!("{crashes} ends of the process in {stories} stories");
    assert!(crashes > 0, "nothing went wrong");
}

/// What the story needs before it can begin.
struct Stage {
    partner: Value,
    plan: Value,
}

async fn set(world: &mut Simulated) -> Stage {
    for number in 0..WORKERS {
        settle_worker(world.context(), &format!("worker-{number}")).await;
    }
    let terms = json!({
        "name": "Together", "entitlements": ["match_requests"], "open_match_requests": 3,
        "fees": {"monthly": 1900, "service_basis_points": 250}
    });
    let settings = json!({
        "name": "Northside", "state": "active", "fields": {}, "origins": [], "redirects": {},
        "ticket_per_signup": true, "hourly_quota": 200
    });
    let plan = Ask::post(ADMINISTRATOR, "/v1/membership-plans", "plan", terms);
    let plan = world.insist(plan).await.expect(201).body;
    let partner = Ask::post(ADMINISTRATOR, "/v1/partners", "partner", settings);
    let partner = world.insist(partner).await.expect(201).body;
    let keys = format!("/v1/partners/{}/keys", partner["id"].as_str().unwrap());
    let key = Ask::post(ADMINISTRATOR, keys, "key", json!({}));
    world.insist(key).await.expect(201);
    world.deliver().await;
    Stage { partner, plan }
}

async fn tell(seed: &Seed) -> usize {
    let mut world = Simulated::start(seed).await;
    let stage = set(&mut world).await;
    world.faults.choose(storm(RELENTLESS, seed.number()));

    sign_up(&mut world, &stage).await;
    activate(&mut world).await;
    let clients = assign_plans(&mut world, &stage).await;
    let requests = submit(&mut world, &clients).await;
    let early = requests[0];
    exclude_somebody(&mut world, early).await;
    send_early(&mut world, early).await;
    world.pass(TimeDelta::hours(24)).await;
    review(&mut world, &requests).await;

    world.calm();
    // Rows that were postponed have their turn.
    world.pass(TimeDelta::hours(24)).await;
    nothing_is_lost_or_twice(&mut world, &clients, &requests).await;
    world.crashes
}

fn client(number: usize) -> String {
    format!("client-{number}")
}

/// A partner's server sends each signup until it is answered.
async fn sign_up(world: &mut Simulated, stage: &Stage) {
    let partner = stage.partner["id"].as_str().unwrap();
    let secret = world
        .context()
        .key
        .partner_secret(partner.parse().unwrap(), 1);
    let signups = (0..CLIENTS).map(|number| {
        let body = json!({
            "signup_for": "self", "given_name": "Given", "family_name": format!("Number{number}"),
            "email": format!("{}@people.example", client(number)), "birth_date": "1950-01-02"
        });
        let id = format!("signup-{number}");
        let signed = RequestSignature::sign(&secret, &id, world.now(), body.to_string().as_bytes());
        Ask {
            headers: vec![
                (ID_HEADER, signed.id),
                (TIMESTAMP_HEADER, signed.timestamp),
                (SIGNATURE_HEADER, signed.signature),
            ],
            ..Ask::post("", format!("/v1/partners/{partner}/signups"), "", body)
        }
    });
    for reply in world.insist_on_all(signups.collect()).await {
        reply.expect(202);
    }
    world.pass(TimeDelta::hours(1)).await;
}

/// Each opens the link that was mailed to them.
async fn activate(world: &mut Simulated) {
    let activations = (0..CLIENTS).map(|number| {
        let address = format!("{}@people.example", client(number));
        let letters = world.mail.letters();
        let letter = letters.iter().find(|letter| letter.to == address);
        let text = &letter.expect("a link was mailed").text;
        let token = text
            .split("/activate#")
            .nth(1)
            .unwrap()
            .split_whitespace()
            .next()
            .unwrap();
        Ask::post(
            &client(number),
            "/v1/activations",
            "activate",
            json!({"token": token}),
        )
    });
    for reply in world.insist_on_all(activations.collect()).await {
        reply.expect(201);
    }
}

async fn assign_plans(world: &mut Simulated, stage: &Stage) -> Vec<(ClientId, PersonId)> {
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        let me = world
            .insist(Ask::get(&client(number), "/v1/me"))
            .await
            .expect(200)
            .body;
        let id = me["roles"]["clients"][0]
            .as_str()
            .unwrap_or_else(|| panic!("{me}"));
        let path = format!("/v1/clients/{id}");
        let assign = json!({"plan": stage.plan["id"], "reason": "Chosen by telephone."});
        loop {
            let seen = world
                .insist(Ask::get(ADMINISTRATOR, &path))
                .await
                .expect(200);
            if seen.body["membership"]["plan"] == stage.plan["id"] {
                break;
            }
            let membership = format!("{path}/membership");
            let put = Ask::put(ADMINISTRATOR, membership, &seen.etag, assign.clone());
            let assigned = world.insist(put).await;
            assert!([200, 412].contains(&assigned.status), "{}", assigned.body);
        }
        clients.push((
            id.parse().unwrap(),
            me["id"].as_str().unwrap().parse().unwrap(),
        ));
    }
    clients
}

async fn submit(world: &mut Simulated, clients: &[(ClientId, PersonId)]) -> Vec<MatchRequestId> {
    let asks = clients.iter().enumerate().map(|(number, (id, _))| {
        let path = format!("/v1/clients/{id}/match-requests");
        Ask::post(&client(number), path, "request", modest_request())
    });
    let submitted = world.insist_on_all(asks.collect()).await;
    submitted
        .into_iter()
        .map(|reply| reply.expect(201).text("id").parse().unwrap())
        .collect()
}

async fn exclude_somebody(world: &mut Simulated, request: MatchRequestId) {
    let path = format!("/v1/match-requests/{request}");
    let preview = Ask::get(ADMINISTRATOR, format!("{path}/candidate-preview"));
    let preview = world.insist(preview).await.expect(200);
    let decision = json!({"worker": preview.body["listed"][0]["worker"], "reason": "Away."});
    let exclude = Ask::post(
        ADMINISTRATOR,
        format!("{path}/exclusions"),
        "exclude",
        decision,
    );
    world.insist(exclude).await.expect(201);
}

async fn send_early(world: &mut Simulated, request: MatchRequestId) {
    let path = format!("/v1/match-requests/{request}");
    for attempt in 0.. {
        assert!(attempt < 20, "the preview keeps changing");
        let preview = Ask::get(ADMINISTRATOR, format!("{path}/candidate-preview"));
        let preview = world.insist(preview).await.expect(200);
        let key = format!("early-{attempt}");
        let release = Ask::post(ADMINISTRATOR, format!("{path}/release"), key, json!({}));
        let released = world.insist(release.matching(&preview.etag)).await;
        if released.status == 201 {
            return;
        }
        assert_eq!(released.status, 412, "{}", released.body);
    }
}

/// Everybody sees five people who suit them.
async fn review(world: &mut Simulated, requests: &[MatchRequestId]) {
    for (number, request) in requests.iter().enumerate() {
        let path = format!("/v1/match-requests/{request}/candidates");
        let seen = world
            .insist(Ask::get(&client(number), path))
            .await
            .expect(200);
        assert_eq!(
            seen.body["candidates"].as_array().map(Vec::len),
            Some(5),
            "{}",
            seen.body
        );
    }
}

async fn nothing_is_lost_or_twice(
    world: &mut Simulated,
    clients: &[(ClientId, PersonId)],
    requests: &[MatchRequestId],
) {
    for (number, ((client, person), request)) in clients.iter().zip(requests).enumerate() {
        let mut done = world.operations(&Key::match_request(*request)).await;
        done.retain(|operation| operation != "exclude_candidate");
        assert_eq!(done, ["release_candidates", "submit_match_request"]);
        assert_eq!(
            world.operations(&Key::client(*client)).await,
            ["assign_membership"]
        );
        assert_eq!(
            world.operations(&Key::person(*person)).await,
            ["activate_account"]
        );

        let pk = Key::person(*person).pk;
        let inbox = world
            .observer
            .list_all::<InboxItem>(&pk, "INBOX#", 100)
            .await
            .unwrap();
        let mut heard: Vec<String> = inbox
            .iter()
            .map(|item| serde_json::to_value(&item.value.event).unwrap()["event"].to_string())
            .collect();
        heard.sort();
        let expected = [
            "account_activated",
            "candidates_released",
            "match_request_submitted",
            "membership_assigned",
        ];
        assert_eq!(heard, expected.map(|event| format!("{event:?}")));
        let address = format!("{}@people.example", self::client(number));
        let letters = world.mail.letters();
        let mailed = letters.iter().filter(|letter| letter.to == address);
        // The same, and the link.
        assert_eq!(mailed.count(), 5, "{address}");

        let listed = world
            .observer
            .get::<MatchRequest>(&Key::match_request(*request))
            .await;
        assert!(listed.unwrap().unwrap().value.released_at.is_some());
    }
    let signups = world
        .insist(Ask::get(ADMINISTRATOR, "/v1/signups?limit=100"))
        .await;
    assert_eq!(
        signups.body["items"].as_array().map(Vec::len),
        Some(CLIENTS),
        "{}",
        signups.body
    );
    assert_eq!(
        world.observer.next_due().await.unwrap(),
        None,
        "something is left over"
    );
}
