//! From a signup to an account that is somebody's: links, logins, authorities, and what staff put right.

mod corrections;

use std::collections::BTreeSet;

use chrono::TimeDelta;
use rapport_tests::answer::Answer;
use rapport_tests::signups::{Partner, add_partner, all, represented, settings, sign_up, somebody};
use rapport_tests::world::World;
use serde_json::{Value, json};

use crate::all_at_once;

/// A world with a partner that sends signups.
struct Town {
    world: World,
    partner: Partner,
}

/// Somebody who has signed up, or was signed up.
struct Newcomer {
    client: String,
    person: String,
    /// Who is to activate the account, if not the client.
    representative: Option<String>,
    /// Of the link that was mailed.
    token: String,
}

impl Town {
    async fn settle() -> Self {
        let world = World::start().await;
        let partner = add_partner(&world, &settings()).await;
        Self { world, partner }
    }

    /// A moment later: what happens then is newer than what happened before.
    async fn later(&self) {
        self.world.advance_by(TimeDelta::seconds(1)).await;
    }

    async fn sign_up(&self, id: &str, signup: &Value) -> Newcomer {
        self.later().await;
        let sent = sign_up(&self.world, &self.partner, id, signup).await;
        sent.expect(202);
        self.world.settle().await;
        let latest = self.world.administrator().get("/v1/signups").await;
        let latest = latest.expect(200)["items"][0].clone();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let mail = signup.get("representative_email").or(signup.get("email"));
        Newcomer {
            client: text(&latest["client"]).unwrap(),
            person: text(&latest["client_person"]).unwrap(),
            representative: text(&latest["representative"]["by"]),
            token: self.world.link_token(mail.unwrap().as_str().unwrap()),
        }
    }

    async fn activate(&self, subject: &str, token: &str) -> Answer {
        let link = json!({"token": token});
        self.world.as_(subject).post("/v1/activations", &link).await
    }

    /// What staff do about a person.
    async fn correct(&self, person: &str, what: &str, body: &Value) -> Answer {
        self.later().await;
        let path = format!("/v1/people/{person}/{what}");
        self.world.administrator().post(&path, body).await
    }

    async fn resend(&self, person: &str, address: &str) -> String {
        let reason = json!({"reason": "The first mail was deleted."});
        let sent = self.correct(person, "activation-links", &reason).await;
        sent.expect(201);
        self.world.settle().await;
        self.world.link_token(address)
    }

    /// Whose account a login opens.
    async fn opened_by(&self, subject: &str) -> Option<String> {
        let me = self.world.as_(subject).get("/v1/me").await;
        match me.status() {
            200 => Some(me.string("id")),
            _ => {
                me.expect_problem(403, "login-not-bound");
                None
            }
        }
    }

    async fn verify(&self, of: &Newcomer, from: &str, until: Option<&str>) -> Answer {
        let found = json!({
            "guardian": false, "scopes": ["details", "match_requests"], "from": from, "until": until,
            "evidence": "Signed form 114", "reason": "Rosa asked for it herself."
        });
        let representative = of.representative.as_ref().unwrap();
        let path = format!("/v1/clients/{}/authorities/{representative}", of.client);
        let path = format!("{path}/verification");
        self.world.administrator().post(&path, &found).await
    }
}

#[tokio::test]
async fn a_link_works_once_whoever_comes_at_the_same_time() {
    let town = Town::settle().await;
    let rosa = town.sign_up("1", &somebody("rosa")).await;
    let subjects: Vec<String> = (0..16).map(|number| format!("login-{number}")).collect();
    let races = subjects.iter().map(|one| town.activate(one, &rosa.token));
    let mut winner = None;
    for (subject, answer) in subjects.iter().zip(all_at_once(races).await) {
        if answer.status() == 201 {
            assert_eq!(winner.replace(subject), None, "two logins were bound");
        } else {
            answer.expect_problem(409, "link-used");
        }
    }
    let winner = winner.expect("somebody wins");
    for subject in &subjects {
        let opened = town.opened_by(subject).await;
        assert_eq!(opened, (subject == winner).then(|| rosa.person.clone()));
    }
    let again = town.activate(winner, &rosa.token).await;
    again.expect_problem(409, "link-used");
    let signups = all(&town.world, "/v1/signups").await;
    assert_eq!(signups[0]["state"], "activated");
    // They are told once.
    town.world.settle().await;
    let mails = town.world.mails();
    let told = mails.iter().filter(|m| m.raw.contains("account is ready"));
    assert_eq!(told.count(), 1);
}

#[tokio::test]
async fn a_login_opens_one_account_even_with_two_links_at_once() {
    let town = Town::settle().await;
    let one = town.sign_up("1", &somebody("rosa")).await;
    let other = town.sign_up("2", &somebody("tomas")).await;
    let both = [&one.token, &other.token];
    let answers = all_at_once(both.map(|token| town.activate("login", token))).await;
    let mut statuses: Vec<u16> = answers.iter().map(Answer::status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    for answer in answers {
        if answer.status() == 409 {
            answer.expect_problem(409, "login-bound");
        }
    }
    // The link that lost is still good for another login.
    let opened = town.opened_by("login").await.unwrap();
    let left = if opened == one.person { &other } else { &one };
    town.activate("another", &left.token).await.expect(201);
    // The answer that got lost can be asked for again.
    let third = town.sign_up("3", &somebody("mina")).await;
    let link = json!({"token": third.token});
    let mina = town.world.as_("mina");
    let first = mina.post_with_key("/v1/activations", "key", &link).await;
    let again = mina.post_with_key("/v1/activations", "key", &link).await;
    assert_eq!(first.expect(201).text(), again.text());
    assert!(again.replayed());
}

#[tokio::test]
async fn a_link_lasts_fourteen_days_and_until_the_next_one() {
    let town = Town::settle().await;
    // A second apart, each.
    let late = town.sign_up("1", &somebody("rosa")).await;
    let just = town.sign_up("2", &somebody("tomas")).await;
    let replaced = town.sign_up("3", &somebody("mina")).await;
    let wait = TimeDelta::days(14) - TimeDelta::seconds(2);
    town.world.advance_by(wait).await;
    town.activate("tomas", &just.token).await.expect(201);
    let refused = town.activate("rosa", &late.token).await;
    refused.expect_problem(409, "link-expired");

    let second = town.resend(&replaced.person, "mina@people.example").await;
    let third = town.resend(&replaced.person, "mina@people.example").await;
    assert_eq!(BTreeSet::from([&replaced.token, &second, &third]).len(), 3);
    for old in [&replaced.token, &second] {
        let refused = town.activate("mina", old).await;
        refused.expect_problem(409, "link-superseded");
    }
    town.activate("mina", &third).await.expect(201);
    for old in [&replaced.token, &second] {
        let refused = town.activate("other", old).await;
        refused.expect_problem(409, "link-superseded");
    }
    let reason = json!({"reason": "Asked for it."});
    let bound = town
        .correct(&replaced.person, "activation-links", &reason)
        .await;
    bound.expect_problem(409, "account-activated");
    assert_eq!(town.opened_by("rosa").await, None);
}

#[tokio::test]
async fn no_forged_link_is_told_from_another() {
    let town = Town::settle().await;
    let rosa = town.sign_up("1", &somebody("rosa")).await;
    let tomas = town.sign_up("2", &somebody("tomas")).await;
    let parts: Vec<&str> = rosa.token.split('.').collect();
    let [person, generation, mac] = parts[..] else {
        panic!("a link token has three parts");
    };
    let mut forged: Vec<String> = (0..rosa.token.len())
        .map(|place| {
            let mut changed = rosa.token.clone().into_bytes();
            changed[place] = if changed[place] == b'1' { b'2' } else { b'1' };
            String::from_utf8(changed).unwrap()
        })
        .collect();
    forged.extend([
        "x".to_owned(),
        "..".to_owned(),
        format!("{person}.2.{mac}"),
        format!("{person}.01.{mac}"),
        format!("{person}.+1.{mac}"),
        format!("{person}.{generation}."),
        format!("{}.{generation}.{mac}", tomas.person),
        format!("{}.{generation}.{mac}", rosa.client),
        format!("{} ", rosa.token),
        format!("{}=", rosa.token),
        rosa.token.to_uppercase(),
    ]);
    let mut answers = Vec::new();
    // No more at once than a host lets in.
    for some in forged.chunks(50) {
        answers.extend(all_at_once(some.iter().map(|token| town.activate("mallory", token))).await);
    }
    for (token, answer) in forged.iter().zip(&answers) {
        assert_eq!(answer.whole(), answers[0].whole(), "{token:?}");
    }
    answers[0].clone().expect_problem(422, "link-not-valid");
    assert_eq!(town.opened_by("mallory").await, None);
    town.activate("rosa", &rosa.token).await.expect(201);
}

/// A claim counts for nothing; a verified authority from its first instant, up to but not at its last.
#[tokio::test]
async fn an_authority_counts_once_verified_and_between_its_dates() {
    let town = Town::settle().await;
    let rosa = town.sign_up("1", &represented("rosa", "elena")).await;
    town.activate("elena", &rosa.token).await.expect(201);
    let elena = town.world.as_("elena");
    let path = format!("/v1/clients/{}", rosa.client);
    let request = rapport_tests::people::modest_request();
    let may = async |holds: bool| {
        let (sees, acts) = if holds { (200, 403) } else { (404, 404) };
        elena.get(&path).await.expect(sees);
        let asked = elena
            .post(&format!("{path}/match-requests"), &request)
            .await;
        // In force, she is refused for want of a plan; otherwise she is not told that there is a client.
        let asked = asked.expect(acts);
        assert_eq!(asked.json().get("plans").is_some(), holds);
        let me = elena.get("/v1/me").await.expect(200);
        assert_eq!(me["authorities"][0]["in_force"], holds);
    };
    may(false).await;
    let day = |days| (town.world.now() + TimeDelta::days(days)).to_rfc3339();
    let (from, until) = (day(1), day(3));
    // Whoever is to be looked after by it does not verify it, nor does the one who claims it.
    let own = format!(
        "{path}/authorities/{}",
        rosa.representative.clone().unwrap()
    );
    let own = elena.post(&format!("{own}/verification"), &json!({})).await;
    assert!([404, 422].contains(&own.status()), "{}", own.text());
    town.verify(&rosa, &until, Some(&from)).await.expect(422);
    may(false).await;
    town.verify(&rosa, &from, Some(&until)).await.expect(201);
    may(false).await;
    town.world
        .advance_by(TimeDelta::days(1) - TimeDelta::seconds(1))
        .await;
    may(false).await;
    town.world.advance_by(TimeDelta::seconds(1)).await;
    may(true).await;
    town.world
        .advance_by(TimeDelta::days(2) - TimeDelta::seconds(1))
        .await;
    may(true).await;
    town.world.advance_by(TimeDelta::seconds(1)).await;
    may(false).await;
    // Verified again, with other dates.
    town.verify(&rosa, &from, None).await.expect(201);
    may(true).await;
}

/// The act after a revocation finds nothing any more, nor does the repetition of one before it.
#[tokio::test]
async fn a_revocation_is_felt_by_the_next_act() {
    let town = Town::settle().await;
    let rosa = town.sign_up("1", &represented("rosa", "elena")).await;
    town.activate("elena", &rosa.token).await.expect(201);
    let now = town.world.now().to_rfc3339();
    town.verify(&rosa, &now, None).await.expect(201);
    let ada = town.world.administrator();
    let terms = json!({
        "name": "Together", "entitlements": ["match_requests"], "open_match_requests": 3,
        "fees": {"monthly": 1900, "service_basis_points": 250}
    });
    let plan = ada.post("/v1/membership-plans", &terms).await.expect(201);
    let path = format!("/v1/clients/{}", rosa.client);
    let tag = ada.get(&path).await.etag();
    let assign = json!({"plan": plan["id"], "reason": "Chosen on the phone."});
    let membership = format!("{path}/membership");
    ada.put(&membership, &tag, &assign).await.expect(200);

    let elena = town.world.as_("elena");
    let requests = format!("{path}/match-requests");
    let details = rapport_tests::people::modest_request();
    let submitted = elena.post_with_key(&requests, "first", &details).await;
    let request = format!("/v1/match-requests/{}", submitted.expect(201).string("id"));
    town.world.settle().await;
    let heard = elena.get("/v1/inbox").await.expect(200);
    assert!(heard.text().contains("We have your match request"));

    let representative = rosa.representative.clone().unwrap();
    let revoke = format!("{path}/authorities/{representative}/revocation");
    let reason = json!({"reason": "Rosa called: she looks after it herself."});
    ada.post(&revoke, &reason).await.expect(201);
    let authorities = format!("{path}/authorities");
    let candidates = format!("{request}/candidates");
    for gone in [&path, &authorities, &requests, &request, &candidates] {
        elena.get(gone).await.expect_problem(404, "not-found");
    }
    let withdrawal = format!("{request}/withdrawal");
    for (path, key, body) in [
        (&requests, "second", &details),
        (&requests, "first", &details),
        (&withdrawal, "third", &json!({})),
    ] {
        let refused = elena.post_with_key(path, key, body).await;
        refused.expect_problem(404, "not-found");
    }
    town.world.advance(24).await;
    let heard = elena.get("/v1/inbox").await.expect(200);
    assert!(!heard.text().contains("match request"), "{}", heard.text());
    assert!(!heard.text().contains("candidates"), "{}", heard.text());
    // For good: what is revoked is not verified again.
    let again = town.verify(&rosa, &now, None).await;
    again.expect_problem(409, "authority-revoked");
}
