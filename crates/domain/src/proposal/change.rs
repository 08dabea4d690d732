//! Proposals that change a visit which is booked: it stands as it is until the client accepts.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Conditions, Proposal, ProposeVisitError};
use crate::access::Acting;
use crate::engagement::Engagement;
use crate::id::{ChangeRequestId, ProposalId, VisitId};
use crate::policy::Policy;
use crate::visit::{Booking, Visit, VisitDetails, VisitState};

/// The booked visit that a proposal would change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Change {
    /// Which.
    pub visit: VisitId,
    /// Of which form of it the proposal was made: once it has been changed again, or cancelled, the proposal cannot
    /// be accepted any more.
    pub sequence: u32,
    /// When it begins as it is booked.
    pub from: DateTime<Utc>,
    /// The wish of the client's that the proposal answers, if it does.
    pub request: Option<ChangeRequestId>,
}

/// Why no change of a visit can be proposed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProposeChangeError {
    /// It is no longer to come.
    #[error("the visit is no longer to come")]
    NotBooked,
    /// It should have begun.
    #[error("the visit's time has come")]
    TimeHasCome,
    /// What it would be changed to cannot be proposed.
    #[error(transparent)]
    Visit(#[from] ProposeVisitError),
}

/// Why a visit is not changed as was proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChangeVisitError {
    /// It has been changed, cancelled or begun since, or somebody else comes to it.
    #[error("the visit is no longer what it was when this change was proposed")]
    NotAsProposed,
}

impl Proposal {
    /// The support worker proposes that a booked visit take place otherwise; `visit` is what it would be then.
    ///
    /// # Errors
    /// See [`ProposeChangeError`].
    pub fn propose_change(
        id: ProposalId,
        booked: &Visit,
        engagement: &Engagement,
        visit: VisitDetails,
        acting: Acting,
        under: Conditions<'_>,
        now: DateTime<Utc>,
    ) -> Result<Self, ProposeChangeError> {
        if booked.state != VisitState::Booked {
            return Err(ProposeChangeError::NotBooked);
        }
        if booked.from <= now {
            return Err(ProposeChangeError::TimeHasCome);
        }
        let change = Change {
            visit: booked.id,
            sequence: booked.sequence,
            from: booked.from,
            request: booked.change_request,
        };
        let proposed = visit.into();
        let made = Self::propose_for(id, Some(change), engagement, proposed, acting, under, now)?;
        Ok(made)
    }
}

impl Change {
    /// Whether a visit is still what it was when the change was proposed.
    #[must_use]
    pub fn applies_to(&self, visit: &Visit) -> bool {
        visit.state == VisitState::Booked
            && (visit.id, visit.sequence) == (self.visit, self.sequence)
    }
}

impl Visit {
    /// The visit as an accepted proposal changes it: the same one, under the next sequence number.
    ///
    /// # Errors
    /// See [`ChangeVisitError`].
    pub fn change(
        &self,
        accepted: &Proposal,
        booking: Booking,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Result<Self, ChangeVisitError> {
        let change = accepted.changes.filter(|change| change.applies_to(self));
        let change = change.filter(|_| accepted.engagement == self.engagement);
        let change = change.ok_or(ChangeVisitError::NotAsProposed)?;
        let waiting = self.change_request;
        let changed = Self {
            sequence: self.sequence.saturating_add(1),
            deadline_generation: self.deadline_generation,
            cover: self.cover,
            series: self.series,
            covers: self.covers,
            change_request: waiting.filter(|waiting| change.request != Some(*waiting)),
            ..Self::book(accepted, &accepted.current, booking, policy, now)
        };
        Ok(changed.armed(policy, now))
    }
}
