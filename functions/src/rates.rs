//! What the rates of an engagement rest on: the client's membership plan and funding scheme, as they stand now.

use chrono::NaiveDate;
use domain::availability::Leave;
use domain::client::Client;
use domain::funding::SchemeCode;
use domain::id::ClientId;
use domain::membership::MembershipPlan;
use domain::policy::Policy;
use domain::proposal::Conditions;
use domain::terms::Pricing;
use store::{Commit, Key, StoreError, StoredScheme, Versioned};

use crate::context::Context;
use crate::problem::Problem;

/// What a client's rates rest on, as read, so that a commit can insist on it.
#[derive(Debug, Clone)]
pub struct Rates {
    client: Versioned<Client>,
    plan: Option<Versioned<MembershipPlan>>,
    scheme: Option<Versioned<StoredScheme>>,
}

impl Rates {
    /// What the rates of `client` rest on now.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn of(context: &Context, client: ClientId) -> Result<Self, Problem> {
        let store = &context.store;
        let client = store.get::<Client>(&Key::client(client)).await?;
        let client = client.ok_or_else(Problem::not_found)?;
        let plan = match &client.value.membership {
            Some(membership) => store.get(&Key::membership_plan(membership.plan)).await?,
            None => None,
        };
        let scheme = match &client.value.funding {
            Some(code) => current(context, code).await?,
            None => None,
        };
        Ok(Self {
            client,
            plan,
            scheme,
        })
    }

    /// What prices come to.
    #[must_use]
    pub fn pricing(&self) -> Pricing<'_> {
        let plan = self.plan.as_ref();
        Pricing {
            service_basis_points: plan.map_or(0, |plan| plan.value.terms.fees.service_basis_points),
            scheme: self.scheme.as_ref().map(|stored| &stored.value.scheme),
        }
    }

    /// The public holidays that count for the client: those of their scheme.
    #[must_use]
    pub fn holidays(&self) -> &[NaiveDate] {
        let scheme = self.scheme.as_ref();
        scheme.map_or(&[], |stored| &stored.value.scheme.rules.holidays)
    }

    /// What visits are proposed under.
    #[must_use]
    pub fn conditions<'a>(&'a self, policy: &'a Policy, away: &'a [Leave]) -> Conditions<'a> {
        let scheme = self.scheme.as_ref();
        let rules = scheme.and_then(|stored| stored.value.scheme.rules.cancellation);
        Conditions {
            policy,
            holidays: self.holidays(),
            cancellation: rules.unwrap_or(policy.cancellation),
            away,
        }
    }

    /// Makes the commit fail if any of it has changed since it was read.
    pub fn insisted_on(&self, commit: Commit) -> Commit {
        let commit = commit.unchanged(&self.client);
        let commit = match &self.plan {
            Some(plan) => commit.unchanged(plan),
            None => commit,
        };
        match &self.scheme {
            Some(scheme) => commit.unchanged(scheme),
            None => commit,
        }
    }
}

/// The current version of a scheme. Schemes are never taken away.
pub(crate) async fn current(
    context: &Context,
    code: &SchemeCode,
) -> Result<Option<Versioned<StoredScheme>>, StoreError> {
    context.store.get(&Key::current_funding_scheme(code)).await
}
