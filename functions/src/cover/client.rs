//! What the client's side says of whoever could come, and how a search is withdrawn.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::access::{Acting, Scope};
use domain::cover::{CoverClosed, RefuseCoverError, WithdrawCoverError};
use domain::engagement::{Happening, Reasoned, Side};
use domain::id::{CoverId, WorkerId};
use domain::notice::Told;
use serde::Deserialize;
use store::{Commit, Key};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ask::Asking;
use super::booked::{Agreed, booked};
use super::comer::Comer;
use super::view::CoverView;
use super::{Search, armed, closed};
use crate::body::Command;
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::path::Path;
use crate::perform::{Decision, Done, once};
use crate::problem::Problem;
use crate::reason::need_reason;
use crate::standing::{ForClient, for_client};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(confirm_cover))
        .routes(routes!(refuse_cover))
        .routes(routes!(withdraw_cover))
}

/// Whom the client agrees to.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ConfirmCover {
    /// Who can come, as the client saw it: nobody else is booked.
    worker: WorkerId,
}

/// Agree to whoever can come
///
/// By the client's side. It books them for the visit, at the price that was agreed to; the visit that was booked
/// before is off, and costs nothing.
#[utoipa::path(post, path = "/v1/covers/{cover}/confirmation", tag = "cover", params(("cover" = CoverId, Path)),
    request_body(content = ConfirmCover, example = json!({"worker": "wrk_0190b2f06bd47c5a9a3e5b7f21d4c8aa"})),
    responses((status = 201, body = CoverView))
)]
async fn confirm_cover(
    State(context): State<Shared>,
    caller: Caller,
    Path(cover): Path<CoverId>,
    command: Command<ConfirmCover>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let worker = command.body.worker;
    let done = once(&context, by, &command.key, || async {
        let (search, standing) = for_search(&context, &caller, cover).await?;
        let accepted = &search.cover.value;
        accepted.must_wait_for_client(worker)?;
        must_not_be(&caller, worker)?;
        if !search.is_wanted() || search.visit.value.until <= context.now() {
            return Err(closed(CoverClosed::Over));
        }
        let policy = context.store.policy().await?;
        let comer = Comer::of(&context, &search, worker, &policy).await?;
        let comer = comer.map_err(|_| {
            let detail = "they cannot come any more; refuse them, and others are asked";
            Problem::wrong_state("support-worker-not-available", detail)
        })?;
        let acting = standing.acting;
        let audit = context.audit(acting, "confirm_cover", &Key::cover(cover));
        let commit = Commit::new(audit);
        let commit = booked(
            &context,
            commit,
            &search,
            accepted,
            &comer,
            Agreed::To(acting),
            &policy,
        )
        .await?;
        let commit = standing.insisted_on(comer.insisted_on(commit));
        Ok(Decision::new(commit, cover))
    })
    .await?;
    answer(&context, &done, Some(Side::Client)).await
}

/// Why the client would rather have somebody else.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RefuseCover {
    /// Who can come, as the client saw it.
    worker: WorkerId,
    /// Why; for staff alone.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Refuse whoever can come
///
/// By the client's side. Others are asked then.
#[utoipa::path(post, path = "/v1/covers/{cover}/refusal", tag = "cover", params(("cover" = CoverId, Path)),
    request_body(content = RefuseCover, example = json!({
        "worker": "wrk_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "reason": "I would rather have somebody I know."
    })),
    responses((status = 201, body = CoverView))
)]
async fn refuse_cover(
    State(context): State<Shared>,
    caller: Caller,
    Path(cover): Path<CoverId>,
    command: Command<RefuseCover>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let RefuseCover { worker, reason } = &command.body;
    let done = once(&context, by, &command.key, || async {
        let (search, standing) = for_search(&context, &caller, cover).await?;
        let next = search.cover.value.refuse(*worker, reason, context.now())?;
        must_not_be(&caller, *worker)?;
        let audit = context.audit(standing.acting, "refuse_cover", &Key::cover(cover));
        let commit = Commit::new(audit).replace(&search.cover, &next);
        let commit = search.let_go(&context, armed(commit, &next));
        let commit = search.told(&context, commit, Happening::CoverDeclined, Told::Client);
        Ok(Decision::new(standing.insisted_on(commit), cover))
    })
    .await?;
    answer(&context, &done, Some(Side::Client)).await
}

/// The search, for whoever acts for its client.
async fn for_search(
    context: &Context,
    caller: &Caller,
    cover: CoverId,
) -> Result<(Search, ForClient), Problem> {
    let search = Search::of(context, cover).await?;
    let search = search.ok_or_else(Problem::not_found)?;
    let client = search.cover.value.client;
    let standing = for_client(context, caller, client, Scope::Engagements).await?;
    Ok((search, standing))
}

/// INVARIANT: nobody agrees with themselves, a representative who is a support worker neither.
fn must_not_be(caller: &Caller, worker: WorkerId) -> Result<(), Problem> {
    if caller.person.value.roles.workers.contains(&worker) {
        return Err(Problem::forbidden());
    }
    Ok(())
}

/// Why nobody needs to be looked for any more.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WithdrawCover {
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Stop looking for somebody to come
///
/// By the client's side and by staff; by the support worker who does not come, where they asked for it. What is
/// booked stands.
#[utoipa::path(post, path = "/v1/covers/{cover}/withdrawal", tag = "cover", params(("cover" = CoverId, Path)),
    request_body(content = WithdrawCover, example = json!({"reason": "My sister comes that day."})),
    responses((status = 201, body = CoverView))
)]
async fn withdraw_cover(
    State(context): State<Shared>,
    caller: Caller,
    Path(cover): Path<CoverId>,
    command: Command<WithdrawCover>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let search = Search::of(&context, cover).await?;
    let engagement = search
        .ok_or_else(Problem::not_found)?
        .cover
        .value
        .engagement;
    let asking = Asking::of(&context, &caller, engagement).await?;
    let side = asking.side();
    let reason = &command.body.reason;
    need_reason(reason)?;
    let done = once(&context, by, &command.key, || async {
        let asking = Asking::of(&context, &caller, engagement).await?;
        let search = Search::of(&context, cover).await?;
        let search = search.ok_or_else(Problem::not_found)?;
        let asked_for = search.cover.value.asked_for.as_ref();
        let own = asked_for.is_some_and(|asked| asked.side == Some(Side::Worker));
        if asking.side() == Some(Side::Worker) && !own {
            return Err(Problem::forbidden());
        }
        let acting: Acting = asking.acting();
        let now = context.now();
        let why = Reasoned {
            side: asking.side(),
            acting,
            at: now,
            reason: reason.trim().to_owned(),
        };
        let next = search.cover.value.withdraw(Some(why), now)?;
        let audit = context.audit(acting, "withdraw_cover", &Key::cover(cover));
        let commit = Commit::new(audit).replace(&search.cover, &next);
        let commit = search.let_go(&context, commit);
        let commit = search.told(&context, commit, Happening::CoverWithdrawn, Told::Both);
        Ok(Decision::new(asking.insisted_on(commit), cover))
    })
    .await?;
    answer(&context, &done, side).await
}

async fn answer(context: &Context, done: &Done, side: Option<Side>) -> Result<Response, Problem> {
    let search = Search::of(context, done.id()?).await?;
    let search = search.ok_or_else(Problem::not_found)?;
    let view = CoverView::of(context, &search.cover.value, side).await?;
    Ok(done.answer(StatusCode::CREATED, Json(view)))
}

impl From<RefuseCoverError> for Problem {
    fn from(error: RefuseCoverError) -> Self {
        match error {
            RefuseCoverError::Confirm(refused) => refused.into(),
            RefuseCoverError::Invalid(errors) => Self::invalid(errors),
        }
    }
}

impl From<WithdrawCoverError> for Problem {
    fn from(error: WithdrawCoverError) -> Self {
        match error {
            WithdrawCoverError::Closed(over) => closed(over),
        }
    }
}
