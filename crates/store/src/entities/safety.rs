//! How safety reports are stored.

use domain::id::{EngagementId, PersonId, ReportId};
use domain::safety::Report;
use domain::vocabulary::Vocabulary;
use serde::{Deserialize, Serialize};

use super::instant;
use crate::error::StoreError;
use crate::item::{Entity, Page, StaffIndex, Versioned};
use crate::key::{Key, StaffPartition};
use crate::table::Store;

impl Entity for Report {
    fn key(&self) -> Key {
        Key::report(self.id)
    }

    fn staff_index(&self) -> Option<StaffIndex> {
        Some(StaffIndex {
            partition: StaffPartition::Reports(self.state.code()),
            order: instant(self.deadline.at),
        })
    }
}

/// The mark, with an engagement and whoever reported, of a safety report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnReport {
    /// In which engagement.
    pub engagement: EngagementId,
    /// Who reported.
    pub person: PersonId,
    /// Which report.
    pub report: ReportId,
}

impl Entity for OwnReport {
    fn key(&self) -> Key {
        Key::own_report(self.engagement, self.person, self.report)
    }
}

impl Store {
    /// A page of what one person has reported in one engagement, newest first.
    ///
    /// # Errors
    /// See [`StoreError`]; [`StoreError::BadCursor`] for a cursor not made here.
    pub async fn own_reports(
        &self,
        engagement: EngagementId,
        person: PersonId,
        limit: u16,
        cursor: Option<&str>,
    ) -> Result<Page<Versioned<OwnReport>>, StoreError> {
        let (pk, prefix) = Key::own_reports(engagement, person);
        self.list(&pk, &prefix, true, limit, cursor).await
    }
}
