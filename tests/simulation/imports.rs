//! Files of clients in a storm: everybody comes once, whoever sends what how often.

use std::collections::BTreeSet;

use domain::import::{ImportKind, ImportRun, Imported};
use domain::person::Person;
use rand::RngExt;
use rapport_tests::seeds::{Effort, Seed, seeds};
use serde_json::Value;
use store::{Key, StaffPartition};

use crate::simulated::{ADMINISTRATOR, Ask, Simulated};

const SEEDS: Effort = Effort {
    reduced: 6,
    full: 300,
};
const ROWS: usize = 10;

#[tokio::test(start_paused = true)]
async fn everybody_in_a_file_comes_once_whatever_happens() {
    let mut crashes = 0;
    for seed in seeds(SEEDS.now()) {
        crashes += files_in_a_storm(&seed).await;
    }
    println!("{crashes} crashes");
}

fn file(family: &str) -> String {
    let header = "reference,given_name,family_name,email,phone,birth_date,address".to_owned();
    let row = |number| format!("C-{number},Given,{family},person{number}@people.example,,,");
    let rows = (0..ROWS).map(row);
    std::iter::once(header)
        .chain(rows)
        .collect::<Vec<_>>()
        .join("\n")
}

fn counts(body: &Value) -> [u64; 4] {
    ["created", "updated", "unchanged", "failed"].map(|name| body[name].as_u64().unwrap())
}

async fn files_in_a_storm(seed: &Seed) -> usize {
    let mut world = Simulated::start(seed).await;
    world.brew();
    let path = "/v1/imports/clients";
    let all = ROWS as u64;

    // One sending, asked for by a nervous finger.
    let ask = Ask::csv(ADMINISTRATOR, path, "one", &file("First"));
    let replies = world
        .insist_on_all(vec![ask.clone(), ask.clone(), ask])
        .await;
    let ids: BTreeSet<String> = replies.iter().map(|reply| reply.text("id")).collect();
    assert_eq!(ids.len(), 1, "one key, several imports");
    for reply in replies {
        assert_eq!(counts(&reply.body), [all, 0, 0, 0], "{}", reply.body);
    }

    // The same file and a corrected one, each from two places.
    let sent = |key: &str, family| Ask::csv(ADMINISTRATOR, path, key, &file(family));
    let keys = ["two", "three"].map(|key| sent(key, "Second"));
    let replies = world.insist_on_all(keys.to_vec()).await;
    let mut updated = 0;
    for reply in replies {
        let [created, changed, unchanged, failed] = counts(&reply.expect(201).body);
        assert_eq!((created, failed, changed + unchanged), (0, 0, all));
        updated += changed;
    }
    assert_eq!(updated, all);
    if world.chance.random_bool(0.5) {
        world.deliver().await;
    }
    world.calm();
    world.deliver().await;
    check(&world).await;
    world.crashes
}

async fn check(world: &Simulated) {
    let mut people = BTreeSet::new();
    for number in 0..ROWS {
        let key = Key::imported(ImportKind::Clients, &format!("C-{number}"));
        let imported = world.observer.get::<Imported>(&key).await.unwrap().unwrap();
        let person = Key::person(imported.value.person);
        let person = world
            .observer
            .get::<Person>(&person)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(person.value.name.family, "Second");
        let mail = world
            .context()
            .key
            .hints()
            .mail_address(&person.value.contact.email);
        let hinted = world.observer.people_hinted(&mail, 10).await.unwrap();
        assert_eq!(hinted, [person.value.id], "row {number} came twice");
        let client = Key::client(*person.value.roles.clients.first().unwrap());
        let done = world.operations(&client).await;
        assert_eq!(done, ["import_client", "update_imported_client"]);
        people.insert(person.value.id);
    }
    assert_eq!(people.len(), ROWS);
    assert_eq!(world.mail.letters().len(), ROWS);
    let runs = world
        .observer
        .staff_list::<ImportRun>(StaffPartition::Imports, true, 100, None)
        .await;
    assert_eq!(runs.unwrap().items.len(), 3);
}
