//! A support worker as matching sees them: what the index holds of each, and nothing else.

use chrono::{NaiveDate, TimeDelta};
use serde::{Deserialize, Serialize};

use crate::availability::{Exception, Week};
use crate::check::CheckKind;
use crate::id::{PersonId, WorkerId};
use crate::money::Cents;
use crate::place::{Cell, Position, cover};
use crate::profile::{OfferedService, WorkEntry};
use crate::support_worker::{HeldCertification, Reliability, SupportWorker, WorkerState};
use crate::vocabulary::{
    CareLevel, Condition, Expertise, Gender, Service, Vocabulary, mask, wide_mask,
};
use crate::words;

/// The packed profile: stored under every cell that the service area touches, and what shards are built from.
///
/// Holds no name, no contact, and of free text only the stems of the introduction that staff have approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexRecord {
    /// Who.
    pub worker: WorkerId,
    /// The person behind it, since nobody is matched with themselves.
    pub person: PersonId,
    /// Where they set out from.
    pub position: Position,
    /// How far they travel, in kilometres.
    pub radius_km: u16,
    /// Services and their rates, in the order of the vocabulary, which takes the least room.
    pub services: Vec<OfferedService>,
    /// Mask of skills.
    pub skills: u64,
    /// Masks of the conditions known at least so well, from awareness to specialisation.
    pub conditions: [u64; 4],
    /// Mask of languages.
    pub languages: u64,
    /// Mask of cultures.
    pub cultures: u64,
    /// Mask of interests.
    pub interests: [u64; 3],
    /// Gender, as stated.
    pub gender: Gender,
    /// Certificates that staff have seen.
    pub certifications: Vec<HeldCertification>,
    /// Mask of tasks not accepted.
    pub declined_tasks: u64,
    /// Mask of hazards not accepted.
    pub declined_hazards: u64,
    /// The highest level of care accepted.
    pub highest_care_level: CareLevel,
    /// The usual week.
    pub week: Week,
    /// Dated departures from it.
    pub exceptions: Vec<Exception>,
    /// Hours of support a week still wanted.
    pub hours_wanted: u16,
    /// The last day on which every check holds; none where none expires.
    pub checks_until: Option<NaiveDate>,
    /// Days of support work in jobs that have ended and do not overlap the present one.
    pub worked_days: u32,
    /// Since when they have been in support work without a break, if they are.
    pub working_since: Option<NaiveDate>,
    /// How they have done so far.
    pub reliability: Reliability,
    /// Stems of the approved introduction, in order. None in rows that were written before they were kept.
    #[serde(default)]
    pub words: Vec<String>,
}

impl IndexRecord {
    /// What the index holds of this support worker: nothing unless they are active.
    #[must_use]
    pub fn of(worker: &SupportWorker) -> Option<Self> {
        match worker.state {
            WorkerState::Active => Self::facts(worker),
            WorkerState::Draft
            | WorkerState::Submitted
            | WorkerState::Paused
            | WorkerState::Suspended => None,
        }
    }

    /// The same of a support worker in any state, to explain why they are not matched.
    /// None while they have not said where they work.
    #[must_use]
    pub fn facts(worker: &SupportWorker) -> Option<Self> {
        let profile = &worker.profile;
        let area = profile.service_area.as_ref()?;
        let (worked_days, working_since) = experience(&profile.work_history);
        Some(Self {
            worker: worker.id,
            person: worker.person,
            position: area.base.position(),
            radius_km: area.radius_km,
            services: in_order(&profile.services),
            skills: mask(profile.skills.iter().copied()),
            conditions: expertise(worker),
            languages: mask(profile.languages.iter().copied()),
            cultures: mask(profile.cultures.iter().copied()),
            interests: wide_mask(profile.interests.iter().copied()),
            gender: profile.gender.unwrap_or(Gender::Unstated),
            certifications: worker.proven.certifications.clone(),
            declined_tasks: mask(profile.boundaries.tasks.iter().copied()),
            declined_hazards: mask(profile.boundaries.hazards.iter().copied()),
            highest_care_level: profile
                .boundaries
                .highest_care_level
                .unwrap_or(CareLevel::Complex),
            week: profile.availability.week(),
            exceptions: profile.availability.exceptions.clone(),
            hours_wanted: profile.hours_wanted.unwrap_or(0),
            checks_until: checks_until(worker),
            worked_days,
            working_since,
            reliability: worker.reliability,
            words: worker
                .introduction_approved
                .as_deref()
                .map(words::stems)
                .unwrap_or_default(),
        })
    }

    /// Mask of the services offered.
    #[must_use]
    pub fn service_mask(&self) -> u64 {
        mask(self.services.iter().map(|offered| offered.service))
    }

    /// What an hour of a service costs.
    #[must_use]
    pub fn rate(&self, service: Service) -> Option<Cents> {
        self.services
            .iter()
            .find(|offered| offered.service == service)
            .map(|offered| offered.hourly_rate)
    }

    /// Mask of the certificates that hold on a day.
    #[must_use]
    pub fn certifications_on(&self, date: NaiveDate) -> u64 {
        let holding = self
            .certifications
            .iter()
            .filter(|held| held.expires_on.is_none_or(|last| date <= last));
        mask(holding.map(|held| held.certification))
    }

    /// Mask of the conditions known at least so well.
    #[must_use]
    pub fn conditions_known(&self, expertise: Expertise) -> u64 {
        self.conditions
            .get(expertise.bit() as usize)
            .copied()
            .unwrap_or(0)
    }

    /// Days of support work until a date.
    #[must_use]
    pub fn experience_days(&self, today: NaiveDate) -> u32 {
        let present = self
            .working_since
            .map_or(0, |since| today.signed_duration_since(since).num_days());
        self.worked_days
            .saturating_add(u32::try_from(present).unwrap_or(0))
    }
}

/// Which rows of the index source a change writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexChange {
    /// What every cell in `put` holds from now on.
    pub record: Option<IndexRecord>,
    /// Cells whose row is written.
    pub put: Vec<Cell>,
    /// Cells whose row is deleted: they were left.
    pub delete: Vec<Cell>,
}

/// What a change of a support worker means for the index. Nothing to write where the index sees no difference.
#[must_use]
pub fn index_change(before: Option<&SupportWorker>, after: &SupportWorker) -> IndexChange {
    let earlier = before.and_then(IndexRecord::of);
    let record = IndexRecord::of(after);
    let cells_before = if earlier.is_some() {
        cells_of(before)
    } else {
        vec![]
    };
    let cells_after = if record.is_some() {
        cells_of(Some(after))
    } else {
        vec![]
    };
    let delete = cells_before
        .iter()
        .copied()
        .filter(|cell| !cells_after.contains(cell))
        .collect();
    let mut put = cells_after;
    if earlier == record {
        put.retain(|cell| !cells_before.contains(cell));
    }
    IndexChange {
        record,
        put,
        delete,
    }
}

/// The cells that a support worker's service area touches.
fn cells_of(worker: Option<&SupportWorker>) -> Vec<Cell> {
    worker
        .and_then(|worker| worker.profile.service_area.as_ref())
        .map(|area| cover(area.base.latitude, area.base.longitude, area.radius_km))
        .unwrap_or_default()
}

/// Claims count as awareness; beyond it only what staff have seen proof of.
fn expertise(worker: &SupportWorker) -> [u64; 4] {
    let claimed = mask(
        worker
            .profile
            .conditions
            .iter()
            .map(|known| known.condition),
    );
    let proven = |least: Expertise| {
        let known = worker.proven.conditions.iter();
        mask::<Condition>(
            known
                .filter(|known| known.expertise >= least)
                .map(|known| known.condition),
        )
    };
    [
        claimed | proven(Expertise::Aware),
        proven(Expertise::Experienced),
        proven(Expertise::Trained),
        proven(Expertise::Specialist),
    ]
}

fn in_order(services: &[OfferedService]) -> Vec<OfferedService> {
    let mut services = services.to_vec();
    services.sort_by_key(|offered| offered.service);
    services
}

fn checks_until(worker: &SupportWorker) -> Option<NaiveDate> {
    CheckKind::ALL
        .iter()
        .filter_map(|kind| worker.check(*kind).expires_on)
        .min()
}

/// Days of support work in ended jobs, overlaps counted once, and the start of the present one.
fn experience(history: &[WorkEntry]) -> (u32, Option<NaiveDate>) {
    let support = || history.iter().filter(|entry| entry.support_work);
    let since = support()
        .filter(|entry| entry.until.is_none())
        .map(|entry| entry.from)
        .min();
    let mut ended: Vec<(NaiveDate, NaiveDate)> = support()
        .filter_map(|entry| Some((entry.from, entry.until?.succ_opt()?)))
        .collect();
    ended.sort_unstable();
    let mut days = TimeDelta::zero();
    let mut counted_to = NaiveDate::MIN;
    for (from, end) in ended {
        let end = since.map_or(end, |since| end.min(since));
        let from = from.max(counted_to);
        if from < end {
            days += end - from;
            counted_to = end;
        }
    }
    (u32::try_from(days.num_days()).unwrap_or(u32::MAX), since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_jobs_count_once() {
        let entry = |from: &str, until: Option<&str>, support_work| WorkEntry {
            role: "Support worker".into(),
            organisation: "Harbour Care".into(),
            from: from.parse().unwrap(),
            until: until.map(|date| date.parse().unwrap()),
            support_work,
        };
        let history = [
            entry("2020-01-01", Some("2020-01-10"), true),
            entry("2020-01-06", Some("2020-01-15"), true),
            entry("2015-01-01", Some("2019-01-01"), false),
            entry("2020-01-14", None, true),
        ];
        let (days, since) = experience(&history);
        assert_eq!(days, 13);
        assert_eq!(since, Some("2020-01-14".parse().unwrap()));
    }
}
