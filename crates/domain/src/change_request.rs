//! Change requests: what a client would like to be otherwise about a visit that is booked. It stands as it is
//! booked until a proposal that answers the wish is accepted.

#[cfg(test)]
mod tests;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::access::Acting;
use crate::engagement::Reasoned;
use crate::id::{ChangeRequestId, ClientId, EngagementId, ProposalId, VisitId, WorkerId};
use crate::invalid::{Findings, Invalid};
use crate::money::Price;
use crate::policy::Policy;
use crate::proposal::{Proposal, ProposalState};
use crate::visit::{Times, Visit, VisitDetails, VisitState};
use crate::vocabulary::Vocabulary;

vocabulary! {
    /// Where a change request stands.
    ChangeRequestState {
        Pending = "pending", "Waiting for an answer";
        Proposed = "proposed", "Answered by a proposal";
        Resolved = "resolved", "Resolved";
        Refused = "refused", "Refused";
        Withdrawn = "withdrawn", "Withdrawn";
        Overtaken = "overtaken", "The visit is no longer to come";
    }
}

/// Times that somebody wishes for: local time at the visit's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WishedTimes {
    /// When it would begin: local time at the place, without offset.
    #[schema(example = "2026-12-01T14:00:00", value_type = String)]
    pub starts: NaiveDateTime,
    /// How long it would last.
    #[schema(minimum = 30, maximum = 1440, example = 120)]
    pub minutes: u32,
}

/// What a client is warned of who asks for a change: that it comes late, and what it may cost them under the terms
/// agreed on with the booking, should it come to a cancellation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeWarning {
    /// Of which form of the visit it was given.
    pub sequence: u32,
    /// Whether less time is left than changes are asked to leave.
    pub late: bool,
    /// What a cancellation would cost at this time.
    pub may_cost: Price,
}

/// A client's wish to alter a visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRequest {
    /// Which.
    pub id: ChangeRequestId,
    /// About which visit.
    pub visit: VisitId,
    /// In which engagement.
    pub engagement: EngagementId,
    /// Whose visit.
    pub client: ClientId,
    /// Who is to come to it.
    pub worker: WorkerId,
    /// Of which form of the visit it was asked.
    pub sequence: u32,
    /// Who asked.
    pub asked_by: Acting,
    /// When.
    pub asked_at: DateTime<Utc>,
    /// What was asked for, in words.
    pub wish: String,
    /// The times that would suit, where they are that clear.
    pub times: Option<WishedTimes>,
    /// What the client was warned of and acknowledged.
    pub warning: Option<ChangeWarning>,
    /// Where it stands, as far as people have said; see [`ChangeRequest::state_of`].
    pub state: ChangeRequestState,
    /// The proposal that answers it.
    pub proposal: Option<ProposalId>,
    /// Who refused it, and why.
    pub refusal: Option<Reasoned>,
    /// When it was resolved, refused or withdrawn.
    pub closed_at: Option<DateTime<Utc>>,
}

/// What a client asks for.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The id it gets.
    pub id: ChangeRequestId,
    /// Who asks.
    pub acting: Acting,
    /// In words.
    pub text: String,
    /// The times that would suit.
    pub times: Option<WishedTimes>,
    /// The warning that they have seen.
    pub acknowledged: Option<ChangeWarning>,
}

/// Why no change can be asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskForChangeError {
    /// The visit is no longer to come.
    #[error("the visit is no longer to come")]
    NotBooked,
    /// The visit should have begun.
    #[error("the visit's time has come")]
    TimeHasCome,
    /// Another wish waits for an answer.
    #[error(
        "a change to this visit has been asked for already; withdraw that request to make another"
    )]
    AlreadyAsked(ChangeRequestId),
    /// What was asked for has faults.
    #[error("what is asked for is not right")]
    Invalid(Vec<Invalid>),
    /// It is late, or may cost something, and the caller has not acknowledged exactly that.
    #[error(
        "a change asked for now may cost something; acknowledge the warning to ask for it all the same"
    )]
    Warning(ChangeWarning),
}

/// Why nothing more can become of a change request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChangeRequestNotOpen {
    /// The visit was changed.
    #[error("the request was resolved")]
    Resolved,
    /// It was refused.
    #[error("the request was refused")]
    Refused,
    /// The client withdrew it.
    #[error("the request was withdrawn")]
    Withdrawn,
    /// The visit was cancelled, or has begun.
    #[error("the visit is no longer to come")]
    Overtaken,
}

/// Why a change request cannot be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefuseChangeError {
    /// It is closed.
    #[error(transparent)]
    NotOpen(#[from] ChangeRequestNotOpen),
    /// A proposal answers it.
    #[error("a proposal answers the request; withdraw that to refuse the request")]
    Proposed,
}

/// Why a change request cannot be withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WithdrawChangeError {
    /// It is closed.
    #[error(transparent)]
    NotOpen(#[from] ChangeRequestNotOpen),
}

impl WishedTimes {
    /// The times, as instants, of a visit that is otherwise as `visit`; none where that cannot be. Adds whatever is
    /// wrong under `pointer`.
    pub fn find_faults(
        &self,
        visit: &VisitDetails,
        pointer: &str,
        policy: &Policy,
        now: DateTime<Utc>,
        findings: &mut Findings,
    ) -> Option<Times> {
        let wished = VisitDetails {
            starts: self.starts,
            minutes: self.minutes,
            ..visit.clone()
        };
        wished.find_faults(pointer, policy, now, findings)
    }
}

impl Visit {
    /// What a client is to be warned of who asks for a change at `now`, if anything: it is late once less time
    /// really passes until its beginning than the policy of the booking asks for, and costs something whenever a
    /// cancellation would.
    #[must_use]
    pub fn change_warning(&self, now: DateTime<Utc>) -> Option<ChangeWarning> {
        let late = self.is_at_short_notice(now);
        let warned = late || self.cancellation_terms.charges(now);
        warned.then(|| ChangeWarning {
            sequence: self.sequence,
            late,
            may_cost: self.cancellation_terms.charge(self.price.total, now),
        })
    }

    /// The client, or somebody who acts for them, would like it to be otherwise. Asking is free; where it is late or
    /// could come to cost something, the caller has to have seen exactly that.
    ///
    /// # Errors
    /// See [`AskForChangeError`].
    pub fn ask_for_change(
        &self,
        wish: Wish,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Result<(Self, ChangeRequest), AskForChangeError> {
        let mut findings = Findings::default();
        findings.text("/wish", &wish.text, 1, 500);
        if let Some(times) = wish.times {
            times.find_faults(&self.details, "/times", policy, now, &mut findings);
        }
        findings.into_result().map_err(AskForChangeError::Invalid)?;
        if self.state != VisitState::Booked {
            return Err(AskForChangeError::NotBooked);
        }
        if self.from <= now {
            return Err(AskForChangeError::TimeHasCome);
        }
        if let Some(open) = self.change_request {
            return Err(AskForChangeError::AlreadyAsked(open));
        }
        let warning = self.change_warning(now);
        if let Some(warning) = warning.filter(|warning| wish.acknowledged != Some(*warning)) {
            return Err(AskForChangeError::Warning(warning));
        }
        let request = ChangeRequest {
            id: wish.id,
            visit: self.id,
            engagement: self.engagement,
            client: self.client,
            worker: self.worker,
            sequence: self.sequence,
            asked_by: wish.acting,
            asked_at: now,
            wish: wish.text.trim().to_owned(),
            times: wish.times,
            warning,
            state: ChangeRequestState::Pending,
            proposal: None,
            refusal: None,
            closed_at: None,
        };
        let visit = Self {
            change_request: Some(request.id),
            ..self.clone()
        };
        Ok((visit, request))
    }

    /// The visit without the mark of a request that is closed.
    #[must_use]
    pub fn without_change_request(&self, request: ChangeRequestId) -> Self {
        Self {
            change_request: self.change_request.filter(|open| *open != request),
            ..self.clone()
        }
    }
}

impl ChangeRequest {
    /// Where it stands, as its visit is at `now`: nothing can become of it any more once that is no longer to come.
    #[must_use]
    pub fn state_of(&self, visit: &Visit, now: DateTime<Utc>) -> ChangeRequestState {
        let to_come = visit.state == VisitState::Booked && now < visit.from;
        match self.state {
            ChangeRequestState::Pending | ChangeRequestState::Proposed if !to_come => {
                ChangeRequestState::Overtaken
            }
            state => state,
        }
    }

    /// Whether anything can still become of it; whether a proposal answers it.
    fn must_be_open(
        &self,
        visit: &Visit,
        now: DateTime<Utc>,
    ) -> Result<bool, ChangeRequestNotOpen> {
        match self.state_of(visit, now) {
            ChangeRequestState::Pending => Ok(false),
            ChangeRequestState::Proposed => Ok(true),
            ChangeRequestState::Resolved => Err(ChangeRequestNotOpen::Resolved),
            ChangeRequestState::Refused => Err(ChangeRequestNotOpen::Refused),
            ChangeRequestState::Withdrawn => Err(ChangeRequestNotOpen::Withdrawn),
            ChangeRequestState::Overtaken => Err(ChangeRequestNotOpen::Overtaken),
        }
    }

    /// The support worker cannot do it.
    ///
    /// # Errors
    /// See [`RefuseChangeError`].
    pub fn refuse(&self, visit: &Visit, why: Reasoned) -> Result<Self, RefuseChangeError> {
        if self.must_be_open(visit, why.at)? {
            return Err(RefuseChangeError::Proposed);
        }
        let at = why.at;
        Ok(Self {
            refusal: Some(why),
            ..self.closed(ChangeRequestState::Refused, at)
        })
    }

    /// The client would rather leave the visit as it is. A proposal that answers the request cannot be accepted any
    /// more.
    ///
    /// # Errors
    /// See [`WithdrawChangeError`].
    pub fn withdraw(&self, visit: &Visit, now: DateTime<Utc>) -> Result<Self, WithdrawChangeError> {
        self.must_be_open(visit, now)?;
        Ok(self.closed(ChangeRequestState::Withdrawn, now))
    }

    /// What comes of it with a proposal that was just made for it, which answers it from now on; none where it is
    /// closed.
    #[must_use]
    pub fn answered_by(&self, proposal: &Proposal) -> Option<Self> {
        self.is_open().then(|| Self {
            state: ChangeRequestState::Proposed,
            proposal: Some(proposal.id),
            ..self.clone()
        })
    }

    /// What comes of it with a proposal for it that has changed, as that stands now; none where nothing does: it is
    /// closed, another proposal answers it, or this one is still open and so what it was to it.
    #[must_use]
    pub fn follow(&self, proposal: &Proposal) -> Option<Self> {
        let at = proposal.closed_at.unwrap_or(self.asked_at);
        let theirs = self.proposal == Some(proposal.id);
        let next = match proposal.state {
            ProposalState::Accepted => Self {
                proposal: Some(proposal.id),
                ..self.closed(ChangeRequestState::Resolved, at)
            },
            ProposalState::Declined if theirs => Self {
                refusal: proposal.refusal.clone(),
                ..self.closed(ChangeRequestState::Refused, at)
            },
            ProposalState::Lapsed if theirs => self.closed(ChangeRequestState::Refused, at),
            ProposalState::Withdrawn if theirs => Self {
                state: ChangeRequestState::Pending,
                proposal: None,
                ..self.clone()
            },
            ProposalState::Open
            | ProposalState::Declined
            | ProposalState::Lapsed
            | ProposalState::Withdrawn => return None,
        };
        self.is_open().then_some(next)
    }

    const fn is_open(&self) -> bool {
        match self.state {
            ChangeRequestState::Pending | ChangeRequestState::Proposed => true,
            ChangeRequestState::Resolved
            | ChangeRequestState::Refused
            | ChangeRequestState::Withdrawn
            | ChangeRequestState::Overtaken => false,
        }
    }

    fn closed(&self, state: ChangeRequestState, at: DateTime<Utc>) -> Self {
        Self {
            state,
            closed_at: Some(at),
            ..self.clone()
        }
    }
}
