//! A request compiled to what the columns are held against.
//!
//! The hard rules are written in `domain::eligibility`, the soft ones in `criteria`; this is their compiled form, proven
//! equal by property tests. What a request does not ask about leaves no step, and so reads no column.

use std::ops::RangeInclusive;
use std::sync::LazyLock;

use domain::availability::{DayPart, DayParts, Times, day_parts_of};
use domain::candidates::Criterion;
use domain::eligibility::{Asked, WishMasks};
use domain::place::{Position, reach_squared};
use domain::vocabulary::{Service, mask, words_in};

use crate::codes::day;
use crate::columns::Column;
use crate::criteria::{self, FULL, share};
use crate::row::{CARE, CERTIFIED, DAY_PARTS, GENDER, HAZARDS, SERVICES, SKILLS, TASKS};
use crate::search::Query;
use crate::segment::Segment;
use crate::shard::SearchShardError;
use crate::weights::Weights;

/// How far each whole kilometre of travel reaches, as a squared chord: every radius that a column can hold.
pub(crate) static REACH: LazyLock<Vec<u64>> =
    LazyLock::new(|| (0..=255).map(reach_squared).collect());

/// A compiled request.
pub(crate) struct Plan<'a> {
    /// What is asked, and by whom.
    pub(crate) query: Query<'a>,
    /// What has to stand in single columns. None where nobody at all can have it.
    pub(crate) masks: Option<Vec<Mask>>,
    /// The services asked for.
    pub(crate) services: Vec<Service>,
    /// What an hour of each of them may cost.
    pub(crate) rates: RangeInclusive<u64>,
    /// The day-parts that the window has.
    pub(crate) occurring: DayParts,
    /// The days on which checks have to hold.
    pub(crate) checked: [i64; 2],
    /// What somebody who has everything preferred scores.
    pub(crate) most: u32,
    /// What takes away from it, what takes most for least reading first.
    pub(crate) stages: Vec<Stage>,
    /// What the criteria weigh that are computed last.
    pub(crate) weights: LastWeights,
    /// The words that somebody may have in common, in the order of their numbers in this segment.
    pub(crate) words: Vec<PlannedWord>,
}

/// Bits of one column, and which of them have to be set; the others must not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mask {
    pub(crate) column: Column,
    pub(crate) bits: u64,
    pub(crate) set: u64,
}

/// One criterion, or several that stand in one column, and what falling short of it takes away.
pub(crate) enum Stage {
    /// So many of these bits are set, and what is lost at each number of them.
    Count {
        wanted: Vec<(Column, u64)>,
        lost: Vec<u32>,
    },
    /// Expertise in these conditions.
    Expertise { conditions: u64, weight: u32 },
    /// Reliability and hours wanted.
    Worth { reliability: u32, workload: u32 },
    /// Days of support work up to a day.
    Experience { today: i64, weight: u32 },
}

/// What the criteria weigh that are computed for the few who remain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LastWeights {
    pub(crate) days: u32,
    pub(crate) distance: u32,
    pub(crate) rate: u32,
    pub(crate) words: u32,
}

/// A word asked that somebody may have in common.
pub(crate) struct PlannedWord {
    /// Its stem's number in the segment's introductions.
    pub(crate) number: Option<u64>,
    /// The interests that are about the same.
    pub(crate) interests: [u64; 3],
}

impl<'a> Plan<'a> {
    /// Compiles a request for a segment.
    pub(crate) fn new(
        segment: &Segment,
        query: Query<'a>,
        weights: &Weights,
    ) -> Result<Self, SearchShardError> {
        let asked = query.asked;
        let occurring = day_parts_of(asked.window.0, asked.window.1);
        let words = words(segment, asked)?;
        let last = LastWeights {
            days: weights.of(Criterion::Days),
            distance: weights.of(Criterion::Distance),
            rate: weights.of(Criterion::Rate),
            words: weights.of(Criterion::Words),
        };
        let total: u32 = weights.weights.iter().map(|weight| weight.weight).sum();
        let best_words = criteria::words(words.len(), asked.words.len());
        Ok(Self {
            query,
            masks: masks(asked, occurring),
            services: words_in(asked.services).collect(),
            rates: u64::from(asked.budget.least.0)..=u64::from(asked.budget.most.0),
            occurring,
            checked: [day(asked.today), day(asked.covered_until)],
            most: total * FULL - lost(best_words, last.words),
            stages: stages(asked, occurring, weights),
            weights: last,
            words,
        })
    }

    /// The client's place.
    pub(crate) fn place(&self) -> Position {
        self.query.asked.position
    }
}

/// The points that a value below full loses.
pub(crate) const fn lost(value: u32, weight: u32) -> u32 {
    FULL.saturating_sub(value) * weight
}

/// Bits needed and bits refused, gathered column by column.
#[derive(Default)]
struct Masks {
    masks: Vec<Mask>,
    contradictory: bool,
}

impl Masks {
    fn add(&mut self, column: Column, needed: u64, refused: u64) {
        if needed | refused == 0 {
            return;
        }
        self.contradictory |= needed & refused != 0;
        self.masks.push(Mask {
            column,
            bits: needed | refused,
            set: needed,
        });
    }
}

/// The masks of the hard rules, those that remove most first.
fn masks(asked: &Asked, occurring: DayParts) -> Option<Vec<Mask>> {
    if !may_occur(&asked.required, occurring) {
        return None;
    }
    let (must, avoid) = (&asked.must, &asked.avoid);
    let mut masks = Masks::default();
    masks.add(
        Column::Offer,
        DAY_PARTS.put(u64::from(asked.required.parts.bits()))
            | CARE.put(mask([asked.care_level]))
            | GENDER.put(must.genders)
            | SERVICES.put(asked.services),
        GENDER.put(avoid.genders),
    );
    masks.add(Column::Languages, must.languages, avoid.languages);
    masks.add(
        Column::Able,
        CERTIFIED.put(asked.certifications) | SKILLS.put(must.skills),
        SKILLS.put(avoid.skills),
    );
    masks.add(Column::Cultures, must.cultures, avoid.cultures);
    for (column, (needed, refused)) in Column::INTERESTS
        .into_iter()
        .zip(must.interests.into_iter().zip(avoid.interests))
    {
        masks.add(column, needed, refused);
    }
    masks.add(
        Column::Declined,
        0,
        TASKS.put(asked.tasks) | HAZARDS.put(asked.hazards),
    );
    (!masks.contradictory).then_some(masks.masks)
}

/// Whether all of these times occur in the window at all. A window has every part of a weekday, or none.
fn may_occur(times: &Times, occurring: DayParts) -> bool {
    let mut hours = times.hours.iter();
    occurring.contains(times.parts)
        && hours.all(|hours| occurring.contains(DayParts::of([(hours.weekday, DayPart::Morning)])))
}

/// What a criterion weighs, how many columns it reads, and its stage.
type Weighed = (u32, usize, Stage);

/// The criteria that are asked about and weigh something, those that weigh most for the columns they read first.
fn stages(asked: &Asked, occurring: DayParts, weights: &Weights) -> Vec<Stage> {
    let prefer = &asked.prefer;
    let expertise = weights.of(Criterion::Expertise);
    let (reliability, workload) = (
        weights.of(Criterion::Reliability),
        weights.of(Criterion::Workload),
    );
    let experience = weights.of(Criterion::Experience);
    let mut stages: Vec<Weighed> = vec![
        (
            if asked.conditions == 0 { 0 } else { expertise },
            2,
            Stage::Expertise {
                conditions: asked.conditions,
                weight: expertise,
            },
        ),
        (
            reliability + workload,
            1,
            Stage::Worth {
                reliability,
                workload,
            },
        ),
        (
            experience,
            1,
            Stage::Experience {
                today: day(asked.today),
                weight: experience,
            },
        ),
        days(asked, occurring, weights.of(Criterion::Days)),
        interests(prefer, weights.of(Criterion::Interests)),
        count(
            vec![
                (Column::Able, SKILLS.put(prefer.skills)),
                (Column::Offer, GENDER.put(prefer.genders)),
            ],
            prefer.skills.count_ones() + u32::from(prefer.genders != 0),
            weights.of(Criterion::Wishes),
        ),
        count(
            vec![
                (Column::Languages, prefer.languages),
                (Column::Cultures, prefer.cultures),
            ],
            prefer.languages.count_ones() + prefer.cultures.count_ones(),
            weights.of(Criterion::Understanding),
        ),
    ];
    stages.retain(|(weight, columns, _)| *weight > 0 && *columns > 0);
    stages.sort_by_key(|(weight, columns, _)| {
        std::cmp::Reverse(weight.checked_div(u32::try_from(*columns).unwrap_or(1)))
    });
    stages.into_iter().map(|(_, _, stage)| stage).collect()
}

/// Days preferred: what may be free at most, which is exact but for exact hours and who has exceptions.
fn days(asked: &Asked, occurring: DayParts, weight: u32) -> Weighed {
    let wanted = asked.preferred.parts.and(occurring);
    let hours = u32::try_from(asked.preferred.hours.len()).unwrap_or(u32::MAX);
    let all = asked.preferred.count();
    let lost = (0..=wanted.count())
        .map(|met| lost(criteria::days(met + hours, all), weight))
        .collect();
    let wanted = vec![(Column::Offer, DAY_PARTS.put(u64::from(wanted.bits())))];
    let columns = usize::from(all > hours);
    (weight, columns, Stage::Count { wanted, lost })
}

fn interests(prefer: &WishMasks, weight: u32) -> Weighed {
    let wanted = prefer.interests.iter().map(|part| part.count_ones()).sum();
    let columns = Column::INTERESTS.into_iter().zip(prefer.interests);
    count(columns.collect(), wanted, weight)
}

/// A share of so many that are wanted.
fn count(mut columns: Vec<(Column, u64)>, wanted: u32, weight: u32) -> Weighed {
    columns.retain(|(_, bits)| *bits != 0);
    let lost = (0..=wanted).map(|met| lost(share(met, wanted), weight));
    let lost = lost.collect();
    let reads = columns.len();
    let stage = Stage::Count {
        wanted: columns,
        lost,
    };
    (weight, reads, stage)
}

fn words(segment: &Segment, asked: &Asked) -> Result<Vec<PlannedWord>, SearchShardError> {
    let mut words = vec![];
    for word in &asked.words {
        let number = segment.number_of(&word.stem)?;
        if number.is_some() || word.interests != [0; 3] {
            words.push(PlannedWord {
                number,
                interests: word.interests,
            });
        }
    }
    words.sort_unstable_by_key(|word| word.number);
    Ok(words)
}
