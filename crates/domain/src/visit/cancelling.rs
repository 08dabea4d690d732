//! Cancelling a visit: what it costs whom, and when staff let that go.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Visit, VisitState};
use crate::cancellation::CancellationRules;
use crate::engagement::{Reasoned, Side};
use crate::id::VisitId;
use crate::money::Price;
use crate::policy::Policy;
use crate::vocabulary::Vocabulary;

/// How a visit came to be cancelled, and what that costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancellation {
    /// Who cancelled it, and why.
    pub why: Reasoned,
    /// What the client agreed to pay for it, as it was quoted to them.
    pub charge: Price,
    /// Why staff let the charge go, if they did.
    pub waiver: Option<Waiver>,
}

/// Why a charge is let go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiver {
    /// On what grounds.
    pub grounds: WaiverGrounds,
    /// By whom, and why in words.
    pub why: Reasoned,
}

vocabulary! {
    /// On what grounds a charge is let go.
    WaiverGrounds {
        Illness = "illness", "Illness";
        Hardship = "hardship", "Hardship";
        Other = "other", "Something else";
    }
}

/// What cancelling a visit costs at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CancellationQuote {
    /// On which side; none for staff. Nobody but the client's side ever pays.
    pub side: Option<Side>,
    /// Whether it costs anything.
    pub charges: bool,
    /// What it costs.
    pub charge: Price,
    /// The last instant at which the client can cancel without a charge.
    pub free_until: DateTime<Utc>,
    /// The rules agreed on when the visit was booked.
    pub rules: CancellationRules,
}

/// Why a visit cannot be cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CancelVisitError {
    /// It has begun.
    #[error("the visit has begun; it can no longer be cancelled")]
    Started,
    /// It is over.
    #[error("the visit is completed; it can no longer be cancelled")]
    Completed,
    /// It is over without having begun.
    #[error("the visit did not take place; there is nothing to cancel")]
    Missed,
    /// It does not take place.
    #[error("the visit was cancelled already")]
    AlreadyCancelled,
    /// What it costs was not repeated.
    #[error("cancelling now costs {}; repeat exactly this charge to go on", .0.charge.client_pays)]
    Charge(CancellationQuote),
}

/// Why a charge is not let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WaiveChargeError {
    /// It was never cancelled.
    #[error("the visit was not cancelled")]
    NotCancelled,
    /// Nothing was charged.
    #[error("nothing is charged for the cancelled visit")]
    NothingCharged,
    /// It was let go before.
    #[error("the charge was waived already")]
    AlreadyWaived,
}

/// What it costs to cancel several visits at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargedVisits {
    /// What all of it comes to.
    pub charge: Price,
    /// Those that cost anything.
    pub visits: BTreeSet<VisitId>,
}

impl ChargedVisits {
    /// What it costs `side`, or staff, to cancel at `at` as many of `visits` as can be.
    pub fn of<'a>(
        visits: impl IntoIterator<Item = &'a Visit>,
        side: Option<Side>,
        policy: &Policy,
        at: DateTime<Utc>,
    ) -> Self {
        let quote = |visit: &Visit| {
            let quote = visit.cancellation_quote(side, policy, at).ok()?;
            quote.charges.then_some((visit.id, quote.charge))
        };
        let charged: BTreeMap<VisitId, Price> = visits.into_iter().filter_map(quote).collect();
        Self {
            charge: charged.values().copied().sum(),
            visits: charged.into_keys().collect(),
        }
    }
}

impl Cancellation {
    /// What is owed for it.
    #[must_use]
    pub const fn owed(&self) -> Price {
        match self.waiver {
            Some(_) => Price::NOTHING,
            None => self.charge,
        }
    }
}

impl Visit {
    /// Whether `now` is closer to its beginning than may be without a warning, in hours that really pass.
    #[must_use]
    pub fn is_at_short_notice(&self, now: DateTime<Utc>) -> bool {
        self.from - now < TimeDelta::hours(i64::from(self.late_change_hours))
    }

    /// What it would cost to cancel it at `now` on this side; none for staff.
    ///
    /// # Errors
    /// Where it cannot be cancelled.
    pub fn cancellation_quote(
        &self,
        side: Option<Side>,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Result<CancellationQuote, CancelVisitError> {
        self.must_be_cancellable()?;
        Ok(self.quote(side, policy, now))
    }

    fn quote(&self, side: Option<Side>, policy: &Policy, now: DateTime<Utc>) -> CancellationQuote {
        // Nobody pays for a support worker who has not come.
        let waited = TimeDelta::minutes(i64::from(policy.late_start_minutes));
        let at_all = side == Some(Side::Client) && now < self.expected_at(policy) + waited;
        let terms = self.cancellation_terms;
        let charge = match at_all {
            true => terms.charge(self.price.total, now),
            false => Price::NOTHING,
        };
        CancellationQuote {
            side,
            charges: charge != Price::NOTHING,
            charge,
            free_until: terms.free_until,
            rules: terms.rules,
        }
    }

    /// One of its sides, or staff, cancel it. Where that costs something it is done only with the charge `seen`
    /// that holds at this moment.
    ///
    /// # Errors
    /// See [`CancelVisitError`].
    pub fn cancel_at_cost(
        &self,
        why: Reasoned,
        seen: Option<Price>,
        policy: &Policy,
    ) -> Result<Self, CancelVisitError> {
        let quote = self.cancellation_quote(why.side, policy, why.at)?;
        if seen.unwrap_or(Price::NOTHING) != quote.charge {
            return Err(CancelVisitError::Charge(quote));
        }
        self.cancelled(why, quote.charge)
    }

    /// It does not take place, and that costs nobody anything.
    ///
    /// # Errors
    /// See [`CancelVisitError`].
    pub fn cancel(&self, why: Reasoned) -> Result<Self, CancelVisitError> {
        self.cancelled(why, Price::NOTHING)
    }

    /// It does not take place because something larger was ended, as `why` says. Where it was `charged`, that is
    /// quoted and acknowledged then, it costs what it did then, unless it was moved since.
    ///
    /// # Errors
    /// See [`CancelVisitError`].
    pub fn cancel_with(
        &self,
        why: Reasoned,
        charged: bool,
        policy: &Policy,
    ) -> Result<Self, CancelVisitError> {
        let quote = self.cancellation_quote(why.side, policy, why.at)?;
        match charged && self.booked_at <= why.at {
            true => self.cancelled(why, quote.charge),
            false => self.cancel(why),
        }
    }

    /// Whether it is off because its support worker, or the service for them, called it off.
    #[must_use]
    pub fn was_called_off_by_worker(&self) -> bool {
        let side = self.cancellation.as_ref().and_then(|it| it.why.side);
        self.state == VisitState::Cancelled && side == Some(Side::Worker)
    }

    fn cancelled(&self, why: Reasoned, charge: Price) -> Result<Self, CancelVisitError> {
        self.must_be_cancellable()?;
        Ok(Self {
            state: VisitState::Cancelled,
            cancellation: Some(Cancellation {
                why,
                charge,
                waiver: None,
            }),
            sequence: self.sequence.saturating_add(1),
            deadline: None,
            ..self.clone()
        })
    }

    const fn must_be_cancellable(&self) -> Result<(), CancelVisitError> {
        match self.state {
            VisitState::Booked => Ok(()),
            VisitState::Started => Err(CancelVisitError::Started),
            VisitState::Completed | VisitState::Confirmed | VisitState::Disputed => {
                Err(CancelVisitError::Completed)
            }
            VisitState::Missed => Err(CancelVisitError::Missed),
            VisitState::Cancelled => Err(CancelVisitError::AlreadyCancelled),
        }
    }

    /// Staff let the charge for its cancellation go, once.
    ///
    /// # Errors
    /// See [`WaiveChargeError`].
    pub fn waive(&self, waiver: Waiver) -> Result<Self, WaiveChargeError> {
        let cancelled = self.cancellation.as_ref();
        let cancelled = cancelled.ok_or(WaiveChargeError::NotCancelled)?;
        if cancelled.waiver.is_some() {
            return Err(WaiveChargeError::AlreadyWaived);
        }
        if cancelled.charge == Price::NOTHING {
            return Err(WaiveChargeError::NothingCharged);
        }
        Ok(Self {
            cancellation: Some(Cancellation {
                waiver: Some(waiver),
                ..cancelled.clone()
            }),
            ..self.clone()
        })
    }
}
