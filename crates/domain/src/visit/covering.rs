//! Booking somebody else in a visit's place.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Visit, VisitState};
use crate::access::Acting;
use crate::id::{EngagementId, PersonId, VisitId, WorkerId};
use crate::policy::Policy;

/// How long a client can cancel free of charge who learns only by the booking who comes, in minutes.
const TO_SEE_WHO_COMES_MINUTES: i64 = 60;

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
    /// Whether that was said before anybody on the client's side knew who comes.
    pub unseen: bool,
    /// Whose busy sheets it goes on.
    pub booked_for: BTreeSet<PersonId>,
}

impl Visit {
    /// What somebody else is booked for who comes in this visit's place: the same time, place and price, on the same
    /// terms.
    ///
    /// INVARIANT: the client pays no more than they agreed to. Where they have not seen yet who comes, they have an hour
    /// to cancel free of charge.
    #[must_use]
    pub fn covered_as(&self, booking: CoverBooking, policy: &Policy, now: DateTime<Utc>) -> Self {
        let mut cancellation_terms = self.cancellation_terms;
        if booking.unseen {
            let seen = now + TimeDelta::minutes(TO_SEE_WHO_COMES_MINUTES);
            cancellation_terms.free_until = cancellation_terms.free_until.max(seen);
        }
        let booked = Self {
            id: booking.id,
            engagement: booking.engagement,
            client: self.client,
            worker: booking.worker,
            proposal: None,
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
            cancellation_terms,
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
    use crate::visit::VisitStep;
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
            unseen: false,
            booked_for: [id(83), id(84)].into(),
        };
        let visit = was.covered_as(booking.clone(), &Policy::default(), now());
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
        // Whoever had not seen who comes has an hour for it, however close the visit is.
        let booking = CoverBooking {
            unseen: true,
            ..booking
        };
        let close = was.from - TimeDelta::minutes(20);
        let visit = was.covered_as(booking, &Policy::default(), close);
        let free_until = visit.cancellation_terms.free_until;
        assert_eq!(free_until, close + TimeDelta::hours(1));
    }

    #[test]
    fn whoever_is_booked_late_is_expected_once_they_can_have_come() {
        let was = booked();
        let policy = Policy::default();
        let booking = |minutes| CoverBooking {
            id: id(80),
            engagement: id(81),
            worker: id(82),
            acting: Acting::by(id(83)),
            unseen: minutes > 0,
            booked_for: [id(83), id(84)].into(),
        };
        let journey = TimeDelta::minutes(i64::from(policy.travel_buffer_minutes));
        let late = TimeDelta::minutes(i64::from(policy.late_start_minutes));
        for minutes in [-600, -10, 5, 20] {
            let at = was.from + TimeDelta::minutes(minutes);
            let visit = was.covered_as(booking(minutes), &policy, at);
            let expected = was.from.max(at + journey);
            assert_eq!(visit.expected_at(&policy), expected, "{minutes}");
            let mut armed = visit;
            while let Some(deadline) = armed.deadline.filter(|it| it.step == VisitStep::Remind) {
                armed = armed.armed_after(deadline, &policy, at);
            }
            let alert = armed.deadline.unwrap();
            assert_eq!((alert.step, alert.at), (VisitStep::Alert, expected + late));
        }
    }
}
