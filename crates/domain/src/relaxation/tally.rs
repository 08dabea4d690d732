//! Counting, of everybody around a place, what each rule removes and what each change would bring.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::{Arrangement, Relaxation, arrangements, relaxations};
use crate::candidates::RuleCount;
use crate::eligibility::{Asked, Broken, Relations, Rule, judge_record};
use crate::id::WorkerId;
use crate::lack::Lack;
use crate::packed::IndexRecord;
use crate::vocabulary::Vocabulary;

/// Whom a relaxation would bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Relaxed {
    /// What would be asked differently.
    pub relaxation: Relaxation,
    /// How many would fit who do not.
    pub brings: u32,
    /// How many fit who would not.
    pub loses: u32,
}

/// Whom an arrangement would bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Arranged {
    /// What would be arranged.
    pub arrangement: Arrangement,
    /// How many would fit who do not.
    pub brings: u32,
}

/// Somebody who breaks one rule alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NearMiss {
    /// Who.
    pub worker: WorkerId,
    /// What they would score.
    pub score: u32,
    /// The rule.
    pub rule: Rule,
    /// What they lack of it.
    pub lacks: Vec<Lack>,
}

/// What stood in the way of more candidates, for staff, and what of it may be told.
///
/// People whom the client knows already are not counted: they stand in a list of their own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Misses {
    /// How many every rule removes, most first.
    pub removed: Vec<RuleCount>,
    /// What asking differently would bring, most first; nothing that brings nobody.
    pub relaxed: Vec<Relaxed>,
    /// What arranging something would bring, most first; nothing that brings nobody.
    pub arranged: Vec<Arranged>,
    /// Those who break one rule alone, the best first.
    pub nearest: Vec<NearMiss>,
    /// What the client may be told.
    pub told: Told,
}

/// The same counted as though nobody had blocked anybody.
///
/// INVARIANT: a block changes nothing in it, so that nobody can tell from it that there is one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Told {
    /// How many every rule removes, most first.
    pub removed: Vec<RuleCount>,
    /// What asking differently would bring, most first.
    pub relaxed: Vec<Relaxed>,
}

/// The most changes of either kind that are kept, those that bring most.
pub const MOST_KEPT: usize = 40;

/// A count under way.
#[derive(Debug)]
pub struct Tally<'a> {
    asked: &'a Asked,
    relations: &'a Relations,
    removed: Vec<RuleCount>,
    removed_told: Vec<RuleCount>,
    relaxed: Vec<Change<Relaxation>>,
    arranged: Vec<Change<Arrangement>>,
}

/// One change, the request with it, and whom it would bring.
#[derive(Debug)]
struct Change<C> {
    change: C,
    asked: Asked,
    brings: u32,
    loses: u32,
    /// Whom it would bring, and lose, if nobody had blocked anybody.
    told: (u32, u32),
}

impl<C> Change<C> {
    const fn new(change: C, asked: Asked) -> Self {
        Self {
            change,
            asked,
            brings: 0,
            loses: 0,
            told: (0, 0),
        }
    }

    fn bring(&mut self, blocked: bool) {
        self.brings += u32::from(!blocked);
        self.told.0 += 1;
    }

    fn lose(&mut self, blocked: bool) {
        self.loses += u32::from(!blocked);
        self.told.1 += 1;
    }
}

impl<'a> Tally<'a> {
    /// Begins to count for a request.
    #[must_use]
    pub fn new(asked: &'a Asked, relations: &'a Relations) -> Self {
        let relaxed = relaxations(asked).into_iter();
        let arranged = arrangements(asked).into_iter();
        Self {
            asked,
            relations,
            removed: no_counts(),
            removed_told: no_counts(),
            relaxed: relaxed
                .map(|change| Change::new(change, change.of(asked)))
                .collect(),
            arranged: arranged
                .map(|change| Change::new(change, change.of(asked)))
                .collect(),
        }
    }

    /// Counts a support worker, and gives the rules they break. Whom the client knows is not counted.
    pub fn add(&mut self, record: &IndexRecord) -> Broken {
        let broken = judge_record(self.asked, record, self.relations);
        if self.relations.known.contains(&record.worker) {
            return broken;
        }
        let otherwise = broken.but_for(Rule::NotBlocked);
        let blocked = broken != otherwise;
        count(&mut self.removed, broken);
        count(&mut self.removed_told, otherwise);
        let fits = |asked: &Asked, record: &IndexRecord| {
            let broken = judge_record(asked, record, self.relations);
            broken.but_for(Rule::NotBlocked).is_eligible()
        };
        if otherwise.is_eligible() {
            for change in &mut self.relaxed {
                if change.change.may_lose() && !fits(&change.asked, record) {
                    change.lose(blocked);
                }
            }
        }
        // Every change is about one rule: who breaks two is brought by none.
        if let Some(rule) = otherwise.only() {
            for change in &mut self.relaxed {
                if change.change.may_mend(rule) && fits(&change.asked, record) {
                    change.bring(blocked);
                }
            }
            for change in &mut self.arranged {
                if change.change.may_mend(rule) {
                    let changed = change.change.with(record, self.asked.today);
                    if fits(&change.asked, changed.as_ref().unwrap_or(record)) {
                        change.bring(blocked);
                    }
                }
            }
        }
        broken
    }

    /// What was counted, with those who came nearest.
    #[must_use]
    pub fn finish(self, nearest: Vec<NearMiss>) -> Misses {
        let relaxed = |counts: fn(&Change<Relaxation>) -> (u32, u32)| {
            let counted = self.relaxed.iter().map(|change| {
                let (brings, loses) = counts(change);
                Relaxed {
                    relaxation: change.change,
                    brings,
                    loses,
                }
            });
            most_first(counted.collect(), |relaxed| relaxed.brings)
        };
        let arranged = self.arranged.iter().map(|change| Arranged {
            arrangement: change.change,
            brings: change.brings,
        });
        Misses {
            relaxed: relaxed(|change| (change.brings, change.loses)),
            told: Told {
                removed: those_that_remove(self.removed_told),
                relaxed: relaxed(|change| change.told),
            },
            arranged: most_first(arranged.collect(), |arranged| arranged.brings),
            removed: those_that_remove(self.removed),
            nearest,
        }
    }
}

fn no_counts() -> Vec<RuleCount> {
    let rules = Rule::ALL.iter();
    rules
        .map(|rule| RuleCount {
            rule: *rule,
            removes: 0,
            alone: 0,
        })
        .collect()
}

fn count(counts: &mut [RuleCount], broken: Broken) {
    let alone = u32::from(broken.only().is_some());
    for rule in broken.rules() {
        if let Some(count) = counts.get_mut(rule.bit() as usize) {
            count.removes += 1;
            count.alone += alone;
        }
    }
}

fn those_that_remove(mut counts: Vec<RuleCount>) -> Vec<RuleCount> {
    counts.retain(|count| count.removes > 0);
    counts.sort_by_key(|count| Reverse(count.removes));
    counts
}

/// Those that bring anybody, at most [`MOST_KEPT`].
fn most_first<C>(mut changes: Vec<C>, brings: fn(&C) -> u32) -> Vec<C> {
    changes.retain(|change| brings(change) > 0);
    changes.sort_by_key(|change| Reverse(brings(change)));
    changes.truncate(MOST_KEPT);
    changes
}
