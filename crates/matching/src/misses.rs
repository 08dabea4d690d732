//! Why few were found: one walk over everybody in the shard.

use std::cmp::Reverse;

use domain::eligibility::Rule;
use domain::lack::lacks_of_record;
use domain::relaxation::{Misses, NearMiss, Tally};

use crate::criteria::contributions;
use crate::search::Query;
use crate::segment::Segment;
use crate::shard::SearchShardError;
use crate::top::lot;
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
    let mut nearest: Vec<(Rank, NearMiss)> = vec![];
    for doc in 0..workers {
        let record = segment.record_without_words(doc)?;
        let broken = tally.add(&record);
        let known = query.relations.known.contains(&record.worker);
        let Some(rule) = broken.only().filter(|rule| !known && may_be_mended(*rule)) else {
            continue;
        };
        let contributions = contributions(query.asked, &segment.record(doc)?, weights);
        let score = contributions.iter().map(|part| part.points).sum();
        let lot = lot(query.request, record.worker);
        let rank = (Reverse(score), record.reliability.exposure, lot);
        let place = nearest.partition_point(|(nearer, _)| *nearer < rank);
        if place < NEAREST {
            let near = NearMiss {
                worker: record.worker,
                score,
                rule,
                lacks: lacks_of_record(query.asked, &record, query.relations),
            };
            nearest.insert(place, (rank, near));
            nearest.truncate(NEAREST);
        }
    }
    Ok(tally.finish(nearest.into_iter().map(|(_, near)| near).collect()))
}

/// As candidates rank: by score, then the least exposed, then by lot.
type Rank = (Reverse<u32>, u32, [u8; 16]);

/// Whether anything could be done about it: nothing can about a block, nor about who somebody is.
const fn may_be_mended(rule: Rule) -> bool {
    !matches!(rule, Rule::NotBlocked | Rule::NotThemselves)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::availability::Week;
    use domain::candidates::RuleCount;
    use domain::eligibility::{Asked, Relations};
    use domain::id::{MatchRequestId, PersonId, WorkerId};
    use domain::match_request::{Budget, CareNeeds, MatchRequestDetails, Period};
    use domain::money::Cents;
    use domain::packed::IndexRecord;
    use domain::place::Place;
    use domain::profile::OfferedService;
    use domain::relaxation::{Relaxation, Relaxed};
    use domain::support_worker::Reliability;
    use domain::vocabulary::{CareLevel, Gender, Mobility, Service};
    use uuid::Uuid;

    use super::*;
    use crate::{Limits, Shard, build_shard};

    fn place() -> Place {
        Place {
            suburb: "Carlton".into(),
            postcode: "3053".into(),
            latitude: -37.80,
            longitude: 144.97,
            time_zone: "Australia/Melbourne".into(),
        }
    }

    /// Company at up to 60.00 an hour.
    fn asked() -> Asked {
        let details = MatchRequestDetails {
            services: vec![Service::SocialSupport],
            days: vec![],
            care_needs: CareNeeds {
                level: CareLevel::Light,
                conditions: vec![],
                mobility: Mobility::Independent,
                hazards: vec![],
                tasks: vec![],
                share: domain::match_request::Sharing::default(),
            },
            about_me: String::new(),
            preferences: vec![],
            certifications: vec![],
            budget: Budget {
                least: Cents(0),
                most: Cents(6000),
            },
            place: place(),
            period: Period {
                from: "2026-12-01".parse().unwrap(),
                until: None,
            },
        };
        Asked::of(&details, "2026-11-21T02:00:00Z".parse().unwrap())
    }

    fn id(number: u32) -> WorkerId {
        WorkerId::from_uuid(Uuid::from_u128(u128::from(number)))
    }

    /// Somebody who fits, with so many hours to give.
    fn record(number: u32) -> IndexRecord {
        IndexRecord {
            worker: id(number),
            person: PersonId::from_uuid(Uuid::from_u128(1000 + u128::from(number))),
            position: place().position(),
            radius_km: 10,
            services: vec![OfferedService {
                service: Service::SocialSupport,
                hourly_rate: Cents(5500),
            }],
            skills: 0,
            conditions: [0; 4],
            languages: 0,
            cultures: 0,
            interests: [0; 3],
            gender: Gender::Unstated,
            certifications: vec![],
            declined_tasks: 0,
            declined_hazards: 0,
            highest_care_level: CareLevel::Complex,
            week: Week::default(),
            exceptions: vec![],
            hours_wanted: u16::try_from(number).unwrap(),
            checks_until: None,
            worked_days: 0,
            working_since: None,
            reliability: Reliability::default(),
            words: vec![],
        }
    }

    /// The same, at so much an hour.
    fn at(number: u32, rate: u32) -> IndexRecord {
        let mut dear = record(number);
        dear.services[0].hourly_rate = Cents(rate);
        dear
    }

    fn found(records: &[IndexRecord], relations: &Relations) -> crate::Found {
        let asked = asked();
        let shard = Shard::open(build_shard(asked.cell, records).unwrap().bytes).unwrap();
        let query = Query {
            request: MatchRequestId::from_uuid(Uuid::nil()),
            asked: &asked,
            relations,
        };
        let limits = Limits {
            shortlist: 2,
            reserve: 2,
        };
        shard.search(query, &Weights::default(), limits).unwrap()
    }

    #[test]
    fn the_nearest_are_the_best_who_break_one_rule_that_can_be_mended() {
        let mut records: Vec<IndexRecord> = (1..=12).map(|number| at(number, 6200)).collect();
        records.push(record(20));
        let mut two_rules = at(19, 6200);
        two_rules.radius_km = 0;
        two_rules.position = domain::place::Position::of(-37.81, 144.97);
        records.push(two_rules);
        // Who would be nearer still: known, blocked, and the client themselves.
        records.extend([at(18, 6200), record(17), record(16)]);
        let relations = Relations {
            own: [records.last().unwrap().person].into(),
            blocked: [id(17)].into(),
            known: [id(18)].into(),
        };
        let found = found(&records, &relations);
        assert_eq!(found.candidates.len(), 1);
        let nearest: Vec<_> = found
            .misses
            .nearest
            .iter()
            .map(|near| near.worker)
            .collect();
        assert_eq!(nearest, [12, 11, 10, 9, 8].map(id));
        for near in &found.misses.nearest {
            assert_eq!((near.rule, near.lacks.len()), (Rule::Budget, 1));
        }
        let budget = RuleCount {
            rule: Rule::Budget,
            removes: 13,
            alone: 12,
        };
        assert_eq!(
            found.misses.removed.first(),
            Some(&budget),
            "who is known is not counted"
        );
        let dearer = Relaxed {
            relaxation: Relaxation::Budget(Cents(6500)),
            brings: 12,
            loses: 0,
        };
        assert_eq!(found.misses.relaxed.first(), Some(&dearer));
    }

    #[test]
    fn nothing_is_counted_where_the_shortlist_is_full() {
        let records = [record(1), record(2), at(3, 9000)];
        let nobody = Relations {
            own: BTreeSet::new(),
            blocked: BTreeSet::new(),
            known: BTreeSet::new(),
        };
        assert_eq!(found(&records, &nobody).misses, Misses::default());
        assert_ne!(found(&records[1..], &nobody).misses, Misses::default());
    }
}
