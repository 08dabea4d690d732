//! Funding schemes: who pays for a client's support, and how much of it at most.

use std::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize};

use crate::cancellation::CancellationRules;
use crate::invalid::{Findings, Invalid};
use crate::money::{Cents, Price};
use crate::terms::{Terms, TimeBand};
use crate::vocabulary::{Service, Vocabulary, distinct};

const LONGEST_CODE: usize = 40;
const MOST_HOLIDAYS: usize = 400;
const HIGHEST_CAP: Cents = Cents(200_000);

/// What a scheme is called in paths and records, e.g. `home-support`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct SchemeCode(String);

/// Text that is no scheme's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to {LONGEST_CODE} lower-case letters, digits and hyphens")]
pub struct ParseSchemeCodeError;

impl FromStr for SchemeCode {
    type Err = ParseSchemeCodeError;

    fn from_str(text: &str) -> Result<Self, ParseSchemeCodeError> {
        let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        let right = (1..=LONGEST_CODE).contains(&text.len()) && text.bytes().all(allowed);
        right
            .then(|| Self(text.to_owned()))
            .ok_or(ParseSchemeCodeError)
    }
}

impl std::fmt::Display for SchemeCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SchemeCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for SchemeCode {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some(format!("^[a-z0-9-]{{1,{LONGEST_CODE}}}$")))
            .into()
    }
}

impl utoipa::ToSchema for SchemeCode {}

/// One version of a funding scheme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FundingScheme {
    /// What it is called in paths and records.
    pub code: SchemeCode,
    /// Raised with every change, from 1.
    pub version: u32,
    /// What it says.
    pub rules: SchemeRules,
}

/// What a funding scheme says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SchemeRules {
    /// What people know it by.
    #[schema(min_length = 1, max_length = 80, example = "Home support")]
    pub name: String,
    /// The most that it pays for an hour, for each service and time for which it says so. What it says
    /// nothing of has no limit.
    pub caps: Vec<RateCap>,
    /// The public holidays that it knows, each a whole local day.
    #[serde(default)]
    #[schema(max_items = 400, example = json!(["2026-12-25"]))]
    pub holidays: Vec<NaiveDate>,
    /// What it says of cancellations by the client; the organisation's own rules hold where it says nothing.
    #[serde(default)]
    pub cancellation: Option<CancellationRules>,
}

/// The most that a scheme pays for an hour of a service at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RateCap {
    /// Which service.
    pub service: Service,
    /// When.
    pub band: TimeBand,
    /// The most, with the service's part in it.
    #[schema(example = 6500)]
    pub most: Cents,
}

impl FundingScheme {
    /// The first version of a scheme.
    #[must_use]
    pub const fn new(code: SchemeCode, rules: SchemeRules) -> Self {
        Self {
            code,
            version: 1,
            rules,
        }
    }

    /// The version after this one.
    #[must_use]
    pub fn revised(&self, rules: SchemeRules) -> Self {
        Self {
            code: self.code.clone(),
            version: self.version.saturating_add(1),
            rules,
        }
    }
}

impl SchemeRules {
    /// Whether everything it says is well formed.
    ///
    /// # Errors
    /// The faults, each named.
    pub fn check(&self) -> Result<(), Vec<Invalid>> {
        let mut findings = Findings::default();
        findings.text("/name", &self.name, 1, 80);
        let every_rate = Service::ALL.len().saturating_mul(TimeBand::ALL.len());
        let rates: Vec<_> = self
            .caps
            .iter()
            .map(|cap| (cap.service, cap.band))
            .collect();
        distinct(&mut findings, "/caps", &rates, every_rate);
        for (place, cap) in self.caps.iter().enumerate().take(every_rate) {
            findings.check(
                Cents(0) < cap.most && cap.most <= HIGHEST_CAP,
                format!("/caps/{place}/most"),
                format!("is more than 0.00 and at most {HIGHEST_CAP}"),
            );
        }
        distinct(&mut findings, "/holidays", &self.holidays, MOST_HOLIDAYS);
        if let Some(cancellation) = &self.cancellation {
            cancellation.find_faults("/cancellation", &mut findings);
        }
        findings.into_result()
    }

    /// Adds a fault for every rate of `terms` that costs the client more than this scheme pays, the
    /// service's part of `basis_points` included; `pointer` leads to the terms.
    pub fn find_excess(
        &self,
        findings: &mut Findings,
        pointer: &str,
        terms: &Terms,
        basis_points: u16,
    ) {
        for (at, offered) in terms.services.iter().enumerate() {
            for (place, rate) in offered.rates.iter().enumerate() {
                let capped =
                    |cap: &&RateCap| (cap.service, cap.band) == (offered.service, rate.band);
                let Some(cap) = self.caps.iter().find(capped) else {
                    continue;
                };
                let pays = Price::of(rate.hourly, basis_points).client_pays;
                let highest = Price::highest_within(cap.most, basis_points);
                findings.check(
                    pays <= cap.most,
                    format!("{pointer}/services/{at}/rates/{place}/hourly"),
                    format!(
                        "comes to {pays} with the service's part, and {} pays at most {}; the highest possible is {highest}",
                        self.name, cap.most
                    ),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::{BandRate, ServiceRates};

    fn rules(most: u32) -> SchemeRules {
        SchemeRules {
            name: "Home support".into(),
            caps: vec![RateCap {
                service: Service::SocialSupport,
                band: TimeBand::Sunday,
                most: Cents(most),
            }],
            holidays: vec![],
            cancellation: None,
        }
    }

    fn terms(hourly: u32) -> Terms {
        let rate = |band| BandRate {
            band,
            hourly: Cents(hourly),
        };
        let rates = |service| ServiceRates {
            service,
            rates: vec![rate(TimeBand::Saturday), rate(TimeBand::Sunday)],
        };
        Terms {
            services: vec![rates(Service::Gardening), rates(Service::SocialSupport)],
            minutes_per_week: 120,
            scope: "Company.".into(),
            limits: vec![],
        }
    }

    #[test]
    fn a_code_is_lower_case_and_short() {
        for right in ["a", "home-support", "2026", &"x".repeat(40)] {
            assert_eq!(right.parse::<SchemeCode>().unwrap().to_string(), right);
        }
        for wrong in [
            "",
            "Home",
            "home support",
            "home/support",
            "home#1",
            &"x".repeat(41),
        ] {
            assert_eq!(
                wrong.parse::<SchemeCode>(),
                Err(ParseSchemeCodeError),
                "{wrong}"
            );
        }
    }

    #[test]
    fn every_fault_of_a_scheme_is_named() {
        assert_eq!(rules(6500).check(), Ok(()));
        let mut wrong = rules(0);
        wrong.name = String::new();
        wrong.caps.extend(rules(200_001).caps);
        wrong.holidays = vec!["2026-12-25".parse().unwrap(); 2];
        let faults = wrong.check().unwrap_err();
        let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(
            pointers,
            [
                "/name",
                "/caps/1",
                "/caps/0/most",
                "/caps/1/most",
                "/holidays/1"
            ]
        );
    }

    #[test]
    fn a_rate_is_held_to_its_cap_with_the_services_part_in_it() {
        let found = |hourly, points| {
            let mut findings = Findings::default();
            rules(6150).find_excess(&mut findings, "/terms", &terms(hourly), points);
            findings.into_result()
        };
        assert_eq!(found(6000, 250), Ok(()));
        assert_eq!(found(6150, 0), Ok(()));
        let faults = found(6001, 250).unwrap_err();
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].pointer, "/terms/services/1/rates/1/hourly");
        assert_eq!(
            faults[0].detail,
            "comes to 61.51 with the service's part, and Home support pays at most 61.50; the highest possible is 60.00"
        );
    }
}
