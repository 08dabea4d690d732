//! A safety report that was not dealt with in time: supervisors hear of it, and the next deadline runs.

use domain::id::ReportId;
use domain::notice::Event;
use domain::safety::{PassReportDeadlineError, Report};
use store::{Actor, Commit, Key, PendingDue};

use super::staff::rearmed;
use crate::consume::{ConsumeError, Effect};
use crate::context::Context;

/// Passes the deadline that `pending` stands for, and arms the next one in the same commit.
pub(crate) async fn pass_deadline(
    context: &Context,
    pending: &PendingDue,
    report: ReportId,
) -> Result<Effect, ConsumeError> {
    let key = Key::report(report);
    let Some(was) = context.store.get::<Report>(&key).await? else {
        return Ok(Effect::Superseded);
    };
    let generation = pending.row.generation;
    match was.value.pass_deadline(generation, context.now()) {
        Ok(next) => {
            let audit = context.audit(Actor::Service, "pass_report_deadline", &key);
            let commit = Commit::new(audit).finish(pending).replace(&was, &next);
            let commit = rearmed(commit, &was.value, &next);
            let overdue = Event::ReportOverdue { report };
            Ok(commit.notify(context.fresh(), overdue).into())
        }
        Err(PassReportDeadlineError::Superseded) => Ok(Effect::Superseded),
        Err(PassReportDeadlineError::Early(at)) => Ok(Effect::Early(at)),
    }
}
