//! What restricted staff do with safety reports: find, read, acknowledge, note, close.

use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::access::Duty;
use domain::due::{Due, DueRow};
use domain::id::ReportId;
use domain::invalid::Findings;
use domain::safety::{
    AcknowledgeReportError, CloseReportError, Done, NoteReportError, Report, ReportNote,
    ReportState,
};
use domain::vocabulary::Vocabulary;
use serde::Deserialize;
use store::{Commit, Key, Page, StaffPartition, StoreError, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::emergency::Said;
use super::overseen;
use super::view::{ReportEntry, ReportView};
use crate::body::{Command, IdempotencyKey, Nothing};
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::page::{Listed, PageQuery};
use crate::path::{Path, Query};
use crate::perform::{Decision, Tagged, once};
use crate::problem::Problem;
use crate::standing::{on_duty, over_both};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list_reports))
        .routes(routes!(show_report))
        .routes(routes!(acknowledge_report))
        .routes(routes!(note_report))
        .routes(routes!(close_report))
}

/// Which reports are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ReportFilter {
    /// In this state; received ones unless told.
    state: Option<ReportState>,
}

/// List safety reports
///
/// Those in one state, the soonest due first, without what concerns the reader in person.
#[utoipa::path(get, path = "/v1/reports", tag = "safety", params(ReportFilter, PageQuery),
    responses((status = 200, body = Said<Listed<ReportEntry>>, example = json!({
        "items": [{
            "id": "rep_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "engagement": "eng_0190b2f06bd47c5a9a3e5b7f21d4c8ab",
            "kind": "incident", "state": "received", "made_at": "2026-03-20T05:00:00Z",
            "due": {"step": "acknowledgement", "at": "2026-03-21T05:00:00Z"}, "overdue": false
        }],
        "emergency": {"words": "If anybody is in danger now, ring 000."}
    })))
)]
async fn list_reports(
    State(context): State<Shared>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Query(filter): Query<ReportFilter>,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    on_duty(&caller, Duty::Safety)?;
    let partition = StaffPartition::Reports(filter.state.unwrap_or(ReportState::Received).code());
    let found = not_their_own(&context, &caller, partition, &page).await?;
    let now = context.now();
    Ok(Listed::of(found, |report| ReportEntry::of(&report.value, now)).at(&uri))
}

/// A page of the reports that do not concern `caller` in person.
///
/// INVARIANT: what is left out leaves no gap. A page that is not the last is as long as was asked, so that nobody
/// learns from its length that there is a report about them.
async fn not_their_own(
    context: &Context,
    caller: &Caller,
    partition: StaffPartition,
    page: &PageQuery,
) -> Result<Page<Versioned<Report>>, StoreError> {
    let store = &context.store;
    let mut items: Vec<Versioned<Report>> = Vec::new();
    let mut next = page.cursor().map(str::to_owned);
    loop {
        let shown = u16::try_from(items.len()).unwrap_or(u16::MAX);
        // No more than is missing, so that a cursor names nothing but what was shown last.
        let missing = page.limit().saturating_sub(shown);
        let found = store.staff_list::<Report>(partition, false, missing, next.as_deref());
        let found = found.await?;
        items.extend(found.items.into_iter().filter(|Versioned { value, .. }| {
            over_both(caller, value.client, value.worker, Duty::Safety).is_ok()
        }));
        next = found.next;
        if next.is_none() || items.len() >= usize::from(page.limit()) {
            return Ok(Page { items, next });
        }
    }
}

/// Show a safety report
#[utoipa::path(get, path = "/v1/reports/{report}", tag = "safety", params(("report" = ReportId, Path)),
    responses((status = 200, body = Said<ReportView>, example = json!({
        "id": "rep_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "engagement": "eng_0190b2f06bd47c5a9a3e5b7f21d4c8ab",
        "client": "clt_0190b2f06bd47c5a9a3e5b7f21d4c8ac", "worker": "wrk_0190b2f06bd47c5a9a3e5b7f21d4c8ad",
        "people": [{"side": "client", "name": {"given": "Ana", "family": "Lindqvist"},
                    "contact": {"email": "ana@example.org", "phone": null}},
                   {"side": "worker", "name": {"given": "Mira", "family": "Haddad"},
                    "contact": {"email": "mira@example.org", "phone": "+61 400 000 001"}}],
        "side": "client",
        "reported_by": {"by": "per_0190b2f06bd47c5a9a3e5b7f21d4c8ae", "on_behalf_of": null},
        "reporter": {"name": {"given": "Ana", "family": "Lindqvist"}, "contact": {"email": "ana@example.org", "phone": null}},
        "kind": "incident", "what": "She left me on the floor for an hour and would not ring anybody.",
        "happened_at": "2026-03-20T02:00:00Z", "stop_visits": true, "state": "being_looked_into",
        "made_at": "2026-03-20T05:00:00Z", "due": {"step": "closure", "at": "2026-03-30T05:00:00Z"}, "overdue": false,
        "acknowledged": {"by": "per_0190b2f06bd47c5a9a3e5b7f21d4c8af", "at": "2026-03-20T06:00:00Z"},
        "worker_suspended": null,
        "notes": [{"by": "per_0190b2f06bd47c5a9a3e5b7f21d4c8af", "at": "2026-03-20T06:30:00Z", "text": "Rang her; her neighbour is with her."}],
        "closed": null, "outcome": null,
        "emergency": {"words": "If anybody is in danger now, ring 000."}
    })))
)]
async fn show_report(
    State(context): State<Shared>,
    caller: Caller,
    Path(report): Path<ReportId>,
) -> Result<Response, Problem> {
    Ok(show(&context, &caller, report).await?.into_response())
}

pub(super) async fn show(
    context: &Context,
    caller: &Caller,
    report: ReportId,
) -> Result<Tagged<ReportView>, Problem> {
    let (_, report) = overseen(context, caller, &Key::report(report)).await?;
    Ok(ReportView::of(context, report).await?)
}

/// One POST about a report.
struct Act<'a> {
    context: &'a Context,
    caller: &'a Caller,
    report: ReportId,
    key: &'a IdempotencyKey,
    operation: &'static str,
}

impl Act<'_> {
    /// Does it once, arms the deadline if it moved, and answers with the report as it is then.
    async fn apply<E>(
        self,
        operation: impl Fn(&Report, Done) -> Result<Report, E> + Sync,
    ) -> Result<Response, Problem>
    where
        Problem: From<E>,
        E: Send,
    {
        let Self {
            context, caller, ..
        } = self;
        let done = once(context, caller.person.value.id, self.key, || async {
            let key = Key::report(self.report);
            let (duty, was) = overseen(context, caller, &key).await?;
            let by = Done {
                by: duty.acting.by,
                at: context.now(),
            };
            let next = operation(&was.value, by)?;
            let audit = context.audit(duty.acting, self.operation, &key);
            let commit = rearmed(Commit::new(audit).replace(&was, &next), &was.value, &next);
            Ok(Decision::new(duty.insisted_on(commit), self.report))
        })
        .await?;
        let view = show(context, caller, done.id()?).await?;
        Ok(done.answer(StatusCode::CREATED, view))
    }
}

/// Arms the deadline if it moved. The row of an earlier generation is left to find itself superseded.
pub(super) fn rearmed(commit: Commit, was: &Report, next: &Report) -> Commit {
    match next.armed_since(was) {
        Some(deadline) => commit.due_of(
            &Key::report(next.id),
            DueRow {
                due: Due::ReportDeadline { report: next.id },
                at: deadline.at,
                generation: deadline.generation,
            },
        ),
        None => commit,
    }
}

/// Acknowledge a safety report
///
/// It is being looked into from then on, which whoever made it can see; the deadline for an outcome runs.
#[utoipa::path(post, path = "/v1/reports/{report}/acknowledgement", tag = "safety",
    params(("report" = ReportId, Path)), request_body(content = Nothing, example = json!({})),
    responses((status = 201, body = Said<ReportView>))
)]
async fn acknowledge_report(
    State(context): State<Shared>,
    caller: Caller,
    Path(report): Path<ReportId>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    let act = Act {
        context: &context,
        caller: &caller,
        report,
        key: &command.key,
        operation: "acknowledge_report",
    };
    act.apply(Report::acknowledge).await
}

/// Something to write down.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NoteReport {
    /// What; for restricted staff alone.
    #[schema(
        min_length = 1,
        max_length = 4000,
        example = "Rang her; her neighbour is with her."
    )]
    text: String,
}

/// Add a note to a safety report
#[utoipa::path(post, path = "/v1/reports/{report}/notes", tag = "safety", params(("report" = ReportId, Path)),
    request_body = NoteReport, responses((status = 201, body = Said<ReportView>))
)]
async fn note_report(
    State(context): State<Shared>,
    caller: Caller,
    Path(report): Path<ReportId>,
    command: Command<NoteReport>,
) -> Result<Response, Problem> {
    need_text(&caller, "/text", &command.body.text)?;
    let act = Act {
        context: &context,
        caller: &caller,
        report,
        key: &command.key,
        operation: "note_report",
    };
    act.apply(|report, Done { by, at }| {
        let text = command.body.text.clone();
        report.clone().note(ReportNote { by, at, text })
    })
    .await
}

/// What a report came to.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CloseReport {
    /// For restricted staff alone.
    #[schema(
        min_length = 1,
        max_length = 4000,
        example = "The support worker no longer works with us; the client has another."
    )]
    outcome: String,
}

/// Close a safety report
///
/// Once it was acknowledged. Nothing is due any more.
#[utoipa::path(post, path = "/v1/reports/{report}/closure", tag = "safety", params(("report" = ReportId, Path)),
    request_body = CloseReport, responses((status = 201, body = Said<ReportView>))
)]
async fn close_report(
    State(context): State<Shared>,
    caller: Caller,
    Path(report): Path<ReportId>,
    command: Command<CloseReport>,
) -> Result<Response, Problem> {
    need_text(&caller, "/outcome", &command.body.outcome)?;
    let act = Act {
        context: &context,
        caller: &caller,
        report,
        key: &command.key,
        operation: "close_report",
    };
    act.apply(|report, by| report.close(command.body.outcome.clone(), by))
        .await
}

/// Refuses a body whose only text is not right, to those who may send one at all.
fn need_text(caller: &Caller, pointer: &str, text: &str) -> Result<(), Problem> {
    on_duty(caller, Duty::Safety)?;
    let mut findings = Findings::default();
    findings.text(pointer, text, 1, 4000);
    Ok(findings.into_result()?)
}

impl From<AcknowledgeReportError> for Problem {
    fn from(error: AcknowledgeReportError) -> Self {
        match error {
            AcknowledgeReportError::AlreadyAcknowledged => {
                Self::wrong_state("report-acknowledged", error)
            }
            AcknowledgeReportError::Closed => Self::wrong_state("report-closed", error),
        }
    }
}

impl From<NoteReportError> for Problem {
    fn from(error: NoteReportError) -> Self {
        match error {
            NoteReportError::Closed => Self::wrong_state("report-closed", error),
            NoteReportError::TooManyNotes => Self::wrong_state("report-full", error),
        }
    }
}

impl From<CloseReportError> for Problem {
    fn from(error: CloseReportError) -> Self {
        match error {
            CloseReportError::NotAcknowledged => {
                Self::wrong_state("report-not-acknowledged", error)
            }
            CloseReportError::AlreadyClosed => Self::wrong_state("report-closed", error),
        }
    }
}
