//! From a request to the ranked candidates, and to what stands in the way of more.

use std::cmp::Reverse;

use domain::candidates::{Contribution, RuleCount};
use domain::eligibility::{Asked, Relations, Rule, judge_record};
use domain::id::{MatchRequestId, WorkerId};
use domain::policy::Policy;
use domain::vocabulary::Vocabulary;

use crate::criteria::contributions_of;
use crate::plan::{Mask, Plan};
use crate::rank::Ranking;
use crate::scan::{BLOCK, Rows};
use crate::segment::Segment;
use crate::shard::{SearchShardError, Shard};
use crate::top::Top;
use crate::weights::Weights;

/// A request as a shard is asked it.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// Which request: it decides ties, nothing else.
    pub request: MatchRequestId,
    /// What is asked.
    pub asked: &'a Asked,
    /// Whom the client has blocked, is blocked by, and knows already.
    pub relations: &'a Relations,
}

/// How many candidates are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// That the client sees.
    pub shortlist: usize,
    /// That stand by.
    pub reserve: usize,
}

impl From<&Policy> for Limits {
    fn from(policy: &Policy) -> Self {
        Self {
            shortlist: usize::from(policy.shortlist),
            reserve: usize::from(policy.reserve),
        }
    }
}

/// A candidate with their score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scored {
    /// Who.
    pub worker: WorkerId,
    /// The sum of the contributions' points; 100,000 at most.
    pub score: u32,
    /// Where it comes from.
    pub contributions: Vec<Contribution>,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Shortlist and reserve, the best first.
    pub candidates: Vec<Scored>,
    /// How many support workers work around the place at all.
    pub considered: u32,
    /// How many of them every rule removes, most first; counted only where the shortlist is not full.
    pub removed: Vec<RuleCount>,
}

impl Shard {
    /// The candidates for a request, the best first, and where the shortlist is not full, why.
    ///
    /// The same shard, request, weights and day give the same answer, whatever anybody is called.
    ///
    /// # Errors
    /// When the place lies in another cell, or the segment cannot be read: no partial answer is given.
    pub fn search(
        &self,
        query: Query<'_>,
        weights: &Weights,
        limits: Limits,
    ) -> Result<Found, SearchShardError> {
        if !self.area().holds(query.asked.cell) {
            return Err(SearchShardError::OtherCell);
        }
        let Some(segment) = self.segment() else {
            return Ok(Found {
                candidates: vec![],
                considered: 0,
                removed: vec![],
            });
        };
        let plan = Plan::new(segment, query, weights)?;
        let ranking = Ranking {
            segment,
            plan: &plan,
        };
        let mut top = Top::new(query.request, limits.shortlist + limits.reserve);
        if let Some(masks) = &plan.masks {
            scan(&ranking, masks, &mut top)?;
        }
        let best = top.into_entries().into_iter();
        let candidates: Vec<Scored> = best
            .map(|entry| Scored {
                worker: entry.worker,
                score: entry.score,
                contributions: contributions_of(query.asked, &ranking.facts(&entry), weights),
            })
            .collect();
        let removed = if candidates.len() < limits.shortlist {
            count_removed(segment, query, self.workers())?
        } else {
            vec![]
        };
        Ok(Found {
            candidates,
            considered: self.workers(),
            removed,
        })
    }
}

/// Walks everybody filed under the client's neighbourhood, and ranks those whom the masks admit, many at a time.
fn scan(ranking: &Ranking<'_>, masks: &[Mask], top: &mut Top) -> Result<(), SearchShardError> {
    let neighbourhood = ranking.plan.place().neighbourhood();
    let Some(mut postings) = ranking.segment.filed_under(neighbourhood)? else {
        return Ok(());
    };
    let (mut block, mut admitted) = (Rows::new(), Rows::new());
    while postings.block_len() > 0 {
        block.clear();
        block.extend(postings.docs());
        block.keep_masked(ranking.segment, masks);
        if admitted.len() + block.len() > BLOCK {
            ranking.rank(&mut admitted, top)?;
            admitted.clear();
        }
        admitted.extend(block.docs());
        postings.advance();
    }
    ranking.rank(&mut admitted, top)
}

/// How many of everybody in the shard each rule removes, and how many it alone does.
fn count_removed(
    segment: &Segment,
    query: Query<'_>,
    workers: u32,
) -> Result<Vec<RuleCount>, SearchShardError> {
    let mut counts: Vec<RuleCount> = Rule::ALL
        .iter()
        .map(|rule| RuleCount {
            rule: *rule,
            removes: 0,
            alone: 0,
        })
        .collect();
    for doc in 0..workers {
        let record = segment.record_without_words(doc)?;
        let broken = judge_record(query.asked, &record, query.relations);
        let alone = broken.rules().count() == 1;
        for rule in broken.rules() {
            if let Some(count) = counts.get_mut(rule.bit() as usize) {
                count.removes += 1;
                count.alone += u32::from(alone);
            }
        }
    }
    counts.retain(|count| count.removes > 0);
    counts.sort_by_key(|count| Reverse(count.removes));
    Ok(counts)
}
