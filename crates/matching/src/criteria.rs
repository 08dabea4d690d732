//! The soft criteria: what somebody eligible is worth, 0 to 1000 each, in whole numbers throughout.
//!
//! What a request does not ask about is worth the same in everybody, the full 1000.

use domain::candidates::{Contribution, Criterion};
use domain::eligibility::{Asked, WishMasks};
use domain::match_request::Budget;
use domain::money::Cents;
use domain::packed::IndexRecord;
use domain::support_worker::Reliability;
use domain::vocabulary::{Expertise, Service, Vocabulary, mask, words_in};
use domain::words::shared;

use crate::weights::Weights;

/// The most that anybody is worth by one criterion.
pub(crate) const FULL: u32 = 1000;

/// The numbers that turn facts into worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Calibration {
    /// The rating, in hundredths, that somebody with none is taken to have.
    pub(crate) prior_rating: u64,
    /// As how many ratings that counts.
    pub(crate) prior_ratings: u64,
    /// How many answered invitations out of five somebody with none is taken to have.
    pub(crate) prior_answers: u64,
    /// Minutes after which an answer is worth half.
    pub(crate) half_answer_minutes: u64,
    /// Visits after which experience here is worth half.
    pub(crate) half_visits: u64,
    /// Metres after which distance is worth half.
    pub(crate) half_metres: u64,
    /// Days of support work that are worth all.
    pub(crate) full_experience_days: u64,
    /// Hours a week still wanted that are worth all.
    pub(crate) full_hours: u64,
    /// Words in common after which more are worth half.
    pub(crate) half_words: u64,
}

/// The numbers in use. Changing one changes what a score means: raise the weights' version with it.
pub(crate) const CALIBRATION: Calibration = Calibration {
    prior_rating: 420,
    prior_ratings: 5,
    prior_answers: 4,
    half_answer_minutes: 720,
    half_visits: 20,
    half_metres: 10_000,
    full_experience_days: 3650,
    full_hours: 20,
    half_words: 2,
};

/// What knowing a condition this well is worth.
const EXPERTISE: [(Expertise, u32); 4] = [
    (Expertise::Specialist, 1000),
    (Expertise::Trained, 800),
    (Expertise::Experienced, 600),
    (Expertise::Aware, 250),
];

/// What somebody's worth for one request is computed from, wherever it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Masks of the conditions known at least so well, from awareness to specialisation.
    pub(crate) conditions: [u64; 4],
    /// Mask of interests.
    pub(crate) interests: [u64; 3],
    /// Mask of skills.
    pub(crate) skills: u64,
    /// Mask of languages.
    pub(crate) languages: u64,
    /// Mask of cultures.
    pub(crate) cultures: u64,
    /// Mask of the one gender.
    pub(crate) gender: u64,
    /// How many of the preferred times are free.
    pub(crate) free: u32,
    /// Days of support work.
    pub(crate) experience_days: u32,
    /// What reliability is worth.
    pub(crate) reliability: u32,
    /// How far away they live.
    pub(crate) metres: u32,
    /// What the dearest service asked for costs; none where none is offered.
    pub(crate) dearest: Option<Cents>,
    /// Hours a week still wanted.
    pub(crate) hours_wanted: u16,
    /// How many of the words asked are in common.
    pub(crate) common_words: usize,
}

impl Facts {
    /// Those in a record.
    pub(crate) fn of(asked: &Asked, record: &IndexRecord) -> Self {
        Self {
            conditions: record.conditions,
            interests: record.interests,
            skills: record.skills,
            languages: record.languages,
            cultures: record.cultures,
            gender: mask([record.gender]),
            free: record
                .week
                .free_on(&record.exceptions, asked.window, &asked.preferred),
            experience_days: record.experience_days(asked.today),
            reliability: reliability(&record.reliability),
            metres: record.position.metres_to(asked.position),
            dearest: words_in::<Service>(asked.services)
                .filter_map(|service| record.rate(service))
                .max(),
            hours_wanted: record.hours_wanted,
            common_words: shared(&asked.words, record).count(),
        }
    }
}

/// Every criterion's value, weight and points. The points add up to the score exactly.
#[must_use]
pub fn contributions(asked: &Asked, record: &IndexRecord, weights: &Weights) -> Vec<Contribution> {
    contributions_of(asked, &Facts::of(asked, record), weights)
}

/// The same from the facts alone.
pub(crate) fn contributions_of(
    asked: &Asked,
    facts: &Facts,
    weights: &Weights,
) -> Vec<Contribution> {
    Criterion::ALL
        .iter()
        .map(|criterion| {
            let value = value_of(*criterion, asked, facts);
            let weight = weights.of(*criterion);
            Contribution {
                criterion: *criterion,
                value,
                weight,
                points: value * weight,
            }
        })
        .collect()
}

/// What somebody is worth by one criterion, 0 to 1000.
#[must_use]
pub fn value(criterion: Criterion, asked: &Asked, record: &IndexRecord) -> u32 {
    value_of(criterion, asked, &Facts::of(asked, record))
}

fn value_of(criterion: Criterion, asked: &Asked, facts: &Facts) -> u32 {
    let prefer = &asked.prefer;
    match criterion {
        Criterion::Expertise => expertise(asked.conditions, facts.conditions),
        Criterion::Days => days(facts.free, asked.preferred.count()),
        Criterion::Interests => interests(prefer, facts.interests),
        Criterion::Wishes => wishes(prefer, facts.skills, facts.gender),
        Criterion::Understanding => understanding(prefer, facts.languages, facts.cultures),
        Criterion::Experience => experience(facts.experience_days),
        Criterion::Reliability => facts.reliability,
        Criterion::Distance => distance(facts.metres),
        Criterion::Rate => rate(asked.budget, facts.dearest),
        Criterion::Workload => workload(facts.hours_wanted),
        Criterion::Words => words(facts.common_words, asked.words.len()),
    }
}

/// The conditions, each by how well it is known.
pub(crate) fn expertise(asked: u64, known: [u64; 4]) -> u32 {
    let conditions = asked.count_ones();
    if conditions == 0 {
        return FULL;
    }
    let mut remaining = asked;
    let mut worth = 0;
    for (expertise, each) in EXPERTISE {
        let at_least = known.get(expertise.bit() as usize).copied().unwrap_or(0);
        let so_well = remaining & at_least;
        worth += so_well.count_ones() * each;
        remaining &= !so_well;
    }
    worth / conditions
}

/// The preferred times that are free.
pub(crate) fn days(free: u32, preferred: u32) -> u32 {
    share(free, preferred)
}

/// The preferred interests that are shared.
pub(crate) fn interests(prefer: &WishMasks, has: [u64; 3]) -> u32 {
    let parts = has.iter().zip(prefer.interests);
    let met = parts.map(|(has, wanted)| (has & wanted).count_ones()).sum();
    let wanted = prefer.interests.iter().map(|part| part.count_ones()).sum();
    share(met, wanted)
}

/// The preferred skills, and the preferred gender: several are alternatives, one of which meets the wish.
pub(crate) fn wishes(prefer: &WishMasks, skills: u64, gender: u64) -> u32 {
    let met = (skills & prefer.skills).count_ones() + (gender & prefer.genders).count_ones();
    share(
        met,
        prefer.skills.count_ones() + u32::from(prefer.genders != 0),
    )
}

/// The preferred languages and cultures.
pub(crate) fn understanding(prefer: &WishMasks, languages: u64, cultures: u64) -> u32 {
    share(
        (languages & prefer.languages).count_ones() + (cultures & prefer.cultures).count_ones(),
        prefer.languages.count_ones() + prefer.cultures.count_ones(),
    )
}

/// Days of support work.
pub(crate) fn experience(days: u32) -> u32 {
    portion(u64::from(days), CALIBRATION.full_experience_days)
}

/// The nearer, the more.
pub(crate) fn distance(metres: u32) -> u32 {
    less_with(u64::from(metres), CALIBRATION.half_metres)
}

/// How far the dearest service asked for stays below what an hour may cost.
pub(crate) fn rate(budget: Budget, dearest: Option<Cents>) -> u32 {
    let (least, most) = (budget.least.0, budget.most.0);
    dearest.map_or(0, |dearest| {
        portion(
            u64::from(most.saturating_sub(dearest.0)),
            u64::from(most.saturating_sub(least)),
        )
    })
}

/// Hours of support a week still wanted.
pub(crate) fn workload(hours_wanted: u16) -> u32 {
    portion(u64::from(hours_wanted), CALIBRATION.full_hours)
}

/// More with every word in common, less and less so; who writes nothing asks for nothing.
pub(crate) fn words(common: usize, asked: usize) -> u32 {
    if asked == 0 {
        return FULL;
    }
    FULL - less_with(
        u64::try_from(common).unwrap_or(u64::MAX),
        CALIBRATION.half_words,
    )
}

/// Ratings drawn towards the prior while they are few; answers, their speed, and visits completed.
pub(crate) fn reliability(facts: &Reliability) -> u32 {
    let of = CALIBRATION;
    let rating = (u64::from(facts.rating_sum) * 100 + of.prior_rating * of.prior_ratings)
        / (u64::from(facts.rating_count) + of.prior_ratings);
    let rating = portion(rating.saturating_sub(100), 400);
    let answers = portion(
        u64::from(facts.answered) + of.prior_answers,
        u64::from(facts.invitations) + 5,
    );
    let minutes = u64::from(facts.answer_minutes)
        .checked_div(u64::from(facts.answered))
        .unwrap_or(of.half_answer_minutes);
    let speed = less_with(minutes, of.half_answer_minutes);
    let visits = FULL - less_with(u64::from(facts.completed_visits), of.half_visits);
    (rating * 50 + answers * 25 + speed * 10 + visits * 15) / 100
}

/// So many of so many; all of nothing.
pub(crate) fn share(met: u32, wanted: u32) -> u32 {
    if wanted == 0 {
        FULL
    } else {
        portion(u64::from(met), u64::from(wanted))
    }
}

/// `part` of `whole` in thousandths, at most all of it; nothing of nothing.
fn portion(part: u64, whole: u64) -> u32 {
    let thousandths = (part.min(whole) * u64::from(FULL)).checked_div(whole);
    u32::try_from(thousandths.unwrap_or(0)).unwrap_or(FULL)
}

/// All at zero, half at `half`, less and less beyond.
fn less_with(amount: u64, half: u64) -> u32 {
    portion(half, half.saturating_add(amount))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_ratings_are_drawn_to_the_prior() {
        let rated = |rating_sum, rating_count| {
            reliability(&Reliability {
                rating_sum,
                rating_count,
                ..Reliability::default()
            })
        };
        assert!(
            rated(5, 1) < rated(250, 50),
            "one perfect rating proves less than fifty"
        );
        assert!(rated(0, 0) < rated(5, 1));
        assert!(rated(1, 1) < rated(0, 0));
        assert!(rated(50, 50) < rated(1, 1));
    }

    #[test]
    fn parts_are_thousandths() {
        assert_eq!(share(0, 0), 1000);
        assert_eq!(share(1, 3), 333);
        assert_eq!(portion(5, 0), 0);
        assert_eq!(portion(7, 5), 1000);
        assert_eq!(less_with(0, 10), 1000);
        assert_eq!(less_with(10, 10), 500);
    }
}
