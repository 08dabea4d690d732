//! What a client asks for, from submission to the released candidate list.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::availability::{RequestedDay, Strength};
use crate::id::{ClientId, MatchRequestId, PersonId};
use crate::money::Cents;
use crate::place::Place;
use crate::vocabulary::{
    CareLevel, Certification, Condition, Culture, Gender, Hazard, Interest, Language, Mobility,
    Service, Skill, Task, Vocabulary,
};

vocabulary! {
    /// Where a match request stands.
    MatchRequestState {
        Submitted = "submitted", "Submitted";
        Released = "released", "Released";
        Fulfilled = "fulfilled", "Fulfilled";
        Withdrawn = "withdrawn", "Withdrawn";
        Exhausted = "exhausted", "Exhausted";
    }
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MatchRequestDetails {
    /// Services wanted, all of them from one support worker.
    pub services: Vec<Service>,
    /// Day-parts wanted.
    #[serde(default)]
    pub days: Vec<RequestedDay>,
    /// What support has to meet.
    pub care_needs: CareNeeds,
    /// What the client wants a support worker to know of them.
    #[serde(default)]
    pub about_me: String,
    /// Wishes about the support worker.
    #[serde(default)]
    pub preferences: Vec<Preference>,
    /// Certificates the support worker has to hold through the period.
    #[serde(default)]
    pub certifications: Vec<Certification>,
    /// What an hour may cost.
    pub budget: Budget,
    /// Where support takes place.
    pub place: Place,
    /// When it begins, and whether it ends.
    pub period: Period,
}

/// What support has to meet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CareNeeds {
    /// How much support is needed.
    pub level: CareLevel,
    /// Conditions that ask for expertise.
    #[serde(default)]
    pub conditions: Vec<Condition>,
    /// How the client moves about.
    pub mobility: Mobility,
    /// What bears on safety at the place. Always shared with candidates.
    #[serde(default)]
    pub hazards: Vec<Hazard>,
    /// Tasks that come up.
    #[serde(default)]
    pub tasks: Vec<Task>,
    /// What else may be shared with candidates before one accepts.
    #[serde(default)]
    pub share: Sharing,
}

/// What a client lets candidates see before one accepts. Suburb, services, days and hazards always are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sharing {
    /// Level of care and tasks.
    pub care: bool,
    /// Conditions.
    pub conditions: bool,
    /// How the client moves about.
    pub mobility: bool,
    /// About me.
    pub about_me: bool,
    /// Interests wished for.
    pub interests: bool,
}

/// One wish about the support worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Preference {
    /// How much it counts: a must and an avoid are hard, a prefer ranks.
    pub strength: Strength,
    /// What is wished for.
    pub wish: Wish,
    /// Why care asks for it: needed where a gender is a must or to be avoided.
    #[serde(default)]
    pub care_reason: Option<String>,
}

/// What a wish is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// A hobby or interest.
    Interest(Interest),
    /// A skill.
    Skill(Skill),
    /// A language spoken.
    Language(Language),
    /// A way of life understood.
    Culture(Culture),
    /// A gender.
    Gender(Gender),
}

/// What an hour may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// At least; zero where it does not matter.
    #[serde(default)]
    pub least: Cents,
    /// At most.
    pub most: Cents,
}

/// When support begins, and whether it ends. Local dates of the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// The first day.
    pub from: NaiveDate,
    /// The last day; none where it goes on.
    #[serde(default)]
    pub until: Option<NaiveDate>,
}

/// A match request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MatchRequest {
    /// Which.
    pub id: MatchRequestId,
    /// Whose.
    pub client: ClientId,
    /// Who submitted it.
    pub by: PersonId,
    /// For whom, where somebody acted for the client.
    pub on_behalf_of: Option<PersonId>,
    /// What is asked for.
    pub details: MatchRequestDetails,
    /// Where it stands.
    pub state: MatchRequestState,
    /// When it was submitted.
    pub submitted_at: DateTime<Utc>,
    /// When its candidate list falls due.
    pub release_at: DateTime<Utc>,
    /// Raised whenever `release_at` moves, and by nothing else.
    pub deadline_generation: u32,
    /// The policy it was submitted under.
    pub policy_version: u32,
    /// When its list was released.
    pub released_at: Option<DateTime<Utc>>,
    /// When it was withdrawn, fulfilled or exhausted.
    pub closed_at: Option<DateTime<Utc>>,
}
