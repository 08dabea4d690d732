//! A support worker's checks as time passes: notice before they expire, and out of the index when they do.

use domain::id::WorkerId;
use domain::support_worker::{PassDeadlineError, SupportWorker};
use store::{Actor, Commit, Key, PendingDue};

use crate::consume::{ConsumeError, Effect};
use crate::context::Context;
use crate::support_worker::publish;

/// Passes the deadline that `pending` stands for, and arms the next one in the same commit.
///
/// A commit holds at most one notice for each of the six kinds of check, one ticket, the two deadlines and
/// the rows of the cells left.
pub(crate) async fn pass(
    context: &Context,
    pending: &PendingDue,
    worker: WorkerId,
) -> Result<Effect, ConsumeError> {
    let key = Key::worker(worker);
    let Some(was) = context.store.get::<SupportWorker>(&key).await? else {
        return Ok(Effect::Superseded);
    };
    let policy = context.store.policy().await?;
    let passed = was
        .value
        .pass_deadline(pending.row.generation, &policy, context.now());
    match passed {
        // Also where nothing lapsed: the row is finished, and the deadline that follows is armed.
        Ok(changed) => {
            let audit = context.audit(Actor::Service, "pass_check_deadline", &key);
            let commit = Commit::new(audit).finish(pending);
            Ok(publish(context, commit, &was, &changed).into())
        }
        Err(PassDeadlineError::Superseded) => Ok(Effect::Superseded),
        Err(PassDeadlineError::Early(at)) => Ok(Effect::Early(at)),
    }
}
