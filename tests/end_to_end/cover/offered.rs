//! What somebody sees who is asked, and that they are asked only for what they can come to.

use domain::support_worker::SupportWorker;
use rapport_tests::people::settle_client;
use rapport_tests::visits::agree_terms;

use super::*;
use crate::engaged::{accept, edit, propose};

#[tokio::test]
async fn whoever_is_asked_learns_when_and_what_for_and_not_for_whom() {
    let covered = Covered::settle(&[], &["a"]).await;
    covered.ask("ana").await.expect(201);
    let offer = covered.offer("a").await;
    assert_eq!(offer["state"], "open");
    assert_eq!(offer["visit"]["from"], "2026-03-09T09:00:00+11:00");
    assert_eq!(offer["visit"]["suburb"], "Carlton");
    assert_eq!(offer["visit"]["worker_gets"], 10_800);
    let about_me = &offer["request"]["about_me"];
    assert_eq!(about_me, "I like chess and a quiet house.");
    let listed = covered.world().as_("a").get(&covered.offers("a")).await;
    let hidden = [
        "Given", "\"ana\"", "Vulture", "3053", "144.97", "per_", "clt_", "eng_", "vis_", "wrk_",
        "mreq_",
    ];
    for answer in [&offer, &listed.expect(200)] {
        for hidden in hidden {
            assert!(
                !answer.text().contains(hidden),
                "{hidden}: {}",
                answer.text()
            );
        }
    }
    let told = covered.engaged.told("a").await;
    assert_eq!(told, ["Could you come to a visit?"]);
    // Nobody else's.
    let path = format!("{}/{}", covered.offers("a"), offer.string("cover"));
    covered.world().as_("ana").get(&path).await.expect(404);
    let key = Key::worker(covered.workers["a"]);
    edit(covered.world(), &key, |it: &mut SupportWorker| {
        let away = json!({"away": {"first": "2026-03-09", "last": "2026-03-09"}});
        let away = serde_json::from_value(away).unwrap();
        it.profile.availability.exceptions.push(away);
    })
    .await;
    let away = covered.accept("a").await;
    away.expect_problem(409, "support-worker-away");
}

#[tokio::test]
async fn nobody_is_asked_who_is_taken_then_and_nobody_booked_who_has_become_so() {
    let covered = Covered::settle(&["kim", "lee"], &[]).await;
    let world = covered.world();
    let context = world.context();
    let taken = async |subject: &str, client: &str, starts: &str| {
        let (client_id, _) = settle_client(context, client).await;
        let worker = covered.workers[subject];
        let engagement = settle_engagement(context, client_id, worker, |held| {
            agree_terms(context, held);
        })
        .await;
        let proposal = propose(world, subject, engagement, &at_home(starts)).await;
        accept(world, client, &proposal.expect(201))
            .await
            .expect(201);
    };
    // Ends ten minutes before: too late to travel.
    taken("kim", "bea", "2026-03-09T06:50:00").await;
    covered.ask("ana").await.expect(201);
    assert_eq!(covered.waves().await, [["lee"]]);
    taken("lee", "cleo", "2026-03-09T10:30:00").await;
    let late = covered.accept("lee").await;
    late.expect_problem(409, "support-worker-not-free");
    assert_eq!(covered.shown("ana").await["state"], "seeking");
}

#[tokio::test]
async fn what_cannot_be_covered_is_refused_and_names_why() {
    let covered = Covered::settle(&["kim"], &[]).await;
    let world = covered.world();
    let ana = world.as_("ana");
    let cover = format!("{}/cover", covered.visit);
    ana.get(&cover).await.expect(404);
    let blank = ana.post(&cover, &json!({"reason": ""})).await;
    assert_eq!(blank.expect(422).pointers(), ["/reason"]);
    // Once it has begun, and when it is over.
    world.advance(6 * 24 + 22).await;
    let start = format!("{}/start", covered.visit);
    world
        .as_("wanda")
        .post(&start, &json!({}))
        .await
        .expect(201);
    let begun = covered.ask("ana").await;
    begun.expect_problem(409, "visit-started");
    let completion = format!("{}/completion", covered.visit);
    world
        .as_("wanda")
        .post(&completion, &json!({}))
        .await
        .expect(201);
    let over = covered.ask("ana").await;
    over.expect_problem(409, "visit-over");
    let off = covered.engaged.book(&at_home("2026-03-16T09:00:00")).await;
    let reason = json!({"reason": "The day was misread."});
    let path = format!("{off}/cancellation");
    world.administrator().post(&path, &reason).await.expect(201);
    let cancelled = ana.post(&format!("{off}/cover"), &reason).await;
    cancelled.expect_problem(409, "visit-cancelled");
}

#[tokio::test]
async fn a_visit_that_is_taken_back_needs_nobody_else() {
    let covered = Covered::settle(&["kim"], &[]).await;
    covered.ask("ana").await.expect(201);
    let reason = json!({"reason": "The day was misread."});
    let path = format!("{}/cancellation", covered.visit);
    let ada = covered.world().administrator();
    ada.post(&path, &reason).await.expect(201);
    let off = covered.accept("kim").await;
    off.expect_problem(409, "cover-closed");
    covered.world().advance_by(TimeDelta::minutes(15)).await;
    assert_eq!(covered.shown("ana").await["state"], "withdrawn");
    assert!(covered.tickets().await.is_empty());
}
