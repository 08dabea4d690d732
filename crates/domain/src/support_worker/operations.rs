//! What may happen to a support worker: each operation takes the present, and returns the future or why not.

use chrono::{DateTime, NaiveDate, Utc};

use super::errors::{
    ApproveIntroductionError, EditProfileError, PassDeadlineError, PauseWorkerError,
    ReinstateWorkerError, ResumeWorkerError, RevokeWorkerCheckError, SubmitProfileError,
    SuspendWorkerError, VerifyWorkerCheckError,
};
use super::{ProvenQualifications, SupportWorker, Suspension, WorkerState};
use crate::check::{Check, CheckKind, Lapse};
use crate::id::{PersonId, WorkerId};
use crate::invalid::{Findings, Invalid};
use crate::policy::Policy;
use crate::profile::WorkerProfile;
use crate::schedule::Stretch;
use crate::vocabulary::{Vocabulary, distinct};

/// A support worker after an operation, and what others should hear of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// The support worker from now on.
    pub worker: SupportWorker,
    /// What happened, in order.
    pub effects: Vec<WorkerEffect>,
}

/// Something that happened to a support worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkerEffect {
    /// The profile waits for staff.
    Submitted,
    /// Everything holds: from now on they may be matched.
    Activated,
    /// Something no longer holds: from now on they may not be matched.
    Deactivated {
        /// What is missing.
        missing: Vec<Missing>,
    },
    /// They asked not to be matched for now.
    Paused,
    /// They may be matched again.
    Resumed,
    /// Staff took them out of service; booked visits need cover.
    Suspended,
    /// Staff took the suspension back.
    Reinstated,
    /// A check holds.
    CheckVerified(CheckKind),
    /// A check expires in so many days.
    CheckExpiring(CheckKind, u16),
    /// A check has expired.
    CheckExpired(CheckKind),
    /// A check was revoked.
    CheckRevoked(CheckKind),
    /// The introduction differs from the approved one.
    IntroductionAwaitsApproval,
    /// Clients see this introduction from now on.
    IntroductionApproved,
}

/// What stands between a support worker and being matched.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// A check that does not hold.
    Check(CheckKind),
    /// An introduction that staff have approved.
    Introduction,
}

impl SupportWorker {
    /// A support worker who has yet to say anything.
    #[must_use]
    pub fn new(id: WorkerId, person: PersonId) -> Self {
        Self {
            id,
            person,
            state: WorkerState::Draft,
            profile: WorkerProfile::default(),
            introduction_approved: None,
            checks: CheckKind::ALL.iter().copied().map(Check::pending).collect(),
            proven: ProvenQualifications::default(),
            suspension: None,
            reliability: super::Reliability::default(),
            deadline: None,
            deadline_generation: 0,
        }
    }

    /// Replaces the profile. Who is active stays so, known to clients by the introduction approved before.
    ///
    /// # Errors
    /// When the profile has faults, or is no draft any more and lacks something.
    pub fn edit_profile(
        &self,
        profile: WorkerProfile,
        policy: &Policy,
    ) -> Result<Changed, EditProfileError> {
        match self.state {
            WorkerState::Draft => profile.validate(),
            WorkerState::Submitted
            | WorkerState::Active
            | WorkerState::Paused
            | WorkerState::Suspended => profile.validate_for_submission(),
        }
        .map_err(EditProfileError::Invalid)?;
        let introduced_anew = profile.introduction != self.profile.introduction
            && self.state != WorkerState::Draft
            && self.introduction_approved.as_ref() != Some(&profile.introduction);
        let mut changed = self.change();
        changed.worker.profile = profile;
        if introduced_anew {
            changed
                .effects
                .push(WorkerEffect::IntroductionAwaitsApproval);
        }
        // The base sets the zone in which checks expire.
        Ok(changed.rescheduled(policy))
    }

    /// Hands the profile to staff.
    ///
    /// # Errors
    /// When it lacks something, or was handed in before.
    pub fn submit(&self, now: DateTime<Utc>) -> Result<Changed, SubmitProfileError> {
        if self.state != WorkerState::Draft {
            return Err(SubmitProfileError::AlreadySubmitted);
        }
        self.profile
            .validate_for_submission()
            .map_err(SubmitProfileError::Incomplete)?;
        let mut changed = self.change();
        changed.worker.state = WorkerState::Submitted;
        changed.effects.push(WorkerEffect::Submitted);
        Ok(changed.settled(now))
    }

    /// Staff saw the evidence of a check; with the qualifications, also what it proves.
    ///
    /// # Errors
    /// Before submission, or when the evidence will not do.
    pub fn verify_check(
        &self,
        kind: CheckKind,
        evidence: &str,
        expires_on: Option<NaiveDate>,
        proven: Option<ProvenQualifications>,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Result<Changed, VerifyWorkerCheckError> {
        if self.state == WorkerState::Draft {
            return Err(VerifyWorkerCheckError::NotSubmitted);
        }
        if let Some(proven) = &proven {
            proven
                .validate_for(kind)
                .map_err(VerifyWorkerCheckError::Proven)?;
        }
        let check = self
            .check(kind)
            .verify(evidence, expires_on, self.today(now), now)?;
        let mut changed = self.change();
        changed.worker.set_check(check);
        if let Some(proven) = proven {
            changed.worker.proven = proven;
        }
        changed.effects.push(WorkerEffect::CheckVerified(kind));
        Ok(changed.settled(now).rescheduled(policy))
    }

    /// Staff found that a check does not hold.
    ///
    /// # Errors
    /// When it does not hold anyway.
    pub fn revoke_check(
        &self,
        kind: CheckKind,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Result<Changed, RevokeWorkerCheckError> {
        let check = self.check(kind).revoke()?;
        let mut changed = self.change();
        changed.worker.set_check(check);
        changed.effects.push(WorkerEffect::CheckRevoked(kind));
        Ok(changed.settled(now).rescheduled(policy))
    }

    /// Staff read exactly this introduction and let clients see it.
    ///
    /// # Errors
    /// Before submission, or when the text has changed since.
    pub fn approve_introduction(
        &self,
        text: &str,
        now: DateTime<Utc>,
    ) -> Result<Changed, ApproveIntroductionError> {
        if self.state == WorkerState::Draft {
            return Err(ApproveIntroductionError::NotSubmitted);
        }
        if text != self.profile.introduction {
            return Err(ApproveIntroductionError::StaleText);
        }
        let mut changed = self.change();
        changed.worker.introduction_approved = Some(text.to_owned());
        changed.effects.push(WorkerEffect::IntroductionApproved);
        Ok(changed.settled(now))
    }

    /// The deadline of this generation came: notices fall due, checks expire, the next deadline is set.
    ///
    /// # Errors
    /// When it was rescheduled, or comes too early.
    pub fn pass_deadline(
        &self,
        generation: u32,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Result<Changed, PassDeadlineError> {
        let due = self
            .deadline
            .filter(|_| generation == self.deadline_generation)
            .ok_or(PassDeadlineError::Superseded)?;
        if now < due {
            return Err(PassDeadlineError::Early(due));
        }
        let today = self.today(now);
        let mut changed = self.change();
        for check in &self.checks {
            let Some((after, lapse)) = check.pass(today, &policy.check_notice_days) else {
                continue;
            };
            changed.effects.push(match lapse {
                Lapse::Notice { days } => WorkerEffect::CheckExpiring(check.kind, days),
                Lapse::Expired => WorkerEffect::CheckExpired(check.kind),
            });
            changed.worker.set_check(after);
        }
        Ok(changed.settled(now).rescheduled(policy))
    }

    /// They do not want to be matched for now.
    ///
    /// # Errors
    /// Unless they are active.
    pub fn pause(&self) -> Result<Changed, PauseWorkerError> {
        if self.state != WorkerState::Active {
            return Err(PauseWorkerError::NotActive);
        }
        let mut changed = self.change();
        changed.worker.state = WorkerState::Paused;
        changed.effects.push(WorkerEffect::Paused);
        Ok(changed)
    }

    /// They want to be matched again.
    ///
    /// # Errors
    /// Unless they are paused and everything still holds.
    pub fn resume(&self, now: DateTime<Utc>) -> Result<Changed, ResumeWorkerError> {
        if self.state != WorkerState::Paused {
            return Err(ResumeWorkerError::NotPaused);
        }
        let missing = self.missing(now);
        if !missing.is_empty() {
            return Err(ResumeWorkerError::NotReady(missing));
        }
        let mut changed = self.change();
        changed.worker.state = WorkerState::Active;
        changed.effects.push(WorkerEffect::Resumed);
        Ok(changed)
    }

    /// Staff take them out of service at once.
    ///
    /// # Errors
    /// Without a reason, or when they are suspended already.
    pub fn suspend(&self, reason: &str, now: DateTime<Utc>) -> Result<Changed, SuspendWorkerError> {
        if self.state == WorkerState::Suspended {
            return Err(SuspendWorkerError::AlreadySuspended);
        }
        let reason = reason.trim();
        if reason.is_empty() || reason.chars().count() > 500 {
            return Err(SuspendWorkerError::NoReason);
        }
        let mut changed = self.change();
        changed.worker.suspension = Some(Suspension {
            reason: reason.to_owned(),
            at: now,
            from: self.state,
        });
        changed.worker.state = WorkerState::Suspended;
        changed.effects.push(WorkerEffect::Suspended);
        Ok(changed)
    }

    /// Staff take the suspension back. Who was active is so again if everything still holds.
    ///
    /// # Errors
    /// Unless they are suspended.
    pub fn reinstate(&self, now: DateTime<Utc>) -> Result<Changed, ReinstateWorkerError> {
        let suspension = self
            .suspension
            .as_ref()
            .filter(|_| self.state == WorkerState::Suspended)
            .ok_or(ReinstateWorkerError::NotSuspended)?;
        let mut changed = self.change();
        changed.worker.state = match suspension.from {
            WorkerState::Draft => WorkerState::Draft,
            WorkerState::Paused => WorkerState::Paused,
            WorkerState::Submitted | WorkerState::Active | WorkerState::Suspended => {
                WorkerState::Submitted
            }
        };
        changed.worker.suspension = None;
        changed.effects.push(WorkerEffect::Reinstated);
        Ok(changed.settled(now))
    }

    /// What stands between them and being matched.
    #[must_use]
    pub fn missing(&self, now: DateTime<Utc>) -> Vec<Missing> {
        let today = self.today(now);
        let checks = CheckKind::ALL
            .iter()
            .filter(|kind| !self.check(**kind).holds_on(today))
            .map(|kind| Missing::Check(*kind));
        let introduction = self
            .introduction_approved
            .is_none()
            .then_some(Missing::Introduction);
        checks.chain(introduction).collect()
    }

    /// The check of this kind; a pending one where none is kept yet.
    #[must_use]
    pub fn check(&self, kind: CheckKind) -> Check {
        self.checks
            .iter()
            .find(|check| check.kind == kind)
            .cloned()
            .unwrap_or_else(|| Check::pending(kind))
    }

    /// When a notice or an expiry falls due next.
    #[must_use]
    pub fn next_deadline(&self, policy: &Policy) -> Option<DateTime<Utc>> {
        self.checks
            .iter()
            .filter_map(|check| check.due_on(&policy.check_notice_days))
            .min()
            .map(|date| self.start_of(date))
    }

    /// The date where they live.
    #[must_use]
    pub fn today(&self, now: DateTime<Utc>) -> NaiveDate {
        self.profile
            .service_area
            .as_ref()
            .map_or_else(|| now.date_naive(), |area| area.base.today(now))
    }

    /// When they are away on leave, in whole days where they live.
    pub fn away(&self) -> impl Iterator<Item = Stretch> {
        (self.profile.availability.leave()).map(|leave| Stretch {
            from: self.start_of(leave.first),
            until: self.start_of(leave.last.succ_opt().unwrap_or(leave.last)),
        })
    }

    fn start_of(&self, date: NaiveDate) -> DateTime<Utc> {
        self.profile.service_area.as_ref().map_or_else(
            || date.and_time(chrono::NaiveTime::MIN).and_utc(),
            |area| area.base.midnight(date),
        )
    }

    fn set_check(&mut self, check: Check) {
        self.checks.retain(|other| other.kind != check.kind);
        self.checks.push(check);
        self.checks.sort_by_key(|check| check.kind);
    }

    fn change(&self) -> Changed {
        Changed {
            worker: self.clone(),
            effects: vec![],
        }
    }
}

impl Changed {
    /// INVARIANT: who is active has every check and an approved introduction; who is submitted lacks something.
    fn settled(mut self, now: DateTime<Utc>) -> Self {
        let missing = self.worker.missing(now);
        match self.worker.state {
            WorkerState::Submitted if missing.is_empty() => {
                self.worker.state = WorkerState::Active;
                self.effects.push(WorkerEffect::Activated);
            }
            WorkerState::Active if !missing.is_empty() => {
                self.worker.state = WorkerState::Submitted;
                self.effects.push(WorkerEffect::Deactivated { missing });
            }
            WorkerState::Draft
            | WorkerState::Submitted
            | WorkerState::Active
            | WorkerState::Paused
            | WorkerState::Suspended => {}
        }
        self
    }

    /// INVARIANT: the generation moves exactly when the deadline does.
    fn rescheduled(mut self, policy: &Policy) -> Self {
        let next = self.worker.next_deadline(policy);
        if next != self.worker.deadline {
            self.worker.deadline = next;
            self.worker.deadline_generation += 1;
        }
        self
    }
}

impl ProvenQualifications {
    fn validate_for(&self, kind: CheckKind) -> Result<(), Vec<Invalid>> {
        let mut findings = Findings::default();
        findings.check(
            kind == CheckKind::Qualifications,
            "/proven",
            "goes with the check of the qualifications",
        );
        let certifications: Vec<_> = self
            .certifications
            .iter()
            .map(|held| held.certification)
            .collect();
        distinct(&mut findings, "/proven/certifications", &certifications, 22);
        let conditions: Vec<_> = self
            .conditions
            .iter()
            .map(|known| known.condition)
            .collect();
        distinct(&mut findings, "/proven/conditions", &conditions, 24);
        findings.into_result()
    }
}

#[cfg(test)]
pub(super) mod tests;
