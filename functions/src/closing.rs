//! How a match request comes to its end: whatever ends it, the client has one open request less, and invitations
//! that nobody has answered are withdrawn.

use domain::client::Client;
use domain::due::{Due, DueRow};
use domain::match_request::{MatchRequest, MatchRequestState};
use domain::notice::Event;
use store::{Commit, Key, Versioned};

use crate::context::Context;

/// Adds to `commit` that `request` ends as `next`, and that its people hear of `event`.
pub fn closed(
    context: &Context,
    commit: Commit,
    request: &Versioned<MatchRequest>,
    next: &MatchRequest,
    client: &Versioned<Client>,
    event: Event,
) -> Commit {
    let closed = client.value.clone().with_closed(next.id);
    let commit = commit
        .replace(request, next)
        .replace(client, &closed)
        .notify(context.fresh(), event);
    if request.value.state != MatchRequestState::Released {
        return commit;
    }
    let withdrawal = DueRow {
        due: Due::InvitationWithdrawal {
            match_request: next.id,
        },
        at: context.now(),
        generation: 0,
    };
    commit.due_of(&Key::match_request(next.id), withdrawal)
}

/// Adds to the commit that books a first visit that the request it came from is fulfilled. A request that has come
/// to its end before stays as it is.
pub fn closed_with_first_visit(
    context: &Context,
    commit: Commit,
    request: &Versioned<MatchRequest>,
    client: &Versioned<Client>,
) -> Commit {
    let Ok(next) = request.value.fulfil(context.now()) else {
        return commit;
    };
    let event = fulfilled(&next);
    closed(context, commit, request, &next, client, event)
}

/// What people hear of a request that is fulfilled.
#[must_use]
pub const fn fulfilled(request: &MatchRequest) -> Event {
    Event::MatchRequestFulfilled {
        match_request: request.id,
        client: request.client,
    }
}
