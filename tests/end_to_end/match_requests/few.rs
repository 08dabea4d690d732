//! A request that few fit: staff see why, whom asking differently would bring and what each lacks; the client hears of
//! it in words that give nobody away.

use domain::access::StaffRole;
use domain::availability::{HalfHour, Weekday, WeeklyHours};
use domain::check::CheckKind;
use domain::engagement::Side;
use domain::id::{ClientId, WorkerId};
use domain::money::Cents;
use domain::pair::Pair;
use domain::profile::OfferedService;
use domain::support_worker::SupportWorker;
use domain::vocabulary::{Certification, Service, Skill, Task};
use rapport_tests::answer::Answer;
use rapport_tests::people::{
    modest_request, settle_client, settle_engagement, settle_staff, settle_worker, settle_workers,
};
use rapport_tests::world::World;
use serde_json::{Value, json};
use store::{Actor, Commit, Key};

use super::Carlton;

/// Who lacks what of [`request`], by number.
const FIT: std::ops::Range<usize> = 0..2;
const EVENINGS: std::ops::Range<usize> = 2..9;
const LATER: std::ops::Range<usize> = 9..11;
const DEAR: std::ops::Range<usize> = 11..14;
const DO_NOT_COOK: std::ops::Range<usize> = 14..20;
const UNCERTIFIED: std::ops::Range<usize> = 20..23;
const WILL_NOT_LIFT: usize = 23;
const FAR: usize = 24;
const EXPIRING: usize = 25;
const UNSKILLED_AND_DEAR: usize = 26;
const ALL: usize = 27;

fn hours(from: u8, until: u8) -> Vec<WeeklyHours> {
    let time = |half_hours| HalfHour::after_midnight(half_hours).unwrap();
    vec![WeeklyHours {
        weekday: Weekday::Monday,
        from: time(from),
        until: time(until),
    }]
}

fn is(number: usize, worker: &mut SupportWorker) {
    let profile = &mut worker.profile;
    profile.skills = vec![Skill::Cooking];
    worker.proven.certifications = vec![domain::support_worker::HeldCertification {
        certification: Certification::FirstAid,
        expires_on: UNCERTIFIED
            .contains(&number)
            .then(|| "2026-11-30".parse().unwrap()),
    }];
    let weekly = &mut profile.availability.weekly;
    if EVENINGS.contains(&number) {
        *weekly = hours(36, 44);
    } else if LATER.contains(&number) {
        // Two hours of the morning, beginning too late.
        *weekly = hours(20, 24);
    } else if DO_NOT_COOK.contains(&number) || number == UNSKILLED_AND_DEAR {
        profile.skills.clear();
    }
    if DEAR.contains(&number) || number == UNSKILLED_AND_DEAR {
        profile.services = vec![OfferedService {
            service: Service::SocialSupport,
            hourly_rate: Cents(6_250),
        }];
    } else if number == WILL_NOT_LIFT {
        profile.boundaries.tasks = vec![Task::Transfers];
    } else if number == FAR {
        let area = profile.service_area.as_mut().unwrap();
        area.base.latitude += 0.12;
    } else if number == EXPIRING {
        let mut checks = worker.checks.iter_mut();
        let insurance = checks.find(|check| check.kind == CheckKind::Insurance);
        insurance.unwrap().expires_on = Some("2026-11-30".parse().unwrap());
    }
}

/// Mondays from nine to eleven, by somebody certified who cooks and lifts, at up to 60.00.
fn request() -> Value {
    let mut details = modest_request();
    details["days"] = json!([{
        "weekday": "monday", "day_part": "morning", "hours": {"from": "09:00", "until": "11:00"}, "strength": "must"
    }]);
    details["preferences"] = json!([{"strength": "must", "wish": {"skill": "cooking"}}]);
    details["certifications"] = json!(["first_aid"]);
    details["care_needs"]["tasks"] = json!(["transfers"]);
    details["budget"] = json!({"least": 0, "most": 6000});
    details["about_me"] = json!("I walk a lot, and I like my tea.");
    details
}

struct Few {
    world: World,
    client: ClientId,
    workers: Vec<WorkerId>,
}

impl Few {
    async fn settle() -> Self {
        let world = World::start().await;
        let subjects = (0..ALL).map(|number| format!("canary-{number}"));
        let workers = settle_workers(world.context(), subjects, |number, _, worker| {
            is(number, worker);
        });
        let workers = workers
            .await
            .into_iter()
            .map(|(worker, _)| worker)
            .collect();
        let (client, _) = settle_client(world.context(), "ana").await;
        settle_staff(world.context(), "cora", StaffRole::Coordinator).await;
        let ada = world.administrator();
        let terms = json!({
            "name": "Together", "entitlements": ["match_requests"], "open_match_requests": 9,
            "fees": {"monthly": 1900, "service_basis_points": 250}
        });
        let plan = ada.post("/v1/membership-plans", &terms).await.expect(201);
        let path = format!("/v1/clients/{client}");
        let tag = ada.get(&path).await.etag();
        let assign = json!({"plan": plan["id"], "reason": "Chosen by telephone."});
        let path = format!("{path}/membership");
        ada.put(&path, &tag, &assign).await.expect(200);
        world.settle().await;
        Self {
            world,
            client,
            workers,
        }
    }

    async fn submitted(&self, details: &Value) -> String {
        let path = format!("/v1/clients/{}/match-requests", self.client);
        let submitted = self.world.as_("ana").post(&path, details).await.expect(201);
        format!("/v1/match-requests/{}", submitted.string("id"))
    }

    async fn preview(&self, request: &str) -> Answer {
        let path = format!("{request}/candidate-preview");
        self.world.as_("cora").get(&path).await.expect(200)
    }

    async fn explained(&self, request: &str, number: usize) -> Answer {
        let path = format!("{request}/candidate-preview/{}", self.workers[number]);
        self.world.as_("cora").get(&path).await.expect(200)
    }

    /// What the client sees once the list has fallen due.
    async fn seen(&self, request: &str) -> Answer {
        self.world.advance(24).await;
        let path = format!("{request}/candidates");
        self.world.as_("ana").get(&path).await.expect(200)
    }

    /// A support worker and the client, who have never met, and of whom one wants it to stay so.
    async fn block(&self, number: usize, side: Side) {
        let context = self.world.context();
        let pair = Pair {
            blocked_by: [side].into(),
            ..Pair::strangers(self.client, self.workers[number])
        };
        let key = Key::pair(self.client, self.workers[number]);
        let audit = context.audit(Actor::Service, "settle", &key);
        context
            .store
            .commit(Commit::new(audit).insert(&pair))
            .await
            .unwrap();
    }
}

/// The words of each entry of a list, with a number of each.
fn words(list: &Value, number: &str) -> Vec<(String, Option<u64>)> {
    let list = list.as_array().unwrap().iter();
    list.map(|entry| {
        let words = entry["words"].as_str().unwrap().to_owned();
        (words, entry[number].as_u64())
    })
    .collect()
}

fn brings(words: &str, count: usize) -> (String, Option<u64>) {
    (words.to_owned(), u64::try_from(count).ok())
}

#[tokio::test]
async fn staff_see_whom_asking_differently_would_bring_and_who_came_nearest() {
    let few = Few::settle().await;
    let request = few.submitted(&request()).await;
    let preview = few.preview(&request).await;
    assert_eq!(preview["listed"].as_array().unwrap().len(), FIT.len());
    let misses = &preview["misses"];
    let relaxations = words(&misses["relaxations"], "brings");
    for expected in [
        brings("Evenings instead of mornings", EVENINGS.len()),
        brings(
            "Mondays 09:00 to 11:00 as a wish instead of a must",
            EVENINGS.len() + LATER.len(),
        ),
        brings(
            "Monday mornings at any time instead of exact hours",
            LATER.len(),
        ),
        brings("Up to 65.00 an hour", DEAR.len()),
        brings("As a wish instead of a must: Cooking", DO_NOT_COOK.len()),
        brings("Without the certificate: First aid", UNCERTIFIED.len()),
    ] {
        assert!(
            relaxations.contains(&expected),
            "{expected:?} in {relaxations:#?}"
        );
    }
    let counts: Vec<_> = relaxations.iter().map(|(_, brings)| *brings).collect();
    assert!(counts.is_sorted_by(|one, next| one >= next), "{counts:?}");
    let evenings = misses["relaxations"].as_array().unwrap().iter();
    let mut evenings = evenings.filter(|one| one["relaxation"]["other_part"]["to"] == "evening");
    assert_eq!(evenings.next().unwrap()["loses"], FIT.len());
    let arrangements = words(&misses["arrangements"], "brings");
    for expected in [
        brings("If they travel 5 km farther", 1),
        brings("If somebody else does: Transfers by hand", 1),
        brings("If checks are renewed in time", 1),
        brings("If certificates are renewed", UNCERTIFIED.len()),
    ] {
        assert!(
            arrangements.contains(&expected),
            "{expected:?} in {arrangements:#?}"
        );
    }
    let nearest = misses["nearest"].as_array().unwrap();
    assert_eq!(nearest.len(), 5);
    let scores: Vec<_> = nearest.iter().map(|near| near["score"].as_u64()).collect();
    assert!(scores.is_sorted_by(|one, next| one >= next), "{scores:?}");
    for near in nearest {
        let lacks = near["lacks"].as_array().unwrap();
        assert!(!lacks.is_empty() && lacks.iter().all(|lack| lack["rule"] == near["rule"]));
        assert_ne!(near["worker"], few.workers[UNSKILLED_AND_DEAR].to_string());
    }
    // The whole account of everybody listed.
    for listed in preview["listed"].as_array().unwrap() {
        assert_eq!(listed["kept"].as_array().unwrap().len(), 12);
        assert_eq!(
            (&listed["broken"], &listed["absence"]),
            (&json!([]), &json!([]))
        );
    }
}

#[tokio::test]
async fn the_client_hears_what_would_bring_more_and_of_nobody() {
    let few = Few::settle().await;
    let request = few.submitted(&request()).await;
    let preview = few.preview(&request).await;
    let seen = few.seen(&request).await;
    let told = words(&seen["would_bring_more"], "at_least");
    let all = |words: &str| brings(&format!("{words}: at least 5 more"), 5);
    let some = |words: &str| (format!("{words}: a few more"), None);
    assert_eq!(
        told,
        [
            all("Evenings instead of mornings"),
            all("Mondays 09:00 to 11:00 as a wish instead of a must"),
            all("As a wish instead of a must: Cooking"),
            some("Monday mornings at any time instead of exact hours"),
            some("Up to 65.00 an hour"),
        ]
    );
    let in_the_way = seen["stood_in_the_way"].as_array().unwrap();
    let budget = in_the_way
        .iter()
        .find(|one| one["words"] == "Have rates outside your budget");
    assert_eq!(
        budget.unwrap()["without_it"],
        Value::Null,
        "three are too few to say"
    );
    assert_eq!(
        preview["would_bring_more"], seen["would_bring_more"],
        "what staff previewed"
    );
    // Nothing of the private rules, and nobody.
    for private in [
        "Transfers by hand",
        "farther",
        "renewed",
        "nearest",
        "canary",
        "First aid",
    ] {
        assert!(
            !seen.text().contains(private),
            "{private} in {}",
            seen.text()
        );
    }
    for worker in &few.workers {
        let worker = worker.to_string();
        assert!(!seen.text().contains(&worker) && !seen.headers().contains(&worker));
    }
}

#[tokio::test]
async fn a_block_changes_nothing_of_what_the_client_hears() {
    let few = Few::settle().await;
    let before = few.submitted(&request()).await;
    let (preview, told) = (few.preview(&before).await, few.seen(&before).await);
    few.block(EVENINGS.start, Side::Worker).await;
    few.block(EVENINGS.start + 1, Side::Worker).await;
    few.block(EVENINGS.start + 2, Side::Client).await;
    few.block(DEAR.start, Side::Worker).await;
    let after = few.submitted(&request()).await;
    let with_blocks = few.preview(&after).await;
    let exact = |preview: &Answer, of: &str| {
        let relaxations = words(&preview["misses"]["relaxations"], "brings");
        relaxations
            .into_iter()
            .find(|(words, _)| words == of)
            .unwrap()
            .1
    };
    for (words, fewer) in [
        ("Evenings instead of mornings", 3),
        ("Up to 65.00 an hour", 1),
    ] {
        let (was, is) = (exact(&preview, words), exact(&with_blocks, words));
        assert_eq!(was.unwrap() - is.unwrap(), fewer, "staff see it: {words}");
    }
    let later = few.seen(&after).await;
    for part in ["would_bring_more", "stood_in_the_way"] {
        assert_eq!(told[part], later[part]);
    }
    assert!(!later["would_bring_more"].as_array().unwrap().is_empty());
}

/// What staff are told of somebody in particular: each lack, and whatever else keeps them off.
#[tokio::test]
async fn a_named_support_worker_is_explained_to_the_last_detail() {
    let few = Few::settle().await;
    let request = few.submitted(&request()).await;
    for (number, lack) in [
        (EVENINGS.start, "Is not free: Mondays 09:00 to 11:00"),
        (DEAR.start, "Company and social support costs 62.50 an hour"),
        (DO_NOT_COOK.start, "Lacks the must: Cooking"),
        (UNCERTIFIED.start, "First aid: holds until 2026-11-30"),
        (WILL_NOT_LIFT, "Does not accept: Transfers by hand"),
        (FAR, "Lives 3.4 km too far away"),
        (EXPIRING, "Insurance: holds until 2026-11-30"),
    ] {
        let explained = few.explained(&request, number).await;
        let lacks = explained["lacks"].as_array().unwrap();
        assert_eq!(lacks.len(), 1, "{}", explained["lacks"]);
        assert_eq!(lacks[0]["words"], lack);
        assert_eq!(explained["broken"], json!([lacks[0]["rule"]]));
        let reason = &explained["absence"][0]["reason"];
        assert_eq!(reason, &json!({"ineligible": [lacks[0]["rule"]]}));
        let rules = |kind: &str| explained[kind].as_array().unwrap().len();
        assert_eq!(rules("kept") + rules("broken"), 12);
        let points = explained["contributions"].as_array().unwrap().iter();
        let points: u64 = points.map(|part| part["points"].as_u64().unwrap()).sum();
        assert_eq!(explained["score"], points);
        assert!(
            explained["words"].to_string().contains(lack),
            "{}",
            explained["words"]
        );
    }
    let both = few.explained(&request, UNSKILLED_AND_DEAR).await;
    assert_eq!(both["broken"], json!(["preferences", "budget"]));
    let fits = few.explained(&request, FIT.start).await;
    assert_eq!(
        (&fits["shown"], &fits["listed"]),
        (&json!(true), &json!(true))
    );
    assert_eq!((&fits["absence"], &fits["lacks"]), (&json!([]), &json!([])));
    assert_eq!(
        fits["why"],
        json!(["Good at: Cooking", "You both mention: walk, tea"])
    );

    // Who does not stand as active, and why not.
    let ada = few.world.administrator();
    let reason = json!({"reason": "A complaint is being looked into."});
    let worker = few.workers[FIT.start];
    let path = format!("/v1/support-workers/{worker}/suspension");
    ada.post(&path, &reason).await.expect(201);
    let suspended = few.explained(&request, FIT.start).await;
    assert_eq!(suspended["lacks"][0]["lack"], json!({"state": "suspended"}));
    let revoked = few.workers[FIT.start + 1];
    let path = format!("/v1/support-workers/{revoked}/checks/insurance/revocation");
    ada.post(&path, &reason).await.expect(201);
    let revoked = few.explained(&request, FIT.start + 1).await;
    let lacks = words(&revoked["lacks"], "none");
    for lack in ["Stands as: Submitted", "Insurance: revoked"] {
        assert!(lacks.iter().any(|(words, _)| words == lack), "{lacks:?}");
    }
    // Blocked, and known: staff are told.
    few.block(EVENINGS.start, Side::Worker).await;
    let blocked = few.explained(&request, EVENINGS.start).await;
    assert_eq!(blocked["broken"], json!(["availability", "not_blocked"]));
}

/// Who fits, and is not shown: kept off, standing by, not in the index yet, or known.
#[tokio::test]
async fn whoever_fits_and_is_not_shown_is_explained_too() {
    let carlton = Carlton::settle().await;
    let request = carlton.submitted().await;
    let before = carlton.preview(&request).await;
    let explained = async |worker: &str| {
        let path = format!("{request}/candidate-preview/{worker}");
        carlton.world.as_("cora").get(&path).await.expect(200)
    };
    let worker = |place: usize| {
        before["listed"][place]["worker"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let out = json!(worker(0));
    carlton
        .decide(&request, "exclusions", &out)
        .await
        .expect(201);
    let excluded = explained(&worker(0)).await;
    assert_eq!(
        (&excluded["shown"], &excluded["listed"], &excluded["broken"]),
        (&json!(false), &json!(true), &json!([]))
    );
    let decision = &excluded["absence"][0]["reason"]["excluded"];
    assert_eq!(decision["reason"], "Parted badly.");
    assert_eq!(excluded["score"], excluded["listed_score"]);

    let last = explained(&worker(7)).await;
    assert_eq!(
        last["absence"][0]["reason"],
        json!({"reserve": {"place": 8}})
    );
    let shown = explained(&worker(1)).await;
    assert_eq!(
        (&shown["shown"], &shown["absence"]),
        (&json!(true), &json!([]))
    );

    // In the table, and in no row that shards are built from.
    let context = carlton.world.context();
    let key = Key::worker(worker(1).parse().unwrap());
    let found = context.store.get::<SupportWorker>(&key).await;
    let twin = SupportWorker {
        id: context.fresh(),
        ..found.unwrap().unwrap().value
    };
    let audit = context.audit(Actor::Service, "settle", &Key::worker(twin.id));
    let commit = Commit::new(audit).insert(&twin);
    context.store.commit(commit).await.unwrap();
    let unbuilt = explained(&twin.id.to_string()).await;
    assert_eq!(unbuilt["broken"], json!([]));
    assert_eq!(unbuilt["absence"][0]["reason"], "not_indexed");

    // Somebody who has come since: the index has them, the list has not.
    let newcomer = settle_worker(context, "newcomer").await;
    carlton.world.settle().await;
    let since = explained(&newcomer.to_string()).await;
    assert_eq!(since["absence"][0]["reason"], "fits_since");

    // Whom the client knows by now.
    let known = worker(2);
    settle_engagement(context, carlton.client, known.parse().unwrap(), |_| {}).await;
    let known = explained(&known).await;
    assert_eq!(known["absence"][0]["reason"], "known");
}

#[tokio::test]
async fn exact_hours_are_held_to_their_part_of_the_day_and_shown_to_both_sides() {
    let carlton = Carlton::settle().await;
    let asking = |part: &str, from: &str, until: &str| {
        let mut details = modest_request();
        details["days"] = json!([{
            "weekday": "monday", "day_part": part, "hours": {"from": from, "until": until}, "strength": "must"
        }]);
        details
    };
    for (part, from, until) in [
        ("morning", "05:30", "07:00"),
        ("morning", "11:00", "12:30"),
        ("evening", "20:00", "20:00"),
        ("night", "21:30", "23:00"),
    ] {
        let refused = carlton.ask("ana", &asking(part, from, until)).await;
        let refused = refused.expect_problem(422, "invalid-fields");
        assert_eq!(
            refused.pointers(),
            ["/days/0/hours"],
            "{part} {from} {until}"
        );
    }
    carlton
        .ask("ana", &asking("morning", "09:15", "10:00"))
        .await
        .expect(422);
    // Everybody here works from 08:00 on Mondays.
    let early = carlton
        .ask("ana", &asking("morning", "07:30", "09:00"))
        .await
        .expect(201);
    let path = format!("/v1/match-requests/{}", early.string("id"));
    let preview = carlton.preview(&path).await;
    assert_eq!(preview["listed"], json!([]));
    let wider = brings(
        "Monday mornings at any time instead of exact hours",
        super::WORKERS,
    );
    let relaxations = words(&preview["misses"]["relaxations"], "brings");
    assert!(relaxations.contains(&wider), "{relaxations:?}");

    let asked = carlton
        .ask("ana", &asking("morning", "08:00", "10:30"))
        .await
        .expect(201);
    let hours = json!({"from": "08:00", "until": "10:30"});
    assert_eq!(asked["details"]["days"][0]["hours"], hours);
    let request = format!("/v1/match-requests/{}", asked.string("id"));
    carlton.world.advance(24).await;
    let seen = carlton.candidates(&request).await.expect(200);
    assert_eq!(seen["would_bring_more"], json!([]), "five were found");
    let candidate = seen["candidates"][0]["candidate"].as_str().unwrap();
    let invite = format!("{request}/candidates/{candidate}/invitation");
    carlton
        .world
        .as_("ana")
        .post(&invite, &json!({}))
        .await
        .expect(201);
    let preview = carlton.preview(&request).await;
    let mut listed = preview["listed"].as_array().unwrap().iter();
    let listed = listed.find(|one| one["candidate"] == candidate).unwrap();
    let worker = listed["worker"].as_str().unwrap();
    let number = carlton
        .workers
        .iter()
        .position(|one| one.to_string() == worker);
    let subject = format!("worker-{}", number.unwrap());
    let invitations = format!("/v1/support-workers/{worker}/invitations");
    let invited = carlton
        .world
        .as_(&subject)
        .get(&invitations)
        .await
        .expect(200);
    assert_eq!(invited["items"][0]["request"]["days"][0]["hours"], hours);
}
