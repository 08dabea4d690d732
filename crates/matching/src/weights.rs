//! What each criterion weighs, as versioned data.

use domain::candidates::Criterion;
use domain::vocabulary::Vocabulary;
use serde::{Deserialize, Serialize};

/// What the weights add up to, so that a score is at most 100,000: whole thousandths of a point, of 100 points.
const TOTAL: u32 = 100;

/// What one criterion weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weight {
    /// The criterion.
    pub criterion: Criterion,
    /// Its share of 100.
    pub weight: u32,
}

/// One version of the weights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// Raised with every change.
    pub version: u32,
    /// One entry for every criterion, in any order.
    pub weights: Vec<Weight>,
}

/// Why weights cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWeightsError {
    /// A criterion is missing, or is there twice.
    #[error("every criterion is weighed exactly once")]
    NotEachOnce,
    /// They do not add up.
    #[error("the weights add up to {TOTAL}")]
    Sum,
}

impl Weights {
    /// Whether these can rank.
    ///
    /// # Errors
    /// When they lack or repeat a criterion, or do not add up to 100.
    pub fn validate(&self) -> Result<(), InvalidWeightsError> {
        let times = |criterion: &Criterion| {
            let same = self
                .weights
                .iter()
                .filter(|weight| weight.criterion == *criterion);
            same.count()
        };
        if Criterion::ALL.iter().any(|criterion| times(criterion) != 1) {
            return Err(InvalidWeightsError::NotEachOnce);
        }
        let sum: u64 = self
            .weights
            .iter()
            .map(|weight| u64::from(weight.weight))
            .sum();
        if sum == u64::from(TOTAL) {
            Ok(())
        } else {
            Err(InvalidWeightsError::Sum)
        }
    }

    /// What a criterion weighs.
    #[must_use]
    pub fn of(&self, criterion: Criterion) -> u32 {
        self.weights
            .iter()
            .find(|weight| weight.criterion == criterion)
            .map_or(0, |weight| weight.weight)
    }
}

impl Default for Weights {
    fn default() -> Self {
        let weights = [
            (Criterion::Expertise, 22),
            (Criterion::Days, 13),
            (Criterion::Interests, 11),
            (Criterion::Wishes, 8),
            (Criterion::Understanding, 10),
            (Criterion::Experience, 7),
            (Criterion::Reliability, 11),
            (Criterion::Distance, 6),
            (Criterion::Rate, 4),
            (Criterion::Workload, 4),
            (Criterion::Words, 4),
        ];
        Self {
            version: 2,
            weights: weights
                .map(|(criterion, weight)| Weight { criterion, weight })
                .into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_version_can_rank_and_faulty_ones_cannot() {
        assert_eq!(Weights::default().validate(), Ok(()));
        let mut lacking = Weights::default();
        lacking.weights.pop();
        assert_eq!(lacking.validate(), Err(InvalidWeightsError::NotEachOnce));
        let mut heavy = Weights::default();
        heavy.weights[0].weight += 1;
        assert_eq!(heavy.validate(), Err(InvalidWeightsError::Sum));
    }
}
