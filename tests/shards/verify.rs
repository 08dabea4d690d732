//! What `verify` and `inspect` find, each difference made on purpose.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::id::WorkerId;
use domain::packed::index_change;
use domain::place::{Cell, cover};
use domain::profile::OfferedService;
use domain::support_worker::{SupportWorker, WorkerState};
use index_builder::{Built, CellReport, Differences, Stale, inspect, inspect_bytes, verify};
use rapport_tests::indexed::{Indexed, melbourne, sydney};
use rapport_tests::people::settle_workers;
use store::{CellRow, Commit, Key, Versioned};

const NAMED: &str = "mira";

async fn settled() -> (Indexed, WorkerId) {
    let world = Indexed::start().await;
    let subjects = [NAMED, "omar", "ines"].map(str::to_owned);
    let workers = settle_workers(&world.context, subjects, |_, _, _| {}).await;
    world.settle().await;
    (world, workers[0].0)
}

async fn reports(world: &Indexed) -> Vec<CellReport> {
    verify(&world.builder, Duration::ZERO).await.unwrap()
}

/// The report of the one cell that differs.
async fn only_difference(world: &Indexed) -> CellReport {
    let reports = reports(world).await;
    let mut differing = reports.into_iter().filter(|report| !report.is_faithful());
    let report = differing.next().expect("a difference");
    assert_eq!(differing.next(), None);
    report
}

async fn row(world: &Indexed, cell: Cell, worker: WorkerId) -> Versioned<CellRow> {
    let row = world.context.store.get(&Key::cell_row(cell, worker)).await;
    row.unwrap().unwrap()
}

async fn carry_out(world: &Indexed, change: impl FnOnce(Commit) -> Commit) {
    let (context, key) = (&world.context, Key::system("test"));
    let commit = Commit::of_derived(context.fresh(), context.now(), key);
    context.store.commit(change(commit)).await.unwrap();
}

#[tokio::test]
async fn what_was_settled_is_faithful_in_every_cell_of_the_area() {
    let (world, _) = settled().await;
    let reports = reports(&world).await;
    let cells: Vec<Cell> = reports.iter().map(|report| report.cell).collect();
    assert_eq!(
        cells,
        cover(melbourne().latitude, melbourne().longitude, 10)
    );
    for report in reports {
        assert!(report.is_faithful(), "{report:?}");
        assert_eq!(report.workers, 3);
    }
}

#[tokio::test]
async fn differences_between_rows_and_shard_are_told_by_worker_and_field() {
    let (world, mira) = settled().await;
    let cell = melbourne().cell();
    // Written past the service: the shard does not know.
    let mut changed = row(&world, cell, mira).await.value;
    changed.record.hours_wanted += 1;
    carry_out(&world, |commit| commit.derive(&changed)).await;
    let stale = Differences {
        stale: vec![Stale {
            worker: mira,
            fields: vec!["hours_wanted".to_owned()],
        }],
        ..Differences::default()
    };
    let report = only_difference(&world).await;
    assert_eq!((report.cell, &report.shard), (cell, &stale));
    // Nor does the record.
    assert_eq!(report.rows, stale);

    let key = Key::cell_row(cell, mira);
    carry_out(&world, |commit| commit.derive_nothing_at(&key)).await;
    let report = only_difference(&world).await;
    assert_eq!(report.shard.ghosts, [mira]);
    assert_eq!(report.rows.missing, [mira]);
    // The shard follows the rows; that they lack somebody is still found.
    assert_eq!(world.builder.rebuild(cell).await.unwrap(), Built::Published);
    let report = only_difference(&world).await;
    assert!(report.shard.is_empty());
    assert_eq!(report.rows.missing, [mira]);
}

#[tokio::test]
async fn rows_of_people_who_should_not_be_matched_are_found() {
    let (world, mira) = settled().await;
    let cell = melbourne().cell();
    let store = &world.context.store;
    let was: Versioned<SupportWorker> = store.get(&Key::worker(mira)).await.unwrap().unwrap();
    // Paused, as it would be if a commit had forgotten the index.
    let paused = SupportWorker {
        state: WorkerState::Paused,
        ..was.value.clone()
    };
    assert!(!index_change(Some(&was.value), &paused).delete.is_empty());
    carry_out(&world, |commit| commit.replace(&was, &paused)).await;
    let differing = reports(&world).await;
    assert!(!differing.is_empty());
    for report in differing {
        assert_eq!(report.rows.ghosts, [mira], "{report:?}");
    }

    // Active again, in another city.
    let now: Versioned<SupportWorker> = store.get(&Key::worker(mira)).await.unwrap().unwrap();
    let mut moved = was.value.clone();
    moved.profile.service_area.as_mut().unwrap().base = sydney();
    moved.profile.services.push(OfferedService {
        service: domain::vocabulary::Service::Transport,
        hourly_rate: domain::money::Cents(5_000),
    });
    carry_out(&world, |commit| commit.replace(&now, &moved)).await;
    let reports = reports(&world).await;
    let of = |cell: Cell| reports.iter().find(|report| report.cell == cell).unwrap();
    assert_eq!(of(cell).rows.ghosts, [mira]);
    let there = of(sydney().cell());
    assert_eq!(there.rows.missing, [mira]);
    assert_eq!((there.workers, &there.damage), (0, &None));
}

#[tokio::test]
async fn a_shard_that_is_damaged_or_missing_is_told_and_inspected_and_replaced() {
    let (world, mira) = settled().await;
    let cell = melbourne().cell();
    let sound = inspect(&world.builder, cell).await.unwrap().unwrap();
    assert!(sound.is_sound());
    let content = sound.content.unwrap();
    assert_eq!((content.workers, content.cell), (3, Some(cell)));
    assert_eq!(content.services, [("social_support", 3)].into());
    assert_eq!(content.languages, [("en", 3)].into());
    assert!(content.bytes_per_worker >= content.bytes / 3);

    let pointer = world.pointer(cell).await.value;
    let path = world.object(&pointer);
    let mut bytes = std::fs::read(&path).unwrap();
    let by_file = inspect_bytes(bytes.clone()).unwrap();
    assert_eq!(by_file.content.unwrap().version, Some(pointer.version));
    bytes[100] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let report = only_difference(&world).await;
    assert_eq!(
        report.damage.as_deref(),
        Some("the object is not what was published")
    );
    let damaged = inspect(&world.builder, cell).await.unwrap().unwrap();
    assert!(!damaged.is_sound());
    assert!(!inspect_bytes(bytes).unwrap().is_sound());
    std::fs::remove_file(&path).unwrap();
    let report = only_difference(&world).await;
    assert_eq!(report.damage.as_deref(), Some("the object has vanished"));
    assert_eq!(world.builder.rebuild(cell).await.unwrap(), Built::Healed);
    assert!(reports(&world).await.iter().all(CellReport::is_faithful));

    // Rows in a cell whose shard was never built.
    let there = sydney().cell();
    let record = row(&world, cell, mira).await.value.record;
    let store = &world.context.store;
    let was: Versioned<SupportWorker> = store.get(&Key::worker(mira)).await.unwrap().unwrap();
    let mut moved = was.value.clone();
    moved.profile.service_area.as_mut().unwrap().base = sydney();
    let stray = CellRow {
        cell: there,
        record,
    };
    carry_out(&world, |commit| commit.replace(&was, &moved).derive(&stray)).await;
    let reports = reports(&world).await;
    let there = reports.iter().find(|report| report.cell == there).unwrap();
    assert_eq!(
        there.damage.as_deref(),
        Some("the cell has rows and no shard")
    );
    let fields: BTreeSet<&str> = there.rows.stale[0]
        .fields
        .iter()
        .map(String::as_str)
        .collect();
    assert_eq!(fields, ["position"].into());
    assert_eq!(
        inspect(&world.builder, sydney().cell()).await.unwrap(),
        None
    );
}
