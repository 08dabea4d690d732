//! A support worker's standing: profile, checks, and whether they may be matched.

mod errors;
mod operations;
mod registration;
mod reliability;

pub use errors::{
    ApproveIntroductionError, EditProfileError, PassDeadlineError, PauseWorkerError,
    ReinstateWorkerError, ResumeWorkerError, RevokeWorkerCheckError, SubmitProfileError,
    SuspendWorkerError, VerifyWorkerCheckError,
};
pub use operations::{Changed, Missing, WorkerEffect};
pub use registration::{RegisterWorkerError, Registered};
pub use reliability::{Happened, Reliability};

#[cfg(test)]
pub(crate) use operations::tests::active as active_sample;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::check::Check;
use crate::id::{PersonId, WorkerId};
use crate::profile::{KnownCondition, WorkerProfile};
use crate::vocabulary::{Certification, Vocabulary};

vocabulary! {
    /// Where a support worker stands.
    WorkerState {
        Draft = "draft", "Draft";
        Submitted = "submitted", "Submitted";
        Active = "active", "Active";
        Paused = "paused", "Paused";
        Suspended = "suspended", "Suspended";
    }
}

/// A self-employed support worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SupportWorker {
    /// Who this is.
    pub id: WorkerId,
    /// The person behind it, whose name and contact are not kept here.
    pub person: PersonId,
    /// Where they stand.
    pub state: WorkerState,
    /// What they say of themselves.
    pub profile: WorkerProfile,
    /// The exact text of the introduction that staff approved: the only one a client ever sees.
    pub introduction_approved: Option<String>,
    /// One check of every kind.
    pub checks: Vec<Check>,
    /// What staff saw proof of with the qualifications.
    pub proven: ProvenQualifications,
    /// Why and since when they are suspended.
    pub suspension: Option<Suspension>,
    /// How they have done so far.
    pub reliability: Reliability,
    /// When something falls due next: a notice or an expiry.
    pub deadline: Option<DateTime<Utc>>,
    /// Raised whenever `deadline` moves, and by nothing else.
    pub deadline_generation: u32,
}

/// What staff saw proof of.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProvenQualifications {
    /// Certificates held.
    pub certifications: Vec<HeldCertification>,
    /// Conditions known, and how well.
    pub conditions: Vec<KnownCondition>,
}

/// A certificate held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HeldCertification {
    /// The certificate.
    pub certification: Certification,
    /// The last day on which it holds; none for what does not expire.
    pub expires_on: Option<NaiveDate>,
}

/// Taken out of service by staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Suspension {
    /// Why, in words for staff.
    pub reason: String,
    /// Since when.
    pub at: DateTime<Utc>,
    /// Where they stood.
    pub from: WorkerState,
}
