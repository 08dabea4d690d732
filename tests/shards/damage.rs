//! Damaged objects of shards: never a wrong answer, and the last whole shard answers while there is one.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::TimeDelta;
use domain::id::WorkerId;
use domain::place::Place;
use functions::matcher::{MatcherError, OpenError};
use index_builder::Built;
use platform::blobs::BlobName;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rapport_tests::indexed::{Indexed, listed, melbourne, sydney, workers_on};
use rapport_tests::seeds::Effort;
use store::{Commit, ShardPointer, Versioned};

/// How many objects are damaged.
const DAMAGED: Effort = Effort {
    reduced: 100,
    full: 1_000,
};
const WORKERS: usize = 12;
/// Longer than a refused object is ever left alone.
const LONGEST_WAIT: TimeDelta = TimeDelta::seconds(61);

/// What happens to the object of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damage {
    /// Its end is missing.
    Torn,
    /// It is there, and empty.
    Emptied,
    /// One bit of it is another.
    Flipped,
    /// One bit of it is another, and its checksum is made to fit.
    Forged,
    /// Something follows it.
    Prolonged,
    /// It was written for another schema.
    OtherSchema,
    /// It is gone.
    Vanished,
    /// The whole shard of another cell lies in its place.
    Exchanged,
    /// An earlier whole shard of the cell lies in its place.
    Outdated,
    /// The pointer leads to the whole shard of another cell.
    Misled,
}

const DAMAGES: [Damage; 10] = [
    Damage::Torn,
    Damage::Emptied,
    Damage::Flipped,
    Damage::Forged,
    Damage::Prolonged,
    Damage::OtherSchema,
    Damage::Vanished,
    Damage::Exchanged,
    Damage::Outdated,
    Damage::Misled,
];

/// Where the fingerprint of the schema stands in an object.
const FINGERPRINT: std::ops::Range<usize> = 8..40;
/// Where the checksum of everything behind it stands.
const CHECKSUM: std::ops::Range<usize> = 40..44;

impl Damage {
    async fn befall(self, world: &Indexed, place: &Place, before: &[u8], chance: &mut StdRng) {
        let pointer = world.pointer(place.cell()).await;
        let path = world.object(&pointer.value);
        let mut bytes = std::fs::read(&path).unwrap();
        let somewhere = chance.random_range(0..bytes.len());
        match self {
            Self::Torn => bytes.truncate(somewhere),
            Self::Emptied => bytes.clear(),
            Self::Flipped => bytes[somewhere] ^= 1 << chance.random_range(0..8),
            Self::Forged => {
                let at = CHECKSUM.end + somewhere % (bytes.len() - CHECKSUM.end);
                bytes[at] ^= 1 << chance.random_range(0..8);
                let checksum = crc32fast::hash(&bytes[CHECKSUM.end..]);
                bytes[CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
            }
            Self::Prolonged => bytes.push(0),
            Self::OtherSchema => {
                bytes[chance.random_range(FINGERPRINT)] ^= 1;
                // Published so: its name is its contents'.
                let name = BlobName::for_marked_contents("shards", "other", &bytes).unwrap();
                world.context.blobs.put(&name, bytes).await.unwrap();
                return lead_to(world, &pointer, name.as_str()).await;
            }
            Self::Vanished => return std::fs::remove_file(path).unwrap(),
            Self::Exchanged => {
                let other = world.pointer(sydney().cell()).await;
                bytes = std::fs::read(world.object(&other.value)).unwrap();
            }
            Self::Outdated => bytes = before.to_vec(),
            Self::Misled => {
                let other = world.pointer(sydney().cell()).await;
                return lead_to(world, &pointer, &other.value.blob).await;
            }
        }
        std::fs::write(path, bytes).unwrap();
    }
}

async fn lead_to(world: &Indexed, pointer: &Versioned<ShardPointer>, blob: &str) {
    let next = ShardPointer {
        blob: blob.to_owned(),
        ..pointer.value.clone()
    };
    let key = store::Entity::key(&next);
    let commit = Commit::of_derived(world.context.fresh(), world.context.now(), key);
    let commit = commit.replace(pointer, &next);
    world.context.store.commit(commit).await.unwrap();
}

/// Publishes a shard that holds just some of `all`, other people than `before`.
async fn publish(
    world: &Indexed,
    place: &Place,
    all: &[WorkerId],
    before: &BTreeSet<WorkerId>,
    chance: &mut StdRng,
) -> BTreeSet<WorkerId> {
    let present = loop {
        let some = all.iter().filter(|_| chance.random_range(0..2) == 0);
        let some: BTreeSet<WorkerId> = some.copied().collect();
        // All of them fit a list.
        if !some.is_empty() && some.len() <= 10 && some != *before {
            break some;
        }
    };
    world.write_rows(place, &present, all).await;
    let built = world.builder.rebuild(place.cell()).await.unwrap();
    assert_eq!(built, Built::Published);
    present
}

fn bytes_of(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

#[tokio::test]
async fn a_damaged_shard_is_never_served_and_the_last_whole_one_is() {
    let world = Indexed::start().await;
    let mut chance = StdRng::seed_from_u64(20);
    let (here, there) = (melbourne(), sydney());
    let all = world.people(WORKERS);
    let others = world.people(3);
    let strangers: BTreeSet<WorkerId> = others.iter().copied().collect();
    world.write_rows(&there, &strangers, &others).await;
    world.builder.rebuild(there.cell()).await.unwrap();
    let mut good = publish(&world, &here, &all, &BTreeSet::new(), &mut chance).await;
    let list = listed(&world.context, &here).await.unwrap();
    assert_eq!(workers_on(&list), good);
    for number in 0..DAMAGED.now() {
        let damage = DAMAGES[number % DAMAGES.len()];
        let before = world.pointer(here.cell()).await.value;
        let bytes_before = bytes_of(&world.object(&before));
        let next = publish(&world, &here, &all, &good, &mut chance).await;
        damage
            .befall(&world, &here, &bytes_before, &mut chance)
            .await;

        // Whoever has a whole shard goes on with it, says which, raises one alarm and fetches no more for now.
        let alarms = world.context.matcher.alarms();
        for _ in 0..2 {
            let list = listed(&world.context, &here).await.unwrap();
            assert_eq!(workers_on(&list), good, "{damage:?}");
            assert_eq!(list.basis.shard.as_ref(), Some(&before.version));
        }
        assert_eq!(world.context.matcher.alarms(), alarms + 1, "{damage:?}");

        // Whoever has none gives no answer.
        let cold = world.cold(usize::MAX);
        let refused = listed(&cold, &here).await.unwrap_err();
        let MatcherError::Shard { source, .. } = refused else {
            panic!("{damage:?}: {refused}");
        };
        let waiting = listed(&cold, &here).await.unwrap_err();
        assert!(
            matches!(
                waiting,
                MatcherError::Shard {
                    source: OpenError::Waiting(_),
                    ..
                }
            ),
            "{damage:?}: {waiting}"
        );
        assert_eq!(cold.matcher.alarms(), 1);
        let expected = match damage {
            Damage::Vanished => matches!(source, OpenError::Vanished),
            Damage::OtherSchema => matches!(source, OpenError::Shard(_)),
            Damage::Misled => matches!(source, OpenError::OtherCell),
            _ => matches!(source, OpenError::Exchanged),
        };
        assert!(expected, "{damage:?}: {source}");

        // A rebuild of the same rows replaces the object, and everybody finds the new one.
        let healed = world.builder.rebuild(here.cell()).await.unwrap();
        assert_eq!(healed, Built::Healed, "{damage:?}");
        let again = world.builder.rebuild(here.cell()).await.unwrap();
        assert_eq!(again, Built::Unchanged);
        for context in [&world.context, &cold] {
            let list = listed(context, &here).await.unwrap();
            assert_eq!(workers_on(&list), next, "{damage:?}, healed");
            let now = world.pointer(here.cell()).await.value;
            assert_eq!(list.basis.shard, Some(now.version));
        }
        good = next;
    }
    assert_eq!(world.context.matcher.alarms(), DAMAGED.now() as u64);
    println!("{} damaged shards, each refused", DAMAGED.now());
}

#[tokio::test]
async fn the_last_whole_shard_is_fetched_again_where_memory_let_go_of_it() {
    let world = Indexed::start().await;
    let mut chance = StdRng::seed_from_u64(21);
    let (here, there) = (melbourne(), sydney());
    let all = world.people(WORKERS);
    let others = world.people(3);
    let strangers: BTreeSet<WorkerId> = others.iter().copied().collect();
    world.write_rows(&there, &strangers, &others).await;
    world.builder.rebuild(there.cell()).await.unwrap();
    let good = publish(&world, &here, &all, &BTreeSet::new(), &mut chance).await;
    // Each shard that is opened drives the one before it out.
    let narrow = world.cold(1);
    let list = listed(&narrow, &here).await.unwrap();
    assert_eq!(workers_on(&list), good);
    assert_eq!(
        workers_on(&listed(&narrow, &there).await.unwrap()),
        strangers
    );
    publish(&world, &here, &all, &good, &mut chance).await;
    // No change is left to be delivered: a later one would heal it.
    world.settle().await;
    Damage::Flipped
        .befall(&world, &here, &[], &mut chance)
        .await;
    for _ in 0..2 {
        let again = listed(&narrow, &here).await.unwrap();
        assert_eq!(workers_on(&again), good);
        assert_eq!(again.basis.shard, list.basis.shard);
        listed(&narrow, &there).await.unwrap();
    }
    assert_eq!(narrow.matcher.alarms(), 1);
    // Tried again after a while, and refused again.
    world.clock.advance(LONGEST_WAIT);
    assert_eq!(workers_on(&listed(&narrow, &here).await.unwrap()), good);
    assert_eq!(narrow.matcher.alarms(), 2);
    // Nobody healed it for more than a day: there is nothing left to go on with, and no answer.
    world.outlast_grace().await;
    listed(&narrow, &there).await.unwrap();
    let refused = listed(&narrow, &here).await.unwrap_err();
    assert!(matches!(refused, MatcherError::Shard { .. }), "{refused}");
}
