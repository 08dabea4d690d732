//! Where a candidate stands, and what was asked and answered, as each side sees it.

use serde::{Deserialize, Serialize};

use crate::id::QuestionId;
use crate::invitation::{CandidateState, Question, QuestionState};
use crate::vocabulary::Vocabulary;

vocabulary! {
    /// Where a candidate stands, as the client sees it.
    CandidateStanding {
        Presented = "presented", "Can be invited";
        Invited = "invited", "Invited, and not answered yet";
        Passed = "passed", "Passed over";
        Withdrawn = "withdrawn", "The invitation was withdrawn";
        Accepted = "accepted", "Accepted";
        NotAvailable = "not_available", "Not available";
    }
}

impl CandidateStanding {
    /// What of `state` the client sees; `available` says whether the candidate could be invited now.
    ///
    /// INVARIANT: whether somebody declined, let it lapse or cannot be matched any more looks the same.
    #[must_use]
    pub const fn of(state: CandidateState, available: bool) -> Self {
        match state {
            CandidateState::Presented if available => Self::Presented,
            CandidateState::Presented | CandidateState::Declined | CandidateState::Lapsed => {
                Self::NotAvailable
            }
            CandidateState::Invited => Self::Invited,
            CandidateState::Passed => Self::Passed,
            CandidateState::Withdrawn => Self::Withdrawn,
            CandidateState::Accepted => Self::Accepted,
        }
    }
}

/// A question of a candidate, and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BlindQuestion {
    /// Which.
    pub question: QuestionId,
    /// What is asked.
    pub text: String,
    /// What was answered.
    pub answer: Option<String>,
    /// Where it stands.
    pub state: QuestionState,
}

impl BlindQuestion {
    /// The question as the client sees it; none of one that was never passed on.
    #[must_use]
    pub fn for_client(question: &Question) -> Option<Self> {
        question.is_asked().then(|| Self {
            question: question.id,
            text: question.text.clone(),
            answer: question.answer.clone(),
            state: question.state,
        })
    }

    /// The question as whoever asked it sees it: an answer that waits for staff is none yet.
    #[must_use]
    pub fn for_worker(question: &Question) -> Self {
        let state = match question.state {
            QuestionState::AnswerScreening => QuestionState::Asked,
            other => other,
        };
        let answered = state == QuestionState::Answered;
        Self {
            question: question.id,
            text: question.text.clone(),
            answer: question.answer.clone().filter(|_| answered),
            state,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn whoever_cannot_be_invited_any_more_looks_alike_whatever_the_reason() {
        use CandidateState::{Declined, Lapsed, Presented};
        for (state, available) in [
            (Declined, true),
            (Declined, false),
            (Lapsed, true),
            (Lapsed, false),
            (Presented, false),
        ] {
            let standing = CandidateStanding::of(state, available);
            assert_eq!(standing, CandidateStanding::NotAvailable, "{state:?}");
        }
        assert_eq!(
            CandidateStanding::of(Presented, true),
            CandidateStanding::Presented
        );
    }

    #[test]
    fn nothing_that_waits_for_staff_or_was_refused_crosses() {
        for state in QuestionState::ALL.iter().copied() {
            let question = Question {
                id: QuestionId::from_uuid(Uuid::nil()),
                text: "Who are you?".into(),
                answer: Some("Mirela".into()),
                state,
                at: chrono::DateTime::UNIX_EPOCH,
            };
            let crosses = matches!(
                state,
                QuestionState::Asked | QuestionState::AnswerScreening | QuestionState::Answered
            );
            let client = BlindQuestion::for_client(&question);
            assert_eq!(client.is_some(), crosses, "{state:?}");
            let worker = BlindQuestion::for_worker(&question);
            let answered = state == QuestionState::Answered;
            assert_eq!(worker.answer.is_some(), answered, "{state:?}");
            assert_ne!(worker.state, QuestionState::AnswerScreening);
        }
    }
}
