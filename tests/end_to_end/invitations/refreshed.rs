//! What the nightly rebuild learns from how invitations went.

use domain::id::WorkerId;
use domain::place::cover;
use domain::support_worker::{Reliability, SupportWorker};
use index_builder::{LAG, Refreshed, refresh, verify};
use serde_json::json;
use store::{CellRow, Key, Night};

use super::{Review, reason};

impl Review {
    async fn record(&self, worker: &str) -> SupportWorker {
        let worker: WorkerId = worker.parse().unwrap();
        let store = &self.world.context().store;
        let found = store.get::<SupportWorker>(&Key::worker(worker)).await;
        found.unwrap().unwrap().value
    }
}

#[tokio::test]
async fn the_nightly_rebuild_learns_who_answers_and_who_was_shown() {
    let review = Review::of(7).await;
    let (first, second) = (review.candidate(0).await, review.candidate(1).await);
    let (answering, silent) = (review.behind(&first).await, review.behind(&second).await);
    let shown: Vec<String> = {
        let stored = review.stored().await;
        let shown = stored.candidates[..5].iter();
        shown.map(|listed| listed.worker.to_string()).collect()
    };
    let declined = review.invite(&first).await;
    review.invite(&second).await;
    review.world.advance(2).await;
    review
        .answer(&declined, "refusal", &reason())
        .await
        .expect(201);
    review.world.advance(71).await;
    assert_eq!(review.list().await.len(), 7);

    // All seven have been shown by now: five at first, and two who followed. The next night learns of it.
    review.world.advance(24).await;
    let builder = review.world.index_builder();
    let store = &builder.store;
    let night = store.get::<Night>(&Key::night()).await.unwrap().unwrap();
    let night = night.value;
    assert!(night.completed_at.is_some());
    assert_eq!((night.looked_at, night.left), (7, 0));
    assert!(night.shards > 0);
    assert_eq!(night.as_of.to_rfc3339(), "2026-03-06T02:15:00+00:00");
    assert_eq!(
        review.record(&answering.0).await.reliability,
        Reliability {
            invitations: 1,
            answered: 1,
            answer_minutes: 120,
            exposure: 1,
            ..Reliability::default()
        }
    );
    assert_eq!(
        review.record(&silent.0).await.reliability,
        Reliability {
            invitations: 1,
            exposure: 1,
            ..Reliability::default()
        }
    );
    let waiting = review.record(&shown[4]).await.reliability;
    assert_eq!((waiting.invitations, waiting.exposure), (0, 1));

    // What matching sees went along in the same commit, and the shards follow.
    let worker = review.record(&answering.0).await;
    let area = worker.profile.service_area.as_ref().unwrap();
    let cells = cover(area.base.latitude, area.base.longitude, area.radius_km);
    for cell in cells {
        let key = Key::cell_row(cell, worker.id);
        let row = builder.store.get::<CellRow>(&key).await.unwrap().unwrap();
        assert_eq!(row.value.record.reliability, worker.reliability);
    }
    review.world.settle().await;
    let reports = verify(&builder, LAG).await.unwrap();
    assert!(!reports.is_empty());
    assert!(reports.iter().all(|report| report.is_faithful()));

    // The command looks at the same, and nothing new has happened since.
    let mut heard = 0;
    let again = refresh(&builder, || heard += 1).await.unwrap();
    let unchanged = Refreshed {
        looked_at: 7,
        changed: 0,
    };
    assert_eq!((again, heard), (unchanged, 7));
    let path = format!("/v1/audit/support_worker/{}", answering.0);
    let audit = review.world.administrator().get(&path).await.expect(200);
    let newest = &audit["items"][0];
    assert_eq!(newest["operation"], "refresh_reliability");
    assert_eq!(newest["actor"]["type"], "service");
    assert_eq!(newest["fields"], json!(["reliability"]));
}
