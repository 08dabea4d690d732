//! The checks that a support worker has to pass, and when they lapse.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::vocabulary::Vocabulary;

vocabulary! {
    /// What is checked about a support worker. All are needed to become active.
    CheckKind {
        Identity = "identity", "Identity";
        RightToWork = "right_to_work", "Right to work";
        Screening = "screening", "Worker screening";
        Insurance = "insurance", "Insurance";
        References = "references", "References";
        Qualifications = "qualifications", "Qualifications";
    }

    /// How far a check has come.
    CheckState {
        Pending = "pending", "Pending";
        Verified = "verified", "Verified";
        Expiring = "expiring", "Expiring";
        Expired = "expired", "Expired";
        Revoked = "revoked", "Revoked";
    }
}

/// One check of one support worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Check {
    /// What is checked.
    pub kind: CheckKind,
    /// How far it has come.
    pub state: CheckState,
    /// The reference of what staff saw, e.g. a certificate's number.
    pub evidence: Option<String>,
    /// The last day on which it holds, where the support worker lives; none for what does not expire.
    pub expires_on: Option<NaiveDate>,
    /// When staff verified it.
    pub verified_at: Option<DateTime<Utc>>,
    /// The notice last given, by how many days before expiry it falls.
    pub noticed_days: Option<u16>,
}

/// What a deadline of a check brought about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lapse {
    /// Notice is given so many days before the last day.
    Notice {
        /// Days before expiry that this notice stands for.
        days: u16,
    },
    /// The check no longer holds.
    Expired,
}

/// Why a check cannot be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyCheckError {
    /// The evidence has no reference.
    #[error("the reference of the evidence is needed, at most 200 characters")]
    NoEvidence,
    /// What was shown has expired already.
    #[error("the evidence has expired already")]
    AlreadyExpired,
}

/// Why a check cannot be revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RevokeCheckError {
    /// It does not hold, so there is nothing to revoke.
    #[error("only a check that holds can be revoked")]
    NotHolding,
}

impl Check {
    /// A check that nobody has looked at yet.
    #[must_use]
    pub const fn pending(kind: CheckKind) -> Self {
        Self {
            kind,
            state: CheckState::Pending,
            evidence: None,
            expires_on: None,
            verified_at: None,
            noticed_days: None,
        }
    }

    /// Staff saw the evidence; also renews a check in any other state.
    ///
    /// # Errors
    /// Without a reference, or when the evidence has expired before `today`.
    pub fn verify(
        &self,
        evidence: &str,
        expires_on: Option<NaiveDate>,
        today: NaiveDate,
        now: DateTime<Utc>,
    ) -> Result<Self, VerifyCheckError> {
        let evidence = evidence.trim();
        if evidence.is_empty() || evidence.chars().count() > 200 {
            return Err(VerifyCheckError::NoEvidence);
        }
        if expires_on.is_some_and(|last| last < today) {
            return Err(VerifyCheckError::AlreadyExpired);
        }
        Ok(Self {
            kind: self.kind,
            state: CheckState::Verified,
            evidence: Some(evidence.to_owned()),
            expires_on,
            verified_at: Some(now),
            noticed_days: None,
        })
    }

    /// Staff found that it does not hold after all.
    ///
    /// # Errors
    /// When it does not hold anyway.
    pub fn revoke(&self) -> Result<Self, RevokeCheckError> {
        match self.state {
            CheckState::Verified | CheckState::Expiring => Ok(Self {
                state: CheckState::Revoked,
                ..self.clone()
            }),
            CheckState::Pending | CheckState::Expired | CheckState::Revoked => {
                Err(RevokeCheckError::NotHolding)
            }
        }
    }

    /// Whether it holds on a day.
    #[must_use]
    pub fn holds_on(&self, date: NaiveDate) -> bool {
        match self.state {
            CheckState::Verified | CheckState::Expiring => {
                self.expires_on.is_none_or(|last| date <= last)
            }
            CheckState::Pending | CheckState::Expired | CheckState::Revoked => false,
        }
    }

    /// The day at whose start something falls due: the next notice, or the expiry.
    #[must_use]
    pub fn due_on(&self, notice_days: &[u16]) -> Option<NaiveDate> {
        match self.state {
            CheckState::Verified | CheckState::Expiring => {
                let last = self.expires_on?;
                let notice = notice_days
                    .iter()
                    .filter(|days| self.is_unnoticed(**days))
                    .max()
                    .and_then(|days| last.checked_sub_days(chrono::Days::new(u64::from(*days))));
                notice.or_else(|| last.succ_opt())
            }
            CheckState::Pending | CheckState::Expired | CheckState::Revoked => None,
        }
    }

    /// The check after the start of `today`, and what that brought about. Notices missed collapse into the latest.
    #[must_use]
    pub fn pass(&self, today: NaiveDate, notice_days: &[u16]) -> Option<(Self, Lapse)> {
        self.due_on(notice_days).filter(|due| *due <= today)?;
        if !self.holds_on(today) {
            let expired = Self {
                state: CheckState::Expired,
                ..self.clone()
            };
            return Some((expired, Lapse::Expired));
        }
        let left = (self.expires_on? - today).num_days();
        let days = *notice_days
            .iter()
            .filter(|days| self.is_unnoticed(**days) && i64::from(**days) >= left)
            .min()?;
        let expiring = Self {
            state: CheckState::Expiring,
            noticed_days: Some(days),
            ..self.clone()
        };
        Some((expiring, Lapse::Notice { days }))
    }

    fn is_unnoticed(&self, days: u16) -> bool {
        self.noticed_days.is_none_or(|noticed| days < noticed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTICES: [u16; 3] = [90, 30, 7];

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn verified(expires_on: &str) -> Check {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        Check::pending(CheckKind::Insurance)
            .verify("POL-1", Some(date(expires_on)), date("2026-01-01"), now)
            .unwrap()
    }

    #[test]
    fn notices_come_at_90_30_and_7_days_and_expiry_after_the_last_day() {
        let mut check = verified("2026-12-31");
        let mut seen = vec![];
        while let Some(due) = check.due_on(&NOTICES) {
            let yesterday = due.pred_opt().unwrap();
            assert_eq!(check.pass(yesterday, &NOTICES), None);
            let (next, lapse) = check.pass(due, &NOTICES).unwrap();
            seen.push((due.to_string(), lapse, next.state));
            check = next;
        }
        let notice = |days| Lapse::Notice { days };
        assert_eq!(
            seen,
            [
                ("2026-10-02".into(), notice(90), CheckState::Expiring),
                ("2026-12-01".into(), notice(30), CheckState::Expiring),
                ("2026-12-24".into(), notice(7), CheckState::Expiring),
                ("2027-01-01".into(), Lapse::Expired, CheckState::Expired),
            ]
        );
    }

    #[test]
    fn missed_notices_collapse_into_the_latest() {
        let check = verified("2026-01-20");
        assert!(check.due_on(&NOTICES).unwrap() < date("2026-01-01"));
        let (check, lapse) = check.pass(date("2026-01-01"), &NOTICES).unwrap();
        assert_eq!(lapse, Lapse::Notice { days: 30 });
        assert_eq!(check.due_on(&NOTICES), Some(date("2026-01-13")));
    }

    #[test]
    fn a_check_holds_through_its_last_day() {
        let check = verified("2026-12-31");
        assert!(check.holds_on(date("2026-12-31")));
        assert!(!check.holds_on(date("2027-01-01")));
        assert!(!Check::pending(CheckKind::Identity).holds_on(date("2026-01-01")));
    }

    #[test]
    fn every_state_and_command() {
        use CheckState::{Expired, Expiring, Pending, Revoked, Verified};
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        for (state, revocable) in [
            (Pending, false),
            (Verified, true),
            (Expiring, true),
            (Expired, false),
            (Revoked, false),
        ] {
            let check = Check {
                state,
                ..verified("2026-12-31")
            };
            let renewed = check
                .verify("POL-2", None, date("2026-01-01"), now)
                .unwrap();
            assert_eq!(renewed.state, Verified);
            assert_eq!(check.revoke().is_ok(), revocable, "{state:?}");
            let today = date("2026-01-01");
            assert_eq!(
                check.verify(" ", None, today, now),
                Err(VerifyCheckError::NoEvidence)
            );
            assert_eq!(
                check.verify("POL-2", Some(date("2025-12-31")), today, now),
                Err(VerifyCheckError::AlreadyExpired)
            );
        }
    }
}
