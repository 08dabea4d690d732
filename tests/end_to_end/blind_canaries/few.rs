//! A client who asks for much is told what would bring more, and nothing of whom.

use std::collections::BTreeSet;

use domain::vocabulary::{Skill, Task};
use rapport_tests::people::settle_workers;
use rapport_tests::world::World;
use serde_json::{Value, json};

use super::watch::{Watch, Watched};
use super::{Clients, preview, rate, request_for, send_early, with_canaries};

const WORKERS: usize = 40;

/// The requests of a client who varies one to find out about people: each is about something else that few have.
fn probing() -> Vec<Value> {
    let plain = || request_for(2, 2);
    let with = |field: &str, value: Value| {
        let mut details = plain();
        details[field] = value;
        details
    };
    let must = |strength: &str, wish: Value| json!([{"strength": strength, "wish": wish, "care_reason": "Intimate care."}]);
    let day = |weekday: &str, part: &str, from: &str, until: &str| {
        json!([{
            "weekday": weekday, "day_part": part, "hours": {"from": from, "until": until}, "strength": "must"
        }])
    };
    let mut heavy = plain();
    heavy["care_needs"]["tasks"] = json!(["transfers"]);
    let mut lasting = plain();
    lasting["period"] = json!({"from": "2026-12-01", "until": "2027-11-30"});
    vec![
        request_for(50, 50),
        with("days", day("sunday", "evening", "18:00", "20:00")),
        with("days", day("monday", "morning", "06:30", "08:30")),
        with("certifications", json!(["first_aid", "cpr"])),
        with("preferences", must("must", json!({"gender": "woman"}))),
        with("preferences", must("avoid", json!({"skill": "cooking"}))),
        with("services", json!(["social_support", "nursing_care"])),
        heavy,
        lasting,
    ]
}

#[tokio::test]
async fn what_would_bring_more_gives_nobody_away() {
    let world = World::start().await;
    let subjects = (0..WORKERS).map(|number| format!("canary-{number}"));
    let workers = settle_workers(world.context(), subjects, |number, person, worker| {
        with_canaries(number, person, worker);
        if number % 3 == 0 {
            worker.profile.skills = vec![Skill::Cooking];
        }
        if number % 4 == 0 {
            worker.profile.boundaries.tasks = vec![Task::Transfers];
        }
    })
    .await;
    world.settle().await;
    let clients = Clients::settle(&world).await;
    let watch = Watch::over(&workers);
    let ana = Watched {
        caller: world.as_("ana"),
        watch: &watch,
    };
    let mut told = BTreeSet::new();
    for details in probing() {
        let path = Clients::requests_of(clients.ana);
        let submitted = ana.post(&path, &details).await.expect(201);
        let request = format!("/v1/match-requests/{}", submitted.string("id"));
        let staff = preview(&world, &request).await;
        assert!(!staff["misses"]["removed"].as_array().unwrap().is_empty());
        send_early(&world, &request).await;
        let seen = ana.get(&format!("{request}/candidates")).await.expect(200);
        for part in ["stood_in_the_way", "would_bring_more"] {
            for entry in seen[part].as_array().unwrap() {
                told.insert(entry["words"].as_str().unwrap().to_owned());
                for number in ["removes", "without_it", "at_least"] {
                    let number = entry[number].as_u64();
                    assert!(number.is_none_or(|number| number >= 5), "{entry}");
                }
                let at_least = entry["at_least"].as_u64();
                assert!(at_least.is_none_or(|number| number % 5 == 0), "{entry}");
            }
        }
        // Of what support workers accept, of their checks and of how far they go, not a word.
        let said = format!("{}{}", seen["stood_in_the_way"], seen["would_bring_more"]);
        for private in ["ransfers", "boundar", "renew", "check", "farther", "block"] {
            assert!(!said.contains(private), "{private}: {said}");
        }
    }
    let counted = |words: &str| {
        let mut told = told.iter();
        told.any(|told| told.starts_with(words) && told.contains("at least"))
    };
    let step = format!("Up to {}.00 an hour", rate(5) / 100);
    for words in [
        step.as_str(),
        "Mornings instead of evenings",
        "As a wish instead of a must: Woman",
    ] {
        assert!(counted(words), "{words} in {told:#?}");
    }
}
