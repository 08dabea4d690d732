use super::*;
use crate::correction::Mailbox;
use crate::correction::tests::{login, now};
use crate::id::Id;
use crate::notice::Event;
use crate::signup::Field;
use crate::support_worker::{SubmitProfileError, WorkerState};
use crate::vocabulary::{Language, Service};
use ImportColumn as Column;
use uuid::Uuid;

fn id<K>(number: u128) -> Id<K> {
    Id::from_uuid(Uuid::from_u128(number))
}

const CLIENT: [(Column, &str); 8] = [
    (Column::Reference, "C-1"),
    (Column::GivenName, " Rosa "),
    (Column::FamilyName, "Marchetti"),
    (Column::Email, "rosa@example.org"),
    (Column::Phone, "07 5550 9001"),
    (Column::BirthDate, "1941-05-30"),
    (Column::Address, "4 Elm Court, Northside"),
    (Column::MembershipPlan, "Together"),
];

const WORKER: [(Column, &str); 15] = [
    (Column::Reference, "W-1"),
    (Column::GivenName, "Mira"),
    (Column::FamilyName, "Okafor"),
    (Column::Email, "mira@example.org"),
    (Column::Phone, ""),
    (Column::Suburb, "Carlton"),
    (Column::Postcode, "3053"),
    (Column::Latitude, "-37.8"),
    (Column::Longitude, "144.97"),
    (Column::TimeZone, "Australia/Melbourne"),
    (Column::RadiusKm, "15"),
    (Column::Services, "personal_care:5600; respite:5200;"),
    (Column::Languages, "en;it"),
    (Column::HoursWanted, "20"),
    (Column::Introduction, "I like a walk.\nAnd tea."),
];

/// A row in which some cells say something else.
fn row(cells: &[(Column, &'static str)], others: &[(Column, &'static str)]) -> Row {
    let said = |(column, text): &(Column, &'static str)| {
        let other = others.iter().find(|(other, _)| other == column);
        (*column, other.map_or(*text, |(_, text)| *text))
    };
    Row::of(cells.iter().map(said))
}

fn client(others: &[(Column, &'static str)]) -> Result<ClientRow, Vec<RowFault>> {
    ClientRow::read(&row(&CLIENT, others), now())
}

fn worker(others: &[(Column, &'static str)]) -> Result<WorkerRow, Vec<RowFault>> {
    WorkerRow::read(&row(&WORKER, others), now())
}

fn columns<T: std::fmt::Debug>(read: Result<T, Vec<RowFault>>) -> Vec<Column> {
    read.unwrap_err()
        .into_iter()
        .map(|fault| fault.column.unwrap())
        .collect()
}

#[test]
fn a_header_names_its_columns_in_any_order() {
    let names: Vec<&str> = CLIENT
        .iter()
        .rev()
        .map(|(column, _)| column.code())
        .collect();
    let read = ImportKind::Clients.header(&names).unwrap();
    assert_eq!(read.first(), Some(&Column::MembershipPlan));
    assert_eq!(read.len(), 8);
    let least = ["reference", "given_name", " family_name ", "email", "phone"];
    assert_eq!(ImportKind::SupportWorkers.header(&least).unwrap().len(), 5);
}

#[test]
fn every_column_that_is_unknown_missing_or_there_twice_is_named() {
    let names = [
        "reference",
        "given_nme",
        "family_name",
        "email",
        "email",
        "phone",
        "a/b",
        "",
        "suburb",
        "address",
    ];
    let faults = ImportKind::Clients.header(&names).unwrap_err();
    let pointers: Vec<&str> = faults.iter().map(|fault| &*fault.pointer).collect();
    assert_eq!(
        pointers,
        [
            "/columns/given_nme",
            "/columns/email",
            "/columns/a~1b",
            "/columns/",
            "/columns/suburb",
            "/columns/given_name",
            "/columns/birth_date",
        ]
    );
    let many = vec!["reference"; 5_000];
    let faults = ImportKind::Clients.header(&many).unwrap_err();
    assert!(faults.len() < 100, "{} faults", faults.len());
    let long = "x".repeat(5_000);
    let faults = ImportKind::Clients.header(&[&long]).unwrap_err();
    assert_eq!(faults[0].pointer.len(), "/columns/".len() + 40);
}

#[test]
fn a_client_is_read_as_the_row_says() {
    let read = client(&[]).unwrap();
    assert_eq!(read.reference, "C-1");
    assert_eq!(read.details.name.given, "Rosa");
    assert_eq!(read.details.contact.phone.as_deref(), Some("07 5550 9001"));
    assert_eq!(read.details.birth_date, "1941-05-30".parse().ok());
    assert_eq!(read.membership_plan.as_deref(), Some("Together"));
    let least = [
        (Column::Phone, ""),
        (Column::BirthDate, ""),
        (Column::Address, " "),
        (Column::MembershipPlan, ""),
    ];
    let read = client(&least).unwrap();
    assert_eq!(
        (read.details.birth_date, read.details.address),
        (None, None)
    );
    assert_eq!(read.membership_plan, None);
}

#[test]
fn every_fault_of_a_row_is_named_and_nothing_that_stands_there() {
    let wrong = [
        (Column::Reference, "with space"),
        (Column::GivenName, ""),
        (Column::Email, "secret-at-nowhere"),
        (Column::Phone, "secret"),
        (Column::BirthDate, "30/05/1941"),
    ];
    let faults = client(&wrong).unwrap_err();
    let named: Vec<_> = faults.iter().filter_map(|fault| fault.column).collect();
    assert_eq!(named, wrong.map(|(column, _)| column));
    let told = format!("{faults:?}");
    assert!(
        !told.contains("secret") && !told.contains("30/05"),
        "{told}"
    );
    for reference in [
        "",
        "ü",
        "0123456789012345678901234567890123456789012345678901234567890",
    ] {
        assert_eq!(
            columns(client(&[(Column::Reference, reference)])),
            [Column::Reference]
        );
    }
}

#[test]
fn columns_are_called_as_the_fields_of_a_signup_are() {
    for field in Field::ALL {
        let column = Column::ALL
            .iter()
            .find(|column| column.code() == field.code());
        let shared = matches!(
            field,
            Field::GivenName
                | Field::FamilyName
                | Field::Email
                | Field::Phone
                | Field::BirthDate
                | Field::Address
        );
        assert_eq!(column.is_some(), shared, "{field:?}");
    }
}

#[test]
fn a_support_worker_is_read_as_the_row_says() {
    let read = worker(&[]).unwrap();
    let profile = read.profile;
    let services = profile
        .services
        .iter()
        .map(|offered| (offered.service, offered.hourly_rate.0));
    let services: Vec<_> = services.collect();
    assert_eq!(
        services,
        [(Service::PersonalCare, 5600), (Service::Respite, 5200)]
    );
    assert_eq!(profile.languages, [Language::English, Language::Italian]);
    let area = profile.service_area.unwrap();
    assert_eq!((area.base.postcode.as_str(), area.radius_km), ("3053", 15));
    assert_eq!(profile.hours_wanted, Some(20));
    assert_eq!(profile.introduction, "I like a walk.\nAnd tea.");
    let least = WorkerRow::read(&row(&WORKER[..5], &[]), now()).unwrap();
    assert_eq!(least.profile, Default::default());
}

#[test]
fn every_column_of_a_support_worker_is_held_to_its_rule() {
    for (column, wrong) in [
        (Column::Suburb, ""),
        (Column::Postcode, "1234567890123"),
        (Column::Latitude, "91"),
        (Column::Latitude, "NaN"),
        (Column::Latitude, "-37,8"),
        (Column::Longitude, ""),
        (Column::TimeZone, "Melbourne"),
        (Column::RadiusKm, "101"),
        (Column::RadiusKm, "1.5"),
        (Column::Services, "personal_care"),
        (Column::Services, "personal_care:56.00"),
        (Column::Services, "hugs:5600"),
        (Column::Services, "respite:0"),
        (Column::Services, "respite:5200;respite:5300"),
        (Column::Languages, "English"),
        (Column::HoursWanted, "-1"),
        (Column::HoursWanted, "101"),
    ] {
        assert_eq!(columns(worker(&[(column, wrong)])), [column], "{wrong}");
    }
    let faults = worker(&[
        (Column::Services, "respite:5200;hugs:1"),
        (Column::Suburb, ""),
        (Column::RadiusKm, "0"),
    ]);
    let faults = faults.unwrap_err();
    assert!(faults[2].detail.starts_with("entry 2 "), "{faults:?}");
    assert_eq!(
        columns::<()>(Err(faults)),
        [Column::Suburb, Column::RadiusKm, Column::Services]
    );
}

#[test]
fn a_reference_that_stands_in_two_rows_is_wrong_in_both() {
    let called = |reference| Row::of([(Column::Reference, reference)]);
    let rows = ["a", "b", "a", "", "a", ""].map(called);
    let numbered = (2..).zip(&rows);
    let repeated: Vec<_> = repeated(numbered).into_iter().collect();
    assert_eq!(repeated, [(2, 4), (4, 2), (6, 2)]);
}

#[test]
fn what_a_row_says_does_not_depend_on_the_files_order() {
    let mut turned = CLIENT;
    turned.reverse();
    let said = |cells: &[(Column, &'static str)]| {
        let row = row(cells, &[]);
        row.said().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(said(&CLIENT), said(&turned));
    assert_eq!(said(&CLIENT[..1]), ["reference", "C-1"]);
    assert!(Row::of([(Column::Email, "  ")]).is_blank());
}

#[test]
fn who_comes_in_a_file_is_invited_and_nothing_more() {
    let (person, client) = new_client(
        client(&[]).unwrap().details,
        Some(id(3)),
        (id(1), id(2)),
        now(),
    );
    assert_eq!(person.activation, Some(activation::first_link(now())));
    assert_eq!(
        (person.logins.len(), &person.roles.clients),
        (0, &[client.id].into())
    );
    assert_eq!(client.person, person.id);
    assert_eq!(client.membership.map(|held| held.plan), Some(id(3)));

    let row = worker(&[]).unwrap();
    let profile = row.profile.clone();
    let new = new_worker(row, (id(1), id(2)), &Policy::default(), now()).unwrap();
    assert_eq!(new.person.activation, Some(activation::first_link(now())));
    assert_eq!(new.person.roles.workers, [new.worker.id].into());
    assert_eq!(
        (new.worker.state, &new.worker.profile),
        (WorkerState::Draft, &profile)
    );
    let submitted = new.worker.submit(now());
    assert!(matches!(submitted, Err(SubmitProfileError::Incomplete(_))));
}

fn invited() -> Person {
    new_client(client(&[]).unwrap().details, None, (id(1), id(2)), now()).0
}

/// Everything that an imported person can have become, as far as another row cares.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Became {
    Invited,
    Bounced,
    Activated,
    /// An account whose logins staff unbound.
    Unbound,
    Merged,
}
use Became::*;

fn having_become(became: Became) -> (Person, bool) {
    let mut person = invited();
    person.mail_bounced = became == Bounced;
    person.merged_into = (became == Merged).then(|| id(9));
    if became == Activated {
        person.logins.push(login("rosa"));
    }
    (person, matches!(became, Activated | Unbound))
}

#[test]
fn another_row_changes_those_alone_who_never_had_an_account() {
    let elsewhere = [
        (Column::Email, "rosa.m@example.org"),
        (Column::GivenName, "Rosanna"),
    ];
    let renamed = [
        (Column::GivenName, "Rosanna"),
        (Column::BirthDate, ""),
        (Column::Address, ""),
    ];
    for became in [Invited, Bounced, Activated, Unbound, Merged] {
        let (was, activated) = having_become(became);
        let update = |others: &[(Column, &'static str)], mailbox| {
            let details = client(others).unwrap().details;
            update_person(&was, details, activated, mailbox, now())
        };
        let refused = match became {
            Activated | Unbound => Some(UpdateImportedError::Activated),
            Merged => Some(UpdateImportedError::Merged),
            Invited | Bounced => None,
        };
        let moved = update(&elsewhere, Mailbox::Own);
        let named = update(&renamed, Mailbox::Own);
        let theirs = update(&elsewhere, Mailbox::Representatives);
        if let Some(refused) = refused {
            assert_eq!(moved, Err(refused.clone()), "{became:?}");
            assert_eq!(named, Err(refused.clone()), "{became:?}");
            assert_eq!(theirs, Err(refused), "{became:?}");
            continue;
        }
        assert_eq!(theirs, Err(UpdateImportedError::RepresentativesMailbox));
        let (moved, named) = (moved.unwrap(), named.unwrap());
        let link = Event::ActivationLink {
            person: was.id,
            generation: 2,
        };
        assert_eq!(moved.link, Some(link), "{became:?}");
        assert!(!moved.person.mail_bounced);
        assert_eq!(named.link, None, "{became:?}");
        assert_eq!(named.person.activation, was.activation);
        assert_eq!(named.person.mail_bounced, became == Bounced);
        assert_eq!(named.person.name.given, "Rosanna");
        assert_eq!(
            (named.person.birth_date, named.person.address),
            (None, None)
        );
    }
}

#[test]
fn another_row_writes_a_draft_and_nothing_else() {
    let was = new_worker(
        worker(&[]).unwrap(),
        (id(1), id(2)),
        &Policy::default(),
        now(),
    );
    let was = was.unwrap().worker;
    let profile = worker(&[(Column::HoursWanted, "30")]).unwrap().profile;
    for state in WorkerState::ALL {
        let worker = SupportWorker {
            state: *state,
            ..was.clone()
        };
        let updated = update_worker(&worker, profile.clone(), &Policy::default());
        match state {
            WorkerState::Draft => assert_eq!(updated.unwrap().worker.profile, profile),
            WorkerState::Submitted
            | WorkerState::Active
            | WorkerState::Paused
            | WorkerState::Suspended => {
                assert_eq!(updated, Err(UpdateImportedError::NoDraft));
            }
        }
    }
}

#[test]
fn a_row_that_a_sending_was_cut_short_after_counts_as_it_did() {
    let imported = Imported {
        reference: "C-1".into(),
        person: id(1),
        role: ImportedRole::Client(id(2)),
        digest: "d".into(),
        sending: "one".into(),
        outcome: RowOutcome::Created,
    };
    assert_eq!(imported.came_to(Some("one")), RowOutcome::Created);
    assert_eq!(imported.came_to(Some("two")), RowOutcome::Unchanged);
    assert_eq!(imported.came_to(None), RowOutcome::Unchanged);
}

#[test]
fn a_tally_counts_rows_and_names_so_many_faults() {
    let mut tally = Tally::default();
    for outcome in RowOutcome::ALL {
        tally.count(2, Ok(*outcome));
    }
    assert_eq!(tally.state(), ImportState::Complete);
    let two = || {
        vec![
            RowFault::of(Column::Email, "is needed"),
            RowFault::whole("is short"),
        ]
    };
    for row in 0..101 {
        tally.count(row, Err(two()));
    }
    let counts = [
        tally.rows,
        tally.created,
        tally.updated,
        tally.unchanged,
        tally.failed,
        tally.more_errors,
    ];
    assert_eq!(counts, [104, 1, 1, 1, 101, 2]);
    assert_eq!(tally.errors.len(), MAX_ERRORS);
    assert_eq!(tally.state(), ImportState::Incomplete);
}
