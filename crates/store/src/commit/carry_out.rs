//! Carrying a commit out, and finding out what a refusal means.

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::CancellationReason;
use chrono::{DateTime, Utc};

use super::{Commit, CommitError, Role, Write};
use crate::error::StoreError;
use crate::idempotency::{Once, Remembered};
use crate::key::Key;
use crate::retry::{Failure, failure};
use crate::table::{Store, salt};

impl Store {
    /// Carries a commit out, whole or not at all.
    ///
    /// # Errors
    /// See [`CommitError`].
    pub async fn commit(&self, commit: Commit) -> Result<(), CommitError> {
        self.carry_out(commit).await
    }

    /// Carries a commit out and remembers that `once` was used for it and came to `target`.
    ///
    /// # Errors
    /// See [`CommitError`]; [`CommitError::Replayed`] if the key had been used.
    pub async fn commit_once(
        &self,
        mut commit: Commit,
        once: &Once,
        target: String,
    ) -> Result<(), CommitError> {
        commit.remember(once, target);
        self.carry_out(commit).await
    }

    /// What a key was used for within the time it is remembered.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn remembered(
        &self,
        once: &Once,
        now: DateTime<Utc>,
    ) -> Result<Option<Remembered>, StoreError> {
        let found = self.get::<Remembered>(&once.stored_at()).await?;
        Ok(found
            .map(|found| found.value)
            .filter(|remembered| now < remembered.expires_at))
    }

    async fn carry_out(&self, commit: Commit) -> Result<(), CommitError> {
        let token = commit.id.to_string();
        let salt = salt(&Key {
            pk: token.clone(),
            sk: String::new(),
        });
        let writes = commit.into_writes(&self.table)?;
        self.retrying(salt, || async {
            let items = writes.iter().map(|write| write.item.clone()).collect();
            let call = self
                .dynamodb
                .transact_write_items()
                .set_transact_items(Some(items));
            match call.client_request_token(&token).send().await {
                Ok(_) => Ok(()),
                Err(error) => judge(&writes, &error),
            }
        })
        .await
    }
}

fn judge(
    writes: &[Write],
    error: &SdkError<TransactWriteItemsError, HttpResponse>,
) -> Result<(), Failure<CommitError>> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    else {
        return Err(match failure(error) {
            Failure::Passing => Failure::Passing,
            Failure::Final(error) => Failure::Final(error.into()),
        });
    };
    let failed: Vec<&Write> = writes
        .iter()
        .zip(cancelled.cancellation_reasons())
        .filter(|(_, reason)| has_code(reason, "ConditionalCheckFailed"))
        .map(|(write, _)| write)
        .collect();
    let has = |role| failed.iter().any(|write| write.role == role);
    // Our own audit item stands there: an earlier attempt of this very commit went through, and only its
    // answer was lost.
    if has(Role::Audit) {
        return Ok(());
    }
    if has(Role::Idempotency) {
        return Err(Failure::Final(CommitError::Replayed));
    }
    if has(Role::Due) {
        return Err(Failure::Final(CommitError::AlreadyDone));
    }
    // A reached limit does not pass by deciding again; whatever else has changed may.
    if let Some(write) = failed.iter().find(|write| write.role != Role::Limit) {
        return Err(Failure::Final(CommitError::Conflict(write.key.clone())));
    }
    if let Some(write) = failed.first() {
        return Err(Failure::Final(CommitError::LimitReached(write.key.clone())));
    }
    const PASSING: [&str; 3] = [
        "TransactionConflict",
        "ProvisionedThroughputExceeded",
        "ThrottlingError",
    ];
    let passing = |reason: &CancellationReason| PASSING.iter().any(|code| has_code(reason, code));
    if cancelled.cancellation_reasons().iter().any(passing) {
        return Err(Failure::Passing);
    }
    Err(Failure::Final(
        StoreError::Refused("TransactionCanceledException".into()).into(),
    ))
}

fn has_code(reason: &CancellationReason, code: &str) -> bool {
    reason.code() == Some(code)
}
