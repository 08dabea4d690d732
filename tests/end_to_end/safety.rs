//! Safety reports: made in confidence, dealt with in time, and whom to ring in every answer.

use domain::access::StaffRole;
use domain::client::Client;
use domain::engagement::{Engagement, EngagementState, Happening, Reasoned};
use domain::person::Person;
use domain::support_worker::SupportWorker;
use rapport_tests::answer::Answer;
use rapport_tests::people::{settle_client, settle_engagement, settle_staff};
use rapport_tests::visits::at_home;
use serde_json::{Value, json};
use store::{Actor, Commit, Key, Versioned};

use crate::engaged::{Engaged, accept, edit};
use crate::engagements::{Pair, sorted};

const WHAT: &str = "She left me on the floor for an hour.";

pub(crate) fn report(kind: &str, stop_visits: bool) -> Value {
    json!({"kind": kind, "what": WHAT, "stop_visits": stop_visits})
}

async fn settle() -> Pair {
    let pair = Pair::settle().await;
    settle_staff(pair.world.context(), "sue", StaffRole::Supervisor).await;
    settle_staff(pair.world.context(), "adam", StaffRole::Administrator).await;
    pair
}

/// The report's path, for staff.
async fn made(pair: &Pair, subject: &str, body: Value) -> String {
    let made = pair.act(subject, "reports", body).await.expect(201);
    format!("/v1/reports/{}", made.string("id"))
}

#[track_caller]
fn says_whom_to_ring(answer: Answer) -> Answer {
    let words = json!({"words": "If anybody is in danger now, ring 000."});
    assert_eq!(answer["emergency"], words, "{}", answer.text());
    answer
}

async fn states(pair: &Pair, subject: &str) -> Vec<String> {
    let path = format!("{}/reports", pair.path);
    let own = says_whom_to_ring(pair.world.as_(subject).get(&path).await.expect(200));
    let items = own["items"].as_array().unwrap().iter();
    items
        .map(|item| item["state"].as_str().unwrap().to_owned())
        .collect()
}

async fn change_engagement(pair: &Pair, change: impl FnOnce(&mut Engagement)) {
    let (context, key) = (pair.world.context(), Key::engagement(pair.engagement));
    let was: Versioned<Engagement> = context.store.get(&key).await.unwrap().unwrap();
    let mut next = was.value.clone();
    change(&mut next);
    let audit = context.audit(Actor::Service, "settle", &key);
    let commit = Commit::new(audit).replace(&was, &next);
    context.store.commit(commit).await.unwrap();
}

#[tokio::test]
async fn every_answer_says_whom_to_ring() {
    let pair = settle().await;
    let path = format!("{}/reports", pair.path);
    let incident = report("incident", false);
    let made = says_whom_to_ring(
        pair.act("ana", "reports", incident.clone())
            .await
            .expect(201),
    );
    let staff = format!("/v1/reports/{}", made.string("id"));
    let world = &pair.world;
    // Too large, no key, no JSON, another media type: refused before any handler runs.
    let large = json!({"kind": "incident", "what": "x".repeat(300_000), "stop_visits": false});
    says_whom_to_ring(world.as_("ana").post(&path, &large).await.expect(413));
    let ana = world.as_("ana");
    let keyless = ana.ask(reqwest::Method::POST, &path, |request| {
        request.json(&incident)
    });
    says_whom_to_ring(keyless.await.expect(400));
    let text = ana.ask(reqwest::Method::POST, &path, |request| request.body("help"));
    says_whom_to_ring(text.await.expect(415));
    let faulty = says_whom_to_ring(
        world
            .as_("ana")
            .post(&path, &report("worry", false))
            .await
            .expect(422),
    );
    assert_eq!(faulty.pointers(), ["/kind"]);
    let wordless = json!({"kind": "incident", "what": " ", "stop_visits": true});
    says_whom_to_ring(world.as_("ana").post(&path, &wordless).await.expect(422));
    let pressed = world
        .as_("mira")
        .post(&path, &report("pressure", false))
        .await;
    assert_eq!(says_whom_to_ring(pressed.expect(422)).pointers(), ["/kind"]);
    says_whom_to_ring(world.as_("cora").post(&path, &incident).await.expect(404));
    let nowhere = "/v1/engagements/eng_0190b2f06bd47c5a9a3e5b7f21d4c8aa/reports";
    says_whom_to_ring(world.as_("ana").post(nowhere, &incident).await.expect(404));
    says_whom_to_ring(
        world
            .as_("ana")
            .post("/v1/engagements/none/reports", &incident)
            .await
            .expect(404),
    );
    says_whom_to_ring(
        world
            .as_("unbound")
            .post(&path, &incident)
            .await
            .expect(403),
    );
    says_whom_to_ring(world.as_("cora").get("/v1/reports").await.expect(403));
    says_whom_to_ring(world.as_("sue").get(&staff).await.expect(200));
    let early = world
        .as_("sue")
        .post(&format!("{staff}/closure"), &json!({"outcome": "None."}))
        .await;
    says_whom_to_ring(early.expect_problem(409, "report-not-acknowledged"));

    // Long after the end.
    let ended = pair.world.now() - chrono::TimeDelta::days(732);
    let by = Reasoned {
        side: None,
        acting: domain::access::Acting::by(pair.world.context().fresh()),
        at: ended,
        reason: "Long ago.".to_owned(),
    };
    change_engagement(&pair, |engagement| {
        engagement.state = EngagementState::Ended;
        engagement.end = Some(by);
    })
    .await;
    let late = world.as_("ana").post(&path, &incident).await;
    says_whom_to_ring(late.expect_problem(409, "report-too-late"));
    assert_eq!(
        states(&pair, "ana").await,
        ["received"],
        "what was reported can be read"
    );
    // Elsewhere nobody is told to ring anybody.
    let other = world.as_("ana").get(&pair.path).await.expect(200);
    assert_eq!(other["emergency"], Value::Null);
}

#[tokio::test]
async fn a_report_is_for_whoever_made_it_and_for_restricted_staff() {
    let pair = settle().await;
    let before = (pair.told("mira").await, pair.told("rita").await);
    let path = made(&pair, "ana", report("safeguarding", false)).await;
    assert_eq!(states(&pair, "ana").await, ["received"]);
    assert!(
        states(&pair, "rita").await.is_empty(),
        "also on the same side"
    );
    assert!(states(&pair, "mira").await.is_empty());
    assert_eq!((pair.told("mira").await, pair.told("rita").await), before);
    for restricted in ["sue", "adam"] {
        assert_eq!(pair.told(restricted).await, ["A safety report came in"]);
    }
    assert!(pair.told("cora").await.is_empty());
    assert!(pair.lines().await.is_empty());
    for queue in ["people", "workers", "match_requests", "general"] {
        let tickets = pair
            .world
            .as_("cora")
            .get(&format!("/v1/tickets?queue={queue}"))
            .await;
        assert_eq!(tickets.expect(200)["items"], json!([]), "{queue}");
    }
    let audit = format!("/v1/audit/engagement/{}", pair.engagement);
    let audit = pair.world.as_("sue").get(&audit).await.expect(200);
    assert!(!audit.text().contains("report"), "{}", audit.text());

    let sue = pair.world.as_("sue");
    let listed = sue.get("/v1/reports").await.expect(200);
    assert_eq!(listed["items"][0]["kind"], "safeguarding");
    let shown = sue.get(&path).await.expect(200);
    assert_eq!(shown["what"], WHAT);
    assert_eq!(shown["reporter"]["contact"]["email"], "ana@people.example");
    assert_eq!(
        shown["people"][1]["contact"]["email"],
        "mira@people.example"
    );
    for subject in ["ana", "mira", "rita"] {
        pair.world.as_(subject).get(&path).await.expect(404);
        pair.world.as_(subject).get("/v1/reports").await.expect(404);
    }

    sue.post(&format!("{path}/acknowledgement"), &json!({}))
        .await
        .expect(201);
    let twice = sue
        .post(&format!("{path}/acknowledgement"), &json!({}))
        .await;
    twice.expect_problem(409, "report-acknowledged");
    assert_eq!(states(&pair, "ana").await, ["being_looked_into"]);
    let note = json!({"text": "Rang her neighbour."});
    sue.post(&format!("{path}/notes"), &note).await.expect(201);
    let outcome = json!({"outcome": "Nobody was hurt."});
    let closed = pair
        .world
        .as_("adam")
        .post(&format!("{path}/closure"), &outcome)
        .await;
    assert_eq!(closed.expect(201)["due"], Value::Null);
    let late = sue.post(&format!("{path}/notes"), &note).await;
    late.expect_problem(409, "report-closed");
    let own = format!("{}/reports", pair.path);
    let own = pair.world.as_("ana").get(&own).await.expect(200);
    assert_eq!(own["items"][0]["state"], "closed");
    assert!(
        !own.text().contains("neighbour") && !own.text().contains("Nobody"),
        "{}",
        own.text()
    );
    assert_eq!(sue.get("/v1/reports").await.expect(200)["items"], json!([]));
    let closed = sue.get("/v1/reports?state=closed").await.expect(200);
    assert_eq!(closed["items"].as_array().unwrap().len(), 1);
    let audit = format!("/v1/audit/report/{}", path.rsplit('/').next().unwrap());
    let audit = sue.get(&audit).await.expect(200);
    assert_eq!(audit["items"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn supervisors_hear_of_what_was_not_dealt_with_in_time_once_for_each_step() {
    let pair = settle().await;
    let overdue = async || {
        let told = pair.told("sue").await;
        told.iter()
            .filter(|told| *told == "A safety report is overdue")
            .count()
    };
    let slow = made(&pair, "ana", report("safeguarding", false)).await;
    let quick = made(&pair, "mira", report("safeguarding", false)).await;
    let sue = pair.world.as_("sue");
    sue.post(&format!("{quick}/acknowledgement"), &json!({}))
        .await
        .expect(201);
    pair.world.advance(3).await;
    assert_eq!(overdue().await, 0);
    pair.world.advance(1).await;
    assert_eq!(overdue().await, 1);
    assert_eq!(sue.get(&slow).await.expect(200)["overdue"], true);
    let shown = sue.get(&slow).await.expect(200);
    assert_eq!(
        shown["due"],
        json!({"step": "closure", "at": "2026-03-05T00:00:00Z"})
    );
    assert_eq!(sue.get(&quick).await.expect(200)["overdue"], false);
    let outcome = json!({"outcome": "A misunderstanding."});
    sue.post(&format!("{quick}/closure"), &outcome)
        .await
        .expect(201);
    sue.post(&format!("{slow}/acknowledgement"), &json!({}))
        .await
        .expect(201);
    pair.world.advance(67).await;
    assert_eq!(
        overdue().await,
        1,
        "acknowledged late, but not overdue again"
    );
    pair.world.advance(1).await;
    assert_eq!(overdue().await, 2);
    pair.world.advance(24 * 30).await;
    assert_eq!(overdue().await, 2, "and no more");
    assert_eq!(pair.world.context().store.next_due().await.unwrap(), None);
}

#[tokio::test]
async fn visits_stop_at_once_and_only_whoever_stopped_them_goes_on() {
    let pair = settle().await;
    // A pause of the other side's own, which they could end, is no stop.
    let away = json!({"reason": "Away."});
    pair.act("mira", "pause", away).await.expect(201);
    made(&pair, "ana", report("pressure", true)).await;
    let mira = pair.seen_by("mira").await;
    assert_eq!(
        (&mira["state"], &mira["pause"]["by"]),
        (&json!("paused"), &json!("client"))
    );
    assert!(mira["pause"]["reason"].is_null());
    let resumed = pair.act("mira", "resumption", json!({})).await;
    resumed.expect_problem(409, "engagement-paused-by-other");
    use Happening::{EngagementPaused, EngagementResumed, VisitsStopped};
    let lines = sorted([EngagementPaused, VisitsStopped]);
    assert_eq!(pair.lines().await, lines);
    pair.act("ana", "resumption", json!({})).await.expect(201);

    made(&pair, "mira", report("incident", true)).await;
    assert_eq!(pair.seen_by("ana").await["pause"]["by"], "worker");
    let cora = pair.seen_by("cora").await;
    assert!(
        !cora.to_string().to_lowercase().contains("report"),
        "{cora}"
    );
    let more = [
        EngagementPaused,
        VisitsStopped,
        EngagementResumed,
        VisitsStopped,
    ];
    assert_eq!(pair.lines().await, sorted(more));
    // After the end there is nothing to stop, and still something to report.
    pair.act("ana", "end", json!({"reason": "Enough."}))
        .await
        .expect(201);
    made(&pair, "rita", report("complaint", true)).await;
    assert_eq!(pair.seen_by("ana").await["state"], "ended");
}

/// From the report's own commit on, before anything is cancelled.
#[tokio::test]
async fn whoever_is_at_the_door_does_not_begin_a_visit_that_was_stopped() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let wanda = world.as_("wanda");
    let visit = engaged.book(&at_home("2026-03-03T09:00:00")).await;
    world.advance_to("2026-03-02T21:45:00Z").await;
    let shown = wanda.get(&visit).await.expect(200);
    assert_ne!(shown["home_address"], Value::Null);
    let reports = format!("/v1/engagements/{}/reports", engaged.engagement);
    let stop = report("incident", true);
    world.as_("ana").post(&reports, &stop).await.expect(201);
    let shown = wanda.get(&visit).await.expect(200);
    let seen = (&shown["state"], &shown["home_address"]);
    assert_eq!(seen, (&json!("booked"), &Value::Null));
    let begun = wanda.post(&format!("{visit}/start"), &json!({})).await;
    begun.expect_problem(409, "visits-stopped");
}

#[tokio::test]
async fn nobody_comes_once_visits_were_stopped_and_nothing_is_charged_for_them() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let ana = world.as_("ana");
    // Tomorrow, when cancelling costs all of it, and on Wednesdays of two months.
    let tomorrow = engaged.book(&at_home("2026-03-03T09:00:00")).await;
    let quote = format!("{tomorrow}/cancellation-quote");
    assert_eq!(ana.get(&quote).await.expect(200)["charges"], true);
    let weekly = json!({
        "visit": at_home("2026-03-04T09:00:00"), "repeats": {"rule": "FREQ=WEEKLY;COUNT=8"}
    });
    let proposal = world.as_("wanda").post(&engaged.path(), &weekly).await;
    accept(world, "ana", &proposal.expect(201))
        .await
        .expect(201);
    assert_eq!(engaged.begins().await.len(), 9);

    let stop = report("incident", true);
    let reports = format!("/v1/engagements/{}/reports", engaged.engagement);
    ana.post(&reports, &stop).await.expect(201);
    assert_eq!(engaged.begins().await, [""; 0]);
    let off = ana.get(&tomorrow).await.expect(200);
    assert_eq!(off["state"], "cancelled");
    assert_eq!(off["charge"]["client_pays"], 0);
    assert!(!off.text().contains("report"), "{}", off.text());
    let start = format!("{tomorrow}/start");
    let begun = world.as_("wanda").post(&start, &json!({})).await;
    begun.expect_problem(409, "visit-cancelled");
    // Neither is reminded of anything, and nobody waits for anybody.
    world.advance(24 * 8).await;
    for subject in ["ana", "wanda"] {
        let told = engaged.told(subject).await;
        let times = |subject: &str| told.iter().filter(|it| *it == subject).count();
        assert_eq!(times("Visits are cancelled"), 1, "{told:?}");
        for not in [
            "The engagement was paused",
            "A visit is coming up",
            "A visit has not begun",
            "A visit was cancelled",
            "Somebody else is looked for to come to a visit",
        ] {
            assert_eq!(times(not), 0, "{told:?}");
        }
    }

    // Whoever stopped them arranges new ones, if they want any.
    let resumption = format!("/v1/engagements/{}/resumption", engaged.engagement);
    ana.post(&resumption, &json!({})).await.expect(201);
    assert_eq!(engaged.begins().await, [""; 0]);
    engaged.book(&at_home("2026-03-25T09:00:00")).await;
    // An ordinary pause leaves what is booked alone.
    let pause = format!("/v1/engagements/{}/pause", engaged.engagement);
    let away = json!({"reason": "Away."});
    ana.post(&pause, &away).await.expect(201);
    assert_eq!(engaged.begins().await.len(), 1);
}

#[tokio::test]
async fn neither_side_lifts_a_stop_that_the_other_wanted_too() {
    let pair = settle().await;
    made(&pair, "ana", report("incident", true)).await;
    made(&pair, "mira", report("complaint", true)).await;
    for subject in ["ana", "mira"] {
        let refused = pair.act(subject, "resumption", json!({})).await;
        refused.expect_problem(409, "engagement-paused-by-other");
    }
    pair.act("cora", "resumption", json!({})).await.expect(201);
}

#[tokio::test]
async fn the_support_worker_is_suspended_at_once() {
    let pair = settle().await;
    let path = made(&pair, "rita", report("safeguarding", false)).await;
    let suspension = format!("{path}/worker-suspension");
    let sue = pair.world.as_("sue");
    let wordless = sue
        .post(&suspension, &json!({"reason": ""}))
        .await
        .expect(422);
    assert_eq!(says_whom_to_ring(wordless).pointers(), ["/reason"]);
    let reason = json!({"reason": "Until it is looked into."});
    let suspended = sue.post(&suspension, &reason).await.expect(201);
    assert!(!suspended["worker_suspended"]["at"].is_null());
    let worker = format!("/v1/support-workers/{}", pair.worker);
    let worker = pair.world.as_("adam").get(&worker).await.expect(200);
    assert_eq!(worker["state"], "suspended");
    let again = sue.post(&suspension, &reason).await;
    says_whom_to_ring(again.expect_problem(409, "worker-suspended"));
    let ana = pair.seen_by("ana").await;
    assert_eq!(
        (&ana["state"], &ana["pause"]["by"]),
        (&json!("paused"), &Value::Null)
    );
    for subject in ["ana", "mira"] {
        let refused = pair.act(subject, "resumption", json!({})).await;
        refused.expect_problem(409, "engagement-paused-by-other");
    }
    let told = pair.told("mira").await;
    assert!(
        told.contains(&"Your profile is suspended".to_owned()),
        "{told:?}"
    );
    assert!(!told.iter().any(|told| told.contains("report")), "{told:?}");
    let audit = format!("/v1/audit/support_worker/{}", pair.worker);
    let audit = sue.get(&audit).await.expect(200);
    let mut items = audit["items"].as_array().unwrap().iter();
    let suspended = items.find(|item| item["operation"] == "suspend_worker");
    assert_eq!(suspended.unwrap()["reason"], "Until it is looked into.");
}

/// Staff whom a report concerns in person deal with it as little as anybody else on their side.
#[tokio::test]
async fn staff_on_a_side_learn_nothing_as_staff() {
    let pair = settle().await;
    let context = pair.world.context();
    let client: Versioned<Client> = context
        .store
        .get(&Key::client(pair.client))
        .await
        .unwrap()
        .unwrap();
    let worker: Versioned<SupportWorker> = context
        .store
        .get(&Key::worker(pair.worker))
        .await
        .unwrap()
        .unwrap();
    let worker = worker.value.person;
    for person in [client.value.person, worker] {
        let key = Key::person(person);
        let was: Versioned<Person> = context.store.get(&key).await.unwrap().unwrap();
        let mut next = was.value.clone();
        next.roles.staff = [StaffRole::Supervisor, StaffRole::Administrator].into();
        let audit = context.audit(Actor::Service, "settle", &key);
        let commit = Commit::new(audit).replace(&was, &next);
        context.store.commit(commit).await.unwrap();
    }
    let path = made(&pair, "rita", report("incident", false)).await;
    let audit = format!("/v1/audit/report/{}", path.rsplit('/').next().unwrap());
    for subject in ["ana", "mira"] {
        let caller = pair.world.as_(subject);
        assert_eq!(
            caller.get("/v1/reports").await.expect(200)["items"],
            json!([])
        );
        caller.get(&path).await.expect(404);
        caller.get(&audit).await.expect(404);
        for (what, body) in [
            ("acknowledgement", json!({})),
            ("notes", json!({"text": "Nothing to see."})),
            ("worker-suspension", json!({"reason": "None."})),
            ("closure", json!({"outcome": "Nothing."})),
        ] {
            caller
                .post(&format!("{path}/{what}"), &body)
                .await
                .expect(404);
        }
        assert!(pair.told(subject).await.is_empty());
        // Nor does a page of what they heard have a gap.
        let page = caller.get("/v1/inbox?limit=1").await.expect(200);
        assert_eq!(page["next"], Value::Null);
    }
    assert!(!pair.world.mails().iter().any(|mail| {
        let restricted = ["sue@people.example", "adam@people.example"];
        mail.raw.contains("safety report") && !restricted.iter().any(|to| mail.is_to(to))
    }));
    pair.world.as_("adam").get(&path).await.expect(200);
    // On their own side they see their own block alone, whatever else they are.
    pair.act("mira", "block", json!({"reason": "Enough."}))
        .await
        .expect(201);
    assert_eq!(pair.seen_by("ana").await["blocked_by"], json!([]));
    pair.act("ana", "reopening", json!({"reason": "Please."}))
        .await
        .expect(403);
}

/// What staff do on instruction is told to whoever instructed them, and to everybody who acts for them.
#[tokio::test]
async fn nobody_reports_on_instruction() {
    let pair = settle().await;
    let path = format!("{}/reports", pair.path);
    let side = pair.client.to_string();
    for (subject, status) in [("cora", 403), ("adam", 403), ("sue", 403), ("ana", 404)] {
        let key = pair.world.fresh_key();
        let caller = pair.world.as_(subject);
        let asked = caller.ask(reqwest::Method::POST, &path, |request| {
            let request = request.header("on-instruction", "by telephone, 10:20");
            let request = request.header("on-behalf-of", &side);
            let request = request.header("idempotency-key", key);
            request.json(&report("incident", true))
        });
        says_whom_to_ring(asked.await.expect(status));
    }
    assert!(pair.told("rita").await.is_empty());
    assert_eq!(pair.seen_by("ana").await["state"], "open");
    let reports = pair.world.as_("sue").get("/v1/reports").await.expect(200);
    assert_eq!(reports["items"], json!([]));
}

#[tokio::test]
async fn no_page_is_shorter_for_a_report_about_whoever_reads_it() {
    let pair = settle().await;
    let context = pair.world.context();
    let other = settle_client(context, "omar").await.0;
    let theirs = settle_engagement(context, other, pair.worker, |_| {}).await;
    let theirs = format!("/v1/engagements/{theirs}/reports");
    let ana = Key::client(pair.client);
    let ana: Versioned<Client> = context.store.get(&ana).await.unwrap().unwrap();
    edit::<Person>(&pair.world, &Key::person(ana.value.person), |person| {
        person.roles.staff.insert(StaffRole::Supervisor);
    })
    .await;
    // The shorter the deadline, the earlier in the list: two about Ana, then one about Omar, then one about Ana.
    made(&pair, "rita", report("safeguarding", false)).await;
    made(&pair, "mira", report("safeguarding", false)).await;
    let omar = pair.world.as_("omar");
    let shown = omar.post(&theirs, &report("incident", false)).await;
    let shown = shown.expect(201).string("id");
    made(&pair, "rita", report("complaint", false)).await;
    let page = pair.world.as_("ana").get("/v1/reports?limit=1").await;
    let page = page.expect(200);
    assert_eq!(page["items"][0]["id"], json!(shown), "{}", page.text());
    let all = pair.world.as_("ana").get("/v1/reports?limit=4").await;
    let all = all.expect(200);
    assert_eq!(all["items"].as_array().unwrap().len(), 1);
    assert_eq!(all["next"], Value::Null);
}
