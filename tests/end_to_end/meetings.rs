//! Introductory meetings: from the offer to what both have agreed.

use domain::engagement::Happening;
use rapport_tests::answer::Answer;
use serde_json::{Value, json};

use crate::engagements::{Pair, sorted};

const DOOR: &str = "The library's front door, 178 Boundary Street";

fn in_person() -> Value {
    json!({
        "starts": "2026-03-10T10:00:00", "time_zone": "Australia/Brisbane", "minutes": 45,
        "how": {"in_person": {"suburb": "West End", "address": DOOR}}, "notes": ""
    })
}

/// The end of a meeting's path.
async fn offered(pair: &Pair, subject: &str) -> String {
    // Ids of one millisecond are in no order.
    pair.world.advance_by(chrono::TimeDelta::seconds(1)).await;
    let meeting = pair.act(subject, "meetings", in_person()).await.expect(201);
    assert_eq!(meeting["state"], "offered");
    format!("meetings/{}", meeting.string("id"))
}

async fn seen(pair: &Pair, subject: &str, meeting: &str) -> Answer {
    let path = format!("{}/{meeting}", pair.path);
    pair.world.as_(subject).get(&path).await.expect(200)
}

fn understood(texts: &[&str]) -> Value {
    let all = texts
        .iter()
        .map(|text| json!({"kind": "routine", "text": text}));
    json!({"understandings": all.collect::<Vec<_>>(), "notes": "We got on well."})
}

#[tokio::test]
async fn two_meet_write_down_what_they_agreed_and_the_other_confirms_exactly_that() {
    let pair = Pair::settle().await;
    let meeting = offered(&pair, "rita").await;
    assert_eq!(
        pair.told("mira").await,
        ["An introductory meeting was offered"]
    );
    let mira = seen(&pair, "mira", &meeting).await;
    assert_eq!(mira["from"], "2026-03-10T00:00:00Z");
    assert_eq!(mira["until"], "2026-03-10T00:45:00Z");
    assert_eq!(mira["how"], json!({"in_person": {"suburb": "West End"}}));
    assert!(seen(&pair, "ana", &meeting).await.text().contains(DOOR));

    let own = pair
        .act("ana", &format!("{meeting}/acceptance"), json!({}))
        .await;
    own.expect_problem(409, "meeting-own-offer");
    let early = pair
        .act("mira", &format!("{meeting}/record"), understood(&["Tea."]))
        .await;
    early.expect_problem(409, "meeting-not-accepted");
    let accepted = pair
        .act("mira", &format!("{meeting}/acceptance"), json!({}))
        .await;
    let accepted = accepted.expect(201);
    assert_eq!(accepted["state"], "accepted");
    assert_eq!(accepted["how"]["in_person"]["address"], DOOR);
    assert!(
        pair.told("ana")
            .await
            .contains(&"An introductory meeting was accepted".to_owned())
    );

    pair.world.advance(24 * 9).await;
    let record = format!("{meeting}/record");
    let first = pair
        .act("mira", &record, understood(&["Tea first.", "Dogs out."]))
        .await;
    assert_eq!(first.expect(201)["record"]["number"], 1);
    let second = pair
        .act("mira", &record, understood(&["Tea first.", "No perfume."]))
        .await;
    let second = second.expect(201);
    assert_eq!(second["state"], "recorded");
    let confirmation = format!("{meeting}/confirmation");
    let stale = pair.act("ana", &confirmation, json!({"record": 1})).await;
    stale.expect_problem(409, "meeting-record-stale");
    let own = pair.act("mira", &confirmation, json!({"record": 2})).await;
    own.expect_problem(409, "meeting-own-record");
    assert_eq!(pair.seen_by("ana").await["understandings"], json!([]));
    let confirmed = pair.act("rita", &confirmation, json!({"record": 2})).await;
    assert_eq!(confirmed.expect(201)["confirmed"]["by"], "client");
    for subject in ["ana", "mira", "cora"] {
        let agreed = pair.seen_by(subject).await["understandings"].clone();
        assert_eq!(
            agreed,
            understood(&["Tea first.", "No perfume."])["understandings"]
        );
    }
    let late = pair.act("mira", &record, understood(&["More."])).await;
    late.expect_problem(409, "meeting-confirmed");

    use Happening::{MeetingAccepted, MeetingConfirmed, MeetingOffered, MeetingRecorded};
    let lines = [
        MeetingOffered,
        MeetingAccepted,
        MeetingRecorded,
        MeetingRecorded,
        MeetingConfirmed,
    ];
    assert_eq!(pair.lines().await, sorted(lines));
    let told = pair.told("mira").await;
    assert_eq!(told.len(), 2, "{told:?}");
    // Nobody else sees it, staff who look after engagements included.
    let path = format!("{}/{meeting}", pair.path);
    pair.world.as_("cora").get(&path).await.expect(404);
}

#[tokio::test]
async fn a_meeting_is_declined_or_called_off() {
    let pair = Pair::settle().await;
    let declined = offered(&pair, "mira").await;
    let own = pair
        .act("mira", &format!("{declined}/refusal"), json!({}))
        .await;
    own.expect_problem(409, "meeting-own-offer");
    let answer = pair
        .act("ana", &format!("{declined}/refusal"), json!({}))
        .await;
    let answer = answer.expect(201);
    assert_eq!(answer["state"], "declined");
    assert!(
        !answer.text().contains(DOOR),
        "only whoever accepts learns where"
    );
    let late = pair
        .act("ana", &format!("{declined}/acceptance"), json!({}))
        .await;
    late.expect_problem(409, "meeting-not-offered");

    let withdrawn = offered(&pair, "ana").await;
    let other = pair
        .act("mira", &format!("{withdrawn}/withdrawal"), json!({}))
        .await;
    other.expect_problem(409, "meeting-others-offer");
    let answer = pair
        .act("ana", &format!("{withdrawn}/withdrawal"), json!({}))
        .await;
    assert_eq!(answer.expect(201)["state"], "withdrawn");

    // What both agreed on, either calls off.
    let agreed = offered(&pair, "ana").await;
    pair.act("mira", &format!("{agreed}/acceptance"), json!({}))
        .await
        .expect(201);
    let answer = pair
        .act("mira", &format!("{agreed}/withdrawal"), json!({}))
        .await;
    assert_eq!(answer.expect(201)["answered"]["by"], "worker");
    let over = pair
        .act("ana", &format!("{agreed}/withdrawal"), json!({}))
        .await;
    over.expect_problem(409, "meeting-over");

    let list = format!("{}/meetings?limit=2", pair.path);
    let page = pair.world.as_("ana").get(&list).await.expect(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    assert_eq!(
        format!("meetings/{}", page["items"][0]["id"].as_str().unwrap()),
        agreed
    );
    let rest = pair
        .world
        .as_("ana")
        .get(&page.next_page().unwrap())
        .await
        .expect(200);
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_has_passed_is_not_accepted_and_an_end_stops_everything() {
    let pair = Pair::settle().await;
    let passed = offered(&pair, "ana").await;
    let open = offered(&pair, "ana").await;
    pair.act("mira", &format!("{open}/acceptance"), json!({}))
        .await
        .expect(201);
    pair.act("ana", "pause", json!({"reason": "Away."}))
        .await
        .expect(201);
    let paused = pair.act("ana", "meetings", in_person()).await;
    paused.expect_problem(409, "engagement-paused");
    let paused = pair
        .act("mira", &format!("{passed}/acceptance"), json!({}))
        .await;
    paused.expect_problem(409, "engagement-paused");
    pair.act("ana", "resumption", json!({})).await.expect(201);
    pair.world.advance(24 * 8).await;
    let late = pair
        .act("mira", &format!("{passed}/acceptance"), json!({}))
        .await;
    late.expect_problem(409, "meeting-passed");
    pair.act("mira", "end", json!({"reason": "Moving."}))
        .await
        .expect(201);
    let ended = pair
        .act("ana", &format!("{open}/record"), understood(&["Tea."]))
        .await;
    ended.expect_problem(403, "engagement-ended");
    assert_eq!(seen(&pair, "ana", &open).await["state"], "accepted");
}

#[tokio::test]
async fn every_fault_names_its_field() {
    let pair = Pair::settle().await;
    let mut faults = Vec::new();
    for (member, value, pointer) in [
        ("starts", json!("2026-03-02T10:00:00"), "/starts"),
        ("starts", json!("2027-03-02T10:00:01"), "/starts"),
        ("starts", json!("yesterday"), "/starts"),
        ("time_zone", json!("Brisbane"), "/time_zone"),
        ("minutes", json!(10), "/minutes"),
        ("minutes", json!(121), "/minutes"),
        (
            "how",
            json!({"in_person": {"suburb": "", "address": DOOR}}),
            "/how/in_person/suburb",
        ),
        ("notes", json!("x".repeat(1001)), "/notes"),
        ("price", json!(1), "/price"),
    ] {
        let mut meeting = in_person();
        meeting[member] = value;
        let answer = pair.act("ana", "meetings", meeting).await.expect(422);
        if answer.pointers() != [pointer] {
            faults.push(format!("{member}: {}", answer.text()));
        }
    }
    // Melbourne's clocks: back on 5 April 2026, forward on 4 October.
    for starts in ["2026-04-05T02:30:00", "2026-10-04T02:30:00"] {
        let mut meeting = in_person();
        meeting["starts"] = json!(starts);
        pair.act("ana", "meetings", meeting.clone())
            .await
            .expect(201);
        meeting["time_zone"] = json!("Australia/Melbourne");
        let answer = pair.act("ana", "meetings", meeting).await.expect(422);
        assert_eq!(answer.pointers(), ["/starts"], "{starts}");
    }
    assert!(faults.is_empty(), "{faults:#?}");
    let meeting = offered(&pair, "ana").await;
    pair.act("mira", &format!("{meeting}/acceptance"), json!({}))
        .await
        .expect(201);
    let many: Vec<&str> = vec!["Tea."; 21];
    let many = pair
        .act("ana", &format!("{meeting}/record"), understood(&many))
        .await;
    assert_eq!(many.expect(422).pointers(), ["/understandings"]);
}
