//! Bookings: 64 actors propose, revise, accept, withdraw, decline and cancel visits of the same few people, many
//! of them at the same moment, and nobody ends up in two places at once.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use domain::conversation::{Content, Message};
use domain::due::Consumer;
use domain::engagement::Happening;
use domain::id::{EngagementId, PersonId, ProposalId, VisitId};
use domain::policy::Policy;
use domain::proposal::{Proposal, ProposalState};
use domain::schedule::{Busy, BusySheet, Month};
use domain::visit::{Visit, VisitState};
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rapport_tests::people::{
    settle_client, settle_engagement, settle_representative, settle_workers,
};
use rapport_tests::seeds::{Effort, Seed, seeds};
use rapport_tests::visits::agree_terms;
use serde_json::{Value, json};
use store::{AuditEntry, EngagementVisit, Key, consumer_of};

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
    /// The person of each client, then of each support worker.
    people: [Vec<PersonId>; 2],
    /// Of each client, with each support worker.
    engagements: Vec<Vec<EngagementId>>,
    actors: Vec<Actor>,
    in_mind: Vec<InMind>,
    booked: Vec<VisitId>,
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

/// What an actor is about to do.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Propose { client: usize, worker: usize },
    Revise(InMind),
    Accept(InMind),
    Other(InMind),
    Cancel(VisitId),
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
            people: [
                client_people,
                workers.iter().map(|(_, person)| *person).collect(),
            ],
            engagements,
            actors,
            in_mind: Vec::new(),
            booked: Vec::new(),
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
            let deed = Deed::Cancel(self.booked.swap_remove(chosen));
            let ask = self.ask(ADMINISTRATOR, deed, format!("{round}-cancel"));
            deeds.push((deed, ask));
        }
        let asks = deeds.iter().map(|(_, ask)| ask.clone()).collect();
        let replies = self.all_together(asks).await;
        for ((deed, _), reply) in deeds.into_iter().zip(replies) {
            self.learn(deed, &reply);
        }
        let minutes = self.world.chance.random_range(10..60);
        self.pass(TimeDelta::minutes(minutes)).await;
    }

    fn deed(&mut self, actor: &Actor) -> Option<(Deed, String)> {
        let chance = &mut self.world.chance;
        let dice = chance.random_range(0..100);
        match actor {
            Actor::Client { subject, client } => {
                let theirs = self.in_mind.iter().filter(|it| it.client == *client);
                let mut seen = *theirs.collect::<Vec<_>>().choose(chance)?.to_owned();
                if dice < 15 {
                    // Somebody who looked a while ago.
                    seen.revision = seen.revision.saturating_sub(1).max(1);
                }
                let deed = if dice < 85 {
                    Deed::Accept(seen)
                } else {
                    Deed::Other(seen)
                };
                Some((deed, subject.clone()))
            }
            Actor::Worker { subject, worker } => {
                let theirs = self.in_mind.iter().filter(|it| it.worker == *worker);
                let seen = theirs.collect::<Vec<_>>().choose(chance).map(|it| **it);
                let deed = match seen {
                    Some(seen) if dice < 30 => Deed::Revise(seen),
                    Some(seen) if dice < 35 => Deed::Other(seen),
                    _ => Deed::Propose {
                        client: chance.random_range(0..CLIENTS),
                        worker: *worker,
                    },
                };
                Some((deed, subject.clone()))
            }
        }
    }

    fn ask(&mut self, subject: &str, deed: Deed, key: String) -> Ask {
        let now = self.world.now();
        let visit = json!({"visit": some_visit(&mut self.world.chance, now)});
        let of = |it: InMind, what: &str| {
            let engagement = self.engagements[it.client][it.worker];
            format!(
                "/v1/engagements/{engagement}/proposals/{}/{what}",
                it.proposal
            )
        };
        let (path, body) = match deed {
            Deed::Propose { client, worker } => {
                let engagement = self.engagements[client][worker];
                (format!("/v1/engagements/{engagement}/proposals"), visit)
            }
            Deed::Revise(it) => (of(it, "revisions"), visit),
            Deed::Accept(it) => (of(it, "acceptance"), json!({"revision": it.revision})),
            Deed::Other(it) if subject.starts_with("worker") => (of(it, "withdrawal"), json!({})),
            Deed::Other(it) => (of(it, "refusal"), json!({"reason": "Not this time."})),
            Deed::Cancel(visit) => {
                let reason = json!({"reason": "Booked by mistake."});
                (format!("/v1/visits/{visit}/cancellation"), reason)
            }
        };
        Ask::post(subject, path, key, body)
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

    fn learn(&mut self, deed: Deed, reply: &Reply) {
        let (name, known) = match deed {
            Deed::Propose { client, worker } => ("propose", Some((client, worker))),
            Deed::Revise(it) => ("revise", Some((it.client, it.worker))),
            Deed::Accept(it) => ("accept", Some((it.client, it.worker))),
            Deed::Other(it) => ("decline or withdraw", Some((it.client, it.worker))),
            Deed::Cancel(_) => ("cancel", None),
        };
        let outcome = match reply.status {
            201 => "done".to_owned(),
            409 => reply.text("type").replace("/problems/", ""),
            _ => panic!("{deed:?}: {}", reply.body),
        };
        *self.tally.entry(format!("{name}: {outcome}")).or_default() += 1;
        if reply.status != 201 {
            return;
        }
        if let Deed::Cancel(visit) = deed {
            self.cancelled.insert(visit);
        }
        let Some((client, worker)) = known else {
            return;
        };
        let proposal: ProposalId = reply.text("id").parse().unwrap();
        if let Deed::Accept(it) = deed {
            self.accepted.entry(proposal).or_default().push(it.revision);
            self.booked.push(reply.text("visit").parse().unwrap());
        }
        // A proposal that is closed stays in mind for a while: somebody may not have heard.
        let revision = reply.body["current"]["number"].as_u64().unwrap();
        self.in_mind.retain(|it| it.proposal != proposal);
        self.in_mind.push(InMind {
            client,
            worker,
            proposal,
            revision: u32::try_from(revision).unwrap(),
        });
        let forgotten = self.in_mind.len().saturating_sub(IN_MIND);
        self.in_mind.drain(..forgotten);
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

    async fn check(&self) {
        let observer = &self.world.observer;
        let mut visits: BTreeMap<VisitId, Visit> = BTreeMap::new();
        let (mut proposals, mut revisions) = (0, 0);
        for engagement in self.engagements.iter().flatten().copied() {
            let pk = Key::engagement(engagement).pk;
            let marks = observer
                .list_all::<EngagementVisit>(&pk, "VISIT#", 100_000)
                .await;
            let marked: BTreeSet<VisitId> =
                marks.unwrap().iter().map(|it| it.value.visit).collect();
            let all = observer
                .list_all::<Proposal>(&pk, "PROP#", 100_000)
                .await
                .unwrap();
            let mut booked = BTreeSet::new();
            let mut winners = BTreeSet::new();
            for proposal in all.into_iter().map(|it| it.value) {
                proposals += 1;
                revisions += proposal.revisions().count();
                let answered = self
                    .accepted
                    .get(&proposal.id)
                    .map_or(&[][..], Vec::as_slice);
                let Some(visit) = proposal.visit else {
                    assert_ne!(proposal.state, ProposalState::Accepted);
                    assert_eq!(answered, [0; 0], "answered, and not booked");
                    assert_ne!(proposal.state, ProposalState::Open, "its time is long over");
                    continue;
                };
                // Exactly one acceptance won, and of exactly the revision that is booked.
                assert_eq!(answered, [proposal.current.number], "{proposal:?}");
                assert_eq!(proposal.state, ProposalState::Accepted);
                let found = observer.get::<Visit>(&Key::visit(visit)).await.unwrap();
                let found = found.expect("half of a booking").value;
                assert_eq!(found.details, proposal.current.visit);
                assert_eq!(
                    (found.proposal, found.revision, found.from, found.until),
                    (
                        proposal.id,
                        proposal.current.number,
                        proposal.current.from,
                        proposal.current.until
                    )
                );
                booked.insert(visit);
                winners.insert(proposal.id.to_string());
                visits.insert(visit, found);
            }
            assert_eq!(marked, booked, "marks and proposals tell of other visits");
            self.check_history(engagement, &booked, &winners).await;
        }
        let cancelled = visits
            .values()
            .filter(|it| it.state == VisitState::Cancelled);
        let cancelled: BTreeSet<VisitId> = cancelled.map(|it| it.id).collect();
        assert_eq!(cancelled, self.cancelled);
        let sheets = self.check_sheets(&visits).await;
        assert!(
            !visits.is_empty() && self.world.crashes > 0,
            "nothing came of it"
        );
        println!(
            "{} actors, {proposals} proposals in {revisions} revisions, {} visits, {} of them cancelled, {sheets} \
             busy sheets, {} ends of the process\n{:#?}",
            self.actors.len(),
            visits.len(),
            cancelled.len(),
            self.world.crashes,
            self.tally
        );
    }

    /// What the audit and the conversation tell: each booking once.
    async fn check_history(
        &self,
        engagement: EngagementId,
        booked: &BTreeSet<VisitId>,
        winners: &BTreeSet<String>,
    ) {
        let observer = &self.world.observer;
        let key = Key::engagement(engagement);
        let mut won = Vec::new();
        let mut cursor = None;
        loop {
            let page = observer
                .audit_of(&key, 100, cursor.as_deref())
                .await
                .unwrap();
            let accepting = |entry: &AuditEntry| entry.item.operation == "accept_proposal";
            let entries = page.items.into_iter().filter(accepting);
            won.extend(entries.flat_map(|entry| entry.item.fields));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        won.sort();
        assert!(won.iter().eq(winners), "{won:?} {winners:?}");
        let lines = observer
            .list_all::<Message>(&key.pk, "MSG#", 1_000_000)
            .await
            .unwrap();
        let mut told: Vec<String> = lines
            .into_iter()
            .filter_map(|line| match line.value.content {
                Content::Happened {
                    happening: Happening::VisitBooked,
                    about,
                } => about,
                _ => None,
            })
            .collect();
        told.sort();
        let booked: Vec<String> = booked.iter().map(VisitId::to_string).collect();
        assert_eq!(told, booked);
    }

    /// Makes every sheet again from the visits alone.
    async fn check_sheets(&self, visits: &BTreeMap<VisitId, Visit>) -> usize {
        let observer = &self.world.observer;
        let buffer = i64::from(Policy::default().travel_buffer_minutes);
        let buffer = TimeDelta::minutes(buffer);
        let mut sheets = 0;
        let sides = self.people.iter().zip([false, true]);
        for (person, travels) in sides.flat_map(|(people, it)| people.iter().map(move |p| (*p, it)))
        {
            let theirs = visits
                .values()
                .filter(|visit| visit.booked_for.contains(&person));
            let mut theirs: Vec<Busy> = theirs
                .filter(|visit| visit.counts())
                .map(|visit| visit.busy(travels))
                .collect();
            theirs.sort_by_key(|busy| busy.from);
            for pair in theirs.windows(2) {
                let journey = travels && pair[0].engagement != pair[1].engagement;
                let gap = if journey { buffer } else { TimeDelta::zero() };
                assert!(pair[0].until + gap <= pair[1].from, "{person}: {pair:?}");
            }
            let mut expected: BTreeMap<Month, Vec<Busy>> = BTreeMap::new();
            for busy in &theirs {
                for month in busy.months(buffer) {
                    expected.entry(month).or_default().push(*busy);
                }
            }
            let pk = Key::busy_sheet(person, Month::of(self.world.now())).pk;
            let found = observer
                .list_all::<BusySheet>(&pk, "2", 1_000)
                .await
                .unwrap();
            let found = found.into_iter().map(|sheet| sheet.value);
            let found: BTreeMap<Month, Vec<Busy>> = found
                .filter(|sheet| !sheet.booked.is_empty())
                .map(|sheet| (sheet.month, sheet.booked))
                .collect();
            assert_eq!(found, expected, "the sheets of {person}");
            sheets += found.len();
        }
        sheets
    }
}

/// A visit soon, on the hour or half of it, where clocks are never changed.
fn some_visit(chance: &mut StdRng, now: DateTime<Utc>) -> Value {
    let local = (now + TimeDelta::hours(10)).naive_utc();
    let hour = local.date().and_hms_opt(0, 0, 0).unwrap();
    let since = (local - hour).num_minutes() / 30 * 30;
    let slot = since + 30 * chance.random_range(4..40);
    let minutes = [30, 60, 90, 180][chance.random_range(0..4)];
    json!({
        "starts": hour + TimeDelta::minutes(slot), "time_zone": "Australia/Brisbane", "minutes": minutes,
        "place": "home", "service": "social_support", "notes": ""
    })
}
