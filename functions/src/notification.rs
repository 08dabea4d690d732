//! Telling people: a notice becomes an inbox item and a mail for each person whom it concerns.

mod audience;
mod bounce;
pub mod text;

use domain::due::{Due, DueRow};
use domain::id::{NoticeId, PersonId};
use domain::notice::{Audience, Event};
use domain::ticket::{Ticket, TicketCause};
use platform::mail::{MailError, OutgoingMail};
use store::{Commit, InboxItem, Key, PendingDue};

pub use bounce::{BounceError, bounced};

use crate::committed::SEND_MAIL;
use crate::consume::{ConsumeError, Effect};
use crate::context::Context;

/// Gives every recipient an inbox item and every mailbox a mail row, in the commit that deletes the
/// notice's row.
pub(crate) async fn fan_out(
    context: &Context,
    pending: &PendingDue,
    notice: NoticeId,
    event: &Event,
) -> Result<Effect, ConsumeError> {
    let mut recipients = audience::people(context, event.audience()).await?;
    if let Audience::Staff(_) = event.audience() {
        // INVARIANT: staff whom it is about keep nothing of it, not even an item that is never shown: a page of their
        // inbox would be shorter for it.
        recipients = text::concerned(context, event, recipients).await?;
    }
    let mut commit = context.effect(pending);
    if event.is_kept() {
        for recipient in &recipients {
            commit = commit.insert(&InboxItem {
                person: recipient.id,
                notice,
                event: event.clone(),
                at: pending.row.at,
                read_at: None,
            });
        }
    }
    for recipient in audience::one_per_mailbox(&recipients) {
        let mail = Due::Mail {
            notice,
            recipient,
            event: event.clone(),
        };
        let row = DueRow {
            due: mail,
            at: context.now(),
            generation: 0,
        };
        commit = commit.due_of(&Key::person(recipient), row);
    }
    Ok(commit.into())
}

/// Mails one person. The text is made now, from state and relationship as they are now: somebody whom
/// the notice no longer concerns gets nothing.
///
/// Mail is sent before the row is deleted, so it can be sent again; the message id, made from the row,
/// makes the repetition the same message.
pub(crate) async fn send(
    context: &Context,
    pending: &PendingDue,
    notice: NoticeId,
    recipient: PersonId,
    event: &Event,
) -> Result<Effect, ConsumeError> {
    let Some(person) = context.living_person(recipient).await? else {
        return Ok(Effect::Superseded);
    };
    let person = person.value;
    if person.mail_bounced {
        return Ok(Effect::Superseded);
    }
    let Some(text) = text::render(context, event, &person).await? else {
        return Ok(Effect::Superseded);
    };
    let mail = OutgoingMail {
        message_id: format!("{notice}_{recipient}"),
        to: person.contact.email.clone(),
        subject: text.subject,
        text: text::letter(context, &person, &text.body),
        date: pending.row.at,
    };
    match context.mail.send(&mail).await {
        Ok(()) => Ok(context.effect(pending).named(SEND_MAIL).into()),
        Err(MailError::Unacceptable(field)) => {
            tracing::warn!(%recipient, field, "a mail cannot be written");
            Ok(undeliverable(context, context.effect(pending), recipient).into())
        }
        Err(error @ MailError::Unavailable(_)) => Err(error.into()),
    }
}

fn undeliverable(context: &Context, commit: Commit, person: PersonId) -> Commit {
    let ticket = Ticket::open(
        context.fresh(),
        TicketCause::MailBounced,
        person,
        context.now(),
    );
    commit.insert(&ticket)
}
