//! What people hear about: every event that concerns somebody, by ids.
//!
//! A notice carries no text and no personal data. Texts are made at sending, from state read then,
//! so that somebody whose access has ended since gets nothing.

use serde::{Deserialize, Serialize};

use crate::access::{Duty, Scope};
use crate::check::CheckKind;
use crate::engagement::{Happening, Side};
use crate::id::{
    AlertId, AuthorityId, CandidateId, ClientId, CoverId, EngagementId, InvitationId,
    MatchRequestId, PersonId, ReportId, TicketId, VisitId, WorkerId,
};

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
    /// A match request has come to what it was for.
    MatchRequestFulfilled {
        /// Which.
        match_request: MatchRequestId,
        /// Whose.
        client: ClientId,
    },
    /// A candidate is no longer available; another may have taken their place.
    CandidateUnavailable {
        /// Of which request.
        match_request: MatchRequestId,
        /// Whose.
        client: ClientId,
        /// Whether another candidate can be seen instead.
        replaced: bool,
    },
    /// A candidate asks something about a request.
    QuestionAsked {
        /// About which request.
        match_request: MatchRequestId,
        /// Whose.
        client: ClientId,
        /// By whom.
        candidate: CandidateId,
    },
    /// What somebody asked was answered.
    QuestionAnswered {
        /// Which invitation.
        invitation: InvitationId,
        /// Who asked.
        worker: WorkerId,
    },
    /// A support worker was invited.
    Invited {
        /// Which invitation.
        invitation: InvitationId,
        /// Whom.
        worker: WorkerId,
    },
    /// An invitation was not answered in time.
    InvitationLapsed {
        /// Which invitation.
        invitation: InvitationId,
        /// Whose.
        worker: WorkerId,
    },
    /// An invitation was withdrawn.
    InvitationWithdrawn {
        /// Which invitation.
        invitation: InvitationId,
        /// Whose.
        worker: WorkerId,
    },
    /// A support worker was asked to cover a visit.
    CoverOffered {
        /// Which search.
        cover: CoverId,
        /// Whom.
        worker: WorkerId,
    },
    /// Somebody who could have covered a visit is not needed.
    CoverNotNeeded {
        /// Which search.
        cover: CoverId,
        /// Who.
        worker: WorkerId,
    },
    /// A support worker's leave falls on visits that are booked.
    LeaveHitsVisits {
        /// Whose leave.
        worker: WorkerId,
    },
    /// Something happened in an engagement.
    Engagement {
        /// Which engagement.
        engagement: EngagementId,
        /// The client in it.
        client: ClientId,
        /// The support worker in it.
        worker: WorkerId,
        /// What happened.
        happening: Happening,
        /// Who hears of it.
        told: Told,
        /// The visit that it is about, if it is about one.
        #[serde(default)]
        visit: Option<VisitId>,
    },
    /// A safety report came in.
    ReportMade {
        /// Which.
        report: ReportId,
    },
    /// A safety report was not dealt with in time.
    ReportOverdue {
        /// Which.
        report: ReportId,
    },
    /// Staff did something for a client because they were told to.
    DoneForClient {
        /// For whom.
        client: ClientId,
        /// What an authority has to cover for its holder to hear of it.
        scope: Scope,
        /// What: the operation's name.
        operation: String,
    },
    /// Staff did something for a support worker because they were told to.
    DoneForWorker {
        /// For whom.
        worker: WorkerId,
        /// What: the operation's name.
        operation: String,
    },
    /// Something cannot wait.
    AlertRaised {
        /// Which alert.
        alert: AlertId,
    },
    /// Something cannot wait, and it is somebody's turn to look after it.
    OnCall {
        /// Which alert.
        alert: AlertId,
        /// Whose turn it is.
        person: PersonId,
    },
    /// Something cannot wait, and nobody on call has answered.
    AlertUnanswered {
        /// Which alert.
        alert: AlertId,
    },
    /// A ticket was given to somebody.
    TicketAssigned {
        /// Which.
        ticket: TicketId,
        /// To whom.
        assignee: PersonId,
    },
}

/// Which of the two in an engagement hear of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// The client's side.
    Client,
    /// The support worker.
    Worker,
    /// Both sides.
    Both,
}

impl From<Side> for Told {
    fn from(side: Side) -> Self {
        match side {
            Side::Client => Self::Client,
            Side::Worker => Self::Worker,
        }
    }
}

/// Who hears of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// One person.
    Person(PersonId),
    /// The client and every representative whose authority covers this now.
    Client(ClientId, Scope),
    /// The same, and one support worker.
    Both(ClientId, Scope, WorkerId),
    /// Staff with this duty.
    Staff(Duty),
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
            Self::OnCall { person, .. } => Audience::Person(*person),
            Self::AlertRaised { .. } | Self::AlertUnanswered { .. } => {
                Audience::Staff(Duty::Alerts)
            }
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
            | Self::MatchRequestFulfilled { client, .. }
            | Self::CandidatesReleased { client, .. }
            | Self::CandidateUnavailable { client, .. }
            | Self::QuestionAsked { client, .. } => Audience::Client(*client, Scope::MatchRequests),
            Self::DoneForClient { client, scope, .. } => Audience::Client(*client, *scope),
            Self::Engagement {
                client,
                worker,
                told,
                ..
            } => match told {
                Told::Client => Audience::Client(*client, Scope::Engagements),
                Told::Worker => Audience::Worker(*worker),
                Told::Both => Audience::Both(*client, Scope::Engagements, *worker),
            },
            Self::ReportMade { .. } | Self::ReportOverdue { .. } => Audience::Staff(Duty::Safety),
            Self::WorkerSubmitted { worker }
            | Self::WorkerActivated { worker }
            | Self::WorkerSuspended { worker }
            | Self::WorkerReinstated { worker }
            | Self::CheckVerified { worker, .. }
            | Self::CheckExpiring { worker, .. }
            | Self::CheckExpired { worker, .. }
            | Self::CheckRevoked { worker, .. }
            | Self::IntroductionApproved { worker }
            | Self::QuestionAnswered { worker, .. }
            | Self::Invited { worker, .. }
            | Self::InvitationLapsed { worker, .. }
            | Self::InvitationWithdrawn { worker, .. }
            | Self::CoverOffered { worker, .. }
            | Self::CoverNotNeeded { worker, .. }
            | Self::LeaveHitsVisits { worker }
            | Self::DoneForWorker { worker, .. } => Audience::Worker(*worker),
        }
    }
}
