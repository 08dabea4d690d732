//! The candidate list of one match request, from submission to release.

mod absence;
mod released;

pub use absence::{Absence, AskedAbout, Indexed};
pub use released::{KnownCandidate, reserve};

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::blind::BlindCandidate;
use crate::eligibility::{Asked, Relations, Rule, judge};
use crate::id::{CandidateId, MatchRequestId, PersonId, WorkerId};
use crate::place::Cell;
use crate::policy::Policy;
use crate::relaxation::Misses;
use crate::support_worker::SupportWorker;
use crate::vocabulary::Vocabulary;

vocabulary! {
    /// What ranks those who are eligible. Each is worth 0 to 1000.
    Criterion {
        Expertise = "expertise", "Expertise in the conditions";
        Days = "days", "Preferred days";
        Interests = "interests", "Shared interests";
        Wishes = "wishes", "Skills and other wishes";
        Understanding = "understanding", "Languages and culture";
        Experience = "experience", "Experience";
        Reliability = "reliability", "Reliability";
        Distance = "distance", "Distance";
        Rate = "rate", "Rate";
        Workload = "workload", "Hours still wanted";
        Words = "words", "What both write about";
    }
}

/// Names that candidates go by until accepted: trees and birds, so that nobody takes one for a person's.
pub const ALIASES: [&str; 48] = [
    "Acacia",
    "Alder",
    "Ash",
    "Aspen",
    "Banksia",
    "Beech",
    "Birch",
    "Bottlebrush",
    "Boronia",
    "Cedar",
    "Correa",
    "Cypress",
    "Dogwood",
    "Elder",
    "Elm",
    "Fern",
    "Fir",
    "Gum",
    "Grevillea",
    "Hakea",
    "Hazel",
    "Heath",
    "Holly",
    "Juniper",
    "Karri",
    "Kurrajong",
    "Larch",
    "Lilac",
    "Linden",
    "Mallee",
    "Maple",
    "Melaleuca",
    "Mulga",
    "Myrtle",
    "Oak",
    "Olive",
    "Pine",
    "Poplar",
    "Quandong",
    "Rowan",
    "Sassafras",
    "Spruce",
    "Teak",
    "Tuart",
    "Walnut",
    "Waratah",
    "Wattle",
    "Willow",
];

/// One support worker on the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedCandidate {
    /// The id in this match request alone.
    pub id: CandidateId,
    /// The name they go by until accepted.
    pub alias: String,
    /// Who it is.
    pub worker: WorkerId,
    /// The sum of the contributions.
    pub score: u32,
    /// Where the score comes from.
    pub contributions: Vec<Contribution>,
}

/// What one criterion adds to a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Contribution {
    /// The criterion.
    pub criterion: Criterion,
    /// What the support worker is worth by it, 0 to 1000.
    pub value: u32,
    /// What it weighs.
    pub weight: u32,
    /// Weight times value.
    pub points: u32,
}

/// How many of those considered one rule removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RuleCount {
    /// The rule.
    pub rule: Rule,
    /// How many break it, whether or not they break others too.
    pub removes: u32,
    /// How many break it alone: those who would be candidates without it.
    pub alone: u32,
}

/// What a list was computed from: the same again gives the same list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Basis {
    /// The shard's cell.
    pub cell: Cell,
    /// The shard's version; none where the cell has no shard.
    pub shard: Option<String>,
    /// The version of the weights.
    pub weights: u32,
    /// The version of the policy.
    pub policy: u32,
}

/// A staff decision about one candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StaffDecision {
    /// Whom it is about.
    pub worker: WorkerId,
    /// Who decided.
    pub by: PersonId,
    /// When.
    pub at: DateTime<Utc>,
    /// Why, in words for staff.
    pub reason: String,
}

/// The candidate list as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CandidateList {
    /// Whose list it is.
    pub request: MatchRequestId,
    /// What it was computed from.
    pub basis: Basis,
    /// Shortlist and reserve, the best first; replacements are appended.
    pub candidates: Vec<ListedCandidate>,
    /// How many of `candidates`, from the first, the client was to see.
    pub shortlist: u16,
    /// How many support workers were considered.
    pub considered: u32,
    /// What stood in the way of more; empty where the shortlist was full when it was last looked for.
    #[serde(default)]
    pub misses: Misses,
    /// Candidates whom staff keep off.
    pub exclusions: Vec<StaffDecision>,
    /// Candidates whom staff put on the shortlist, hard rules permitting.
    pub pins: Vec<StaffDecision>,
    /// What the client sees since release.
    pub released: Option<ReleasedList>,
    /// People the client knows already and has invited: never blind, each under an id for this request alone.
    #[serde(default)]
    pub known: Vec<KnownCandidate>,
}

/// The list as the client sees it: a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReleasedList {
    /// When.
    pub at: DateTime<Utc>,
    /// The blind view, in order.
    pub candidates: Vec<BlindCandidate>,
    /// How it differs from the list at submission.
    pub differences: Vec<Difference>,
    /// When staff were told that nobody is left; none while somebody is.
    #[serde(default)]
    pub exhausted_at: Option<DateTime<Utc>>,
}

/// How a settled list differs from the one computed at submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Difference {
    /// Whom it is about.
    pub candidate: CandidateId,
    /// Who it is.
    pub worker: WorkerId,
    /// What is different.
    pub change: ListChange,
}

/// What is different about one candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ListChange {
    /// No longer eligible.
    Ineligible(Vec<Rule>),
    /// The client knows them by now, and finds them in a list of their own.
    Known,
    /// Kept off by staff.
    Excluded,
    /// Gave way to somebody pinned.
    GaveWay,
    /// Put on by staff.
    Pinned,
    /// Took the place of somebody who left.
    Replacement,
}

/// Who is shown if the list is released now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Places in `candidates`, the best first.
    pub shown: Vec<ListedCandidate>,
    /// How that differs from the list at submission.
    pub differences: Vec<Difference>,
    /// Places that stay empty, to be filled from a fresh query.
    pub vacant: u16,
}

/// Why a candidate cannot be excluded or pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecideCandidateError {
    /// The client has seen the list.
    #[error("the list was released already")]
    AlreadyReleased,
    /// Nobody by this id is on the list.
    #[error("not on this list")]
    NotListed,
    /// The same was decided before.
    #[error("decided before")]
    AlreadyDecided,
    /// A reason is needed.
    #[error("a reason of 1 to 500 characters is needed")]
    NoReason,
}

/// The most candidates that one list holds, replacements included.
pub const MOST_CANDIDATES: usize = 40;

/// Who is shown if the list is released at this moment. Preview and release both ask this.
///
/// INVARIANT: nobody who breaks a hard rule by their live record is shown, pinned or not.
#[must_use]
pub fn settle(
    list: &CandidateList,
    asked: &Asked,
    live: &BTreeMap<WorkerId, SupportWorker>,
    relations: &Relations,
    policy: &Policy,
) -> Settled {
    let barred: BTreeMap<CandidateId, ListChange> = list
        .candidates
        .iter()
        .filter_map(|candidate| {
            let change = why_barred(list, candidate, asked, live, relations)?;
            Some((candidate.id, change))
        })
        .collect();
    let places = usize::from(policy.shortlist);
    let standing = || {
        list.candidates
            .iter()
            .filter(|candidate| !barred.contains_key(&candidate.id))
    };
    let pinned = standing().filter(|candidate| list.is_pinned(candidate.worker));
    let others = standing().filter(|candidate| !list.is_pinned(candidate.worker));
    let chosen: BTreeSet<CandidateId> = pinned
        .chain(others)
        .take(places)
        .map(|candidate| candidate.id)
        .collect();
    let shown: Vec<ListedCandidate> = standing()
        .filter(|candidate| chosen.contains(&candidate.id))
        .cloned()
        .collect();
    let differences = list
        .candidates
        .iter()
        .enumerate()
        .filter_map(|(place, candidate)| {
            let before = place < usize::from(list.shortlist);
            let now = chosen.contains(&candidate.id);
            let change = match (before, now) {
                (true, false) => barred
                    .get(&candidate.id)
                    .cloned()
                    .unwrap_or(ListChange::GaveWay),
                (false, true) if list.is_pinned(candidate.worker) => ListChange::Pinned,
                (false, true) => ListChange::Replacement,
                (true, true) | (false, false) => return None,
            };
            Some(Difference {
                candidate: candidate.id,
                worker: candidate.worker,
                change,
            })
        })
        .collect();
    let vacant = places.saturating_sub(shown.len());
    Settled {
        shown,
        differences,
        vacant: u16::try_from(vacant).unwrap_or(policy.shortlist),
    }
}

/// Why a candidate may not be shown, if so.
fn why_barred(
    list: &CandidateList,
    candidate: &ListedCandidate,
    asked: &Asked,
    live: &BTreeMap<WorkerId, SupportWorker>,
    relations: &Relations,
) -> Option<ListChange> {
    if list.is_excluded(candidate.worker) {
        return Some(ListChange::Excluded);
    }
    if relations.known.contains(&candidate.worker) {
        return Some(ListChange::Known);
    }
    let Some(worker) = live.get(&candidate.worker) else {
        return Some(ListChange::Ineligible(vec![Rule::Active]));
    };
    let broken = judge(asked, worker, relations);
    (!broken.is_eligible()).then(|| ListChange::Ineligible(broken.rules().collect()))
}

impl CandidateList {
    /// Keeps somebody on the list from being shown; a pin is lifted.
    ///
    /// # Errors
    /// After release, without a reason, for somebody not on the list, or when excluded already.
    pub fn exclude(&self, decision: StaffDecision) -> Result<Self, DecideCandidateError> {
        self.may_decide(&decision, &self.exclusions)?;
        let mut list = self.clone();
        list.pins.retain(|pin| pin.worker != decision.worker);
        list.exclusions.push(decision);
        Ok(list)
    }

    /// Puts somebody on the list among those shown, hard rules permitting; an exclusion is lifted.
    ///
    /// # Errors
    /// After release, without a reason, for somebody not on the list, or when pinned already.
    pub fn pin(&self, decision: StaffDecision) -> Result<Self, DecideCandidateError> {
        self.may_decide(&decision, &self.pins)?;
        let mut list = self.clone();
        list.exclusions
            .retain(|exclusion| exclusion.worker != decision.worker);
        list.pins.push(decision);
        Ok(list)
    }

    /// Adds candidates from a later query behind the others; who is on the list already, or finds no room, is left out.
    #[must_use]
    pub fn append(&self, candidates: impl IntoIterator<Item = ListedCandidate>) -> Self {
        let mut list = self.clone();
        for candidate in candidates {
            if list.candidates.len() < MOST_CANDIDATES && list.listed(candidate.worker).is_none() {
                list.candidates.push(candidate);
            }
        }
        list
    }

    /// Who is on the list under this id.
    #[must_use]
    pub fn candidate(&self, id: CandidateId) -> Option<&ListedCandidate> {
        self.candidates.iter().find(|candidate| candidate.id == id)
    }

    /// This support worker's place on the list.
    #[must_use]
    pub fn listed(&self, worker: WorkerId) -> Option<&ListedCandidate> {
        self.candidates
            .iter()
            .find(|candidate| candidate.worker == worker)
    }

    /// Aliases that nobody on the list goes by yet.
    pub fn free_aliases(&self) -> impl Iterator<Item = &'static str> {
        ALIASES.into_iter().filter(|alias| {
            !self
                .candidates
                .iter()
                .any(|candidate| candidate.alias == *alias)
        })
    }

    fn is_excluded(&self, worker: WorkerId) -> bool {
        self.exclusions
            .iter()
            .any(|exclusion| exclusion.worker == worker)
    }

    fn is_pinned(&self, worker: WorkerId) -> bool {
        self.pins.iter().any(|pin| pin.worker == worker)
    }

    fn may_decide(
        &self,
        decision: &StaffDecision,
        decided: &[StaffDecision],
    ) -> Result<(), DecideCandidateError> {
        let reason = decision.reason.trim();
        if self.released.is_some() {
            Err(DecideCandidateError::AlreadyReleased)
        } else if self.listed(decision.worker).is_none() {
            Err(DecideCandidateError::NotListed)
        } else if decided.iter().any(|other| other.worker == decision.worker) {
            Err(DecideCandidateError::AlreadyDecided)
        } else if reason.is_empty() || reason.chars().count() > 500 {
            Err(DecideCandidateError::NoReason)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
