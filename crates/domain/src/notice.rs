//! What people hear about: every event that concerns somebody, by ids.
//!
//! A notice carries no text and no personal data. Texts are made at sending, from state read then,
//! so that somebody whose access has ended since gets nothing.

use serde::{Deserialize, Serialize};

use crate::check::CheckKind;
use crate::id::{AuthorityId, ClientId, MatchRequestId, PersonId, TicketId, WorkerId};

/// Something that happened and concerns somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A person has (again) been sent the link that activates their account.
    ActivationLink {
        /// Whose account.
        person: PersonId,
        /// The link's generation: an older one is no longer sent.
        generation: u32,
    },
    /// A login was bound to the account.
    AccountActivated {
        /// Whose account.
        person: PersonId,
    },
    /// Staff changed contact details, logins or staff roles, or joined or parted two records.
    AccountCorrected {
        /// Whose account.
        person: PersonId,
    },
    /// Staff verified a representative's authority.
    AuthorityVerified {
        /// For whom.
        client: ClientId,
        /// Which authority.
        authority: AuthorityId,
        /// Whose.
        representative: PersonId,
    },
    /// An authority ended.
    AuthorityRevoked {
        /// For whom.
        client: ClientId,
        /// Which authority.
        authority: AuthorityId,
        /// Whose.
        representative: PersonId,
    },
    /// A membership plan was assigned.
    MembershipAssigned {
        /// To whom.
        client: ClientId,
    },
    /// A support worker submitted their profile.
    WorkerSubmitted {
        /// Who.
        worker: WorkerId,
    },
    /// A support worker is active: they can be matched.
    WorkerActivated {
        /// Who.
        worker: WorkerId,
    },
    /// Staff suspended a support worker.
    WorkerSuspended {
        /// Who.
        worker: WorkerId,
    },
    /// Staff ended a support worker's suspension.
    WorkerReinstated {
        /// Who.
        worker: WorkerId,
    },
    /// A check was verified.
    CheckVerified {
        /// Whose.
        worker: WorkerId,
        /// Which.
        check: CheckKind,
    },
    /// A check expires soon.
    CheckExpiring {
        /// Whose.
        worker: WorkerId,
        /// Which.
        check: CheckKind,
    },
    /// A check has expired.
    CheckExpired {
        /// Whose.
        worker: WorkerId,
        /// Which.
        check: CheckKind,
    },
    /// Staff revoked a check.
    CheckRevoked {
        /// Whose.
        worker: WorkerId,
        /// Which.
        check: CheckKind,
    },
    /// Staff approved an introduction.
    IntroductionApproved {
        /// Whose.
        worker: WorkerId,
    },
    /// A match request was submitted.
    MatchRequestSubmitted {
        /// Which.
        match_request: MatchRequestId,
        /// Whose.
        client: ClientId,
    },
    /// A match request was withdrawn.
    MatchRequestWithdrawn {
        /// Which.
        match_request: MatchRequestId,
        /// Whose.
        client: ClientId,
    },
    /// The candidates of a match request can be seen.
    CandidatesReleased {
        /// Of which request.
        match_request: MatchRequestId,
        /// Whose.
        client: ClientId,
    },
    /// A ticket was given to somebody.
    TicketAssigned {
        /// Which.
        ticket: TicketId,
        /// To whom.
        assignee: PersonId,
    },
}

/// Who hears of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// One person.
    Person(PersonId),
    /// The client and every representative whose authority over match requests holds now.
    Client(ClientId),
    /// The client and one representative, whatever became of the authority.
    ClientAnd(ClientId, PersonId),
    /// One support worker.
    Worker(WorkerId),
}

impl Event {
    /// Whether it is kept in the inbox. A link that activates an account goes by mail alone.
    #[must_use]
    pub const fn is_kept(&self) -> bool {
        !matches!(self, Self::ActivationLink { .. })
    }

    /// Whom this event concerns.
    #[must_use]
    pub const fn audience(&self) -> Audience {
        match self {
            Self::ActivationLink { person, .. }
            | Self::AccountActivated { person }
            | Self::AccountCorrected { person } => Audience::Person(*person),
            Self::TicketAssigned { assignee, .. } => Audience::Person(*assignee),
            Self::AuthorityVerified {
                client,
                representative,
                ..
            }
            | Self::AuthorityRevoked {
                client,
                representative,
                ..
            } => Audience::ClientAnd(*client, *representative),
            Self::MembershipAssigned { client }
            | Self::MatchRequestSubmitted { client, .. }
            | Self::MatchRequestWithdrawn { client, .. }
            | Self::CandidatesReleased { client, .. } => Audience::Client(*client),
            Self::WorkerSubmitted { worker }
            | Self::WorkerActivated { worker }
            | Self::WorkerSuspended { worker }
            | Self::WorkerReinstated { worker }
            | Self::CheckVerified { worker, .. }
            | Self::CheckExpiring { worker, .. }
            | Self::CheckExpired { worker, .. }
            | Self::CheckRevoked { worker, .. }
            | Self::IntroductionApproved { worker } => Audience::Worker(*worker),
        }
    }
}
