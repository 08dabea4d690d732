//! Clients: people who receive support.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::access::Acting;
use crate::funding::SchemeCode;
use crate::id::{ClientId, MatchRequestId, MembershipPlanId, PartnerId, PersonId};

/// The client role of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Which client.
    pub id: ClientId,
    /// The person behind it.
    pub person: PersonId,
    /// The membership plan now in force.
    pub membership: Option<Membership>,
    /// The funding scheme that pays for their support; none where they pay themselves.
    #[serde(default)]
    pub funding: Option<SchemeCode>,
    /// Their match requests that are not closed: what the membership plan's limit counts. A request enters
    /// in the commit that submits it and leaves in the one that closes it.
    #[serde(default)]
    pub open_match_requests: BTreeSet<MatchRequestId>,
    /// Whether whoever can cover a visit may be booked without asking them again: not unless they say so.
    #[serde(default)]
    pub cover_consent: Option<CoverConsent>,
    /// The partner whose site sent the signup.
    pub partner: Option<PartnerId>,
    /// When the role was made.
    pub created_at: DateTime<Utc>,
}

impl Client {
    /// The client with one more open match request.
    #[must_use]
    pub fn with_open(mut self, match_request: MatchRequestId) -> Self {
        self.open_match_requests.insert(match_request);
        self
    }

    /// The client once a match request is closed.
    #[must_use]
    pub fn with_closed(mut self, match_request: MatchRequestId) -> Self {
        self.open_match_requests.remove(&match_request);
        self
    }
}

/// A client's agreement that whoever can cover a visit is booked without asking them again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CoverConsent {
    /// Who gave it.
    pub acting: Acting,
    /// When.
    pub at: DateTime<Utc>,
}

/// A membership plan as assigned to one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Membership {
    /// Which plan.
    pub plan: MembershipPlanId,
    /// Since when.
    pub since: DateTime<Utc>,
}
