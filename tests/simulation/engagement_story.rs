//! The story from a released list to a booked visit and to the end of the engagement, with the process ending again
//! and again on the way.

mod ending;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::{ClientId, EngagementId, MatchRequestId, PersonId, VisitId, WorkerId};
use domain::support_worker::SupportWorker;
use rapport_tests::people::modest_terms;
use rapport_tests::seeds::{Effort, Seed, seeds};
use rapport_tests::visits::at_home;
use serde_json::{Value, json};
use store::Key;

use crate::release::Place;
use crate::simulated::{ADMINISTRATOR, Ask, Reply, Simulated};
use crate::weather::RELENTLESS;

/// How often the process is to end in the course of the stories.
const CRASHES: Effort = Effort {
    reduced: 40,
    full: 1_000,
};
/// How many clients live through the story at the same time, each with a support worker of their own.
const CLIENTS: usize = 3;
/// How many messages each side writes, all at the same time.
const MESSAGES: usize = 3;
/// A Monday in the second week, and the next day.
const DAYS: [&str; 2] = ["2026-03-16", "2026-03-17"];

#[tokio::test(start_paused = true)]
async fn the_way_to_a_visit_survives_every_end_of_the_process() {
    let (wanted, mut crashes, mut stories) = (CRASHES.now(), 0, 0);
    for seed in seeds(wanted) {
        crashes += tell(&seed).await;
        stories += CLIENTS;
        if crashes >= wanted {
            break;
        }
    }
    println!("{crashes} ends of the process in {stories} stories");
    assert!(crashes > 0, "nothing went wrong");
}

/// A client and the support worker whom they come to know.
struct Couple {
    client: (ClientId, PersonId),
    worker: (WorkerId, PersonId),
    /// How they sign in.
    subjects: [String; 2],
    request: MatchRequestId,
    candidate: String,
    /// `/v1/support-workers/…/invitations/…`
    invitation: String,
    engagement: Option<EngagementId>,
    visits: BTreeSet<VisitId>,
}

impl Couple {
    /// A path below the engagement.
    fn path(&self, rest: &str) -> String {
        format!("/v1/engagements/{}{rest}", self.engagement.unwrap())
    }

    fn by_client(&self, path: String, body: Value) -> Ask {
        let key = key_of(&path, &body);
        Ask::post(&self.subjects[0], path, key, body)
    }

    fn by_worker(&self, path: String, body: Value) -> Ask {
        let key = key_of(&path, &body);
        Ask::post(&self.subjects[1], path, key, body)
    }
}

/// Another for everything else that is asked: keys are those of the person.
fn key_of(path: &str, body: &Value) -> String {
    let mut key = format!("{path}{body}");
    key.retain(|it| it.is_ascii_alphanumeric());
    let from = key.len().saturating_sub(100);
    key.split_off(from)
}

struct Story {
    world: Simulated,
    couples: Vec<Couple>,
}

async fn tell(seed: &Seed) -> usize {
    let place = Place::settle(seed, CLIENTS).await;
    let mut story = Story::begin(place).await;
    story.world.brew_in_time(RELENTLESS, seed.number());
    story.invite().await;
    story.ask_and_answer().await;
    story.accept().await;
    story.talk().await;
    story.meet().await;
    story.agree().await;
    story.book().await;
    story.compare_schedules(true).await;
    story.pause_and_resume().await;
    story.end().await;
    story.world.calm();
    story.world.pass(TimeDelta::hours(1)).await;
    story.compare_schedules(false).await;
    // The deadlines of what was proposed and offered come, too, and find that it was accepted.
    story.world.pass(TimeDelta::days(14)).await;
    assert_eq!(story.world.observer.next_due().await.unwrap(), None);
    for couple in &story.couples {
        story.check(couple).await;
    }
    let people = story
        .couples
        .iter()
        .flat_map(|couple| [couple.client.1, couple.worker.1]);
    story.world.one_letter_of_each(people).await;
    story.world.crashes
}

impl Story {
    /// The lists are out; each client has somebody else in mind.
    async fn begin(place: Place) -> Self {
        let mut requests = Vec::new();
        for number in 0..CLIENTS {
            requests.push(place.request(number).await);
        }
        let Place {
            mut world,
            workers,
            clients,
        } = place;
        world.pass(TimeDelta::hours(24)).await;
        let mut couples = Vec::new();
        for (number, request) in requests.into_iter().enumerate() {
            let worker = workers[number];
            let found: Option<SupportWorker> = world.stored(&Key::worker(worker)).await;
            couples.push(Couple {
                client: clients[number],
                worker: (worker, found.unwrap().person),
                subjects: [format!("client-{number}"), format!("worker-{number}")],
                request,
                candidate: String::new(),
                invitation: String::new(),
                engagement: None,
                visits: BTreeSet::new(),
            });
        }
        let mut story = Self { world, couples };
        let lists = story.all_look(|it| {
            Ask::get(
                &it.subjects[0],
                format!("/v1/match-requests/{}/candidates", it.request),
            )
        });
        for (number, list) in lists.await.into_iter().enumerate() {
            let chosen = &list["candidates"][number]["candidate"];
            story.couples[number].candidate = chosen.as_str().unwrap().to_owned();
        }
        story
    }

    /// Every couple does this, all at the same time, until it is done.
    async fn all(&mut self, asks: impl Fn(&Couple) -> Vec<Ask>) -> Vec<Vec<Value>> {
        let asks: Vec<Vec<Ask>> = self.couples.iter().map(asks).collect();
        let each = asks.first().map_or(1, Vec::len);
        let replies = self
            .world
            .insist_on_all(asks.into_iter().flatten().collect())
            .await;
        let bodies = |some: &[Reply]| some.iter().map(|it| it.clone().expect(201).body).collect();
        replies.chunks(each).map(bodies).collect()
    }

    async fn all_look(&mut self, ask: impl Fn(&Couple) -> Ask) -> Vec<Value> {
        let asks = self.couples.iter().map(ask).collect();
        let replies = self.world.insist_on_all(asks).await;
        replies
            .into_iter()
            .map(|reply| reply.expect(200).body)
            .collect()
    }

    async fn invite(&mut self) {
        let path = |it: &Couple| {
            format!(
                "/v1/match-requests/{}/candidates/{}/invitation",
                it.request, it.candidate
            )
        };
        self.all(|it| vec![it.by_client(path(it), json!({}))]).await;
        self.world.deliver().await;
        let path = |it: &Couple| format!("/v1/support-workers/{}/invitations", it.worker.0);
        let lists = self
            .all_look(|it| Ask::get(&it.subjects[1], path(it)))
            .await;
        for (couple, list) in self.couples.iter_mut().zip(lists) {
            let items = list["items"].as_array().unwrap();
            // Who stands behind a candidate is not known; that it is who was meant is.
            let [invitation] = &items[..] else {
                panic!("{list}")
            };
            couple.invitation = format!("{}/{}", path(couple), invitation["id"].as_str().unwrap());
        }
    }

    async fn ask_and_answer(&mut self) {
        let text = json!({"text": "Is there a lift?"});
        let asked = self
            .all(|it| vec![it.by_worker(format!("{}/questions", it.invitation), text.clone())])
            .await;
        let questions: Vec<Value> = asked
            .iter()
            .map(|it| it[0]["questions"][0]["question"].clone())
            .collect();
        let answers = self.couples.iter().zip(questions).map(|(it, question)| {
            let base = format!(
                "/v1/match-requests/{}/candidates/{}",
                it.request, it.candidate
            );
            let path = format!("{base}/questions/{}/answer", question.as_str().unwrap());
            it.by_client(path, json!({"text": "There is."}))
        });
        let answers = answers.collect();
        for reply in self.world.insist_on_all(answers).await {
            reply.expect(201);
        }
    }

    async fn accept(&mut self) {
        let accepted = self
            .all(|it| vec![it.by_worker(format!("{}/acceptance", it.invitation), json!({}))])
            .await;
        for (couple, accepted) in self.couples.iter_mut().zip(accepted) {
            couple.engagement = Some(accepted[0]["engagement"].as_str().unwrap().parse().unwrap());
        }
    }

    /// Both sides write at the same time, and each message comes once.
    async fn talk(&mut self) {
        self.all(|it| {
            let message = |number: usize| json!({"text": format!("message {number}")});
            let path = it.path("/messages");
            let by_client = (0..MESSAGES).map(|number| it.by_client(path.clone(), message(number)));
            let by_worker = (0..MESSAGES).map(|number| it.by_worker(path.clone(), message(number)));
            by_client.chain(by_worker).collect()
        })
        .await;
        self.world.deliver().await;
    }

    async fn meet(&mut self) {
        let details = json!({
            "starts": "2026-03-09T10:00:00", "time_zone": "Australia/Melbourne", "minutes": 45,
            "how": {"in_person": {"suburb": "Carlton", "address": "At the library's door"}}, "notes": ""
        });
        let offered = self
            .all(|it| vec![it.by_client(it.path("/meetings"), details.clone())])
            .await;
        let ids: BTreeMap<Option<EngagementId>, String> = self
            .couples
            .iter()
            .zip(&offered)
            .map(|(it, offered)| (it.engagement, offered[0]["id"].as_str().unwrap().to_owned()))
            .collect();
        let path =
            |it: &Couple, what: &str| it.path(&format!("/meetings/{}/{what}", ids[&it.engagement]));
        self.all(|it| vec![it.by_worker(path(it, "acceptance"), json!({}))])
            .await;
        self.world
            .pass(at("2026-03-09T02:00:00Z") - self.world.now())
            .await;
        let record =
            json!({"understandings": [{"kind": "routine", "text": "Tea first."}], "notes": ""});
        self.all(|it| vec![it.by_worker(path(it, "record"), record.clone())])
            .await;
        self.all(|it| vec![it.by_client(path(it, "confirmation"), json!({"record": 1}))])
            .await;
    }

    /// An offer, another in answer to it, and that one is accepted.
    async fn agree(&mut self) {
        let (offered, mut countered) = (modest_terms(), modest_terms());
        countered["minutes_per_week"] = json!(120);
        self.all(|it| vec![it.by_worker(it.path("/offers"), json!({"terms": offered}))])
            .await;
        self.all(|it| {
            vec![it.by_client(
                it.path("/offers/1/counter-offers"),
                json!({"terms": countered}),
            )]
        })
        .await;
        let agreed = self
            .all(|it| vec![it.by_worker(it.path("/offers/2/acceptance"), json!({}))])
            .await;
        for terms in agreed {
            assert_eq!(
                (&terms[0]["version"], &terms[0]["terms"]["minutes_per_week"]),
                (&json!(2), &json!(120))
            );
        }
    }

    /// Two visits on two days are proposed at the same time, revised, and the revised ones accepted.
    async fn book(&mut self) {
        let visit =
            |day: &str, hour: usize| json!({"visit": at_home(&format!("{day}T{hour:02}:00:00"))});
        let proposed = self
            .all(|it| {
                DAYS.map(|day| it.by_worker(it.path("/proposals"), visit(day, 9)))
                    .to_vec()
            })
            .await;
        let ids: BTreeMap<Option<EngagementId>, Vec<String>> = self
            .couples
            .iter()
            .zip(&proposed)
            .map(|(it, some)| {
                (
                    it.engagement,
                    some.iter()
                        .map(|it| it["id"].as_str().unwrap().to_owned())
                        .collect(),
                )
            })
            .collect();
        let path = |it: &Couple, number: usize, what: &str| {
            it.path(&format!(
                "/proposals/{}/{what}",
                ids[&it.engagement][number]
            ))
        };
        self.all(|it| {
            let revise = |number: usize| {
                it.by_worker(path(it, number, "revisions"), visit(DAYS[number], 14))
            };
            (0..DAYS.len()).map(revise).collect()
        })
        .await;
        let accepted = self.all(|it| {
            let accept = |number: usize| {
                it.by_client(path(it, number, "acceptance"), json!({"revision": 2}))
            };
            (0..DAYS.len()).map(accept).collect()
        });
        let accepted = accepted.await;
        for (couple, accepted) in self.couples.iter_mut().zip(accepted) {
            let visits = accepted
                .iter()
                .map(|it| it["visit"].as_str().unwrap().parse().unwrap());
            couple.visits = visits.collect();
            assert_eq!(couple.visits.len(), DAYS.len());
        }
        self.world.deliver().await;
    }

    /// The client's schedule, the support worker's and everybody's show the same: what is booked, or nothing.
    async fn compare_schedules(&mut self, booked: bool) {
        let range = "from=2026-03-01T00:00:00Z&until=2026-04-01T00:00:00Z";
        let client = self
            .all_look(|it| {
                Ask::get(
                    &it.subjects[0],
                    format!("/v1/clients/{}/schedule?{range}", it.client.0),
                )
            })
            .await;
        let worker = self
            .all_look(|it| {
                Ask::get(
                    &it.subjects[1],
                    format!("/v1/support-workers/{}/schedule?{range}", it.worker.0),
                )
            })
            .await;
        let staff = self
            .all_look(|it| {
                Ask::get(
                    ADMINISTRATOR,
                    format!("/v1/schedule?{range}&person={}", it.client.1),
                )
            })
            .await;
        for (number, couple) in self.couples.iter().enumerate() {
            let shown = &client[number]["items"];
            assert_eq!(
                (&worker[number]["items"], &staff[number]["items"]),
                (shown, shown)
            );
            let ids = shown
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it["visit"].as_str().unwrap().parse().unwrap());
            let expected = if booked {
                couple.visits.clone()
            } else {
                BTreeSet::new()
            };
            assert_eq!(ids.collect::<BTreeSet<VisitId>>(), expected);
        }
    }

    async fn pause_and_resume(&mut self) {
        let reason = json!({"reason": "Away for a week."});
        self.all(|it| vec![it.by_client(it.path("/pause"), reason.clone())])
            .await;
        self.all(|it| vec![it.by_client(it.path("/resumption"), json!({}))])
            .await;
    }

    async fn end(&mut self) {
        let end = json!({"reason": "She moves away.", "message": "Thank you for everything."});
        self.all(|it| vec![it.by_worker(it.path("/end"), end.clone())])
            .await;
        self.world.pass(TimeDelta::hours(1)).await;
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}
