//! The blind rule: nothing that reaches a client tells who a candidate is. Three hundred profiles are full
//! of canaries, and everything a client can reach is searched for them.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use domain::access::StaffRole;
use domain::candidates::CandidateList;
use domain::check::CheckKind;
use domain::id::{ClientId, PersonId, WorkerId};
use domain::money::Cents;
use domain::person::Person;
use domain::profile::{Training, WorkEntry};
use domain::support_worker::SupportWorker;
use domain::vocabulary::Vocabulary;
use rapport_tests::answer::Answer;
use rapport_tests::document::{Document, Operation};
use rapport_tests::people::{
    complete_profile, modest_request, settle_client, settle_representative, settle_staff,
    settle_workers,
};
use rapport_tests::world::{Caller, World};
use reqwest::Method;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Value, json};
use store::Key;

use crate::all_at_once;

const PROFILES: usize = 300;
/// How many of them are made over HTTP, as their owners and staff make them.
const BY_HTTP: usize = 3;
/// Every so many ask the same rate, so that a request's budget picks out just them.
const PER_RATE: usize = 5;
const RATES: usize = PROFILES / PER_RATE;

fn rate(group: usize) -> u32 {
    3_000 + 100 * u32::try_from(group).unwrap()
}

/// An introduction as its writer would like it, with everything in it that must not be.
fn revealing(number: usize) -> String {
    format!(
        "Hello, my name is Canarygiven{number} Canaryfamily{number}. Call me on +61 491 573 {number:03}, write \
         to canary{number}@canary-mail.example, or look at https://canary-link{number}.example/about-me."
    )
}

/// Fills a profile with what must not reach a client.
fn with_canaries(number: usize, person: &mut Person, worker: &mut SupportWorker) {
    person.name.given = format!("Canarygiven{number}");
    person.name.family = format!("Canaryfamily{number}");
    person.contact.email = format!("canary{number}@canary-mail.example");
    person.contact.phone = Some(format!("+61 491 573 {number:03}"));
    person.address = Some(format!("{number} Canary Street, Canaryburb"));
    let profile = &mut worker.profile;
    profile.introduction = revealing(number);
    profile.services[0].hourly_rate = Cents(rate(number / PER_RATE));
    profile.work_history = vec![WorkEntry {
        role: format!("Canaryrole {number}"),
        organisation: format!("Canary Care {number}"),
        from: "2020-03-01".parse().unwrap(),
        until: None,
        support_work: true,
    }];
    profile.training = vec![Training {
        title: format!("Canarycourse {number}"),
        institution: format!("Canary College {number}"),
        completed_on: "2019-12-01".parse().unwrap(),
    }];
    let area = profile.service_area.as_mut().unwrap();
    // One cell's worth: every change of a profile costs building each shard it touches.
    area.radius_km = 1;
    area.base.suburb = format!("Canaryburb {number}");
    area.base.postcode = format!("CANARY{number}");
    for check in &mut worker.checks {
        check.evidence = Some(format!("Canary policy {number}"));
    }
}

/// What must not be in anything that a client gets.
struct Watch {
    /// The digits of every support worker's id and person's id.
    ids: HashSet<String>,
}

impl Watch {
    fn over(workers: &[(WorkerId, PersonId)]) -> Self {
        let digits = |id: String| id.split_once('_').unwrap().1.to_owned();
        let both = |(worker, person): &(WorkerId, PersonId)| {
            [digits(worker.to_string()), digits(person.to_string())]
        };
        Self {
            ids: workers.iter().flat_map(both).collect(),
        }
    }

    /// Fails if there is a canary in `text`, plainly, percent-encoded or in base64.
    #[track_caller]
    fn search(&self, what: &str, text: &str) {
        self.search_plain(what, text);
        if text.contains('%') {
            self.search_plain(what, &percent_decoded(text));
        }
        let in_base64 = |c: char| c.is_ascii_alphanumeric() || "+/-_".contains(c);
        for word in text.split(|c: char| !in_base64(c)) {
            // A word of a sentence can be base64 too: then it decodes to noise, which is no canary.
            if word.len() < 12 {
                continue;
            }
            for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
                if let Ok(bytes) = engine.decode(word) {
                    self.search_plain(what, &String::from_utf8_lossy(&bytes));
                    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                    self.search_ids(what, &hex);
                }
            }
        }
    }

    #[track_caller]
    fn search_plain(&self, what: &str, text: &str) {
        let lower = text.to_lowercase();
        for canary in ["canary", "491 573", "+61491573", "0491573", "491-573"] {
            assert!(!lower.contains(canary), "{canary} in {what}:\n{text}");
        }
        self.search_ids(what, &lower.replace('-', ""));
    }

    #[track_caller]
    fn search_ids(&self, what: &str, text: &str) {
        for run in text.split(|c: char| !c.is_ascii_hexdigit()) {
            for start in 0..(run.len() + 1).saturating_sub(32) {
                let id = &run[start..start + 32];
                assert!(!self.ids.contains(id), "{id} in {what}:\n{text}");
            }
        }
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let decoded = (*first == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(decoded.unwrap_or(*first));
        rest = if decoded.is_some() {
            &after[2..]
        } else {
            after
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Somebody on the client's side, everything said to whom is searched.
struct Watched<'w> {
    caller: Caller<'w>,
    watch: &'w Watch,
}

impl Watched<'_> {
    fn searched(&self, path: &str, answer: Answer) -> Answer {
        self.watch.search(path, &answer.whole());
        answer
    }

    async fn get(&self, path: &str) -> Answer {
        self.searched(path, self.caller.get(path).await)
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.searched(path, self.caller.post(path, body).await)
    }

    /// Every page of a list, following its links.
    async fn pages(&self, path: &str) -> Vec<Value> {
        let mut entries = Vec::new();
        let mut next = Some(path.to_owned());
        while let Some(path) = next {
            let page = self.get(&path).await.expect(200);
            entries.extend(page["items"].as_array().unwrap().clone());
            next = page.next_page();
        }
        entries
    }
}

/// The people of these tests: two clients, one of them with a representative, and staff.
struct Clients {
    /// Acts for herself.
    ana: ClientId,
    /// Is acted for by Elena.
    berta: ClientId,
}

impl Clients {
    async fn settle(world: &World) -> Self {
        let context = world.context();
        let (ana, _) = settle_client(context, "ana").await;
        let (berta, _) = settle_client(context, "berta").await;
        settle_representative(context, "elena", berta, |_| {}).await;
        settle_staff(context, "cora", StaffRole::Coordinator).await;
        let ada = world.administrator();
        let terms = json!({
            "name": "Together", "entitlements": ["match_requests"], "open_match_requests": 50,
            "fees": {"monthly": 1900, "service_basis_points": 250}
        });
        let plan = ada.post("/v1/membership-plans", &terms).await.expect(201);
        for client in [ana, berta] {
            let path = format!("/v1/clients/{client}");
            let tag = ada.get(&path).await.etag();
            let assign = json!({"plan": plan["id"], "reason": "Chosen on the phone."});
            let path = format!("{path}/membership");
            ada.put(&path, &tag, &assign).await.expect(200);
        }
        Self { ana, berta }
    }

    fn requests_of(client: ClientId) -> String {
        format!("/v1/clients/{client}/match-requests")
    }
}

/// A request that those suit who ask a rate of these groups.
fn request_for(first: usize, last: usize) -> Value {
    let mut details = modest_request();
    details["budget"] = json!({"least": rate(first), "most": rate(last)});
    details
}

async fn preview(world: &World, request: &str) -> Answer {
    let path = format!("{request}/candidate-preview");
    world.as_("cora").get(&path).await.expect(200)
}

async fn send_early(world: &World, request: &str) {
    let tag = preview(world, request).await.etag();
    let cora = world.as_("cora");
    let key = world.fresh_key();
    let path = format!("{request}/release");
    let released = cora.ask(Method::POST, &path, |r| {
        let r = r.header("if-match", tag).header("idempotency-key", key);
        r.json(&json!({}))
    });
    released.await.expect(201);
}

async fn suspend(world: &World, worker: &str) {
    let reason = json!({"reason": "A canary's complaint about Canaryfamily is looked into."});
    let path = format!("/v1/support-workers/{worker}/suspension");
    world.administrator().post(&path, &reason).await.expect(201);
}

/// A support worker with canaries, from registering to being active, over HTTP.
async fn settle_by_http(world: &World, number: usize) -> (WorkerId, PersonId) {
    let subject = format!("canary-{number}");
    let worker = world.as_(&subject);
    let ada = world.administrator();
    let details = json!({
        "name": {"given": format!("Canarygiven{number}"), "family": format!("Canaryfamily{number}")},
        "contact": {"email": format!("canary{number}@canary-mail.example"), "phone": format!("+61 491 573 {number:03}")}
    });
    let registered = worker.post("/v1/support-workers", &details).await;
    let registered = registered.expect(201);
    let path = format!("/v1/support-workers/{}", registered.string("id"));
    let mut profile = complete_profile();
    let clean = profile["introduction"].clone();
    profile["services"][0]["hourly_rate"] = json!(rate(number / PER_RATE));
    profile["service_area"]["radius_km"] = json!(1);
    profile["service_area"]["base"]["suburb"] = json!(format!("Canaryburb {number}"));
    profile["work_history"] = json!([{
        "role": "Canaryrole", "organisation": "Canary Care", "from": "2020-03-01", "until": null, "support_work": true
    }]);
    profile["training"] = json!([{
        "title": "Canarycourse", "institution": "Canary College", "completed_on": "2019-12-01"
    }]);
    let edit = format!("{path}/profile");
    let saved = worker.put(&edit, &registered.etag(), &profile).await;
    saved.expect(200);
    let submission = format!("{path}/submission");
    worker.post(&submission, &json!({})).await.expect(201);
    let seen = json!({"evidence": "Canary policy", "expires_on": null});
    for kind in CheckKind::ALL {
        let verify = format!("{path}/checks/{}/verification", kind.code());
        ada.post(&verify, &seen).await.expect(201);
    }
    let approve = format!("{path}/introduction-approval");
    let approved = json!({"introduction": clean});
    ada.post(&approve, &approved).await.expect(201);
    // What staff have not approved.
    profile["introduction"] = json!(revealing(number));
    let tag = worker.get(&path).await.etag();
    worker.put(&edit, &tag, &profile).await.expect(200);
    let record = ada.get(&path).await.expect(200);
    let person = record["for_staff"]["person"].as_str().unwrap();
    (
        registered.string("id").parse().unwrap(),
        person.parse().unwrap(),
    )
}

async fn settle_profiles(world: &World) -> Vec<(WorkerId, PersonId)> {
    let subjects = (0..PROFILES - BY_HTTP).map(|number| format!("canary-{number}"));
    let mut workers = settle_workers(world.context(), subjects, with_canaries).await;
    for number in PROFILES - BY_HTTP..PROFILES {
        workers.push(settle_by_http(world, number).await);
    }
    world.settle().await;
    workers
}

#[tokio::test]
async fn no_canary_of_three_hundred_profiles_reaches_a_client() {
    let world = World::start().await;
    let workers = settle_profiles(&world).await;
    let clients = Clients::settle(&world).await;
    let watch = Watch::over(&workers);
    let watched = |subject| Watched {
        caller: world.as_(subject),
        watch: &watch,
    };
    let (ana, elena) = (watched("ana"), watched("elena"));

    // A request for each rate: by Ana herself, and by Elena on Berta's behalf. Two more each need the reserve.
    let spans = (0..RATES).map(|rate| (rate, rate));
    let spans: Vec<_> = spans.chain((0..4).map(|n| (10 * n, 10 * n + 2))).collect();
    let of_ana = |number: usize| number.is_multiple_of(2);
    let submit = async |number: usize, (first, last): (usize, usize)| {
        let (by, client) = if of_ana(number) {
            (&ana, clients.ana)
        } else {
            (&elena, clients.berta)
        };
        let path = Clients::requests_of(client);
        let mut faulty = request_for(first, last);
        faulty["budget"]["most"] = json!(0);
        faulty["services"] = json!(["canary"]);
        by.caller.post(&path, &faulty).await.expect(422);
        let submitted = by.post(&path, &request_for(first, last)).await.expect(201);
        let request = format!("/v1/match-requests/{}", submitted.string("id"));
        let early = by.get(&format!("{request}/candidates")).await;
        early.expect_problem(409, "candidates-not-released");
        let not_theirs = by.get(&format!("{request}/candidate-preview")).await;
        not_theirs.expect_problem(404, "not-found");
        by.get(&request).await.expect(200);
        request
    };
    let mut requests = Vec::new();
    let numbered: Vec<_> = spans.iter().copied().enumerate().collect();
    for some in numbered.chunks(16) {
        let submitted = all_at_once(some.iter().map(|(number, span)| submit(*number, *span)));
        requests.extend(submitted.await);
    }
    // Staff decide, with reasons that are for staff; some are suspended before they are ever shown.
    let mut left = BTreeSet::new();
    for request in &requests[RATES..] {
        let before = preview(&world, request).await;
        let first = before["listed"][0]["worker"].as_str().unwrap().to_owned();
        suspend(&world, &first).await;
        let second = &before["listed"][1]["worker"];
        let exclude = json!({"worker": second, "reason": "Canaryfamily parted badly."});
        let path = format!("{request}/exclusions");
        world.as_("cora").post(&path, &exclude).await.expect(201);
        left.insert(first);
    }
    for request in requests.iter().step_by(3) {
        send_early(&world, request).await;
    }
    world.advance(24).await;

    let mut shown = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for (number, request) in requests.iter().enumerate() {
        let by = if of_ana(number) { &ana } else { &elena };
        let path = format!("{request}/candidates");
        let list = by.get(&path).await.expect(200);
        let worker_of = worker_of_each(&world, request).await;
        let candidates = list["candidates"].as_array().unwrap();
        if number >= RATES {
            assert_eq!(candidates.len(), 5, "whoever left was replaced");
        }
        for candidate in candidates {
            let candidate = candidate["candidate"].as_str().unwrap();
            assert!(
                ids.insert(candidate.to_owned()),
                "an id for one request alone"
            );
            shown.insert(worker_of[candidate].clone());
        }
        // Somebody becomes unavailable; that is all that is said.
        if number % 20 == 0 && number < RATES {
            let gone = worker_of[candidates[0]["candidate"].as_str().unwrap()].clone();
            suspend(&world, &gone).await;
            let later = by.get(&path).await.expect(200);
            assert_eq!(later["candidates"][0]["available"], false);
            let mut as_before = later.json().clone();
            as_before["candidates"][0]["available"] = json!(true);
            assert_eq!(&as_before, list.json(), "nothing else changes");
        }
    }
    let seen_of_all = shown.len() + left.difference(&shown).count();
    assert_eq!(seen_of_all, PROFILES, "every profile had its turn");

    // Everything they heard.
    for reader in [&ana, &elena] {
        let heard = reader.pages("/v1/inbox?limit=7").await;
        assert!(heard.len() > 60, "{}", heard.len());
        for notice in heard.iter().take(3) {
            let path = format!("/v1/inbox/{}/reads", notice["id"].as_str().unwrap());
            reader.post(&path, &json!({})).await.expect(201);
        }
    }
    let to_client_side = |mail: &rapport_tests::world::Mail| {
        ["ana", "berta", "elena"]
            .iter()
            .any(|name| mail.is_to(&format!("{name}@people.example")))
    };
    let mails: Vec<_> = world.mails().into_iter().filter(to_client_side).collect();
    assert!(mails.len() >= 3 * RATES, "{}", mails.len());
    for mail in &mails {
        watch.search(&mail.message_id, &mail.raw);
    }
    // The lists, page by page; and the document and its page, which everybody may read.
    let path = format!("{}?limit=7", Clients::requests_of(clients.ana));
    assert_eq!(ana.pages(&path).await.len(), requests.len() / 2);
    for path in [
        "/openapi.json",
        "/docs",
        "/",
        "/v1/me",
        "/v1/membership-plans",
    ] {
        ana.get(path).await;
    }
    println!(
        "{} profiles in {} lists, {} mails",
        shown.len(),
        requests.len(),
        mails.len()
    );
    let walked = walk(&world, &clients, &workers, &requests, [&ana, &elena]).await;
    println!("{walked} answers to everything else a client can ask");
}

/// Which support worker stands behind each candidate of a list.
async fn worker_of_each(world: &World, request: &str) -> BTreeMap<String, String> {
    let (_, id) = request.rsplit_once('/').unwrap();
    let key = Key::candidate_list(id.parse().unwrap());
    let list = world.context().store.get::<CandidateList>(&key).await;
    let listed = list.unwrap().unwrap().value.candidates.into_iter();
    listed
        .map(|one| (one.id.to_string(), one.worker.to_string()))
        .collect()
}

/// Every operation of the document, asked for by the client and the representative about what is theirs, what is
/// somebody else's, what is a support worker's, and what is nothing. Gives how many answers were searched.
async fn walk(
    world: &World,
    clients: &Clients,
    workers: &[(WorkerId, PersonId)],
    requests: &[String],
    readers: [&Watched<'_>; 2],
) -> usize {
    let (worker, person) = workers[17];
    let id_of = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    let tickets = world.administrator().get("/v1/tickets?queue=workers").await;
    let ticket = tickets.expect(200)["items"][0]["id"].clone();
    let ids = |name: &str| -> Vec<String> {
        let ids = match name {
            "client" => vec![clients.ana.to_string(), clients.berta.to_string()],
            "match_request" => vec![id_of(&requests[0]), id_of(&requests[1])],
            "worker" => vec![worker.to_string()],
            "person" => vec![person.to_string()],
            "ticket" => vec![ticket.as_str().unwrap().to_owned()],
            "id" => vec![worker.to_string(), person.to_string()],
            "kind" => vec!["support_worker".to_owned(), "identity".to_owned()],
            "number" => vec!["1".to_owned()],
            _ => Vec::new(),
        };
        let nothing = ["%00", "none-free", "%F0%9F%90%A6", "*"].map(str::to_owned);
        ids.into_iter().chain(nothing).collect()
    };
    let about = |text: &str| match text.split_once('_') {
        Some(("wrk", _)) => Some(worker.to_string()),
        Some(("per", _)) => Some(person.to_string()),
        Some(("mreq", _)) => Some(id_of(&requests[0])),
        Some(("clt", _)) => Some(clients.ana.to_string()),
        _ => None,
    };
    let document = Document::published();
    let mut questions = Vec::new();
    for operation in document.operations() {
        let body = document.example_body(operation);
        let body = body.map(|body| (body.media_type, in_terms_of(body.value, &about)));
        let reads = operation.method == "GET";
        for path in paths(operation, &ids) {
            let queries: &[&str] = if reads { &QUERIES } else { &[""] };
            for query in queries {
                let method: Method = operation.method.parse().unwrap();
                questions.push((method, format!("{path}{query}"), body.clone()));
            }
        }
    }
    for some in questions.chunks(32) {
        for reader in readers {
            let asked = some.iter().map(|question| ask(world, reader, question));
            all_at_once(asked).await;
        }
    }
    questions.len() * readers.len()
}

/// What is asked behind a path that is read.
const QUERIES: [&str; 3] = [
    "",
    "?limit=2&cursor=AAAA",
    "?limit=x&state=none-free&queue=1",
];

async fn ask(
    world: &World,
    reader: &Watched<'_>,
    (method, path, body): &(Method, String, Option<(String, Value)>),
) {
    let key = world.fresh_key();
    let answer = reader.caller.ask(method.clone(), path, |request| {
        let request = request.header("idempotency-key", key);
        let request = request.header("if-match", "\"1\"");
        match body {
            Some((kind, Value::String(text))) => {
                request.header("content-type", kind).body(text.clone())
            }
            Some((_, value)) => request.json(value),
            None => request,
        }
    });
    let answer = reader.searched(path, answer.await);
    assert!(answer.status() < 500, "{path}: {}", answer.text());
}

/// The operation's path with each of the ids in each of its places.
fn paths(operation: &Operation, ids: &impl Fn(&str) -> Vec<String>) -> Vec<String> {
    operation
        .path
        .split('/')
        .skip(1)
        .fold(vec![String::new()], |paths, part| {
            let name = part
                .strip_prefix('{')
                .and_then(|part| part.strip_suffix('}'));
            let parts = name.map_or_else(|| vec![part.to_owned()], ids);
            paths
                .iter()
                .flat_map(|path| parts.iter().map(move |part| format!("{path}/{part}")))
                .collect()
        })
}

fn in_terms_of(value: Value, about: &impl Fn(&str) -> Option<String>) -> Value {
    match value {
        Value::String(text) => Value::String(about(&text).unwrap_or(text)),
        Value::Array(values) => {
            let values = values.into_iter();
            values.map(|value| in_terms_of(value, about)).collect()
        }
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (name, in_terms_of(value, about)))
            .collect(),
        other => other,
    }
}

/// The names of an object's members, in the order in which they came.
#[derive(Debug, PartialEq, Eq)]
struct Members(Vec<String>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;

        impl<'de> Visitor<'de> for Names {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut names = Vec::new();
                while let Some((name, IgnoredAny)) = map.next_entry()? {
                    names.push(name);
                }
                Ok(Members(names))
            }
        }

        deserializer.deserialize_map(Names)
    }
}

/// A released list, as far as its shape goes.
#[derive(serde::Deserialize)]
struct Shape {
    candidates: Vec<Members>,
}

/// What a client may know of a candidate: exactly this, in this order, of everybody.
const SHOWN: [&str; 11] = [
    "candidate",
    "alias",
    "available",
    "distance",
    "experience",
    "rating",
    "rate",
    "services",
    "matches",
    "introduction",
    "why",
];

/// Ids and aliases are for one request: whoever keeps lists cannot follow anybody through them.
#[tokio::test]
async fn nobody_can_be_followed_from_one_request_to_the_next() {
    const REQUESTS: usize = 24;
    let world = World::start().await;
    let subjects = (0..PER_RATE).map(|number| format!("canary-{number}"));
    // They differ in what they have, so that a member left out for one of them would be seen.
    let workers = settle_workers(world.context(), subjects, |number, person, worker| {
        with_canaries(number, person, worker);
        worker.reliability.rating_count = u32::try_from(number).unwrap() * 5;
        worker.reliability.rating_sum = u32::try_from(number).unwrap() * 22;
        if number == 0 {
            worker.profile.work_history.clear();
            worker.profile.languages.clear();
        }
    })
    .await;
    world.settle().await;
    let clients = Clients::settle(&world).await;
    let watch = Watch::over(&workers);
    let mut ids = BTreeSet::new();
    let mut aliases: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for number in 0..REQUESTS {
        let (subject, client) = match number % 2 {
            0 => ("ana", clients.ana),
            _ => ("elena", clients.berta),
        };
        let by = Watched {
            caller: world.as_(subject),
            watch: &watch,
        };
        let mut details = request_for(0, 0);
        details["preferences"] = json!([{"strength": "prefer", "wish": {"language": "en"}}]);
        let submitted = by.post(&Clients::requests_of(client), &details).await;
        let request = format!("/v1/match-requests/{}", submitted.expect(201).string("id"));
        send_early(&world, &request).await;
        let list = by.get(&format!("{request}/candidates")).await.expect(200);
        let Shape { candidates } = serde_json::from_str(list.text()).unwrap();
        assert_eq!(candidates.len(), PER_RATE);
        for members in candidates {
            assert_eq!(members.0, SHOWN);
        }
        let worker_of = worker_of_each(&world, &request).await;
        let mut in_this_list = BTreeSet::new();
        for candidate in list["candidates"].as_array().unwrap() {
            let id = candidate["candidate"].as_str().unwrap();
            let alias = candidate["alias"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} stood in another list");
            assert!(in_this_list.insert(alias.to_owned()), "{alias} twice");
            let worker = worker_of[id].clone();
            aliases.entry(worker).or_default().insert(alias.to_owned());
        }
    }
    assert_eq!(ids.len(), REQUESTS * PER_RATE);
    // Drawn from 48 by chance: fewer than five different ones in 24 draws do not happen.
    for (worker, aliases) in &aliases {
        assert!(aliases.len() >= 5, "{worker} goes by {aliases:?}");
    }
    let everyones: Vec<&BTreeSet<String>> = aliases.values().collect();
    let is_shared = |alias: &String| everyones.iter().filter(|of| of.contains(alias)).count() > 1;
    let shared = everyones.iter().flat_map(|of| of.iter()).any(is_shared);
    assert!(shared, "no alias is anybody's own");
}

/// What a text may give away, and what the screening calls it.
const REVEALING: [(&str, &str); 20] = [
    ("My name is Canaryname and I like gardens.", "name"),
    ("Everybody calls me Canarygiven.", "name"),
    ("The Canaryfamily way of making tea.", "name"),
    ("I'm Canaryname, pleased to meet you.", "name"),
    ("Call me Canaryname.", "name"),
    ("I am known as Canaryname.", "name"),
    ("Ring 0491 573 156 at any time.", "phone"),
    ("Ring +61 491 573 156 at any time.", "phone"),
    ("Ring (04) 9157-3156 at any time.", "phone"),
    ("Ring 04.91.57.31.56 at any time.", "phone"),
    ("Write to me@canary-mail.example.", "mail"),
    ("Write to me at canary.com today.", "mail"),
    ("Write to canary at gmail dot com.", "mail"),
    ("See https://canary.example/me.", "link"),
    ("See www.canary.example for more.", "link"),
    ("See canary-care.com.au for more.", "link"),
    ("See canary.care/about for more.", "link"),
    ("I am @canary there.", "account"),
    ("Find canary on Instagram.", "account"),
    ("On WhatsApp I answer at once.", "account"),
];

/// Of an introduction the client reads what staff have approved, to the letter, and nothing before.
#[tokio::test]
async fn an_introduction_that_gives_away_reaches_a_client_only_by_the_exact_approval() {
    let world = World::start().await;
    let workers = settle_workers(
        world.context(),
        ["canary-0".to_owned()],
        |_, person, worker| {
            person.name.given = "Canarygiven".to_owned();
            person.name.family = "Canaryfamily".to_owned();
            worker.profile.services[0].hourly_rate = Cents(rate(0));
        },
    )
    .await;
    world.settle().await;
    let clients = Clients::settle(&world).await;
    let path = format!("/v1/support-workers/{}", workers[0].0);
    let (worker, ada) = (world.as_("canary-0"), world.administrator());
    let ana = world.as_("ana");
    let submit = async || {
        let details = request_for(0, 0);
        let submitted = ana.post(&Clients::requests_of(clients.ana), &details).await;
        format!("/v1/match-requests/{}", submitted.expect(201).string("id"))
    };
    let introduced = async |request: &str| {
        let list = ana.get(&format!("{request}/candidates")).await.expect(200);
        list["candidates"][0]["introduction"].clone()
    };
    let approved = ada.get(&path).await["introduction_approved"].clone();
    let released = submit().await;
    send_early(&world, &released).await;
    let waiting = submit().await;

    let edit = format!("{path}/profile");
    let approve = format!("{path}/introduction-approval");
    let mut last = String::new();
    for (sentence, kind) in REVEALING {
        let mut profile = complete_profile();
        profile["services"][0]["hourly_rate"] = json!(rate(0));
        last = format!("{} {sentence}", profile["introduction"].as_str().unwrap());
        profile["introduction"] = json!(last);
        let tag = worker.get(&path).await.etag();
        worker.put(&edit, &tag, &profile).await.expect(200);
        let screened = ada.get(&format!("{path}/introduction-screening")).await;
        let screened = screened.expect(200);
        assert_eq!(screened["introduction"], last);
        let findings = screened["findings"].as_array().unwrap().iter();
        let kinds: Vec<&Value> = findings.map(|finding| &finding["kind"]).collect();
        assert!(kinds.contains(&&json!(kind)), "{sentence}: {kinds:?}");
        for almost in [
            approved.clone(),
            json!(format!("{last} ")),
            json!(last.to_lowercase()),
        ] {
            let other = ada.post(&approve, &json!({"introduction": almost})).await;
            other.expect_problem(409, "introduction-changed");
        }
        let shown = preview(&world, &waiting).await["shown"][0]["introduction"].clone();
        assert_eq!(shown, approved, "{sentence}");
        assert_eq!(introduced(&released).await, approved, "{sentence}");
    }
    // Nobody but staff may approve it, the support worker least of all.
    let exact = json!({"introduction": last});
    worker.post(&approve, &exact).await.expect(403);
    ana.post(&approve, &exact).await.expect(404);
    send_early(&world, &waiting).await;
    assert_eq!(introduced(&waiting).await, approved);
    ada.post(&approve, &exact).await.expect(201);
    // What was released stays as it was; what is released from now on says what was approved.
    assert_eq!(introduced(&waiting).await, approved);
    let next = submit().await;
    send_early(&world, &next).await;
    assert_eq!(introduced(&next).await, last);
}
