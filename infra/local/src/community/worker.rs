//! Support workers: through submission, checks and approval to where the sample says they stand.

use chrono::{Days, NaiveDate, TimeDelta};
use domain::availability::{Availability, Exception, WeeklyHours};
use domain::check::CheckKind;
use domain::due::{Due, DueRow};
use domain::id::WorkerId;
use domain::packed::index_change;
use domain::person::Roles;
use domain::place::Cell;
use domain::profile::{KnownCondition, OfferedService, ServiceArea, WorkEntry, WorkerProfile};
use domain::support_worker::{HeldCertification, ProvenQualifications, SupportWorker, WorkerState};
use domain::vocabulary::Vocabulary;
use store::{Commit, Entity};

use super::sample::SampleWorker;
use super::{SeedError, Seeding, sample_id};

impl Seeding<'_> {
    /// A support worker, and the cells whose shards they belong in.
    pub(super) fn worker(&self, sample: &SampleWorker) -> Result<(Commit, Vec<Cell>), SeedError> {
        let worker = self.support_worker(sample)?;
        let roles = Roles {
            workers: [worker.id].into(),
            ..Roles::default()
        };
        let joined = self.now - TimeDelta::days(days(sample.joined_days_ago));
        let person = self.person(&sample.person, roles, joined);
        let change = index_change(None, &worker);
        let cells = change.put.clone();
        let mut commit = self
            .joining(&worker.key(), &person)
            .insert(&worker)
            .with_index_rows(change);
        if let Some(at) = worker.deadline {
            commit = commit.due(DueRow {
                due: Due::CheckExpiry { worker: worker.id },
                at,
                generation: worker.deadline_generation,
            });
        }
        Ok((commit, cells))
    }

    /// Takes a sample the way that every support worker goes. What expires did so, or will, as for anybody.
    pub(super) fn support_worker(&self, sample: &SampleWorker) -> Result<SupportWorker, SeedError> {
        let subject = &sample.person.subject;
        let refused = |error: &dyn std::fmt::Debug| SeedError::refused(subject, error);
        let id: WorkerId = sample_id(subject);
        let joined = self.now - TimeDelta::days(days(sample.joined_days_ago));

        let mut worker = SupportWorker::new(id, sample_id(subject))
            .edit_profile(self.profile(sample)?, &self.policy)
            .map_err(|error| refused(&error))?
            .worker;
        if sample.standing == WorkerState::Draft {
            return Ok(worker);
        }
        worker = worker
            .submit(joined)
            .map_err(|error| refused(&error))?
            .worker;
        let today = worker.today(self.now);
        for kind in CheckKind::ALL {
            if sample.unchecked.contains(kind) {
                continue;
            }
            let expires_on = sample
                .checks
                .get(kind)
                .map(|left| today + TimeDelta::days(*left));
            let evidence = format!("Sample {} {subject}", kind.code());
            let proven = (*kind == CheckKind::Qualifications).then(|| proven(sample, today));
            worker = worker
                .verify_check(*kind, &evidence, expires_on, proven, &self.policy, joined)
                .map_err(|error| refused(&error))?
                .worker;
        }
        if sample.introduction_approved {
            worker = worker
                .approve_introduction(&sample.introduction, joined)
                .map_err(|error| refused(&error))?
                .worker;
        }
        if worker.deadline.is_some_and(|deadline| deadline <= self.now) {
            worker = worker
                .pass_deadline(worker.deadline_generation, &self.policy, self.now)
                .map_err(|error| refused(&error))?
                .worker;
        }
        worker = match sample.standing {
            WorkerState::Draft | WorkerState::Submitted | WorkerState::Active => worker,
            WorkerState::Paused => worker.pause().map_err(|error| refused(&error))?.worker,
            WorkerState::Suspended => {
                let suspended = worker.suspend("A concern is being looked into.", self.now);
                suspended.map_err(|error| refused(&error))?.worker
            }
        };
        worker.reliability = sample.reliability;
        if worker.state != sample.standing {
            return Err(SeedError::refused(subject, worker.state));
        }
        Ok(worker)
    }

    fn profile(&self, sample: &SampleWorker) -> Result<WorkerProfile, SeedError> {
        let subject = &sample.person.subject;
        let base = self
            .samples
            .places
            .get(&sample.suburb)
            .ok_or_else(|| SeedError::refused(subject, "no such place"))?
            .clone();
        let today = base.today(self.now);
        let services = sample
            .services
            .iter()
            .map(|(service, rate)| OfferedService {
                service: *service,
                hourly_rate: *rate,
            });
        Ok(WorkerProfile {
            introduction: sample.introduction.clone(),
            gender: sample.gender,
            work_history: work_history(sample),
            training: sample.training.clone(),
            services: services.collect(),
            skills: sample.skills.clone(),
            conditions: known_conditions(sample),
            languages: sample.languages.clone(),
            cultures: sample.cultures.clone(),
            interests: sample.interests.clone(),
            boundaries: sample.boundaries.clone(),
            service_area: Some(ServiceArea {
                base,
                radius_km: sample.radius_km,
            }),
            availability: availability(sample, today),
            hours_wanted: sample.hours_wanted,
        })
    }
}

fn work_history(sample: &SampleWorker) -> Vec<WorkEntry> {
    let present = WorkEntry {
        role: "Independent support worker".to_owned(),
        organisation: "Self-employed".to_owned(),
        from: sample.independent_since,
        until: None,
        support_work: true,
    };
    let earlier = sample.earlier_work.iter().map(|work| WorkEntry {
        role: work.role.clone(),
        organisation: work.organisation.clone(),
        from: work.from,
        until: Some(work.until),
        support_work: work.support_work,
    });
    std::iter::once(present).chain(earlier).collect()
}

fn availability(sample: &SampleWorker, today: NaiveDate) -> Availability {
    let weekly = sample.hours.iter().flat_map(|hours| {
        hours.days.iter().map(|weekday| WeeklyHours {
            weekday: *weekday,
            from: hours.from,
            until: hours.until,
        })
    });
    let away = sample.away_in_days.map(|(first, last)| Exception::Away {
        first: today + Days::new(first),
        last: today + Days::new(last),
    });
    Availability {
        weekly: weekly.collect(),
        exceptions: away.into_iter().collect(),
    }
}

fn known_conditions(sample: &SampleWorker) -> Vec<KnownCondition> {
    let known = sample.conditions.iter();
    known
        .map(|(condition, expertise)| KnownCondition {
            condition: *condition,
            expertise: *expertise,
        })
        .collect()
}

/// Staff have seen proof of all that the sample claims.
fn proven(sample: &SampleWorker, today: NaiveDate) -> ProvenQualifications {
    let held = sample.certifications.iter();
    ProvenQualifications {
        certifications: held
            .map(|(certification, left)| HeldCertification {
                certification: *certification,
                expires_on: left.map(|left| today + Days::new(left)),
            })
            .collect(),
        conditions: known_conditions(sample),
    }
}

fn days(ago: u64) -> i64 {
    i64::try_from(ago).unwrap_or(0)
}
