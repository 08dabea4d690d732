//! Releases: as many as there are requests, whoever races and however often events are delivered.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::candidates::{Basis, CandidateList, ListedCandidate};
use domain::due::{Due, DueRow};
use domain::id::{ClientId, MatchRequestId, PersonId, WorkerId};
use domain::match_request::{MatchRequest, MatchRequestState, Submission};
use domain::notice::Event;
use domain::policy::Policy;
use domain::relaxation::Misses;
use domain::support_worker::{SupportWorker, WorkerState};
use rand::RngExt;
use rapport_tests::indexed::due_sometime;
use rapport_tests::people::{modest_request, settle_client, settle_worker};
use rapport_tests::seeds::{Effort, Seed, seeds};
use serde_json::json;
use store::{Actor, ClientMatchRequest, Commit, InboxItem, Key};

use crate::simulated::{ADMINISTRATOR, Act, Ask, Came, Simulated};

/// How many match requests wait for their release at once.
const WAITING: Effort = Effort {
    reduced: 60,
    full: 10_000,
};
/// Races between the schedule, an early send and a withdrawal.
const RACES: Effort = Effort {
    reduced: 25,
    full: 1_000,
};
const WORKERS: usize = 8;

/// A place with support workers and clients, before anything goes wrong.
pub(crate) struct Place {
    pub(crate) world: Simulated,
    pub(crate) workers: Vec<WorkerId>,
    pub(crate) clients: Vec<(ClientId, PersonId)>,
}

impl Place {
    pub(crate) async fn settle(seed: &Seed, clients: usize) -> Self {
        let mut world = Simulated::start(seed).await;
        let mut place_workers = Vec::new();
        for number in 0..WORKERS {
            let subject = format!("worker-{number}");
            place_workers.push(settle_worker(world.context(), &subject).await);
        }
        let mut place_clients = Vec::new();
        for number in 0..clients {
            place_clients.push(settle_client(world.context(), &format!("client-{number}")).await);
        }
        world.deliver().await;
        Self {
            world,
            workers: place_workers,
            clients: place_clients,
        }
    }

    /// A match request in the table as if it had been submitted now, with everybody on its list.
    pub(crate) async fn request(&self, number: usize) -> MatchRequestId {
        let context = self.world.context();
        let (client, person) = self.clients[number % self.clients.len()];
        let submission = Submission {
            id: context.fresh(),
            client,
            by: person,
            on_behalf_of: None,
            details: serde_json::from_value(modest_request()).unwrap(),
        };
        let policy = Policy::default();
        let request = MatchRequest::submit(submission, &policy, self.world.now()).unwrap();
        let list = self.list(&request, &policy);
        let key = Key::match_request(request.id);
        let audit = context.audit(Actor::Service, "settle", &key);
        let commit = Commit::new(audit)
            .insert(&request)
            .insert(&list)
            .insert(&ClientMatchRequest {
                client,
                match_request: request.id,
            })
            .due(DueRow {
                due: Due::CandidateRelease {
                    match_request: request.id,
                },
                at: request.release_at,
                generation: request.deadline_generation,
            });
        self.world.observer.commit(commit).await.unwrap();
        request.id
    }

    fn list(&self, request: &MatchRequest, policy: &Policy) -> CandidateList {
        let mut list = CandidateList {
            request: request.id,
            basis: Basis {
                cell: request.details.place.cell(),
                shard: None,
                weights: 1,
                policy: policy.version,
            },
            candidates: Vec::new(),
            shortlist: policy.shortlist,
            considered: 0,
            misses: Misses::default(),
            exclusions: Vec::new(),
            pins: Vec::new(),
            released: None,
            known: Vec::new(),
        };
        let aliases: Vec<String> = list.free_aliases().map(str::to_owned).collect();
        let candidates = self
            .workers
            .iter()
            .zip(aliases)
            .map(|(worker, alias)| ListedCandidate {
                id: self.world.context().fresh(),
                alias,
                worker: *worker,
                score: 500,
                contributions: Vec::new(),
            });
        list.candidates = candidates.collect();
        list
    }

    /// Takes one support worker out, so that releases have somebody to replace.
    pub(crate) async fn lose_one(&self) {
        let key = Key::worker(self.workers[0]);
        let was = self
            .world
            .observer
            .get::<SupportWorker>(&key)
            .await
            .unwrap()
            .unwrap();
        let mut next = was.value.clone();
        next.state = WorkerState::Paused;
        let audit = self.world.context().audit(Actor::Service, "pause", &key);
        let commit = Commit::new(audit).replace(&was, &next);
        self.world.observer.commit(commit).await.unwrap();
    }

    /// How often `request` was released and withdrawn, by what was done to it.
    async fn history(&self, request: MatchRequestId) -> (usize, usize) {
        let done = self.world.operations(&Key::match_request(request)).await;
        let times = |operation: &str| done.iter().filter(|done| *done == operation).count();
        (times("release_candidates"), times("withdraw_match_request"))
    }

    /// How many notices of a release each client found, and of how many different requests.
    async fn releases_heard_of(&self) -> (usize, BTreeSet<MatchRequestId>) {
        let (mut items, mut requests) = (0, BTreeSet::new());
        for (_, person) in &self.clients {
            let pk = Key::person(*person).pk;
            let inbox = self
                .world
                .observer
                .list_all::<InboxItem>(&pk, "INBOX#", 20_000)
                .await
                .unwrap();
            for item in inbox {
                if let Event::CandidatesReleased { match_request, .. } = item.value.event {
                    items += 1;
                    requests.insert(match_request);
                }
            }
        }
        (items, requests)
    }

    pub(crate) fn release_letters(&self) -> usize {
        let letters = self.world.mail.letters();
        letters
            .iter()
            .filter(|letter| letter.subject == "Your candidates are ready")
            .count()
    }

    /// Every request was released once, and its client told once.
    pub(crate) async fn all_released_once(&self, requests: &[MatchRequestId]) {
        for id in requests {
            let request = self
                .world
                .observer
                .get::<MatchRequest>(&Key::match_request(*id))
                .await;
            let request = request.unwrap().unwrap().value;
            assert_eq!(request.state, MatchRequestState::Released, "{id}");
            let list = self
                .world
                .observer
                .get::<CandidateList>(&Key::candidate_list(*id))
                .await;
            let released = list
                .unwrap()
                .unwrap()
                .value
                .released
                .expect("a released list");
            assert_eq!(released.candidates.len(), 5, "{id}");
            assert_eq!(self.history(*id).await, (1, 0), "{id}");
        }
        let (items, heard_of) = self.releases_heard_of().await;
        assert_eq!((items, heard_of.len()), (requests.len(), requests.len()));
        assert_eq!(self.release_letters(), requests.len());
        assert_eq!(
            self.world.observer.next_due().await.unwrap(),
            None,
            "something is left over"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn every_request_is_released_once_however_often_events_come() {
    let waiting = WAITING.now();
    for seed in seeds(1) {
        let mut place = Place::settle(&seed, (waiting / 20).max(3)).await;
        let mut requests = Vec::new();
        for number in 0..waiting {
            requests.push(place.request(number).await);
        }
        place.lose_one().await;
        let events = due_sometime(&place.world.observer).await;
        assert_eq!(events.len(), waiting);
        place.world.brew();
        // Some events come early: they are answered with "not yet", and nothing happens.
        place.world.clock.advance(TimeDelta::hours(23));
        place
            .world
            .deliver_often(events.iter().take(waiting / 10).cloned().collect())
            .await;
        assert_eq!(place.releases_heard_of().await.0, 0);
        place.world.clock.advance(TimeDelta::hours(1));
        place.world.deliver_often(events).await;
        // Whatever the end of a process caught comes again, as a queue has it.
        place.world.deliver().await;
        println!("{waiting} requests, {} crashes", place.world.crashes);
        place.all_released_once(&requests).await;
    }
}

/// Nothing was ever dispatched: no stream, no schedule, no queue. The sweeper alone looks at the table.
#[tokio::test(start_paused = true)]
async fn with_every_schedule_lost_the_sweeper_releases_all() {
    let waiting = WAITING.now();
    for seed in seeds(1) {
        let mut place = Place::settle(&seed, (waiting / 20).max(3)).await;
        let mut requests = Vec::new();
        for number in 0..waiting {
            requests.push(place.request(number).await);
        }
        place.world.brew();
        place
            .world
            .clock
            .advance(TimeDelta::hours(24) + TimeDelta::minutes(2));
        for sweep in 0.. {
            assert!(sweep < 5_000, "the sweeper never gets done");
            if place.world.observer.next_due().await.unwrap().is_none() {
                break;
            }
            place.world.sweep().await;
            place.world.clock.advance(TimeDelta::minutes(5));
        }
        place.all_released_once(&requests).await;
    }
}

/// The schedule, an early send and a withdrawal, all at the instant at which the list falls due.
#[tokio::test(start_paused = true)]
async fn of_three_who_race_one_wins() {
    let mut won = [0_usize; 3];
    for seed in seeds(RACES.now().div_ceil(25)) {
        let mut place = Place::settle(&seed, 3).await;
        for number in 0..RACES.now().min(25) {
            let winner = race(&mut place, number).await;
            won[winner] += 1;
        }
        assert_eq!(place.releases_heard_of().await.0, place.release_letters());
    }
    let [schedule, early, withdrawal] = won;
    println!("won by the schedule {schedule}, early send {early}, withdrawal {withdrawal}");
    assert!(
        won.iter().all(|times| *times > 0),
        "not much of a race: {won:?}"
    );
}

async fn race(place: &mut Place, number: usize) -> usize {
    let id = place.request(number).await;
    let subject = format!("client-{}", number % place.clients.len());
    let base = format!("/v1/match-requests/{id}");
    let preview = Ask::get(ADMINISTRATOR, format!("{base}/candidate-preview"));
    let preview = place.world.insist(preview).await.expect(200);
    let before = place.releases_heard_of().await.0;
    place.world.brew();
    let until_due = TimeDelta::hours(24);
    place.world.clock.advance(until_due);
    let due = place
        .world
        .observer
        .due_by(place.world.now(), 10)
        .await
        .unwrap();
    let withdraw = Ask::post(
        &subject,
        format!("{base}/withdrawal"),
        format!("w-{id}"),
        json!({}),
    );
    let early = Ask::post(
        ADMINISTRATOR,
        format!("{base}/release"),
        format!("e-{id}"),
        json!({}),
    );
    let mut acts = vec![Act::Ask(early.matching(&preview.etag)), Act::Ask(withdraw)];
    let times = place.world.chance.random_range(1..=3);
    acts.extend((0..times).flat_map(|_| due.iter().cloned().map(Act::Deliver)));
    let came = place.world.insist_on(acts).await;
    place.world.pass(TimeDelta::hours(1)).await;
    place.world.calm();
    place.world.pass(TimeDelta::hours(1)).await;

    let [Came::Answered(early), Came::Answered(withdrawal), ..] = &came[..] else {
        panic!("{came:?}");
    };
    withdrawal.clone().expect(201);
    let (releases, withdrawals) = place.history(id).await;
    assert!(releases <= 1, "released {releases} times");
    assert_eq!(withdrawals, 1);
    assert_eq!(
        place.releases_heard_of().await.0 - before,
        releases,
        "one notice of one release"
    );
    let request = place
        .world
        .observer
        .get::<MatchRequest>(&Key::match_request(id))
        .await;
    let request = request.unwrap().unwrap().value;
    assert_eq!(request.state, MatchRequestState::Withdrawn);
    assert_eq!(request.released_at.is_some(), releases == 1);
    match (early.status, releases) {
        (201, 1) => 1,
        (409 | 412, 1) => 0,
        (409 | 412, 0) => 2,
        (status, releases) => panic!(
            "early send {status} with {releases} releases: {}",
            early.body
        ),
    }
}
