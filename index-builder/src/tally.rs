//! What is counted over everybody before records are brought up to date: who was shown, and who completed visits.
//!
//! There are as many lists and visits as there are clients, so they are counted through in slices.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::candidates::CandidateList;
use domain::id::WorkerId;
use domain::match_request::{MatchRequest, MatchRequestState};
use domain::schedule::Month;
use domain::visit::Visit;
use domain::vocabulary::Vocabulary;
use serde::{Deserialize, Serialize};
use store::{Key, StaffPartition, StoreError};

use crate::build::IndexBuilder;

/// Months of visits that are counted, this one included.
const MONTHS: usize = 13;
const PAGE: u16 = 100;

/// What has been counted so far.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tally {
    exposure: BTreeMap<WorkerId, u32>,
    completed: BTreeMap<WorkerId, u32>,
}

/// Where counting goes on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Place {
    /// Which list.
    pub(crate) list: usize,
    /// Where in it.
    pub(crate) cursor: Option<String>,
}

/// A list that is counted through.
#[derive(Debug, Clone, Copy)]
enum List {
    Requests(MatchRequestState),
    Visits(Month),
}

/// The lists, in an order that `begun` alone decides.
fn lists(begun: DateTime<Utc>) -> impl Iterator<Item = List> {
    let requests = MatchRequestState::ALL.iter().copied().map(List::Requests);
    let months = std::iter::successors(Some(Month::of(begun)), |month| Some(month.previous()));
    requests.chain(months.take(MONTHS).map(List::Visits))
}

impl Tally {
    /// On how many lists the support worker stood.
    pub(crate) fn exposure(&self, worker: WorkerId) -> u32 {
        self.exposure.get(&worker).copied().unwrap_or(0)
    }

    /// How many visits the support worker completed.
    pub(crate) fn completed(&self, worker: WorkerId) -> u32 {
        self.completed.get(&worker).copied().unwrap_or(0)
    }

    /// Counts the next `pages` pages, as of `begun`; gives where to go on, none at the end.
    pub(crate) async fn count(
        &mut self,
        builder: &IndexBuilder,
        begun: DateTime<Utc>,
        from: Place,
        pages: usize,
    ) -> Result<Option<Place>, StoreError> {
        let since = begun - builder.store.policy().await?.responsiveness();
        let mut place = from;
        for _ in 0..pages {
            let Some(list) = lists(begun).nth(place.list) else {
                return Ok(None);
            };
            let cursor = place.cursor.take();
            let next = match list {
                List::Requests(state) => self.requests(builder, state, since, cursor).await?,
                List::Visits(month) => self.visits(builder, month, cursor).await?,
            };
            if next.is_none() {
                place.list = place.list.saturating_add(1);
            }
            place.cursor = next;
        }
        Ok(Some(place))
    }

    /// Counts who stood on the lists of a page of requests that were released since then.
    async fn requests(
        &mut self,
        builder: &IndexBuilder,
        state: MatchRequestState,
        since: DateTime<Utc>,
        cursor: Option<String>,
    ) -> Result<Option<String>, StoreError> {
        let partition = StaffPartition::MatchRequests(state.code());
        let page = builder
            .store
            .staff_list::<MatchRequest>(partition, true, PAGE, cursor.as_deref())
            .await?;
        let released = page.items.iter().map(|request| &request.value);
        let lists: Vec<Key> = released
            .filter(|request| request.released_at.is_some_and(|at| since <= at))
            .map(|request| Key::candidate_list(request.id))
            .collect();
        for list in builder.store.get_many::<CandidateList>(&lists).await? {
            self.add_shown(&list.value);
        }
        // The newest first: a list is released after its request was submitted.
        let past = page.items.last();
        let past = past.is_some_and(|request| request.value.submitted_at < since);
        Ok(page.next.filter(|_| !past))
    }

    fn add_shown(&mut self, list: &CandidateList) {
        let released = list.released.iter();
        let shown = released.flat_map(|released| &released.candidates);
        for listed in shown.filter_map(|shown| list.candidate(shown.candidate)) {
            let count = self.exposure.entry(listed.worker).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// Counts who completed the visits of a page.
    async fn visits(
        &mut self,
        builder: &IndexBuilder,
        month: Month,
        cursor: Option<String>,
    ) -> Result<Option<String>, StoreError> {
        let partition = StaffPartition::Visits(month);
        let page = builder
            .store
            .staff_list::<Visit>(partition, false, PAGE, cursor.as_deref())
            .await?;
        let visits = page.items.iter().map(|visit| &visit.value);
        for visit in visits.filter(|visit| visit.took_place()) {
            let count = self.completed.entry(visit.worker).or_default();
            *count = count.saturating_add(1);
        }
        Ok(page.next)
    }
}
