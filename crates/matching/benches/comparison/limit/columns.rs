//! The arrays.

use std::collections::HashMap;

use chrono::{Datelike, NaiveDate};
use domain::availability::{DayParts, Exception, Week};
use domain::candidates::Criterion;
use domain::eligibility::Asked;
use domain::id::{PersonId, WorkerId};
use domain::packed::IndexRecord;
use domain::place::{Neighbourhood, Position};
use domain::vocabulary::{Gender, Vocabulary, mask};
use rapport_matching::value;

/// The people, neighbours next to each other. The place in every array is the number of a row.
pub(crate) struct Columns {
    /// Rows by the neighbourhoods that their travel discs may touch.
    pub(super) cover: HashMap<u64, Vec<u32>>,
    /// See [`Offer`].
    pub(super) offer: Vec<u64>,
    /// See [`Bars`].
    pub(super) bars: Vec<u64>,
    /// The lowest and the highest of the rates.
    pub(super) rate_range: Vec<[u32; 2]>,
    /// By service; zero where it is not offered.
    pub(super) rates: Vec<[u32; 16]>,
    pub(super) homes: Vec<Home>,
    pub(super) traits: Vec<Traits>,
    pub(super) interests: Vec<[u64; 3]>,
    pub(super) conditions: Vec<[u32; 4]>,
    pub(super) certificates: Lists<(u32, i32)>,
    pub(super) weeks: Vec<Week>,
    pub(super) exceptions: Lists<Exception>,
    pub(super) worth: Vec<Worth>,
    /// Numbers of the stems of the introduction, ascending.
    pub(super) words: Lists<u32>,
    pub(super) stems: HashMap<String, u32>,
    pub(super) workers: Vec<WorkerId>,
    pub(super) persons: Vec<PersonId>,
}

/// Where somebody sets out from, and how far.
#[derive(Clone, Copy)]
pub(super) struct Home {
    pub(super) position: Position,
    pub(super) radius_km: u16,
}

/// What is wished for now and then.
#[derive(Clone, Copy)]
pub(super) struct Traits {
    pub(super) languages: u64,
    pub(super) skills: u32,
    pub(super) cultures: u32,
}

/// What is the same for every request, or nearly.
#[derive(Clone, Copy)]
pub(super) struct Worth {
    pub(super) reliability: u16,
    pub(super) workload: u16,
    pub(super) exposure: u32,
    /// Days of support work that are over.
    pub(super) worked: u32,
    /// The first day of the work that goes on; the last day of all where none does.
    pub(super) since: i32,
}

/// Lists of any length, one behind the other.
pub(super) struct Lists<T> {
    ends: Vec<u32>,
    all: Vec<T>,
}

impl<T> Lists<T> {
    fn new() -> Self {
        Self {
            ends: vec![0],
            all: vec![],
        }
    }

    fn push(&mut self, list: impl IntoIterator<Item = T>) {
        self.all.extend(list);
        self.ends.push(u32::try_from(self.all.len()).unwrap());
    }

    pub(super) fn of(&self, row: u32) -> &[T] {
        let row = row as usize;
        &self.all[self.ends[row] as usize..self.ends[row + 1] as usize]
    }
}

/// What most rows fail by, in one word: everything asked for has to be there.
pub(super) struct Offer;

impl Offer {
    const DAY_PARTS: u32 = 16;
    const GENDER: u32 = 44;
    const LEVEL: u32 = 48;
    /// Set where the week has exceptions: then the day-parts are all that may occur.
    pub(super) const EXCEPTIONS: u64 = 1 << 52;

    fn of(record: &IndexRecord) -> u64 {
        let extra = |exception: &Exception| matches!(exception, Exception::Extra { .. });
        let day_parts = if record.exceptions.iter().any(extra) {
            (1 << 28) - 1
        } else {
            record.week.day_parts().bits()
        };
        let levels = (1 << (record.highest_care_level.bit() + 1)) - 1;
        record.service_mask()
            | u64::from(day_parts) << Self::DAY_PARTS
            | mask([record.gender]) << Self::GENDER
            | levels << Self::LEVEL
            | if record.exceptions.is_empty() {
                0
            } else {
                Self::EXCEPTIONS
            }
    }

    pub(super) fn needed(asked: &Asked) -> u64 {
        asked.services
            | u64::from(asked.required.parts.bits()) << Self::DAY_PARTS
            | asked.must.genders << Self::GENDER
            | 1 << (Self::LEVEL + asked.care_level.bit())
    }

    pub(super) fn genders(genders: u64) -> u64 {
        genders << Self::GENDER
    }

    pub(super) fn day_parts(offer: u64) -> DayParts {
        let bits = offer >> Self::DAY_PARTS & ((1 << 28) - 1);
        DayParts::from_bits(u32::try_from(bits).unwrap_or(0))
    }
}

/// Tasks not accepted, hazards above them, and on top the last day on which every check holds.
pub(super) struct Bars;

impl Bars {
    const HAZARDS: u32 = 26;
    const CHECKS: u32 = 42;

    fn of(record: &IndexRecord) -> u64 {
        let checks = record.checks_until.map_or((1 << 22) - 1, number);
        Self::unwelcome(record.declined_tasks, record.declined_hazards) | checks << Self::CHECKS
    }

    pub(super) const fn unwelcome(tasks: u64, hazards: u64) -> u64 {
        tasks | hazards << Self::HAZARDS
    }

    /// What a row's bars have to be at least for its checks to hold on a date.
    pub(super) fn until(date: NaiveDate) -> u64 {
        number(date) << Self::CHECKS
    }
}

fn number(date: NaiveDate) -> u64 {
    u64::try_from(day(date)).unwrap()
}

pub(super) fn day(date: NaiveDate) -> i32 {
    date.num_days_from_ce()
}

impl Columns {
    /// The arrays of these people; `anybody` is any request, for what is the same for all.
    pub(crate) fn new(records: &[IndexRecord], anybody: &Asked) -> Self {
        let mut ordered: Vec<(u64, &IndexRecord)> = records
            .iter()
            .map(|record| (record.position.neighbourhood(), record))
            .collect();
        ordered.sort_by_key(|(home, record)| (*home, record.worker));
        let records: Vec<&IndexRecord> = ordered.into_iter().map(|(_, record)| record).collect();
        let mut certificates = Lists::new();
        let mut exceptions = Lists::new();
        let mut words = Lists::new();
        let mut stems: HashMap<String, u32> = HashMap::new();
        for record in &records {
            certificates.push(record.certifications.iter().map(|held| {
                let until = held.expires_on.map_or(i32::MAX, day);
                (held.certification.bit(), until)
            }));
            exceptions.push(record.exceptions.iter().copied());
            let mut numbers: Vec<u32> = record
                .words
                .iter()
                .map(|stem| {
                    let next = u32::try_from(stems.len()).unwrap();
                    *stems.entry(stem.clone()).or_insert(next)
                })
                .collect();
            numbers.sort_unstable();
            words.push(numbers);
        }
        let each = Each(&records);
        Self {
            cover: cover(&records),
            offer: each.map(Offer::of),
            bars: each.map(Bars::of),
            rate_range: each.map(|record| {
                let rates = record.services.iter().map(|offered| offered.hourly_rate.0);
                let highest = rates.clone().max().unwrap_or(0);
                [rates.min().unwrap_or(0), highest]
            }),
            rates: each.map(|record| {
                let mut rates = [0; 16];
                for offered in &record.services {
                    rates[offered.service.bit() as usize] = offered.hourly_rate.0;
                }
                rates
            }),
            homes: each.map(|record| Home {
                position: record.position,
                radius_km: record.radius_km,
            }),
            traits: each.map(|record| Traits {
                languages: record.languages,
                skills: narrow(record.skills),
                cultures: narrow(record.cultures),
            }),
            interests: each.map(|record| record.interests),
            conditions: each.map(|record| record.conditions.map(narrow)),
            certificates,
            weeks: each.map(|record| record.week),
            exceptions,
            worth: each.map(|record| {
                let worth = |criterion| {
                    u16::try_from(value(criterion, anybody, record)).unwrap_or(u16::MAX)
                };
                Worth {
                    reliability: worth(Criterion::Reliability),
                    workload: worth(Criterion::Workload),
                    exposure: record.reliability.exposure,
                    worked: record.worked_days,
                    since: record.working_since.map_or(i32::MAX, day),
                }
            }),
            words,
            stems,
            workers: each.map(|record| record.worker),
            persons: each.map(|record| record.person),
        }
    }

    /// How many rows are filed under the neighbourhood of a position.
    pub(crate) fn filed_under(&self, position: Position) -> usize {
        let rows = self.cover.get(&position.neighbourhood());
        rows.map_or(0, Vec::len)
    }
}

struct Each<'a>(&'a [&'a IndexRecord]);

impl Each<'_> {
    fn map<T>(&self, of: impl Fn(&IndexRecord) -> T) -> Vec<T> {
        self.0.iter().map(|record| of(record)).collect()
    }
}

fn narrow(mask: u64) -> u32 {
    u32::try_from(mask).unwrap()
}

/// Files every row under the neighbourhoods that its disc may touch.
fn cover(records: &[&IndexRecord]) -> HashMap<u64, Vec<u32>> {
    let mut around = Around::default();
    let mut cover: HashMap<u64, Vec<u32>> = HashMap::new();
    for (row, record) in (0..).zip(records) {
        for neighbourhood in around.reached_by(record) {
            cover.entry(neighbourhood).or_default().push(row);
        }
    }
    cover
}

/// The neighbourhoods around where people live; quick where neighbours follow each other.
#[derive(Default)]
pub(crate) struct Around {
    home: (u64, u16),
    neighbourhoods: Vec<Neighbourhood>,
}

impl Around {
    /// The neighbourhoods that somebody's disc may touch.
    pub(crate) fn reached_by(&mut self, record: &IndexRecord) -> impl Iterator<Item = u64> {
        let home = record.position.neighbourhood();
        let (around, radius_km) = self.home;
        if around != home || radius_km < record.radius_km {
            self.home = (home, record.radius_km);
            self.neighbourhoods = Neighbourhood::around(home, record.radius_km);
        }
        let touched =
            |near: &&Neighbourhood| near.may_be_reached(record.position, record.radius_km);
        let near = self.neighbourhoods.iter();
        near.filter(touched).map(|near| near.index)
    }
}

// A row's gender is one bit of four.
const _: () = assert!(Gender::ALL.len() <= 4);
