//! What a client sees of a candidate, and a support worker of a request, until an invitation is accepted.
//!
//! Each view is put together from a list of what may be seen, never by taking things out of a full record. Words come
//! from the vocabularies; the one free text about a candidate is the introduction that staff have approved.

mod fewer;
mod request;
mod standing;
mod visit;

pub use fewer::{BlindRelaxation, BlindRemoval, what_removes, what_would_bring};
pub use request::BlindRequest;
pub use standing::{BlindQuestion, CandidateStanding};
pub use visit::{BlindVisit, CoverOfferState};

use serde::{Deserialize, Serialize};

use crate::candidates::ListedCandidate;
use crate::eligibility::Asked;
use crate::id::CandidateId;
use crate::money::Cents;
use crate::packed::IndexRecord;
use crate::support_worker::{Reliability, SupportWorker};
use crate::vocabulary::{
    Condition, Culture, Expertise, Interest, Language, Service, Skill, Vocabulary, mask, wide_mask,
    words_in,
};
use crate::words::shared;

vocabulary! {
    /// How far away a candidate sets out from.
    DistanceBand {
        Under5Km = "under_5_km", "Under 5 km away";
        From5To10Km = "from_5_to_10_km", "5 to 10 km away";
        From10To25Km = "from_10_to_25_km", "10 to 25 km away";
        From25To50Km = "from_25_to_50_km", "25 to 50 km away";
        From50To100Km = "from_50_to_100_km", "50 to 100 km away";
    }

    /// How long a candidate has done support work.
    ExperienceBand {
        UnderOneYear = "under_one_year", "Under one year of experience";
        OneToThreeYears = "one_to_three_years", "One to three years of experience";
        ThreeToFiveYears = "three_to_five_years", "Three to five years of experience";
        FiveToTenYears = "five_to_ten_years", "Five to ten years of experience";
        OverTenYears = "over_ten_years", "Over ten years of experience";
    }

    /// How others have rated a candidate, where at least five have.
    RatingBand {
        Excellent = "excellent", "Rated 4.5 and above";
        VeryGood = "very_good", "Rated 4 to 4.5";
        Good = "good", "Rated 3 to 4";
        Mixed = "mixed", "Rated under 3";
    }
}

/// Fewer than this are never counted in a client's sight.
pub const FEWEST_COUNTED: u32 = 5;

/// A candidate as the client sees them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BlindCandidate {
    /// The id in this match request alone.
    pub candidate: CandidateId,
    /// The name they go by until accepted.
    pub alias: String,
    /// Whether they can still be invited; why not is never said.
    pub available: bool,
    /// How far away.
    pub distance: DistanceBand,
    /// How experienced.
    pub experience: ExperienceBand,
    /// How rated; none where too few have.
    pub rating: Option<RatingBand>,
    /// What an hour of the services asked for costs, widened to whole fives.
    pub rate: RateRange,
    /// The services asked for, all of which they offer.
    pub services: Vec<Service>,
    /// What matches, the most telling first.
    pub matches: Vec<BlindMatch>,
    /// The introduction that staff have approved.
    pub introduction: String,
}

/// A range of hourly rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RateRange {
    /// At least.
    pub from: Cents,
    /// At most.
    pub to: Cents,
}

/// Something that matches, said in words of the vocabularies alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BlindMatch {
    /// Conditions of which staff have seen proof.
    ProvenIn(Vec<Condition>),
    /// Conditions they say they know.
    AwareOf(Vec<Condition>),
    /// Interests wished for.
    Shares(Vec<Interest>),
    /// Languages wished for.
    Speaks(Vec<Language>),
    /// Ways of life wished for.
    Understands(Vec<Culture>),
    /// Skills wished for.
    Skilled(Vec<Skill>),
    /// Preferred day-parts on which they are free, and how many were preferred.
    FreeOn {
        /// How many they are free on.
        free: u32,
        /// How many were preferred.
        preferred: u32,
    },
    /// Words of the client's own that the introduction or the interests are about as well.
    Mentions(Vec<String>),
}

impl BlindMatch {
    /// In words for the client.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::ProvenIn(words) => format!("Proven experience with: {}", list(words)),
            Self::AwareOf(words) => format!("Knows: {}", list(words)),
            Self::Shares(words) => format!("Shares your interest in: {}", list(words)),
            Self::Speaks(words) => format!("Speaks: {}", list(words)),
            Self::Understands(words) => format!("Understands: {}", list(words)),
            Self::Skilled(words) => format!("Good at: {}", list(words)),
            Self::FreeOn { free, preferred } => {
                format!("Free on {free} of the {preferred} times you prefer")
            }
            Self::Mentions(words) => format!("You both mention: {}", words.join(", ")),
        }
    }
}

fn list<V: Vocabulary>(words: &[V]) -> String {
    let labels: Vec<&str> = words.iter().map(|word| word.label()).collect();
    labels.join(", ")
}

impl BlindCandidate {
    /// The blind view of a candidate by their live record. None for who has no approved introduction or no place:
    /// they cannot be shown at all.
    #[must_use]
    pub fn of(candidate: &ListedCandidate, worker: &SupportWorker, asked: &Asked) -> Option<Self> {
        let record = IndexRecord::facts(worker)?;
        Some(Self {
            candidate: candidate.id,
            alias: candidate.alias.clone(),
            available: true,
            distance: distance_band(record.position.metres_to(asked.position)),
            experience: experience_band(record.experience_days(asked.today)),
            rating: rating_band(&record.reliability),
            rate: rate_range(&record, asked.services)?,
            services: words_in(asked.services & record.service_mask()).collect(),
            matches: what_matches(&record, asked),
            introduction: worker.introduction_approved.clone()?,
        })
    }
}

/// What of the request's wishes this support worker meets.
#[must_use]
pub fn what_matches(record: &IndexRecord, asked: &Asked) -> Vec<BlindMatch> {
    let proven = record.conditions_known(Expertise::Experienced);
    let claimed = record.conditions_known(Expertise::Aware) & !proven;
    let wished = |preferred: u64, needed: u64| preferred | needed;
    let (prefer, must) = (&asked.prefer, &asked.must);
    let interests: Vec<Interest> = Interest::ALL
        .iter()
        .copied()
        .filter(|interest| {
            let bits = wide_mask([*interest]);
            let in_all = |set: [u64; 3]| set.iter().zip(bits).any(|(part, bit)| part & bit != 0);
            in_all(record.interests) && (in_all(prefer.interests) || in_all(must.interests))
        })
        .collect();
    let free = record
        .week
        .free_on(&record.exceptions, asked.window, &asked.preferred);
    let mentioned: Vec<String> = shared(&asked.words, record)
        .map(|word| word.said.clone())
        .collect();
    let mut matches = vec![];
    push(
        &mut matches,
        proven & asked.conditions,
        BlindMatch::ProvenIn,
    );
    push(
        &mut matches,
        claimed & asked.conditions,
        BlindMatch::AwareOf,
    );
    if !interests.is_empty() {
        matches.push(BlindMatch::Shares(interests));
    }
    push(
        &mut matches,
        record.languages & wished(prefer.languages, must.languages),
        BlindMatch::Speaks,
    );
    push(
        &mut matches,
        record.cultures & wished(prefer.cultures, must.cultures),
        BlindMatch::Understands,
    );
    push(
        &mut matches,
        record.skills & wished(prefer.skills, must.skills),
        BlindMatch::Skilled,
    );
    if free > 0 {
        matches.push(BlindMatch::FreeOn {
            free,
            preferred: asked.preferred.count(),
        });
    }
    if !mentioned.is_empty() {
        matches.push(BlindMatch::Mentions(mentioned));
    }
    matches
}

fn push<V: Vocabulary>(matches: &mut Vec<BlindMatch>, shared: u64, say: fn(Vec<V>) -> BlindMatch) {
    if shared != 0 {
        matches.push(say(words_in(shared).collect()));
    }
}

fn distance_band(metres: u32) -> DistanceBand {
    match metres {
        0..5_000 => DistanceBand::Under5Km,
        5_000..10_000 => DistanceBand::From5To10Km,
        10_000..25_000 => DistanceBand::From10To25Km,
        25_000..50_000 => DistanceBand::From25To50Km,
        50_000.. => DistanceBand::From50To100Km,
    }
}

fn experience_band(days: u32) -> ExperienceBand {
    match days / 365 {
        0 => ExperienceBand::UnderOneYear,
        1..3 => ExperienceBand::OneToThreeYears,
        3..5 => ExperienceBand::ThreeToFiveYears,
        5..10 => ExperienceBand::FiveToTenYears,
        10.. => ExperienceBand::OverTenYears,
    }
}

fn rating_band(reliability: &Reliability) -> Option<RatingBand> {
    if reliability.rating_count < FEWEST_COUNTED {
        return None;
    }
    let tenths = reliability.rating_sum.saturating_mul(10) / reliability.rating_count;
    Some(match tenths {
        45.. => RatingBand::Excellent,
        40..45 => RatingBand::VeryGood,
        30..40 => RatingBand::Good,
        0..30 => RatingBand::Mixed,
    })
}

/// Exact rates tell people apart: the range is widened to whole fives of the currency.
fn rate_range(record: &IndexRecord, services: u64) -> Option<RateRange> {
    let rates = || {
        record
            .services
            .iter()
            .filter(|offered| services & mask([offered.service]) != 0)
            .map(|offered| offered.hourly_rate.0)
    };
    let (least, most) = (rates().min()?, rates().max()?);
    let from = least / 500 * 500;
    let to = most.saturating_add(1).div_ceil(500).saturating_mul(500);
    Some(RateRange {
        from: Cents(from),
        to: Cents(to),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proven_expertise_is_told_first_and_shared_words_last() {
        use crate::availability::{DayPart, DayStrength, RequestedDay, Strength, Week, Weekday};
        use crate::match_request::{Preference, Wish, tests::details};
        use crate::support_worker::active_sample;

        let mut request = details();
        let wishes = [
            Wish::Skill(Skill::Cooking),
            Wish::Culture(Culture::Mediterranean),
            Wish::Language(Language::Greek),
            Wish::Interest(Interest::Chess),
        ];
        request.preferences = wishes
            .map(|wish| Preference {
                strength: Strength::Prefer,
                wish,
                care_reason: None,
            })
            .into();
        request.days = vec![RequestedDay {
            weekday: Weekday::Monday,
            day_part: DayPart::Morning,
            hours: None,
            strength: DayStrength::Prefer,
        }];
        request.care_needs.conditions = vec![Condition::Epilepsy, Condition::Dementia];
        request.about_me = "I keep bees.".into();
        let asked = Asked::of(&request, "2026-11-21T02:00:00Z".parse().unwrap());
        let mut record = IndexRecord::facts(&active_sample()).unwrap();
        (record.skills, record.languages, record.cultures) = (
            mask([Skill::Cooking]),
            mask([Language::Greek]),
            mask([Culture::Mediterranean]),
        );
        record.interests = wide_mask([Interest::Chess]);
        let known = mask([Condition::Dementia, Condition::Epilepsy]);
        record.conditions = [known, mask([Condition::Dementia]), 0, 0];
        record.week = Week::from_rows([!0 >> 16; 7]);
        record.words = crate::words::stems("My bees and I");
        let words: Vec<String> = what_matches(&record, &asked)
            .iter()
            .map(BlindMatch::words)
            .collect();
        assert_eq!(
            words,
            [
                "Proven experience with: Dementia",
                "Knows: Epilepsy",
                "Shares your interest in: Chess",
                "Speaks: Greek",
                "Understands: Mediterranean communities",
                "Good at: Cooking",
                "Free on 1 of the 1 times you prefer",
                "You both mention: bees",
            ]
        );
    }

    #[test]
    fn bands_change_where_they_say() {
        assert_eq!(distance_band(4_999), DistanceBand::Under5Km);
        assert_eq!(distance_band(5_000), DistanceBand::From5To10Km);
        assert_eq!(distance_band(50_000), DistanceBand::From50To100Km);
        assert_eq!(experience_band(364), ExperienceBand::UnderOneYear);
        assert_eq!(experience_band(3650), ExperienceBand::OverTenYears);
        let rated = |rating_sum, rating_count| {
            rating_band(&Reliability {
                rating_sum,
                rating_count,
                ..Reliability::default()
            })
        };
        assert_eq!(rated(20, 4), None);
        assert_eq!(rated(25, 5), Some(RatingBand::Excellent));
        assert_eq!(rated(14, 5), Some(RatingBand::Mixed));
    }
}
