//! Suspending a support worker over a safety report, at once.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::access::Duty;
use domain::engagement::{Engagement, Reasoned};
use domain::id::ReportId;
use domain::safety::{Done, SuspendOverReportError};
use domain::support_worker::SupportWorker;
use serde::Deserialize;
use store::{Commit, Key, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::emergency::Said;
use super::overseen;
use super::own::stopped;
use super::staff::show;
use super::view::ReportView;
use crate::body::Command;
use crate::caller::Caller;
use crate::context::Shared;
use crate::path::Path;
use crate::perform::{Decision, once};
use crate::problem::Problem;
use crate::reason::need_reason;
use crate::standing::on_duty;
use crate::support_worker::publish;

/// Why the engagement is paused with it, for those who look after engagements.
const SUSPENDED: &str = "The support worker is suspended.";

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(suspend_worker_over_report))
}

/// Why a support worker is suspended.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SuspendOverReport {
    /// Why; kept with the support worker's record, for staff.
    #[schema(
        min_length = 1,
        max_length = 500,
        example = "Until what happened on 20 March is looked into."
    )]
    reason: String,
}

/// Suspend the support worker over a safety report
///
/// They cannot be matched from then on, and the engagement is paused by staff. Staff who look after support
/// workers end the suspension.
#[utoipa::path(post, path = "/v1/reports/{report}/worker-suspension", tag = "safety",
    params(("report" = ReportId, Path)), request_body = SuspendOverReport,
    responses((status = 201, body = Said<ReportView>))
)]
async fn suspend_worker_over_report(
    State(context): State<Shared>,
    caller: Caller,
    Path(report): Path<ReportId>,
    command: Command<SuspendOverReport>,
) -> Result<Response, Problem> {
    on_duty(&caller, Duty::Safety)?;
    let reason = &command.body.reason;
    need_reason(reason)?;
    let done = once(&context, caller.person.value.id, &command.key, || async {
        let (duty, was) = overseen(&context, &caller, &Key::report(report)).await?;
        let key = Key::worker(was.value.worker);
        let worker = context.store.get::<SupportWorker>(&key).await?;
        let worker = worker.ok_or_else(Problem::not_found)?;
        let within = Key::engagement(was.value.engagement);
        let within: Option<Versioned<Engagement>> = context.store.get(&within).await?;
        let within = within.ok_or_else(Problem::not_found)?;
        let now = context.now();
        let by = duty.acting.by;
        let next = was.value.clone().suspend_worker(Done { by, at: now })?;
        let changed = worker.value.suspend(reason, now)?;
        // The support worker's own record tells of it, as of any other suspension.
        let fields = vec!["state".to_owned()];
        let audit = context.correction(duty.acting, "suspend_worker", &key, fields, reason);
        let commit = Commit::new(audit).replace(&was, &next).unchanged(&within);
        let commit = publish(&context, commit, &worker, &changed);
        let by = Reasoned {
            side: None,
            acting: duty.acting,
            at: now,
            reason: SUSPENDED.to_owned(),
        };
        let commit = stopped(&context, commit, &within, by);
        Ok(Decision::new(duty.insisted_on(commit), report))
    })
    .await?;
    let view = show(&context, &caller, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

impl From<SuspendOverReportError> for Problem {
    fn from(error: SuspendOverReportError) -> Self {
        match error {
            SuspendOverReportError::Closed => Self::wrong_state("report-closed", error),
        }
    }
}
