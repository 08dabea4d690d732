//! Changes of booked visits: asked for, proposed, countered and accepted, and everything that leaves a visit as it is.

use chrono::{DateTime, TimeDelta, Utc};
use domain::engagement::Engagement;
use rapport_tests::answer::Answer;
use rapport_tests::people::settle_representative;
use rapport_tests::visits::at_home;
use serde_json::{Value, json};
use store::Key;

use crate::all_at_once;
use crate::engaged::{Engaged, accept, edit, path_of, propose};

fn wish(text: &str) -> Value {
    json!({"wish": text})
}

/// Wanda proposes that a booked visit be another.
async fn propose_change(engaged: &Engaged, visit: &str, changed: &Value) -> Answer {
    let path = format!("{visit}/change-proposals");
    let wanda = engaged.world.as_("wanda");
    wanda.post(&path, &json!({"visit": changed})).await
}

#[tokio::test]
async fn a_visit_moves_on_all_three_schedules_once_the_client_accepts() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let (ana, wanda) = (world.as_("ana"), world.as_("wanda"));
    let visit = engaged.book(&at_home("2026-03-10T09:00:00")).await;
    let asked = json!({
        "wish": "An hour later?", "times": {"starts": "2026-03-10T10:00:00", "minutes": 120}
    });
    let requests = format!("{visit}/change-requests");
    let request = ana.post(&requests, &asked).await.expect(201);
    assert_eq!(request["state"], "pending");
    assert_eq!(request["warning"], Value::Null);
    assert_eq!(request["times"], asked["times"]);
    let request = format!("{requests}/{}", request.string("id"));
    let told = engaged.told("wanda").await;
    assert_eq!(
        told,
        ["A change to a visit was asked for", "A visit was booked"]
    );
    let messages = format!("/v1/engagements/{}/messages", engaged.engagement);
    let lines = wanda.get(&messages).await.expect(200);
    assert!(
        lines.text().contains("change_requested"),
        "{}",
        lines.text()
    );
    let twice = ana.post(&requests, &asked).await;
    twice.expect_problem(409, "change-already-asked-for");

    // Half of the new time is the visit's own old time.
    let changed = at_home("2026-03-10T10:00:00");
    let proposal = propose_change(&engaged, &visit, &changed).await.expect(201);
    assert_eq!(
        proposal["changes"]["visit"],
        visit.replace("/v1/visits/", "")
    );
    let shown = async || ana.get(&request).await.expect(200)["state"].clone();
    assert_eq!(shown().await, "proposed");
    assert_eq!(engaged.begins().await, ["2026-03-10T09:00:00+11:00"]);
    let refused = json!({"reason": "No."});
    let refused = wanda.post(&format!("{request}/refusal"), &refused).await;
    refused.expect_problem(409, "change-request-proposed");

    let accepted = accept(world, "ana", &proposal).await.expect(201);
    assert_eq!(accepted["visit"], proposal["changes"]["visit"]);
    assert_eq!(shown().await, "resolved");
    assert_eq!(engaged.begins().await, ["2026-03-10T10:00:00+11:00"]);
    let moved = ana.get(&visit).await.expect(200);
    assert_eq!(moved["sequence"], 1);
    assert_eq!(moved["change_request"], Value::Null);
    assert_eq!(moved["proposal"], proposal["id"]);
    for subject in ["ana", "wanda"] {
        let told = engaged.told(subject).await;
        assert!(told.contains(&"A visit was changed".to_owned()), "{told:?}");
    }
    // The old time is free, the new one is taken.
    let bea = engaged.another_client("bea").await;
    for (starts, status) in [("2026-03-10T07:30:00", 201), ("2026-03-10T11:00:00", 409)] {
        let other = propose(world, "wanda", bea, &at_home(starts))
            .await
            .expect(201);
        accept(world, "bea", &other).await.expect(status);
    }
    let listed = ana.get(&requests).await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
}

/// From the night on which a month turns to the middle of another, and back.
#[tokio::test]
async fn a_visit_moves_across_months_and_leaves_nothing_behind() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    // Midnight in UTC, where the month of a sheet turns.
    let night = at_home("2026-04-01T10:00:00");
    let visit = engaged.book(&night).await;
    for (number, starts) in [
        "2026-05-20T09:00:00",
        "2026-04-30T23:00:00",
        "2026-04-01T09:00:00",
    ]
    .iter()
    .enumerate()
    {
        let changed = at_home(starts);
        let proposal = propose_change(&engaged, &visit, &changed).await.expect(201);
        accept(world, "ana", &proposal).await.expect(201);
        let shown = engaged.schedule().await;
        assert_eq!(shown.len(), 1);
        assert!(shown[0]["from"].as_str().unwrap().starts_with(starts));
        let moved = world.as_("ana").get(&visit).await.expect(200);
        assert_eq!(moved["sequence"], number + 1);
    }
    let shown = engaged.schedule().await;
    assert_eq!(
        visit,
        format!("/v1/visits/{}", shown[0]["visit"].as_str().unwrap())
    );
    // Where it was at first, and in between, there is time again for somebody else.
    let bea = engaged.another_client("bea").await;
    for starts in [
        "2026-05-20T09:00:00",
        "2026-04-30T23:00:00",
        "2026-04-01T11:30:00",
    ] {
        let other = propose(world, "wanda", bea, &at_home(starts))
            .await
            .expect(201);
        accept(world, "bea", &other).await.expect(201);
    }
}

#[tokio::test]
async fn whatever_does_not_come_to_an_acceptance_leaves_the_visit_as_it_is() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let (ana, wanda) = (world.as_("ana"), world.as_("wanda"));
    let booked = at_home("2026-03-10T09:00:00");
    let visit = engaged.book(&booked).await;
    let before = ana.get(&visit).await.expect(200);
    let requests = format!("{visit}/change-requests");
    let later = at_home("2026-03-10T15:00:00");
    let reason = json!({"reason": "Then not."});
    let stands = async || {
        let now = ana.get(&visit).await.expect(200);
        for field in ["from", "until", "sequence", "proposal", "state"] {
            assert_eq!(now[field], before[field], "{field}");
        }
        assert_eq!(engaged.begins().await, ["2026-03-10T09:00:00+11:00"]);
    };
    let ask = async || {
        let asked = ana.post(&requests, &wish("Later?")).await.expect(201);
        format!("{requests}/{}", asked.string("id"))
    };
    let state = async |request: &str| ana.get(request).await.expect(200)["state"].clone();

    // Refused by the support worker.
    let request = ask().await;
    let unexplained = wanda
        .post(&format!("{request}/refusal"), &json!({"reason": " "}))
        .await;
    assert_eq!(unexplained.expect(422).pointers(), ["/reason"]);
    let refused = wanda
        .post(&format!("{request}/refusal"), &reason)
        .await
        .expect(201);
    assert_eq!(refused["state"], "refused");
    assert_eq!(refused["refusal"]["reason"], "Then not.");
    let withdrawn = ana.post(&format!("{request}/withdrawal"), &json!({})).await;
    withdrawn.expect_problem(409, "change-request-refused");
    stands().await;

    // Declined by the client.
    let request = ask().await;
    let proposal = propose_change(&engaged, &visit, &later).await.expect(201);
    ana.post(&format!("{}/refusal", path_of(&proposal)), &reason)
        .await
        .expect(201);
    assert_eq!(state(&request).await, "refused");
    stands().await;

    // The proposal withdrawn: the request waits again.
    let request = ask().await;
    let proposal = propose_change(&engaged, &visit, &later).await.expect(201);
    let withdrawal = format!("{}/withdrawal", path_of(&proposal));
    wanda.post(&withdrawal, &json!({})).await.expect(201);
    assert_eq!(state(&request).await, "pending");
    stands().await;

    // The request withdrawn: the proposal that answers it comes to nothing.
    let proposal = propose_change(&engaged, &visit, &later).await.expect(201);
    let withdrawal = format!("{request}/withdrawal");
    wanda.post(&withdrawal, &json!({})).await.expect(403);
    ana.post(&withdrawal, &json!({})).await.expect(201);
    let refused = accept(world, "ana", &proposal).await;
    refused.expect_problem(409, "change-request-closed");
    stands().await;

    // Nobody answers until the visit begins: the proposal lapses, the request is refused.
    let request = ask().await;
    let proposal = propose_change(&engaged, &visit, &later).await.expect(201);
    assert_eq!(proposal["lapses_at"], "2026-03-09T00:00:00Z");
    world.advance(24 * 7 + 1).await;
    let lapsed = ana.get(&path_of(&proposal)).await.expect(200);
    assert_eq!(lapsed["state"], "lapsed");
    assert_eq!(state(&request).await, "refused");
    let late = accept(world, "ana", &proposal).await;
    late.expect_problem(409, "proposal-lapsed");
    stands().await;
}

#[tokio::test]
async fn a_change_applies_to_the_visit_as_it_was_when_it_was_proposed() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let visit = engaged.book(&at_home("2026-03-10T09:00:00")).await;
    let mut proposals = Vec::new();
    for starts in [
        "2026-03-10T12:00:00",
        "2026-03-11T12:00:00",
        "2026-03-12T12:00:00",
    ] {
        let proposal = propose_change(&engaged, &visit, &at_home(starts)).await;
        proposals.push(proposal.expect(201));
    }
    // All of them at the same moment: one wins.
    let answers = all_at_once(proposals.iter().map(|it| accept(world, "ana", it))).await;
    let won = answers
        .iter()
        .filter(|answer| answer.status() == 201)
        .count();
    assert_eq!(won, 1, "{answers:#?}");
    for refused in answers.into_iter().filter(|answer| answer.status() != 201) {
        refused.expect_problem(409, "proposal-visit-changed");
    }
    assert_eq!(engaged.schedule().await.len(), 1);

    // A visit that is off is not moved, and nothing can be asked of it any more.
    let last = propose_change(&engaged, &visit, &at_home("2026-03-20T09:00:00"))
        .await
        .expect(201);
    let ana = world.as_("ana");
    let requests = format!("{visit}/change-requests");
    let asked = ana.post(&requests, &wish("Later?")).await.expect(201);
    let reason = json!({"reason": "A mistake."});
    let cancellation = format!("{visit}/cancellation");
    world
        .administrator()
        .post(&cancellation, &reason)
        .await
        .expect(201);
    let refused = accept(world, "ana", &last).await;
    refused.expect_problem(409, "proposal-visit-changed");
    let request = format!("{requests}/{}", asked.string("id"));
    assert_eq!(ana.get(&request).await.expect(200)["state"], "overtaken");
    let withdrawn = ana.post(&format!("{request}/withdrawal"), &json!({})).await;
    withdrawn.expect_problem(409, "visit-not-to-come");
    let refused = ana.post(&requests, &wish("Earlier?")).await;
    refused.expect_problem(409, "visit-not-to-come");
    let refused = propose_change(&engaged, &visit, &at_home("2026-03-21T09:00:00")).await;
    refused.expect_problem(409, "visit-not-to-come");
    assert!(engaged.schedule().await.is_empty());
}

/// Clocks are put back in Sydney on 5 April 2026, at three in the morning: by the clock, 24 hours before noon it is
/// one o'clock.
#[tokio::test]
async fn the_warning_begins_one_second_after_twenty_four_elapsed_hours() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let ana = world.as_("ana");
    let noon = json!({
        "starts": "2026-04-05T12:00:00", "time_zone": "Australia/Sydney", "minutes": 120, "place": "home",
        "service": "social_support", "notes": ""
    });
    let proposal = {
        world.advance(30 * 24).await;
        engaged.propose(&noon).await.expect(201)
    };
    assert_eq!(proposal["current"]["from"], "2026-04-05T12:00:00+10:00");
    let accepted = accept(world, "ana", &proposal).await.expect(201);
    let visit = format!("/v1/visits/{}", accepted.string("visit"));
    let requests = format!("{visit}/change-requests");
    let exactly: DateTime<Utc> = "2026-04-04T02:00:00Z".parse().unwrap();

    world
        .advance_by(exactly - TimeDelta::seconds(1) - world.now())
        .await;
    for _ in 0..2 {
        // A second before, and exactly then.
        let asked = ana
            .post(&requests, &wish("In the evening?"))
            .await
            .expect(201);
        assert_eq!(asked["warning"], Value::Null);
        let withdrawal = format!("{requests}/{}/withdrawal", asked.string("id"));
        ana.post(&withdrawal, &json!({})).await.expect(201);
        world.advance_by(TimeDelta::seconds(1)).await;
    }
    let warned = ana.post(&requests, &wish("In the evening?")).await;
    let warned = warned.expect_problem(409, "change-warning");
    // 5 April is a Sunday, which these terms price like any other day.
    let warning = json!({
        "sequence": 0, "late": true,
        "may_cost": {"client_pays": 11_070, "worker_gets": 10_800, "service_keeps": 270}
    });
    assert_eq!(warned["warning"], warning);
    let stands = ana.get(&visit).await.expect(200);
    assert_eq!(stands["change_request"], Value::Null, "nothing was asked");

    // Anything but exactly this does not go through.
    for (field, value) in [("sequence", json!(1)), ("late", json!(false))] {
        let mut other = warning.clone();
        other[field] = value;
        let mut asked = wish("In the evening?");
        asked["acknowledged"] = other;
        let refused = ana.post(&requests, &asked).await;
        let refused = refused.expect_problem(409, "change-warning");
        assert_eq!(refused["warning"], warning);
    }
    let mut cheaper = wish("In the evening?");
    cheaper["acknowledged"] = warning.clone();
    cheaper["acknowledged"]["may_cost"]["client_pays"] = json!(1);
    ana.post(&requests, &cheaper)
        .await
        .expect_problem(409, "change-warning");

    let mut asked = wish("In the evening?");
    asked["acknowledged"] = warning.clone();
    let asked = ana.post(&requests, &asked).await.expect(201);
    assert_eq!(asked["warning"], warning);
    let proposal = engaged_change(&engaged, &visit).await;
    accept(world, "ana", &proposal).await.expect(201);

    // The visit has changed: a warning from before is another one than this.
    world.advance(20).await;
    let mut stale = wish("Tomorrow?");
    stale["acknowledged"] = warning.clone();
    let refused = ana.post(&requests, &stale).await;
    let refused = refused.expect_problem(409, "change-warning");
    assert_eq!(refused["warning"]["sequence"], 1);
    stale["acknowledged"] = refused["warning"].clone();
    ana.post(&requests, &stale).await.expect(201);
}

async fn engaged_change(engaged: &Engaged, visit: &str) -> Answer {
    let evening = json!({
        "starts": "2026-04-05T18:00:00", "time_zone": "Australia/Sydney", "minutes": 120, "place": "home",
        "service": "social_support", "notes": ""
    });
    propose_change(engaged, visit, &evening).await.expect(201)
}

#[tokio::test]
async fn every_fault_of_a_wish_names_its_field_and_changes_nothing() {
    let engaged = Engaged::settle().await;
    let ana = engaged.world.as_("ana");
    let visit = engaged.book(&at_home("2026-03-10T09:00:00")).await;
    let requests = format!("{visit}/change-requests");
    let times = |starts: &str, minutes: u32| {
        let times = json!({"starts": starts, "minutes": minutes});
        json!({"wish": "Then?", "times": times})
    };
    let proposal = engaged
        .propose(&at_home("2026-03-12T09:00:00"))
        .await
        .expect(201);
    let other_times = format!("{}/other-times", path_of(&proposal));
    for (wish, pointer) in [
        (wish(" "), "/wish"),
        (wish(&"x".repeat(501)), "/wish"),
        // Melbourne puts its clocks back on 5 April and forward on 4 October 2026.
        (times("2026-04-05T02:30:00", 60), "/times/starts"),
        (times("2026-10-04T02:30:00", 60), "/times/starts"),
        (times("2026-03-01T09:00:00", 60), "/times/starts"),
        (times("2027-03-04T09:00:00", 60), "/times/starts"),
        (times("2026-03-10T09:00:30", 60), "/times/starts"),
        (times("2026-03-10T12:00:00", 0), "/times/minutes"),
        (times("2026-03-10T12:00:00", 1441), "/times/minutes"),
    ] {
        let refused = ana.post(&requests, &wish).await;
        let refused = refused.expect_problem(422, "invalid-fields");
        assert_eq!(refused.pointers(), [pointer], "{wish}");
        if wish["times"].is_object() {
            let counter = json!({"text": "Then?", "times": wish["times"]});
            let refused = ana.post(&other_times, &counter).await;
            assert_eq!(refused.expect(422).pointers(), [pointer], "{wish}");
        }
    }
    let unknown = json!({"wish": "Then?", "when": "later"});
    ana.post(&requests, &unknown).await.expect(422);
    let wrong = at_home("2026-10-04T02:30:00");
    let refused = propose_change(&engaged, &visit, &wrong).await;
    assert_eq!(refused.expect(422).pointers(), ["/visit/starts"]);
    let listed = ana.get(&requests).await.expect(200);
    assert_eq!(listed["items"], json!([]));
    assert_eq!(
        ana.get(&visit).await.expect(200)["change_request"],
        Value::Null
    );
}

#[tokio::test]
async fn the_client_counters_with_times_of_their_own() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let (ana, wanda) = (world.as_("ana"), world.as_("wanda"));
    let visit = engaged.book(&at_home("2026-03-10T09:00:00")).await;
    let request = ana
        .post(&format!("{visit}/change-requests"), &wish("Later?"))
        .await
        .expect(201);
    let proposal = propose_change(&engaged, &visit, &at_home("2026-03-10T17:00:00"))
        .await
        .expect(201);
    let path = path_of(&proposal);
    let counter = json!({
        "text": "Not that late, please.", "times": {"starts": "2026-03-10T14:00:00", "minutes": 90}
    });
    let countered = ana
        .post(&format!("{path}/other-times"), &counter)
        .await
        .expect(201);
    assert_eq!(countered["state"], "open");
    assert_eq!(countered["other_times"][0]["times"], counter["times"]);
    let mut revised = at_home("2026-03-10T14:00:00");
    revised["minutes"] = json!(90);
    let series = json!({"visit": revised, "repeats": {"rule": "FREQ=WEEKLY;COUNT=3"}});
    let refused = wanda.post(&format!("{path}/revisions"), &series).await;
    assert_eq!(refused.expect(422).pointers(), ["/repeats"]);
    let revised = json!({"visit": revised});
    let revised = wanda
        .post(&format!("{path}/revisions"), &revised)
        .await
        .expect(201);
    let stale = accept(world, "ana", &proposal).await;
    stale.expect_problem(409, "proposal-stale-revision");
    accept(world, "ana", &revised).await.expect(201);
    assert_eq!(engaged.begins().await, ["2026-03-10T14:00:00+11:00"]);
    let request = format!("{visit}/change-requests/{}", request.string("id"));
    assert_eq!(ana.get(&request).await.expect(200)["state"], "resolved");
}

/// Wanda proposes twice; whatever is said of her first proposal, the second is what answers the request.
#[tokio::test]
async fn a_request_is_answered_by_the_last_proposal_also_while_the_first_is_talked_about() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let (ana, wanda) = (world.as_("ana"), world.as_("wanda"));
    let visit = engaged.book(&at_home("2026-03-10T09:00:00")).await;
    let requests = format!("{visit}/change-requests");
    let request = ana.post(&requests, &wish("Later?")).await.expect(201);
    let request = format!("{requests}/{}", request.string("id"));
    let first = propose_change(&engaged, &visit, &at_home("2026-03-10T17:00:00")).await;
    let second = propose_change(&engaged, &visit, &at_home("2026-03-10T14:00:00")).await;
    let (first, second) = (first.expect(201), second.expect(201));
    let other = json!({"text": "Not that late, please.", "times": null});
    ana.post(&format!("{}/other-times", path_of(&first)), &other)
        .await
        .expect(201);
    let shown = ana.get(&request).await.expect(200);
    assert_eq!(shown["proposal"], second["id"]);
    // So the end of the first is nothing to the request, and that of the second is.
    let withdraw = async |proposal: &Answer| {
        let withdrawal = format!("{}/withdrawal", path_of(proposal));
        wanda.post(&withdrawal, &json!({})).await.expect(201);
        ana.get(&request).await.expect(200)["state"].clone()
    };
    assert_eq!(withdraw(&first).await, "proposed");
    assert_eq!(withdraw(&second).await, "pending");
}

/// The new time is somebody else's: the visit keeps its own.
#[tokio::test]
async fn a_change_to_a_time_that_is_taken_leaves_everything_as_it_was() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let visit = engaged.book(&at_home("2026-03-10T09:00:00")).await;
    let bea = engaged.another_client("bea").await;
    let other = propose(world, "wanda", bea, &at_home("2026-03-10T14:00:00"))
        .await
        .expect(201);
    accept(world, "bea", &other).await.expect(201);
    let proposal = propose_change(&engaged, &visit, &at_home("2026-03-10T12:00:00"))
        .await
        .expect(201);
    let refused = accept(world, "ana", &proposal).await;
    refused.expect_problem(409, "support-worker-not-free");
    let shown = world.as_("ana").get(&visit).await.expect(200);
    assert_eq!(shown["from"], "2026-03-10T09:00:00+11:00");
    // Its own time is still taken: an hour of it cannot be had.
    let other = propose(world, "wanda", bea, &at_home("2026-03-10T10:00:00"))
        .await
        .expect(201);
    let refused = accept(world, "bea", &other).await;
    refused.expect_problem(409, "support-worker-not-free");
}

#[tokio::test]
async fn representatives_ask_for_the_client_and_nobody_asks_once_the_engagement_has_ended() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    settle_representative(world.context(), "rosa", engaged.client, |_| {}).await;
    let visit = engaged.book(&at_home("2026-03-10T09:00:00")).await;
    let requests = format!("{visit}/change-requests");
    let asked = world
        .as_("rosa")
        .post(&requests, &wish("Later?"))
        .await
        .expect(201);
    assert_eq!(
        asked["asked_by"]["on_behalf_of"],
        engaged.client.to_string()
    );
    world
        .as_("wanda")
        .post(&requests, &wish("Later?"))
        .await
        .expect(403);
    world
        .administrator()
        .post(&requests, &wish("Later?"))
        .await
        .expect(404);
    let key = Key::engagement(engaged.engagement);
    edit(world, &key, |it: &mut Engagement| {
        it.state = domain::engagement::EngagementState::Ended;
    })
    .await;
    let over = world.as_("ana").post(&requests, &wish("Later?")).await;
    over.expect_problem(403, "engagement-ended");
    let over = propose_change(&engaged, &visit, &at_home("2026-03-11T09:00:00")).await;
    over.expect_problem(403, "engagement-ended");
}
