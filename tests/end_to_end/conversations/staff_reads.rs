//! Staff who read a conversation, and how both sides come to know.

use chrono::TimeDelta;
use domain::access::StaffRole;
use domain::id::PersonId;
use domain::person::Person;
use functions::context::Shared;
use rapport_tests::answer::Answer;
use rapport_tests::people::{settle_representative, settle_staff};
use serde_json::{Value, json};
use store::{Actor, Commit, Key};

use super::{Two, texts};

const READ: &str = "Staff read the conversation";

impl Two {
    async fn with_staff() -> Self {
        let two = Self::open().await;
        for (who, role) in [
            ("cora", StaffRole::Coordinator),
            ("sam", StaffRole::Supervisor),
            ("mia", StaffRole::Mediator),
        ] {
            settle_staff(two.world.context(), who, role).await;
        }
        settle_representative(two.world.context(), "rita", two.client, |_| {}).await;
        two.say("ana", "Between us.").await;
        two.world.advance_by(TimeDelta::seconds(1)).await;
        two
    }

    async fn open_read(&self, who: &str, body: &Value) -> Answer {
        let who = self.world.as_(who);
        who.post(&self.at("conversation-reads"), body).await
    }

    async fn delayed(&self, by: TimeDelta) -> Answer {
        let body = json!({
            "reason": "A report came in.", "disclose_at": self.world.now() + by,
            "delay_reason": "The report names one of them."
        });
        self.open_read("sam", &body).await
    }

    async fn reads(&self, who: &str) -> Answer {
        let path = self.at("conversation-reads");
        self.world.as_(who).get(&path).await
    }

    async fn read_messages(&self, who: &str, read: &Answer) -> Answer {
        let path = self.at(&format!(
            "conversation-reads/{}/messages",
            read.string("read")
        ));
        self.world.as_(who).get(&path).await
    }

    /// Everything that reaches the two sides, as it comes: lines, marks, lists, cursors, inboxes, headers.
    async fn what_they_see(&self) -> String {
        self.world.settle().await;
        let mut all = String::new();
        for who in ["ana", "ben", "rita"] {
            let caller = self.world.as_(who);
            for path in [
                self.at("messages"),
                self.at("messages?limit=1"),
                self.at("conversation-reads"),
                self.at("conversation-reads?limit=1"),
                "/v1/inbox".to_owned(),
            ] {
                all += &caller.get(&path).await.expect(200).whole();
            }
        }
        all + &format!("{:?}", self.world.mails())
    }
}

/// How many lines say that staff read, and how many readings are listed.
async fn known_to(two: &Two, who: &str) -> (usize, usize) {
    let lines = two.messages(who).await;
    let lines = lines["items"].as_array().unwrap().iter();
    let lines = lines.filter(|line| line["happening"] == "conversation_read");
    let listed = two.reads(who).await.expect(200);
    (lines.count(), listed["items"].as_array().unwrap().len())
}

async fn is_also(context: &Shared, person: PersonId, change: impl Fn(&mut Person)) {
    let key = Key::person(person);
    let was = context.store.get::<Person>(&key).await.unwrap().unwrap();
    let mut next = was.value.clone();
    change(&mut next);
    let audit = context.audit(Actor::Service, "settle", &key);
    let commit = Commit::new(audit).replace(&was, &next);
    context.store.commit(commit).await.unwrap();
}

#[tokio::test]
async fn both_sides_know_at_once_who_read_and_why() {
    let two = Two::with_staff().await;
    let body = json!({"reason": " Asked by Ana. "});
    let read = two.open_read("cora", &body).await.expect(201);
    assert_eq!(read["disclosed_at"], read["at"]);
    assert_eq!(read["delay"], Value::Null);
    for who in ["ana", "ben", "rita"] {
        assert_eq!(two.heard(who, READ).await, 1, "{who}");
        assert_eq!(known_to(&two, who).await, (1, 1), "{who}");
        let listed = two.reads(who).await.expect(200);
        let expected = json!([{
            "read": read["read"], "who": "staff", "at": read["at"], "reason": "Asked by Ana."
        }]);
        assert_eq!(listed["items"], expected, "{who}");
        let lines = two.messages(who).await;
        assert_eq!(lines["items"][0]["about"], read["read"]);
        assert_eq!(lines["items"][0]["from"], "service");
        assert_eq!(lines["items"][0]["words"], READ);
        let cora = read.string("by");
        assert!(!(listed.whole() + &lines.whole()).contains(&cora));
    }

    let shown = two.read_messages("cora", &read).await.expect(200);
    assert_eq!(texts(&shown), ["Between us."]);
    assert_eq!(shown["items"][1]["by"]["name"], "Given ana");
    for who in ["mia", "sam"] {
        let refused = two.read_messages(who, &read).await;
        refused.expect_problem(403, "not-yours");
    }
    two.world.advance_by(TimeDelta::seconds(3_599)).await;
    two.read_messages("cora", &read).await.expect(200);
    two.world.advance_by(TimeDelta::seconds(1)).await;
    let over = two.read_messages("cora", &read).await;
    over.expect_problem(403, "read-expired");

    let id = two.path.trim_start_matches("/v1/engagements/");
    let path = format!("/v1/audit/engagement/{id}");
    let audit = two.world.as_("sam").get(&path).await.expect(200);
    assert_eq!(audit["items"][0]["operation"], "read_conversation");
    assert_eq!(audit["items"][0]["actor"]["by"], read["by"]);
    let missing = two.open_read("cora", &json!({"reason": ""})).await;
    assert_eq!(missing.expect(422).pointers(), ["/reason"]);
}

#[tokio::test]
async fn staff_see_the_files_of_what_they_read() {
    let two = Two::with_staff().await;
    let file = json!({"name": "a.txt", "media_type": "text", "bytes": 2});
    let announced = two.ana().post(&two.at("attachments"), &file).await;
    let announced = announced.expect(201);
    let file = announced["attachment"]["id"].as_str().unwrap();
    let read = two.open_read("cora", &json!({"reason": "Asked."})).await;
    let read = read.expect(201).string("read");
    let path = two.at(&format!("conversation-reads/{read}/attachments/{file}"));
    let cora = two.world.as_("cora");
    cora.get(&path).await.expect(404);
    let url = announced["upload"]["url"].as_str().unwrap();
    let url = url.replace("localhost", "127.0.0.1");
    let http = reqwest::Client::new();
    let put = http
        .put(url)
        .header("content-type", "text/plain")
        .body("hi");
    assert_eq!(put.send().await.unwrap().status(), 201);
    let message = json!({"text": "x", "attachments": [file]});
    let sent = two.ana().post(&two.at("messages"), &message).await;
    sent.expect(201);
    let shown = cora.get(&path).await.expect(200);
    let url = shown["download"]["url"].as_str().unwrap();
    let got = reqwest::get(url.replace("localhost", "127.0.0.1")).await;
    assert_eq!(got.unwrap().text().await.unwrap(), "hi");
    two.world.as_("mia").get(&path).await.expect(403);
}

#[tokio::test]
async fn staff_who_are_in_it_read_as_what_they_are_there() {
    let two = Two::with_staff().await;
    let context = two.world.context();
    let dora = settle_staff(context, "dora", StaffRole::Supervisor).await;
    let represented = two.client;
    is_also(context, dora, |dora| {
        dora.roles.represents.insert(represented);
    })
    .await;
    let worker = two.worker;
    let max = settle_staff(context, "max", StaffRole::Supervisor).await;
    is_also(context, max, |max| {
        max.roles.workers.insert(worker);
    })
    .await;
    let reason = json!({"reason": "Curious."});
    let read = two.delayed(TimeDelta::days(1)).await.expect(201);
    let id = two.path.trim_start_matches("/v1/engagements/");
    for who in ["dora", "max"] {
        let refused = two.open_read(who, &reason).await;
        refused.expect_problem(403, "not-yours");
        two.read_messages(who, &read).await.expect(403);
        let path = format!("conversation-reads/{}/disclosure", read.string("read"));
        let early = two.world.as_(who).post(&two.at(&path), &json!({})).await;
        early.expect_problem(403, "not-yours");
        // What was done to the engagement tells who read it, and is not theirs to see either.
        let path = format!("/v1/audit/engagement/{id}");
        two.world.as_(who).get(&path).await.expect(403);
    }
    two.reads("dora").await.expect(403);
    assert_eq!(known_to(&two, "max").await, (0, 0));
}

#[tokio::test]
async fn a_delay_is_a_supervisors_dated_and_reasoned() {
    let two = Two::with_staff().await;
    let at = |days| two.world.now() + TimeDelta::days(days);
    let dated = json!({"reason": "x", "disclose_at": at(1)});
    let reasoned = json!({"reason": "x", "delay_reason": "y"});
    for body in [&dated, &reasoned] {
        for who in ["cora", "mia"] {
            let refused = two.open_read(who, body).await;
            refused.expect_problem(403, "not-yours");
        }
    }
    for (body, pointer) in [
        (dated, "/delay_reason"),
        (reasoned, "/disclose_at"),
        (
            json!({"reason": "x", "disclose_at": at(0), "delay_reason": "y"}),
            "/disclose_at",
        ),
        (
            json!({"reason": "x", "disclose_at": at(91), "delay_reason": "y"}),
            "/disclose_at",
        ),
        (
            json!({"reason": "x", "disclose_at": at(1), "delay_reason": " "}),
            "/delay_reason",
        ),
    ] {
        let refused = two.open_read("sam", &body).await;
        let refused = refused.expect_problem(422, "invalid-fields");
        assert_eq!(refused.pointers(), [pointer], "{body}");
    }
    assert_eq!(two.reads("sam").await.expect(200)["items"], json!([]));
    two.delayed(TimeDelta::days(90)).await.expect(201);
}

#[tokio::test]
async fn a_delayed_reading_shows_nowhere_until_its_instant_and_then_once() {
    let two = Two::with_staff().await;
    let known = two.open_read("cora", &json!({"reason": "Asked."})).await;
    known.expect(201);
    two.world.advance_by(TimeDelta::seconds(1)).await;
    let before = two.what_they_see().await;
    let read = two.delayed(TimeDelta::days(3)).await.expect(201);
    assert_eq!(read["disclosed_at"], Value::Null);
    assert_eq!(two.what_they_see().await, before);
    let shown = two.read_messages("sam", &read).await.expect(200);
    assert_eq!(texts(&shown), ["Between us."]);
    assert_eq!(two.what_they_see().await, before);
    // Supervisors see it, and why; nobody else does.
    let all = two.reads("sam").await.expect(200);
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
    assert_eq!(all["items"][0], *read.json());
    assert_eq!(
        all["items"][0]["delay"]["reason"],
        "The report names one of them."
    );
    two.reads("cora").await.expect_problem(403, "not-yours");

    let three_days = TimeDelta::days(3);
    two.world
        .advance_by(three_days - TimeDelta::seconds(1))
        .await;
    assert_eq!(two.what_they_see().await, before);
    two.world.advance_by(TimeDelta::seconds(1)).await;
    for who in ["ana", "ben", "rita"] {
        assert_eq!(known_to(&two, who).await, (2, 2), "{who}");
        assert_eq!(two.heard(who, READ).await, 2, "{who}");
        assert!(!two.reads(who).await.text().contains("names one of them"));
    }
    let told = two.what_they_see().await;
    two.world.advance_by(TimeDelta::days(4)).await;
    assert_eq!(two.what_they_see().await, told);
    let all = two.reads("sam").await.expect(200);
    assert!(all["items"][0]["disclosed_at"].is_string());
}

#[tokio::test]
async fn a_disclosure_is_brought_forward_once() {
    let two = Two::with_staff().await;
    let read = two.delayed(TimeDelta::days(3)).await.expect(201);
    let path = two.at(&format!(
        "conversation-reads/{}/disclosure",
        read.string("read")
    ));
    let sam = two.world.as_("sam");
    two.world
        .as_("cora")
        .post(&path, &json!({}))
        .await
        .expect(403);
    two.world.advance(1).await;
    let disclosed = sam.post(&path, &json!({})).await.expect(201);
    assert!(disclosed["disclosed_at"].is_string());
    assert_eq!(disclosed["delay"], read["delay"]);
    let again = sam.post(&path, &json!({})).await;
    again.expect_problem(409, "read-disclosed");
    let told = two.what_they_see().await;
    assert_eq!(known_to(&two, "ben").await, (1, 1));
    two.world.advance_by(TimeDelta::days(5)).await;
    assert_eq!(two.what_they_see().await, told, "nobody is told twice");
}

#[tokio::test]
async fn no_page_has_a_gap_for_what_is_not_known() {
    let two = Two::with_staff().await;
    let mut known = Vec::new();
    for number in 0..3 {
        let reason = json!({"reason": number.to_string()});
        let read = two.open_read("mia", &reason).await.expect(201);
        known.push(read.string("read"));
        two.world.advance_by(TimeDelta::seconds(1)).await;
        two.delayed(TimeDelta::days(2)).await.expect(201);
        two.world.advance_by(TimeDelta::seconds(1)).await;
    }
    known.reverse();
    let mut found = Vec::new();
    let mut next = Some(two.at("conversation-reads?limit=1"));
    while let Some(path) = next {
        let page = two.ben().get(&path).await.expect(200);
        let items = page["items"].as_array().unwrap();
        // A full page each time, but for the last, which may turn out empty.
        assert!(items.len() == 1 || page.next_page().is_none());
        let ids = items
            .iter()
            .map(|item| item["read"].as_str().unwrap().to_owned());
        found.extend(ids);
        next = page.next_page();
        assert!(found.len() <= 3, "the pages never end");
    }
    assert_eq!(found, known, "newest first");
    let all = two.reads("sam").await.expect(200);
    assert_eq!(all["items"].as_array().unwrap().len(), 6);
}
