//! People: how an account is opened, put right, joined with another, and given a role.

use chrono::TimeDelta;
use rapport_tests::answer::Answer;
use rapport_tests::people::settle_person;
use rapport_tests::signups::{Partner, add_partner, settings, sign_up};
use rapport_tests::world::World;
use serde_json::{Value, json};

fn signup(name: &str) -> Value {
    json!({
        "given_name": "Rosa", "family_name": name, "email": format!("{name}@people.example"),
        "birth_date": "1950-01-02"
    })
}

/// The newest link that was mailed to somebody.
fn link(world: &World, name: &str) -> String {
    let address = format!("{name}@people.example");
    let mut mails = world.mails();
    mails.retain(|mail| mail.is_to(&address) && mail.raw.contains("/activate#"));
    let mail = mails
        .pop()
        .expect("a link was mailed")
        .raw
        .replace("=\r\n", "");
    let token = mail.split("/activate#").nth(1).unwrap();
    token.split_whitespace().next().unwrap().to_owned()
}

async fn activate(world: &World, subject: &str, token: &str) -> Answer {
    let body = json!({"token": token});
    world.as_(subject).post("/v1/activations", &body).await
}

/// Somebody who has signed up and opened their account; their person's id.
async fn joined(world: &World, partner: &Partner, name: &str) -> String {
    sign_up(world, partner, name, &signup(name))
        .await
        .expect(202);
    world.settle().await;
    let activated = activate(world, name, &link(world, name)).await.expect(201);
    activated.string("person")
}

async fn correct(world: &World, person: &str, what: &str, body: Value) -> Answer {
    let path = format!("/v1/people/{person}/{what}");
    world.administrator().post(&path, &body).await
}

#[tokio::test]
async fn a_link_opens_one_account_once() {
    let world = World::start().await;
    let partner = add_partner(&world, &settings()).await;
    let person = joined(&world, &partner, "rosa").await;
    let me = world.as_("rosa").get("/v1/me").await.expect(200);
    assert_eq!(me["id"], person);
    assert_eq!(me["roles"]["clients"].as_array().unwrap().len(), 1);
    let token = link(&world, "rosa");
    activate(&world, "mallory", &token)
        .await
        .expect_problem(409, "link-used");
    world
        .as_("mallory")
        .get("/v1/me")
        .await
        .expect_problem(403, "login-not-bound");
    for forged in [
        "x",
        &token[1..],
        &token.to_uppercase(),
        &format!("{token}a"),
    ] {
        let refused = activate(&world, "mallory", forged).await;
        refused.expect_problem(422, "link-not-valid");
    }
}

#[tokio::test]
async fn a_link_ends_after_a_fortnight_and_when_a_newer_one_is_sent() {
    let world = World::start().await;
    let partner = add_partner(&world, &settings()).await;
    sign_up(&world, &partner, "rosa", &signup("rosa"))
        .await
        .expect(202);
    world.settle().await;
    let first = link(&world, "rosa");
    world.advance_by(TimeDelta::days(14)).await;
    activate(&world, "rosa", &first)
        .await
        .expect_problem(409, "link-expired");

    let found = world
        .administrator()
        .post(
            "/v1/people/searches",
            &json!({"mail": "rosa@people.example"}),
        )
        .await
        .expect(200);
    let person = found["items"][0]["id"].as_str().unwrap().to_owned();
    let reason = json!({"reason": "She was away."});
    correct(&world, &person, "activation-links", reason.clone())
        .await
        .expect(201);
    world.settle().await;
    let second = link(&world, "rosa");
    world.advance(1).await;
    correct(&world, &person, "activation-links", reason.clone())
        .await
        .expect(201);
    activate(&world, "rosa", &second)
        .await
        .expect_problem(409, "link-superseded");
    world.settle().await;
    activate(&world, "rosa", &link(&world, "rosa"))
        .await
        .expect(201);
    let late = correct(&world, &person, "activation-links", reason).await;
    assert_eq!(late.status(), 409, "{}", late.text());
}

#[tokio::test]
async fn a_lost_login_is_replaced_after_an_identity_check() {
    let world = World::start().await;
    let partner = add_partner(&world, &settings()).await;
    let person = joined(&world, &partner, "rosa").await;
    let rebinding = json!({
        "reason": "Lost her phone.",
        "identity_check": {"method": "video", "reference": "Passport, seen today"}
    });
    world.advance(1).await;
    correct(&world, &person, "login-rebindings", rebinding)
        .await
        .expect(201);
    world
        .as_("rosa")
        .get("/v1/me")
        .await
        .expect_problem(403, "login-not-bound");
    world.settle().await;
    world.advance(1).await;
    activate(&world, "rosa-new", &link(&world, "rosa"))
        .await
        .expect(201);
    let me = world.as_("rosa-new").get("/v1/me").await.expect(200);
    assert_eq!(me["id"], person);
    world.as_("rosa").get("/v1/me").await.expect(403);

    let audit = world
        .administrator()
        .get(&format!("/v1/audit/person/{person}"))
        .await
        .expect(200);
    let operations: Vec<&str> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["operation"].as_str().unwrap())
        .collect();
    assert_eq!(
        operations,
        ["activate_account", "rebind_login", "activate_account"]
    );
    assert!(
        audit["items"][1]["reason"]
            .as_str()
            .unwrap()
            .starts_with("Lost her phone.")
    );
    assert!(
        !audit.text().contains("rosa@people.example"),
        "values are not audited"
    );
}

#[tokio::test]
async fn merged_people_are_one_until_they_are_parted() {
    let world = World::start().await;
    let partner = add_partner(&world, &settings()).await;
    let (first, second) = (
        joined(&world, &partner, "rosa").await,
        joined(&world, &partner, "rose").await,
    );
    let merge = json!({"into": first, "reason": "Signed up twice."});
    correct(&world, &second, "merges", merge.clone())
        .await
        .expect(201);
    for login in ["rosa", "rose"] {
        let me = world.as_(login).get("/v1/me").await.expect(200);
        assert_eq!(me["id"], first, "{login}");
        assert_eq!(me["roles"]["clients"].as_array().unwrap().len(), 2);
    }
    let again = correct(&world, &second, "merges", merge).await;
    assert_eq!(again.status(), 409, "{}", again.text());
    let part = json!({"reason": "Twins after all."});
    correct(&world, &second, "unmerges", part).await.expect(201);
    for (login, person) in [("rosa", &first), ("rose", &second)] {
        let me = world.as_(login).get("/v1/me").await.expect(200);
        assert_eq!(me["id"], **person, "{login}");
        assert_eq!(me["roles"]["clients"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_staff_role_counts_from_the_appointment_to_the_dismissal() {
    let world = World::start().await;
    let person = settle_person(world.context(), "cora", Default::default()).await;
    let cora = world.as_("cora");
    let ada = world.administrator();
    cora.get("/v1/tickets?queue=general").await.expect(404);
    let role = json!({"person": person.to_string(), "role": "coordinator", "reason": "Joined us."});
    ada.post("/v1/staff", &role).await.expect(201);
    cora.get("/v1/tickets?queue=general").await.expect(200);
    cora.get("/v1/staff").await.expect(403);
    let dismissal = json!({"role": "coordinator", "reason": "Left us."});
    ada.post(&format!("/v1/staff/{person}/dismissals"), &dismissal)
        .await
        .expect(201);
    cora.get("/v1/tickets?queue=general").await.expect(404);
}
