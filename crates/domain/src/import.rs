//! Imports: clients and support workers whom an organisation brings along in a file, one in each row.
//!
//! A row stands for somebody by the organisation's own reference, which is what makes a file safe to
//! send again: whoever is there as the row says is left alone.

mod read;
mod run;
mod update;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::activation;
use crate::client::{Client, Membership};
use crate::id::{ClientId, MembershipPlanId, PersonId, WorkerId};
use crate::invalid::{Findings, Invalid};
use crate::person::{Person, Roles};
use crate::policy::Policy;
use crate::signup::PersonDetails;
use crate::support_worker::{EditProfileError, RegisterWorkerError, Registered, SupportWorker};
use crate::vocabulary::Vocabulary;

pub use read::{ClientRow, WorkerRow, repeated};
pub use run::{ImportRun, ImportState, MAX_ERRORS, RowError, Tally};
pub use update::{UpdateImportedError, UpdatedPerson, update_person, update_worker};

/// The most rows of one file, beside its header.
pub const MAX_ROWS: usize = 500;
/// The longest reference, in characters.
pub const MAX_REFERENCE: usize = 60;
/// The most columns whose faults are named.
const MAX_COLUMNS: usize = 60;
/// The most of an unknown column's name that is repeated, in characters.
const MAX_REPEATED_NAME: usize = 40;

vocabulary! {
    /// Whom a file brings.
    ImportKind {
        Clients = "clients", "Clients";
        SupportWorkers = "support_workers", "Support workers";
    }

    /// A column of a file.
    ImportColumn {
        Reference = "reference", "The organisation's own key of the person";
        GivenName = "given_name", "Given name or names";
        FamilyName = "family_name", "Family name";
        Email = "email", "Mail address";
        Phone = "phone", "Telephone number";
        BirthDate = "birth_date", "Date of birth, as year-month-day";
        Address = "address", "Where the client lives";
        MembershipPlan = "membership_plan", "The name of an offered membership plan";
        Suburb = "suburb", "The suburb that the support worker sets out from";
        Postcode = "postcode", "Its postal code";
        Latitude = "latitude", "Degrees north";
        Longitude = "longitude", "Degrees east";
        TimeZone = "time_zone", "IANA name of its time zone";
        RadiusKm = "radius_km", "How far the support worker travels, in kilometres";
        Services = "services", "Services and the price of an hour in cents, like personal_care:5600;respite:5200";
        Languages = "languages", "Codes of languages spoken, like en;it";
        HoursWanted = "hours_wanted", "Hours of support a week that are wanted";
        Introduction = "introduction", "What the support worker says of themselves";
    }

    /// What a row came to.
    RowOutcome {
        Created = "created", "Created";
        Updated = "updated", "Updated";
        Unchanged = "unchanged", "Unchanged";
    }
}

use ImportColumn as Column;

/// The columns of a file of clients, and whether it must have them.
const CLIENT_COLUMNS: [(Column, bool); 8] = [
    (Column::Reference, true),
    (Column::GivenName, true),
    (Column::FamilyName, true),
    (Column::Email, true),
    (Column::Phone, true),
    (Column::BirthDate, true),
    (Column::Address, true),
    (Column::MembershipPlan, false),
];

/// The columns of a file of support workers, and whether it must have them.
const WORKER_COLUMNS: [(Column, bool); 15] = [
    (Column::Reference, true),
    (Column::GivenName, true),
    (Column::FamilyName, true),
    (Column::Email, true),
    (Column::Phone, true),
    (Column::Suburb, false),
    (Column::Postcode, false),
    (Column::Latitude, false),
    (Column::Longitude, false),
    (Column::TimeZone, false),
    (Column::RadiusKm, false),
    (Column::Services, false),
    (Column::Languages, false),
    (Column::HoursWanted, false),
    (Column::Introduction, false),
];

impl ImportKind {
    const fn columns(self) -> &'static [(Column, bool)] {
        match self {
            Self::Clients => &CLIENT_COLUMNS,
            Self::SupportWorkers => &WORKER_COLUMNS,
        }
    }

    /// What the columns with these names hold, in their order.
    ///
    /// # Errors
    /// Every column that is unknown, there twice or missing, by its name.
    pub fn header(self, names: &[&str]) -> Result<Vec<Column>, Vec<Invalid>> {
        let mut findings = Findings::default();
        let mut columns = Vec::new();
        for (place, name) in names
            .iter()
            .map(|name| name.trim())
            .enumerate()
            .take(MAX_COLUMNS)
        {
            let known = self
                .columns()
                .iter()
                .find(|(known, _)| known.code() == name);
            match known {
                None => findings.add(pointer(name), self.unknown(place, name)),
                Some((column, _)) if columns.contains(column) => {
                    findings.add(pointer(name), "is there twice");
                }
                Some((column, _)) => columns.push(*column),
            }
        }
        let most = format!(
            "has {} columns; at most {MAX_COLUMNS} are read",
            names.len()
        );
        findings.check(names.len() <= MAX_COLUMNS, "/columns", most);
        for (column, needed) in self.columns() {
            let missing = *needed && !columns.contains(column);
            findings.check(!missing, pointer(column.code()), "is missing");
        }
        findings.into_result().map(|()| columns)
    }

    fn unknown(self, place: usize, name: &str) -> String {
        let known: Vec<_> = self
            .columns()
            .iter()
            .map(|(known, _)| known.code())
            .collect();
        let known = known.join(", ");
        match name {
            "" => format!(
                "column {} has no name; the columns are {known}",
                place.saturating_add(1)
            ),
            _ => format!("is no column of this file; the columns are {known}"),
        }
    }
}

fn pointer(name: &str) -> String {
    let name: String = name.chars().take(MAX_REPEATED_NAME).collect();
    format!("/columns/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// What stands in one row, by column, without surrounding space. Blank cells are none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row(BTreeMap<Column, String>);

impl Row {
    /// The row with these cells.
    pub fn of<'a>(cells: impl IntoIterator<Item = (Column, &'a str)>) -> Self {
        let cells = cells
            .into_iter()
            .map(|(column, text)| (column, text.trim()));
        let said = cells.filter(|(_, text)| !text.is_empty());
        Self(
            said.map(|(column, text)| (column, text.to_owned()))
                .collect(),
        )
    }

    /// Whether nothing stands in it.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.0.is_empty()
    }

    /// What stands in a column.
    #[must_use]
    pub fn cell(&self, column: Column) -> Option<&str> {
        self.0.get(&column).map(String::as_str)
    }

    /// Every column and what stands in it, in an order that does not depend on the file's.
    pub fn said(&self) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .flat_map(|(column, text)| [column.code(), text])
    }
}

/// Something in a row that cannot be accepted, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// In which column; none where it is about the row as a whole.
    pub column: Option<Column>,
    /// What would be right, without repeating what stands there.
    pub detail: String,
}

impl RowFault {
    /// A fault of what stands in a column.
    pub fn of(column: Column, detail: impl Into<String>) -> Self {
        Self {
            column: Some(column),
            detail: detail.into(),
        }
    }

    /// A fault of the row as a whole.
    pub fn whole(detail: impl Into<String>) -> Self {
        Self {
            column: None,
            detail: detail.into(),
        }
    }
}

/// Who came of a row, and what it said then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// The organisation's own key.
    pub reference: String,
    /// The person.
    pub person: PersonId,
    /// What they are.
    pub role: ImportedRole,
    /// A keyed digest of what the row said.
    pub digest: String,
    /// The sending that wrote this last, by a keyed digest of its idempotency key.
    pub sending: String,
    /// What the row came to in it.
    pub outcome: RowOutcome,
}

/// What an imported person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportedRole {
    /// A client.
    Client(ClientId),
    /// A support worker.
    SupportWorker(WorkerId),
}

impl ImportedRole {
    /// In which kind of file they came.
    #[must_use]
    pub const fn kind(self) -> ImportKind {
        match self {
            Self::Client(_) => ImportKind::Clients,
            Self::SupportWorker(_) => ImportKind::SupportWorkers,
        }
    }
}

impl Imported {
    /// What a row that says what it said before comes to in a sending: nothing new, or, where that very
    /// sending was cut short after this row, what the row came to then.
    #[must_use]
    pub fn came_to(&self, sending: Option<&str>) -> RowOutcome {
        match sending {
            Some(sending) if sending == self.sending => self.outcome,
            _ => RowOutcome::Unchanged,
        }
    }
}

/// A client who came in a file, and the person behind them, with the link that activates the account.
#[must_use]
pub fn new_client(
    details: PersonDetails,
    plan: Option<MembershipPlanId>,
    (person, id): (PersonId, ClientId),
    now: DateTime<Utc>,
) -> (Person, Client) {
    let roles = Roles {
        clients: [id].into(),
        ..Roles::default()
    };
    let client = Client {
        id,
        person,
        membership: plan.map(|plan| Membership { plan, since: now }),
        open_match_requests: [].into(),
        cover_consent: None,
        funding: None,
        partner: None,
        created_at: now,
    };
    (invited(details, person, roles, now), client)
}

/// A support worker who came in a file, in draft, and the person behind them, with the link that
/// activates the account. Completing and handing in the profile is theirs.
///
/// # Errors
/// When the profile has faults.
pub fn new_worker(
    row: WorkerRow,
    (person, id): (PersonId, WorkerId),
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<Registered, NewWorkerError> {
    let person = invited(row.details, person, Roles::default(), now);
    let Registered { person, worker } = SupportWorker::register(person, id)?;
    let worker = worker.edit_profile(row.profile, policy)?.worker;
    Ok(Registered { person, worker })
}

/// Why no support worker comes of a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NewWorkerError {
    /// The person is one already.
    #[error(transparent)]
    Register(#[from] RegisterWorkerError),
    /// The profile has faults.
    #[error(transparent)]
    Profile(#[from] EditProfileError),
}

fn invited(details: PersonDetails, id: PersonId, roles: Roles, now: DateTime<Utc>) -> Person {
    Person {
        activation: Some(activation::first_link(now)),
        ..details.into_person(id, roles, now)
    }
}

#[cfg(test)]
mod tests;
