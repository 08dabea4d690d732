//! Due rows that were tried too often: what staff see of them, and putting one back.

use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use domain::access::Duty;
use domain::id::CommitId;
use serde::Serialize;
use store::{Commit, Key, PendingDue, due_of_token, due_token};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::{Command, Nothing};
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::page::{Listed, PageQuery};
use crate::path::{Path, Query};
use crate::perform::{Decision, once};
use crate::problem::Problem;
use crate::standing::on_duty;

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list_parked_rows))
        .routes(routes!(redrive_row))
}

/// Something that should have happened, was tried too often, and waits for staff.
#[derive(Debug, Serialize, ToSchema)]
struct ParkedRowView {
    /// How it is named when it is put back.
    #[schema(
        example = "TVJFUSNtcmVxXzAxOTBiMmYwNmJkNDdjNWE5YTNlNWI3ZjIxZDRjOGFhCkRVRSNjYW5kaWRhdGUtcmVsZWFzZSMw"
    )]
    id: String,
    /// The id of what it is about.
    #[schema(example = "mreq_0190b2f06bd47c5a9a3e5b7f21d4c8aa")]
    about: String,
    /// What was to happen.
    #[schema(example = "candidate-release")]
    kind: String,
    /// When.
    due_at: DateTime<Utc>,
    /// How often it was tried.
    tries: u32,
    /// Since when it waits.
    parked_at: Option<DateTime<Utc>>,
    /// Why it failed last: a stable code. `not_dealt_with` where whoever tried did not live to say.
    #[schema(example = "shard_unusable")]
    why: String,
    /// The commit that it follows from, as the audit names it.
    act: Option<CommitId>,
}

impl From<PendingDue> for ParkedRowView {
    fn from(row: PendingDue) -> Self {
        let (_, about) = row.key.pk.split_once('#').unwrap_or_default();
        let mut name = row.key.sk.split('#').skip(1);
        Self {
            id: due_token(&row.key),
            about: about.to_owned(),
            kind: name.next().unwrap_or_default().to_owned(),
            due_at: row.row.at,
            tries: row.tries,
            parked_at: row.parked_at,
            why: row.failed.unwrap_or_else(|| "not_dealt_with".to_owned()),
            act: row.act,
        }
    }
}

/// List parked rows
///
/// What was tried 58 times in vain, within about a day, and now waits. Put right what it fails on, then put
/// it back.
#[utoipa::path(get, path = "/v1/parked-rows", tag = "due rows", params(PageQuery), responses(
    (status = 200, body = Listed<ParkedRowView>, example = json!({"items": [{
        "id": "TVJFUSNtcmVxXzAxOTBiMmYwNmJkNDdjNWE5YTNlNWI3ZjIxZDRjOGFhCkRVRSNjYW5kaWRhdGUtcmVsZWFzZSMw",
        "about": "mreq_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "kind": "candidate-release",
        "due_at": "2026-03-03T00:00:00Z", "tries": 58, "parked_at": "2026-03-04T02:15:00Z", "why": "shard_unusable",
        "act": "cmt_0190b2f06bd47c5a9a3e5b7f21d4c8ab"
    }]}))
))]
async fn list_parked_rows(
    State(context): State<Shared>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    on_duty(&caller, Duty::Administration)?;
    let found = context.store.parked(page.limit(), page.cursor()).await?;
    Ok(Listed::of(found, ParkedRowView::from).at(&uri))
}

/// A row that was put back.
#[derive(Debug, Serialize, ToSchema)]
struct RedrivenRow {
    /// Which.
    id: String,
}

/// Put a parked row back
///
/// It is tried at once, as if for the first time. If what it failed on is still there, it comes back here.
#[utoipa::path(post, path = "/v1/parked-rows/{row}/redrive", tag = "due rows",
    params(("row" = String, Path, description = "Its id, from the list")), request_body = Nothing,
    responses((status = 201, body = RedrivenRow))
)]
async fn redrive_row(
    State(context): State<Shared>,
    caller: Caller,
    Path(row): Path<String>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    let duty = on_duty(&caller, Duty::Administration)?;
    let key = due_of_token(&row).ok_or_else(Problem::not_found)?;
    let done = once(&context, duty.acting.by, &command.key, || async {
        let parked = parked(&context, &key).await?;
        let aggregate = Key {
            pk: key.pk.clone(),
            sk: String::new(),
        };
        let audit = context.audit(duty.acting, "redrive_row", &aggregate);
        let commit = Commit::new(audit).redrive(&parked, context.now());
        Ok(Decision::new(duty.insisted_on(commit), &row))
    })
    .await?;
    let redriven = RedrivenRow {
        id: done.target().to_owned(),
    };
    Ok(done.answer(StatusCode::CREATED, axum::Json(redriven)))
}

async fn parked(context: &Context, key: &Key) -> Result<PendingDue, Problem> {
    let row = context.store.pending_due(key).await?;
    let row = row.ok_or_else(Problem::not_found)?;
    if row.parked_at.is_none() {
        let title = "this row is not parked: it is being tried";
        return Err(Problem::wrong_state("row-not-parked", title));
    }
    Ok(row)
}
