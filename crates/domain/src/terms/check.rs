//! What terms have to look like before they can be offered.

use super::{ServiceRates, Terms, TimeBand};
use crate::invalid::Findings;
use crate::money::Cents;
use crate::profile::OfferedService;
use crate::vocabulary::{Vocabulary, distinct};

const MOST_SERVICES: usize = 8;
const DEAREST_HOUR: Cents = Cents(100_000);
const MINUTES_PER_WEEK: std::ops::RangeInclusive<u32> = 30..=7 * 24 * 60;
const LONGEST_SCOPE: usize = 1000;
const MOST_LIMITS: usize = 10;
const LONGEST_LIMIT: usize = 200;

impl Terms {
    /// Adds every fault of these terms to `findings`, where the support worker offers these services;
    /// `pointer` leads to the terms.
    pub fn find_faults(&self, findings: &mut Findings, pointer: &str, offered: &[OfferedService]) {
        let services: Vec<_> = self.services.iter().map(|rates| rates.service).collect();
        let at = format!("{pointer}/services");
        findings.check(!services.is_empty(), &*at, "needs at least one service");
        distinct(findings, &at, &services, MOST_SERVICES);
        for (place, rates) in self.services.iter().enumerate().take(MOST_SERVICES) {
            findings.check(
                offered.iter().any(|known| known.service == rates.service),
                format!("{at}/{place}/service"),
                "is not among the services that the support worker offers",
            );
            rates.find_faults(findings, &format!("{at}/{place}/rates"));
        }
        findings.check(
            MINUTES_PER_WEEK.contains(&self.minutes_per_week),
            format!("{pointer}/minutes_per_week"),
            "is 30 to 10080, which is all week",
        );
        findings.text(format!("{pointer}/scope"), &self.scope, 1, LONGEST_SCOPE);
        let at = format!("{pointer}/limits");
        findings.at_most(&*at, &self.limits, MOST_LIMITS);
        for (place, limit) in self.limits.iter().enumerate().take(MOST_LIMITS) {
            findings.text(format!("{at}/{place}"), limit, 1, LONGEST_LIMIT);
        }
    }
}

impl ServiceRates {
    fn find_faults(&self, findings: &mut Findings, at: &str) {
        let bands: Vec<_> = self.rates.iter().map(|rate| rate.band).collect();
        findings.check(!bands.is_empty(), at, "needs at least one rate");
        distinct(findings, at, &bands, TimeBand::ALL.len());
        for (place, rate) in self.rates.iter().enumerate().take(TimeBand::ALL.len()) {
            findings.check(
                Cents(0) < rate.hourly && rate.hourly <= DEAREST_HOUR,
                format!("{at}/{place}/hourly"),
                format!("is more than 0.00 and at most {DEAREST_HOUR}"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::BandRate;
    use crate::vocabulary::Service;

    const OFFERED: [OfferedService; 2] = [
        OfferedService {
            service: Service::SocialSupport,
            hourly_rate: Cents(5400),
        },
        OfferedService {
            service: Service::Shopping,
            hourly_rate: Cents(5000),
        },
    ];

    fn rates(service: Service, hourly: &[(TimeBand, u32)]) -> ServiceRates {
        let rates = hourly.iter().map(|(band, hourly)| BandRate {
            band: *band,
            hourly: Cents(*hourly),
        });
        ServiceRates {
            service,
            rates: rates.collect(),
        }
    }

    fn right() -> Terms {
        Terms {
            services: vec![
                rates(
                    Service::SocialSupport,
                    &[(TimeBand::WeekdayDaytime, 1), (TimeBand::Sunday, 100_000)],
                ),
                rates(Service::Shopping, &[(TimeBand::Saturday, 6000)]),
            ],
            minutes_per_week: 10_080,
            scope: "Company.".into(),
            limits: vec!["No lifting.".into(); 10],
        }
    }

    fn pointers(terms: &Terms) -> Vec<String> {
        let mut findings = Findings::default();
        terms.find_faults(&mut findings, "/terms", &OFFERED);
        let faults = findings.into_result().err().unwrap_or_default();
        faults.into_iter().map(|fault| fault.pointer).collect()
    }

    #[test]
    fn terms_at_their_limits_are_right() {
        assert_eq!(pointers(&right()), [""; 0]);
        let least = Terms {
            minutes_per_week: 30,
            limits: vec![],
            ..right()
        };
        assert_eq!(pointers(&least), [""; 0]);
    }

    #[test]
    fn every_fault_is_named() {
        let wrong = Terms {
            services: vec![
                rates(Service::SocialSupport, &[]),
                rates(
                    Service::SocialSupport,
                    &[(TimeBand::Sunday, 0), (TimeBand::Sunday, 100_001)],
                ),
                rates(Service::NursingCare, &[(TimeBand::Sunday, 6000)]),
            ],
            minutes_per_week: 29,
            scope: " ".into(),
            limits: vec![String::new(), "x".repeat(201)],
        };
        assert_eq!(
            pointers(&wrong),
            [
                "/terms/services/1",
                "/terms/services/0/rates",
                "/terms/services/1/rates/1",
                "/terms/services/1/rates/0/hourly",
                "/terms/services/1/rates/1/hourly",
                "/terms/services/2/service",
                "/terms/minutes_per_week",
                "/terms/scope",
                "/terms/limits/0",
                "/terms/limits/1",
            ]
        );
        let too_much = Terms {
            services: vec![],
            minutes_per_week: 10_081,
            scope: "x".repeat(1001),
            limits: vec!["No lifting.".into(); 11],
        };
        assert_eq!(
            pointers(&too_much),
            [
                "/terms/services",
                "/terms/minutes_per_week",
                "/terms/scope",
                "/terms/limits"
            ]
        );
        let many = Terms {
            services: vec![rates(Service::Shopping, &[(TimeBand::Sunday, 6000)]); 9],
            ..right()
        };
        assert_eq!(
            pointers(&many).first().map(String::as_str),
            Some("/terms/services")
        );
    }
}
