//! Imports: files of clients and support workers whom an organisation brings along.
//!
//! Each row is a commit of its own, so that a bad row never stops another. Nothing is lost and nobody
//! comes twice when the process ends half-way or the same file is sent twice at the same time: who came
//! of a row is kept by the organisation's reference, in the row's own commit.

mod file;
mod row;

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::access::Duty;
use domain::id::{ImportId, PersonId};
use domain::import::{ImportKind, ImportRun, ImportState, Tally};
use serde::{Deserialize, Serialize};
use store::{Commit, Key, StaffPartition};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::CsvCommand;
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::page::{Listed, PageQuery};
use crate::path::{Path, Query};
use crate::perform::{Decision, Done, done_before, once};
use crate::problem::Problem;
use crate::standing::on_duty;
use row::Sending;

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(import_clients))
        .routes(routes!(import_support_workers))
        .routes(routes!(list_imports))
        .routes(routes!(show_import))
}

/// Whether anything is done.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ImportQuery {
    /// Whether to look through the file only: the answer is the same, and nothing is stored.
    #[serde(default)]
    #[param(required = false)]
    dry_run: bool,
}

/// What came of a file.
#[derive(Debug, Serialize, ToSchema)]
struct ImportView {
    /// Its id; none of a dry run.
    id: Option<ImportId>,
    kind: ImportKind,
    dry_run: bool,
    state: ImportState,
    /// Who sent it.
    by: PersonId,
    /// When its last row was dealt with.
    at: DateTime<Utc>,
    #[serde(flatten)]
    tally: Tally,
}

/// What came of a file, without its faults.
#[derive(Debug, Serialize, ToSchema)]
struct ImportSummary {
    id: ImportId,
    kind: ImportKind,
    state: ImportState,
    /// Who sent it.
    by: PersonId,
    /// When its last row was dealt with.
    at: DateTime<Utc>,
    rows: u32,
    created: u32,
    updated: u32,
    unchanged: u32,
    failed: u32,
}

impl From<ImportRun> for ImportView {
    fn from(run: ImportRun) -> Self {
        let ImportRun {
            id,
            kind,
            by,
            at,
            tally,
        } = run;
        Self {
            id: Some(id),
            kind,
            dry_run: false,
            state: tally.state(),
            by,
            at,
            tally,
        }
    }
}

impl From<ImportRun> for ImportSummary {
    fn from(run: ImportRun) -> Self {
        let ImportRun {
            id,
            kind,
            by,
            at,
            tally,
        } = run;
        Self {
            id,
            kind,
            state: tally.state(),
            by,
            at,
            rows: tally.rows,
            created: tally.created,
            updated: tally.updated,
            unchanged: tally.unchanged,
            failed: tally.failed,
        }
    }
}

/// Import clients
///
/// By administrators, from a CSV file in UTF-8 of at most 500 rows. A header names the columns, in any
/// order: `reference`, `given_name`, `family_name`, `email`, `phone`, `birth_date`, `address`, and
/// `membership_plan`, the name of an offered plan, which may be left out. `reference` is the
/// organisation's own key, 1 to 60 visible ASCII characters; `phone`, `birth_date` and `address` may be
/// blank. Whoever is new is mailed a link that activates the account.
///
/// The file can be sent again, whole or in part. A row that says what it said before changes nothing. One
/// that says something else changes name, contact, address and birth date of somebody who never activated
/// their account; whoever did keeps their own details. A row that fails stops no other.
#[utoipa::path(post, path = "/v1/imports/clients", tag = "imports", params(ImportQuery),
    request_body(content = String, content_type = "text/csv", example = json!(
        "reference,given_name,family_name,email,phone,birth_date,address,membership_plan\nC-1001,Rosa,Marchetti,rosa@example.org,07 5550 9001,1941-05-30,\"4 Elm Court, Northside\",Together\n"
    )),
    responses((status = 201, body = ImportView), (status = 200, description = "A dry run", body = ImportView))
)]
async fn import_clients(
    State(context): State<Shared>,
    caller: Caller,
    Query(query): Query<ImportQuery>,
    command: CsvCommand,
) -> Result<Response, Problem> {
    import(&context, &caller, ImportKind::Clients, query, &command).await
}

/// Import support workers
///
/// By administrators, from a CSV file as for clients, with the columns `reference`, `given_name`,
/// `family_name`, `email` and `phone`, and any of these, which may be left out: `suburb`, `postcode`,
/// `latitude`, `longitude`, `time_zone` and `radius_km`, all of them or none in a row; `services`, each
/// with the price of an hour in cents (`personal_care:5600;respite:5200`); `languages` (`en;it`);
/// `hours_wanted`; `introduction`. Everybody comes as a draft, which they complete and submit themselves
/// once they have activated their account.
#[utoipa::path(post, path = "/v1/imports/support-workers", tag = "imports", params(ImportQuery),
    request_body(content = String, content_type = "text/csv", example = json!(
        "reference,given_name,family_name,email,phone,services,languages\nW-2001,Mira,Okafor,mira@example.org,,personal_care:5600;respite:5200,en;it\n"
    )),
    responses((status = 201, body = ImportView), (status = 200, description = "A dry run", body = ImportView))
)]
async fn import_support_workers(
    State(context): State<Shared>,
    caller: Caller,
    Query(query): Query<ImportQuery>,
    command: CsvCommand,
) -> Result<Response, Problem> {
    import(
        &context,
        &caller,
        ImportKind::SupportWorkers,
        query,
        &command,
    )
    .await
}

async fn import(
    context: &Context,
    caller: &Caller,
    kind: ImportKind,
    ImportQuery { dry_run }: ImportQuery,
    CsvCommand { key, file }: &CsvCommand,
) -> Result<Response, Problem> {
    let duty = on_duty(caller, duty_of(kind))?;
    let by = duty.acting.by;
    if !dry_run && let Some(done) = done_before(context, by, key).await? {
        return answer(context, caller, &done).await;
    }
    let rows = file::read(kind, file)?;
    let sending = Sending::begin(context, &duty, kind, key, dry_run).await?;
    let mut tally = Tally::default();
    for (number, row) in rows {
        let came_to = match row {
            Ok(row) => sending.import(&row).await?,
            Err(faults) => Err(faults),
        };
        tally.count(number, came_to);
    }
    if dry_run {
        let view = ImportView {
            id: None,
            kind,
            dry_run,
            state: tally.state(),
            by,
            at: context.now(),
            tally,
        };
        return Ok(Json(view).into_response());
    }
    // Whoever sends the same with the same key at the same time writes one of these, too.
    let done = once(context, by, key, || async {
        let run = ImportRun {
            id: context.fresh(),
            kind,
            by,
            at: context.now(),
            tally: tally.clone(),
        };
        let operation = match kind {
            ImportKind::Clients => "import_clients",
            ImportKind::SupportWorkers => "import_support_workers",
        };
        let audit = context.audit(duty.acting, operation, &Key::import(run.id));
        let commit = duty.insisted_on(Commit::new(audit).insert(&run));
        Ok(Decision::new(commit, run.id))
    })
    .await?;
    answer(context, caller, &done).await
}

async fn answer(context: &Context, caller: &Caller, done: &Done) -> Result<Response, Problem> {
    let view = show(context, caller, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, Json(view)))
}

const fn duty_of(kind: ImportKind) -> Duty {
    match kind {
        ImportKind::Clients => Duty::People,
        ImportKind::SupportWorkers => Duty::Workers,
    }
}

/// Refuses whoever may not import everybody.
fn may_look(caller: &Caller) -> Result<(), Problem> {
    for kind in [ImportKind::Clients, ImportKind::SupportWorkers] {
        on_duty(caller, duty_of(kind))?;
    }
    Ok(())
}

/// List imports
///
/// The latest first, without dry runs.
#[utoipa::path(get, path = "/v1/imports", tag = "imports", params(PageQuery), responses(
    (status = 200, body = Listed<ImportSummary>, example = json!({"items": [{
        "id": "imp_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "kind": "clients", "state": "incomplete",
        "by": "per_0190b2f06bd47c5a9a3e5b7f21d4c8ab", "at": "2026-03-02T00:00:00Z",
        "rows": 40, "created": 38, "updated": 0, "unchanged": 1, "failed": 1
    }]}))
))]
async fn list_imports(
    State(context): State<Shared>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    may_look(&caller)?;
    let found = context
        .store
        .staff_list::<ImportRun>(StaffPartition::Imports, true, page.limit(), page.cursor())
        .await?;
    Ok(Listed::of(found, |run| ImportSummary::from(run.value)).at(&uri))
}

/// Show an import
#[utoipa::path(get, path = "/v1/imports/{import}", tag = "imports", params(("import" = ImportId, Path)), responses(
    (status = 200, body = ImportView, example = json!({
        "id": "imp_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "kind": "clients", "dry_run": false, "state": "incomplete",
        "by": "per_0190b2f06bd47c5a9a3e5b7f21d4c8ab", "at": "2026-03-02T00:00:00Z",
        "rows": 40, "created": 38, "updated": 0, "unchanged": 1, "failed": 1,
        "errors": [{"row": 7, "column": "email", "detail": "is needed"}], "more_errors": 0
    }))
))]
async fn show_import(
    State(context): State<Shared>,
    caller: Caller,
    Path(import): Path<ImportId>,
) -> Result<Response, Problem> {
    Ok(Json(show(&context, &caller, import).await?).into_response())
}

async fn show(context: &Context, caller: &Caller, id: ImportId) -> Result<ImportView, Problem> {
    may_look(caller)?;
    let found = context.store.get::<ImportRun>(&Key::import(id)).await?;
    Ok(found.ok_or_else(Problem::not_found)?.value.into())
}
