//! What a support worker says of themselves.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::availability::Availability;
use crate::invalid::{Findings, Invalid};
use crate::money::Cents;
use crate::place::{FARTHEST_TRAVEL_KM, Place};
use crate::vocabulary::{
    CareLevel, Condition, Culture, Expertise, Gender, Hazard, Interest, Language, Service, Skill,
    Task, distinct,
};

/// A support worker's profile. The name is the person's and never part of it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WorkerProfile {
    /// A few paragraphs about themselves. Clients see it once staff have approved it.
    pub introduction: String,
    /// Gender, as they state it.
    pub gender: Option<Gender>,
    /// Earlier and present work.
    pub work_history: Vec<WorkEntry>,
    /// Courses taken.
    pub training: Vec<Training>,
    /// Services offered, with their rates.
    pub services: Vec<OfferedService>,
    /// What they do well.
    pub skills: Vec<Skill>,
    /// Conditions they know. What counts beyond awareness is what staff have seen proof of.
    pub conditions: Vec<KnownCondition>,
    /// Languages spoken.
    pub languages: Vec<Language>,
    /// Ways of life they understand.
    pub cultures: Vec<Culture>,
    /// Hobbies and interests.
    pub interests: Vec<Interest>,
    /// What they do not take on.
    pub boundaries: Boundaries,
    /// Where they work.
    pub service_area: Option<ServiceArea>,
    /// When they work.
    pub availability: Availability,
    /// Hours of support a week that they still want.
    pub hours_wanted: Option<u16>,
}

/// One piece of earlier or present work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkEntry {
    /// What they were.
    pub role: String,
    /// Where.
    pub organisation: String,
    /// Since when.
    pub from: NaiveDate,
    /// Until when; none while it lasts.
    pub until: Option<NaiveDate>,
    /// Whether it was support or care work, which counts as experience.
    pub support_work: bool,
}

/// One course taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// What it taught.
    pub title: String,
    /// Who gave it.
    pub institution: String,
    /// When it was completed.
    pub completed_on: NaiveDate,
}

/// A service and its price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfferedService {
    /// The service.
    pub service: Service,
    /// What an hour costs.
    pub hourly_rate: Cents,
}

/// A condition and how well it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownCondition {
    /// The condition.
    pub condition: Condition,
    /// How well.
    pub expertise: Expertise,
}

/// What a support worker does not take on: tasks and hazards, never a person's attributes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Boundaries {
    /// Tasks not accepted.
    pub tasks: Vec<Task>,
    /// Hazards not accepted.
    pub hazards: Vec<Hazard>,
    /// The highest level of care accepted; any where it is not stated.
    pub highest_care_level: Option<CareLevel>,
}

/// Where a support worker works.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceArea {
    /// Where they set out from.
    pub base: Place,
    /// How far they travel, in kilometres, at most 100.
    pub radius_km: u16,
}

/// How complete a profile is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Completeness {
    /// Whole thousandths of a complete profile.
    pub score: u32,
    /// The most useful improvements, the best first; at most three.
    pub improvements: Vec<Improvement>,
}

/// Something to add to a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Improvement {
    /// JSON pointer to the field.
    pub pointer: String,
    /// What to do, in words.
    pub words: String,
    /// Whole thousandths it adds to the score.
    pub gain: u32,
}

/// The dearest hour that may be asked for, in cents.
const DEAREST_HOUR: Cents = Cents(100_000);

impl WorkerProfile {
    /// Whether everything said is well formed; a draft may still lack things.
    ///
    /// # Errors
    /// Every fault.
    pub fn validate(&self) -> Result<(), Vec<Invalid>> {
        let mut findings = Findings::default();
        self.find_faults(&mut findings);
        findings.into_result()
    }

    /// Whether everything is there that matching rests on.
    ///
    /// # Errors
    /// Every fault, and everything missing.
    pub fn validate_for_submission(&self) -> Result<(), Vec<Invalid>> {
        let mut findings = Findings::default();
        self.find_faults(&mut findings);
        findings.check(
            self.introduction.trim().chars().count() >= 80,
            "/introduction",
            "needs at least 80 characters",
        );
        findings.check(
            !self.services.is_empty(),
            "/services",
            "needs at least one service",
        );
        findings.check(
            !self.languages.is_empty(),
            "/languages",
            "needs at least one language",
        );
        findings.check(
            !self.availability.weekly.is_empty(),
            "/availability/weekly",
            "needs at least one time of the week",
        );
        findings.check(self.service_area.is_some(), "/service_area", "is needed");
        findings.check(self.hours_wanted.is_some(), "/hours_wanted", "is needed");
        findings.into_result()
    }

    fn find_faults(&self, findings: &mut Findings) {
        findings.text("/introduction", &self.introduction, 0, 1500);
        findings.at_most("/work_history", &self.work_history, 20);
        for (place, entry) in self.work_history.iter().enumerate() {
            let pointer = format!("/work_history/{place}");
            findings.text(format!("{pointer}/role"), &entry.role, 1, 80);
            findings.text(
                format!("{pointer}/organisation"),
                &entry.organisation,
                1,
                120,
            );
            findings.check(
                entry.until.is_none_or(|until| entry.from <= until),
                format!("{pointer}/until"),
                "is at or after the beginning",
            );
        }
        findings.at_most("/training", &self.training, 20);
        for (place, training) in self.training.iter().enumerate() {
            let pointer = format!("/training/{place}");
            findings.text(format!("{pointer}/title"), &training.title, 1, 120);
            findings.text(
                format!("{pointer}/institution"),
                &training.institution,
                1,
                120,
            );
        }
        let services: Vec<_> = self
            .services
            .iter()
            .map(|offered| offered.service)
            .collect();
        distinct(findings, "/services", &services, 16);
        for (place, offered) in self.services.iter().enumerate() {
            findings.check(
                Cents(0) < offered.hourly_rate && offered.hourly_rate <= DEAREST_HOUR,
                format!("/services/{place}/hourly_rate"),
                format!("is above zero and at most {DEAREST_HOUR}"),
            );
        }
        distinct(findings, "/skills", &self.skills, 22);
        let conditions: Vec<_> = self
            .conditions
            .iter()
            .map(|known| known.condition)
            .collect();
        distinct(findings, "/conditions", &conditions, 24);
        distinct(findings, "/languages", &self.languages, 12);
        distinct(findings, "/cultures", &self.cultures, 12);
        distinct(findings, "/interests", &self.interests, 30);
        distinct(findings, "/boundaries/tasks", &self.boundaries.tasks, 26);
        distinct(
            findings,
            "/boundaries/hazards",
            &self.boundaries.hazards,
            16,
        );
        if let Some(area) = &self.service_area {
            area.base.find_faults("/service_area/base", findings);
            findings.check(
                (1..=FARTHEST_TRAVEL_KM).contains(&area.radius_km),
                "/service_area/radius_km",
                format!("is 1 to {FARTHEST_TRAVEL_KM}"),
            );
        }
        self.availability.find_faults("/availability", findings);
        findings.check(
            self.hours_wanted.is_none_or(|hours| hours <= 100),
            "/hours_wanted",
            "is at most 100 hours a week",
        );
    }

    /// How complete the profile is, and what would help most.
    #[must_use]
    pub fn completeness(&self) -> Completeness {
        let mut improvements: Vec<Improvement> = PARTS
            .iter()
            .map(|part| {
                let filled = (part.filled)(self).min(part.enough);
                Improvement {
                    pointer: part.pointer.to_owned(),
                    words: part.words.to_owned(),
                    gain: part.weight - part.weight * filled / part.enough,
                }
            })
            .collect();
        let missing: u32 = improvements
            .iter()
            .map(|improvement| improvement.gain)
            .sum();
        improvements.retain(|improvement| improvement.gain > 0);
        improvements.sort_by_key(|improvement| std::cmp::Reverse(improvement.gain));
        improvements.truncate(3);
        Completeness {
            score: 1000 - missing,
            improvements,
        }
    }
}

/// One part of a complete profile.
struct Part {
    pointer: &'static str,
    words: &'static str,
    /// Thousandths of the score.
    weight: u32,
    /// How much of it makes it complete.
    enough: u32,
    filled: fn(&WorkerProfile) -> u32,
}

const fn part(
    pointer: &'static str,
    words: &'static str,
    weight: u32,
    enough: u32,
    filled: fn(&WorkerProfile) -> u32,
) -> Part {
    Part {
        pointer,
        words,
        weight,
        enough,
        filled,
    }
}

/// What a complete profile consists of.
///
/// INVARIANT: the weights add up to 1000; a test adds them.
const PARTS: [Part; 13] = [
    part(
        "/introduction",
        "Introduce yourself in about 300 characters: how you work and what matters to you",
        170,
        300,
        |profile| count(profile.introduction.trim().chars()),
    ),
    part(
        "/services",
        "Offer at least two services, each with its rate",
        130,
        2,
        |profile| count(profile.services.iter()),
    ),
    part(
        "/availability/weekly",
        "Say when you can work, on at least three times of the week",
        120,
        3,
        |profile| count(profile.availability.weekly.iter()),
    ),
    part(
        "/service_area",
        "Say where you set out from and how far you travel",
        110,
        1,
        |profile| count(profile.service_area.iter()),
    ),
    part(
        "/work_history",
        "List at least two places you have worked",
        90,
        2,
        |profile| count(profile.work_history.iter()),
    ),
    part(
        "/conditions",
        "Name the conditions you know, at least two",
        80,
        2,
        |profile| count(profile.conditions.iter()),
    ),
    part("/skills", "Name at least three skills", 70, 3, |profile| {
        count(profile.skills.iter())
    }),
    part(
        "/interests",
        "Name at least five interests: shared ones start a good connection",
        60,
        5,
        |profile| count(profile.interests.iter()),
    ),
    part(
        "/languages",
        "Name the languages you speak",
        50,
        1,
        |profile| count(profile.languages.iter()),
    ),
    part(
        "/training",
        "List at least one course you have completed",
        40,
        1,
        |profile| count(profile.training.iter()),
    ),
    part(
        "/hours_wanted",
        "Say how many hours a week you want",
        30,
        1,
        |profile| count(profile.hours_wanted.iter()),
    ),
    part(
        "/gender",
        "State your gender, or that you prefer not to",
        30,
        1,
        |profile| count(profile.gender.iter()),
    ),
    part(
        "/cultures",
        "Name a way of life you understand",
        20,
        1,
        |profile| count(profile.cultures.iter()),
    ),
];

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_profile_scores_nothing_and_asks_for_what_weighs_most() {
        assert_eq!(PARTS.iter().map(|part| part.weight).sum::<u32>(), 1000);
        let completeness = WorkerProfile::default().completeness();
        assert_eq!(completeness.score, 0);
        let pointers: Vec<_> = completeness
            .improvements
            .iter()
            .map(|improvement| (improvement.pointer.as_str(), improvement.gain))
            .collect();
        assert_eq!(
            pointers,
            [
                ("/introduction", 170),
                ("/services", 130),
                ("/availability/weekly", 120)
            ]
        );
    }

    #[test]
    fn following_an_improvement_gains_what_it_said() {
        let before = WorkerProfile::default();
        let after = WorkerProfile {
            languages: vec![Language::English],
            skills: vec![Skill::Cooking],
            ..before.clone()
        };
        assert_eq!(after.completeness().score, 50 + 70 - 70 * 2 / 3 - 1);
        assert_eq!(before.completeness().score, 0);
    }

    #[test]
    fn a_draft_may_lack_what_a_submission_needs() {
        let empty = WorkerProfile::default();
        assert_eq!(empty.validate(), Ok(()));
        let missing = empty.validate_for_submission().unwrap_err();
        assert_eq!(missing.len(), 6);
    }

    #[test]
    fn every_fault_is_found_at_once() {
        let faulty = WorkerProfile {
            services: vec![
                OfferedService {
                    service: Service::Transport,
                    hourly_rate: Cents(0),
                },
                OfferedService {
                    service: Service::Transport,
                    hourly_rate: Cents(5000),
                },
            ],
            hours_wanted: Some(169),
            introduction: "x".repeat(1501),
            ..WorkerProfile::default()
        };
        let pointers: Vec<_> = faulty
            .validate()
            .unwrap_err()
            .into_iter()
            .map(|fault| fault.pointer)
            .collect();
        assert_eq!(
            pointers,
            [
                "/introduction",
                "/services/1",
                "/services/0/hourly_rate",
                "/hours_wanted"
            ]
        );
    }
}
