//! How what lies between a client and a support worker is stored: invitations, engagements and all that comes of them.

use domain::change_request::ChangeRequest;
use domain::conversation::Message;
use domain::engagement::Engagement;
use domain::feed::Feeds;
use domain::id::{
    CandidateId, ClientId, EngagementId, InvitationId, MatchRequestId, VisitId, WorkerId,
};
use domain::invitation::{Invitation, QuestionState};
use domain::meeting::Meeting;
use domain::pair::Pair;
use domain::proposal::Proposal;
use domain::schedule::{BusySheet, Month};
use domain::series::Series;
use domain::terms::Offer;
use domain::visit::Visit;
use domain::vocabulary::Vocabulary;
use serde::{Deserialize, Serialize};

use super::instant;
use crate::item::{Entity, StaffIndex};
use crate::key::{Key, StaffPartition};

impl Entity for Invitation {
    fn key(&self) -> Key {
        Key::candidate(self.match_request, self.candidate)
    }

    fn staff_index(&self) -> Option<StaffIndex> {
        let waiting = self.questions.iter().find(|question| {
            matches!(
                question.state,
                QuestionState::Screening | QuestionState::AnswerScreening
            )
        });
        waiting.map(|question| StaffIndex {
            partition: StaffPartition::Screenings,
            order: instant(question.at),
        })
    }
}

/// The mark, with a support worker, of an invitation that was sent to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerInvitation {
    /// Whose.
    pub worker: WorkerId,
    /// Which.
    pub invitation: InvitationId,
    /// Where it is kept: the request.
    pub match_request: MatchRequestId,
    /// Where it is kept: the candidate.
    pub candidate: CandidateId,
}

impl Entity for WorkerInvitation {
    fn key(&self) -> Key {
        Key::worker_invitation(self.worker, self.invitation)
    }
}

impl Entity for Pair {
    fn key(&self) -> Key {
        Key::pair(self.client, self.worker)
    }
}

impl Entity for Engagement {
    fn key(&self) -> Key {
        Key::engagement(self.id)
    }

    fn staff_index(&self) -> Option<StaffIndex> {
        Some(StaffIndex {
            partition: StaffPartition::Engagements(self.state.code()),
            order: instant(self.opened_at),
        })
    }
}

/// The mark, with a client, of an engagement of theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientEngagement {
    /// Whose.
    pub client: ClientId,
    /// Which.
    pub engagement: EngagementId,
}

impl Entity for ClientEngagement {
    fn key(&self) -> Key {
        Key::client_engagement(self.client, self.engagement)
    }
}

/// The mark, with a support worker, of an engagement of theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerEngagement {
    /// Whose.
    pub worker: WorkerId,
    /// Which.
    pub engagement: EngagementId,
}

impl Entity for WorkerEngagement {
    fn key(&self) -> Key {
        Key::worker_engagement(self.worker, self.engagement)
    }
}

/// The mark, with an engagement, of a visit booked in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngagementVisit {
    /// In which engagement.
    pub engagement: EngagementId,
    /// Which visit.
    pub visit: VisitId,
}

impl Entity for EngagementVisit {
    fn key(&self) -> Key {
        Key::engagement_visit(self.engagement, self.visit)
    }
}

impl Entity for Offer {
    fn key(&self) -> Key {
        Key::offer(self.engagement, self.version)
    }
}

impl Entity for Proposal {
    fn key(&self) -> Key {
        Key::proposal(self.engagement, self.id)
    }
}

impl Entity for Visit {
    fn key(&self) -> Key {
        Key::visit(self.id)
    }

    fn staff_index(&self) -> Option<StaffIndex> {
        Some(StaffIndex {
            partition: StaffPartition::Visits(Month::of(self.from)),
            order: instant(self.from),
        })
    }
}

impl Entity for ChangeRequest {
    fn key(&self) -> Key {
        Key::change_request(self.visit, self.id)
    }
}

impl Entity for Series {
    fn key(&self) -> Key {
        Key::series(self.engagement, self.id)
    }
}

impl Entity for BusySheet {
    fn key(&self) -> Key {
        Key::busy_sheet(self.person, self.month)
    }
}

impl Entity for Feeds {
    fn key(&self) -> Key {
        Key::feeds(self.person)
    }
}

impl Entity for Meeting {
    fn key(&self) -> Key {
        Key::meeting(self.engagement, self.id)
    }
}

impl Entity for Message {
    fn key(&self) -> Key {
        Key::message(self.engagement, self.id)
    }
}
