//! Bookings: 64 actors propose, revise, accept, change, withdraw, decline and cancel visits and series of the same few
//! people, in several time zones and at any hour, many of them at the same moment, and nobody ends up in two places at
//! once.

mod check;
mod deeds;

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use domain::due::Consumer;
use domain::id::{
    ChangeRequestId, ClientId, EngagementId, PersonId, ProposalId, SeriesId, VisitId, WorkerId,
};
use rand::RngExt;
use rand::seq::SliceRandom;
use rapport_tests::people::{
    settle_client, settle_engagement, settle_representative, settle_workers,
};
use rapport_tests::seeds::{Effort, Seed, seeds};
use rapport_tests::visits::agree_terms;
use serde_json::Value;
use store::consumer_of;

use self::deeds::Deed;
use crate::simulated::{ADMINISTRATOR, Act, Ask, Came, Reply, Simulated};

/// How often everybody who feels like it acts.
const ROUNDS: Effort = Effort {
    reduced: 40,
    full: 1_000,
};
const ACTORS: usize = 64;
const CLIENTS: usize = 4;
const WORKERS: usize = 3;
/// How many act in one round, all at the same time.
const AT_ONCE: usize = 8;
/// How often the group asks again before the simulation counts as stuck.
const PATIENCE: usize = 500;
/// The proposals that people still think of.
const IN_MIND: usize = 10;

#[tokio::test(start_paused = true)]
async fn of_64_actors_nobody_is_ever_booked_in_two_places() {
    for seed in seeds(1) {
        let mut town = Town::settle(&seed).await;
        town.world.brew();
        for round in 0..ROUNDS.now() {
            town.round(round).await;
        }
        town.world.calm();
        town.pass(TimeDelta::days(10)).await;
        town.check().await;
    }
}

/// A few people who have to do with each other, everybody with everybody, and who acts for them.
struct Town {
    world: Simulated,
    clients: Vec<ClientId>,
    workers: Vec<WorkerId>,
    /// The person of each client, then of each support worker.
    people: [Vec<PersonId>; 2],
    /// Of each client, with each support worker.
    engagements: Vec<Vec<EngagementId>>,
    actors: Vec<Actor>,
    in_mind: Vec<InMind>,
    booked: Vec<Booked>,
    requests: Vec<(Booked, ChangeRequestId)>,
    series: Vec<(InMind, SeriesId)>,
    /// What somebody was last told that they have to acknowledge, by what they asked.
    told: BTreeMap<String, Value>,
    /// Which revision each proposal was accepted in, by every acceptance that was answered so.
    accepted: BTreeMap<ProposalId, Vec<u32>>,
    cancelled: BTreeSet<VisitId>,
    tally: BTreeMap<String, usize>,
}

#[derive(Debug, Clone)]
enum Actor {
    /// Somebody on a client's side: themselves, or their representative.
    Client { subject: String, client: usize },
    /// A support worker, on one of their devices.
    Worker { subject: String, worker: usize },
}

/// A proposal as somebody last saw it.
#[derive(Debug, Clone, Copy)]
struct InMind {
    client: usize,
    worker: usize,
    proposal: ProposalId,
    revision: u32,
}

/// A visit that was booked between two.
#[derive(Debug, Clone, Copy)]
struct Booked {
    client: usize,
    worker: usize,
    visit: VisitId,
}

impl Town {
    async fn settle(seed: &Seed) -> Self {
        let mut world = Simulated::start(seed).await;
        let context = world.context();
        let (mut clients, mut client_people) = (Vec::new(), Vec::new());
        for number in 0..CLIENTS {
            let (client, person) = settle_client(context, &format!("client-{number}")).await;
            let subject = format!("representative-{number}");
            settle_representative(context, &subject, client, |_| {}).await;
            clients.push(client);
            client_people.push(person);
        }
        let subjects = (0..WORKERS).map(|number| format!("worker-{number}"));
        let workers = settle_workers(context, subjects, |_, _, _| {}).await;
        let mut engagements = Vec::new();
        for client in &clients {
            let mut of_client = Vec::new();
            for (worker, _) in &workers {
                let agree = |it: &mut domain::engagement::Engagement| agree_terms(context, it);
                of_client.push(settle_engagement(context, *client, *worker, agree).await);
            }
            engagements.push(of_client);
        }
        let (workers, worker_people): (Vec<_>, Vec<_>) = workers.into_iter().unzip();
        let actor = |number: usize| match number % 2 {
            0 => {
                let client = number / 2 % CLIENTS;
                let who = ["client", "representative"][number / 2 / CLIENTS % 2];
                let subject = format!("{who}-{client}");
                Actor::Client { subject, client }
            }
            _ => {
                let worker = number / 2 % WORKERS;
                let subject = format!("worker-{worker}");
                Actor::Worker { subject, worker }
            }
        };
        let actors = (0..ACTORS).map(actor).collect();
        world.deliver().await;
        Self {
            world,
            clients,
            workers,
            people: [client_people, worker_people],
            engagements,
            actors,
            in_mind: Vec::new(),
            booked: Vec::new(),
            requests: Vec::new(),
            series: Vec::new(),
            told: BTreeMap::new(),
            accepted: BTreeMap::new(),
            cancelled: BTreeSet::new(),
            tally: BTreeMap::new(),
        }
    }

    /// Some act, all at the same time; then a little time passes.
    async fn round(&mut self, round: usize) {
        self.actors.shuffle(&mut self.world.chance);
        let mut deeds = Vec::new();
        for number in 0..AT_ONCE {
            let actor = self.actors[number].clone();
            let key = format!("{round}-{number}");
            deeds.extend(self.deed(&actor).map(|(deed, subject)| {
                let ask = self.ask(&subject, deed, key);
                (deed, ask)
            }));
        }
        if self.world.chance.random_bool(0.1) && !self.booked.is_empty() {
            let chosen = self.world.chance.random_range(0..self.booked.len());
            let deed = Deed::Cancel(self.booked.swap_remove(chosen).visit);
            let ask = self.ask(ADMINISTRATOR, deed, format!("{round}-cancel"));
            deeds.push((deed, ask));
        }
        let asks = deeds.iter().map(|(_, ask)| ask.clone()).collect();
        let replies = self.all_together(asks).await;
        for ((deed, ask), reply) in deeds.into_iter().zip(replies) {
            self.learn(deed, &ask, &reply);
        }
        let minutes = self.world.chance.random_range(10..60);
        self.pass(TimeDelta::minutes(minutes)).await;
    }

    /// Everybody asks at the same time, and again with the same key until there is an answer.
    async fn all_together(&mut self, asks: Vec<Ask>) -> Vec<Reply> {
        let mut replies: Vec<Option<Reply>> = asks.iter().map(|_| None).collect();
        for _ in 0..PATIENCE {
            let open = (0..asks.len()).filter(|&ask| replies[ask].is_none());
            let open: Vec<usize> = open.collect();
            if open.is_empty() {
                return replies.into_iter().flatten().collect();
            }
            let acts: Vec<Act> = open
                .iter()
                .map(|&ask| Act::Ask(asks[ask].clone()))
                .collect();
            for (ask, came) in open.into_iter().zip(self.world.together(&acts).await) {
                if let Some(Came::Answered(reply)) = came {
                    replies[ask] = Some(reply).filter(|reply| reply.status < 500);
                }
            }
        }
        panic!("there was no end to it: {asks:?}");
    }

    /// Lets time pass: deadlines have their effect, each event delivered often. Who hears of what is no matter here.
    async fn pass(&mut self, time: TimeDelta) {
        self.world.clock.advance(time);
        loop {
            let due = self.world.observer.due_by(self.world.now(), 1_000).await;
            let due = due.unwrap();
            if due.is_empty() {
                return;
            }
            let (deadlines, notices): (Vec<_>, Vec<_>) = due
                .into_iter()
                .partition(|key| consumer_of(key) == Some(Consumer::Expiry));
            for key in notices {
                if let Some(notice) = self.world.observer.pending_due(&key).await.unwrap() {
                    self.world.observer.forget_due(&notice).await.unwrap();
                }
            }
            self.world.deliver_often(deadlines).await;
        }
    }
}
