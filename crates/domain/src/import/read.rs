//! Reading a row: the details of a person as a signup reads them, and the draft of a profile.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::{DateTime, Utc};

use super::{ImportColumn as Column, MAX_REFERENCE, Row, RowFault};
use crate::invalid::Invalid;
use crate::money::Cents;
use crate::place::Place;
use crate::profile::{OfferedService, ServiceArea, WorkerProfile};
use crate::signup::{Answers, Field, PersonDetails};
use crate::vocabulary::{Language, Vocabulary};

/// The columns in which a person's details come, and the fields of a signup whose rules they follow.
const PERSON: [(Column, Field); 6] = [
    (Column::GivenName, Field::GivenName),
    (Column::FamilyName, Field::FamilyName),
    (Column::Email, Field::Email),
    (Column::Phone, Field::Phone),
    (Column::BirthDate, Field::BirthDate),
    (Column::Address, Field::Address),
];

/// The columns that make a service area, all of them or none.
const AREA: [Column; 6] = [
    Column::Suburb,
    Column::Postcode,
    Column::Latitude,
    Column::Longitude,
    Column::TimeZone,
    Column::RadiusKm,
];

/// Stands in a list between its entries.
const BETWEEN: char = ';';

/// What a row says of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRow {
    /// The organisation's own key.
    pub reference: String,
    /// The person.
    pub details: PersonDetails,
    /// The name of a membership plan.
    pub membership_plan: Option<String>,
}

/// What a row says of a support worker.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkerRow {
    /// The organisation's own key.
    pub reference: String,
    /// The person.
    pub details: PersonDetails,
    /// What the profile begins with.
    pub profile: WorkerProfile,
}

impl ClientRow {
    /// Reads a row of a file of clients.
    ///
    /// # Errors
    /// Every fault.
    pub fn read(row: &Row, now: DateTime<Utc>) -> Result<Self, Vec<RowFault>> {
        let mut reader = Reader::of(row);
        let reference = reader.reference();
        let details = reader.person(now);
        let membership_plan = row.cell(Column::MembershipPlan).map(str::to_owned);
        reader.finish(details.map(|details| Self {
            reference,
            details,
            membership_plan,
        }))
    }
}

impl WorkerRow {
    /// Reads a row of a file of support workers.
    ///
    /// # Errors
    /// Every fault.
    pub fn read(row: &Row, now: DateTime<Utc>) -> Result<Self, Vec<RowFault>> {
        let mut reader = Reader::of(row);
        let reference = reader.reference();
        let details = reader.person(now);
        let profile = reader.profile();
        reader.finish(details.map(|details| Self {
            reference,
            details,
            profile,
        }))
    }
}

/// Rows whose reference stands in another row too, each with the first such row: nobody can say which of
/// them is meant.
pub fn repeated<'a>(rows: impl IntoIterator<Item = (u32, &'a Row)>) -> BTreeMap<u32, u32> {
    let mut by_reference: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for (number, row) in rows {
        if let Some(reference) = row.cell(Column::Reference) {
            by_reference.entry(reference).or_default().push(number);
        }
    }
    let shared = by_reference.into_values().filter(|rows| rows.len() > 1);
    shared
        .flat_map(|rows| {
            let other = |row: &u32| rows.iter().find(|other| *other != row).copied();
            let pairs: Vec<_> = rows
                .iter()
                .filter_map(|row| Some((*row, other(row)?)))
                .collect();
            pairs
        })
        .collect()
}

/// Reads cells and collects what is wrong with them. Values read beside a fault are never used.
struct Reader<'a> {
    row: &'a Row,
    faults: Vec<RowFault>,
}

impl<'a> Reader<'a> {
    const fn of(row: &'a Row) -> Self {
        Self {
            row,
            faults: Vec::new(),
        }
    }

    fn finish<T>(mut self, read: Option<T>) -> Result<T, Vec<RowFault>> {
        self.faults.sort_by_key(|fault| fault.column);
        match read {
            Some(read) if self.faults.is_empty() => Ok(read),
            _ => Err(self.faults),
        }
    }

    fn fault(&mut self, column: Column, detail: impl Into<String>) {
        self.faults.push(RowFault::of(column, detail));
    }

    fn reference(&mut self) -> String {
        let reference = self.row.cell(Column::Reference).unwrap_or_default();
        let visible = reference.bytes().all(|byte| byte.is_ascii_graphic());
        if reference.is_empty() {
            self.fault(Column::Reference, "is needed");
        } else if !visible || reference.len() > MAX_REFERENCE {
            let detail = format!("is 1 to {MAX_REFERENCE} visible ASCII characters without spaces");
            self.fault(Column::Reference, detail);
        }
        reference.to_owned()
    }

    /// A person, by the rules of a signup; none beside a fault.
    fn person(&mut self, now: DateTime<Utc>) -> Option<PersonDetails> {
        let mut answers = Answers::default();
        for (column, field) in PERSON {
            if let Some(text) = self.row.cell(column) {
                answers.add(field, text);
            }
        }
        match answers.read(now) {
            Ok(read) => Some(read.client),
            Err(faults) => {
                for fault in faults {
                    let column = PERSON.iter().find(|(_, field)| *field == fault.field);
                    self.faults.push(RowFault {
                        column: column.map(|(column, _)| *column),
                        detail: fault.detail,
                    });
                }
                None
            }
        }
    }

    fn profile(&mut self) -> WorkerProfile {
        let profile = WorkerProfile {
            introduction: self.text(Column::Introduction).unwrap_or_default(),
            services: self.list(
                Column::Services,
                "is no service with the price of an hour in cents, like personal_care:5600",
                service,
            ),
            languages: self.list(
                Column::Languages,
                "is no code of a language, like en",
                word::<Language>,
            ),
            service_area: self.service_area(),
            hours_wanted: self.number(Column::HoursWanted, "is a whole number of hours a week"),
            ..WorkerProfile::default()
        };
        for Invalid { pointer, detail } in profile.validate().err().unwrap_or_default() {
            let fault = of_profile(&pointer, detail);
            self.faults.push(fault);
        }
        profile
    }

    /// What is missing of an area that is begun counts as right, so that the rest is looked at too.
    fn service_area(&mut self) -> Option<ServiceArea> {
        if AREA.iter().all(|column| self.row.cell(*column).is_none()) {
            return None;
        }
        for column in AREA {
            if self.row.cell(column).is_none() {
                self.fault(column, "is needed as well, for a service area");
            }
        }
        Some(ServiceArea {
            base: Place {
                suburb: self.text(Column::Suburb).unwrap_or_else(|| "?".to_owned()),
                postcode: self
                    .text(Column::Postcode)
                    .unwrap_or_else(|| "?".to_owned()),
                latitude: self
                    .number(Column::Latitude, "is degrees north, like -37.8")
                    .unwrap_or_default(),
                longitude: self
                    .number(Column::Longitude, "is degrees east, like 144.97")
                    .unwrap_or_default(),
                time_zone: self
                    .text(Column::TimeZone)
                    .unwrap_or_else(|| "UTC".to_owned()),
            },
            radius_km: self
                .number(Column::RadiusKm, "is a whole number of kilometres")
                .unwrap_or(1),
        })
    }

    fn text(&self, column: Column) -> Option<String> {
        self.row.cell(column).map(str::to_owned)
    }

    fn number<T: FromStr>(&mut self, column: Column, detail: &str) -> Option<T> {
        let read = self.row.cell(column)?.parse().ok();
        if read.is_none() {
            self.fault(column, detail);
        }
        read
    }

    fn list<T>(&mut self, column: Column, detail: &str, entry: fn(&str) -> Option<T>) -> Vec<T> {
        let row = self.row;
        let entries = row
            .cell(column)
            .unwrap_or_default()
            .split(BETWEEN)
            .map(str::trim);
        let entries: Vec<_> = entries.filter(|text| !text.is_empty()).map(entry).collect();
        for (place, _) in entries
            .iter()
            .enumerate()
            .filter(|(_, read)| read.is_none())
        {
            self.fault(column, of_entry(place, detail));
        }
        let read: Option<Vec<T>> = entries.into_iter().collect();
        read.unwrap_or_default()
    }
}

fn service(text: &str) -> Option<OfferedService> {
    let (service, rate) = text.split_once(':')?;
    Some(OfferedService {
        service: word(service.trim())?,
        hourly_rate: Cents(rate.trim().parse().ok()?),
    })
}

fn word<V: Vocabulary>(code: &str) -> Option<V> {
    V::ALL.iter().copied().find(|word| word.code() == code)
}

/// A fault of the profile, in the column that its pointer leads to.
fn of_profile(pointer: &str, detail: String) -> RowFault {
    let mut parts = pointer.split('/');
    let column = parts.clone().find_map(word::<Column>);
    let entry = parts.find_map(|part| part.parse::<usize>().ok());
    let detail = match entry {
        Some(place) => of_entry(place, &detail),
        None => detail,
    };
    RowFault { column, detail }
}

fn of_entry(place: usize, detail: &str) -> String {
    format!("entry {} {detail}", place.saturating_add(1))
}

impl RowFault {
    /// The faults of a profile, each in its column.
    #[must_use]
    pub fn of_profile(faults: Vec<Invalid>) -> Vec<Self> {
        let faults = faults.into_iter();
        faults
            .map(|fault| of_profile(&fault.pointer, fault.detail))
            .collect()
    }
}
