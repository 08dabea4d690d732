//! Bytes that are no shard: refused before anything in them is made sense of.
//!
//! This is about what storage, transport and mistakes make of bytes. Somebody who forges a shard forges its checksum,
//! too; the index library trusts what it reads, and with a few such bytes it panics or asks for more memory than there
//! is. So whoever fetches a shard first holds its bytes against the SHA-256 in its name, which stands in the table
//! where only builders write, and a forged one never comes as far as this. The tests of the life of shards do that.

use domain::packed::IndexRecord;
use population::{Layout, Population};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{TestCaseResult, TestRunner};
use rapport_matching::{OpenShardError, Shard, build_shard};

use crate::config;

/// Magic, fingerprint and checksum.
const HEADER: usize = 44;

/// A real shard.
fn real() -> Vec<u8> {
    let population = Population::new(11, 60, Layout { regions: 1 });
    let records: Vec<IndexRecord> = (0..60)
        .filter_map(|number| IndexRecord::of(&population.worker(number)))
        .collect();
    let cell = population.request(0).place.cell();
    build_shard(cell, &records).unwrap().bytes
}

fn refused(bytes: Vec<u8>) -> TestCaseResult {
    let opened = Shard::open(bytes);
    prop_assert!(
        matches!(opened, Err(OpenShardError::Container(_))),
        "{opened:?}"
    );
    Ok(())
}

/// One change to bytes.
#[derive(Debug, Clone)]
enum Change {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    /// A block takes the place of another.
    Copy(Index, Index, usize),
    Truncate(Index),
}

fn changes() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    prop_oneof![
        3 => (at(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        1 => (at(), prop::collection::vec(any::<u8>(), 1..64))
            .prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        1 => (at(), 1..512_usize).prop_map(|(at, length)| Change::Remove(at, length)),
        1 => (at(), at(), 1..512_usize).prop_map(|(from, to, length)| Change::Copy(from, to, length)),
        1 => at().prop_map(Change::Truncate),
    ]
}

fn change(bytes: &mut Vec<u8>, change: &Change) {
    let length = bytes.len();
    if length == 0 {
        return;
    }
    match change {
        Change::Set(at, byte) => bytes[at.index(length)] = *byte,
        Change::Insert(at, new) => {
            let at = at.index(length);
            bytes.splice(at..at, new.iter().copied());
        }
        Change::Remove(at, many) => {
            let at = at.index(length);
            bytes.drain(at..(at + many).min(length));
        }
        Change::Copy(from, to, many) => {
            let (from, to) = (from.index(length), to.index(length));
            let many = *many.min(&(length - from)).min(&(length - to));
            bytes.copy_within(from..from + many, to);
        }
        Change::Truncate(at) => bytes.truncate(at.index(length)),
    }
}

#[test]
fn changed_bytes_never_open() {
    let real = real();
    let strategy = prop::collection::vec(changes(), 1..6);
    TestRunner::new(config())
        .run(&strategy, |changes| {
            let mut bytes = real.clone();
            for one in &changes {
                change(&mut bytes, one);
            }
            if bytes == real {
                return Ok(());
            }
            refused(bytes)
        })
        .unwrap();
    assert!(Shard::open(real).is_ok());
}

#[test]
fn bytes_of_chance_never_open() {
    let real = real();
    let strategy = (0..=HEADER, prop::collection::vec(any::<u8>(), 0..4_096));
    TestRunner::new(config())
        .run(&strategy, |(kept, chance)| {
            // Behind as much of a real header as may be.
            let mut bytes = real[..kept].to_vec();
            bytes.extend(chance);
            refused(bytes)
        })
        .unwrap();
}
