//! Files of clients and support workers: looked through, taken in, sent again, and corrected.

mod repetition;

use std::collections::BTreeSet;

use rapport_tests::answer::Answer;
use rapport_tests::people::{complete_profile, settle_representative};
use rapport_tests::signups::all;
use rapport_tests::world::World;
use reqwest::Method;
use serde_json::{Value, json};

const CLIENTS: &str = "/v1/imports/clients";
const WORKERS: &str = "/v1/imports/support-workers";
const CLIENT_COLUMNS: &str =
    "reference,given_name,family_name,email,phone,birth_date,address,membership_plan";
const SAMPLE_CLIENTS: &str = include_str!("../../samples/import-clients.csv");
const SAMPLE_WORKERS: &str = include_str!("../../samples/import-support-workers.csv");

fn clients(rows: &[&str]) -> String {
    let rows = std::iter::once(&CLIENT_COLUMNS).chain(rows);
    rows.map(|row| format!("{row}\r\n")).collect()
}

const ANNE: &str =
    "C-1,Anne,Dubois,anne@people.example,07 5550 1001,1941-05-30,\"4 Elm Court, Northside\",";
const BEN: &str = "C-2,Ben,Carter,ben@people.example,,,,";
const CLEO: &str = "C-3,Cleo,Maris,cleo@people.example,,,,";

/// Rows, created, updated, unchanged, failed.
#[track_caller]
fn counts(answer: &Answer) -> [u64; 5] {
    let count = |name: &str| answer[name].as_u64().unwrap();
    ["rows", "created", "updated", "unchanged", "failed"].map(count)
}

/// Where the faults are.
fn faults(answer: &Answer) -> Vec<(u64, &str)> {
    let errors = answer["errors"].as_array().unwrap().iter();
    errors
        .map(|error| {
            let column = error["column"].as_str().unwrap_or("-");
            (error["row"].as_u64().unwrap(), column)
        })
        .collect()
}

/// Everybody with a mail address.
async fn people(world: &World, mail: &str) -> Vec<Value> {
    let ada = world.administrator();
    let found = ada
        .post("/v1/people/searches", &json!({"mail": mail}))
        .await;
    found.expect(200)["items"].as_array().unwrap().clone()
}

async fn the_person(world: &World, mail: &str) -> Value {
    let found = people(world, mail).await;
    assert_eq!(found.len(), 1, "{mail}: {found:?}");
    found.into_iter().next().unwrap()
}

/// Uses the newest link that was mailed to an address.
async fn activate(world: &World, subject: &str, mail: &str) {
    world.settle().await;
    let token = json!({"token": world.link_token(mail)});
    let activated = world.as_(subject).post("/v1/activations", &token).await;
    activated.expect(201);
}

async fn duplicates(world: &World) -> Vec<Value> {
    let tickets = all(world, "/v1/tickets?queue=people").await;
    let causes = tickets.into_iter();
    causes
        .filter(|ticket| ticket["cause"] == "possible_duplicate")
        .collect()
}

async fn offer_plan(world: &World, name: &str) -> String {
    let terms = json!({
        "name": name, "entitlements": ["match_requests"], "open_match_requests": 1,
        "fees": {"monthly": 1900, "service_basis_points": 250}
    });
    let made = world
        .administrator()
        .post("/v1/membership-plans", &terms)
        .await;
    made.expect(201).string("id")
}

fn mails_to(world: &World, mail: &str) -> usize {
    world.mails().iter().filter(|sent| sent.is_to(mail)).count()
}

#[tokio::test]
async fn a_dry_run_answers_the_same_and_writes_nothing() {
    let world = World::start().await;
    let ada = world.administrator();
    ada.get("/v1/me").await.expect(200);
    let file = clients(&[
        ANNE,
        "C-2,,Carter,ben,,,,",
        BEN.replace("C-2", "C-4").as_str(),
    ]);
    let dry = format!("{CLIENTS}?dry_run=true");
    let looked = ada.post_csv_with_key(&dry, "one", &file).await.expect(200);
    assert_eq!(counts(&looked), [3, 2, 0, 0, 1]);
    assert_eq!(faults(&looked), [(3, "given_name"), (3, "email")]);
    assert_eq!(
        (&looked["id"], &looked["dry_run"]),
        (&json!(null), &json!(true))
    );
    world.settle().await;
    assert!(world.mails().is_empty());
    assert!(people(&world, "anne@people.example").await.is_empty());
    assert!(all(&world, "/v1/imports").await.is_empty());

    // Nothing was done with the key either.
    let done = ada
        .post_csv_with_key(CLIENTS, "one", &file)
        .await
        .expect(201);
    assert!(!done.replayed());
    assert_eq!(counts(&done), counts(&looked));
    assert_eq!(done["errors"], looked["errors"]);
    // Now that everything stands, a dry run sees that it does, whatever key it comes with.
    let looked = ada.post_csv_with_key(&dry, "one", &file).await.expect(200);
    assert_eq!(counts(&looked), [3, 0, 0, 2, 1]);
    let changed = file.replace("Dubois", "Duval");
    let looked = ada.post_csv(&dry, &changed).await.expect(200);
    assert_eq!(counts(&looked), [3, 0, 1, 1, 1]);
    let anne = the_person(&world, "anne@people.example").await;
    assert_eq!(anne["name"]["family"], "Dubois");
    assert_eq!(all(&world, "/v1/imports").await.len(), 1);
}

#[tokio::test]
async fn rows_come_in_one_by_one_and_the_bad_ones_say_what_is_wrong() {
    let world = World::start().await;
    let plan = offer_plan(&world, "Together").await;
    let ada = world.administrator();
    let file = clients(&[
        &format!("{ANNE}Together"),
        "C-2,Ben,Carter,nowhere,telephone,1st of May,,Apart",
        "",
        "C-5,Dora,Lund,dora@people.example,,,,",
        "C-5,Dora,Lund,dora@people.example,,,,",
        "C-6,Ed,Lund",
        CLEO,
    ]);
    let done = ada
        .post_csv(CLIENTS, &format!("\u{feff}{file}"))
        .await
        .expect(201);
    assert_eq!(counts(&done), [6, 2, 0, 0, 4]);
    let named = [
        (3, "email"),
        (3, "phone"),
        (3, "birth_date"),
        (5, "reference"),
        (6, "reference"),
        (7, "-"),
    ];
    assert_eq!(faults(&done), named);
    assert!(!done.text().contains("nowhere"), "{}", done.text());
    assert_eq!(
        (&done["state"], &done["more_errors"]),
        (&json!("incomplete"), &json!(0))
    );

    let anne = the_person(&world, "anne@people.example").await;
    assert_eq!(anne["address"], "4 Elm Court, Northside");
    assert_eq!(
        (&anne["birth_date"], &anne["activation"]["state"]),
        (&json!("1941-05-30"), &json!("sent"))
    );
    let client = anne["roles"]["clients"][0].as_str().unwrap();
    let shown = ada.get(&format!("/v1/clients/{client}")).await.expect(200);
    assert_eq!(shown["membership"]["plan"], plan);
    let audit = ada
        .get(&format!("/v1/audit/client/{client}"))
        .await
        .expect(200);
    assert_eq!(audit["items"][0]["operation"], "import_client");
    activate(&world, "anne", "anne@people.example").await;
    let own = world
        .as_("anne")
        .get(&format!("/v1/clients/{client}"))
        .await;
    own.expect(200);

    // What is shown later is what was answered, and only staff who may import see it.
    let path = format!("/v1/imports/{}", done.string("id"));
    assert_eq!(ada.get(&path).await.expect(200).json(), done.json());
    world.as_("anne").get(&path).await.expect(404);
    let audit = ada
        .get(&format!("/v1/audit/import/{}", done.string("id")))
        .await;
    assert_eq!(audit.expect(200)["items"][0]["operation"], "import_clients");

    // The plan is looked at where everything else is right.
    let file = clients(&["C-2,Ben,Carter,ben@people.example,,,,Apart"]);
    let done = ada.post_csv(CLIENTS, &file).await.expect(201);
    assert_eq!(faults(&done), [(2, "membership_plan")]);
    offer_plan(&world, "Apart").await;
    offer_plan(&world, "Apart").await;
    let done = ada.post_csv(CLIENTS, &file).await.expect(201);
    assert_eq!(faults(&done), [(2, "membership_plan")]);
}

#[tokio::test]
async fn a_file_sent_again_changes_nothing_and_a_corrected_row_itself_alone() {
    let world = World::start().await;
    let ada = world.administrator();
    let file = clients(&[ANNE, BEN, CLEO]);
    let first = ada
        .post_csv_with_key(CLIENTS, "one", &file)
        .await
        .expect(201);
    assert_eq!(counts(&first), [3, 3, 0, 0, 0]);
    assert_eq!(first["state"], "complete");
    let again = ada
        .post_csv_with_key(CLIENTS, "one", &file)
        .await
        .expect(201);
    assert!(again.replayed());
    assert_eq!(again.json(), first.json());
    let other = ada
        .post_csv_with_key(CLIENTS, "one", &clients(&[ANNE]))
        .await;
    other.expect_problem(422, "key-reused");
    let elsewhere = ada.post_csv_with_key(WORKERS, "one", &file).await;
    elsewhere.expect_problem(422, "key-reused");
    world.advance(1).await;
    // In another order of columns and rows, with other line endings: the same.
    let turned = "email,reference,family_name,given_name,address,birth_date,phone\n\
        cleo@people.example,C-3,Maris,Cleo,,,\n\
        anne@people.example,C-1,Dubois,Anne,\"4 Elm Court, Northside\",1941-05-30,07 5550 1001\n";
    let second = ada.post_csv(CLIENTS, turned).await.expect(201);
    assert_eq!(counts(&second), [2, 0, 0, 2, 0]);
    world.settle().await;
    assert_eq!(world.mails().len(), 3);

    world.advance(1).await;
    let before = the_person(&world, "ben@people.example").await;
    let file = clients(&[
        ANNE,
        &BEN.replace("ben@", "benjamin@"),
        &CLEO.replace("Maris", "Marisol"),
    ]);
    let third = ada.post_csv(CLIENTS, &file).await.expect(201);
    assert_eq!(counts(&third), [3, 0, 2, 1, 0]);
    assert!(people(&world, "ben@people.example").await.is_empty());
    let ben = the_person(&world, "benjamin@people.example").await;
    assert_eq!(ben["id"], before["id"]);
    let cleo = the_person(&world, "cleo@people.example").await;
    assert_eq!(cleo["name"]["family"], "Marisol");
    // The link that went astray is worth nothing; who kept their address keeps their link.
    world.settle().await;
    let astray = json!({"token": world.link_token("ben@people.example")});
    let used = world.as_("thief").post("/v1/activations", &astray).await;
    used.expect_problem(409, "link-superseded");
    activate(&world, "ben", "benjamin@people.example").await;
    assert_eq!(mails_to(&world, "cleo@people.example"), 1);
    assert!(duplicates(&world).await.is_empty());

    let listed = ada.get("/v1/imports?limit=2").await.expect(200);
    let ids: Vec<&Value> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| &run["id"])
        .collect();
    assert_eq!(ids, [&third["id"], &second["id"]]);
    let rest = ada.get(&listed.next_page().unwrap()).await.expect(200);
    assert_eq!(rest["items"][0]["id"], first["id"]);
    assert!(rest["items"][0]["errors"].is_null());
}

#[tokio::test]
async fn what_a_person_with_an_account_has_is_theirs() {
    let world = World::start().await;
    let ada = world.administrator();
    ada.post_csv(CLIENTS, &clients(&[ANNE, BEN, CLEO]))
        .await
        .expect(201);
    activate(&world, "anne", "anne@people.example").await;
    activate(&world, "ben", "ben@people.example").await;
    // Staff unbound Ben's login, after he lost it; it is his account all the same.
    let ben = the_person(&world, "ben@people.example").await;
    let path = format!(
        "/v1/people/{}/login-rebindings",
        ben["id"].as_str().unwrap()
    );
    let checked =
        json!({"reason": "Lost.", "identity_check": {"method": "video", "reference": "Seen."}});
    ada.post(&path, &checked).await.expect(201);
    let ben = the_person(&world, "ben@people.example").await;
    assert_eq!(ben["logins"], json!([]));
    let anne = the_person(&world, "anne@people.example").await;

    let changed = [ANNE, BEN, CLEO].map(|row| row.replace("@people", "@elsewhere"));
    let changed = changed.each_ref().map(String::as_str);
    let done = ada.post_csv(CLIENTS, &clients(&changed)).await.expect(201);
    assert_eq!(counts(&done), [3, 0, 1, 0, 2]);
    assert_eq!(faults(&done), [(2, "-"), (3, "-")]);
    let instead = format!("PUT /v1/people/{}/contact", anne["id"].as_str().unwrap());
    let detail = done["errors"][0]["detail"].as_str().unwrap();
    assert!(
        detail.contains("has an account") && detail.contains(&instead),
        "{detail}"
    );
    assert_eq!(the_person(&world, "anne@people.example").await, anne);
    assert_eq!(the_person(&world, "ben@people.example").await, ben);
    the_person(&world, "cleo@elsewhere.example").await;
    // As long as the row says what it said, there is nothing to refuse.
    let same = ada
        .post_csv(CLIENTS, &clients(&[ANNE, BEN]))
        .await
        .expect(201);
    assert_eq!(counts(&same), [2, 0, 0, 2, 0]);
}

#[tokio::test]
async fn no_row_sends_a_clients_link_to_their_representative_or_takes_a_plan_back() {
    let world = World::start().await;
    let ada = world.administrator();
    offer_plan(&world, "Together").await;
    let larger = offer_plan(&world, "Larger").await;
    let row = format!("{ANNE}Together");
    ada.post_csv(CLIENTS, &clients(&[&row])).await.expect(201);
    let anne = the_person(&world, "anne@people.example").await;
    let client = anne["roles"]["clients"][0].as_str().unwrap();
    settle_representative(world.context(), "elena", client.parse().unwrap(), |_| {}).await;
    let path = format!("/v1/clients/{client}");
    let shown = ada.get(&path).await.expect(200);
    let assigned = json!({"plan": larger, "reason": "Chosen on the phone."});
    ada.put(&format!("{path}/membership"), &shown.etag(), &assigned)
        .await
        .expect(200);

    let theirs = row.replace("anne@", "elena@");
    let done = ada
        .post_csv(CLIENTS, &clients(&[&theirs]))
        .await
        .expect(201);
    assert_eq!(faults(&done), [(2, "email"), (2, "membership_plan")]);
    world.advance(1).await;
    let moved = format!("{}Larger", ANNE.replace("Northside", "Southside"));
    let done = ada.post_csv(CLIENTS, &clients(&[&moved])).await.expect(201);
    assert_eq!(counts(&done), [1, 0, 1, 0, 0]);
    assert_eq!(
        ada.get(&path).await.expect(200)["membership"]["plan"],
        larger
    );
    let audit = ada
        .get(&format!("/v1/audit/client/{client}"))
        .await
        .expect(200);
    assert_eq!(audit["items"][0]["fields"], json!(["address"]));
}

#[tokio::test]
async fn whoever_looks_like_somebody_known_is_imported_and_shown_to_staff() {
    let world = World::start().await;
    let ada = world.administrator();
    ada.post_csv(CLIENTS, &clients(&[ANNE])).await.expect(201);
    let known = the_person(&world, "anne@people.example").await;
    let twin = ANNE.replace("C-1", "C-9").replace("anne@", "other@");
    let done = ada.post_csv(CLIENTS, &clients(&[&twin])).await.expect(201);
    assert_eq!(counts(&done), [1, 1, 0, 0, 0]);
    let new = the_person(&world, "other@people.example").await;
    let tickets = duplicates(&world).await;
    assert_eq!(tickets.len(), 1);
    assert_eq!(tickets[0]["subject"], new["id"]);
    assert_eq!(tickets[0]["related"], json!([known["id"]]));
    // So is whoever comes to look like somebody by a correction.
    let corrected = twin.replace("other@", "anne@");
    ada.post_csv(CLIENTS, &clients(&[&corrected]))
        .await
        .expect(201);
    assert_eq!(duplicates(&world).await.len(), 2);
}

#[tokio::test]
async fn an_imported_support_worker_completes_and_submits_their_own_draft() {
    let world = World::start().await;
    let ada = world.administrator();
    let file = "reference,given_name,family_name,email,phone,services,languages,introduction\n\
        W-1,Mira,Okafor,mira@people.example,,social_support:5400,en;it,I like walks.\n";
    ada.post_csv(WORKERS, file).await.expect(201);
    world.advance(1).await;
    let longer = file.replace("I like walks", "I like long walks");
    let done = ada.post_csv(WORKERS, &longer).await.expect(201);
    assert_eq!(counts(&done), [1, 0, 1, 0, 0]);
    world.advance(1).await;
    activate(&world, "mira", "mira@people.example").await;
    let mira = world.as_("mira");
    let me = mira.get("/v1/me").await.expect(200);
    let path = format!(
        "/v1/support-workers/{}",
        me["roles"]["workers"][0].as_str().unwrap()
    );
    let draft = mira.get(&path).await.expect(200);
    assert_eq!(draft["state"], "draft");
    assert_eq!(draft["profile"]["introduction"], "I like long walks.");
    assert_eq!(draft["profile"]["services"][0]["hourly_rate"], 5400);
    let submission = format!("{path}/submission");
    let early = mira.post(&submission, &json!({})).await;
    let early = early.expect_problem(422, "invalid-fields");
    assert!(
        early.pointers().contains(&"/service_area"),
        "{}",
        early.text()
    );
    let edited = mira
        .put(
            &format!("{path}/profile"),
            &draft.etag(),
            &complete_profile(),
        )
        .await;
    edited.expect(200);
    let submitted = mira.post(&submission, &json!({})).await.expect(201);
    assert_eq!(submitted["state"], "submitted");

    let done = ada.post_csv(WORKERS, file).await.expect(201);
    assert_eq!(counts(&done), [1, 0, 0, 0, 1]);
    let audit = path.replace("/v1/support-workers", "/v1/audit/support_worker");
    let audit = ada.get(&audit).await.expect(200);
    let done: Vec<Value> = audit["items"].as_array().unwrap().clone();
    let [.., updated, imported] = &done[..] else {
        panic!("too few audit items: {done:?}")
    };
    assert_eq!(imported["operation"], "import_support_worker");
    assert_eq!(updated["operation"], "update_imported_support_worker");
    assert_eq!(updated["fields"], json!(["profile"]));
}

#[tokio::test]
async fn what_is_no_such_file_is_refused() {
    let world = World::start().await;
    let ada = world.administrator();
    let wrong =
        "reference,given_nme,family_name,email,phone\nW-1,Mira,Okafor,mira@people.example,\n";
    let refused = ada
        .post_csv(WORKERS, wrong)
        .await
        .expect_problem(422, "invalid-fields");
    assert_eq!(
        refused.pointers(),
        ["/columns/given_name", "/columns/given_nme"]
    );
    let large = clients(&[&"x".repeat(300_000)]);
    ada.post_csv(CLIENTS, &large)
        .await
        .expect_problem(413, "body-too-large");
    let send = async |content_type: &str, key: Option<&str>, file: Vec<u8>| {
        let finish = |request: reqwest::RequestBuilder| {
            let request = request.header("content-type", content_type).body(file);
            key.into_iter().fold(request, |request, key| {
                request.header("idempotency-key", key)
            })
        };
        ada.ask(Method::POST, CLIENTS, finish).await
    };
    let file = clients(&[ANNE]).into_bytes();
    let latin = clients(&["C-1,Ren?,Dubois,rene@people.example,,,,"]);
    let latin = latin
        .bytes()
        .map(|byte| if byte == b'?' { 0xe9 } else { byte })
        .collect();
    let unreadable = send("text/csv", Some("one"), latin).await;
    let unreadable = unreadable.expect_problem(400, "malformed");
    assert!(
        unreadable.string("detail").contains("row 2"),
        "{}",
        unreadable.text()
    );
    let json = send("application/json", Some("one"), file.clone()).await;
    json.expect_problem(415, "not-csv");
    let other = send("text/csv; charset=utf-16", Some("one"), file.clone()).await;
    other.expect_problem(415, "not-csv");
    send("text/csv", None, file.clone())
        .await
        .expect_problem(400, "malformed");
    let sent = send("text/csv; charset=utf-8", Some("one"), file).await;
    assert_eq!(counts(&sent.expect(201)), [1, 1, 0, 0, 0]);
    let maybe = ada.post_csv(&format!("{CLIENTS}?dry_run=maybe"), "").await;
    assert_eq!(maybe.expect(422).pointers(), ["?dry_run"]);
}

#[tokio::test]
async fn the_sample_files_can_be_imported() {
    let world = World::start().await;
    let ada = world.administrator();
    for name in ["Essential", "Connect", "Together"] {
        offer_plan(&world, name).await;
    }
    for (path, file) in [(CLIENTS, SAMPLE_CLIENTS), (WORKERS, SAMPLE_WORKERS)] {
        let done = ada.post_csv(path, file).await.expect(201);
        assert_eq!(counts(&done), [5, 5, 0, 0, 0], "{}", done.text());
        let mails = file.split([',', '\n']).filter(|cell| cell.contains('@'));
        let mails: BTreeSet<&str> = mails.collect();
        assert_eq!(mails.len(), 5);
        assert!(mails.iter().all(|mail| mail.ends_with("@example.org")));
    }
    assert!(duplicates(&world).await.is_empty());
    assert_eq!(
        all(&world, "/v1/support-workers?state=draft").await.len(),
        5
    );
}
