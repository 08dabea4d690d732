//! The searches for cover, as staff list them.

use axum::extract::{OriginalUri, State};
use axum::response::Response;
use domain::access::{self, Duty};
use domain::cover::{Cover, CoverState};
use domain::vocabulary::Vocabulary;
use serde::Deserialize;
use store::StaffPartition;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::view::CoverView;
use crate::caller::Caller;
use crate::context::Shared;
use crate::page::{Listed, PageQuery};
use crate::path::Query;
use crate::problem::Problem;
use crate::standing::on_duty;

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list_covers))
}

/// Which searches are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct CoverFilter {
    /// Those that are going on unless told.
    state: Option<CoverState>,
}

/// List searches for somebody to come to a visit
///
/// Those in one state, by the beginning of their visits. Of those that are about staff themselves a page holds none.
#[utoipa::path(get, path = "/v1/covers", tag = "cover", params(CoverFilter, PageQuery),
    responses((status = 200, body = Listed<CoverView>, example = json!({"items": []})))
)]
async fn list_covers(
    State(context): State<Shared>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Query(filter): Query<CoverFilter>,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    on_duty(&caller, Duty::Schedules)?;
    let state = filter.state.unwrap_or(CoverState::Seeking);
    let partition = StaffPartition::Covers(state.code());
    let found = context
        .store
        .staff_list::<Cover>(partition, false, page.limit(), page.cursor())
        .await?;
    let mut items = Vec::with_capacity(found.items.len());
    for cover in found.items.into_iter().map(|found| found.value) {
        let person = &caller.person.value;
        let theirs = access::over_both(person, cover.client, cover.worker, Duty::Schedules);
        if theirs.is_ok() {
            items.push(CoverView::of(&context, &cover, None).await?);
        }
    }
    let next = found.next;
    Ok(Listed { items, next }.at(&uri))
}
