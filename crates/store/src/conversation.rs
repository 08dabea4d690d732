//! How a conversation is stored: beside its engagement, every line and mark an item of its own, so that
//! people can write and read at the same time.

use domain::conversation::{
    ConversationAttachment, ConversationRead, Message, ReadMark, Unread, Waiting,
};
use domain::id::{ConversationReadId, EngagementId};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::item::{Entity, Page, Versioned};
use crate::key::Key;
use crate::table::Store;

impl Entity for ReadMark {
    fn key(&self) -> Key {
        Key::read_mark(self.engagement, self.person)
    }
}

impl Entity for Unread {
    fn key(&self) -> Key {
        Key::unread(self.engagement, self.side)
    }
}

impl Entity for ConversationAttachment {
    fn key(&self) -> Key {
        Key::attachment(self.engagement, self.file.id)
    }
}

impl Entity for Waiting {
    fn key(&self) -> Key {
        Key::waiting_attachments(self.engagement)
    }
}

impl Entity for ConversationRead {
    fn key(&self) -> Key {
        Key::conversation_read(self.engagement, self.id)
    }
}

/// The mark that both sides know of a reading.
///
/// INVARIANT: written in the commit that discloses it. Both sides list these marks and never the readings
/// themselves, so that no page of theirs is shorter for a reading that they do not know of, and no cursor
/// names one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisclosedRead {
    /// Whose conversation.
    pub engagement: EngagementId,
    /// Which reading.
    pub read: ConversationReadId,
}

impl Entity for DisclosedRead {
    fn key(&self) -> Key {
        Key::disclosed_read(self.engagement, self.read)
    }
}

impl Store {
    /// A page of a conversation, newest first.
    ///
    /// # Errors
    /// See [`StoreError`]; [`StoreError::BadCursor`] for a cursor not made here.
    pub async fn messages(
        &self,
        engagement: EngagementId,
        limit: u16,
        cursor: Option<&str>,
    ) -> Result<Page<Versioned<Message>>, StoreError> {
        let pk = Key::engagement(engagement).pk;
        self.list(&pk, "MSG#", true, limit, cursor).await
    }

    /// How far everybody in a conversation has read, up to `most` people.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn read_marks(
        &self,
        engagement: EngagementId,
        most: usize,
    ) -> Result<Vec<Versioned<ReadMark>>, StoreError> {
        let pk = Key::engagement(engagement).pk;
        self.list_all(&pk, "READ#", most).await
    }

    /// A page of all readings of a conversation by staff, newest first: for those who decide on delays.
    ///
    /// # Errors
    /// See [`StoreError`]; [`StoreError::BadCursor`] for a cursor not made here.
    pub async fn conversation_reads(
        &self,
        engagement: EngagementId,
        limit: u16,
        cursor: Option<&str>,
    ) -> Result<Page<Versioned<ConversationRead>>, StoreError> {
        let pk = Key::engagement(engagement).pk;
        self.list(&pk, "STAFFREAD#", true, limit, cursor).await
    }

    /// A page of the readings of a conversation that both sides know of, newest first.
    ///
    /// # Errors
    /// See [`StoreError`]; [`StoreError::BadCursor`] for a cursor not made here.
    pub async fn disclosed_reads(
        &self,
        engagement: EngagementId,
        limit: u16,
        cursor: Option<&str>,
    ) -> Result<Page<Versioned<ConversationRead>>, StoreError> {
        let pk = Key::engagement(engagement).pk;
        let marks = self
            .list::<DisclosedRead>(&pk, "DISCLOSED#", true, limit, cursor)
            .await?;
        let keys: Vec<Key> = marks
            .items
            .iter()
            .map(|mark| Key::conversation_read(engagement, mark.value.read))
            .collect();
        Ok(Page {
            items: self.get_many(&keys).await?,
            next: marks.next,
        })
    }
}
