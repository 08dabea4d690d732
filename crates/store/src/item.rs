//! How a thing becomes an item: keys, schema number, version, index attributes, and the thing itself
//! under one attribute, so that conditions never depend on its shape.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::StoreError;
use crate::key::{Key, StaffPartition};

pub(crate) type Attributes = HashMap<String, AttributeValue>;

pub(crate) const PK: &str = "pk";
pub(crate) const SK: &str = "sk";
pub(crate) const SCHEMA: &str = "schema";
pub(crate) const VERSION: &str = "version";
pub(crate) const BODY: &str = "body";
pub(crate) const STAFF_PK: &str = "staff_pk";
pub(crate) const STAFF_SK: &str = "staff_sk";
pub(crate) const TTL: &str = "ttl";

/// A thing that is stored as one item.
pub trait Entity: Serialize + DeserializeOwned + Send {
    /// The number of the shape written now. Readers bring older ones up to it in [`Entity::upcast`].
    const SCHEMA: u32 = 1;

    /// Where it is stored.
    fn key(&self) -> Key;

    /// Where staff find it, if in a list.
    fn staff_index(&self) -> Option<StaffIndex> {
        None
    }

    /// Brings the body of an older schema to the current one.
    ///
    /// # Errors
    /// When `schema` is not one this type ever had.
    fn upcast(schema: u32, body: AttributeValue) -> Result<AttributeValue, String> {
        if schema == Self::SCHEMA {
            Ok(body)
        } else {
            Err(format!("no upcast from schema {schema}"))
        }
    }
}

/// An entry in the sparse `staff` index.
#[derive(Debug, Clone)]
pub struct StaffIndex {
    /// Which list.
    pub partition: StaffPartition,
    /// Its place in the list; the item's key is appended so that equals keep an order.
    pub order: String,
}

/// A thing as read, with the version that a later commit is conditional on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned<T> {
    /// Raised by every write; also the ETag.
    pub version: u64,
    /// The thing.
    pub value: T,
}

/// One page of a list, and where the next begins.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The entries, in the list's order.
    pub items: Vec<T>,
    /// Opaque; none at the end.
    pub next: Option<String>,
}

pub(crate) fn key_attributes(key: &Key) -> Attributes {
    HashMap::from([
        (PK.to_owned(), AttributeValue::S(key.pk.clone())),
        (SK.to_owned(), AttributeValue::S(key.sk.clone())),
    ])
}

pub(crate) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(crate) fn encode<T: Entity>(thing: &T, version: u64) -> Result<Attributes, StoreError> {
    let key = thing.key();
    let body = serde_dynamo::to_attribute_value(thing).map_err(|error| StoreError::Unreadable {
        key: key.clone(),
        detail: error.to_string(),
    })?;
    let mut item = key_attributes(&key);
    item.insert(SCHEMA.to_owned(), number(T::SCHEMA));
    item.insert(VERSION.to_owned(), number(version));
    item.insert(BODY.to_owned(), body);
    if let Some(index) = thing.staff_index() {
        item.insert(
            STAFF_PK.to_owned(),
            AttributeValue::S(index.partition.to_string()),
        );
        item.insert(
            STAFF_SK.to_owned(),
            AttributeValue::S(format!("{}#{}", index.order, key.pk)),
        );
    }
    Ok(item)
}

pub(crate) fn decode<T: Entity>(mut item: Attributes) -> Result<Versioned<T>, StoreError> {
    let key = key_of(&item)?;
    let schema = read_number(&item, SCHEMA).unwrap_or_default();
    if schema > u64::from(T::SCHEMA) {
        let found = u32::try_from(schema).unwrap_or(u32::MAX);
        return Err(StoreError::Newer {
            key,
            found,
            known: T::SCHEMA,
        });
    }
    let unreadable = |detail: String| StoreError::Unreadable {
        key: key.clone(),
        detail,
    };
    let version = read_number(&item, VERSION).ok_or_else(|| unreadable("no version".into()))?;
    let body = item
        .remove(BODY)
        .ok_or_else(|| unreadable("no body".into()))?;
    let schema = u32::try_from(schema).unwrap_or_default();
    let body = T::upcast(schema, body).map_err(unreadable)?;
    let value = serde_dynamo::from_attribute_value(body)
        .map_err(|error| unreadable(without_values(&error.to_string())))?;
    Ok(Versioned { version, value })
}

/// What is wrong with an item, for the log: the message says which shape was expected, and between quotes
/// what was found, which may be somebody's name.
fn without_values(message: &str) -> String {
    let mut told = String::with_capacity(message.len());
    let (mut quoted, mut escaped) = (false, false);
    for c in message.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            _ => told.push(c),
        }
    }
    told
}

pub(crate) fn key_of(item: &Attributes) -> Result<Key, StoreError> {
    let text = |name| item.get(name).and_then(|value| value.as_s().ok()).cloned();
    match (text(PK), text(SK)) {
        (Some(pk), Some(sk)) => Ok(Key { pk, sk }),
        _ => Err(StoreError::Refused("an item without keys".into())),
    }
}

pub(crate) fn read_number(item: &Attributes, name: &str) -> Option<u64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

pub(crate) fn read_text(item: &Attributes, name: &str) -> Option<String> {
    item.get(name)?.as_s().ok().cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_an_item_is_told_without_what_it_says() {
        for (message, told) in [
            ("missing field `name`", "missing field `name`"),
            (
                "invalid type: string \"Ana \\\"Lindqvist\\\"\", expected u32",
                "invalid type: string , expected u32",
            ),
        ] {
            assert_eq!(without_values(message), told);
        }
    }
}
