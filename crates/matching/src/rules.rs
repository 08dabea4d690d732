//! The hard rules as compares of columns.
//!
//! They are written in `domain::eligibility`; this is their compiled form, proven equal by a property test.

use std::sync::LazyLock;

use domain::availability::{DayParts, day_parts_of};
#[cfg(test)]
use domain::eligibility::Broken;
use domain::eligibility::{Asked, Relations, Rule};
use domain::place::{FARTHEST_TRAVEL_KM, Position, reach_squared};
use domain::vocabulary::{Service, Vocabulary, mask, words_in};
use tantivy::DocId;

use crate::columns::Column;
use crate::row::{day, lowered, rate_of};
use crate::shard::{SearchShardError, Segment};

/// How far each whole kilometre of travel reaches, as a squared chord.
static REACH: LazyLock<Vec<u64>> =
    LazyLock::new(|| (0..=FARTHEST_TRAVEL_KM).map(reach_squared).collect());

/// A request compiled to what the columns are compared with.
pub(crate) struct Rules<'a> {
    asked: &'a Asked,
    relations: &'a Relations,
    today: u64,
    covered_until: u64,
    occurring: DayParts,
    services: Vec<Service>,
    gender_must: u64,
    gender_avoid: u64,
    own: Vec<(u64, u64)>,
}

/// One rule and its compare.
type Check = (
    Rule,
    fn(&Rules, &Segment, DocId) -> Result<bool, SearchShardError>,
);

/// Every rule, those that remove most for least work first.
const CHECKS: [Check; 12] = [
    (Rule::Services, |rules, row, doc| {
        Ok(holds(row.get(Column::Services, doc), rules.asked.services))
    }),
    (Rule::Availability, |rules, row, doc| {
        rules.is_available(row, doc)
    }),
    (Rule::Boundaries, |rules, row, doc| {
        let asked = rules.asked;
        Ok(row.get(Column::DeclinedTasks, doc) & asked.tasks == 0
            && row.get(Column::DeclinedHazards, doc) & asked.hazards == 0
            && u64::from(asked.care_level.bit()) <= row.get(Column::CareLevel, doc))
    }),
    (Rule::Preferences, |rules, row, doc| {
        Ok(rules.has_all(row, doc))
    }),
    (
        Rule::Avoided,
        |rules, row, doc| Ok(rules.has_none(row, doc)),
    ),
    (Rule::Distance, |rules, row, doc| {
        Ok(rules.is_within_reach(row, doc))
    }),
    (Rule::Budget, |rules, row, doc| {
        Ok(rules.is_within_budget(row, doc))
    }),
    (Rule::Active, |rules, row, doc| {
        Ok(rules.today <= row.get(Column::ChecksUntil, doc))
    }),
    (Rule::ChecksThroughPeriod, |rules, row, doc| {
        Ok(rules.covered_until <= row.get(Column::ChecksUntil, doc))
    }),
    (Rule::Certifications, |rules, row, doc| {
        if rules.asked.certifications == 0 {
            return Ok(true);
        }
        let held = row
            .record(doc)?
            .certifications_on(rules.asked.covered_until);
        Ok(holds(held, rules.asked.certifications))
    }),
    (Rule::NotBlocked, |rules, row, doc| {
        let blocked = &rules.relations.blocked;
        Ok(blocked.is_empty() || !blocked.contains(&row.worker(doc)))
    }),
    (Rule::NotThemselves, |rules, row, doc| {
        let person = (
            row.get(Column::PersonHigh, doc),
            row.get(Column::PersonLow, doc),
        );
        Ok(!rules.own.contains(&person))
    }),
];

impl<'a> Rules<'a> {
    /// Compiles a request.
    pub(crate) fn new(asked: &'a Asked, relations: &'a Relations) -> Self {
        let (first, last) = asked.window;
        Self {
            asked,
            relations,
            today: day(asked.today),
            covered_until: day(asked.covered_until),
            occurring: day_parts_of(first, last),
            services: words_in(asked.services).collect(),
            gender_must: asked.must.genders,
            gender_avoid: asked.avoid.genders,
            own: relations
                .own
                .iter()
                .map(|own| own.uuid().as_u64_pair())
                .collect(),
        }
    }

    /// Whether a row keeps every rule; stops at the first that it breaks.
    pub(crate) fn admits(&self, row: &Segment, doc: DocId) -> Result<bool, SearchShardError> {
        for (_, kept) in &CHECKS {
            if !kept(self, row, doc)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Every rule that a row breaks.
    #[cfg(test)]
    pub(crate) fn broken(&self, row: &Segment, doc: DocId) -> Result<Broken, SearchShardError> {
        CHECKS
            .iter()
            .try_fold(Broken::NONE, |broken, (rule, kept)| {
                Ok(broken.unless(kept(self, row, doc)?, *rule))
            })
    }

    fn is_available(&self, row: &Segment, doc: DocId) -> Result<bool, SearchShardError> {
        let required = &self.asked.required;
        if required.count() == 0 {
            return Ok(true);
        }
        if row.has_exceptions(doc) || !required.hours.is_empty() {
            let record = row.record(doc)?;
            let free = record
                .week
                .free_on(&record.exceptions, self.asked.window, required);
            return Ok(free == required.count());
        }
        let usual = u32::try_from(row.get(Column::DayParts, doc)).unwrap_or(0);
        Ok(DayParts::from_bits(usual)
            .and(self.occurring)
            .contains(required.parts))
    }

    fn has_all(&self, row: &Segment, doc: DocId) -> bool {
        let must = &self.asked.must;
        let has = |column: Column, needed: u64| needed == 0 || holds(row.get(column, doc), needed);
        let [first, second, third] = must.interests;
        has(Column::Languages, must.languages)
            && has(Column::Skills, must.skills)
            && has(Column::Cultures, must.cultures)
            && has(Column::Interests0, first)
            && has(Column::Interests1, second)
            && has(Column::Interests2, third)
            && (self.gender_must == 0 || holds(gender(row, doc), self.gender_must))
    }

    fn has_none(&self, row: &Segment, doc: DocId) -> bool {
        let avoid = &self.asked.avoid;
        let lacks =
            |column: Column, avoided: u64| avoided == 0 || row.get(column, doc) & avoided == 0;
        let [first, second, third] = avoid.interests;
        lacks(Column::Languages, avoid.languages)
            && lacks(Column::Skills, avoid.skills)
            && lacks(Column::Cultures, avoid.cultures)
            && lacks(Column::Interests0, first)
            && lacks(Column::Interests1, second)
            && lacks(Column::Interests2, third)
            && (self.gender_avoid == 0 || gender(row, doc) & self.gender_avoid == 0)
    }

    fn is_within_reach(&self, row: &Segment, doc: DocId) -> bool {
        let coordinate = |column: Column| lowered(row.get(column, doc)).unwrap_or(0);
        let base = Position {
            x: coordinate(Column::X),
            y: coordinate(Column::Y),
            z: coordinate(Column::Z),
        };
        let radius = usize::try_from(row.get(Column::Radius, doc)).unwrap_or(0);
        let reach = REACH.get(radius).copied().unwrap_or(0);
        base.chord_squared(self.asked.position) <= reach
    }

    fn is_within_budget(&self, row: &Segment, doc: DocId) -> bool {
        let offered = row.get(Column::Services, doc);
        let budget = &self.asked.budget;
        self.services
            .iter()
            .filter(|service| offered & mask([**service]) != 0)
            .all(|service| {
                let rate = rate_of(|column| row.get(column, doc), *service);
                (budget.least..=budget.most).contains(&rate)
            })
    }
}

const fn holds(all: u64, needed: u64) -> bool {
    all & needed == needed
}

/// The mask of a row's gender.
fn gender(row: &Segment, doc: DocId) -> u64 {
    let bit = row.get(Column::Gender, doc);
    1_u64
        .checked_shl(u32::try_from(bit).unwrap_or(u32::MAX))
        .unwrap_or(0)
}
