//! The conversation of an engagement: what its people write, what happened meanwhile, how far each side
//! has read, the files that go with messages, and staff who read it.
//!
//! Lines are never edited and never deleted.

mod attachments;
mod messages;
mod staff_reads;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::attachment::Attachment;
use domain::conversation::{Content, Message};
use domain::engagement::{Engagement, Happening, Side};
use domain::id::{ClientId, MessageId, PersonId};
use domain::notice::Told;
use domain::person::Person;
use domain::vocabulary::Vocabulary;
use serde::Serialize;
use store::{Commit, Key, StoreError};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::context::{Context, Shared};
use crate::standing::engagement_event;

pub(crate) use staff_reads::when_due;

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .merge(messages::router())
        .merge(attachments::router())
        .merge(staff_reads::router())
}

/// Adds something that happened to the conversation, and lets those know whom it concerns.
pub(crate) fn tell(
    context: &Context,
    commit: Commit,
    engagement: &Engagement,
    happening: Happening,
    about: Option<String>,
    told: impl Into<Told>,
) -> Commit {
    let visit = about.as_deref().and_then(|about| about.parse().ok());
    commit
        .insert(&Message {
            id: context.fresh(),
            engagement: engagement.id,
            at: context.now(),
            content: Content::Happened { happening, about },
        })
        .notify(
            context.fresh(),
            engagement_event(engagement, happening, visit, told),
        )
}

/// From where a line comes.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Origin {
    /// The client, or somebody who acts for them.
    Client,
    /// The support worker.
    Worker,
    /// The service: something happened.
    Service,
}

/// Who wrote a line.
#[derive(Debug, Serialize, ToSchema)]
struct Writer {
    person: PersonId,
    /// The client, where somebody wrote for them.
    on_behalf_of: Option<ClientId>,
    /// Whose spoken instruction it followed, where staff wrote it for them.
    instructed_by: Option<PersonId>,
    /// The writer's name; none for staff who followed an instruction.
    #[schema(example = "Ana Lindqvist")]
    name: Option<String>,
}

/// One line of a conversation.
#[derive(Debug, Serialize, ToSchema)]
struct LineView {
    message: MessageId,
    at: DateTime<Utc>,
    from: Origin,
    /// Who wrote it; nobody where something happened.
    by: Option<Writer>,
    /// What was written.
    text: Option<String>,
    /// The files that belong to it.
    attachments: Vec<Attachment>,
    /// What happened, where nobody wrote anything.
    happening: Option<Happening>,
    /// The id of what happened to it.
    #[schema(example = "prop_0190b2f06bd47c5a9a3e5b7f21d4c8aa")]
    about: Option<String>,
    /// What happened, in words.
    #[schema(example = "A visit was proposed")]
    words: Option<&'static str>,
}

impl LineView {
    fn of(message: Message, names: &BTreeMap<PersonId, String>) -> Self {
        let Message {
            id,
            engagement: _,
            at,
            content,
        } = message;
        match content {
            Content::Written {
                side,
                acting,
                text,
                attachments,
            } => Self {
                message: id,
                at,
                from: match side {
                    Side::Client => Origin::Client,
                    Side::Worker => Origin::Worker,
                },
                by: Some(Writer {
                    person: acting.by,
                    on_behalf_of: acting.on_behalf_of,
                    instructed_by: acting.instructed_by,
                    name: names.get(&acting.by).cloned(),
                }),
                text: Some(text),
                attachments,
                happening: None,
                about: None,
                words: None,
            },
            Content::Happened { happening, about } => Self {
                message: id,
                at,
                from: Origin::Service,
                by: None,
                text: None,
                attachments: Vec::new(),
                happening: Some(happening),
                about,
                words: Some(happening.label()),
            },
        }
    }
}

/// Lines as those see them who may read the conversation: they know each other's names.
async fn lines(context: &Context, messages: Vec<Message>) -> Result<Vec<LineView>, StoreError> {
    let named = messages
        .iter()
        .filter_map(|message| match &message.content {
            Content::Written { acting, .. } if acting.instructed_by.is_none() => Some(acting.by),
            Content::Written { .. } | Content::Happened { .. } => None,
        });
    let keys: Vec<Key> = named.map(Key::person).collect();
    let people = context.store.get_many::<Person>(&keys).await?;
    let names = people
        .into_iter()
        .map(|person| (person.value.id, person.value.name.full()))
        .collect();
    let lines = messages
        .into_iter()
        .map(|message| LineView::of(message, &names));
    Ok(lines.collect())
}
