//! Visits: what an accepted proposal books.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::access::Acting;
use crate::engagement::Reasoned;
use crate::id::{ClientId, EngagementId, ProposalId, VisitId, WorkerId};
use crate::vocabulary::{Service, Vocabulary};

vocabulary! {
    /// Where a visit stands.
    VisitState {
        Booked = "booked", "Booked";
        Started = "started", "Started";
        Completed = "completed", "Completed";
        Cancelled = "cancelled", "Cancelled";
    }
}

/// When, where and what a visit is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VisitDetails {
    /// When it begins: local time at the place, without offset.
    #[schema(example = "2026-12-01T09:00:00", value_type = String)]
    pub starts: NaiveDateTime,
    /// IANA name of the place's time zone.
    #[schema(example = "Australia/Brisbane")]
    pub time_zone: String,
    /// How long it lasts.
    #[schema(minimum = 30, maximum = 1440, example = 120)]
    pub minutes: u32,
    /// Where.
    pub place: VisitPlace,
    /// What for.
    pub service: Service,
    /// What else should be known.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub notes: String,
}

/// Where a visit takes place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum VisitPlace {
    /// Where the client lives. The address itself is shown with a booked visit, and never before.
    Home,
    /// Somewhere else.
    Elsewhere {
        /// The suburb or town.
        #[schema(min_length = 1, max_length = 80, example = "West End")]
        suburb: String,
        /// Where to meet.
        #[schema(
            min_length = 1,
            max_length = 200,
            example = "The library's front door, 178 Boundary Street"
        )]
        address: String,
    },
}

/// A booked visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// Which.
    pub id: VisitId,
    /// In which engagement.
    pub engagement: EngagementId,
    /// Whose.
    pub client: ClientId,
    /// By whom.
    pub worker: WorkerId,
    /// The proposal that was accepted.
    pub proposal: ProposalId,
    /// Exactly the revision that was accepted.
    pub revision: u32,
    /// When, where and what.
    pub details: VisitDetails,
    /// Suburb in which it takes place.
    pub suburb: String,
    /// When it begins, as an instant.
    pub from: DateTime<Utc>,
    /// When it ends.
    pub until: DateTime<Utc>,
    /// Where it stands.
    pub state: VisitState,
    /// Who accepted it.
    pub booked_by: Acting,
    /// When it was booked.
    pub booked_at: DateTime<Utc>,
    /// When the support worker began.
    pub started_at: Option<DateTime<Utc>>,
    /// When the support worker finished.
    pub completed_at: Option<DateTime<Utc>>,
    /// Who cancelled it, and why.
    pub cancellation: Option<Reasoned>,
    /// The terms' version under which it was booked.
    pub terms_version: u32,
}
