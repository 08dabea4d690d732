//! People whom the client knows already are invited openly.

use domain::engagement::{EngagementState, Side};
use domain::pair::Pair;
use rapport_tests::people::settle_engagement;
use serde_json::json;
use store::{Actor, Commit, Key};

use super::{Review, reason};

impl Review {
    /// Lets the client have known a support worker; whether they still are engaged, or one has blocked the other.
    async fn know(&self, subject: &str, live: bool, blocked: Option<Side>) -> String {
        let found = self.workers.iter().find(|(_, other)| *other == subject);
        let worker = found.unwrap().0.clone();
        let id = worker.parse().unwrap();
        let context = self.world.context();
        settle_engagement(context, self.client, id, |engagement| {
            if !live {
                engagement.state = EngagementState::Ended;
            }
        })
        .await;
        if let Some(side) = blocked {
            let key = Key::pair(self.client, id);
            let was = context.store.get::<Pair>(&key).await.unwrap().unwrap();
            let next = Pair {
                blocked_by: [side].into(),
                ..was.value.clone()
            };
            let audit = context.audit(Actor::Service, "settle", &key);
            let commit = Commit::new(audit).replace(&was, &next);
            context.store.commit(commit).await.unwrap();
        }
        worker
    }
}

#[tokio::test]
async fn who_is_known_is_listed_by_name_and_invited_openly() {
    let mut review = Review::before(9).await;
    let former = review.know("worker-0", false, None).await;
    let engaged = review.know("worker-1", true, None).await;
    let blocking = review.know("worker-2", false, Some(Side::Worker)).await;
    let blocked = review.know("worker-3", false, Some(Side::Client)).await;
    review.submit().await;
    let ana = review.world.as_("ana");
    let path = format!("{}/known-workers", review.request);
    let list = ana.get(&path).await.expect(200);
    let workers = list["workers"].as_array().unwrap();
    assert_eq!(workers.len(), 3, "{}", list.text());
    let of = |worker: &str| workers.iter().find(|one| one["worker"] == worker).unwrap();
    assert_eq!(of(&former)["name"]["family"], "worker-0");
    assert_eq!(of(&former)["available"], true);
    assert_eq!(of(&engaged)["state"], "not_available");
    // That somebody has blocked the client looks like anything else that stands in the way.
    assert_eq!(of(&blocking)["state"], "not_available");
    // Never among the blind ones.
    let blind = review.stored().await.candidates;
    assert!(blind.iter().all(|one| one.worker.to_string() != former));

    let invite = async |worker: &str| {
        let path = format!("{path}/{worker}/invitation");
        ana.post(&path, &json!({})).await
    };
    invite(&engaged)
        .await
        .expect_problem(409, "candidate-not-available");
    invite(&blocking)
        .await
        .expect_problem(409, "candidate-not-available");
    invite(&blocked).await.expect(404);
    let stranger = blind[0].worker.to_string();
    invite(&stranger).await.expect(404);
    let invited = invite(&former).await.expect(201);
    let mine = invited["workers"].as_array().unwrap().iter();
    let mine = mine.clone().find(|one| one["worker"] == former).unwrap();
    assert_eq!(mine["state"], "invited");
    invite(&former)
        .await
        .expect_problem(409, "candidate-invited");
    assert_eq!(review.stored().await.known.len(), 1);

    let candidate = mine["candidate"].as_str().unwrap().to_owned();
    let invitation = review.invited(&candidate).await;
    let seen = review.world.as_("worker-0").get(&invitation.0).await;
    assert_eq!(seen.expect(200)["client_name"]["family"], "ana");
    // They know each other: nothing has to be looked at first.
    let question = json!({"text": "Is it you, ana?"});
    let asked = review.answer(&invitation, "questions", &question).await;
    assert_eq!(asked.expect(201)["questions"][0]["state"], "asked");
    review
        .answer(&invitation, "acceptance", &json!({}))
        .await
        .expect(201);
    let pair = review.pair(&former).await.unwrap();
    assert!(pair.engagement.is_some());
    let list = ana.get(&path).await.expect(200);
    let workers = list["workers"].as_array().unwrap();
    let mine = workers.iter().find(|one| one["worker"] == former).unwrap();
    assert_eq!(mine["state"], "accepted");
}

#[tokio::test]
async fn a_known_worker_who_declines_has_no_replacement_from_the_list() {
    let mut review = Review::before(9).await;
    let former = review.know("worker-0", false, None).await;
    review.submit().await;
    let path = format!("{}/known-workers/{former}/invitation", review.request);
    let invited = review.world.as_("ana").post(&path, &json!({})).await;
    let candidate = invited.expect(201)["workers"][0]["candidate"].clone();
    let invitation = review.invited(candidate.as_str().unwrap()).await;
    review
        .answer(&invitation, "refusal", &reason())
        .await
        .expect(201);
    assert_eq!(review.list().await.len(), 5);
    let again = review.world.as_("ana").post(&path, &json!({})).await;
    again.expect_problem(409, "candidate-not-available");
}

#[tokio::test]
async fn whoever_blocks_after_being_invited_cannot_be_engaged() {
    let review = Review::of(6).await;
    let candidate = review.candidate(0).await;
    let invitation = review.invite(&candidate).await;
    review.know(&invitation.1, false, Some(Side::Worker)).await;
    let refused = review.answer(&invitation, "acceptance", &json!({})).await;
    refused.expect_problem(409, "invitation-not-open");
}
