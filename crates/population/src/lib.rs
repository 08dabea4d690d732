//! Believable support workers and match requests from a seed, as many as are wanted.
//!
//! Nobody here exists: places, people and texts are invented. They are made to be like those of a real service in what
//! matching works with: they crowd in cities and thin out beyond them, skills, languages and interests are skewed, what
//! goes together in life goes together here (nurses hold nursing certificates and offer nursing), hours overlap, checks
//! and certificates run out. Everybody is computed from the seed and their number alone, so that any of them can be
//! made again without the others.
//!
//! The same seed gives the same people for as long as `rand`'s standard generator stays what it is: it may change with
//! a new version of that crate, and the population with it. Places are worked out in floating point and rounded to a
//! thousandth of a degree: another platform's arithmetic may move somebody by as much.

mod calling;
mod chance;
mod interests;
mod places;
mod request;
mod texts;
mod worker;

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use domain::eligibility::Relations;
use domain::id::{Id, Kind, MatchRequestId, PersonId, WorkerId};
use domain::match_request::MatchRequestDetails;
use domain::support_worker::SupportWorker;
use uuid::Builder;

use chance::{Chance, Stream};
pub use places::Layout;
use places::Places;

/// The instant at which the population is looked at: checks, absences and requests lie around it.
const NOW: DateTime<Utc> = match DateTime::from_timestamp(1_795_615_200, 0) {
    Some(now) => now,
    None => DateTime::UNIX_EPOCH,
};

/// Support workers and match requests of an invented world.
#[derive(Debug, Clone)]
pub struct Population {
    seed: u64,
    workers: u64,
    places: Places,
}

impl Population {
    /// So many support workers in places laid out like this. The more there are in the same layout, the denser they
    /// live; the same number of them for each region keeps the density.
    #[must_use]
    pub fn new(seed: u64, workers: u64, layout: Layout) -> Self {
        Self {
            seed,
            workers,
            places: Places::new(seed, layout),
        }
    }

    /// How many support workers there are, numbered from 0.
    #[must_use]
    pub const fn workers(&self) -> u64 {
        self.workers
    }

    /// The instant at which to look at the population.
    #[must_use]
    pub const fn now(&self) -> DateTime<Utc> {
        NOW
    }

    /// Support worker `number`, active and with every check verified. Those beyond the last can be made too; they
    /// are nobody's.
    #[must_use]
    pub fn worker(&self, number: u64) -> SupportWorker {
        let mut chance = Chance::new(self.seed, Stream::Worker, number);
        let (id, person) = ids(&mut chance);
        worker::make(&mut chance, &self.places, id, person)
    }

    /// What request `number` asks for. They are without end.
    #[must_use]
    pub fn request(&self, number: u64) -> MatchRequestDetails {
        let mut chance = Chance::new(self.seed, Stream::Request, number);
        request::make(&mut chance, &self.places)
    }

    /// The id that request `number` goes by: it decides ties.
    #[must_use]
    pub fn request_id(&self, number: u64) -> MatchRequestId {
        fresh(&mut Chance::new(self.seed, Stream::RequestId, number))
    }

    /// Who stands where to the client of request `number`: in one of four there is somebody whom they have blocked,
    /// are blocked by, or know already, as a rule from their own region.
    #[must_use]
    pub fn relations(&self, number: u64) -> Relations {
        let mut chance = Chance::new(self.seed, Stream::Relations, number);
        let client: PersonId = fresh(&mut chance);
        let mut relations = Relations {
            own: BTreeSet::from([client]),
            blocked: BTreeSet::new(),
            known: BTreeSet::new(),
        };
        if self.workers == 0 || !chance.percent(25) {
            return relations;
        }
        let here = self.request(number).place.position();
        let mut left = 6;
        for _ in 0..200 {
            let worker = self.standing(chance.below(self.workers));
            if !worker.position.reaches(here, 40) {
                continue;
            }
            match left {
                0 => break,
                // Somebody may be a client and a support worker at once.
                6 => relations.own.insert(worker.person),
                4..6 => relations.blocked.insert(worker.id),
                _ => relations.known.insert(worker.id),
            };
            left -= 1;
        }
        relations
    }

    /// Who a support worker is and where they set out from, without making the rest of them.
    fn standing(&self, number: u64) -> Standing {
        let mut chance = Chance::new(self.seed, Stream::Worker, number);
        let (id, person) = ids(&mut chance);
        let spot = self.places.somewhere(&mut chance);
        Standing {
            id,
            person,
            position: spot.place.position(),
        }
    }
}

struct Standing {
    id: WorkerId,
    person: PersonId,
    position: domain::place::Position,
}

/// INVARIANT: drawn before all else of a support worker, and where they live right after; `standing` relies on it.
fn ids(chance: &mut Chance) -> (WorkerId, PersonId) {
    (fresh(chance), fresh(chance))
}

/// An id as if it had been made within the last three years.
fn fresh<K: Kind>(chance: &mut Chance) -> Id<K> {
    let ago = chance.below(3 * 365 * 86_400_000);
    let millis = u64::try_from(NOW.timestamp_millis()).unwrap_or(0) - ago;
    Id::from_uuid(Builder::from_unix_timestamp_millis(millis, &chance.bytes()).into_uuid())
}

/// The date of [`NOW`] in Greenwich; nobody is more than a day off.
fn today() -> NaiveDate {
    NOW.date_naive()
}

#[cfg(test)]
mod tests;
