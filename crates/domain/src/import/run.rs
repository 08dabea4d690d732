//! What came of a file.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{ImportColumn, ImportKind, RowFault, RowOutcome};
use crate::id::{ImportId, PersonId};
use crate::vocabulary::Vocabulary;

/// The most faults that an answer names; the rest are counted.
pub const MAX_ERRORS: usize = 200;

vocabulary! {
    /// Whether everything in a file stands.
    ImportState {
        Complete = "complete", "Every row stands as the file says";
        Incomplete = "incomplete", "Some rows failed; correct them and send the file again";
    }
}

/// One fault of one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RowError {
    /// The row as a spreadsheet numbers it: the header is row 1.
    #[schema(example = 7)]
    pub row: u32,
    /// In which column; none where it is about the row as a whole.
    pub column: Option<ImportColumn>,
    /// What would be right.
    #[schema(example = "is needed")]
    pub detail: String,
}

/// What the rows of a file came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Tally {
    /// How many rows were read, blank ones and the header aside.
    pub rows: u32,
    /// How many brought somebody new.
    pub created: u32,
    /// How many changed somebody who had come before.
    pub updated: u32,
    /// How many said what stood already.
    pub unchanged: u32,
    /// How many could not be accepted; nothing of them was done.
    pub failed: u32,
    /// Their faults, in the order of the rows; at most 200.
    #[schema(max_items = 200)]
    pub errors: Vec<RowError>,
    /// How many more faults there are.
    pub more_errors: u32,
}

impl Tally {
    /// Counts a row.
    pub fn count(&mut self, row: u32, came_to: Result<RowOutcome, Vec<RowFault>>) {
        add_one(&mut self.rows);
        match came_to {
            Ok(RowOutcome::Created) => add_one(&mut self.created),
            Ok(RowOutcome::Updated) => add_one(&mut self.updated),
            Ok(RowOutcome::Unchanged) => add_one(&mut self.unchanged),
            Err(faults) => {
                add_one(&mut self.failed);
                for RowFault { column, detail } in faults {
                    self.add(RowError {
                        row,
                        column,
                        detail,
                    });
                }
            }
        }
    }

    /// Whether everything stands.
    #[must_use]
    pub const fn state(&self) -> ImportState {
        if self.failed == 0 {
            ImportState::Complete
        } else {
            ImportState::Incomplete
        }
    }

    fn add(&mut self, error: RowError) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(error);
        } else {
            add_one(&mut self.more_errors);
        }
    }
}

fn add_one(count: &mut u32) {
    *count = count.saturating_add(1);
}

/// A file that was taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportRun {
    /// Which.
    pub id: ImportId,
    /// Whom it brought.
    pub kind: ImportKind,
    /// Who sent it.
    pub by: PersonId,
    /// When its last row was dealt with.
    pub at: DateTime<Utc>,
    /// What its rows came to.
    pub tally: Tally,
}
