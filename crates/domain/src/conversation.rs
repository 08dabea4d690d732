//! The conversation of an engagement: what its people write, and what happened meanwhile.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::access::Acting;
use crate::engagement::{Happening, Side};
use crate::id::{EngagementId, MessageId};

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
    },
    /// Something happened.
    Happened {
        /// What.
        happening: Happening,
        /// The id of what it is about, e.g. `prop_…`.
        about: Option<String>,
    },
}
