//! Why few were found: one walk over everybody in the shard.

use domain::eligibility::Rule;
use domain::lack::lacks_of_record;
use domain::packed::IndexRecord;
use domain::relaxation::{Misses, NearMiss, Tally};

use crate::criteria::contributions;
use crate::search::{Query, Rank, rank};
use crate::shard::{SearchShardError, Segment};
use crate::weights::Weights;

/// How many near misses are told of.
const NEAREST: usize = 5;

/// What each rule removes of everybody in a shard, what each change of the request would bring, and who came nearest.
///
/// Only of those in the shard: whoever would have to travel farther than into the cell is not in it.
pub(crate) fn misses(
    segment: &Segment,
    workers: u32,
    query: Query<'_>,
    weights: &Weights,
) -> Result<Misses, SearchShardError> {
    let mut tally = Tally::new(query.asked, query.relations);
    let mut nearest: Vec<(Rank, IndexRecord, Rule)> = vec![];
    for doc in 0..workers {
        let record = segment.record(doc)?;
        let broken = tally.add(&record);
        let known = query.relations.known.contains(&record.worker);
        let Some(rule) = broken.only().filter(|rule| !known && may_be_mended(*rule)) else {
            continue;
        };
        let score = score(query, &record, weights);
        nearest.push((rank(score, &record, query.request), record, rule));
        if nearest.len() > 2 * NEAREST {
            keep_nearest(&mut nearest);
        }
    }
    keep_nearest(&mut nearest);
    let nearest = nearest.into_iter().map(|(_, record, rule)| NearMiss {
        worker: record.worker,
        score: score(query, &record, weights),
        rule,
        lacks: lacks_of_record(query.asked, &record, query.relations),
    });
    Ok(tally.finish(nearest.collect()))
}

/// Whether anything could be done about it: nothing can about a block, nor about who somebody is.
const fn may_be_mended(rule: Rule) -> bool {
    !matches!(rule, Rule::NotBlocked | Rule::NotThemselves)
}

fn keep_nearest(nearest: &mut Vec<(Rank, IndexRecord, Rule)>) {
    nearest.sort_by_key(|(rank, ..)| *rank);
    nearest.truncate(NEAREST);
}

fn score(query: Query<'_>, record: &IndexRecord, weights: &Weights) -> u32 {
    let contributions = contributions(query.asked, record, weights);
    contributions.iter().map(|part| part.points).sum()
}
