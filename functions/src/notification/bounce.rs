//! Mail that came back: the address is not tried again, and staff hear of it.

use domain::id::{NoticeId, PersonId};
use domain::ticket::{Ticket, TicketCause};
use store::{Actor, Commit, CommitError, Key, StoreError};

use crate::context::Context;
use crate::problem::Problem;

const MOST_ROUNDS: usize = 8;

/// Why a bounce was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum BounceError {
    /// The message id is not one that this service made.
    #[error("the message id is not one of ours")]
    UnknownMessage,
    /// The table gave no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Records that the mail `message_id` came back. A second report of the same address changes nothing.
///
/// # Errors
/// See [`BounceError`].
pub async fn bounced(context: &Context, message_id: &str) -> Result<(), BounceError> {
    let recipient = recipient_of(message_id).ok_or(BounceError::UnknownMessage)?;
    for _ in 0..MOST_ROUNDS {
        let Some(was) = context.living_person(recipient).await? else {
            return Err(BounceError::UnknownMessage);
        };
        if was.value.mail_bounced {
            return Ok(());
        }
        let mut next = was.value.clone();
        next.mail_bounced = true;
        let ticket = Ticket::open(
            context.fresh(),
            TicketCause::MailBounced,
            next.id,
            context.now(),
        );
        let audit = context.audit(Actor::Service, "record_bounce", &Key::person(next.id));
        match context
            .store
            .commit(Commit::new(audit).replace(&was, &next).insert(&ticket))
            .await
        {
            Ok(()) => return Ok(()),
            Err(
                CommitError::Conflict(_)
                | CommitError::LimitReached(_)
                | CommitError::Replayed
                | CommitError::AlreadyDone,
            ) => {}
            Err(CommitError::Store(error)) => return Err(error.into()),
        }
    }
    Err(StoreError::Unavailable.into())
}

impl From<BounceError> for Problem {
    fn from(error: BounceError) -> Self {
        match error {
            BounceError::UnknownMessage => Self::invalid_field("/message_id", error),
            BounceError::Store(error) => error.into(),
        }
    }
}

/// The message id is the notice's id and the recipient's: see [`super::send`].
fn recipient_of(message_id: &str) -> Option<PersonId> {
    let (notice, person) = message_id.split_once("_per_")?;
    notice.parse::<NoticeId>().ok()?;
    format!("per_{person}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_message_ids_name_a_recipient() {
        let id = "0190b2f06bd47c5a9a3e5b7f21d4c8aa";
        assert!(recipient_of(&format!("ntc_{id}_per_{id}")).is_some());
        for foreign in [
            "",
            "x@example.org",
            &format!("per_{id}"),
            &format!("ntc_{id}_wrk_{id}"),
        ] {
            assert!(recipient_of(foreign).is_none(), "{foreign}");
        }
    }
}
