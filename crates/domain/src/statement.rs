//! The statement of an engagement for one month: what is charged, for which visit, and on what it rests.

use chrono::{DateTime, FixedOffset, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::id::{EngagementId, VisitId};
use crate::money::Price;
use crate::schedule::Month;
use crate::visit::{ConfirmedBy, Visit, VisitState};
use crate::vocabulary::Vocabulary;

vocabulary! {
    /// What a line of a statement rests on.
    StatementBasis {
        Confirmed = "confirmed", "The client confirmed the visit";
        Silence = "silence", "The client said nothing to the visit in time";
        Settled = "settled", "Staff decided on a dispute about the visit";
        CancelledLate = "cancelled_late", "The client cancelled the visit at the agreed charge";
        Waived = "waived", "Staff waived the charge for the cancelled visit";
        Disputed = "disputed", "The visit is disputed: nothing is charged yet";
        Missed = "missed", "The visit did not take place";
        Open = "open", "The visit is still to come or to be confirmed: nothing is charged yet";
    }
}

/// One visit on a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct StatementLine {
    /// Which visit.
    pub visit: VisitId,
    /// The date on which it began, at its place.
    pub date: NaiveDate,
    /// When it was to begin.
    pub from: DateTime<FixedOffset>,
    /// When it was to end.
    pub until: DateTime<FixedOffset>,
    /// How long it was booked for.
    #[schema(example = 120)]
    pub booked_minutes: u32,
    /// How long it lasted, as the support worker wrote down.
    #[schema(example = 125)]
    pub worked_minutes: Option<u32>,
    /// On what the charge rests.
    pub basis: StatementBasis,
    /// What is charged.
    #[serde(flatten)]
    pub charge: Price,
}

/// What a month comes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StatementTotal {
    /// What the client pays, in cents.
    #[schema(example = 12300)]
    pub client_pays: u64,
    /// What the support worker gets of it.
    #[schema(example = 12000)]
    pub worker_gets: u64,
    /// What the service keeps of it.
    #[schema(example = 300)]
    pub service_keeps: u64,
}

/// Every visit of one engagement that began in one month, by its own local date, and what that comes to. A visit that
/// was cancelled at no charge leaves no line.
///
/// INVARIANT: the total is the sum of the lines, and each is what its visit says is charged for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Statement {
    /// Of which engagement.
    pub engagement: EngagementId,
    /// Of which month, e.g. `2026-12`.
    #[schema(value_type = String, example = "2026-12")]
    pub month: Month,
    /// Its visits, in the order of their beginning.
    pub lines: Vec<StatementLine>,
    /// What they come to.
    pub total: StatementTotal,
}

impl StatementLine {
    fn of(visit: &Visit) -> Option<Self> {
        Some(Self {
            visit: visit.id,
            date: visit.date(),
            from: visit.details.local(visit.from),
            until: visit.details.local(visit.until),
            booked_minutes: visit.details.minutes,
            worked_minutes: visit.worked.as_ref().map(|worked| worked.minutes),
            basis: basis(visit)?,
            charge: visit.charge(),
        })
    }
}

/// None where there is nothing to be said of a visit.
fn basis(visit: &Visit) -> Option<StatementBasis> {
    Some(match visit.state {
        VisitState::Booked | VisitState::Started | VisitState::Completed => StatementBasis::Open,
        VisitState::Disputed => StatementBasis::Disputed,
        VisitState::Missed => StatementBasis::Missed,
        VisitState::Confirmed => match visit.confirmation.as_ref()?.by {
            ConfirmedBy::Client => StatementBasis::Confirmed,
            ConfirmedBy::Silence => StatementBasis::Silence,
            ConfirmedBy::Settlement => StatementBasis::Settled,
        },
        VisitState::Cancelled => {
            let cancelled = visit.cancellation.as_ref();
            let cancelled = cancelled.filter(|it| it.charge != Price::NOTHING)?;
            match cancelled.waiver {
                Some(_) => StatementBasis::Waived,
                None => StatementBasis::CancelledLate,
            }
        }
    })
}

impl StatementTotal {
    fn plus(self, charge: Price) -> Self {
        let add = |sum: u64, part: crate::money::Cents| sum.saturating_add(u64::from(part.0));
        Self {
            client_pays: add(self.client_pays, charge.client_pays),
            worker_gets: add(self.worker_gets, charge.worker_gets),
            service_keeps: add(self.service_keeps, charge.service_keeps),
        }
    }
}

impl Statement {
    /// The statement of `engagement` for `month`, from its visits, whichever others there are among them.
    #[must_use]
    pub fn of<'a>(
        engagement: EngagementId,
        month: Month,
        visits: impl IntoIterator<Item = &'a Visit>,
    ) -> Self {
        let theirs = |visit: &&Visit| {
            visit.engagement == engagement && Month::of_date(visit.date()) == month
        };
        let visits = visits.into_iter().filter(theirs);
        let mut lines: Vec<StatementLine> = visits.filter_map(StatementLine::of).collect();
        lines.sort_by_key(|line| (line.from, line.visit));
        let charges = lines.iter().map(|line| line.charge);
        let total = charges.fold(StatementTotal::default(), StatementTotal::plus);
        Self {
            engagement,
            month,
            lines,
            total,
        }
    }
}

#[cfg(test)]
mod tests;
