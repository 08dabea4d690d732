//! The table itself: its shape, and reading from it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
    KeyType, KeysAndAttributes, Projection, ProjectionType, ScalarAttributeType,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::due::{DUE_INDEX, DUE_PK, DUE_SK};
use crate::error::StoreError;
use crate::item::{
    Attributes, Entity, PK, Page, SK, STAFF_PK, STAFF_SK, Versioned, decode, key_attributes,
    key_of, read_text,
};
use crate::key::{Key, StaffPartition};
use crate::retry::{Failure, failure};

/// The number of the data's format as a whole; a data file with a higher one is refused.
pub const FORMAT: u32 = 1;

const STAFF_INDEX: &str = "staff";
/// DynamoDB's limit of one batch read.
const BATCH: usize = 100;

/// The table, and how to reach it.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) dynamodb: DynamoDb,
    pub(crate) table: String,
    pub(crate) jitter: u64,
}

impl Store {
    /// The table `table`, reached through `dynamodb`. Switch the SDK's own retries off: this crate retries.
    #[must_use]
    pub fn new(dynamodb: DynamoDb, table: impl Into<String>) -> Self {
        Self {
            dynamodb,
            table: table.into(),
            jitter: 0,
        }
    }

    /// Waits before trying again for other times than processes with another `jitter` do. Where there are
    /// many processes each needs one of its own, so that they do not come back all at once.
    #[must_use]
    pub fn with_jitter(self, jitter: u64) -> Self {
        Self { jitter, ..self }
    }

    /// Makes the table where none exists: for the embedded one and for tests. On AWS the deployment
    /// template makes it.
    ///
    /// # Errors
    /// When the table can be neither found nor made.
    pub async fn create_table_if_absent(&self) -> Result<(), StoreError> {
        let described = self
            .dynamodb
            .describe_table()
            .table_name(&self.table)
            .send()
            .await;
        if described.is_ok() {
            return Ok(());
        }
        let create = self
            .dynamodb
            .create_table()
            .table_name(&self.table)
            .billing_mode(BillingMode::PayPerRequest)
            .set_attribute_definitions(Some(
                [PK, SK, STAFF_PK, STAFF_SK, DUE_PK, DUE_SK]
                    .map(text_attribute)
                    .into_iter()
                    .collect::<Result<_, _>>()?,
            ))
            .set_key_schema(Some(key_schema(PK, SK)?))
            .global_secondary_indexes(sparse_index(STAFF_INDEX, STAFF_PK, STAFF_SK)?)
            .global_secondary_indexes(sparse_index(DUE_INDEX, DUE_PK, DUE_SK)?);
        create
            .send()
            .await
            .map_err(|error| StoreError::Refused(error.into_service_error().to_string()))?;
        Ok(())
    }

    /// Reads an item that is not there, so that whatever a call needs is at hand for the next one. `partition` is the
    /// beginning of a partition key that this role may read. Once, whatever comes of it.
    pub async fn warm(&self, partition: &str) {
        let nothing = Key {
            pk: format!("{partition}#"),
            sk: "NOTHING".to_owned(),
        };
        let read = self.dynamodb.get_item().table_name(&self.table);
        drop(read.set_key(Some(key_attributes(&nothing))).send().await);
    }

    /// One item, read consistently.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn get<T: Entity>(&self, key: &Key) -> Result<Option<Versioned<T>>, StoreError> {
        self.get_item(key).await?.map(decode).transpose()
    }

    pub(crate) async fn get_item(&self, key: &Key) -> Result<Option<Attributes>, StoreError> {
        self.retrying(salt(key), || async {
            let read = self
                .dynamodb
                .get_item()
                .table_name(&self.table)
                .set_key(Some(key_attributes(key)));
            let answer = read
                .consistent_read(true)
                .send()
                .await
                .map_err(|error| failure(&error))?;
            Ok::<_, Failure<StoreError>>(answer.item)
        })
        .await
    }

    /// Many items, read consistently, in the order of `keys`; absent ones are left out.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn get_many<T: Entity>(&self, keys: &[Key]) -> Result<Vec<Versioned<T>>, StoreError> {
        let mut found = self.get_items(keys).await?;
        keys.iter()
            .filter_map(|key| found.remove(key))
            .map(decode)
            .collect()
    }

    async fn get_items(&self, keys: &[Key]) -> Result<HashMap<Key, Attributes>, StoreError> {
        let mut found = HashMap::with_capacity(keys.len());
        // A batch may not name a key twice.
        let mut wanted: Vec<Key> = keys.to_vec();
        wanted.sort();
        wanted.dedup();
        for batch in wanted.chunks(BATCH) {
            for item in self.get_batch(batch).await? {
                found.insert(key_of(&item)?, item);
            }
        }
        Ok(found)
    }

    /// A batch that is answered in part is asked for the rest, each time after a longer wait: the table is busy then.
    async fn get_batch(&self, batch: &[Key]) -> Result<Vec<Attributes>, StoreError> {
        let salt = batch.first().map_or(0, salt);
        let asked = Mutex::new((Vec::with_capacity(batch.len()), batch.to_vec()));
        self.retrying(salt, || async {
            let (mut got, wanted) = std::mem::take(&mut *locked(&asked));
            let answered = self.get_some(&wanted).await;
            let (items, left) = match answered {
                Ok(answer) => answer,
                Err(error) => {
                    *locked(&asked) = (got, wanted);
                    return Err(error);
                }
            };
            got.extend(items);
            if left.is_empty() {
                return Ok(got);
            }
            *locked(&asked) = (got, left);
            Err(Failure::Passing)
        })
        .await
    }

    /// One call: the items, and the keys that were left out.
    async fn get_some(
        &self,
        batch: &[Key],
    ) -> Result<(Vec<Attributes>, Vec<Key>), Failure<StoreError>> {
        let request = KeysAndAttributes::builder()
            .consistent_read(true)
            .set_keys(Some(batch.iter().map(key_attributes).collect()))
            .build()
            .map_err(|error| Failure::Final(StoreError::Refused(error.to_string())))?;
        let read = self
            .dynamodb
            .batch_get_item()
            .request_items(&self.table, request);
        let answer = read.send().await.map_err(|error| failure(&error))?;
        let items = answer
            .responses
            .and_then(|mut tables| tables.remove(&self.table));
        let left = answer
            .unprocessed_keys
            .and_then(|mut tables| tables.remove(&self.table));
        let left = left.map(|left| left.keys).unwrap_or_default();
        let left = left
            .iter()
            .map(key_of)
            .collect::<Result<_, _>>()
            .map_err(Failure::Final)?;
        Ok((items.unwrap_or_default(), left))
    }

    /// A page of the items in one partition whose sort key begins with `prefix`, read consistently.
    ///
    /// # Errors
    /// See [`StoreError`]; [`StoreError::BadCursor`] for a cursor not made here.
    pub async fn list<T: Entity>(
        &self,
        pk: &str,
        prefix: &str,
        newest_first: bool,
        limit: u16,
        cursor: Option<&str>,
    ) -> Result<Page<Versioned<T>>, StoreError> {
        let start = match cursor {
            None => None,
            Some(cursor) => {
                let [sk] = read_cursor(cursor)?;
                if !sk.starts_with(prefix) {
                    return Err(StoreError::BadCursor);
                }
                Some(key_attributes(&Key {
                    pk: pk.to_owned(),
                    sk,
                }))
            }
        };
        let (items, last) = self
            .retrying(0, || async {
                let query = self
                    .dynamodb
                    .query()
                    .table_name(&self.table)
                    .consistent_read(true)
                    .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                    .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
                    .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()))
                    .scan_index_forward(!newest_first)
                    .set_exclusive_start_key(start.clone())
                    .limit(i32::from(limit));
                let answer = query.send().await.map_err(|error| failure(&error))?;
                Ok::<_, Failure<StoreError>>((
                    answer.items.unwrap_or_default(),
                    answer.last_evaluated_key,
                ))
            })
            .await?;
        let next = last
            .and_then(|last| read_text(&last, SK))
            .map(|sk| write_cursor(&[&sk]));
        let items = items.into_iter().map(decode).collect::<Result<_, _>>()?;
        Ok(Page { items, next })
    }

    /// Every item in one partition whose sort key begins with `prefix`, up to `most`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn list_all<T: Entity>(
        &self,
        pk: &str,
        prefix: &str,
        most: usize,
    ) -> Result<Vec<Versioned<T>>, StoreError> {
        self.list_up_to(pk, prefix, false, most).await
    }

    /// The newest items in one partition whose sort key begins with `prefix`, up to `most`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn list_newest<T: Entity>(
        &self,
        pk: &str,
        prefix: &str,
        most: usize,
    ) -> Result<Vec<Versioned<T>>, StoreError> {
        self.list_up_to(pk, prefix, true, most).await
    }

    async fn list_up_to<T: Entity>(
        &self,
        pk: &str,
        prefix: &str,
        newest_first: bool,
        most: usize,
    ) -> Result<Vec<Versioned<T>>, StoreError> {
        let mut all = Vec::new();
        let mut cursor = None;
        loop {
            let page = self
                .list(pk, prefix, newest_first, 200, cursor.as_deref())
                .await?;
            all.extend(page.items);
            cursor = page.next;
            if cursor.is_none() || all.len() >= most {
                all.truncate(most);
                return Ok(all);
            }
        }
    }

    /// A page of one list in the `staff` index. The index only finds: every item is read again, and one
    /// that has left the list since is left out, so a page can be shorter than asked.
    ///
    /// # Errors
    /// See [`StoreError`]; [`StoreError::BadCursor`] for a cursor not made here.
    pub async fn staff_list<T: Entity>(
        &self,
        partition: StaffPartition,
        newest_first: bool,
        limit: u16,
        cursor: Option<&str>,
    ) -> Result<Page<Versioned<T>>, StoreError> {
        let page = self
            .staff_items(partition, newest_first, limit, cursor)
            .await?;
        let items = page.items.into_iter().map(decode);
        Ok(Page {
            items: items.collect::<Result<_, _>>()?,
            next: page.next,
        })
    }

    /// The same, as they are stored.
    pub(crate) async fn staff_items(
        &self,
        partition: StaffPartition,
        newest_first: bool,
        limit: u16,
        cursor: Option<&str>,
    ) -> Result<Page<Attributes>, StoreError> {
        let partition = partition.to_string();
        let start = match cursor {
            None => None,
            Some(cursor) => {
                let [order, pk, sk] = read_cursor(cursor)?;
                let mut start = key_attributes(&Key { pk, sk });
                start.insert(STAFF_PK.to_owned(), AttributeValue::S(partition.clone()));
                start.insert(STAFF_SK.to_owned(), AttributeValue::S(order));
                Some(start)
            }
        };
        let (entries, last) = self
            .retrying(0, || async {
                let query = self
                    .dynamodb
                    .query()
                    .table_name(&self.table)
                    .index_name(STAFF_INDEX)
                    .key_condition_expression("staff_pk = :partition")
                    .expression_attribute_values(":partition", AttributeValue::S(partition.clone()))
                    .scan_index_forward(!newest_first)
                    .set_exclusive_start_key(start.clone())
                    .limit(i32::from(limit));
                let answer = query.send().await.map_err(|error| failure(&error))?;
                Ok::<_, Failure<StoreError>>((
                    answer.items.unwrap_or_default(),
                    answer.last_evaluated_key,
                ))
            })
            .await?;
        let next = last.and_then(|last| {
            let part = |name| read_text(&last, name);
            Some(write_cursor(&[&part(STAFF_SK)?, &part(PK)?, &part(SK)?]))
        });
        let keys = entries.iter().map(key_of).collect::<Result<Vec<_>, _>>()?;
        let mut found = self.get_items(&keys).await?;
        let still_listed =
            |item: &Attributes| read_text(item, STAFF_PK).as_deref() == Some(&partition);
        let items = keys
            .iter()
            .filter_map(|key| found.remove(key))
            .filter(still_listed)
            .collect();
        Ok(Page { items, next })
    }
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn salt(key: &Key) -> u64 {
    // FNV-1a: stable across runs and platforms, unlike the standard hasher.
    key.pk.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn write_cursor(parts: &[&str]) -> String {
    URL_SAFE_NO_PAD.encode(parts.join("\n"))
}

fn read_cursor<const N: usize>(cursor: &str) -> Result<[String; N], StoreError> {
    let bytes = URL_SAFE_NO_PAD
        .decode(cursor)
        .map_err(|_| StoreError::BadCursor)?;
    let text = String::from_utf8(bytes).map_err(|_| StoreError::BadCursor)?;
    let parts: Vec<String> = text.split('\n').map(str::to_owned).collect();
    // The table takes no empty key.
    if parts.iter().any(String::is_empty) {
        return Err(StoreError::BadCursor);
    }
    parts.try_into().map_err(|_| StoreError::BadCursor)
}

fn text_attribute(name: &str) -> Result<AttributeDefinition, StoreError> {
    AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(ScalarAttributeType::S)
        .build()
        .map_err(|error| StoreError::Refused(error.to_string()))
}

fn key_schema(pk: &str, sk: &str) -> Result<Vec<KeySchemaElement>, StoreError> {
    [(pk, KeyType::Hash), (sk, KeyType::Range)]
        .into_iter()
        .map(|(name, role)| {
            KeySchemaElement::builder()
                .attribute_name(name)
                .key_type(role)
                .build()
        })
        .collect::<Result<_, _>>()
        .map_err(|error| StoreError::Refused(error.to_string()))
}

/// Keys only: whoever finds something in an index reads the item itself again.
fn sparse_index(name: &str, pk: &str, sk: &str) -> Result<GlobalSecondaryIndex, StoreError> {
    GlobalSecondaryIndex::builder()
        .index_name(name)
        .set_key_schema(Some(key_schema(pk, sk)?))
        .projection(
            Projection::builder()
                .projection_type(ProjectionType::KeysOnly)
                .build(),
        )
        .build()
        .map_err(|error| StoreError::Refused(error.to_string()))
}
