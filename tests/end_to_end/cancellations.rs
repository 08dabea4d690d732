//! Cancelling a visit: what it costs whom, seen before it is done, and let go by staff.

use chrono::TimeDelta;
use domain::access::StaffRole;
use rapport_tests::people::{settle_representative, settle_staff};
use rapport_tests::visits::at_home;
use serde_json::{Value, json};

use crate::all_at_once;
use crate::engaged::{Engaged, accept};

/// Two hours at 54.00, with 2.5 % on top.
fn whole() -> Value {
    json!({"client_pays": 11_070, "worker_gets": 10_800, "service_keeps": 270})
}

fn nothing() -> Value {
    json!({"client_pays": 0, "worker_gets": 0, "service_keeps": 0})
}

/// A scheme that pays for Ana's support from now on.
async fn fund(engaged: &Engaged, cancellation: &Value, holidays: &Value) {
    let ada = engaged.world.administrator();
    let rules = json!({
        "name": "Home support", "caps": [], "holidays": holidays, "cancellation": cancellation
    });
    let scheme = "/v1/funding-schemes/home-support";
    ada.put(scheme, "\"0\"", &rules).await.expect(200);
    let client = format!("/v1/clients/{}", engaged.client);
    let etag = ada.get(&client).await.expect(200).etag();
    let funding = json!({"scheme": "home-support", "reason": "The scheme's letter."});
    let put = ada.put(&format!("{client}/funding"), &etag, &funding).await;
    put.expect(200);
}

#[tokio::test]
async fn a_client_cancels_at_exactly_the_charge_that_was_quoted() {
    let engaged = Engaged::settle().await;
    let (world, context) = (&engaged.world, engaged.world.context());
    settle_representative(context, "rosa", engaged.client, |_| {}).await;
    let (ana, rosa, wanda) = (world.as_("ana"), world.as_("rosa"), world.as_("wanda"));
    // At 22:00 on Monday by the clock of the world.
    let visit = engaged.book(&at_home("2026-03-10T09:00:00")).await;
    let (quote, cancellation) = (
        format!("{visit}/cancellation-quote"),
        format!("{visit}/cancellation"),
    );
    world.advance_to("2026-03-08T22:00:00Z").await;
    let free = ana.get(&quote).await.expect(200);
    assert_eq!(
        *free.json(),
        json!({
            "side": "client", "charges": false, "charge": nothing(),
            "free_until": "2026-03-08T22:00:00Z",
            "rules": {"notice": {"hours": 24}, "charge_basis_points": 10_000}
        })
    );
    world.advance_to("2026-03-08T22:00:01Z").await;
    let charged = rosa.get(&quote).await.expect(200);
    assert_eq!(
        (&charged["charges"], &charged["charge"]),
        (&json!(true), &whole())
    );
    // To the support worker, and to staff, it costs nothing.
    for (caller, side) in [
        (wanda, json!("worker")),
        (world.administrator(), Value::Null),
    ] {
        let theirs = caller.get(&quote).await.expect(200);
        assert_eq!((&theirs["side"], &theirs["charge"]), (&side, &nothing()));
    }

    let unseen = json!({"reason": "My daughter comes to stay."});
    for stale in [
        unseen.clone(),
        json!({"reason": unseen["reason"], "charge": nothing()}),
        json!({"reason": unseen["reason"], "charge": {
            "client_pays": 11_069, "worker_gets": 10_799, "service_keeps": 270
        }}),
    ] {
        let refused = rosa.post(&cancellation, &stale).await;
        let refused = refused.expect_problem(409, "cancellation-charge");
        assert_eq!(refused["quote"], *charged.json());
    }
    let unexplained = json!({"reason": " ", "charge": whole()});
    let unexplained = rosa.post(&cancellation, &unexplained).await;
    assert_eq!(unexplained.expect(422).pointers(), ["/reason"]);
    assert_eq!(ana.get(&visit).await.expect(200)["state"], "booked");

    let seen = json!({"reason": unseen["reason"], "charge": charged["charge"]});
    let cancelled = rosa.post(&cancellation, &seen).await.expect(201);
    assert_eq!(cancelled["state"], "cancelled");
    assert_eq!(cancelled["charge"], whole());
    assert_eq!(cancelled["sequence"], 1);
    let kept = &cancelled["cancellation"];
    assert_eq!(
        (&kept["side"], &kept["charge"]),
        (&json!("client"), &whole())
    );
    let again = rosa.post(&cancellation, &seen).await;
    again.expect_problem(409, "visit-cancelled");
    let over = ana.get(&quote).await;
    over.expect_problem(409, "visit-cancelled");

    // Both people's time is free again.
    let taken = engaged.propose(&at_home("2026-03-10T09:00:00")).await;
    accept(world, "ana", &taken.expect(201)).await.expect(201);
    for subject in ["ana", "rosa", "wanda"] {
        let told = engaged.told(subject).await;
        let off = told.iter().filter(|it| *it == "A visit was cancelled");
        assert_eq!(off.count(), 1, "{subject} {told:?}");
    }
}

#[tokio::test]
async fn clear_business_days_leave_out_weekends_and_the_schemes_holidays() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let ana = world.as_("ana");
    let rules = json!({"notice": {"clear_business_days": 2}, "charge_basis_points": 5_000});
    // A Monday is a holiday.
    fund(&engaged, &rules, &json!(["2026-03-09"])).await;
    // On a Tuesday: Friday and Thursday lie clear, so that Wednesday is the last day, to midnight in Melbourne.
    let visit = engaged.book(&at_home("2026-03-10T09:00:00")).await;
    let quote = format!("{visit}/cancellation-quote");
    world.advance_to("2026-03-04T12:59:59Z").await;
    let free = ana.get(&quote).await.expect(200);
    assert_eq!(
        (&free["charges"], &free["charge"]),
        (&json!(false), &nothing())
    );
    assert_eq!(free["free_until"], "2026-03-04T12:59:59Z");
    world.advance_to("2026-03-04T13:00:00Z").await;
    let charged = ana.get(&quote).await.expect(200);
    let half = json!({"client_pays": 5_535, "worker_gets": 5_400, "service_keeps": 135});
    assert_eq!(charged["charge"], half);
    let reason = json!({"reason": "I am away.", "charge": half});
    let cancellation = format!("{visit}/cancellation");
    let cancelled = ana.post(&cancellation, &reason).await.expect(201);
    assert_eq!(cancelled["charge"], half);
}

#[tokio::test]
async fn a_support_worker_cancels_at_no_charge_to_anybody() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let wanda = world.as_("wanda");
    for (starts, cancels_at) in [
        ("2026-03-10T09:00:00", "2026-03-05T00:00:00Z"),
        // An hour before its time.
        ("2026-03-11T09:00:00", "2026-03-10T21:00:00Z"),
    ] {
        let visit = engaged.book(&at_home(starts)).await;
        world.advance_to(cancels_at).await;
        let cancellation = format!("{visit}/cancellation");
        let forged = json!({"reason": "I am ill.", "charge": whole()});
        let refused = wanda.post(&cancellation, &forged).await;
        refused.expect_problem(409, "cancellation-charge");
        let reason = json!({"reason": "I am ill."});
        let cancelled = wanda.post(&cancellation, &reason).await.expect(201);
        assert_eq!(
            (&cancelled["state"], &cancelled["charge"]),
            (&json!("cancelled"), &nothing())
        );
        assert_eq!(cancelled["cancellation"]["side"], "worker");
        let waiver = json!({"grounds": "other", "reason": "Nothing to waive."});
        let waived = world
            .administrator()
            .post(&format!("{visit}/waiver"), &waiver)
            .await;
        waived.expect_problem(409, "nothing-charged");
    }
}

#[tokio::test]
async fn staff_waive_a_charge_once_and_both_hear_of_it() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    settle_staff(world.context(), "cora", StaffRole::Coordinator).await;
    let (ana, ada) = (world.as_("ana"), world.administrator());
    let visit = engaged.book(&at_home("2026-03-03T09:00:00")).await;
    let waiver = format!("{visit}/waiver");
    let grounds = json!({"grounds": "illness", "reason": "Taken to hospital in the night."});
    let booked = ada.post(&waiver, &grounds).await;
    booked.expect_problem(409, "visit-not-cancelled");
    let reason = json!({"reason": "I cannot be there.", "charge": whole()});
    let cancellation = format!("{visit}/cancellation");
    ana.post(&cancellation, &reason).await.expect(201);
    ana.post(&waiver, &grounds).await.expect(404);
    world.as_("cora").post(&waiver, &grounds).await.expect(403);
    let whim = json!({"grounds": "whim", "reason": "Why not."});
    assert_eq!(
        ada.post(&waiver, &whim).await.expect(422).pointers(),
        ["/grounds"]
    );
    let waived = ada.post(&waiver, &grounds).await.expect(201);
    assert_eq!(waived["charge"], nothing());
    assert_eq!(waived["cancellation"]["charge"], whole());
    assert_eq!(waived["cancellation"]["waiver"]["grounds"], "illness");
    let again = ada.post(&waiver, &grounds).await;
    again.expect_problem(409, "charge-waived");
    for subject in ["ana", "wanda"] {
        let told = engaged.told(subject).await;
        let subject = "The charge for a cancelled visit was waived";
        assert_eq!(told.iter().filter(|it| *it == subject).count(), 1);
    }
    let audit = visit.replace("/v1/visits/", "/v1/audit/visit/");
    let audit = ada.get(&audit).await.expect(200);
    // What was done at the same instant stands in no order.
    let mut items = audit["items"].as_array().unwrap().iter();
    let waived = items.find(|item| item["operation"] == "waive_charge");
    assert_eq!(waived.unwrap()["reason"], grounds["reason"]);
}

#[tokio::test]
async fn nobody_pays_for_a_support_worker_who_has_not_come() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let ana = world.as_("ana");
    let visit = engaged.book(&at_home("2026-03-03T09:00:00")).await;
    let quote = format!("{visit}/cancellation-quote");
    world.advance_to("2026-03-02T22:00:00Z").await;
    world.advance_by(TimeDelta::seconds(15 * 60 - 1)).await;
    assert_eq!(ana.get(&quote).await.expect(200)["charge"], whole());
    world.advance_by(TimeDelta::seconds(1)).await;
    assert_eq!(ana.get(&quote).await.expect(200)["charge"], nothing());
    let reason = json!({"reason": "Nobody came."});
    let cancelled = ana.post(&format!("{visit}/cancellation"), &reason).await;
    assert_eq!(cancelled.expect(201)["charge"], nothing());
}

/// Both sides, staff and the support worker who begins, all at the same moment: one of them is first.
#[tokio::test]
async fn whatever_is_done_at_once_one_thing_happens() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let visit = engaged.book(&at_home("2026-03-03T09:00:00")).await;
    world.advance_to("2026-03-02T21:45:00Z").await;
    let cancellation = format!("{visit}/cancellation");
    let start = format!("{visit}/start");
    let at_cost = json!({"reason": "I cannot be there.", "charge": whole()});
    let reason = json!({"reason": "I cannot come."});
    let begin = json!({});
    let mut asked = Vec::new();
    for _ in 0..4 {
        asked.push(("ana", &cancellation, &at_cost));
        asked.push(("wanda", &cancellation, &reason));
        asked.push(("wanda", &start, &begin));
    }
    let answers = all_at_once(asked.iter().map(|(subject, path, body)| async move {
        world.as_(subject).post(path, body).await.status()
    }))
    .await;
    let done = answers.iter().filter(|status| **status == 201).count();
    assert_eq!(done, 1, "{answers:?}");
    assert!(
        answers.iter().all(|status| [201, 409].contains(status)),
        "{answers:?}"
    );
    let shown = world.as_("ana").get(&visit).await.expect(200);
    let (cancelled, begun) = (
        !shown["cancellation"].is_null(),
        !shown["started_at"].is_null(),
    );
    assert!(cancelled != begun, "{}", shown.text());
    let charged = shown["charge"] == whole();
    assert_eq!(
        charged,
        cancelled && shown["cancellation"]["side"] == "client"
    );
}
