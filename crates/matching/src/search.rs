//! From a request to the ranked candidates, and to what stands in the way of more.

use std::cmp::Reverse;

use domain::candidates::{Contribution, RuleCount};
use domain::eligibility::{Asked, Relations, Rule};
use domain::id::{MatchRequestId, WorkerId};
use domain::policy::Policy;
use domain::vocabulary::Vocabulary;
use sha2::{Digest, Sha256};
use tantivy::DocId;

use crate::criteria::contributions;
use crate::rules::Rules;
use crate::shard::{SearchShardError, Segment, Shard};
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

/// What ranks before all else, and what breaks ties: the least exposed, then chance that cannot be steered.
type Rank = (Reverse<u32>, u32, [u8; 16]);

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
        let rules = Rules::new(query.asked, query.relations);
        let mut ranked = rank_admitted(segment, &rules, query, weights)?;
        ranked.sort_unstable_by_key(|(rank, _)| *rank);
        ranked.truncate(limits.shortlist + limits.reserve);
        let candidates: Vec<Scored> = ranked.into_iter().map(|(_, scored)| scored).collect();
        let removed = if candidates.len() < limits.shortlist {
            count_removed(segment, &rules, self.workers())?
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

/// Walks everybody filed under the client's neighbourhood and scores those whom every rule admits.
fn rank_admitted(
    segment: &Segment,
    rules: &Rules<'_>,
    query: Query<'_>,
    weights: &Weights,
) -> Result<Vec<(Rank, Scored)>, SearchShardError> {
    let mut ranked = vec![];
    let neighbourhood = query.asked.position.neighbourhood();
    let Some(mut postings) = segment.filed_under(neighbourhood)? else {
        return Ok(ranked);
    };
    while postings.block_len() > 0 {
        for &doc in postings.docs() {
            if rules.admits(segment, doc)? && !query.relations.known.contains(&segment.worker(doc))
            {
                ranked.push(score(segment, doc, query, weights)?);
            }
        }
        postings.advance();
    }
    Ok(ranked)
}

fn score(
    segment: &Segment,
    doc: DocId,
    query: Query<'_>,
    weights: &Weights,
) -> Result<(Rank, Scored), SearchShardError> {
    let record = segment.record(doc)?;
    let contributions = contributions(query.asked, &record, weights);
    let score = contributions
        .iter()
        .map(|contribution| contribution.points)
        .sum();
    let scored = Scored {
        worker: record.worker,
        score,
        contributions,
    };
    let rank = (
        Reverse(score),
        record.reliability.exposure,
        lot(query.request, record.worker),
    );
    Ok((rank, scored))
}

/// Draws a lot that is the same every time for this request and support worker.
pub(crate) fn lot(request: MatchRequestId, worker: WorkerId) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update(request.uuid().as_bytes());
    hash.update(worker.uuid().as_bytes());
    let digest: [u8; 32] = hash.finalize().into();
    let mut lot = [0; 16];
    lot.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    lot
}

/// How many of everybody in the shard each rule removes, and how many it alone does.
fn count_removed(
    segment: &Segment,
    rules: &Rules<'_>,
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
        let broken = rules.broken(segment, doc)?;
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
