//! Membership plans: what a client may do, and what it costs.
//!
//! An entitlement is looked at when something new is begun, never afterwards: whatever stands when a
//! plan shrinks, or a client changes to a smaller one, goes on standing.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::id::MembershipPlanId;
use crate::invalid::{Findings, Invalid};
use crate::money::Cents;
use crate::vocabulary::Vocabulary;

vocabulary! {
    /// Something that a membership plan lets a client do.
    Entitlement {
        MatchRequests = "match_requests", "Match requests";
        SupportPlans = "support_plans", "Support plans";
        Cover = "cover", "Cover for visits at short notice";
    }

    /// Whether a plan can be assigned.
    MembershipPlanState {
        Offered = "offered", "Offered";
        Retired = "retired", "Retired";
    }
}

/// The most match requests that any plan lets a client have open at once.
pub const MAX_OPEN_MATCH_REQUESTS: u16 = 50;
const ALL_OF_IT: u16 = 10_000;
const MAX_MONTHLY: Cents = Cents(1_000_000);

/// What a client may do, and what it costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembershipPlan {
    /// Which plan.
    pub id: MembershipPlanId,
    /// Whether it can be assigned. Those who have a retired plan keep it.
    pub state: MembershipPlanState,
    /// What it is.
    pub terms: MembershipTerms,
}

/// What a membership plan says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MembershipTerms {
    /// What clients know it by.
    #[schema(min_length = 1, max_length = 80, example = "Together")]
    pub name: String,
    /// What it is for, in words.
    #[schema(max_length = 1000, example = "Find and book support workers yourself.")]
    #[serde(default)]
    pub description: String,
    /// What it lets a client do.
    pub entitlements: BTreeSet<Entitlement>,
    /// How many match requests may be open at once; counts only with that entitlement.
    #[schema(minimum = 0, maximum = 50, example = 3)]
    pub open_match_requests: u16,
    /// What it costs.
    pub fees: MembershipFees,
}

/// What a membership plan costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MembershipFees {
    /// Every month, whatever is booked.
    #[schema(example = 1900)]
    pub monthly: Cents,
    /// The service's part of what a visit costs, in basis points: 250 is 2.5 %.
    #[schema(minimum = 0, maximum = 10_000, example = 250)]
    pub service_basis_points: u16,
}

impl MembershipTerms {
    /// Adds what is wrong with these terms to `findings`.
    ///
    /// # Errors
    /// The faults, each named.
    pub fn check(&self) -> Result<(), Vec<Invalid>> {
        let mut findings = Findings::default();
        findings.text("/name", &self.name, 1, 80);
        findings.text("/description", &self.description, 0, 1000);
        let matching = self.entitlements.contains(&Entitlement::MatchRequests);
        let open = self.open_match_requests;
        findings.check(
            open <= MAX_OPEN_MATCH_REQUESTS && matching == (open > 0),
            "/open_match_requests",
            format!("is 1 to {MAX_OPEN_MATCH_REQUESTS} with `match_requests`, and 0 without"),
        );
        findings.check(
            self.fees.monthly <= MAX_MONTHLY,
            "/fees/monthly",
            format!("is more than {MAX_MONTHLY}"),
        );
        findings.check(
            self.fees.service_basis_points <= ALL_OF_IT,
            "/fees/service_basis_points",
            format!("is more than {ALL_OF_IT}, which is all of it"),
        );
        findings.into_result()
    }
}

impl MembershipPlan {
    /// Whether a client on this plan may begin something that takes `entitlement`. Retired plans
    /// entitle those who have them like any other.
    #[must_use]
    pub fn entitles(&self, entitlement: Entitlement) -> bool {
        self.terms.entitlements.contains(&entitlement)
    }

    /// Whether a client with `open` match requests may submit another.
    #[must_use]
    pub fn allows_another_match_request(&self, open: usize) -> bool {
        self.entitles(Entitlement::MatchRequests)
            && open < usize::from(self.terms.open_match_requests)
    }

    /// Whether it can be assigned.
    #[must_use]
    pub fn is_offered(&self) -> bool {
        self.state == MembershipPlanState::Offered
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn plan(entitlements: &[Entitlement], open_match_requests: u16) -> MembershipPlan {
        MembershipPlan {
            id: MembershipPlanId::from_uuid(Uuid::nil()),
            state: MembershipPlanState::Offered,
            terms: MembershipTerms {
                name: "Together".into(),
                description: String::new(),
                entitlements: entitlements.iter().copied().collect(),
                open_match_requests,
                fees: MembershipFees {
                    monthly: Cents(1900),
                    service_basis_points: 250,
                },
            },
        }
    }

    #[test]
    fn a_plan_entitles_to_what_it_names_whatever_its_state() {
        for held in Entitlement::ALL {
            for state in MembershipPlanState::ALL {
                let plan = MembershipPlan {
                    state: *state,
                    ..plan(&[*held], 0)
                };
                for wanted in Entitlement::ALL {
                    assert_eq!(plan.entitles(*wanted), held == wanted);
                }
            }
        }
    }

    #[test]
    fn open_match_requests_are_counted_up_to_the_plans_number() {
        let two = plan(&[Entitlement::MatchRequests], 2);
        let allowed = [0, 1, 2, 3].map(|open| two.allows_another_match_request(open));
        assert_eq!(allowed, [true, true, false, false]);
        assert!(!plan(&[Entitlement::Cover], 0).allows_another_match_request(0));
    }

    #[test]
    fn every_fault_of_the_terms_is_named() {
        assert_eq!(plan(&[Entitlement::MatchRequests], 2).terms.check(), Ok(()));
        assert_eq!(plan(&[], 0).terms.check(), Ok(()));
        let mut wrong = plan(&[Entitlement::MatchRequests], 0).terms;
        wrong.name = " ".into();
        wrong.description = "x".repeat(1001);
        wrong.fees.monthly = Cents(1_000_001);
        wrong.fees.service_basis_points = 10_001;
        let faults = wrong.check().unwrap_err();
        let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(
            pointers,
            [
                "/name",
                "/description",
                "/open_match_requests",
                "/fees/monthly",
                "/fees/service_basis_points"
            ]
        );
        assert!(plan(&[Entitlement::Cover], 1).terms.check().is_err());
    }
}
