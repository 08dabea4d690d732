//! Series: proposed and accepted as one, in local time, with every visit's time taken at once.

mod ending;

use domain::engagement::Engagement;
use domain::support_worker::SupportWorker;
use rapport_tests::answer::Answer;
use rapport_tests::people::settle_worker;
use rapport_tests::visits::at_home;
use serde_json::{Value, json};
use store::Key;

use crate::engaged::{Engaged, accept, edit, path_of, propose};

async fn propose_series(engaged: &Engaged, visit: &Value, repeats: &Value) -> Answer {
    let body = json!({"visit": visit, "repeats": repeats});
    let wanda = engaged.world.as_("wanda");
    wanda.post(&engaged.path(), &body).await
}

/// What Wanda proposes, Ana accepts: the series' path.
async fn book_series(engaged: &Engaged, visit: &Value, repeats: &Value) -> String {
    let proposal = propose_series(engaged, visit, repeats).await.expect(201);
    let accepted = accept(&engaged.world, "ana", &proposal).await.expect(201);
    engaged.world.settle().await;
    let (engagement, series) = (engaged.engagement, accepted.string("series"));
    format!("/v1/engagements/{engagement}/series/{series}")
}

fn rule(rule: &str) -> Value {
    json!({"rule": rule})
}

/// Clocks are put back in Melbourne on 5 April 2026: nine o'clock stays nine o'clock. One week is left out.
#[tokio::test]
async fn a_series_keeps_its_local_time_across_a_change_of_clocks_and_skips_a_week() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let ana = world.as_("ana");
    let repeats = json!({"rule": "FREQ=WEEKLY;BYDAY=TU;COUNT=5", "except": ["2026-03-31"]});
    let tuesday = at_home("2026-03-24T09:00:00");
    let proposal = propose_series(&engaged, &tuesday, &repeats)
        .await
        .expect(201);
    let shown = &proposal["current"]["series"];
    assert_eq!(shown["count"], 4);
    assert_eq!(shown["total"]["client_pays"], 4 * 11_070);
    let begins: Vec<&str> = shown["occurrences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["from"].as_str().unwrap())
        .collect();
    let expected = [
        "2026-03-24T09:00:00+11:00",
        "2026-04-07T09:00:00+10:00",
        "2026-04-14T09:00:00+10:00",
        "2026-04-21T09:00:00+10:00",
    ];
    assert_eq!(begins, expected);
    let accepted = accept(world, "ana", &proposal).await.expect(201);
    assert_eq!(accepted["visit"], Value::Null);
    assert_eq!(engaged.begins().await, expected);
    let series = accepted.string("series");
    let schedule = engaged.schedule().await;
    assert!(schedule.iter().all(|visit| visit["series"] == series));
    let path = format!("/v1/engagements/{}/series/{series}", engaged.engagement);
    let shown = ana.get(&path).await.expect(200);
    assert_eq!(shown["visits"].as_array().unwrap().len(), 4);
    let visit = shown["visits"][1]["visit"].as_str().unwrap().to_owned();
    let visit = ana.get(&format!("/v1/visits/{visit}")).await.expect(200);
    assert_eq!(visit["series"], series);
    assert_eq!(visit["price"]["total"]["client_pays"], 11_070);
    for subject in ["ana", "wanda"] {
        let told = engaged.told(subject).await;
        let booked = told
            .iter()
            .filter(|it| *it == "A series of visits was booked");
        assert_eq!(booked.count(), 1, "{told:?}");
    }
    // The skipped Tuesday is free.
    let bea = engaged.another_client("bea").await;
    let free = propose(world, "wanda", bea, &at_home("2026-03-31T09:00:00"))
        .await
        .expect(201);
    accept(world, "bea", &free).await.expect(201);
    let taken = propose(world, "wanda", bea, &at_home("2026-04-14T10:00:00"))
        .await
        .expect(201);
    let refused = accept(world, "bea", &taken).await;
    refused.expect_problem(409, "support-worker-not-free");
}

#[tokio::test]
async fn every_fault_of_a_series_names_its_field() {
    let engaged = Engaged::settle().await;
    let tuesday = at_home("2026-03-10T09:00:00");
    let night = at_home("2026-03-29T02:30:00");
    let mut long = at_home("2026-03-10T09:00:00");
    long["minutes"] = json!(1440);
    let mut until_nine = long.clone();
    until_nine["starts"] = json!("2026-04-03T09:00:00");
    for (visit, repeats, pointer, word) in [
        (&tuesday, rule("FREQ=WEEKLY"), "/repeats/rule", "no end"),
        (&tuesday, rule(""), "/repeats/rule", "characters"),
        (&tuesday, rule("weekly"), "/repeats/rule", "recurrence rule"),
        (
            &tuesday,
            rule("COUNT=3"),
            "/repeats/rule",
            "recurrence rule",
        ),
        (
            &tuesday,
            rule("FREQ=HOURLY;COUNT=3"),
            "/repeats/rule",
            "WEEKLY",
        ),
        (
            &tuesday,
            rule("FREQ=YEARLY;COUNT=3"),
            "/repeats/rule",
            "WEEKLY",
        ),
        (
            &tuesday,
            rule("FREQ=DAILY;BYHOUR=9,10;COUNT=3"),
            "/repeats/rule",
            "nothing but",
        ),
        (
            &tuesday,
            rule("FREQ=DAILY;COUNT=1"),
            "/repeats/rule",
            "COUNT",
        ),
        (
            &tuesday,
            rule("FREQ=DAILY;COUNT=367"),
            "/repeats/rule",
            "COUNT",
        ),
        (
            &tuesday,
            rule("FREQ=DAILY;COUNT=3;UNTIL=20260401"),
            "/repeats/rule",
            "not by both",
        ),
        (
            &tuesday,
            rule("FREQ=WEEKLY;UNTIL=20270311"),
            "/repeats/rule",
            "12 months",
        ),
        (
            &tuesday,
            rule("FREQ=MONTHLY;COUNT=14"),
            "/repeats/rule",
            "12 months",
        ),
        (
            &tuesday,
            rule("FREQ=WEEKLY;UNTIL=20260301"),
            "/repeats/rule",
            "before the first",
        ),
        (
            &tuesday,
            rule("FREQ=WEEKLY;BYDAY=MO;COUNT=3"),
            "/repeats/rule",
            "begins on 2026-03-16",
        ),
        (
            &tuesday,
            rule("FREQ=WEEKLY;INTERVAL=2;UNTIL=20260312"),
            "/repeats/rule",
            "one visit",
        ),
        (
            &tuesday,
            rule("FREQ=DAILY;INTERVAL=0;COUNT=3"),
            "/repeats/rule",
            "INTERVAL",
        ),
        // Half past two comes twice on 5 April.
        (
            &night,
            rule("FREQ=WEEKLY;COUNT=3"),
            "/repeats/rule",
            "2026-04-05",
        ),
        (
            &tuesday,
            json!({"rule": "FREQ=WEEKLY;COUNT=3", "except": ["2026-03-18"]}),
            "/repeats/except/0",
            "no date",
        ),
        (
            &tuesday,
            json!({"rule": "FREQ=WEEKLY;COUNT=3", "except": ["2026-03-10"]}),
            "/repeats/except/0",
            "first visit",
        ),
        (
            &tuesday,
            json!({"rule": "FREQ=WEEKLY;COUNT=4", "except": ["2026-03-17", "2026-03-17"]}),
            "/repeats/except/1",
            "twice",
        ),
        (
            &tuesday,
            json!({"rule": "FREQ=WEEKLY;COUNT=4", "except": vec!["2026-03-17"; 367]}),
            "/repeats/except",
            "at most 366",
        ),
    ] {
        let refused = propose_series(&engaged, visit, &repeats).await;
        let refused = refused.expect_problem(422, "invalid-fields");
        assert_eq!(refused.pointers(), [pointer], "{repeats}");
        let detail = refused["errors"][0]["detail"].as_str().unwrap();
        assert!(detail.contains(word), "{repeats}: {detail}");
    }
    // A whole day every day is no overlap, except on the day that is an hour shorter.
    propose_series(&engaged, &long, &rule("FREQ=DAILY;COUNT=5"))
        .await
        .expect(201);
    let mut spring = long.clone();
    spring["starts"] = json!("2026-10-02T09:00:00");
    let refused = propose_series(&engaged, &spring, &rule("FREQ=DAILY;COUNT=5")).await;
    assert_eq!(refused.expect(422).pointers(), ["/repeats/rule"]);
    let listed = engaged
        .world
        .as_("ana")
        .get(&engaged.path())
        .await
        .expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn one_date_that_is_taken_keeps_the_whole_series_from_being_booked() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let bea = engaged.another_client("bea").await;
    for starts in ["2026-03-17T11:00:00", "2026-03-31T10:00:00"] {
        let other = propose(world, "wanda", bea, &at_home(starts))
            .await
            .expect(201);
        accept(world, "bea", &other).await.expect(201);
    }
    let tuesday = at_home("2026-03-10T09:00:00");
    let proposal = propose_series(&engaged, &tuesday, &rule("FREQ=WEEKLY;COUNT=5"))
        .await
        .expect(201);
    let refused = accept(world, "ana", &proposal).await;
    let refused = refused.expect_problem(409, "support-worker-not-free");
    assert_eq!(refused["dates"], json!(["2026-03-17", "2026-03-31"]));
    let ana = world.as_("ana");
    let path = format!("/v1/clients/{}/schedule", engaged.client);
    assert_eq!(ana.get(&path).await.expect(200)["items"], json!([]));
    // Without those dates it can be had.
    let without = json!({"rule": "FREQ=WEEKLY;COUNT=5", "except": ["2026-03-17", "2026-03-31"]});
    let revised = json!({"visit": tuesday, "repeats": without});
    let path = format!("{}/revisions", path_of(&proposal));
    let revised = world.as_("wanda").post(&path, &revised).await.expect(201);
    accept(world, "ana", &revised).await.expect(201);
}

/// Every day for a year: as many as there can be.
#[tokio::test]
async fn a_year_of_days_is_booked_at_once_and_made_soon() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let daily = rule("FREQ=DAILY;UNTIL=20270309");
    let mut short = at_home("2026-03-10T09:00:00");
    short["minutes"] = json!(30);
    let path = book_series(&engaged, &short, &daily).await;
    let shown = world.as_("ana").get(&path).await.expect(200);
    let visits = shown["visits"].as_array().unwrap();
    assert_eq!(visits.len(), 365);
    assert_eq!(shown["count"], 365);
    assert!(
        visits
            .iter()
            .all(|it| it["from"].as_str().unwrap().contains("T09:00:00+1"))
    );
}

#[tokio::test]
async fn one_visit_of_a_series_moves_and_one_is_cancelled_by_themselves() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let tuesday = at_home("2026-03-10T09:00:00");
    let path = book_series(&engaged, &tuesday, &rule("FREQ=WEEKLY;COUNT=4")).await;
    let series = world.as_("ana").get(&path).await.expect(200);
    let visit = |number: usize| {
        let id = series["visits"][number]["visit"].as_str().unwrap();
        format!("/v1/visits/{id}")
    };
    let change = json!({"visit": at_home("2026-03-18T13:00:00")});
    let proposal = world
        .as_("wanda")
        .post(&format!("{}/change-proposals", visit(1)), &change)
        .await;
    accept(world, "ana", &proposal.expect(201))
        .await
        .expect(201);
    let reason = json!({"reason": "A mistake."});
    let cancellation = format!("{}/cancellation", visit(2));
    world
        .administrator()
        .post(&cancellation, &reason)
        .await
        .expect(201);
    assert_eq!(
        engaged.begins().await,
        [
            "2026-03-10T09:00:00+11:00",
            "2026-03-18T13:00:00+11:00",
            "2026-03-31T09:00:00+11:00"
        ]
    );
    let moved = world.as_("ana").get(&visit(1)).await.expect(200);
    assert_eq!(moved["series"], series["id"]);
}

/// A proposal of a series is made under one set of rates, and not booked under another.
#[tokio::test]
async fn public_holidays_and_days_of_the_week_are_priced_each_by_its_own_band() {
    let engaged = Engaged::settle_with(|engagement| {
        let terms = engagement.terms.as_mut().unwrap();
        for (number, rate) in terms.terms.services[0].rates.iter_mut().enumerate() {
            rate.hourly.0 = 5000 + 1000 * u32::try_from(number).unwrap();
        }
    })
    .await;
    let world = &engaged.world;
    let ada = world.administrator();
    let scheme = json!({"name": "Home support", "caps": [], "holidays": ["2026-03-09"]});
    let stored = ada
        .put("/v1/funding-schemes/home-support", "\"0\"", &scheme)
        .await;
    stored.expect(200);
    let client = format!("/v1/clients/{}", engaged.client);
    let etag = ada.get(&client).await.expect(200).etag();
    let funding = json!({"scheme": "home-support", "reason": "The scheme's letter."});
    ada.put(&format!("{client}/funding"), &etag, &funding)
        .await
        .expect(200);
    // Friday to Tuesday; Monday, 9 March, is Labour Day.
    let friday = at_home("2026-03-06T09:00:00");
    let proposal = propose_series(&engaged, &friday, &rule("FREQ=DAILY;COUNT=5"))
        .await
        .expect(201);
    let occurrences = proposal["current"]["series"]["occurrences"]
        .as_array()
        .unwrap();
    let paid: Vec<&Value> = occurrences
        .iter()
        .map(|it| &it["price"]["worker_gets"])
        .collect();
    assert_eq!(paid, [10_000, 16_000, 18_000, 20_000, 10_000]);
    assert_eq!(
        proposal["current"]["series"]["total"]["worker_gets"],
        74_000
    );

    let raised = |it: &mut Engagement| {
        let terms = it.terms.as_mut().unwrap();
        terms.terms.services[0].rates[5].hourly.0 += 1;
    };
    let key = Key::engagement(engaged.engagement);
    edit(world, &key, raised).await;
    let refused = accept(world, "ana", &proposal).await;
    refused.expect_problem(409, "proposal-price-changed");
    let revised = json!({"visit": friday, "repeats": rule("FREQ=DAILY;COUNT=5")});
    let revised = world
        .as_("wanda")
        .post(&format!("{}/revisions", path_of(&proposal)), &revised)
        .await;
    let accepted = accept(world, "ana", &revised.expect(201)).await.expect(201);
    world.settle().await;
    let path = format!(
        "/v1/engagements/{}/series/{}",
        engaged.engagement,
        accepted.string("series")
    );
    let shown = world.as_("ana").get(&path).await.expect(200);
    let monday = shown["visits"][3]["visit"].as_str().unwrap();
    let monday = world
        .as_("ana")
        .get(&format!("/v1/visits/{monday}"))
        .await
        .expect(200);
    assert_eq!(monday["price"]["parts"][0]["band"], "public_holiday");
    assert_eq!(monday["price"]["total"]["worker_gets"], 20_002);
}

/// Wanda registered five times over: each record has sheets of its own, and a year of them is more than one commit
/// can write.
#[tokio::test]
async fn a_series_that_cannot_be_booked_at_once_is_refused_and_a_shorter_one_is_on_every_record() {
    let engaged = Engaged::settle().await;
    let (world, context) = (&engaged.world, engaged.world.context());
    let mut records = Vec::new();
    for number in 0..4 {
        let again = settle_worker(context, &format!("wanda-{number}")).await;
        let worker = context
            .store
            .get::<SupportWorker>(&Key::worker(again))
            .await;
        let duplicate = worker.unwrap().unwrap().value.person;
        let merge =
            json!({"into": engaged.worker_person.to_string(), "reason": "Registered again."});
        let merges = format!("/v1/people/{duplicate}/merges");
        world
            .administrator()
            .post(&merges, &merge)
            .await
            .expect(201);
        records.push((again, duplicate));
    }
    let tuesday = at_home("2026-03-10T09:00:00");
    let proposal = propose_series(&engaged, &tuesday, &rule("FREQ=WEEKLY;UNTIL=20270309"))
        .await
        .expect(201);
    let refused = accept(world, "ana", &proposal).await;
    let refused = refused.expect_problem(409, "series-too-long");
    assert!(
        refused["detail"].as_str().unwrap().contains("shorter"),
        "{}",
        refused.text()
    );
    assert!(engaged.schedule().await.is_empty());
    let shorter = json!({"visit": tuesday, "repeats": rule("FREQ=WEEKLY;UNTIL=20260830")});
    let shorter = world
        .as_("wanda")
        .post(&format!("{}/revisions", path_of(&proposal)), &shorter)
        .await;
    accept(world, "ana", &shorter.expect(201)).await.expect(201);
    assert_eq!(engaged.schedule().await.len(), 25);
    // Whichever of her records a client knows, that time is taken.
    let bea = engaged.another_client("bea").await;
    let taken = propose(world, "wanda", bea, &at_home("2026-06-09T10:00:00"))
        .await
        .expect(201);
    let refused = accept(world, "bea", &taken).await;
    refused.expect_problem(409, "support-worker-not-free");
    let (parted, duplicate) = records[0];
    let reason = json!({"reason": "Two people after all."});
    let unmerges = format!("/v1/people/{duplicate}/unmerges");
    world
        .administrator()
        .post(&unmerges, &reason)
        .await
        .expect(201);
    let schedule = format!("/v1/support-workers/{parted}/schedule");
    let theirs = world.administrator().get(&schedule).await.expect(200);
    assert_eq!(
        theirs["items"],
        json!([]),
        "what was booked for the other takes up none of their time"
    );
}
