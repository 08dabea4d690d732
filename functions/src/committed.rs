//! What is counted, and followed, of the commits that came to stand.
//!
//! INVARIANT: an act is counted where its conditional commit succeeded, and there alone: a repetition, a lost race or a
//! refusal counts nothing. A process that ends between the two leaves one uncounted, never one too many.

use platform::metrics::Metric;
use platform::trail;
use store::{Commit, CommitError, Once};

use crate::context::Context;

/// The effect that hands a mail over.
pub(crate) const SEND_MAIL: &str = "send_mail";

/// The operations that are counted, by the names that the audit knows them by.
const COUNTED: [(&str, Metric); 6] = [
    ("release_candidates", Metric::Released),
    ("invite_candidate", Metric::Invited),
    ("invite_known_worker", Metric::Invited),
    ("accept_invitation", Metric::Accepted),
    ("lapse_invitation", Metric::Lapsed),
    (SEND_MAIL, Metric::MailSent),
];

impl Context {
    /// Carries a commit out.
    ///
    /// # Errors
    /// See [`CommitError`].
    pub async fn commit(&self, commit: Commit) -> Result<(), CommitError> {
        let (id, operation) = (commit.id(), commit.operation());
        self.store.commit(commit).await?;
        trail::came_to(id);
        self.counted(operation);
        Ok(())
    }

    /// Carries a commit out and remembers that `once` was used for it and came to `target`.
    ///
    /// # Errors
    /// See [`CommitError`].
    pub async fn commit_once(
        &self,
        commit: Commit,
        once: &Once,
        target: String,
    ) -> Result<(), CommitError> {
        let (id, operation) = (commit.id(), commit.operation());
        self.store.commit_once(commit, once, target).await?;
        trail::came_to(id);
        self.counted(operation);
        Ok(())
    }

    fn counted(&self, operation: &str) {
        let found = COUNTED.iter().find(|(name, _)| *name == operation);
        if let Some((_, metric)) = found {
            self.metrics.count(*metric);
        }
    }
}
