//! Beginning, asking, answering, confirming and everything else that becomes of a search.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Asked, CanBeAsked, Cover, CoverAnswer, CoverCause, CoverState, LeftOut, MOST_ASKED, WhyUnfilled,
};
use crate::access::Acting;
use crate::engagement::Reasoned;
use crate::id::{CoverId, VisitId, WorkerId};
use crate::invalid::{Findings, Invalid};
use crate::policy::Policy;
use crate::visit::{Visit, VisitState};

/// Why nobody else is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BeginCoverError {
    /// It has begun.
    #[error("the visit has begun")]
    Begun,
    /// Its time is over.
    #[error("the visit's time is over")]
    Over,
    /// It does not take place.
    #[error("the visit was cancelled")]
    Cancelled,
    /// Visits between the two were stopped: whether anybody goes there, staff decide.
    #[error("visits were stopped; talk to our staff")]
    Stopped,
    /// Somebody else is looked for already.
    #[error("somebody else is looked for already")]
    Sought,
}

/// The search has come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CoverClosed {
    /// Somebody else comes.
    #[error("somebody else comes to the visit")]
    Taken,
    /// Nobody was found.
    #[error("nobody is looked for any more")]
    Over,
}

/// Why somebody who was asked cannot accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AcceptCoverError {
    /// They were not asked.
    #[error("they were not asked")]
    NotAsked,
    /// They have answered.
    #[error("this was answered already")]
    Answered,
    /// Somebody else was first, or the search is over.
    #[error(transparent)]
    Closed(#[from] CoverClosed),
}

/// Why somebody who was asked cannot decline.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeclineCoverError {
    /// They were not asked.
    #[error("they were not asked")]
    NotAsked,
    /// They have declined, or the client did not want them.
    #[error("this was answered already")]
    Answered,
    /// The search is over.
    #[error(transparent)]
    Closed(#[from] CoverClosed),
    /// The reason will not do.
    #[error("the reason is not right")]
    Invalid(Vec<Invalid>),
}

/// Why the client cannot confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConfirmCoverError {
    /// Nobody has accepted.
    #[error("nobody has said yet that they can come")]
    NobodyYet,
    /// Somebody else could come than the client saw.
    #[error("somebody else could come by now; look at who it is before confirming")]
    SomebodyElse,
    /// The search is over.
    #[error(transparent)]
    Closed(#[from] CoverClosed),
}

/// Why the client cannot refuse somebody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefuseCoverError {
    /// As for confirming.
    #[error(transparent)]
    Confirm(#[from] ConfirmCoverError),
    /// The reason will not do.
    #[error("the reason is not right")]
    Invalid(Vec<Invalid>),
}

/// Why a search is not withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WithdrawCoverError {
    /// It is over.
    #[error(transparent)]
    Closed(#[from] CoverClosed),
}

/// Why a search does not go on by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PassCoverDeadlineError {
    /// Another deadline has taken its place, or the search is over.
    #[error("another deadline has taken its place")]
    Superseded,
    /// It comes too early.
    #[error("due at {0}")]
    Early(DateTime<Utc>),
}

impl Cover {
    /// Begins to look for somebody else to come to `visit`.
    ///
    /// # Errors
    /// See [`BeginCoverError`].
    pub fn begin(
        id: CoverId,
        visit: &Visit,
        cause: CoverCause,
        asked_for: Option<Reasoned>,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Result<Self, BeginCoverError> {
        match visit.state {
            VisitState::Booked => {}
            VisitState::Cancelled
                if visit.was_called_off_by_worker() && visit.covered_by.is_none() => {}
            VisitState::Cancelled => return Err(BeginCoverError::Cancelled),
            VisitState::Started => return Err(BeginCoverError::Begun),
            VisitState::Completed
            | VisitState::Confirmed
            | VisitState::Disputed
            | VisitState::Missed => return Err(BeginCoverError::Over),
        }
        if visit.until <= now {
            return Err(BeginCoverError::Over);
        }
        // Where there is hardly time before it begins, whoever comes late is better than nobody.
        let two_waves = wave(policy) + wave(policy);
        let in_time = now + two_waves <= visit.from;
        Ok(Self {
            id,
            visit: visit.id,
            engagement: visit.engagement,
            client: visit.client,
            worker: visit.worker,
            before: Vec::new(),
            cause,
            asked_for,
            details: visit.details.clone(),
            suburb: visit.suburb.clone(),
            from: visit.from,
            until: visit.until,
            state: CoverState::Seeking,
            begun_at: now,
            lasts_until: if in_time { visit.from } else { visit.until },
            asked: Vec::new(),
            waves: 0,
            last_call: false,
            deadline: Some(now),
            deadline_generation: 1,
            taken_by: None,
            booked: None,
            unfilled: None,
            withdrawal: None,
            closed_at: None,
        })
    }

    /// Whether somebody is still wanted for what has become of the visit: it has neither begun, nor was it moved, nor
    /// did anybody but its support worker, or the service for them, take it back.
    #[must_use]
    pub fn is_wanted_for(&self, visit: &Visit) -> bool {
        let same = visit.details == self.details && visit.covered_by.is_none();
        same && match visit.state {
            VisitState::Booked | VisitState::Missed => true,
            VisitState::Cancelled => visit.was_called_off_by_worker(),
            VisitState::Started
            | VisitState::Completed
            | VisitState::Confirmed
            | VisitState::Disputed => false,
        }
    }

    /// Whether the deadline of this generation has come.
    ///
    /// # Errors
    /// See [`PassCoverDeadlineError`].
    pub fn must_be_due(
        &self,
        generation: u32,
        now: DateTime<Utc>,
    ) -> Result<(), PassCoverDeadlineError> {
        let armed = self
            .deadline
            .filter(|_| generation == self.deadline_generation);
        let at = armed.ok_or(PassCoverDeadlineError::Superseded)?;
        if now < at {
            return Err(PassCoverDeadlineError::Early(at));
        }
        Ok(())
    }

    /// Goes on as its deadline has come: asks whoever was `found`, gives those who were asked more time where nobody
    /// is left to ask, or gives up.
    #[must_use]
    pub fn go_on(
        &self,
        found: &[CanBeAsked],
        left_out: LeftOut,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Self {
        if self.lasts_until <= now || self.state == CoverState::Accepted {
            return self.give_up(left_out, now);
        }
        let room = MOST_ASKED.saturating_sub(self.asked.len());
        let new: Vec<&CanBeAsked> = found
            .iter()
            .filter(|found| self.may_ask(found.worker))
            .take(room)
            .collect();
        if !new.is_empty() {
            let number = self.waves.saturating_add(1);
            let mut next = self.clone();
            next.waves = number;
            next.last_call = false;
            next.asked.extend(new.into_iter().map(|new| Asked {
                worker: new.worker,
                known: new.known,
                wave: number,
                at: now,
                answer: CoverAnswer::Open,
                answered_by: None,
                reason: None,
            }));
            return next.rescheduled(Some(now + wave(policy)));
        }
        let silent = self.count(CoverAnswer::Open) > 0;
        if silent && !self.last_call {
            let half = (self.from - now) / 2;
            let next = Self {
                last_call: true,
                ..self.clone()
            };
            return next.rescheduled(Some(now + half.max(wave(policy))));
        }
        self.give_up(left_out, now)
    }

    /// Somebody who was asked can come: the first who says so is the one.
    ///
    /// # Errors
    /// See [`AcceptCoverError`].
    pub fn accept(&self, worker: WorkerId, by: Acting) -> Result<Self, AcceptCoverError> {
        let asked = self.asked(worker).ok_or(AcceptCoverError::NotAsked)?;
        match asked.answer {
            CoverAnswer::Open => {}
            CoverAnswer::Accepted | CoverAnswer::Declined | CoverAnswer::Refused => {
                return Err(AcceptCoverError::Answered);
            }
        }
        match self.state {
            CoverState::Seeking => {}
            CoverState::Accepted => return Err(CoverClosed::Taken.into()),
            CoverState::Covered | CoverState::Unfilled | CoverState::Withdrawn => {
                return Err(self.closed_as().into());
            }
        }
        let next = self.answered(worker, CoverAnswer::Accepted, Some(by), None);
        // INVARIANT: one at a time, since whoever accepts writes this record as it was while nobody had.
        let next = Self {
            state: CoverState::Accepted,
            taken_by: Some(worker),
            ..next
        };
        Ok(next.rescheduled(Some(self.lasts_until)))
    }

    /// Somebody who was asked cannot come, or no longer.
    ///
    /// # Errors
    /// See [`DeclineCoverError`].
    pub fn decline(
        &self,
        worker: WorkerId,
        by: Acting,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<Self, DeclineCoverError> {
        let asked = self.asked(worker).ok_or(DeclineCoverError::NotAsked)?;
        let was = asked.answer;
        if !self.is_live() {
            return Err(self.closed_as().into());
        }
        let reason = reason_of(reason).map_err(DeclineCoverError::Invalid)?;
        let next = self.answered(worker, CoverAnswer::Declined, Some(by), Some(reason));
        match was {
            CoverAnswer::Open if self.state == CoverState::Seeking && next.everybody_answered() => {
                Ok(next.rescheduled(Some(now)))
            }
            CoverAnswer::Open => Ok(next),
            CoverAnswer::Accepted => Ok(next.seeking_on(now)),
            CoverAnswer::Declined | CoverAnswer::Refused => Err(DeclineCoverError::Answered),
        }
    }

    /// The client would rather have somebody else than `worker`, who could come.
    ///
    /// # Errors
    /// See [`RefuseCoverError`].
    pub fn refuse(
        &self,
        worker: WorkerId,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<Self, RefuseCoverError> {
        self.must_wait_for_client(worker)?;
        let reason = reason_of(reason).map_err(RefuseCoverError::Invalid)?;
        let next = self.answered(worker, CoverAnswer::Refused, None, Some(reason));
        Ok(next.seeking_on(now))
    }

    /// Whether the client can say yes or no to `worker`, who could come.
    ///
    /// # Errors
    /// See [`ConfirmCoverError`].
    pub fn must_wait_for_client(&self, worker: WorkerId) -> Result<(), ConfirmCoverError> {
        match self.state {
            CoverState::Accepted if self.taken_by == Some(worker) => Ok(()),
            CoverState::Accepted => Err(ConfirmCoverError::SomebodyElse),
            CoverState::Seeking => Err(ConfirmCoverError::NobodyYet),
            CoverState::Covered | CoverState::Unfilled | CoverState::Withdrawn => {
                Err(self.closed_as().into())
            }
        }
    }

    /// Whoever accepted comes: `booked` is their visit.
    ///
    /// # Errors
    /// See [`ConfirmCoverError`].
    pub fn book(
        &self,
        worker: WorkerId,
        booked: VisitId,
        now: DateTime<Utc>,
    ) -> Result<Self, ConfirmCoverError> {
        self.must_wait_for_client(worker)?;
        Ok(Self {
            booked: Some(booked),
            ..self.closed(CoverState::Covered, now)
        })
    }

    /// Nobody is looked for any more; `why` where somebody says so.
    ///
    /// # Errors
    /// See [`WithdrawCoverError`].
    pub fn withdraw(
        &self,
        why: Option<Reasoned>,
        now: DateTime<Utc>,
    ) -> Result<Self, WithdrawCoverError> {
        if !self.is_live() {
            return Err(self.closed_as().into());
        }
        Ok(Self {
            withdrawal: why,
            ..self.closed(CoverState::Withdrawn, now)
        })
    }

    fn give_up(&self, left_out: LeftOut, now: DateTime<Utc>) -> Self {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let known = self.asked.iter().filter(|asked| asked.known).count();
        let why = WhyUnfilled {
            asked: number(self.asked.len()),
            known: number(known),
            declined: number(self.count(CoverAnswer::Declined)),
            silent: number(self.count(CoverAnswer::Open)),
            refused: number(self.count(CoverAnswer::Refused)),
            not_confirmed: self.state == CoverState::Accepted,
            left_out,
        };
        Self {
            unfilled: Some(why),
            ..self.closed(CoverState::Unfilled, now)
        }
    }

    fn seeking_on(self, now: DateTime<Utc>) -> Self {
        let next = Self {
            state: CoverState::Seeking,
            taken_by: None,
            ..self
        };
        next.rescheduled(Some(now))
    }

    fn answered(
        &self,
        worker: WorkerId,
        answer: CoverAnswer,
        by: Option<Acting>,
        reason: Option<String>,
    ) -> Self {
        let mut next = self.clone();
        for asked in &mut next.asked {
            if asked.worker == worker {
                asked.answer = answer;
                asked.answered_by = by.or(asked.answered_by);
                asked.reason.clone_from(&reason);
            }
        }
        next
    }

    fn everybody_answered(&self) -> bool {
        self.count(CoverAnswer::Open) == 0
    }

    fn count(&self, answer: CoverAnswer) -> usize {
        let given = self.asked.iter().filter(|asked| asked.answer == answer);
        given.count()
    }

    fn closed(&self, state: CoverState, now: DateTime<Utc>) -> Self {
        let next = Self {
            state,
            closed_at: Some(now),
            ..self.clone()
        };
        next.rescheduled(None)
    }

    const fn closed_as(&self) -> CoverClosed {
        match self.state {
            CoverState::Seeking | CoverState::Accepted | CoverState::Covered => CoverClosed::Taken,
            CoverState::Unfilled | CoverState::Withdrawn => CoverClosed::Over,
        }
    }

    /// With another deadline: never after the search has to end.
    fn rescheduled(self, deadline: Option<DateTime<Utc>>) -> Self {
        Self {
            deadline: deadline.map(|at| at.min(self.lasts_until)),
            deadline_generation: self.deadline_generation.saturating_add(1),
            ..self
        }
    }
}

fn wave(policy: &Policy) -> TimeDelta {
    TimeDelta::minutes(i64::from(policy.cover_wave_minutes))
}

fn reason_of(reason: &str) -> Result<String, Vec<Invalid>> {
    let mut findings = Findings::default();
    findings.text("/reason", reason, 1, 500);
    findings.into_result()?;
    Ok(reason.trim().to_owned())
}
