//! The day itself: real times, what they come to, disputes, reminders, and visits that do not begin.

use chrono::TimeDelta;
use domain::access::StaffRole;
use domain::id::VisitId;
use domain::visit::Visit;
use rapport_tests::people::settle_staff;
use rapport_tests::visits::at_home;
use rapport_tests::world::World;
use serde_json::{Value, json};
use store::Key;

use crate::engaged::Engaged;

/// Nine o'clock in Melbourne.
const STARTS: &str = "2026-03-03T09:00:00";
const FROM: &str = "2026-03-02T22:00:00Z";

/// Booked, begun at its time, and finished after so many minutes.
async fn worked(engaged: &Engaged, minutes: i64) -> String {
    let world = &engaged.world;
    let wanda = world.as_("wanda");
    let visit = engaged.book(&at_home(STARTS)).await;
    world.advance_to(FROM).await;
    let start = format!("{visit}/start");
    wanda.post(&start, &json!({})).await.expect(201);
    world.advance_by(TimeDelta::minutes(minutes)).await;
    let completion = format!("{visit}/completion");
    wanda.post(&completion, &json!({})).await.expect(201);
    visit
}

fn times(told: &[String], subject: &str) -> usize {
    told.iter().filter(|it| *it == subject).count()
}

#[tokio::test]
async fn a_visit_began_and_ended_when_it_really_did() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let wanda = world.as_("wanda");
    let visit = engaged.book(&at_home(STARTS)).await;
    let (start, completion) = (format!("{visit}/start"), format!("{visit}/completion"));
    let at = |at: &str| json!({"at": at});
    world.advance_to("2026-03-02T22:40:00Z").await;
    for wrong in [
        "2026-03-02T22:40:01Z",
        "2026-03-02T21:29:59Z",
        "2026-03-01T22:00:00Z",
    ] {
        let refused = wanda.post(&start, &at(wrong)).await.expect(422);
        assert_eq!(refused.pointers(), ["/at"], "{wrong}");
    }
    for wrong in ["soon", "2026-03-03T09:05:00"] {
        let refused = wanda.post(&start, &at(wrong)).await.expect(422);
        assert_eq!(refused.pointers(), ["/at"], "{wrong}");
    }
    let begun = wanda.post(&start, &at("2026-03-03T09:05:00+11:00")).await;
    assert_eq!(begun.expect(201)["started_at"], "2026-03-02T22:05:00Z");
    world.advance_to("2026-03-03T02:00:00Z").await;
    for wrong in ["2026-03-03T02:00:01Z", "2026-03-02T22:04:59Z"] {
        let refused = wanda.post(&completion, &at(wrong)).await.expect(422);
        assert_eq!(refused.pointers(), ["/at"], "{wrong}");
    }
    let done = wanda.post(&completion, &at("2026-03-03T00:09:40Z")).await;
    let done = done.expect(201);
    assert_eq!(done["completed_at"], "2026-03-03T00:09:40Z");
    assert_eq!(done["worked"]["minutes"], 125);
    assert_eq!(done["worked"]["recorded_at"], "2026-03-03T02:00:00Z");
    // 125 minutes at 54.00, and 2.5 % of it.
    let price = json!({"client_pays": 11_531, "worker_gets": 11_250, "service_keeps": 281});
    assert_eq!(done["worked"]["price"]["total"], price);
    assert_eq!(done["charge"]["client_pays"], 0);
}

#[tokio::test]
async fn whoever_forgot_to_finish_says_when_it_was() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let wanda = world.as_("wanda");
    let visit = engaged.book(&at_home(STARTS)).await;
    world.advance_to(FROM).await;
    wanda
        .post(&format!("{visit}/start"), &json!({}))
        .await
        .expect(201);
    world.advance(26).await;
    world.advance_by(TimeDelta::seconds(1)).await;
    let completion = format!("{visit}/completion");
    let forgotten = wanda.post(&completion, &json!({})).await.expect(422);
    assert_eq!(forgotten.pointers(), ["/at"]);
    let at = json!({"at": "2026-03-03T00:00:00Z"});
    let done = wanda.post(&completion, &at).await.expect(201);
    assert_eq!(done["worked"]["minutes"], 120);
}

#[tokio::test]
async fn left_alone_it_confirms_itself_after_a_day_at_no_more_than_was_booked() {
    for (minutes, pays) in [(90, 8_303), (120, 11_070), (180, 11_070)] {
        let engaged = Engaged::settle().await;
        let world = &engaged.world;
        let ana = world.as_("ana");
        let visit = worked(&engaged, minutes).await;
        world.advance_by(TimeDelta::seconds(24 * 3600 - 1)).await;
        assert_eq!(ana.get(&visit).await.expect(200)["state"], "completed");
        world.advance_by(TimeDelta::seconds(1)).await;
        let confirmed = ana.get(&visit).await.expect(200);
        assert_eq!(confirmed["state"], "confirmed", "{minutes}");
        assert_eq!(confirmed["confirmation"]["by"], "silence");
        assert_eq!(confirmed["charge"]["client_pays"], pays, "{minutes}");
        for subject in ["ana", "wanda"] {
            assert_eq!(
                times(&engaged.told(subject).await, "A visit was confirmed"),
                1
            );
        }
    }
}

#[tokio::test]
async fn the_client_confirms_exactly_what_was_written_down() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let (ana, wanda) = (world.as_("ana"), world.as_("wanda"));
    let visit = worked(&engaged, 180).await;
    let confirmation = format!("{visit}/confirmation");
    let shown = ana.get(&visit).await.expect(200);
    let seen = json!({"minutes": 180, "charge": shown["worked"]["price"]["total"]});
    wanda.post(&confirmation, &seen).await.expect(403);
    for stale in [
        json!({"minutes": 120, "charge": seen["charge"]}),
        json!({"minutes": 180, "charge": shown["price"]["total"]}),
    ] {
        let refused = ana.post(&confirmation, &stale).await;
        let refused = refused.expect_problem(409, "visit-recorded-otherwise");
        assert_eq!(refused["recorded"], seen);
    }
    let confirmed = ana.post(&confirmation, &seen).await.expect(201);
    assert_eq!(confirmed["state"], "confirmed");
    assert_eq!(confirmed["charge"], seen["charge"]);
    let again = ana.post(&confirmation, &seen).await;
    again.expect_problem(409, "visit-confirmed");
    // Silence has nothing to add.
    world.advance(48).await;
    let shown = ana.get(&visit).await.expect(200);
    assert_eq!(shown["confirmation"], confirmed["confirmation"]);
}

#[tokio::test]
async fn a_visit_is_disputed_for_28_days_and_settled_by_those_who_hear_disputes() {
    let engaged = Engaged::settle().await;
    let (world, context) = (&engaged.world, engaged.world.context());
    settle_staff(context, "mina", StaffRole::Mediator).await;
    let (ana, wanda, mina) = (world.as_("ana"), world.as_("wanda"), world.as_("mina"));
    let visit = worked(&engaged, 120).await;
    let (dispute, settlement) = (
        format!("{visit}/dispute"),
        format!("{visit}/dispute-settlement"),
    );
    let settle = |minutes: u32| json!({"payable_minutes": minutes, "reason": "Both agree on it."});
    mina.get(&visit).await.expect(403);
    let calm = mina.post(&settlement, &settle(60)).await;
    calm.expect_problem(409, "visit-not-disputed");
    // It has been confirmed by silence long since.
    world.advance(28 * 24).await;
    assert_eq!(
        ana.get(&visit).await.expect(200)["charge"]["client_pays"],
        11_070
    );
    let reason = json!({"reason": "She left after an hour."});
    wanda.post(&dispute, &reason).await.expect(403);
    let unexplained = ana.post(&dispute, &json!({"reason": ""})).await;
    assert_eq!(unexplained.expect(422).pointers(), ["/reason"]);
    let disputed = ana.post(&dispute, &reason).await.expect(201);
    assert_eq!(disputed["state"], "disputed");
    assert_eq!(disputed["charge"]["client_pays"], 0);
    let tickets = mina.get("/v1/tickets?queue=visits").await.expect(200);
    assert_eq!(tickets["items"][0]["cause"], "visit_disputed");
    assert_eq!(
        visit,
        format!(
            "/v1/visits/{}",
            tickets["items"][0]["subject"].as_str().unwrap()
        )
    );
    // Now it is theirs to see.
    assert_eq!(
        mina.get(&visit).await.expect(200)["dispute"]["reason"],
        reason["reason"]
    );
    world
        .administrator()
        .post(&settlement, &settle(60))
        .await
        .expect(403);
    let more = mina.post(&settlement, &settle(121)).await.expect(422);
    assert_eq!(more.pointers(), ["/payable_minutes"]);
    let settled = mina.post(&settlement, &settle(60)).await.expect(201);
    assert_eq!(settled["state"], "confirmed");
    assert_eq!(settled["confirmation"]["by"], "settlement");
    assert_eq!(settled["charge"]["client_pays"], 5_535);
    let again = ana.post(&dispute, &reason).await;
    again.expect_problem(409, "dispute-settled");
    for subject in ["ana", "wanda"] {
        let told = engaged.told(subject).await;
        assert_eq!(times(&told, "A visit was disputed"), 1);
        assert_eq!(times(&told, "A dispute about a visit was settled"), 1);
    }
}

#[tokio::test]
async fn after_28_days_it_is_too_late_for_a_dispute() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let visit = worked(&engaged, 120).await;
    world
        .advance_by(TimeDelta::days(28) + TimeDelta::seconds(1))
        .await;
    let reason = json!({"reason": "She left after an hour."});
    let late = world
        .as_("ana")
        .post(&format!("{visit}/dispute"), &reason)
        .await;
    late.expect_problem(409, "dispute-too-late");
}

#[tokio::test]
async fn both_are_reminded_of_a_visit_and_of_none_that_was_cancelled_or_has_begun() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let (ana, wanda) = (world.as_("ana"), world.as_("wanda"));
    const REMINDER: &str = "A visit is coming up";
    let kept = engaged.book(&at_home("2026-03-10T09:00:00")).await;
    let cancelled = engaged.book(&at_home("2026-03-10T14:00:00")).await;
    let reminded = async || {
        let (one, other) = (engaged.told("ana").await, engaged.told("wanda").await);
        assert_eq!(times(&one, REMINDER), times(&other, REMINDER));
        times(&one, REMINDER)
    };
    world.advance_to("2026-03-07T21:59:59Z").await;
    assert_eq!(reminded().await, 0);
    let reason = json!({"reason": "Away on that day."});
    ana.post(&format!("{cancelled}/cancellation"), &reason)
        .await
        .expect(201);
    world.advance_to("2026-03-07T22:00:00Z").await;
    assert_eq!(reminded().await, 1);
    world.advance_to("2026-03-09T19:59:59Z").await;
    assert_eq!(reminded().await, 1);
    world.advance_to("2026-03-09T20:00:00Z").await;
    assert_eq!(reminded().await, 2);
    world.advance_to("2026-03-09T21:30:00Z").await;
    wanda
        .post(&format!("{kept}/start"), &json!({}))
        .await
        .expect(201);
    world.advance_to("2026-03-11T00:00:00Z").await;
    assert_eq!(reminded().await, 2);
}

#[tokio::test]
async fn reminders_follow_a_visit_that_is_moved() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let visit = engaged.book(&at_home("2026-03-10T09:00:00")).await;
    let id: VisitId = visit.rsplit('/').next().unwrap().parse().unwrap();
    // As a change that was accepted moves it: its row is armed anew, the old one is still there.
    let context = world.context();
    let was = context
        .store
        .get::<Visit>(&Key::visit(id))
        .await
        .unwrap()
        .unwrap();
    let week = TimeDelta::days(7);
    let moved = Visit {
        from: was.value.from + week,
        until: was.value.until + week,
        ..was.value.clone()
    };
    let policy = context.store.policy().await.unwrap();
    let moved = moved.armed(&policy, world.now());
    let row = domain::due::DueRow {
        due: domain::due::Due::VisitDeadline { visit: id },
        at: moved.deadline.unwrap().at,
        generation: moved.deadline_generation,
    };
    let audit = context.audit(store::Actor::Service, "settle", &Key::visit(id));
    let commit = store::Commit::new(audit).replace(&was, &moved);
    let commit = commit.due_of(&Key::visit(id), row);
    context.store.commit(commit).await.unwrap();
    let reminded = async || times(&engaged.told("ana").await, "A visit is coming up");
    world.advance_to("2026-03-14T21:59:59Z").await;
    assert_eq!(reminded().await, 0);
    world.advance_to("2026-03-14T22:00:00Z").await;
    assert_eq!(reminded().await, 1);
    world.advance_to("2026-03-16T20:00:00Z").await;
    assert_eq!(reminded().await, 2);
}

#[tokio::test]
async fn a_visit_that_does_not_begin_is_missed_and_costs_nothing() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let (ana, wanda) = (world.as_("ana"), world.as_("wanda"));
    let visit = engaged.book(&at_home(STARTS)).await;
    world.advance_to("2026-03-02T22:14:59Z").await;
    assert_eq!(
        times(&engaged.told("ana").await, "A visit has not begun"),
        0
    );
    world.advance_to("2026-03-02T22:15:00Z").await;
    assert_eq!(
        times(&engaged.told("ana").await, "A visit has not begun"),
        1
    );
    assert_eq!(
        times(&engaged.told("wanda").await, "A visit has not begun"),
        1
    );
    // Not essential: nobody has to call. There is nobody else who could come, and staff know.
    assert_eq!(causes(&tickets(world).await), ["cover_unfilled"]);
    world.advance_to("2026-03-03T00:14:59Z").await;
    assert_eq!(ana.get(&visit).await.expect(200)["state"], "booked");
    world.advance_to("2026-03-03T00:15:00Z").await;
    let missed = ana.get(&visit).await.expect(200);
    assert_eq!(
        (&missed["state"], &missed["charge"]["client_pays"]),
        (&json!("missed"), &json!(0))
    );
    let late = wanda.post(&format!("{visit}/start"), &json!({})).await;
    late.expect_problem(409, "visit-missed");
    for subject in ["ana", "wanda"] {
        assert_eq!(
            times(&engaged.told(subject).await, "A visit did not take place"),
            1
        );
    }
}

/// Whoever came and never said so is not left without pay, nor does silence make the client pay.
#[tokio::test]
async fn a_visit_that_counts_as_missed_can_be_written_down_and_waits_for_the_client() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let (ana, wanda) = (world.as_("ana"), world.as_("wanda"));
    let visit = engaged.book(&at_home(STARTS)).await;
    world.advance_to("2026-03-03T00:15:00Z").await;
    let path = format!("{visit}/correction");
    let real = |from: &str, until: &str| json!({"started_at": from, "completed_at": until});
    let another_day = real("2026-03-03T00:05:00Z", "2026-03-03T00:10:00Z");
    let another_day = wanda.post(&path, &another_day).await;
    assert_eq!(another_day.expect(422).pointers(), ["/started_at"]);
    let times_of = real("2026-03-02T22:00:00Z", "2026-03-02T23:30:00Z");
    ana.post(&path, &times_of).await.expect(403);
    let recorded = wanda.post(&path, &times_of).await.expect(201);
    assert_eq!(recorded["state"], "completed");
    assert_eq!(recorded["worked"]["after_missed"], true);
    let told = engaged.told("ana").await;
    let written = "A visit that counted as missed was written down";
    assert_eq!(times(&told, written), 1, "{told:?}");
    let found = tickets(world).await;
    assert_eq!(causes(&found), ["cover_unfilled", "visit_recorded_late"]);
    // A day of silence, and another: nothing is charged.
    world.advance_to("2026-03-05T00:15:00Z").await;
    let silent = ana.get(&visit).await.expect(200);
    assert_eq!(silent["state"], "completed");
    assert_eq!(silent["charge"]["client_pays"], 0);
    let seen = json!({"minutes": 90, "charge": silent["worked"]["price"]["total"]});
    let confirmed = ana.post(&format!("{visit}/confirmation"), &seen).await;
    assert_eq!(confirmed.expect(201)["state"], "confirmed");
}

#[tokio::test]
async fn a_visit_that_is_never_said_to_be_over_is_asked_about_and_then_looked_into() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let wanda = world.as_("wanda");
    let visit = engaged.book(&at_home(STARTS)).await;
    world.advance_to("2026-03-02T22:00:00Z").await;
    let started = wanda.post(&format!("{visit}/start"), &json!({})).await;
    assert_ne!(started.expect(201)["home_address"], Value::Null);
    // It ends at midnight.
    world.advance_to("2026-03-03T00:59:59Z").await;
    let asked = async || times(&engaged.told("wanda").await, "A visit should be over");
    assert_eq!(asked().await, 0);
    world.advance_to("2026-03-03T01:00:00Z").await;
    assert_eq!(asked().await, 1);
    assert_eq!(
        times(&engaged.told("ana").await, "A visit should be over"),
        0
    );
    assert!(tickets(world).await.is_empty());
    world.advance_to("2026-03-04T00:00:00Z").await;
    assert_eq!(causes(&tickets(world).await), ["visit_not_finished"]);
    // By now there is nobody to find there.
    let shown = wanda.get(&visit).await.expect(200);
    assert_eq!(shown["home_address"], Value::Null);
    let really = json!({"at": "2026-03-03T00:00:00Z"});
    let finished = wanda.post(&format!("{visit}/completion"), &really).await;
    assert_eq!(finished.expect(201)["worked"]["minutes"], 120);
}

/// The tickets about visits, by their causes.
async fn tickets(world: &World) -> Vec<Value> {
    let path = "/v1/tickets?queue=visits";
    let found = world.administrator().get(path).await.expect(200);
    let mut tickets = found["items"].as_array().unwrap().clone();
    tickets.sort_by_key(|ticket| ticket["cause"].to_string());
    tickets
}

fn causes(tickets: &[Value]) -> Vec<&str> {
    let causes = tickets.iter().map(|ticket| ticket["cause"].as_str());
    causes.map(Option::unwrap).collect()
}

#[tokio::test]
async fn an_essential_visit_that_does_not_begin_has_staff_call_the_client() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let mut essential = at_home(STARTS);
    essential["essential"] = json!(true);
    let visit = engaged.book(&essential).await;
    assert_eq!(
        world.as_("ana").get(&visit).await.expect(200)["essential"],
        true
    );
    world.advance_to("2026-03-02T22:15:00Z").await;
    let tickets = tickets(world).await;
    assert_eq!(causes(&tickets), ["cover_unfilled", "welfare_call"]);
    let ticket = &tickets[1];
    assert_eq!(ticket["due_at"], "2026-03-02T23:15:00Z");
    assert!(visit.ends_with(ticket["subject"].as_str().unwrap()));
}

#[tokio::test]
async fn a_late_beginning_is_no_miss() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let wanda = world.as_("wanda");
    let visit = engaged.book(&at_home(STARTS)).await;
    world.advance_to("2026-03-02T22:30:00Z").await;
    let at = json!({"at": "2026-03-02T22:20:00Z"});
    wanda.post(&format!("{visit}/start"), &at).await.expect(201);
    world.advance(3).await;
    assert_eq!(wanda.get(&visit).await.expect(200)["state"], "started");
    let done = wanda.post(&format!("{visit}/completion"), &json!({})).await;
    assert_eq!(done.expect(201)["worked"]["minutes"], 190);
}

#[tokio::test]
async fn minutes_without_an_agreed_rate_cost_nothing() {
    let engaged = Engaged::settle_with(|engagement| {
        let terms = &mut engagement.terms.as_mut().unwrap().terms;
        let rates = &mut terms.services[0].rates;
        rates.retain(|rate| rate.band == domain::terms::TimeBand::WeekdayDaytime);
    })
    .await;
    let world = &engaged.world;
    let wanda = world.as_("wanda");
    // From five to seven in the evening; from eight on there is no rate.
    let visit = engaged.book(&at_home("2026-03-03T17:00:00")).await;
    world.advance_to("2026-03-03T06:00:00Z").await;
    wanda
        .post(&format!("{visit}/start"), &json!({}))
        .await
        .expect(201);
    world.advance(4).await;
    let done = wanda.post(&format!("{visit}/completion"), &json!({})).await;
    let worked = &done.expect(201)["worked"].clone();
    assert_eq!(
        (&worked["minutes"], &worked["unpriced_minutes"]),
        (&json!(240), &json!(60))
    );
    assert_eq!(worked["price"]["total"]["worker_gets"], 3 * 5_400);
}

#[tokio::test]
async fn a_correction_is_new_to_the_client_and_over_once_they_have_answered() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let (ana, wanda) = (world.as_("ana"), world.as_("wanda"));
    let visit = worked(&engaged, 180).await;
    let (correction, confirmation) = (
        format!("{visit}/correction"),
        format!("{visit}/confirmation"),
    );
    let before = ana.get(&visit).await.expect(200);
    let seen = json!({"minutes": 180, "charge": before["worked"]["price"]["total"]});
    world.advance(23).await;
    let times_of = |from: &str, until: &str| json!({"started_at": from, "completed_at": until});
    for (wrong, pointer) in [
        (
            times_of("2026-03-02T21:29:59Z", "2026-03-03T00:00:00Z"),
            "/started_at",
        ),
        (times_of(FROM, "2026-03-04T00:00:01Z"), "/completed_at"),
        (times_of(FROM, "2026-03-02T21:59:59Z"), "/completed_at"),
    ] {
        let refused = wanda.post(&correction, &wrong).await.expect(422);
        assert_eq!(refused.pointers(), [pointer], "{wrong}");
    }
    let right = times_of("2026-03-02T22:10:00Z", "2026-03-03T00:10:00Z");
    ana.post(&correction, &right).await.expect(403);
    let corrected = wanda.post(&correction, &right).await.expect(201);
    assert_eq!(corrected["worked"]["minutes"], 120);
    assert_eq!(
        times(
            &engaged.told("ana").await,
            "What was written down of a visit was corrected"
        ),
        1
    );
    // What Ana saw before does not count any more, and she has another day.
    let stale = ana.post(&confirmation, &seen).await;
    stale.expect_problem(409, "visit-recorded-otherwise");
    world.advance_by(TimeDelta::seconds(24 * 3600 - 1)).await;
    assert_eq!(ana.get(&visit).await.expect(200)["state"], "completed");
    world.advance_by(TimeDelta::seconds(1)).await;
    assert_eq!(
        ana.get(&visit).await.expect(200)["charge"]["client_pays"],
        11_070
    );
    let late = wanda.post(&correction, &right).await;
    late.expect_problem(409, "visit-confirmed");
}
