//! A data file that cannot be used is refused at the start, with what to do about it.

use std::path::Path;
use std::sync::Arc;

use platform::clock::ManualClock;
use platform::metrics::Metrics;
use rapport::data_file::DataFile;
use rapport::host::{Host, Options};
use rapport_tests::start;
use rapport_tests::world::World;

async fn refusal(data: &Path) -> String {
    let options = Options {
        data: data.to_owned(),
        port: 0,
        base_clock: Arc::new(ManualClock::new(start())),
        community: false,
        metrics: Metrics::none(),
    };
    match Host::start(options).await {
        Ok(_) => panic!("{} was accepted", data.display()),
        Err(refused) => refused.to_string(),
    }
}

#[tokio::test]
async fn a_file_that_another_host_uses_is_refused() {
    let world = World::start().await;
    let refused = refusal(&world.data_file()).await;
    assert!(
        refused.contains("another running host: stop that one first"),
        "{refused}"
    );
    world
        .administrator()
        .get("/v1/tickets?queue=general")
        .await
        .expect(200);
}

#[tokio::test]
async fn a_damaged_file_is_refused_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rapport.db");
    std::fs::write(&file, "not a table at all, by any means").unwrap();
    let refused = refusal(&file).await;
    assert!(refused.contains("restore a copy"), "{refused}");
    assert!(refused.contains("fresh sample data"), "{refused}");
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        "not a table at all, by any means"
    );
}

#[tokio::test]
async fn a_file_of_a_newer_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rapport.db");
    drop(DataFile::open(&file, store::FORMAT + 1).unwrap());
    let refused = refusal(&file).await;
    let newer = format!("data format {}", store::FORMAT + 1);
    assert!(refused.contains(&newer), "{refused}");
    assert!(refused.contains("start the newer version"), "{refused}");
}
