//! What a support worker sees of a visit that they were asked to cover.

use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};

use crate::cover::{Cover, CoverAnswer, CoverState};
use crate::money::Cents;
use crate::screening::Identities;
use crate::terms::VisitPrice;
use crate::vocabulary::{Service, Vocabulary};

vocabulary! {
    /// Where it stands that somebody was asked to cover a visit.
    CoverOfferState {
        Open = "open", "Waits for your answer";
        Accepted = "accepted", "You can come; the client has yet to agree";
        Booked = "booked", "You come";
        Declined = "declined", "You cannot come";
        NotNeeded = "not_needed", "You are not needed";
    }
}

impl CoverOfferState {
    /// Where it stands for somebody who gave this answer. Others' answers, and what the client said to them, are no part of it.
    #[must_use]
    pub const fn of(cover: &Cover, answer: CoverAnswer) -> Self {
        match (answer, cover.state) {
            (CoverAnswer::Declined, _) => Self::Declined,
            (CoverAnswer::Open, CoverState::Seeking) => Self::Open,
            (CoverAnswer::Accepted, CoverState::Accepted) => Self::Accepted,
            (CoverAnswer::Accepted, CoverState::Covered) => Self::Booked,
            (CoverAnswer::Open | CoverAnswer::Accepted | CoverAnswer::Refused, _) => {
                Self::NotNeeded
            }
        }
    }
}

/// A visit to be covered, as whoever is asked sees it: neither where exactly it takes place nor what was noted for
/// its support worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BlindVisit {
    /// What for.
    pub service: Service,
    /// When it begins, with the offset of its place.
    pub from: DateTime<FixedOffset>,
    /// When it ends.
    pub until: DateTime<FixedOffset>,
    /// IANA name of the place's time zone.
    pub time_zone: String,
    /// How long it lasts.
    pub minutes: u32,
    /// Whether the client cannot do without it.
    pub essential: bool,
    /// Where, no closer than this; absent where the suburb as typed says more than a suburb.
    pub suburb: Option<String>,
    /// What the support worker gets for it.
    pub worker_gets: Cents,
}

impl BlindVisit {
    /// The blind view of the visit that somebody is looked for. `identities` are those of the client and everybody
    /// who stands for them.
    #[must_use]
    pub fn of(cover: &Cover, price: &VisitPrice, identities: &Identities) -> Self {
        let details = &cover.details;
        let suburb = cover.suburb.trim();
        let shown = !suburb.is_empty() && identities.found_in(suburb).is_empty();
        Self {
            service: details.service,
            from: details.local(cover.from),
            until: details.local(cover.until),
            time_zone: details.time_zone.clone(),
            minutes: details.minutes,
            essential: details.essential,
            suburb: shown.then(|| suburb.to_owned()),
            worker_gets: price.total.worker_gets,
        }
    }
}
