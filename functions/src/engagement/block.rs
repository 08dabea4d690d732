//! Blocks: somebody wants to have nothing to do with the other any more, and is never brought together
//! with them again.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::engagement::{EndEngagementError, Reasoned};
use domain::id::EngagementId;
use domain::pair::{BlockError, UnblockError};
use serde::Deserialize;
use store::{Commit, Key};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::lifecycle::ended;
use super::pair_of;
use super::view::{EngagementView, show};
use crate::body::{Command, Nothing};
use crate::caller::Caller;
use crate::context::Shared;
use crate::path::Path;
use crate::perform::{Decision, once};
use crate::problem::Problem;
use crate::reason::need_reason;
use crate::standing::in_engagement;

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(block_other_side))
        .routes(routes!(unblock_other_side))
}

/// Why somebody wants to have nothing to do with the other.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BlockOtherSide {
    /// Why; for your side and for staff.
    #[schema(
        min_length = 1,
        max_length = 500,
        example = "She kept ringing me at night."
    )]
    reason: String,
}

/// Block the other side
///
/// For either side, also after the end. A live engagement ends at once, and the two are never matched or
/// invited again. The other side sees that the engagement has ended, and nothing else.
#[utoipa::path(post, path = "/v1/engagements/{engagement}/block", tag = "engagements",
    params(("engagement" = EngagementId, Path)), request_body = BlockOtherSide,
    responses((status = 201, body = EngagementView))
)]
async fn block_other_side(
    State(context): State<Shared>,
    caller: Caller,
    Path(engagement): Path<EngagementId>,
    command: Command<BlockOtherSide>,
) -> Result<Response, Problem> {
    let reason = &command.body.reason;
    let done = once(&context, caller.person.value.id, &command.key, || async {
        let party = in_engagement(&context, &caller, engagement).await?;
        need_reason(reason)?;
        let was = &party.engagement;
        let pair = pair_of(&context, &was.value).await?;
        let blocked = pair.value.clone().block(party.side)?;
        let key = Key::engagement(engagement);
        let fields = vec!["blocked_by".to_owned()];
        let audit = context.correction(party.acting, "block_other_side", &key, fields, reason);
        let commit = Commit::new(audit);
        let by = Reasoned {
            side: Some(party.side),
            acting: party.acting,
            at: context.now(),
            reason: reason.trim().to_owned(),
        };
        let commit = match was.value.end(&blocked, by, None) {
            Ok((next, apart)) => {
                let commit = commit.replace(&pair, &apart);
                ended(&context, commit, was, &next)
            }
            // INVARIANT: what has ended already stays as it is, and nobody hears of the block.
            Err(EndEngagementError::AlreadyEnded | EndEngagementError::Charge(_)) => {
                commit.replace(&pair, &blocked)
            }
        };
        Ok(Decision::new(party.insisted_on(commit), engagement))
    })
    .await?;
    let view = show(&context, &caller, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

/// Unblock the other side
///
/// Takes your side's block back; a block of the other side stands. An engagement that has ended stays so.
#[utoipa::path(post, path = "/v1/engagements/{engagement}/unblock", tag = "engagements",
    params(("engagement" = EngagementId, Path)), request_body(content = Nothing, example = json!({})),
    responses((status = 201, body = EngagementView))
)]
async fn unblock_other_side(
    State(context): State<Shared>,
    caller: Caller,
    Path(engagement): Path<EngagementId>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    let done = once(&context, caller.person.value.id, &command.key, || async {
        let party = in_engagement(&context, &caller, engagement).await?;
        let pair = pair_of(&context, &party.engagement.value).await?;
        let unblocked = pair.value.clone().unblock(party.side)?;
        let key = Key::engagement(engagement);
        let audit = context.audit(party.acting, "unblock_other_side", &key);
        let commit = Commit::new(audit).replace(&pair, &unblocked);
        Ok(Decision::new(party.insisted_on(commit), engagement))
    })
    .await?;
    let view = show(&context, &caller, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

impl From<BlockError> for Problem {
    fn from(error: BlockError) -> Self {
        match error {
            BlockError::AlreadyBlocked => Self::wrong_state("blocked-already", error),
        }
    }
}

impl From<UnblockError> for Problem {
    fn from(error: UnblockError) -> Self {
        match error {
            UnblockError::NotBlocked => Self::wrong_state("not-blocked", error),
        }
    }
}
