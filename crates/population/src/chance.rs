//! Chance that replays.

use chrono::{Days, NaiveDate};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

/// What is drawn for: the same number means something else in each.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stream {
    Region = 1,
    Worker = 2,
    Request = 3,
    RequestId = 4,
    Relations = 5,
}

/// A source of chance of its own for everything that is made.
pub(crate) struct Chance(StdRng);

impl Chance {
    pub(crate) fn new(seed: u64, stream: Stream, number: u64) -> Self {
        let mut key = [0; 32];
        let parts = [seed, stream as u64, number];
        for (part, bytes) in parts.iter().zip(key.chunks_exact_mut(8)) {
            bytes.copy_from_slice(&part.to_le_bytes());
        }
        Self(StdRng::from_seed(key))
    }

    /// 0 up to, and without, `bound`; 0 where that is nothing.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0.random_range(0..bound.max(1))
    }

    /// From `least` to `most`, both included.
    pub(crate) fn between(&mut self, least: u32, most: u32) -> u32 {
        self.0.random_range(least..=most.max(least))
    }

    /// Yes in so many of a hundred.
    pub(crate) fn percent(&mut self, yes: u32) -> bool {
        self.0.random_range(0..100) < yes
    }

    /// Any of 0 to 1.
    pub(crate) fn share(&mut self) -> f64 {
        self.0.random()
    }

    pub(crate) fn bytes(&mut self) -> [u8; 10] {
        let mut bytes = [0; 10];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// Around 0, mostly within 1 and never beyond 6: the bell that twelve draws add up to.
    pub(crate) fn bell(&mut self) -> f64 {
        let sum: f64 = (0..12).map(|_| self.share()).sum();
        sum - 6.0
    }

    /// 0 up to, and without, `bound`, the first the most often: each about half as often as the one at half its place.
    pub(crate) fn skewed(&mut self, bound: usize) -> usize {
        let log = (bound as f64 + 1.0).ln() * self.share();
        (log.exp() as usize)
            .saturating_sub(1)
            .min(bound.saturating_sub(1))
    }

    /// Any of these.
    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        let at = usize::try_from(self.below(of.len() as u64)).ok()?;
        of.get(at).copied()
    }

    /// The first of these the most often.
    pub(crate) fn pick_skewed<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        of.get(self.skewed(of.len())).copied()
    }

    /// Each of these in so many of a hundred.
    pub(crate) fn some<'a, T: Copy>(
        &'a mut self,
        of: &'a [T],
        percent: u32,
    ) -> impl Iterator<Item = T> + 'a {
        of.iter().copied().filter(move |_| self.percent(percent))
    }

    /// A few different ones, the first the most often. Fewer where the draws fall together.
    pub(crate) fn few<T: Copy + PartialEq>(&mut self, of: &[T], count: u32) -> Vec<T> {
        let mut few = vec![];
        for _ in 0..count {
            match self.pick_skewed(of) {
                Some(word) if !few.contains(&word) => few.push(word),
                _ => {}
            }
        }
        few
    }

    /// The place in a list of weights, each as often as it weighs.
    pub(crate) fn weighed(&mut self, weights: impl Iterator<Item = u32> + Clone) -> usize {
        let sum: u32 = weights.clone().sum();
        let mut left = self.between(1, sum.max(1));
        for (place, weight) in weights.enumerate() {
            if left <= weight {
                return place;
            }
            left -= weight;
        }
        0
    }

    /// So many days after `date`, from `least` to `most`.
    pub(crate) fn days_after(&mut self, date: NaiveDate, least: u32, most: u32) -> NaiveDate {
        let days = Days::new(u64::from(self.between(least, most)));
        date.checked_add_days(days).unwrap_or(date)
    }

    /// So many days before `date`, from `least` to `most`.
    pub(crate) fn days_before(&mut self, date: NaiveDate, least: u32, most: u32) -> NaiveDate {
        let days = Days::new(u64::from(self.between(least, most)));
        date.checked_sub_days(days).unwrap_or(date)
    }
}
