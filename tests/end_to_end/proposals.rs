//! Proposals: from the first revision to the one that is accepted, and everything that keeps it from being booked.

use chrono::TimeDelta;
use domain::access::StaffRole;
use domain::check::CheckKind;
use domain::client::Client;
use domain::due::{Due, DueRow};
use domain::engagement::{Engagement, EngagementState, Side};
use domain::match_request::{MatchRequest, MatchRequestState, Submission};
use domain::pair::Pair;
use domain::policy::Policy;
use domain::support_worker::{SupportWorker, WorkerState};
use rapport_tests::people::settle_engagement;
use rapport_tests::people::{modest_request, settle_representative, settle_staff, settle_worker};
use rapport_tests::visits::{agree_terms, at_home};
use serde_json::{Value, json};
use store::{Actor, Commit, Key};

use crate::all_at_once;
use crate::engaged::{Engaged, accept, edit, path_of, propose};

#[tokio::test]
async fn a_visit_is_proposed_revised_and_accepted_in_exactly_the_revision_that_was_seen() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let (ana, wanda) = (world.as_("ana"), world.as_("wanda"));
    let short = json!({
        "starts": "2026-03-05T09:00:00", "time_zone": "Australia/Melbourne", "minutes": 90, "place": "home",
        "service": "social_support", "notes": "A walk.", "essential": false
    });
    let proposal = engaged.propose(&short).await.expect(201);
    let path = path_of(&proposal);
    assert_eq!(proposal["state"], "open");
    assert_eq!(proposal["current"]["number"], 1);
    assert_eq!(proposal["current"]["warnings"], json!(["short_visit"]));
    assert_eq!(proposal["current"]["from"], "2026-03-05T09:00:00+11:00");
    assert_eq!(proposal["current"]["until"], "2026-03-05T10:30:00+11:00");
    assert_eq!(proposal["lapses_at"], "2026-03-04T22:00:00Z");

    let wish = json!({"text": "Rather in the afternoon?"});
    let asked = ana.post(&format!("{path}/other-times"), &wish).await;
    assert_eq!(asked.expect(201)["other_times"][0]["text"], wish["text"]);

    let revised = json!({"visit": at_home("2026-03-05T14:00:00")});
    let revised = wanda.post(&format!("{path}/revisions"), &revised).await;
    let revised = revised.expect(201);
    assert_eq!(revised["current"]["number"], 2);
    assert_eq!(revised["current"]["warnings"], json!([]));
    assert_eq!(revised["earlier"][0]["visit"], short);

    let stale = accept(world, "ana", &proposal).await;
    let stale = stale.expect_problem(409, "proposal-stale-revision");
    assert_eq!(stale["current"], 2);

    let seen = json!({"revision": 2});
    let acceptance = format!("{path}/acceptance");
    let accepted = ana
        .post_with_key(&acceptance, "yes", &seen)
        .await
        .expect(201);
    assert_eq!(accepted["state"], "accepted");
    let again = ana
        .post_with_key(&acceptance, "yes", &seen)
        .await
        .expect(201);
    assert!(again.replayed());
    assert_eq!(again["visit"], accepted["visit"]);
    let twice = ana.post(&acceptance, &seen).await;
    twice.expect_problem(409, "proposal-accepted");

    let visit = format!("/v1/visits/{}", accepted.string("visit"));
    let visit = ana.get(&visit).await.expect(200);
    assert_eq!(visit["state"], "booked");
    assert_eq!(visit["proposal"], proposal["id"]);
    assert_eq!(visit["revision"], 2);
    assert_eq!(visit["from"], "2026-03-05T14:00:00+11:00");
    assert_eq!(visit["minutes"], 120);
    assert_eq!(visit["terms_version"], 1);
    assert_eq!(
        engaged.told("ana").await,
        [
            "A proposed visit was revised",
            "A visit was booked",
            "A visit was proposed"
        ]
    );
    assert_eq!(
        engaged.told("wanda").await,
        ["A visit was booked", "Another time was asked for"]
    );
    let listed = ana.get(&engaged.path()).await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(listed["items"][0]["id"], proposal["id"]);
}

#[tokio::test]
async fn every_fault_of_a_visit_names_its_field() {
    let engaged = Engaged::settle().await;
    let with = |field: &str, value: Value| {
        let mut visit = at_home("2026-03-05T09:00:00");
        visit[field] = value;
        visit
    };
    let elsewhere = json!({"elsewhere": {"suburb": "", "address": "x".repeat(201)}});
    for (visit, pointers) in [
        // Melbourne puts its clocks back on 5 April and forward on 4 October 2026.
        (at_home("2026-04-05T02:30:00"), vec!["/visit/starts"]),
        (at_home("2026-10-04T02:30:00"), vec!["/visit/starts"]),
        (at_home("2026-03-02T10:59:00"), vec!["/visit/starts"]),
        (at_home("2027-03-04T09:00:00"), vec!["/visit/starts"]),
        (
            with("time_zone", json!("Melbourne")),
            vec!["/visit/time_zone"],
        ),
        (with("minutes", json!(29)), vec!["/visit/minutes"]),
        (with("minutes", json!(1441)), vec!["/visit/minutes"]),
        (with("notes", json!("x".repeat(1001))), vec!["/visit/notes"]),
        (
            with("place", elsewhere),
            vec![
                "/visit/place/elsewhere/address",
                "/visit/place/elsewhere/suburb",
            ],
        ),
    ] {
        let refused = engaged.propose(&visit).await;
        let refused = refused.expect_problem(422, "invalid-fields");
        assert_eq!(refused.pointers(), pointers, "{visit}");
    }
    // Around the same changes of clocks, what exists once can be booked, and lasts as long as it says.
    let across = engaged
        .propose(&at_home("2026-04-05T01:30:00"))
        .await
        .expect(201);
    assert_eq!(across["current"]["from"], "2026-04-05T01:30:00+11:00");
    assert_eq!(across["current"]["until"], "2026-04-05T02:30:00+10:00");
    let revisions = format!("{}/revisions", path_of(&across));
    let never = json!({"visit": at_home("2026-10-04T02:00:00")});
    let refused = engaged.world.as_("wanda").post(&revisions, &never).await;
    assert_eq!(refused.expect(422).pointers(), ["/visit/starts"]);
}

#[tokio::test]
async fn nothing_is_proposed_without_terms_that_cover_it() {
    let engaged = Engaged::settle_with(|engagement| engagement.terms = None).await;
    let visit = at_home("2026-03-05T09:00:00");
    let refused = engaged.propose(&visit).await;
    refused.expect_problem(409, "terms-not-agreed");
    let key = Key::engagement(engaged.engagement);
    let context = engaged.world.context();
    edit(&engaged.world, &key, |it: &mut Engagement| {
        agree_terms(context, it);
    })
    .await;
    let mut meals = visit.clone();
    meals["service"] = json!("meal_preparation");
    let refused = engaged.propose(&meals).await;
    refused.expect_problem(409, "terms-do-not-cover");

    let proposal = engaged.propose(&visit).await.expect(201);
    edit(&engaged.world, &key, |it: &mut Engagement| it.terms = None).await;
    let refused = accept(&engaged.world, "ana", &proposal).await;
    refused.expect_problem(409, "terms-not-agreed");
}

#[tokio::test]
async fn an_engagement_that_is_paused_or_has_ended_books_nothing() {
    let engaged = Engaged::settle().await;
    let visit = at_home("2026-03-05T09:00:00");
    let proposal = engaged.propose(&visit).await.expect(201);
    let key = Key::engagement(engaged.engagement);
    for (state, status, kind) in [
        (EngagementState::Paused, 409, "engagement-paused"),
        (EngagementState::Ended, 403, "engagement-ended"),
    ] {
        edit(&engaged.world, &key, |it: &mut Engagement| it.state = state).await;
        let accepted = accept(&engaged.world, "ana", &proposal).await;
        accepted.expect_problem(status, kind);
        engaged.propose(&visit).await.expect_problem(status, kind);
    }
    let read = engaged.world.as_("ana").get(&path_of(&proposal)).await;
    assert_eq!(read.expect(200)["state"], "open");
}

#[tokio::test]
async fn either_side_does_what_is_theirs_and_nothing_comes_of_a_closed_one() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let reason = json!({"reason": "My sister visits."});
    let acts = |path: &str| {
        let visit = json!({"visit": at_home("2026-03-06T09:00:00")});
        [
            ("ana", format!("{path}/acceptance"), json!({"revision": 1})),
            ("ana", format!("{path}/refusal"), reason.clone()),
            (
                "ana",
                format!("{path}/other-times"),
                json!({"text": "Later?"}),
            ),
            ("wanda", format!("{path}/revisions"), visit),
            ("wanda", format!("{path}/withdrawal"), json!({})),
        ]
    };
    for (closing, kind) in [(1, "proposal-declined"), (4, "proposal-withdrawn")] {
        let visit = at_home("2026-03-05T09:00:00");
        let proposal = engaged.propose(&visit).await.expect(201);
        let acts = acts(&path_of(&proposal));
        for (subject, path, body) in &acts {
            let other = if *subject == "ana" { "wanda" } else { "ana" };
            world.as_(other).post(path, body).await.expect(403);
        }
        let (subject, path, body) = &acts[closing];
        world.as_(subject).post(path, body).await.expect(201);
        for (subject, path, body) in &acts {
            let refused = world.as_(subject).post(path, body).await;
            refused.expect_problem(409, kind);
        }
    }
    let told = engaged.told("wanda").await;
    assert_eq!(told, ["A proposed visit was declined"]);
    let told = engaged.told("ana").await;
    assert_eq!(
        told,
        [
            "A proposed visit was withdrawn",
            "A visit was proposed",
            "A visit was proposed"
        ]
    );
}

#[tokio::test]
async fn a_proposal_lapses_as_its_visit_would_begin() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let visit = at_home("2026-03-03T09:00:00");
    let proposal = engaged.propose(&visit).await.expect(201);
    let later = json!({"visit": at_home("2026-03-03T12:00:00")});
    let revisions = format!("{}/revisions", path_of(&proposal));
    let revised = world
        .as_("wanda")
        .post(&revisions, &later)
        .await
        .expect(201);
    // The first deadline passes: it has been superseded.
    world.advance(23).await;
    let ana = world.as_("ana");
    let shown = ana.get(&path_of(&proposal)).await.expect(200);
    assert_eq!(shown["state"], "open");
    world.advance(2).await;
    let shown = ana.get(&path_of(&proposal)).await.expect(200);
    assert_eq!(shown["state"], "lapsed");
    assert_eq!(shown["closed_at"], revised["lapses_at"]);
    let late = accept(world, "ana", &revised).await;
    late.expect_problem(409, "proposal-lapsed");
    let lapsed = "A proposed visit has lapsed";
    assert_eq!(engaged.told("ana").await[0], lapsed);
    assert_eq!(engaged.told("wanda").await, [lapsed]);
}

/// Two clients want the same hour of one support worker, at the same moment.
#[tokio::test]
async fn of_overlapping_acceptances_at_the_same_time_exactly_one_books() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let subjects = ["ana", "bea", "cleo", "dora"];
    let mut proposals = Vec::new();
    for (subject, starts) in subjects.iter().zip(["09:00", "10:00", "10:59", "08:01"]) {
        let engagement = match *subject {
            "ana" => engaged.engagement,
            other => engaged.another_client(other).await,
        };
        let visit = at_home(&format!("2026-03-05T{starts}:00"));
        proposals.push(
            propose(world, "wanda", engagement, &visit)
                .await
                .expect(201),
        );
    }
    let accepting = subjects.iter().zip(&proposals);
    let accepting = accepting.map(|(subject, proposal)| accept(world, subject, proposal));
    let answers = all_at_once(accepting).await;
    let booked = answers.iter().filter(|answer| answer.status() == 201);
    assert_eq!(booked.count(), 1, "{answers:#?}");
    for refused in answers.into_iter().filter(|answer| answer.status() != 201) {
        refused.expect_problem(409, "support-worker-not-free");
    }
    let path = format!("/v1/support-workers/{}/schedule", engaged.worker);
    let schedule = world.as_("wanda").get(&path).await.expect(200);
    assert_eq!(schedule["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_support_worker_has_time_to_travel_and_the_client_stays_where_they_are() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    engaged.book(&at_home("2026-03-05T09:00:00")).await;
    // To another client: half an hour for the way.
    let bea = engaged.another_client("bea").await;
    for (starts, booked) in [
        ("2026-03-05T11:29:00", false),
        ("2026-03-05T06:31:00", false),
        ("2026-03-05T11:30:00", true),
        ("2026-03-05T06:30:00", true),
    ] {
        let visit = at_home(starts);
        let proposal = propose(world, "wanda", bea, &visit).await.expect(201);
        let accepted = accept(world, "bea", &proposal).await;
        match booked {
            true => accepted.expect(201),
            false => accepted.expect_problem(409, "support-worker-not-free"),
        };
    }
    // By another support worker to the same client: right after, but not at the same time.
    let context = world.context();
    let walter = settle_worker(context, "walter").await;
    let with_terms = |it: &mut Engagement| agree_terms(context, it);
    let walters = settle_engagement(context, engaged.client, walter, with_terms).await;
    for (starts, booked) in [
        ("2026-03-05T10:59:00", false),
        ("2026-03-05T11:00:00", true),
    ] {
        let proposal = propose(world, "walter", walters, &at_home(starts))
            .await
            .expect(201);
        let accepted = accept(world, "ana", &proposal).await;
        match booked {
            true => accepted.expect(201),
            false => accepted.expect_problem(409, "client-not-free"),
        };
    }
    // By the same to the same: no way at all.
    engaged.book(&at_home("2026-03-06T09:00:00")).await;
    engaged.book(&at_home("2026-03-06T11:00:00")).await;
}

#[tokio::test]
async fn who_may_not_give_support_any_more_is_not_booked() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let proposal = engaged
        .propose(&at_home("2026-03-05T09:00:00"))
        .await
        .expect(201);
    let refused = async || {
        let refused = accept(world, "ana", &proposal).await;
        let refused = refused.expect_problem(409, "support-worker-not-eligible");
        assert!(!refused.text().contains("block"), "{}", refused.text());
    };
    let worker = Key::worker(engaged.worker);
    let state = async |state: WorkerState| {
        edit(world, &worker, |it: &mut SupportWorker| it.state = state).await;
    };
    state(WorkerState::Suspended).await;
    refused().await;
    state(WorkerState::Active).await;
    let expires = async |date: &str| {
        edit(world, &worker, |it: &mut SupportWorker| {
            let screening = |check: &&mut domain::check::Check| check.kind == CheckKind::Screening;
            let screening = it.checks.iter_mut().find(screening).unwrap();
            screening.expires_on = Some(date.parse().unwrap());
        })
        .await;
    };
    // Valid today, and not on the day of the visit.
    expires("2026-03-04").await;
    refused().await;
    expires("2026-03-05").await;
    let pair = Key::pair(engaged.client, engaged.worker);
    let blocked_by = async |side: Option<Side>| {
        edit(world, &pair, |it: &mut Pair| {
            it.blocked_by = side.into_iter().collect();
        })
        .await;
    };
    blocked_by(Some(Side::Worker)).await;
    refused().await;
    blocked_by(None).await;
    accept(world, "ana", &proposal).await.expect(201);
}

#[tokio::test]
async fn representatives_accept_for_the_client_and_staff_when_they_are_told_to() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let context = world.context();
    let rosa = settle_representative(context, "rosa", engaged.client, |_| {}).await;
    let cora = settle_staff(context, "cora", StaffRole::Coordinator).await;
    let first = engaged
        .propose(&at_home("2026-03-05T09:00:00"))
        .await
        .expect(201);
    let accepted = accept(world, "rosa", &first).await.expect(201);
    let visit = format!("/v1/visits/{}", accepted.string("visit"));
    let visit = world.as_("rosa").get(&visit).await.expect(200);
    assert_eq!(visit["booked_by"]["by"], rosa.to_string());
    assert_eq!(
        visit["booked_by"]["on_behalf_of"],
        engaged.client.to_string()
    );

    let second = engaged
        .propose(&at_home("2026-03-06T09:00:00"))
        .await
        .expect(201);
    let acceptance = format!("{}/acceptance", path_of(&second));
    accept(world, "cora", &second).await.expect(404);
    let told = |request: reqwest::RequestBuilder| {
        let request = request.header("on-instruction", "by telephone on 2 March, 11:00");
        let request = request.header("on-behalf-of", engaged.client.to_string());
        let request = request.header("idempotency-key", "told");
        request.json(&json!({"revision": 1}))
    };
    let cora_asks = world.as_("cora");
    let accepted = cora_asks
        .ask(reqwest::Method::POST, &acceptance, told)
        .await;
    let accepted = accepted.expect(201);
    let visit = format!("/v1/visits/{}", accepted.string("visit"));
    let visit = world.as_("cora").get(&visit).await.expect(200);
    assert_eq!(visit["booked_by"]["by"], cora.to_string());
    assert_eq!(
        visit["booked_by"]["instructed_by"],
        engaged.client_person.to_string()
    );
}

#[tokio::test]
async fn the_first_visit_fulfils_the_match_request() {
    let engaged = Engaged::settle().await;
    let (world, context) = (&engaged.world, engaged.world.context());
    let submission = Submission {
        id: context.fresh(),
        client: engaged.client,
        by: engaged.client_person,
        on_behalf_of: None,
        details: serde_json::from_value(modest_request()).unwrap(),
    };
    let request = MatchRequest::submit(submission, &Policy::default(), context.now()).unwrap();
    let request = MatchRequest {
        state: MatchRequestState::Released,
        released_at: Some(context.now()),
        ..request
    };
    let key = Key::match_request(request.id);
    let audit = context.audit(Actor::Service, "settle", &key);
    let commit = Commit::new(audit).insert(&request);
    context.store.commit(commit).await.unwrap();
    edit(
        world,
        &Key::engagement(engaged.engagement),
        |it: &mut Engagement| {
            it.match_request = request.id;
        },
    )
    .await;
    let client = Key::client(engaged.client);
    edit(world, &client, |it: &mut Client| {
        *it = it.clone().with_open(request.id)
    })
    .await;

    let visit = engaged.book(&at_home("2026-03-05T09:00:00")).await;
    let shown = world.as_("ana").get(&visit).await.expect(200);
    assert_eq!(
        shown["suburb"], "Carlton",
        "where the request says that support takes place"
    );
    let path = format!("/v1/match-requests/{}", request.id);
    let fulfilled = world.as_("ana").get(&path).await.expect(200);
    assert_eq!(fulfilled["state"], "fulfilled");
    assert_eq!(fulfilled["closed_at"], shown["booked_at"]);
    let stored = context.store.get::<Client>(&client).await.unwrap().unwrap();
    assert!(stored.value.open_match_requests.is_empty());
    // The second has nothing left to fulfil.
    engaged.book(&at_home("2026-03-06T09:00:00")).await;
}

/// An event that comes late, early or about a deadline that has moved changes nothing.
#[tokio::test]
async fn a_deadline_that_was_replaced_is_forgotten() {
    let engaged = Engaged::settle().await;
    let (world, context) = (&engaged.world, engaged.world.context());
    let proposal = engaged
        .propose(&at_home("2026-03-05T09:00:00"))
        .await
        .expect(201);
    let row = DueRow {
        due: Due::ProposalLapse {
            engagement: engaged.engagement,
            proposal: proposal.string("id").parse().unwrap(),
        },
        at: context.now() - TimeDelta::hours(1),
        generation: 0,
    };
    let key = Key::engagement(engaged.engagement);
    let audit = context.audit(Actor::Service, "settle", &key);
    let commit = Commit::new(audit).due_of(&key, row);
    context.store.commit(commit).await.unwrap();
    world.settle().await;
    let shown = world.as_("ana").get(&path_of(&proposal)).await.expect(200);
    assert_eq!(shown["state"], "open");
}
