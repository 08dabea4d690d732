//! What is covered at short notice: a late cancellation, somebody who does not come, one visit of a series.

use super::*;
use crate::engaged::accept;

#[tokio::test]
async fn a_late_cancellation_by_the_support_worker_is_covered_and_costs_nothing() {
    let covered = Covered::settle(&["kim"], &[]).await;
    let world = covered.world();
    let reason = json!({"reason": "I am not well."});
    let early = covered.engaged.book(&at_home("2026-03-16T09:00:00")).await;
    let cancellation = format!("{early}/cancellation");
    let wanda = world.as_("wanda");
    wanda.post(&cancellation, &reason).await.expect(201);
    // There is time enough to arrange it between the two.
    world
        .as_("ana")
        .get(&format!("{early}/cover"))
        .await
        .expect(404);
    // Two hours before.
    world.advance_to("2026-03-08T20:00:00Z").await;
    let cancellation = format!("{}/cancellation", covered.visit);
    let cancelled = wanda.post(&cancellation, &reason).await.expect(201);
    assert_eq!(cancelled["cancellation"]["charge"]["client_pays"], 0);
    world.settle().await;
    let shown = covered.shown("ana").await;
    assert_eq!(
        (&shown["cause"], &shown["state"]),
        (&json!("cancelled"), &json!("seeking"))
    );
    assert!(covered.scheduled("ana").await.is_empty());
    covered.accept("kim").await.expect(201);
    covered.confirm("kim").await.expect(201);
    let scheduled = covered.scheduled("ana").await;
    assert_eq!(scheduled.len(), 1);
    assert_eq!(scheduled[0]["worker"], covered.workers["kim"].to_string());
    let was = covered.stored().await;
    assert_eq!(was.state, VisitState::Cancelled);
    assert_eq!(
        was.covered_by.map(|it| json!(it)),
        Some(scheduled[0]["visit"].clone())
    );
}

#[tokio::test]
async fn somebody_else_is_looked_for_where_nobody_has_come() {
    let covered = Covered::settle(&["kim"], &[]).await;
    let world = covered.world();
    covered.consent(true).await.expect(201);
    // Begins at 22:00.
    world.advance_to("2026-03-08T22:14:59Z").await;
    let path = format!("{}/cover", covered.visit);
    world.as_("ana").get(&path).await.expect(404);
    world.advance_to("2026-03-08T22:15:00Z").await;
    assert_eq!(covered.shown("ana").await["cause"], "not_arrived");
    let booked = covered.accept("kim").await.expect(201).string("booked");
    let start = format!("{}/start", covered.visit);
    let late = world.as_("wanda").post(&start, &json!({})).await;
    late.expect_problem(409, "visit-cancelled");
    let start = format!("/v1/visits/{booked}/start");
    world.as_("kim").post(&start, &json!({})).await.expect(201);
}

#[tokio::test]
async fn whoever_comes_late_after_all_is_not_replaced() {
    let covered = Covered::settle(&["kim"], &[]).await;
    let world = covered.world();
    covered.consent(true).await.expect(201);
    world.advance_to("2026-03-08T22:20:00Z").await;
    assert_eq!(covered.shown("ana").await["state"], "seeking");
    let start = format!("{}/start", covered.visit);
    world
        .as_("wanda")
        .post(&start, &json!({}))
        .await
        .expect(201);
    covered
        .accept("kim")
        .await
        .expect_problem(409, "cover-closed");
    world.advance_by(TimeDelta::minutes(15)).await;
    assert_eq!(covered.shown("ana").await["state"], "withdrawn");
    let tickets = covered.tickets().await;
    assert!(
        tickets.iter().all(|it| it["cause"] != "cover_unfilled"),
        "{tickets:?}"
    );
}

#[tokio::test]
async fn one_visit_of_a_series_is_given_to_cover_and_the_others_stand() {
    let mut covered = Covered::settle(&["kim"], &[]).await;
    let world = covered.world();
    covered.consent(true).await.expect(201);
    let engaged = &covered.engaged;
    let series = json!({
        "visit": at_home("2026-03-16T09:00:00"), "repeats": {"rule": "FREQ=WEEKLY;BYDAY=MO;COUNT=3"}
    });
    let proposal = world.as_("wanda").post(&engaged.path(), &series).await;
    let booked = accept(world, "ana", &proposal.expect(201))
        .await
        .expect(201);
    world.settle().await;
    let path = format!(
        "/v1/engagements/{}/series/{}",
        engaged.engagement,
        booked.string("series")
    );
    let shown = world.as_("ana").get(&path).await.expect(200);
    let second = shown["visits"][1]["visit"].as_str().unwrap().to_owned();
    covered.visit = format!("/v1/visits/{second}");
    covered.ask("wanda").await.expect(201);
    covered.accept("kim").await.expect(201);
    let path = format!(
        "/v1/clients/{}/schedule?until=2026-04-05T00:00:00Z",
        covered.engaged.client
    );
    let scheduled = covered.world().as_("ana").get(&path).await.expect(200);
    let scheduled = scheduled["items"].as_array().unwrap();
    let kim = covered.workers["kim"].to_string();
    let by_kim: Vec<bool> = scheduled.iter().map(|it| it["worker"] == kim).collect();
    // The visit booked by itself, then the series.
    assert_eq!(by_kim, [false, false, true, false]);
}
