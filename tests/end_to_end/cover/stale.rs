//! Searches that end with what they are for, and those that begin where nobody comes any more.

use super::*;
use crate::engaged::{accept, path_of};
use crate::safety::report;

const NOT_NEEDED: &str = "You are not needed for a visit";

impl Covered {
    async fn suspend_wanda(&self) {
        let path = format!("/v1/support-workers/{}/suspension", self.engaged.worker);
        let reason = json!({"reason": "Until it is looked into."});
        let suspended = self.world().administrator().post(&path, &reason).await;
        suspended.expect(201);
        self.world().settle().await;
    }

    /// Wanda proposes another time, and Ana accepts it.
    async fn move_to(&self, starts: &str) {
        let (wanda, path) = (
            self.world().as_("wanda"),
            format!("{}/change-proposals", self.visit),
        );
        let change = json!({"visit": at_home(starts)});
        let proposal = wanda.post(&path, &change).await.expect(201);
        accept(self.world(), "ana", &proposal).await.expect(201);
        self.world().settle().await;
    }

    async fn cancel(&self, subject: &str) {
        let (by, reason) = (
            self.world().as_(subject),
            json!({"reason": "It cannot be helped."}),
        );
        let path = format!("{}/cancellation", self.visit);
        by.post(&path, &reason).await.expect(201);
        self.world().settle().await;
    }
}

#[tokio::test]
async fn whoever_is_looked_for_already_comes_in_place_of_a_suspended_support_worker() {
    for asked_by in ["wanda", "ana"] {
        let covered = Covered::settle(&["kim"], &[]).await;
        covered.ask(asked_by).await.expect(201);
        covered.suspend_wanda().await;
        let told = covered.engaged.told("ana").await;
        assert!(
            told.contains(&"A visit was cancelled".to_owned()),
            "{told:?}"
        );
        covered.world().advance_by(TimeDelta::minutes(15)).await;
        assert_eq!(covered.shown("ana").await["state"], "seeking", "{asked_by}");
        covered.accept("kim").await.expect(201);
        covered.confirm("kim").await.expect(201);
        let scheduled = covered.scheduled("ana").await;
        assert_eq!(scheduled.len(), 1);
        assert_eq!(scheduled[0]["worker"], covered.workers["kim"].to_string());
    }
}

#[tokio::test]
async fn whoever_could_come_hears_at_once_that_a_visit_is_off() {
    let covered = Covered::settle(&["kim"], &[]).await;
    covered.ask("ana").await.expect(201);
    covered.accept("kim").await.expect(201);
    covered.cancel("ana").await;
    assert_eq!(covered.shown("ana").await["state"], "withdrawn");
    let told = covered.engaged.told("kim").await;
    assert!(told.contains(&NOT_NEEDED.to_owned()), "{told:?}");
}

#[tokio::test]
async fn a_search_for_what_a_visit_is_not_any_more_keeps_nobody_from_coming() {
    let covered = Covered::settle(&["kim"], &[]).await;
    covered.ask("wanda").await.expect(201);
    covered.accept("kim").await.expect(201);
    covered.move_to("2026-03-09T14:00:00").await;
    assert_eq!(covered.shown("ana").await["state"], "withdrawn");
    let told = covered.engaged.told("kim").await;
    assert!(told.contains(&NOT_NEEDED.to_owned()), "{told:?}");
    // Six hours before the new time.
    covered.world().advance_to("2026-03-08T21:00:00Z").await;
    covered.cancel("wanda").await;
    assert_eq!(covered.shown("ana").await["state"], "seeking");
    covered.accept("kim").await.expect(201);
    covered.confirm("kim").await.expect(201);
    let scheduled = covered.scheduled("ana").await;
    assert_eq!(scheduled[0]["from"], "2026-03-09T14:00:00+11:00");
}

#[tokio::test]
async fn what_the_support_worker_called_off_in_good_time_can_be_covered_too() {
    for before in [None, Some("wanda")] {
        let covered = Covered::settle(&["kim"], &[]).await;
        if let Some(asked_by) = before {
            covered.ask(asked_by).await.expect(201);
            covered
                .decide("withdrawal", &json!({"reason": "Not needed."}))
                .await
                .expect(201);
        }
        // Offers are told apart by when they were made.
        covered.world().advance_by(TimeDelta::minutes(1)).await;
        covered.cancel("wanda").await;
        assert!(covered.scheduled("ana").await.is_empty());
        covered.ask("ana").await.expect(201);
        assert_eq!(covered.shown("ana").await["cause"], "cancelled");
        covered.accept("kim").await.expect(201);
        covered.confirm("kim").await.expect(201);
        assert_eq!(covered.scheduled("ana").await.len(), 1);
        let again = covered.ask("ana").await;
        again.expect_problem(409, "visit-cancelled");
    }
    let covered = Covered::settle(&["kim"], &[]).await;
    covered.cancel("ana").await;
    let own = covered.ask("ana").await;
    own.expect_problem(409, "visit-cancelled");
}

#[tokio::test]
async fn nobody_is_woken_for_a_visit_that_is_far() {
    let covered = Covered::settle(&[], &[]).await;
    covered.ask("ana").await.expect(201);
    assert_eq!(covered.shown("ana").await["state"], "unfilled");
    let tickets = covered.tickets().await;
    assert_eq!(tickets.len(), 1);
    assert_eq!(tickets[0]["cause"], "cover_unfilled");
    let alerts = covered.world().administrator().get("/v1/alerts").await;
    assert_eq!(alerts.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn one_alert_at_a_time_is_about_a_visit() {
    let covered = Covered::settle(&[], &[]).await;
    let world = covered.world();
    world.advance_to("2026-03-08T20:00:00Z").await;
    covered.ask("ana").await.expect(201);
    let open = async || {
        let alerts = world.administrator().get("/v1/alerts").await.expect(200);
        let causes = alerts["items"].as_array().unwrap().iter();
        let causes = causes.map(|alert| alert["cause"].as_str().unwrap().to_owned());
        causes.collect::<Vec<_>>()
    };
    assert_eq!(open().await, ["cover_unfilled"]);
    // Nobody comes at all.
    world.advance_to("2026-03-08T22:15:00Z").await;
    assert_eq!(open().await, ["visit_not_started"]);
}

#[tokio::test]
async fn a_series_that_is_being_made_while_its_support_worker_is_suspended_is_covered_as_a_whole() {
    let covered = Covered::settle(&["kim"], &[]).await;
    let world = covered.world();
    let series = json!({
        "visit": at_home("2026-03-16T09:00:00"), "repeats": {"rule": "FREQ=DAILY;COUNT=50"}
    });
    let proposal = world
        .as_("wanda")
        .post(&covered.engaged.path(), &series)
        .await;
    let proposal = proposal.expect(201);
    assert!(path_of(&proposal).contains("/proposals/"));
    let booked = accept(world, "ana", &proposal).await.expect(201);
    // None of its visits has been made yet.
    covered.suspend_wanda().await;
    let path = format!(
        "/v1/engagements/{}/series/{}",
        covered.engaged.engagement,
        booked.string("series")
    );
    let shown = world.as_("ana").get(&path).await.expect(200);
    let visits = shown["visits"].as_array().unwrap();
    assert_eq!(visits.len(), 50);
    for visit in visits {
        assert_eq!(visit["state"], "cancelled", "{visit}");
    }
    assert!(covered.engaged.schedule().await.is_empty());
}

#[tokio::test]
async fn whoever_ends_an_engagement_at_short_notice_leaves_nobody_alone() {
    let covered = Covered::settle(&["kim"], &[]).await;
    let world = covered.world();
    let far = covered.engaged.book(&at_home("2026-03-16T09:00:00")).await;
    world.advance_to("2026-03-08T20:00:00Z").await;
    let path = format!("/v1/engagements/{}/end", covered.engaged.engagement);
    let reason = json!({"reason": "I am moving away."});
    world.as_("wanda").post(&path, &reason).await.expect(201);
    world.settle().await;
    assert_eq!(covered.shown("ana").await["state"], "seeking");
    let ana = world.as_("ana");
    ana.get(&format!("{far}/cover")).await.expect(404);
    covered.accept("kim").await.expect(201);
    covered.confirm("kim").await.expect(201);
    assert_eq!(covered.scheduled("ana").await.len(), 1);
}

/// A search that goes on already would send somebody else into the same danger.
#[tokio::test]
async fn nobody_else_is_looked_for_where_visits_were_stopped() {
    for asked_before in [true, false] {
        let covered = Covered::settle(&["kim"], &[]).await;
        let world = covered.world();
        covered.consent(true).await.expect(201);
        match asked_before {
            true => drop(covered.ask("wanda").await.expect(201)),
            // At short notice.
            false => world.advance_to("2026-03-08T20:00:00Z").await,
        }
        let path = format!("/v1/engagements/{}/reports", covered.engaged.engagement);
        let stop = report("incident", true);
        world.as_("wanda").post(&path, &stop).await.expect(201);
        if asked_before {
            let late = covered.accept("kim").await;
            late.expect_problem(409, "cover-closed");
            assert_eq!(covered.shown("ana").await["state"], "withdrawn");
        }
        world.settle().await;
        assert_eq!(covered.stored().await.state, VisitState::Cancelled);
        let again = covered.ask("ana").await;
        again.expect_problem(409, "visits-stopped");
        assert!(covered.scheduled("ana").await.is_empty());
    }
}
