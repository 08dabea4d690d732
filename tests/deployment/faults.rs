//! What goes wrong in a deployment: a message that cannot be dealt with, messages that come three times, schedules that
//! are lost. In each case lists of candidates are to be released, and each is released once.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sqs::types::QueueAttributeName;
use chrono::TimeDelta;
use domain::due::Consumer;
use platform::dispatch::DueKey as Message;
use rapport::community::Samples;
use rapport::host::FIRST_ADMINISTRATOR;
use store::DueKey;
use tokio::time::Instant;

use crate::deployed::Deployed;

const PATIENCE: Duration = Duration::from_secs(60);
/// A little longer than a queue hides a message that is being dealt with.
const HIDDEN: TimeDelta = TimeDelta::seconds(181);
/// Releases wait for a day; a schedule is cut to whole seconds.
const RELEASE: TimeDelta = TimeDelta::seconds(24 * 3600 + 2);
/// The sweeper leaves a row alone for two minutes.
const LATE: TimeDelta = TimeDelta::minutes(3);

const POISON: [u8; 10] = [1, 2, 5, 11, 12, 15, 16, 20, 21, 24];
const TWICE: [u8; 4] = [3, 7, 10, 13];
const UNSCHEDULED: [u8; 4] = [17, 22, 28, 30];

/// A list that waits for its release.
struct Waiting {
    match_request: String,
    row: DueKey,
}

/// One message in ten cannot be dealt with: nine lists are released once, one message ends in the dead-letter queue
/// after its fifth delivery, and once its row is put right and it is sent back, the tenth is released, once.
pub(crate) async fn poison(deployed: &Deployed) {
    println!("\nOne of ten rows cannot be read ...");
    let mut waiting = submitted(deployed, &POISON).await;
    let poisoned = waiting.swap_remove(3);
    let item = key(&poisoned.row);
    let dynamodb = aws_sdk_dynamodb::Client::new(&deployed.config);
    let read = dynamodb.get_item().table_name(&deployed.table);
    let good = read.set_key(Some(item)).send().await.unwrap().item.unwrap();
    let mut bad = good.clone();
    bad.insert("body".to_owned(), AttributeValue::S("no row".to_owned()));
    let put = dynamodb.put_item().table_name(&deployed.table);
    put.set_item(Some(bad)).send().await.unwrap();

    deployed.clock.advance(RELEASE).await;
    gone(deployed, &waiting).await;
    let mut hidden = 0;
    while messages(deployed, "CandidateRelease-dead-letters").await == 0 {
        assert!(hidden < 6, "the message is delivered more than five times");
        deployed.clock.advance(HIDDEN).await;
        hidden += 1;
        let longest = Instant::now() + Duration::from_secs(5);
        while messages(deployed, "CandidateRelease-dead-letters").await == 0
            && Instant::now() < longest
        {
            pause().await;
        }
    }
    assert_eq!(messages(deployed, "CandidateRelease-dead-letters").await, 1);
    assert_eq!(releases(deployed, &poisoned).await, 0);
    for waiting in &waiting {
        assert_eq!(releases(deployed, waiting).await, 1);
    }
    println!("  nine released once; one message in the dead-letter queue");

    let put = dynamodb.put_item().table_name(&deployed.table);
    put.set_item(Some(good)).send().await.unwrap();
    redrive(deployed).await;
    gone(deployed, std::slice::from_ref(&poisoned)).await;
    assert_eq!(messages(deployed, "CandidateRelease-dead-letters").await, 0);
    assert_eq!(releases(deployed, &poisoned).await, 1);
    println!("  its row put right and the message sent back: the tenth released, once");
}

/// Every message comes three times: each list is released once.
pub(crate) async fn duplicates(deployed: &Deployed) {
    println!("\nEvery message comes three times ...");
    let waiting = submitted(deployed, &TWICE).await;
    deployed.clock.advance(RELEASE).await;
    let sqs = aws_sdk_sqs::Client::new(&deployed.config);
    let queue = deployed.queue("CandidateRelease").await;
    for waiting in waiting.iter().chain(&waiting) {
        let message = Message {
            pk: waiting.row.pk.clone(),
            sk: waiting.row.sk.clone(),
            kind: Consumer::CandidateRelease.kind().to_owned(),
            at: deployed.context.now(),
        };
        let body = serde_json::to_string(&message).unwrap();
        let send = sqs.send_message().queue_url(&queue).message_body(body);
        send.send().await.unwrap();
    }
    gone(deployed, &waiting).await;
    let longest = Instant::now() + PATIENCE;
    while messages(deployed, "CandidateRelease").await > 0 {
        assert!(Instant::now() < longest, "messages are left in the queue");
        pause().await;
    }
    for waiting in &waiting {
        assert_eq!(releases(deployed, waiting).await, 1);
    }
    println!("  {} released, each once", waiting.len());
}

/// Every schedule is lost: what is overdue is dealt with after one run of the sweeper.
pub(crate) async fn lost_schedules(deployed: &Deployed) {
    println!("\nEvery schedule is lost ...");
    let waiting = submitted(deployed, &UNSCHEDULED).await;
    let schedules = aws_sdk_scheduler::Client::new(&deployed.config);
    let group = format!("{}-due", deployed.stack);
    let mut lost = 0;
    loop {
        let list = schedules.list_schedules().group_name(&group);
        let listed = list.send().await.unwrap().schedules;
        if listed.is_empty() {
            break;
        }
        for schedule in listed {
            let delete = schedules.delete_schedule().group_name(&group);
            delete.name(schedule.name.unwrap()).send().await.unwrap();
            lost += 1;
        }
    }
    assert!(lost >= waiting.len(), "only {lost} schedules were there");
    // The sweeper comes every five minutes, and this jump makes it come once: patience ends before it comes again.
    deployed.clock.advance(RELEASE + LATE).await;
    gone(deployed, &waiting).await;
    deployed.settle().await.unwrap();
    for waiting in &waiting {
        assert_eq!(releases(deployed, waiting).await, 1);
    }
    println!(
        "  {lost} lost; {} released by one sweep, each once",
        waiting.len()
    );
}

/// Has these sample clients ask for support workers; their lists wait for a day.
async fn submitted(deployed: &Deployed, clients: &[u8]) -> Vec<Waiting> {
    let samples = Samples::read().unwrap();
    let mut waiting = Vec::new();
    for number in clients {
        let subject = format!("sample-client-{number:02}");
        let known = samples.known().find(|known| known.subject() == subject);
        let details = samples.match_request(&subject, deployed.context.now());
        let path = format!("/v1/clients/{}/match-requests", known.unwrap().id);
        let details = serde_json::to_value(details).unwrap();
        let asked = deployed.post(&subject, &path, &details).await;
        let match_request = asked["id"].as_str().unwrap().to_owned();
        let release = DueKey {
            pk: format!("MREQ#{match_request}"),
            sk: "DUE#candidate-release#1".to_owned(),
        };
        let pending = deployed.context.store.pending_due(&release).await.unwrap();
        assert!(pending.is_some(), "{release} is not there");
        waiting.push(Waiting {
            match_request,
            row: release,
        });
    }
    deployed.settle().await.unwrap();
    waiting
}

/// Waits until these rows have been dealt with.
async fn gone(deployed: &Deployed, waiting: &[Waiting]) {
    let longest = Instant::now() + PATIENCE;
    for waiting in waiting {
        while let Some(pending) = deployed
            .context
            .store
            .pending_due(&waiting.row)
            .await
            .unwrap()
        {
            assert!(Instant::now() < longest, "{} is still there", pending.key);
            pause().await;
        }
    }
}

/// How often the audit says that a list was released.
async fn releases(deployed: &Deployed, waiting: &Waiting) -> usize {
    let path = format!("/v1/audit/match_request/{}", waiting.match_request);
    let audit = deployed.get(FIRST_ADMINISTRATOR, &path).await;
    let operations = audit["items"].as_array().unwrap().iter();
    operations
        .filter(|item| item["operation"] == "release_candidates")
        .count()
}

/// How many messages a queue holds, hidden ones too.
async fn messages(deployed: &Deployed, queue: &str) -> usize {
    let names = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
    ];
    let sqs = aws_sdk_sqs::Client::new(&deployed.config);
    let asked = sqs
        .get_queue_attributes()
        .queue_url(deployed.queue(queue).await);
    let asked = asked.set_attribute_names(Some(names.to_vec()));
    let attributes = asked.send().await.unwrap().attributes.unwrap();
    let count = |name| attributes[&name].parse::<usize>().unwrap();
    names.into_iter().map(count).sum()
}

/// Sends what the dead-letter queue holds back to its queue, as an operator has SQS do it.
async fn redrive(deployed: &Deployed) {
    let sqs = aws_sdk_sqs::Client::new(&deployed.config);
    let dead = deployed.queue("CandidateRelease-dead-letters").await;
    let living = deployed.queue("CandidateRelease").await;
    let received = sqs.receive_message().queue_url(&dead).send().await.unwrap();
    for message in received.messages.unwrap_or_default() {
        let send = sqs.send_message().queue_url(&living);
        let send = send.message_body(message.body.unwrap());
        send.send().await.unwrap();
        let delete = sqs.delete_message().queue_url(&dead);
        let delete = delete.receipt_handle(message.receipt_handle.unwrap());
        delete.send().await.unwrap();
    }
}

fn key(row: &DueKey) -> HashMap<String, AttributeValue> {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    [("pk", &row.pk), ("sk", &row.sk)]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), text(value)))
        .collect()
}

async fn pause() {
    tokio::time::sleep(Duration::from_millis(100)).await;
}
