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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proposal::tests::{id, now};
    use crate::visit::tests::booked;

    #[test]
    fn whoever_comes_instead_is_booked_for_the_same_at_the_same_price() {
        let was = Visit {
            cover: Some(id(40)),
            series: Some(id(41)),
            sequence: 3,
            ..booked()
        };
        let booking = CoverBooking {
            id: id(80),
            engagement: id(81),
            worker: id(82),
            acting: Acting::by(id(83)),
            booked_for: [id(83), id(84)].into(),
        };
        let visit = was.covered_as(booking, &Policy::default(), now());
        assert_eq!(
            (visit.id, visit.engagement, visit.worker),
            (id(80), id(81), id(82))
        );
        let covering = (visit.covers, visit.covered_by, visit.cover, visit.series);
        assert_eq!(covering, (Some(was.id), None, None, None));
        assert_eq!((visit.state, visit.sequence), (VisitState::Booked, 0));
        assert_eq!((visit.from, visit.until), (was.from, was.until));
        assert_eq!((&visit.details, &visit.price), (&was.details, &was.price));
        assert_eq!(visit.cancellation_terms, was.cancellation_terms);
        // It is reminded of, and looked after, like any other.
        assert!(visit.deadline.is_some());
    }
}
