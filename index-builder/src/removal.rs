//! Removing the objects of shards that are not, or not any more, current.
//!
//! A removal is a due row in one of two generations. *Announced*, the object may still become current: the commit
//! that makes it so deletes the row, and fails if the row is gone. *Condemned*, it cannot: no announced row is left
//! that a publication could call off, and a name is never given twice. So whatever happens at the same time,
//!
//! * a publication and the end of its announcement: one of the two commits deletes the row, and the other fails;
//! * a removal delivered twice, or again after a crash: deleting what is gone changes nothing, and the row stays
//!   until the object is deleted;
//! * a publication that loses, or ends half-way: its announced row condemns the object, and the next one removes it;
//! * the same rows coming back: they are published anew, under another name, in an object of their own;
//! * a reader of a superseded shard: it holds the bytes in memory, and had [`GRACE`] to fetch them.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use domain::due::{Due, DueRow};
use domain::place::Cell;
use platform::blobs::BlobName;
use store::{Commit, PendingDue, ShardPointer};

use crate::build::{BuildError, IndexBuilder};

/// How long an object stays once it is superseded, or announced and never published.
///
/// Far longer than a function may run between reading a pointer and fetching what it names, or a build between
/// announcing and publishing. Most of the day is for the functions that fall back on the last whole shard of a cell
/// while the current one is damaged: it must be there until somebody has heeded the alarm.
pub const GRACE: TimeDelta = TimeDelta::hours(24);

const ANNOUNCED: u32 = 0;
const CONDEMNED: u32 = 1;

/// The removal of an object that may still become current.
pub(crate) fn announced(cell: Cell, blob: &BlobName, now: DateTime<Utc>) -> DueRow {
    removal(cell, blob.as_str().to_owned(), ANNOUNCED, after_grace(now))
}

/// The removal of an object that is current no longer.
pub(crate) fn superseded(pointer: &ShardPointer, now: DateTime<Utc>) -> DueRow {
    let blob = pointer.blob.clone();
    removal(pointer.cell, blob, CONDEMNED, after_grace(now))
}

fn removal(cell: Cell, blob: String, generation: u32, at: DateTime<Utc>) -> DueRow {
    DueRow {
        due: Due::RemoveShard { cell, blob },
        at,
        generation,
    }
}

/// On the hour, so that the removals of a busy day fall due together.
fn after_grace(now: DateTime<Utc>) -> DateTime<Utc> {
    let (at, hour) = (now + GRACE, TimeDelta::hours(1));
    match at.duration_trunc(hour) {
        Ok(begun) if begun < at => begun + hour,
        _ => at,
    }
}

impl IndexBuilder {
    /// Takes one removal a step further.
    ///
    /// # Errors
    /// See [`BuildError`]; the row is still there then.
    pub(crate) async fn remove(
        &self,
        pending: &PendingDue,
        cell: Cell,
        blob: &str,
    ) -> Result<(), BuildError> {
        let finished = Commit::of_effect(self.ids.fresh(), self.clock.now(), pending);
        if pending.row.generation == ANNOUNCED {
            let condemned = removal(cell, blob.to_owned(), CONDEMNED, self.clock.now());
            // Where it does not stand the object has become current, or is condemned already.
            self.stands(finished.due(condemned)).await?;
            return Ok(());
        }
        let pointer = self.pointer(cell).await?;
        if pointer.is_some_and(|pointer| pointer.value.blob == blob) {
            // No publication leads here: only a table that was edited or restored by hand.
            tracing::error!(%cell, blob, "ALARM: the current shard was to be removed; it stays");
        } else if let Ok(name) = blob.parse::<BlobName>() {
            self.blobs.delete(&name).await?;
        }
        self.stands(finished).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_stays_for_the_grace_and_less_than_an_hour_longer() {
        for now in ["2026-03-02T00:00:00Z", "2026-03-02T10:59:59.999Z"] {
            let now: DateTime<Utc> = now.parse().unwrap();
            let at = after_grace(now);
            assert!(at >= now + GRACE && at < now + GRACE + TimeDelta::hours(1));
            assert_eq!(at.timestamp() % 3_600, 0);
        }
    }
}
