//! A client and a support worker who have agreed on terms, for whatever is about visits.

use domain::engagement::Engagement;
use domain::id::{ClientId, EngagementId, PersonId, WorkerId};
use domain::person::Person;
use rapport_tests::answer::Answer;
use rapport_tests::people::{settle_client, settle_engagement, settle_workers};
use rapport_tests::visits::agree_terms;
use rapport_tests::world::{Caller, World};
use serde_json::{Value, json};
use store::{Actor, Commit, Entity, Key};

/// Where Ana lives.
pub(crate) const ADDRESS: &str = "8 Vulture Street, Carlton 3053";

/// Ana and Wanda, in an engagement with terms.
pub(crate) struct Engaged {
    pub(crate) world: World,
    pub(crate) client: ClientId,
    pub(crate) client_person: PersonId,
    pub(crate) worker: WorkerId,
    pub(crate) worker_person: PersonId,
    pub(crate) engagement: EngagementId,
}

impl Engaged {
    pub(crate) async fn settle() -> Self {
        Self::settle_with(|_| {}).await
    }

    pub(crate) async fn settle_with(change: impl FnOnce(&mut Engagement)) -> Self {
        let world = World::start().await;
        let context = world.context();
        let (client, client_person) = settle_client(context, "ana").await;
        let workers = settle_workers(context, ["wanda".to_owned()], |_, _, _| {}).await;
        let (worker, worker_person) = workers[0];
        let engagement = settle_engagement(context, client, worker, |engagement| {
            agree_terms(context, engagement);
            change(engagement);
        })
        .await;
        edit::<Person>(&world, &Key::person(client_person), |person| {
            person.address = Some(ADDRESS.to_owned());
        })
        .await;
        Self {
            world,
            client,
            client_person,
            worker,
            worker_person,
            engagement,
        }
    }

    pub(crate) fn path(&self) -> String {
        format!("/v1/engagements/{}/proposals", self.engagement)
    }

    /// Wanda proposes.
    pub(crate) async fn propose(&self, visit: &Value) -> Answer {
        propose(&self.world, "wanda", self.engagement, visit).await
    }

    /// What Wanda proposes, Ana accepts: the visit's path.
    pub(crate) async fn book(&self, visit: &Value) -> String {
        let proposal = self.propose(visit).await.expect(201);
        let accepted = accept(&self.world, "ana", &proposal).await.expect(201);
        format!("/v1/visits/{}", accepted.string("visit"))
    }

    /// Another client whom Wanda supports too.
    pub(crate) async fn another_client(&self, subject: &str) -> EngagementId {
        let context = self.world.context();
        let (client, _) = settle_client(context, subject).await;
        let with_terms = |engagement: &mut Engagement| agree_terms(context, engagement);
        settle_engagement(context, client, self.worker, with_terms).await
    }

    /// What the client's, the support worker's and everybody's schedule show, which is the same.
    pub(crate) async fn schedule(&self) -> Vec<Value> {
        self.world.settle().await;
        let range = "from=2026-03-01T00:00:00Z&until=2027-03-01T00:00:00Z&limit=100";
        let read = async |caller: Caller<'_>, path: &str| {
            let shown = caller.get(&format!("{path}?{range}")).await.expect(200);
            assert_eq!(shown["next"], Value::Null, "more than one page");
            shown["items"].as_array().unwrap().clone()
        };
        let client = format!("/v1/clients/{}/schedule", self.client);
        let client = read(self.world.as_("ana"), &client).await;
        let worker = format!("/v1/support-workers/{}/schedule", self.worker);
        assert_eq!(read(self.world.as_("wanda"), &worker).await, client);
        let everybody = self.world.administrator();
        assert_eq!(read(everybody, "/v1/schedule").await, client);
        client
    }

    /// When each visit on all three schedules begins.
    pub(crate) async fn begins(&self) -> Vec<String> {
        let shown = self.schedule().await;
        let from = |visit: &Value| visit["from"].as_str().unwrap().to_owned();
        shown.iter().map(from).collect()
    }

    /// What somebody was told since the beginning, in alphabetical order: the clock stands still meanwhile.
    pub(crate) async fn told(&self, subject: &str) -> Vec<String> {
        self.world.settle().await;
        let inbox = self.world.as_(subject).get("/v1/inbox").await.expect(200);
        let items = inbox["items"].as_array().unwrap().iter();
        let mut told: Vec<String> = items
            .map(|item| item["subject"].as_str().unwrap().to_owned())
            .collect();
        told.sort();
        told
    }
}

pub(crate) async fn propose(
    world: &World,
    subject: &str,
    engagement: EngagementId,
    visit: &Value,
) -> Answer {
    let path = format!("/v1/engagements/{engagement}/proposals");
    world
        .as_(subject)
        .post(&path, &json!({"visit": visit}))
        .await
}

/// Accepts the revision that `proposal` shows.
pub(crate) async fn accept(world: &World, subject: &str, proposal: &Answer) -> Answer {
    let path = path_of(proposal);
    let seen = json!({"revision": proposal["current"]["number"]});
    world
        .as_(subject)
        .post(&format!("{path}/acceptance"), &seen)
        .await
}

pub(crate) fn path_of(proposal: &Answer) -> String {
    let (engagement, id) = (proposal.string("engagement"), proposal.string("id"));
    format!("/v1/engagements/{engagement}/proposals/{id}")
}

/// Changes something straight in the table.
pub(crate) async fn edit<T: Entity + Clone>(world: &World, key: &Key, change: impl FnOnce(&mut T)) {
    let context = world.context();
    let was = context.store.get::<T>(key).await.unwrap();
    let was = was.expect("something to change");
    let mut next = was.value.clone();
    change(&mut next);
    let audit = context.audit(Actor::Service, "settle", key);
    let commit = Commit::new(audit).replace(&was, &next);
    context.store.commit(commit).await.unwrap();
}
