//! Interests, the most widespread first.

use domain::vocabulary::{Interest, Vocabulary};

use crate::chance::Chance;

/// A few interests as somebody has them: many share the widespread ones.
pub(crate) fn few(chance: &mut Chance, count: u32) -> Vec<Interest> {
    let mut few = vec![];
    for _ in 0..count {
        match one(chance) {
            Some(interest) if !few.contains(&interest) => few.push(interest),
            _ => {}
        }
    }
    few
}

/// The table lists kindred ones side by side; how widespread they are goes across it, by a step that meets each once.
fn one(chance: &mut Chance) -> Option<Interest> {
    const STEP: usize = 37;
    let at = chance.skewed(Interest::ALL.len()) * STEP % Interest::ALL.len();
    Interest::ALL.get(at).copied()
}
