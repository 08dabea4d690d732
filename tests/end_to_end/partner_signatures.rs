//! Partner signatures that must not be accepted. None is, and every refusal is the same to the byte.

mod forgery;

use chrono::TimeDelta;
use platform::signature::RequestSignature;
use rapport_tests::answer::Answer;
use rapport_tests::signups::{
    Partner, add_key, add_partner, all, headers_of, send, settings, sign_up, signups_stored,
    somebody,
};
use rapport_tests::world::World;
use serde_json::json;

use self::forgery::{
    Forgery, Genuine, at_other_times, by_hand, cut_and_grown, of_odd_parts, one_character_changed,
    to_another, written_otherwise,
};
use crate::all_at_once;

#[tokio::test]
async fn a_thousand_forged_or_replayed_signatures_come_to_nothing() {
    let world = World::start().await;
    let ours = add_partner(&world, &settings()).await;
    let revoked = ours.secret.clone();
    let (_, second) = add_key(&world, &ours.id).await;
    let revoke = format!("/v1/partners/{}/keys/1/revocation", ours.id);
    let ada = world.administrator();
    ada.post(&revoke, &json!({})).await.expect(201);
    let ours = Partner {
        secret: second,
        ..ours
    };
    let theirs = add_partner(&world, &settings()).await;
    let paused = add_partner(&world, &settings()).await;
    let path = format!("/v1/partners/{}", paused.id);
    let mut stopped = settings();
    stopped["state"] = json!("paused");
    let tag = ada.get(&path).await.etag();
    ada.put(&path, &tag, &stopped).await.expect(200);

    // Two that hold: what follows is replayed from the first, and forged from what was never sent.
    let first = Genuine::sign(&world, &ours, "order-1", "rosa");
    let unsent = Genuine::sign(&world, &ours, "order-2", "tomas");
    let deliver = async |forgery: &Forgery| {
        let Forgery {
            partner,
            headers,
            body,
            ..
        } = forgery;
        send(&world, partner, headers, body.clone()).await
    };
    deliver(&first.as_it_is("genuine")).await.expect(202);
    world.settle().await;

    let mut forgeries = one_character_changed(&unsent);
    forgeries.extend(cut_and_grown(&unsent));
    forgeries.extend(at_other_times(&world, &unsent));
    forgeries.extend(of_odd_parts(&world, &unsent));
    forgeries.extend(by_hand(&unsent));
    forgeries.extend(written_otherwise(&unsent));
    forgeries.extend(to_another(&unsent, &[&theirs, &paused]));
    // What was accepted once, about others than it was about.
    forgeries.extend(one_character_changed(&first));
    forgeries.extend(cut_and_grown(&first));
    forgeries.extend(to_another(&first, &[&theirs, &paused]));
    forgeries.push(unsent.signed_by("with a revoked key", &revoked));
    forgeries.push(unsent.signed_by("with another partner's key", &theirs.secret));
    let paused = Genuine::sign(&world, &paused, "order-3", "tomas");
    forgeries.push(paused.as_it_is("of a paused partner"));
    let id = ours.id.parse().unwrap();
    forgeries.extend((3..40).map(|number| {
        let never_given = world.context().key.partner_secret(id, number);
        unsent.signed_by(format!("with key {number}, never given out"), &never_given)
    }));
    // The partner's own id for another signup: signed rightly, and taken for a replay all the same.
    forgeries.extend((0..30).map(|number| {
        let again = Genuine::sign(&world, &ours, "order-1", &format!("other{number}"));
        again.as_it_is(format!("the id used before, for another body ({number})"))
    }));
    assert!(forgeries.len() >= 1_000, "{}", forgeries.len());

    let mails = world.mails();
    let without = send(&world, &ours.id, &[], Vec::new()).await;
    let without = without.expect_problem(401, "signature-refused");
    for some in forgeries.chunks(50) {
        let answers = all_at_once(some.iter().map(&deliver)).await;
        for (forgery, answer) in some.iter().zip(answers) {
            assert_eq!(answer.whole(), without.whole(), "{}", forgery.what);
        }
    }
    // What held five minutes ago does not any more, whether it was sent then or not.
    world.advance_by(TimeDelta::seconds(300)).await;
    let still = deliver(&first.as_it_is("five minutes old")).await;
    still.expect(202);
    world.advance_by(TimeDelta::seconds(1)).await;
    for late in [first.as_it_is("sent then"), unsent.as_it_is("kept back")] {
        let answer = deliver(&late).await;
        assert_eq!(answer.whole(), without.whole(), "{}", late.what);
    }
    println!("{} forgeries and replays refused", forgeries.len() + 3);

    world.settle().await;
    assert_eq!(signups_stored(&world).await, 1);
    assert_eq!(world.mails(), mails);
    for queue in ["people", "general", "workers", "match_requests"] {
        let path = format!("/v1/tickets?queue={queue}");
        assert_eq!(all(&world, &path).await, [] as [serde_json::Value; 0]);
    }
}

#[tokio::test]
async fn a_genuine_repetition_is_answered_the_same_and_taken_in_once() {
    let world = World::start().await;
    let partner = add_partner(&world, &settings()).await;
    let send = async || sign_up(&world, &partner, "order-1", &somebody("rosa")).await;
    let first = send().await.expect(202);
    assert_eq!(first.json(), &json!({"reference": "order-1"}));
    // Signed anew, as a server does that tries again a little later, or much later.
    for wait in [0, 1, 299, 13 * 86_400] {
        world.advance_by(TimeDelta::seconds(wait)).await;
        let again = send().await.expect(202);
        assert_eq!(again.text(), first.text(), "after {wait} seconds");
        assert!(again.replayed());
    }
    // Many at once are one, too.
    let at_once = (0..32).map(|_| {
        let signup = somebody("tomas");
        let (world, partner) = (&world, &partner);
        async move {
            sign_up(world, partner, "order-2", &signup)
                .await
                .expect(202)
        }
    });
    let answers: Vec<Answer> = all_at_once(at_once).await;
    assert!(answers.iter().all(|a| a.text() == answers[0].text()));
    assert_eq!(answers.iter().filter(|a| !a.replayed()).count(), 1);
    assert_eq!(signups_stored(&world).await, 2);
}

#[tokio::test]
async fn a_partner_changes_its_keys_without_losing_a_signup() {
    let world = World::start().await;
    let old = add_partner(&world, &settings()).await;
    let ada = world.administrator();
    let (number, secret) = add_key(&world, &old.id).await;
    let new = Partner {
        secret,
        ..old.clone()
    };
    let keys = format!("/v1/partners/{}/keys", old.id);
    let third = ada.post(&keys, &json!({})).await;
    third.expect_problem(409, "partner-keys-full");
    let with = async |partner, id: &str| {
        let sent = sign_up(&world, partner, id, &somebody(id)).await;
        sent.status()
    };
    assert_eq!(with(&old, "a").await, 202);
    assert_eq!(with(&new, "b").await, 202);
    // Both signatures at once, as long as the partner does not know which one we know.
    let body = somebody("c").to_string().into_bytes();
    let sign = |secret| RequestSignature::sign(secret, "c", world.now(), &body);
    let both = format!(
        "{}, {}",
        sign(&old.secret).signature,
        sign(&new.secret).signature
    );
    let both = RequestSignature {
        signature: both,
        ..sign(&old.secret)
    };
    let both = send(&world, &old.id, &headers_of(&both), body.clone()).await;
    both.expect(202);

    let revoke = format!("{keys}/1/revocation");
    ada.post(&revoke, &json!({})).await.expect(201);
    assert_eq!(with(&old, "d").await, 401);
    assert_eq!(with(&old, "a").await, 401, "not even what it sent before");
    assert_eq!(with(&new, "d").await, 202);
    let again = ada.post(&revoke, &json!({})).await;
    again.expect_problem(409, "partner-key-not-live");
    let (third, _) = add_key(&world, &old.id).await;
    assert_eq!(third, number + 1, "a number never comes back");
    assert_eq!(signups_stored(&world).await, 4);
}

#[tokio::test]
async fn the_hourly_quota_counts_what_was_taken_in() {
    let world = World::start().await;
    let mut few = settings();
    few["hourly_quota"] = json!(3);
    let partner = add_partner(&world, &few).await;
    let other = add_partner(&world, &few).await;
    let with = async |id: &str| sign_up(&world, &partner, id, &somebody(id)).await;
    for id in ["a", "b", "c"] {
        with(id).await.expect(202);
        with(id).await.expect(202);
        let faulty = sign_up(&world, &partner, &format!("{id}-faulty"), &json!({})).await;
        faulty.expect(422);
    }
    let refused = with("d").await.expect_problem(429, "too-many-requests");
    assert_eq!(refused.header("retry-after"), Some("3600"));
    with("a").await.expect(202);
    let others = sign_up(&world, &other, "d", &somebody("d")).await;
    others.expect(202);
    world.advance(1).await;
    with("d").await.expect(202);
    assert_eq!(signups_stored(&world).await, 5);
}
