//! The command as somebody runs it beside a serving host: what it prints, and how it ends.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by panicking"
)]

use std::process::Command;

use rapport_tests::indexed::melbourne;
use rapport_tests::people::settle_workers;
use rapport_tests::world::World;
use serde_json::{Value, json};
use store::{Key, ShardPointer, Versioned};

/// How a run of the command ended.
struct Ran {
    well: bool,
    said: String,
    complained: String,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.said).unwrap()
    }
}

async fn run(arguments: Vec<String>) -> Ran {
    let running = tokio::task::spawn_blocking(|| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_index-builder"));
        command.args(arguments).output().unwrap()
    });
    let output = running.await.unwrap();
    Ran {
        well: output.status.success(),
        said: String::from_utf8(output.stdout).unwrap(),
        complained: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs the command on a world's table and folder.
async fn run_on(world: &World, arguments: &[&str]) -> Ran {
    let folder = world.blob_folder().display().to_string();
    let place = ["--endpoint", &world.table_endpoint(), "--blobs", &folder].map(str::to_owned);
    let arguments = arguments.iter().copied().map(str::to_owned);
    run(place.into_iter().chain(arguments).collect()).await
}

async fn settled() -> World {
    let world = World::start().await;
    let subjects = ["mira", "omar", "ines"].map(str::to_owned);
    settle_workers(world.context(), subjects, |_, _, _| {}).await;
    world.settle().await;
    world
}

#[tokio::test]
async fn shards_are_verified_inspected_and_rebuilt() {
    let world = settled().await;
    let cell = melbourne().cell();
    let well = run_on(&world, &["verify"]).await;
    assert!(well.well, "{}", well.complained);
    assert!(
        well.said.contains("cells hold what the records say"),
        "{}",
        well.said
    );
    let reports = run_on(&world, &["verify", "--json"]).await.json();
    let cells = reports.as_array().unwrap().len();
    assert!(cells > 0);
    assert_eq!(reports[0]["workers"], 3);
    assert_eq!(reports[0]["damage"], Value::Null);

    let inspected = run_on(&world, &["inspect", &cell.to_string()]).await;
    assert!(inspected.well);
    for told in [
        "state      whole",
        "workers    3",
        "services   social_support 3",
    ] {
        assert!(inspected.said.contains(told), "{}", inspected.said);
    }

    // Somebody damages the file.
    let pointer: Versioned<ShardPointer> = {
        let found = world.context().store.get(&Key::shard_pointer(cell)).await;
        found.unwrap().unwrap()
    };
    let file = world.blob_folder().join(&pointer.value.blob);
    let mut bytes = std::fs::read(&file).unwrap();
    bytes.truncate(bytes.len() / 2);
    std::fs::write(&file, bytes).unwrap();
    let damaged = run_on(&world, &["verify"]).await;
    assert!(!damaged.well);
    assert!(
        damaged
            .said
            .contains("the object is not what was published"),
        "{}",
        damaged.said
    );
    let inspected = run_on(&world, &["inspect", &cell.to_string(), "--json"]).await;
    assert!(!inspected.well);
    assert_eq!(inspected.json()["content"], Value::Null);
    let path = file.display().to_string();
    let by_file = run(vec!["inspect".to_owned(), path]).await;
    assert!(!by_file.well);
    assert!(
        by_file.said.contains("the shard is damaged"),
        "{}",
        by_file.said
    );

    let rebuilt = run_on(&world, &["rebuild", "--records", "--json"]).await;
    assert!(rebuilt.well, "{}", rebuilt.complained);
    let expected = json!({
        "cells": cells, "published": 0, "healed": 1, "unchanged": cells - 1, "failed": [],
        "refreshed": {"looked_at": 3, "changed": 0}
    });
    assert_eq!(rebuilt.json(), expected);
    assert!(run_on(&world, &["verify"]).await.well);
    let one = run_on(&world, &["rebuild", &cell.to_string()]).await;
    assert!(
        one.said.starts_with("1 shards looked at: 0 published"),
        "{}",
        one.said
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_call_is_said_in_words() {
    for (arguments, complaint) in [
        (vec!["verify"], "say where the table is served"),
        (
            vec!["inspect", "nowhere.shard"],
            "nowhere.shard is neither an H3 cell nor a readable file",
        ),
        (
            vec![
                "--endpoint",
                "http://127.0.0.1:9",
                "--blobs",
                "nowhere",
                "verify",
            ],
            "nowhere is no folder",
        ),
        (vec!["rebuild", "84be635"], "invalid value '84be635'"),
    ] {
        let ran = run(arguments.into_iter().map(str::to_owned).collect()).await;
        assert!(!ran.well && ran.said.is_empty());
        assert!(ran.complained.contains(complaint), "{}", ran.complained);
    }
    let help = run(vec!["--help".to_owned()]).await;
    assert!(help.well && help.said.contains("inspect 84be635ffffffff"));
}
