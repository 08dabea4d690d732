//! Clients: people who receive support.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::id::{ClientId, MembershipPlanId, PartnerId, PersonId};

/// The client role of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Which client.
    pub id: ClientId,
    /// The person behind it.
    pub person: PersonId,
    /// The membership plan now in force.
    pub membership: Option<Membership>,
    /// The partner whose site sent the signup.
    pub partner: Option<PartnerId>,
    /// When the role was made.
    pub created_at: DateTime<Utc>,
}

/// A membership plan as assigned to one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Membership {
    /// Which plan.
    pub plan: MembershipPlanId,
    /// Since when.
    pub since: DateTime<Utc>,
}
