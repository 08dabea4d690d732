//! Visits: what an accepted proposal books.

mod account;
mod cancelling;
mod covering;
mod day;
mod deadline;
mod when;

pub use account::{
    ConfirmVisitError, Confirmation, ConfirmedBy, Dispute, DisputeVisitError, Recorded,
    SettleDisputeError, Settlement,
};
pub use cancelling::{
    CancelVisitError, Cancellation, CancellationQuote, ChargedVisits, WaiveChargeError, Waiver,
    WaiverGrounds,
};
pub use covering::CoverBooking;
pub use day::{CompleteVisitError, CorrectVisitError, StartVisitError, UnlikelyTime, Worked};
pub use deadline::{PassVisitDeadlineError, VisitDeadline, VisitStep};

use std::collections::BTreeSet;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::access::Acting;
use crate::availability::Leave;
use crate::cancellation::CancellationTerms;
use crate::id::{
    AlertId, ChangeRequestId, ClientId, CoverId, EngagementId, PersonId, ProposalId, SeriesId,
    VisitId, WorkerId,
};
use crate::invalid::Findings;
use crate::local_time;
use crate::money::Price;
use crate::policy::Policy;
use crate::proposal::{Proposal, Revision, UnderTerms};
use crate::schedule::Busy;
use crate::terms::{BookedRates, VisitPrice};
use crate::vocabulary::{Service, Vocabulary};

/// The longest visit, in minutes.
pub const LONGEST_VISIT_MINUTES: u32 = 24 * 60;
/// How far ahead a visit may begin, in days.
const FARTHEST_VISIT_DAYS: i64 = 366;

vocabulary! {
    /// Where a visit stands.
    VisitState {
        Booked = "booked", "Booked";
        Started = "started", "Started";
        Completed = "completed", "Completed";
        Confirmed = "confirmed", "Confirmed";
        Disputed = "disputed", "Disputed";
        Missed = "missed", "Missed";
        Cancelled = "cancelled", "Cancelled";
    }
}

/// When, where and what a visit is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VisitDetails {
    /// When it begins: local time at the place, without offset.
    #[schema(example = "2026-12-01T09:00:00", value_type = String)]
    pub starts: NaiveDateTime,
    /// IANA name of the place's time zone.
    #[schema(example = "Australia/Brisbane")]
    pub time_zone: String,
    /// How long it lasts.
    #[schema(minimum = 30, maximum = 1440, example = 120)]
    pub minutes: u32,
    /// Where.
    pub place: VisitPlace,
    /// What for.
    pub service: Service,
    /// What else should be known.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub notes: String,
    /// Whether the client cannot do without it, such as medication at a given time: staff call the client where it
    /// does not begin.
    #[serde(default)]
    pub essential: bool,
}

/// Where a visit takes place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum VisitPlace {
    /// Where the client lives. The address itself is shown with a booked visit, and never before.
    Home,
    /// Somewhere else.
    Elsewhere {
        /// The suburb or town.
        #[schema(min_length = 1, max_length = 80, example = "West End")]
        suburb: String,
        /// Where to meet.
        #[schema(
            min_length = 1,
            max_length = 200,
            example = "The library's front door, 178 Boundary Street"
        )]
        address: String,
    },
}

/// A booked visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// Which.
    pub id: VisitId,
    /// In which engagement.
    pub engagement: EngagementId,
    /// Whose.
    pub client: ClientId,
    /// By whom.
    pub worker: WorkerId,
    /// The proposal that was accepted; none where it covers another, for which nothing was proposed.
    pub proposal: Option<ProposalId>,
    /// Exactly the revision that was accepted, of that or of the covered visit's.
    pub revision: u32,
    /// When, where and what.
    pub details: VisitDetails,
    /// Suburb in which it takes place.
    pub suburb: String,
    /// When it begins, as an instant.
    pub from: DateTime<Utc>,
    /// When it ends.
    pub until: DateTime<Utc>,
    /// Where it stands.
    pub state: VisitState,
    /// Who accepted it.
    pub booked_by: Acting,
    /// When it was booked.
    pub booked_at: DateTime<Utc>,
    /// When the support worker really began.
    pub started_at: Option<DateTime<Utc>>,
    /// When the support worker really finished.
    pub completed_at: Option<DateTime<Utc>>,
    /// What the support worker wrote down of it, once it is completed.
    pub worked: Option<Worked>,
    /// What the client owes for it, once that is settled. It stands still while there is a dispute about it.
    pub confirmation: Option<Confirmation>,
    /// What the client does not agree with, if they ever said so.
    pub dispute: Option<Dispute>,
    /// Who cancelled it, why, and what that costs.
    pub cancellation: Option<Cancellation>,
    /// The terms' version under which it was booked.
    pub terms_version: u32,
    /// What it costs, as the client saw it.
    pub price: VisitPrice,
    /// What the service costs under the terms of the booking: by them what was really worked is priced.
    pub rates: BookedRates,
    /// The terms on which the client can cancel it.
    pub cancellation_terms: CancellationTerms,
    /// The policy under which it was booked.
    pub policy_version: u32,
    /// A change asked for closer to its beginning than this is warned about, in hours, under that policy.
    pub late_change_hours: u32,
    /// Raised whenever when or where it takes place changes, and when it is cancelled: calendars tell by it which
    /// version is newer.
    pub sequence: u32,
    /// What time brings about next, if anything.
    pub deadline: Option<VisitDeadline>,
    /// Raised whenever `deadline` is armed anew, and by nothing else.
    pub deadline_generation: u32,
    /// The last alert about it: that it did not begin, or that nobody was found to come to it.
    pub alert: Option<AlertId>,
    /// The search for somebody else to come to it, if there was one.
    pub cover: Option<CoverId>,
    /// The series that it belongs to, if it does.
    pub series: Option<SeriesId>,
    /// The wish of the client's to change it that is open.
    ///
    /// INVARIANT: one at a time, since whatever makes or closes one writes this record.
    pub change_request: Option<ChangeRequestId>,
    /// The visit in whose place it was booked, where it covers one.
    #[serde(default)]
    pub covers: Option<VisitId>,
    /// The visit that was booked in its place, once somebody else comes.
    #[serde(default)]
    pub covered_by: Option<VisitId>,
    /// Whose busy sheets it stands on: the two people's, and those of the records merged into them by then.
    pub booked_for: BTreeSet<PersonId>,
}

/// When a visit is to be, as instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Its beginning.
    pub from: DateTime<Utc>,
    /// Its end.
    pub until: DateTime<Utc>,
}

vocabulary! {
    /// What about a visit deserves a second look, though nothing speaks against it.
    VisitWarning {
        Short = "short_visit", "Shorter than a visit usually is";
        Leave = "on_leave", "On days for which the support worker has said that they are away";
    }
}

impl VisitDetails {
    /// When the visit is to be; none where that cannot be. Adds whatever is wrong under `pointer`.
    pub fn find_faults(
        &self,
        pointer: &str,
        policy: &Policy,
        now: DateTime<Utc>,
        findings: &mut Findings,
    ) -> Option<Times> {
        let least = policy.minimum_visit_minutes;
        let lasts = (least..=LONGEST_VISIT_MINUTES).contains(&self.minutes);
        findings.check(
            lasts,
            format!("{pointer}/minutes"),
            format!("is {least} to {LONGEST_VISIT_MINUTES}"),
        );
        if let VisitPlace::Elsewhere { suburb, address } = &self.place {
            let place = format!("{pointer}/place/elsewhere");
            findings.text(format!("{place}/suburb"), suburb, 1, 80);
            findings.text(format!("{place}/address"), address, 1, 200);
        }
        findings.text(format!("{pointer}/notes"), &self.notes, 0, 1000);
        let from = local_time::resolve(self.starts, &self.time_zone, pointer, findings)?;
        let even = self.starts.second() == 0 && self.starts.nanosecond() == 0;
        findings.check(even, format!("{pointer}/starts"), "is a whole minute");
        let ahead = now < from;
        findings.check(ahead, format!("{pointer}/starts"), "is in the future");
        let near = from <= now + TimeDelta::days(FARTHEST_VISIT_DAYS);
        findings.check(
            near,
            format!("{pointer}/starts"),
            format!("is within {FARTHEST_VISIT_DAYS} days"),
        );
        (lasts && even && ahead && near).then(|| Times {
            from,
            until: from + TimeDelta::minutes(i64::from(self.minutes)),
        })
    }

    /// What deserves a second look, where it takes place at all these `times`.
    #[must_use]
    pub fn warnings(&self, times: &[Times], policy: &Policy, away: &[Leave]) -> Vec<VisitWarning> {
        let short = self.minutes < policy.short_visit_minutes;
        let on_leave = |times: &Times| away.iter().any(|leave| self.falls_into(*leave, *times));
        let leave = times.iter().any(on_leave);
        [
            short.then_some(VisitWarning::Short),
            leave.then_some(VisitWarning::Leave),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Whether any of it falls into this leave, by the calendar of its place, where it takes place at these `times`.
    #[must_use]
    pub fn falls_into(&self, leave: Leave, times: Times) -> bool {
        let [from, until] = [times.from, times.until].map(|at| self.local(at).naive_local());
        leave.touches(from, until)
    }

    /// An instant as a clock at the place shows it; UTC where the zone's stored name is no longer known.
    #[must_use]
    pub fn local(&self, at: DateTime<Utc>) -> DateTime<FixedOffset> {
        at.with_timezone(&self.zone()).fixed_offset()
    }

    /// The time zone; UTC where a stored name is no longer known.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.time_zone.parse().unwrap_or(Tz::UTC)
    }
}

/// What a booking needs to know besides the proposal.
#[derive(Debug, Clone)]
pub struct Booking {
    /// The id it gets.
    pub id: VisitId,
    /// Suburb in which it takes place.
    pub suburb: String,
    /// Who accepted the proposal.
    pub acting: Acting,
    /// The terms in force.
    pub terms: UnderTerms,
    /// Whose busy sheets it goes on.
    pub booked_for: BTreeSet<PersonId>,
}

impl Visit {
    /// What accepting `revision` of `proposal` books.
    #[must_use]
    pub fn book(
        proposal: &Proposal,
        revision: &Revision,
        booking: Booking,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Self {
        let booked = Self {
            id: booking.id,
            engagement: proposal.engagement,
            client: proposal.client,
            worker: proposal.worker,
            proposal: Some(proposal.id),
            revision: revision.number,
            details: revision.visit.clone(),
            suburb: booking.suburb,
            from: revision.from,
            until: revision.until,
            state: VisitState::Booked,
            booked_by: booking.acting,
            booked_at: now,
            started_at: None,
            completed_at: None,
            worked: None,
            confirmation: None,
            dispute: None,
            cancellation: None,
            terms_version: booking.terms.version,
            price: revision.price.clone(),
            rates: booking.terms.rates.around(revision.from, revision.until),
            cancellation_terms: revision.cancellation,
            policy_version: policy.version,
            late_change_hours: policy.late_change_hours,
            sequence: 0,
            deadline: None,
            deadline_generation: 0,
            alert: None,
            cover: None,
            series: None,
            change_request: None,
            covers: None,
            covered_by: None,
            booked_for: booking.booked_for,
        };
        booked.armed(policy, now)
    }

    /// Whether it takes up its people's time: a cancelled one does not.
    #[must_use]
    pub const fn counts(&self) -> bool {
        match self.state {
            VisitState::Booked
            | VisitState::Started
            | VisitState::Completed
            | VisitState::Confirmed
            | VisitState::Disputed
            | VisitState::Missed => true,
            VisitState::Cancelled => false,
        }
    }

    /// Whether the support worker came and finished, whatever is said of it since.
    #[must_use]
    pub const fn took_place(&self) -> bool {
        matches!(
            self.state,
            VisitState::Completed | VisitState::Confirmed | VisitState::Disputed
        )
    }

    /// What it costs as things stand: what was confirmed, or agreed on for its cancellation. Nothing while that is
    /// open or disputed.
    ///
    /// INVARIANT: nothing else is ever charged, so that every charge rests on a visit that the client accepted.
    #[must_use]
    pub fn charge(&self) -> Price {
        let charged = match self.state {
            VisitState::Confirmed => self.confirmation.as_ref().map(|it| it.charge),
            VisitState::Cancelled => self.cancellation.as_ref().map(Cancellation::owed),
            VisitState::Booked
            | VisitState::Started
            | VisitState::Completed
            | VisitState::Disputed
            | VisitState::Missed => None,
        };
        charged.unwrap_or(Price::NOTHING)
    }

    /// Whether the support worker may know where the client lives: while a visit there is booked or under way.
    #[must_use]
    pub fn shows_address(&self, now: DateTime<Utc>) -> bool {
        let to_come = matches!(self.state, VisitState::Booked | VisitState::Started);
        // A day later it is over, whether or not anybody has said so.
        let lasts = now < self.until + TimeDelta::days(1);
        to_come && lasts && self.details.place == VisitPlace::Home
    }

    /// When it is to be.
    #[must_use]
    pub const fn times(&self) -> Times {
        Times {
            from: self.from,
            until: self.until,
        }
    }

    /// Its interval, as it stands on a busy sheet of one who `travels` to it or not.
    #[must_use]
    pub const fn busy(&self, travels: bool) -> Busy {
        Busy {
            from: self.from,
            until: self.until,
            visit: self.id,
            engagement: self.engagement,
            travels,
        }
    }

    /// The date on which it begins, at its place.
    #[must_use]
    pub const fn date(&self) -> NaiveDate {
        self.details.starts.date()
    }
}

#[cfg(test)]
pub(crate) mod tests;
