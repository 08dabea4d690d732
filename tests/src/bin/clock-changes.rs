//! What becomes of every local minute around nights in which clocks change: proposed, booked, shown, mailed and put
//! into a calendar. Written down for another implementation to hold against its own; see `tests/calendars/agree.py`.

#![allow(
    clippy::unwrap_used,
    reason = "a measurement that cannot go on says so by panicking"
)]

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use clap::Parser;
use domain::access::Acting;
use domain::calendar;
use domain::engagement::Engagement;
use domain::id::{Id, Kind};
use domain::money::Cents;
use domain::policy::Policy;
use domain::proposal::{Conditions, Proposal, ProposeVisitError};
use domain::terms::{AgreedTerms, BandRate, ServiceRates, Terms, TimeBand};
use domain::visit::{Booking, Visit, VisitDetails, VisitPlace};
use domain::vocabulary::{Service, Vocabulary};
use serde_json::{Value, json};

/// Where clocks change, and when: by the clock before the change. Brisbane's do not, in nights in which Sydney's do.
const CHANGES: [(&str, [&str; 2]); 5] = [
    (
        "Australia/Sydney",
        ["2026-10-04T02:00:00", "2027-04-04T03:00:00"],
    ),
    (
        "Australia/Lord_Howe",
        ["2026-10-04T02:00:00", "2027-04-04T02:00:00"],
    ),
    (
        "Australia/Brisbane",
        ["2026-10-04T02:00:00", "2027-04-04T03:00:00"],
    ),
    (
        "Europe/London",
        ["2026-03-29T01:00:00", "2026-10-25T02:00:00"],
    ),
    (
        "America/New_York",
        ["2026-03-08T02:00:00", "2026-11-01T02:00:00"],
    ),
];
/// How far around a change every minute is tried, in minutes.
const AROUND: i64 = 48 * 60;
/// Long enough to begin before a change and end after it.
const MINUTES: u32 = 90;

/// Writes down what becomes of every local minute within 48 hours of changes of the clocks in five zones.
#[derive(Parser)]
#[command(
    after_help = "Example:\n  mkdir changes && clock-changes changes && python3 tests/calendars/agree.py changes"
)]
struct Options {
    /// An empty folder: it gets a calendar and a list of minutes for each change.
    folder: PathBuf,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Options { folder } = Options::parse();
    for (zone, changes) in CHANGES {
        for change in changes {
            write(&folder, zone, change.parse()?)?;
        }
    }
    Ok(())
}

/// One calendar, and one line for each minute.
fn write(folder: &Path, zone: &str, change: NaiveDateTime) -> Result<(), Box<dyn Error>> {
    let name = format!("{}-{}", zone.replace('/', "-"), change.date());
    let mut lines = BufWriter::new(File::create(folder.join(format!("{name}.jsonl")))?);
    let mut visits = Vec::new();
    for minute in -AROUND..=AROUND {
        let starts = change + TimeDelta::minutes(minute);
        let booked = booked(visits.len(), zone, starts, change.and_utc());
        let line = match &booked {
            Ok(visit) => shown(visit),
            Err(fault) => json!({"starts": starts, "zone": zone, "fault": fault}),
        };
        writeln!(lines, "{line}")?;
        visits.extend(booked.ok());
    }
    let feed = calendar::of_visits("Visits", "https://app.example", &visits);
    std::fs::write(folder.join(format!("{name}.ics")), feed)?;
    Ok(lines.flush()?)
}

/// A visit as everybody comes to see it.
fn shown(visit: &Visit) -> Value {
    json!({
        "id": visit.id, "starts": visit.details.starts, "zone": visit.details.time_zone, "minutes": MINUTES,
        "stored": [visit.from, visit.until],
        "shown": [visit.details.local(visit.from), visit.details.local(visit.until)],
        "mailed": visit.when()
    })
}

/// The visit that is booked, or what is wrong with its time.
fn booked(
    number: usize,
    zone: &str,
    starts: NaiveDateTime,
    change: DateTime<Utc>,
) -> Result<Visit, String> {
    let now = change - TimeDelta::days(30);
    let details = VisitDetails {
        starts,
        time_zone: zone.to_owned(),
        minutes: MINUTES,
        place: VisitPlace::Home,
        service: Service::SocialSupport,
        notes: String::new(),
        essential: false,
    };
    let policy = Policy::default();
    let under = Conditions {
        policy: &policy,
        holidays: &[],
        cancellation: policy.cancellation,
        away: &[],
    };
    let engagement = engagement(now);
    let by = Acting::by(id(1));
    let proposal = Proposal::propose(id(2), &engagement, details, by, under, now);
    let proposal = proposal.map_err(|refused| match refused {
        ProposeVisitError::Invalid(faults) => {
            let faults = faults.into_iter();
            let faults = faults.map(|fault| format!("{} {}", fault.pointer, fault.detail));
            faults.collect::<Vec<_>>().join("; ")
        }
        other => other.to_string(),
    })?;
    let number = u128::try_from(number).map_err(|error| error.to_string())?;
    let accepted = proposal.accept(1, &engagement, id(number), &[], now);
    let (accepted, terms) = accepted.map_err(|error| error.to_string())?;
    let booking = Booking {
        id: id(number),
        suburb: String::new(),
        acting: by,
        terms,
        booked_for: [by.by].into(),
    };
    Ok(Visit::book(
        &accepted,
        &accepted.current,
        booking,
        &policy,
        now,
    ))
}

/// Two people with a rate for every hour.
fn engagement(now: DateTime<Utc>) -> Engagement {
    let rate = |band: &TimeBand| BandRate {
        band: *band,
        hourly: Cents(6000),
    };
    let mut engagement = Engagement::open(id(3), id(4), id(5), id(6), id(7), now);
    engagement.terms = Some(AgreedTerms {
        offer: id(8),
        version: 1,
        terms: Terms {
            services: vec![ServiceRates {
                service: Service::SocialSupport,
                rates: TimeBand::ALL.iter().map(rate).collect(),
            }],
            minutes_per_week: 240,
            scope: String::new(),
            limits: Vec::new(),
        },
        understandings: Vec::new(),
        service_basis_points: 250,
        agreed_at: now,
    });
    engagement
}

fn id<K: Kind>(number: u128) -> Id<K> {
    format!("{}_{number:032x}", K::PREFIX).parse().unwrap()
}
