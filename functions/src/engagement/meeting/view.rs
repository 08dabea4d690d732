//! An introductory meeting, as one side sees it.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use domain::engagement::{Side, Understanding};
use domain::id::{EngagementId, MeetingId};
use domain::meeting::{Meeting, MeetingHow, MeetingRecord, MeetingState, Step};
use serde::Serialize;
use utoipa::ToSchema;

/// An introductory meeting.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MeetingView {
    id: MeetingId,
    engagement: EngagementId,
    state: MeetingState,
    /// When it begins: local time in the time zone.
    #[schema(value_type = String)]
    starts: NaiveDateTime,
    /// IANA name of the time zone.
    time_zone: String,
    /// When it begins, as an instant.
    from: DateTime<Utc>,
    /// When it ends, as an instant.
    until: DateTime<Utc>,
    minutes: u32,
    how: HowView,
    notes: String,
    /// Who offered it.
    offered: StepView,
    /// Who accepted, declined or called it off, whichever came last.
    answered: Option<StepView>,
    /// What was agreed, as last written down.
    record: Option<RecordView>,
    /// Who confirmed it.
    confirmed: Option<StepView>,
}

/// How to meet.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum HowView {
    /// In a video call.
    Video,
    /// By telephone.
    Telephone,
    /// In person.
    InPerson {
        /// The suburb or town.
        suburb: String,
        /// Where to meet; left out for the other side until they have accepted.
        #[serde(skip_serializing_if = "Option::is_none")]
        address: Option<String>,
    },
}

/// A step of one side.
#[derive(Debug, Serialize, ToSchema)]
struct StepView {
    /// On which side.
    by: Side,
    at: DateTime<Utc>,
}

/// What was agreed, as one side wrote it down.
#[derive(Debug, Serialize, ToSchema)]
struct RecordView {
    /// What a confirmation has to name.
    number: u32,
    /// On which side it was written.
    by: Side,
    at: DateTime<Utc>,
    understandings: Vec<Understanding>,
    notes: String,
}

impl MeetingView {
    pub(super) fn of(meeting: Meeting, reader: Side) -> Self {
        let shows_address = meeting.shows_address_to(reader);
        let details = meeting.details;
        Self {
            id: meeting.id,
            engagement: meeting.engagement,
            state: meeting.state,
            starts: details.starts,
            time_zone: details.time_zone,
            from: meeting.from,
            until: meeting.from + TimeDelta::minutes(details.minutes.into()),
            minutes: details.minutes,
            how: match details.how {
                MeetingHow::Video => HowView::Video,
                MeetingHow::Telephone => HowView::Telephone,
                MeetingHow::InPerson { suburb, address } => HowView::InPerson {
                    suburb,
                    address: Some(address).filter(|_| shows_address),
                },
            },
            notes: details.notes,
            offered: meeting.offered.into(),
            answered: meeting.answered.map(StepView::from),
            record: meeting.record.map(RecordView::from),
            confirmed: meeting.confirmed.map(StepView::from),
        }
    }
}

impl From<Step> for StepView {
    fn from(Step { side, at, .. }: Step) -> Self {
        Self { by: side, at }
    }
}

impl From<MeetingRecord> for RecordView {
    fn from(record: MeetingRecord) -> Self {
        Self {
            number: record.number,
            by: record.by.side,
            at: record.by.at,
            understandings: record.understandings,
            notes: record.notes,
        }
    }
}
