//! Why a named support worker is not among those shown. For staff alone.

use serde::{Deserialize, Serialize};

use super::{CandidateList, StaffDecision};
use crate::eligibility::Rule;
use crate::id::WorkerId;

/// One reason why somebody is not shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Absence {
    /// By their live record they break these rules.
    Ineligible(Vec<Rule>),
    /// The client knows them, and finds them in a list of their own.
    Known,
    /// Staff keep them off.
    Excluded(StaffDecision),
    /// They stand by, behind those shown.
    Reserve {
        /// Their place on the whole list, from 1.
        place: u32,
    },
    /// The index holds nothing of them for this place.
    NotIndexed,
    /// What the index holds of them is older than their live record.
    IndexOutdated,
    /// The list was full of people who score no less.
    Outranked {
        /// What they score.
        score: u32,
        /// The least score on the list.
        least: u32,
    },
    /// They fit now, and did not when candidates were looked for.
    FitsSince,
}

/// What the index holds of somebody, held against their live record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Indexed {
    /// Nothing.
    Nothing,
    /// Something older.
    Outdated,
    /// The same.
    Same,
}

/// What is known of somebody who is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedAbout {
    /// Who.
    pub worker: WorkerId,
    /// The rules they break by their live record.
    pub broken: Vec<Rule>,
    /// Whether the client knows them.
    pub known: bool,
    /// What the index holds of them.
    pub indexed: Indexed,
    /// What they score.
    pub score: u32,
}

impl Absence {
    /// In words for staff.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Ineligible(rules) => match rules.len() {
                1 => "Breaks a hard rule".to_owned(),
                many => format!("Breaks {many} hard rules"),
            },
            Self::Known => {
                "The client knows them already: they stand in the list of people known, not in the blind one"
                    .to_owned()
            }
            Self::Excluded(decision) => format!("Kept off by staff: {}", decision.reason.trim()),
            Self::Reserve { place } => format!("Stands in the reserve: number {place} on the list"),
            Self::NotIndexed => {
                "The index holds nothing of them for this place: it has not been built since they became active \
                 here, or they do not work around it"
                    .to_owned()
            }
            Self::IndexOutdated => {
                "The index holds them as they were before their latest change".to_owned()
            }
            Self::Outranked { score, least } => format!(
                "Scores {}.{:03}; the last on the list {}.{:03}",
                score / 1000,
                score % 1000,
                least / 1000,
                least % 1000
            ),
            Self::FitsSince => {
                "Fits now, and did not when candidates were looked for; looking again would find them".to_owned()
            }
        }
    }
}

impl CandidateList {
    /// Every reason why somebody who is not shown is not; `full` is how many candidates a list is computed to hold.
    #[must_use]
    pub fn absence(&self, about: &AskedAbout, full: usize) -> Vec<Absence> {
        let excluded = self.exclusions.iter();
        let excluded = excluded.filter(|decision| decision.worker == about.worker);
        let ineligible =
            (!about.broken.is_empty()).then(|| Absence::Ineligible(about.broken.clone()));
        let mut reasons: Vec<Absence> = ineligible
            .into_iter()
            .chain(about.known.then_some(Absence::Known))
            .chain(excluded.cloned().map(Absence::Excluded))
            .collect();
        if !reasons.is_empty() {
            return reasons;
        }
        let mut places = (1..).zip(&self.candidates);
        if let Some((place, _)) = places.find(|(_, listed)| listed.worker == about.worker) {
            return vec![Absence::Reserve { place }];
        }
        match about.indexed {
            Indexed::Nothing => reasons.push(Absence::NotIndexed),
            Indexed::Outdated => reasons.push(Absence::IndexOutdated),
            Indexed::Same => {}
        }
        let least = self.candidates.iter().map(|listed| listed.score).min();
        match least.filter(|least| about.score <= *least && full <= self.candidates.len()) {
            Some(least) => reasons.push(Absence::Outranked {
                score: about.score,
                least,
            }),
            None if reasons.is_empty() => reasons.push(Absence::FitsSince),
            None => {}
        }
        reasons
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;
    use crate::candidates::{Basis, ListedCandidate};
    use crate::id::{CandidateId, MatchRequestId, PersonId};
    use crate::place::Cell;
    use crate::relaxation::Misses;

    const FULL: usize = 3;

    fn worker(number: u128) -> WorkerId {
        WorkerId::from_uuid(Uuid::from_u128(number))
    }

    /// Three on the list, scoring 90, 80 and 70 points.
    fn list() -> CandidateList {
        let listed = |number: u32| ListedCandidate {
            id: CandidateId::from_uuid(Uuid::from_u128(100 + u128::from(number))),
            alias: "Elm".into(),
            worker: worker(u128::from(number)),
            score: 90_000 - 10_000 * number,
            contributions: vec![],
        };
        CandidateList {
            request: MatchRequestId::from_uuid(Uuid::from_u128(1)),
            basis: Basis {
                cell: Cell::of(-37.8, 144.97),
                shard: None,
                weights: 1,
                policy: 1,
            },
            candidates: (0..3).map(listed).collect(),
            shortlist: 2,
            considered: 9,
            misses: Misses::default(),
            exclusions: vec![],
            pins: vec![],
            released: None,
            known: vec![],
        }
    }

    /// Somebody not on the list who fits, by a row as old as their record.
    fn stranger(score: u32) -> AskedAbout {
        AskedAbout {
            worker: worker(50),
            broken: vec![],
            known: false,
            indexed: Indexed::Same,
            score,
        }
    }

    #[test]
    fn whoever_is_barred_is_told_so_with_every_reason() {
        let mut list = list();
        let decision = StaffDecision {
            worker: worker(50),
            by: PersonId::from_uuid(Uuid::from_u128(9)),
            at: DateTime::UNIX_EPOCH,
            reason: " Parted badly. ".into(),
        };
        list.exclusions.push(decision.clone());
        let about = AskedAbout {
            broken: vec![Rule::Budget, Rule::Distance],
            known: true,
            indexed: Indexed::Nothing,
            ..stranger(0)
        };
        let reasons = list.absence(&about, FULL);
        assert_eq!(
            reasons,
            [
                Absence::Ineligible(vec![Rule::Budget, Rule::Distance]),
                Absence::Known,
                Absence::Excluded(decision),
            ]
        );
        let words: Vec<String> = reasons.iter().map(Absence::words).collect();
        assert_eq!(words[0], "Breaks 2 hard rules");
        assert_eq!(words[2], "Kept off by staff: Parted badly.");
    }

    #[test]
    fn whoever_fits_is_told_what_else_it_was() {
        let list = list();
        let in_reserve = AskedAbout {
            worker: worker(2),
            ..stranger(70_000)
        };
        let outranked = |score| Absence::Outranked {
            score,
            least: 70_000,
        };
        let with = |score, indexed| AskedAbout {
            indexed,
            ..stranger(score)
        };
        for (about, full, expected) in [
            (in_reserve, FULL, vec![Absence::Reserve { place: 3 }]),
            (stranger(69_999), FULL, vec![outranked(69_999)]),
            // Of two who score the same one has to stay off.
            (stranger(70_000), FULL, vec![outranked(70_000)]),
            (stranger(70_001), FULL, vec![Absence::FitsSince]),
            // Where there was room, nobody was outranked.
            (stranger(1), FULL + 1, vec![Absence::FitsSince]),
            (
                with(99_000, Indexed::Nothing),
                FULL,
                vec![Absence::NotIndexed],
            ),
            (
                with(1_500, Indexed::Outdated),
                FULL,
                vec![Absence::IndexOutdated, outranked(1_500)],
            ),
        ] {
            assert_eq!(list.absence(&about, full), expected, "{about:?}");
        }
        assert_eq!(
            outranked(69_005).words(),
            "Scores 69.005; the last on the list 70.000"
        );
    }
}
