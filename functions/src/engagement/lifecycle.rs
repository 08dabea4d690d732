//! Pausing, resuming and ending an engagement, by either side or staff.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::engagement::{
    EndEngagementError, Engagement, Happening, PauseEngagementError, ResumeEngagementError,
};
use domain::id::EngagementId;
use domain::invalid::Findings;
use domain::money::Price;
use domain::notice::Told;
use domain::visit::ChargedVisits;
use serde::Deserialize;
use serde_json::json;
use store::{Commit, Key, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::view::{EngagementView, show};
use super::{Standing, pair_of};
use crate::body::{Command, IdempotencyKey, Nothing};
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::conversation::tell;
use crate::path::Path;
use crate::perform::{Decision, once};
use crate::problem::Problem;
use crate::reason::{check_reason, need_reason};
use crate::visit::{self, as_quoted, settles};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(pause_engagement))
        .routes(routes!(resume_engagement))
        .routes(routes!(end_engagement))
}

/// Why an engagement is paused.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PauseEngagement {
    /// Why; for your side and for staff.
    #[schema(min_length = 1, max_length = 500, example = "Away for a month.")]
    reason: String,
}

/// Pause an engagement
///
/// No new visits can be arranged meanwhile; what is booked stays booked. Whoever paused it, or staff, resume it.
#[utoipa::path(post, path = "/v1/engagements/{engagement}/pause", tag = "engagements",
    params(("engagement" = EngagementId, Path)), request_body = PauseEngagement,
    responses((status = 201, body = EngagementView))
)]
async fn pause_engagement(
    State(context): State<Shared>,
    caller: Caller,
    Path(engagement): Path<EngagementId>,
    command: Command<PauseEngagement>,
) -> Result<Response, Problem> {
    let reason = &command.body.reason;
    let act = act(&context, &caller, engagement, &command.key, |standing| {
        need_reason(reason)?;
        let next = standing
            .engagement()
            .value
            .pause(standing.step(&context, reason))?;
        let happening = Happening::EngagementPaused;
        Ok(changed(
            &context,
            "pause_engagement",
            standing,
            &next,
            happening,
        ))
    });
    act.await
}

/// Resume an engagement
///
/// For the side that paused it, and for staff.
#[utoipa::path(post, path = "/v1/engagements/{engagement}/resumption", tag = "engagements",
    params(("engagement" = EngagementId, Path)), request_body(content = Nothing, example = json!({})),
    responses((status = 201, body = EngagementView))
)]
async fn resume_engagement(
    State(context): State<Shared>,
    caller: Caller,
    Path(engagement): Path<EngagementId>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    let act = act(&context, &caller, engagement, &command.key, |standing| {
        let next = standing.engagement().value.resume(standing.side())?;
        let happening = Happening::EngagementResumed;
        Ok(changed(
            &context,
            "resume_engagement",
            standing,
            &next,
            happening,
        ))
    });
    act.await
}

/// Does once what `decide` decides on in the caller's standing.
async fn act(
    context: &Context,
    caller: &Caller,
    engagement: EngagementId,
    key: &IdempotencyKey,
    decide: impl Fn(&Standing) -> Result<Commit, Problem> + Sync,
) -> Result<Response, Problem> {
    let done = once(context, caller.person.value.id, key, || async {
        let standing = Standing::to_act(context, caller, engagement).await?;
        let commit = decide(&standing)?;
        Ok(Decision::new(standing.insisted_on(commit), engagement))
    })
    .await?;
    let view = show(context, caller, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

fn changed(
    context: &Context,
    operation: &'static str,
    standing: &Standing,
    next: &Engagement,
    happening: Happening,
) -> Commit {
    let was = standing.engagement();
    let audit = context.audit(standing.acting(), operation, &Key::engagement(next.id));
    let commit = Commit::new(audit).replace(was, next);
    tell(context, commit, next, happening, None, Told::Both)
}

/// Why an engagement is ended.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EndEngagement {
    /// Why; for your side and for staff.
    #[schema(
        min_length = 1,
        max_length = 500,
        example = "My daughter lives with me now."
    )]
    reason: String,
    /// What the other side is to read.
    #[schema(max_length = 1000, example = "Thank you for everything.")]
    message: Option<String>,
    /// Exactly the charge that a refusal of this request came with, where one did.
    acknowledged: Option<Price>,
}

/// End an engagement
///
/// Visits that are still booked are cancelled. Both can go on reading what was said and done. The reason is
/// not shown to the other side; the message is. Where the client ends it and a visit is so close that its cancellation
/// is charged for, the answer is 409 `engagement-end-charge` with the `charge`; it goes through once exactly that is
/// sent back as `acknowledged`. Where the support worker ends it, somebody else is looked for to come to what is close.
#[utoipa::path(post, path = "/v1/engagements/{engagement}/end", tag = "engagements",
    params(("engagement" = EngagementId, Path)), request_body = EndEngagement,
    responses((status = 201, body = EngagementView))
)]
async fn end_engagement(
    State(context): State<Shared>,
    caller: Caller,
    Path(engagement): Path<EngagementId>,
    command: Command<EndEngagement>,
) -> Result<Response, Problem> {
    let EndEngagement {
        reason,
        message,
        acknowledged,
    } = &command.body;
    let done = once(&context, caller.person.value.id, &command.key, || async {
        let standing = Standing::to_act(&context, &caller, engagement).await?;
        let mut findings = Findings::default();
        check_reason(&mut findings, reason);
        let message = message.as_deref().map(str::trim).unwrap_or_default();
        findings.text("/message", message, 0, 1000);
        findings.into_result()?;
        let was = standing.engagement();
        let pair = pair_of(&context, &was.value).await?;
        let message = Some(message.to_owned()).filter(|message| !message.is_empty());
        let by = standing.step(&context, reason);
        let (side, now) = (standing.side(), by.at);
        let policy = context.store.policy().await?;
        let ahead = match was.value.stopped {
            // They are being cancelled at no charge already.
            Some(_) => Vec::new(),
            None => visit::ahead(&context, engagement).await?,
        };
        let cancelled = ahead.iter().map(|visit| &visit.value);
        let charged = ChargedVisits::of(cancelled, side, &policy, now);
        let (next, apart) =
            (was.value).end_at_cost(&pair.value, by, message, charged, *acknowledged)?;
        let key = Key::engagement(engagement);
        let audit = context.audit(standing.acting(), "end_engagement", &key);
        let commit = Commit::new(audit).replace(&pair, &apart);
        let commit = ended(&context, commit, was, &next);
        let commit = as_quoted(commit, &ahead, &next.charged_at_end)?;
        Ok(Decision::new(standing.insisted_on(commit), engagement))
    })
    .await?;
    let view = show(&context, &caller, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

/// Adds the end of an engagement, with all that follows from it but for the pair, to a commit.
///
/// An offer that waits for an answer is left to lapse: accepting it finds the engagement ended.
pub(super) fn ended(
    context: &Context,
    commit: Commit,
    was: &Versioned<Engagement>,
    next: &Engagement,
) -> Commit {
    let commit = settles(context, commit.replace(was, next), next.id);
    let happening = Happening::EngagementEnded;
    tell(context, commit, next, happening, None, Told::Both)
}

impl From<PauseEngagementError> for Problem {
    fn from(error: PauseEngagementError) -> Self {
        match error {
            PauseEngagementError::AlreadyPaused => Self::wrong_state("engagement-paused", error),
            PauseEngagementError::Ended => Self::wrong_state("engagement-ended", error),
        }
    }
}

impl From<ResumeEngagementError> for Problem {
    fn from(error: ResumeEngagementError) -> Self {
        match error {
            ResumeEngagementError::NotPaused => Self::wrong_state("engagement-not-paused", error),
            ResumeEngagementError::PausedByOther => {
                Self::wrong_state("engagement-paused-by-other", error)
            }
            ResumeEngagementError::Ended => Self::wrong_state("engagement-ended", error),
        }
    }
}

impl From<EndEngagementError> for Problem {
    fn from(error: EndEngagementError) -> Self {
        match error {
            EndEngagementError::AlreadyEnded => Self::wrong_state("engagement-ended", error),
            EndEngagementError::Charge(charge) => {
                Self::wrong_state("engagement-end-charge", error).with("charge", json!(charge))
            }
        }
    }
}
