//! What the table's stream says of due rows.

use chrono::{DateTime, Utc};
use domain::due::Consumer;
use serde_dynamo::{AttributeValue, Item};

use super::{DUE_PK, DueKey, FAILED, NEXT_TRY, TRIES, UNTOLD, consumer_of};
use crate::item::{PK, SK};
use crate::key::Key;

/// A due row that somebody should be told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnouncedDue {
    /// Where it lies.
    pub key: DueKey,
    /// Whose it is.
    pub consumer: Consumer,
    /// When it is to be tried.
    pub at: DateTime<Utc>,
}

/// The row that an item is, as it came to stand in the table: a new one, or one that staff have redriven.
///
/// Nothing for all that is no due row, for one that nobody is told of, and for one that was tried in vain: whoever
/// puts a row off sends it on as well, its consumer's message comes again by itself, and a parked one waits for staff.
#[must_use]
pub fn announced(item: &Item) -> Option<AnnouncedDue> {
    let text = |name: &str| match item.inner().get(name) {
        Some(AttributeValue::S(text)) => Some(text.as_str()),
        _ => None,
    };
    let untried = matches!(item.inner().get(TRIES), Some(AttributeValue::N(tries)) if tries == "0");
    let waits = text(DUE_PK).is_some();
    let told = !item.inner().contains_key(UNTOLD);
    let failed = text(FAILED).is_some();
    if !untried || !waits || !told || failed {
        return None;
    }
    let key = Key {
        pk: text(PK)?.to_owned(),
        sk: text(SK)?.to_owned(),
    };
    Some(AnnouncedDue {
        consumer: consumer_of(&key)?,
        key,
        at: text(NEXT_TRY)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use domain::due::{Due, DueRow};
    use domain::id::{CommitId, MatchRequestId};
    use uuid::Uuid;

    use super::super::due_item;
    use super::*;
    use crate::item::Attributes;

    fn at() -> DateTime<Utc> {
        "2026-03-03T10:00:00.250Z".parse().unwrap()
    }

    fn row() -> Attributes {
        let id = MatchRequestId::from_uuid(Uuid::from_u128(1));
        let release = DueRow {
            due: Due::CandidateRelease { match_request: id },
            at: at(),
            generation: 2,
        };
        let act = CommitId::from_uuid(Uuid::from_u128(2));
        due_item(&Key::match_request(id), &release, "", act).unwrap()
    }

    fn with(name: &str, value: Option<&str>) -> Attributes {
        use aws_sdk_dynamodb::types::AttributeValue as Written;
        let mut item = row();
        item.remove(name);
        let number = name == TRIES;
        let value = value.map(str::to_owned);
        let value = value.map(|value| {
            if number {
                Written::N(value)
            } else {
                Written::S(value)
            }
        });
        item.extend(value.map(|value| (name.to_owned(), value)));
        item
    }

    #[test]
    fn a_row_as_a_commit_writes_it_is_announced() {
        let announced = announced(&row().into()).unwrap();
        assert_eq!(announced.consumer, Consumer::CandidateRelease);
        assert_eq!(announced.at, at());
        assert_eq!(announced.key.sk, "DUE#candidate-release#2");
        assert!(announced.key.pk.starts_with("MREQ#mreq_"));
    }

    #[test]
    fn whatever_else_stands_in_the_table_is_not() {
        for (name, value) in [
            (TRIES, Some("1")),
            (TRIES, Some("12")),
            (TRIES, None),
            (DUE_PK, None),
            (UNTOLD, Some("")),
            (FAILED, Some("busy")),
            (SK, Some("META")),
            (SK, Some("DUE#unheard-of#1")),
            (NEXT_TRY, Some("tomorrow")),
            (NEXT_TRY, None),
        ] {
            let item = with(name, value).into();
            assert_eq!(announced(&item), None, "{name} {value:?}");
        }
    }
}
