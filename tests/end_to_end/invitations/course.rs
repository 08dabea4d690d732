//! The course of an invitation that comes to nothing, and what follows.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Review, reason};
use crate::all_at_once;

/// What the client sees of somebody, but for who it is.
fn without_who(mut candidate: Value) -> Value {
    for field in ["candidate", "alias", "introduction"] {
        candidate[field] = Value::Null;
    }
    candidate
}

#[tokio::test]
async fn who_declines_or_lets_it_lapse_is_followed_by_the_next_in_reserve() {
    let review = Review::of(8).await;
    let (first, second) = (review.candidate(0).await, review.candidate(1).await);
    let reserve: Vec<String> = review.stored().await.candidates[5..]
        .iter()
        .map(|listed| listed.id.to_string())
        .collect();
    let declined = review.invite(&first).await;
    let lapsing = review.invite(&second).await;
    review.world.advance(71).await;
    let why = json!({"reason": "Secretly, the suburb is too far."});
    review
        .answer(&declined, "refusal", &json!({"reason": " "}))
        .await
        .expect(422);
    review.answer(&declined, "refusal", &why).await.expect(201);
    let list = review.list().await;
    assert_eq!(list.len(), 6);
    assert_eq!(list[5]["candidate"], reserve[0]);
    assert_eq!(review.standing(&second).await["state"], "invited");

    review.world.advance(1).await;
    let list = review.list().await;
    assert_eq!(list.len(), 7);
    assert_eq!(list[6]["candidate"], reserve[1]);
    // The client never learns which of the two it was.
    let as_seen = async |candidate: &str| without_who(review.standing(candidate).await);
    let (of_first, of_second) = (as_seen(&first).await, as_seen(&second).await);
    assert_eq!(of_first, of_second);
    assert_eq!(of_first["state"], "not_available");
    assert_eq!(of_first["available"], false);
    let told = review.told("ana").await;
    let gone = told
        .iter()
        .filter(|told| *told == "A candidate is no longer available");
    assert_eq!(gone.count(), 2, "{told:?}");
    let inbox = review.world.as_("ana").get("/v1/inbox").await;
    for text in [format!("{list:?}"), inbox.text().to_owned()] {
        assert!(!text.contains("Secretly"), "{text}");
    }
    let worker = review.told(&lapsing.1).await;
    assert!(
        worker.contains(&"An invitation has lapsed".to_owned()),
        "{worker:?}"
    );
    review
        .answer(&lapsing, "acceptance", &json!({}))
        .await
        .expect_problem(409, "invitation-not-open");

    // Staff see what became of each, and why.
    let preview = review.preview().await;
    let listed = preview["listed"].as_array().unwrap();
    let of = |candidate: &str| {
        listed
            .iter()
            .find(|one| one["candidate"] == candidate)
            .unwrap()
    };
    assert_eq!(of(&first)["state"], "declined");
    assert_eq!(of(&first)["reason"], "Secretly, the suburb is too far.");
    assert_eq!(of(&second)["state"], "lapsed");
    assert_eq!(of(&reserve[0])["state"], Value::Null);
    assert_eq!(review.exhausted().await, 0);
}

#[tokio::test]
async fn when_nobody_is_left_staff_hear_of_it_once_and_can_look_again() {
    let mut review = Review::of(3).await;
    let places = [0, 1, 2];
    let mut all = Vec::new();
    for place in places {
        all.push(review.candidate(place).await);
    }
    let invitation = review.invite(&all[0]).await;
    review
        .act(&all[1], "pass", &json!({"reason": ""}))
        .await
        .expect(422);
    review.act(&all[1], "pass", &reason()).await.expect(201);
    assert_eq!(review.standing(&all[1]).await["state"], "passed");
    review
        .act(&all[1], "invitation", &json!({}))
        .await
        .expect_problem(409, "candidate-passed");
    review
        .answer(&invitation, "refusal", &reason())
        .await
        .expect(201);
    assert_eq!(review.exhausted().await, 0, "one is left");
    review.act(&all[2], "pass", &reason()).await.expect(201);
    assert_eq!(review.exhausted().await, 1);
    let request = review.world.as_("ana").get(&review.request).await;
    assert_eq!(request["state"], "released");

    let path = format!("{}/replenishment", review.request);
    let cora = review.world.as_("cora");
    let nobody = cora.post(&path, &json!({})).await;
    nobody.expect_problem(409, "no-candidates");
    review
        .world
        .as_("ana")
        .post(&path, &json!({}))
        .await
        .expect(404);
    review.join(10..17).await;
    let cora = review.world.as_("cora");
    let more = cora.post(&path, &json!({})).await.expect(201);
    assert_eq!(
        more["shown"].as_array().unwrap().len(),
        8,
        "a shortlist's worth"
    );
    assert_eq!(review.list().await.len(), 8);
    // Somebody is there again, and the next time nobody is, staff hear again.
    for place in 3..8 {
        let candidate = review.candidate(place).await;
        review.act(&candidate, "pass", &reason()).await.expect(201);
    }
    assert_eq!(review.exhausted().await, 2);
}

#[tokio::test]
async fn two_who_leave_at_once_are_not_overlooked() {
    let review = Review::of(2).await;
    let (first, second) = (review.candidate(0).await, review.candidate(1).await);
    let invitations = [review.invite(&first).await, review.invite(&second).await];
    let why = reason();
    let declining = invitations
        .iter()
        .map(|invitation| review.answer(invitation, "refusal", &why));
    for answer in all_at_once(declining).await {
        answer.expect(201);
    }
    assert_eq!(review.exhausted().await, 1);
}

#[tokio::test]
async fn an_invitation_is_withdrawn_by_the_client_as_long_as_it_is_not_answered() {
    let review = Review::of(6).await;
    let candidate = review.candidate(0).await;
    let none = review.act(&candidate, "withdrawal", &json!({})).await;
    none.expect_problem(409, "candidate-not-invited");
    let invitation = review.invite(&candidate).await;
    review
        .act(&candidate, "pass", &reason())
        .await
        .expect_problem(409, "candidate-invited");
    review
        .act(&candidate, "withdrawal", &json!({}))
        .await
        .expect(201);
    assert_eq!(review.standing(&candidate).await["state"], "withdrawn");
    let late = review.answer(&invitation, "acceptance", &json!({})).await;
    late.expect_problem(409, "invitation-not-open");
    let told = review.told(&invitation.1).await;
    assert!(
        told.contains(&"An invitation was withdrawn".to_owned()),
        "{told:?}"
    );
    // Its deadline does nothing any more.
    review.world.advance(80).await;
    assert_eq!(review.standing(&candidate).await["state"], "withdrawn");
    assert_eq!(review.list().await.len(), 5);
}

#[tokio::test]
async fn a_request_that_comes_to_its_end_takes_its_open_invitations_along() {
    for (how, state) in [("fulfilment", "fulfilled"), ("withdrawal", "withdrawn")] {
        let mut review = Review::of(8).await;
        let mut invitations = Vec::new();
        for place in 0..3 {
            let candidate = review.candidate(place).await;
            invitations.push(review.invite(&candidate).await);
        }
        review
            .answer(&invitations[0], "acceptance", &json!({}))
            .await
            .expect(201);
        let path = format!("{}/{how}", review.request);
        let ended = review.world.as_("ana").post(&path, &json!({})).await;
        assert_eq!(ended.expect(201)["state"], state);
        review
            .world
            .as_("ana")
            .post(&path, &json!({}))
            .await
            .expect(409);
        // At once, whether or not the withdrawal has come round.
        let late = review
            .answer(&invitations[1], "acceptance", &json!({}))
            .await;
        late.expect_problem(409, "invitation-not-open");
        review.world.settle().await;
        for invitation in &invitations[1..] {
            let seen = review.world.as_(&invitation.1).get(&invitation.0).await;
            assert_eq!(seen.expect(200)["state"], "withdrawn");
            let told = review.told(&invitation.1).await;
            let withdrawn = told
                .iter()
                .filter(|told| *told == "An invitation was withdrawn");
            assert_eq!(withdrawn.count(), 1, "{told:?}");
        }
        let seen = review
            .world
            .as_(&invitations[0].1)
            .get(&invitations[0].0)
            .await;
        assert_eq!(seen["state"], "accepted");
        let candidate = review.candidate(3).await;
        let late = review.act(&candidate, "invitation", &json!({})).await;
        late.expect_problem(409, "candidate-not-available");
        assert_eq!(review.exhausted().await, 0);
        // The plan allows one open request: there is room for another.
        review.submit().await;
        assert_eq!(review.list().await.len(), 5);
    }
}

#[tokio::test]
async fn at_the_deadline_either_the_acceptance_stands_or_the_lapse() {
    for round in 0..6 {
        let review = Review::of(6).await;
        let candidate = review.candidate(0).await;
        let invitation = review.invite(&candidate).await;
        let (worker, _) = review.behind(&candidate).await;
        review
            .world
            .advance_by(TimeDelta::hours(72) - TimeDelta::seconds(1))
            .await;
        let pass = async {
            review.world.advance_by(TimeDelta::seconds(1)).await;
        };
        let nothing = json!({});
        let accepting = (0..3).map(|_| review.answer(&invitation, "acceptance", &nothing));
        let (answers, ()) = tokio::join!(all_at_once(accepting), pass);
        let accepted = answers
            .iter()
            .filter(|answer| answer.status() == 201)
            .count();
        assert!(
            answers
                .iter()
                .all(|answer| [201, 409].contains(&answer.status()))
        );
        assert!(accepted <= 1, "round {round}");
        review.world.settle().await;
        let state = review.standing(&candidate).await["state"].clone();
        let engaged = review.pair(&worker).await.is_some();
        let followed = review.list().await.len() == 6;
        match accepted {
            1 => assert_eq!((state, engaged, followed), (json!("accepted"), true, false)),
            _ => assert_eq!(
                (state, engaged, followed),
                (json!("not_available"), false, true)
            ),
        }
    }
}
