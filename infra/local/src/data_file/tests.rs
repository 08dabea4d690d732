use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::types::AttributeValue;
use store::Store;

use super::*;
use crate::embedded::in_process;

const TABLE: &str = "rapport";
const FORMAT: u32 = 3;

fn open(path: &Path) -> Result<(DataFile, Database), OpenDataFileError> {
    DataFile::open(path, FORMAT)
}

fn refusal(path: &Path) -> String {
    open(path).map(|(file, _)| file).unwrap_err().to_string()
}

async fn put(dynamodb: &DynamoDb, number: u32) {
    dynamodb
        .put_item()
        .table_name(TABLE)
        .item("pk", AttributeValue::S("p".into()))
        .item("sk", AttributeValue::S(format!("{number:08}")))
        .send()
        .await
        .unwrap();
}

async fn has(dynamodb: &DynamoDb, number: u32) -> bool {
    let read = dynamodb
        .get_item()
        .table_name(TABLE)
        .key("pk", AttributeValue::S("p".into()))
        .key("sk", AttributeValue::S(format!("{number:08}")));
    read.send().await.unwrap().item.is_some()
}

async fn table(database: Database) -> DynamoDb {
    let dynamodb = in_process(database);
    let store = Store::new(dynamodb.clone(), TABLE);
    store.create_table_if_absent().await.unwrap();
    dynamodb
}

#[tokio::test]
async fn what_was_written_is_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("below/rapport.db");
    let (file, database) = open(&path).unwrap();
    put(&table(database).await, 1).await;
    drop(file);
    let (_file, database) = open(&path).unwrap();
    assert!(has(&table(database).await, 1).await);
}

#[test]
fn a_second_host_is_refused_while_the_first_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rapport.db");
    let first = open(&path).unwrap();
    assert!(refusal(&path).contains("another running host"));
    drop(first);
    open(&path).unwrap();
}

#[test]
fn a_file_that_is_not_ours_or_is_damaged_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rapport.db");

    fs::write(&path, "dear diary\n".repeat(1000)).unwrap();
    assert!(refusal(&path).contains("restore a copy"));
    assert!(fs::read_to_string(&path).unwrap().starts_with("dear diary"));
    fs::remove_file(&path).unwrap();

    let foreign = Connection::open(&path).unwrap();
    foreign.execute_batch("CREATE TABLE theirs (x)").unwrap();
    drop(foreign);
    assert!(refusal(&path).contains("another program"));
    fs::remove_file(&path).unwrap();

    drop(open(&path).unwrap());
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[4096..middle].fill(0xa5);
    fs::write(&path, &bytes).unwrap();
    assert!(refusal(&path).contains("damaged"));
    assert_eq!(fs::read(&path).unwrap(), bytes);

    bytes.truncate(middle + 100);
    fs::write(&path, &bytes).unwrap();
    assert!(refusal(&path).contains("damaged"));
}

#[test]
fn a_newer_file_is_refused_an_older_one_is_taken_over_and_an_empty_one_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rapport.db");
    fs::write(&path, "").unwrap();
    drop(DataFile::open(&path, FORMAT - 1).unwrap());
    drop(DataFile::open(&path, FORMAT).unwrap());
    let refused = DataFile::open(&path, FORMAT - 1).map(|(file, _)| file);
    assert!(matches!(
        refused,
        Err(OpenDataFileError::Newer { found: FORMAT, known, .. }) if known == FORMAT - 1
    ));
}

const CHILD_FILE: &str = "RAPPORT_TEST_CHILD_FILE";

/// Not a test of its own: the process that `kill_9_loses_nothing_answered` kills.
#[tokio::test]
#[ignore = "run by another test"]
async fn writes_until_killed() {
    let Some(path) = std::env::var_os(CHILD_FILE).map(PathBuf::from) else {
        return;
    };
    let (_file, database) = open(&path).unwrap();
    let dynamodb = table(database).await;
    for number in 0.. {
        if !has(&dynamodb, number).await {
            put(&dynamodb, number).await;
            println!("answered {number}");
        }
    }
}

#[tokio::test]
async fn kill_9_loses_nothing_answered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rapport.db");
    let mut answered = 0;
    for kill_after in [1, 40, 7, 90, 25] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["data_file::tests::writes_until_killed", "--exact"])
            .args(["--ignored", "--nocapture"])
            .env(CHILD_FILE, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for line in lines
            .map(Result::unwrap)
            .filter(|line| line.starts_with("answered "))
            .take(kill_after)
        {
            answered = line["answered ".len()..].parse::<u32>().unwrap();
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let (_file, database) = open(&path).unwrap();
    let dynamodb = table(database).await;
    for number in 0..=answered {
        assert!(has(&dynamodb, number).await, "{number}");
    }
}
