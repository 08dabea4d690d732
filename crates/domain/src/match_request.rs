//! What a client asks for, from submission to the released candidate list.

mod operations;

pub use operations::{
    FulfilMatchRequestError, ReleaseCause, ReleaseMatchRequestError, Submission,
    SubmitMatchRequestError, WithdrawMatchRequestError,
};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::availability::{
    DayParts, DayStrength, LOOK_AHEAD_DAYS, RequestedDay, Strength, Times, day_parts_of,
};
use crate::id::{ClientId, MatchRequestId, PersonId};
use crate::invalid::{Findings, Invalid};
use crate::money::Cents;
use crate::place::Place;
use crate::vocabulary::{
    CareLevel, Certification, Condition, Culture, Gender, Hazard, Interest, Language, Mobility,
    Service, Skill, Task, Vocabulary, distinct,
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

impl Wish {
    /// What a person reads.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Interest(word) => word.label(),
            Self::Skill(word) => word.label(),
            Self::Language(word) => word.label(),
            Self::Culture(word) => word.label(),
            Self::Gender(word) => word.label(),
        }
    }
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
    pub on_behalf_of: Option<ClientId>,
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

/// How far ahead support may begin, and how long it may last, in days.
const FARTHEST_START_DAYS: i64 = 366;
const LONGEST_DAYS: i64 = 731;
/// The dearest hour that may be budgeted.
pub(crate) const DEAREST_HOUR: Cents = Cents(100_000);

impl MatchRequestDetails {
    /// Whether this can be asked for; `today` is the date at the place.
    ///
    /// # Errors
    /// Every fault.
    pub fn validate(&self, today: NaiveDate) -> Result<(), Vec<Invalid>> {
        let mut findings = Findings::default();
        findings.check(
            !self.services.is_empty(),
            "/services",
            "needs at least one service",
        );
        distinct(&mut findings, "/services", &self.services, 8);
        self.find_day_faults(&mut findings);
        let needs = &self.care_needs;
        distinct(
            &mut findings,
            "/care_needs/conditions",
            &needs.conditions,
            24,
        );
        distinct(&mut findings, "/care_needs/hazards", &needs.hazards, 16);
        distinct(&mut findings, "/care_needs/tasks", &needs.tasks, 26);
        findings.text("/about_me", &self.about_me, 0, 2000);
        self.find_preference_faults(&mut findings);
        distinct(&mut findings, "/certifications", &self.certifications, 22);
        findings.check(
            Cents(0) < self.budget.most && self.budget.most <= DEAREST_HOUR,
            "/budget/most",
            format!("is above zero and at most {DEAREST_HOUR}"),
        );
        findings.check(
            self.budget.least <= self.budget.most,
            "/budget/least",
            "is at most what an hour may cost",
        );
        self.place.find_faults("/place", &mut findings);
        self.period.find_faults(today, &mut findings);
        findings.into_result()
    }

    fn find_day_faults(&self, findings: &mut Findings) {
        findings.at_most("/days", &self.days, 28);
        let (first, last) = self.period.window(self.period.from);
        let occurring = day_parts_of(first, last);
        for (place, day) in self.days.iter().enumerate().take(28) {
            let same = |other: &RequestedDay| {
                (other.weekday, other.day_part) == (day.weekday, day.day_part)
            };
            findings.check(
                !self.days.iter().take(place).any(same),
                format!("/days/{place}"),
                "is there twice",
            );
            findings.check(
                occurring.contains(DayParts::of([(day.weekday, day.day_part)])),
                format!("/days/{place}/weekday"),
                "does not occur in the period",
            );
            findings.check(
                day.hours.is_none_or(|hours| day.day_part.holds(hours)),
                format!("/days/{place}/hours"),
                "is at least half an hour within the day-part: morning 06:00 to 12:00, afternoon to 18:00, \
                 evening to 22:00, night to 06:00",
            );
        }
    }

    fn find_preference_faults(&self, findings: &mut Findings) {
        let wishes: Vec<Wish> = self
            .preferences
            .iter()
            .map(|preference| preference.wish)
            .collect();
        distinct(findings, "/preferences", &wishes, 24);
        let mut genders_needed = 0;
        for (place, preference) in self.preferences.iter().enumerate() {
            let pointer = format!("/preferences/{place}");
            let reason = preference.care_reason.as_deref().unwrap_or_default();
            findings.text(format!("{pointer}/care_reason"), reason, 0, 300);
            let Wish::Gender(gender) = preference.wish else {
                continue;
            };
            findings.check(
                gender != Gender::Unstated,
                format!("{pointer}/wish/gender"),
                "is a gender that support workers state",
            );
            let hard = preference.strength != Strength::Prefer;
            findings.check(
                !hard || !reason.trim().is_empty(),
                format!("{pointer}/care_reason"),
                "is needed to require or rule out a gender: say why the care asks for it",
            );
            genders_needed += usize::from(preference.strength == Strength::Must);
            findings.check(
                genders_needed <= 1 || preference.strength != Strength::Must,
                &pointer,
                "nobody can have two genders at once; leave one, or prefer instead",
            );
        }
    }

    /// The tasks that come up, including what the client's way of moving brings.
    pub fn tasks(&self) -> impl Iterator<Item = Task> {
        let needs = &self.care_needs;
        needs.tasks.iter().copied().chain(needs.mobility.brings())
    }

    /// The times of this strength.
    #[must_use]
    pub fn times(&self, strength: DayStrength) -> Times {
        let days = self.days.iter().copied();
        Times::of(days.filter(|day| day.strength == strength))
    }

    /// The wishes of this strength.
    pub fn wishes(&self, strength: Strength) -> impl Iterator<Item = Wish> {
        self.preferences
            .iter()
            .filter(move |preference| preference.strength == strength)
            .map(|preference| preference.wish)
    }
}

impl Period {
    /// The dates looked at for availability: from `today` or the first day, a few weeks at most.
    #[must_use]
    pub fn window(&self, today: NaiveDate) -> (NaiveDate, NaiveDate) {
        let first = self.from.max(today);
        let horizon = first
            .checked_add_signed(TimeDelta::days(LOOK_AHEAD_DAYS - 1))
            .unwrap_or(first);
        (
            first,
            self.until.map_or(horizon, |until| until.min(horizon)),
        )
    }

    /// The day through which checks and certificates have to hold: the end, or for support without an end its start.
    #[must_use]
    pub fn covered_until(&self, today: NaiveDate) -> NaiveDate {
        self.until.unwrap_or(self.from).max(today)
    }

    fn find_faults(&self, today: NaiveDate, findings: &mut Findings) {
        let ahead = self.from.signed_duration_since(today).num_days();
        findings.check(
            (0..=FARTHEST_START_DAYS).contains(&ahead),
            "/period/from",
            "is today or later, within a year",
        );
        let longest = self
            .until
            .map_or(0, |until| until.signed_duration_since(self.from).num_days());
        findings.check(
            (0..=LONGEST_DAYS).contains(&longest),
            "/period/until",
            "is at or after the first day, within two years of it",
        );
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::availability::{DayPart, Weekday};

    pub(crate) fn details() -> MatchRequestDetails {
        MatchRequestDetails {
            services: vec![Service::SocialSupport],
            days: vec![RequestedDay {
                weekday: Weekday::Monday,
                day_part: DayPart::Morning,
                hours: None,
                strength: DayStrength::Must,
            }],
            care_needs: CareNeeds {
                level: CareLevel::Moderate,
                conditions: vec![Condition::Dementia],
                mobility: Mobility::Aided,
                hazards: vec![Hazard::Dogs],
                tasks: vec![Task::MealAssistance],
                share: Sharing::default(),
            },
            about_me: "I like chess and a quiet house.".into(),
            preferences: vec![Preference {
                strength: Strength::Prefer,
                wish: Wish::Interest(Interest::Chess),
                care_reason: None,
            }],
            certifications: vec![Certification::FirstAid],
            budget: Budget {
                least: Cents(0),
                most: Cents(7000),
            },
            place: Place {
                suburb: "Brunswick".into(),
                postcode: "3056".into(),
                latitude: -37.767,
                longitude: 144.96,
                time_zone: "Australia/Melbourne".into(),
            },
            period: Period {
                from: "2026-12-01".parse().unwrap(),
                until: None,
            },
        }
    }

    fn faults(details: &MatchRequestDetails) -> Vec<String> {
        details
            .validate("2026-11-21".parse().unwrap())
            .err()
            .unwrap_or_default()
            .into_iter()
            .map(|fault| fault.pointer)
            .collect()
    }

    #[test]
    fn what_is_right_has_no_faults() {
        assert_eq!(faults(&details()), Vec::<String>::new());
    }

    #[test]
    fn a_gender_is_required_only_with_a_care_reason() {
        let preference = |strength, care_reason: Option<&str>| Preference {
            strength,
            wish: Wish::Gender(Gender::Woman),
            care_reason: care_reason.map(str::to_owned),
        };
        for (strength, reason, expected) in [
            (Strength::Must, None, vec!["/preferences/0/care_reason"]),
            (
                Strength::Must,
                Some(" "),
                vec!["/preferences/0/care_reason"],
            ),
            (Strength::Avoid, None, vec!["/preferences/0/care_reason"]),
            (Strength::Must, Some("intimate care"), vec![]),
            (Strength::Prefer, None, vec![]),
        ] {
            let asked = MatchRequestDetails {
                preferences: vec![preference(strength, reason)],
                ..details()
            };
            assert_eq!(faults(&asked), expected, "{strength:?} {reason:?}");
        }
    }

    #[test]
    fn a_day_outside_the_period_cannot_be_asked_for() {
        let asked = MatchRequestDetails {
            period: Period {
                from: "2026-12-01".parse().unwrap(),
                until: Some("2026-12-03".parse().unwrap()),
            },
            ..details()
        };
        assert_eq!(faults(&asked), ["/days/0/weekday"]);
    }

    #[test]
    fn every_fault_is_found_at_once() {
        let asked = MatchRequestDetails {
            services: vec![],
            budget: Budget {
                least: Cents(5),
                most: Cents(0),
            },
            period: Period {
                from: "2026-11-20".parse().unwrap(),
                until: Some("2026-11-19".parse().unwrap()),
            },
            days: vec![],
            about_me: "x".repeat(2001),
            ..details()
        };
        assert_eq!(
            faults(&asked),
            [
                "/services",
                "/about_me",
                "/budget/most",
                "/budget/least",
                "/period/from",
                "/period/until"
            ]
        );
    }
}
