//! Safety reports as whoever made them, and restricted staff, see them.

use chrono::{DateTime, Utc};
use domain::access::Acting;
use domain::engagement::Side;
use domain::id::{ClientId, EngagementId, ReportId, WorkerId};
use domain::person::{Contact, PersonName};
use domain::safety::{
    Done, Report, ReportDeadline, ReportKind, ReportNote, ReportState, ReportStep,
};
use domain::vocabulary::Vocabulary;
use serde::Serialize;
use store::{StoreError, Versioned};
use utoipa::ToSchema;

use crate::context::Context;
use crate::engagement::{MemberView, Members};
use crate::perform::Tagged;

/// A safety report as whoever made it sees it: what they said, and that it is dealt with.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OwnReportView {
    id: ReportId,
    engagement: EngagementId,
    kind: ReportKind,
    what: String,
    happened_at: Option<DateTime<Utc>>,
    stop_visits: bool,
    state: ReportState,
    made_at: DateTime<Utc>,
}

impl OwnReportView {
    pub(super) fn of(report: Report) -> Self {
        Self {
            id: report.id,
            engagement: report.engagement,
            kind: report.told.kind,
            what: report.told.what,
            happened_at: report.told.happened_at,
            stop_visits: report.told.stop_visits,
            state: report.state,
            made_at: report.made_at,
        }
    }
}

/// A safety report in a list for staff.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReportEntry {
    id: ReportId,
    engagement: EngagementId,
    kind: ReportKind,
    state: ReportState,
    made_at: DateTime<Utc>,
    /// What is due next, and when.
    due: Option<DueView>,
    /// Whether something should have been done by now.
    overdue: bool,
}

impl ReportEntry {
    pub(super) fn of(report: &Report, now: DateTime<Utc>) -> Self {
        Self {
            id: report.id,
            engagement: report.engagement,
            kind: report.told.kind,
            state: report.state,
            made_at: report.made_at,
            due: DueView::of(report),
            overdue: report.is_overdue(now),
        }
    }
}

/// A deadline.
#[derive(Debug, Serialize, ToSchema)]
struct DueView {
    step: ReportStep,
    at: DateTime<Utc>,
}

impl DueView {
    fn of(report: &Report) -> Option<Self> {
        let ReportDeadline { step, at, .. } = report.deadline;
        (report.state != ReportState::Closed).then_some(Self { step, at })
    }
}

/// A safety report as restricted staff see it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReportView {
    id: ReportId,
    engagement: EngagementId,
    client: ClientId,
    worker: WorkerId,
    /// Who the two are, and how to reach them.
    people: Vec<MemberView>,
    /// On which side it was made.
    side: Side,
    reported_by: Acting,
    /// Who made it, and how to reach them.
    reporter: Option<ReporterView>,
    kind: ReportKind,
    what: String,
    happened_at: Option<DateTime<Utc>>,
    stop_visits: bool,
    state: ReportState,
    made_at: DateTime<Utc>,
    /// What is due next, and when.
    due: Option<DueView>,
    /// Whether something should have been done by now.
    overdue: bool,
    acknowledged: Option<Done>,
    worker_suspended: Option<Done>,
    notes: Vec<ReportNote>,
    closed: Option<Done>,
    outcome: Option<String>,
}

/// Who made a report.
#[derive(Debug, Serialize, ToSchema)]
struct ReporterView {
    name: PersonName,
    contact: Contact,
}

impl ReportView {
    pub(super) async fn of(
        context: &Context,
        Versioned { version, value }: Versioned<Report>,
    ) -> Result<Tagged<Self>, StoreError> {
        let both = (value.client, value.worker);
        let members = Members::of(context, &[both]).await?;
        let people = Side::ALL.iter();
        let people = people.filter_map(|side| members.member(both, *side, true));
        let reporter = context.living_person(value.acting.by).await?;
        let view = Self {
            due: DueView::of(&value),
            overdue: value.is_overdue(context.now()),
            id: value.id,
            engagement: value.engagement,
            client: value.client,
            worker: value.worker,
            people: people.collect(),
            side: value.side,
            reported_by: value.acting,
            reporter: reporter.map(|person| ReporterView {
                name: person.value.name,
                contact: person.value.contact,
            }),
            kind: value.told.kind,
            what: value.told.what,
            happened_at: value.told.happened_at,
            stop_visits: value.told.stop_visits,
            state: value.state,
            made_at: value.made_at,
            acknowledged: value.acknowledged,
            worker_suspended: value.worker_suspended,
            notes: value.notes,
            closed: value.closed,
            outcome: value.outcome,
        };
        Ok(Tagged { version, view })
    }
}
