//! Booking people's time: the two of an engagement as they stand now, and the busy sheets on which they are taken.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use domain::client::Client;
use domain::eligibility::Visited;
use domain::engagement::{Engagement, Side};
use domain::id::{PersonId, VisitId};
use domain::match_request::MatchRequest;
use domain::pair::Pair;
use domain::person::{Person, Roles};
use domain::policy::Policy;
use domain::schedule::{Busy, BusySheet, Month, Overlap};
use domain::support_worker::SupportWorker;
use domain::visit::{Visit, VisitDetails, VisitPlace};
use store::{Commit, Key, StoreError, Versioned};

use crate::closing::closed_with_first_visit;
use crate::context::Context;
use crate::problem::Problem;

/// How many merged records of one person are looked at: each has sheets of its own, which a booking writes.
const MOST_RECORDS: usize = 15;
/// How far ahead anything is booked, in days, and then some.
const FARTHEST_DAYS: i64 = 370;

/// The two of an engagement, and what a booking rests on.
pub(crate) struct Both {
    /// The support worker.
    pub(crate) worker: Versioned<SupportWorker>,
    client: Versioned<Client>,
    /// The client's person, the support worker's.
    people: [Versioned<Person>; 2],
    /// Every record of each that has busy sheets: their own, and those merged into it.
    records: [Vec<PersonId>; 2],
    pair: Option<Versioned<Pair>>,
    /// The match request they found each other by, where it is still kept.
    request: Option<Versioned<MatchRequest>>,
}

impl Both {
    /// Reads what a booking in this engagement rests on.
    ///
    /// # Errors
    /// When the table does not answer.
    pub(crate) async fn of(context: &Context, engagement: &Engagement) -> Result<Self, Problem> {
        let store = &context.store;
        let Engagement { client, worker, .. } = *engagement;
        let pair = store.get(&Key::pair(client, worker)).await?;
        let request = Key::match_request(engagement.match_request);
        let request = store.get(&request).await?;
        let client = store.get::<Client>(&Key::client(client)).await?;
        let client = client.ok_or_else(Problem::not_found)?;
        let worker = store.get::<SupportWorker>(&Key::worker(worker)).await?;
        let worker = worker.ok_or_else(Problem::not_found)?;
        let living = async |person: PersonId| -> Result<_, Problem> {
            let person = context.living_person(person).await?;
            let person = person.ok_or_else(Problem::not_found)?;
            let records = records_of(context, person.value.id).await?;
            Ok((person, records))
        };
        let (client_person, client_records) = living(client.value.person).await?;
        let (worker_person, worker_records) = living(worker.value.person).await?;
        Ok(Self {
            worker,
            client,
            people: [client_person, worker_person],
            records: [client_records, worker_records],
            pair,
            request,
        })
    }

    /// A visit between them, as the rules of eligibility read it.
    pub(crate) fn visited(&self, details: &VisitDetails, now: DateTime<Utc>) -> Visited<'_> {
        let [client, worker] = &self.people;
        let request = self.request.as_ref().map(|request| &request.value.details);
        Visited {
            today: details.local(now).date_naive(),
            on: details.starts.date(),
            service: details.service,
            certifications: request.map_or(&[], |asked| &asked.certifications),
            blocked: (self.pair.as_ref()).is_some_and(|pair| pair.value.is_blocked()),
            themselves: client.value.id == worker.value.id,
        }
    }

    /// The suburb of a visit; empty where it is at home and nobody has said where that is.
    pub(crate) fn suburb(&self, details: &VisitDetails) -> String {
        match &details.place {
            VisitPlace::Elsewhere { suburb, .. } => suburb.trim().to_owned(),
            VisitPlace::Home => {
                let request = self.request.as_ref();
                request.map_or_else(String::new, |request| {
                    request.value.details.place.suburb.clone()
                })
            }
        }
    }

    /// Where the client lives, as their record says now.
    pub(crate) fn address(&self) -> Option<&str> {
        let [client, _] = &self.people;
        client.value.address.as_deref()
    }

    /// Whose busy sheets a visit between them goes on.
    pub(crate) fn records(&self) -> BTreeSet<PersonId> {
        self.records.iter().flatten().copied().collect()
    }

    /// Makes the commit fail if anything that the rules look at has changed since it was read.
    ///
    /// INVARIANT: merging writes both records of a person, so a merge and a booking cannot pass each other.
    pub(crate) fn insisted_on(&self, commit: Commit) -> Commit {
        let [client, worker] = &self.people;
        let commit = commit
            .unchanged(&self.client)
            .unchanged(&self.worker)
            .unchanged(client)
            .unchanged(worker);
        match &self.pair {
            Some(pair) => commit.unchanged(pair),
            None => commit.absent(&Key::pair(self.client.value.id, self.worker.value.id)),
        }
    }

    /// Takes up the time of both for `visit`, on every sheet that it touches.
    ///
    /// # Errors
    /// 409 `client-not-free` or `support-worker-not-free`.
    pub(crate) async fn book(
        &self,
        context: &Context,
        mut commit: Commit,
        visit: &Visit,
        policy: &Policy,
    ) -> Result<Commit, Problem> {
        let buffer = TimeDelta::minutes(i64::from(policy.travel_buffer_minutes));
        let [client, worker] = &self.records;
        for (side, people) in [(Side::Client, client), (Side::Worker, worker)] {
            let busy = visit.busy(side == Side::Worker);
            let months = busy.months(buffer);
            let sheets = sheets(context, people, &months).await?;
            for (person, month) in each(people, &months) {
                let on = |sheet: &&Versioned<BusySheet>| {
                    sheet.value.person == person && sheet.value.month == month
                };
                let book = |sheet: &BusySheet| {
                    let booked = sheet.book(busy, buffer);
                    booked.map_err(|overlap| not_free(side, overlap))
                };
                commit = match sheets.iter().find(on) {
                    Some(was) => commit.replace(was, &book(&was.value)?),
                    None => commit.insert(&book(&BusySheet::empty(person, month))?),
                };
            }
        }
        Ok(commit)
    }

    /// Closes the match request by which the two found each other, where this visit is the first thing that
    /// comes of it: what it was for has come about, and whoever else was invited hears that they are not needed.
    pub(crate) fn first_visit_fulfils(&self, context: &Context, commit: Commit) -> Commit {
        match &self.request {
            Some(request) => closed_with_first_visit(context, commit, request, &self.client),
            None => commit,
        }
    }
}

/// Gives the time of everybody back whom `visit` was booked for.
///
/// # Errors
/// When the table does not answer.
pub(crate) async fn free(
    context: &Context,
    mut commit: Commit,
    visit: &Visit,
) -> Result<Commit, StoreError> {
    let people: Vec<PersonId> = visit.booked_for.iter().copied().collect();
    let months = visit.busy(true).months_around();
    for was in sheets(context, &people, &months).await? {
        if let Some(freed) = was.value.free(visit.id) {
            commit = commit.replace(&was, &freed);
        }
    }
    Ok(commit)
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
    let keys: Vec<Key> = booked.map(|busy| Key::visit(busy.visit)).collect();
    let visits = context.store.get_many::<Visit>(&keys).await?;
    let visits = visits.into_iter().map(|visit| visit.value);
    let theirs: BTreeSet<VisitId> = visits
        .filter(|visit| {
            roles.clients.contains(&visit.client) || roles.workers.contains(&visit.worker)
        })
        .map(|visit| visit.id)
        .collect();
    for was in &sheets {
        commit = match was.value.keep(|visit| theirs.contains(&visit)) {
            Some(kept) => commit.replace(was, &kept),
            None => commit,
        };
    }
    Ok(commit)
}

/// A person's own record and those merged into it: each has busy sheets of its own.
///
/// # Errors
/// When the table does not answer; 409 where there are too many to book at once.
pub(crate) async fn records_of(
    context: &Context,
    person: PersonId,
) -> Result<Vec<PersonId>, Problem> {
    let merged = context.store.merged_into(person, MOST_RECORDS + 1).await?;
    if merged.len() > MOST_RECORDS {
        let title = "Too many records were merged into one of the two to book them all at once";
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "too-many-merged-records",
            title,
        ));
    }
    let merged = merged.into_iter().map(|merge| merge.value.duplicate);
    Ok([person].into_iter().chain(merged).collect())
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

/// Whose time it is, and why it cannot be had; which other visit it is stays between that one's people.
fn not_free(side: Side, overlap: Overlap) -> Problem {
    let kind = match side {
        Side::Client => "client-not-free",
        Side::Worker => "support-worker-not-free",
    };
    Problem::wrong_state(kind, overlap)
}

impl Both {
    /// The client, as read.
    pub(crate) const fn client(&self) -> &Client {
        &self.client.value
    }

    /// The support worker's own record.
    pub(crate) const fn worker_person(&self) -> PersonId {
        let [_, worker] = &self.people;
        worker.value.id
    }

    /// Whether the support worker could come to something at this time, as far as their sheets go.
    ///
    /// # Errors
    /// When the table does not answer.
    pub(crate) async fn worker_is_free(
        &self,
        context: &Context,
        busy: Busy,
        policy: &Policy,
    ) -> Result<bool, StoreError> {
        let buffer = TimeDelta::minutes(i64::from(policy.travel_buffer_minutes));
        let [_, worker] = &self.records;
        let sheets = sheets(context, worker, &busy.months(buffer)).await?;
        let free = |sheet: &Versioned<BusySheet>| sheet.value.book(busy, buffer).is_ok();
        Ok(sheets.iter().all(free))
    }

    /// Takes up the time of both for `visit`, and gives back in the same commit what `instead_of` took up: of the
    /// client it may be the same time.
    ///
    /// # Errors
    /// 409 `client-not-free` or `support-worker-not-free`.
    pub(crate) async fn book_instead(
        &self,
        context: &Context,
        mut commit: Commit,
        visit: &Visit,
        instead_of: &Visit,
        policy: &Policy,
    ) -> Result<Commit, Problem> {
        let buffer = TimeDelta::minutes(i64::from(policy.travel_buffer_minutes));
        let [client, worker] = &self.records;
        let people: BTreeSet<PersonId> = self.records();
        let people: Vec<PersonId> = people.union(&instead_of.booked_for).copied().collect();
        let around = [instead_of.busy(true), visit.busy(true)];
        let months: BTreeSet<Month> = around.iter().flat_map(Busy::months_around).collect();
        let months: Vec<Month> = months.into_iter().collect();
        let sheets = sheets(context, &people, &months).await?;
        for (person, month) in each(&people, &months) {
            let on = |sheet: &&Versioned<BusySheet>| {
                sheet.value.person == person && sheet.value.month == month
            };
            let was = sheets.iter().find(on);
            let freed = was.and_then(|was| was.value.free(instead_of.id));
            let side = match (client.contains(&person), worker.contains(&person)) {
                (_, true) => Some(Side::Worker),
                (true, false) => Some(Side::Client),
                (false, false) => None,
            };
            let busy = side.map(|side| (side, visit.busy(side == Side::Worker)));
            let busy = busy.filter(|(_, busy)| busy.months(buffer).contains(&month));
            let next = match busy {
                Some((side, busy)) => {
                    let empty = BusySheet::empty(person, month);
                    let before = freed.as_ref().or(was.map(|was| &was.value));
                    let booked = before.unwrap_or(&empty).book(busy, buffer);
                    Some(booked.map_err(|overlap| not_free(side, overlap))?)
                }
                None => freed,
            };
            commit = match (was, next) {
                (Some(was), Some(next)) => commit.replace(was, &next),
                (None, Some(next)) => commit.insert(&next),
                (_, None) => commit,
            };
        }
        Ok(commit)
    }
}
