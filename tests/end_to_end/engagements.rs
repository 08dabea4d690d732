//! Engagements: paused, resumed, ended, opened again, blocked, and what each side sees of it.

use domain::access::{Scope, StaffRole};
use domain::conversation::{Content, Message};
use domain::engagement::Happening;
use domain::id::{ClientId, EngagementId, WorkerId};
use rapport_tests::people::{
    modest_request, settle_client, settle_engagement, settle_representative, settle_staff,
    settle_worker,
};
use rapport_tests::world::World;
use serde_json::{Value, json};
use store::Key;

/// Ana and Mira, who are connected; rita, who acts for Ana; cora, who coordinates.
pub(crate) struct Pair {
    pub(crate) world: World,
    pub(crate) client: ClientId,
    pub(crate) worker: WorkerId,
    pub(crate) engagement: EngagementId,
    /// The engagement's path.
    pub(crate) path: String,
}

impl Pair {
    pub(crate) async fn settle() -> Self {
        let world = World::start().await;
        let context = world.context();
        let (client, _) = settle_client(context, "ana").await;
        let worker = settle_worker(context, "mira").await;
        settle_representative(context, "rita", client, |_| {}).await;
        settle_staff(context, "cora", StaffRole::Coordinator).await;
        let engagement = settle_engagement(context, client, worker, |_| {}).await;
        world.settle().await;
        Self {
            client,
            worker,
            engagement,
            path: format!("/v1/engagements/{engagement}"),
            world,
        }
    }

    pub(crate) async fn seen_by(&self, subject: &str) -> Value {
        let seen = self.world.as_(subject).get(&self.path).await.expect(200);
        seen.json().clone()
    }

    /// An act on the engagement; `what` is the end of its path.
    pub(crate) async fn act(
        &self,
        subject: &str,
        what: &str,
        body: Value,
    ) -> rapport_tests::answer::Answer {
        let path = format!("{}/{what}", self.path);
        self.world.as_(subject).post(&path, &body).await
    }

    /// What happened, as the conversation tells it, sorted: here all of it happens in one millisecond.
    pub(crate) async fn lines(&self) -> Vec<Happening> {
        let pk = Key::engagement(self.engagement).pk;
        let store = &self.world.context().store;
        let lines = store.list_all::<Message>(&pk, "MSG#", 100).await.unwrap();
        let happened = lines
            .into_iter()
            .filter_map(|line| match line.value.content {
                Content::Happened { happening, .. } => Some(happening),
                Content::Written { .. } => None,
            });
        sorted(happened)
    }

    /// What somebody was told, the newest first.
    pub(crate) async fn told(&self, subject: &str) -> Vec<String> {
        self.world.settle().await;
        let inbox = self.world.as_(subject).get("/v1/inbox").await.expect(200);
        let items = inbox["items"].as_array().unwrap().iter();
        let subjects = items.map(|item| item["subject"].as_str().unwrap().to_owned());
        subjects.collect()
    }
}

pub(crate) fn sorted(happened: impl IntoIterator<Item = Happening>) -> Vec<Happening> {
    let mut happened: Vec<_> = happened.into_iter().collect();
    happened.sort();
    happened
}

fn because(reason: &str) -> Value {
    json!({"reason": reason})
}

#[tokio::test]
async fn each_side_knows_the_other_while_it_lives_and_keeps_the_name() {
    let pair = Pair::settle().await;
    let ana = pair.seen_by("ana").await;
    assert_eq!(ana["side"], "client");
    assert_eq!(ana["state"], "open");
    let mira = json!([{
        "side": "worker", "name": {"given": "Given", "family": "mira"},
        "contact": {"email": "mira@people.example", "phone": null}
    }]);
    assert_eq!(ana["people"], mira);
    assert_eq!(pair.seen_by("rita").await, ana);
    let mira = pair.seen_by("mira").await;
    assert_eq!(mira["side"], "worker");
    assert_eq!(mira["people"][0]["contact"]["email"], "ana@people.example");
    let cora = pair.seen_by("cora").await;
    assert_eq!(cora["side"], Value::Null);
    assert_eq!(cora["people"].as_array().unwrap().len(), 2);
    assert!(!cora.to_string().contains("@people.example"), "{cora}");

    let end = json!({"reason": "Her son helps now.", "message": "Thank you for everything."});
    pair.act("rita", "end", end).await.expect(201);
    for subject in ["ana", "rita", "mira", "cora"] {
        let seen = pair.seen_by(subject).await;
        assert_eq!(seen["state"], "ended");
        assert!(!seen.to_string().contains("@people.example"), "{seen}");
        assert_eq!(seen["end"]["by"], "client");
        assert_eq!(seen["end"]["message"], "Thank you for everything.");
        let knows_why = subject != "mira";
        let why = &seen["end"]["reason"];
        assert_eq!(why == "Her son helps now.", knows_why, "{subject}: {seen}");
        assert_eq!(seen.to_string().contains("Her son"), knows_why);
        assert!(!seen["people"][0]["name"]["family"].is_null());
    }
}

#[tokio::test]
async fn whoever_paused_it_resumes_it_and_so_do_staff() {
    let pair = Pair::settle().await;
    let paused = pair.act("ana", "pause", because("Away for a month.")).await;
    let paused = paused.expect(201);
    assert_eq!(paused["state"], "paused");
    assert_eq!(paused["pause"]["reason"], "Away for a month.");
    let mira = pair.seen_by("mira").await;
    assert_eq!(mira["pause"]["by"], "client");
    assert_eq!(mira["pause"]["reason"], Value::Null);
    let again = pair.act("mira", "pause", because("Me too.")).await;
    again.expect_problem(409, "engagement-paused");
    let other = pair.act("mira", "resumption", json!({})).await;
    other.expect_problem(409, "engagement-paused-by-other");
    pair.act("rita", "resumption", json!({})).await.expect(201);
    let open = pair.act("ana", "resumption", json!({})).await;
    open.expect_problem(409, "engagement-not-paused");

    pair.act("mira", "pause", because("My back."))
        .await
        .expect(201);
    // Staff take it over, and only they end it then.
    let cora = pair
        .act("cora", "pause", because("Until we have talked."))
        .await;
    assert_eq!(cora.expect(201)["pause"]["by"], Value::Null);
    let own = pair.act("mira", "resumption", json!({})).await;
    own.expect_problem(409, "engagement-paused-by-other");
    assert_eq!(pair.seen_by("mira").await["pause"]["reason"], Value::Null);
    pair.act("cora", "resumption", json!({})).await.expect(201);
    let faulty = pair.act("ana", "pause", because(" ")).await.expect(422);
    assert_eq!(faulty.pointers(), ["/reason"]);
    let long = pair.act("ana", "pause", because(&"x".repeat(501))).await;
    assert_eq!(long.expect(422).pointers(), ["/reason"]);

    use Happening::{EngagementPaused, EngagementResumed};
    let lines = [
        EngagementPaused,
        EngagementResumed,
        EngagementPaused,
        EngagementPaused,
        EngagementResumed,
    ];
    assert_eq!(pair.lines().await, sorted(lines));
    for subject in ["ana", "rita", "mira"] {
        assert_eq!(pair.told(subject).await.len(), lines.len(), "{subject}");
    }
}

#[tokio::test]
async fn an_end_settles_what_is_booked_and_is_taken_back_by_staff_alone() {
    let pair = Pair::settle().await;
    let key = pair.world.fresh_key();
    let (mira, path) = (pair.world.as_("mira"), format!("{}/end", pair.path));
    let end = json!({"reason": "Moving away.", "message": " "});
    let ended = mira.post_with_key(&path, &key, &end).await.expect(201);
    assert_eq!(ended["end"]["message"], Value::Null);
    let again = mira.post_with_key(&path, &key, &end).await.expect(201);
    assert!(again.replayed());
    assert_eq!(pair.lines().await, [Happening::EngagementEnded]);
    assert_eq!(pair.told("ana").await, ["The engagement has ended"]);
    assert_eq!(pair.told("mira").await, ["The engagement has ended"]);
    for (what, body) in [
        ("pause", because("Later.")),
        ("resumption", json!({})),
        ("end", because("Again.")),
    ] {
        let refused = pair.act("ana", what, body.clone()).await;
        refused.expect_problem(403, "engagement-ended");
        let staff = pair.act("cora", what, body).await;
        staff.expect_problem(409, "engagement-ended");
    }

    let mistake = because("Pressed the wrong button.");
    pair.act("cora", "reopening", mistake.clone())
        .await
        .expect(403);
    settle_staff(pair.world.context(), "adam", StaffRole::Administrator).await;
    let open = pair
        .act("adam", "reopening", mistake.clone())
        .await
        .expect(201);
    assert_eq!(open["state"], "open");
    assert_eq!(open["end"], Value::Null);
    let twice = pair.act("adam", "reopening", mistake.clone()).await;
    twice.expect_problem(409, "engagement-not-ended");
    assert_eq!(
        pair.seen_by("mira").await["people"][0]["contact"]["email"],
        "ana@people.example"
    );
    assert_eq!(
        pair.lines().await,
        [Happening::EngagementEnded, Happening::EngagementReopened]
    );
    let audit = format!("/v1/audit/engagement/{}", pair.engagement);
    let audit = pair.world.as_("adam").get(&audit).await.expect(200);
    let mut items = audit["items"].as_array().unwrap().iter();
    let reopened = items.find(|item| item["operation"] == "reopen_engagement");
    assert_eq!(reopened.unwrap()["reason"], "Pressed the wrong button.");

    // Not while the two are connected by another one.
    pair.act("ana", "end", because("Done.")).await.expect(201);
    let key = Key::pair(pair.client, pair.worker);
    let store = &pair.world.context().store;
    let was: store::Versioned<domain::pair::Pair> = store.get(&key).await.unwrap().unwrap();
    let other = pair.world.context().fresh();
    let next = was.value.clone().with_engagement(other, pair.world.now());
    let audit = pair
        .world
        .context()
        .audit(store::Actor::Service, "settle", &key);
    let commit = store::Commit::new(audit).replace(&was, &next);
    store.commit(commit).await.unwrap();
    let refused = pair.act("adam", "reopening", mistake).await;
    refused.expect_problem(409, "connected-otherwise");
}

#[tokio::test]
async fn staff_do_it_for_a_side_that_told_them_to() {
    let pair = Pair::settle().await;
    let path = format!("{}/pause", pair.path);
    let told = async |on_behalf_of: Option<String>| {
        let key = pair.world.fresh_key();
        let cora = pair.world.as_("cora");
        cora.ask(reqwest::Method::POST, &path, |request| {
            let request = request.header("idempotency-key", key);
            let request = request.header("on-instruction", "by telephone");
            let request = match on_behalf_of {
                Some(whose) => request.header("on-behalf-of", whose),
                None => request,
            };
            request.json(&because("Away."))
        })
        .await
    };
    told(None).await.expect_problem(400, "malformed");
    let paused = told(Some(pair.worker.to_string())).await.expect(201);
    assert_eq!(paused["pause"]["by"], "worker");
    assert!(
        pair.told("mira")
            .await
            .iter()
            .any(|told| told.contains("Done for you"))
    );
    pair.act("ana", "resumption", json!({})).await.expect(409);
    pair.act("mira", "resumption", json!({})).await.expect(201);
}

#[tokio::test]
async fn lists_show_the_newest_first_a_page_at_a_time() {
    let pair = Pair::settle().await;
    let context = pair.world.context();
    let mut all = vec![pair.engagement];
    for number in 0..2 {
        pair.world.advance(1).await;
        let other = settle_worker(context, &format!("worker-{number}")).await;
        all.insert(
            0,
            settle_engagement(context, pair.client, other, |_| {}).await,
        );
    }
    let ids: Vec<String> = all.iter().map(ToString::to_string).collect();
    let list = format!("/v1/clients/{}/engagements", pair.client);
    for (subject, list) in [
        ("ana", format!("{list}?limit=2")),
        ("cora", format!("{list}?limit=2")),
        ("cora", "/v1/engagements?state=open&limit=2".to_owned()),
    ] {
        let (mut seen, mut next) = (Vec::new(), Some(list));
        while let Some(page) = next {
            let page = pair.world.as_(subject).get(&page).await.expect(200);
            for entry in page["items"].as_array().unwrap() {
                seen.push(entry["id"].as_str().unwrap().to_owned());
                let people = entry["people"].as_array().unwrap();
                assert_eq!(people.len(), 2);
                assert!(people.iter().all(|person| person["contact"].is_null()));
            }
            next = page.next_page();
        }
        assert_eq!(seen, ids, "{subject}");
    }
    let mira = format!("/v1/support-workers/{}/engagements", pair.worker);
    let mira = pair.world.as_("mira").get(&mira).await.expect(200);
    assert_eq!(mira["items"].as_array().unwrap().len(), 1);
    let ended = pair
        .world
        .as_("cora")
        .get("/v1/engagements?state=ended")
        .await;
    assert_eq!(ended.expect(200)["items"], json!([]));
    // An authority over other things lists nothing.
    let other = |held: &mut domain::access::Authority| held.scopes = [Scope::Details].into();
    settle_representative(context, "dora", pair.client, other).await;
    pair.world.as_("dora").get(&list).await.expect(403);
}

#[tokio::test]
async fn a_block_looks_like_an_end_and_keeps_the_two_apart_for_good() {
    let pair = Pair::settle().await;
    let context = pair.world.context();
    settle_staff(context, "adam", StaffRole::Administrator).await;
    let stays = settle_worker(context, "noor").await;
    pair.world.settle().await;
    let adam = pair.world.as_("adam");
    let terms = json!({
        "name": "Together", "entitlements": ["match_requests"], "open_match_requests": 5,
        "fees": {"monthly": 1900, "service_basis_points": 250}
    });
    let plan = adam.post("/v1/membership-plans", &terms).await.expect(201);
    let client = format!("/v1/clients/{}", pair.client);
    let shown = adam.get(&client).await.expect(200);
    let assign = json!({"plan": plan["id"], "reason": "Chosen."});
    let membership = format!("{client}/membership");
    adam.put(&membership, &shown.etag(), &assign)
        .await
        .expect(200);
    // Who is on the list of a new request, and whom the client would be shown.
    let matched = async || {
        let path = format!("{client}/match-requests");
        let request = pair.world.as_("ana").post(&path, &modest_request()).await;
        let request = format!("/v1/match-requests/{}", request.expect(201).string("id"));
        let preview = format!("{request}/candidate-preview");
        let preview = pair.world.as_("cora").get(&preview).await.expect(200);
        let listed = preview["listed"].as_array().unwrap().iter();
        let listed = listed.map(|one| one["worker"].as_str().unwrap().to_owned());
        (
            request,
            listed.collect::<Vec<_>>(),
            preview["shown"].as_array().unwrap().len(),
        )
    };

    // A request from before, on whose list somebody may be who is blocked only then.
    let (before, listed, _) = matched().await;
    let etag = adam.get(&pair.path).await.expect(200).etag();
    let blocked = pair
        .act("mira", "block", because("Rang at night."))
        .await
        .expect(201);
    assert_eq!(blocked["state"], "ended");
    assert_eq!(blocked["blocked_by"], json!(["worker"]));
    assert_ne!(blocked.etag(), etag);
    let again = pair.act("mira", "block", because("Again.")).await;
    again.expect_problem(409, "blocked-already");

    // The other side sees an end like any other.
    let ana = pair.seen_by("ana").await;
    assert_eq!(ana["state"], "ended");
    assert_eq!(ana["blocked_by"], json!([]));
    assert!(!ana.to_string().contains("night"), "{ana}");
    assert_eq!(pair.lines().await, [Happening::EngagementEnded]);
    for subject in ["ana", "rita"] {
        let told = pair.told(subject).await;
        assert_eq!(
            told.iter()
                .filter(|told| *told == "The engagement has ended")
                .count(),
            1
        );
        assert!(
            !told
                .iter()
                .any(|told| told.to_lowercase().contains("block")),
            "{told:?}"
        );
    }
    let unblocked = pair.act("ana", "unblock", json!({})).await;
    unblocked.expect_problem(409, "not-blocked");
    let cora = pair.seen_by("cora").await;
    assert_eq!(cora["blocked_by"], json!(["worker"]));
    assert_eq!(cora["end"]["reason"], "Rang at night.");
    let refused = pair.act("adam", "reopening", because("Mistake.")).await;
    refused.expect_problem(409, "pair-blocked");

    // Neither a new list nor one from before brings them together.
    let mira = pair.worker.to_string();
    let (request, after, shown) = matched().await;
    assert_eq!((after, shown), (vec![stays.to_string()], 1));
    let why = format!("{request}/candidate-preview/{mira}");
    let why = pair.world.as_("cora").get(&why).await.expect(200);
    assert!(why.text().contains("blocked"), "{}", why.text());
    assert!(!listed.is_empty());
    let preview = format!("{before}/candidate-preview");
    let preview = pair.world.as_("cora").get(&preview).await.expect(200);
    assert_eq!(preview["shown"].as_array().unwrap().len(), 1);
    pair.world.advance(24).await;
    for request in [before, request] {
        let seen = pair
            .world
            .as_("ana")
            .get(&format!("{request}/candidates"))
            .await;
        let seen = seen.expect(200);
        assert_eq!(seen["candidates"].as_array().unwrap().len(), 1);
        assert!(!seen.text().contains(&mira));
    }

    // The other side blocks too, in silence; each takes back its own alone.
    let heard = (pair.told("mira").await, pair.lines().await);
    let both = pair
        .act("rita", "block", because("No more."))
        .await
        .expect(201);
    assert_eq!(both["blocked_by"], json!(["client"]));
    assert_eq!((pair.told("mira").await, pair.lines().await), heard);
    let seen = pair.act("mira", "unblock", json!({})).await.expect(201);
    assert_eq!(seen["blocked_by"], json!([]));
    assert_eq!(pair.seen_by("cora").await["blocked_by"], json!(["client"]));
    assert_eq!(matched().await.1, [stays.to_string()]);
    pair.act("ana", "unblock", json!({})).await.expect(201);
    pair.act("adam", "reopening", because("Both want it."))
        .await
        .expect(201);
}

/// A block and an end at the same moment: one ends it, and the two are blocked all the same.
#[tokio::test]
async fn a_block_and_an_end_at_the_same_moment_end_it_once() {
    let pair = Pair::settle().await;
    let end = pair.act("mira", "end", because("Done."));
    let block = pair.act("ana", "block", because("Enough."));
    let answers = crate::all_at_once([
        Box::pin(end) as std::pin::Pin<Box<dyn Future<Output = _>>>,
        Box::pin(block),
    ])
    .await;
    answers[1].clone().expect(201);
    assert!(
        [201, 403].contains(&answers[0].status()),
        "{}",
        answers[0].text()
    );
    assert_eq!(pair.lines().await, [Happening::EngagementEnded]);
    assert_eq!(pair.seen_by("cora").await["blocked_by"], json!(["client"]));
}
