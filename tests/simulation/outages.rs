//! What is lost, late or broken on the way from the table to the consumers, and whole services that are
//! away for hours.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, TimeDelta, Utc};
use domain::id::MatchRequestId;
use domain::match_request::MatchRequest;
use rapport::embedded::in_process;
use rapport_tests::faults::Fault;
use rapport_tests::indexed::due_sometime;
use rapport_tests::seeds::{Effort, Seed, seeds};
use serde_json::json;
use store::Key;

use crate::delivery::Delivery;
use crate::release::Place;
use crate::simulated::{ADMINISTRATOR, Ask, TABLE};

/// How many match requests wait for their release.
const WAITING: Effort = Effort {
    reduced: 30,
    full: 100,
};
/// How many times a whole outage is played.
const OUTAGES: Effort = Effort {
    reduced: 1,
    full: 5,
};
const AWAY: TimeDelta = TimeDelta::hours(3);
/// So soon after an outage everything is done that it held up.
const SOON: TimeDelta = TimeDelta::minutes(15);

/// A place in which everything that falls due comes as AWS brings it.
struct Served {
    place: Place,
    delivery: Delivery,
    requests: Vec<MatchRequestId>,
}

impl Served {
    async fn settle(seed: &Seed) -> Self {
        let place = Place::settle(seed, (WAITING.now() / 20).max(3)).await;
        let delivery = Delivery::of(&place.world);
        let requests = Vec::new();
        Self {
            place,
            delivery,
            requests,
        }
    }

    /// Match requests are made, one after the other in the course of `time`.
    async fn ask(&mut self, how_many: usize, time: TimeDelta) {
        let each = time / i32::try_from(how_many).unwrap();
        for number in 0..how_many {
            self.requests.push(self.place.request(number).await);
            self.live(each).await;
        }
    }

    async fn live(&mut self, time: TimeDelta) {
        self.delivery.live(&mut self.place.world, time).await;
    }

    fn now(&self) -> DateTime<Utc> {
        self.place.world.now()
    }

    async fn released(&self) -> usize {
        let mut released = 0;
        for id in &self.requests {
            let request: Option<MatchRequest> =
                self.place.world.stored(&Key::match_request(*id)).await;
            released += usize::from(request.unwrap().released_at.is_some());
        }
        released
    }
}

#[tokio::test(start_paused = true)]
async fn records_that_come_twice_late_and_in_no_order_have_one_effect_each() {
    for seed in seeds(1) {
        let mut served = Served::settle(&seed).await;
        served.place.world.brew();
        served.ask(WAITING.now(), TimeDelta::minutes(30)).await;
        served.place.lose_one().await;
        served.live(TimeDelta::hours(25)).await;
        served.place.world.calm();
        served.live(TimeDelta::hours(1)).await;
        served.place.all_released_once(&served.requests).await;
        println!(
            "{} requests, {} ends of the process, {} rows sent on by sweeps",
            served.requests.len(),
            served.place.world.crashes,
            served.delivery.swept
        );
    }
}

#[tokio::test(start_paused = true)]
async fn with_every_schedule_dropped_one_sweep_does_all() {
    for seed in seeds(1) {
        let mut served = Served::settle(&seed).await;
        served.delivery.queues.lose_schedules();
        served.ask(WAITING.now(), TimeDelta::minutes(2)).await;
        served.live(TimeDelta::hours(24)).await;
        assert_eq!((served.released().await, served.delivery.swept), (0, 0));
        // Two minutes late at the earliest; a sweep begins every five.
        served.live(TimeDelta::minutes(7)).await;
        assert_eq!(served.released().await, served.requests.len());
        // Mail that was not taken at once comes again.
        served.live(SOON).await;
        served.place.all_released_once(&served.requests).await;
    }
}

/// A row that cannot be read is not dealt with, whoever tries; its message ends in the dead-letter queue,
/// the others are none the worse, and sent back once the row is right it has its effect once.
#[tokio::test(start_paused = true)]
async fn of_ten_messages_one_is_poison() {
    for seed in seeds(OUTAGES.now()) {
        let mut served = Served::settle(&seed).await;
        served.ask(10, TimeDelta::minutes(1)).await;
        let poisoned = due_sometime(&served.place.world.observer).await.remove(3);
        let whole = spoil(&served, &poisoned).await;
        served.live(TimeDelta::hours(30)).await;
        assert_eq!(served.released().await, 9);
        let dead = served.delivery.queues.dead();
        assert_eq!(dead.len(), 1, "{dead:?}");
        assert_eq!((&dead[0].pk, &dead[0].sk), (&poisoned.pk, &poisoned.sk));

        put_body(&served, &poisoned, whole).await;
        served.delivery.queues.redrive();
        served.live(TimeDelta::minutes(5)).await;
        assert_eq!(served.delivery.queues.dead(), []);
        served.place.all_released_once(&served.requests).await;
    }
}

/// Takes a row's meaning away, and gives it back to whoever will put it right.
async fn spoil(served: &Served, row: &Key) -> AttributeValue {
    let dynamodb = in_process(served.place.world.database.clone());
    let read = dynamodb.get_item().table_name(TABLE);
    let read = read
        .key("pk", AttributeValue::S(row.pk.clone()))
        .key("sk", AttributeValue::S(row.sk.clone()));
    let item = read.send().await.unwrap().item.unwrap();
    put_body(served, row, AttributeValue::S("poison".to_owned())).await;
    item["body"].clone()
}

async fn put_body(served: &Served, row: &Key, body: AttributeValue) {
    let dynamodb = in_process(served.place.world.database.clone());
    let update = dynamodb.update_item().table_name(TABLE);
    let update = update
        .key("pk", AttributeValue::S(row.pk.clone()))
        .key("sk", AttributeValue::S(row.sk.clone()))
        .update_expression("SET body = :body")
        .expression_attribute_values(":body", body);
    update.send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_a_table_away_for_three_hours_held_up_is_done_soon_after_and_once() {
    for seed in seeds(OUTAGES.now()) {
        let mut served = Served::settle(&seed).await;
        served.ask(WAITING.now(), AWAY).await;
        // All of them fall due while it is away.
        let until_first = TimeDelta::hours(24) - AWAY - TimeDelta::minutes(1);
        served.live(until_first).await;
        assert_eq!(served.released().await, 0);
        served.place.world.faults.choose(|_| Some(Fault::Failed));
        served.live(AWAY / 2).await;
        let ask = Ask::get(ADMINISTRATOR, "/v1/me");
        assert_eq!(served.place.world.once(&ask).await.status, 503);
        served.live(AWAY / 2 + TimeDelta::minutes(1)).await;
        assert_eq!(served.released().await, 0);
        served.place.world.calm();
        served.live(SOON).await;
        served.place.all_released_once(&served.requests).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_mail_and_blobs_away_for_three_hours_held_up_is_done_soon_after_and_once() {
    for seed in seeds(OUTAGES.now()) {
        let mut served = Served::settle(&seed).await;
        served.ask(WAITING.now(), TimeDelta::minutes(30)).await;
        served
            .live(TimeDelta::hours(23) + TimeDelta::minutes(15))
            .await;
        let (mail, blobs) = (
            served.place.world.mail.clone(),
            served.place.world.blobs.clone(),
        );
        mail.set_away(true);
        blobs.set_away(true);
        pause(&mut served).await;
        let away_until = served.now() + AWAY;
        served.live(AWAY).await;
        // Released, and nobody has had a letter of it; the index has not been rebuilt either.
        assert_eq!(served.released().await, served.requests.len());
        let next = served.place.world.observer.next_due().await.unwrap();
        assert!(next.is_some_and(|next| next < away_until + SOON));
        mail.set_away(false);
        blobs.set_away(false);
        served.live(SOON).await;
        assert_eq!(served.place.release_letters(), served.requests.len());
        // But for shards that are to be removed a day after they were superseded.
        let left = due_sometime(&served.place.world.observer).await;
        assert_eq!(left, []);
        served.live(TimeDelta::hours(25)).await;
        served.place.all_released_once(&served.requests).await;
    }
}

/// A support worker makes a break, which the index is to know.
async fn pause(served: &mut Served) {
    let worker = served.place.workers[7];
    let path = format!("/v1/support-workers/{worker}");
    let world = &mut served.place.world;
    let seen = world.insist(Ask::get("worker-7", &path)).await.expect(200);
    let pause = Ask::post("worker-7", format!("{path}/pause"), "pause", json!({}));
    let paused = world.insist(pause.matching(&seen.etag)).await;
    assert!(paused.status < 300, "{}", paused.body);
}
