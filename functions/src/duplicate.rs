//! Telling people apart: the hints by which a person is found, and the ticket where somebody is found by
//! them already.

use std::collections::BTreeSet;

use domain::id::PersonId;
use domain::person::Person;
use domain::ticket::{Ticket, TicketCause};
use store::{Commit, Hint, Key, StoreError};

use crate::context::Context;

/// The most people that one is compared with.
const MOST_KNOWN: usize = 10;

/// Leaves the hints by which a person is found, in place of those of the record as it `was`, and lets
/// staff look where somebody else is found by a new one already. The answer is the same: it never says
/// who is known here.
///
/// # Errors
/// When the table does not answer.
pub async fn told_apart(
    context: &Context,
    commit: Commit,
    was: Option<&Person>,
    person: &Person,
) -> Result<Commit, StoreError> {
    let hashes = |of: &Person| -> BTreeSet<String> {
        let hashes = context.hint_hashes(&of.name, &of.contact, of.birth_date);
        hashes.into_iter().collect()
    };
    let (old, now) = (was.map(hashes).unwrap_or_default(), hashes(person));
    let mut known: BTreeSet<PersonId> = BTreeSet::new();
    for hash in now.difference(&old) {
        known.extend(context.store.people_hinted(hash, MOST_KNOWN).await?);
    }
    known.remove(&person.id);
    let commit = old.difference(&now).fold(commit, |commit, hash| {
        commit.derive_nothing_at(&Key::hint(hash, person.id))
    });
    let commit = now.difference(&old).fold(commit, |commit, hash| {
        commit.derive(&Hint {
            hash: hash.clone(),
            person: person.id,
        })
    });
    if known.is_empty() {
        return Ok(commit);
    }
    let cause = TicketCause::PossibleDuplicate;
    let mut ticket = Ticket::open(context.fresh(), cause, person.id, context.now());
    ticket.related = known.iter().map(ToString::to_string).collect();
    Ok(commit.insert(&ticket))
}
