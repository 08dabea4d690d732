//! Staff who read a conversation: with a reason, for an hour, and disclosed to both sides, at once or,
//! where a supervisor has decided so, at a stated time.

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::access::Duty;
use domain::conversation::{
    ConversationRead, Delay, DiscloseReadError, DisclosureCause, OpenReadError, ReadRequest,
    UseReadError,
};
use domain::due::{Due, DueRow};
use domain::engagement::{Engagement, Happening};
use domain::id::{AttachmentId, ConversationReadId, EngagementId, PersonId};
use domain::notice::Told;
use serde::{Deserialize, Serialize};
use store::{Actor, Commit, DisclosedRead, Key, PendingDue, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::attachments::{self, AttachmentView};
use super::{LineView, lines, tell};
use crate::body::{Command, Nothing};
use crate::caller::Caller;
use crate::consume::{ConsumeError, Effect};
use crate::context::{Context, Shared};
use crate::page::{Listed, PageQuery};
use crate::path::{Path, Query};
use crate::perform::{Decision, once};
use crate::problem::Problem;
use crate::standing::{in_engagement, on_duty, over_engagement};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list_conversation_reads, open_conversation_read))
        .routes(routes!(list_messages_read))
        .routes(routes!(show_attachment_read))
        .routes(routes!(disclose_conversation_read))
}

/// A reading as staff see it.
#[derive(Debug, Serialize, ToSchema)]
struct StaffReadView {
    read: ConversationReadId,
    by: PersonId,
    at: DateTime<Utc>,
    reason: String,
    /// Until when it shows the messages.
    until: DateTime<Utc>,
    /// Why both sides come to know later; none where they knew at once.
    delay: Option<Delay>,
    /// When both sides were told; none while they have not been.
    disclosed_at: Option<DateTime<Utc>>,
}

impl From<ConversationRead> for StaffReadView {
    fn from(read: ConversationRead) -> Self {
        let ConversationRead {
            id,
            engagement: _,
            by,
            at,
            reason,
            until,
            delay,
            disclosed_at,
        } = read;
        Self {
            read: id,
            by,
            at,
            reason,
            until,
            delay,
            disclosed_at,
        }
    }
}

/// Who read, as both sides come to know.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Who {
    /// A member of staff.
    Staff,
}

/// A reading as both sides see it once they know of it.
#[derive(Debug, Serialize, ToSchema)]
struct DisclosedReadView {
    read: ConversationReadId,
    who: Who,
    at: DateTime<Utc>,
    reason: String,
}

/// A reading, as whoever asks may see it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
enum ReadView {
    /// To both sides.
    Disclosed(DisclosedReadView),
    /// To those who decide on delays.
    Staff(StaffReadView),
}

async fn load(
    context: &Context,
    engagement: EngagementId,
    read: ConversationReadId,
) -> Result<Versioned<ConversationRead>, Problem> {
    let key = Key::conversation_read(engagement, read);
    let found = context.store.get(&key).await?;
    found.ok_or_else(Problem::not_found)
}

/// Why a conversation is to be read, and when both sides are to know.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OpenRead {
    /// Why. Both sides come to read this.
    #[schema(
        min_length = 1,
        max_length = 500,
        example = "The client asked us to look at how the visit of 2 March was agreed."
    )]
    reason: String,
    /// When both sides are to know, at most 90 days from now; at once unless told. For supervisors alone.
    disclose_at: Option<DateTime<Utc>>,
    /// Why not at once; needed with `disclose_at`. Neither side comes to read this.
    #[schema(min_length = 1, max_length = 500)]
    delay_reason: Option<String>,
}

/// Read a conversation as staff
///
/// For an hour, by whoever opens it. Both sides are told, at once unless a supervisor delays it.
#[utoipa::path(post, path = "/v1/engagements/{engagement}/conversation-reads", tag = "conversation",
    params(("engagement" = EngagementId, Path)), request_body = OpenRead,
    responses((status = 201, body = StaffReadView))
)]
async fn open_conversation_read(
    State(context): State<Shared>,
    caller: Caller,
    Path(engagement): Path<EngagementId>,
    command: Command<OpenRead>,
) -> Result<Response, Problem> {
    let reader = over_engagement(&context, &caller, engagement, Duty::Conversations).await?;
    let OpenRead {
        reason,
        disclose_at,
        delay_reason,
    } = command.body;
    let asked = ReadRequest {
        reason,
        disclose_at,
        delay_reason,
    };
    if asked.asks_for_delay() {
        on_duty(&caller, Duty::Disclosure)?;
    }
    let by = reader.duty.acting.by;
    let done = once(&context, by, &command.key, || async {
        let (id, now) = (context.fresh(), context.now());
        let read = ConversationRead::open(id, engagement, by, asked.clone(), now)?;
        let aggregate = Key::engagement(engagement);
        let audit = context.audit(reader.duty.acting, "read_conversation", &aggregate);
        let commit = Commit::new(audit).insert(&read);
        let commit = match &read.delay {
            Some(delay) => commit.due(DueRow {
                due: Due::ReadDisclosure {
                    engagement,
                    read: id,
                },
                at: delay.until,
                // Its time never changes: it is kept, or brought forward once and for all.
                generation: 0,
            }),
            None => disclosed(&context, commit, &reader.engagement.value, id),
        };
        Ok(Decision::new(reader.duty.insisted_on(commit), id))
    })
    .await?;
    let read = load(&context, engagement, done.id()?).await?.value;
    Ok(done.answer(StatusCode::CREATED, Json(StaffReadView::from(read))))
}

/// Lets both sides know of a reading: the line, the notice, and its place in their list.
fn disclosed(
    context: &Context,
    commit: Commit,
    engagement: &Engagement,
    read: ConversationReadId,
) -> Commit {
    let known = DisclosedRead {
        engagement: engagement.id,
        read,
    };
    tell(
        context,
        commit.insert(&known),
        engagement,
        Happening::ConversationRead,
        Some(read.to_string()),
        Told::Both,
    )
}

/// List readings of a conversation
///
/// Newest first. Both sides see those that they were told of, without the reader's name. Supervisors see
/// all, with the delays.
#[utoipa::path(get, path = "/v1/engagements/{engagement}/conversation-reads", tag = "conversation",
    params(("engagement" = EngagementId, Path), PageQuery),
    responses((status = 200, body = Listed<ReadView>, example = json!({"items": [{
        "read": "read_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "who": "staff", "at": "2026-03-02T00:00:00Z",
        "reason": "The client asked us to look at how the visit of 2 March was agreed."
    }]})))
)]
async fn list_conversation_reads(
    State(context): State<Shared>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Path(engagement): Path<EngagementId>,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, cursor) = (page.limit(), page.cursor());
    // One's own place in the engagement goes before a staff role.
    match in_engagement(&context, &caller, engagement).await {
        Ok(_) => {
            let found = context
                .store
                .disclosed_reads(engagement, limit, cursor)
                .await?;
            let view = |read: Versioned<ConversationRead>| {
                let ConversationRead { id, at, reason, .. } = read.value;
                ReadView::Disclosed(DisclosedReadView {
                    read: id,
                    who: Who::Staff,
                    at,
                    reason,
                })
            };
            Ok(Listed::of(found, view).at(&uri))
        }
        Err(refusal) if refusal.status() == StatusCode::NOT_FOUND => {
            over_engagement(&context, &caller, engagement, Duty::Disclosure).await?;
            let found = context
                .store
                .conversation_reads(engagement, limit, cursor)
                .await?;
            let view = |read: Versioned<ConversationRead>| ReadView::Staff(read.value.into());
            Ok(Listed::of(found, view).at(&uri))
        }
        Err(refusal) => Err(refusal),
    }
}

/// The reading under which a member of staff looks at something.
async fn in_use(
    context: &Context,
    caller: &Caller,
    engagement: EngagementId,
    read: ConversationReadId,
) -> Result<(), Problem> {
    over_engagement(context, caller, engagement, Duty::Conversations).await?;
    let found = load(context, engagement, read).await?.value;
    found.shows_messages_to(caller.person.value.id, context.now())?;
    Ok(())
}

/// List the messages of a conversation that staff read
///
/// Newest first, for whoever opened the reading, until its hour is over.
#[utoipa::path(get, path = "/v1/engagements/{engagement}/conversation-reads/{read}/messages", tag = "conversation",
    params(("engagement" = EngagementId, Path), ("read" = ConversationReadId, Path), PageQuery),
    responses((status = 200, body = Listed<LineView>, example = json!({"items": [{
        "message": "msg_0190b2f06bd47c5a9a3e5b7f21d4c8ab", "at": "2026-03-02T00:00:00Z", "from": "service",
        "by": null, "text": null, "attachments": [], "happening": "conversation_read",
        "about": "read_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "words": "Staff read the conversation"
    }]})))
)]
async fn list_messages_read(
    State(context): State<Shared>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Path((engagement, read)): Path<(EngagementId, ConversationReadId)>,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    in_use(&context, &caller, engagement, read).await?;
    let found = context
        .store
        .messages(engagement, page.limit(), page.cursor())
        .await?;
    let messages = found.items.into_iter().map(|line| line.value).collect();
    let items = lines(&context, messages).await?;
    let next = found.next;
    Ok(Listed { items, next }.at(&uri))
}

/// Get a file of a conversation that staff read
///
/// Of those that were sent, for whoever opened the reading, until its hour is over.
#[utoipa::path(get, path = "/v1/engagements/{engagement}/conversation-reads/{read}/attachments/{attachment}",
    tag = "conversation",
    params(
        ("engagement" = EngagementId, Path), ("read" = ConversationReadId, Path),
        ("attachment" = AttachmentId, Path)
    ),
    responses((status = 200, body = AttachmentView, example = json!({
        "attachment": {
            "id": "att_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "name": "care-plan.pdf", "media_type": "pdf",
            "bytes": 48213
        },
        "message": "msg_0190b2f06bd47c5a9a3e5b7f21d4c8ac",
        "download": {
            "method": "GET", "url": "https://files.example.org/blobs/eyJuYW1lIjoi", "headers": {},
            "expires_at": "2026-03-02T00:15:00Z"
        }
    })))
)]
async fn show_attachment_read(
    State(context): State<Shared>,
    caller: Caller,
    Path((engagement, read, attachment)): Path<(EngagementId, ConversationReadId, AttachmentId)>,
) -> Result<Response, Problem> {
    in_use(&context, &caller, engagement, read).await?;
    let found = attachments::load(&context, engagement, attachment).await?;
    let found = found.filter(|found| found.value.message.is_some());
    let found = found.ok_or_else(Problem::not_found)?.value;
    Ok(Json(attachments::show(&context, found).await?).into_response())
}

/// Tell both sides of a reading now
///
/// Ends its delay before its time.
#[utoipa::path(post, path = "/v1/engagements/{engagement}/conversation-reads/{read}/disclosure", tag = "conversation",
    params(("engagement" = EngagementId, Path), ("read" = ConversationReadId, Path)),
    request_body(content = Nothing, example = json!({})),
    responses((status = 201, body = StaffReadView))
)]
async fn disclose_conversation_read(
    State(context): State<Shared>,
    caller: Caller,
    Path((engagement, read)): Path<(EngagementId, ConversationReadId)>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    let reader = over_engagement(&context, &caller, engagement, Duty::Disclosure).await?;
    let acting = reader.duty.acting;
    let done = once(&context, acting.by, &command.key, || async {
        let was = load(&context, engagement, read).await?;
        let commit = disclose(
            &context,
            &reader.engagement.value,
            &was,
            DisclosureCause::Staff,
            acting,
        )?;
        Ok(Decision::new(reader.duty.insisted_on(commit), read))
    })
    .await?;
    let read = load(&context, engagement, done.id()?).await?.value;
    Ok(done.answer(StatusCode::CREATED, Json(StaffReadView::from(read))))
}

fn disclose(
    context: &Context,
    engagement: &Engagement,
    was: &Versioned<ConversationRead>,
    cause: DisclosureCause,
    actor: impl Into<Actor>,
) -> Result<Commit, DiscloseReadError> {
    let next = was.value.disclose(cause, context.now())?;
    let aggregate = Key::engagement(engagement.id);
    let audit = context.audit(actor, "disclose_conversation_read", &aggregate);
    let commit = Commit::new(audit).replace(was, &next);
    Ok(disclosed(context, commit, engagement, next.id))
}

/// The effect of a disclosure falling due.
pub(crate) async fn when_due(
    context: &Context,
    pending: &PendingDue,
    engagement: EngagementId,
    read: ConversationReadId,
) -> Result<Effect, ConsumeError> {
    let key = Key::conversation_read(engagement, read);
    let was = context.store.get::<ConversationRead>(&key).await?;
    let key = Key::engagement(engagement);
    let engagement = context.store.get::<Engagement>(&key).await?;
    let Some((was, engagement)) = was.zip(engagement) else {
        return Ok(Effect::Superseded);
    };
    let cause = DisclosureCause::Due;
    match disclose(context, &engagement.value, &was, cause, Actor::Service) {
        Ok(commit) => Ok(commit.finish(pending).into()),
        Err(DiscloseReadError::AlreadyDisclosed) => Ok(Effect::Superseded),
        Err(DiscloseReadError::Early(at)) => Ok(Effect::Early(at)),
    }
}

impl From<OpenReadError> for Problem {
    fn from(error: OpenReadError) -> Self {
        match error {
            OpenReadError::Invalid(faults) => Self::invalid(faults),
        }
    }
}

impl From<DiscloseReadError> for Problem {
    fn from(error: DiscloseReadError) -> Self {
        match error {
            DiscloseReadError::AlreadyDisclosed => Self::wrong_state("read-disclosed", error),
            // Only the schedule can come too early.
            DiscloseReadError::Early(_) => Self::internal(),
        }
    }
}

impl From<UseReadError> for Problem {
    fn from(error: UseReadError) -> Self {
        match error {
            UseReadError::NotTheirs => Self::forbidden(),
            UseReadError::Expired => {
                let title = "The reading has ended; open another one, with its own reason";
                Self::new(StatusCode::FORBIDDEN, "read-expired", title)
            }
        }
    }
}
