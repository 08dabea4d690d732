//! Series: made step by step while the engagement ends at the same moment, in any order and through every end of the
//! process, and nobody's time stays taken.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::engagement::Engagement;
use domain::id::{EngagementId, PersonId, SeriesId, VisitId};
use domain::schedule::{BusySheet, Month};
use domain::series::Series;
use domain::visit::{Visit, VisitState};
use rand::RngExt;
use rapport_tests::people::{settle_client, settle_engagement, settle_workers};
use rapport_tests::seeds::{Effort, Seed, seeds};
use rapport_tests::visits::{agree_terms, at_home};
use serde_json::json;
use store::{EngagementVisit, Key};

use crate::simulated::{Act, Ask, Simulated};

const SEEDS: Effort = Effort {
    reduced: 12,
    full: 100,
};
/// Three steps of it.
const VISITS: u32 = 50;

#[tokio::test(start_paused = true)]
async fn a_series_leaves_nothing_behind_when_the_engagement_ends_while_it_is_made() {
    let (mut made, mut stories) = (BTreeSet::new(), 0);
    for seed in seeds(SEEDS.now()) {
        made.insert(tell(&seed).await);
        stories += 1;
    }
    println!("so many of the visits had been made: {made:?}");
    assert!(
        stories == 1 || made.len() > 1,
        "the end always came at the same moment"
    );
}

/// How many visits had been made by the end.
async fn tell(seed: &Seed) -> u32 {
    let mut world = Simulated::start(seed).await;
    let context = world.context();
    let (client, client_person) = settle_client(context, "ana").await;
    let workers = settle_workers(context, ["wanda".to_owned()], |_, _, _| {}).await;
    let (worker, worker_person) = workers[0];
    let agree = |it: &mut Engagement| agree_terms(context, it);
    let engagement = settle_engagement(context, client, worker, agree).await;
    world.deliver().await;
    let series = book(&mut world, engagement).await;

    let due = world.observer.due_by(world.now(), 1_000).await.unwrap();
    let unfold = due.into_iter().find(|key| key.sk.contains("series-unfold"));
    let unfold = unfold.expect("a series to be made");
    let end = format!("/v1/engagements/{engagement}/end");
    let end = Ask::post("ana", end, "end", json!({"reason": "I am moving away."}));
    world.brew();
    let mut acts = vec![Act::Ask(end)];
    acts.extend((0..3).map(|_| Act::Deliver(unfold.clone())));
    if world.chance.random_bool(0.2) {
        // A head start, as far as it goes.
        world.together(&[Act::Deliver(unfold.clone())]).await;
    }
    world.insist_on(acts).await;
    world.calm();
    world.pass(TimeDelta::hours(1)).await;
    check(&world, engagement, series, [client_person, worker_person]).await
}

async fn book(world: &mut Simulated, engagement: EngagementId) -> SeriesId {
    let proposals = format!("/v1/engagements/{engagement}/proposals");
    let repeats = json!({"rule": format!("FREQ=DAILY;COUNT={VISITS}")});
    let series = json!({"visit": at_home("2026-03-10T09:00:00"), "repeats": repeats});
    let proposal = world.insist(Ask::post("wanda", &*proposals, "propose", series));
    let proposal = proposal.await.expect(201).text("id");
    let acceptance = format!("{proposals}/{proposal}/acceptance");
    let accepted = world.insist(Ask::post(
        "ana",
        acceptance,
        "accept",
        json!({"revision": 1}),
    ));
    accepted.await.expect(201).text("series").parse().unwrap()
}

async fn check(
    world: &Simulated,
    engagement: EngagementId,
    series: SeriesId,
    people: [PersonId; 2],
) -> u32 {
    let stored: Option<Series> = world.stored(&Key::series(engagement, series)).await;
    let stored = stored.unwrap();
    assert!(stored.is_unfolded());
    let pk = Key::engagement(engagement).pk;
    let marks = world.all::<EngagementVisit>(&pk, "VISIT#").await;
    let marked: BTreeSet<VisitId> = marks.into_iter().map(|mark| mark.visit).collect();
    assert_eq!(marked, stored.visits().collect());
    for visit in marked {
        let visit: Option<Visit> = world.stored(&Key::visit(visit)).await;
        assert_eq!(visit.unwrap().state, VisitState::Cancelled);
    }
    for person in people {
        let pk = Key::busy_sheet(person, Month::of(world.now())).pk;
        for sheet in world.all::<BusySheet>(&pk, "2").await {
            assert_eq!(sheet.booked, [], "{} stays taken", sheet.month);
        }
    }
    stored.made
}
