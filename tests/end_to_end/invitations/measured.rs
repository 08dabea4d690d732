//! What happens is counted where it happened, and nowhere else.

use platform::metrics::Metric;
use serde_json::json;

use super::{Review, reason};
use crate::all_at_once;

impl Review {
    /// How often it was counted.
    fn counted(&self, metric: Metric) -> usize {
        self.world.measured(metric).len()
    }
}

#[tokio::test]
async fn an_act_is_counted_once_however_often_it_is_asked_for() {
    let review = Review::of(7).await;
    assert_eq!(review.counted(Metric::Released), 1);
    assert_eq!(review.counted(Metric::MatchLatency), 1);
    let (first, second) = (review.candidate(0).await, review.candidate(1).await);

    let key = review.world.fresh_key();
    let path = format!("{}/candidates/{first}/invitation", review.request);
    let ana = review.world.as_("ana");
    ana.post_with_key(&path, &key, &json!({})).await.expect(201);
    let repeated = ana.post_with_key(&path, &key, &json!({})).await;
    assert!(repeated.expect(201).replayed());
    ana.post(&path, &json!({})).await.expect(409);
    assert_eq!(review.counted(Metric::Invited), 1);

    // Of three who accept at the same time one does.
    let invitation = review.invited(&first).await;
    let nothing = json!({});
    let accepting = (0..3).map(|_| review.answer(&invitation, "acceptance", &nothing));
    let answers = all_at_once(accepting).await;
    let accepted = answers.iter().filter(|answer| answer.status() == 201);
    assert_eq!(accepted.count(), 1);
    assert_eq!(review.counted(Metric::Accepted), 1);

    // A refusal is no lapse.
    let declined = review.invite(&second).await;
    let refused = review.answer(&declined, "refusal", &reason()).await;
    refused.expect(201);
    review.invite(&review.candidate(2).await).await;
    assert_eq!(review.counted(Metric::Invited), 3);
    assert_eq!(review.counted(Metric::Lapsed), 0);
    review.world.advance(72).await;
    assert_eq!(review.counted(Metric::Lapsed), 1);
    assert_eq!(review.counted(Metric::Released), 1);
    assert_eq!(review.counted(Metric::Accepted), 1);
    // Each mail was counted when its row was gone.
    assert_eq!(review.counted(Metric::MailSent), review.world.mails().len());
    assert!(review.counted(Metric::IndexLag) > 0);
}
