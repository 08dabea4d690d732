//! Finding somebody else to come to a visit: who is asked, who is first, and what is booked then.

mod booked;
mod late;
mod offered;
mod stale;
mod suspended;

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::access::StaffRole;
use domain::engagement::Engagement;
use domain::id::WorkerId;
use domain::match_request::{MatchRequest, MatchRequestState};
use domain::visit::{Visit, VisitState};
use rapport_tests::answer::Answer;
use rapport_tests::people::{modest_request, settle_engagement, settle_staff, settle_workers};
use rapport_tests::visits::at_home;
use rapport_tests::world::World;
use serde_json::{Value, json};
use store::{Actor, Commit, Key};

use crate::engaged::Engaged;

/// Monday morning a week ahead: when everybody around here works.
const MONDAY: &str = "2026-03-09T09:00:00";

/// Ana, whose visit by Wanda is booked; those whom she knows besides, and others who work around there.
struct Covered {
    engaged: Engaged,
    /// `/v1/visits/…`
    visit: String,
    workers: BTreeMap<String, WorkerId>,
}

impl Covered {
    async fn settle(known: &[&str], others: &[&str]) -> Self {
        let engaged = Engaged::settle().await;
        let context = engaged.world.context();
        settle_staff(context, "cora", StaffRole::Coordinator).await;
        asked_for(&engaged).await;
        let subjects: Vec<String> = known.iter().chain(others).map(|it| (*it).into()).collect();
        let mut settled = Vec::new();
        if !subjects.is_empty() {
            settled = settle_workers(context, subjects.clone(), |_, _, _| {}).await;
        }
        for (worker, _) in settled.iter().take(known.len()) {
            settle_engagement(context, engaged.client, *worker, |_| {}).await;
            // Whom she has known longest comes first.
            engaged.world.advance_by(TimeDelta::minutes(1)).await;
        }
        engaged.world.settle().await;
        let visit = engaged.book(&at_home(MONDAY)).await;
        let ids = settled.iter().map(|(worker, _)| *worker);
        Self {
            visit,
            workers: subjects.iter().cloned().zip(ids).collect(),
            engaged,
        }
    }

    const fn world(&self) -> &World {
        &self.engaged.world
    }

    /// Somebody asks for somebody else to come.
    async fn ask(&self, subject: &str) -> Answer {
        let reason = json!({"reason": "It cannot be helped."});
        let path = format!("{}/cover", self.visit);
        let asked = self.world().as_(subject).post(&path, &reason).await;
        self.world().settle().await;
        asked
    }

    /// How the search stands, for somebody.
    async fn shown(&self, subject: &str) -> Answer {
        let path = format!("{}/cover", self.visit);
        self.world().as_(subject).get(&path).await.expect(200)
    }

    /// Who was asked, wave by wave.
    async fn waves(&self) -> Vec<Vec<String>> {
        let shown = self.shown("cora").await;
        let mut waves: Vec<Vec<String>> = Vec::new();
        for asked in shown["asked"].as_array().unwrap() {
            let wave = usize::try_from(asked["wave"].as_u64().unwrap()).unwrap();
            waves.resize(waves.len().max(wave), Vec::new());
            waves[wave - 1].push(self.subject_of(&asked["worker"]));
        }
        waves
    }

    fn subject_of(&self, worker: &Value) -> String {
        let mut workers = self.workers.iter();
        let found = workers.find(|(_, id)| id.to_string() == worker.as_str().unwrap());
        found.unwrap().0.clone()
    }

    fn offers(&self, subject: &str) -> String {
        format!("/v1/support-workers/{}/cover-offers", self.workers[subject])
    }

    /// The newest of what somebody was asked to cover.
    async fn offer(&self, subject: &str) -> Answer {
        let by = self.world().as_(subject);
        let listed = by.get(&self.offers(subject)).await.expect(200);
        let cover = listed["items"][0]["cover"].as_str().unwrap();
        let path = format!("{}/{cover}", self.offers(subject));
        by.get(&path).await.expect(200)
    }

    async fn answer(&self, subject: &str, what: &str, body: &Value) -> Answer {
        let cover = self.offer(subject).await.string("cover");
        let path = format!("{}/{cover}/{what}", self.offers(subject));
        let answer = self.world().as_(subject).post(&path, body).await;
        self.world().settle().await;
        answer
    }

    async fn accept(&self, subject: &str) -> Answer {
        self.answer(subject, "acceptance", &json!({})).await
    }

    async fn decline(&self, subject: &str) -> Answer {
        let reason = json!({"reason": "I am at my sister's."});
        self.answer(subject, "refusal", &reason).await
    }

    /// What the client says of the search.
    async fn decide(&self, what: &str, body: &Value) -> Answer {
        let cover = self.shown("ana").await.string("cover");
        let path = format!("/v1/covers/{cover}/{what}");
        let answer = self.world().as_("ana").post(&path, body).await;
        self.world().settle().await;
        answer
    }

    async fn confirm(&self, subject: &str) -> Answer {
        let worker = json!({"worker": self.workers[subject]});
        self.decide("confirmation", &worker).await
    }

    async fn refuse(&self, subject: &str) -> Answer {
        let body = json!({"worker": self.workers[subject], "reason": "Somebody else, please."});
        self.decide("refusal", &body).await
    }

    async fn consent(&self, given: bool) -> Answer {
        let path = format!("/v1/clients/{}/cover-consent", self.engaged.client);
        let given = json!({"given": given});
        self.world().as_("ana").post(&path, &given).await
    }

    /// What stands on somebody's schedule in the next weeks.
    async fn scheduled(&self, of: &str) -> Vec<Value> {
        let path = match self.workers.get(of) {
            Some(worker) => format!("/v1/support-workers/{worker}/schedule"),
            None if of == "wanda" => {
                format!("/v1/support-workers/{}/schedule", self.engaged.worker)
            }
            None => format!("/v1/clients/{}/schedule", self.engaged.client),
        };
        let shown = self.world().as_(of).get(&path).await.expect(200);
        shown["items"].as_array().unwrap().clone()
    }

    async fn stored(&self) -> Visit {
        let (_, id) = self.visit.rsplit_once('/').unwrap();
        let key = Key::visit(id.parse().unwrap());
        let visit = self.world().context().store.get::<Visit>(&key).await;
        visit.unwrap().unwrap().value
    }

    async fn tickets(&self) -> Vec<Value> {
        let path = "/v1/tickets?queue=visits";
        let tickets = self.world().as_("cora").get(path).await.expect(200);
        tickets["items"].as_array().unwrap().clone()
    }
}

/// What Ana once asked for, and found Wanda by.
async fn asked_for(engaged: &Engaged) {
    let context = engaged.world.context();
    let key = Key::engagement(engaged.engagement);
    let held = context.store.get::<Engagement>(&key).await.unwrap();
    let held = held.unwrap().value;
    let now = context.now();
    let mut details = modest_request();
    details["about_me"] = json!("I like chess and a quiet house.");
    details["care_needs"]["share"]["about_me"] = json!(true);
    let request = MatchRequest {
        id: held.match_request,
        client: held.client,
        by: engaged.client_person,
        on_behalf_of: None,
        details: serde_json::from_value(details).unwrap(),
        state: MatchRequestState::Fulfilled,
        submitted_at: now,
        release_at: now,
        deadline_generation: 1,
        policy_version: 1,
        released_at: Some(now),
        closed_at: Some(now),
    };
    let key = Key::match_request(request.id);
    let audit = context.audit(Actor::Service, "settle", &key);
    let commit = Commit::new(audit).insert(&request);
    context.store.commit(commit).await.unwrap();
}

#[tokio::test]
async fn those_whom_the_client_knows_are_asked_first_and_then_so_many_at_a_time() {
    let covered = Covered::settle(&["kim", "lee"], &["a", "b", "c", "d", "e"]).await;
    covered.ask("ana").await.expect(201);
    assert_eq!(covered.waves().await, [["kim", "lee"]]);
    let again = covered.ask("ana").await;
    again.expect_problem(409, "cover-sought");
    covered.world().advance_by(TimeDelta::minutes(14)).await;
    assert_eq!(covered.waves().await.len(), 1);
    covered.world().advance_by(TimeDelta::minutes(1)).await;
    assert_eq!(covered.waves().await[1].len(), 3);
    covered.world().advance_by(TimeDelta::minutes(15)).await;
    let waves = covered.waves().await;
    assert_eq!((waves.len(), waves[2].len()), (3, 2));
    let told = covered.engaged.told("ana").await;
    let sought = "Somebody else is looked for to come to a visit";
    assert!(told.contains(&sought.to_owned()), "{told:?}");
    // Neither the client nor whoever does not come learns who was asked.
    for subject in ["ana", "wanda"] {
        let shown = covered.shown(subject).await;
        assert_eq!(shown["asked"], Value::Null);
        assert_eq!(shown["comes"], Value::Null);
        assert!(!shown.text().contains("wrk_"), "{}", shown.text());
    }
    assert_eq!(covered.stored().await.state, VisitState::Booked);
}
