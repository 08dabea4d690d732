//! What candidates ask before they answer.

use serde_json::{Value, json};

use super::Review;

impl Review {
    async fn ask(&self, invitation: &(String, String), text: &str) -> Value {
        let asked = self
            .answer(invitation, "questions", &json!({"text": text}))
            .await;
        let questions = asked.expect(201)["questions"].as_array().unwrap().clone();
        questions.last().unwrap().clone()
    }

    async fn screen(&self, candidate: &str, question: &Value, decision: &str) -> Value {
        let question = question["question"].as_str().unwrap();
        let path = format!(
            "{}/candidates/{candidate}/questions/{question}/screening",
            self.request
        );
        let decision = json!({"decision": decision, "reason": "Read it twice."});
        let cora = self.world.as_("cora");
        cora.post(&path, &decision).await.expect(201).json().clone()
    }

    async fn waiting(&self) -> Vec<Value> {
        let list = self
            .world
            .as_("cora")
            .get("/v1/screenings")
            .await
            .expect(200);
        list["items"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn a_clean_question_crosses_at_once_and_a_revealing_one_waits_for_staff() {
    let review = Review::of(6).await;
    let candidate = review.candidate(0).await;
    let invitation = review.invite(&candidate).await;
    let shown = async || review.standing(&candidate).await["questions"].clone();
    let heard = async |subject: &str, what: &str| {
        let told = review.told(subject).await;
        told.iter().filter(|told| *told == what).count()
    };
    let lift = review.ask(&invitation, "Is there a lift?").await;
    assert_eq!(lift["state"], "asked");
    assert_eq!(shown().await[0]["text"], "Is there a lift?");
    assert_eq!(heard("ana", "A candidate has a question").await, 1);

    // Their own name, the client's name, a number to call: staff look first.
    let mut held = Vec::new();
    let name = format!("Ask for {}!", invitation.1);
    for text in [
        &*name,
        "Is your name ana by any chance?",
        "Ring 0491 570 156.",
    ] {
        let question = review.ask(&invitation, text).await;
        assert_eq!(question["state"], "screening", "{text}");
        held.push(question);
    }
    assert_eq!(shown().await.as_array().unwrap().len(), 1);
    assert_eq!(heard("ana", "A candidate has a question").await, 1);
    let waiting = review.waiting().await;
    assert_eq!(waiting.len(), 3);
    assert_eq!(waiting[2]["findings"][0]["kind"], "phone");
    assert_eq!(waiting[0]["text"], *name);

    review.screen(&candidate, &held[0], "refuse").await;
    review.screen(&candidate, &held[1], "pass_on").await;
    assert_eq!(review.waiting().await.len(), 1);
    let crossed = shown().await;
    assert_eq!(crossed.as_array().unwrap().len(), 2);
    assert_eq!(crossed[1]["text"], "Is your name ana by any chance?");
    assert_eq!(heard("ana", "A candidate has a question").await, 2);
    let own = review.world.as_(&invitation.1).get(&invitation.0).await;
    assert_eq!(own["questions"][1]["state"], "refused");
    let path = format!(
        "candidates/{candidate}/questions/{}/screening",
        held[0]["question"].as_str().unwrap()
    );
    let twice = json!({"decision": "pass_on", "reason": "Changed my mind."});
    let twice = review
        .world
        .as_("cora")
        .post(&format!("{}/{path}", review.request), &twice)
        .await;
    twice.expect_problem(409, "nothing-to-screen");
}

#[tokio::test]
async fn an_answer_crosses_as_a_question_does() {
    let review = Review::of(6).await;
    let candidate = review.candidate(0).await;
    let invitation = review.invite(&candidate).await;
    let asked = review.ask(&invitation, "Is there a lift?").await;
    let also = review.ask(&invitation, "Is there a dog?").await;
    let answer = async |question: &Value, text: &str| {
        let what = format!(
            "questions/{}/answer",
            question["question"].as_str().unwrap()
        );
        review.act(&candidate, &what, &json!({"text": text})).await
    };
    let seen = async |place: usize| {
        let own = review
            .world
            .as_(&invitation.1)
            .get(&invitation.0)
            .await
            .expect(200);
        own["questions"][place].clone()
    };
    answer(&asked, "").await.expect(422);
    answer(&asked, &"x".repeat(501)).await.expect(422);
    answer(&asked, "There is.").await.expect(201);
    assert_eq!(seen(0).await["answer"], "There is.");
    answer(&asked, "Or is there?")
        .await
        .expect_problem(409, "question-answered");
    let told = review.told(&invitation.1).await;
    assert!(
        told.contains(&"Your question was answered".to_owned()),
        "{told:?}"
    );

    answer(&also, "Ring ana on 0491 570 156 about the dog.")
        .await
        .expect(201);
    let waits = seen(1).await;
    assert_eq!(
        (&waits["state"], &waits["answer"]),
        (&json!("asked"), &Value::Null)
    );
    let of_client = review.standing(&candidate).await["questions"][1].clone();
    assert_eq!(of_client["state"], "answer_screening");
    let refused = review.screen(&candidate, &also, "refuse").await;
    assert_eq!(refused["state"], "asked");
    answer(&also, "A small one, says ana.").await.expect(201);
    review.screen(&candidate, &also, "pass_on").await;
    assert_eq!(seen(1).await["answer"], "A small one, says ana.");
    let nobody = json!({"question": "qst_0190b2f06bd47c5a9a3e5b7f21d4c8ab"});
    answer(&nobody, "There is.").await.expect(404);
}

#[tokio::test]
async fn questions_are_few_and_end_with_the_invitation() {
    let review = Review::of(6).await;
    let candidate = review.candidate(0).await;
    let invitation = review.invite(&candidate).await;
    for number in 0..9 {
        review
            .ask(&invitation, &format!("Question number {number}?"))
            .await;
    }
    let last = review.ask(&invitation, "Ring 0491 570 156?").await;
    assert_eq!(last["state"], "screening");
    let more = json!({"text": "One more?"});
    let more = review.answer(&invitation, "questions", &more).await;
    more.expect_problem(409, "too-many-questions");
    let long = json!({"text": "x".repeat(501)});
    let other = review.candidate(1).await;
    let other = review.invite(&other).await;
    review.answer(&other, "questions", &long).await.expect(422);
    assert_eq!(review.waiting().await.len(), 1);
    review
        .act(&candidate, "withdrawal", &json!({}))
        .await
        .expect(201);
    assert_eq!(
        review.waiting().await.len(),
        0,
        "nothing of it waits any more"
    );
    let late = json!({"text": "Why?"});
    let late = review.answer(&invitation, "questions", &late).await;
    late.expect_problem(409, "invitation-not-open");
}
