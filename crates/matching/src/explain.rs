//! Why somebody is a candidate, and why not: the full account for staff, blind-safe words for the client.

use domain::blind::{BlindMatch, what_matches};
use domain::candidates::Contribution;
use domain::eligibility::{Asked, Relations, Rule, judge};
use domain::lack::{Lack, lacks};
use domain::packed::IndexRecord;
use domain::support_worker::SupportWorker;
use domain::vocabulary::Vocabulary;
use serde::Serialize;

use crate::criteria::contributions;
use crate::weights::Weights;

/// The full account of one support worker for one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Account {
    /// The hard rules that are kept.
    pub kept: Vec<Rule>,
    /// The hard rules that are broken; none means eligible.
    pub broken: Vec<Rule>,
    /// What is missing where a rule is broken.
    pub lacks: Vec<Lack>,
    /// Whether the client knows them already, and so never finds them in a blind list.
    pub known: bool,
    /// Every criterion's part in the score; empty while they have not said where they work.
    pub contributions: Vec<Contribution>,
    /// The sum of the points.
    pub score: u32,
    /// What of the wishes is met.
    pub matches: Vec<BlindMatch>,
}

impl Account {
    /// In sentences for staff: each broken rule, then what the score consists of.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let broken = self.broken.iter().map(|rule| {
            let lacks = self.lacks.iter().filter(|lack| lack.rule() == *rule);
            let lacks: Vec<String> = lacks.map(|lack| lack.words()).collect();
            format!("Not met: {} ({})", rule.label(), lacks.join("; "))
        });
        let parts = self.contributions.iter().map(|part| {
            format!(
                "{}: {} of 1000, weighing {}, adds {}.{:03}",
                part.criterion.label(),
                part.value,
                part.weight,
                part.points / 1000,
                part.points % 1000,
            )
        });
        broken.chain(parts).collect()
    }
}

/// The full account of a support worker by their live record: also why a named one is not listed.
#[must_use]
pub fn for_staff(
    asked: &Asked,
    worker: &SupportWorker,
    relations: &Relations,
    weights: &Weights,
) -> Account {
    let judged = judge(asked, worker, relations);
    let broken: Vec<Rule> = judged.rules().collect();
    let record = IndexRecord::facts(worker);
    let contributions = record
        .as_ref()
        .map(|record| contributions(asked, record, weights))
        .unwrap_or_default();
    Account {
        kept: Rule::ALL
            .iter()
            .copied()
            .filter(|rule| !broken.contains(rule))
            .collect(),
        broken,
        lacks: lacks(asked, worker, relations),
        known: relations.known.contains(&worker.id),
        score: contributions.iter().map(|part| part.points).sum(),
        contributions,
        matches: record.map_or_else(Vec::new, |record| what_matches(&record, asked)),
    }
}

/// What a client is told of a match: words of the vocabularies alone, nothing that identifies anybody.
#[must_use]
pub fn for_client(matches: &[BlindMatch]) -> Vec<String> {
    matches.iter().map(BlindMatch::words).collect()
}
