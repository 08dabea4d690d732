//! The inbox: what a person heard. Texts are made at reading, so what no longer concerns somebody is gone.

use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use domain::access::Acting;
use domain::id::NoticeId;
use domain::person::Person;
use serde::Serialize;
use store::{Commit, InboxItem, Key, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::{Command, Nothing};
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::notification::text::{Text, render};
use crate::page::{Listed, PageQuery};
use crate::path::{Path, Query};
use crate::perform::{Decision, once};
use crate::problem::Problem;

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list_inbox))
        .routes(routes!(read_notice))
}

/// One notice to the caller.
#[derive(Debug, Serialize, ToSchema)]
struct NoticeView {
    id: NoticeId,
    /// When it happened.
    at: DateTime<Utc>,
    /// One line.
    subject: String,
    /// A few sentences.
    body: String,
    /// When it was marked as read.
    read_at: Option<DateTime<Utc>>,
}

impl NoticeView {
    fn of(item: &InboxItem, Text { subject, body }: Text) -> Self {
        Self {
            id: item.notice,
            at: item.at,
            subject,
            body,
            read_at: item.read_at,
        }
    }
}

/// List the inbox
///
/// What the caller heard, newest first. What no longer concerns them is left out, so that a page can
/// hold fewer than asked: go on while there is a `next`.
#[utoipa::path(get, path = "/v1/inbox", tag = "inbox", params(PageQuery), responses(
    (status = 200, body = Listed<NoticeView>, example = json!({"items": [{
        "id": "ntc_0190b2f06bd47c5a9a3e5b7f21d4c8af", "at": "2026-03-02T00:00:00Z",
        "subject": "We have your match request",
        "body": "Thank you for your match request. We are now looking for support workers who suit you.",
        "read_at": null
    }]}))
))]
async fn list_inbox(
    State(context): State<Shared>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    let reader = &caller.person.value;
    let found = context
        .store
        .inbox(reader.id, page.limit(), page.cursor())
        .await?;
    let mut items = Vec::with_capacity(found.items.len());
    for Versioned { value: item, .. } in &found.items {
        let text = render(&context, &item.event, reader).await?;
        items.extend(text.map(|text| NoticeView::of(item, text)));
    }
    let next = found.next;
    Ok(Listed { items, next }.at(&uri))
}

/// Mark a notice as read
///
/// Marking it again changes nothing: the first time stands.
#[utoipa::path(post, path = "/v1/inbox/{notice}/reads", tag = "inbox", params(("notice" = NoticeId, Path)),
    request_body(content = Nothing, example = json!({})),
    responses((status = 201, body = NoticeView))
)]
async fn read_notice(
    State(context): State<Shared>,
    caller: Caller,
    Path(notice): Path<NoticeId>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    let reader = &caller.person.value;
    let done = once(&context, reader.id, &command.key, || async {
        let was = load(&context, reader, notice).await?;
        // What can no longer be read cannot be marked as read either.
        view(&context, reader, &was.value).await?;
        let next = InboxItem {
            read_at: was.value.read_at.or(Some(context.now())),
            ..was.value.clone()
        };
        let acting = Acting::by(reader.id);
        let audit = context.audit(acting, "read_notice", &Key::inbox(reader.id, notice));
        let commit = Commit::new(audit).replace(&was, &next);
        Ok(Decision::new(commit.unchanged(&caller.person), notice))
    })
    .await?;
    let read = load(&context, reader, done.id()?).await?;
    let view = view(&context, reader, &read.value).await?;
    Ok(done.answer(StatusCode::CREATED, axum::Json(view)))
}

async fn load(
    context: &Context,
    reader: &Person,
    notice: NoticeId,
) -> Result<Versioned<InboxItem>, Problem> {
    context
        .store
        .get(&Key::inbox(reader.id, notice))
        .await?
        .ok_or_else(Problem::not_found)
}

async fn view(context: &Context, reader: &Person, item: &InboxItem) -> Result<NoticeView, Problem> {
    let text = render(context, &item.event, reader).await?;
    let text = text.ok_or_else(Problem::not_found)?;
    Ok(NoticeView::of(item, text))
}
