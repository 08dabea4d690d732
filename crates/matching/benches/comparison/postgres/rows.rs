//! Support workers and requests as rows for `COPY`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write;

use chrono::{Datelike, NaiveDate};
use domain::availability::{DayStrength, RequestedDay};
use domain::candidates::Criterion;
use domain::eligibility::Asked;
use domain::packed::IndexRecord;
use domain::place::reach_squared;
use domain::vocabulary::{Certification, Service, Vocabulary, mask, words_in};
use rapport_matching::value;

use crate::Error;
use crate::engines::degrees;
use crate::limit::Around;
use crate::world::Prepared;

/// A row being written, in PostgreSQL's text format.
#[derive(Default)]
struct Row(String);

impl Row {
    fn put(&mut self, value: impl std::fmt::Display) {
        if !self.0.is_empty() {
            self.0.push('\t');
        }
        let _ = write!(self.0, "{value}");
    }

    fn list<T: std::fmt::Display>(&mut self, values: impl IntoIterator<Item = T>) {
        let values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
        self.put(format_args!("{{{}}}", values.join(",")));
    }

    fn optional(&mut self, value: Option<impl std::fmt::Display>) {
        match value {
            Some(value) => self.put(value),
            None => self.put("\\N"),
        }
    }

    fn finish(mut self, out: &mut dyn Write) -> Result<(), Error> {
        self.0.push('\n');
        Ok(out.write_all(self.0.as_bytes())?)
    }
}

fn day(date: NaiveDate) -> i32 {
    date.num_days_from_ce()
}

/// A mask of up to 64 words in a signed column of as many bits.
fn signed(mask: u64) -> i64 {
    mask.cast_signed()
}

/// Writes everybody; `anybody` is any request, for what is the same for all.
pub(super) fn write_workers(
    records: &[&IndexRecord],
    anybody: &Asked,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let mut around = Around::default();
    for record in records {
        let neighbourhoods: Vec<u64> = around.reached_by(record).collect();
        write_worker(record, &neighbourhoods, anybody, out)?;
    }
    Ok(())
}

fn write_worker(
    record: &IndexRecord,
    neighbourhoods: &[u64],
    anybody: &Asked,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let mut row = Row::default();
    row.put(record.worker.uuid());
    row.put(record.person.uuid());
    row.put(record.position.x);
    row.put(record.position.y);
    row.put(record.position.z);
    row.put(reach_squared(record.radius_km));
    row.put(reach_box(record));
    row.list(neighbourhoods);
    let services = words_in::<Service>(record.service_mask()).map(|service| service.bit() + 1);
    row.list(
        neighbourhoods
            .iter()
            .copied()
            .chain(services.map(u64::from)),
    );
    row.put(record.service_mask());
    row.list(
        Service::ALL
            .iter()
            .map(|service| record.rate(*service).map_or(0, |rate| rate.0)),
    );
    let day_parts = record.week.day_parts().bits();
    row.put(day_parts);
    row.put(day_parts);
    row.put(mask([record.gender]));
    row.put(record.highest_care_level.bit());
    row.put(record.declined_tasks);
    row.put(record.declined_hazards);
    row.put(record.checks_until.map_or(i32::MAX, day));
    row.list(Certification::ALL.iter().map(|certification| {
        let held = record.certifications.iter();
        let held = held.filter(|held| held.certification == *certification);
        held.map(|held| held.expires_on.map_or(i32::MAX, day))
            .max()
            .unwrap_or(0)
    }));
    for conditions in record.conditions {
        row.put(conditions);
    }
    row.put(record.skills);
    row.put(signed(record.languages));
    row.put(record.cultures);
    for interests in record.interests.iter().take(2) {
        row.put(signed(*interests));
    }
    row.put(record.worked_days);
    row.optional(record.working_since.map(day));
    row.put(value(Criterion::Reliability, anybody, record));
    row.put(value(Criterion::Workload, anybody, record));
    row.put(record.reliability.exposure);
    row.finish(out)
}

/// A box of degrees that the travel disc lies in, a little larger. Where it would cross the date line, all the way
/// round.
fn reach_box(record: &IndexRecord) -> String {
    let (latitude, longitude) = degrees(record.position);
    let high = f64::from(record.radius_km) / 111.0 + 0.01;
    let narrowest = (latitude.abs() + high).to_radians().cos().max(0.01);
    let wide = high / narrowest;
    let (west, east) = match (longitude - wide, longitude + wide) {
        (west, east) if west < -180.0 || east > 180.0 => (-180.0, 180.0),
        within => within,
    };
    let (south, north) = (latitude - high, latitude + high);
    format!("(({east:.5},{north:.5}),({west:.5},{south:.5}))")
}

/// A request that fits the columns: at most three services and two certificates.
pub(super) struct RequestRow {
    pub(super) number: usize,
    /// Whether it asks for nothing that is left out here: then the ten have to be the same.
    pub(super) is_whole: bool,
    row: String,
}

impl RequestRow {
    pub(super) fn of(number: usize, request: &Prepared) -> Option<Self> {
        let asked = &request.asked;
        let services = padded::<3>(places::<Service>(asked.services), true)?;
        let certificates = padded::<2>(places::<Certification>(asked.certifications), false)?;
        let row = row_of(number, request, services, certificates)?;
        Some(Self {
            number,
            is_whole: request.details.days.is_empty() && asked.words.is_empty(),
            row,
        })
    }

    pub(super) fn write(&self, out: &mut dyn Write) -> Result<(), Error> {
        Row(self.row.clone()).finish(out)
    }
}

/// The places of a mask's words in an array of PostgreSQL's, which begins at 1.
fn places<V: Vocabulary>(mask: u64) -> Vec<u32> {
    words_in::<V>(mask).map(|word| word.bit() + 1).collect()
}

/// Filled up with the first again, or with nothing. None where there are more.
fn padded<const N: usize>(places: Vec<u32>, again: bool) -> Option<[u32; N]> {
    let first = places.first().copied().filter(|_| again).unwrap_or(0);
    if places.len() > N {
        return None;
    }
    Some(std::array::from_fn(|at| {
        places.get(at).copied().unwrap_or(first)
    }))
}

fn row_of(
    number: usize,
    request: &Prepared,
    services: [u32; 3],
    certificates: [u32; 2],
) -> Option<String> {
    let (asked, details) = (&request.asked, &request.details);
    let (must, avoid, prefer) = (&asked.must, &asked.avoid, &asked.prefer);
    if [must, avoid, prefer]
        .iter()
        .any(|wishes| wishes.interests[2] != 0)
    {
        return None;
    }
    let neighbourhood = asked.position.neighbourhood();
    let mut row = Row::default();
    row.put(number);
    row.put(request.id.uuid());
    row.put(neighbourhood);
    row.list([neighbourhood].into_iter().chain(services.map(u64::from)));
    row.put(format_args!(
        "({},{})",
        details.place.longitude, details.place.latitude
    ));
    row.put(asked.position.x);
    row.put(asked.position.y);
    row.put(asked.position.z);
    row.put(day(asked.today));
    row.put(day(asked.covered_until));
    row.put(asked.services);
    for place in services.into_iter().chain(certificates) {
        row.put(place);
    }
    row.put(asked.budget.least.0);
    row.put(asked.budget.most.0);
    row.put(day_parts(details.days.iter(), DayStrength::Must));
    row.put(asked.tasks);
    row.put(asked.hazards);
    row.put(asked.care_level.bit());
    for wishes in [must, avoid] {
        row.put(wishes.genders);
        row.put(signed(wishes.languages));
        row.put(wishes.skills);
        row.put(wishes.cultures);
        row.put(signed(wishes.interests[0]));
        row.put(signed(wishes.interests[1]));
    }
    row.put(asked.conditions);
    row.put(asked.conditions.count_ones());
    let preferred = day_parts(details.days.iter(), DayStrength::Prefer);
    row.put(preferred);
    row.put(preferred.count_ones());
    row.put(signed(prefer.interests[0]));
    row.put(signed(prefer.interests[1]));
    row.put(
        prefer
            .interests
            .iter()
            .map(|part| part.count_ones())
            .sum::<u32>(),
    );
    row.put(prefer.skills);
    row.put(prefer.genders);
    row.put(prefer.skills.count_ones() + u32::from(prefer.genders != 0));
    row.put(signed(prefer.languages));
    row.put(prefer.cultures);
    row.put(prefer.languages.count_ones() + prefer.cultures.count_ones());
    let relations = &request.relations;
    let not_these: BTreeSet<_> = relations.blocked.union(&relations.known).collect();
    row.list(not_these.into_iter().map(|worker| worker.uuid()));
    row.list(relations.own.iter().map(|person| person.uuid()));
    Some(row.0)
}

/// The day-parts of one strength, exact hours widened to theirs.
fn day_parts<'a>(days: impl Iterator<Item = &'a RequestedDay>, strength: DayStrength) -> u32 {
    let days = days.filter(|day| day.strength == strength);
    let parts = days.map(|day| (day.weekday, day.day_part));
    domain::availability::DayParts::of(parts).bits()
}
