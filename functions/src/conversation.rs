//! The conversation of an engagement.

use domain::conversation::{Content, Message};
use domain::engagement::{Engagement, Happening};
use domain::notice::Told;
use store::Commit;

use crate::context::Context;
use crate::standing::engagement_event;

/// Adds something that happened to the conversation, and lets those know whom it concerns.
pub(crate) fn tell(
    context: &Context,
    commit: Commit,
    engagement: &Engagement,
    happening: Happening,
    about: Option<String>,
    told: impl Into<Told>,
) -> Commit {
    commit
        .insert(&Message {
            id: context.fresh(),
            engagement: engagement.id,
            at: context.now(),
            content: Content::Happened { happening, about },
        })
        .notify(
            context.fresh(),
            engagement_event(engagement, happening, told),
        )
}
