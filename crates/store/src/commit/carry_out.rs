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
            if let [only] = writes.as_slice()
                && let Some(written) = self.write_alone(only).await
            {
                return written;
            }
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

    /// One write without a transaction around it: as whole by itself, at half the price. None for what only a
    /// transaction can hold.
    ///
    /// INVARIANT: a commit of one write may be told that it failed when an earlier attempt of its own went through
    /// unheard. It is an audit item, which tells; a due row's deletion, after which nothing is left to do; or it
    /// has no condition.
    async fn write_alone(&self, only: &Write) -> Option<Result<(), Failure<CommitError>>> {
        let item = only.item.clone();
        let failed = if let Some(put) = item.put {
            let call = self.dynamodb.put_item().table_name(put.table_name);
            let call = call
                .set_item(Some(put.item))
                .set_condition_expression(put.condition_expression)
                .set_expression_attribute_names(put.expression_attribute_names)
                .set_expression_attribute_values(put.expression_attribute_values);
            call.send().await.err().map(|error| failure(&error))
        } else if let Some(delete) = item.delete {
            let call = self.dynamodb.delete_item().table_name(delete.table_name);
            let call = call
                .set_key(Some(delete.key))
                .set_condition_expression(delete.condition_expression)
                .set_expression_attribute_names(delete.expression_attribute_names)
                .set_expression_attribute_values(delete.expression_attribute_values);
            call.send().await.err().map(|error| failure(&error))
        } else {
            return None;
        };
        Some(match failed {
            None => Ok(()),
            Some(Failure::Passing) => Err(Failure::Passing),
            Some(Failure::Final(StoreError::Refused(code)))
                if code == "ConditionalCheckFailedException" =>
            {
                refused(&[only]).map_err(Failure::Final)
            }
            Some(Failure::Final(error)) => Err(Failure::Final(error.into())),
        })
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
    if !failed.is_empty() {
        return refused(&failed).map_err(Failure::Final);
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

/// What it means that the conditions of these writes do not hold.
fn refused(failed: &[&Write]) -> Result<(), CommitError> {
    let has = |role| failed.iter().any(|write| write.role == role);
    // Our own audit item stands there: an earlier attempt of this very commit went through, and only its
    // answer was lost.
    if has(Role::Audit) {
        return Ok(());
    }
    if has(Role::Idempotency) {
        return Err(CommitError::Replayed);
    }
    if has(Role::Due) {
        return Err(CommitError::AlreadyDone);
    }
    // A reached limit does not pass by deciding again; whatever else has changed may.
    let changed = failed.iter().find(|write| write.role != Role::Limit);
    match (changed, failed.first()) {
        (Some(write), _) => Err(CommitError::Conflict(write.key.clone())),
        (None, Some(write)) => Err(CommitError::LimitReached(write.key.clone())),
        (None, None) => Ok(()),
    }
}

fn has_code(reason: &CancellationReason, code: &str) -> bool {
    reason.code() == Some(code)
}
