//! Schedules: one visit on three of them, a page at a time, in every range.

use std::collections::BTreeSet;

use domain::access::StaffRole;
use rapport_tests::answer::Answer;
use rapport_tests::people::{settle_representative, settle_staff};
use rapport_tests::visits::at_home;
use serde_json::{Value, json};

use crate::engaged::{Engaged, accept, propose};

const ALL: &str = "from=2026-03-01T00:00:00Z&until=2027-03-01T00:00:00Z";

fn items(answer: &Answer) -> &Vec<Value> {
    answer["items"].as_array().unwrap()
}

fn visits(answer: &Answer) -> Vec<&str> {
    let items = items(answer).iter();
    items.map(|item| item["visit"].as_str().unwrap()).collect()
}

fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

struct Paths {
    client: String,
    worker: String,
}

impl Paths {
    fn of(engaged: &Engaged) -> Self {
        Self {
            client: format!("/v1/clients/{}/schedule", engaged.client),
            worker: format!("/v1/support-workers/{}/schedule", engaged.worker),
        }
    }
}

#[tokio::test]
async fn a_visit_shows_the_same_on_all_three_schedules() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let context = world.context();
    settle_staff(context, "cora", StaffRole::Coordinator).await;
    settle_staff(context, "sam", StaffRole::Supervisor).await;
    settle_representative(context, "rosa", engaged.client, |_| {}).await;
    let paths = Paths::of(&engaged);
    // Before and after the clocks are put back.
    for starts in [
        "2026-04-06T09:00:00",
        "2026-04-02T09:00:00",
        "2026-03-05T09:00:00",
    ] {
        engaged.book(&at_home(starts)).await;
    }
    let cancelled = engaged.book(&at_home("2026-03-09T09:00:00")).await;
    let reason = json!({"reason": "A mistake."});
    let cancellation = format!("{cancelled}/cancellation");
    world
        .administrator()
        .post(&cancellation, &reason)
        .await
        .expect(201);

    let read = async |subject: &str, path: &str| {
        let found = world.as_(subject).get(&format!("{path}?{ALL}")).await;
        found.expect(200).json().clone()
    };
    let clients = read("ana", &paths.client).await;
    let shown: Vec<&Value> = clients["items"].as_array().unwrap().iter().collect();
    let times: Vec<&str> = shown
        .iter()
        .map(|it| it["from"].as_str().unwrap())
        .collect();
    assert_eq!(
        times,
        [
            "2026-03-05T09:00:00+11:00",
            "2026-04-02T09:00:00+11:00",
            "2026-04-06T09:00:00+10:00"
        ]
    );
    assert!(
        shown
            .iter()
            .all(|it| it["time_zone"] == "Australia/Melbourne")
    );
    for (subject, path) in [
        ("wanda", &*paths.worker),
        ("rosa", &*paths.client),
        ("cora", &*paths.client),
        ("cora", &*paths.worker),
        ("cora", "/v1/schedule"),
    ] {
        assert_eq!(read(subject, path).await, clients, "{subject} {path}");
    }
    for (subject, path, status) in [
        ("wanda", &*paths.client, 404),
        ("ana", &*paths.worker, 404),
        ("ana", "/v1/schedule", 404),
        ("sam", "/v1/schedule", 403),
        ("sam", &*paths.worker, 403),
    ] {
        world.as_(subject).get(path).await.expect(status);
    }
}

#[tokio::test]
async fn a_range_holds_whatever_takes_place_in_it() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let paths = Paths::of(&engaged);
    // From 22:00 to midnight UTC on the last day of March, and the first two hours of April.
    let march = engaged.book(&at_home("2026-04-01T09:00:00")).await;
    let april = engaged.book(&at_home("2026-04-01T11:00:00")).await;
    let both = vec![id(&march), id(&april)];
    for (range, expected) in [
        (
            "from=2026-03-31T21:00:00Z&until=2026-03-31T22:00:00Z",
            vec![],
        ),
        (
            "from=2026-03-31T21:00:00Z&until=2026-03-31T22:00:01Z",
            vec![both[0]],
        ),
        (
            "from=2026-03-31T23:59:59Z&until=2026-04-01T00:00:00Z",
            vec![both[0]],
        ),
        (
            "from=2026-03-31T23:59:59Z&until=2026-04-01T00:00:01Z",
            both.clone(),
        ),
        (
            "from=2026-04-01T00:00:00Z&until=2026-04-02T00:00:00Z",
            vec![both[1]],
        ),
        (
            "from=2026-04-01T02:00:00Z&until=2026-04-02T00:00:00Z",
            vec![],
        ),
        // The offset of a place, where a plus sign is written as it is in an address.
        (
            "from=2026-04-01T08:00:00%2B11:00&until=2026-04-01T09:30:00%2B11:00",
            vec![both[0]],
        ),
    ] {
        for path in [&*paths.client, &*paths.worker, "/v1/schedule"] {
            let found = world.administrator().get(&format!("{path}?{range}")).await;
            assert_eq!(visits(&found.expect(200)), expected, "{path} {range}");
        }
    }
    // The next four weeks unless told: until 30 March.
    let usual = world.as_("ana").get(&paths.client).await.expect(200);
    assert_eq!(visits(&usual), [""; 0]);
    world.advance(72).await;
    let usual = world.as_("ana").get(&paths.client).await.expect(200);
    assert_eq!(visits(&usual), both);
    for (range, pointer) in [
        (
            "from=2026-04-01T00:00:00Z&until=2026-04-01T00:00:00Z",
            "?until",
        ),
        (
            "from=2026-04-01T00:00:00Z&until=2027-04-02T00:00:01Z",
            "?until",
        ),
        ("from=tomorrow", "?from"),
        ("from=-100000-01-01T00:00:00Z", "?from"),
    ] {
        for path in [&*paths.client, "/v1/schedule"] {
            let refused = world.administrator().get(&format!("{path}?{range}")).await;
            assert_eq!(refused.expect(422).pointers(), [pointer], "{range}");
        }
    }
}

#[tokio::test]
async fn schedules_are_paged_across_months_and_filtered() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    settle_staff(world.context(), "cora", StaffRole::Coordinator).await;
    let cora = world.as_("cora");
    let paths = Paths::of(&engaged);
    let bea = engaged.another_client("bea").await;
    let mut expected = Vec::new();
    for (number, month) in ["03", "04", "06", "07"].into_iter().enumerate() {
        for day in ["10", "11", "12"] {
            let mut visit = at_home(&format!("2026-{month}-{day}T09:00:00"));
            if number == 1 {
                visit["place"] = json!({"elsewhere": {"suburb": "Fitzroy", "address": "The pool"}});
            }
            expected.push(engaged.book(&visit).await);
        }
    }
    let beas = propose(world, "wanda", bea, &at_home("2026-05-10T09:00:00")).await;
    let beas = accept(world, "bea", &beas.expect(201)).await.expect(201);
    let expected: Vec<&str> = expected.iter().map(|path| id(path)).collect();

    // Whoever asks, page by page, finds each once and in order.
    let walk = async |path: &str, limit: usize| {
        let mut found = Vec::new();
        let mut page = format!("{path}&limit={limit}");
        loop {
            let answer = cora.get(&page).await.expect(200);
            assert!(items(&answer).len() <= limit);
            found.extend(visits(&answer).into_iter().map(str::to_owned));
            match answer.next_page() {
                Some(next) => page = next,
                None => return found,
            }
        }
    };
    for limit in [1, 2, 5, 13] {
        assert_eq!(
            walk(&format!("{}?{ALL}", paths.client), limit).await,
            expected
        );
        let workers = walk(&format!("{}?{ALL}", paths.worker), limit).await;
        assert_eq!(workers.len(), 13);
        assert_eq!(walk(&format!("/v1/schedule?{ALL}"), limit).await, workers);
        let person = format!("/v1/schedule?{ALL}&person={}", engaged.client_person);
        assert_eq!(walk(&person, limit).await, expected);
        let place = format!("/v1/schedule?{ALL}&place=fitzroy");
        assert_eq!(walk(&place, limit).await, expected[3..6]);
    }
    let once: BTreeSet<&str> = expected.iter().copied().collect();
    assert!(!once.contains(&*beas.string("visit")));
    let reason = json!({"reason": "A mistake."});
    let cancellation = format!("/v1/visits/{}/cancellation", expected[4]);
    world
        .administrator()
        .post(&cancellation, &reason)
        .await
        .expect(201);
    let cancelled = format!("/v1/schedule?{ALL}&state=cancelled");
    assert_eq!(walk(&cancelled, 5).await, [expected[4]]);
    let booked = format!("/v1/schedule?{ALL}&state=booked");
    assert_eq!(walk(&booked, 5).await.len(), 12);
    for path in [&*paths.client, "/v1/schedule"] {
        let odd = cora.get(&format!("{path}?{ALL}&cursor=odd")).await;
        odd.expect_problem(400, "malformed");
    }
    let unknown = cora.get(&format!("/v1/schedule?{ALL}&state=odd")).await;
    assert_eq!(unknown.expect(422).pointers(), ["?state"]);
}
