//! Invitations: a client's request, sent to one candidate.

mod operations;
mod questions;

pub use operations::{
    AcceptInvitationError, Candidacy, DeclineInvitationError, InviteCandidateError,
    LapseInvitationError, PassCandidateError, ReverseCandidateError, WithdrawInvitationError,
};
pub use questions::{
    AnswerQuestionError, AskQuestionError, MOST_QUESTIONS, ScreenQuestionError, ScreeningDecision,
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::access::Acting;
use crate::id::{
    CandidateId, ClientId, EngagementId, InvitationId, MatchRequestId, QuestionId, WorkerId,
};
use crate::vocabulary::Vocabulary;

vocabulary! {
    /// Where a candidate stands once the list is released. One of whom nothing is stored is presented.
    CandidateState {
        Presented = "presented", "Can be invited";
        Passed = "passed", "Passed over by the client";
        Invited = "invited", "Invited";
        Accepted = "accepted", "Accepted";
        Declined = "declined", "Declined by the support worker";
        Lapsed = "lapsed", "Not answered in time";
        Withdrawn = "withdrawn", "Withdrawn by the client, or with the request";
    }

    /// Where a question stands.
    QuestionState {
        Screening = "screening", "Waits for staff, who look whether it names somebody";
        Asked = "asked", "Asked";
        AnswerScreening = "answer_screening", "Answered; the answer waits for staff";
        Answered = "answered", "Answered";
        Refused = "refused", "Not passed on by staff";
    }
}

/// One candidate of a released list, from the first step that the client takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// The id that the support worker knows it by: nothing links it with the client's id of the candidate.
    pub id: InvitationId,
    /// The id that the client knows the candidate by.
    pub candidate: CandidateId,
    /// Of which request.
    pub match_request: MatchRequestId,
    /// Whose request.
    pub client: ClientId,
    /// Who the candidate is.
    pub worker: WorkerId,
    /// Whether the two know each other already, so that nothing has to be hidden.
    pub open: bool,
    /// Where it stands.
    pub state: CandidateState,
    /// Who invited or passed.
    pub by: Acting,
    /// Who accepted or declined.
    #[serde(default)]
    pub answered_by: Option<Acting>,
    /// When they were invited; none while they never were.
    pub invited_at: Option<DateTime<Utc>>,
    /// When an unanswered invitation lapses.
    pub answer_by: Option<DateTime<Utc>>,
    /// Raised whenever `answer_by` moves, and by nothing else.
    pub deadline_generation: u32,
    /// When it came to where it stands.
    pub changed_at: DateTime<Utc>,
    /// Why the client passed or the support worker declined. For staff alone.
    pub reason: Option<String>,
    /// What the support worker asked, and what the client answered.
    pub questions: Vec<Question>,
    /// What acceptance opened.
    pub engagement: Option<EngagementId>,
    /// The policy under which it was sent.
    pub policy_version: u32,
}

/// One question of a support worker about a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Which.
    pub id: QuestionId,
    /// What is asked.
    pub text: String,
    /// What was answered.
    pub answer: Option<String>,
    /// Where it stands.
    pub state: QuestionState,
    /// When it was asked.
    pub at: DateTime<Utc>,
}

#[cfg(test)]
pub(crate) mod tests;
