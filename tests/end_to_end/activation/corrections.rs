//! What staff put right about people, and what is left of it in the audit.

use rapport_tests::signups::{all, somebody};
use serde_json::{Value, json};

use super::{Newcomer, Town};
use crate::all_at_once;

#[tokio::test]
async fn old_logins_are_refused_after_a_rebinding() {
    let town = Town::settle().await;
    let rosa = town.sign_up("1", &somebody("rosa")).await;
    town.activate("lost", &rosa.token).await.expect(201);
    let rebind = json!({
        "reason": "Lost her phone.", "identity_check": {"method": "video", "reference": "Passport seen"}
    });
    let rebound = town
        .correct(&rosa.person, "login-rebindings", &rebind)
        .await;
    assert_eq!(rebound.expect(201)["logins"], json!([]));
    assert_eq!(town.opened_by("lost").await, None);
    town.world.settle().await;
    let token = town.world.link_token("rosa@people.example");
    let old = town.activate("lost", &rosa.token).await;
    old.expect_problem(409, "link-superseded");
    town.activate("found", &token).await.expect(201);
    assert_eq!(town.opened_by("found").await, Some(rosa.person.clone()));
    assert_eq!(town.opened_by("lost").await, None);
    // Nobody does it for themselves.
    let own = town.world.administrator().get("/v1/me").await.string("id");
    let own = town.correct(&own, "login-rebindings", &rebind).await;
    own.expect(403);
}

/// Two records of one person: logins and roles move, and go back.
#[tokio::test]
async fn logins_follow_a_merge_and_return_with_its_undoing() {
    let town = Town::settle().await;
    let first = town.sign_up("1", &somebody("rosa")).await;
    let twin = town.sign_up("2", &somebody("rosa")).await;
    let late = town.sign_up("3", &somebody("rosa")).await;
    assert_ne!(first.person, twin.person, "a likeness alone joins nobody");
    town.activate("one", &first.token).await.expect(201);
    town.activate("two", &twin.token).await.expect(201);
    let clients_of = async |subject: &str| {
        let me = town.world.as_(subject).get("/v1/me").await.expect(200);
        me["roles"]["clients"].as_array().unwrap().len()
    };

    let merge = json!({"into": first.person, "reason": "Signed up twice."});
    let into_first = async |person: &str| town.correct(person, "merges", &merge).await;
    into_first(&twin.person).await.expect(201);
    into_first(&late.person).await.expect(201);
    for login in ["one", "two"] {
        assert_eq!(town.opened_by(login).await, Some(first.person.clone()));
        assert_eq!(clients_of(login).await, 3);
    }
    // A link that was still in the mail binds nobody to a record that points elsewhere.
    let pointer = town.activate("three", &late.token).await;
    pointer.expect_problem(409, "link-superseded");
    let reason = json!({"reason": "Asked for it."});
    let resent = town
        .correct(&late.person, "activation-links", &reason)
        .await;
    resent.expect_problem(409, "person-merged");

    let apart = json!({"reason": "Twins: two people after all."});
    let unmerge = async |person: &str| town.correct(person, "unmerges", &apart).await;
    unmerge(&twin.person).await.expect(201);
    assert_eq!(town.opened_by("one").await, Some(first.person.clone()));
    assert_eq!(town.opened_by("two").await, Some(twin.person.clone()));
    let (one, two) = (town.world.as_("one"), town.world.as_("two"));
    for (caller, own, other) in [(one, &first, &twin), (two, &twin, &first)] {
        let path = |of: &Newcomer| format!("/v1/clients/{}", of.client);
        caller.get(&path(own)).await.expect(200);
        caller.get(&path(other)).await.expect(404);
    }
    unmerge(&twin.person)
        .await
        .expect_problem(409, "person-not-merged");
    // The link from before the merge stays dead; a new one works.
    unmerge(&late.person).await.expect(201);
    let dead = town.activate("three", &late.token).await;
    dead.expect_problem(409, "link-superseded");
    let token = town.resend(&late.person, "rosa@people.example").await;
    town.activate("three", &token).await.expect(201);
    assert_eq!(town.opened_by("three").await, Some(late.person.clone()));
}

#[tokio::test]
async fn a_merge_happens_once_however_often_and_from_wherever_it_is_asked_for() {
    let town = Town::settle().await;
    let ada = town.world.administrator();
    for round in 0..4 {
        let one = town.sign_up(&format!("{round}-1"), &somebody("rosa")).await;
        let other = town.sign_up(&format!("{round}-2"), &somebody("rosa")).await;
        let merge = async |from: &str, into: &str, key: String| {
            let body = json!({"into": into, "reason": "Signed up twice."});
            let path = format!("/v1/people/{from}/merges");
            ada.post_with_key(&path, &key, &body).await
        };
        // Into each other, at the same time.
        let (a, b) = (&one.person, &other.person);
        let both = [(a, b, "ab"), (b, a, "ba")];
        let both = both.map(|(from, into, key)| merge(from, into, format!("{key}-{round}")));
        let answers = all_at_once(both).await;
        let merged = answers.iter().filter(|answer| answer.status() == 201);
        assert_eq!(merged.count(), 1);
        let refused = answers.iter().find(|answer| answer.status() != 201);
        assert_eq!(refused.unwrap().status(), 409);

        let ab_won = answers[0].status() == 201;
        let (from, into, key) = if ab_won { (a, b, "ab") } else { (b, a, "ba") };
        let again = merge(from, into, format!("{key}-{round}"))
            .await
            .expect(201);
        assert!(again.replayed());
        assert_eq!(again["merged_into"], **into);
        let anew = merge(from, into, format!("anew-{round}")).await;
        anew.expect_problem(409, "person-merged");
        let merges = ada.get(&format!("/v1/people/{into}/merges")).await;
        assert_eq!(merges.expect(200)["items"].as_array().unwrap().len(), 1);
        let audited = all(&town.world, &format!("/v1/audit/person/{from}")).await;
        let audited = audited
            .iter()
            .filter(|one| one["operation"] == "merge_person");
        assert_eq!(audited.count(), 1);
    }
}

/// Who did what to somebody's record, and why; never what stood in it.
#[tokio::test]
async fn every_correction_is_audited_with_its_reason() {
    let town = Town::settle().await;
    let rosa = town.sign_up("1", &somebody("rosa")).await;
    let twin = town.sign_up("2", &somebody("rosa")).await;
    let ada = town.world.administrator();
    town.resend(&rosa.person, "rosa@people.example").await;
    let path = format!("/v1/people/{}", rosa.person);
    let tag = ada.get(&path).await.etag();
    let corrected = json!({
        "contact": {"email": "rosa.right@people.example", "phone": null}, "address": "3 Hill Street",
        "reason": "Read out on the phone."
    });
    let contact = format!("{path}/contact");
    town.later().await;
    ada.put(&contact, &tag, &corrected).await.expect(200);
    ada.put(&contact, &tag, &corrected).await.expect(412);
    town.world.settle().await;
    let token = town.world.link_token("rosa.right@people.example");
    town.activate("rosa", &token).await.expect(201);
    let rebind = json!({
        "reason": "Lost her phone.", "identity_check": {"method": "call_back", "reference": "Known number"}
    });
    town.correct(&rosa.person, "login-rebindings", &rebind)
        .await
        .expect(201);
    let merge = json!({"into": twin.person, "reason": "Signed up twice."});
    town.correct(&rosa.person, "merges", &merge)
        .await
        .expect(201);
    let apart = json!({"reason": "Two people."});
    town.correct(&rosa.person, "unmerges", &apart)
        .await
        .expect(201);

    let audit = all(&town.world, &format!("/v1/audit/person/{}", rosa.person)).await;
    let me = ada.get("/v1/me").await.string("id");
    let by_staff: Vec<(&str, &str)> = audit
        .iter()
        .filter(|one| one["actor"]["by"] == me)
        .map(|one| {
            (
                one["operation"].as_str().unwrap(),
                one["reason"].as_str().unwrap(),
            )
        })
        .collect();
    let rebound = "Lost her phone.\nIdentity checked by calling back: Known number";
    let expected = [
        ("unmerge_person", "Two people."),
        ("merge_person", "Signed up twice."),
        ("rebind_login", rebound),
        ("correct_contact", "Read out on the phone."),
        ("resend_activation_link", "The first mail was deleted."),
    ];
    assert_eq!(by_staff, expected);
    let activated = audit
        .iter()
        .find(|one| one["operation"] == "activate_account");
    assert_eq!(activated.unwrap()["actor"]["by"], *rosa.person);
    let whole = Value::Array(audit).to_string();
    for value in ["rosa.right", "Hill Street", "people.example"] {
        assert!(!whole.contains(value), "{value}");
    }
    // Without a reason nothing is corrected.
    for nothing in ["", " \n"] {
        let reason = json!({"reason": nothing});
        let refused = town
            .correct(&rosa.person, "activation-links", &reason)
            .await;
        assert_eq!(refused.expect(422).pointers(), ["/reason"]);
    }
    town.world
        .as_("rosa")
        .get(&format!("/v1/audit/person/{}", rosa.person))
        .await
        .expect(403);
}
