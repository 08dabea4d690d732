//! What the client is told where few were found.

use domain::blind::{BlindRelaxation, BlindRemoval, what_removes, what_would_bring};
use domain::candidates::CandidateList;
use serde::Serialize;
use utoipa::ToSchema;

/// Where fewer could be shown than there are places: what the client is told, so that they can ask for something
/// else. Small numbers are left out.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct ToldView {
    /// What stood in the way of more.
    stood_in_the_way: Vec<BlindRemoval>,
    /// What asking differently would bring, the most first. Numbers are whole fives.
    would_bring_more: Vec<BlindRelaxation>,
}

impl ToldView {
    /// What is told with a list on which so many are shown.
    #[must_use]
    pub fn of(list: &CandidateList, shown: usize) -> Self {
        if shown >= usize::from(list.shortlist) {
            return Self::default();
        }
        let told = &list.misses.told;
        Self {
            stood_in_the_way: what_removes(told),
            would_bring_more: what_would_bring(told),
        }
    }
}
