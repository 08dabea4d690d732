//! What could be asked differently where few fit, and whom each change would bring.
//!
//! A [`Relaxation`] changes the request and is the client's to choose; an [`Arrangement`] is a thing that only staff
//! could bring about with support workers. [`Tally`] counts whom either would bring.

mod change;
mod tally;
mod time;

pub use tally::{Arranged, MOST_KEPT, Misses, NearMiss, Relaxed, Tally, Told};
pub use time::AskedTime;

use serde::{Deserialize, Serialize};

use crate::availability::{DayPart, Weekday};
use crate::eligibility::{Asked, Rule};
use crate::match_request::{Budget, Wish};
use crate::money::Cents;
use crate::vocabulary::{CareLevel, Certification, Hazard, Service, Task, Vocabulary, words_in};

/// One change of a request, about one thing that it insists on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Relaxation {
    /// One service fewer.
    WithoutService(Service),
    /// One certificate fewer.
    WithoutCertificate(Certification),
    /// A must becomes a wish that ranks.
    MustAsWish(Wish),
    /// Something to be avoided is no longer.
    NotAvoided(Wish),
    /// A required time becomes one that ranks.
    TimeAsWish(AskedTime),
    /// Every required time becomes one that ranks.
    TimesAsWishes,
    /// Any two hours of the day-part instead of exact ones.
    AnyHours(AskedTime),
    /// All required times of one part of the day, at another.
    OtherPart {
        /// The part asked for.
        from: DayPart,
        /// The part instead.
        to: DayPart,
    },
    /// All required times of one weekday, on another.
    OtherDay {
        /// The day asked for.
        from: Weekday,
        /// The day instead.
        to: Weekday,
    },
    /// An hour may cost up to this.
    Budget(Cents),
    /// No least that an hour has to cost.
    NoLeast,
}

/// Something that staff could arrange with support workers, or around them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Arrangement {
    /// Travelling so many kilometres beyond their radius.
    Farther(u16),
    /// Somebody else sees to a task.
    TaskElsewhere(Task),
    /// A hazard is taken away.
    HazardRemoved(Hazard),
    /// The care needed is found to be no more than this.
    CareLevel(CareLevel),
    /// Checks that hold now are renewed before they expire.
    ChecksRenewed,
    /// Certificates that expire, or have, are renewed.
    CertificatesRenewed,
}

/// How freely a change may be told to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// Also where it would bring one to four, without their number: it is about times, services or money, which the
    /// view of whoever comes would show anyway.
    Few,
    /// Only where it would bring five: it is about what somebody is, has or lacks, which no blind view shows.
    Counted,
}

/// The most relaxations and arrangements that one request can have.
pub const MOST_CHANGES: usize = 300;

/// Whole fives of the currency, in cents: a step of the budget.
const STEP: u32 = 500;
/// So many steps are looked at.
const STEPS: u32 = 4;
/// How much farther somebody might be asked to travel, in kilometres.
const FARTHER_KM: [u16; 3] = [5, 10, 20];

/// Everything that could be asked differently, at most [`MOST_CHANGES`] with [`arrangements`].
#[must_use]
pub fn relaxations(asked: &Asked) -> Vec<Relaxation> {
    let services: Vec<Service> = words_in(asked.services).collect();
    let several = services.len() > 1;
    let services = services.into_iter().filter(|_| several);
    services
        .map(Relaxation::WithoutService)
        .chain(words_in(asked.certifications).map(Relaxation::WithoutCertificate))
        .chain(asked.must.wishes().map(Relaxation::MustAsWish))
        .chain(asked.avoid.wishes().map(Relaxation::NotAvoided))
        .chain(time::relaxations(asked))
        .chain(budgets(asked.budget))
        .collect()
}

/// What staff could arrange about a request.
#[must_use]
pub fn arrangements(asked: &Asked) -> Vec<Arrangement> {
    let lower = CareLevel::ALL
        .iter()
        .filter(|level| **level < asked.care_level);
    let renewed = [Arrangement::ChecksRenewed]
        .into_iter()
        .chain((asked.certifications != 0).then_some(Arrangement::CertificatesRenewed));
    FARTHER_KM
        .map(Arrangement::Farther)
        .into_iter()
        .chain(words_in(asked.tasks).map(Arrangement::TaskElsewhere))
        .chain(words_in(asked.hazards).map(Arrangement::HazardRemoved))
        .chain(lower.copied().map(Arrangement::CareLevel))
        .chain(renewed)
        .collect()
}

/// The next whole fives above the budget, and none that has no least.
fn budgets(budget: Budget) -> impl Iterator<Item = Relaxation> {
    let next = budget.most.0 / STEP + 1;
    let steps = (next..next.saturating_add(STEPS)).map(|step| Cents(step.saturating_mul(STEP)));
    steps
        .filter(|most| *most <= crate::match_request::DEAREST_HOUR)
        .map(Relaxation::Budget)
        .chain((budget.least > Cents(0)).then_some(Relaxation::NoLeast))
}

impl Relaxation {
    /// Whether somebody who breaks `rule` alone might fit once this is changed. A service less is a rate less, too.
    #[must_use]
    pub fn may_mend(self, rule: Rule) -> bool {
        match self {
            Self::WithoutService(_) => matches!(rule, Rule::Services | Rule::Budget),
            Self::WithoutCertificate(_) => rule == Rule::Certifications,
            Self::MustAsWish(_) => rule == Rule::Preferences,
            Self::NotAvoided(_) => rule == Rule::Avoided,
            Self::TimeAsWish(_)
            | Self::TimesAsWishes
            | Self::AnyHours(_)
            | Self::OtherPart { .. }
            | Self::OtherDay { .. } => rule == Rule::Availability,
            Self::Budget(_) | Self::NoLeast => rule == Rule::Budget,
        }
    }

    /// Whether somebody who fits now might not once this is changed.
    #[must_use]
    pub const fn may_lose(self) -> bool {
        match self {
            Self::AnyHours(_) | Self::OtherPart { .. } | Self::OtherDay { .. } => true,
            Self::WithoutService(_)
            | Self::WithoutCertificate(_)
            | Self::MustAsWish(_)
            | Self::NotAvoided(_)
            | Self::TimeAsWish(_)
            | Self::TimesAsWishes
            | Self::Budget(_)
            | Self::NoLeast => false,
        }
    }

    /// How freely the client may be told whom it would bring.
    #[must_use]
    pub const fn telling(self) -> Telling {
        match self {
            Self::WithoutCertificate(_) | Self::MustAsWish(_) | Self::NotAvoided(_) => {
                Telling::Counted
            }
            Self::WithoutService(_)
            | Self::TimeAsWish(_)
            | Self::TimesAsWishes
            | Self::AnyHours(_)
            | Self::OtherPart { .. }
            | Self::OtherDay { .. }
            | Self::Budget(_)
            | Self::NoLeast => Telling::Few,
        }
    }

    /// In words for client and staff.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::WithoutService(service) => format!("Without the service: {}", service.label()),
            Self::WithoutCertificate(held) => format!("Without the certificate: {}", held.label()),
            Self::MustAsWish(wish) => format!("As a wish instead of a must: {}", wish.label()),
            Self::NotAvoided(wish) => format!("Without avoiding: {}", wish.label()),
            Self::TimeAsWish(time) => format!("{time} as a wish instead of a must"),
            Self::TimesAsWishes => "All required times as wishes".to_owned(),
            Self::AnyHours(time) => {
                format!("{} at any time instead of exact hours", time.at_any_time())
            }
            Self::OtherPart { from, to } => {
                let from = from.label().to_lowercase();
                format!("{}s instead of {from}s", to.label())
            }
            Self::OtherDay { from, to } => {
                format!("{}s instead of {}s", to.label(), from.label())
            }
            Self::Budget(most) => format!("Up to {most} an hour"),
            Self::NoLeast => "Without a least that an hour has to cost".to_owned(),
        }
    }
}

impl Arrangement {
    /// Whether somebody who breaks `rule` alone might fit once this is arranged.
    #[must_use]
    pub fn may_mend(self, rule: Rule) -> bool {
        match self {
            Self::Farther(_) => rule == Rule::Distance,
            Self::TaskElsewhere(_) | Self::HazardRemoved(_) | Self::CareLevel(_) => {
                rule == Rule::Boundaries
            }
            Self::ChecksRenewed => rule == Rule::ChecksThroughPeriod,
            Self::CertificatesRenewed => rule == Rule::Certifications,
        }
    }

    /// In words for staff.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Farther(km) => format!("If they travel {km} km farther"),
            Self::TaskElsewhere(task) => format!("If somebody else does: {}", task.label()),
            Self::HazardRemoved(hazard) => format!("If removed: {}", hazard.label()),
            Self::CareLevel(level) => format!("If the care needed is: {}", level.label()),
            Self::ChecksRenewed => "If checks are renewed in time".to_owned(),
            Self::CertificatesRenewed => "If certificates are renewed".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
