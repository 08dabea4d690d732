//! Ids and aliases are for one request: whoever keeps lists cannot follow anybody through them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use rapport_tests::people::settle_workers;
use rapport_tests::world::World;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::json;

use super::watch::{Watch, Watched};
use super::{Clients, PER_RATE, request_for, send_early, with_canaries, worker_of_each};

/// The names of an object's members, in the order in which they came.
#[derive(Debug, PartialEq, Eq)]
struct Members(Vec<String>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;

        impl<'de> Visitor<'de> for Names {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut names = Vec::new();
                while let Some((name, IgnoredAny)) = map.next_entry()? {
                    names.push(name);
                }
                Ok(Members(names))
            }
        }

        deserializer.deserialize_map(Names)
    }
}

/// A released list, as far as its shape goes.
#[derive(serde::Deserialize)]
struct Shape {
    candidates: Vec<Members>,
}

/// What a client may know of a candidate: exactly this, in this order, of everybody.
const SHOWN: [&str; 15] = [
    "candidate",
    "alias",
    "available",
    "distance",
    "experience",
    "rating",
    "rate",
    "services",
    "matches",
    "introduction",
    "why",
    "state",
    "answer_by",
    "questions",
    "engagement",
];
#[tokio::test]
async fn nobody_can_be_followed_from_one_request_to_the_next() {
    const REQUESTS: usize = 24;
    let world = World::start().await;
    let subjects = (0..PER_RATE).map(|number| format!("canary-{number}"));
    // They differ in what they have, so that a member left out for one of them would be seen.
    let workers = settle_workers(world.context(), subjects, |number, person, worker| {
        with_canaries(number, person, worker);
        worker.reliability.rating_count = u32::try_from(number).unwrap() * 5;
        worker.reliability.rating_sum = u32::try_from(number).unwrap() * 22;
        if number == 0 {
            worker.profile.work_history.clear();
            worker.profile.languages.clear();
        }
    })
    .await;
    world.settle().await;
    let clients = Clients::settle(&world).await;
    let watch = Watch::over(&workers);
    let mut ids = BTreeSet::new();
    let mut aliases: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for number in 0..REQUESTS {
        let (subject, client) = match number % 2 {
            0 => ("ana", clients.ana),
            _ => ("elena", clients.berta),
        };
        let by = Watched {
            caller: world.as_(subject),
            watch: &watch,
        };
        let mut details = request_for(0, 0);
        details["preferences"] = json!([{"strength": "prefer", "wish": {"language": "en"}}]);
        let submitted = by.post(&Clients::requests_of(client), &details).await;
        let request = format!("/v1/match-requests/{}", submitted.expect(201).string("id"));
        send_early(&world, &request).await;
        let list = by.get(&format!("{request}/candidates")).await.expect(200);
        let Shape { candidates } = serde_json::from_str(list.text()).unwrap();
        assert_eq!(candidates.len(), PER_RATE);
        for members in candidates {
            assert_eq!(members.0, SHOWN);
        }
        let worker_of = worker_of_each(&world, &request).await;
        let mut in_this_list = BTreeSet::new();
        for candidate in list["candidates"].as_array().unwrap() {
            let id = candidate["candidate"].as_str().unwrap();
            let alias = candidate["alias"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} stood in another list");
            assert!(in_this_list.insert(alias.to_owned()), "{alias} twice");
            let worker = worker_of[id].clone();
            aliases.entry(worker).or_default().insert(alias.to_owned());
        }
    }
    assert_eq!(ids.len(), REQUESTS * PER_RATE);
    // Drawn from 48 by chance: fewer than five different ones in 24 draws do not happen.
    for (worker, aliases) in &aliases {
        assert!(aliases.len() >= 5, "{worker} goes by {aliases:?}");
    }
    let everyones: Vec<&BTreeSet<String>> = aliases.values().collect();
    let is_shared = |alias: &String| everyones.iter().filter(|of| of.contains(alias)).count() > 1;
    let shared = everyones.iter().flat_map(|of| of.iter()).any(is_shared);
    assert!(shared, "no alias is anybody's own");
}
