//! A request as it would be asked, and a support worker as they would be, once something is changed.

use chrono::NaiveDate;

use super::{Arrangement, AskedTime, Relaxation};
use crate::availability::Times;
use crate::eligibility::Asked;
use crate::money::Cents;
use crate::packed::IndexRecord;
use crate::vocabulary::mask;

impl Relaxation {
    /// The request with this changed.
    #[must_use]
    pub fn of(self, asked: &Asked) -> Asked {
        let mut asked = asked.clone();
        match self {
            Self::WithoutService(service) => asked.services &= !mask([service]),
            Self::WithoutCertificate(held) => asked.certifications &= !mask([held]),
            Self::MustAsWish(wish) => {
                asked.must = asked.must.without(wish);
                asked.prefer = asked.prefer.with(wish);
            }
            Self::NotAvoided(wish) => asked.avoid = asked.avoid.without(wish),
            Self::TimeAsWish(time) => {
                asked.required = moved(&asked.required, |other| (other != time).then_some(other));
                asked.preferred = AskedTime::all(AskedTime::each(&asked.preferred).chain([time]));
            }
            Self::TimesAsWishes => {
                let wished = AskedTime::each(&asked.preferred);
                asked.preferred = AskedTime::all(wished.chain(AskedTime::each(&asked.required)));
                asked.required = Times::default();
            }
            Self::AnyHours(time) => {
                asked.required = moved(&asked.required, |other| {
                    Some(if other == time {
                        other.at_any_time()
                    } else {
                        other
                    })
                });
            }
            Self::OtherPart { from, to } => {
                asked.required = moved(&asked.required, |time| {
                    Some(if time.day_part == from {
                        time.at_part(to)
                    } else {
                        time
                    })
                });
            }
            Self::OtherDay { from, to } => {
                asked.required = moved(&asked.required, |time| {
                    Some(if time.weekday == from {
                        time.on(to)
                    } else {
                        time
                    })
                });
            }
            Self::Budget(most) => asked.budget.most = most,
            Self::NoLeast => asked.budget.least = Cents(0),
        }
        asked
    }
}

/// Each time as `to` has it.
fn moved(times: &Times, to: impl FnMut(AskedTime) -> Option<AskedTime>) -> Times {
    AskedTime::all(AskedTime::each(times).filter_map(to))
}

impl Arrangement {
    /// The request with this arranged.
    #[must_use]
    pub fn of(self, asked: &Asked) -> Asked {
        let mut asked = asked.clone();
        match self {
            Self::TaskElsewhere(task) => asked.tasks &= !mask([task]),
            Self::HazardRemoved(hazard) => asked.hazards &= !mask([hazard]),
            Self::CareLevel(level) => asked.care_level = level,
            Self::Farther(_) | Self::ChecksRenewed | Self::CertificatesRenewed => {}
        }
        asked
    }

    /// The support worker with this arranged; none where they stay as they are.
    #[must_use]
    pub fn with(self, record: &IndexRecord, today: NaiveDate) -> Option<IndexRecord> {
        let mut changed = record.clone();
        match self {
            Self::Farther(km) => changed.radius_km = changed.radius_km.saturating_add(km),
            Self::ChecksRenewed => {
                changed.checks_until = record.checks_until.filter(|last| *last < today);
            }
            Self::CertificatesRenewed => {
                for held in &mut changed.certifications {
                    held.expires_on = None;
                }
            }
            Self::TaskElsewhere(_) | Self::HazardRemoved(_) | Self::CareLevel(_) => return None,
        }
        Some(changed)
    }
}
