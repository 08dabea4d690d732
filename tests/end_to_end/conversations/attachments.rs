//! Files that go with messages.

use chrono::TimeDelta;
use rapport_tests::answer::Answer;
use reqwest::Method;
use serde_json::{Value, json};

use super::Two;
use crate::all_at_once;

const PDF: &[u8] = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n\x00 a plan";

impl Two {
    async fn announce(&self, who: &str, media_type: &str, bytes: usize) -> Answer {
        let file = json!({"name": "Plan für Ana.pdf", "media_type": media_type, "bytes": bytes});
        let who = self.world.as_(who);
        who.post(&self.at("attachments"), &file).await
    }

    /// Follows the link of an announcement as it stands.
    async fn upload(&self, announced: &Answer, bytes: &[u8]) -> Answer {
        let link = &announced["upload"];
        let url = link["url"].as_str().unwrap();
        let path = &url[url.find("/blobs/").unwrap()..];
        let method: Method = link["method"].as_str().unwrap().parse().unwrap();
        let kind = link["headers"]["content-type"].as_str().unwrap().to_owned();
        let bytes = bytes.to_vec();
        let nobody = self.world.nobody();
        let put = nobody.ask(method, path, |request| {
            request.header("content-type", kind).body(bytes)
        });
        put.await
    }

    async fn send(&self, who: &str, attachments: &[&str]) -> Answer {
        let message = json!({"text": "Here.", "attachments": attachments});
        let who = self.world.as_(who);
        who.post(&self.at("messages"), &message).await
    }

    async fn show(&self, who: &str, attachment: &str) -> Answer {
        let path = self.at(&format!("attachments/{attachment}"));
        self.world.as_(who).get(&path).await
    }
}

fn id(announced: &Answer) -> String {
    announced["attachment"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_file_is_announced_uploaded_sent_once_and_got_by_the_other() {
    let two = Two::open().await;
    let announced = two.announce("ana", "pdf", PDF.len()).await.expect(201);
    let plan = id(&announced);
    assert_eq!(announced["upload"]["method"], "PUT");
    let size = PDF.len().to_string();
    assert_eq!(announced["upload"]["headers"]["content-length"], size);

    // Until it is sent it is nobody else's; until it is there it cannot be sent.
    two.show("ben", &plan)
        .await
        .expect_problem(404, "not-found");
    two.show("ana", &plan).await.expect(200);
    let early = two.send("ana", &[&plan]).await;
    early.expect_problem(409, "attachment-not-uploaded");
    two.upload(&announced, &PDF[1..]).await.expect(400);
    let early = two.send("ana", &[&plan]).await;
    early.expect_problem(409, "attachment-not-uploaded");
    two.upload(&announced, PDF).await.expect(201);
    let not_his = two.send("ben", &[&plan]).await;
    let not_his = not_his.expect_problem(422, "invalid-fields");
    assert_eq!(not_his.pointers(), ["/attachments/0"]);
    let twice = two.send("ana", &[&plan, &plan]).await;
    let twice = twice.expect_problem(422, "invalid-fields");
    assert_eq!(twice.pointers(), ["/attachments/1"]);

    let line = two.send("ana", &[&plan]).await.expect(201);
    assert_eq!(line["attachments"], json!([announced["attachment"]]));
    let again = two.send("ana", &[&plan]).await;
    again.expect_problem(409, "attachment-sent");

    let shown = two.show("ben", &plan).await.expect(200);
    assert_eq!(shown["message"], line["message"]);
    assert_eq!(shown["attachment"]["name"], "Plan für Ana.pdf");
    let url = shown["download"]["url"].as_str().unwrap();
    let got = reqwest::get(url.replace("localhost", "127.0.0.1")).await;
    let got = got.unwrap();
    assert_eq!(got.headers()["content-type"], "application/pdf");
    assert_eq!(got.bytes().await.unwrap(), PDF);
    assert_eq!(two.messages("ben").await["items"][0], *line.json());
}

#[tokio::test]
async fn what_is_not_what_it_was_said_to_be_is_not_sent() {
    let two = Two::open().await;
    for (media_type, bytes, pointers) in [
        ("pdf", 0, vec!["/bytes"]),
        ("pdf", 10_485_761, vec!["/bytes"]),
        ("exe", 1, vec!["/media_type"]),
    ] {
        let refused = two.announce("ben", media_type, bytes).await;
        let refused = refused.expect_problem(422, "invalid-fields");
        assert_eq!(refused.pointers(), pointers);
    }
    for name in ["", "a/b.pdf", ".pdf", &"x".repeat(121)] {
        let file = json!({"name": name, "media_type": "pdf", "bytes": 1});
        let refused = two.ben().post(&two.at("attachments"), &file).await;
        let refused = refused.expect_problem(422, "invalid-fields");
        assert_eq!(refused.pointers(), ["/name"], "{name}");
    }

    let announced = two.announce("ben", "png", PDF.len()).await.expect(201);
    two.upload(&announced, PDF).await.expect(201);
    let good = two.announce("ben", "pdf", PDF.len()).await.expect(201);
    two.upload(&good, PDF).await.expect(201);
    let (disguised, good) = (id(&announced), id(&good));
    let refused = two.send("ben", &[&good, &disguised]).await;
    let refused = refused.expect_problem(422, "invalid-fields");
    assert_eq!(refused.pointers(), ["/attachments/1"]);
    let unknown = "att_0190b2f06bd47c5a9a3e5b7f21d4c8aa";
    let refused = two.send("ben", &[unknown]).await;
    refused.expect_problem(422, "invalid-fields");
    let refused = two.send("ben", &[unknown; 6]).await;
    refused.expect_problem(422, "invalid-fields");

    // What was refused is left as it was.
    assert_eq!(two.messages("ana").await["items"], json!([]));
    two.send("ben", &[&good]).await.expect(201);
}

#[tokio::test]
async fn of_two_messages_at_once_one_has_the_file() {
    let two = Two::open().await;
    let announced = two.announce("ana", "pdf", PDF.len()).await.expect(201);
    two.upload(&announced, PDF).await.expect(201);
    let plan = id(&announced);
    let named = [plan.as_str()];
    let answers = all_at_once((0..4).map(|_| two.send("ana", &named))).await;
    let sent = answers.iter().filter(|answer| answer.status() == 201);
    assert_eq!(sent.count(), 1);
    for lost in answers.into_iter().filter(|answer| answer.status() != 201) {
        lost.expect_problem(409, "attachment-sent");
    }
    let lines = two.messages("ben").await;
    assert_eq!(lines["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn fifty_files_wait_and_no_more_and_none_for_longer_than_a_day() {
    let two = Two::open().await;
    let mut first = None;
    for number in 0..50 {
        let who = if number % 2 == 0 { "ana" } else { "ben" };
        let announced = two.announce(who, "pdf", PDF.len()).await.expect(201);
        first.get_or_insert(announced);
    }
    let first = first.unwrap();
    let refused = two.announce("ben", "pdf", PDF.len()).await;
    refused.expect_problem(409, "too-many-attachments");
    two.upload(&first, PDF).await.expect(201);
    two.send("ana", &[&id(&first)]).await.expect(201);
    let last = two.announce("ben", "pdf", PDF.len()).await.expect(201);
    two.upload(&last, PDF).await.expect(201);
    let refused = two.announce("ana", "pdf", PDF.len()).await;
    refused.expect_problem(409, "too-many-attachments");

    two.world.advance_by(TimeDelta::hours(24)).await;
    let lapsed = two.send("ben", &[&id(&last)]).await;
    lapsed.expect_problem(409, "attachment-lapsed");
    two.announce("ana", "pdf", PDF.len()).await.expect(201);
}

#[tokio::test]
async fn a_repeated_announcement_is_the_same_file_with_a_fresh_link() {
    let two = Two::open().await;
    let (path, file) = (
        two.at("attachments"),
        json!({"name": "a.pdf", "media_type": "pdf", "bytes": PDF.len()}),
    );
    let announce = async || {
        let answer = two.ana().post_with_key(&path, "k1", &file).await;
        answer.expect(201)
    };
    let first = announce().await;
    two.world.advance_by(TimeDelta::minutes(20)).await;
    two.upload(&first, PDF).await.expect(403);
    let again = announce().await;
    assert_eq!(first["attachment"], again["attachment"]);
    two.upload(&again, PDF).await.expect(201);
    two.send("ana", &[&id(&first)]).await.expect(201);
    assert_eq!(announce().await["upload"], Value::Null);
}
