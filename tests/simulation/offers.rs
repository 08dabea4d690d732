//! Offers at the instant at which they lapse: accepted, answered with other terms, withdrawn and lapsed at once, and
//! what is in force is what was accepted last.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::conversation::{Content, Message};
use domain::engagement::{Engagement, Happening, Side};
use domain::id::{EngagementId, OfferId, PersonId};
use domain::notice::Event;
use domain::support_worker::SupportWorker;
use domain::terms::{Offer, OfferState};
use rand::RngExt;
use rapport_tests::people::{modest_terms, settle_client, settle_engagement, settle_worker};
use rapport_tests::seeds::{Effort, Seed, seeds};
use serde_json::{Value, json};
use store::Key;

use crate::simulated::{Act, Ask, Came, Reply, Simulated};

const RACES: Effort = Effort {
    reduced: 25,
    full: 500,
};
/// How many of them take place one after the other in one engagement.
const IN_A_ROW: usize = 25;

#[tokio::test(start_paused = true)]
async fn what_is_in_force_is_what_was_accepted_last() {
    let mut won: BTreeMap<OfferState, usize> = BTreeMap::new();
    let mut crashes = 0;
    for seed in seeds(RACES.now().div_ceil(IN_A_ROW)) {
        let mut negotiation = Negotiation::settle(&seed).await;
        for number in 0..RACES.now().min(IN_A_ROW) {
            *won.entry(negotiation.race(number).await).or_default() += 1;
        }
        negotiation.check().await;
        crashes += negotiation.world.crashes;
    }
    println!("{won:?}, {crashes} ends of the process");
    assert!(won.len() > 2, "not much of a race: {won:?}");
}

struct Negotiation {
    world: Simulated,
    id: EngagementId,
    /// The client, the support worker.
    people: [PersonId; 2],
}

fn subject(side: Side) -> &'static str {
    match side {
        Side::Client => "client",
        Side::Worker => "worker",
    }
}

/// Terms that tell one offer from another.
fn terms(number: usize, what: usize) -> Value {
    let mut terms = modest_terms();
    terms["minutes_per_week"] = json!(60 + 2 * number + what);
    json!({"terms": terms})
}

impl Negotiation {
    async fn settle(seed: &Seed) -> Self {
        let mut world = Simulated::start(seed).await;
        let context = world.context();
        let (client, client_person) = settle_client(context, "client").await;
        let worker = settle_worker(context, "worker").await;
        let id = settle_engagement(context, client, worker, |_| {}).await;
        world.deliver().await;
        let worker: Option<SupportWorker> = world.stored(&Key::worker(worker)).await;
        Self {
            people: [client_person, worker.unwrap().person],
            id,
            world,
        }
    }

    async fn engagement(&self) -> Engagement {
        self.world.stored(&Key::engagement(self.id)).await.unwrap()
    }

    async fn offers(&self) -> Vec<Offer> {
        let (pk, prefix) = Key::offers(self.id);
        self.world.all(&pk, prefix).await
    }

    /// What stands, and that it fits together: one offer is open at most, and the terms are those agreed last.
    async fn standing(&self) -> Vec<Offer> {
        let (engagement, offers) = (self.engagement().await, self.offers().await);
        assert_eq!(engagement.offers as usize, offers.len());
        let open = offers
            .iter()
            .filter(|offer| offer.state == OfferState::Open);
        let open: Vec<OfferId> = open.map(|offer| offer.id).collect();
        assert!(open.len() <= 1, "{open:?}");
        assert_eq!(engagement.open_offer, open.first().copied());
        let agreed = offers.iter().rev().find_map(Offer::agreed);
        assert_eq!(engagement.terms, agreed);
        offers
    }

    /// Both sides offer terms, where none are offered yet; one is first.
    async fn open(&mut self, number: usize) {
        if self.engagement().await.open_offer.is_some() {
            return;
        }
        let path = format!("/v1/engagements/{}/offers", self.id);
        let offer = |side| {
            let key = format!("offer-{number}");
            Ask::post(subject(side), path.as_str(), key, terms(number, 0))
        };
        let offers = [Side::Client, Side::Worker].map(offer).to_vec();
        let replies = self.world.insist_on_all(offers).await;
        let mut statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409], "{replies:?}");
    }

    async fn race(&mut self, number: usize) -> OfferState {
        self.world.brew();
        self.open(number).await;
        self.world.calm();
        let offers = self.standing().await;
        let offer = offers.last().unwrap().clone();
        let left = offer.lapses_at - TimeDelta::milliseconds(1) - self.world.now();
        self.world.pass(left).await;
        let mut before = self.operations().await;

        let replies = self.all_at_once(&offer, number).await;
        self.world.deliver().await;
        self.world.calm();
        self.world.deliver().await;

        let offers = self.standing().await;
        let index = offers.iter().position(|it| it.id == offer.id).unwrap();
        let state = offers[index].state;
        let (won, operation) = match state {
            OfferState::Accepted => (Some(0), "accept_offer"),
            OfferState::Countered => (Some(1), "counter_offer"),
            OfferState::Withdrawn => (Some(2), "withdraw_offer"),
            OfferState::Lapsed => (None, "lapse_offer"),
            OfferState::Open => panic!("its time is over"),
        };
        for (act, reply) in replies.iter().enumerate() {
            let expected = if won == Some(act) { 201 } else { 409 };
            assert_eq!(reply.status, expected, "{state:?} {act}: {}", reply.body);
        }
        *before.entry(operation.to_owned()).or_default() += 1;
        assert_eq!(self.operations().await, before);
        // Of a counter-offer, the deadline to come is all that is left.
        let more = offers.get(index + 1);
        assert_eq!(more.is_some(), state == OfferState::Countered);
        let next = self.world.observer.next_due().await.unwrap();
        assert_eq!(next, more.map(|offer| offer.lapses_at));
        state
    }

    /// Acceptance, counter-offer and withdrawal, and the deadline among them.
    async fn all_at_once(&mut self, offer: &Offer, number: usize) -> Vec<Reply> {
        let base = format!("/v1/engagements/{}/offers/{}", self.id, offer.version);
        let act = |side, what: &str, body| {
            let key = format!("{what}-{}", offer.version);
            Act::Ask(Ask::post(
                subject(side),
                format!("{base}/{what}"),
                key,
                body,
            ))
        };
        let other = offer.side.other();
        let mut acts = vec![
            act(other, "acceptance", json!({})),
            act(other, "counter-offers", terms(number, 1)),
            act(offer.side, "withdrawal", json!({})),
        ];
        let after = self.world.chance.random_range(0..120);
        acts.push(Act::Strike(offer.lapses_at, after));
        let due = self.world.observer.due_by(offer.lapses_at, 10).await;
        let due = due.unwrap();
        assert_eq!(due.len(), 1, "its deadline");
        let times = self.world.chance.random_range(1..=5);
        acts.extend((0..times).map(|_| Act::Deliver(due[0].clone())));
        self.world.brew();
        let came = self.world.insist_on(acts).await;
        let replies = came.into_iter().filter_map(|came| match came {
            Came::Answered(reply) => Some(reply),
            Came::Delivered(_) | Came::Swept(_) => None,
        });
        replies.collect()
    }

    /// How often each operation was done in the engagement.
    async fn operations(&self) -> BTreeMap<String, usize> {
        let key = Key::engagement(self.id);
        let mut done = BTreeMap::new();
        let mut cursor = None;
        loop {
            let page = self.world.observer.audit_of(&key, 100, cursor.as_deref());
            let page = page.await.unwrap();
            for entry in page.items {
                *done.entry(entry.item.operation).or_default() += 1;
            }
            cursor = page.next;
            if cursor.is_none() {
                return done;
            }
        }
    }

    /// Each step is one line of the conversation, and those whom it concerns heard of it once.
    async fn check(&self) {
        let mut expected: [BTreeMap<Happening, usize>; 2] = Default::default();
        let mut lines: BTreeMap<Happening, usize> = BTreeMap::new();
        let mut happened = |happening, heard: &[usize]| {
            *lines.entry(happening).or_default() += 1;
            for side in heard {
                *expected[*side].entry(happening).or_default() += 1;
            }
        };
        let mut countered = false;
        for offer in self.offers().await {
            let other = match offer.side {
                Side::Client => 1,
                Side::Worker => 0,
            };
            let made = if countered {
                Happening::OfferCountered
            } else {
                Happening::OfferMade
            };
            happened(made, &[other]);
            countered = offer.state == OfferState::Countered;
            match offer.state {
                OfferState::Open | OfferState::Countered => {}
                OfferState::Accepted => happened(Happening::OfferAccepted, &[0, 1]),
                OfferState::Withdrawn => happened(Happening::OfferWithdrawn, &[other]),
                OfferState::Lapsed => happened(Happening::OfferLapsed, &[0, 1]),
            }
        }
        let told: Vec<Message> = self.world.all(&Key::engagement(self.id).pk, "MSG#").await;
        let told = told.into_iter().filter_map(|line| match line.content {
            Content::Happened { happening, .. } => Some(happening),
            Content::Written { .. } => None,
        });
        assert_eq!(counted(told), lines);
        for (person, expected) in self.people.iter().zip(expected) {
            let inbox = self.world.inbox(*person).await;
            let heard = inbox.into_iter().filter_map(|item| match item.event {
                Event::Engagement { happening, .. } => Some(happening),
                _ => None,
            });
            assert_eq!(counted(heard), expected);
        }
        self.world.one_letter_of_each(self.people).await;
    }
}

fn counted<T: Ord>(all: impl Iterator<Item = T>) -> BTreeMap<T, usize> {
    let mut counted = BTreeMap::new();
    for one in all {
        *counted.entry(one).or_default() += 1;
    }
    counted
}
