use std::collections::{BTreeMap, BTreeSet};
use std::fs::{create_dir, read, read_to_string, write};

use domain::id::WorkerId;
use domain::match_request::MatchRequestDetails;
use domain::place::{Cell, cover};
use domain::support_worker::SupportWorker;
use matching::Shard;
use tempfile::TempDir;

use super::lines::{REQUESTS, WORKERS};
use super::shards::{Entry, TABLE};
use super::*;

const PEOPLE: u64 = 120;

fn generate(folder: &TempDir, name: &str) -> Generate {
    Generate {
        workers: PEOPLE,
        requests: 30,
        seed: 5,
        regions: 1,
        shards: true,
        into: folder.path().join(name),
    }
}

fn table(into: &Path) -> BTreeMap<Cell, Entry> {
    serde_json::from_slice(&read(into.join(TABLE)).unwrap()).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_gives_others() {
    let folder = tempfile::tempdir().unwrap();
    let (one, again) = (generate(&folder, "one"), generate(&folder, "again"));
    one.run().unwrap();
    again.run().unwrap();
    for file in [WORKERS, REQUESTS] {
        assert_eq!(
            read(one.into.join(file)).unwrap(),
            read(again.into.join(file)).unwrap()
        );
    }
    // A shard is named by what is in it, and that is what has to be the same.
    let (ours, theirs) = (table(&one.into), table(&again.into));
    assert!(ours.len() > 20 && ours.keys().eq(theirs.keys()));
    for (cell, entry) in &ours {
        assert_eq!(entry.file, theirs[cell].file);
        let read = |into: &Path| Shard::open(read(into.join(&entry.file)).unwrap()).unwrap();
        let (ours, theirs) = (read(&one.into), read(&again.into));
        assert_eq!(ours.records().unwrap(), theirs.records().unwrap());
    }
    let other = Generate {
        seed: 6,
        shards: false,
        ..generate(&folder, "other")
    };
    other.run().unwrap();
    assert_ne!(
        read(one.into.join(WORKERS)).unwrap(),
        read(other.into.join(WORKERS)).unwrap()
    );
}

#[test]
fn the_shards_hold_just_those_whose_area_touches_their_cell() {
    let folder = tempfile::tempdir().unwrap();
    let generate = generate(&folder, "people");
    let generated = generate.run().unwrap();
    let mut expected: BTreeMap<Cell, BTreeSet<WorkerId>> = BTreeMap::new();
    let lines = read_to_string(generate.into.join(WORKERS)).unwrap();
    assert_eq!(lines.lines().count() as u64, PEOPLE);
    for line in lines.lines() {
        let worker: SupportWorker = serde_json::from_str(line).unwrap();
        let area = worker.profile.service_area.unwrap();
        for cell in cover(area.base.latitude, area.base.longitude, area.radius_km) {
            expected.entry(cell).or_default().insert(worker.id);
        }
    }
    let table = table(&generate.into);
    assert!(table.keys().eq(expected.keys()));
    let mut entries = 0;
    for (cell, entry) in &table {
        let bytes = read(generate.into.join(&entry.file)).unwrap();
        assert_eq!(bytes.len(), entry.bytes);
        let shard = Shard::open(bytes).unwrap();
        let records = shard.records().unwrap();
        let held: BTreeSet<WorkerId> = records.iter().map(|record| record.worker).collect();
        assert_eq!(held, expected[cell]);
        assert_eq!(held.len(), entry.workers);
        entries += entry.workers;
    }
    let built = generated.shards.unwrap().to_string();
    assert!(built.starts_with(&format!("{} shards with {entries} entries", table.len())));
}

#[test]
fn every_request_can_be_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let generate = Generate {
        shards: false,
        ..generate(&folder, "people")
    };
    generate.run().unwrap();
    let lines = read_to_string(generate.into.join(REQUESTS)).unwrap();
    assert_eq!(lines.lines().count(), 30);
    for line in lines.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["id"].as_str().unwrap().starts_with("mreq_"));
        let details: MatchRequestDetails = serde_json::from_value(line["details"].clone()).unwrap();
        assert!(!details.services.is_empty());
    }
}

#[test]
fn nothing_is_written_over_or_left_half_done() {
    let folder = tempfile::tempdir().unwrap();
    let full = generate(&folder, "full");
    create_dir(&full.into).unwrap();
    write(full.into.join("letter.txt"), "keep me").unwrap();
    assert!(matches!(full.run(), Err(GenerateError::NotEmpty(_))));
    assert_eq!(read(full.into.join("letter.txt")).unwrap(), b"keep me");

    let empty = Generate {
        shards: false,
        ..generate(&folder, "empty")
    };
    create_dir(&empty.into).unwrap();
    create_dir(folder.path().join("empty.partial")).unwrap();
    assert!(matches!(empty.run(), Err(GenerateError::LeftOver(_))));
    std::fs::remove_dir(folder.path().join("empty.partial")).unwrap();
    empty.run().unwrap();
    assert!(empty.into.join(WORKERS).is_file());
    assert!(!folder.path().join("empty.partial").exists());

    let nowhere = generate(&folder, "missing/deep");
    assert!(matches!(nowhere.run(), Err(GenerateError::Write(..))));
}
