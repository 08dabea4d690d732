//! What becomes of a candidate once the list is released.

use chrono::{DateTime, TimeDelta, Utc};

use super::{CandidateState, Invitation, QuestionState};
use crate::access::Acting;
use crate::id::{CandidateId, ClientId, EngagementId, InvitationId, MatchRequestId, WorkerId};
use crate::invalid::{Findings, Invalid};
use crate::policy::Policy;

/// Who is a candidate for what: all there is before the client's first step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidacy {
    /// The id that an invitation gets.
    pub id: InvitationId,
    /// The id that the client knows the candidate by.
    pub candidate: CandidateId,
    /// For which request.
    pub match_request: MatchRequestId,
    /// Whose request.
    pub client: ClientId,
    /// Who the candidate is.
    pub worker: WorkerId,
    /// Whether the two know each other already.
    pub open: bool,
}

/// Why a candidate cannot be invited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InviteCandidateError {
    /// Is invited, and has not answered yet.
    #[error("this candidate is invited already")]
    Invited,
    /// The client passed them over.
    #[error("this candidate was passed over")]
    Passed,
    /// The client withdrew an invitation.
    #[error("the invitation of this candidate was withdrawn")]
    Withdrawn,
    /// Has accepted.
    #[error("this candidate has accepted")]
    Accepted,
    /// Has declined or let it lapse: the client is not told which.
    #[error("this candidate is not available")]
    NotAvailable,
}

/// Why a candidate cannot be passed over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PassCandidateError {
    /// Is invited: that is withdrawn, not passed.
    #[error("this candidate is invited; withdraw the invitation instead")]
    Invited,
    /// Has come to an end with this request.
    #[error("this candidate cannot be passed over any more")]
    Over,
    /// Why is not said well.
    #[error("the reason is not right")]
    Invalid(Vec<Invalid>),
}

/// Why an invitation cannot be withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WithdrawInvitationError {
    /// There is none that waits for an answer.
    #[error("there is no invitation that waits for an answer")]
    NotInvited,
}

/// Why an invitation cannot be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AcceptInvitationError {
    /// Was answered, has lapsed or was withdrawn.
    #[error("the invitation does not wait for an answer any more")]
    NotOpen,
    /// The time to answer is over.
    #[error("the time to answer the invitation is over")]
    Expired,
}

/// Why an invitation cannot be declined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeclineInvitationError {
    /// Was answered, has lapsed or was withdrawn.
    #[error("the invitation does not wait for an answer any more")]
    NotOpen,
    /// The time to answer is over.
    #[error("the time to answer the invitation is over")]
    Expired,
    /// Why is not said well.
    #[error("the reason is not right")]
    Invalid(Vec<Invalid>),
}

/// Why an invitation does not lapse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LapseInvitationError {
    /// It does not wait for an answer, or another deadline took this one's place.
    #[error("another deadline has taken its place")]
    Superseded,
    /// There is still time.
    #[error("due at {0}")]
    Early(DateTime<Utc>),
}

/// Why staff cannot put a candidate back to where they can be invited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReverseCandidateError {
    /// They can be invited as it is.
    #[error("this candidate can be invited as it is")]
    Presented,
    /// An invitation waits for an answer: the client can withdraw it.
    #[error("an invitation waits for an answer; the client can withdraw it")]
    Invited,
    /// An engagement was opened: that can be ended, not undone.
    #[error("an engagement was opened; it can be ended, but not undone here")]
    Accepted,
}

impl Invitation {
    /// A candidate whom nothing has been decided about yet.
    #[must_use]
    pub const fn presented(candidacy: Candidacy, by: Acting, now: DateTime<Utc>) -> Self {
        let Candidacy {
            id,
            candidate,
            match_request,
            client,
            worker,
            open,
        } = candidacy;
        Self {
            id,
            candidate,
            match_request,
            client,
            worker,
            open,
            state: CandidateState::Presented,
            by,
            answered_by: None,
            invited_at: None,
            answer_by: None,
            deadline_generation: 0,
            changed_at: now,
            reason: None,
            questions: Vec::new(),
            engagement: None,
            policy_version: 0,
        }
    }

    /// The client invites the candidate, who has as long as the policy gives to answer.
    ///
    /// # Errors
    /// When something has been decided about them, which staff have not reversed.
    pub fn invite(
        &self,
        by: Acting,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Result<Self, InviteCandidateError> {
        match self.state {
            CandidateState::Presented => {}
            CandidateState::Invited => return Err(InviteCandidateError::Invited),
            CandidateState::Passed => return Err(InviteCandidateError::Passed),
            CandidateState::Withdrawn => return Err(InviteCandidateError::Withdrawn),
            CandidateState::Accepted => return Err(InviteCandidateError::Accepted),
            CandidateState::Declined | CandidateState::Lapsed => {
                return Err(InviteCandidateError::NotAvailable);
            }
        }
        let wait = TimeDelta::hours(i64::from(policy.invitation_answer_hours));
        Ok(Self {
            state: CandidateState::Invited,
            by,
            answered_by: None,
            invited_at: Some(now),
            answer_by: Some(now + wait),
            deadline_generation: self.deadline_generation.saturating_add(1),
            changed_at: now,
            policy_version: policy.version,
            ..self.clone()
        })
    }

    /// The client passes the candidate over; why is for staff alone.
    ///
    /// # Errors
    /// When something else has been decided about them, or without a reason.
    pub fn pass(
        &self,
        by: Acting,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<Self, PassCandidateError> {
        match self.state {
            CandidateState::Presented => {}
            CandidateState::Invited => return Err(PassCandidateError::Invited),
            CandidateState::Passed
            | CandidateState::Accepted
            | CandidateState::Declined
            | CandidateState::Lapsed
            | CandidateState::Withdrawn => return Err(PassCandidateError::Over),
        }
        Ok(Self {
            by,
            reason: Some(reason_of(reason).map_err(PassCandidateError::Invalid)?),
            ..self.ended(CandidateState::Passed, now)
        })
    }

    /// An unanswered invitation is taken back: by the client, or because the request has come to its end.
    ///
    /// # Errors
    /// When none waits for an answer.
    pub fn withdraw(&self, now: DateTime<Utc>) -> Result<Self, WithdrawInvitationError> {
        match self.state {
            CandidateState::Invited => Ok(self.ended(CandidateState::Withdrawn, now)),
            CandidateState::Presented
            | CandidateState::Passed
            | CandidateState::Accepted
            | CandidateState::Declined
            | CandidateState::Lapsed
            | CandidateState::Withdrawn => Err(WithdrawInvitationError::NotInvited),
        }
    }

    /// The support worker accepts, which opens `engagement`.
    ///
    /// # Errors
    /// When it does not wait for an answer, or no longer.
    pub fn accept(
        &self,
        by: Acting,
        engagement: EngagementId,
        now: DateTime<Utc>,
    ) -> Result<Self, AcceptInvitationError> {
        match self.waits_for_answer(now) {
            Waiting::Yes => Ok(Self {
                answered_by: Some(by),
                engagement: Some(engagement),
                ..self.ended(CandidateState::Accepted, now)
            }),
            Waiting::Expired => Err(AcceptInvitationError::Expired),
            Waiting::No => Err(AcceptInvitationError::NotOpen),
        }
    }

    /// The support worker declines; why is for staff alone.
    ///
    /// # Errors
    /// When it does not wait for an answer, or no longer, or without a reason.
    pub fn decline(
        &self,
        by: Acting,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<Self, DeclineInvitationError> {
        match self.waits_for_answer(now) {
            Waiting::Yes => Ok(Self {
                answered_by: Some(by),
                reason: Some(reason_of(reason).map_err(DeclineInvitationError::Invalid)?),
                ..self.ended(CandidateState::Declined, now)
            }),
            Waiting::Expired => Err(DeclineInvitationError::Expired),
            Waiting::No => Err(DeclineInvitationError::NotOpen),
        }
    }

    /// The time to answer is over.
    ///
    /// # Errors
    /// When the deadline of this generation counts no more, or has not come.
    pub fn lapse(&self, generation: u32, now: DateTime<Utc>) -> Result<Self, LapseInvitationError> {
        let answer_by = match (self.state, self.answer_by) {
            (CandidateState::Invited, Some(answer_by))
                if generation == self.deadline_generation =>
            {
                answer_by
            }
            _ => return Err(LapseInvitationError::Superseded),
        };
        if now < answer_by {
            return Err(LapseInvitationError::Early(answer_by));
        }
        Ok(self.ended(CandidateState::Lapsed, now))
    }

    /// Staff put a candidate back to where they can be invited, because something was done by mistake.
    ///
    /// # Errors
    /// Where there is nothing that staff can reverse.
    pub fn reverse(&self, now: DateTime<Utc>) -> Result<Self, ReverseCandidateError> {
        match self.state {
            CandidateState::Passed
            | CandidateState::Declined
            | CandidateState::Lapsed
            | CandidateState::Withdrawn => Ok(Self {
                answered_by: None,
                answer_by: None,
                deadline_generation: self.deadline_generation.saturating_add(1),
                reason: None,
                ..self.ended(CandidateState::Presented, now)
            }),
            CandidateState::Presented => Err(ReverseCandidateError::Presented),
            CandidateState::Invited => Err(ReverseCandidateError::Invited),
            CandidateState::Accepted => Err(ReverseCandidateError::Accepted),
        }
    }

    /// In another state. What still waited for staff is passed on no more.
    fn ended(&self, state: CandidateState, now: DateTime<Utc>) -> Self {
        let mut next = self.clone();
        next.state = state;
        next.changed_at = now;
        for question in &mut next.questions {
            if question.waits_for_staff() {
                question.state = QuestionState::Refused;
            }
        }
        next
    }

    pub(super) fn waits_for_answer(&self, now: DateTime<Utc>) -> Waiting {
        match (self.state, self.answer_by) {
            (CandidateState::Invited, Some(answer_by)) if now < answer_by => Waiting::Yes,
            (CandidateState::Invited, _) => Waiting::Expired,
            _ => Waiting::No,
        }
    }
}

/// Whether an invitation waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiting {
    Yes,
    Expired,
    No,
}

fn reason_of(reason: &str) -> Result<String, Vec<Invalid>> {
    let mut findings = Findings::default();
    findings.text("/reason", reason, 1, 500);
    findings.into_result()?;
    Ok(reason.trim().to_owned())
}
