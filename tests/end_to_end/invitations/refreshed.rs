//! What the nightly rebuild learns from how invitations went.

use domain::id::WorkerId;
use domain::place::cover;
use domain::support_worker::{Reliability, SupportWorker};
use index_builder::{IndexBuilder, Refreshed, refresh, verify};
use serde_json::json;
use store::{CellRow, Key};

use super::{Review, reason};

impl Review {
    fn builder(&self) -> IndexBuilder {
        let context = self.world.context();
        IndexBuilder {
            store: context.store.clone(),
            blobs: context.blobs.clone(),
            clock: context.clock.clone(),
            ids: context.ids.clone(),
        }
    }

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

    let builder = review.builder();
    let mut heard = 0;
    let refreshed = refresh(&builder, || heard += 1).await.unwrap();
    // All seven have been shown by now: five at first, and two who followed.
    let all = Refreshed {
        looked_at: 7,
        changed: 7,
    };
    assert_eq!((refreshed, heard), (all, 7));
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
    let reports = verify(&builder).await.unwrap();
    assert!(!reports.is_empty());
    assert!(reports.iter().all(|report| report.is_faithful()));

    // Nothing new has happened since.
    let again = refresh(&builder, || {}).await.unwrap();
    assert_eq!(
        again,
        Refreshed {
            looked_at: 7,
            changed: 0
        }
    );
    let path = format!("/v1/audit/support_worker/{}", answering.0);
    let audit = review.world.administrator().get(&path).await.expect(200);
    let newest = &audit["items"][0];
    assert_eq!(newest["operation"], "refresh_reliability");
    assert_eq!(newest["actor"]["type"], "service");
    assert_eq!(newest["fields"], json!(["reliability"]));
}
