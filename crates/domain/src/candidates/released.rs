//! The list once the client has seen it: who comes after those who left, and who is known already.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{CandidateList, Difference, ListChange, ListedCandidate, why_barred};
use crate::blind::BlindCandidate;
use crate::eligibility::{Asked, Relations};
use crate::id::{CandidateId, WorkerId};
use crate::support_worker::SupportWorker;

/// Somebody whom the client knows, as a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownCandidate {
    /// The id in this match request alone.
    pub id: CandidateId,
    /// Who it is.
    pub worker: WorkerId,
}

/// Who on a released list can be shown beside those who were, the best first.
#[must_use]
pub fn reserve<'l>(
    list: &'l CandidateList,
    asked: &Asked,
    live: &BTreeMap<WorkerId, SupportWorker>,
    relations: &Relations,
) -> Vec<&'l ListedCandidate> {
    let fresh = list.candidates.iter().filter(|listed| {
        list.shown(listed.id).is_none()
            && list.known.iter().all(|known| known.worker != listed.worker)
    });
    fresh
        .filter(|listed| why_barred(list, listed, asked, live, relations).is_none())
        .collect()
}

impl CandidateList {
    /// Shows the client more candidates behind those shown before. Nothing is shown before release.
    #[must_use]
    pub fn show_also(&self, more: impl IntoIterator<Item = BlindCandidate>) -> Self {
        let mut list = self.clone();
        for blind in more {
            let Some(listed) = self.candidate(blind.candidate) else {
                continue;
            };
            let difference = Difference {
                candidate: listed.id,
                worker: listed.worker,
                change: ListChange::Replacement,
            };
            if let Some(released) = &mut list.released {
                released.candidates.push(blind);
                released.differences.push(difference);
                released.exhausted_at = None;
            }
        }
        list
    }

    /// What the client sees of a candidate since release.
    #[must_use]
    pub fn shown(&self, id: CandidateId) -> Option<&BlindCandidate> {
        let released = self.released.as_ref()?;
        let mut shown = released.candidates.iter();
        shown.find(|candidate| candidate.candidate == id)
    }

    /// The worker behind a candidate who can be invited, blind or known, since release.
    #[must_use]
    pub fn invitable(&self, id: CandidateId) -> Option<WorkerId> {
        let blind = self.shown(id).and_then(|_| self.candidate(id));
        let known = || self.known.iter().find(|known| known.id == id);
        blind
            .map(|blind| blind.worker)
            .or_else(|| known().map(|known| known.worker))
    }

    /// Gives somebody whom the client knows an id on this list; the one they have, where they have one.
    #[must_use]
    pub fn with_known(&self, known: KnownCandidate) -> (Self, CandidateId) {
        let mut list = self.clone();
        if let Some(there) = self.known.iter().find(|there| there.worker == known.worker) {
            return (list, there.id);
        }
        list.known.push(known);
        (list, known.id)
    }

    /// Marks since when nobody is left, or that somebody is.
    #[must_use]
    pub fn with_exhausted_at(&self, at: Option<DateTime<Utc>>) -> Self {
        let mut list = self.clone();
        if let Some(released) = &mut list.released {
            released.exhausted_at = at;
        }
        list
    }
}
