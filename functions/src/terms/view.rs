//! Terms and offers as both sides see them: each rate with what it comes to for each of them.

use chrono::{DateTime, Utc};
use domain::access::{Acting, Duty};
use domain::engagement::{Engagement, Side, Understanding};
use domain::id::{EngagementId, OfferId};
use domain::money::Price;
use domain::terms::{AgreedTerms, Offer, OfferState, SchemeVersion, Terms, TimeBand};
use domain::vocabulary::Service;
use serde::Serialize;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::context::Context;
use crate::problem::Problem;
use crate::standing::see_engagement;

/// Lets `caller` read the terms and offers of an engagement: either side, or staff who look after
/// engagements; or refuses.
///
/// # Errors
/// 404 to strangers, 403 to staff and representatives with other things to do.
pub(super) async fn readable(
    context: &Context,
    caller: &Caller,
    engagement: EngagementId,
) -> Result<Engagement, Problem> {
    let seen = see_engagement(context, caller, engagement, Duty::Engagements).await;
    seen.map(|(_, engagement)| engagement.value)
}

/// Terms with their prices.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PricedTerms {
    services: Vec<PricedService>,
    /// Minutes of support a week that both have in mind.
    minutes_per_week: u32,
    /// What the support covers, in words.
    scope: String,
    /// What it does not cover, or not without asking.
    limits: Vec<String>,
    /// The service's part, in basis points of what the support worker gets: 250 is 2.5 %.
    service_basis_points: u16,
}

/// A service and its rates.
#[derive(Debug, Serialize, ToSchema)]
struct PricedService {
    service: Service,
    rates: Vec<PricedRate>,
}

/// What an hour costs at a time, and who gets how much of it.
#[derive(Debug, Serialize, ToSchema)]
struct PricedRate {
    band: TimeBand,
    hourly: Price,
}

impl PricedTerms {
    fn of(terms: Terms, service_basis_points: u16) -> Self {
        let services = terms.services.into_iter().map(|offered| PricedService {
            service: offered.service,
            rates: offered
                .rates
                .into_iter()
                .map(|rate| PricedRate {
                    band: rate.band,
                    hourly: Price::of(rate.hourly, service_basis_points),
                })
                .collect(),
        });
        Self {
            services: services.collect(),
            minutes_per_week: terms.minutes_per_week,
            scope: terms.scope,
            limits: terms.limits,
            service_basis_points,
        }
    }
}

/// An offer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OfferView {
    id: OfferId,
    engagement: EngagementId,
    /// Its number within the engagement, from 1: what is accepted is always one exact version.
    version: u32,
    /// Who offers.
    side: Side,
    acting: Acting,
    state: OfferState,
    /// What is offered. An open offer is priced as accepting it now would be, an accepted one as it was
    /// when it was accepted.
    terms: PricedTerms,
    /// The funding scheme whose caps it was held to.
    scheme: Option<SchemeVersion>,
    /// What meetings had agreed by then: part of the terms.
    understandings: Vec<Understanding>,
    made_at: DateTime<Utc>,
    /// First instant at which it can no longer be answered.
    lapses_at: DateTime<Utc>,
    /// When it was answered, withdrawn or lapsed.
    answered_at: Option<DateTime<Utc>>,
    answered_by: Option<Acting>,
    /// When staff took its acceptance back.
    reversed_at: Option<DateTime<Utc>>,
}

impl OfferView {
    /// The view of an offer, where the service's part is `live_basis_points` now.
    pub(super) fn of(offer: Offer, live_basis_points: u16) -> Self {
        let basis_points = match offer.state {
            OfferState::Open => live_basis_points,
            OfferState::Accepted
            | OfferState::Countered
            | OfferState::Withdrawn
            | OfferState::Lapsed => offer.quote.service_basis_points,
        };
        let Offer {
            id,
            engagement,
            version,
            side,
            acting,
            terms,
            understandings,
            state,
            made_at,
            lapses_at,
            deadline_generation: _,
            quote,
            answered_at,
            answered_by,
            replaces: _,
            reversed_at,
            policy_version: _,
        } = offer;
        Self {
            id,
            engagement,
            version,
            side,
            acting,
            state,
            terms: PricedTerms::of(terms, basis_points),
            scheme: quote.scheme,
            understandings,
            made_at,
            lapses_at,
            answered_at,
            answered_by,
            reversed_at,
        }
    }
}

/// The terms in force.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AgreedTermsView {
    /// The offer that was accepted.
    offer: OfferId,
    /// Its version.
    version: u32,
    terms: PricedTerms,
    /// What meetings had agreed by then: part of the terms.
    understandings: Vec<Understanding>,
    agreed_at: DateTime<Utc>,
}

impl From<AgreedTerms> for AgreedTermsView {
    fn from(agreed: AgreedTerms) -> Self {
        Self {
            offer: agreed.offer,
            version: agreed.version,
            terms: PricedTerms::of(agreed.terms, agreed.service_basis_points),
            understandings: agreed.understandings,
            agreed_at: agreed.agreed_at,
        }
    }
}
