//! The soft criteria: what somebody eligible is worth, 0 to 1000 each, in whole numbers throughout.
//!
//! What a request does not ask about is worth the same in everybody, the full 1000.

use domain::candidates::{Contribution, Criterion};
use domain::eligibility::Asked;
use domain::packed::IndexRecord;
use domain::support_worker::Reliability;
use domain::vocabulary::{Expertise, Service, Vocabulary, mask, words_in};
use domain::words::shared;

use crate::weights::Weights;

/// The most that anybody is worth by one criterion.
const FULL: u32 = 1000;

/// The numbers that turn facts into worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calibration {
    /// The rating, in hundredths, that somebody with none is taken to have.
    pub prior_rating: u64,
    /// As how many ratings that counts.
    pub prior_ratings: u64,
    /// How many answered invitations out of five somebody with none is taken to have.
    pub prior_answers: u64,
    /// Minutes after which an answer is worth half.
    pub half_answer_minutes: u64,
    /// Visits after which experience here is worth half.
    pub half_visits: u64,
    /// Metres after which distance is worth half.
    pub half_metres: u64,
    /// Days of support work that are worth all.
    pub full_experience_days: u64,
    /// Hours a week still wanted that are worth all.
    pub full_hours: u64,
    /// Words in common after which more are worth half.
    pub half_words: u64,
}

/// The numbers in use. Changing one changes what a score means: raise the weights' version with it.
const CALIBRATION: Calibration = Calibration {
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

/// Every criterion's value, weight and points. The points add up to the score exactly.
#[must_use]
pub fn contributions(asked: &Asked, record: &IndexRecord, weights: &Weights) -> Vec<Contribution> {
    Criterion::ALL
        .iter()
        .map(|criterion| {
            let value = value(*criterion, asked, record);
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
    match criterion {
        Criterion::Expertise => expertise(asked, record),
        Criterion::Days => days(asked, record),
        Criterion::Interests => {
            let wanted = asked.prefer.interests;
            let shared = record.interests.iter().zip(wanted);
            let met = shared
                .map(|(has, wanted)| (has & wanted).count_ones())
                .sum();
            share(met, wanted.iter().map(|part| part.count_ones()).sum())
        }
        Criterion::Wishes => {
            let (skills, genders) = (asked.prefer.skills, asked.prefer.genders);
            let met = record.skills & skills;
            let fits = mask([record.gender]) & genders;
            // Several genders preferred are alternatives: one of them meets the wish.
            share(
                met.count_ones() + fits.count_ones(),
                skills.count_ones() + u32::from(genders != 0),
            )
        }
        Criterion::Understanding => {
            let (languages, cultures) = (asked.prefer.languages, asked.prefer.cultures);
            share(
                (record.languages & languages).count_ones()
                    + (record.cultures & cultures).count_ones(),
                languages.count_ones() + cultures.count_ones(),
            )
        }
        Criterion::Experience => {
            let days = u64::from(record.experience_days(asked.today));
            portion(days, CALIBRATION.full_experience_days)
        }
        Criterion::Reliability => reliability(&record.reliability),
        Criterion::Distance => {
            let metres = u64::from(record.position.metres_to(asked.position));
            less_with(metres, CALIBRATION.half_metres)
        }
        Criterion::Rate => rate(asked, record),
        Criterion::Workload => portion(u64::from(record.hours_wanted), CALIBRATION.full_hours),
        Criterion::Words => words(asked, record),
    }
}

fn expertise(asked: &Asked, record: &IndexRecord) -> u32 {
    let conditions = asked.conditions.count_ones();
    if conditions == 0 {
        return FULL;
    }
    let mut remaining = asked.conditions;
    let mut worth = 0;
    for (expertise, each) in EXPERTISE {
        let known = remaining & record.conditions_known(expertise);
        worth += known.count_ones() * each;
        remaining &= !known;
    }
    worth / conditions
}

fn days(asked: &Asked, record: &IndexRecord) -> u32 {
    let times = &asked.preferred;
    if times.count() == 0 {
        return FULL;
    }
    let free = record.week.free_on(&record.exceptions, asked.window, times);
    share(free, times.count())
}

/// More with every word in common, less and less so; who writes nothing asks for nothing.
fn words(asked: &Asked, record: &IndexRecord) -> u32 {
    if asked.words.is_empty() {
        return FULL;
    }
    let common = shared(&asked.words, record).count();
    FULL - less_with(
        u64::try_from(common).unwrap_or(u64::MAX),
        CALIBRATION.half_words,
    )
}

/// Ratings drawn towards the prior while they are few; answers, their speed, and visits completed.
fn reliability(facts: &Reliability) -> u32 {
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

/// How far the dearest service asked for stays below what an hour may cost.
fn rate(asked: &Asked, record: &IndexRecord) -> u32 {
    let dearest = words_in::<Service>(asked.services)
        .filter_map(|service| record.rate(service))
        .max();
    let (least, most) = (asked.budget.least.0, asked.budget.most.0);
    dearest.map_or(0, |dearest| {
        portion(
            u64::from(most.saturating_sub(dearest.0)),
            u64::from(most.saturating_sub(least)),
        )
    })
}

/// So many of so many; all of nothing.
fn share(met: u32, wanted: u32) -> u32 {
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
