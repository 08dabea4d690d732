//! DynamoDB's rules: how large an item is, and how many units a call takes. Read from AWS's documentation:
//!
//! - *DynamoDB item sizes and formats*: what every attribute counts for.
//! - *DynamoDB read and write operations*: reads in steps of 4 KB, writes in steps of 1 KB, what is absent counts for
//!   one step, a query rounds the sum of what it read, a batch each item, a failed condition costs what the write would.
//! - *Amazon DynamoDB transactions: how it works*, "Capacity management": everything in a transaction counts twice.
//! - *Using Global Secondary Indexes in DynamoDB*, "Write capacity units": a key that changes costs the index a deletion
//!   and a put, a key that stays nothing where keys alone are projected.
//!
//! No page says what a check of a condition or a cancelled transaction costs, or whether an index's write counts twice
//! in a transaction. Here a check costs what a write of the item would (so it was measured on the service itself by a
//! public conformance suite), a cancelled transaction is counted in full, and an index's write once: the index is
//! written after the transaction, by itself.

use serde_json::{Map, Value};

/// An item, as it crosses HTTP: attribute names and typed values.
pub type Item = Map<String, Value>;

const READ_STEP: usize = 4_096;
const WRITE_STEP: usize = 1_024;
const NESTED: usize = 3;
const ELEMENT: usize = 1;

/// How consistently something is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consistency {
    /// It may be a moment old: half a unit a step.
    Eventual,
    /// As it stands: one unit a step.
    Strong,
    /// In a transaction: two units a step.
    Transactional,
}

/// The size of an item in bytes.
#[must_use]
pub fn size(item: &Item) -> usize {
    item.iter()
        .map(|(name, value)| name.len() + value_size(value))
        .sum()
}

/// Half units that reading so many bytes at once takes; 0 bytes are what is absent.
#[must_use]
pub fn half_reads(bytes: usize, consistency: Consistency) -> u64 {
    let each = match consistency {
        Consistency::Eventual => 1,
        Consistency::Strong => 2,
        Consistency::Transactional => 4,
    };
    steps(bytes, READ_STEP) * each
}

/// Units that it takes to write one item, or to check a condition on it, by its size before and after.
#[must_use]
pub fn writes(before: Option<&Item>, after: Option<&Item>, in_transaction: bool) -> u64 {
    let larger = before.map_or(0, size).max(after.map_or(0, size));
    let each = if in_transaction { 2 } else { 1 };
    steps(larger, WRITE_STEP) * each
}

/// Units that an index takes whose entries were `before` and are `after` a write.
#[must_use]
pub fn index_writes(before: Option<&Item>, after: Option<&Item>) -> u64 {
    let one = |entry: Option<&Item>| entry.map_or(0, |entry| steps(size(entry), WRITE_STEP));
    if before == after {
        0
    } else {
        one(before) + one(after)
    }
}

fn steps(bytes: usize, step: usize) -> u64 {
    bytes.div_ceil(step).max(1) as u64
}

fn value_size(value: &Value) -> usize {
    let (kind, value) = typed(value);
    match kind {
        "S" => text(value).len(),
        "N" => number_size(text(value)),
        "BOOL" | "NULL" => 1,
        "B" => binary_size(text(value)),
        "M" => {
            let entries = value.as_object().into_iter().flatten();
            let sizes = entries.map(|(name, value)| name.len() + value_size(value) + ELEMENT);
            NESTED + sizes.sum::<usize>()
        }
        "L" => {
            let elements = value.as_array().into_iter().flatten();
            NESTED
                + elements
                    .map(|value| value_size(value) + ELEMENT)
                    .sum::<usize>()
        }
        "SS" | "NS" | "BS" => {
            let elements = value.as_array().into_iter().flatten().map(text);
            let sizes = elements.map(|element| match kind {
                "SS" => element.len(),
                "NS" => number_size(element),
                _ => binary_size(element),
            });
            sizes.sum()
        }
        other => panic!("an attribute of type {other}, whose size nobody has told"),
    }
}

fn typed(value: &Value) -> (&str, &Value) {
    let mut entries = value.as_object().into_iter().flatten();
    let (kind, value) = entries.next().expect("a typed value");
    (kind, value)
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

/// One byte for two significant digits, and one more; a sign takes another. Zeros around the digits do not count.
fn number_size(number: &str) -> usize {
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => (1, digits),
        None => (0, number),
    };
    let mantissa = digits.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let significant = digits.trim_start_matches('0').trim_end_matches('0').len();
    significant.div_ceil(2) + 1 + sign
}

/// The bytes behind base64.
fn binary_size(encoded: &str) -> usize {
    let padding = encoded
        .bytes()
        .rev()
        .take_while(|byte| *byte == b'=')
        .count();
    (encoded.len() / 4 * 3).saturating_sub(padding)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item(value: Value) -> Item {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn sizes_are_those_of_names_and_values() {
        for (value, bytes) in [
            (json!({}), 0),
            (json!({"pk": {"S": "abc"}}), 2 + 3),
            (json!({"é": {"S": "é"}}), 2 + 2),
            (json!({"n": {"N": "0"}}), 1 + 1),
            (json!({"n": {"N": "27"}}), 1 + 2),
            (json!({"n": {"N": "-27"}}), 1 + 3),
            (json!({"n": {"N": "1000"}}), 1 + 2),
            (json!({"n": {"N": "0.00125"}}), 1 + 3),
            (json!({"n": {"N": "1.5E10"}}), 1 + 2),
            (json!({"b": {"BOOL": true}}), 1 + 1),
            (json!({"b": {"NULL": true}}), 1 + 1),
            (json!({"b": {"B": "YWI="}}), 1 + 2),
            (json!({"l": {"L": []}}), 1 + 3),
            (
                json!({"l": {"L": [{"S": "ab"}, {"N": "1"}]}}),
                1 + 3 + 3 + 3,
            ),
            (json!({"m": {"M": {"k": {"S": "ab"}}}}), 1 + 3 + 1 + 2 + 1),
            (json!({"s": {"SS": ["ab", "c"]}}), 1 + 3),
            (json!({"s": {"NS": ["12", "3"]}}), 1 + 4),
        ] {
            assert_eq!(size(&item(value.clone())), bytes, "{value}");
        }
    }

    #[test]
    fn reads_are_rounded_up_to_four_kilobytes() {
        use Consistency::{Eventual, Strong, Transactional};
        for (bytes, consistency, halves) in [
            (0, Eventual, 1),
            (0, Strong, 2),
            (4_096, Eventual, 1),
            (4_096, Strong, 2),
            (4_096, Transactional, 4),
            (4_097, Strong, 4),
            (8_193, Eventual, 3),
        ] {
            assert_eq!(
                half_reads(bytes, consistency),
                halves,
                "{bytes} {consistency:?}"
            );
        }
    }

    #[test]
    fn writes_are_rounded_up_to_one_kilobyte_of_the_larger_item_and_count_twice_in_a_transaction() {
        let of = |bytes: usize| item(json!({"a": {"S": "x".repeat(bytes - 1)}}));
        let (small, full, large) = (of(10), of(1_024), of(1_025));
        for (before, after, units) in [
            (None, None, 1),
            (None, Some(&small), 1),
            (Some(&full), Some(&small), 1),
            (Some(&large), Some(&small), 2),
            (Some(&small), Some(&large), 2),
            (Some(&large), None, 2),
        ] {
            assert_eq!(writes(before, after, false), units);
            assert_eq!(writes(before, after, true), 2 * units);
        }
    }

    #[test]
    fn an_index_is_written_when_its_entry_comes_goes_or_moves() {
        let (here, there) = (
            item(json!({"k": {"S": "1"}})),
            item(json!({"k": {"S": "2"}})),
        );
        for (before, after, units) in [
            (None, None, 0),
            (None, Some(&here), 1),
            (Some(&here), None, 1),
            (Some(&here), Some(&here), 0),
            (Some(&here), Some(&there), 2),
        ] {
            assert_eq!(index_writes(before, after), units);
        }
    }
}
