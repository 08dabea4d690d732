use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::access::StaffRole;
use domain::check::CheckState;
use domain::eligibility::{Asked, Relations, judge};
use domain::id::PersonId;
use domain::invalid::Findings;
use domain::money::Price;
use domain::packed::IndexRecord;
use domain::person::Contact;
use domain::screening::screen;
use domain::support_worker::{SupportWorker, WorkerState};
use domain::terms::TimeBand;
use domain::words::shared;
use functions::context::Deployment;
use functions::matcher::Matcher;
use platform::blobs::FolderBlobs;
use platform::clock::ManualClock;
use platform::ids::IdSource;
use platform::keys::DeploymentKey;
use platform::mail::FolderMail;
use platform::metrics::Metrics;
use platform::tokens::TokenRules;

use super::*;
use crate::embedded::in_process;
use crate::host::FIRST_ADMINISTRATOR;

const TABLE: &str = "community";

struct Place {
    context: Context,
    dynamodb: DynamoDb,
    _folder: tempfile::TempDir,
}

async fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let dynamodb = in_process(dynoxide::Database::memory().unwrap());
    let store = Store::new(dynamodb.clone(), TABLE);
    store.create_table_if_absent().await.unwrap();
    let clock = Arc::new(ManualClock::new("2026-11-21T09:00:00Z".parse().unwrap()));
    let context = Context {
        store,
        ids: Arc::new(IdSource::seeded(clock.clone(), 1)),
        clock,
        key: DeploymentKey::from_bytes(&[1; 32]),
        mail: Arc::new(FolderMail::open(folder.path(), "rapport@localhost.invalid").unwrap()),
        blobs: Arc::new(FolderBlobs::open(folder.path()).unwrap()),
        matcher: Matcher::default(),
        metrics: Metrics::none(),
        deployment: Deployment {
            organisation: "Rapport".into(),
            app_url: "http://localhost".into(),
            emergency: "Ring 000.".into(),
            first_administrator: None,
        },
        token_rules: TokenRules {
            issuer: "https://issuer.local.invalid".into(),
            audience: "rapport".into(),
            scope: "rapport".into(),
        },
    };
    Place {
        context,
        dynamodb,
        _folder: folder,
    }
}

/// Every item's body, by its key.
async fn items(dynamodb: &DynamoDb) -> BTreeMap<(String, String), AttributeValue> {
    let mut found = BTreeMap::new();
    let mut start = None;
    loop {
        let scan = dynamodb
            .scan()
            .table_name(TABLE)
            .set_exclusive_start_key(start);
        let page = scan.send().await.unwrap();
        for item in page.items() {
            let key = |name: &str| item[name].as_s().unwrap().clone();
            found.insert((key("pk"), key("sk")), item["body"].clone());
        }
        start = page.last_evaluated_key;
        if start.is_none() {
            return found;
        }
    }
}

fn count(items: &BTreeMap<(String, String), AttributeValue>, pk: &str, sk: &str) -> usize {
    let matching = |(of, at): &&(String, String)| of.starts_with(pk) && at.starts_with(sk);
    items.keys().filter(matching).count()
}

fn support_workers(seeding: &Seeding<'_>) -> Vec<SupportWorker> {
    let samples = seeding.samples.workers.iter();
    samples
        .map(|sample| seeding.support_worker(sample).unwrap())
        .collect()
}

/// One seeding for both: it is the slowest thing here.
#[tokio::test]
async fn an_interrupted_seeding_is_completed_and_a_completed_one_left_alone() {
    let place = place().await;
    let commits = Seeding::new(&place.context).unwrap().commits().unwrap();
    let half = commits.len() / 2;
    for commit in commits.into_iter().take(half) {
        place.context.store.commit(commit).await.unwrap();
    }
    let begun = items(&place.dynamodb).await;
    assert_eq!(count(&begun, "SYSTEM#community", ""), 0);

    seed(&place.context, &place.context.store).await.unwrap();
    let whole = items(&place.dynamodb).await;
    let untouched = |(key, body): (&(String, String), &AttributeValue)| whole[key] == *body;
    assert!(begun.iter().all(untouched));
    assert!(count(&whole, "WORKER#", "META") >= 300);
    assert_eq!(count(&whole, "CLIENT#", "META"), 30);
    assert_eq!(count(&whole, "PARTNER#", "META"), 3);
    assert_eq!(count(&whole, "FORM#", "META"), 3);
    assert_eq!(count(&whole, "MPLAN#", "META"), 3);
    assert_eq!(count(&whole, "SCHEME#", "CURRENT"), 2);
    assert_eq!(count(&whole, "SCHEME#", "VERSION#"), 2);
    assert_eq!(count(&whole, "CLIENT#", "AUTHORITY#"), 4);
    assert_eq!(count(&whole, "WORKER#", "DUE#reindex"), 1);
    let people = Samples::read().unwrap().people().count();
    assert_eq!(count(&whole, "PERSON#", "PROFILE"), people);
    assert_eq!(count(&whole, "LOGIN#", "META"), people);

    seed(&place.context, &place.context.store).await.unwrap();
    assert_eq!(items(&place.dynamodb).await, whole);
}

#[test]
fn the_samples_are_as_many_and_as_distinct_as_promised() {
    let samples = Samples::read().unwrap();
    let zones: BTreeSet<_> = samples
        .places
        .values()
        .map(|place| place.time_zone.as_str())
        .collect();
    assert_eq!(zones.len(), 3);
    for zone in zones {
        let here = |suburb: &String| samples.places[suburb].time_zone == zone;
        assert!(
            samples
                .workers
                .iter()
                .filter(|worker| here(&worker.suburb))
                .count()
                >= 100
        );
        assert_eq!(
            samples
                .clients
                .iter()
                .filter(|client| here(&client.suburb))
                .count(),
            10
        );
    }
    for place in samples.places.values() {
        assert_eq!(place.validate(), Ok(()));
    }
    let people: Vec<_> = samples.people().collect();
    let distinct = |of: fn(&sample::SamplePerson) -> &str| {
        let values: BTreeSet<_> = people.iter().map(|person| of(person)).collect();
        assert_eq!(values.len(), people.len());
    };
    distinct(|person| &person.subject);
    distinct(|person| &person.email);
    distinct(|person| &person.phone);
    let ids: BTreeSet<PersonId> = samples.subjects().map(sample_id).collect();
    assert_eq!(ids.len(), people.len());
}

#[test]
fn what_funded_clients_ask_for_is_capped_within_what_support_workers_charge() {
    let samples = Samples::read().unwrap();
    let funded: Vec<_> = samples
        .clients
        .iter()
        .filter(|client| client.funding.is_some())
        .collect();
    assert_eq!(funded.len(), 3);
    for client in funded {
        let plan = samples
            .plans
            .iter()
            .find(|plan| plan.key == client.membership_plan);
        let points = plan.unwrap().terms.fees.service_basis_points;
        let scheme = samples
            .schemes
            .iter()
            .find(|scheme| Some(&scheme.code) == client.funding.as_ref());
        let request = samples.match_request(
            &client.person.subject,
            "2026-11-21T09:00:00Z".parse().unwrap(),
        );
        for service in request.unwrap().services {
            let mut caps = scheme.unwrap().rules.caps.iter();
            let cap =
                caps.find(|cap| cap.service == service && cap.band == TimeBand::WeekdayDaytime);
            let highest = Price::highest_within(cap.unwrap().most, points);
            let charged = samples
                .workers
                .iter()
                .filter_map(|worker| worker.services.get(&service));
            assert!(
                charged.filter(|rate| **rate <= highest).count() >= 100,
                "{service:?}"
            );
        }
    }
}

#[test]
fn nobody_can_be_reached_at_what_the_samples_say() {
    let samples = Samples::read().unwrap();
    for person in samples.people() {
        let contact = Contact {
            email: person.email.clone(),
            phone: Some(person.phone.clone()),
        };
        let mut findings = Findings::default();
        contact.check(&mut findings, "");
        assert_eq!(findings.into_result(), Ok(()), "{}", person.subject);
        let reserved = person.email.ends_with(".example") || person.email.ends_with("@example.org");
        assert!(reserved, "{}", person.email);
        let fictitious = [" 5550 ", " 7010 "]
            .iter()
            .any(|block| person.phone.contains(block));
        assert!(fictitious, "{}", person.phone);
    }
}

#[test]
fn staff_of_every_role_and_everybody_introduced_are_there() {
    let samples = Samples::read().unwrap();
    let roles: BTreeSet<StaffRole> = samples
        .staff
        .iter()
        .flat_map(|staff| staff.roles.iter().copied())
        .collect();
    assert_eq!(roles.len(), 4);
    assert_eq!(samples.staff[0].person.subject, FIRST_ADMINISTRATOR);
    for introduced in INTRODUCED {
        let found = samples
            .subjects()
            .any(|subject| subject == introduced.subject);
        assert!(found, "{}", introduced.subject);
    }
}

#[tokio::test]
async fn most_support_workers_are_active_and_some_stand_elsewhere() {
    let place = place().await;
    let seeding = Seeding::new(&place.context).unwrap();
    let workers = support_workers(&seeding);
    for state in [
        WorkerState::Draft,
        WorkerState::Submitted,
        WorkerState::Paused,
        WorkerState::Suspended,
    ] {
        assert!(
            workers.iter().any(|worker| worker.state == state),
            "{state:?}"
        );
    }
    let active = workers
        .iter()
        .filter(|worker| worker.state == WorkerState::Active);
    assert!(active.count() >= 250);
    for state in [
        CheckState::Pending,
        CheckState::Expiring,
        CheckState::Expired,
    ] {
        let mut checks = workers.iter().flat_map(|worker| &worker.checks);
        assert!(checks.any(|check| check.state == state), "{state:?}");
    }
    let overdue = |worker: &&SupportWorker| worker.deadline.is_some_and(|at| at <= seeding.now);
    assert_eq!(workers.iter().find(overdue), None);
}

#[tokio::test]
async fn no_introduction_gives_anybody_away() {
    let samples = Samples::read().unwrap();
    let mut introductions = BTreeSet::new();
    for worker in &samples.workers {
        let names = [worker.person.given.as_str(), worker.person.family.as_str()];
        let found = screen(&worker.introduction, &names);
        assert_eq!(found, [], "{}", worker.person.subject);
        let is_new = worker.introduction.is_empty() || introductions.insert(&worker.introduction);
        assert!(is_new, "{} says what another says", worker.person.subject);
    }
}

#[tokio::test]
async fn every_match_request_of_the_samples_can_be_asked_and_finds_somebody() {
    let place = place().await;
    let seeding = Seeding::new(&place.context).unwrap();
    let workers = support_workers(&seeding);
    let (mut asked_for, mut at_exact_hours, mut in_common) = (0, 0, 0);
    for client in &seeding.samples.clients {
        let subject = &client.person.subject;
        let Some(details) = seeding.samples.match_request(subject, seeding.now) else {
            continue;
        };
        asked_for += 1;
        let today = details.place.today(seeding.now);
        assert_eq!(details.validate(today), Ok(()), "{subject}");
        let asked = Asked::of(&details, seeding.now);
        let relations = Relations {
            own: [sample_id(subject)].into(),
            blocked: BTreeSet::new(),
            known: BTreeSet::new(),
        };
        let eligible: Vec<IndexRecord> = workers
            .iter()
            .filter(|worker| judge(&asked, worker, &relations).is_eligible())
            .filter_map(IndexRecord::of)
            .collect();
        assert!(!eligible.is_empty(), "{subject}");
        at_exact_hours += usize::from(details.days.iter().any(|day| day.hours.is_some()));
        let mut records = eligible.iter();
        in_common +=
            usize::from(records.any(|record| shared(&asked.words, record).next().is_some()));
    }
    assert!(asked_for >= 15);
    assert!(
        at_exact_hours >= 2 && in_common >= 10,
        "{at_exact_hours} {in_common}"
    );
}

#[test]
fn the_progress_template_is_one() {
    assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
}
