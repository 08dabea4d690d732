//! Making a safety report, and seeing one's own.

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use domain::access::Duty;
use domain::due::{Due, DueRow};
use domain::engagement::{Engagement, EngagementState, Happening, Reasoned};
use domain::id::{EngagementId, ReportId};
use domain::notice::{self, Event};
use domain::safety::{MakeReportError, Report, ReportKind, Told};
use serde::Deserialize;
use store::{Commit, Key, OwnReport, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::emergency::Said;
use super::view::OwnReportView;
use crate::body::Command;
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::conversation::tell;
use crate::page::{Listed, PageQuery};
use crate::path::{Path, Query};
use crate::perform::{Decision, once};
use crate::problem::Problem;
use crate::standing::{in_engagement, on_duty};
use crate::visit::settles;

/// Why an engagement is paused for somebody's safety. It can be read by people who must not learn that
/// there is a report, and says no more than a pause does.
const NO_MORE_VISITS: &str = "No more visits for now.";

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list_own_reports, make_report))
}

/// What somebody tells the service in confidence.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MakeReport {
    /// What it is about. Pressure is for the client's side: somebody presses them in a negotiation.
    kind: ReportKind,
    /// What happened.
    #[schema(min_length = 1, max_length = 4000)]
    what: String,
    /// When it happened.
    happened_at: Option<DateTime<Utc>>,
    /// Whether no more visits are to take place: the engagement is paused at once, and what is still booked in it is
    /// cancelled at no charge.
    stop_visits: bool,
}

/// Report something in confidence
///
/// For everybody in an engagement, up to two years after its end. Only restricted staff see it, and are told
/// at once; the other side learns nothing of it. Where it stops the visits, nobody comes any more: the engagement is
/// paused, and what is booked in it is cancelled at no charge, which both sides hear, without why. Whoever stopped them
/// and our staff can resume it; where both sides did, our staff alone. Visits are then arranged anew. Every answer says
/// whom to ring in an emergency.
#[utoipa::path(post, path = "/v1/engagements/{engagement}/reports", tag = "safety",
    params(("engagement" = EngagementId, Path)),
    request_body(content = MakeReport, example = json!({
        "kind": "incident", "what": "She left me on the floor for an hour and would not ring anybody.",
        "happened_at": "2026-03-01T02:00:00Z", "stop_visits": true
    })),
    responses((status = 201, body = Said<OwnReportView>))
)]
async fn make_report(
    State(context): State<Shared>,
    caller: Caller,
    Path(engagement): Path<EngagementId>,
    command: Command<MakeReport>,
) -> Result<Response, Problem> {
    // INVARIANT: never on instruction. Whoever gave it would be told so, with everybody who acts for them.
    if caller.instruction.is_some() {
        on_duty(&caller, Duty::Instructions)?;
        return Err(Problem::forbidden());
    }
    let by = caller.person.value.id;
    let done = once(&context, by, &command.key, || async {
        let party = in_engagement(&context, &caller, engagement).await?;
        let MakeReport {
            kind,
            what,
            happened_at,
            stop_visits,
        } = command.body.clone();
        let told = Told {
            kind,
            what,
            happened_at,
            stop_visits,
        };
        let (within, now) = (&party.engagement, context.now());
        let id = context.fresh();
        let report = Report::make(id, &within.value, party.side, party.acting, told, now)?;
        let audit = context.audit(party.acting, "make_report", &Key::report(id));
        let commit = Commit::new(audit)
            .insert(&report)
            .insert(&OwnReport {
                engagement,
                person: by,
                report: id,
            })
            .due(DueRow {
                due: Due::ReportDeadline { report: id },
                at: report.deadline.at,
                generation: report.deadline.generation,
            })
            .notify(context.fresh(), Event::ReportMade { report: id });
        let commit = match stop_visits {
            true => {
                let by = Reasoned {
                    side: Some(party.side),
                    acting: party.acting,
                    at: now,
                    reason: NO_MORE_VISITS.to_owned(),
                };
                visits_stopped(&context, commit, within, by)
            }
            false => commit,
        };
        Ok(Decision::new(party.insisted_on(commit), id))
    })
    .await?;
    let report: ReportId = done.id()?;
    let report = context.store.get::<Report>(&Key::report(report)).await?;
    let report = report.ok_or_else(Problem::not_found)?.value;
    // Whoever repeats the request has still to be in the engagement.
    in_engagement(&context, &caller, report.engagement).await?;
    Ok(done.answer(StatusCode::CREATED, Json(OwnReportView::of(report))))
}

/// Adds that no more visits take place to a commit: none is arranged, both sides hear of it, and those still to come
/// are cancelled by the consumer of the row.
fn visits_stopped(
    context: &Context,
    commit: Commit,
    was: &Versioned<Engagement>,
    by: Reasoned,
) -> Commit {
    let Some(next) = was.value.stop_visits(by) else {
        return commit;
    };
    let commit = settles(context, commit.replace(was, &next), next.id);
    match was.value.stopped {
        None => {
            let happening = Happening::VisitsStopped;
            tell(context, commit, &next, happening, None, notice::Told::Both)
        }
        // Both have heard, and hear nothing of who else wanted it.
        Some(_) => commit,
    }
}

/// Adds that no more visits are arranged to a commit, where that changes anything.
pub(super) fn stopped(
    context: &Context,
    commit: Commit,
    was: &Versioned<Engagement>,
    by: Reasoned,
) -> Commit {
    match was.value.stop(by) {
        Some(next) => paused(context, commit, was, &next),
        None => commit,
    }
}

/// Both sides learn that the engagement is paused, as ever, and nothing of why.
fn paused(
    context: &Context,
    commit: Commit,
    was: &Versioned<Engagement>,
    next: &Engagement,
) -> Commit {
    let commit = commit.replace(was, next);
    match was.value.state {
        EngagementState::Open => {
            let happening = Happening::EngagementPaused;
            tell(context, commit, next, happening, None, notice::Told::Both)
        }
        // It was paused, and goes on being so.
        EngagementState::Paused | EngagementState::Ended => commit,
    }
}

/// List your own safety reports
///
/// Those that you made in this engagement, the newest first. Nobody else sees them here, also on your side.
#[utoipa::path(get, path = "/v1/engagements/{engagement}/reports", tag = "safety",
    params(("engagement" = EngagementId, Path), PageQuery),
    responses((status = 200, body = Said<Listed<OwnReportView>>, example = json!({
        "items": [{
            "id": "rep_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "engagement": "eng_0190b2f06bd47c5a9a3e5b7f21d4c8ab",
            "kind": "incident", "what": "She left me on the floor for an hour and would not ring anybody.",
            "happened_at": "2026-03-20T02:00:00Z", "stop_visits": true, "state": "being_looked_into",
            "made_at": "2026-03-20T05:00:00Z"
        }],
        "emergency": {"words": "If anybody is in danger now, ring 000."}
    })))
)]
async fn list_own_reports(
    State(context): State<Shared>,
    caller: Caller,
    Path(engagement): Path<EngagementId>,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    in_engagement(&context, &caller, engagement).await?;
    let by = caller.person.value.id;
    let (limit, cursor) = (page.limit(), page.cursor());
    let marks = context
        .store
        .own_reports(engagement, by, limit, cursor)
        .await?;
    let keys: Vec<Key> = marks
        .items
        .iter()
        .map(|mark| Key::report(mark.value.report))
        .collect();
    let reports = context.store.get_many::<Report>(&keys).await?;
    let reports = reports
        .into_iter()
        .map(|report| OwnReportView::of(report.value));
    Ok(Listed {
        items: reports.collect(),
        next: marks.next,
    }
    .at(&uri))
}

impl From<MakeReportError> for Problem {
    fn from(error: MakeReportError) -> Self {
        match error {
            MakeReportError::TooLate => Self::wrong_state("report-too-late", error),
            MakeReportError::Invalid(errors) => Self::invalid(errors),
        }
    }
}
