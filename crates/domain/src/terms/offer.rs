//! Offers of terms: made, countered, accepted, withdrawn, lapsed; and agreements taken back.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{AgreedTerms, Terms};
use crate::access::Acting;
use crate::engagement::{Engagement, EngagementNotOpen, Side, Understanding};
use crate::funding::{FundingScheme, SchemeCode};
use crate::id::{EngagementId, OfferId};
use crate::invalid::{Findings, Invalid};
use crate::policy::Policy;
use crate::profile::OfferedService;
use crate::vocabulary::Vocabulary;

vocabulary! {
    /// Where an offer stands.
    OfferState {
        Open = "open", "Open";
        Accepted = "accepted", "Accepted";
        Countered = "countered", "Answered with other terms";
        Withdrawn = "withdrawn", "Withdrawn";
        Lapsed = "lapsed", "Lapsed";
    }
}

/// Terms as offered by one side to the other. What they say is never changed: whoever wants other terms
/// answers with an offer of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Which.
    pub id: OfferId,
    /// In which engagement.
    pub engagement: EngagementId,
    /// Its number within the engagement, from 1.
    pub version: u32,
    /// Who offers.
    pub side: Side,
    /// On whose account.
    pub acting: Acting,
    /// What is offered.
    pub terms: Terms,
    /// What meetings had agreed by then: part of the terms.
    pub understandings: Vec<Understanding>,
    /// Where it stands.
    pub state: OfferState,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// First instant at which it can no longer be answered.
    pub lapses_at: DateTime<Utc>,
    /// The generation of that deadline.
    pub deadline_generation: u32,
    /// What it was priced under: when it was made, and from its acceptance on, when it was accepted.
    pub quote: Quote,
    /// When it was answered, withdrawn or lapsed.
    pub answered_at: Option<DateTime<Utc>>,
    /// Who answered or withdrew it; nobody where it lapsed.
    pub answered_by: Option<Acting>,
    /// The version whose terms were in force when it was accepted.
    pub replaces: Option<u32>,
    /// When staff took its acceptance back.
    pub reversed_at: Option<DateTime<Utc>>,
    /// The policy it was made under.
    pub policy_version: u32,
}

/// What an offer was priced under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// The service's part, in basis points of what the support worker gets.
    pub service_basis_points: u16,
    /// The scheme whose caps it was held to.
    pub scheme: Option<SchemeVersion>,
}

/// One version of a funding scheme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SchemeVersion {
    /// Which scheme.
    pub scheme: SchemeCode,
    /// Which version of it.
    #[schema(example = 1)]
    pub version: u32,
}

/// What prices rest on, as it stands now.
#[derive(Debug, Clone, Copy)]
pub struct Pricing<'a> {
    /// The service's part under the client's membership plan, in basis points; 0 without a plan.
    pub service_basis_points: u16,
    /// The scheme that pays for the client's support.
    pub scheme: Option<&'a FundingScheme>,
}

impl Pricing<'_> {
    fn quote(self) -> Quote {
        Quote {
            service_basis_points: self.service_basis_points,
            scheme: self.scheme.map(|scheme| SchemeVersion {
                scheme: scheme.code.clone(),
                version: scheme.version,
            }),
        }
    }

    fn find_excess(self, findings: &mut Findings, terms: &Terms) {
        if let Some(scheme) = self.scheme {
            let points = self.service_basis_points;
            scheme.rules.find_excess(findings, "/terms", terms, points);
        }
    }
}

/// An offer to be made.
#[derive(Debug, Clone)]
pub struct NewOffer {
    /// The id it gets.
    pub id: OfferId,
    /// Who offers.
    pub side: Side,
    /// On whose account.
    pub acting: Acting,
    /// What is offered.
    pub terms: Terms,
}

/// What a step of a negotiation comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiated {
    /// The engagement from now on.
    pub engagement: Engagement,
    /// The offer that the step is about.
    pub offer: Offer,
}

/// Why an offer is not open to what somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OfferNotOpen {
    /// Another one is.
    #[error("the open offer is version {open}; look at that one")]
    StaleVersion {
        /// The version that is open.
        open: u32,
    },
    /// It was answered or withdrawn, or has lapsed, and none is open.
    #[error("the offer is no longer open: {}", .0.label())]
    Closed(OfferState),
    /// Its time is over.
    #[error("the offer was not answered in time; a new one can be made")]
    Lapsed,
}

/// Why an offer cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MakeOfferError {
    /// Nothing new can be begun.
    #[error(transparent)]
    Engagement(#[from] EngagementNotOpen),
    /// One is open.
    #[error(
        "version {0} is open: accept it, answer it with other terms, or withdraw it if it is yours"
    )]
    OfferOpen(u32),
    /// The terms have faults.
    #[error("the terms are not right")]
    Invalid(Vec<Invalid>),
}

/// Why an offer cannot be answered with another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CounterOfferError {
    /// Nothing new can be begun.
    #[error(transparent)]
    Engagement(#[from] EngagementNotOpen),
    /// It is their own.
    #[error("the offer is your own; it is for the other side to answer it")]
    OwnOffer,
    /// It is not open.
    #[error(transparent)]
    NotOpen(#[from] OfferNotOpen),
    /// The terms have faults.
    #[error("the terms are not right")]
    Invalid(Vec<Invalid>),
}

/// Why an offer cannot be accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AcceptOfferError {
    /// Nothing new can be begun.
    #[error(transparent)]
    Engagement(#[from] EngagementNotOpen),
    /// It is their own.
    #[error("the offer is your own; it is for the other side to answer it")]
    OwnOffer,
    /// It is not open.
    #[error(transparent)]
    NotOpen(#[from] OfferNotOpen),
    /// It costs more than the client's scheme pays by now.
    #[error("a rate is above its cap")]
    Invalid(Vec<Invalid>),
}

/// Why an offer cannot be withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WithdrawOfferError {
    /// Nothing can be done.
    #[error(transparent)]
    Engagement(#[from] EngagementNotOpen),
    /// It is the other side's.
    #[error("the offer is the other side's; accept it or answer it with other terms")]
    NotYourOffer,
    /// It is not open.
    #[error(transparent)]
    NotOpen(#[from] OfferNotOpen),
}

/// Why an offer does not lapse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LapseOfferError {
    /// It is no longer open, or has another deadline.
    #[error("another deadline has taken its place")]
    Superseded,
    /// The deadline comes too early.
    #[error("due at {0}")]
    Early(DateTime<Utc>),
}

/// Why an agreement cannot be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReverseTermsError {
    /// There is none.
    #[error("no terms are in force")]
    NoTerms,
    /// The offers are not those of the terms in force and of the terms before.
    #[error("other terms are in force by now")]
    Moved,
}

impl Offer {
    /// What was agreed by accepting it; nothing where it was not accepted, or that was taken back.
    #[must_use]
    pub fn agreed(&self) -> Option<AgreedTerms> {
        if self.state != OfferState::Accepted || self.reversed_at.is_some() {
            return None;
        }
        self.answered_at.map(|agreed_at| AgreedTerms {
            offer: self.id,
            version: self.version,
            terms: self.terms.clone(),
            understandings: self.understandings.clone(),
            service_basis_points: self.quote.service_basis_points,
            agreed_at,
        })
    }

    fn closed(&self, state: OfferState, by: Option<Acting>, now: DateTime<Utc>) -> Self {
        Self {
            state,
            answered_at: Some(now),
            answered_by: by,
            ..self.clone()
        }
    }

    // INVARIANT: an offer whose time is over is never answered, even before it is marked as lapsed.
    fn must_be_open(
        &self,
        engagement: &Engagement,
        now: DateTime<Utc>,
    ) -> Result<(), OfferNotOpen> {
        match engagement.open_offer {
            // The open offer is always the newest.
            Some(open) if open != self.id => Err(OfferNotOpen::StaleVersion {
                open: engagement.offers,
            }),
            Some(_) if self.state == OfferState::Open && now < self.lapses_at => Ok(()),
            Some(_) if self.state == OfferState::Open => Err(OfferNotOpen::Lapsed),
            Some(_) | None => Err(OfferNotOpen::Closed(self.state)),
        }
    }
}

impl Engagement {
    /// Opens a negotiation, or opens it again.
    ///
    /// # Errors
    /// When the engagement is not open, an offer is, or the terms have faults.
    pub fn make_offer(
        &self,
        new: NewOffer,
        offered: &[OfferedService],
        pricing: Pricing<'_>,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Result<Negotiated, MakeOfferError> {
        self.must_be_open()?;
        if self.open_offer.is_some() {
            return Err(MakeOfferError::OfferOpen(self.offers));
        }
        check(&new.terms, offered, pricing).map_err(MakeOfferError::Invalid)?;
        Ok(self.with_offer(new, pricing, policy, now))
    }

    /// Answers an offer with other terms, which are an offer in its turn. Gives what became of the answered
    /// one, and what that comes to.
    ///
    /// # Errors
    /// When the engagement or the offer is not open, the offer is their own, or the terms have faults.
    pub fn counter_offer(
        &self,
        answered: &Offer,
        new: NewOffer,
        offered: &[OfferedService],
        pricing: Pricing<'_>,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Result<(Offer, Negotiated), CounterOfferError> {
        // Whose it is to do goes before how things stand.
        if answered.side == new.side {
            return Err(CounterOfferError::OwnOffer);
        }
        self.must_be_open()?;
        answered.must_be_open(self, now)?;
        check(&new.terms, offered, pricing).map_err(CounterOfferError::Invalid)?;
        let countered = answered.closed(OfferState::Countered, Some(new.acting), now);
        Ok((countered, self.with_offer(new, pricing, policy, now)))
    }

    // INVARIANT: an engagement has one open offer at most, and it is the newest.
    fn with_offer(
        &self,
        new: NewOffer,
        pricing: Pricing<'_>,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Negotiated {
        let version = self.offers.saturating_add(1);
        let offer = Offer {
            id: new.id,
            engagement: self.id,
            version,
            side: new.side,
            acting: new.acting,
            terms: new.terms,
            understandings: self.understandings.clone(),
            state: OfferState::Open,
            made_at: now,
            lapses_at: now + TimeDelta::days(i64::from(policy.offer_days)),
            deadline_generation: 1,
            quote: pricing.quote(),
            answered_at: None,
            answered_by: None,
            replaces: None,
            reversed_at: None,
            policy_version: policy.version,
        };
        let engagement = Self {
            offers: version,
            open_offer: Some(offer.id),
            ..self.clone()
        };
        Negotiated { engagement, offer }
    }

    /// Agrees to exactly what an offer says; its terms are in force from now on, at the prices of now.
    ///
    /// # Errors
    /// When the engagement or the offer is not open, the offer is their own, or a rate is above its cap by now.
    pub fn accept_offer(
        &self,
        offer: &Offer,
        side: Side,
        acting: Acting,
        pricing: Pricing<'_>,
        now: DateTime<Utc>,
    ) -> Result<Negotiated, AcceptOfferError> {
        // Whose it is to do goes before how things stand.
        if offer.side == side {
            return Err(AcceptOfferError::OwnOffer);
        }
        self.must_be_open()?;
        offer.must_be_open(self, now)?;
        let mut findings = Findings::default();
        pricing.find_excess(&mut findings, &offer.terms);
        findings.into_result().map_err(AcceptOfferError::Invalid)?;
        let offer = Offer {
            quote: pricing.quote(),
            replaces: self.terms.as_ref().map(|terms| terms.version),
            ..offer.closed(OfferState::Accepted, Some(acting), now)
        };
        // INVARIANT: the terms in force are those of the offer accepted last that was not taken back.
        let engagement = Self {
            terms: offer.agreed(),
            open_offer: None,
            ..self.clone()
        };
        Ok(Negotiated { engagement, offer })
    }

    /// Takes an offer back before it was answered.
    ///
    /// # Errors
    /// When the engagement or the offer is not open, or the offer is the other side's.
    pub fn withdraw_offer(
        &self,
        offer: &Offer,
        side: Side,
        acting: Acting,
        now: DateTime<Utc>,
    ) -> Result<Negotiated, WithdrawOfferError> {
        // Whose it is to do goes before how things stand.
        if offer.side != side {
            return Err(WithdrawOfferError::NotYourOffer);
        }
        self.must_be_open()?;
        offer.must_be_open(self, now)?;
        let offer = offer.closed(OfferState::Withdrawn, Some(acting), now);
        Ok(self.without_offer(offer))
    }

    /// Lets an offer lapse, whatever became of the engagement meanwhile.
    ///
    /// # Errors
    /// When it is no longer open, or the deadline was replaced or comes too early.
    pub fn lapse_offer(
        &self,
        offer: &Offer,
        generation: u32,
        now: DateTime<Utc>,
    ) -> Result<Negotiated, LapseOfferError> {
        let open = offer.state == OfferState::Open && self.open_offer == Some(offer.id);
        if !open || generation != offer.deadline_generation {
            return Err(LapseOfferError::Superseded);
        }
        if now < offer.lapses_at {
            return Err(LapseOfferError::Early(offer.lapses_at));
        }
        Ok(self.without_offer(offer.closed(OfferState::Lapsed, None, now)))
    }

    fn without_offer(&self, offer: Offer) -> Negotiated {
        let engagement = Self {
            open_offer: None,
            ..self.clone()
        };
        Negotiated { engagement, offer }
    }

    /// Takes back the agreement that is in force, `accepted`: it was a mistake. The terms from `before` it, the
    /// offer that it replaced, hold again.
    ///
    /// # Errors
    /// When no terms are in force, or others than those of these offers.
    pub fn reverse_terms(
        &self,
        accepted: &Offer,
        before: Option<&Offer>,
        now: DateTime<Utc>,
    ) -> Result<Negotiated, ReverseTermsError> {
        let in_force = self.terms.as_ref().ok_or(ReverseTermsError::NoTerms)?;
        if in_force.offer != accepted.id || accepted.replaces != before.map(|offer| offer.version) {
            return Err(ReverseTermsError::Moved);
        }
        let engagement = Self {
            terms: before.and_then(Offer::agreed),
            ..self.clone()
        };
        let offer = Offer {
            reversed_at: Some(now),
            ..accepted.clone()
        };
        Ok(Negotiated { engagement, offer })
    }
}

fn check(
    terms: &Terms,
    offered: &[OfferedService],
    pricing: Pricing<'_>,
) -> Result<(), Vec<Invalid>> {
    let mut findings = Findings::default();
    terms.find_faults(&mut findings, "/terms", offered);
    pricing.find_excess(&mut findings, terms);
    findings.into_result()
}

#[cfg(test)]
mod tests;
