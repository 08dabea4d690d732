//! Why few were found, as staff see it.

use domain::candidates::RuleCount;
use domain::eligibility::Rule;
use domain::id::WorkerId;
use domain::lack::Lack;
use domain::relaxation::{Arrangement, Misses, Relaxation};
use serde::Serialize;
use utoipa::ToSchema;

/// Where few were found: why, and what could be done. For staff alone, who see the numbers as they are.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MissesView {
    /// How many each rule removes, the most first.
    removed: Vec<RuleCount>,
    /// What asking differently would bring, the most first.
    relaxations: Vec<RelaxedView>,
    /// What staff could arrange, and whom it would bring, the most first.
    arrangements: Vec<ArrangedView>,
    /// Those who break one rule alone, the best first.
    nearest: Vec<NearMissView>,
}

#[derive(Debug, Serialize, ToSchema)]
struct RelaxedView {
    relaxation: Relaxation,
    /// How many would fit who do not.
    brings: u32,
    /// How many fit who would not.
    loses: u32,
    words: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct ArrangedView {
    arrangement: Arrangement,
    /// How many would fit who do not.
    brings: u32,
    words: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct NearMissView {
    worker: WorkerId,
    /// What they would score.
    score: u32,
    /// The one rule that they break.
    rule: Rule,
    lacks: Vec<LackView>,
}

/// Something that is missing.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LackView {
    /// The rule that is broken by it.
    rule: Rule,
    lack: Lack,
    words: String,
}

impl LackView {
    pub(super) fn each(lacks: Vec<Lack>) -> Vec<Self> {
        let lacks = lacks.into_iter().map(|lack| Self {
            rule: lack.rule(),
            words: lack.words(),
            lack,
        });
        lacks.collect()
    }
}

impl MissesView {
    pub(super) fn of(misses: Misses) -> Self {
        let relaxations = misses.relaxed.into_iter().map(|relaxed| RelaxedView {
            words: relaxed.relaxation.words(),
            relaxation: relaxed.relaxation,
            brings: relaxed.brings,
            loses: relaxed.loses,
        });
        let arrangements = misses.arranged.into_iter().map(|arranged| ArrangedView {
            words: arranged.arrangement.words(),
            arrangement: arranged.arrangement,
            brings: arranged.brings,
        });
        let nearest = misses.nearest.into_iter().map(|near| NearMissView {
            worker: near.worker,
            score: near.score,
            rule: near.rule,
            lacks: LackView::each(near.lacks),
        });
        Self {
            removed: misses.removed,
            relaxations: relaxations.collect(),
            arrangements: arrangements.collect(),
            nearest: nearest.collect(),
        }
    }
}
