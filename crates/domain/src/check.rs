//! The checks that a support worker has to pass, and when they lapse.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::vocabulary::Vocabulary;

vocabulary! {
    /// What is checked about a support worker. All are needed to become active.
    CheckKind {
        Identity = "identity", "Identity";
        RightToWork = "right_to_work", "Right to work";
        Screening = "screening", "Worker screening";
        Insurance = "insurance", "Insurance";
        References = "references", "References";
        Qualifications = "qualifications", "Qualifications";
    }

    /// How far a check has come.
    CheckState {
        Pending = "pending", "Pending";
        Verified = "verified", "Verified";
        Expiring = "expiring", "Expiring";
        Expired = "expired", "Expired";
        Revoked = "revoked", "Revoked";
    }
}

/// One check of one support worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Check {
    /// What is checked.
    pub kind: CheckKind,
    /// How far it has come.
    pub state: CheckState,
    /// The reference of what staff saw, e.g. a certificate's number.
    pub evidence: Option<String>,
    /// The last day on which it holds, where the support worker lives; none for what does not expire.
    pub expires_on: Option<NaiveDate>,
    /// When staff verified it.
    pub verified_at: Option<DateTime<Utc>>,
    /// The notice last given, by how many days before expiry it falls.
    pub noticed_days: Option<u16>,
}
