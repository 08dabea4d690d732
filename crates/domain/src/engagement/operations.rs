//! Pausing, resuming, ending and opening again.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{Engagement, EngagementState, Reasoned, Side};
use crate::money::Price;
use crate::pair::Pair;
use crate::visit::ChargedVisits;

/// Why an engagement is not paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PauseEngagementError {
    /// It is paused already.
    #[error("the engagement is paused already")]
    AlreadyPaused,
    /// It has ended.
    #[error("the engagement has ended")]
    Ended,
}

/// Why an engagement is not resumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResumeEngagementError {
    /// It is not paused.
    #[error("the engagement is not paused")]
    NotPaused,
    /// The other side or staff paused it.
    #[error("somebody else paused the engagement; they, or our staff, can resume it")]
    PausedByOther,
    /// It has ended.
    #[error("the engagement has ended")]
    Ended,
}

/// Why an engagement is not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndEngagementError {
    /// It has ended already.
    #[error("the engagement has ended already")]
    AlreadyEnded,
    /// Visits that it cancels cost something, and the caller has not acknowledged exactly that.
    #[error(
        "visits that are close by are charged for; acknowledge the charge to end the engagement all the same"
    )]
    Charge(Price),
}

/// Why an engagement is not opened again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReopenEngagementError {
    /// It has not ended.
    #[error("the engagement has not ended")]
    NotEnded,
    /// The two have another engagement that lives.
    #[error("the two are connected by another engagement since")]
    OtherEngagement,
    /// One of the two has blocked the other.
    #[error("one of the two has blocked the other")]
    Blocked,
}

impl Engagement {
    /// Keeps new visits from being arranged for a while. Staff can take a side's pause over, so that only
    /// staff end it.
    ///
    /// # Errors
    /// When it is paused already, or has ended.
    pub fn pause(&self, by: Reasoned) -> Result<Self, PauseEngagementError> {
        match self.state {
            EngagementState::Open => Ok(self.paused(by)),
            EngagementState::Paused if by.side.is_none() && self.paused_by().is_some() => {
                Ok(self.paused(by))
            }
            EngagementState::Paused => Err(PauseEngagementError::AlreadyPaused),
            EngagementState::Ended => Err(PauseEngagementError::Ended),
        }
    }

    /// Pauses it at once for the sake of somebody's safety, also where the other side has paused it, who
    /// could otherwise resume it. None where that changes nothing: it has ended, or the same side or staff
    /// have paused it.
    #[must_use]
    pub fn stop(&self, by: Reasoned) -> Option<Self> {
        let held = match self.state {
            EngagementState::Open => false,
            EngagementState::Paused => [None, by.side].contains(&self.paused_by()),
            EngagementState::Ended => true,
        };
        (!held).then(|| self.paused(by))
    }

    /// Stops the visits in it for the sake of somebody's safety: pauses it like [`Engagement::stop`], and has whatever
    /// is still to come cancelled. None where it has ended.
    #[must_use]
    pub fn stop_visits(&self, by: Reasoned) -> Option<Self> {
        if !self.is_live() {
            return None;
        }
        let other = (self.stopped.as_ref()).is_some_and(|stopped| stopped.side != by.side);
        let paused = match other {
            // INVARIANT: nobody lifts a stop that the other side wanted too: staff do, whose pause it is from now on.
            true => self.paused(Reasoned {
                side: None,
                ..by.clone()
            }),
            false => self.stop(by.clone()).unwrap_or_else(|| self.clone()),
        };
        Some(Self {
            stopped: Some(by),
            ..paused
        })
    }

    /// Whether visits in it that are still to come do not take place: it has ended, or they were stopped.
    #[must_use]
    pub fn visits_are_off(&self) -> bool {
        !self.is_live() || self.stopped.is_some()
    }

    /// Lets visits be arranged again: for staff, and for the side that paused it.
    ///
    /// # Errors
    /// When it is not paused, was paused by somebody else, or has ended.
    pub fn resume(&self, side: Option<Side>) -> Result<Self, ResumeEngagementError> {
        match self.state {
            EngagementState::Open => Err(ResumeEngagementError::NotPaused),
            EngagementState::Ended => Err(ResumeEngagementError::Ended),
            // INVARIANT: nobody lifts a pause that somebody else wanted.
            EngagementState::Paused if side.is_some() && side != self.paused_by() => {
                Err(ResumeEngagementError::PausedByOther)
            }
            EngagementState::Paused => Ok(Self {
                state: EngagementState::Open,
                pause: None,
                stopped: None,
                ..self.clone()
            }),
        }
    }

    /// Parts the two, at no cost. `message` is for the other side, the reason is not.
    ///
    /// # Errors
    /// When it has ended already.
    pub fn end(
        &self,
        pair: &Pair,
        by: Reasoned,
        message: Option<String>,
    ) -> Result<(Self, Pair), EndEngagementError> {
        if !self.is_live() {
            return Err(EndEngagementError::AlreadyEnded);
        }
        let ended = Self {
            state: EngagementState::Ended,
            pause: None,
            end: Some(by),
            parting_message: message,
            charged_at_end: BTreeSet::new(),
            ..self.clone()
        };
        Ok((ended, pair.clone().without_engagement()))
    }

    /// Parts the two. What it costs that visits are cancelled with it has to be `acknowledged`.
    ///
    /// # Errors
    /// See [`EndEngagementError`].
    pub fn end_at_cost(
        &self,
        pair: &Pair,
        by: Reasoned,
        message: Option<String>,
        charged: ChargedVisits,
        acknowledged: Option<Price>,
    ) -> Result<(Self, Pair), EndEngagementError> {
        let (ended, apart) = self.end(pair, by, message)?;
        if charged.charge != acknowledged.unwrap_or(Price::NOTHING) {
            return Err(EndEngagementError::Charge(charged.charge));
        }
        let ended = Self {
            charged_at_end: charged.visits,
            ..ended
        };
        Ok((ended, apart))
    }

    /// Staff take back an end that was a mistake. What was cancelled meanwhile stays cancelled.
    ///
    /// # Errors
    /// When it has not ended, or the two may not be connected by it any more.
    pub fn reopen(
        &self,
        pair: &Pair,
        now: DateTime<Utc>,
    ) -> Result<(Self, Pair), ReopenEngagementError> {
        if self.is_live() {
            return Err(ReopenEngagementError::NotEnded);
        }
        if pair.is_blocked() {
            return Err(ReopenEngagementError::Blocked);
        }
        if pair.engagement.is_some() {
            return Err(ReopenEngagementError::OtherEngagement);
        }
        let reopened = Self {
            state: EngagementState::Open,
            stopped: None,
            end: None,
            parting_message: None,
            charged_at_end: BTreeSet::new(),
            ..self.clone()
        };
        Ok((reopened, pair.clone().with_engagement(self.id, now)))
    }

    fn paused(&self, by: Reasoned) -> Self {
        Self {
            state: EngagementState::Paused,
            pause: Some(by),
            ..self.clone()
        }
    }

    fn paused_by(&self) -> Option<Side> {
        self.pause.as_ref().and_then(|pause| pause.side)
    }
}
