//! Safety reports: made in confidence by anybody in an engagement, dealt with by restricted staff.

mod deadline;
mod emergency;
mod own;
mod staff;
mod suspension;
mod view;

use axum::middleware::from_fn;
use domain::access::Duty;
use domain::safety::Report;
use store::{Key, Versioned};
use utoipa_axum::router::OpenApiRouter;

pub use emergency::Emergency;

pub(crate) use deadline::pass_deadline;

use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::problem::Problem;
use crate::standing::{OnDuty, on_duty, over_both};

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .merge(own::router())
        .merge(staff::router())
        .merge(suspension::router())
        // INVARIANT: around all of them, so that no answer and no refusal goes without it.
        .layer(from_fn(emergency::say))
}

/// Shows `caller` a safety report as restricted staff, or refuses.
///
/// # Errors
/// 403 to staff with other duties; 404 to everybody else, to staff on a side of the engagement or who
/// represent the client, and where there is none: they do not even learn that there is one.
pub(crate) async fn overseen(
    context: &Context,
    caller: &Caller,
    report: &Key,
) -> Result<(OnDuty, Versioned<Report>), Problem> {
    on_duty(caller, Duty::Safety)?;
    let found = context.store.get::<Report>(report).await?;
    let report = found.ok_or_else(Problem::not_found)?;
    let duty = over_both(
        caller,
        report.value.client,
        report.value.worker,
        Duty::Safety,
    );
    let duty = duty.map_err(|_| Problem::not_found())?;
    Ok((duty, report))
}
