//! Engagements as either side and staff see them: each as far as it concerns them.

use axum::extract::{OriginalUri, State};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::access::{Duty, Scope};
use domain::engagement::{Engagement, EngagementState, Reasoned, Side, Understanding};
use domain::id::{ClientId, EngagementId, WorkerId};
use domain::terms::AgreedTerms;
use domain::vocabulary::Vocabulary;
use serde::{Deserialize, Serialize};
use store::{ClientEngagement, Key, Page, StaffPartition, StoreError, Versioned, WorkerEngagement};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{MemberView, Members, pair_of};
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::page::{Listed, PageQuery};
use crate::path::{Path, Query};
use crate::perform::Tagged;
use crate::problem::Problem;
use crate::standing::{as_worker, for_client, on_duty, over_client, see_engagement};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list_engagements))
        .routes(routes!(show_engagement))
        .routes(routes!(list_client_engagements))
        .routes(routes!(list_worker_engagements))
}

/// An engagement, as far as its reader may see it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EngagementView {
    id: EngagementId,
    state: EngagementState,
    /// On which side the reader stands; none for staff.
    side: Option<Side>,
    client: ClientId,
    worker: WorkerId,
    /// Who the other is, with contact details while the engagement lives; for staff the names of both.
    people: Vec<MemberView>,
    opened_at: DateTime<Utc>,
    /// The terms in force; none until some are agreed.
    terms: Option<AgreedTerms>,
    /// What was agreed in meetings.
    understandings: Vec<Understanding>,
    /// Who paused it, while it is paused.
    pause: Option<EngagementStepView>,
    /// Who ended it, once it has ended.
    end: Option<EngagementStepView>,
    /// Who has blocked the other. Each side sees its own block alone, staff see both.
    blocked_by: Vec<Side>,
}

/// A step that somebody took.
#[derive(Debug, Serialize, ToSchema)]
struct EngagementStepView {
    /// On which side; none for staff.
    by: Option<Side>,
    at: DateTime<Utc>,
    /// Why: for the side that gave it, and for staff.
    reason: Option<String>,
    /// What they wrote to the other side.
    message: Option<String>,
}

impl EngagementStepView {
    fn of(step: Reasoned, message: Option<String>, reader: Option<Side>) -> Self {
        // INVARIANT: the other side never reads a reason. Staff, who are on no side, read every one.
        let readable = reader.is_none() || reader == step.side;
        Self {
            by: step.side,
            at: step.at,
            reason: Some(step.reason).filter(|_| readable),
            message,
        }
    }
}

/// Show an engagement
///
/// For both sides, representatives whose authority covers engagements, and staff.
#[utoipa::path(get, path = "/v1/engagements/{engagement}", tag = "engagements",
    params(("engagement" = EngagementId, Path)),
    responses((status = 200, body = EngagementView, example = json!({
        "id": "eng_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "state": "paused", "side": "client",
        "client": "clt_0190b2f06bd47c5a9a3e5b7f21d4c8ab", "worker": "wrk_0190b2f06bd47c5a9a3e5b7f21d4c8ac",
        "people": [{"side": "worker", "name": {"given": "Mira", "family": "Haddad"},
                    "contact": {"email": "mira@example.org", "phone": "+61 400 000 001"}}],
        "opened_at": "2026-03-05T00:00:00Z", "terms": null,
        "understandings": [{"kind": "routine", "text": "Tea before anything else, and shoes off at the door."}],
        "pause": {"by": "client", "at": "2026-04-01T00:00:00Z", "reason": "Away for a month.", "message": null},
        "end": null, "blocked_by": []
    })))
)]
async fn show_engagement(
    State(context): State<Shared>,
    caller: Caller,
    Path(engagement): Path<EngagementId>,
) -> Result<Response, Problem> {
    Ok(show(&context, &caller, engagement).await?.into_response())
}

pub(super) async fn show(
    context: &Context,
    caller: &Caller,
    engagement: EngagementId,
) -> Result<Tagged<EngagementView>, Problem> {
    let seen = see_engagement(context, caller, engagement, Duty::Engagements).await?;
    let (side, Versioned { version, value }) = seen;
    let pair = pair_of(context, &value).await?.value;
    let both = (value.client, value.worker);
    let members = Members::of(context, &[both]).await?;
    let others = Side::ALL.iter().filter(|shown| side != Some(**shown));
    // Staff look contact details up where they look after people.
    let with_contact = side.is_some() && value.is_live();
    let people = others.filter_map(|shown| members.member(both, *shown, with_contact));
    let blocked_by = pair.blocked_by.into_iter();
    let view = EngagementView {
        id: value.id,
        state: value.state,
        side,
        client: value.client,
        worker: value.worker,
        people: people.collect(),
        opened_at: value.opened_at,
        terms: value.terms,
        understandings: value.understandings,
        pause: value
            .pause
            .map(|pause| EngagementStepView::of(pause, None, side)),
        end: value
            .end
            .map(|end| EngagementStepView::of(end, value.parting_message, side)),
        // INVARIANT: nobody learns that the other has blocked them.
        blocked_by: blocked_by
            .filter(|blocker| side.is_none_or(|side| side == *blocker))
            .collect(),
    };
    Ok(Tagged { version, view })
}

/// An engagement in a list.
#[derive(Debug, Serialize, ToSchema)]
struct EngagementEntry {
    id: EngagementId,
    state: EngagementState,
    client: ClientId,
    worker: WorkerId,
    /// The names of the two, without contact details.
    people: Vec<MemberView>,
    opened_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
}

impl EngagementEntry {
    fn of(engagement: &Engagement, members: &Members) -> Self {
        let both = (engagement.client, engagement.worker);
        let people = Side::ALL.iter();
        Self {
            id: engagement.id,
            state: engagement.state,
            client: engagement.client,
            worker: engagement.worker,
            people: people
                .filter_map(|side| members.member(both, *side, false))
                .collect(),
            opened_at: engagement.opened_at,
            ended_at: engagement.end.as_ref().map(|end| end.at),
        }
    }
}

async fn entries(
    context: &Context,
    found: Page<Versioned<Engagement>>,
) -> Result<Listed<EngagementEntry>, StoreError> {
    let pairs: Vec<_> = found
        .items
        .iter()
        .map(|found| (found.value.client, found.value.worker))
        .collect();
    let members = Members::of(context, &pairs).await?;
    Ok(Listed::of(found, |engagement| {
        EngagementEntry::of(&engagement.value, &members)
    }))
}

/// The engagements that marks lead to, in their order.
async fn marked<T>(
    context: &Context,
    marks: Page<T>,
    engagement: impl Fn(&T) -> EngagementId,
) -> Result<Page<Versioned<Engagement>>, StoreError> {
    let keys = marks
        .items
        .iter()
        .map(|mark| Key::engagement(engagement(mark)));
    let keys: Vec<Key> = keys.collect();
    Ok(Page {
        items: context.store.get_many(&keys).await?,
        next: marks.next,
    })
}

/// List a client's engagements
///
/// The newest first, also those that have ended.
#[utoipa::path(get, path = "/v1/clients/{client}/engagements", tag = "engagements",
    params(("client" = ClientId, Path), PageQuery),
    responses((status = 200, body = Listed<EngagementEntry>, example = json!({"items": [{
        "id": "eng_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "state": "open",
        "client": "clt_0190b2f06bd47c5a9a3e5b7f21d4c8ab", "worker": "wrk_0190b2f06bd47c5a9a3e5b7f21d4c8ac",
        "people": [{"side": "client", "name": {"given": "Ana", "family": "Lindqvist"}, "contact": null},
                   {"side": "worker", "name": {"given": "Mira", "family": "Haddad"}, "contact": null}],
        "opened_at": "2026-03-05T00:00:00Z", "ended_at": null
    }]})))
)]
async fn list_client_engagements(
    State(context): State<Shared>,
    caller: Caller,
    Path(client): Path<ClientId>,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    if over_client(&caller, client, Duty::Engagements).is_err() {
        for_client(&context, &caller, client, Scope::Engagements).await?;
    }
    let (pk, limit, cursor) = (Key::client(client).pk, page.limit(), page.cursor());
    let marks = context.store.list(&pk, "ENG#", true, limit, cursor).await?;
    let found = marked(&context, marks, |mark: &Versioned<ClientEngagement>| {
        mark.value.engagement
    });
    Ok(entries(&context, found.await?).await?.at(&uri))
}

/// List a support worker's engagements
///
/// The newest first, also those that have ended.
#[utoipa::path(get, path = "/v1/support-workers/{worker}/engagements", tag = "engagements",
    params(("worker" = WorkerId, Path), PageQuery),
    responses((status = 200, body = Listed<EngagementEntry>, example = json!({"items": []})))
)]
async fn list_worker_engagements(
    State(context): State<Shared>,
    caller: Caller,
    Path(worker): Path<WorkerId>,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    if on_duty(&caller, Duty::Engagements).is_err() {
        as_worker(&context, &caller, worker).await?;
    }
    let (pk, limit, cursor) = (Key::worker(worker).pk, page.limit(), page.cursor());
    let marks = context.store.list(&pk, "ENG#", true, limit, cursor).await?;
    let found = marked(&context, marks, |mark: &Versioned<WorkerEngagement>| {
        mark.value.engagement
    });
    Ok(entries(&context, found.await?).await?.at(&uri))
}

/// Which engagements are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct EngagementFilter {
    /// In this state; open ones unless told.
    state: Option<EngagementState>,
}

/// List engagements
///
/// Those in one state, by when they were opened, the newest first.
#[utoipa::path(get, path = "/v1/engagements", tag = "engagements", params(EngagementFilter, PageQuery),
    responses((status = 200, body = Listed<EngagementEntry>, example = json!({"items": []})))
)]
async fn list_engagements(
    State(context): State<Shared>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Query(filter): Query<EngagementFilter>,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    on_duty(&caller, Duty::Engagements)?;
    let state = filter.state.unwrap_or(EngagementState::Open);
    let partition = StaffPartition::Engagements(state.code());
    let found = context
        .store
        .staff_list::<Engagement>(partition, true, page.limit(), page.cursor())
        .await?;
    Ok(entries(&context, found).await?.at(&uri))
}
