//! What the rows that keep the cheap rules are worth, and whether they keep the dear ones.

use domain::availability::{Exception, Times};
use domain::money::Cents;
use tantivy::DocId;

use crate::codes::{certificate_days, day_of_code, departure, position, week};
use crate::columns::Column;
use crate::criteria::{self, Facts, experience, expertise, workload};
use crate::plan::{Plan, Stage, lost};
use crate::row::{
    DAY_PARTS, EXCEPTS, GENDER, GREATER, HOURS_WANTED, LESSER, RELIABILITY, SINCE, SKILLS, WORKED,
};
use crate::scan::Rows;
use crate::segment::Segment;
use crate::shard::SearchShardError;
use crate::top::{Entry, Late, Top};

/// One plan against one segment.
pub(crate) struct Ranking<'a> {
    pub(crate) segment: &'a Segment,
    pub(crate) plan: &'a Plan<'a>,
}

impl Ranking<'_> {
    /// Ranks these rows, of whom only the rates, the distance and what [`Self::admit`] looks at are still to be
    /// checked. Whoever cannot come among the best by now is dropped before more is read.
    pub(crate) fn rank(&self, rows: &mut Rows, top: &mut Top) -> Result<(), SearchShardError> {
        rows.keep_affordable_and_near(self.segment, self.plan);
        rows.bound(self.plan.most);
        for stage in &self.plan.stages {
            self.lose(rows, stage, top.enough());
        }
        rows.sort();
        for (doc, most) in rows.bounded() {
            if most < top.enough() {
                break;
            }
            self.admit(doc, most, top)?;
        }
        Ok(())
    }

    /// Takes away by one stage.
    fn lose(&self, rows: &mut Rows, stage: &Stage, enough: u32) {
        match stage {
            Stage::Count { wanted, lost } => {
                rows.lose_by_count(self.segment, wanted, lost, enough);
            }
            Stage::Expertise { conditions, weight } => rows.lose_by_both(
                self.segment,
                [Column::Known, Column::Learnt],
                enough,
                |known, learnt| {
                    lost(
                        expertise(*conditions, conditions_of(known, learnt)),
                        *weight,
                    )
                },
            ),
            Stage::Worth {
                reliability,
                workload: hours,
            } => rows.lose_by(self.segment, Column::Worth, enough, |worth| {
                lost(reliability_of(worth), *reliability) + lost(workload(hours_of(worth)), *hours)
            }),
            Stage::Experience { today, weight } => {
                rows.lose_by(self.segment, Column::Experience, enough, |packed| {
                    lost(experience(experience_days(packed, *today)), *weight)
                });
            }
        }
    }

    /// Puts a row among the best if it belongs there: computes what is left of its score, then looks at the rules that
    /// are dear to look at. Each step goes on only with who can still score enough.
    fn admit(&self, doc: DocId, most: u32, top: &mut Top) -> Result<(), SearchShardError> {
        let (plan, asked) = (self.plan, self.plan.query.asked);
        let enough = top.enough();
        let (dearest, metres) = (self.dearest(doc), self.metres(doc));
        let mut score = most
            - lost(criteria::rate(asked.budget, dearest), plan.weights.rate)
            - lost(criteria::distance(metres), plan.weights.distance);
        if score < enough {
            return Ok(());
        }
        let mut common_words = 0;
        if !plan.words.is_empty() {
            common_words = self.common_words(doc);
            let words = |common| criteria::words(common, asked.words.len());
            score -= (words(plan.words.len()) - words(common_words)) * plan.weights.words;
        }
        if score < enough || !self.is_checked(doc) || !self.is_certified(doc) {
            return Ok(());
        }
        // Going through the dates is the dearest of all.
        let offer = self.segment.get(Column::Offer, doc);
        if !self.is_available(doc, offer)? {
            return Ok(());
        }
        let free = self.free(doc, offer, &asked.preferred)?;
        let days = |free| criteria::days(free, asked.preferred.count());
        let may_be = self.may_be_free(offer, &asked.preferred);
        score -= (days(may_be) - days(free)) * plan.weights.days;
        if score < enough {
            return Ok(());
        }
        let worker = self.segment.worker(doc);
        let relations = plan.query.relations;
        if relations.blocked.contains(&worker)
            || relations.known.contains(&worker)
            || relations.own.contains(&self.segment.person(doc))
        {
            return Ok(());
        }
        top.offer(Entry {
            score,
            exposure: self.segment.get(Column::Exposure, doc),
            worker,
            doc,
            late: Late {
                free,
                metres,
                dearest,
                common_words,
            },
        });
        Ok(())
    }

    /// Whether all required times are free. The masks have admitted whoever may be; this is exact.
    fn is_available(&self, doc: DocId, offer: u64) -> Result<bool, SearchShardError> {
        let required = &self.plan.query.asked.required;
        let all = required.count();
        Ok(all == 0 || self.free(doc, offer, required)? == all)
    }

    /// What the dearest of the services asked for costs.
    fn dearest(&self, doc: DocId) -> Option<Cents> {
        let services = self.plan.services.iter();
        let rates = services.map(|service| self.segment.rate(*service, doc));
        let dearest = rates.max()?;
        u32::try_from(dearest).ok().map(Cents)
    }

    fn metres(&self, doc: DocId) -> u32 {
        let plane = self.segment.get(Column::Plane, doc);
        let height = self.segment.get(Column::HeightRadius, doc);
        position(plane, height).metres_to(self.plan.place())
    }

    /// How many of these times are free, exceptions heeded.
    fn free(&self, doc: DocId, offer: u64, times: &Times) -> Result<u32, SearchShardError> {
        let excepts = EXCEPTS.get(offer) != 0;
        if times.count() == 0 || !excepts && times.hours.is_empty() {
            return Ok(self.may_be_free(offer, times));
        }
        let exceptions = self.segment.exceptions(doc).map(departure);
        let exceptions: Option<Vec<Exception>> = exceptions.collect();
        let exceptions = exceptions.ok_or(SearchShardError::Row)?;
        let week = week(self.segment.hours(doc));
        Ok(week.free_on(&exceptions, self.plan.query.asked.window, times))
    }

    /// How many of these times may be free, by the packed day-parts alone and all the exact hours.
    fn may_be_free(&self, offer: u64, times: &Times) -> u32 {
        let wanted = DAY_PARTS.put(u64::from(self.plan.occurring.and(times.parts).bits()));
        let hours = u32::try_from(times.hours.len()).unwrap_or(u32::MAX);
        (offer & wanted).count_ones().saturating_add(hours)
    }

    fn common_words(&self, doc: DocId) -> usize {
        let interests = Column::INTERESTS.map(|column| self.segment.get(column, doc));
        // Both in the order of their numbers: one walk along both finds all.
        let mut written = self.segment.words(doc).peekable();
        let common = self.plan.words.iter().filter(|word| {
            let mut parts = word.interests.iter().zip(interests);
            parts.any(|(about, has)| about & has != 0)
                || word.number.is_some_and(|number| {
                    while written.next_if(|other| *other < number).is_some() {}
                    written.peek() == Some(&number)
                })
        });
        common.count()
    }

    /// Whether every check holds today and through the requested period.
    fn is_checked(&self, doc: DocId) -> bool {
        let code = self.segment.get(Column::ChecksUntil, doc);
        let [today, through] = self.plan.checked;
        code == 0 || today.max(through) <= day_of_code(code)
    }

    /// Whether the certificates asked for hold through the requested period.
    fn is_certified(&self, doc: DocId) -> bool {
        let asked = self.plan.query.asked.certifications;
        if asked == 0 {
            return true;
        }
        let [_, through] = self.plan.checked;
        let held = self.segment.certificates(doc).map(certificate_days);
        let holding = held.filter(|(_, last)| last.is_none_or(|last| through <= last));
        let holding = holding.fold(0, |held, (certificate, _)| held | certificate);
        holding & asked == asked
    }

    /// Everything that the score of one of the best is computed from.
    pub(crate) fn facts(&self, entry: &Entry) -> Facts {
        let get = |column| self.segment.get(column, entry.doc);
        let worth = get(Column::Worth);
        let [today, _] = self.plan.checked;
        Facts {
            conditions: conditions_of(get(Column::Known), get(Column::Learnt)),
            interests: Column::INTERESTS.map(get),
            skills: SKILLS.get(get(Column::Able)),
            languages: get(Column::Languages),
            cultures: get(Column::Cultures),
            gender: GENDER.get(get(Column::Offer)),
            free: entry.late.free,
            experience_days: experience_days(get(Column::Experience), today),
            reliability: reliability_of(worth),
            metres: entry.late.metres,
            dearest: entry.late.dearest,
            hours_wanted: hours_of(worth),
            common_words: entry.late.common_words,
        }
    }
}

const fn conditions_of(known: u64, learnt: u64) -> [u64; 4] {
    [
        LESSER.get(known),
        GREATER.get(known),
        LESSER.get(learnt),
        GREATER.get(learnt),
    ]
}

#[expect(clippy::cast_possible_truncation, reason = "10 bits")]
const fn reliability_of(worth: u64) -> u32 {
    RELIABILITY.get(worth) as u32
}

#[expect(clippy::cast_possible_truncation, reason = "16 bits")]
const fn hours_of(worth: u64) -> u16 {
    HOURS_WANTED.get(worth) as u16
}

/// Days of support work until a day, as [`domain::packed::IndexRecord::experience_days`] counts them.
fn experience_days(packed: u64, today: i64) -> u32 {
    let since = SINCE.get(packed);
    let present = if since == 0 {
        0
    } else {
        today.saturating_sub(day_of_code(since))
    };
    let worked = u32::try_from(WORKED.get(packed)).unwrap_or(u32::MAX);
    worked.saturating_add(u32::try_from(present).unwrap_or(0))
}
