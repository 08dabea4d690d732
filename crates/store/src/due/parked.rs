//! Due rows that failed: why, which of them wait for staff, and putting one back.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};

use super::{DueKey, PendingDue, bucket, consumer_of, decode_due, instant, order};
use crate::commit::{Commit, Role};
use crate::error::StoreError;
use crate::item::{Page, key_attributes, number};
use crate::key::{Key, StaffPartition};
use crate::retry::{Failure, failure};
use crate::table::{Store, salt};

/// How a due row is named where it crosses HTTP.
#[must_use]
pub fn due_token(key: &DueKey) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}\n{}", key.pk, key.sk))
}

/// The due row that a token names; none if it names none.
#[must_use]
pub fn due_of_token(token: &str) -> Option<DueKey> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let (pk, sk) = text.split_once('\n')?;
    let key = Key {
        pk: pk.to_owned(),
        sk: sk.to_owned(),
    };
    consumer_of(&key).is_some().then_some(key)
}

impl Store {
    /// Keeps with a row why its consumer failed, as a stable code; nothing if the row is gone.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn note_failure(&self, key: &DueKey, why: &'static str) -> Result<(), StoreError> {
        let call = self
            .dynamodb
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key_attributes(key)))
            .update_expression("SET failed = :why")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":why", AttributeValue::S(why.to_owned()));
        self.retrying(salt(key), || async {
            match call.clone().send().await.map_err(|error| failure(&error)) {
                Ok(_) => Ok(()),
                Err(Failure::Final(StoreError::Refused(code)))
                    if code == "ConditionalCheckFailedException" =>
                {
                    Ok(())
                }
                Err(other) => Err(other),
            }
        })
        .await
    }

    /// A page of the rows that were tried too often, in the order in which they were to be tried next.
    ///
    /// # Errors
    /// See [`StoreError`]; [`StoreError::BadCursor`] for a cursor not made here.
    pub async fn parked(
        &self,
        limit: u16,
        cursor: Option<&str>,
    ) -> Result<Page<PendingDue>, StoreError> {
        let page = self
            .staff_items(StaffPartition::Parked, false, limit, cursor)
            .await?;
        let items = page.items.into_iter().map(decode_due);
        Ok(Page {
            items: items.collect::<Result<_, _>>()?,
            next: page.next,
        })
    }
}

impl Commit {
    /// Puts a parked row back, to be tried at `now` as if for the first time; fails if it is not parked any more.
    pub fn redrive(mut self, parked: &PendingDue, now: DateTime<Utc>) -> Self {
        let key = &parked.key;
        let update = Update::builder()
            .table_name("")
            .set_key(Some(key_attributes(key)))
            .update_expression(
                "SET tries = :none, next_try = :now, due_pk = :bucket, due_sk = :order \
                 REMOVE staff_pk, staff_sk, parked_at, failed, untold",
            )
            .condition_expression("staff_pk = :parked")
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":now", AttributeValue::S(instant(now)))
            .expression_attribute_values(":bucket", AttributeValue::S(bucket(key)))
            .expression_attribute_values(":order", AttributeValue::S(order(key, now)))
            .expression_attribute_values(
                ":parked",
                AttributeValue::S(StaffPartition::Parked.to_string()),
            )
            .build();
        self.write(
            Role::State,
            key.clone(),
            update.map(|update| TransactWriteItem::builder().update(update).build()),
        );
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_a_due_row_and_nothing_else() {
        let key = |pk: &str, sk: &str| Key {
            pk: pk.to_owned(),
            sk: sk.to_owned(),
        };
        let row = key("MREQ#mreq_1", "DUE#candidate-release#0");
        assert_eq!(due_of_token(&due_token(&row)), Some(row));
        let others = [
            key("PERSON#per_1", "PROFILE"),
            key("AUDIT#PERSON#per_1", "2026"),
            key("PERSON#per_1", "DUE#unheard-of#1"),
        ];
        for other in others {
            assert_eq!(due_of_token(&due_token(&other)), None, "{other}");
        }
        for token in ["", "mreq_1", "****"] {
            assert_eq!(due_of_token(token), None, "{token}");
        }
    }
}
