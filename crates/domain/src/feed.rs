//! Links to calendars: whoever has one reads when somebody has visits, for as long as its holder may know.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::id::{ClientId, PersonId, WorkerId};

/// How many links one person has at the same time.
pub const MOST_FEEDS: usize = 10;

/// Whose visits a calendar shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FeedOf {
    /// Those of a client.
    Client(ClientId),
    /// Those of a support worker.
    SupportWorker(WorkerId),
}

impl FeedOf {
    /// Whether it shows what is between these two.
    #[must_use]
    pub fn is_of(self, client: ClientId, worker: WorkerId) -> bool {
        match self {
            Self::Client(shown) => shown == client,
            Self::SupportWorker(shown) => shown == worker,
        }
    }
}

/// One link. Its number is what the link's token was made under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    /// Which of the person's links.
    pub number: u32,
    /// Whose visits.
    pub of: FeedOf,
    /// When it was made.
    pub since: DateTime<Utc>,
}

/// The links of one person.
///
/// INVARIANT: a number is given once, so that a link that was revoked never opens anything again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feeds {
    /// Who holds them.
    pub person: PersonId,
    /// The last number given.
    pub last: u32,
    /// Those that were not revoked, the oldest first.
    pub live: Vec<Feed>,
}

/// Why no link is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenFeedError {
    /// There are as many as there may be.
    #[error("you have {MOST_FEEDS} calendar links; revoke one first")]
    TooMany,
}

/// Why a link is not revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RevokeFeedError {
    /// There is none of that number, or not any more.
    #[error("there is no such link any more")]
    Unknown,
}

impl Feeds {
    /// Those of a person who has none yet.
    #[must_use]
    pub const fn none(person: PersonId) -> Self {
        Self {
            person,
            last: 0,
            live: Vec::new(),
        }
    }

    /// The link of this number, if it lives.
    #[must_use]
    pub fn find(&self, number: u32) -> Option<Feed> {
        self.live.iter().find(|feed| feed.number == number).copied()
    }

    /// One more.
    ///
    /// # Errors
    /// See [`OpenFeedError`].
    pub fn open(&self, of: FeedOf, now: DateTime<Utc>) -> Result<(Self, Feed), OpenFeedError> {
        if self.live.len() >= MOST_FEEDS {
            return Err(OpenFeedError::TooMany);
        }
        let mut next = self.clone();
        next.last = next.last.saturating_add(1);
        let feed = Feed {
            number: next.last,
            of,
            since: now,
        };
        next.live.push(feed);
        Ok((next, feed))
    }

    /// One less: its link opens nothing from now on.
    ///
    /// # Errors
    /// See [`RevokeFeedError`].
    pub fn revoke(&self, number: u32) -> Result<Self, RevokeFeedError> {
        let mut next = self.clone();
        next.live.retain(|feed| feed.number != number);
        if next.live.len() == self.live.len() {
            return Err(RevokeFeedError::Unknown);
        }
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proposal::tests::{id, now};

    #[test]
    fn a_number_is_never_given_again() {
        let none = Feeds::none(id(1));
        let (one, first) = none.open(FeedOf::Client(id(2)), now()).unwrap();
        assert_eq!(one.find(first.number), Some(first));
        let revoked = one.revoke(first.number).unwrap();
        assert_eq!(revoked.find(first.number), None);
        assert_eq!(revoked.revoke(first.number), Err(RevokeFeedError::Unknown));
        let (_, second) = revoked.open(first.of, now()).unwrap();
        assert!(second.number > first.number);
    }

    #[test]
    fn there_are_only_so_many() {
        let open = |feeds: Feeds, _| feeds.open(FeedOf::SupportWorker(id(3)), now()).unwrap().0;
        let full = (0..MOST_FEEDS).fold(Feeds::none(id(1)), open);
        let more = full.open(FeedOf::Client(id(2)), now());
        assert_eq!(more, Err(OpenFeedError::TooMany));
    }
}
