//! Who comes in the end, and that it is one.

use domain::access::{Authority, AuthorityState};
use domain::engagement::Engagement;
use rapport_tests::people::settle_representative;

use super::*;
use crate::engaged::{ADDRESS, edit};

const COMES: &str = "Somebody else comes to a visit";

#[tokio::test]
async fn whoever_accepts_is_confirmed_by_the_client_and_comes_instead() {
    let covered = Covered::settle(&["kim"], &[]).await;
    covered.ask("wanda").await.expect(201);
    let accepted = covered.accept("kim").await.expect(201);
    assert_eq!(accepted["state"], "accepted");
    let shown = covered.shown("ana").await;
    assert_eq!(shown["state"], "accepted");
    assert_eq!(shown["comes"]["name"]["family"], "kim");
    assert_eq!(shown["comes"]["known"], true);
    assert_eq!(covered.shown("wanda").await["comes"], Value::Null);
    // What is booked stands until then.
    assert_eq!(covered.scheduled("wanda").await.len(), 1);
    let nobody = json!({"worker": covered.engaged.worker});
    let other = covered.decide("confirmation", &nobody).await;
    other.expect_problem(409, "cover-somebody-else");
    let confirmed = covered.confirm("kim").await.expect(201);
    assert_eq!(confirmed["state"], "covered");
    let booked = confirmed.string("booked");
    for of in ["ana", "kim"] {
        let scheduled = covered.scheduled(of).await;
        assert_eq!(scheduled.len(), 1, "{of}");
        assert_eq!(scheduled[0]["visit"], booked);
        assert_eq!(scheduled[0]["state"], "booked");
        assert_eq!(scheduled[0]["from"], "2026-03-09T09:00:00+11:00");
    }
    assert!(covered.scheduled("wanda").await.is_empty());
    let was = covered.stored().await;
    assert_eq!(was.state, VisitState::Cancelled);
    assert_eq!(was.covered_by.unwrap().to_string(), booked);
    let path = format!("/v1/visits/{booked}");
    let theirs = covered.world().as_("kim").get(&path).await.expect(200);
    assert_eq!(theirs["price"], serde_json::to_value(&was.price).unwrap());
    assert_eq!(theirs["home_address"], ADDRESS);
    covered.world().as_("wanda").get(&path).await.expect(404);
    for subject in ["ana", "kim", "wanda"] {
        let told = covered.engaged.told(subject).await;
        assert!(told.contains(&COMES.to_owned()), "{subject}: {told:?}");
    }
    let again = covered.confirm("kim").await;
    again.expect_problem(409, "cover-taken");
}

#[tokio::test]
async fn a_client_who_agreed_beforehand_has_the_first_booked_at_once() {
    let covered = Covered::settle(&["kim"], &[]).await;
    let path = format!("/v1/clients/{}/cover-consent", covered.engaged.client);
    let before = covered.world().as_("ana").get(&path).await.expect(200);
    assert_eq!(before["given"], false);
    let given = covered.consent(true).await.expect(201);
    assert_eq!(given["given"], true);
    assert_eq!(given["consent"]["at"], "2026-03-02T00:01:00Z");
    covered.ask("ana").await.expect(201);
    let accepted = covered.accept("kim").await.expect(201);
    assert_eq!(accepted["state"], "booked");
    let booked = covered.scheduled("ana").await[0]["visit"].clone();
    assert_eq!(accepted["booked"], booked);
    let told = covered.engaged.told("ana").await;
    assert!(told.contains(&COMES.to_owned()), "{told:?}");
    let taken_back = covered.consent(false).await.expect(201);
    assert_eq!(taken_back["consent"], Value::Null);
}

/// Rita agrees for Ana beforehand; whether her authority has ended since or not, it is hers and no more.
#[tokio::test]
async fn what_a_representative_agreed_to_beforehand_ends_with_their_authority() {
    for ends in [false, true] {
        let covered = Covered::settle(&["kim"], &[]).await;
        let (world, client) = (covered.world(), covered.engaged.client);
        let rita = settle_representative(world.context(), "rita", client, |_| {}).await;
        let path = format!("/v1/clients/{client}/cover-consent");
        let given = world.as_("rita").post(&path, &json!({"given": true})).await;
        assert_eq!(given.expect(201)["given"], true);
        if ends {
            let key = Key::authority(client, rita);
            edit::<Authority>(world, &key, |held| held.state = AuthorityState::Revoked).await;
        }
        let shown = world.as_("ana").get(&path).await.expect(200);
        assert_eq!(shown["given"], !ends);
        assert_eq!(shown["consent"]["acting"]["by"], rita.to_string());
        covered.ask("ana").await.expect(201);
        let accepted = covered.accept("kim").await.expect(201);
        assert_eq!(accepted["state"] == "booked", !ends, "{}", accepted.text());
        assert_eq!(covered.scheduled("kim").await.len(), usize::from(!ends));
        if ends {
            let told = covered.engaged.told("ana").await;
            let asked = "Somebody else can come to a visit".to_owned();
            assert!(told.contains(&asked), "{told:?}");
            covered.confirm("kim").await.expect(201);
            assert_eq!(covered.scheduled("kim").await.len(), 1);
        }
    }
}

#[tokio::test]
async fn of_many_who_accept_at_the_same_time_one_is_booked() {
    let known = ["k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8", "k9"];
    let covered = Covered::settle(&known, &[]).await;
    covered.consent(true).await.expect(201);
    covered.ask("ana").await.expect(201);
    covered.world().advance_by(TimeDelta::minutes(30)).await;
    assert_eq!(covered.waves().await.concat().len(), 9);
    let offer = covered.offer("k1").await.string("cover");
    let accept = |subject: &'static str| {
        let path = format!("{}/{offer}/acceptance", covered.offers(subject));
        let by = covered.world().as_(subject);
        async move { by.post(&path, &json!({})).await }
    };
    let answers = crate::all_at_once(known.map(accept)).await;
    let (won, lost): (Vec<Answer>, Vec<Answer>) =
        (answers.into_iter()).partition(|answer| answer.status() == 201);
    assert_eq!(won.len(), 1);
    for answer in lost {
        answer.expect_problem(409, "cover-taken");
    }
    covered.world().settle().await;
    let mut booked = Vec::new();
    for subject in known {
        booked.extend(covered.scheduled(subject).await);
    }
    assert_eq!(booked.len(), 1);
    assert_eq!(covered.scheduled("ana").await, booked);
}

#[tokio::test]
async fn whom_the_client_refuses_is_let_go_and_others_are_asked() {
    let covered = Covered::settle(&["kim"], &["a"]).await;
    covered.ask("ana").await.expect(201);
    let early = covered.confirm("kim").await;
    early.expect_problem(409, "cover-nobody-yet");
    covered.accept("kim").await.expect(201);
    let refused = covered.refuse("kim").await.expect(201);
    assert_eq!(refused["state"], "seeking");
    assert_eq!(refused["comes"], Value::Null);
    assert_eq!(covered.waves().await, [["kim"], ["a"]]);
    let told = covered.engaged.told("kim").await;
    let let_go = "You are not needed for a visit".to_owned();
    assert!(told.contains(&let_go), "{told:?}");
    assert_eq!(covered.offer("kim").await["state"], "not_needed");
    let again = covered.accept("kim").await;
    again.expect_problem(409, "cover-answered");
    // Who has accepted can still decline, until it is booked.
    covered.accept("a").await.expect(201);
    assert_eq!(covered.decline("a").await.expect(201)["state"], "declined");
    let unfilled = covered.shown("cora").await;
    assert_eq!(unfilled["state"], "unfilled");
    let why = &unfilled["unfilled"];
    assert_eq!((&why["refused"], &why["declined"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn staff_hear_why_nobody_comes_and_the_client_that_nobody_does() {
    let covered = Covered::settle(&["kim"], &["a"]).await;
    for (subject, away) in [("a", "2026-03-09")] {
        let key = Key::worker(covered.workers[subject]);
        let profile = json!({"away": {"first": away, "last": away}});
        crate::engaged::edit(
            covered.world(),
            &key,
            |it: &mut domain::support_worker::SupportWorker| {
                let away = serde_json::from_value(profile).unwrap();
                it.profile.availability.exceptions.push(away);
            },
        )
        .await;
    }
    let world = covered.world();
    settle_staff(world.context(), "sam", StaffRole::Supervisor).await;
    let (sam, search) = (world.as_("sam"), format!("{}/cover", covered.visit));
    // So close that nobody can wait for the morning.
    world.advance_to("2026-03-08T20:00:00Z").await;
    covered.ask("ana").await.expect(201);
    for path in [&covered.visit, &search] {
        sam.get(path).await.expect(403);
    }
    covered.decline("kim").await.expect(201);
    let shown = covered.shown("cora").await;
    assert_eq!(shown["state"], "unfilled");
    // Supervisors can be on call: they see what they are called for.
    let alerts = sam.get("/v1/alerts").await.expect(200);
    assert_eq!(alerts["items"][0]["cause"], "cover_unfilled");
    assert_eq!(sam.get(&search).await.expect(200).json(), shown.json());
    let visit = sam.get(&covered.visit).await.expect(200);
    assert_eq!(visit["id"], alerts["items"][0]["about"]);
    let left_out = json!({"not_free": 0, "away": 1, "not_eligible": 0});
    let why = json!({
        "asked": 1, "known": 1, "declined": 1, "silent": 0, "refused": 0, "not_confirmed": false,
        "left_out": left_out
    });
    assert_eq!(shown["unfilled"], why);
    assert_eq!(shown["asked"][0]["reason"], "I am at my sister's.");
    assert_eq!(shown["reason"], "It cannot be helped.");
    assert_eq!(covered.shown("ana").await["reason"], "It cannot be helped.");
    assert_eq!(covered.shown("wanda").await["reason"], Value::Null);
    let listed = covered
        .world()
        .as_("cora")
        .get("/v1/covers?state=unfilled")
        .await;
    let listed = listed.expect(200);
    assert_eq!(listed["items"][0]["cover"], shown["cover"]);
    let tickets = covered.tickets().await;
    let unfilled = |ticket: &&Value| ticket["cause"] == "cover_unfilled";
    let ticket = tickets.iter().find(unfilled).unwrap();
    assert!(covered.visit.ends_with(ticket["subject"].as_str().unwrap()));
    assert_eq!(ticket["related"], json!([shown["cover"]]));
    let client = covered.shown("ana").await;
    assert_eq!(
        (&client["unfilled"], &client["asked"]),
        (&Value::Null, &Value::Null)
    );
    let told = covered.engaged.told("ana").await;
    let nobody = "Nobody else was found to come to a visit".to_owned();
    assert!(told.contains(&nobody), "{told:?}");
    // It can be tried once more.
    covered.ask("cora").await.expect(201);
    assert_eq!(covered.shown("ana").await["state"], "seeking");
}

#[tokio::test]
async fn whoever_was_booked_and_begins_after_all_is_not_replaced() {
    let covered = Covered::settle(&["kim"], &[]).await;
    let world = covered.world();
    // An hour before.
    world.advance(6 * 24 + 21).await;
    covered.ask("ana").await.expect(201);
    world.advance_by(TimeDelta::minutes(30)).await;
    covered.accept("kim").await.expect(201);
    let start = format!("{}/start", covered.visit);
    world
        .as_("wanda")
        .post(&start, &json!({}))
        .await
        .expect(201);
    let late = covered.confirm("kim").await;
    late.expect_problem(409, "cover-closed");
    world.advance_by(TimeDelta::minutes(30)).await;
    assert_eq!(covered.shown("ana").await["state"], "withdrawn");
    assert_eq!(covered.offer("kim").await["state"], "not_needed");
    let told = covered.engaged.told("kim").await;
    let let_go = "You are not needed for a visit".to_owned();
    assert!(told.contains(&let_go), "{told:?}");
    assert_eq!(covered.scheduled("ana").await.len(), 1);
    assert_eq!(covered.stored().await.state, VisitState::Started);
}

#[tokio::test]
async fn a_search_is_withdrawn_by_those_who_may_ask_for_it() {
    let covered = Covered::settle(&["kim"], &[]).await;
    covered.ask("ana").await.expect(201);
    let cover = covered.shown("ana").await.string("cover");
    let path = format!("/v1/covers/{cover}/withdrawal");
    let reason = json!({"reason": "She can come after all."});
    let world = covered.world();
    // It was not the support worker who asked.
    world.as_("wanda").post(&path, &reason).await.expect(403);
    let blank = world.as_("ana").post(&path, &json!({"reason": " "})).await;
    assert_eq!(blank.expect(422).pointers(), ["/reason"]);
    let withdrawn = world.as_("ana").post(&path, &reason).await.expect(201);
    assert_eq!(withdrawn["state"], "withdrawn");
    let late = covered.accept("kim").await;
    late.expect_problem(409, "cover-closed");
    assert_eq!(covered.scheduled("wanda").await.len(), 1);
    covered.ask("wanda").await.expect(201);
    let cover = covered.shown("wanda").await.string("cover");
    let path = format!("/v1/covers/{cover}/withdrawal");
    world.as_("wanda").post(&path, &reason).await.expect(201);
}

#[tokio::test]
async fn a_stranger_who_comes_is_connected_with_the_client_and_has_terms_of_their_own_to_agree_on()
{
    let covered = Covered::settle(&[], &["a"]).await;
    covered.ask("ana").await.expect(201);
    covered.accept("a").await.expect(201);
    let confirmed = covered.confirm("a").await.expect(201);
    let offer = covered.offer("a").await;
    assert_eq!(offer["state"], "booked");
    assert_eq!(offer["booked"], confirmed["booked"]);
    assert_eq!(offer["client_name"]["family"], "ana");
    let engagement = offer.string("engagement");
    let path = format!("/v1/engagements/{engagement}");
    for subject in ["a", "ana"] {
        let shown = covered.world().as_(subject).get(&path).await.expect(200);
        assert_eq!(shown["state"], "open");
        assert_eq!(shown["terms"], Value::Null);
    }
    let key = Key::engagement(engagement.parse().unwrap());
    let held = covered
        .world()
        .context()
        .store
        .get::<Engagement>(&key)
        .await;
    let held = held.unwrap().unwrap().value;
    let covers = format!("/v1/visits/{}", held.opened_to_cover.unwrap());
    assert_eq!((held.invitation, covers), (None, covered.visit.clone()));
    let path = format!("/v1/visits/{}", confirmed.string("booked"));
    let visit = covered.world().as_("a").get(&path).await.expect(200);
    assert_eq!(visit["home_address"], ADDRESS);
}
