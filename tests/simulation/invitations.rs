//! Invitations at the instant at which their answer falls due: everybody who can end one tries to, one does, and what
//! follows from it follows once.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use domain::candidates::CandidateList;
use domain::conversation::{Content, Message};
use domain::engagement::{Engagement, Happening};
use domain::id::{CandidateId, EngagementId, MatchRequestId, PersonId, WorkerId};
use domain::invitation::{CandidateState, Invitation};
use domain::match_request::MatchRequest;
use domain::notice::Event;
use domain::pair::Pair;
use domain::support_worker::SupportWorker;
use rand::RngExt;
use rapport_tests::seeds::{Effort, seeds};
use serde_json::json;
use store::{ClientEngagement, Key, WorkerEngagement};

use crate::release::Place;
use crate::simulated::{ADMINISTRATOR, Act, Ask, Came, Reply};

const RACES: Effort = Effort {
    reduced: 25,
    full: 1_000,
};
/// How many of them take place one after the other among the same support workers, each with a client of its own.
const IN_A_ROW: usize = 25;
const SHORTLIST: usize = 5;

/// What came to an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Winner {
    Acceptance,
    Refusal,
    Lapse,
    Withdrawal,
    /// The end of the request took it along.
    RequestEnd,
}

#[tokio::test(start_paused = true)]
async fn of_all_who_end_an_invitation_one_wins() {
    let mut won: BTreeMap<Winner, usize> = BTreeMap::new();
    let mut crashes = 0;
    for seed in seeds(RACES.now().div_ceil(IN_A_ROW)) {
        let mut place = Place::settle(&seed, IN_A_ROW).await;
        for number in 0..RACES.now().min(IN_A_ROW) {
            let race = Race::prepare(&mut place, number).await;
            *won.entry(race.run(&mut place).await).or_default() += 1;
        }
        let mut people: Vec<PersonId> = place.clients.iter().map(|(_, person)| *person).collect();
        for worker in &place.workers {
            people.push(person_of(&place, *worker).await);
        }
        place.world.one_letter_of_each(people).await;
        crashes += place.world.crashes;
    }
    println!("{won:?}, {crashes} ends of the process");
    assert!(won.len() > 1, "not much of a race: {won:?}");
    if RACES.now() == RACES.full {
        let sometimes = |winner| won.contains_key(&winner);
        assert!(sometimes(Winner::Acceptance) && sometimes(Winner::Lapse) && won.len() > 2);
    }
}

async fn person_of(place: &Place, worker: WorkerId) -> PersonId {
    let worker: Option<SupportWorker> = place.world.stored(&Key::worker(worker)).await;
    worker.unwrap().person
}

/// An invitation that waits for its answer a moment more.
struct Race {
    number: usize,
    request: MatchRequestId,
    candidate: CandidateId,
    invitation: Invitation,
    worker_person: PersonId,
    /// How the client also ends the request at that moment, where they do.
    ends: Option<&'static str>,
    /// What was done to the request before.
    done: Vec<String>,
    told: Told,
}

/// How often who heard of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Told {
    lapsed: usize,
    withdrawn: usize,
    unavailable: usize,
}

impl Race {
    async fn prepare(place: &mut Place, number: usize) -> Self {
        let request = place.request(number).await;
        let world = &mut place.world;
        world.pass(TimeDelta::hours(24)).await;
        let client = format!("client-{number}");
        let base = format!("/v1/match-requests/{request}");
        let list = Ask::get(&client, format!("{base}/candidates"));
        let list = world.insist(list).await.expect(200).body;
        let chosen = world.chance.random_range(0..SHORTLIST);
        let candidate = list["candidates"][chosen]["candidate"].as_str().unwrap();
        let path = format!("{base}/candidates/{candidate}");
        let step = |by: &str, what: &str, key: &str| {
            let body = match what {
                "reversal" => json!({"reason": "Withdrawn by mistake."}),
                _ => json!({}),
            };
            Ask::post(
                by,
                format!("{path}/{what}"),
                format!("{key}-{request}"),
                body,
            )
        };
        world
            .insist(step(&client, "invitation", "i"))
            .await
            .expect(201);
        if world.chance.random_bool(0.4) {
            // Withdrawn by mistake and sent again: the deadline before counts no more, and comes at the same instant.
            world
                .insist(step(&client, "withdrawal", "b"))
                .await
                .expect(201);
            world
                .insist(step(ADMINISTRATOR, "reversal", "r"))
                .await
                .expect(201);
            world
                .insist(step(&client, "invitation", "a"))
                .await
                .expect(201);
        }
        let candidate: CandidateId = candidate.parse().unwrap();
        let key = Key::candidate(request, candidate);
        let invitation: Invitation = world.stored(&key).await.unwrap();
        let left = invitation.answer_by.unwrap() - TimeDelta::milliseconds(1) - world.now();
        world.pass(left).await;
        let ends = ["fulfilment", "withdrawal"];
        let ends = ends.get(world.chance.random_range(0..4_usize)).copied();
        let mut race = Self {
            number,
            request,
            candidate,
            worker_person: person_of(place, invitation.worker).await,
            invitation,
            ends,
            done: place.world.operations(&Key::match_request(request)).await,
            told: Told {
                lapsed: 0,
                withdrawn: 0,
                unavailable: 0,
            },
        };
        race.told = race.told(place).await;
        race
    }

    async fn told(&self, place: &Place) -> Told {
        let times = async |person, about: &dyn Fn(&Event) -> bool| {
            let inbox = place.world.inbox(person).await;
            inbox.iter().filter(|item| about(&item.event)).count()
        };
        let own = self.invitation.id;
        let lapsed = |event: &Event| matches!(event, Event::InvitationLapsed { invitation, .. } if *invitation == own);
        let withdrawn = |event: &Event| matches!(event, Event::InvitationWithdrawn { invitation, .. } if *invitation == own);
        let unavailable = |event: &Event| matches!(event, Event::CandidateUnavailable { match_request, replaced: true, .. } if *match_request == self.request);
        let (_, client) = place.clients[self.number];
        Told {
            lapsed: times(self.worker_person, &lapsed).await,
            withdrawn: times(self.worker_person, &withdrawn).await,
            unavailable: times(client, &unavailable).await,
        }
    }

    /// Acceptance, refusal, withdrawal, the deadline and perhaps the end of the request, a moment before the answer
    /// falls due or at that moment.
    fn acts(&self, place: &mut Place, due: Vec<store::DueKey>) -> Vec<Act> {
        let client = format!("client-{}", self.number);
        let Invitation { id, worker, .. } = self.invitation;
        let number = place.workers.iter().position(|it| *it == worker).unwrap();
        let subject = format!("worker-{number}");
        let own = format!("/v1/support-workers/{worker}/invitations/{id}");
        let base = format!("/v1/match-requests/{}", self.request);
        let ask = |by: &str, path: String, body| {
            let key = format!(
                "{}-{}",
                path.rsplit('/').next().unwrap_or_default(),
                self.request
            );
            Act::Ask(Ask::post(by, path, key, body))
        };
        let withdraw = format!("{base}/candidates/{}/withdrawal", self.candidate);
        let mut acts = vec![
            ask(&subject, format!("{own}/acceptance"), json!({})),
            ask(
                &subject,
                format!("{own}/refusal"),
                json!({"reason": "Mondays are taken."}),
            ),
            // By another key than that of the whole request's withdrawal.
            Act::Ask(Ask::post(&client, withdraw, format!("one-{id}"), json!({}))),
        ];
        if let Some(ends) = self.ends {
            acts.push(ask(&client, format!("{base}/{ends}"), json!({})));
            acts.extend([Act::DeliverDue, Act::DeliverDue, Act::DeliverDue]);
        }
        let chance = &mut place.world.chance;
        let answer_by = self.invitation.answer_by.unwrap();
        acts.push(Act::Strike(answer_by, chance.random_range(0..150)));
        for row in due {
            let times = chance.random_range(1..=5);
            acts.extend((0..times).map(|_| Act::Deliver(row.clone())));
        }
        acts
    }

    async fn run(&self, place: &mut Place) -> Winner {
        let answer_by = self.invitation.answer_by.unwrap();
        let due = place.world.observer.due_by(answer_by, 10).await.unwrap();
        assert!(!due.is_empty(), "a deadline");
        let acts = self.acts(place, due);
        place.world.brew();
        let came = place.world.insist_on(acts).await;
        place.world.deliver().await;
        place.world.calm();
        place.world.deliver().await;
        assert_eq!(place.world.observer.next_due().await.unwrap(), None);

        let replies: Vec<Reply> = came
            .into_iter()
            .filter_map(|came| match came {
                Came::Answered(reply) => Some(reply),
                Came::Delivered(_) | Came::Swept(_) => None,
            })
            .collect();
        let winner = self.winner(place, &replies).await;
        self.check_history(place, winner).await;
        self.check_engagement(place, winner).await;
        self.check_list(place, winner).await;
        winner
    }

    /// Who won by what stands in the table, and those who won were told so, and nobody else was.
    async fn winner(&self, place: &Place, replies: &[Reply]) -> Winner {
        let key = Key::candidate(self.request, self.candidate);
        let invitation: Invitation = place.world.stored(&key).await.unwrap();
        let [accepted, declined, withdrawn, ended @ ..] = replies else {
            panic!("{replies:?}");
        };
        let winner = match invitation.state {
            CandidateState::Accepted => Winner::Acceptance,
            CandidateState::Declined => Winner::Refusal,
            CandidateState::Lapsed => Winner::Lapse,
            CandidateState::Withdrawn if withdrawn.status == 201 => Winner::Withdrawal,
            CandidateState::Withdrawn => Winner::RequestEnd,
            state => panic!("{state:?}"),
        };
        for (reply, wins) in [
            (accepted, Winner::Acceptance),
            (declined, Winner::Refusal),
            (withdrawn, Winner::Withdrawal),
        ] {
            let expected = if wins == winner { 201 } else { 409 };
            assert_eq!(reply.status, expected, "{winner:?} {}", reply.body);
        }
        for reply in ended {
            reply.clone().expect(201);
        }
        winner
    }

    async fn check_history(&self, place: &Place, winner: Winner) {
        let mut done = place
            .world
            .operations(&Key::match_request(self.request))
            .await;
        for before in &self.done {
            let found = done.iter().position(|done| done == before).unwrap();
            done.remove(found);
        }
        let won = match winner {
            Winner::Acceptance => "accept_invitation",
            Winner::Refusal => "decline_invitation",
            Winner::Lapse => "lapse_invitation",
            Winner::Withdrawal | Winner::RequestEnd => "withdraw_invitation",
        };
        let ended = self.ends.map(|ends| match ends {
            "fulfilment" => "fulfil_match_request",
            _ => "withdraw_match_request",
        });
        let mut expected: Vec<&str> = [won].into_iter().chain(ended).collect();
        expected.sort_unstable();
        assert_eq!(done, expected);
        let request: Option<MatchRequest> =
            place.world.stored(&Key::match_request(self.request)).await;
        assert_eq!(request.unwrap().closed_at.is_some(), ended.is_some());
    }

    /// An acceptance opens one engagement, of which both hear once; nothing else opens any.
    async fn check_engagement(&self, place: &Place, winner: Winner) {
        let world = &place.world;
        let (client, client_person) = place.clients[self.number];
        let worker = self.invitation.worker;
        let marks: Vec<ClientEngagement> = world.all(&Key::client(client).pk, "ENG#").await;
        let opened: Vec<EngagementId> = marks.iter().map(|mark| mark.engagement).collect();
        let pair: Option<Pair> = world.stored(&Key::pair(client, worker)).await;
        if winner != Winner::Acceptance {
            assert_eq!((opened, pair), (Vec::new(), None));
            return;
        }
        let [id] = opened[..] else {
            panic!("{opened:?}");
        };
        let engagement: Engagement = world.stored(&Key::engagement(id)).await.unwrap();
        assert_eq!(
            (engagement.client, engagement.worker, engagement.invitation),
            (client, worker, Some(self.invitation.id))
        );
        assert_eq!(pair.unwrap().engagement, Some(id));
        let marks: Vec<WorkerEngagement> = world.all(&Key::worker(worker).pk, "ENG#").await;
        let mine = marks.iter().filter(|mark| mark.engagement == id);
        assert_eq!(mine.count(), 1);
        let lines: Vec<Message> = world.all(&Key::engagement(id).pk, "MSG#").await;
        let lines: Vec<Content> = lines.into_iter().map(|line| line.content).collect();
        let happening = Happening::EngagementOpened;
        let about = None;
        assert_eq!(lines, [Content::Happened { happening, about }]);
        for person in [client_person, self.worker_person] {
            let inbox = world.inbox(person).await;
            let about = |event: &Event| matches!(event, Event::Engagement { engagement, .. } if *engagement == id);
            let heard = inbox.iter().filter(|item| about(&item.event));
            assert_eq!(heard.count(), 1);
        }
    }

    /// A refusal and a lapse bring one more candidate, of whom the client hears once; nobody is shown twice.
    async fn check_list(&self, place: &Place, winner: Winner) {
        let key = Key::candidate_list(self.request);
        let list: CandidateList = place.world.stored(&key).await.unwrap();
        let released = list.released.as_ref().unwrap();
        assert_eq!(released.exhausted_at, None);
        let shown: BTreeSet<WorkerId> = released
            .candidates
            .iter()
            .map(|shown| list.invitable(shown.candidate).unwrap())
            .collect();
        assert_eq!(shown.len(), released.candidates.len(), "shown twice");
        let more = shown.len() - SHORTLIST;
        let left = matches!(winner, Winner::Refusal | Winner::Lapse);
        // Of a request that had come to its end before, nobody needs to be shown any more.
        let expected = if left && self.ends.is_none() {
            1..=1
        } else {
            0..=usize::from(left)
        };
        assert!(expected.contains(&more), "{winner:?}: {more} more");
        let before = self.told;
        let after = self.told(place).await;
        let new = Told {
            lapsed: after.lapsed - before.lapsed,
            withdrawn: after.withdrawn - before.withdrawn,
            unavailable: after.unavailable - before.unavailable,
        };
        let expected = Told {
            lapsed: usize::from(winner == Winner::Lapse),
            withdrawn: usize::from(matches!(winner, Winner::Withdrawal | Winner::RequestEnd)),
            unavailable: more,
        };
        assert_eq!(new, expected, "{winner:?}");
    }
}
