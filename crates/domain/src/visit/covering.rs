//! Booking somebody else in a visit's place.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{Visit, VisitState};
use crate::access::Acting;
use crate::id::{EngagementId, PersonId, VisitId, WorkerId};
use crate::policy::Policy;

/// Who comes in the place of a visit's support worker.
#[derive(Debug, Clone)]
pub struct CoverBooking {
    /// The id that the booked visit gets.
    pub id: VisitId,
    /// Their engagement with the client.
    pub engagement: EngagementId,
    /// Who they are.
    pub worker: WorkerId,
    /// Who had the last word.
    pub acting: Acting,
    /// Whose busy sheets it goes on.
    pub booked_for: BTreeSet<PersonId>,
}

impl Visit {
    /// What somebody else is booked for who comes in this visit's place: the same time, place and price, on the same
    /// terms.
    ///
    /// INVARIANT: the client pays no more than they agreed to.
    #[must_use]
    pub fn covered_as(&self, booking: CoverBooking, policy: &Policy, now: DateTime<Utc>) -> Self {
        let booked = Self {
            id: booking.id,
            engagement: booking.engagement,
            client: self.client,
            worker: booking.worker,
            proposal: self.proposal,
            revision: self.revision,
            details: self.details.clone(),
            suburb: self.suburb.clone(),
            from: self.from,
            until: self.until,
            state: VisitState::Booked,
            booked_by: booking.acting,
            booked_at: now,
            started_at: None,
            completed_at: None,
            cancellation: None,
            terms_version: self.terms_version,
            price: self.price.clone(),
            rates: self.rates.clone(),
            cancellation_terms: self.cancellation_terms,
            policy_version: self.policy_version,
            late_change_hours: self.late_change_hours,
            sequence: 0,
            deadline: None,
            deadline_generation: 0,
            alert: None,
            cover: None,
            covers: Some(self.id),
            covered_by: None,
            series: None,
            change_request: None,
            worked: None,
            confirmation: None,
            dispute: None,
            booked_for: booking.booked_for,
        };
        booked.armed(policy, now)
    }
}
