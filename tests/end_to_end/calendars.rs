//! Calendars that other programs read: what they say, what they keep to themselves, and when a link ends.

use domain::access::{Authority, AuthorityState};
use domain::client::Client;
use domain::engagement::Engagement;
use domain::person::Person;
use domain::support_worker::SupportWorker;
use icalendar::parser::{Component, read_calendar, unfold};
use rapport_tests::answer::Answer;
use rapport_tests::people::{
    settle_client, settle_engagement, settle_representative, settle_worker,
};
use rapport_tests::visits::{agree_terms, at_home};
use serde_json::{Value, json};
use store::Key;

use crate::engaged::{Engaged, accept, edit, propose};

const LINKS: &str = "/v1/me/calendar-links";

async fn open(engaged: &Engaged, subject: &str, of: &Value) -> Answer {
    let caller = engaged.world.as_(subject);
    caller.post(LINKS, &json!({"of": of})).await.expect(201)
}

/// The components of a calendar, read by a parser that is not ours.
async fn read(engaged: &Engaged, path: &str) -> Vec<(String, Vec<(String, String)>)> {
    let answer = engaged.world.nobody().get(path).await.expect(200);
    let media_type = answer.header("content-type");
    assert_eq!(media_type, Some("text/calendar; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(
        !answer.text().replace("\r\n", "").contains('\n'),
        "{}",
        answer.text()
    );
    let unfolded = unfold(answer.text());
    let calendar = read_calendar(&unfolded).expect("a calendar");
    calendar.components.iter().map(parts).collect()
}

fn parts(component: &Component<'_>) -> (String, Vec<(String, String)>) {
    let properties = component.properties.iter();
    let properties = properties.map(|it| (it.name.to_string(), it.val.to_string()));
    (component.name.to_string(), properties.collect())
}

fn events(components: &[(String, Vec<(String, String)>)]) -> Vec<[&str; 3]> {
    let value = |properties: &'_ [(String, String)], name: &str| -> usize {
        properties.iter().position(|(it, _)| it == name).unwrap()
    };
    let events = components.iter().filter(|(name, _)| name == "VEVENT");
    events
        .map(|(_, it)| ["UID", "SEQUENCE", "DTSTART"].map(|name| &*it[value(it, name)].1))
        .collect()
}

#[tokio::test]
async fn a_calendar_says_when_the_visits_are_and_nothing_of_whom_or_where() {
    let engaged = Engaged::settle().await;
    // On both sides of the night in which clocks are put back.
    let late = engaged.book(&at_home("2026-04-06T09:00:00")).await;
    let early = engaged.book(&at_home("2026-03-05T09:00:00")).await;
    let uid = |path: &str| format!("{}@visits.rapport", path.rsplit('/').next().unwrap());
    let clients = open(&engaged, "ana", &json!({"client": engaged.client})).await;
    let workers = open(
        &engaged,
        "wanda",
        &json!({"support_worker": engaged.worker}),
    )
    .await;
    for link in [&clients, &workers] {
        let components = read(&engaged, &link.string("calendar")).await;
        let (early, late) = (uid(&early), uid(&late));
        assert_eq!(
            events(&components),
            [
                [&*early, "0", "20260305T090000"],
                [&*late, "0", "20260406T090000"]
            ]
        );
        let zones = components.iter().filter(|(name, _)| name == "VTIMEZONE");
        assert_eq!(zones.count(), 1);
        let text = engaged.world.nobody().get(&link.string("calendar")).await;
        for secret in ["Ana", "Wanda", "Vulture", "Carlton", "social", "@example"] {
            assert!(!text.text().contains(secret), "{secret} in {}", text.text());
        }
    }
    let reason = json!({"reason": "A mistake."});
    let cancelled = engaged.world.administrator();
    let cancelled = cancelled
        .post(&format!("{late}/cancellation"), &reason)
        .await;
    cancelled.expect(201);
    let left = read(&engaged, &clients.string("calendar")).await;
    assert_eq!(events(&left).len(), 1);
}

#[tokio::test]
async fn a_link_ends_when_it_is_revoked_and_when_its_holder_may_not_see_any_more() {
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    let rosa = settle_representative(world.context(), "rosa", engaged.client, |_| {}).await;
    let client = json!({"client": engaged.client});
    let hers = open(&engaged, "rosa", &client).await;
    let own = open(&engaged, "ana", &client).await;
    let [hers, mine] = [&hers, &own].map(|link| link.string("calendar"));
    assert_ne!(hers, mine);
    for path in [&hers, &mine] {
        world.nobody().get(path).await.expect(200);
    }
    // Nobody else opens a link to it, and nobody guesses one.
    for (subject, of) in [
        ("wanda", client.clone()),
        ("ana", json!({"support_worker": engaged.worker})),
        ("nobody-known", client.clone()),
    ] {
        let refused = world.as_(subject).post(LINKS, &json!({"of": of})).await;
        assert!([403, 404].contains(&refused.status()), "{subject}");
    }
    let (token, _) = mine.split_at(mine.len() - ".ics".len());
    let other = if token.ends_with('A') { 'E' } else { 'A' };
    for forged in [
        format!("{}{other}", &token[..token.len() - 1]),
        mine.replacen(".1.", ".2.", 1),
        "/v1/calendars/x".to_owned(),
    ] {
        world.nobody().get(&forged).await.expect(404);
    }

    let key = Key::authority(engaged.client, rosa);
    edit::<Authority>(world, &key, |held| held.state = AuthorityState::Revoked).await;
    world
        .nobody()
        .get(&hers)
        .await
        .expect_problem(404, "not-found");
    world.nobody().get(&mine).await.expect(200);

    let revocation = format!("{LINKS}/1/revocation");
    world
        .as_("ana")
        .post(&revocation, &json!({}))
        .await
        .expect(201);
    world.nobody().get(&mine).await.expect(404);
    world
        .nobody()
        .get(&own.string("free_busy"))
        .await
        .expect(404);
    world
        .as_("ana")
        .post(&revocation, &json!({}))
        .await
        .expect(404);
    let again = open(&engaged, "ana", &client).await;
    assert_eq!(again["number"], 2, "a number is given once");
    let listed = world.as_("ana").get(LINKS).await.expect(200);
    assert_eq!(listed["items"], json!([again.json().clone()]));
}

#[tokio::test]
async fn a_person_has_only_so_many_links() {
    let engaged = Engaged::settle().await;
    let client = json!({"of": {"client": engaged.client}});
    let ana = engaged.world.as_("ana");
    for _ in 0..10 {
        ana.post(LINKS, &client).await.expect(201);
    }
    let more = ana.post(LINKS, &client).await;
    more.expect_problem(409, "too-many-calendar-links");
}

#[tokio::test]
async fn the_two_of_an_engagement_see_when_the_support_worker_is_taken_with_the_journeys_to_others()
{
    let engaged = Engaged::settle().await;
    let world = &engaged.world;
    engaged.book(&at_home("2026-03-05T09:00:00")).await;
    let other = engaged.another_client("bea").await;
    let proposal = propose(world, "wanda", other, &at_home("2026-03-05T14:00:00")).await;
    accept(world, "bea", &proposal.expect(201))
        .await
        .expect(201);

    let path = format!("/v1/engagements/{}/free-busy", engaged.engagement);
    let range = "from=2026-03-04T13:00:00Z&until=2026-03-05T13:00:00Z";
    let seen = world.as_("ana").get(&format!("{path}?{range}")).await;
    let expected = json!([
        {"from": "2026-03-04T22:00:00Z", "until": "2026-03-05T00:00:00Z"},
        {"from": "2026-03-05T02:30:00Z", "until": "2026-03-05T05:30:00Z"}
    ]);
    assert_eq!(seen.expect(200)["busy"], expected);
    let seen = world.as_("wanda").get(&format!("{path}?{range}")).await;
    assert_eq!(seen.expect(200)["busy"], expected);
    world.as_("bea").get(&path).await.expect(404);
    let wrong = world
        .as_("ana")
        .get(&format!("{path}?{}", "until=2026-01-01T00:00:00Z"))
        .await;
    assert_eq!(wrong.expect(422).pointers(), ["?until"]);

    // So are days of leave, from midnight to midnight where she lives.
    edit(
        world,
        &Key::worker(engaged.worker),
        |it: &mut SupportWorker| {
            let away = json!({"away": {"first": "2026-03-20", "last": "2026-03-21"}});
            let away = serde_json::from_value(away).unwrap();
            it.profile.availability.exceptions.push(away);
        },
    )
    .await;
    let leave = "from=2026-03-18T00:00:00Z&until=2026-03-25T00:00:00Z";
    let seen = world.as_("ana").get(&format!("{path}?{leave}")).await;
    let expected = json!([{"from": "2026-03-19T13:00:00Z", "until": "2026-03-21T13:00:00Z"}]);
    assert_eq!(seen.expect(200)["busy"], expected);

    // By her own link, each has its journeys, and nothing says whose they are.
    let link = json!({"support_worker": engaged.worker});
    let link = open(&engaged, "wanda", &link).await;
    assert_eq!(
        taken(&engaged, &link).await,
        [
            "20260304T213000Z/20260305T003000Z",
            "20260305T023000Z/20260305T053000Z",
            "20260319T130000Z/20260321T130000Z"
        ]
    );
}

/// When the free-busy calendar of a link says that somebody is taken.
async fn taken(engaged: &Engaged, link: &Answer) -> Vec<String> {
    let components = read(engaged, &link.string("free_busy")).await;
    let (name, properties) = &components[0];
    assert_eq!(name, "VFREEBUSY");
    let taken = properties.iter().filter(|(name, _)| name == "FREEBUSY");
    taken.map(|(_, value)| value.clone()).collect()
}

/// Wanda is supported herself: either calendar is hers, and each may be read by other people.
#[tokio::test]
async fn whoever_is_client_and_support_worker_has_a_calendar_as_each() {
    let engaged = Engaged::settle().await;
    let (world, context) = (&engaged.world, engaged.world.context());
    engaged.book(&at_home("2026-03-05T09:00:00")).await;
    let (client, _) = settle_client(context, "wanda-as-client").await;
    edit::<Client>(world, &Key::client(client), |it| {
        it.person = engaged.worker_person;
    })
    .await;
    edit::<Person>(world, &Key::person(engaged.worker_person), |it| {
        it.roles.clients.insert(client);
    })
    .await;
    let xena = settle_worker(context, "xena").await;
    let with_terms = |it: &mut Engagement| agree_terms(context, it);
    let hers = settle_engagement(context, client, xena, with_terms).await;
    let proposal = propose(world, "xena", hers, &at_home("2026-03-06T09:00:00")).await;
    accept(world, "wanda", &proposal.expect(201))
        .await
        .expect(201);

    let as_worker = json!({"support_worker": engaged.worker});
    let as_worker = open(&engaged, "wanda", &as_worker).await;
    assert_eq!(
        taken(&engaged, &as_worker).await,
        ["20260304T213000Z/20260305T003000Z"]
    );
    let as_client = open(&engaged, "wanda", &json!({"client": client})).await;
    assert_eq!(
        taken(&engaged, &as_client).await,
        ["20260305T220000Z/20260306T000000Z"]
    );
}

#[tokio::test]
async fn a_calendar_reaches_as_far_as_a_series_that_begins_in_a_year() {
    let engaged = Engaged::settle().await;
    let path = engaged.path();
    let monthly = json!({
        "visit": at_home("2027-02-25T09:00:00"), "repeats": {"rule": "FREQ=MONTHLY;COUNT=12"}
    });
    let proposal = engaged.world.as_("wanda").post(&path, &monthly).await;
    let proposal = proposal.expect(201);
    accept(&engaged.world, "ana", &proposal).await.expect(201);
    engaged.world.settle().await;
    let link = open(&engaged, "ana", &json!({"client": engaged.client})).await;
    let components = read(&engaged, &link.string("calendar")).await;
    let events = events(&components);
    assert_eq!(events.len(), 12);
    assert_eq!(events.last().unwrap()[2], "20280125T090000");
    let taken = taken(&engaged, &link).await;
    assert_eq!(taken.last().unwrap(), "20280124T220000Z/20280125T000000Z");
}

/// The links of a record that was merged stand in nobody's list, so they must open nothing.
#[tokio::test]
async fn a_link_of_a_record_that_was_merged_opens_nothing_until_it_is_parted_again() {
    let engaged = Engaged::settle().await;
    let (world, context) = (&engaged.world, engaged.world.context());
    let (_, survivor) = settle_client(context, "ana-again").await;
    let client = json!({"client": engaged.client});
    let link = open(&engaged, "ana", &client).await;
    let person = format!("/v1/people/{}", engaged.client_person);
    let merge = json!({"into": survivor, "reason": "Signed up twice."});
    let merges = format!("{person}/merges");
    let ada = world.administrator();
    ada.post(&merges, &merge).await.expect(201);
    for path in ["calendar", "free_busy"].map(|path| link.string(path)) {
        let opened = world.nobody().get(&path).await;
        opened.expect_problem(404, "not-found");
    }
    let listed = world.as_("ana").get(LINKS).await.expect(200);
    assert_eq!(listed["items"], json!([]));
    let anew = open(&engaged, "ana", &client).await;
    read(&engaged, &anew.string("calendar")).await;

    let reason = json!({"reason": "Two people after all."});
    let unmerges = format!("{person}/unmerges");
    ada.post(&unmerges, &reason).await.expect(201);
    read(&engaged, &link.string("calendar")).await;
    let listed = world.as_("ana").get(LINKS).await.expect(200);
    assert_eq!(listed["items"], json!([link.json().clone()]));
    let taken_back = world.nobody().get(&anew.string("calendar")).await;
    taken_back.expect(404);
}
