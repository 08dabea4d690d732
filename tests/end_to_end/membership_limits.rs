//! What bounds a match request: the plan, the duty of staff, and who is told.

use domain::access::StaffRole;
use domain::id::ClientId;
use domain::person::Person;
use rapport_tests::people::{modest_request, settle_client, settle_representative, settle_staff};
use rapport_tests::world::World;
use serde_json::{Value, json};
use store::{Actor, Commit, Key};

const NOBODY: &str = "wrk_0190b2f06bd47c5a9a3e5b7f21d4c8aa";

async fn plan(world: &World, name: &str, open: u16) -> String {
    let terms = json!({
        "name": name, "description": "", "entitlements": ["match_requests"],
        "open_match_requests": open, "fees": {"monthly": 1900, "service_basis_points": 250}
    });
    let administrator = world.administrator();
    let made = administrator.post("/v1/membership-plans", &terms).await;
    made.expect(201).string("id")
}

async fn assign(world: &World, client: ClientId, plan: &str) {
    let path = format!("/v1/clients/{client}");
    let administrator = world.administrator();
    let shown = administrator.get(&path).await.expect(200);
    let assigned = json!({"plan": plan, "reason": "Chosen."});
    administrator
        .put(&format!("{path}/membership"), &shown.etag(), &assigned)
        .await
        .expect(200);
}

#[tokio::test]
async fn a_plan_limits_what_is_open_and_a_withdrawal_makes_room() {
    let world = World::start().await;
    let (client, _) = settle_client(world.context(), "ana").await;
    let (small, large) = (
        plan(&world, "One", 1).await,
        plan(&world, "Several", 3).await,
    );
    assign(&world, client, &small).await;
    let ana = world.as_("ana");
    let path = format!("/v1/clients/{client}/match-requests");
    let submit = async || ana.post(&path, &modest_request()).await;
    let first = submit().await.expect(201);

    let refused = submit().await.expect(409);
    assert_eq!(refused["type"], "/problems/open-match-requests-limit");
    assert_eq!(refused["limit"], 1);
    let named = |plans: &Value| -> Vec<String> {
        let plans = plans.as_array().unwrap().iter();
        plans
            .map(|plan| plan["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(named(&refused["plans"]), *std::slice::from_ref(&large));

    let withdrawal = format!("/v1/match-requests/{}/withdrawal", first.string("id"));
    ana.post(&withdrawal, &json!({})).await.expect(201);
    submit().await.expect(201);
    assign(&world, client, &large).await;
    submit().await.expect(201);
    submit().await.expect(201);
    // A downgrade leaves what is open standing, and lets nothing new begin.
    assign(&world, client, &small).await;
    submit().await.expect(409);
    let listed = ana.get(&path).await.expect(200);
    let open = |request: &&Value| request["state"] == "submitted";
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.iter().filter(open).count(), 3);
}

#[tokio::test]
async fn of_many_submitted_at_once_no_more_stand_than_the_plan_allows() {
    let world = World::start().await;
    let (client, _) = settle_client(world.context(), "ana").await;
    assign(&world, client, &plan(&world, "Two", 2).await).await;
    let ana = world.as_("ana");
    let path = format!("/v1/clients/{client}/match-requests");
    let request = modest_request();
    let submit = || ana.post(&path, &request);
    let (a, b, c, d) = tokio::join!(submit(), submit(), submit(), submit());
    let mut statuses = [a, b, c, d].map(|answer| answer.status());
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 201, 409, 409]);
}

#[tokio::test]
async fn staff_decide_on_no_request_of_their_own_or_of_whom_they_represent() {
    let world = World::start().await;
    let (client, person) = settle_client(world.context(), "ana").await;
    settle_representative(world.context(), "daughter", client, |_| {}).await;
    settle_staff(world.context(), "coordinator", StaffRole::Coordinator).await;
    assign(&world, client, &plan(&world, "One", 1).await).await;
    let path = format!("/v1/clients/{client}/match-requests");
    let submitted = world.as_("ana").post(&path, &modest_request()).await;
    let request = format!("/v1/match-requests/{}", submitted.expect(201).string("id"));

    let daughter = world.as_("daughter").get("/v1/me").await.expect(200);
    for staff in [person.to_string(), daughter.string("id")] {
        let role = json!({"person": staff, "role": "coordinator", "reason": "Joined."});
        let appointed = world.administrator().post("/v1/staff", &role).await;
        appointed.expect(201);
    }
    let preview = format!("{request}/candidate-preview");
    let decision = json!({"worker": NOBODY, "reason": "Met before."});
    for (subject, refused) in [("ana", true), ("daughter", true), ("coordinator", false)] {
        let staff = world.as_(subject);
        let seen = staff.get(&preview).await;
        seen.expect(if refused { 403 } else { 200 });
        for act in ["exclusions", "pins"] {
            let decided = staff.post(&format!("{request}/{act}"), &decision).await;
            decided.expect(if refused { 403 } else { 422 });
        }
    }
}

#[tokio::test]
async fn one_letter_goes_to_a_mailbox_that_two_people_share() {
    let world = World::start().await;
    let context = world.context();
    let (client, person) = settle_client(context, "ana").await;
    settle_representative(context, "daughter", client, |_| {}).await;
    let was = context.store.get::<Person>(&Key::person(person)).await;
    let was = was.unwrap().unwrap();
    let mut next = was.value.clone();
    next.logins.clear();
    next.contact.email = "daughter@people.example".to_owned();
    let audit = context.audit(Actor::Service, "settle", &Key::person(person));
    let commit = Commit::new(audit).replace(&was, &next);
    context.store.commit(commit).await.unwrap();

    assign(&world, client, &plan(&world, "One", 1).await).await;
    world.settle().await;
    let mails = world.mails();
    let shared: Vec<_> = mails
        .iter()
        .filter(|mail| mail.is_to("daughter@people.example"))
        .collect();
    let [mail] = shared.as_slice() else {
        panic!("{shared:?}");
    };
    let daughter = world.as_("daughter").get("/v1/me").await.expect(200);
    assert!(mail.message_id.ends_with(&daughter.string("id")));
}

#[tokio::test]
async fn a_login_that_the_first_administrator_lost_makes_nobody_an_administrator() {
    let world = World::start().await;
    let first = world.administrator().get("/v1/me").await.expect(200);
    settle_staff(world.context(), "second", StaffRole::Administrator).await;
    let rebinding = json!({
        "reason": "Lost the telephone.",
        "identity_check": {"method": "in_person", "reference": "Passport"}
    });
    let path = format!("/v1/people/{}/login-rebindings", first.string("id"));
    let second = world.as_("second");
    second.post(&path, &rebinding).await.expect(201);
    let refused = world.administrator().get("/v1/me").await.expect(403);
    assert_eq!(refused["type"], "/problems/login-not-bound");
}
