//! Booking people's time: the two of an engagement as they stand now, and the busy sheets on which they are taken.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use domain::client::Client;
use domain::eligibility::Visited;
use domain::engagement::{Engagement, Side};
use domain::id::{EngagementId, PersonId, VisitId};
use domain::match_request::MatchRequest;
use domain::pair::Pair;
use domain::person::{Person, Roles};
use domain::policy::Policy;
use domain::recurrence::Occurrence;
use domain::schedule::{Busy, BusySheet, Month, Overlap};
use domain::series::{Series, visit_id};
use domain::support_worker::SupportWorker;
use domain::visit::{Visit, VisitDetails, VisitPlace};
use store::{Commit, Key, StoreError, Versioned};

use crate::closing::closed_with_first_visit;
use crate::context::Context;
use crate::problem::Problem;

/// How many merged records of one person are looked at: each has sheets of its own, which a booking writes.
const MOST_RECORDS: usize = 15;
/// How far ahead anything is booked, in days, and then some: a year, and a series of another.
const FARTHEST_DAYS: i64 = 740;
/// The most writes of a commit that books, of the hundred that a commit can hold.
const MOST_WRITES: usize = 80;

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
        commit: Commit,
        visit: &Visit,
        policy: &Policy,
    ) -> Result<Commit, Problem> {
        let people = self.records();
        let sheets = Sheets::of(context, &people, &visit.busy(true).months(buffer(policy))).await?;
        self.taken(commit, sheets, visit, policy)
    }

    /// Gives the time back that was taken up for a visit as it `was`, and takes up what it needs as it is `next`, or
    /// what another visit in its place needs: both at once, so that the two may overlap.
    ///
    /// # Errors
    /// As [`Both::book`].
    pub(crate) async fn rebook(
        &self,
        context: &Context,
        commit: Commit,
        was: &Visit,
        next: &Visit,
        policy: &Policy,
    ) -> Result<Commit, Problem> {
        let people = self.records().union(&was.booked_for).copied().collect();
        let mut months = was.busy(true).months_around();
        months.extend(next.busy(true).months(buffer(policy)));
        let mut sheets = Sheets::of(context, &people, &months).await?;
        sheets.free(was.id);
        self.taken(commit, sheets, next, policy)
    }

    fn taken(
        &self,
        commit: Commit,
        mut sheets: Sheets,
        visit: &Visit,
        policy: &Policy,
    ) -> Result<Commit, Problem> {
        for (side, people) in self.sides() {
            let busy = visit.busy(side == Side::Worker);
            let booked = sheets.book(people, busy, buffer(policy));
            booked.map_err(|overlap| not_free(side, overlap))?;
        }
        Ok(sheets.written(commit))
    }

    /// Takes up the time of both for all visits of a series.
    ///
    /// # Errors
    /// 409 `client-not-free` or `support-worker-not-free`, with the dates; 409 `series-too-long` where there are more
    /// sheets than one commit can write.
    pub(crate) async fn book_series(
        &self,
        context: &Context,
        commit: Commit,
        series: &Series,
        occurrences: &[Occurrence],
        policy: &Policy,
    ) -> Result<Commit, Problem> {
        let buffer = buffer(policy);
        let all = series.busy(occurrences, true);
        let months: Vec<Month> = all.iter().flat_map(|busy| busy.months(buffer)).collect();
        let mut sheets = Sheets::of(context, &self.records(), &months).await?;
        for (side, people) in self.sides() {
            let busy = series.busy(occurrences, side == Side::Worker);
            let mut refused = Vec::new();
            for (busy, occurrence) in busy.into_iter().zip(occurrences) {
                if let Err(overlap) = sheets.book(people, busy, buffer) {
                    refused.push((overlap, occurrence.starts.date().to_string()));
                }
            }
            let dates: Vec<String> = refused.iter().map(|(_, date)| date.clone()).collect();
            if let Some((overlap, _)) = refused.first() {
                let words = dates.join(", ");
                let detail = format!("{overlap}: {words}");
                return Err(not_free(side, *overlap).detail(detail).with("dates", dates));
            }
        }
        let commit = sheets.written(commit);
        if MOST_WRITES < commit.len() {
            let title = "The series is too long to be booked at once";
            let detail = "it lies in more months, of more records that were merged into one of the two, than can be \
                          written at once; propose a shorter one";
            let problem = Problem::new(StatusCode::CONFLICT, "series-too-long", title);
            return Err(problem.detail(detail));
        }
        Ok(commit)
    }

    /// Each side, with the records of its person.
    fn sides(&self) -> [(Side, &[PersonId]); 2] {
        let [client, worker] = &self.records;
        [(Side::Client, client), (Side::Worker, worker)]
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

/// What is kept free for journeys.
fn buffer(policy: &Policy) -> TimeDelta {
    TimeDelta::minutes(i64::from(policy.travel_buffer_minutes))
}

/// The sheets of some people in some months, as they are to be: each is written once, however much changes on it.
struct Sheets {
    were: Vec<Versioned<BusySheet>>,
    next: BTreeMap<(PersonId, Month), BusySheet>,
}

impl Sheets {
    async fn of(
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
    fn book(&mut self, people: &[PersonId], busy: Busy, buffer: TimeDelta) -> Result<(), Overlap> {
        for (person, month) in each(people, &busy.months(buffer)) {
            let sheet = self.next.entry((person, month));
            let sheet = sheet.or_insert_with(|| BusySheet::empty(person, month));
            *sheet = sheet.book(busy, buffer)?;
        }
        Ok(())
    }

    /// Gives everybody's time back that is taken up for a visit.
    fn free(&mut self, visit: VisitId) {
        for sheet in self.next.values_mut() {
            if let Some(freed) = sheet.free(visit) {
                *sheet = freed;
            }
        }
    }

    /// Writes those that have changed.
    fn written(self, mut commit: Commit) -> Commit {
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
        let buffer = buffer(policy);
        let [_, worker] = &self.records;
        let sheets = sheets(context, worker, &busy.months(buffer)).await?;
        let free = |sheet: &Versioned<BusySheet>| sheet.value.book(busy, buffer).is_ok();
        Ok(sheets.iter().all(free))
    }
}
