//! Cover in a storm: many say at the same moment that they can come, the client agrees or would rather have somebody
//! else, the visit's own support worker begins after all, and in the end one person comes.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::cover::{Cover, CoverState};
use domain::due::Consumer;
use domain::engagement::Engagement;
use domain::id::{ClientId, CoverId, PersonId, VisitId, WorkerId};
use domain::schedule::BusySheet;
use domain::visit::{Visit, VisitState};
use rand::RngExt;
use rapport_tests::people::{settle_client, settle_engagement, settle_workers};
use rapport_tests::seeds::{Effort, Seed, seeds};
use rapport_tests::visits::{agree_terms, at_home, engagement_of, settle_proposal, settle_visit};
use serde_json::{Value, json};
use store::{Key, consumer_of};

use crate::simulated::{Ask, Simulated};

const SEEDS: Effort = Effort {
    reduced: 6,
    full: 100,
};
/// Whom the client knows besides the support worker who was to come.
const KNOWN: usize = 8;
/// How often the client is heard, where they have to agree.
const ROUNDS: usize = 4;

#[tokio::test(start_paused = true)]
async fn of_all_who_can_come_one_does_whatever_happens() {
    let (mut came, mut crashes) = (BTreeMap::new(), 0);
    for seed in seeds(SEEDS.now()) {
        let (state, crashed) = cover_in_a_storm(&seed).await;
        *came.entry(format!("{state:?}")).or_insert(0) += 1;
        crashes += crashed;
    }
    println!("{came:?}, {crashes} crashes");
}

/// Ana, Wanda who was to come in an hour and a half, and the others whom Ana knows.
struct Household {
    world: Simulated,
    client: ClientId,
    person: PersonId,
    wanda: PersonId,
    others: Vec<(WorkerId, PersonId)>,
    visit: VisitId,
}

async fn settle(seed: &Seed) -> Household {
    let mut world = Simulated::start(seed).await;
    let context = world.context();
    let (client, person) = settle_client(context, "ana").await;
    let subjects = (0..=KNOWN).map(|number| format!("worker-{number}"));
    let mut others = settle_workers(context, subjects, |_, _, _| {}).await;
    let (worker, wanda) = others.remove(0);
    let agree = |it: &mut Engagement| agree_terms(context, it);
    let held = settle_engagement(context, client, worker, agree).await;
    for (worker, _) in &others {
        settle_engagement(context, client, *worker, |_| {}).await;
    }
    let held = engagement_of(context, held).await;
    let details = at_home("2026-03-02T12:30:00");
    let proposal = settle_proposal(context, &held, wanda, &details).await;
    let visit = settle_visit(context, &proposal, [person, wanda]).await;
    world.deliver().await;
    Household {
        world,
        client,
        person,
        wanda,
        others,
        visit,
    }
}

async fn cover_in_a_storm(seed: &Seed) -> (CoverState, usize) {
    let mut house = settle(seed).await;
    let consents = house.world.chance.random_bool(0.5);
    if consents {
        let path = format!("/v1/clients/{}/cover-consent", house.client);
        let ask = Ask::post("ana", path, "consent", json!({"given": true}));
        house.world.insist(ask).await.expect(201);
    }
    house.world.brew();
    let path = format!("/v1/visits/{}/cover", house.visit);
    let reason = json!({"reason": "She is not well."});
    let ask = Ask::post("ana", &path, "ask", reason.clone());
    let cover = house.world.insist(ask).await.expect(201).text("cover");
    // All of them have been asked by then, in three waves.
    house.world.pass(TimeDelta::minutes(65)).await;
    let cover: CoverId = cover.parse().unwrap();
    let asked = house.stored(cover).await.asked;
    assert_eq!(asked.len(), KNOWN);
    for round in 0..ROUNDS {
        house.round(cover, round, &reason).await;
    }
    house.world.pass(TimeDelta::minutes(30)).await;
    house.world.calm();
    house.world.pass(TimeDelta::hours(4)).await;
    house.check(cover, consents).await
}

impl Household {
    async fn stored(&self, cover: CoverId) -> Cover {
        let cover = self.world.stored::<Cover>(&Key::cover(cover)).await;
        cover.expect("a search that was answered is missing")
    }

    async fn of_visit(&self, visit: VisitId) -> Visit {
        let visit = self.world.stored::<Visit>(&Key::visit(visit)).await;
        visit.expect("a visit that was answered is missing")
    }

    /// Everybody does what they feel like, at the same time.
    async fn round(&mut self, cover: CoverId, round: usize, reason: &Value) {
        let mut asks = Vec::new();
        for (number, (worker, _)) in self.others.iter().enumerate() {
            let subject = format!("worker-{}", number + 1);
            let offer = format!("/v1/support-workers/{worker}/cover-offers/{cover}");
            let (what, body) = match self.world.chance.random_range(0..4) {
                0 => ("refusal", reason.clone()),
                _ => ("acceptance", json!({})),
            };
            let key = format!("{what}-{round}-{number}");
            asks.push(Ask::post(&subject, format!("{offer}/{what}"), key, body));
        }
        // Whom the client last saw, if anybody.
        if let Some(seen) = self.stored(cover).await.taken_by {
            let path = |what| format!("/v1/covers/{cover}/{what}");
            let yes = json!({"worker": seen});
            let no = json!({"worker": seen, "reason": "Somebody else, please."});
            let (what, body) = match self.world.chance.random_bool(0.6) {
                true => ("confirmation", yes),
                false => ("refusal", no),
            };
            asks.push(Ask::post("ana", path(what), format!("ana-{round}"), body));
        }
        match self.world.chance.random_range(0..12) {
            0 => {
                let path = format!("/v1/covers/{cover}/withdrawal");
                let key = format!("withdraw-{round}");
                asks.push(Ask::post("ana", path, key, reason.clone()));
            }
            1 => {
                let path = format!("/v1/visits/{}/start", self.visit);
                let key = format!("start-{round}");
                asks.push(Ask::post("worker-0", path, key, json!({})));
            }
            _ => {}
        }
        for reply in self.world.insist_on_all(asks).await {
            assert!([201, 409].contains(&reply.status), "{}", reply.body);
        }
        if self.world.chance.random_bool(0.5) {
            self.world.deliver().await;
        }
    }

    async fn check(self, cover: CoverId, consents: bool) -> (CoverState, usize) {
        let cover = self.stored(cover).await;
        assert!(!cover.is_live(), "{cover:?}");
        let was = self.of_visit(self.visit).await;
        assert_eq!(was.cover, Some(cover.id));
        assert_eq!(was.covered_by, cover.booked);
        let comes = match cover.booked {
            Some(booked) => {
                assert_eq!(cover.state, CoverState::Covered);
                assert_eq!(was.state, VisitState::Cancelled);
                let booked = self.of_visit(booked).await;
                assert_eq!(Some(booked.worker), cover.taken_by);
                assert_eq!(booked.covers, Some(was.id));
                assert_eq!((&booked.price, booked.from), (&was.price, was.from));
                booked
            }
            None => {
                assert_ne!(was.state, VisitState::Cancelled);
                was
            }
        };
        // One visit stands, on the sheets of the two whose it is and on nobody else's.
        let mut sheets = vec![(self.person, true), (self.wanda, comes.id == self.visit)];
        let others = self.others.iter();
        sheets.extend(others.map(|(worker, person)| (*person, *worker == comes.worker)));
        for (person, theirs) in sheets {
            let key = Key::busy_sheet(person, "2026-03".parse().unwrap());
            let sheet = self.world.stored::<BusySheet>(&key).await;
            let booked = sheet.map_or_else(Vec::new, |sheet| sheet.booked);
            let booked: Vec<VisitId> = booked.into_iter().map(|busy| busy.visit).collect();
            let expected: Vec<VisitId> = theirs.then_some(comes.id).into_iter().collect();
            assert_eq!(booked, expected, "consent: {consents}");
        }
        let done = self.world.operations(&Key::cover(cover.id)).await;
        let confirmed = done.iter().filter(|name| *name == "confirm_cover").count();
        let expected = usize::from(cover.state == CoverState::Covered && !consents);
        assert_eq!(confirmed, expected, "{done:?}");
        let people = self.others.iter().map(|(_, person)| *person);
        let people = people.chain([self.person, self.wanda]);
        self.world.one_letter_of_each(people).await;
        // Nothing is left to be done but to tidy up after the index, and to ask whether it is over where it has begun.
        let later = self.world.now() + TimeDelta::days(10);
        let mut left = self.world.observer.due_by(later, 1_000).await.unwrap();
        let under_way = comes.state == VisitState::Started;
        left.retain(|row| {
            let asks = under_way && row.pk == Key::visit(comes.id).pk;
            !asks && consumer_of(row) != Some(Consumer::IndexBuilder)
        });
        assert!(left.is_empty(), "{left:?}");
        (cover.state, self.world.crashes)
    }
}
