//! From the released list to an accepted invitation, which opens an engagement.

mod course;
mod known;
mod measured;
mod questions;
mod refreshed;
mod staff;

use std::collections::BTreeMap;

use domain::access::StaffRole;
use domain::candidates::CandidateList;
use domain::conversation::Message;
use domain::engagement::Engagement;
use domain::id::{ClientId, EngagementId, WorkerId};
use domain::pair::Pair;
use rapport_tests::answer::Answer;
use rapport_tests::people::{
    modest_request, settle_client, settle_representative, settle_staff, settle_workers,
};
use rapport_tests::world::World;
use serde_json::{Value, json};
use store::Key;

/// Support workers around Carlton, a client whose list is out, a coordinator.
struct Review {
    world: World,
    client: ClientId,
    workers: BTreeMap<String, String>,
    /// `/v1/match-requests/…`
    request: String,
}

impl Review {
    /// With so many support workers, and the list of the client's one request out.
    async fn of(workers: usize) -> Self {
        let mut review = Self::before(workers).await;
        review.submit().await;
        review
    }

    /// The same before anything is asked for.
    async fn before(workers: usize) -> Self {
        let world = World::start().await;
        let (client, _) = settle_client(world.context(), "ana").await;
        settle_staff(world.context(), "cora", StaffRole::Coordinator).await;
        let ada = world.administrator();
        let terms = json!({
            "name": "Together", "entitlements": ["match_requests"], "open_match_requests": 1,
            "fees": {"monthly": 1900, "service_basis_points": 250}
        });
        let plan = ada.post("/v1/membership-plans", &terms).await.expect(201);
        let path = format!("/v1/clients/{client}");
        let tag = ada.get(&path).await.etag();
        let assign = json!({"plan": plan["id"], "reason": "Chosen on the phone."});
        let path = format!("{path}/membership");
        ada.put(&path, &tag, &assign).await.expect(200);
        let mut review = Self {
            world,
            client,
            workers: BTreeMap::new(),
            request: String::new(),
        };
        review.join(0..workers).await;
        review
    }

    /// More support workers come.
    async fn join(&mut self, numbers: std::ops::Range<usize>) {
        let subjects: Vec<String> = numbers.map(|number| format!("worker-{number}")).collect();
        let context = self.world.context();
        let settled = settle_workers(context, subjects.clone(), |_, _, _| {}).await;
        let ids = settled.into_iter().map(|(id, _)| id.to_string());
        self.workers.extend(ids.zip(subjects));
        self.world.settle().await;
    }

    async fn submit(&mut self) {
        let path = format!("/v1/clients/{}/match-requests", self.client);
        let mut details = modest_request();
        details["about_me"] = json!("I like chess and a quiet house.");
        details["care_needs"]["share"]["about_me"] = json!(true);
        let submitted = self.world.as_("ana").post(&path, &details).await;
        self.request = format!("/v1/match-requests/{}", submitted.expect(201).string("id"));
        self.world.advance(24).await;
    }

    async fn list(&self) -> Vec<Value> {
        let path = format!("{}/candidates", self.request);
        let list = self.world.as_("ana").get(&path).await.expect(200);
        list["candidates"].as_array().unwrap().clone()
    }

    /// The candidate at this place of the list.
    async fn candidate(&self, place: usize) -> String {
        self.list().await[place]["candidate"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    async fn standing(&self, candidate: &str) -> Value {
        let list = self.list().await;
        let found = list.into_iter().find(|one| one["candidate"] == candidate);
        found.unwrap()
    }

    /// What the client does about a candidate.
    async fn act(&self, candidate: &str, what: &str, body: &Value) -> Answer {
        let path = format!("{}/candidates/{candidate}/{what}", self.request);
        self.world.as_("ana").post(&path, body).await
    }

    async fn stored(&self) -> CandidateList {
        let (_, id) = self.request.rsplit_once('/').unwrap();
        let key = Key::candidate_list(id.parse().unwrap());
        let list = self.world.context().store.get::<CandidateList>(&key).await;
        list.unwrap().unwrap().value
    }

    /// The support worker behind a candidate, and how they sign in.
    async fn behind(&self, candidate: &str) -> (String, String) {
        let worker = self.stored().await.invitable(candidate.parse().unwrap());
        let worker = worker.unwrap().to_string();
        (worker.clone(), self.workers[&worker].clone())
    }

    /// Invites a candidate; the invitation's path, and how its support worker signs in.
    async fn invite(&self, candidate: &str) -> (String, String) {
        self.act(candidate, "invitation", &json!({}))
            .await
            .expect(201);
        self.invited(candidate).await
    }

    async fn invited(&self, candidate: &str) -> (String, String) {
        let (worker, subject) = self.behind(candidate).await;
        let path = format!("/v1/support-workers/{worker}/invitations");
        let list = self.world.as_(&subject).get(&path).await.expect(200);
        let newest = list["items"][0]["id"].as_str().unwrap();
        (format!("{path}/{newest}"), subject)
    }

    /// What the support worker answers to an invitation.
    async fn answer(&self, (path, subject): &(String, String), what: &str, body: &Value) -> Answer {
        let path = format!("{path}/{what}");
        self.world.as_(subject).post(&path, body).await
    }

    async fn preview(&self) -> Answer {
        let path = format!("{}/candidate-preview", self.request);
        self.world.as_("cora").get(&path).await.expect(200)
    }

    /// The first lines of what somebody was told.
    async fn told(&self, subject: &str) -> Vec<String> {
        self.world.settle().await;
        let inbox = self.world.as_(subject).get("/v1/inbox").await.expect(200);
        let items = inbox["items"].as_array().unwrap();
        let subjects = items.iter().map(|item| item["subject"].as_str().unwrap());
        subjects.map(str::to_owned).collect()
    }

    async fn exhausted(&self) -> usize {
        let path = "/v1/tickets?queue=match_requests&limit=100";
        let tickets = self.world.as_("cora").get(path).await.expect(200);
        let tickets = tickets["items"].as_array().unwrap();
        let exhausted = |ticket: &&Value| ticket["cause"] == "candidates_exhausted";
        tickets.iter().filter(exhausted).count()
    }

    async fn pair(&self, worker: &str) -> Option<Pair> {
        let worker: WorkerId = worker.parse().unwrap();
        let key = Key::pair(self.client, worker);
        let pair = self.world.context().store.get::<Pair>(&key).await;
        pair.unwrap().map(|pair| pair.value)
    }
}

fn reason() -> Value {
    json!({"reason": "Mondays are taken."})
}

#[tokio::test]
async fn an_accepted_invitation_opens_an_engagement() {
    let review = Review::of(8).await;
    let candidate = review.candidate(1).await;
    let (worker, subject) = review.behind(&candidate).await;
    let invitation = review.invite(&candidate).await;
    let standing = review.standing(&candidate).await;
    assert_eq!(standing["state"], "invited");
    assert_eq!(standing["available"], false);
    let again = review.act(&candidate, "invitation", &json!({})).await;
    again.expect_problem(409, "candidate-invited");
    let told = review.told(&subject).await;
    assert!(told.contains(&"You are invited".to_owned()), "{told:?}");

    let seen = review.world.as_(&subject).get(&invitation.0).await;
    let seen = seen.expect(200);
    assert_eq!(seen["answer_by"], standing["answer_by"]);
    assert_eq!(seen["request"]["suburb"], "Carlton");
    let about_me = &seen["request"]["about_me"];
    assert_eq!(about_me, "I like chess and a quiet house.");
    for hidden in [&review.request[19..], &candidate, "3053", "144.97", "Given"] {
        assert!(!seen.text().contains(hidden), "{hidden}: {}", seen.text());
    }
    // Nobody else's.
    let path = invitation.0.clone();
    review.world.as_("ana").get(&path).await.expect(404);

    let key = review.world.fresh_key();
    let accept = format!("{}/acceptance", invitation.0);
    let by = review.world.as_(&subject);
    let accepted = by.post_with_key(&accept, &key, &json!({})).await;
    let accepted = accepted.expect(201);
    let repeated = by.post_with_key(&accept, &key, &json!({})).await;
    assert!(repeated.expect(201).replayed());
    let twice = review.answer(&invitation, "acceptance", &json!({})).await;
    twice.expect_problem(409, "invitation-not-open");

    let id: EngagementId = accepted.string("engagement").parse().unwrap();
    let store = &review.world.context().store;
    let engagement = store.get::<Engagement>(&Key::engagement(id)).await;
    let engagement = engagement.unwrap().unwrap().value;
    assert_eq!(engagement.client, review.client);
    assert_eq!(engagement.worker.to_string(), worker);
    assert!(engagement.is_live());
    let pair = review.pair(&worker).await.unwrap();
    assert_eq!(pair.engagement, Some(id));
    assert!(pair.known_since.is_some());
    let pk = Key::engagement(id).pk;
    let lines = store.list_all::<Message>(&pk, "MSG#", 9).await;
    assert_eq!(lines.unwrap().len(), 1);
    let standing = review.standing(&candidate).await;
    assert_eq!(standing["state"], "accepted");
    assert_eq!(standing["engagement"], id.to_string());
    for subject in ["ana", &subject] {
        let told = review.told(subject).await;
        let opened = told
            .iter()
            .filter(|told| *told == "The engagement was opened");
        assert_eq!(opened.count(), 1, "{subject}: {told:?}");
    }
    // What is decided cannot be decided otherwise.
    for what in ["pass", "withdrawal"] {
        let body = if what == "pass" { reason() } else { json!({}) };
        review.act(&candidate, what, &body).await.expect(409);
    }
    // The request goes on until its first visit: others can be invited.
    let other = review.candidate(0).await;
    review.invite(&other).await;
}

#[tokio::test]
async fn whoever_is_not_eligible_any_more_is_neither_invited_nor_accepts() {
    let review = Review::of(6).await;
    let (first, second) = (review.candidate(0).await, review.candidate(1).await);
    let pause = async |worker: &str| {
        let path = format!("/v1/support-workers/{worker}/pause");
        let subject = &review.workers[worker];
        let paused = review.world.as_(subject).post(&path, &json!({})).await;
        paused.expect(201);
    };
    pause(&review.behind(&first).await.0).await;
    let refused = review.act(&first, "invitation", &json!({})).await;
    let refused = refused.expect_problem(409, "candidate-not-available");
    assert_eq!(review.standing(&first).await["state"], "not_available");

    let invitation = review.invite(&second).await;
    pause(&review.behind(&second).await.0).await;
    let late = review.answer(&invitation, "acceptance", &json!({})).await;
    late.expect_problem(409, "invitation-not-open");
    assert_eq!(review.pair(&review.behind(&second).await.0).await, None);
    // To decline is possible still, and looks like every other absence.
    review
        .answer(&invitation, "refusal", &reason())
        .await
        .expect(201);
    let declined = review.act(&second, "invitation", &json!({})).await;
    let declined = declined.expect_problem(409, "candidate-not-available");
    assert_eq!(declined.text(), refused.text());
    let nobody = "cand_0190b2f06bd47c5a9a3e5b7f21d4c8ab";
    review
        .act(nobody, "invitation", &json!({}))
        .await
        .expect(404);
}

#[tokio::test]
async fn nobody_is_invited_before_the_release() {
    let review = Review::before(6).await;
    let path = format!("/v1/clients/{}/match-requests", review.client);
    let submitted = review.world.as_("ana").post(&path, &modest_request()).await;
    let request = format!("/v1/match-requests/{}", submitted.expect(201).string("id"));
    let review = Review { request, ..review };
    let listed = review.stored().await.candidates[0].id.to_string();
    let early = review.act(&listed, "invitation", &json!({})).await;
    early.expect_problem(409, "candidates-not-released");
    let path = format!("{}/fulfilment", review.request);
    let early = review.world.as_("ana").post(&path, &json!({})).await;
    early.expect_problem(409, "candidates-not-released");
    // The reserve is nobody that the client knows of.
    review.world.advance(24).await;
    let reserve = review.stored().await.candidates[5].id.to_string();
    review
        .act(&reserve, "invitation", &json!({}))
        .await
        .expect(404);
}

#[tokio::test]
async fn a_representative_invites_until_their_authority_is_revoked() {
    let review = Review::of(6).await;
    let context = review.world.context();
    let person = settle_representative(context, "rep", review.client, |_| {}).await;
    let (first, second) = (review.candidate(0).await, review.candidate(1).await);
    let rep = review.world.as_("rep");
    let invitation =
        |candidate: &str| format!("{}/candidates/{candidate}/invitation", review.request);
    rep.post(&invitation(&first), &json!({})).await.expect(201);
    let client = format!("/v1/clients/{}", review.client);
    let revocation = format!("{client}/authorities/{person}/revocation");
    let why = json!({"reason": "I look after this myself now."});
    review
        .world
        .as_("ana")
        .post(&revocation, &why)
        .await
        .expect(201);
    rep.post(&invitation(&second), &json!({})).await.expect(404);
    let withdrawal = format!("{}/candidates/{first}/withdrawal", review.request);
    rep.post(&withdrawal, &json!({})).await.expect(404);
    let candidates = format!("{}/candidates", review.request);
    rep.get(&candidates).await.expect(404);
    // What they did while they might goes on standing.
    assert_eq!(review.standing(&first).await["state"], "invited");
}
