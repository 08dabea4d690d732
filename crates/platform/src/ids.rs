//! Fresh ids and random bytes, from one source that a seed can replay.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use domain::id::Id;
use rand::rngs::{StdRng, SysError, SysRng};
use rand::{Rng, SeedableRng};
use uuid::Builder;

use crate::clock::SharedClock;

/// Makes ids: the clock's milliseconds, then random bytes (UUIDv7).
///
/// The generator is a cryptographic one either way; only where its seed comes from differs.
pub struct IdSource {
    clock: SharedClock,
    generator: Mutex<StdRng>,
}

impl IdSource {
    /// Seeded by the operating system, once: nothing can fail later, inside a request.
    ///
    /// # Errors
    /// The operating system has no randomness to give.
    pub fn from_os(clock: SharedClock) -> Result<Self, SysError> {
        let generator = StdRng::try_from_rng(&mut SysRng)?;
        Ok(Self::with(clock, generator))
    }

    /// The same ids on every run: for simulations and tests, where nobody has to be kept from guessing.
    #[must_use]
    pub fn seeded(clock: SharedClock, seed: u64) -> Self {
        Self::with(clock, StdRng::seed_from_u64(seed))
    }

    fn with(clock: SharedClock, generator: StdRng) -> Self {
        Self {
            clock,
            generator: Mutex::new(generator),
        }
    }

    /// An id nobody has had before.
    #[must_use]
    pub fn fresh<K>(&self) -> Id<K> {
        // Before 1970 there is no UUIDv7; a clock that wrong still must not take a request down.
        let millis = u64::try_from(self.clock.now().timestamp_millis()).unwrap_or(0);
        let uuid = Builder::from_unix_timestamp_millis(millis, &self.random_bytes()).into_uuid();
        Id::from_uuid(uuid)
    }

    /// Unguessable bytes, for nonces.
    #[must_use]
    pub fn random_bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.generator
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fill_bytes(&mut bytes);
        bytes
    }
}

impl fmt::Debug for IdSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the generator: its state foretells every id.
        f.debug_struct("IdSource").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Arc;

    use chrono::{DateTime, TimeDelta, Utc};
    use domain::id::{ClientKind, PersonId};

    use super::*;
    use crate::clock::ManualClock;

    fn clock() -> Arc<ManualClock> {
        let start = DateTime::<Utc>::from_timestamp_millis(1_800_000_000_123).unwrap();
        Arc::new(ManualClock::new(start))
    }

    #[test]
    fn a_seed_replays_its_ids_and_another_does_not() {
        let ids = |seed| -> Vec<PersonId> {
            let source = IdSource::seeded(clock(), seed);
            (0..50).map(|_| source.fresh()).collect()
        };
        assert_eq!(ids(7), ids(7));
        assert_ne!(ids(7), ids(8));
    }

    #[test]
    fn ids_carry_the_clocks_milliseconds_and_sort_by_them() {
        let clock = clock();
        let source = IdSource::from_os(clock.clone()).unwrap();
        let first: PersonId = source.fresh();
        assert_eq!(first.uuid().get_version_num(), 7);
        assert_eq!(
            first.uuid().get_timestamp().unwrap().to_unix(),
            (1_800_000_000, 123_000_000)
        );
        clock.advance(TimeDelta::milliseconds(1));
        assert!(source.fresh() > first);
    }

    #[test]
    fn ids_made_in_one_millisecond_differ() {
        let source = IdSource::from_os(clock()).unwrap();
        let ids: HashSet<_> = (0..10_000).map(|_| source.fresh::<ClientKind>()).collect();
        assert_eq!(ids.len(), 10_000);
    }
}
