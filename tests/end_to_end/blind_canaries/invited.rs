//! Between release and acceptance words go both ways, and neither side learns who the other is.

use std::collections::BTreeSet;

use domain::client::Client;
use domain::id::{ClientId, PersonId};
use domain::person::Person;
use rapport_tests::people::settle_workers;
use rapport_tests::world::{Mail, World};
use serde_json::{Value, json};
use store::{Actor, Commit, Key};

use super::watch::{Watch, Watched};
use super::{Clients, request_for, send_early, with_canaries, worker_of_each};

/// What clients and their representative are full of.
const KESTRELS: [&str; 7] = [
    "kestrel",
    "491 570",
    "+61491570",
    "0491570",
    "491-570",
    "3053",
    "144.97",
];

async fn person_of(world: &World, client: ClientId) -> PersonId {
    let key = Key::client(client);
    let client = world.context().store.get::<Client>(&key).await;
    client.unwrap().unwrap().value.person
}

/// Fills a person with what must not reach a support worker.
async fn with_kestrels(world: &World, person: PersonId, number: usize) {
    let context = world.context();
    let key = Key::person(person);
    let was = context.store.get::<Person>(&key).await.unwrap().unwrap();
    let mut next = was.value.clone();
    next.name.given = format!("Kestrelgiven{number}");
    next.name.family = format!("Kestrelfamily{number}");
    next.contact.email = format!("kestrel{number}@kestrel-mail.example");
    next.contact.phone = Some(format!("+61 491 570 {number:03}"));
    next.address = Some(format!("{number}7 Kestrel Street, Carlton"));
    let audit = context.audit(Actor::Service, "settle", &key);
    let commit = Commit::new(audit).replace(&was, &next);
    context.store.commit(commit).await.unwrap();
}

/// A request that says more than it should wherever it can.
fn revealing_request(number: usize) -> Value {
    let mut details = request_for(0, 1);
    details["about_me"] = json!(format!(
        "Kestrelgiven{number} at {number}7 Kestrel Street likes chess."
    ));
    details["preferences"] = json!([{
        "strength": "prefer", "wish": {"language": "en"}, "care_reason": "Kestrelbrother speaks nothing else."
    }]);
    for flag in ["care", "conditions", "mobility", "about_me", "interests"] {
        details["care_needs"]["share"][flag] = json!(true);
    }
    details
}

async fn screen(world: &World, path: &str, decision: &str) {
    let decision = json!({"decision": decision, "reason": "Kestrel and canary must not meet."});
    let path = format!("{path}/screening");
    world.as_("cora").post(&path, &decision).await.expect(201);
}

#[tokio::test]
async fn no_canary_crosses_in_either_direction_before_acceptance() {
    const WORKERS: usize = 9;
    let world = World::start().await;
    let subjects = (0..WORKERS).map(|number| format!("canary-{number}"));
    let workers = settle_workers(world.context(), subjects, with_canaries).await;
    world.settle().await;
    let clients = Clients::settle(&world).await;
    let (ana, berta) = (
        person_of(&world, clients.ana).await,
        person_of(&world, clients.berta).await,
    );
    let me = world.as_("elena").get("/v1/me").await.expect(200);
    let elena: PersonId = me.string("id").parse().unwrap();
    for (number, person) in [ana, berta, elena].into_iter().enumerate() {
        with_kestrels(&world, person, number).await;
    }
    let over_workers = Watch::over(&workers);
    for (number, subject, client) in [(0, "ana", clients.ana), (1, "elena", clients.berta)] {
        let by = Watched {
            caller: world.as_(subject),
            watch: &over_workers,
        };
        let path = Clients::requests_of(client);
        let submitted = by.post(&path, &revealing_request(number)).await.expect(201);
        let request = format!("/v1/match-requests/{}", submitted.string("id"));
        send_early(&world, &request).await;
        let list = by.get(&format!("{request}/candidates")).await.expect(200);
        let candidates: Vec<String> = list["candidates"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["candidate"].as_str().unwrap().to_owned())
            .collect();
        let people = [ana, berta, elena].map(|person| person.to_string());
        let ids = [clients.ana, clients.berta].map(|client| client.to_string());
        let ids = people.into_iter().chain(ids).chain(candidates.clone());
        let ids = ids.chain([submitted.string("id")]);
        let over_clients = Watch::over_words(&KESTRELS, ids);
        let worker_of = worker_of_each(&world, &request).await;
        let behind = |candidate: &String| {
            let id = &worker_of[candidate];
            let place = workers
                .iter()
                .position(|(worker, _)| worker.to_string() == *id);
            (id.clone(), format!("canary-{}", place.unwrap()))
        };
        let of = |candidate: &String| format!("{request}/candidates/{candidate}");
        let mut invited = Vec::new();
        for candidate in &candidates[..4] {
            let path = format!("{}/invitation", of(candidate));
            by.post(&path, &json!({})).await.expect(201);
            by.post(&path, &json!({})).await.expect(409);
            let (worker, subject) = behind(candidate);
            let path = format!("/v1/support-workers/{worker}/invitations");
            let reader = Watched {
                caller: world.as_(&subject),
                watch: &over_clients,
            };
            let list = reader.get(&path).await.expect(200);
            assert_eq!(list["items"][0]["request"]["about_me"], Value::Null);
            assert_eq!(list["items"][0]["request"]["suburb"], "Carlton");
            let id = list["items"][0]["id"].as_str().unwrap();
            let path = format!("{path}/{id}");
            reader.get(&path).await.expect(200);
            let given = subject.replace("canary-", "Canarygiven");
            for text in [
                " Is there a lift?",
                &format!("{given} here: is there a lift?"),
            ] {
                let path = format!("{path}/questions");
                reader.post(&path, &json!({"text": text})).await.expect(201);
            }
            invited.push((candidate.clone(), path, subject));
        }
        // The first question crossed, the second waits; an answer that says too much waits too.
        for (candidate, path, subject) in &invited {
            let reader = Watched {
                caller: world.as_(subject),
                watch: &over_clients,
            };
            let list = by.get(&format!("{request}/candidates")).await;
            let mine = list["candidates"].as_array().unwrap().iter();
            let mine = mine
                .clone()
                .find(|one| one["candidate"] == **candidate)
                .unwrap();
            let questions = mine["questions"].as_array().unwrap();
            let named = |text: &str| questions.iter().find(|one| one["text"] == text);
            let crossed = named("Is there a lift?").unwrap()["question"]
                .as_str()
                .unwrap();
            let own = reader.get(path).await.expect(200);
            let held = own["questions"][1]["question"].as_str().unwrap().to_owned();
            assert_eq!(own["questions"][1]["state"], "screening");
            screen(
                &world,
                &format!("{}/questions/{held}", of(candidate)),
                "refuse",
            )
            .await;
            let question = format!("{}/questions/{crossed}", of(candidate));
            let answer = format!("{question}/answer");
            let too_much =
                json!({"text": format!("Ask Kestrelgiven{number} at {number}7 Kestrel Street.")});
            by.post(&answer, &too_much).await.expect(201);
            reader.get(path).await.expect(200);
            by.post(
                &format!("{}/questions/{held}/answer", of(candidate)),
                &too_much,
            )
            .await
            .expect(404);
            screen(&world, &question, "refuse").await;
            by.post(&answer, &json!({"text": "There is."}))
                .await
                .expect(201);
            let seen = reader.get(path).await;
            assert_eq!(seen["questions"][0]["answer"], "There is.");
        }
        // One declines, one is withdrawn, one lapses, and the last cannot accept any more.
        let says = async |place: usize, what: &str, body: &Value| {
            let (_, path, subject) = &invited[place];
            let reader = Watched {
                caller: world.as_(subject),
                watch: &over_clients,
            };
            reader.post(&format!("{path}/{what}"), body).await
        };
        let why = json!({"reason": "Canaryfamily would rather not."});
        says(0, "refusal", &why).await.expect(201);
        says(0, "acceptance", &json!({})).await.expect(409);
        by.post(&format!("{}/withdrawal", of(&invited[1].0)), &json!({}))
            .await
            .expect(201);
        says(1, "acceptance", &json!({})).await.expect(409);
        let why = json!({"reason": "Kestrelgiven would rather not."});
        by.post(&format!("{}/pass", of(&candidates[4])), &why)
            .await
            .expect(201);
        let (worker, subject) = behind(&invited[3].0);
        let pause = format!("/v1/support-workers/{worker}/pause");
        world
            .as_(&subject)
            .post(&pause, &json!({}))
            .await
            .expect(201);
        says(3, "acceptance", &json!({})).await.expect(409);
        let resume = format!("/v1/support-workers/{worker}/resumption");
        world
            .as_(&subject)
            .post(&resume, &json!({}))
            .await
            .expect(201);
        world.advance(72).await;
        for path in ["candidates", "known-workers"] {
            by.get(&format!("{request}/{path}")).await.expect(200);
        }
        for candidate in &candidates {
            let path = format!("{}/invitation", of(candidate));
            by.post(&path, &json!({})).await.expect(409);
        }
        by.pages("/v1/inbox?limit=50").await;
        for (_, path, subject) in &invited {
            let reader = Watched {
                caller: world.as_(subject),
                watch: &over_clients,
            };
            reader.get(path).await.expect(200);
            let heard = reader.pages("/v1/inbox?limit=50").await;
            assert!(heard.len() >= 2, "{heard:?}");
        }
        let mails = world.mails();
        let to = |name: &str| -> Vec<&Mail> {
            let mails = mails.iter();
            mails.filter(|mail| mail.is_to(name)).collect()
        };
        let (to_clients, to_workers) = (to("@kestrel-mail.example"), to("@canary-mail.example"));
        assert!(to_clients.len() >= 5 && to_workers.len() >= 5);
        for mail in to_clients {
            over_workers.search(&mail.message_id, &mail.raw);
        }
        for mail in to_workers {
            over_clients.search(&mail.message_id, &mail.raw);
        }
    }
}

/// What somebody sees, but for what is drawn anew each time.
fn without(mut view: Value, fields: &[&str]) -> String {
    for field in fields {
        view[*field] = Value::Null;
    }
    view.to_string()
}

#[tokio::test]
async fn what_one_support_worker_is_in_a_hundred_requests_cannot_be_linked() {
    const REQUESTS: usize = 100;
    const WORKERS: usize = 3;
    let world = World::start().await;
    let subjects = (0..WORKERS).map(|number| format!("canary-{number}"));
    let workers = settle_workers(world.context(), subjects, with_canaries).await;
    world.settle().await;
    let clients = Clients::settle(&world).await;
    let (worker, _) = workers[0];
    let mine = format!("/v1/support-workers/{worker}/invitations");
    let (mut drawn, mut aliases) = (BTreeSet::new(), BTreeSet::new());
    let (mut of_candidates, mut of_requests) = (BTreeSet::new(), BTreeSet::new());
    let mut ids = 0;
    for number in 0..REQUESTS {
        let (subject, client) = match number % 2 {
            0 => ("ana", clients.ana),
            _ => ("elena", clients.berta),
        };
        let by = world.as_(subject);
        let submitted = by
            .post(&Clients::requests_of(client), &request_for(0, 0))
            .await;
        let request = format!("/v1/match-requests/{}", submitted.expect(201).string("id"));
        send_early(&world, &request).await;
        let list = by.get(&format!("{request}/candidates")).await.expect(200);
        let worker_of = worker_of_each(&world, &request).await;
        let mut candidates = list["candidates"].as_array().unwrap().iter();
        for candidate in candidates.clone() {
            // Of people who are alike, everything but id and alias is alike too, in every request.
            of_candidates.insert(without(candidate.clone(), &["candidate", "alias"]));
        }
        let same =
            |one: &&Value| worker_of[one["candidate"].as_str().unwrap()] == worker.to_string();
        let candidate = candidates.find(same).unwrap();
        let id = candidate["candidate"].as_str().unwrap();
        let path = format!("{request}/candidates/{id}/invitation");
        by.post(&path, &json!({})).await.expect(201);
        let newest = world.as_("canary-0").get(&format!("{mine}?limit=1")).await;
        let invitation = newest.expect(200)["items"][0].clone();
        let fields = ["id", "invited_at", "answer_by"];
        of_requests.insert(without(invitation.clone(), &fields));
        aliases.insert(candidate["alias"].as_str().unwrap().to_owned());
        for id in [id, invitation["id"].as_str().unwrap()] {
            let (_, digits) = id.split_once('_').unwrap();
            // The first twelve digits tell the time; of the others those of version and variant are fixed.
            drawn.insert(digits[17..].to_owned());
            drawn.insert(format!("{}-{}", &digits[13..16], &digits[17..24]));
            ids += 1;
        }
        let path = format!("{request}/fulfilment");
        by.post(&path, &json!({})).await.expect(201);
        world.advance_by(chrono::TimeDelta::seconds(1)).await;
    }
    assert_eq!(ids, 2 * REQUESTS);
    assert_eq!(drawn.len(), 2 * ids, "no two ids share what is drawn");
    assert!(aliases.len() >= 20, "{aliases:?}");
    assert_eq!(of_candidates.len(), 1, "{of_candidates:#?}");
    assert_eq!(of_requests.len(), 1, "{of_requests:#?}");
}
