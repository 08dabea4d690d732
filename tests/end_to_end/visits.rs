//! Visits: where the client lives, beginning and end, and what becomes of those that do not take place.

use chrono::TimeDelta;
use domain::access::StaffRole;
use domain::engagement::{Engagement, EngagementState};
use domain::support_worker::{SupportWorker, WorkerState};
use rapport_tests::people::{settle_client, settle_engagement, settle_staff, settle_worker};
use rapport_tests::visits::{agree_terms, at_home};
use serde_json::{Value, json};
use store::Key;

use crate::engaged::{ADDRESS, Engaged, accept, edit, path_of, propose};

#[tokio::test]
async fn only_the_support_worker_of_a_booked_visit_learns_where_the_client_lives() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    settle_staff(world.context(), "cora", StaffRole::Coordinator).await;
    let (ana, wanda, cora) = (world.as_("ana"), world.as_("wanda"), world.as_("cora"));
    let proposal = engaged
        .propose(&at_home("2026-03-03T09:00:00"))
        .await
        .expect(201);
    for (path, caller) in [(path_of(&proposal), wanda), (engaged.path(), wanda)] {
        let seen = caller.get(&path).await.expect(200);
        assert!(!seen.text().contains("Vulture"), "{}", seen.text());
    }
    let accepted = accept(world, "ana", &proposal).await.expect(201);
    let visit = format!("/v1/visits/{}", accepted.string("visit"));
    let shown = async || wanda.get(&visit).await.expect(200)["home_address"].clone();
    assert_eq!(shown().await, ADDRESS);
    for other in [ana, cora] {
        assert_eq!(
            other.get(&visit).await.expect(200)["home_address"],
            Value::Null
        );
    }
    for path in [
        path_of(&proposal),
        format!("/v1/support-workers/{}/schedule", engaged.worker),
    ] {
        let seen = wanda.get(&path).await.expect(200);
        assert!(!seen.text().contains("Vulture"), "{}", seen.text());
    }
    let meeting = json!({
        "starts": "2026-03-04T09:00:00", "time_zone": "Australia/Melbourne", "minutes": 120,
        "place": {"elsewhere": {"suburb": "Fitzroy", "address": "The pool's entrance"}},
        "service": "social_support", "notes": ""
    });
    let pool = engaged.book(&meeting).await;
    let pool = wanda.get(&pool).await.expect(200);
    assert_eq!(pool["home_address"], Value::Null);
    assert_eq!(pool["suburb"], "Fitzroy");
    assert_eq!(pool["place"], meeting["place"]);

    world.advance(22).await;
    wanda
        .post(&format!("{visit}/start"), &json!({}))
        .await
        .expect(201);
    assert_eq!(shown().await, ADDRESS);
    wanda
        .post(&format!("{visit}/completion"), &json!({}))
        .await
        .expect(201);
    assert_eq!(shown().await, Value::Null);

    let next = engaged.book(&at_home("2026-03-05T09:00:00")).await;
    assert_eq!(wanda.get(&next).await.expect(200)["home_address"], ADDRESS);
    let key = Key::engagement(engaged.engagement);
    edit(world, &key, |it: &mut Engagement| {
        it.state = EngagementState::Ended
    })
    .await;
    assert_eq!(
        wanda.get(&next).await.expect(200)["home_address"],
        Value::Null
    );
}

#[tokio::test]
async fn a_visit_begins_when_its_time_has_come_and_with_somebody_who_may() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let (ana, wanda) = (world.as_("ana"), world.as_("wanda"));
    let visit = engaged.book(&at_home("2026-03-03T09:00:00")).await;
    let (start, completion) = (format!("{visit}/start"), format!("{visit}/completion"));
    let nothing = json!({});
    world.advance_by(TimeDelta::minutes(21 * 60 + 29)).await;
    let early = wanda.post(&start, &nothing).await;
    early.expect_problem(409, "visit-early");
    let unbegun = wanda.post(&completion, &nothing).await;
    unbegun.expect_problem(409, "visit-not-started");
    world.advance_by(TimeDelta::minutes(1)).await;
    ana.post(&start, &nothing).await.expect(403);
    let worker = Key::worker(engaged.worker);
    let state = async |state: WorkerState| {
        edit(world, &worker, |it: &mut SupportWorker| it.state = state).await;
    };
    state(WorkerState::Suspended).await;
    let refused = wanda.post(&start, &nothing).await;
    refused.expect_problem(409, "support-worker-not-eligible");
    // What is booked stands while they pause.
    state(WorkerState::Paused).await;
    let started = wanda.post(&start, &nothing).await.expect(201);
    assert_eq!(started["state"], "started");
    assert_eq!(started["started_at"], "2026-03-02T21:30:00Z");
    let again = wanda.post(&start, &nothing).await;
    again.expect_problem(409, "visit-started");
    let reason = json!({"reason": "A mistake."});
    let cancellation = format!("{visit}/cancellation");
    let begun = world.administrator().post(&cancellation, &reason).await;
    begun.expect_problem(409, "visit-started");
    let completed = wanda.post(&completion, &nothing).await.expect(201);
    assert_eq!(completed["state"], "completed");
    assert_eq!(
        engaged.told("ana").await,
        [
            "A visit has begun",
            "A visit is coming up",
            "A visit was booked",
            "A visit was completed",
            "A visit was proposed"
        ]
    );
}

#[tokio::test]
async fn a_visit_booked_by_mistake_is_cancelled_by_staff_and_its_time_is_free_again() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    // On the night from one month to the next, so that it stands on two sheets of each.
    let night = at_home("2026-04-01T10:00:00");
    let visit = engaged.book(&night).await;
    let taken = engaged.propose(&night).await.expect(201);
    let refused = accept(world, "ana", &taken).await;
    refused.expect_problem(409, "client-not-free");
    let cancellation = format!("{visit}/cancellation");
    let ada = world.administrator();
    let reason = json!({"reason": "The day was misread."});
    settle_client(world.context(), "bea").await;
    world
        .as_("bea")
        .post(&cancellation, &reason)
        .await
        .expect(404);
    let unexplained = ada.post(&cancellation, &json!({"reason": " "})).await;
    assert_eq!(unexplained.expect(422).pointers(), ["/reason"]);
    let cancelled = ada.post(&cancellation, &reason).await.expect(201);
    assert_eq!(cancelled["state"], "cancelled");
    assert_eq!(cancelled["cancellation"]["reason"], reason["reason"]);
    let again = ada.post(&cancellation, &reason).await;
    again.expect_problem(409, "visit-cancelled");
    accept(world, "ana", &taken).await.expect(201);
    for subject in ["ana", "wanda"] {
        let told = engaged.told(subject).await;
        let of_visits = told.iter().filter(|it| *it != "A visit was proposed");
        assert!(of_visits.eq([
            "A visit was booked",
            "A visit was booked",
            "A visit was cancelled"
        ]));
    }
    let audit = visit.replace("/v1/visits/", "/v1/audit/visit/");
    let audit = ada.get(&audit).await.expect(200);
    assert_eq!(audit["items"][0]["operation"], "cancel_visit");
    assert_eq!(audit["items"][0]["reason"], reason["reason"]);
}

#[tokio::test]
async fn an_engagement_that_ends_leaves_no_visit_to_come() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let mut visits = Vec::new();
    for day in ["03", "04", "05", "06"] {
        let starts = format!("2026-03-{day}T09:00:00");
        visits.push(engaged.book(&at_home(&starts)).await);
    }
    let bea = engaged.another_client("bea").await;
    world.advance(22).await;
    let begun = visits.remove(0);
    let wanda = world.as_("wanda");
    wanda
        .post(&format!("{begun}/start"), &json!({}))
        .await
        .expect(201);

    let end = format!("/v1/engagements/{}/end", engaged.engagement);
    let ana = world.as_("ana");
    world.advance_by(TimeDelta::minutes(1)).await;
    // The visit of tomorrow is so close that its cancellation is charged for: two hours at 54.00, and 2.5 % on top.
    let charge = json!({"client_pays": 11_070, "worker_gets": 10_800, "service_keeps": 270});
    let less = json!({"client_pays": 11_069, "worker_gets": 10_799, "service_keeps": 270});
    for acknowledged in [Value::Null, less] {
        let unseen = json!({"reason": "I am moving away.", "acknowledged": acknowledged});
        let refused = ana.post(&end, &unseen).await;
        let refused = refused.expect_problem(409, "engagement-end-charge");
        assert_eq!(refused["charge"], charge);
    }
    let seen = json!({"reason": "I am moving away.", "acknowledged": charge});
    ana.post(&end, &seen).await.expect(201);
    world.settle().await;
    let nothing = json!({"client_pays": 0, "worker_gets": 0, "service_keeps": 0});
    let charges = [&charge, &nothing, &nothing];
    for (visit, charge) in visits.iter().zip(charges) {
        let shown = ana.get(visit).await.expect(200);
        assert_eq!(shown["state"], "cancelled");
        assert_eq!(shown["cancellation"]["side"], "client");
        assert_eq!(shown["cancellation"]["acting"], Value::Null);
        assert_eq!(&shown["charge"], charge, "{visit}");
    }
    // What has begun goes on to its end.
    assert_eq!(ana.get(&begun).await.expect(200)["state"], "started");
    let finish = format!("{begun}/completion");
    ana.post(&finish, &json!({})).await.expect(403);
    let finished = wanda.post(&finish, &json!({})).await.expect(201);
    assert_eq!(finished["state"], "completed");
    for subject in ["ana", "wanda"] {
        let told = engaged.told(subject).await;
        // The end says so, and each of them does not.
        assert!(told.contains(&"The engagement has ended".to_owned()));
        assert!(!told.contains(&"A visit was cancelled".to_owned()));
    }
    // Wanda's time is hers again.
    let proposal = propose(world, "wanda", bea, &at_home("2026-03-05T09:00:00")).await;
    accept(world, "bea", &proposal.expect(201))
        .await
        .expect(201);
}

/// Two records of one support worker: they are joined once nobody would have to be in two places.
#[tokio::test]
async fn records_are_not_merged_while_their_bookings_overlap_and_are_both_booked_afterwards() {
    let engaged = Engaged::settle().await;
    let (world, context) = (&engaged.world, engaged.world.context());
    let ada = world.administrator();
    // Wanda registered a second time, and has a client under that name too.
    let second = settle_worker(context, "wanda-again").await;
    let (client, bea) = settle_client(context, "bea").await;
    let with_terms = |it: &mut Engagement| agree_terms(context, it);
    let beas = settle_engagement(context, client, second, with_terms).await;
    engaged.book(&at_home("2026-03-05T09:00:00")).await;
    let proposal = propose(world, "wanda-again", beas, &at_home("2026-03-05T10:00:00")).await;
    let accepted = accept(world, "bea", &proposal.expect(201))
        .await
        .expect(201);
    let other = format!("/v1/visits/{}", accepted.string("visit"));

    let worker = context
        .store
        .get::<SupportWorker>(&Key::worker(second))
        .await
        .unwrap();
    let duplicate = worker.unwrap().value.person;
    let merges = format!("/v1/people/{duplicate}/merges");
    let merge = json!({"into": engaged.worker_person.to_string(), "reason": "Registered twice."});
    let refused = ada.post(&merges, &merge).await;
    refused.expect_problem(409, "bookings-overlap");
    // Nor are the two of one visit the same person.
    let themselves = json!({"into": bea.to_string(), "reason": "Registered twice."});
    let refused = ada.post(&merges, &themselves).await;
    refused.expect_problem(409, "bookings-overlap");

    let reason = json!({"reason": "Booked twice."});
    ada.post(&format!("{other}/cancellation"), &reason)
        .await
        .expect(201);
    // One that fits, which stays on the duplicate's sheet alone.
    let proposal = propose(world, "wanda-again", beas, &at_home("2026-03-06T09:00:00")).await;
    let kept = accept(world, "bea", &proposal.expect(201))
        .await
        .expect(201);
    ada.post(&merges, &merge).await.expect(201);

    let (ana_wants, free) = (
        at_home("2026-03-06T10:00:00"),
        at_home("2026-03-07T09:00:00"),
    );
    let taken = engaged.propose(&ana_wants).await.expect(201);
    let refused = accept(world, "ana", &taken).await;
    refused.expect_problem(409, "support-worker-not-free");
    let joint = engaged.book(&free).await;
    let proposal = propose(world, "wanda", beas, &free).await.expect(201);
    let refused = accept(world, "bea", &proposal).await;
    refused.expect_problem(409, "support-worker-not-free");
    let schedule = format!("/v1/support-workers/{second}/schedule");
    let schedule = world.as_("wanda").get(&schedule).await.expect(200);
    assert_eq!(schedule["items"].as_array().unwrap().len(), 1);
    assert_eq!(schedule["items"][0]["visit"], kept["visit"]);

    // Whatever was booked on both is free on both once it is cancelled.
    ada.post(&format!("{joint}/cancellation"), &reason)
        .await
        .expect(201);
    let joint = accept(world, "bea", &proposal).await.expect(201);

    // Parted again, either has the time that was booked for the other.
    let parting = json!({"reason": "Two people after all."});
    let unmerges = format!("/v1/people/{duplicate}/unmerges");
    ada.post(&unmerges, &parting).await.expect(201);
    for wanted in [&ana_wants, &free] {
        engaged.book(wanted).await;
    }
    let schedule = format!("/v1/support-workers/{second}/schedule");
    let schedule = world.as_("wanda-again").get(&schedule).await.expect(200);
    let shown = schedule["items"].as_array().unwrap().iter();
    let shown: Vec<&Value> = shown.map(|item| &item["visit"]).collect();
    assert_eq!(shown, [&kept["visit"], &joint["visit"]]);
    let refused = ada.post(&merges, &merge).await;
    refused.expect_problem(409, "bookings-overlap");
}
