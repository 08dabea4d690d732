//! The files of a conversation: announced, put where they are kept, and sent with one message.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::attachment::{Attachment, looks_like};
use crate::id::{AttachmentId, EngagementId, MessageId, PersonId};

/// The most files of one conversation that are announced and wait to be sent.
pub const MAX_WAITING: usize = 50;
/// How long an announced file can be sent. What is left behind then no longer counts.
pub const SENT_WITHIN: TimeDelta = TimeDelta::hours(24);

/// A file of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationAttachment {
    /// Which conversation.
    pub engagement: EngagementId,
    /// The file as announced.
    pub file: Attachment,
    /// Who announced it, and alone may send it.
    pub by: PersonId,
    /// When.
    pub at: DateTime<Utc>,
    /// The message that it belongs to, once it has been sent.
    pub message: Option<MessageId>,
}

/// Why a file cannot go with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AttachmentFault {
    /// The sender has announced no such file in this conversation.
    #[error("you have announced no such file here")]
    Unknown,
    /// It belongs to a message already.
    #[error("it was sent before")]
    AlreadySent,
    /// It was announced too long ago.
    #[error("it was announced more than 24 hours ago; announce it again")]
    Lapsed,
    /// Nothing was uploaded.
    #[error("it has not been uploaded yet")]
    NotUploaded,
    /// What was uploaded has another size.
    #[error("what was uploaded does not have the announced size")]
    OtherSize,
    /// What was uploaded is something else.
    #[error("what was uploaded does not begin as such a file does")]
    OtherKind,
}

/// Too many files wait to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{MAX_WAITING} announced files wait to be sent; send some, or wait until they have lapsed")]
pub struct TooManyWaiting;

impl ConversationAttachment {
    /// Whether it still counts as announced and unsent.
    #[must_use]
    pub fn is_waiting(&self, now: DateTime<Utc>) -> bool {
        self.message.is_none() && now < self.at + SENT_WITHIN
    }

    /// Whether somebody in the engagement may see it: what was sent, and what they announced.
    #[must_use]
    pub fn is_visible_to(&self, person: PersonId) -> bool {
        self.message.is_some() || self.by == person
    }

    /// Holds what is kept, if anything is, against what was announced.
    ///
    /// # Errors
    /// [`AttachmentFault::NotUploaded`], [`AttachmentFault::OtherSize`] or [`AttachmentFault::OtherKind`].
    pub fn compare(&self, kept: Option<&[u8]>) -> Result<(), AttachmentFault> {
        let kept = kept.ok_or(AttachmentFault::NotUploaded)?;
        if u64::try_from(kept.len()) != Ok(self.file.bytes) {
            return Err(AttachmentFault::OtherSize);
        }
        if !looks_like(self.file.media_type, kept) {
            return Err(AttachmentFault::OtherKind);
        }
        Ok(())
    }

    /// The file once it belongs to `message`, which `by` sends.
    ///
    /// # Errors
    /// [`AttachmentFault::Unknown`], [`AttachmentFault::AlreadySent`] or [`AttachmentFault::Lapsed`].
    pub fn send(
        &self,
        by: PersonId,
        message: MessageId,
        now: DateTime<Utc>,
    ) -> Result<Self, AttachmentFault> {
        // Somebody else's is as good as none: whether it was announced is nobody else's business.
        if self.by != by {
            return Err(AttachmentFault::Unknown);
        }
        if self.message.is_some() {
            return Err(AttachmentFault::AlreadySent);
        }
        if !self.is_waiting(now) {
            return Err(AttachmentFault::Lapsed);
        }
        Ok(Self {
            message: Some(message),
            ..self.clone()
        })
    }
}

/// The files of one conversation that were announced and, when this was last written, not yet sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Which conversation.
    pub engagement: EngagementId,
    /// Which files.
    ///
    /// INVARIANT: at most [`MAX_WAITING`], since whatever announces one writes this record. Sending does
    /// not: those who send at the same time are not in each other's way.
    pub attachments: Vec<AttachmentId>,
}

impl Waiting {
    /// The record once `announced` waits, too. Of those in it, `known` are all that there are.
    ///
    /// # Errors
    /// [`TooManyWaiting`].
    pub fn with(
        engagement: EngagementId,
        known: &[ConversationAttachment],
        announced: AttachmentId,
        now: DateTime<Utc>,
    ) -> Result<Self, TooManyWaiting> {
        let waiting = known.iter().filter(|file| file.is_waiting(now));
        let mut attachments: Vec<AttachmentId> = waiting.map(|file| file.file.id).collect();
        if attachments.len() >= MAX_WAITING {
            return Err(TooManyWaiting);
        }
        attachments.push(announced);
        Ok(Self {
            engagement,
            attachments,
        })
    }
}
