//! What is counted.

use std::collections::BTreeMap;
use std::ops::AddAssign;

/// The steps of the nightly rebuild.
const NIGHT: &str = "index-builder: night";

/// The chapter of the story and the operation that something was counted for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The chapter's title; empty for what came before the first one.
    pub chapter: String,
    /// As `GET /v1/clients/{client}` or `expiry: offer-lapse`.
    pub operation: String,
}

/// What was used, of everything that AWS counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counted {
    /// Requests of the API.
    pub requests: u64,
    /// Due rows that were delivered to a consumer.
    pub deliveries: u64,
    /// Calls of the table.
    pub calls: u64,
    /// Halves of a read unit.
    pub half_reads: u64,
    /// Write units of the table.
    pub writes: u64,
    /// Write units of the indexes.
    pub index_writes: u64,
    /// Commits whose due rows the stream hands to `dispatch`.
    pub dispatches: u64,
    /// Due rows that go to their queue at once.
    pub messages: u64,
    /// Due rows that wait in a schedule.
    pub schedules: u64,
    /// Objects put, listed, or put by a link.
    pub puts: u64,
    /// Objects fetched, or fetched by a link.
    pub gets: u64,
    /// Mails sent.
    pub mails: u64,
    /// How many bytes the table holds more than before, with what it adds for each item and index entry.
    pub kept_bytes: i64,
}

impl Counted {
    /// Read units.
    #[must_use]
    pub fn reads(&self) -> f64 {
        self.half_reads as f64 / 2.0
    }

    /// Write units, those of the indexes included.
    #[must_use]
    pub const fn all_writes(&self) -> u64 {
        self.writes + self.index_writes
    }
}

impl AddAssign for Counted {
    fn add_assign(&mut self, more: Self) {
        self.requests += more.requests;
        self.deliveries += more.deliveries;
        self.calls += more.calls;
        self.half_reads += more.half_reads;
        self.writes += more.writes;
        self.index_writes += more.index_writes;
        self.dispatches += more.dispatches;
        self.messages += more.messages;
        self.schedules += more.schedules;
        self.puts += more.puts;
        self.gets += more.gets;
        self.mails += more.mails;
        self.kept_bytes += more.kept_bytes;
    }
}

impl std::iter::Sum for Counted {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |mut sum, more| {
            sum += more;
            sum
        })
    }
}

/// Everything that was counted, by where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally(pub BTreeMap<Place, Counted>);

impl Tally {
    /// By operation.
    #[must_use]
    pub fn by_operation(&self) -> BTreeMap<&str, Counted> {
        let mut sums = BTreeMap::<_, Counted>::new();
        for (place, counted) in &self.0 {
            *sums.entry(place.operation.as_str()).or_default() += *counted;
        }
        sums
    }

    /// By chapter of the story; what came before the first one under an empty title.
    #[must_use]
    pub fn by_chapter(&self) -> BTreeMap<&str, Counted> {
        let mut sums = BTreeMap::<_, Counted>::new();
        for (place, counted) in &self.0 {
            *sums.entry(place.chapter.as_str()).or_default() += *counted;
        }
        sums
    }

    /// What the chapters with these titles took, without the nights that passed in them: how many pass while two people
    /// find each other is no matter of theirs, and a night goes through everybody.
    pub fn of_chapters(&self, titles: &[&str]) -> Counted {
        self.in_chapters(titles).map(|(_, counted)| *counted).sum()
    }

    /// The same, place by place.
    pub fn in_chapters(&self, titles: &[&str]) -> impl Iterator<Item = (&Place, &Counted)> {
        self.0.iter().filter(move |(place, _)| {
            titles.contains(&place.chapter.as_str()) && place.operation != NIGHT
        })
    }

    /// What the tour's nights took.
    #[must_use]
    pub fn of_nights(&self) -> Counted {
        let nights = self.0.iter().filter(|(place, _)| place.operation == NIGHT);
        nights.map(|(_, counted)| *counted).sum()
    }

    /// Everything.
    #[must_use]
    pub fn sum(&self) -> Counted {
        self.0.values().copied().sum()
    }
}
