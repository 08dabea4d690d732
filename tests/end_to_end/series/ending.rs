//! The end of a series before its time: what is still to come is cancelled as one.

use rapport_tests::visits::at_home;
use serde_json::{Value, json};

use super::{book_series, rule};
use crate::engaged::Engaged;

#[tokio::test]
async fn a_series_is_ended_as_one_and_what_is_close_by_is_quoted_first() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let (ana, wanda) = (world.as_("ana"), world.as_("wanda"));
    let tuesday = at_home("2026-03-03T09:00:00");
    let path = book_series(&engaged, &tuesday, &rule("FREQ=WEEKLY;COUNT=4")).await;
    // The first is at 22:00 UTC on 2 March: in 22 hours.
    let end = format!("{path}/end");
    let mut body = json!({"reason": "My sister comes on Tuesdays."});
    let refused = ana.post(&end, &json!({"reason": ""})).await;
    assert_eq!(refused.expect(422).pointers(), ["/reason"]);
    let quoted = ana.post(&end, &body).await;
    let quoted = quoted.expect_problem(409, "series-end-charge");
    let charge = json!({"client_pays": 11_070, "worker_gets": 10_800, "service_keeps": 270});
    assert_eq!(quoted["charge"], charge);
    body["acknowledged"] = json!({"client_pays": 1, "worker_gets": 1, "service_keeps": 0});
    ana.post(&end, &body)
        .await
        .expect_problem(409, "series-end-charge");
    assert_eq!(engaged.schedule().await.len(), 4, "nothing has changed");
    body["acknowledged"] = charge;
    let ended = ana.post(&end, &body).await.expect(201);
    assert_eq!(ended["end"]["side"], "client");
    world.settle().await;
    let shown = ana.get(&path).await.expect(200);
    for visit in shown["visits"].as_array().unwrap() {
        assert_eq!(visit["state"], "cancelled");
    }
    assert!(engaged.schedule().await.is_empty());
    let twice = wanda.post(&end, &json!({"reason": "Again."})).await;
    twice.expect_problem(409, "series-ended");
    for subject in ["ana", "wanda"] {
        let told = engaged.told(subject).await;
        assert!(
            told.contains(&"A series of visits was ended".to_owned()),
            "{told:?}"
        );
        assert!(
            !told.contains(&"A visit was cancelled".to_owned()),
            "{told:?}"
        );
    }
    // The support worker is never a charge to the client.
    let again = book_series(&engaged, &tuesday, &rule("FREQ=WEEKLY;COUNT=3")).await;
    world.advance(26).await;
    let ended = json!({"reason": "I am moving away."});
    wanda
        .post(&format!("{again}/end"), &ended)
        .await
        .expect(201);
    world.settle().await;
    let shown = ana.get(&again).await.expect(200);
    let states: Vec<&Value> = shown["visits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["state"])
        .collect();
    assert_eq!(states[1..], ["cancelled", "cancelled"], "{states:?}");
    assert_ne!(*states[0], "cancelled", "its time had come");
    let over = wanda.post(&format!("{again}/end"), &ended).await;
    over.expect_problem(409, "series-ended");
    // A long one, over many months, is off as a whole too.
    let days = rule("FREQ=DAILY;UNTIL=20260630");
    let long = book_series(&engaged, &at_home("2026-03-12T09:00:00"), &days).await;
    ana.post(&format!("{long}/end"), &json!({"reason": "Too much."}))
        .await
        .expect(201);
    world.settle().await;
    let shown = ana.get(&long).await.expect(200);
    let visits = shown["visits"].as_array().unwrap();
    assert_eq!(visits.len(), 111);
    assert!(visits.iter().all(|visit| visit["state"] == "cancelled"));
    let taken = engaged.book(&at_home("2026-06-03T09:00:00")).await;
    assert_eq!(ana.get(&taken).await.expect(200)["state"], "booked");
}

#[tokio::test]
async fn an_engagement_that_ends_leaves_nothing_of_a_series() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let tuesday = at_home("2026-03-10T09:00:00");
    let path = book_series(&engaged, &tuesday, &rule("FREQ=WEEKLY;COUNT=6")).await;
    let end = format!("/v1/engagements/{}/end", engaged.engagement);
    let reason = json!({"reason": "I am moving away."});
    world.as_("ana").post(&end, &reason).await.expect(201);
    world.settle().await;
    let shown = world.as_("ana").get(&path).await.expect(200);
    let visits = shown["visits"].as_array().unwrap();
    assert_eq!(visits.len(), 6);
    assert!(visits.iter().all(|visit| visit["state"] == "cancelled"));
    assert!(engaged.schedule().await.is_empty());
}
