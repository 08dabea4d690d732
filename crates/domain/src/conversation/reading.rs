//! How far people have read, and when a side is told that there is something to read.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::engagement::Side;
use crate::id::{EngagementId, MessageId, PersonId};

/// How far somebody has read a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadMark {
    /// Which conversation.
    pub engagement: EngagementId,
    /// Who.
    pub person: PersonId,
    /// On which side they read it.
    pub side: Side,
    /// The newest line that they have read.
    pub message: MessageId,
    /// Since when.
    pub at: DateTime<Utc>,
}

impl ReadMark {
    /// The mark once `read` has been read, too.
    ///
    /// INVARIANT: it never moves back: what was read once stays read.
    #[must_use]
    pub fn after(was: Option<Self>, read: Self) -> Self {
        match was {
            Some(was) if was.side == read.side && read.message <= was.message => was,
            Some(_) | None => read,
        }
    }
}

/// That a side has been told of a message, and has not read everything since.
///
/// While there is one, the side is not told of every further message. It is written by whoever writes to
/// the side and by whoever reads on it, so that neither misses what the other does at the same time.
///
/// INVARIANT: what a side has neither read nor been told of is newer than `told` and no newer than
/// `newest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// Which conversation.
    pub engagement: EngagementId,
    /// The side that has something to read.
    pub side: Side,
    /// The newest message that there was when the side was last told.
    pub told: MessageId,
    /// The newest message to this side.
    pub newest: MessageId,
}

/// What reading leaves to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterReading {
    /// Nothing: the next message is told again.
    Nothing,
    /// Messages that came while it was being read: the side is told of them now.
    More(Unread),
    /// Also what the side was last told of.
    AsBefore,
}

impl Unread {
    /// What is unread on `side` once `message` has been written to it, and whether to tell it so.
    ///
    /// Clocks differ, so that a message can come in behind one that was written before. It is told by itself:
    /// whoever reads up to the other one may never have seen it. Within a millisecond ids are in no order.
    #[must_use]
    pub fn with(
        was: Option<Self>,
        engagement: EngagementId,
        side: Side,
        message: MessageId,
    ) -> (Self, bool) {
        match was {
            Some(was) => {
                let newest = was.newest.max(message);
                let behind = millisecond(message) < millisecond(was.newest);
                (Self { newest, ..was }, behind)
            }
            None => {
                let unread = Self {
                    engagement,
                    side,
                    told: message,
                    newest: message,
                };
                (unread, true)
            }
        }
    }

    /// What is unread once somebody on the side has read up to `message`.
    #[must_use]
    pub fn after_reading(self, message: MessageId) -> AfterReading {
        if message >= self.newest {
            AfterReading::Nothing
        } else if message >= self.told {
            AfterReading::More(Self {
                told: self.newest,
                ..self
            })
        } else {
            AfterReading::AsBefore
        }
    }
}

/// When an id was drawn, by the clock of whoever drew it: what a UUIDv7 begins with.
const fn millisecond(message: MessageId) -> u128 {
    message.uuid().as_u128() >> 80
}
