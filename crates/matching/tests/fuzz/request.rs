//! Requests that nobody should send: parsed, validated, compiled and searched for without a panic.

use std::cell::Cell;

use domain::eligibility::Asked;
use domain::id::MatchRequestId;
use domain::match_request::MatchRequestDetails;
use domain::packed::IndexRecord;
use domain::relaxation::{arrangements, relaxations};
use population::{Layout, Population};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;
use rapport_matching::{Limits, Query, Shard, Weights, build_shard, explain};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::config;

const WORKERS: u64 = 400;

/// Texts that code forgets about.
fn odd_texts() -> impl Strategy<Value = String> {
    let texts = [
        "",
        " ",
        "\u{0}",
        "é",
        "\u{202e}",
        "9999-12-31",
        "-262143-01-01",
        "+262142-12-31",
        "2026-02-30",
        "2026-11-30",
        "24:00",
        "23:30",
        "24:30",
        "00:00",
        "monday",
        "night",
        "must",
        "prefer",
        "woman",
        "Pacific/Apia",
        "Antarctica/Troll",
        "America/New_York",
    ];
    prop_oneof![
        3 => prop::sample::select(texts.to_vec()).prop_map(str::to_owned),
        1 => ".{0,40}",
        1 => (1..4_000_usize).prop_map(|length| "ж".repeat(length)),
    ]
}

/// Numbers that code forgets about.
fn odd_numbers() -> impl Strategy<Value = Value> {
    let numbers = [
        json!(0),
        json!(-1),
        json!(1),
        json!(90.0),
        json!(-90.0),
        json!(90.000_001),
        json!(180),
        json!(-180.0),
        json!(1e308),
        json!(-0.0),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(5e-324),
    ];
    prop_oneof![
        prop::sample::select(numbers.to_vec()),
        any::<i64>().prop_map(Value::from),
        (0..100_000_i64).prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
    ]
}

/// Values of any kind.
fn odd_values() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        odd_numbers(),
        odd_texts().prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
    ]
}

/// One change to a document, somewhere in it.
#[derive(Debug, Clone)]
enum Change {
    /// A value of any kind.
    Set(Index, Value),
    /// A number or a text where there was one.
    Bend(Index, Value, String),
    /// What stands there in another request.
    Borrow(Index, Index),
    Remove(Index),
    /// What stands at one place also stands at another.
    Copy(Index, Index),
    /// A list holds itself this many times over.
    Repeat(Index, usize),
}

fn changes() -> impl Strategy<Value = Change> {
    prop_oneof![
        1 => (any::<Index>(), odd_values()).prop_map(|(at, value)| Change::Set(at, value)),
        4 => (any::<Index>(), odd_numbers(), odd_texts())
            .prop_map(|(at, number, text)| Change::Bend(at, number, text)),
        6 => (any::<Index>(), any::<Index>()).prop_map(|(at, from)| Change::Borrow(at, from)),
        1 => any::<Index>().prop_map(Change::Remove),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Change::Copy(from, to)),
        1 => (any::<Index>(), 2..40_usize).prop_map(|(at, times)| Change::Repeat(at, times)),
    ]
}

/// Every place in a document, as JSON pointers.
fn places(value: &Value, at: &str, places: &mut Vec<String>) {
    places.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                self::places(value, &format!("{at}/{name}"), places);
            }
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                self::places(item, &format!("{at}/{place}"), places);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn changed(mut document: Value, changes: &[Change], others: &[Value]) -> Value {
    for change in changes {
        let mut all = Vec::new();
        places(&document, "", &mut all);
        match change {
            Change::Set(at, value) => {
                *document
                    .pointer_mut(at.get(all.as_slice()).as_str())
                    .unwrap() = value.clone()
            }
            Change::Bend(at, number, text) => {
                match document
                    .pointer_mut(at.get(all.as_slice()).as_str())
                    .unwrap()
                {
                    Value::String(there) => there.clone_from(text),
                    there @ Value::Number(_) => *there = number.clone(),
                    _ => {}
                }
            }
            Change::Borrow(at, from) => {
                let place = at.get(all.as_slice()).as_str();
                if let Some(other) = from.get(others).pointer(place) {
                    *document.pointer_mut(place).unwrap() = other.clone();
                }
            }
            Change::Copy(from, to) => {
                let copied = document
                    .pointer(from.get(all.as_slice()).as_str())
                    .unwrap()
                    .clone();
                *document
                    .pointer_mut(to.get(all.as_slice()).as_str())
                    .unwrap() = copied;
            }
            Change::Remove(at) => {
                let (parent, name) = at
                    .get(all.as_slice())
                    .as_str()
                    .rsplit_once('/')
                    .unwrap_or_default();
                match document.pointer_mut(parent) {
                    Some(Value::Object(fields)) => drop(fields.remove(name)),
                    Some(Value::Array(items)) => drop(items.pop()),
                    _ => {}
                }
            }
            Change::Repeat(at, times) => {
                if let Some(Value::Array(items)) =
                    document.pointer_mut(at.get(all.as_slice()).as_str())
                {
                    *items = std::iter::repeat_n(items.clone(), *times)
                        .flatten()
                        .collect();
                }
            }
        }
    }
    document
}

/// Takes a request the whole way, as far as it goes: whether it was parsed, and whether it was searched for.
fn taken(population: &Population, shard: &Shard, text: &str) -> (bool, bool) {
    let Ok(details) = serde_json::from_str::<MatchRequestDetails>(text) else {
        return (false, false);
    };
    let now = population.now();
    // As in submission: the date at the place is needed before anything is known to be right.
    if details.validate(details.place.today(now)).is_err() {
        return (true, false);
    }
    let asked = Asked::of(&details, now);
    let relations = population.relations(1);
    let query = Query {
        request: MatchRequestId::from_uuid(Uuid::from_u128(1)),
        asked: &asked,
        relations: &relations,
    };
    let limits = Limits {
        shortlist: 5,
        reserve: 5,
    };
    let weights = Weights::default();
    // Elsewhere nobody is looked for, which is refused and no panic.
    let found = shard.search(query, &weights, limits);
    let here = shard.cell() == Some(asked.cell);
    assert_eq!(found.is_ok(), here);
    for scored in found.iter().flat_map(|found| &found.candidates) {
        let points: u32 = scored.contributions.iter().map(|part| part.points).sum();
        assert_eq!(points, scored.score);
    }
    for relaxation in relaxations(&asked) {
        assert!(!relaxation.words().is_empty());
    }
    for arrangement in arrangements(&asked) {
        assert!(!arrangement.words().is_empty());
    }
    let account = explain::for_staff(&asked, &population.worker(3), &relations, &weights);
    assert!(account.score <= 100_000);
    (true, true)
}

/// A shard of one region's people, and requests made there.
fn world() -> (Population, Shard, Vec<Value>) {
    let layout = Layout { regions: 1 };
    let population = Population::new(3, WORKERS, layout);
    let records: Vec<IndexRecord> = (0..WORKERS)
        .filter_map(|number| IndexRecord::of(&population.worker(number)))
        .collect();
    let cell = population.request(0).place.cell();
    let shard = Shard::open(build_shard(cell, &records).unwrap().bytes).unwrap();
    let requests = (0..64)
        .map(|number| json!(population.request(number)))
        .collect();
    (population, shard, requests)
}

#[test]
fn no_request_makes_anything_panic() {
    let (population, shard, requests) = world();
    let (parsed, searched) = (Cell::new(0), Cell::new(0));
    let cases = config().cases.max(512);
    let mut runner = TestRunner::new(ProptestConfig { cases, ..config() });
    let strategy = (any::<Index>(), prop::collection::vec(changes(), 1..5));
    runner
        .run(&strategy, |(request, changes)| {
            let document = changed(
                request.get(requests.as_slice()).clone(),
                &changes,
                &requests,
            );
            let came = taken(&population, &shard, &document.to_string());
            parsed.set(parsed.get() + u32::from(came.0));
            searched.set(searched.get() + u32::from(came.1));
            Ok(())
        })
        .unwrap();
    println!(
        "{cases} requests: {} parsed, {} searched for",
        parsed.get(),
        searched.get()
    );
    // Odd ones, and still not all of them turned away at the door.
    assert!(parsed.get() > cases / 10 && searched.get() > cases / 50);
    assert!(searched.get() < cases);
}

#[test]
fn no_text_makes_the_parser_panic() {
    let (population, shard, requests) = world();
    let mut runner = TestRunner::new(config());
    let strategy = (
        any::<Index>(),
        prop::collection::vec((any::<Index>(), any::<u8>()), 0..6),
        any::<Index>(),
    );
    runner
        .run(&strategy, |(request, changes, end)| {
            let mut bytes = request.get(requests.as_slice()).to_string().into_bytes();
            for (at, byte) in changes {
                let length = bytes.len();
                bytes[at.index(length)] = byte;
            }
            taken(&population, &shard, &String::from_utf8_lossy(&bytes));
            bytes.truncate(end.index(bytes.len()));
            let torn = taken(&population, &shard, &String::from_utf8_lossy(&bytes));
            prop_assert_eq!(torn, (false, false), "half a document is none");
            Ok(())
        })
        .unwrap();
}
