//! A packed profile as whole numbers, and back.

use chrono::{Datelike, NaiveDate};
use domain::availability::{Exception, HalfHour, Week};
use domain::id::{PersonId, WorkerId};
use domain::money::Cents;
use domain::packed::IndexRecord;
use domain::place::Position;
use domain::profile::OfferedService;
use domain::support_worker::{HeldCertification, Reliability};
use domain::vocabulary::{CareLevel, Certification, Gender, Service, Vocabulary};

use crate::columns::Column;

/// Added to a coordinate, so that it is never negative.
const SEA_LEVEL: i64 = 1 << 23;
/// Added to a day number, so that every date is above zero, which stands for none.
const EPOCH: i64 = 1 << 27;
const DAY_BITS: u32 = 28;
const DAY: u64 = (1 << DAY_BITS) - 1;
/// Bits of one rate.
const RATE_BITS: u32 = 20;
const RATE: u64 = (1 << RATE_BITS) - 1;

/// What one column holds of a support worker.
pub(crate) fn encode(record: &IndexRecord, column: Column) -> u64 {
    let (worker, person) = (
        record.worker.uuid().as_u64_pair(),
        record.person.uuid().as_u64_pair(),
    );
    let [
        monday,
        tuesday,
        wednesday,
        thursday,
        friday,
        saturday,
        sunday,
    ] = record.week.rows();
    let [aware, experienced, trained, specialist] = record.conditions;
    let [interests0, interests1, interests2] = record.interests;
    let reliability = &record.reliability;
    match column {
        Column::WorkerHigh => worker.0,
        Column::WorkerLow => worker.1,
        Column::PersonHigh => person.0,
        Column::PersonLow => person.1,
        Column::X => raised(record.position.x),
        Column::Y => raised(record.position.y),
        Column::Z => raised(record.position.z),
        Column::Radius => u64::from(record.radius_km),
        Column::Services => record.service_mask(),
        Column::Rates0 => rates(record, 0),
        Column::Rates1 => rates(record, 1),
        Column::Rates2 => rates(record, 2),
        Column::Rates3 => rates(record, 3),
        Column::Rates4 => rates(record, 4),
        Column::Rates5 => rates(record, 5),
        Column::Skills => record.skills,
        Column::Aware => aware,
        Column::Experienced => experienced,
        Column::Trained => trained,
        Column::Specialist => specialist,
        Column::Languages => record.languages,
        Column::Cultures => record.cultures,
        Column::Interests0 => interests0,
        Column::Interests1 => interests1,
        Column::Interests2 => interests2,
        Column::Gender => u64::from(record.gender.bit()),
        Column::DeclinedTasks => record.declined_tasks,
        Column::DeclinedHazards => record.declined_hazards,
        Column::CareLevel => u64::from(record.highest_care_level.bit()),
        Column::Monday => monday,
        Column::Tuesday => tuesday,
        Column::Wednesday => wednesday,
        Column::Thursday => thursday,
        Column::Friday => friday,
        Column::Saturday => saturday,
        Column::Sunday => sunday,
        Column::DayParts => u64::from(record.week.day_parts().bits()),
        Column::HoursWanted => u64::from(record.hours_wanted),
        Column::ChecksUntil => record.checks_until.map_or(u64::MAX, day),
        Column::WorkedDays => u64::from(record.worked_days),
        Column::WorkingSince => record.working_since.map_or(0, day),
        Column::RatingSum => u64::from(reliability.rating_sum),
        Column::RatingCount => u64::from(reliability.rating_count),
        Column::Invitations => u64::from(reliability.invitations),
        Column::Answered => u64::from(reliability.answered),
        Column::AnswerMinutes => u64::from(reliability.answer_minutes),
        Column::CompletedVisits => u64::from(reliability.completed_visits),
        Column::Exposure => u64::from(reliability.exposure),
    }
}

/// The lists of a support worker, any length each.
pub(crate) struct Lists {
    pub(crate) offered: Vec<u64>,
    pub(crate) certificates: Vec<u64>,
    pub(crate) exceptions: Vec<u64>,
}

/// What the list columns hold of a support worker.
pub(crate) fn encode_lists(record: &IndexRecord) -> Lists {
    let offered = record.services.iter();
    Lists {
        offered: offered
            .map(|offered| u64::from(offered.service.bit()))
            .collect(),
        certificates: record.certifications.iter().map(certificate).collect(),
        exceptions: record.exceptions.iter().map(exception).collect(),
    }
}

/// The packed profile that these columns hold. None where they hold what [`encode`] never writes.
pub(crate) fn decode(column: impl Fn(Column) -> u64, lists: &Lists) -> Option<IndexRecord> {
    let small = |of: Column| u32::try_from(column(of)).ok();
    let id = |high: Column, low: Column| uuid::Uuid::from_u64_pair(column(high), column(low));
    let coordinate = |of: Column| lowered(column(of));
    let services = lists.offered.iter().map(|bit| {
        let service = word::<Service>(*bit)?;
        let hourly_rate = rate_of(&column, service);
        Some(OfferedService {
            service,
            hourly_rate,
        })
    });
    Some(IndexRecord {
        worker: WorkerId::from_uuid(id(Column::WorkerHigh, Column::WorkerLow)),
        person: PersonId::from_uuid(id(Column::PersonHigh, Column::PersonLow)),
        position: Position {
            x: coordinate(Column::X)?,
            y: coordinate(Column::Y)?,
            z: coordinate(Column::Z)?,
        },
        radius_km: u16::try_from(column(Column::Radius)).ok()?,
        services: services.collect::<Option<_>>()?,
        skills: column(Column::Skills),
        conditions: [
            column(Column::Aware),
            column(Column::Experienced),
            column(Column::Trained),
            column(Column::Specialist),
        ],
        languages: column(Column::Languages),
        cultures: column(Column::Cultures),
        interests: [
            column(Column::Interests0),
            column(Column::Interests1),
            column(Column::Interests2),
        ],
        gender: word::<Gender>(column(Column::Gender))?,
        certifications: lists
            .certificates
            .iter()
            .map(|packed| held(*packed))
            .collect::<Option<_>>()?,
        declined_tasks: column(Column::DeclinedTasks),
        declined_hazards: column(Column::DeclinedHazards),
        highest_care_level: word::<CareLevel>(column(Column::CareLevel))?,
        week: Week::from_rows([
            column(Column::Monday),
            column(Column::Tuesday),
            column(Column::Wednesday),
            column(Column::Thursday),
            column(Column::Friday),
            column(Column::Saturday),
            column(Column::Sunday),
        ]),
        exceptions: lists
            .exceptions
            .iter()
            .map(|packed| departure(*packed))
            .collect::<Option<_>>()?,
        hours_wanted: u16::try_from(column(Column::HoursWanted)).ok()?,
        checks_until: match column(Column::ChecksUntil) {
            u64::MAX => None,
            packed => Some(date(packed)?),
        },
        worked_days: small(Column::WorkedDays)?,
        working_since: match column(Column::WorkingSince) {
            0 => None,
            packed => Some(date(packed)?),
        },
        reliability: Reliability {
            rating_sum: small(Column::RatingSum)?,
            rating_count: small(Column::RatingCount)?,
            invitations: small(Column::Invitations)?,
            answered: small(Column::Answered)?,
            answer_minutes: small(Column::AnswerMinutes)?,
            completed_visits: small(Column::CompletedVisits)?,
            exposure: small(Column::Exposure)?,
        },
        words: vec![],
    })
}

/// The rate columns, three services to each.
const RATES: [Column; 6] = [
    Column::Rates0,
    Column::Rates1,
    Column::Rates2,
    Column::Rates3,
    Column::Rates4,
    Column::Rates5,
];

/// What an hour of a service costs; only told of services that are offered.
pub(crate) fn rate_of(column: impl Fn(Column) -> u64, service: Service) -> Cents {
    let packed = RATES
        .get((service.bit() / 3) as usize)
        .map_or(0, |rates| column(*rates));
    let rate = packed >> (service.bit() % 3 * RATE_BITS) & RATE;
    Cents(u32::try_from(rate).unwrap_or(u32::MAX))
}

fn rates(record: &IndexRecord, part: u32) -> u64 {
    record
        .services
        .iter()
        .filter(|offered| offered.service.bit() / 3 == part)
        .fold(0, |packed, offered| {
            packed
                | (u64::from(offered.hourly_rate.0) & RATE)
                    << (offered.service.bit() % 3 * RATE_BITS)
        })
}

/// A date as a number that is never zero and keeps the order.
pub(crate) fn day(date: NaiveDate) -> u64 {
    u64::try_from(i64::from(date.num_days_from_ce()) + EPOCH).unwrap_or(1)
}

fn date(packed: u64) -> Option<NaiveDate> {
    let days = i64::try_from(packed).ok()? - EPOCH;
    NaiveDate::from_num_days_from_ce_opt(i32::try_from(days).ok()?)
}

fn raised(coordinate: i32) -> u64 {
    u64::try_from(i64::from(coordinate) + SEA_LEVEL).unwrap_or(0)
}

/// The coordinate that a column holds.
pub(crate) fn lowered(packed: u64) -> Option<i32> {
    i32::try_from(i64::try_from(packed).ok()? - SEA_LEVEL).ok()
}

fn word<V: Vocabulary>(bit: u64) -> Option<V> {
    V::ALL.get(usize::try_from(bit).ok()?).copied()
}

fn certificate(held: &HeldCertification) -> u64 {
    u64::from(held.certification.bit()) << DAY_BITS | held.expires_on.map_or(0, day)
}

fn held(packed: u64) -> Option<HeldCertification> {
    Some(HeldCertification {
        certification: word::<Certification>(packed >> DAY_BITS)?,
        expires_on: match packed & DAY {
            0 => None,
            last => Some(date(last)?),
        },
    })
}

/// The bit that tells extra hours from days away.
const EXTRA: u64 = 1 << 63;

fn exception(exception: &Exception) -> u64 {
    match exception {
        Exception::Away { first, last } => day(*first) << DAY_BITS | day(*last),
        Exception::Extra { date, from, until } => {
            let hours = u64::from(from.half_hours()) << 6 | u64::from(until.half_hours());
            EXTRA | day(*date) << DAY_BITS | hours
        }
    }
}

fn departure(packed: u64) -> Option<Exception> {
    let first = date(packed >> DAY_BITS & DAY)?;
    let rest = packed & DAY;
    if packed & EXTRA == 0 {
        return Some(Exception::Away {
            first,
            last: date(rest)?,
        });
    }
    let time = |half_hours: u64| HalfHour::after_midnight(u8::try_from(half_hours).ok()?);
    Some(Exception::Extra {
        date: first,
        from: time(rest >> 6)?,
        until: time(rest & 0x3f)?,
    })
}
