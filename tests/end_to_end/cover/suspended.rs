//! Visits of a support worker who is suspended, or will be away.

use domain::support_worker::SupportWorker;

use super::*;
use crate::engaged::edit;

#[tokio::test]
async fn what_a_suspended_support_worker_was_booked_for_is_covered() {
    let covered = Covered::settle(&["kim"], &[]).await;
    covered.consent(true).await.expect(201);
    let next_week = covered.engaged.book(&at_home("2026-03-16T09:00:00")).await;
    let world = covered.world();
    let path = format!("/v1/support-workers/{}/suspension", covered.engaged.worker);
    let reason = json!({"reason": "Until it is looked into."});
    world.administrator().post(&path, &reason).await.expect(201);
    world.settle().await;
    for visit in [&covered.visit, &next_week] {
        let shown = world.as_("ana").get(visit).await.expect(200);
        assert_eq!(shown["state"], "cancelled");
        let reason = &shown["cancellation"]["reason"];
        assert_eq!(reason, "The support worker cannot come.");
        let cover = format!("{visit}/cover");
        let cover = world.as_("ana").get(&cover).await.expect(200);
        // That she is suspended stays with staff.
        assert_eq!(cover["cause"], "cancelled");
        assert!(!cover.text().contains("looked into"));
    }
    assert!(covered.scheduled("ana").await.is_empty());
    let listed = world.as_("kim").get(&covered.offers("kim")).await;
    let listed = listed.expect(200);
    for offer in listed["items"].as_array().unwrap() {
        let path = format!(
            "{}/{}",
            covered.offers("kim"),
            offer["cover"].as_str().unwrap()
        );
        let path = format!("{path}/acceptance");
        world.as_("kim").post(&path, &json!({})).await.expect(201);
    }
    world.settle().await;
    assert_eq!(covered.scheduled("ana").await.len(), 2);
    assert_eq!(covered.scheduled("kim").await.len(), 2);
}

#[tokio::test]
async fn leave_lists_the_visits_that_it_falls_on_and_leads_each_one_to_cover() {
    let covered = Covered::settle(&["kim"], &[]).await;
    let world = covered.world();
    let wanda = world.as_("wanda");
    // A night that runs into the first day away.
    let night = json!({
        "starts": "2026-03-15T22:00:00", "time_zone": "Australia/Melbourne", "minutes": 240, "place": "home",
        "service": "social_support", "notes": ""
    });
    let night = covered.engaged.book(&night).await;
    let before = covered.engaged.book(&at_home("2026-03-15T10:00:00")).await;
    let worker = format!("/v1/support-workers/{}", covered.engaged.worker);
    let shown = wanda.get(&worker).await.expect(200);
    let mut profile = shown["profile"].clone();
    profile["availability"]["exceptions"] = json!([
        {"away": {"first": "2026-03-16", "last": "2026-03-17"}}, {"away": {"first": "2026-03-09", "last": "2026-03-09"}}
    ]);
    let path = format!("{worker}/profile");
    wanda.put(&path, &shown.etag(), &profile).await.expect(200);
    // Whoever proposes a visit then is warned, and not kept from it.
    let on_leave = covered
        .engaged
        .propose(&at_home("2026-03-17T09:00:00"))
        .await;
    let warnings = &on_leave.expect(201)["current"]["warnings"];
    assert_eq!(*warnings, json!(["on_leave"]));
    let told = covered.engaged.told("wanda").await;
    let hit = |line: &&String| *line == "You have visits on days when you are away";
    assert_eq!(told.iter().filter(hit).count(), 1, "{told:?}");
    let leave = format!("{worker}/leave");
    let shown = wanda.get(&leave).await.expect(200);
    let visits = |shown: &Answer, place: usize| -> Vec<Value> {
        shown["away"][place]["visits"].as_array().unwrap().clone()
    };
    assert_eq!(shown["away"][0]["first"], "2026-03-09");
    let (first, second) = (visits(&shown, 0), visits(&shown, 1));
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_eq!(
        first[0]["ask_for_cover"],
        format!("{}/cover", covered.visit)
    );
    assert_eq!(second[0]["ask_for_cover"], format!("{night}/cover"));
    assert!(!shown.text().contains(before.rsplit('/').next().unwrap()));
    let reason = json!({"reason": "I am away."});
    let path = first[0]["ask_for_cover"].as_str().unwrap();
    wanda.post(path, &reason).await.expect(201);
    world.settle().await;
    let shown = wanda.get(&leave).await.expect(200);
    assert_eq!(visits(&shown, 0)[0]["cover"], "seeking");
    covered.accept("kim").await.expect(201);
    covered.confirm("kim").await.expect(201);
    let shown = wanda.get(&leave).await.expect(200);
    assert!(visits(&shown, 0).is_empty());
    // The same profile once more says nothing new.
    let tag = wanda.get(&worker).await.expect(200).etag();
    let path = format!("{worker}/profile");
    wanda.put(&path, &tag, &profile).await.expect(200);
    let told = covered.engaged.told("wanda").await;
    assert_eq!(told.iter().filter(hit).count(), 1, "{told:?}");
}

#[tokio::test]
async fn somebody_who_is_away_then_is_not_asked() {
    let covered = Covered::settle(&["kim", "lee"], &[]).await;
    let key = Key::worker(covered.workers["kim"]);
    edit(covered.world(), &key, |it: &mut SupportWorker| {
        let away = json!({"away": {"first": "2026-03-01", "last": "2026-03-09"}});
        let away = serde_json::from_value(away).unwrap();
        it.profile.availability.exceptions.push(away);
    })
    .await;
    covered.ask("ana").await.expect(201);
    assert_eq!(covered.waves().await, [["lee"]]);
}

#[tokio::test]
async fn whoever_was_to_come_before_is_not_asked_to_cover_the_cover() {
    let mut covered = Covered::settle(&["kim", "lee"], &[]).await;
    covered.consent(true).await.expect(201);
    covered.ask("wanda").await.expect(201);
    let booked = covered.accept("kim").await.expect(201).string("booked");
    covered.world().advance_by(TimeDelta::minutes(1)).await;
    covered.visit = format!("/v1/visits/{booked}");
    let covers = covered.stored().await.covers.unwrap();
    let shown = covered.world().as_("kim").get(&covered.visit).await;
    assert_eq!(shown.expect(200)["covers"], covers.to_string());
    let path = format!("/v1/support-workers/{}/suspension", covered.workers["kim"]);
    let reason = json!({"reason": "Until it is looked into."});
    let ada = covered.world().administrator();
    ada.post(&path, &reason).await.expect(201);
    covered.world().settle().await;
    assert_eq!(covered.waves().await, [["lee"]]);
    covered.accept("lee").await.expect(201);
    let scheduled = covered.scheduled("ana").await;
    assert_eq!(scheduled.len(), 1);
    assert_eq!(scheduled[0]["worker"], covered.workers["lee"].to_string());
}

#[tokio::test]
async fn a_suspension_that_was_taken_back_at_once_changes_nothing_that_is_booked() {
    let covered = Covered::settle(&["kim"], &[]).await;
    let world = covered.world();
    let key = Key::worker(covered.engaged.worker);
    // The row is there, and the suspension is not any more.
    let context = world.context();
    let found = context.store.get::<SupportWorker>(&key).await.unwrap();
    let worker = found.unwrap().value.id;
    let due = domain::due::DueRow {
        due: domain::due::Due::SuspensionCover { worker },
        at: context.now(),
        generation: 0,
    };
    let audit = context.audit(Actor::Service, "settle", &key);
    let commit = Commit::new(audit).due(due);
    context.store.commit(commit).await.unwrap();
    world.settle().await;
    assert_eq!(covered.stored().await.state, VisitState::Booked);
    assert!(
        context
            .store
            .due_by(world.now(), 10)
            .await
            .unwrap()
            .is_empty()
    );
}
