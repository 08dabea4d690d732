//! The day itself: beginning and end, with the times that really were.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Visit, VisitState};
use crate::eligibility::Broken;
use crate::policy::Policy;
use crate::terms::VisitPrice;

/// How long before its time a visit may be started, in minutes.
const EARLY_START_MINUTES: i64 = 30;
/// How much longer than it was booked for a visit can have lasted, in hours.
const LONGEST_OVERRUN_HOURS: i64 = 24;
/// How long after its end a visit that nobody said had begun can still be written down, in days.
const LATEST_RECORD_DAYS: i64 = 7;

/// What the support worker wrote down of a visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Worked {
    /// From its real beginning to its real end, in whole minutes.
    #[schema(example = 125)]
    pub minutes: u32,
    /// What they cost under the terms of the booking.
    pub price: VisitPrice,
    /// As many of them as lie in time bands for which no rate was agreed: they cost nothing.
    #[schema(example = 0)]
    pub unpriced_minutes: u32,
    /// When it was written down.
    pub recorded_at: DateTime<Utc>,
    /// Whether that was only after the visit had counted as missed. Both sides had heard that it costs nothing, so
    /// silence does not confirm it.
    #[serde(default)]
    pub after_missed: bool,
    /// The last instant at which the client can dispute it.
    pub disputable_until: DateTime<Utc>,
}

/// Why a visit cannot have begun or ended when somebody says it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnlikelyTime {
    /// It has not come yet.
    #[error("is not in the future")]
    Future,
    /// The visit was not even booked.
    #[error("is not before the visit was booked")]
    BeforeBooking,
    /// Too long before its time.
    #[error("is not before {0}")]
    Early(DateTime<Utc>),
    /// After its time.
    #[error("is not after {0}")]
    Late(DateTime<Utc>),
    /// Before it began.
    #[error("is not before the visit began")]
    BeforeStart,
    /// Too long after it began.
    #[error("is not after {0}")]
    TooLong(DateTime<Utc>),
}

/// Why a visit cannot be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StartVisitError {
    /// It has begun.
    #[error("the visit has begun already")]
    AlreadyStarted,
    /// It is over.
    #[error("the visit is completed")]
    Completed,
    /// It does not take place.
    #[error("the visit was cancelled")]
    Cancelled,
    /// It is over without having begun.
    #[error("the visit did not take place")]
    Missed,
    /// It is too early.
    #[error("the visit can be started from {0}")]
    Early(DateTime<Utc>),
    /// It cannot have begun then.
    #[error(transparent)]
    Time(UnlikelyTime),
    /// The support worker may not give support as things stand.
    #[error("the support worker is not eligible for this visit any more")]
    NotEligible(Broken),
}

/// Why a visit cannot be completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CompleteVisitError {
    /// It has not begun.
    #[error("the visit has not been started")]
    NotStarted,
    /// It is completed.
    #[error("the visit is completed already")]
    AlreadyCompleted,
    /// It does not take place.
    #[error("the visit was cancelled")]
    Cancelled,
    /// It cannot have ended then.
    #[error(transparent)]
    Time(UnlikelyTime),
}

/// Why what was written down of a visit is not corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CorrectVisitError {
    /// It is not over.
    #[error("the visit is not completed")]
    NotCompleted,
    /// The client has confirmed it, or said nothing to it in time.
    #[error("the visit is confirmed already")]
    Confirmed,
    /// There is a dispute about it.
    #[error("the visit is disputed; staff decide on it")]
    Disputed,
    /// Nobody said that it began, and too long ago.
    #[error("the visit counts as one that did not take place; it could be written down until {0}")]
    Missed(DateTime<Utc>),
    /// Somebody else came.
    #[error("somebody else was booked in the visit's place")]
    Covered,
    /// Nobody said that it began, and the support worker may not give support as things stand.
    #[error("the support worker is not eligible for this visit any more")]
    NotEligible(Broken),
    /// It does not take place.
    #[error("the visit was cancelled")]
    Cancelled,
    /// It cannot have begun then.
    #[error(transparent)]
    Start(UnlikelyTime),
    /// It cannot have ended then.
    #[error(transparent)]
    End(UnlikelyTime),
}

impl Visit {
    /// The support worker begins, at most 30 minutes before its time; `at` is when they really did, where that was
    /// not just now, and `broken` is what speaks against them now.
    ///
    /// # Errors
    /// See [`StartVisitError`].
    pub fn start(
        &self,
        at: Option<DateTime<Utc>>,
        broken: Broken,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Result<Self, StartVisitError> {
        match self.state {
            VisitState::Booked => {}
            VisitState::Started => return Err(StartVisitError::AlreadyStarted),
            VisitState::Completed | VisitState::Confirmed | VisitState::Disputed => {
                return Err(StartVisitError::Completed);
            }
            VisitState::Cancelled => return Err(StartVisitError::Cancelled),
            VisitState::Missed => return Err(StartVisitError::Missed),
        }
        let earliest = self.earliest_start();
        if now < earliest {
            return Err(StartVisitError::Early(earliest));
        }
        let at = at.unwrap_or(now);
        let likely = self.likely_start(at, policy, now);
        likely.map_err(StartVisitError::Time)?;
        if !broken.is_eligible() {
            return Err(StartVisitError::NotEligible(broken));
        }
        let started = Self {
            state: VisitState::Started,
            started_at: Some(at),
            ..self.clone()
        };
        Ok(started.armed(policy, now))
    }

    /// The support worker has finished, at `at` where that was not just now. What was worked has its price from now
    /// on, and confirms itself where the client says nothing to it. A visit broken off at the door lasts no minute.
    ///
    /// # Errors
    /// See [`CompleteVisitError`].
    pub fn complete(
        &self,
        at: Option<DateTime<Utc>>,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Result<Self, CompleteVisitError> {
        match self.state {
            VisitState::Started => {}
            VisitState::Booked | VisitState::Missed => return Err(CompleteVisitError::NotStarted),
            VisitState::Completed | VisitState::Confirmed | VisitState::Disputed => {
                return Err(CompleteVisitError::AlreadyCompleted);
            }
            VisitState::Cancelled => return Err(CompleteVisitError::Cancelled),
        }
        let started = self.started_at.ok_or(CompleteVisitError::NotStarted)?;
        // Whoever forgot to finish for longer than a visit can have lasted has to say when it really was.
        let at = at.unwrap_or(now);
        let likely = self.likely_end(started, at, now);
        likely.map_err(CompleteVisitError::Time)?;
        Ok(self.recorded(started, at, policy, now))
    }

    /// The support worker corrects what they wrote down, as long as the client has not answered to it. It is new to
    /// the client then, who has as long for it as for the first.
    ///
    /// A visit that they came to and never said so counts as missed: within a week they can still write it down, where
    /// they could begin it now as far as `broken` goes. It waits for the client to answer then.
    ///
    /// # Errors
    /// See [`CorrectVisitError`].
    pub fn correct(
        &self,
        started: DateTime<Utc>,
        completed: DateTime<Utc>,
        broken: Broken,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Result<Self, CorrectVisitError> {
        let latest = self.until + TimeDelta::days(LATEST_RECORD_DAYS);
        match self.state {
            VisitState::Completed => {}
            VisitState::Missed if self.covered_by.is_some() => {
                return Err(CorrectVisitError::Covered);
            }
            VisitState::Missed if latest < now => return Err(CorrectVisitError::Missed(latest)),
            VisitState::Missed if broken.is_eligible() => {}
            VisitState::Missed => return Err(CorrectVisitError::NotEligible(broken)),
            VisitState::Booked | VisitState::Started => {
                return Err(CorrectVisitError::NotCompleted);
            }
            VisitState::Confirmed => return Err(CorrectVisitError::Confirmed),
            VisitState::Disputed => return Err(CorrectVisitError::Disputed),
            VisitState::Cancelled => return Err(CorrectVisitError::Cancelled),
        }
        let likely = self.likely_start(started, policy, now);
        likely.map_err(CorrectVisitError::Start)?;
        let likely = self.likely_end(started, completed, now);
        likely.map_err(CorrectVisitError::End)?;
        Ok(self.recorded(started, completed, policy, now))
    }

    fn earliest_start(&self) -> DateTime<Utc> {
        self.from - TimeDelta::minutes(EARLY_START_MINUTES)
    }

    fn likely_start(
        &self,
        at: DateTime<Utc>,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Result<(), UnlikelyTime> {
        let earliest = self.earliest_start();
        let latest = self.latest_start(policy);
        first([
            (now < at, UnlikelyTime::Future),
            (at < self.booked_at, UnlikelyTime::BeforeBooking),
            (at < earliest, UnlikelyTime::Early(earliest)),
            (latest < at, UnlikelyTime::Late(latest)),
        ])
    }

    fn likely_end(
        &self,
        started: DateTime<Utc>,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), UnlikelyTime> {
        let booked = TimeDelta::minutes(i64::from(self.details.minutes));
        let latest = started + booked + TimeDelta::hours(LONGEST_OVERRUN_HOURS);
        first([
            (now < at, UnlikelyTime::Future),
            (at < started, UnlikelyTime::BeforeStart),
            (latest < at, UnlikelyTime::TooLong(latest)),
        ])
    }

    fn recorded(
        &self,
        started: DateTime<Utc>,
        completed: DateTime<Utc>,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Self {
        let minutes = whole_minutes(completed - started);
        let after_missed = self.state == VisitState::Missed || self.waits_for_client();
        let (price, unpriced_minutes) =
            (self.rates).price_worked(started, self.details.zone(), minutes);
        let recorded = Self {
            state: VisitState::Completed,
            started_at: Some(started),
            completed_at: Some(completed),
            worked: Some(Worked {
                minutes,
                price,
                unpriced_minutes,
                recorded_at: now,
                after_missed,
                disputable_until: now + TimeDelta::days(i64::from(policy.dispute_days)),
            }),
            ..self.clone()
        };
        recorded.armed(policy, now)
    }
}

fn first<const N: usize>(faults: [(bool, UnlikelyTime); N]) -> Result<(), UnlikelyTime> {
    let fault = faults.into_iter().find(|(holds, _)| *holds);
    fault.map_or(Ok(()), |(_, fault)| Err(fault))
}

/// Half a minute and more counts as one.
fn whole_minutes(lasted: TimeDelta) -> u32 {
    u32::try_from((lasted.num_seconds() + 30) / 60).unwrap_or(0)
}
