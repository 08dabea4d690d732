//! Why an operation on a support worker is refused: one enumeration for each.

use chrono::{DateTime, Utc};

use super::Missing;
use crate::check::{RevokeCheckError, VerifyCheckError};
use crate::invalid::Invalid;

/// Why a profile cannot be edited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditProfileError {
    /// The profile has faults, or lacks what a submitted one needs.
    #[error("the profile is not right")]
    Invalid(Vec<Invalid>),
}

/// Why a profile cannot be submitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmitProfileError {
    /// It was submitted before.
    #[error("the profile was submitted before")]
    AlreadySubmitted,
    /// It has faults, or lacks something.
    #[error("the profile is not complete")]
    Incomplete(Vec<Invalid>),
}

/// Why a support worker's check cannot be verified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyWorkerCheckError {
    /// The profile is still a draft.
    #[error("the profile has not been submitted")]
    NotSubmitted,
    /// The evidence will not do.
    #[error(transparent)]
    Evidence(#[from] VerifyCheckError),
    /// What was proven is not right, or was given with another check than the qualifications.
    #[error("what was proven is not right")]
    Proven(Vec<Invalid>),
}

/// Why a support worker's check cannot be revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RevokeWorkerCheckError {
    /// The check does not hold.
    #[error(transparent)]
    Check(#[from] RevokeCheckError),
}

/// Why an introduction cannot be approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ApproveIntroductionError {
    /// The profile is still a draft.
    #[error("the profile has not been submitted")]
    NotSubmitted,
    /// The text is not the introduction as it now stands.
    #[error("the introduction has changed since it was read")]
    StaleText,
}

/// Why nothing came of a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PassDeadlineError {
    /// It was rescheduled.
    #[error("another deadline has taken its place")]
    Superseded,
    /// It has not come yet.
    #[error("due at {0}")]
    Early(DateTime<Utc>),
}

/// Why a support worker cannot be paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PauseWorkerError {
    /// Only who is active can pause.
    #[error("only an active support worker can pause")]
    NotActive,
}

/// Why a support worker cannot resume.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResumeWorkerError {
    /// Only who is paused can resume.
    #[error("only a paused support worker can resume")]
    NotPaused,
    /// Something lapsed in the meantime.
    #[error("something lapsed in the meantime")]
    NotReady(Vec<Missing>),
}

/// Why a support worker cannot be suspended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SuspendWorkerError {
    /// They are already.
    #[error("suspended already")]
    AlreadySuspended,
    /// A reason is needed.
    #[error("a reason of 1 to 500 characters is needed")]
    NoReason,
}

/// Why a suspension cannot be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReinstateWorkerError {
    /// There is none.
    #[error("not suspended")]
    NotSuspended,
}
