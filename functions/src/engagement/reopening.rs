//! Staff take back an end that was a mistake.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::access::Duty;
use domain::engagement::{Happening, ReopenEngagementError};
use domain::id::EngagementId;
use domain::notice::Told;
use serde::Deserialize;
use store::{Commit, Key};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::pair_of;
use super::view::{EngagementView, show};
use crate::body::Command;
use crate::caller::Caller;
use crate::context::Shared;
use crate::conversation::tell;
use crate::path::Path;
use crate::perform::{Decision, once};
use crate::problem::Problem;
use crate::reason::need_reason;
use crate::standing::over_engagement;

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(reopen_engagement))
}

/// Why an engagement is opened again.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReopenEngagement {
    /// Why; kept with the record, for staff.
    #[schema(
        min_length = 1,
        max_length = 500,
        example = "Ended by mistake; both have rung and want to go on."
    )]
    reason: String,
}

/// Open an engagement again
///
/// For staff who reverse mistakes; refused while the two have another engagement, or one has blocked the
/// other. Visits that were cancelled meanwhile stay cancelled.
#[utoipa::path(post, path = "/v1/engagements/{engagement}/reopening", tag = "engagements",
    params(("engagement" = EngagementId, Path)), request_body = ReopenEngagement,
    responses((status = 201, body = EngagementView))
)]
async fn reopen_engagement(
    State(context): State<Shared>,
    caller: Caller,
    Path(engagement): Path<EngagementId>,
    command: Command<ReopenEngagement>,
) -> Result<Response, Problem> {
    let reason = &command.body.reason;
    let done = once(&context, caller.person.value.id, &command.key, || async {
        let standing = over_engagement(&context, &caller, engagement, Duty::Reversals).await?;
        need_reason(reason)?;
        let was = &standing.engagement;
        let pair = pair_of(&context, &was.value).await?;
        let (next, together) = was.value.reopen(&pair.value, context.now())?;
        let (acting, key) = (standing.duty.acting, Key::engagement(engagement));
        let fields = vec!["state".to_owned()];
        let audit = context.correction(acting, "reopen_engagement", &key, fields, reason);
        let commit = Commit::new(audit)
            .replace(was, &next)
            .replace(&pair, &together);
        let happening = Happening::EngagementReopened;
        let commit = tell(&context, commit, &next, happening, None, Told::Both);
        Ok(Decision::new(standing.insisted_on(commit), engagement))
    })
    .await?;
    let view = show(&context, &caller, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

impl From<ReopenEngagementError> for Problem {
    fn from(error: ReopenEngagementError) -> Self {
        let kind = match error {
            ReopenEngagementError::NotEnded => "engagement-not-ended",
            ReopenEngagementError::OtherEngagement => "connected-otherwise",
            ReopenEngagementError::Blocked => "pair-blocked",
        };
        Self::wrong_state(kind, error)
    }
}
