//! Busy sheets as they are read and written: whose time is taken, and whose is given back.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use domain::engagement::Engagement;
use domain::id::{EngagementId, PersonId, VisitId};
use domain::person::Roles;
use domain::recurrence::Occurrence;
use domain::schedule::{Busy, BusySheet, Month, Overlap};
use domain::series::{Series, visit_id};
use domain::visit::Visit;
use store::{Commit, Key, StoreError, Versioned};

use crate::context::Context;

/// How far ahead anything is booked, in days, and then some: a visit is proposed up to a year ahead, and a series goes
/// on for up to another.
pub(crate) const FARTHEST_DAYS: i64 = 740;

/// The sheets of some people in some months, as they are to be: each is written once, however much changes on it.
pub(super) struct Sheets {
    were: Vec<Versioned<BusySheet>>,
    next: BTreeMap<(PersonId, Month), BusySheet>,
}

impl Sheets {
    pub(super) async fn of(
        context: &Context,
        people: &BTreeSet<PersonId>,
        months: &[Month],
    ) -> Result<Self, StoreError> {
        let people: Vec<PersonId> = people.iter().copied().collect();
        let months: BTreeSet<Month> = months.iter().copied().collect();
        let months: Vec<Month> = months.into_iter().collect();
        let were = sheets(context, &people, &months).await?;
        let next = were.iter().map(|sheet| {
            let sheet = sheet.value.clone();
            ((sheet.person, sheet.month), sheet)
        });
        Ok(Self {
            next: next.collect(),
            were,
        })
    }

    /// Takes up these people's time.
    pub(super) fn book(
        &mut self,
        people: &[PersonId],
        busy: Busy,
        buffer: TimeDelta,
    ) -> Result<(), Overlap> {
        for (person, month) in each(people, &busy.months(buffer)) {
            let sheet = self.next.entry((person, month));
            let sheet = sheet.or_insert_with(|| BusySheet::empty(person, month));
            *sheet = sheet.book(busy, buffer)?;
        }
        Ok(())
    }

    /// Gives everybody's time back that is taken up for a visit.
    pub(super) fn free(&mut self, visit: VisitId) {
        for sheet in self.next.values_mut() {
            if let Some(freed) = sheet.free(visit) {
                *sheet = freed;
            }
        }
    }

    /// Writes those that have changed.
    pub(super) fn written(self, mut commit: Commit) -> Commit {
        let Self { were, mut next } = self;
        for was in &were {
            let key = (was.value.person, was.value.month);
            if let Some(next) = next.remove(&key).filter(|next| *next != was.value) {
                commit = commit.replace(was, &next);
            }
        }
        next.values()
            .fold(commit, |commit, sheet| commit.insert(sheet))
    }
}

/// Gives the time of everybody back whom a series was booked for, as far as its visits have not been made.
///
/// # Errors
/// When the table does not answer.
pub(crate) async fn free_unmade(
    context: &Context,
    commit: Commit,
    series: &Series,
    occurrences: &[Occurrence],
) -> Result<Commit, StoreError> {
    let unmade = occurrences.iter().filter(|it| series.made <= it.number);
    let unmade: Vec<Occurrence> = unmade.copied().collect();
    let busy = series.busy(&unmade, true);
    let months: Vec<Month> = busy.iter().flat_map(Busy::months_around).collect();
    let mut sheets = Sheets::of(context, &series.booked_for, &months).await?;
    for occurrence in &unmade {
        sheets.free(visit_id(series.id, occurrence.number));
    }
    Ok(sheets.written(commit))
}

/// Gives the time of everybody back whom `visit` was booked for.
///
/// # Errors
/// When the table does not answer.
pub(crate) async fn free(
    context: &Context,
    commit: Commit,
    visit: &Visit,
) -> Result<Commit, StoreError> {
    free_all(context, commit, std::slice::from_ref(visit)).await
}

/// Gives the time of everybody back whom any of `visits` was booked for.
///
/// # Errors
/// When the table does not answer.
pub(crate) async fn free_all(
    context: &Context,
    commit: Commit,
    visits: &[Visit],
) -> Result<Commit, StoreError> {
    let people = visits.iter().flat_map(|visit| &visit.booked_for);
    let people: BTreeSet<PersonId> = people.copied().collect();
    let months = visits.iter().flat_map(|it| it.busy(true).months_around());
    let months: Vec<Month> = months.collect();
    let mut sheets = Sheets::of(context, &people, &months).await?;
    for visit in visits {
        sheets.free(visit.id);
    }
    Ok(sheets.written(commit))
}

/// Clears the sheets of a person, their `records`, who was parted from another: what was booked for the other
/// meanwhile, on the sheets of both, takes up none of their time.
///
/// # Errors
/// When the table does not answer.
pub(crate) async fn part(
    context: &Context,
    mut commit: Commit,
    records: &[PersonId],
    roles: &Roles,
) -> Result<Commit, StoreError> {
    let sheets = sheets_ahead(context, records).await?;
    let booked = sheets.iter().flat_map(|sheet| &sheet.value.booked);
    let booked: Vec<Busy> = booked.copied().collect();
    // By engagement: a visit of a series may not have been made yet.
    let keys: BTreeSet<Key> = booked
        .iter()
        .map(|busy| Key::engagement(busy.engagement))
        .collect();
    let keys: Vec<Key> = keys.into_iter().collect();
    let engagements = context.store.get_many::<Engagement>(&keys).await?;
    let engagements = engagements.into_iter().map(|held| held.value);
    let theirs: BTreeSet<EngagementId> = engagements
        .filter(|held| roles.clients.contains(&held.client) || roles.workers.contains(&held.worker))
        .map(|held| held.id)
        .collect();
    let theirs: BTreeSet<VisitId> = booked
        .iter()
        .filter(|busy| theirs.contains(&busy.engagement))
        .map(|busy| busy.visit)
        .collect();
    for was in &sheets {
        commit = match was.value.keep(|visit| theirs.contains(&visit)) {
            Some(kept) => commit.replace(was, &kept),
            None => commit,
        };
    }
    Ok(commit)
}

/// The sheets of these people in these months, as far as there are any.
///
/// # Errors
/// When the table does not answer.
pub(crate) async fn sheets(
    context: &Context,
    people: &[PersonId],
    months: &[Month],
) -> Result<Vec<Versioned<BusySheet>>, StoreError> {
    let keys: Vec<Key> = each(people, months)
        .map(|(person, month)| Key::busy_sheet(person, month))
        .collect();
    context.store.get_many(&keys).await
}

/// The sheets on which something of these people is still to come.
///
/// # Errors
/// When the table does not answer.
pub(crate) async fn sheets_ahead(
    context: &Context,
    people: &[PersonId],
) -> Result<Vec<Versioned<BusySheet>>, StoreError> {
    let now = context.now();
    let months = Month::touched(now, now + TimeDelta::days(FARTHEST_DAYS));
    let mut found = sheets(context, people, &months).await?;
    found.retain(|sheet| sheet.value.ahead(now).next().is_some());
    Ok(found)
}

fn each<'a>(
    people: &'a [PersonId],
    months: &'a [Month],
) -> impl Iterator<Item = (PersonId, Month)> + 'a {
    let with_months = |person| months.iter().map(move |month| (person, *month));
    people.iter().copied().flat_map(with_months)
}

/// Everything still to come on these sheets, each visit once.
pub(crate) fn bookings(sheets: &[Versioned<BusySheet>], now: DateTime<Utc>) -> Vec<Busy> {
    let mut bookings: Vec<Busy> = sheets
        .iter()
        .flat_map(|sheet| sheet.value.ahead(now).copied())
        .collect();
    bookings.sort_by_key(|busy| (busy.from, busy.visit));
    bookings.dedup_by_key(|busy| busy.visit);
    bookings
}
