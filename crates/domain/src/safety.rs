//! Safety reports: what somebody in an engagement tells the service in confidence, and by when it is
//! looked into.

#[cfg(test)]
mod tests;

use chrono::{DateTime, Months, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::access::Acting;
use crate::engagement::{Engagement, Side};
use crate::id::{ClientId, EngagementId, PersonId, ReportId, WorkerId};
use crate::invalid::{Findings, Invalid};
use crate::vocabulary::Vocabulary;

/// How long after an engagement's end something that happened in it can be reported, in months.
const REPORTABLE_MONTHS: u32 = 24;
/// The longest list of notes on one report.
pub const MAX_REPORT_NOTES: usize = 200;
/// How long they are together at most, in bytes: a report is one item, of which a table takes 400 KB.
const MAX_NOTED_BYTES: usize = 250_000;

vocabulary! {
    /// What a report is about.
    ReportKind {
        Incident = "incident", "Something happened that harmed somebody, or nearly";
        Complaint = "complaint", "Somebody is not content with how they were treated";
        Safeguarding = "safeguarding", "Somebody is being harmed or is in danger of it";
        Pressure = "pressure", "Somebody is pressing the client in a negotiation";
    }

    /// Where a report stands.
    ReportState {
        Received = "received", "Received";
        LookedInto = "being_looked_into", "Being looked into";
        Closed = "closed", "Closed";
    }

    /// What a report's deadline is for.
    ReportStep {
        Acknowledgement = "acknowledgement", "Staff look at it";
        Closure = "closure", "Staff come to an outcome";
    }
}

/// By when a report of each kind is looked at and closed, in hours after it came in.
const WITHIN: [(ReportKind, i64, i64); 4] = [
    (ReportKind::Safeguarding, 4, 72),
    (ReportKind::Incident, 24, 240),
    (ReportKind::Pressure, 24, 120),
    (ReportKind::Complaint, 48, 672),
];

impl ReportKind {
    /// How long a step may take, counted from when the report came in.
    #[must_use]
    pub fn within(self, step: ReportStep) -> TimeDelta {
        let listed = WITHIN.iter().find(|(kind, ..)| *kind == self);
        let hours = match (listed, step) {
            (Some((_, acknowledged, _)), ReportStep::Acknowledgement) => *acknowledged,
            (Some((.., closed)), ReportStep::Closure) => *closed,
            // INVARIANT: a test holds the table to every kind; were one missing, it would be due at once.
            (None, _) => 0,
        };
        TimeDelta::hours(hours)
    }
}

/// What somebody reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// What it is about.
    pub kind: ReportKind,
    /// What happened, in their words.
    pub what: String,
    /// When it happened.
    pub happened_at: Option<DateTime<Utc>>,
    /// Whether no more visits are to be arranged from now on.
    pub stop_visits: bool,
}

/// A safety report. Restricted staff see it; whoever made it sees that it is dealt with; nobody else
/// learns that there is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Which.
    pub id: ReportId,
    /// In which engagement it happened.
    pub engagement: EngagementId,
    /// The client in it.
    pub client: ClientId,
    /// The support worker in it.
    pub worker: WorkerId,
    /// On which side it was made.
    pub side: Side,
    /// Who made it.
    pub acting: Acting,
    /// What they said.
    pub told: Told,
    /// When it came in.
    pub made_at: DateTime<Utc>,
    /// Where it stands.
    pub state: ReportState,
    /// The deadline in force, or the last there was.
    pub deadline: ReportDeadline,
    /// Who acknowledged it.
    pub acknowledged: Option<Done>,
    /// Who suspended the support worker over it.
    pub worker_suspended: Option<Done>,
    /// What staff wrote about it, for one another.
    pub notes: Vec<ReportNote>,
    /// Who closed it.
    pub closed: Option<Done>,
    /// What it came to, in words of staff.
    pub outcome: Option<String>,
}

/// By when the next step is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportDeadline {
    /// What is due.
    pub step: ReportStep,
    /// When.
    pub at: DateTime<Utc>,
    /// Raised whenever another deadline takes its place, or it is over.
    pub generation: u32,
}

/// Something that a member of staff did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReportStaffStep)]
pub struct Done {
    /// Who.
    pub by: PersonId,
    /// When.
    pub at: DateTime<Utc>,
}

/// One remark of staff on a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReportNote {
    /// Who wrote it.
    pub by: PersonId,
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub text: String,
}

/// Why nothing is reported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MakeReportError {
    /// The engagement ended too long ago.
    #[error(
        "the engagement ended more than two years ago; please ring us about what happened in it"
    )]
    TooLate,
    /// What is said has faults.
    #[error("the report is not right")]
    Invalid(Vec<Invalid>),
}

/// Why a report is not acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AcknowledgeReportError {
    /// It is being looked into already.
    #[error("the report is being looked into already")]
    AlreadyAcknowledged,
    /// It is closed.
    #[error("the report is closed")]
    Closed,
}

/// Why nothing is noted on a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteReportError {
    /// It is closed.
    #[error("the report is closed")]
    Closed,
    /// It holds as many notes as a report may.
    #[error("the report holds as many notes as a report may")]
    TooManyNotes,
}

/// Why nobody is suspended over a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SuspendOverReportError {
    /// It is closed.
    #[error("the report is closed")]
    Closed,
}

/// Why a report is not closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CloseReportError {
    /// Nobody has looked at it.
    #[error("the report was not acknowledged")]
    NotAcknowledged,
    /// It is closed already.
    #[error("the report is closed already")]
    AlreadyClosed,
}

/// Why a deadline does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PassReportDeadlineError {
    /// Another has taken its place, or nothing is due any more.
    #[error("another deadline has taken its place")]
    Superseded,
    /// It comes later.
    #[error("due at {0}")]
    Early(DateTime<Utc>),
}

impl Report {
    /// Takes a report in; the first deadline runs from now.
    ///
    /// # Errors
    /// See [`MakeReportError`].
    pub fn make(
        id: ReportId,
        engagement: &Engagement,
        side: Side,
        acting: Acting,
        told: Told,
        now: DateTime<Utc>,
    ) -> Result<Self, MakeReportError> {
        let ended = engagement.end.as_ref().map(|end| end.at);
        let until =
            ended.and_then(|ended| ended.checked_add_months(Months::new(REPORTABLE_MONTHS)));
        if until.is_some_and(|until| until < now) {
            return Err(MakeReportError::TooLate);
        }
        let mut findings = Findings::default();
        findings.text("/what", &told.what, 1, 4000);
        findings.check(
            told.kind != ReportKind::Pressure || side == Side::Client,
            "/kind",
            "is for the client and those who act for them; what presses you is an incident or a complaint",
        );
        findings.check(
            told.happened_at.is_none_or(|at| at <= now),
            "/happened_at",
            "lies in the future",
        );
        findings.into_result().map_err(MakeReportError::Invalid)?;
        let step = ReportStep::Acknowledgement;
        Ok(Self {
            id,
            engagement: engagement.id,
            client: engagement.client,
            worker: engagement.worker,
            side,
            acting,
            deadline: ReportDeadline {
                step,
                at: now + told.kind.within(step),
                generation: 1,
            },
            told,
            made_at: now,
            state: ReportState::Received,
            acknowledged: None,
            worker_suspended: None,
            notes: Vec::new(),
            closed: None,
            outcome: None,
        })
    }

    /// Staff look into it. Unless it runs already, the closing deadline takes the place of the first.
    ///
    /// # Errors
    /// See [`AcknowledgeReportError`].
    pub fn acknowledge(&self, by: Done) -> Result<Self, AcknowledgeReportError> {
        match self.state {
            ReportState::Received => Ok(Self {
                state: ReportState::LookedInto,
                acknowledged: Some(by),
                deadline: match self.deadline.step {
                    ReportStep::Acknowledgement => self.closing_deadline(),
                    ReportStep::Closure => self.deadline,
                },
                ..self.clone()
            }),
            ReportState::LookedInto => Err(AcknowledgeReportError::AlreadyAcknowledged),
            ReportState::Closed => Err(AcknowledgeReportError::Closed),
        }
    }

    /// Staff write something down for one another.
    ///
    /// # Errors
    /// When it is closed or full.
    pub fn note(mut self, note: ReportNote) -> Result<Self, NoteReportError> {
        if self.state == ReportState::Closed {
            return Err(NoteReportError::Closed);
        }
        let written = self.notes.iter().map(|note| note.text.len());
        let written = written.fold(note.text.len(), usize::saturating_add);
        if self.notes.len() >= MAX_REPORT_NOTES || written > MAX_NOTED_BYTES {
            return Err(NoteReportError::TooManyNotes);
        }
        self.notes.push(note);
        Ok(self)
    }

    /// Staff suspend the support worker over it.
    ///
    /// # Errors
    /// When it is closed.
    pub fn suspend_worker(mut self, by: Done) -> Result<Self, SuspendOverReportError> {
        if self.state == ReportState::Closed {
            return Err(SuspendOverReportError::Closed);
        }
        self.worker_suspended = Some(by);
        Ok(self)
    }

    /// Staff come to an outcome. Nothing is due any more.
    ///
    /// # Errors
    /// See [`CloseReportError`].
    pub fn close(&self, outcome: String, by: Done) -> Result<Self, CloseReportError> {
        match self.state {
            ReportState::Received => Err(CloseReportError::NotAcknowledged),
            ReportState::LookedInto => Ok(Self {
                state: ReportState::Closed,
                closed: Some(by),
                outcome: Some(outcome),
                deadline: self.superseded(),
                ..self.clone()
            }),
            ReportState::Closed => Err(CloseReportError::AlreadyClosed),
        }
    }

    /// The deadline of this generation has come and the step was not taken. After the first comes the
    /// closing one, after which none follows.
    ///
    /// # Errors
    /// See [`PassReportDeadlineError`].
    pub fn pass_deadline(
        &self,
        generation: u32,
        now: DateTime<Utc>,
    ) -> Result<Self, PassReportDeadlineError> {
        if self.state == ReportState::Closed || generation != self.deadline.generation {
            return Err(PassReportDeadlineError::Superseded);
        }
        if now < self.deadline.at {
            return Err(PassReportDeadlineError::Early(self.deadline.at));
        }
        Ok(Self {
            deadline: match self.deadline.step {
                ReportStep::Acknowledgement => self.closing_deadline(),
                ReportStep::Closure => self.superseded(),
            },
            ..self.clone()
        })
    }

    /// The deadline to be armed where `self` follows on `was`.
    #[must_use]
    pub fn armed_since(&self, was: &Self) -> Option<ReportDeadline> {
        let moved = self.deadline.at != was.deadline.at;
        Some(self.deadline).filter(|_| moved && self.state != ReportState::Closed)
    }

    /// Whether a step that is not taken yet should have been.
    #[must_use]
    pub fn is_overdue(&self, now: DateTime<Utc>) -> bool {
        let due = |step| self.made_at + self.told.kind.within(step) <= now;
        match self.state {
            ReportState::Received => due(ReportStep::Acknowledgement),
            ReportState::LookedInto => due(ReportStep::Closure),
            ReportState::Closed => false,
        }
    }

    fn closing_deadline(&self) -> ReportDeadline {
        let step = ReportStep::Closure;
        ReportDeadline {
            step,
            at: self.made_at + self.told.kind.within(step),
            ..self.superseded()
        }
    }

    const fn superseded(&self) -> ReportDeadline {
        ReportDeadline {
            generation: self.deadline.generation.saturating_add(1),
            ..self.deadline
        }
    }
}
