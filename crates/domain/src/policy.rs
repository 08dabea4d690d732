//! What the organisation decides, as versioned data recorded on whatever was decided under it.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::cancellation::{CancellationRules, Notice};

/// One version of the organisation's policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Raised with every change.
    pub version: u32,
    /// From submission to release of a candidate list, in elapsed hours.
    pub release_delay_hours: u32,
    /// Candidates the client sees.
    pub shortlist: u16,
    /// Candidates kept to replace those who become ineligible.
    pub reserve: u16,
    /// How long a candidate has to answer an invitation, in hours.
    pub invitation_answer_hours: u32,
    /// How long an offer stands, in days.
    pub offer_days: u32,
    /// A change to a visit closer than this is warned about, in hours.
    pub late_change_hours: u32,
    /// The shortest visit, in minutes.
    pub minimum_visit_minutes: u32,
    /// A visit shorter than this is warned about, in minutes.
    pub short_visit_minutes: u32,
    /// What a cancellation by a client costs whose funding scheme does not say.
    #[serde(default = "usual_cancellation")]
    pub cancellation: CancellationRules,
    /// So long before a visit both sides are reminded of it, in hours, the earliest first.
    #[serde(default = "usual_reminders")]
    pub reminder_hours: Vec<u16>,
    /// A visit that has not begun this long after its time raises an alert, in minutes.
    #[serde(default = "usual_late_start")]
    pub late_start_minutes: u32,
    /// How long whoever is on call has before the next is alerted, in minutes.
    #[serde(default = "usual_escalation")]
    pub escalation_minutes: u32,
    /// A completed visit that the client says nothing to is confirmed after this long, in hours.
    #[serde(default = "usual_confirmation")]
    pub confirmation_hours: u32,
    /// How long after it was completed a visit can be disputed, in days.
    #[serde(default = "usual_dispute")]
    pub dispute_days: u32,
    /// How many are asked at once to cover a visit.
    #[serde(default = "usual_wave")]
    pub cover_wave: u16,
    /// How long they have before others are asked, too, in minutes.
    #[serde(default = "usual_wave_minutes")]
    pub cover_wave_minutes: u32,
    /// Kept free between two visits, in minutes.
    pub travel_buffer_minutes: u32,
    /// Days before a check's expiry on which notice is given, the earliest first.
    pub check_notice_days: Vec<u16>,
    /// From the first visit to the first check-in, in days.
    pub first_check_in_days: u32,
    /// From a support plan's publication to its first review, in days.
    pub first_plan_review_days: u32,
    /// Days of answers that responsiveness looks back on.
    pub responsiveness_days: u32,
    /// How long one side's feedback waits for the other's, in days.
    pub feedback_wait_days: u32,
}

impl Policy {
    /// From submission to release.
    #[must_use]
    pub fn release_delay(&self) -> TimeDelta {
        TimeDelta::hours(i64::from(self.release_delay_hours))
    }

    /// What responsiveness looks back on.
    #[must_use]
    pub fn responsiveness(&self) -> TimeDelta {
        TimeDelta::days(i64::from(self.responsiveness_days))
    }

    /// Shortlist and reserve together.
    #[must_use]
    pub fn list_size(&self) -> usize {
        usize::from(self.shortlist) + usize::from(self.reserve)
    }
}

const fn usual_cancellation() -> CancellationRules {
    CancellationRules {
        notice: Notice::Hours(24),
        charge_basis_points: 10_000,
    }
}

fn usual_reminders() -> Vec<u16> {
    vec![48, 2]
}

const fn usual_late_start() -> u32 {
    15
}

const fn usual_escalation() -> u32 {
    10
}

const fn usual_confirmation() -> u32 {
    24
}

const fn usual_dispute() -> u32 {
    28
}

const fn usual_wave() -> u16 {
    3
}

const fn usual_wave_minutes() -> u32 {
    15
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            version: 1,
            release_delay_hours: 24,
            shortlist: 5,
            reserve: 5,
            invitation_answer_hours: 72,
            offer_days: 7,
            late_change_hours: 24,
            minimum_visit_minutes: 30,
            short_visit_minutes: 120,
            cancellation: usual_cancellation(),
            reminder_hours: usual_reminders(),
            late_start_minutes: usual_late_start(),
            escalation_minutes: usual_escalation(),
            confirmation_hours: usual_confirmation(),
            dispute_days: usual_dispute(),
            cover_wave: usual_wave(),
            cover_wave_minutes: usual_wave_minutes(),
            travel_buffer_minutes: 30,
            check_notice_days: vec![90, 30, 7],
            first_check_in_days: 7,
            first_plan_review_days: 42,
            responsiveness_days: 90,
            feedback_wait_days: 7,
        }
    }
}
