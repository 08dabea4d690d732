use std::time::Instant;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, Put,
    ReturnValuesOnConditionCheckFailure, ScalarAttributeType, TransactWriteItem,
};

use super::*;

const TABLE: &str = "things";

async fn create(dynamodb: &DynamoDb) {
    let text = |name| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build()
            .unwrap()
    };
    let key = |name, kind| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(kind)
            .build()
            .unwrap()
    };
    dynamodb
        .create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(text("pk"))
        .attribute_definitions(text("sk"))
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .send()
        .await
        .unwrap();
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn put_absent(sk: impl Into<String>) -> TransactWriteItem {
    let put = Put::builder()
        .table_name(TABLE)
        .item("pk", text("p"))
        .item("sk", text(sk))
        .condition_expression("attribute_not_exists(pk)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .build()
        .unwrap();
    TransactWriteItem::builder().put(put).build()
}

/// What the store relies on: conditions, all or nothing, and which condition failed.
async fn behaves_like_the_table_it_stands_for(dynamodb: DynamoDb) {
    create(&dynamodb).await;
    let commit = |items| {
        dynamodb
            .transact_write_items()
            .set_transact_items(Some(items))
            .send()
    };
    commit(vec![put_absent("1"), put_absent("2")])
        .await
        .unwrap();
    let refused = commit(vec![put_absent("3"), put_absent("2")])
        .await
        .unwrap_err()
        .into_service_error();
    let TransactWriteItemsError::TransactionCanceledException(canceled) = refused else {
        panic!("{refused:?}");
    };
    let reasons = canceled.cancellation_reasons();
    assert_eq!(reasons[0].code(), Some("None"));
    assert_eq!(reasons[1].code(), Some("ConditionalCheckFailed"));
    assert_eq!(reasons[1].item().unwrap()["sk"], text("2"));

    let page = dynamodb
        .query()
        .table_name(TABLE)
        .key_condition_expression("pk = :pk")
        .expression_attribute_values(":pk", text("p"))
        .limit(1)
        .send()
        .await
        .unwrap();
    assert_eq!(page.items()[0]["sk"], text("1"));
    assert!(page.last_evaluated_key().is_some());
    let absent = dynamodb
        .get_item()
        .table_name(TABLE)
        .key("pk", text("p"))
        .key("sk", text("3"))
        .send()
        .await
        .unwrap();
    assert_eq!(absent.item, None);

    let taken = dynamodb
        .put_item()
        .table_name(TABLE)
        .item("pk", text("p"))
        .item("sk", text("1"))
        .condition_expression("attribute_not_exists(pk)")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(taken.is_conditional_check_failed_exception());
}

#[tokio::test]
async fn in_process_behaves_like_the_table_it_stands_for() {
    behaves_like_the_table_it_stands_for(in_process(Database::memory().unwrap())).await;
}

#[tokio::test]
async fn on_loopback_it_behaves_like_the_table_it_stands_for() {
    let (dynamodb, _served) = loopback(Database::memory().unwrap()).await.unwrap();
    behaves_like_the_table_it_stands_for(dynamodb).await;
}

/// Prints what a call costs; `cargo test -p rapport speed -- --ignored --nocapture`.
#[tokio::test]
#[ignore = "a measurement"]
async fn speed() {
    let file = tempfile::tempdir().unwrap();
    let on_disk = |name| Database::new(file.path().join(name).to_str().unwrap()).unwrap();
    let (memory_loopback, _one) = loopback(Database::memory().unwrap()).await.unwrap();
    let (file_loopback, _two) = loopback(on_disk("a")).await.unwrap();
    for (name, dynamodb) in [
        ("memory, loopback", memory_loopback),
        (
            "memory, in process",
            in_process(Database::memory().unwrap()),
        ),
        ("file, loopback", file_loopback),
        ("file, in process", in_process(on_disk("b"))),
    ] {
        create(&dynamodb).await;
        let rounds = 500;
        let started = Instant::now();
        for round in 0..rounds {
            let items = (0..5)
                .map(|item| put_absent(format!("{round}-{item}")))
                .collect();
            dynamodb
                .transact_write_items()
                .set_transact_items(Some(items))
                .send()
                .await
                .unwrap();
        }
        let wrote = started.elapsed() / rounds;
        let started = Instant::now();
        for round in 0..rounds {
            let read = dynamodb
                .get_item()
                .table_name(TABLE)
                .key("pk", text("p"))
                .key("sk", text(format!("{round}-0")));
            assert!(read.send().await.unwrap().item.is_some());
        }
        let read = started.elapsed() / rounds;
        println!("{name}: a transaction of five puts {wrote:?}, a get {read:?}");
    }
}
