//! Why few were found, and what asking differently would bring, as the client is told.
//!
//! Nearest misses are for staff alone. What a client hears of those who miss by one rule is
//! [`BlindRemoval::without_it`], a count that is never under five.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::FEWEST_COUNTED;
use crate::candidates::RuleCount;
use crate::eligibility::Rule;
use crate::relaxation::{Relaxation, Relaxed, Telling, Told};

/// What stands in the way of more candidates, as the client is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BlindRemoval {
    /// The wish that is not met, in words.
    pub words: String,
    /// How many do not meet it; none where that is too few to say.
    pub removes: Option<u32>,
    /// How many would be candidates without it; none where that is too few to say.
    pub without_it: Option<u32>,
}

/// What the client could ask differently, and what it would bring.
///
/// Counts go in fives, rounded down: one taken from another then never tells of fewer than five. A block changes
/// nothing in them, so that they may promise as many more as there are blocks. Nothing here is about what somebody
/// does not accept, about their checks or about how far they travel. Where it is about what somebody is, has or
/// lacks, it is told of five and more alone; elsewhere of one to four without their number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BlindRelaxation {
    /// What would be asked differently.
    pub change: Relaxation,
    /// The same, and what it would bring, in words.
    pub words: String,
    /// At least so many more would fit; none where that is too few to say.
    pub at_least: Option<u32>,
}

/// The most changes that a client is told of, and of one kind.
const MOST_TOLD: usize = 8;
const MOST_OF_A_KIND: usize = 2;

/// The rules that remove most, in a client's words. Rules that would tell of a block, a boundary, somebody's checks or
/// the client's own profile are not among them.
#[must_use]
pub fn what_removes(told: &Told) -> Vec<BlindRemoval> {
    let in_words = |count: &RuleCount| {
        Some(BlindRemoval {
            words: words_of_rule(count.rule)?.to_owned(),
            removes: counted(count.removes),
            without_it: counted(count.alone),
        })
    };
    told.removed.iter().filter_map(in_words).collect()
}

/// What could be asked differently, those that would bring most first.
#[must_use]
pub fn what_would_bring(told: &Told) -> Vec<BlindRelaxation> {
    let tellable = told.relaxed.iter().filter(|relaxed| {
        relaxed.brings >= FEWEST_COUNTED || relaxed.relaxation.telling() == Telling::Few
    });
    let mut relaxations: Vec<BlindRelaxation> = tellable
        .filter(|relaxed| !is_dearer_for_nothing(relaxed, &told.relaxed))
        .map(|relaxed| in_words(*relaxed))
        .collect();
    // By what is said alone: the order among equals would tell of the numbers behind them.
    relaxations.sort_by_key(|told| {
        let kind = kind(told.change);
        (Reverse(told.at_least), kind, told.words.clone())
    });
    let mut of_each = [0; KINDS];
    relaxations.retain(|told| {
        let kind = kind(told.change);
        of_each.get_mut(kind).is_some_and(|told| {
            *told += 1;
            *told <= MOST_OF_A_KIND
        })
    });
    relaxations.truncate(MOST_TOLD);
    relaxations
}

const KINDS: usize = 11;

/// Which kind of change it is, those that change least for the client first.
const fn kind(change: Relaxation) -> usize {
    match change {
        Relaxation::AnyHours(_) => 0,
        Relaxation::OtherPart { .. } => 1,
        Relaxation::OtherDay { .. } => 2,
        Relaxation::TimeAsWish(_) => 3,
        Relaxation::TimesAsWishes => 4,
        Relaxation::Budget(_) => 5,
        Relaxation::NoLeast => 6,
        Relaxation::MustAsWish(_) => 7,
        Relaxation::NotAvoided(_) => 8,
        Relaxation::WithoutCertificate(_) => 9,
        Relaxation::WithoutService(_) => 10,
    }
}

fn in_words(relaxed: Relaxed) -> BlindRelaxation {
    let at_least = in_fives(relaxed.brings);
    let change = relaxed.relaxation;
    let words = match at_least {
        Some(count) => format!("{}: at least {count} more", change.words()),
        None => format!("{}: a few more", change.words()),
    };
    BlindRelaxation {
        change,
        words,
        at_least,
    }
}

/// Whether a smaller step of the budget says the same.
fn is_dearer_for_nothing(relaxed: &Relaxed, all: &[Relaxed]) -> bool {
    let Relaxation::Budget(most) = relaxed.relaxation else {
        return false;
    };
    all.iter().any(|other| {
        let cheaper = matches!(other.relaxation, Relaxation::Budget(less) if less < most);
        cheaper && in_fives(other.brings) == in_fives(relaxed.brings)
    })
}

fn in_fives(count: u32) -> Option<u32> {
    counted(count / FEWEST_COUNTED * FEWEST_COUNTED)
}

fn counted(count: u32) -> Option<u32> {
    (count >= FEWEST_COUNTED).then_some(count)
}

const fn words_of_rule(rule: Rule) -> Option<&'static str> {
    match rule {
        Rule::Services => Some("Do not offer every service you ask for"),
        Rule::Certifications => Some("Do not hold every certificate you ask for"),
        Rule::Preferences => Some("Do not have everything that is a must"),
        Rule::Avoided => Some("Have something that you want to avoid"),
        Rule::Availability => Some("Are not free on every day you require"),
        Rule::Distance => Some("Do not travel as far as your place"),
        Rule::Budget => Some("Have rates outside your budget"),
        Rule::Active
        | Rule::ChecksThroughPeriod
        | Rule::NotBlocked
        | Rule::Boundaries
        | Rule::NotThemselves => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::availability::DayPart;
    use crate::availability::Weekday;
    use crate::match_request::Wish;
    use crate::money::Cents;
    use crate::vocabulary::{Certification, Gender, Vocabulary};

    fn told(relaxed: &[(Relaxation, u32)]) -> Told {
        let relaxed = relaxed.iter().map(|(relaxation, brings)| Relaxed {
            relaxation: *relaxation,
            brings: *brings,
            loses: 0,
        });
        Told {
            removed: vec![],
            relaxed: relaxed.collect(),
        }
    }

    fn words(relaxed: &[(Relaxation, u32)]) -> Vec<String> {
        let told = what_would_bring(&told(relaxed)).into_iter();
        told.map(|relaxation| relaxation.words).collect()
    }

    const EVENINGS: Relaxation = Relaxation::OtherPart {
        from: DayPart::Morning,
        to: DayPart::Evening,
    };

    #[test]
    fn a_client_hears_of_their_own_wishes_and_of_no_few() {
        let count = |rule, removes, alone| RuleCount {
            rule,
            removes,
            alone,
        };
        let told = Told {
            removed: vec![
                count(Rule::Budget, 12, 4),
                count(Rule::NotBlocked, 40, 40),
                count(Rule::Boundaries, 9, 9),
            ],
            relaxed: vec![],
        };
        assert_eq!(
            what_removes(&told),
            [BlindRemoval {
                words: "Have rates outside your budget".into(),
                removes: Some(12),
                without_it: None,
            }]
        );
    }

    #[test]
    fn what_would_bring_few_says_so_without_a_number_and_of_nobodys_traits() {
        let few = [
            (EVENINGS, 4),
            (Relaxation::TimesAsWishes, 1),
            (Relaxation::MustAsWish(Wish::Gender(Gender::Woman)), 4),
            (Relaxation::NotAvoided(Wish::Gender(Gender::Man)), 4),
            (Relaxation::WithoutCertificate(Certification::FirstAid), 4),
        ];
        assert_eq!(
            words(&few),
            [
                "Evenings instead of mornings: a few more",
                "All required times as wishes: a few more"
            ]
        );
        let enough = few.map(|(relaxation, _)| (relaxation, 5));
        assert_eq!(words(&enough).len(), 5);
    }

    #[test]
    fn counts_go_in_fives_and_nothing_else_tells_them_apart() {
        assert_eq!(
            words(&[(EVENINGS, 8)]),
            ["Evenings instead of mornings: at least 5 more"]
        );
        let view = |evenings, wishes| {
            let counts = [(EVENINGS, evenings), (Relaxation::TimesAsWishes, wishes)];
            let mut reversed = counts;
            reversed.reverse();
            assert_eq!(words(&counts), words(&reversed));
            words(&counts)
        };
        for evenings in 5..10 {
            for wishes in 5..10 {
                assert_eq!(view(evenings, wishes), view(5, 5));
            }
        }
        assert_ne!(view(10, 5), view(9, 5));
    }

    #[test]
    fn no_kind_of_change_crowds_out_the_others() {
        let days = Weekday::ALL.iter().skip(1);
        let days = days.map(|to| {
            let from = Weekday::Monday;
            (Relaxation::OtherDay { from, to: *to }, 20)
        });
        let others = [(EVENINGS, 4), (Relaxation::Budget(Cents(7000)), 4)];
        let told = words(&days.chain(others).collect::<Vec<_>>());
        assert_eq!(
            told,
            [
                "Fridays instead of Mondays: at least 20 more",
                "Saturdays instead of Mondays: at least 20 more",
                "Evenings instead of mornings: a few more",
                "Up to 70.00 an hour: a few more",
            ]
        );
    }

    #[test]
    fn a_higher_budget_is_told_where_it_says_more() {
        let budgets = [
            (Relaxation::Budget(Cents(8000)), 11),
            (Relaxation::Budget(Cents(7500)), 9),
            (Relaxation::Budget(Cents(7000)), 6),
            (Relaxation::Budget(Cents(6500)), 1),
        ];
        assert_eq!(
            words(&budgets),
            [
                "Up to 80.00 an hour: at least 10 more",
                "Up to 70.00 an hour: at least 5 more",
            ]
        );
    }
}
