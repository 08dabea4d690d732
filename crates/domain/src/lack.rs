//! What a support worker lacks for a match request: every broken rule, taken apart. For staff alone.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::check::{CheckKind, CheckState};
use crate::eligibility::{Asked, Relations, Rule};
use crate::match_request::Wish;
use crate::money::Cents;
use crate::packed::IndexRecord;
use crate::relaxation::AskedTime;
use crate::support_worker::{SupportWorker, WorkerState};
use crate::vocabulary::{
    CareLevel, Certification, Hazard, Service, Task, Vocabulary, mask, words_in,
};

/// One thing that is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lack {
    /// They do not stand as active.
    State(WorkerState),
    /// No introduction of theirs is approved.
    Introduction,
    /// They have not said where they work.
    Place,
    /// A check that does not hold now.
    Check {
        /// Which.
        check: CheckKind,
        /// How far it has come.
        state: CheckState,
    },
    /// A check whose last day is past.
    CheckEnded {
        /// Which; none where only the day is known.
        check: Option<CheckKind>,
        /// Its last day.
        last: NaiveDate,
    },
    /// A check that does not hold for long enough.
    CheckEnds {
        /// Which; none where only the day is known.
        check: Option<CheckKind>,
        /// Its last day.
        last: NaiveDate,
    },
    /// A service that they do not offer.
    Service(Service),
    /// A certificate that nobody has seen.
    Certificate(Certification),
    /// A certificate that does not hold for long enough.
    CertificateEnds {
        /// Which.
        certificate: Certification,
        /// Its last day.
        last: NaiveDate,
    },
    /// A must that they do not meet.
    Must(Wish),
    /// Something to be avoided that they have.
    Avoided(Wish),
    /// A required time at which they are not free.
    Time(AskedTime),
    /// The client lives beyond their travel radius.
    Distance {
        /// So many metres beyond.
        metres: u32,
    },
    /// A service whose rate is not within the budget.
    Rate {
        /// Which.
        service: Service,
        /// What an hour costs.
        hourly: Cents,
    },
    /// One of the two has blocked the other.
    Blocked,
    /// A task that they do not accept.
    Task(Task),
    /// A hazard that they do not accept.
    Hazard(Hazard),
    /// More care is needed than they accept.
    CareLevel {
        /// The most that they accept.
        highest: CareLevel,
    },
    /// They are the client, or act for them.
    Themselves,
}

impl Lack {
    /// The rule that is broken by it.
    #[must_use]
    pub const fn rule(self) -> Rule {
        match self {
            Self::State(_)
            | Self::Introduction
            | Self::Place
            | Self::Check { .. }
            | Self::CheckEnded { .. } => Rule::Active,
            Self::CheckEnds { .. } => Rule::ChecksThroughPeriod,
            Self::Service(_) => Rule::Services,
            Self::Certificate(_) | Self::CertificateEnds { .. } => Rule::Certifications,
            Self::Must(_) => Rule::Preferences,
            Self::Avoided(_) => Rule::Avoided,
            Self::Time(_) => Rule::Availability,
            Self::Distance { .. } => Rule::Distance,
            Self::Rate { .. } => Rule::Budget,
            Self::Blocked => Rule::NotBlocked,
            Self::Task(_) | Self::Hazard(_) | Self::CareLevel { .. } => Rule::Boundaries,
            Self::Themselves => Rule::NotThemselves,
        }
    }

    /// In words for staff.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::State(state) => format!("Stands as: {}", state.label()),
            Self::Introduction => "No introduction is approved".to_owned(),
            Self::Place => "Has not said where they work".to_owned(),
            Self::Check { check, state } => {
                format!("{}: {}", check.label(), state.label().to_lowercase())
            }
            Self::CheckEnded { check, last } => {
                format!("{}: held until {last}", name(check))
            }
            Self::CheckEnds { check, last } => {
                format!("{}: holds until {last}", name(check))
            }
            Self::Service(service) => format!("Does not offer: {}", service.label()),
            Self::Certificate(held) => format!("Holds no: {}", held.label()),
            Self::CertificateEnds { certificate, last } => {
                format!("{}: holds until {last}", certificate.label())
            }
            Self::Must(wish) => format!("Lacks the must: {}", wish.label()),
            Self::Avoided(wish) => format!("Has what is to be avoided: {}", wish.label()),
            Self::Time(time) => format!("Is not free: {time}"),
            Self::Distance { metres } => {
                let tenths = metres.div_ceil(100);
                format!("Lives {}.{} km too far away", tenths / 10, tenths % 10)
            }
            Self::Rate { service, hourly } => {
                format!("{} costs {hourly} an hour", service.label())
            }
            Self::Blocked => "One of the two has blocked the other".to_owned(),
            Self::Task(task) => format!("Does not accept: {}", task.label()),
            Self::Hazard(hazard) => format!("Does not accept: {}", hazard.label()),
            Self::CareLevel { highest } => {
                format!("Accepts care up to: {}", highest.label())
            }
            Self::Themselves => "Is the client, or acts for them".to_owned(),
        }
    }
}

fn name(check: Option<CheckKind>) -> &'static str {
    check.map_or("A check", CheckKind::label)
}

/// Everything that a support worker lacks by their live record, in the order of the rules.
///
/// Covers exactly the rules that [`crate::eligibility::judge`] finds broken.
#[must_use]
pub fn lacks(asked: &Asked, worker: &SupportWorker, relations: &Relations) -> Vec<Lack> {
    let mut lacks = vec![];
    if worker.state != WorkerState::Active {
        lacks.push(Lack::State(worker.state));
        let unverified = worker.checks.iter().filter(|check| match check.state {
            CheckState::Pending | CheckState::Expired | CheckState::Revoked => true,
            CheckState::Verified | CheckState::Expiring => false,
        });
        lacks.extend(unverified.map(|check| Lack::Check {
            check: check.kind,
            state: check.state,
        }));
    }
    if worker.introduction_approved.is_none() {
        lacks.push(Lack::Introduction);
    }
    match IndexRecord::facts(worker) {
        None => lacks.push(Lack::Place),
        Some(record) => {
            for check in &worker.checks {
                lacks.extend(ending(asked, Some(check.kind), check.expires_on));
            }
            lacks.extend(of_record(asked, &record, relations));
        }
    }
    lacks
}

/// The same by the packed profile, which knows of the checks only the day through which all of them hold.
#[must_use]
pub fn lacks_of_record(asked: &Asked, record: &IndexRecord, relations: &Relations) -> Vec<Lack> {
    let others = of_record(asked, record, relations);
    ending(asked, None, record.checks_until)
        .chain(others)
        .collect()
}

/// What is lacking where a check, or all of them, hold until `last`.
fn ending(
    asked: &Asked,
    check: Option<CheckKind>,
    last: Option<NaiveDate>,
) -> impl Iterator<Item = Lack> {
    let before = |date: NaiveDate| last.filter(|last| *last < date);
    let ended = before(asked.today).map(|last| Lack::CheckEnded { check, last });
    let ends = before(asked.covered_until).map(|last| Lack::CheckEnds { check, last });
    ended.into_iter().chain(ends)
}

/// All but the checks.
fn of_record(asked: &Asked, record: &IndexRecord, relations: &Relations) -> Vec<Lack> {
    let not_offered = asked.services & !record.service_mask();
    let certified = record.certifications_on(asked.covered_until);
    let uncertified = words_in::<Certification>(asked.certifications & !certified);
    let unmet = asked.must.wishes().filter(|wish| !meets(record, *wish));
    let avoided = asked.avoid.wishes().filter(|wish| meets(record, *wish));
    let times = AskedTime::each(&asked.required).filter(|time| {
        let one = AskedTime::all([*time]);
        let week = &record.week;
        week.free_on(&record.exceptions, asked.window, &one) == 0
    });
    let beyond = (!record.position.reaches(asked.position, record.radius_km)).then(|| {
        let metres = record.position.metres_to(asked.position);
        let metres = metres.saturating_sub(u32::from(record.radius_km) * 1000);
        Lack::Distance {
            metres: metres.max(1),
        }
    });
    let budget = asked.budget.least..=asked.budget.most;
    let rates = record.services.iter().filter(|offered| {
        asked.services & mask([offered.service]) != 0 && !budget.contains(&offered.hourly_rate)
    });
    let tasks = words_in(record.declined_tasks & asked.tasks).map(Lack::Task);
    let hazards = words_in(record.declined_hazards & asked.hazards).map(Lack::Hazard);
    let highest = record.highest_care_level;
    let blocked = relations.blocked.contains(&record.worker);
    words_in(not_offered)
        .map(Lack::Service)
        .chain(uncertified.map(|certificate| uncertified_by(record, certificate)))
        .chain(unmet.map(Lack::Must))
        .chain(avoided.map(Lack::Avoided))
        .chain(times.map(Lack::Time))
        .chain(beyond)
        .chain(rates.map(|offered| Lack::Rate {
            service: offered.service,
            hourly: offered.hourly_rate,
        }))
        .chain(blocked.then_some(Lack::Blocked))
        .chain(tasks)
        .chain(hazards)
        .chain((highest < asked.care_level).then_some(Lack::CareLevel { highest }))
        .chain(
            relations
                .own
                .contains(&record.person)
                .then_some(Lack::Themselves),
        )
        .collect()
}

fn meets(record: &IndexRecord, wish: Wish) -> bool {
    let one = crate::eligibility::WishMasks::default().with(wish);
    one.met_by(record) == one
}

/// Why a certificate does not count: held, but not for long enough, or not held at all.
fn uncertified_by(record: &IndexRecord, certificate: Certification) -> Lack {
    let held = record.certifications.iter();
    let last = held
        .filter(|held| held.certification == certificate)
        .filter_map(|held| held.expires_on)
        .max();
    last.map_or(Lack::Certificate(certificate), |last| {
        Lack::CertificateEnds { certificate, last }
    })
}
