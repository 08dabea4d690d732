//! Series: visits that were proposed and accepted as one.
//!
//! Accepting one takes everybody's time for all of its visits at once; the visits themselves are made soon after, a
//! few at a time, under ids that are known from the beginning.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::Acting;
use crate::engagement::Reasoned;
use crate::id::{ClientId, EngagementId, PersonId, ProposalId, SeriesId, VisitId, WorkerId};
use crate::invalid::Findings;
use crate::money::Price;
use crate::policy::Policy;
use crate::proposal::{Proposal, Revision, UnderTerms};
use crate::recurrence::{Occurrence, Repeats};
use crate::schedule::Busy;
use crate::terms::{BookedRates, NotCovered, VisitPrice};
use crate::visit::{Booking, ChargedVisits, Visit, VisitDetails, VisitState};

/// How long before a visit a public holiday can still matter to the notice of its cancellation, in days.
const LONGEST_NOTICE_DAYS: i64 = 60;
/// The part of an id that numbers the visits of a series.
const NUMBERS: u128 = 0xffff;

/// What a revision proposes besides its visit, where that is the first of a series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesOffer {
    /// How it repeats.
    pub repeats: Repeats,
    /// How many visits there are.
    pub count: u32,
    /// What all of them cost together, each in its own time bands and on its own public holidays.
    pub total: Price,
    /// When the last one ends.
    pub until: DateTime<Utc>,
    /// What the service costs under the terms that it was priced by.
    pub rates: BookedRates,
}

/// A series of visits that was booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// Which.
    pub id: SeriesId,
    /// In which engagement.
    pub engagement: EngagementId,
    /// Whose.
    pub client: ClientId,
    /// By whom.
    pub worker: WorkerId,
    /// The proposal that was accepted, which says when its visits are and what they cost.
    pub proposal: ProposalId,
    /// How many visits were booked.
    pub count: u32,
    /// How many of them have been made by now, the first ones first.
    pub made: u32,
    /// Suburb in which they take place.
    pub suburb: String,
    /// The version of the terms under which it was booked.
    pub terms_version: u32,
    /// Who accepted it.
    pub booked_by: Acting,
    /// When.
    pub booked_at: DateTime<Utc>,
    /// Whose busy sheets its visits stand on.
    pub booked_for: BTreeSet<PersonId>,
    /// Who ended it before its time, and why.
    pub end: Option<Reasoned>,
    /// The visits that its end cancelled at a charge, which the client acknowledged.
    #[serde(default)]
    pub charged_at_end: BTreeSet<VisitId>,
}

/// Why a series cannot be ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndSeriesError {
    /// It has been ended.
    #[error("the series was ended already")]
    AlreadyEnded,
    /// Its visits are still being made.
    #[error("the visits of the series are still being made; try again in a moment")]
    BeingMade,
    /// None of its visits is still to come.
    #[error("no visit of the series is still to come")]
    Over,
    /// Ending it costs something, and the caller has not acknowledged exactly that.
    #[error(
        "visits that are close by are charged for; acknowledge the charge to end the series all the same"
    )]
    Charge(Price),
}

/// The id of the series that is booked with a fresh id: its visits are numbered in what is left free.
#[must_use]
pub const fn series_id(fresh: VisitId) -> SeriesId {
    SeriesId::from_uuid(Uuid::from_u128(fresh.uuid().as_u128() & !NUMBERS))
}

/// The id of the visit with this number in a series.
#[must_use]
pub fn visit_id(series: SeriesId, number: u32) -> VisitId {
    let number = u128::from(number) & NUMBERS;
    VisitId::from_uuid(Uuid::from_u128(series.uuid().as_u128() | number))
}

impl SeriesOffer {
    /// The offer of a series that begins with `visit`.
    ///
    /// # Errors
    /// Where the terms do not cover one of its visits.
    pub fn of(
        repeats: Repeats,
        occurrences: &[Occurrence],
        visit: &VisitDetails,
        rates: BookedRates,
    ) -> Result<Self, NotCovered> {
        let prices = prices(occurrences, visit, &rates)?;
        let first = occurrences.first().map(|first| first.from);
        let until = occurrences.last().map(|last| last.until);
        let until = until.or(first).unwrap_or_default();
        Ok(Self {
            repeats,
            count: u32::try_from(occurrences.len()).unwrap_or(u32::MAX),
            total: prices.iter().map(|price| price.total).sum(),
            until,
            rates: rates.around(
                first.unwrap_or(until) - TimeDelta::days(LONGEST_NOTICE_DAYS),
                until,
            ),
        })
    }

    /// Its visits, the first of which is `visit`.
    #[must_use]
    pub fn occurrences(&self, visit: &VisitDetails) -> Vec<Occurrence> {
        // Faults were looked for when it was proposed.
        let mut findings = Findings::default();
        let found = self.repeats.occurrences(visit, "", &mut findings);
        found.unwrap_or_default()
    }

    /// What each of them costs.
    ///
    /// # Errors
    /// Where the rates do not cover one: none that were priced when it was proposed.
    pub fn prices(
        &self,
        occurrences: &[Occurrence],
        visit: &VisitDetails,
    ) -> Result<Vec<VisitPrice>, NotCovered> {
        prices(occurrences, visit, &self.rates)
    }

    /// Whether every visit is still the one that was seen, and costs what was seen, under the rates of now.
    #[must_use]
    pub fn costs_the_same(&self, visit: &VisitDetails, rates: &BookedRates) -> bool {
        let occurrences = self.occurrences(visit);
        let seen = self.prices(&occurrences, visit);
        u32::try_from(occurrences.len()) == Ok(self.count)
            && seen.is_ok()
            && seen == prices(&occurrences, visit, rates)
    }
}

impl Series {
    /// What accepting a proposal of a series books; none where it proposes none.
    #[must_use]
    pub fn book(accepted: &Proposal, booking: Booking, now: DateTime<Utc>) -> Option<Self> {
        let offer = accepted.current.series.as_ref()?;
        Some(Self {
            id: accepted.series?,
            engagement: accepted.engagement,
            client: accepted.client,
            worker: accepted.worker,
            proposal: accepted.id,
            count: offer.count,
            made: 0,
            suburb: booking.suburb,
            terms_version: booking.terms.version,
            booked_by: booking.acting,
            booked_at: now,
            booked_for: booking.booked_for,
            end: None,
            charged_at_end: BTreeSet::new(),
        })
    }

    /// When its visits take up the time of one who `travels` to them or not.
    #[must_use]
    pub fn busy(&self, occurrences: &[Occurrence], travels: bool) -> Vec<Busy> {
        let busy = |occurrence: &Occurrence| Busy {
            from: occurrence.from,
            until: occurrence.until,
            visit: visit_id(self.id, occurrence.number),
            engagement: self.engagement,
            travels,
        };
        occurrences.iter().map(busy).collect()
    }

    /// The ids of the visits that have been made by now, the first one first.
    pub fn visits(&self) -> impl Iterator<Item = VisitId> + '_ {
        (0..self.made).map(|number| visit_id(self.id, number))
    }

    /// Makes its next visits, at most `most` of them, from the proposal that was accepted.
    #[must_use]
    pub fn unfold(
        &self,
        accepted: &Proposal,
        most: usize,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> (Self, Vec<Visit>) {
        let revision = &accepted.current;
        let Some(offer) = &revision.series else {
            return (self.clone(), Vec::new());
        };
        let occurrences = offer.occurrences(&revision.visit);
        let next = occurrences.iter().filter(|it| self.made <= it.number);
        let visits: Vec<Visit> = next
            .take(most)
            .filter_map(|occurrence| self.visit(accepted, offer, occurrence, policy, now))
            .collect();
        let made = u32::try_from(visits.len()).unwrap_or(u32::MAX);
        let unfolded = Self {
            made: self.made.saturating_add(made),
            ..self.clone()
        };
        (unfolded, visits)
    }

    fn visit(
        &self,
        accepted: &Proposal,
        offer: &SeriesOffer,
        occurrence: &Occurrence,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Option<Visit> {
        let first = &accepted.current;
        let visit = VisitDetails {
            starts: occurrence.starts,
            ..first.visit.clone()
        };
        let (from, zone) = (occurrence.from, visit.zone());
        let revision = Revision {
            from,
            until: occurrence.until,
            price: offer.rates.price(from, zone, visit.minutes).ok()?,
            cancellation: first
                .cancellation
                .rules
                .terms(from, zone, &offer.rates.holidays),
            visit,
            series: None,
            ..first.clone()
        };
        let booking = Booking {
            id: visit_id(self.id, occurrence.number),
            suburb: self.suburb.clone(),
            acting: self.booked_by,
            terms: UnderTerms {
                version: self.terms_version,
                rates: offer.rates.clone(),
            },
            booked_for: self.booked_for.clone(),
        };
        Some(Visit {
            series: Some(self.id),
            booked_at: self.booked_at,
            ..Visit::book(accepted, &revision, booking, policy, now)
        })
    }

    /// Whether nothing is left to be made of it.
    #[must_use]
    pub const fn is_unfolded(&self) -> bool {
        self.count <= self.made
    }

    /// One of the two ends it: whatever of it is still to come is cancelled, unless it `is_over`. What that costs
    /// has to be `acknowledged`.
    ///
    /// # Errors
    /// See [`EndSeriesError`].
    pub fn end(
        &self,
        why: Reasoned,
        charged: ChargedVisits,
        acknowledged: Option<Price>,
        is_over: bool,
    ) -> Result<Self, EndSeriesError> {
        if self.end.is_some() {
            return Err(EndSeriesError::AlreadyEnded);
        }
        if !self.is_unfolded() {
            return Err(EndSeriesError::BeingMade);
        }
        if is_over {
            return Err(EndSeriesError::Over);
        }
        if charged.charge != acknowledged.unwrap_or(Price::NOTHING) {
            return Err(EndSeriesError::Charge(charged.charge));
        }
        Ok(Self {
            end: Some(why),
            charged_at_end: charged.visits,
            ..self.clone()
        })
    }
}

/// Whether a visit is one that the end of its series at `at` cancels.
#[must_use]
pub fn ends_with_series(visit: &Visit, at: DateTime<Utc>) -> bool {
    visit.state == VisitState::Booked && at < visit.from
}

fn prices(
    occurrences: &[Occurrence],
    visit: &VisitDetails,
    rates: &BookedRates,
) -> Result<Vec<VisitPrice>, NotCovered> {
    let zone = visit.zone();
    let price = |occurrence: &Occurrence| rates.price(occurrence.from, zone, visit.minutes);
    occurrences.iter().map(price).collect()
}
