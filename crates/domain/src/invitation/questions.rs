//! What a candidate asks before they answer, and what the client answers: neither learns who the other is.

use chrono::{DateTime, Utc};

use super::operations::Waiting;
use super::{CandidateState, Invitation, Question, QuestionState};
use crate::id::QuestionId;
use crate::invalid::{Findings, Invalid};
use crate::screening::Identities;
use crate::vocabulary::Vocabulary;

/// The most questions about one request.
pub const MOST_QUESTIONS: usize = 10;

vocabulary! {
    /// What staff decide about a text that waits for them.
    ScreeningDecision {
        PassOn = "pass_on", "Passed on as it is";
        Refuse = "refuse", "Not passed on";
    }
}

/// Why a question cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskQuestionError {
    /// Was answered, has lapsed or was withdrawn.
    #[error("the invitation does not wait for an answer any more")]
    NotOpen,
    /// As many were asked as may be.
    #[error("{MOST_QUESTIONS} questions were asked, the most about one request")]
    TooMany,
    /// The text is not right.
    #[error("the question is not right")]
    Invalid(Vec<Invalid>),
}

/// Why a question cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerQuestionError {
    /// Nothing of the kind was asked, as far as the client knows.
    #[error("there is no such question")]
    Unknown,
    /// It has an answer.
    #[error("the question was answered")]
    Answered,
    /// The invitation was answered, has lapsed or was withdrawn.
    #[error("the invitation does not wait for an answer any more")]
    NotOpen,
    /// The text is not right.
    #[error("the answer is not right")]
    Invalid(Vec<Invalid>),
}

/// Why staff cannot decide about a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScreenQuestionError {
    /// There is no such question.
    #[error("there is no such question")]
    Unknown,
    /// Nothing of it waits for staff.
    #[error("nothing of this question waits to be looked at")]
    NotWaiting,
}

impl Question {
    /// Whether the question, or its answer, waits for staff.
    #[must_use]
    pub const fn waits_for_staff(&self) -> bool {
        matches!(
            self.state,
            QuestionState::Screening | QuestionState::AnswerScreening
        )
    }

    /// The text that waits for staff, if one does.
    #[must_use]
    pub fn waiting_text(&self) -> Option<&str> {
        match self.state {
            QuestionState::Screening => Some(&self.text),
            QuestionState::AnswerScreening => self.answer.as_deref(),
            QuestionState::Asked | QuestionState::Answered | QuestionState::Refused => None,
        }
    }

    /// Whether the client knows of it.
    #[must_use]
    pub const fn is_asked(&self) -> bool {
        match self.state {
            QuestionState::Asked | QuestionState::AnswerScreening | QuestionState::Answered => true,
            QuestionState::Screening | QuestionState::Refused => false,
        }
    }
}

impl Invitation {
    /// The question with this id.
    #[must_use]
    pub fn question(&self, id: QuestionId) -> Option<&Question> {
        self.questions.iter().find(|question| question.id == id)
    }

    /// The candidate asks something. What may give away who somebody is waits for staff.
    ///
    /// # Errors
    /// When the invitation does not wait for an answer, at the limit, or for a text that is not right.
    pub fn ask(
        &self,
        id: QuestionId,
        text: &str,
        identities: &Identities,
        now: DateTime<Utc>,
    ) -> Result<Self, AskQuestionError> {
        if self.waits_for_answer(now) != Waiting::Yes {
            return Err(AskQuestionError::NotOpen);
        }
        if self.questions.len() >= MOST_QUESTIONS {
            return Err(AskQuestionError::TooMany);
        }
        let text = text_of(text).map_err(AskQuestionError::Invalid)?;
        let clean = self.open || identities.found_in(&text).is_empty();
        let state = if clean {
            QuestionState::Asked
        } else {
            QuestionState::Screening
        };
        let mut next = self.clone();
        next.questions.push(Question {
            id,
            text,
            answer: None,
            state,
            at: now,
        });
        Ok(next)
    }

    /// The client answers a question. What may give away who somebody is waits for staff.
    ///
    /// # Errors
    /// When there is no such question, it was answered, the invitation does not wait for an answer, or the text is
    /// not right.
    pub fn answer(
        &self,
        id: QuestionId,
        text: &str,
        identities: &Identities,
        now: DateTime<Utc>,
    ) -> Result<Self, AnswerQuestionError> {
        let asked = self.question(id).filter(|question| question.is_asked());
        let asked = asked.ok_or(AnswerQuestionError::Unknown)?;
        if asked.state != QuestionState::Asked {
            return Err(AnswerQuestionError::Answered);
        }
        if self.waits_for_answer(now) != Waiting::Yes {
            return Err(AnswerQuestionError::NotOpen);
        }
        let text = text_of(text).map_err(AnswerQuestionError::Invalid)?;
        let clean = self.open || identities.found_in(&text).is_empty();
        let state = if clean {
            QuestionState::Answered
        } else {
            QuestionState::AnswerScreening
        };
        Ok(self.with_question(id, state, Some(text)))
    }

    /// Staff decide about a question, or an answer, that waits for them. A refused answer can be given anew.
    ///
    /// # Errors
    /// When nothing of it waits.
    pub fn screen(
        &self,
        id: QuestionId,
        decision: ScreeningDecision,
    ) -> Result<Self, ScreenQuestionError> {
        let question = self.question(id).ok_or(ScreenQuestionError::Unknown)?;
        // INVARIANT: a text that waits belongs to an invitation that does: whatever ends one ends the wait.
        let (state, answer) = match (question.state, decision) {
            (QuestionState::Screening, ScreeningDecision::PassOn) => (QuestionState::Asked, None),
            (QuestionState::Screening, ScreeningDecision::Refuse) => (QuestionState::Refused, None),
            (QuestionState::AnswerScreening, ScreeningDecision::PassOn) => {
                (QuestionState::Answered, question.answer.clone())
            }
            (QuestionState::AnswerScreening, ScreeningDecision::Refuse) => {
                (QuestionState::Asked, None)
            }
            (QuestionState::Asked | QuestionState::Answered | QuestionState::Refused, _) => {
                return Err(ScreenQuestionError::NotWaiting);
            }
        };
        Ok(self.with_question(id, state, answer))
    }

    fn with_question(&self, id: QuestionId, state: QuestionState, answer: Option<String>) -> Self {
        let mut next = self.clone();
        for question in &mut next.questions {
            if question.id == id {
                question.state = state;
                question.answer.clone_from(&answer);
            }
        }
        next
    }

    /// Whether the client's side may still hear from the candidate, and the other way round.
    #[must_use]
    pub fn is_invited(&self) -> bool {
        self.state == CandidateState::Invited
    }
}

fn text_of(text: &str) -> Result<String, Vec<Invalid>> {
    let mut findings = Findings::default();
    findings.text("/text", text, 1, 500);
    findings.into_result()?;
    Ok(text.trim().to_owned())
}
