//! Staff who read a conversation: for a reason, for an hour, and so that both sides come to know.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::id::{ConversationReadId, EngagementId, PersonId};
use crate::invalid::{Findings, Invalid};

/// For how long a reading shows the messages.
pub const READ_LASTS: TimeDelta = TimeDelta::hours(1);
/// For how long both sides can be kept from knowing.
pub const LONGEST_DELAY: TimeDelta = TimeDelta::days(90);
const MAX_REASON: usize = 500;

/// One reading of a conversation by a member of staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationRead {
    /// Which.
    pub id: ConversationReadId,
    /// Whose conversation.
    pub engagement: EngagementId,
    /// Who reads.
    pub by: PersonId,
    /// Since when.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: String,
    /// First instant at which it shows nothing any more.
    pub until: DateTime<Utc>,
    /// Why both sides are to know later; none where they know at once.
    pub delay: Option<Delay>,
    /// When both sides were told.
    ///
    /// INVARIANT: while this is empty, nothing that reaches either side shows that there is such a reading.
    pub disclosed_at: Option<DateTime<Utc>>,
}

/// Why both sides come to know of a reading later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Delay {
    /// Who decided so.
    pub by: PersonId,
    /// Why.
    pub reason: String,
    /// When they are told at the latest.
    pub until: DateTime<Utc>,
}

/// What a member of staff asks for who wants to read a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadRequest {
    /// Why.
    pub reason: String,
    /// When both sides are to know; at once if none.
    pub disclose_at: Option<DateTime<Utc>>,
    /// Why not at once.
    pub delay_reason: Option<String>,
}

/// Why a reading is not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenReadError {
    /// A reason or a date is missing or cannot be accepted.
    #[error("the reading is not right")]
    Invalid(Vec<Invalid>),
}

/// Why both sides are not told of a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DiscloseReadError {
    /// They know.
    #[error("both sides know of it already")]
    AlreadyDisclosed,
    /// The schedule comes too early.
    #[error("due at {0}")]
    Early(DateTime<Utc>),
}

/// Why a reading shows nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UseReadError {
    /// Somebody else reads.
    #[error("somebody else opened this reading")]
    NotTheirs,
    /// Its hour is over.
    #[error("the reading has ended; open another one, with its own reason")]
    Expired,
}

/// What sets a disclosure off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisclosureCause {
    /// Its time has come.
    Due,
    /// Staff bring it forward.
    Staff,
}

impl ReadRequest {
    /// Whether both sides are to be kept from knowing for a while.
    #[must_use]
    pub const fn asks_for_delay(&self) -> bool {
        self.disclose_at.is_some() || self.delay_reason.is_some()
    }

    fn validate(&self, now: DateTime<Utc>) -> Result<(), Vec<Invalid>> {
        let mut findings = Findings::default();
        findings.text("/reason", &self.reason, 1, MAX_REASON);
        match (self.disclose_at, &self.delay_reason) {
            (None, None) => {}
            (Some(_), None) => findings.add("/delay_reason", "is needed with a delay"),
            (None, Some(_)) => findings.add("/disclose_at", "is needed with a delay"),
            (Some(at), Some(reason)) => {
                findings.check(at > now, "/disclose_at", "is not in the future");
                findings.check(
                    at <= now + LONGEST_DELAY,
                    "/disclose_at",
                    format!("is more than {} days away", LONGEST_DELAY.num_days()),
                );
                findings.text("/delay_reason", reason, 1, MAX_REASON);
            }
        }
        findings.into_result()
    }
}

impl ConversationRead {
    /// What `by` reads from now on. Whether they may, and may delay, is decided before.
    ///
    /// # Errors
    /// Every fault of what is asked for.
    pub fn open(
        id: ConversationReadId,
        engagement: EngagementId,
        by: PersonId,
        asked: ReadRequest,
        now: DateTime<Utc>,
    ) -> Result<Self, OpenReadError> {
        asked.validate(now).map_err(OpenReadError::Invalid)?;
        let delay = asked.disclose_at.zip(asked.delay_reason);
        let delay = delay.map(|(until, reason)| Delay {
            by,
            reason: reason.trim().to_owned(),
            until,
        });
        Ok(Self {
            id,
            engagement,
            by,
            at: now,
            reason: asked.reason.trim().to_owned(),
            until: now + READ_LASTS,
            disclosed_at: delay.is_none().then_some(now),
            delay,
        })
    }

    /// Both sides know from now on.
    ///
    /// # Errors
    /// When they know already, or the schedule comes too early.
    pub fn disclose(
        &self,
        cause: DisclosureCause,
        now: DateTime<Utc>,
    ) -> Result<Self, DiscloseReadError> {
        if self.disclosed_at.is_some() {
            return Err(DiscloseReadError::AlreadyDisclosed);
        }
        let until = self.delay.as_ref().map_or(self.at, |delay| delay.until);
        if cause == DisclosureCause::Due && now < until {
            return Err(DiscloseReadError::Early(until));
        }
        Ok(Self {
            disclosed_at: Some(now),
            ..self.clone()
        })
    }

    /// Whether it shows the messages to `person` at `now`. Disclosure makes no difference.
    ///
    /// # Errors
    /// See [`UseReadError`].
    pub fn shows_messages_to(
        &self,
        person: PersonId,
        now: DateTime<Utc>,
    ) -> Result<(), UseReadError> {
        if self.by != person {
            return Err(UseReadError::NotTheirs);
        }
        if self.until <= now {
            return Err(UseReadError::Expired);
        }
        Ok(())
    }
}
