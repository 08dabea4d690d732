//! What a support worker says of themselves.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::availability::Availability;
use crate::money::Cents;
use crate::place::Place;
use crate::vocabulary::{
    CareLevel, Condition, Culture, Expertise, Gender, Hazard, Interest, Language, Service, Skill,
    Task,
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
