//! The conversation of an engagement: what its people write, and what happened meanwhile.

mod attachments;
mod reading;
mod staff_read;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::access::Acting;
use crate::attachment::{Attachment, MAX_ATTACHMENTS};
use crate::engagement::{Happening, Side};
use crate::id::{AttachmentId, EngagementId, MessageId};
use crate::invalid::{Findings, Invalid};
use crate::vocabulary::distinct;

pub use attachments::{
    AttachmentFault, ConversationAttachment, MAX_WAITING, SENT_WITHIN, TooManyWaiting, Waiting,
};
pub use reading::{AfterReading, ReadMark, Unread};
pub use staff_read::{
    ConversationRead, Delay, DiscloseReadError, DisclosureCause, LONGEST_DELAY, OpenReadError,
    READ_LASTS, ReadRequest, UseReadError,
};

/// The longest message, in characters.
pub const MAX_MESSAGE_LENGTH: usize = 4_000;

/// One line of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Which; ids are time-ordered.
    pub id: MessageId,
    /// In which engagement.
    pub engagement: EngagementId,
    /// When.
    pub at: DateTime<Utc>,
    /// What it says.
    pub content: Content,
}

/// What a line of a conversation says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Content {
    /// Somebody wrote something.
    Written {
        /// On which side.
        side: Side,
        /// Who.
        acting: Acting,
        /// What.
        text: String,
        /// The files that belong to it.
        #[serde(default)]
        attachments: Vec<Attachment>,
    },
    /// Something happened.
    Happened {
        /// What.
        happening: Happening,
        /// The id of what it is about, e.g. `prop_…`.
        about: Option<String>,
    },
}

/// A message before it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// What it says.
    pub text: String,
    /// The files to go with it, announced before.
    pub attachments: Vec<AttachmentId>,
}

/// Why a message is not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendMessageError {
    /// What is said, or the list of files, cannot be accepted.
    #[error("the message is not right")]
    Invalid(Vec<Invalid>),
    /// A file cannot go with it.
    #[error("attachment {place}: {fault}")]
    Attachment {
        /// Its place in the list, from 0.
        place: usize,
        /// Why not.
        fault: AttachmentFault,
    },
}

/// A message, and what becomes of the files that go with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The message.
    pub message: Message,
    /// Its files, in its order: sent with it, and with no other.
    pub attachments: Vec<ConversationAttachment>,
}

impl Draft {
    /// Looks at it before anything is read.
    ///
    /// # Errors
    /// Every fault of the text and of the list of files.
    pub fn validate(&self) -> Result<(), SendMessageError> {
        let mut findings = Findings::default();
        findings.text("/text", &self.text, 1, MAX_MESSAGE_LENGTH);
        distinct(
            &mut findings,
            "/attachments",
            &self.attachments,
            MAX_ATTACHMENTS,
        );
        findings.into_result().map_err(SendMessageError::Invalid)
    }

    /// Sends it in `engagement` from `side`. `files` are what was announced under its ids, in its order;
    /// none where nothing was.
    ///
    /// # Errors
    /// See [`SendMessageError`].
    pub fn send(
        &self,
        id: MessageId,
        engagement: EngagementId,
        (side, acting): (Side, Acting),
        files: &[Option<ConversationAttachment>],
        now: DateTime<Utc>,
    ) -> Result<Sent, SendMessageError> {
        self.validate()?;
        let attachments = (0..self.attachments.len())
            .map(|place| {
                let fault = |fault| SendMessageError::Attachment { place, fault };
                let file = files.get(place).and_then(Option::as_ref);
                let file = file.ok_or_else(|| fault(AttachmentFault::Unknown))?;
                file.send(acting.by, id, now).map_err(fault)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let content = Content::Written {
            side,
            acting,
            text: self.text.trim().to_owned(),
            attachments: attachments.iter().map(|sent| sent.file.clone()).collect(),
        };
        let message = Message {
            id,
            engagement,
            at: now,
            content,
        };
        Ok(Sent {
            message,
            attachments,
        })
    }
}

#[cfg(test)]
mod tests;
