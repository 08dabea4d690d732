//! What a visit that took place comes to: confirmed by the client, by silence, or by staff who heard a dispute.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Visit, VisitState, Worked};
use crate::access::Acting;
use crate::engagement::Reasoned;
use crate::money::Price;
use crate::vocabulary::Vocabulary;

vocabulary! {
    /// What a visit's charge rests on.
    ConfirmedBy {
        Client = "client", "The client confirmed what was written down";
        Silence = "silence", "The client said nothing to it in time";
        Settlement = "settlement", "Staff decided on a dispute about it";
    }
}

/// What the client owes for a visit, and on what that rests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Confirmation {
    /// On what it rests.
    pub by: ConfirmedBy,
    /// Who confirmed it on the client's side.
    pub acting: Option<Acting>,
    /// When.
    pub at: DateTime<Utc>,
    /// What is charged.
    pub charge: Price,
}

/// What the client does not agree with, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// Who said so, and why.
    pub why: Reasoned,
    /// What staff decided, once they did.
    pub settlement: Option<Settlement>,
}

/// What staff decided on a dispute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// Who decided, and why.
    pub why: Reasoned,
    /// As many of the minutes that were written down are paid.
    pub payable_minutes: u32,
}

/// What the support worker wrote down, as somebody saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// How long it lasted.
    #[schema(example = 125)]
    pub minutes: u32,
    /// What that costs.
    pub charge: Price,
}

/// Why a visit is not confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConfirmVisitError {
    /// It is not over.
    #[error("the visit is not completed")]
    NotCompleted,
    /// It does not take place.
    #[error("the visit was cancelled")]
    Cancelled,
    /// It did not take place.
    #[error("the visit did not take place")]
    Missed,
    /// It is confirmed.
    #[error("the visit is confirmed already")]
    AlreadyConfirmed,
    /// There is a dispute about it.
    #[error("the visit is disputed")]
    Disputed,
    /// Silence is not enough: the client had heard that it did not take place.
    #[error("only the client's side can confirm the visit")]
    NeedsClient,
    /// Something else was written down than was seen.
    #[error("something else was written down than you have seen; look at the visit again")]
    Stale(Recorded),
}

/// Why a visit is not disputed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DisputeVisitError {
    /// It is not over.
    #[error("the visit is not completed")]
    NotCompleted,
    /// It does not take place.
    #[error("the visit was cancelled")]
    Cancelled,
    /// It did not take place.
    #[error("the visit did not take place, and costs nothing")]
    Missed,
    /// It is disputed.
    #[error("the visit is disputed already")]
    AlreadyDisputed,
    /// It was disputed before, and staff decided.
    #[error("a dispute about the visit was settled; what was decided stands")]
    Settled,
    /// It is too late.
    #[error("the visit could be disputed until {0}")]
    TooLate(DateTime<Utc>),
}

/// Why a dispute is not settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SettleDisputeError {
    /// There is none.
    #[error("the visit is not disputed")]
    NotDisputed,
    /// More would be paid than was worked.
    #[error("is at most {0}, as were written down")]
    MoreThanWorked(u32),
}

impl Worked {
    /// As it can be confirmed.
    #[must_use]
    pub const fn recorded(&self) -> Recorded {
        Recorded {
            minutes: self.minutes,
            charge: self.price.total,
        }
    }
}

impl Visit {
    /// The client's side confirms exactly what they saw.
    ///
    /// # Errors
    /// See [`ConfirmVisitError`].
    pub fn confirm(
        &self,
        acting: Acting,
        seen: Recorded,
        now: DateTime<Utc>,
    ) -> Result<Self, ConfirmVisitError> {
        let recorded = self.to_be_confirmed()?.recorded();
        if seen != recorded {
            return Err(ConfirmVisitError::Stale(recorded));
        }
        Ok(self.confirmed(Confirmation {
            by: ConfirmedBy::Client,
            acting: Some(acting),
            at: now,
            charge: recorded.charge,
        }))
    }

    /// The client has said nothing to it: it comes to no more than was worked, and to no more than was booked.
    ///
    /// # Errors
    /// See [`ConfirmVisitError`].
    pub fn confirm_in_silence(&self, now: DateTime<Utc>) -> Result<Self, ConfirmVisitError> {
        let worked = self.to_be_confirmed()?;
        if self.waits_for_client() {
            return Err(ConfirmVisitError::NeedsClient);
        }
        let worked = worked.price.total;
        let booked = self.price.total;
        let charge = match worked.client_pays <= booked.client_pays {
            true => worked,
            false => booked,
        };
        Ok(self.confirmed(Confirmation {
            by: ConfirmedBy::Silence,
            acting: None,
            at: now,
            charge,
        }))
    }

    /// Whether it was written down after it had counted as missed, so that silence does not confirm it.
    #[must_use]
    pub fn waits_for_client(&self) -> bool {
        self.worked.as_ref().is_some_and(|it| it.after_missed)
    }

    fn to_be_confirmed(&self) -> Result<&Worked, ConfirmVisitError> {
        match self.state {
            VisitState::Completed => self.worked.as_ref().ok_or(ConfirmVisitError::NotCompleted),
            VisitState::Booked | VisitState::Started => Err(ConfirmVisitError::NotCompleted),
            VisitState::Confirmed => Err(ConfirmVisitError::AlreadyConfirmed),
            VisitState::Disputed => Err(ConfirmVisitError::Disputed),
            VisitState::Missed => Err(ConfirmVisitError::Missed),
            VisitState::Cancelled => Err(ConfirmVisitError::Cancelled),
        }
    }

    fn confirmed(&self, confirmation: Confirmation) -> Self {
        Self {
            state: VisitState::Confirmed,
            confirmation: Some(confirmation),
            deadline: None,
            ..self.clone()
        }
    }

    /// The client's side does not agree with what was written down, whether or not it was confirmed meanwhile.
    ///
    /// # Errors
    /// See [`DisputeVisitError`].
    pub fn dispute(&self, why: Reasoned) -> Result<Self, DisputeVisitError> {
        match self.state {
            VisitState::Completed | VisitState::Confirmed => {}
            VisitState::Booked | VisitState::Started => {
                return Err(DisputeVisitError::NotCompleted);
            }
            VisitState::Disputed => return Err(DisputeVisitError::AlreadyDisputed),
            VisitState::Missed => return Err(DisputeVisitError::Missed),
            VisitState::Cancelled => return Err(DisputeVisitError::Cancelled),
        }
        if self.dispute.is_some() {
            return Err(DisputeVisitError::Settled);
        }
        let worked = self.worked.as_ref();
        let until = worked
            .ok_or(DisputeVisitError::NotCompleted)?
            .disputable_until;
        if until < why.at {
            return Err(DisputeVisitError::TooLate(until));
        }
        Ok(Self {
            state: VisitState::Disputed,
            dispute: Some(Dispute {
                why,
                settlement: None,
            }),
            deadline: None,
            ..self.clone()
        })
    }

    /// Staff decide how much of what was written down is paid: the first minutes of it, at the rates of the booking.
    ///
    /// # Errors
    /// See [`SettleDisputeError`].
    pub fn settle_dispute(
        &self,
        why: Reasoned,
        payable_minutes: u32,
    ) -> Result<Self, SettleDisputeError> {
        let (VisitState::Disputed, Some(dispute), Some(worked), Some(started)) =
            (self.state, &self.dispute, &self.worked, self.started_at)
        else {
            return Err(SettleDisputeError::NotDisputed);
        };
        if worked.minutes < payable_minutes {
            return Err(SettleDisputeError::MoreThanWorked(worked.minutes));
        }
        let zone = self.details.zone();
        let (price, _) = self.rates.price_worked(started, zone, payable_minutes);
        let confirmation = Confirmation {
            by: ConfirmedBy::Settlement,
            acting: None,
            at: why.at,
            charge: price.total,
        };
        let dispute = Dispute {
            settlement: Some(Settlement {
                why,
                payable_minutes,
            }),
            ..dispute.clone()
        };
        Ok(Self {
            dispute: Some(dispute),
            ..self.confirmed(confirmation)
        })
    }
}
