//! A thousand damaged shards, of as many cells and sizes: none opens, and none of another cell passes for one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by panicking"
)]

use domain::packed::IndexRecord;
use domain::place::Cell;
use domain::support_worker::SupportWorker;
use population::{Layout, Population};
use rapport_matching::{OpenShardError, Shard, build_shard};

const SHARDS: usize = 1_000;
/// Where the fingerprint of the schema stands.
const FINGERPRINT: std::ops::Range<usize> = 8..40;
/// Odd multiples of it reach every remainder: chance enough, and the same every time.
const STRIDE: usize = 0x9e37_79b9;

/// What happens to the bytes of a shard, at a place among them that differs from shard to shard.
type Damage = fn(&mut Vec<u8>, usize);

const DAMAGES: [(&str, Damage); 7] = [
    ("torn", |bytes, at| bytes.truncate(at)),
    ("emptied", |bytes, _| bytes.clear()),
    ("one bit flipped", |bytes, at| bytes[at] ^= 1 << (at % 8)),
    ("a byte lost", |bytes, at| drop(bytes.drain(at..=at))),
    ("a byte too many", |bytes, at| bytes.insert(at, 0x5a)),
    ("a block zeroed", |bytes, at| {
        let end = (at + 512).min(bytes.len());
        // Not one that was zeros anyway.
        bytes[at] = !bytes[at];
        bytes[at + 1..end].fill(0);
    }),
    ("another schema", |bytes, at| {
        bytes[FINGERPRINT.start + at % FINGERPRINT.len()] ^= 1;
    }),
];

/// Shards of one to six support workers, each of the cell that the first of them lives in.
fn shards() -> impl Iterator<Item = (Cell, usize, Vec<u8>)> {
    let population = Population::new(7, 6 * SHARDS as u64, Layout::default());
    (0..SHARDS).map(move |number| {
        let many = 1 + number % 6;
        let first = 6 * number as u64;
        let workers: Vec<SupportWorker> = (first..first + many as u64)
            .map(|worker| population.worker(worker))
            .collect();
        let records: Vec<IndexRecord> = workers.iter().filter_map(IndexRecord::of).collect();
        let area = workers[0].profile.service_area.as_ref().unwrap();
        let cell = area.base.cell();
        (cell, many, build_shard(cell, &records).unwrap().bytes)
    })
}

#[test]
fn a_thousand_damaged_shards_are_refused() {
    let mut refused = 0;
    let mut before: Option<Cell> = None;
    let mut exchanged = 0;
    for (number, (cell, workers, bytes)) in shards().enumerate() {
        let (what, damage) = DAMAGES[number % DAMAGES.len()];
        let at = number.wrapping_mul(STRIDE) % bytes.len();
        let mut damaged = bytes.clone();
        damage(&mut damaged, at);
        let outcome = Shard::open(damaged);
        // Before anything in them is made sense of.
        assert!(
            matches!(outcome, Err(OpenShardError::Container(_))),
            "{what} at {at} of {}: {outcome:?}",
            bytes.len()
        );
        refused += 1;
        // Undamaged it opens, and says whose it is: lying in the place of another it cannot be taken for that one.
        let whole = Shard::open(bytes).unwrap();
        assert_eq!(whole.workers() as usize, workers);
        assert_eq!(whole.cell(), Some(cell));
        exchanged += usize::from(before.replace(cell).is_some_and(|before| before != cell));
    }
    assert_eq!(refused, SHARDS);
    assert!(
        exchanged > SHARDS / 2,
        "{exchanged} neighbours of other cells"
    );
}
