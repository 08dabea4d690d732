//! The day of two visits in a storm: whatever time brings about happens once, and is told once.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use domain::access::StaffRole;
use domain::alert::Alert;
use domain::engagement::Happening;
use domain::id::{AlertId, EngagementId, PersonId};
use domain::money::Cents;
use domain::notice::Event;
use domain::rota::OnCallRota;
use domain::ticket::{Ticket, TicketCause, TicketQueue, TicketState};
use domain::visit::{Visit, VisitState};
use rapport_tests::people::{settle_client, settle_engagement, settle_staff, settle_workers};
use rapport_tests::seeds::{Effort, Seed, seeds};
use rapport_tests::visits::{agree_terms, at_home};
use serde_json::{Value, json};
use store::{Actor, Commit, Key, StaffPartition};

use crate::simulated::{Ask, Simulated};

const SEEDS: Effort = Effort {
    reduced: 6,
    full: 100,
};

#[tokio::test(start_paused = true)]
async fn reminders_alerts_and_silence_come_once_whatever_happens() {
    let mut crashes = 0;
    for seed in seeds(SEEDS.now()) {
        crashes += a_day_in_a_storm(&seed).await;
    }
    println!("{crashes} crashes");
}

struct Day {
    world: Simulated,
    engagement: EngagementId,
    client: PersonId,
    worker: PersonId,
    on_call: [PersonId; 2],
}

impl Day {
    async fn settle(seed: &Seed) -> Self {
        let world = Simulated::start(seed).await;
        let context = world.context();
        let (client, person) = settle_client(context, "ana").await;
        let workers = settle_workers(context, ["wanda".to_owned()], |_, _, _| {}).await;
        let (worker, worker_person) = workers[0];
        let with_terms = |it: &mut _| agree_terms(context, it);
        let engagement = settle_engagement(context, client, worker, with_terms).await;
        let cora = settle_staff(context, "cora", StaffRole::Coordinator).await;
        let sam = settle_staff(context, "sam", StaffRole::Supervisor).await;
        let rota = OnCallRota {
            shifts: Vec::new(),
            fallback: vec![cora, sam],
        };
        let audit = context.audit(Actor::Service, "settle", &Key::on_call_rota());
        let commit = Commit::new(audit).insert(&rota);
        context.store.commit(commit).await.unwrap();
        Self {
            world,
            engagement,
            client: person,
            worker: worker_person,
            on_call: [cora, sam],
        }
    }

    async fn book(&mut self, starts: &str) -> Key {
        let mut visit = at_home(starts);
        visit["essential"] = json!(true);
        let path = format!("/v1/engagements/{}/proposals", self.engagement);
        let asked = json!({"visit": visit});
        let proposed = self.ask("wanda", &path, starts, asked).await;
        let path = format!("{path}/{}/acceptance", proposed["id"].as_str().unwrap());
        let accepted = self.ask("ana", &path, starts, json!({"revision": 1})).await;
        Key::visit(accepted["visit"].as_str().unwrap().parse().unwrap())
    }

    async fn ask(&mut self, by: &str, path: &str, what: &str, body: Value) -> Value {
        let key = format!("{by}-{what}");
        let ask = Ask::post(by, path, key, body);
        self.world.insist(ask).await.expect(201).body
    }

    async fn at(&mut self, at: &str) {
        let at: DateTime<Utc> = at.parse().unwrap();
        let time = at - self.world.now();
        self.world.pass(time).await;
    }

    async fn visit(&self, key: &Key) -> Visit {
        self.world.stored(key).await.unwrap()
    }

    async fn done(&self, key: &Key, operation: &str) -> usize {
        let done = self.world.operations(key).await;
        done.iter().filter(|it| *it == operation).count()
    }

    async fn told(&self, person: PersonId, is: impl Fn(&Event) -> bool) -> usize {
        let inbox = self.world.inbox(person).await;
        inbox.iter().filter(|item| is(&item.event)).count()
    }

    async fn heard(&self, person: PersonId, what: Happening) -> usize {
        let is = |event: &Event| matches!(event, Event::Engagement { happening, .. } if *happening == what);
        self.told(person, is).await
    }
}

async fn a_day_in_a_storm(seed: &Seed) -> usize {
    let mut day = Day::settle(seed).await;
    day.world.brew();
    let missed = day.book("2026-03-05T09:00:00").await;
    let worked = day.book("2026-03-05T14:00:00").await;
    // Nobody comes at nine; at two somebody does, for an hour longer than booked.
    day.at("2026-03-05T03:00:00Z").await;
    let path = format!("/v1/visits/{}", worked.pk.trim_start_matches("VISIT#"));
    day.ask("wanda", &format!("{path}/start"), "start", json!({}))
        .await;
    day.at("2026-03-05T05:59:00Z").await;
    let real = json!({"at": "2026-03-05T05:59:00Z"});
    day.ask("wanda", &format!("{path}/completion"), "completion", real)
        .await;
    day.world.pass(TimeDelta::hours(25)).await;
    day.world.calm();
    day.world.pass(TimeDelta::hours(2)).await;
    check(&day, &missed, &worked).await;
    day.world.crashes
}

async fn check(day: &Day, missed: &Key, worked: &Key) {
    let absent = day.visit(missed).await;
    assert_eq!(
        (absent.state, absent.charge().client_pays),
        (VisitState::Missed, Cents(0))
    );
    let silent = day.visit(worked).await;
    assert_eq!(silent.state, VisitState::Confirmed);
    // Two hours at 54.00, and 2.5 % on top: no more than was booked.
    assert_eq!(silent.charge().client_pays, Cents(11_070));
    for (key, operation, times) in [
        // Two reminders, the alert, the end.
        (missed, "pass_visit_deadline", 4),
        (worked, "start_visit", 1),
        (worked, "complete_visit", 1),
        // Two reminders, and silence.
        (worked, "pass_visit_deadline", 3),
    ] {
        assert_eq!(day.done(key, operation).await, times, "{key} {operation}");
    }
    for (person, what, times) in [
        (day.client, Happening::VisitReminder, 4),
        (day.worker, Happening::VisitReminder, 4),
        (day.client, Happening::VisitNotStarted, 1),
        (day.worker, Happening::VisitNotStarted, 1),
        (day.client, Happening::VisitMissed, 1),
        (day.worker, Happening::VisitMissed, 1),
        (day.client, Happening::VisitConfirmed, 1),
        (day.worker, Happening::VisitConfirmed, 1),
    ] {
        assert_eq!(day.heard(person, what).await, times, "{person} {what:?}");
    }
    let alert: AlertId = absent.alert.expect("an alert");
    assert_eq!(silent.alert, None);
    // One after the other, then everybody.
    assert_eq!(day.done(&Key::alert(alert), "escalate_alert").await, 3);
    let raised: Alert = day.world.stored(&Key::alert(alert)).await.unwrap();
    let told: Vec<PersonId> = raised.told.iter().map(|told| told.person).collect();
    assert_eq!(told, day.on_call);
    for person in day.on_call {
        let on_call = day.told(person, |it| matches!(it, Event::OnCall { .. }));
        assert_eq!(on_call.await, 1);
        let raised = day.told(person, |it| matches!(it, Event::AlertRaised { .. }));
        assert_eq!(raised.await, 1);
        let all = day.told(person, |it| matches!(it, Event::AlertUnanswered { .. }));
        assert_eq!(all.await, 1);
    }
    let calls = StaffPartition::Tickets(TicketQueue::Visits, TicketState::Open);
    let calls = day
        .world
        .observer
        .staff_list::<Ticket>(calls, false, 10, None);
    let calls = calls.await.unwrap().items;
    let calls: BTreeSet<TicketCause> = calls.iter().map(|it| it.value.cause).collect();
    // There is nobody else who could come.
    let expected = [TicketCause::WelfareCall, TicketCause::CoverUnfilled];
    assert_eq!(calls, expected.into());
    let [cora, sam] = day.on_call;
    let everybody = [day.client, day.worker, cora, sam];
    day.world.one_letter_of_each(everybody).await;
    assert_eq!(day.world.observer.next_due().await.unwrap(), None);
}
