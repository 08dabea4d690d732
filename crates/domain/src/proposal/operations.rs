//! Proposing, revising, accepting and everything else that becomes of a proposal.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::{
    Change, Conditions, MOST_OTHER_TIMES, MOST_REVISIONS, OtherTime, Proposal, ProposalState,
    ProposedVisit, Revision,
};
use crate::access::Acting;
use crate::change_request::WishedTimes;
use crate::engagement::{Engagement, EngagementNotOpen, Reasoned};
use crate::id::{ProposalId, VisitId};
use crate::invalid::{Findings, Invalid};
use crate::policy::Policy;
use crate::recurrence::Occurrence;
use crate::series::{SeriesOffer, series_id};
use crate::terms::{BookedRates, NotCovered, VisitPrice};
use crate::visit::{Times, VisitDetails};

/// Why nothing more can become of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProposalNotOpen {
    /// It was accepted.
    #[error("the proposal was accepted")]
    Accepted,
    /// The client declined it.
    #[error("the proposal was declined")]
    Declined,
    /// The support worker withdrew it.
    #[error("the proposal was withdrawn")]
    Withdrawn,
    /// Its time has come unaccepted.
    #[error("the proposal has lapsed")]
    Lapsed,
}

/// Why a visit cannot be proposed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProposeVisitError {
    /// Nothing new can be begun in the engagement.
    #[error(transparent)]
    Engagement(#[from] EngagementNotOpen),
    /// No terms have been agreed on.
    #[error("terms have to be agreed on first")]
    NoTerms,
    /// The terms have no price for it.
    #[error(transparent)]
    NotCovered(NotCovered),
    /// The visit has faults.
    #[error("the visit is not right")]
    Invalid(Vec<Invalid>),
}

/// Why a proposal cannot be revised.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReviseProposalError {
    /// It is closed.
    #[error(transparent)]
    NotOpen(#[from] ProposalNotOpen),
    /// It has been revised too often.
    #[error("a proposal has at most {MOST_REVISIONS} revisions; make a new one")]
    TooMany,
    /// The revised visit cannot be proposed.
    #[error(transparent)]
    Visit(#[from] ProposeVisitError),
}

/// Why a proposal cannot be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AcceptProposalError {
    /// It is closed.
    #[error(transparent)]
    NotOpen(#[from] ProposalNotOpen),
    /// Another revision stands now.
    #[error("revision {current} stands now; look at it before accepting")]
    StaleRevision {
        /// The one that stands.
        current: u32,
    },
    /// Nothing new can be begun in the engagement.
    #[error(transparent)]
    Engagement(#[from] EngagementNotOpen),
    /// No terms have been agreed on.
    #[error("terms have to be agreed on first")]
    NoTerms,
    /// The terms have no price for it.
    #[error(transparent)]
    NotCovered(NotCovered),
    /// Other terms have been agreed on since: it would cost something else than the client saw.
    #[error("under the terms agreed on since, it costs something else; ask for it to be revised")]
    PriceChanged,
}

/// Why a proposal cannot be declined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeclineProposalError {
    /// It is closed.
    #[error(transparent)]
    NotOpen(#[from] ProposalNotOpen),
}

/// Why another time cannot be asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskOtherTimeError {
    /// It is closed.
    #[error(transparent)]
    NotOpen(#[from] ProposalNotOpen),
    /// It was asked for too often.
    #[error(
        "another time can be asked for at most {MOST_OTHER_TIMES} times; write to the support worker"
    )]
    TooMany,
    /// What was asked for has faults.
    #[error("what is asked for is not right")]
    Invalid(Vec<Invalid>),
}

/// Why a proposal cannot be withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WithdrawProposalError {
    /// It is closed.
    #[error(transparent)]
    NotOpen(#[from] ProposalNotOpen),
}

/// Why a proposal does not lapse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LapseProposalError {
    /// It is closed.
    #[error(transparent)]
    NotOpen(#[from] ProposalNotOpen),
    /// The deadline was replaced by another.
    #[error("another deadline has taken its place")]
    Superseded,
    /// The deadline comes too early.
    #[error("due at {0}")]
    Early(DateTime<Utc>),
}

/// Why a visit can be neither proposed nor booked under the terms in force.
enum NotUnderTerms {
    NoTerms,
    NotCovered(NotCovered),
}

/// What a booking takes over from the terms in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnderTerms {
    /// Their version.
    pub version: u32,
    /// What the service costs under them.
    pub rates: BookedRates,
}

/// The terms in force, and what a visit that begins at `from` costs under them.
fn priced(
    engagement: &Engagement,
    visit: &VisitDetails,
    from: DateTime<Utc>,
    holidays: &[NaiveDate],
) -> Result<(UnderTerms, VisitPrice), NotUnderTerms> {
    let agreed = engagement.terms.as_ref().ok_or(NotUnderTerms::NoTerms)?;
    let rates = agreed.rates(visit.service, holidays);
    let rates = rates.map_err(NotUnderTerms::NotCovered)?;
    let price = rates.price(from, visit.zone(), visit.minutes);
    let price = price.map_err(NotUnderTerms::NotCovered)?;
    let version = agreed.version;
    Ok((UnderTerms { version, rates }, price))
}

impl From<NotUnderTerms> for ProposeVisitError {
    fn from(lacking: NotUnderTerms) -> Self {
        match lacking {
            NotUnderTerms::NoTerms => Self::NoTerms,
            NotUnderTerms::NotCovered(lacking) => Self::NotCovered(lacking),
        }
    }
}

impl From<NotUnderTerms> for AcceptProposalError {
    fn from(lacking: NotUnderTerms) -> Self {
        match lacking {
            NotUnderTerms::NoTerms => Self::NoTerms,
            NotUnderTerms::NotCovered(lacking) => Self::NotCovered(lacking),
        }
    }
}

fn revision(
    number: u32,
    engagement: &Engagement,
    proposed: ProposedVisit,
    acting: Acting,
    under: Conditions<'_>,
    now: DateTime<Utc>,
) -> Result<Revision, ProposeVisitError> {
    engagement.must_be_open()?;
    let ProposedVisit { visit, repeats } = proposed;
    let mut findings = Findings::default();
    let times = visit.find_faults("/visit", under.policy, now, &mut findings);
    let occurrences = match (&repeats, times) {
        (Some(repeats), Some(_)) => repeats.proposed(&visit, "/repeats", &mut findings),
        (Some(_), None) | (None, _) => None,
    };
    findings.into_result().map_err(ProposeVisitError::Invalid)?;
    // A visit without times has faults.
    let times = times.ok_or_else(|| ProposeVisitError::Invalid(Vec::new()))?;
    let (terms, price) = priced(engagement, &visit, times.from, under.holidays)?;
    let all = occurrences.iter().flatten().map(Occurrence::times);
    let all: Vec<Times> = [times].into_iter().chain(all).collect();
    let series = match repeats.zip(occurrences) {
        Some((repeats, occurrences)) => {
            let offer = SeriesOffer::of(repeats, &occurrences, &visit, terms.rates);
            Some(offer.map_err(ProposeVisitError::NotCovered)?)
        }
        None => None,
    };
    Ok(Revision {
        number,
        at: now,
        acting,
        from: times.from,
        until: times.until,
        price,
        cancellation: (under.cancellation).terms(times.from, visit.zone(), under.holidays),
        warnings: visit.warnings(&all, under.policy, under.away),
        visit,
        series,
    })
}

/// A change is no longer wanted either once the visit begins as it is booked.
fn lapses_at(revision: &Revision, changes: Option<&Change>, policy: &Policy) -> DateTime<Utc> {
    let stands = TimeDelta::days(i64::from(policy.offer_days));
    let begins = changes.map_or(revision.from, |change| revision.from.min(change.from));
    begins.min(revision.at + stands)
}

impl Proposal {
    /// A support worker proposes a visit.
    ///
    /// # Errors
    /// See [`ProposeVisitError`].
    pub fn propose(
        id: ProposalId,
        engagement: &Engagement,
        proposed: impl Into<ProposedVisit>,
        acting: Acting,
        under: Conditions<'_>,
        now: DateTime<Utc>,
    ) -> Result<Self, ProposeVisitError> {
        Self::propose_for(id, None, engagement, proposed.into(), acting, under, now)
    }

    pub(super) fn propose_for(
        id: ProposalId,
        changes: Option<Change>,
        engagement: &Engagement,
        proposed: ProposedVisit,
        acting: Acting,
        under: Conditions<'_>,
        now: DateTime<Utc>,
    ) -> Result<Self, ProposeVisitError> {
        let current = revision(1, engagement, proposed, acting, under, now)?;
        Ok(Self {
            id,
            engagement: engagement.id,
            client: engagement.client,
            worker: engagement.worker,
            state: ProposalState::Open,
            lapses_at: lapses_at(&current, changes.as_ref(), under.policy),
            changes,
            current,
            earlier: Vec::new(),
            other_times: Vec::new(),
            deadline_generation: 1,
            refusal: None,
            closed_at: None,
            visit: None,
            series: None,
            policy_version: under.policy.version,
        })
    }

    /// Whether anything can still become of it at `now`.
    ///
    /// # Errors
    /// See [`ProposalNotOpen`].
    pub fn must_be_open(&self, now: DateTime<Utc>) -> Result<(), ProposalNotOpen> {
        match self.state_at(now) {
            ProposalState::Open => Ok(()),
            ProposalState::Accepted => Err(ProposalNotOpen::Accepted),
            ProposalState::Declined => Err(ProposalNotOpen::Declined),
            ProposalState::Withdrawn => Err(ProposalNotOpen::Withdrawn),
            ProposalState::Lapsed => Err(ProposalNotOpen::Lapsed),
        }
    }

    /// The support worker puts another visit in the place of the one proposed, under the next number.
    ///
    /// # Errors
    /// See [`ReviseProposalError`].
    pub fn revise(
        &self,
        engagement: &Engagement,
        proposed: impl Into<ProposedVisit>,
        acting: Acting,
        under: Conditions<'_>,
        now: DateTime<Utc>,
    ) -> Result<Self, ReviseProposalError> {
        self.must_be_open(now)?;
        let proposed = proposed.into();
        if self.changes.is_some() && proposed.repeats.is_some() {
            let mut findings = Findings::default();
            findings.add(
                "/repeats",
                "is nothing that a booked visit can be changed to",
            );
            let refused = findings.into_result().map_err(ProposeVisitError::Invalid);
            refused?;
        }
        if self.earlier.len().saturating_add(1) >= MOST_REVISIONS {
            return Err(ReviseProposalError::TooMany);
        }
        let number = self.current.number.saturating_add(1);
        let current = revision(number, engagement, proposed, acting, under, now)?;
        let lapses_at = lapses_at(&current, self.changes.as_ref(), under.policy);
        let moved = u32::from(lapses_at != self.lapses_at);
        let mut next = self.clone();
        next.earlier
            .push(std::mem::replace(&mut next.current, current));
        next.lapses_at = lapses_at;
        next.deadline_generation = next.deadline_generation.saturating_add(moved);
        next.policy_version = under.policy.version;
        Ok(next)
    }

    /// The client accepts exactly revision `number`. It changes the visit that it is about, or books one under the
    /// id `fresh`, or a series whose id is made from it, under the terms that come with it.
    ///
    /// INVARIANT: what is booked is what the client saw, at the price that they saw. Any other revision than the
    /// current one is refused.
    ///
    /// # Errors
    /// See [`AcceptProposalError`].
    pub fn accept(
        &self,
        number: u32,
        engagement: &Engagement,
        fresh: VisitId,
        holidays: &[NaiveDate],
        now: DateTime<Utc>,
    ) -> Result<(Self, UnderTerms), AcceptProposalError> {
        self.must_be_open(now)?;
        let current = self.current.number;
        if number != current {
            return Err(AcceptProposalError::StaleRevision { current });
        }
        engagement.must_be_open()?;
        let seen = &self.current;
        let (terms, price) = priced(engagement, &seen.visit, seen.from, holidays)?;
        let same = match &seen.series {
            Some(series) => series.costs_the_same(&seen.visit, &terms.rates),
            None => true,
        };
        if price != seen.price || !same {
            return Err(AcceptProposalError::PriceChanged);
        }
        let visit = match (&self.changes, &seen.series) {
            (Some(change), _) => Some(change.visit),
            (None, Some(_)) => None,
            (None, None) => Some(fresh),
        };
        let accepted = Self {
            visit,
            series: visit.is_none().then(|| series_id(fresh)),
            ..self.closed(ProposalState::Accepted, now)
        };
        Ok((accepted, terms))
    }

    /// The client does not want the visit.
    ///
    /// # Errors
    /// See [`DeclineProposalError`].
    pub fn decline(&self, why: Reasoned, now: DateTime<Utc>) -> Result<Self, DeclineProposalError> {
        self.must_be_open(now)?;
        Ok(Self {
            refusal: Some(why),
            ..self.closed(ProposalState::Declined, now)
        })
    }

    /// The client would like the visit at another time. The proposal stands meanwhile.
    ///
    /// # Errors
    /// See [`AskOtherTimeError`].
    pub fn ask_other_time(
        &self,
        text: &str,
        times: Option<WishedTimes>,
        acting: Acting,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Result<Self, AskOtherTimeError> {
        self.must_be_open(now)?;
        let mut findings = Findings::default();
        findings.text("/text", text, 1, 500);
        if let Some(times) = times {
            let visit = &self.current.visit;
            times.find_faults(visit, "/times", policy, now, &mut findings);
        }
        findings.into_result().map_err(AskOtherTimeError::Invalid)?;
        if self.other_times.len() >= MOST_OTHER_TIMES {
            return Err(AskOtherTimeError::TooMany);
        }
        let mut next = self.clone();
        next.other_times.push(OtherTime {
            at: now,
            acting,
            text: text.trim().to_owned(),
            times,
        });
        Ok(next)
    }

    /// The support worker takes it back.
    ///
    /// # Errors
    /// See [`WithdrawProposalError`].
    pub fn withdraw(&self, now: DateTime<Utc>) -> Result<Self, WithdrawProposalError> {
        self.must_be_open(now)?;
        Ok(self.closed(ProposalState::Withdrawn, now))
    }

    /// Its time has come unaccepted.
    ///
    /// # Errors
    /// See [`LapseProposalError`].
    pub fn lapse(&self, generation: u32, now: DateTime<Utc>) -> Result<Self, LapseProposalError> {
        let closed = match self.state {
            ProposalState::Open => None,
            ProposalState::Accepted => Some(ProposalNotOpen::Accepted),
            ProposalState::Declined => Some(ProposalNotOpen::Declined),
            ProposalState::Withdrawn => Some(ProposalNotOpen::Withdrawn),
            ProposalState::Lapsed => Some(ProposalNotOpen::Lapsed),
        };
        if let Some(closed) = closed {
            return Err(closed.into());
        }
        if generation != self.deadline_generation {
            return Err(LapseProposalError::Superseded);
        }
        if now < self.lapses_at {
            return Err(LapseProposalError::Early(self.lapses_at));
        }
        Ok(self.closed(ProposalState::Lapsed, now))
    }

    fn closed(&self, state: ProposalState, now: DateTime<Utc>) -> Self {
        Self {
            state,
            closed_at: Some(now),
            ..self.clone()
        }
    }
}
