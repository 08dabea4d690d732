//! The files of a conversation. They go past the functions, by links that allow exactly what was announced.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::attachment::{Attachment, MediaType};
use domain::conversation::{
    AttachmentFault, ConversationAttachment, SendMessageError, TooManyWaiting, Waiting,
};
use domain::id::{AttachmentId, EngagementId, MessageId};
use domain::invalid::Findings;
use platform::blobs::{BlobName, Download, Link, Upload};
use serde::{Deserialize, Serialize};
use store::{Commit, Key, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Command;
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::path::Path;
use crate::perform::{Decision, once};
use crate::problem::Problem;
use crate::standing::{act_in_engagement, in_engagement};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(announce_attachment))
        .routes(routes!(show_attachment))
}

/// A permission to follow one link as it stands: whoever holds it needs no token.
#[derive(Serialize, ToSchema)]
pub(super) struct LinkView {
    #[schema(example = "PUT")]
    method: &'static str,
    #[schema(example = "https://files.example.org/blobs/eyJuYW1lIjoi")]
    url: String,
    /// Headers to be sent with it, by name.
    headers: BTreeMap<String, String>,
    /// From this instant on it is refused.
    expires_at: DateTime<Utc>,
}

impl From<Link> for LinkView {
    fn from(link: Link) -> Self {
        let Link {
            method,
            url,
            headers,
            expires_at,
        } = link;
        Self {
            method,
            url,
            headers: headers.into_iter().collect(),
            expires_at,
        }
    }
}

/// A file that was announced.
#[derive(Serialize, ToSchema)]
struct AnnouncedView {
    attachment: Attachment,
    /// Where it is to be put; none once it has been sent.
    upload: Option<LinkView>,
}

/// A file of a conversation.
#[derive(Serialize, ToSchema)]
pub(super) struct AttachmentView {
    attachment: Attachment,
    /// The message that it was sent with; none while it waits.
    message: Option<MessageId>,
    /// Where it can be got, once it was uploaded.
    download: LinkView,
}

/// A file to be uploaded.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAttachment {
    /// What it is called.
    #[schema(min_length = 1, max_length = 120, example = "care-plan.pdf")]
    name: String,
    /// What kind of file it is.
    media_type: MediaType,
    /// How many bytes it has.
    #[schema(minimum = 1, maximum = 10_485_760, example = 48_213)]
    bytes: u64,
}

/// Announce a file
///
/// The answer says where it is to be put. Then it can be sent with one message, within 24 hours and by
/// whoever announced it. At most 50 files of a conversation wait to be sent.
#[utoipa::path(post, path = "/v1/engagements/{engagement}/attachments", tag = "conversation",
    params(("engagement" = EngagementId, Path)),
    request_body(content = NewAttachment, example = json!({
        "name": "care-plan.pdf", "media_type": "pdf", "bytes": 48213
    })),
    responses((status = 201, body = AnnouncedView))
)]
async fn announce_attachment(
    State(context): State<Shared>,
    caller: Caller,
    Path(engagement): Path<EngagementId>,
    command: Command<NewAttachment>,
) -> Result<Response, Problem> {
    let acting = act_in_engagement(&context, &caller, engagement, None)
        .await?
        .acting;
    let NewAttachment {
        name,
        media_type,
        bytes,
    } = command.body;
    let file = |id| Attachment {
        id,
        name: name.clone(),
        media_type,
        bytes,
    };
    let mut findings = Findings::default();
    file(context.fresh()).find_faults("", &mut findings);
    findings.into_result()?;
    let done = once(&context, acting.by, &command.key, || async {
        let party = act_in_engagement(&context, &caller, engagement, None).await?;
        let now = context.now();
        let announced = ConversationAttachment {
            engagement,
            file: file(context.fresh()),
            by: party.acting.by,
            at: now,
            message: None,
        };
        let id = announced.file.id;
        let key = Key::waiting_attachments(engagement);
        let was = context.store.get::<Waiting>(&key).await?;
        let known = waiting(&context, was.as_ref()).await?;
        let next = Waiting::with(engagement, &known, id, now)?;
        let aggregate = Key::engagement(engagement);
        let audit = context.audit(party.acting, "announce_attachment", &aggregate);
        let commit = Commit::new(audit).insert(&announced);
        let commit = match &was {
            Some(was) => commit.replace(was, &next),
            None => commit.insert(&next),
        };
        Ok(Decision::new(party.insisted_on(commit), id))
    })
    .await?;
    let found = load(&context, engagement, done.id()?).await?;
    let found = found.ok_or_else(Problem::not_found)?.value;
    let announced = show_announced(&context, &found).await?;
    Ok(done.answer(StatusCode::CREATED, Json(announced)))
}

async fn waiting(
    context: &Context,
    was: Option<&Versioned<Waiting>>,
) -> Result<Vec<ConversationAttachment>, Problem> {
    let Some(Versioned { value, .. }) = was else {
        return Ok(Vec::new());
    };
    let ids = value.attachments.iter();
    let keys: Vec<Key> = ids
        .map(|id| Key::attachment(value.engagement, *id))
        .collect();
    let known = context.store.get_many(&keys).await?;
    Ok(known.into_iter().map(|known| known.value).collect())
}

async fn show_announced(
    context: &Context,
    found: &ConversationAttachment,
) -> Result<AnnouncedView, Problem> {
    let upload = Upload {
        media_type: found.file.media_type,
        bytes: found.file.bytes,
    };
    let upload = match found.message {
        Some(_) => None,
        None => {
            let name = blob(found)?;
            let link = context.blobs.upload_link(&name, &upload, context.now());
            Some(link.await?.into())
        }
    };
    Ok(AnnouncedView {
        attachment: found.file.clone(),
        upload,
    })
}

/// Get a file
///
/// Of those that were sent, and those that the caller has announced.
#[utoipa::path(get, path = "/v1/engagements/{engagement}/attachments/{attachment}", tag = "conversation",
    params(("engagement" = EngagementId, Path), ("attachment" = AttachmentId, Path)),
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
async fn show_attachment(
    State(context): State<Shared>,
    caller: Caller,
    Path((engagement, attachment)): Path<(EngagementId, AttachmentId)>,
) -> Result<Response, Problem> {
    let party = in_engagement(&context, &caller, engagement).await?;
    let found = load(&context, engagement, attachment).await?;
    let found = found.filter(|found| found.value.is_visible_to(party.acting.by));
    let found = found.ok_or_else(Problem::not_found)?.value;
    Ok(Json(show(&context, found).await?).into_response())
}

/// A file with a link to it, for somebody who may see it.
pub(super) async fn show(
    context: &Context,
    found: ConversationAttachment,
) -> Result<AttachmentView, Problem> {
    let name = blob(&found)?;
    let as_file = Download {
        media_type: found.file.media_type,
        file_name: found.file.name.clone(),
    };
    let download = context.blobs.download_link(&name, &as_file, context.now());
    Ok(AttachmentView {
        download: download.await?.into(),
        attachment: found.file,
        message: found.message,
    })
}

pub(super) async fn load(
    context: &Context,
    engagement: EngagementId,
    attachment: AttachmentId,
) -> Result<Option<Versioned<ConversationAttachment>>, Problem> {
    let key = Key::attachment(engagement, attachment);
    Ok(context.store.get(&key).await?)
}

/// A file that a message names, as it was announced, if it was.
pub(super) struct Found(Option<Versioned<ConversationAttachment>>);

impl Found {
    pub(super) fn file(&self) -> Option<ConversationAttachment> {
        self.0.as_ref().map(|found| found.value.clone())
    }

    pub(super) fn replaced_by(&self, commit: Commit, next: &ConversationAttachment) -> Commit {
        match &self.0 {
            Some(was) => commit.replace(was, next),
            None => commit,
        }
    }
}

/// The files that a message names, in its order.
pub(super) async fn announced(
    context: &Context,
    engagement: EngagementId,
    attachments: &[AttachmentId],
) -> Result<Vec<Found>, Problem> {
    let mut all = Vec::with_capacity(attachments.len());
    for attachment in attachments {
        all.push(Found(load(context, engagement, *attachment).await?));
    }
    Ok(all)
}

/// Refuses files that are not kept as they were announced.
pub(super) async fn must_be_uploaded(
    context: &Context,
    files: &[ConversationAttachment],
) -> Result<(), Problem> {
    for (place, file) in files.iter().enumerate() {
        let kept = context.blobs.get(&blob(file)?).await?;
        file.compare(kept.as_deref())
            .map_err(|fault: AttachmentFault| SendMessageError::Attachment { place, fault })?;
    }
    Ok(())
}

/// Under what name a file is kept.
fn blob(found: &ConversationAttachment) -> Result<BlobName, Problem> {
    let name = format!("attachments/{}/{}", found.engagement, found.file.id);
    name.parse().map_err(|_| {
        tracing::error!("an attachment has a name that blobs cannot have");
        Problem::internal()
    })
}

impl From<TooManyWaiting> for Problem {
    fn from(error: TooManyWaiting) -> Self {
        Self::wrong_state("too-many-attachments", error)
    }
}
