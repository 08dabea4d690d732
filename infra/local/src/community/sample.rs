//! What stands in `samples/`.
//!
//! Times are days from the start of the table, so that the samples never grow old.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveDate, Utc};
use domain::access::{Scope, StaffRole};
use domain::availability::{HalfHour, RequestedDay, Weekday};
use domain::check::CheckKind;
use domain::funding::{SchemeCode, SchemeRules};
use domain::id::{ClientId, WorkerId};
use domain::match_request::{Budget, CareNeeds, MatchRequestDetails, Period, Preference};
use domain::membership::MembershipTerms;
use domain::money::Cents;
use domain::partner::Partner;
use domain::place::Place;
use domain::profile::{Boundaries, Training};
use domain::support_worker::{Reliability, WorkerState};
use domain::vocabulary::{
    Certification, Condition, Culture, Expertise, Gender, Interest, Language, Service, Skill,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::sample_id;

/// Everything in `samples/` that a table starts with.
#[derive(Debug)]
pub struct Samples {
    pub(super) places: BTreeMap<String, Place>,
    pub(super) plans: Vec<SamplePlan>,
    pub(super) schemes: Vec<SampleScheme>,
    pub(super) partners: Vec<Partner>,
    pub(super) staff: Vec<SampleStaff>,
    pub(super) clients: Vec<SampleClient>,
    pub(super) workers: Vec<SampleWorker>,
}

/// A file of the samples that is not as it should be.
#[derive(Debug, thiserror::Error)]
#[error("samples/{file}: {source}")]
pub struct ReadSamplesError {
    file: &'static str,
    source: serde_json::Error,
}

/// A sample client or support worker.
#[derive(Debug, Clone)]
pub struct KnownSample<'a> {
    person: &'a SamplePerson,
    /// `clt_…` or `wrk_…`.
    pub id: String,
}

impl KnownSample<'_> {
    /// The subject of their tokens.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.person.subject
    }

    /// Their given name.
    #[must_use]
    pub fn given(&self) -> &str {
        &self.person.given
    }
}

impl Samples {
    /// Every sample client and support worker, by the id that they have in every table.
    pub fn known(&self) -> impl Iterator<Item = KnownSample<'_>> {
        let known = |person, id| KnownSample { person, id };
        let clients = self.clients.iter().map(move |client| {
            let id: ClientId = sample_id(&client.person.subject);
            known(&client.person, id.to_string())
        });
        let workers = self.workers.iter().map(move |worker| {
            let id: WorkerId = sample_id(&worker.person.subject);
            known(&worker.person, id.to_string())
        });
        clients.chain(workers)
    }

    /// Reads the samples that this program was built with.
    ///
    /// # Errors
    /// A file that is not as it should be.
    pub fn read() -> Result<Self, ReadSamplesError> {
        let cities: Vec<City> = read(
            "places.json",
            include_str!("../../../../samples/places.json"),
        )?;
        Ok(Self {
            places: cities.into_iter().flat_map(City::places).collect(),
            plans: read(
                "membership-plans.json",
                include_str!("../../../../samples/membership-plans.json"),
            )?,
            schemes: read(
                "funding-schemes.json",
                include_str!("../../../../samples/funding-schemes.json"),
            )?,
            partners: read(
                "partners.json",
                include_str!("../../../../samples/partners.json"),
            )?,
            staff: read("staff.json", include_str!("../../../../samples/staff.json"))?,
            clients: read(
                "clients.json",
                include_str!("../../../../samples/clients.json"),
            )?,
            workers: read(
                "support-workers.json",
                include_str!("../../../../samples/support-workers.json"),
            )?,
        })
    }

    /// Every subject that the local issuer's tokens can be for.
    pub fn subjects(&self) -> impl Iterator<Item = &str> {
        self.people().map(|person| person.subject.as_str())
    }

    /// What this client would ask for from `now` on, where the samples say so.
    #[must_use]
    pub fn match_request(&self, subject: &str, now: DateTime<Utc>) -> Option<MatchRequestDetails> {
        let client = self
            .clients
            .iter()
            .find(|client| client.person.subject == subject)?;
        let place = self.places.get(&client.suburb)?;
        Some(client.match_request.as_ref()?.details(place, now))
    }

    pub(super) fn people(&self) -> impl Iterator<Item = &SamplePerson> {
        let staff = self.staff.iter().map(|staff| &staff.person);
        let clients = self.clients.iter().map(|client| &client.person);
        let representatives = self
            .clients
            .iter()
            .filter_map(|client| Some(&client.representative.as_ref()?.person));
        let workers = self.workers.iter().map(|worker| &worker.person);
        staff.chain(clients).chain(representatives).chain(workers)
    }
}

fn read<T: DeserializeOwned>(file: &'static str, text: &str) -> Result<T, ReadSamplesError> {
    serde_json::from_str(text).map_err(|source| ReadSamplesError { file, source })
}

/// A city and its suburbs, by whose names the other samples refer to them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct City {
    #[serde(rename = "city")]
    _name: String,
    time_zone: String,
    suburbs: Vec<Suburb>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Suburb {
    suburb: String,
    postcode: String,
    latitude: f64,
    longitude: f64,
}

impl City {
    fn places(self) -> impl Iterator<Item = (String, Place)> {
        self.suburbs.into_iter().map(move |found| {
            let place = Place {
                suburb: found.suburb.clone(),
                postcode: found.postcode,
                latitude: found.latitude,
                longitude: found.longitude,
                time_zone: self.time_zone.clone(),
            };
            (found.suburb, place)
        })
    }
}

/// A human being.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SamplePerson {
    /// The subject of their tokens, and their name among the samples.
    pub(super) subject: String,
    pub(super) given: String,
    pub(super) family: String,
    pub(super) email: String,
    pub(super) phone: String,
    #[serde(default)]
    pub(super) birth_date: Option<NaiveDate>,
    #[serde(default)]
    pub(super) address: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SamplePlan {
    /// What clients' entries call it.
    pub(super) key: String,
    pub(super) terms: MembershipTerms,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SampleScheme {
    /// What clients' entries call it, too.
    pub(super) code: SchemeCode,
    pub(super) rules: SchemeRules,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SampleStaff {
    pub(super) person: SamplePerson,
    pub(super) roles: BTreeSet<StaffRole>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SampleClient {
    pub(super) person: SamplePerson,
    pub(super) suburb: String,
    pub(super) membership_plan: String,
    /// The scheme that pays for their support; none where they pay themselves.
    #[serde(default)]
    pub(super) funding: Option<SchemeCode>,
    #[serde(default)]
    pub(super) representative: Option<SampleRepresentative>,
    #[serde(default)]
    pub(super) match_request: Option<SampleMatchRequest>,
}

/// Somebody whose authority staff have verified.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SampleRepresentative {
    pub(super) person: SamplePerson,
    pub(super) guardian: bool,
    pub(super) scopes: BTreeSet<Scope>,
}

/// What a client would ask for, where they live.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleMatchRequest {
    services: Vec<Service>,
    days: Vec<RequestedDay>,
    care_needs: CareNeeds,
    about_me: String,
    #[serde(default)]
    preferences: Vec<Preference>,
    #[serde(default)]
    certifications: Vec<Certification>,
    budget: Budget,
    starts_in_days: u64,
    #[serde(default)]
    lasts_days: Option<u64>,
}

impl SampleMatchRequest {
    fn details(&self, place: &Place, now: DateTime<Utc>) -> MatchRequestDetails {
        let from = place.today(now) + Days::new(self.starts_in_days);
        MatchRequestDetails {
            services: self.services.clone(),
            days: self.days.clone(),
            care_needs: self.care_needs.clone(),
            about_me: self.about_me.clone(),
            preferences: self.preferences.clone(),
            certifications: self.certifications.clone(),
            budget: self.budget,
            place: place.clone(),
            period: Period {
                from,
                until: self.lasts_days.map(|days| from + Days::new(days)),
            },
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SampleWorker {
    pub(super) person: SamplePerson,
    /// Where they are to stand once everything else has happened.
    #[serde(default = "active")]
    pub(super) standing: WorkerState,
    pub(super) joined_days_ago: u64,
    pub(super) suburb: String,
    pub(super) radius_km: u16,
    #[serde(default)]
    pub(super) gender: Option<Gender>,
    #[serde(default)]
    pub(super) introduction: String,
    #[serde(default = "yes")]
    pub(super) introduction_approved: bool,
    /// What an hour costs, in cents.
    #[serde(default)]
    pub(super) services: BTreeMap<Service, Cents>,
    pub(super) skills: Vec<Skill>,
    pub(super) conditions: BTreeMap<Condition, Expertise>,
    pub(super) languages: Vec<Language>,
    #[serde(default)]
    pub(super) cultures: Vec<Culture>,
    pub(super) interests: Vec<Interest>,
    #[serde(default)]
    pub(super) boundaries: Boundaries,
    #[serde(default)]
    pub(super) hours: Vec<SampleHours>,
    #[serde(default)]
    pub(super) hours_wanted: Option<u16>,
    /// The first and last day of a holiday.
    #[serde(default)]
    pub(super) away_in_days: Option<(u64, u64)>,
    pub(super) independent_since: NaiveDate,
    #[serde(default)]
    pub(super) earlier_work: Vec<SampleWork>,
    #[serde(default)]
    pub(super) training: Vec<Training>,
    /// Certificates held, and the days for which they still hold; none for good.
    #[serde(default)]
    pub(super) certifications: BTreeMap<Certification, Option<u64>>,
    /// Days for which a check still holds, below zero if it has expired; those not named do not expire.
    #[serde(default)]
    pub(super) checks: BTreeMap<CheckKind, i64>,
    /// What staff have yet to look at.
    #[serde(default)]
    pub(super) unchecked: BTreeSet<CheckKind>,
    #[serde(default)]
    pub(super) reliability: Reliability,
}

/// The same hours on several days of the week.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SampleHours {
    pub(super) days: Vec<Weekday>,
    pub(super) from: HalfHour,
    pub(super) until: HalfHour,
}

/// Work before they became independent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SampleWork {
    pub(super) role: String,
    pub(super) organisation: String,
    pub(super) from: NaiveDate,
    pub(super) until: NaiveDate,
    #[serde(default = "yes")]
    pub(super) support_work: bool,
}

const fn active() -> WorkerState {
    WorkerState::Active
}

const fn yes() -> bool {
    true
}
