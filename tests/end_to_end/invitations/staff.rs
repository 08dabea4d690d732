//! What staff do about candidates once the client has seen them.

use domain::access::StaffRole;
use domain::person::Person;
use domain::support_worker::SupportWorker;
use reqwest::Method;
use serde_json::{Value, json};
use store::Key;

use super::{Review, reason};
use crate::engaged::edit;

#[tokio::test]
async fn staff_take_back_what_was_done_by_mistake() {
    let review = Review::of(6).await;
    let (declined, passed) = (review.candidate(0).await, review.candidate(1).await);
    let invitation = review.invite(&declined).await;
    let reverse = async |by: &str, candidate: &str| {
        let path = format!("{}/candidates/{candidate}/reversal", review.request);
        let why = json!({"reason": "Pressed the wrong button and rang at once."});
        match by {
            "ada" => review.world.administrator().post(&path, &why).await,
            by => review.world.as_(by).post(&path, &why).await,
        }
    };
    reverse("ada", &declined)
        .await
        .expect_problem(409, "candidate-invited");
    review
        .answer(&invitation, "refusal", &reason())
        .await
        .expect(201);
    review.act(&passed, "pass", &reason()).await.expect(201);
    reverse("cora", &declined).await.expect(403);
    reverse("ana", &declined).await.expect(404);
    for candidate in [&declined, &passed] {
        reverse("ada", candidate).await.expect(201);
        let standing = review.standing(candidate).await;
        assert_eq!(standing["state"], "presented");
        assert_eq!(standing["available"], true);
        reverse("ada", candidate)
            .await
            .expect_problem(409, "candidate-presented");
    }
    // Until invited again, the support worker has nothing to answer.
    review
        .world
        .as_(&invitation.1)
        .get(&invitation.0)
        .await
        .expect(404);
    let again = review.invite(&declined).await;
    assert_eq!(again.0, invitation.0);
    // The deadline of the first time has no effect on the second.
    review.world.advance(71).await;
    assert_eq!(review.standing(&declined).await["state"], "invited");
    review
        .answer(&again, "acceptance", &json!({}))
        .await
        .expect(201);
    reverse("ada", &declined)
        .await
        .expect_problem(409, "candidate-accepted");
    let (_, id) = review.request.rsplit_once('/').unwrap();
    let audit = format!("/v1/audit/match_request/{id}?limit=100");
    let audit = review.world.administrator().get(&audit).await.expect(200);
    let items = audit["items"].as_array().unwrap().iter();
    let reversed = items.filter(|item| item["operation"] == "reverse_candidate");
    assert_eq!(reversed.count(), 2);
}

#[tokio::test]
async fn staff_answer_for_a_support_worker_who_told_them_to() {
    let review = Review::of(6).await;
    let candidate = review.candidate(0).await;
    let invitation = review.invite(&candidate).await;
    let accept = format!("{}/acceptance", invitation.0);
    let cora = review.world.as_("cora");
    cora.post(&accept, &json!({})).await.expect(403);
    let key = review.world.fresh_key();
    let told = cora.ask(Method::POST, &accept, |request| {
        let request = request.header("on-instruction", "by telephone on 25 November, 10:20");
        request.header("idempotency-key", key).json(&json!({}))
    });
    let accepted = told.await.expect(201);
    assert_eq!(accepted["state"], "accepted");
    assert_eq!(review.standing(&candidate).await["state"], "accepted");
    let told = review.told(&invitation.1).await;
    let done = told
        .iter()
        .filter(|told| *told == "Done for you, as you told us");
    assert_eq!(done.count(), 1, "{told:?}");

    // And for a client.
    let other = review.candidate(1).await;
    let path = format!("{}/candidates/{other}/invitation", review.request);
    let key = review.world.fresh_key();
    let told = cora.ask(Method::POST, &path, |request| {
        let request = request.header("on-instruction", "in person, at the office");
        request.header("idempotency-key", key).json(&json!({}))
    });
    told.await.expect(201);
    assert_eq!(review.standing(&other).await["state"], "invited");
    let told = review.told("ana").await;
    assert!(
        told.contains(&"Done for you, as you told us".to_owned()),
        "{told:?}"
    );
}

#[tokio::test]
async fn staff_who_are_a_candidate_do_nothing_about_themselves_for_the_client() {
    let review = Review::of(6).await;
    let candidate = review.candidate(0).await;
    let invitation = review.invite(&candidate).await;
    let asked = json!({"text": "Is there a lift?"});
    let asked = review.answer(&invitation, "questions", &asked).await;
    let question = asked.expect(201)["questions"][0]["question"].clone();
    let (worker, subject) = review.behind(&candidate).await;
    let context = review.world.context();
    let worker = Key::worker(worker.parse().unwrap());
    let worker = context.store.get::<SupportWorker>(&worker).await.unwrap();
    let person = Key::person(worker.unwrap().value.person);
    edit::<Person>(&review.world, &person, |person| {
        person.roles.staff.insert(StaffRole::Coordinator);
    })
    .await;
    let other = review.candidate(1).await;
    let told = async |candidate: &str, what: &str, body: &Value| {
        let path = format!("{}/candidates/{candidate}/{what}", review.request);
        let key = review.world.fresh_key();
        let caller = review.world.as_(&subject);
        let told = caller.ask(Method::POST, &path, |request| {
            let request = request.header("on-instruction", "in person, at the office");
            request.header("idempotency-key", key).json(body)
        });
        told.await
    };
    let answer = format!("questions/{}/answer", question.as_str().unwrap());
    let text = json!({"text": "There is a lift."});
    told(&candidate, &answer, &text).await.expect(403);
    told(&candidate, "withdrawal", &json!({})).await.expect(403);
    told(&candidate, "pass", &reason()).await.expect(403);
    assert_eq!(review.standing(&candidate).await["state"], "invited");
    // Nor do they answer it as somebody who told themselves to.
    let key = review.world.fresh_key();
    let path = format!("{}/acceptance", invitation.0);
    let themselves = review.world.as_(&subject);
    let themselves = themselves.ask(Method::POST, &path, |request| {
        let request = request.header("on-instruction", "by myself");
        request.header("idempotency-key", key).json(&json!({}))
    });
    themselves.await.expect(403);
    told(&other, "invitation", &json!({})).await.expect(201);
}
