//! Booking people's time: the two of an engagement as they stand now, and the busy sheets on which they are taken.

mod sheets;

pub(crate) use sheets::{
    FARTHEST_DAYS, bookings, free, free_all, free_unmade, part, sheets, sheets_ahead,
};

use std::collections::BTreeSet;

use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use domain::client::Client;
use domain::eligibility::Visited;
use domain::engagement::{Engagement, Side};
use domain::id::PersonId;
use domain::match_request::MatchRequest;
use domain::pair::Pair;
use domain::person::Person;
use domain::policy::Policy;
use domain::recurrence::Occurrence;
use domain::schedule::{Busy, BusySheet, Month, Overlap};
use domain::series::Series;
use domain::support_worker::SupportWorker;
use domain::visit::{Visit, VisitDetails, VisitPlace};
use store::{Commit, Key, StoreError, Versioned};

use crate::closing::closed_with_first_visit;
use crate::context::Context;
use crate::problem::Problem;

use self::sheets::Sheets;

/// How many merged records of one person are looked at: each has sheets of its own, which a booking writes.
const MOST_RECORDS: usize = 15;
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

/// What is kept free for journeys.
fn buffer(policy: &Policy) -> TimeDelta {
    TimeDelta::minutes(i64::from(policy.travel_buffer_minutes))
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

/// Whose time it is, and why it cannot be had; which other visit it is stays between that one's people.
fn not_free(side: Side, overlap: Overlap) -> Problem {
    let kind = match side {
        Side::Client => "client-not-free",
        Side::Worker => "support-worker-not-free",
    };
    Problem::wrong_state(kind, overlap)
}
