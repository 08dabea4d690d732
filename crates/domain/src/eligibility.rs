//! The hard rules: who may be a candidate for a match request at all. Written here, once.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::availability::{DayStrength, Strength, Times};
use crate::id::{PersonId, WorkerId};
use crate::match_request::{Budget, MatchRequestDetails, Wish};
use crate::packed::IndexRecord;
use crate::place::{Cell, Position};
use crate::support_worker::{SupportWorker, WorkerState};
use crate::vocabulary::{
    CareLevel, Certification, Interest, Service, Vocabulary, mask, wide_mask, words_in,
};
use crate::words::AskedWord;

vocabulary! {
    /// One hard rule. The labels say what holds where it is kept.
    Rule {
        Active = "active", "Active, with every check verified";
        ChecksThroughPeriod = "checks_through_period", "Checks valid through the requested period";
        Services = "services", "Offers every service asked for";
        Certifications = "certifications", "Holds the certificates through the requested period";
        Preferences = "preferences", "Has everything that is a must";
        Avoided = "avoided", "Has nothing that is to be avoided";
        Availability = "availability", "Available on every required day-part";
        Distance = "distance", "The client lives within the travel radius";
        Budget = "budget", "Rates within the budget";
        NotBlocked = "not_blocked", "Neither has blocked the other";
        Boundaries = "boundaries", "No boundary is crossed";
        NotThemselves = "not_themselves", "Is neither the client nor acts for them";
    }
}

/// The rules broken, one bit each; none means eligible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Broken(u32);

impl Broken {
    /// Nobody broken.
    pub const NONE: Self = Self(0);

    /// Whether no rule is broken.
    #[must_use]
    pub const fn is_eligible(self) -> bool {
        self.0 == 0
    }

    /// This and `rule`, where it is not kept.
    #[must_use]
    pub fn unless(self, kept: bool, rule: Rule) -> Self {
        Self(self.0 | u32::from(!kept) << rule.bit())
    }

    /// The rules, in the order of the table.
    pub fn rules(self) -> impl Iterator<Item = Rule> {
        Rule::ALL
            .iter()
            .copied()
            .filter(move |rule| self.0 & 1 << rule.bit() != 0)
    }

    /// The rule, where it is the only one.
    #[must_use]
    pub fn only(self) -> Option<Rule> {
        self.rules().next().filter(|_| self.0.is_power_of_two())
    }

    /// All but `rule`.
    #[must_use]
    pub fn but_for(self, rule: Rule) -> Self {
        Self(self.0 & !(1 << rule.bit()))
    }
}

/// A set of wishes as masks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WishMasks {
    /// Interests.
    pub interests: [u64; 3],
    /// Skills.
    pub skills: u64,
    /// Languages.
    pub languages: u64,
    /// Cultures.
    pub cultures: u64,
    /// Genders.
    pub genders: u64,
}

impl WishMasks {
    /// The wishes of one strength.
    #[must_use]
    pub fn of(details: &MatchRequestDetails, strength: Strength) -> Self {
        details
            .wishes(strength)
            .fold(Self::default(), |masks, wish| masks.with(wish))
    }

    /// These and `wish`.
    #[must_use]
    pub fn with(mut self, wish: Wish) -> Self {
        match wish {
            Wish::Interest(word) => {
                for (part, bits) in self.interests.iter_mut().zip(wide_mask([word])) {
                    *part |= bits;
                }
            }
            Wish::Skill(word) => self.skills |= mask([word]),
            Wish::Language(word) => self.languages |= mask([word]),
            Wish::Culture(word) => self.cultures |= mask([word]),
            Wish::Gender(word) => self.genders |= mask([word]),
        }
        self
    }

    /// These but for `wish`.
    #[must_use]
    pub fn without(mut self, wish: Wish) -> Self {
        let one = Self::default().with(wish);
        for (part, bits) in self.interests.iter_mut().zip(one.interests) {
            *part &= !bits;
        }
        self.skills &= !one.skills;
        self.languages &= !one.languages;
        self.cultures &= !one.cultures;
        self.genders &= !one.genders;
        self
    }

    /// Each wish, in the order of the vocabularies.
    pub fn wishes(self) -> impl Iterator<Item = Wish> {
        let interests = Interest::ALL.iter().copied().filter(move |word| {
            let mut parts = self.interests.iter().zip(wide_mask([*word]));
            parts.any(|(part, bits)| part & bits != 0)
        });
        interests
            .map(Wish::Interest)
            .chain(words_in(self.skills).map(Wish::Skill))
            .chain(words_in(self.languages).map(Wish::Language))
            .chain(words_in(self.cultures).map(Wish::Culture))
            .chain(words_in(self.genders).map(Wish::Gender))
    }

    /// Those of these wishes that a support worker meets.
    #[must_use]
    pub fn met_by(mut self, record: &IndexRecord) -> Self {
        for (part, bits) in self.interests.iter_mut().zip(record.interests) {
            *part &= bits;
        }
        self.skills &= record.skills;
        self.languages &= record.languages;
        self.cultures &= record.cultures;
        self.genders &= mask([record.gender]);
        self
    }
}

/// A match request as the rules read it on one day: masks, limits and dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The date at the client's place.
    pub today: NaiveDate,
    /// Mask of services.
    pub services: u64,
    /// Mask of certificates.
    pub certifications: u64,
    /// The day through which checks and certificates have to hold.
    pub covered_until: NaiveDate,
    /// Wishes that are a must.
    pub must: WishMasks,
    /// Wishes to be avoided.
    pub avoid: WishMasks,
    /// Wishes that rank.
    pub prefer: WishMasks,
    /// Times that are required.
    pub required: Times,
    /// Times that rank.
    pub preferred: Times,
    /// First and last date looked at for availability.
    pub window: (NaiveDate, NaiveDate),
    /// Mask of the tasks that come up.
    pub tasks: u64,
    /// Mask of the hazards at the place.
    pub hazards: u64,
    /// How much support is needed.
    pub care_level: CareLevel,
    /// Mask of the conditions.
    pub conditions: u64,
    /// Where.
    pub position: Position,
    /// The cell it lies in: which shard can answer.
    pub cell: Cell,
    /// What an hour may cost.
    pub budget: Budget,
    /// What the client's own words are about.
    pub words: Vec<AskedWord>,
}

impl Asked {
    /// Reads a match request as of `now`.
    #[must_use]
    pub fn of(details: &MatchRequestDetails, now: DateTime<Utc>) -> Self {
        let today = details.place.today(now);
        let needs = &details.care_needs;
        Self {
            today,
            services: mask(details.services.iter().copied()),
            certifications: mask(details.certifications.iter().copied()),
            covered_until: details.period.covered_until(today),
            must: WishMasks::of(details, Strength::Must),
            avoid: WishMasks::of(details, Strength::Avoid),
            prefer: WishMasks::of(details, Strength::Prefer),
            required: details.times(DayStrength::Must),
            preferred: details.times(DayStrength::Prefer),
            window: details.period.window(today),
            tasks: mask(details.tasks()),
            hazards: mask(needs.hazards.iter().copied()),
            care_level: needs.level,
            conditions: mask(needs.conditions.iter().copied()),
            position: details.place.position(),
            cell: details.place.cell(),
            budget: details.budget,
            words: AskedWord::all_in(&details.about_me),
        }
    }
}

/// What stands between the client and particular support workers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relations {
    /// The client, and whoever has an authority to act for them that was not revoked: nobody agrees with themselves.
    pub own: BTreeSet<PersonId>,
    /// Support workers whom the client has blocked, or who have blocked the client.
    pub blocked: BTreeSet<WorkerId>,
    /// Support workers the client already knows: offered openly, in a list of their own, never blindly.
    pub known: BTreeSet<WorkerId>,
}

/// Every rule that this support worker breaks for this request.
#[must_use]
pub fn judge(asked: &Asked, worker: &SupportWorker, relations: &Relations) -> Broken {
    let active = worker.state == WorkerState::Active && worker.introduction_approved.is_some();
    // Who has not said where they work cannot be active, and there is nothing to hold other rules against.
    IndexRecord::facts(worker)
        .map_or(Broken::NONE, |record| {
            judge_record(asked, &record, relations)
        })
        .unless(active, Rule::Active)
}

/// The same of the packed profile; being in the index is being active.
#[must_use]
pub fn judge_record(asked: &Asked, record: &IndexRecord, relations: &Relations) -> Broken {
    let free_on_all = |times: &Times| {
        let free = record.week.free_on(&record.exceptions, asked.window, times);
        free == times.count()
    };
    let needed = Needed {
        today: asked.today,
        covered_until: asked.covered_until,
        services: asked.services,
        certifications: asked.certifications,
    };
    qualified(record, &needed)
        .unless(has_all(record, &asked.must), Rule::Preferences)
        .unless(has_none(record, &asked.avoid), Rule::Avoided)
        .unless(
            asked.required.count() == 0 || free_on_all(&asked.required),
            Rule::Availability,
        )
        .unless(
            record.position.reaches(asked.position, record.radius_km),
            Rule::Distance,
        )
        .unless(within_budget(record, asked), Rule::Budget)
        .unless(
            !relations.blocked.contains(&record.worker),
            Rule::NotBlocked,
        )
        .unless(
            record.declined_tasks & asked.tasks == 0
                && record.declined_hazards & asked.hazards == 0
                && asked.care_level <= record.highest_care_level,
            Rule::Boundaries,
        )
        .unless(!relations.own.contains(&record.person), Rule::NotThemselves)
}

/// What a support worker has to have, whatever else the client wishes for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Needed {
    today: NaiveDate,
    covered_until: NaiveDate,
    services: u64,
    certifications: u64,
}

fn qualified(record: &IndexRecord, needed: &Needed) -> Broken {
    let checked_on = |date: NaiveDate| record.checks_until.is_none_or(|last| date <= last);
    let certified = record.certifications_on(needed.covered_until);
    Broken::NONE
        .unless(checked_on(needed.today), Rule::Active)
        .unless(checked_on(needed.covered_until), Rule::ChecksThroughPeriod)
        .unless(
            holds(record.service_mask(), needed.services),
            Rule::Services,
        )
        .unless(
            holds(certified, needed.certifications),
            Rule::Certifications,
        )
}

/// One visit, as the rules read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visited<'a> {
    /// The date at the place now.
    pub today: NaiveDate,
    /// The visit's date there.
    pub on: NaiveDate,
    /// What for.
    pub service: Service,
    /// Certificates that the client asked for when they looked for support workers.
    pub certifications: &'a [Certification],
    /// Whether either has blocked the other.
    pub blocked: bool,
    /// Whether the two are one person.
    pub themselves: bool,
}

/// Every rule that this support worker breaks for a visit to be booked: those of [`judge`] that are about more
/// than wishes, which have been settled between the two by now.
#[must_use]
pub fn bookable(visited: &Visited<'_>, worker: &SupportWorker) -> Broken {
    let active = worker.state == WorkerState::Active && worker.introduction_approved.is_some();
    fit_to_visit(visited, worker).unless(active, Rule::Active)
}

/// The same for a visit that was booked and is to begin: what is booked stands while they pause.
#[must_use]
pub fn startable(visited: &Visited<'_>, worker: &SupportWorker) -> Broken {
    let working = match worker.state {
        WorkerState::Active | WorkerState::Paused => true,
        WorkerState::Draft | WorkerState::Submitted | WorkerState::Suspended => false,
    };
    fit_to_visit(visited, worker).unless(working, Rule::Active)
}

fn fit_to_visit(visited: &Visited<'_>, worker: &SupportWorker) -> Broken {
    let needed = Needed {
        today: visited.today,
        covered_until: visited.on,
        services: mask([visited.service]),
        certifications: mask(visited.certifications.iter().copied()),
    };
    IndexRecord::facts(worker)
        .map_or(Broken::NONE.unless(false, Rule::Active), |record| {
            qualified(&record, &needed)
        })
        .unless(!visited.blocked, Rule::NotBlocked)
        .unless(!visited.themselves, Rule::NotThemselves)
}

const fn holds(all: u64, needed: u64) -> bool {
    all & needed == needed
}

fn has_all(record: &IndexRecord, wishes: &WishMasks) -> bool {
    wishes.met_by(record) == *wishes
}

fn has_none(record: &IndexRecord, wishes: &WishMasks) -> bool {
    wishes.met_by(record) == WishMasks::default()
}

/// Every service asked for has its rate in the budget. A service not offered has none, and breaks its own rule.
fn within_budget(record: &IndexRecord, asked: &Asked) -> bool {
    record
        .services
        .iter()
        .filter(|offered| asked.services & mask([offered.service]) != 0)
        .all(|offered| (asked.budget.least..=asked.budget.most).contains(&offered.hourly_rate))
}

#[cfg(test)]
mod tests;
