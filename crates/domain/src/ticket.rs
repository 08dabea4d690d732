//! Tickets: work for staff.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use crate::id::{PersonId, TicketId};

/// One piece of work for staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Which ticket.
    pub id: TicketId,
    /// What kind of work.
    pub queue: TicketQueue,
    /// Why it was opened.
    pub cause: TicketCause,
    /// The id of what it is about, e.g. `mreq_…`.
    pub subject: String,
    /// More of what it is about, ids only, e.g. the people who may be the same.
    pub related: Vec<String>,
    /// Open or closed.
    pub state: TicketState,
    /// Who has taken it.
    pub assignee: Option<PersonId>,
    /// By when it should be dealt with.
    pub due_at: DateTime<Utc>,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// When it was closed.
    pub closed_at: Option<DateTime<Utc>>,
    /// What staff wrote about it.
    pub notes: Vec<TicketNote>,
}

/// The longest list of notes on one ticket.
pub const MAX_TICKET_NOTES: usize = 50;

/// One remark of staff on a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TicketNote {
    /// Who wrote it.
    pub by: PersonId,
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub text: String,
}

/// The kinds of work staff have.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum TicketQueue {
    /// New people: signups, duplicates, authorities, undeliverable mail.
    People,
    /// Support workers: checks and introductions.
    Workers,
    /// Match requests: lists to look at, lists that are empty.
    MatchRequests,
    /// Visits that did not begin, were disputed, or have nobody to come.
    Visits,
    /// Work opened by hand.
    General,
}

impl TicketQueue {
    /// Every queue.
    pub const ALL: [Self; 5] = [
        Self::People,
        Self::Workers,
        Self::MatchRequests,
        Self::Visits,
        Self::General,
    ];

    /// The queue's stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Workers => "workers",
            Self::MatchRequests => "match_requests",
            Self::Visits => "visits",
            Self::General => "general",
        }
    }
}

/// Why a ticket was opened.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum TicketCause {
    /// A signup arrived from a partner that wants each one looked at.
    SignupReceived,
    /// A new person looks like one already known.
    PossibleDuplicate,
    /// A representative's authority waits for verification.
    AuthorityClaimed,
    /// Mail to a person came back.
    MailBounced,
    /// A support worker submitted a profile.
    WorkerSubmitted,
    /// An active support worker's introduction changed and waits for approval.
    IntroductionChanged,
    /// A verified check of an active support worker expires soon or has expired.
    CheckExpiring,
    /// A match request was submitted.
    MatchRequestSubmitted,
    /// Nobody qualifies for a match request.
    NoCandidates,
    /// Nobody is left of those whom the client was shown, and nobody else was found.
    CandidatesExhausted,
    /// A visit has not begun, and the client may need somebody to call.
    WelfareCall,
    /// Nobody was found to come to a visit.
    CoverUnfilled,
    /// A client disputes what a visit was.
    VisitDisputed,
    /// A visit was begun, and never said to be over.
    VisitNotFinished,
    /// A visit that counted as missed was written down; it waits for the client to answer.
    VisitRecordedLate,
    /// Opened by hand.
    Manual,
}

const HANDLING: [(TicketCause, TicketQueue, i64); 16] = [
    (TicketCause::SignupReceived, TicketQueue::People, 48),
    (TicketCause::PossibleDuplicate, TicketQueue::People, 24),
    (TicketCause::AuthorityClaimed, TicketQueue::People, 24),
    (TicketCause::MailBounced, TicketQueue::People, 24),
    (TicketCause::WorkerSubmitted, TicketQueue::Workers, 72),
    (TicketCause::IntroductionChanged, TicketQueue::Workers, 72),
    (TicketCause::CheckExpiring, TicketQueue::Workers, 72),
    (
        TicketCause::MatchRequestSubmitted,
        TicketQueue::MatchRequests,
        24,
    ),
    (TicketCause::NoCandidates, TicketQueue::MatchRequests, 4),
    (
        TicketCause::CandidatesExhausted,
        TicketQueue::MatchRequests,
        4,
    ),
    (TicketCause::WelfareCall, TicketQueue::Visits, 1),
    (TicketCause::CoverUnfilled, TicketQueue::Visits, 1),
    (TicketCause::VisitDisputed, TicketQueue::Visits, 72),
    (TicketCause::VisitNotFinished, TicketQueue::Visits, 24),
    (TicketCause::VisitRecordedLate, TicketQueue::Visits, 72),
    (TicketCause::Manual, TicketQueue::General, 72),
];

impl TicketCause {
    /// Which queue it goes to, and in how many hours it should be dealt with.
    #[must_use]
    pub fn handling(self) -> (TicketQueue, Duration) {
        HANDLING.iter().find(|(cause, ..)| *cause == self).map_or(
            (TicketQueue::General, Duration::hours(72)),
            |(_, queue, hours)| (*queue, Duration::hours(*hours)),
        )
    }
}

/// Where a ticket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TicketState {
    /// Waits for somebody or is being dealt with.
    Open,
    /// Dealt with.
    Closed,
}

impl TicketState {
    /// The state's stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// Why a ticket is not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChangeTicketError {
    /// It is closed.
    #[error("the ticket is closed")]
    Closed,
    /// It holds as many notes as a ticket may.
    #[error("the ticket has {MAX_TICKET_NOTES} notes, the most a ticket may have; open another")]
    TooManyNotes,
}

impl Ticket {
    /// A new ticket about `subject`, in the queue and with the date that its cause calls for.
    #[must_use]
    pub fn open(
        id: TicketId,
        cause: TicketCause,
        subject: impl ToString,
        now: DateTime<Utc>,
    ) -> Self {
        let (queue, within) = cause.handling();
        Self {
            id,
            queue,
            cause,
            subject: subject.to_string(),
            related: Vec::new(),
            state: TicketState::Open,
            assignee: None,
            due_at: now + within,
            opened_at: now,
            closed_at: None,
            notes: Vec::new(),
        }
    }

    /// Gives the ticket to somebody, or back to the queue.
    ///
    /// # Errors
    /// When it is closed.
    pub fn assign(mut self, assignee: Option<PersonId>) -> Result<Self, ChangeTicketError> {
        self.must_be_open()?;
        self.assignee = assignee;
        Ok(self)
    }

    /// Moves the date by which it should be dealt with.
    ///
    /// # Errors
    /// When it is closed.
    pub fn date(mut self, due_at: DateTime<Utc>) -> Result<Self, ChangeTicketError> {
        self.must_be_open()?;
        self.due_at = due_at;
        Ok(self)
    }

    /// Adds a remark.
    ///
    /// # Errors
    /// When it is closed or full.
    pub fn note(mut self, note: TicketNote) -> Result<Self, ChangeTicketError> {
        self.must_be_open()?;
        if self.notes.len() >= MAX_TICKET_NOTES {
            return Err(ChangeTicketError::TooManyNotes);
        }
        self.notes.push(note);
        Ok(self)
    }

    /// Closes it with a last remark, which a full ticket still takes.
    ///
    /// # Errors
    /// When it is closed already.
    pub fn close(mut self, note: TicketNote) -> Result<Self, ChangeTicketError> {
        self.must_be_open()?;
        self.state = TicketState::Closed;
        self.closed_at = Some(note.at);
        self.notes.push(note);
        Ok(self)
    }

    fn must_be_open(&self) -> Result<(), ChangeTicketError> {
        match self.state {
            TicketState::Open => Ok(()),
            TicketState::Closed => Err(ChangeTicketError::Closed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn ticket() -> Ticket {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        Ticket::open(
            TicketId::from_uuid(Uuid::nil()),
            TicketCause::NoCandidates,
            "mreq_x",
            now,
        )
    }

    fn note() -> TicketNote {
        TicketNote {
            by: PersonId::from_uuid(Uuid::nil()),
            at: ticket().opened_at,
            text: "done".into(),
        }
    }

    #[test]
    fn every_cause_is_handled_in_a_queue() {
        for (cause, queue, hours) in HANDLING {
            assert_eq!(cause.handling(), (queue, Duration::hours(hours)));
        }
        assert_eq!(ticket().queue, TicketQueue::MatchRequests);
        assert_eq!(ticket().due_at - ticket().opened_at, Duration::hours(4));
    }

    #[test]
    fn a_closed_ticket_takes_no_change() {
        let closed = ticket().close(note()).unwrap();
        assert_eq!(closed.clone().assign(None), Err(ChangeTicketError::Closed));
        assert_eq!(
            closed.clone().date(closed.due_at),
            Err(ChangeTicketError::Closed)
        );
        assert_eq!(closed.clone().note(note()), Err(ChangeTicketError::Closed));
        assert_eq!(closed.close(note()), Err(ChangeTicketError::Closed));
    }

    #[test]
    fn notes_are_bounded_but_closing_always_works() {
        let full = (0..MAX_TICKET_NOTES).fold(ticket(), |ticket, _| ticket.note(note()).unwrap());
        assert_eq!(
            full.clone().note(note()),
            Err(ChangeTicketError::TooManyNotes)
        );
        assert_eq!(full.close(note()).unwrap().state, TicketState::Closed);
    }
}
