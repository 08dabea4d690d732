//! Terms: what two people in an engagement agree on, and what it costs.

mod check;
mod offer;
mod visit_price;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::engagement::Understanding;
use crate::id::OfferId;
use crate::money::Cents;
use crate::vocabulary::{Service, Vocabulary};

pub use offer::{
    AcceptOfferError, CounterOfferError, LapseOfferError, MakeOfferError, Negotiated, NewOffer,
    Offer, OfferNotOpen, OfferState, Pricing, Quote, ReverseTermsError, SchemeVersion,
    WithdrawOfferError,
};
pub use visit_price::{BandPart, BookedRates, NotCovered, VisitPrice};

vocabulary! {
    /// When an hour is worked: rates and caps differ by it. Local time of the visit's place.
    TimeBand {
        WeekdayDaytime = "weekday_daytime", "Weekdays, 6:00 to 20:00";
        WeekdayEvening = "weekday_evening", "Weekdays, 20:00 to midnight";
        WeekdayNight = "weekday_night", "Weekdays, midnight to 6:00";
        Saturday = "saturday", "Saturdays";
        Sunday = "sunday", "Sundays";
        PublicHoliday = "public_holiday", "Public holidays";
    }
}

/// What an offer proposes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The services, each with its rates: of those that the support worker offers.
    #[schema(min_items = 1, max_items = 8)]
    pub services: Vec<ServiceRates>,
    /// Minutes of support a week that both have in mind.
    #[schema(minimum = 30, maximum = 10_080, example = 240)]
    pub minutes_per_week: u32,
    /// What the support covers, in words.
    #[schema(
        min_length = 1,
        max_length = 1000,
        example = "Company, and a walk where the weather allows it."
    )]
    pub scope: String,
    /// What it does not cover, or not without asking; each in 1 to 200 characters.
    #[serde(default)]
    #[schema(max_items = 10, example = json!(["No lifting."]))]
    pub limits: Vec<String>,
}

/// One service and its hourly rates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceRates {
    /// The service.
    pub service: Service,
    /// What an hour costs in each band in which it is offered.
    #[schema(min_items = 1, max_items = 6)]
    pub rates: Vec<BandRate>,
}

/// What an hour costs at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BandRate {
    /// When.
    pub band: TimeBand,
    /// What the support worker gets for an hour: more than 0.00 and at most 1000.00.
    #[schema(example = 6000)]
    pub hourly: Cents,
}

/// Terms in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AgreedTerms {
    /// The offer that was accepted.
    pub offer: OfferId,
    /// Its number among the engagement's offers.
    pub version: u32,
    /// What was agreed.
    pub terms: Terms,
    /// What had been agreed in meetings by then.
    pub understandings: Vec<Understanding>,
    /// The service's part, in basis points of what the support worker gets, under the membership plan of that time.
    pub service_basis_points: u16,
    /// When.
    pub agreed_at: DateTime<Utc>,
}
