//! Reading and writing a conversation, and how far each side has read.

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::conversation::{
    AfterReading, AttachmentFault, Draft, Message, ReadMark, SendMessageError, Sent, Unread,
};
use domain::engagement::Happening;
use domain::id::{AttachmentId, EngagementId, MessageId};
use serde::{Deserialize, Serialize};
use store::{Commit, Key, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::attachments::{Found, announced, must_be_uploaded};
use super::{LineView, lines};
use crate::body::Command;
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::page::{PageQuery, page_at};
use crate::path::{Path, Query};
use crate::perform::{Decision, once};
use crate::problem::Problem;
use crate::standing::{Party, act_in_engagement, in_engagement};

/// How many people's marks are looked at: those of the client, of everybody who ever acted for them, and
/// of the support worker.
const MOST_READERS: usize = 200;

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list_messages, send_message))
        .routes(routes!(mark_read))
}

/// A page of a conversation.
#[derive(Debug, Serialize, ToSchema)]
struct ConversationPage {
    /// The lines, newest first.
    items: Vec<LineView>,
    /// The cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// The newest line that the caller has marked as read.
    read_by_you: Option<MessageId>,
    /// The newest line that somebody on the other side has marked as read.
    read_by_other: Option<MessageId>,
}

/// How far a conversation has been read.
#[derive(Debug, Serialize, ToSchema)]
struct ReadUpTo {
    /// The newest line that the caller has marked as read.
    read_by_you: Option<MessageId>,
    /// The newest line that somebody on the other side has marked as read.
    read_by_other: Option<MessageId>,
}

/// Read a conversation
///
/// What was written and what happened, newest first; also once the engagement has ended.
#[utoipa::path(get, path = "/v1/engagements/{engagement}/messages", tag = "conversation",
    params(("engagement" = EngagementId, Path), PageQuery),
    responses((status = 200, body = ConversationPage, example = json!({
        "items": [{
            "message": "msg_0190b2f06bd47c5a9a3e5b7f21d4c8ac", "at": "2026-03-02T00:10:00Z", "from": "client",
            "by": {
                "person": "per_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "on_behalf_of": null, "instructed_by": null,
                "name": "Ana Lindqvist"
            },
            "text": "Would Monday morning suit you?", "attachments": [], "happening": null, "about": null,
            "words": null
        }, {
            "message": "msg_0190b2f06bd47c5a9a3e5b7f21d4c8ab", "at": "2026-03-02T00:00:00Z", "from": "service",
            "by": null, "text": null, "attachments": [], "happening": "engagement_opened",
            "about": "eng_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "words": "The engagement was opened"
        }],
        "read_by_you": "msg_0190b2f06bd47c5a9a3e5b7f21d4c8ac",
        "read_by_other": "msg_0190b2f06bd47c5a9a3e5b7f21d4c8ab"
    })))
)]
async fn list_messages(
    State(context): State<Shared>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Path(engagement): Path<EngagementId>,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    let party = in_engagement(&context, &caller, engagement).await?;
    let found = context
        .store
        .messages(engagement, page.limit(), page.cursor())
        .await?;
    let messages = found.items.into_iter().map(|line| line.value).collect();
    let ReadUpTo {
        read_by_you,
        read_by_other,
    } = read_up_to(&context, &party).await?;
    let page = ConversationPage {
        items: lines(&context, messages).await?,
        next: found.next,
        read_by_you,
        read_by_other,
    };
    let next = page.next.clone();
    Ok(page_at(&uri, next.as_deref(), page))
}

async fn read_up_to(context: &Context, party: &Party) -> Result<ReadUpTo, Problem> {
    let engagement = party.engagement.value.id;
    let marks = context.store.read_marks(engagement, MOST_READERS).await?;
    let marks = || marks.iter().map(|mark| mark.value);
    let you = marks().find(|mark| mark.person == party.acting.by && mark.side == party.side);
    let other = marks().filter(|mark| mark.side == party.side.other());
    Ok(ReadUpTo {
        read_by_you: you.map(|mark| mark.message),
        read_by_other: other.map(|mark| mark.message).max(),
    })
}

/// A message.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewMessage {
    /// What it says.
    #[schema(
        min_length = 1,
        max_length = 4000,
        example = "Would Monday morning suit you?"
    )]
    text: String,
    /// Files announced here by the same person and uploaded since.
    #[serde(default)]
    #[schema(max_items = 5)]
    attachments: Vec<AttachmentId>,
}

/// Write a message
///
/// Either side may, while the engagement is open or paused. The other side is told, unless it was told
/// before and has not read everything since. A message is never edited and never deleted.
#[utoipa::path(post, path = "/v1/engagements/{engagement}/messages", tag = "conversation",
    params(("engagement" = EngagementId, Path)), request_body = NewMessage,
    responses((status = 201, body = LineView))
)]
async fn send_message(
    State(context): State<Shared>,
    caller: Caller,
    Path(engagement): Path<EngagementId>,
    command: Command<NewMessage>,
) -> Result<Response, Problem> {
    let acting = act_in_engagement(&context, &caller, engagement, None)
        .await?
        .acting;
    let NewMessage { text, attachments } = command.body;
    let draft = Draft { text, attachments };
    draft.validate()?;
    let done = once(&context, acting.by, &command.key, || async {
        // Read again each time: whatever else goes on in the engagement must not keep people from writing.
        let party = act_in_engagement(&context, &caller, engagement, None).await?;
        let found = announced(&context, engagement, &draft.attachments).await?;
        let sender = (party.side, party.acting);
        let files: Vec<_> = found.iter().map(Found::file).collect();
        let unread = Key::unread(engagement, party.side.other());
        let unread = context.store.get::<Unread>(&unread).await?;
        // INVARIANT: the id is drawn once it is known what else there is to read. Whoever writes to the same side
        // meanwhile changes that, so that of two messages the later one has the later id.
        let sent = draft.send(context.fresh(), engagement, sender, &files, context.now())?;
        must_be_uploaded(&context, &sent.attachments).await?;
        let id = sent.message.id;
        let commit = send(&context, &party, unread, sent, &found);
        Ok(Decision::new(party.insisted_on(commit), id))
    })
    .await?;
    let key = Key::message(engagement, done.id()?);
    let line = context.store.get::<Message>(&key).await?;
    let line = line.ok_or_else(Problem::not_found)?.value;
    let line = lines(&context, vec![line]).await?.pop();
    Ok(done.answer(
        StatusCode::CREATED,
        Json(line.ok_or_else(Problem::not_found)?),
    ))
}

fn send(
    context: &Context,
    party: &Party,
    was: Option<Versioned<Unread>>,
    sent: Sent,
    found: &[Found],
) -> Commit {
    let (engagement, side) = (party.engagement.value.id, party.side.other());
    let unread = was.as_ref().map(|was| was.value);
    let (next, told) = Unread::with(unread, engagement, side, sent.message.id);
    let audit = context.audit(party.acting, "send_message", &Key::engagement(engagement));
    let mut commit = Commit::new(audit).insert(&sent.message);
    for (was, next) in found.iter().zip(&sent.attachments) {
        commit = was.replaced_by(commit, next);
    }
    // Written even where nobody is told: whoever reads at this moment learns that there is more.
    commit = match &was {
        Some(was) => commit.replace(was, &next),
        None => commit.insert(&next),
    };
    if told {
        commit = commit.notify(context.fresh(), party.event(Happening::MessageSent, side));
    }
    commit
}

/// How far somebody has read.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MarkRead {
    /// The newest line that they have seen.
    message: MessageId,
}

/// Mark a conversation as read
///
/// Up to a line, for the caller; also once the engagement has ended. The mark only moves forward. The
/// other side sees how far somebody on this side has read.
#[utoipa::path(post, path = "/v1/engagements/{engagement}/reads", tag = "conversation",
    params(("engagement" = EngagementId, Path)),
    request_body(content = MarkRead, example = json!({"message": "msg_0190b2f06bd47c5a9a3e5b7f21d4c8ac"})),
    responses((status = 201, body = ReadUpTo))
)]
async fn mark_read(
    State(context): State<Shared>,
    caller: Caller,
    Path(engagement): Path<EngagementId>,
    command: Command<MarkRead>,
) -> Result<Response, Problem> {
    let party = in_engagement(&context, &caller, engagement).await?;
    let message = command.body.message;
    let done = once(&context, party.acting.by, &command.key, || async {
        let party = in_engagement(&context, &caller, engagement).await?;
        let commit = read(&context, &party, message).await?;
        Ok(Decision::new(party.insisted_on(commit), message))
    })
    .await?;
    let read = read_up_to(&context, &party).await?;
    Ok(done.answer(StatusCode::CREATED, Json(read)))
}

async fn read(context: &Context, party: &Party, message: MessageId) -> Result<Commit, Problem> {
    let (engagement, person, side) = (party.engagement.value.id, party.acting.by, party.side);
    let line = Key::message(engagement, message);
    if context.store.get::<Message>(&line).await?.is_none() {
        return Err(Problem::invalid_field(
            "/message",
            "is not a line of this conversation",
        ));
    }
    let read = ReadMark {
        engagement,
        person,
        side,
        message,
        at: context.now(),
    };
    let key = Key::read_mark(engagement, person);
    let was = context.store.get::<ReadMark>(&key).await?;
    let unread = context
        .store
        .get::<Unread>(&Key::unread(engagement, side))
        .await?;
    let next = ReadMark::after(was.as_ref().map(|was| was.value), read);
    let audit = context.audit(
        party.acting,
        "mark_conversation_read",
        &Key::engagement(engagement),
    );
    let commit = match &was {
        Some(was) => Commit::new(audit).replace(was, &next),
        None => Commit::new(audit).insert(&next),
    };
    let Some(unread) = unread else {
        return Ok(commit);
    };
    Ok(match unread.value.after_reading(next.message) {
        AfterReading::Nothing => commit.remove(&unread),
        AfterReading::More(more) => commit
            .replace(&unread, &more)
            .notify(context.fresh(), party.event(Happening::MessageSent, side)),
        AfterReading::AsBefore => commit,
    })
}

impl From<SendMessageError> for Problem {
    fn from(error: SendMessageError) -> Self {
        match error {
            SendMessageError::Invalid(faults) => Self::invalid(faults),
            SendMessageError::Attachment { place, fault } => {
                let pointer = format!("/attachments/{place}");
                let wrong_state = |kind| Self::wrong_state(kind, fault).with("pointer", &*pointer);
                match fault {
                    AttachmentFault::NotUploaded => wrong_state("attachment-not-uploaded"),
                    AttachmentFault::AlreadySent => wrong_state("attachment-sent"),
                    AttachmentFault::Lapsed => wrong_state("attachment-lapsed"),
                    AttachmentFault::Unknown
                    | AttachmentFault::OtherSize
                    | AttachmentFault::OtherKind => Self::invalid_field(pointer, fault),
                }
            }
        }
    }
}
