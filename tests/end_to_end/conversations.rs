//! What the two of an engagement write to each other, who reads it, and who is told.

mod attachments;
mod staff_reads;

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::access::{Scope, StaffRole};
use domain::engagement::{Engagement, EngagementState};
use domain::id::{ClientId, WorkerId};
use rapport_tests::answer::Answer;
use rapport_tests::people::{
    settle_client, settle_engagement, settle_representative, settle_staff, settle_worker,
};
use rapport_tests::world::{Caller, World};
use serde_json::{Value, json};
use store::{Actor, Commit, Key};

use crate::all_at_once;

/// Ana, who is supported by Ben, in a world of their own.
struct Two {
    world: World,
    client: ClientId,
    worker: WorkerId,
    /// The path of their engagement.
    path: String,
}

impl Two {
    async fn settle(state: EngagementState) -> Self {
        let world = World::start().await;
        let (client, _) = settle_client(world.context(), "ana").await;
        let worker = settle_worker(world.context(), "ben").await;
        let engagement = settle_engagement(world.context(), client, worker, |engagement| {
            engagement.state = state;
        });
        let path = format!("/v1/engagements/{}", engagement.await);
        Self {
            world,
            client,
            worker,
            path,
        }
    }

    async fn open() -> Self {
        Self::settle(EngagementState::Open).await
    }

    async fn end(&self) {
        let context = self.world.context();
        let id = self.path.rsplit('/').next().unwrap();
        let key = Key::engagement(id.parse().unwrap());
        let was = context.store.get::<Engagement>(&key).await.unwrap();
        let was = was.unwrap();
        let ended = Engagement {
            state: EngagementState::Ended,
            ..was.value.clone()
        };
        let audit = context.audit(Actor::Service, "settle", &key);
        let commit = Commit::new(audit).replace(&was, &ended);
        context.store.commit(commit).await.unwrap();
    }

    fn ana(&self) -> Caller<'_> {
        self.world.as_("ana")
    }

    fn ben(&self) -> Caller<'_> {
        self.world.as_("ben")
    }

    fn at(&self, rest: &str) -> String {
        format!("{}/{rest}", self.path)
    }

    async fn write(&self, who: &str, text: &str) -> Answer {
        let who = self.world.as_(who);
        who.post(&self.at("messages"), &json!({"text": text})).await
    }

    /// Writes, a second after whatever came before: lines of one instant have no order among themselves.
    async fn say(&self, who: &str, text: &str) -> Answer {
        self.world.advance_by(TimeDelta::seconds(1)).await;
        self.write(who, text).await.expect(201)
    }

    async fn read_up_to(&self, who: &str, message: &str) -> Answer {
        let who = self.world.as_(who);
        let body = json!({"message": message});
        who.post(&self.at("reads"), &body).await
    }

    async fn messages(&self, who: &str) -> Answer {
        let who = self.world.as_(who);
        who.get(&self.at("messages")).await.expect(200)
    }

    /// How often somebody has heard of something, by the subject of the notice.
    async fn heard(&self, who: &str, subject: &str) -> usize {
        self.world.settle().await;
        let inbox = self.world.as_(who).get("/v1/inbox?limit=100").await;
        let inbox = inbox.expect(200);
        let items = inbox["items"].as_array().unwrap().iter();
        items.filter(|item| item["subject"] == subject).count()
    }
}

/// What the lines of a page say.
fn texts(page: &Answer) -> Vec<&str> {
    let lines = page["items"].as_array().unwrap().iter();
    lines.filter_map(|line| line["text"].as_str()).collect()
}

const MESSAGE: &str = "A message was sent";

#[tokio::test]
async fn both_write_at_once_and_nothing_is_lost() {
    let two = Two::open().await;
    let all: Vec<(&str, String)> = (0..4)
        .flat_map(|number| [("ana", number), ("ben", number)])
        .map(|(who, number)| (who, format!("{who} {number}")))
        .collect();
    let answers = all_at_once(all.iter().map(|(who, text)| two.write(who, text))).await;
    for ((who, text), answer) in all.iter().zip(answers) {
        let answer = answer.expect(201);
        assert_eq!(answer["text"], *text);
        let side = if *who == "ana" { "client" } else { "worker" };
        assert_eq!(answer["from"], side);
        assert_eq!(answer["by"]["name"], format!("Given {who}"));
        assert_eq!(answer["by"]["on_behalf_of"], Value::Null);
    }
    let (hers, his) = (two.messages("ana").await, two.messages("ben").await);
    assert_eq!(hers["items"], his["items"], "both see the same");
    let written: BTreeSet<&str> = texts(&hers).into_iter().collect();
    assert_eq!(written, all.iter().map(|(_, text)| &**text).collect());
    // However many were written to each, at the same time, each was told once.
    assert_eq!(two.heard("ana", MESSAGE).await, 1);
    assert_eq!(two.heard("ben", MESSAGE).await, 1);
}

#[tokio::test]
async fn a_repetition_writes_nothing_new() {
    let two = Two::open().await;
    let (path, body) = (two.at("messages"), json!({"text": " Hello.\n"}));
    let first = two
        .ana()
        .post_with_key(&path, "k1", &body)
        .await
        .expect(201);
    let again = two
        .ana()
        .post_with_key(&path, "k1", &body)
        .await
        .expect(201);
    assert!(again.replayed());
    assert_eq!(first.json(), again.json());
    assert_eq!(texts(&two.messages("ben").await), ["Hello."]);
}

#[tokio::test]
async fn a_message_is_text_of_a_bounded_length() {
    let two = Two::open().await;
    let longest = "ü".repeat(4_000);
    two.say("ana", &longest).await;
    for wrong in ["", " \n", &format!("{longest}x"), "a\u{0}b"] {
        let refused = two.write("ana", wrong).await;
        let refused = refused.expect_problem(422, "invalid-fields");
        assert_eq!(refused.pointers(), ["/text"]);
    }
    let more = json!({"text": "x", "from": "worker"});
    let refused = two.ana().post(&two.at("messages"), &more).await;
    refused.expect_problem(422, "invalid-fields");
}

#[tokio::test]
async fn a_side_is_told_again_once_it_has_read() {
    let two = Two::open().await;
    let first = two.say("ana", "One.").await.string("message");
    let second = two.say("ana", "Two.").await.string("message");
    assert_eq!(two.heard("ben", MESSAGE).await, 1);
    assert_eq!(
        two.heard("ana", MESSAGE).await,
        0,
        "nobody hears of their own"
    );

    // He read the first before the second came in: he is told that there is more, and told it once.
    for _ in 0..2 {
        two.read_up_to("ben", &first).await.expect(201);
        assert_eq!(two.heard("ben", MESSAGE).await, 2);
    }
    let third = two.say("ana", "Three.").await;
    assert_eq!(two.heard("ben", MESSAGE).await, 2);

    // Having read everything, he is told of the next.
    two.read_up_to("ben", &second).await.expect(201);
    two.read_up_to("ben", &third.string("message"))
        .await
        .expect(201);
    let before = two.heard("ben", MESSAGE).await;
    two.say("ana", "Four.").await;
    assert_eq!(two.heard("ben", MESSAGE).await, before + 1);
    assert_eq!(two.heard("ana", MESSAGE).await, 0);
}

/// Whatever comes first, reading or writing: what was not read was told.
#[tokio::test]
async fn no_notice_is_lost_between_reading_and_writing() {
    let two = Two::open().await;
    let mut newest = two.say("ana", "0").await.string("message");
    for round in 1..=8 {
        assert_eq!(two.heard("ben", MESSAGE).await, round, "round {round}");
        two.world.advance_by(TimeDelta::seconds(1)).await;
        let (read, text) = (newest.clone(), round.to_string());
        let both = [(Some(read), text.clone()), (None, text)];
        let two = &two;
        let answers = all_at_once(both.into_iter().map(async |(read, text)| match read {
            Some(read) => two.read_up_to("ben", &read).await,
            None => two.write("ana", &text).await,
        }))
        .await;
        let [read, written] = <[Answer; 2]>::try_from(answers).unwrap();
        read.expect(201);
        newest = written.expect(201).string("message");
    }
}

#[tokio::test]
async fn marks_only_move_forward_and_show_the_other_side_what_was_read() {
    let two = Two::open().await;
    let first = two.say("ana", "One.").await.string("message");
    let second = two.say("ben", "Two.").await.string("message");
    let nobody = two.messages("ana").await;
    assert_eq!(nobody["read_by_you"], Value::Null);
    assert_eq!(nobody["read_by_other"], Value::Null);

    let read = two.read_up_to("ben", &second).await.expect(201);
    assert_eq!(read["read_by_you"], second);
    let read = two.read_up_to("ben", &first).await.expect(201);
    assert_eq!(read["read_by_you"], second, "never back");
    assert_eq!(two.messages("ana").await["read_by_other"], second);
    assert_eq!(two.messages("ben").await["read_by_other"], Value::Null);

    // A representative reads on the client's side, with a mark of their own.
    settle_representative(two.world.context(), "rita", two.client, |_| {}).await;
    two.read_up_to("rita", &first).await.expect(201);
    assert_eq!(two.messages("ben").await["read_by_other"], first);
    assert_eq!(two.messages("ana").await["read_by_you"], Value::Null);
    two.read_up_to("ana", &second).await.expect(201);
    assert_eq!(two.messages("ben").await["read_by_other"], second);

    let unknown = "msg_0190b2f06bd47c5a9a3e5b7f21d4c8aa";
    let refused = two.read_up_to("ben", unknown).await;
    let refused = refused.expect_problem(422, "invalid-fields");
    assert_eq!(refused.pointers(), ["/message"]);
}

#[tokio::test]
async fn who_acts_for_the_client_writes_for_the_client() {
    let two = Two::open().await;
    let context = two.world.context();
    settle_representative(context, "rita", two.client, |_| {}).await;
    settle_representative(context, "liam", two.client, |held| {
        held.scopes = [Scope::Details].into();
    })
    .await;
    settle_client(context, "zoe").await;

    let hers = two.say("rita", "For Ana.").await;
    assert_eq!(hers["from"], "client");
    assert_eq!(hers["by"]["on_behalf_of"], two.client.to_string());
    assert_eq!(hers["by"]["name"], "Given rita");
    two.say("ben", "Thank you.").await;
    assert_eq!(two.heard("rita", MESSAGE).await, 1);
    assert_eq!(two.heard("ana", MESSAGE).await, 1);
    assert_eq!(two.heard("liam", MESSAGE).await, 0);

    for (who, status) in [("liam", 403), ("zoe", 404)] {
        two.write(who, "Hello.").await.expect(status);
        let path = two.at("messages");
        two.world.as_(who).get(&path).await.expect(status);
        let read = two.read_up_to(who, &hers.string("message")).await;
        read.expect(status);
    }
}

#[tokio::test]
async fn staff_write_what_they_were_told_to() {
    let two = Two::open().await;
    settle_staff(two.world.context(), "cora", StaffRole::Coordinator).await;
    let cora = two.world.as_("cora");
    let (path, key) = (two.at("messages"), two.world.fresh_key());
    let body = json!({"text": "Ana will be late."});
    let told = cora.ask(reqwest::Method::POST, &path, |request| {
        request
            .header("idempotency-key", key)
            .header("on-instruction", "by telephone at 10:20")
            .header("on-behalf-of", two.client.to_string())
            .json(&body)
    });
    let line = told.await.expect(201);
    assert_eq!(line["from"], "client");
    assert_eq!(line["by"]["on_behalf_of"], two.client.to_string());
    assert!(line["by"]["instructed_by"].is_string());
    assert_eq!(line["by"]["name"], Value::Null);
    assert_eq!(texts(&two.messages("ben").await), ["Ana will be late."]);
    assert_eq!(two.heard("ben", MESSAGE).await, 1);
    cora.get(&path).await.expect(404);
}

#[tokio::test]
async fn an_ended_engagement_is_read_and_nothing_else() {
    let two = Two::open().await;
    two.say("ana", "Still here.").await;
    let line = two.say("ben", "So am I.").await;
    two.end().await;
    assert_eq!(
        texts(&two.messages("ana").await),
        ["So am I.", "Still here."]
    );
    let read = two.read_up_to("ana", &line.string("message")).await;
    read.expect(201);
    let file = json!({"name": "a.txt", "media_type": "text", "bytes": 1});
    for who in ["ana", "ben"] {
        let refused = two.write(who, "One more thing.").await;
        refused.expect_problem(403, "engagement-ended");
        let who = two.world.as_(who);
        let refused = who.post(&two.at("attachments"), &file).await;
        refused.expect_problem(403, "engagement-ended");
    }
    assert_eq!(texts(&two.messages("ben").await).len(), 2);

    // One that is paused is not over.
    let paused = Two::settle(EngagementState::Paused).await;
    paused.write("ben", "Until spring.").await.expect(201);
    assert_eq!(texts(&paused.messages("ana").await), ["Until spring."]);
}

#[tokio::test]
async fn a_long_conversation_comes_a_page_at_a_time() {
    let two = Two::open().await;
    for number in 0..7 {
        let who = if number % 2 == 0 { "ana" } else { "ben" };
        two.say(who, &number.to_string()).await;
    }
    let mut found = Vec::new();
    let mut next = Some(two.at("messages?limit=3"));
    while let Some(path) = next {
        let page = two.ben().get(&path).await.expect(200);
        assert!(texts(&page).len() <= 3);
        found.extend(texts(&page).into_iter().map(str::to_owned));
        assert_eq!(page.next_page().is_some(), page["next"].is_string());
        next = page.next_page();
        assert!(found.len() <= 7, "the pages never end");
    }
    assert_eq!(found, ["6", "5", "4", "3", "2", "1", "0"], "newest first");
    let forged = two.ana().get(&two.at("messages?cursor=x")).await;
    forged.expect(400);
}
