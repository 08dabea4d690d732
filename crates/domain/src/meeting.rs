//! Introductory meetings: two who are connected get to know each other, apart from paid visits.

#[cfg(test)]
mod tests;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::access::Acting;
use crate::engagement::{Engagement, EngagementNotOpen, Side, Understanding};
use crate::id::{EngagementId, MeetingId};
use crate::invalid::{Findings, Invalid};
use crate::local_time::resolve;
use crate::vocabulary::Vocabulary;

/// How far ahead a meeting can be offered, in days.
const FARTHEST_DAYS: i64 = 365;
/// The most that is agreed in one meeting.
pub const MAX_MEETING_UNDERSTANDINGS: usize = 20;
/// The most that is agreed in all meetings of an engagement.
pub const MAX_UNDERSTANDINGS: usize = 60;

vocabulary! {
    /// Where an introductory meeting stands.
    MeetingState {
        Offered = "offered", "Offered";
        Accepted = "accepted", "Accepted";
        Declined = "declined", "Declined";
        Withdrawn = "withdrawn", "Called off";
        Recorded = "recorded", "Written down by one side";
        Confirmed = "confirmed", "Confirmed by the other side";
    }
}

/// When and how to meet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MeetingDetails {
    /// When it begins: local time in the time zone, without offset.
    #[schema(example = "2026-12-01T10:00:00", value_type = String)]
    pub starts: NaiveDateTime,
    /// IANA name of the time zone.
    #[schema(example = "Australia/Melbourne")]
    pub time_zone: String,
    /// How long it lasts.
    #[schema(minimum = 15, maximum = 120, example = 45)]
    pub minutes: u32,
    /// How to meet.
    pub how: MeetingHow,
    /// What else should be known.
    #[serde(default)]
    #[schema(max_length = 1000, example = "My sister would like to join us.")]
    pub notes: String,
}

/// How two people meet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum MeetingHow {
    /// In a video call.
    Video,
    /// By telephone.
    Telephone,
    /// In person.
    InPerson {
        /// The suburb or town.
        #[schema(min_length = 1, max_length = 80, example = "West End")]
        suburb: String,
        /// Where to meet. The other side sees it once they have accepted.
        #[schema(
            min_length = 1,
            max_length = 200,
            example = "The library's front door, 178 Boundary Street"
        )]
        address: String,
    },
}

/// A step of one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// On which side.
    pub side: Side,
    /// Who.
    pub acting: Acting,
    /// When.
    pub at: DateTime<Utc>,
}

/// An introductory meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meeting {
    /// Which.
    pub id: MeetingId,
    /// In which engagement.
    pub engagement: EngagementId,
    /// When and how.
    pub details: MeetingDetails,
    /// When it begins, as an instant.
    pub from: DateTime<Utc>,
    /// Where it stands.
    pub state: MeetingState,
    /// Who offered it.
    pub offered: Step,
    /// Who accepted, declined or called it off, whichever came last.
    pub answered: Option<Step>,
    /// What was agreed, as last written down.
    pub record: Option<MeetingRecord>,
    /// Who confirmed the record.
    pub confirmed: Option<Step>,
}

/// What was agreed in a meeting, as one side wrote it down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeetingRecord {
    /// Its number, from 1: a record that was rewritten is not confirmed by accident.
    pub number: u32,
    /// Who wrote it.
    pub by: Step,
    /// What was agreed.
    pub understandings: Vec<Understanding>,
    /// What else was said.
    pub notes: String,
}

/// Why no meeting is offered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OfferMeetingError {
    /// Nothing new is begun in the engagement.
    #[error(transparent)]
    NotOpen(#[from] EngagementNotOpen),
    /// The details have faults.
    #[error("the meeting is not right")]
    Invalid(Vec<Invalid>),
}

/// Why a meeting is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AcceptMeetingError {
    /// Nothing new is begun in the engagement.
    #[error(transparent)]
    NotOpen(#[from] EngagementNotOpen),
    /// Only what waits for an answer can be accepted.
    #[error("the meeting does not wait for an answer")]
    NotOffered,
    /// The other side answers.
    #[error("your side offered the meeting; the other side answers")]
    OwnOffer,
    /// Its time has come.
    #[error("the meeting's time has passed; offer another")]
    Passed,
}

/// Why a meeting is not declined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeclineMeetingError {
    /// Only what waits for an answer can be declined.
    #[error("the meeting does not wait for an answer")]
    NotOffered,
    /// The other side answers.
    #[error("your side offered the meeting; it can withdraw it")]
    OwnOffer,
}

/// Why a meeting is not called off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WithdrawMeetingError {
    /// The other side's offer is declined instead.
    #[error("the other side offered the meeting; you can decline it")]
    OthersOffer,
    /// It was declined or called off, or has taken place.
    #[error("the meeting can no longer be called off")]
    Over,
}

/// Why nothing is written down about a meeting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordMeetingError {
    /// Nobody has agreed to meet.
    #[error("the meeting was not accepted")]
    NotAccepted,
    /// What was written down is confirmed.
    #[error("what was agreed in the meeting is confirmed")]
    AlreadyConfirmed,
    /// What is written has faults.
    #[error("the record is not right")]
    Invalid(Vec<Invalid>),
}

/// Why a record is not confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConfirmMeetingError {
    /// There is none that waits for it.
    #[error("no record waits to be confirmed")]
    NotRecorded,
    /// The other side confirms.
    #[error("your side wrote the record; the other side confirms it")]
    OwnRecord,
    /// It was rewritten since.
    #[error("the record was rewritten since; read it again")]
    StaleRecord,
    /// All that is agreed would be too much.
    #[error(
        "with these there would be more than {MAX_UNDERSTANDINGS} understandings in the engagement"
    )]
    TooMany,
}

impl Meeting {
    /// One side offers to meet.
    ///
    /// # Errors
    /// Unless the engagement is open, and every fault of the details.
    pub fn offer(
        id: MeetingId,
        engagement: &Engagement,
        details: MeetingDetails,
        by: Step,
    ) -> Result<Self, OfferMeetingError> {
        engagement.must_be_open()?;
        let mut findings = Findings::default();
        let from = begins(&details, by.at, &mut findings);
        findings.check(
            (15..=120).contains(&details.minutes),
            "/minutes",
            "is a number of minutes, 15 to 120",
        );
        if let MeetingHow::InPerson { suburb, address } = &details.how {
            findings.text("/how/in_person/suburb", suburb, 1, 80);
            findings.text("/how/in_person/address", address, 1, 200);
        }
        findings.text("/notes", &details.notes, 0, 1000);
        findings.into_result().map_err(OfferMeetingError::Invalid)?;
        Ok(Self {
            id,
            engagement: engagement.id,
            details,
            from: from.unwrap_or(by.at),
            state: MeetingState::Offered,
            offered: by,
            answered: None,
            record: None,
            confirmed: None,
        })
    }

    /// The other side agrees to meet.
    ///
    /// # Errors
    /// See [`AcceptMeetingError`].
    pub fn accept(&self, engagement: &Engagement, by: Step) -> Result<Self, AcceptMeetingError> {
        if self.state != MeetingState::Offered {
            return Err(AcceptMeetingError::NotOffered);
        }
        if by.side == self.offered.side {
            return Err(AcceptMeetingError::OwnOffer);
        }
        if self.from <= by.at {
            return Err(AcceptMeetingError::Passed);
        }
        engagement.must_be_open()?;
        Ok(self.answered(MeetingState::Accepted, by))
    }

    /// The other side does not want to meet then, or so.
    ///
    /// # Errors
    /// See [`DeclineMeetingError`].
    pub fn decline(&self, by: Step) -> Result<Self, DeclineMeetingError> {
        if self.state != MeetingState::Offered {
            return Err(DeclineMeetingError::NotOffered);
        }
        if by.side == self.offered.side {
            return Err(DeclineMeetingError::OwnOffer);
        }
        Ok(self.answered(MeetingState::Declined, by))
    }

    /// The side that offered takes the offer back, or either calls off what both had agreed on.
    ///
    /// # Errors
    /// See [`WithdrawMeetingError`].
    pub fn withdraw(&self, by: Step) -> Result<Self, WithdrawMeetingError> {
        match self.state {
            MeetingState::Offered if by.side != self.offered.side => {
                Err(WithdrawMeetingError::OthersOffer)
            }
            MeetingState::Offered | MeetingState::Accepted => {
                Ok(self.answered(MeetingState::Withdrawn, by))
            }
            MeetingState::Declined
            | MeetingState::Withdrawn
            | MeetingState::Recorded
            | MeetingState::Confirmed => Err(WithdrawMeetingError::Over),
        }
    }

    /// Either side writes down what was agreed, or writes it anew.
    ///
    /// # Errors
    /// See [`RecordMeetingError`].
    pub fn record(
        &self,
        understandings: Vec<Understanding>,
        notes: String,
        by: Step,
    ) -> Result<Self, RecordMeetingError> {
        match self.state {
            MeetingState::Accepted | MeetingState::Recorded => {}
            MeetingState::Confirmed => return Err(RecordMeetingError::AlreadyConfirmed),
            MeetingState::Offered | MeetingState::Declined | MeetingState::Withdrawn => {
                return Err(RecordMeetingError::NotAccepted);
            }
        }
        let mut findings = Findings::default();
        findings.at_most(
            "/understandings",
            &understandings,
            MAX_MEETING_UNDERSTANDINGS,
        );
        for (place, understanding) in understandings.iter().enumerate() {
            let pointer = format!("/understandings/{place}/text");
            findings.text(pointer, &understanding.text, 1, 500);
        }
        findings.text("/notes", &notes, 0, 2000);
        findings
            .into_result()
            .map_err(RecordMeetingError::Invalid)?;
        let last = self.record.as_ref().map_or(0, |record| record.number);
        Ok(Self {
            state: MeetingState::Recorded,
            record: Some(MeetingRecord {
                number: last.saturating_add(1),
                by,
                understandings,
                notes,
            }),
            ..self.clone()
        })
    }

    /// The other side confirms exactly the record of this number, which becomes part of what the two have
    /// agreed on.
    ///
    /// # Errors
    /// See [`ConfirmMeetingError`].
    pub fn confirm(
        &self,
        engagement: &Engagement,
        number: u32,
        by: Step,
    ) -> Result<(Self, Engagement), ConfirmMeetingError> {
        let waiting = self.state == MeetingState::Recorded;
        let record = self.record.as_ref().filter(|_| waiting);
        let record = record.ok_or(ConfirmMeetingError::NotRecorded)?;
        if record.by.side == by.side {
            return Err(ConfirmMeetingError::OwnRecord);
        }
        if record.number != number {
            return Err(ConfirmMeetingError::StaleRecord);
        }
        let mut agreed = engagement.understandings.clone();
        for understanding in &record.understandings {
            // What was agreed before, in the same words, is not agreed twice.
            if !agreed.contains(understanding) {
                agreed.push(understanding.clone());
            }
        }
        if agreed.len() > MAX_UNDERSTANDINGS {
            return Err(ConfirmMeetingError::TooMany);
        }
        let confirmed = Self {
            state: MeetingState::Confirmed,
            confirmed: Some(by),
            ..self.clone()
        };
        let engagement = Engagement {
            understandings: agreed,
            ..engagement.clone()
        };
        Ok((confirmed, engagement))
    }

    /// Whether `side` may know the address: whoever offered, and the other once they have accepted.
    #[must_use]
    pub fn shows_address_to(&self, side: Side) -> bool {
        side == self.offered.side
            || matches!(
                self.state,
                MeetingState::Accepted | MeetingState::Recorded | MeetingState::Confirmed
            )
    }

    fn answered(&self, state: MeetingState, by: Step) -> Self {
        Self {
            state,
            answered: Some(by),
            ..self.clone()
        }
    }
}

/// When a meeting begins, if that is a time at which people could meet.
fn begins(
    details: &MeetingDetails,
    now: DateTime<Utc>,
    findings: &mut Findings,
) -> Option<DateTime<Utc>> {
    let from = resolve(details.starts, &details.time_zone, "", findings)?;
    findings.check(now < from, "/starts", "lies in the past");
    findings.check(
        from <= now + TimeDelta::days(FARTHEST_DAYS),
        "/starts",
        "lies more than a year ahead",
    );
    Some(from)
}
