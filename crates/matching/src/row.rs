//! A packed profile as whole numbers, and back.
//!
//! The library stores a column in as many bits as the distance between its least and its greatest number takes, or block
//! by block where that is smaller, which is slower to read. So what a search reads most is packed with that in mind: the
//! part that varies most between neighbours stands highest.

use chrono::NaiveDate;
use domain::id::{PersonId, WorkerId};
use domain::packed::IndexRecord;
use domain::profile::OfferedService;
use domain::support_worker::Reliability;
use domain::vocabulary::{
    CareLevel, Certification, Condition, Gender, Hazard, Interest, Service, Skill, Task,
    Vocabulary, mask,
};

use crate::codes::{
    DAY_BITS, certificate, date_code, date_of_code, departure, exception, height, held, hours_of,
    plane, position, radius, reordered, service_at, week,
};
use crate::columns::Column;
use crate::criteria;

/// A place for some bits in a column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bits {
    shift: u32,
    width: u32,
}

impl Bits {
    /// So many of them, from the lowest.
    const fn lowest(width: u32) -> Self {
        Self { shift: 0, width }
    }

    /// So many more, above these.
    const fn then(self, width: u32) -> Self {
        Self {
            shift: self.shift + self.width,
            width,
        }
    }

    /// One for each word of a vocabulary, above these.
    const fn then_each<V: Vocabulary>(self) -> Self {
        self.then(words::<V>())
    }

    /// A number put in its place; what does not fit is cut off.
    pub(crate) const fn put(self, number: u64) -> u64 {
        (number & self.mask()) << self.shift
    }

    /// The number in this place.
    pub(crate) const fn get(self, packed: u64) -> u64 {
        packed >> self.shift & self.mask()
    }

    const fn mask(self) -> u64 {
        u64::MAX >> (64 - self.width)
    }

    /// INVARIANT: what a column holds fits into 64 bits; the build fails otherwise.
    const fn fits(self) {
        assert!(self.shift + self.width <= 64, "a column holds 64 bits");
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a vocabulary has some dozens of words"
)]
const fn words<V: Vocabulary>() -> u32 {
    V::ALL.len() as u32
}

/// Day-parts that may be free on some date: of the usual week with everything extra added.
pub(crate) const DAY_PARTS: Bits = Bits::lowest(28);
/// One bit for each level of care accepted.
pub(crate) const CARE: Bits = DAY_PARTS.then_each::<CareLevel>();
/// One bit for the gender.
pub(crate) const GENDER: Bits = CARE.then_each::<Gender>();
/// Whether there are exceptions from the usual week.
pub(crate) const EXCEPTS: Bits = GENDER.then(1);
/// The services offered.
pub(crate) const SERVICES: Bits = EXCEPTS.then_each::<Service>();

/// Tasks not accepted.
pub(crate) const TASKS: Bits = Bits::lowest(words::<Task>());
/// Hazards not accepted.
pub(crate) const HAZARDS: Bits = TASKS.then_each::<Hazard>();

/// Certificates, whether or not they still hold.
pub(crate) const CERTIFIED: Bits = Bits::lowest(words::<Certification>());
/// Skills.
pub(crate) const SKILLS: Bits = CERTIFIED.then_each::<Skill>();

/// The lesser of two levels of expertise.
pub(crate) const LESSER: Bits = Bits::lowest(words::<Condition>());
/// The greater.
pub(crate) const GREATER: Bits = LESSER.then_each::<Condition>();

/// Hours wanted.
pub(crate) const HOURS_WANTED: Bits = Bits::lowest(16);
/// What reliability is worth, which is computed when a shard is built.
pub(crate) const RELIABILITY: Bits = HOURS_WANTED.then(10);

/// Since when, as a date's code; 0 for not.
pub(crate) const SINCE: Bits = Bits::lowest(DAY_BITS);
/// Days worked before.
pub(crate) const WORKED: Bits = SINCE.then(32);

const _: () = {
    SERVICES.fits();
    HAZARDS.fits();
    SKILLS.fits();
    GREATER.fits();
    RELIABILITY.fits();
    WORKED.fits();
    assert!(words::<Interest>() <= 192, "interests have three columns");
};

/// What one column holds of a support worker.
pub(crate) fn encode(record: &IndexRecord, column: Column) -> u64 {
    let (worker, person) = (
        record.worker.uuid().as_u64_pair(),
        record.person.uuid().as_u64_pair(),
    );
    let [aware, experienced, trained, specialist] = record.conditions;
    let [interests0, interests1, interests2] = record.interests;
    let reliability = &record.reliability;
    match column {
        Column::Offer => offer(record),
        Column::Declined => TASKS.put(record.declined_tasks) | HAZARDS.put(record.declined_hazards),
        Column::Able => {
            let certified = record.certifications.iter();
            CERTIFIED.put(mask(certified.map(|held| held.certification)))
                | SKILLS.put(record.skills)
        }
        Column::Languages => record.languages,
        Column::Cultures => record.cultures,
        Column::Interests0 => interests0,
        Column::Interests1 => interests1,
        Column::Interests2 => interests2,
        Column::Known => LESSER.put(aware) | GREATER.put(experienced),
        Column::Learnt => LESSER.put(trained) | GREATER.put(specialist),
        Column::Plane => plane(record.position),
        Column::HeightRadius => height(record.position, record.radius_km),
        Column::ChecksUntil => date_code(record.checks_until),
        Column::Worth => {
            RELIABILITY.put(u64::from(criteria::reliability(reliability)))
                | HOURS_WANTED.put(u64::from(record.hours_wanted))
        }
        Column::Experience => {
            WORKED.put(u64::from(record.worked_days)) | SINCE.put(date_code(record.working_since))
        }
        Column::WorkerHigh => worker.0,
        Column::WorkerLow => worker.1,
        Column::PersonHigh => person.0,
        Column::PersonLow => person.1,
        Column::RatingSum => u64::from(reliability.rating_sum),
        Column::RatingCount => u64::from(reliability.rating_count),
        Column::Invitations => u64::from(reliability.invitations),
        Column::Answered => u64::from(reliability.answered),
        Column::AnswerMinutes => u64::from(reliability.answer_minutes),
        Column::CompletedVisits => u64::from(reliability.completed_visits),
        Column::Exposure => u64::from(reliability.exposure),
    }
}

fn offer(record: &IndexRecord) -> u64 {
    let parts = record.week.widest(&record.exceptions).day_parts();
    let levels = CareLevel::ALL.iter().copied();
    let accepted = levels.filter(|level| *level <= record.highest_care_level);
    DAY_PARTS.put(u64::from(parts.bits()))
        | CARE.put(mask(accepted))
        | GENDER.put(mask([record.gender]))
        | EXCEPTS.put(u64::from(!record.exceptions.is_empty()))
        | SERVICES.put(record.service_mask())
}

/// The lists of a support worker, any length each.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    pub(crate) hours: Vec<u64>,
    pub(crate) exceptions: Vec<u64>,
    pub(crate) certificates: Vec<u64>,
    pub(crate) reordered: Vec<u64>,
}

/// What the list columns hold of a support worker.
pub(crate) fn encode_lists(record: &IndexRecord) -> Lists {
    let mut services = record.services.windows(2);
    let in_order = services.all(|pair| match pair {
        [first, second] => first.service.bit() < second.service.bit(),
        _ => true,
    });
    Lists {
        hours: hours_of(&record.week),
        exceptions: record.exceptions.iter().map(exception).collect(),
        certificates: record.certifications.iter().map(certificate).collect(),
        reordered: if in_order {
            vec![]
        } else {
            record.services.iter().map(reordered).collect()
        },
    }
}

/// The packed profile that these columns hold, but for its words. None where they hold what [`encode`] never writes.
pub(crate) fn decode(
    column: impl Fn(Column) -> u64,
    rate: impl Fn(Service) -> u64,
    lists: &Lists,
) -> Option<IndexRecord> {
    let small = |of: Column| u32::try_from(column(of)).ok();
    let id = |high: Column, low: Column| uuid::Uuid::from_u64_pair(column(high), column(low));
    let (offer, declined) = (column(Column::Offer), column(Column::Declined));
    let (able, worth) = (column(Column::Able), column(Column::Worth));
    let (known, learnt) = (column(Column::Known), column(Column::Learnt));
    let experience = column(Column::Experience);
    let height = column(Column::HeightRadius);
    Some(IndexRecord {
        worker: WorkerId::from_uuid(id(Column::WorkerHigh, Column::WorkerLow)),
        person: PersonId::from_uuid(id(Column::PersonHigh, Column::PersonLow)),
        position: position(column(Column::Plane), height),
        radius_km: radius(height),
        services: services(SERVICES.get(offer), rate, &lists.reordered)?,
        skills: SKILLS.get(able),
        conditions: [
            LESSER.get(known),
            GREATER.get(known),
            LESSER.get(learnt),
            GREATER.get(learnt),
        ],
        languages: column(Column::Languages),
        cultures: column(Column::Cultures),
        interests: Column::INTERESTS.map(&column),
        gender: Gender::ALL
            .get(GENDER.get(offer).trailing_zeros() as usize)
            .copied()?,
        certifications: lists
            .certificates
            .iter()
            .map(|packed| held(*packed))
            .collect::<Option<_>>()?,
        declined_tasks: TASKS.get(declined),
        declined_hazards: HAZARDS.get(declined),
        highest_care_level: CareLevel::ALL
            .get((CARE.get(offer).count_ones() as usize).checked_sub(1)?)
            .copied()?,
        week: week(lists.hours.iter().copied()),
        exceptions: lists
            .exceptions
            .iter()
            .map(|packed| departure(*packed))
            .collect::<Option<_>>()?,
        hours_wanted: u16::try_from(HOURS_WANTED.get(worth)).ok()?,
        checks_until: optional_date(column(Column::ChecksUntil))?,
        worked_days: u32::try_from(WORKED.get(experience)).ok()?,
        working_since: optional_date(SINCE.get(experience))?,
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

/// What is offered: in the order of the vocabulary, or as listed.
fn services(
    offered: u64,
    rate: impl Fn(Service) -> u64,
    listed: &[u64],
) -> Option<Vec<OfferedService>> {
    if !listed.is_empty() {
        return listed.iter().map(|packed| service_at(*packed)).collect();
    }
    domain::vocabulary::words_in::<Service>(offered)
        .map(|service| {
            Some(OfferedService {
                service,
                hourly_rate: domain::money::Cents(u32::try_from(rate(service)).ok()?),
            })
        })
        .collect()
}

/// A date or none; none of either where the number is no date's.
#[expect(
    clippy::option_option,
    reason = "no date is one thing, a faulty one another"
)]
fn optional_date(code: u64) -> Option<Option<NaiveDate>> {
    match code {
        0 => Some(None),
        _ => date_of_code(code).map(Some),
    }
}
