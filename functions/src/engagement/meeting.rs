//! Introductory meetings: offered, answered, written down and confirmed.

mod view;

use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::engagement::{Engagement, EngagementNotOpen, Happening, Understanding};
use domain::id::{EngagementId, MeetingId};
use domain::meeting::{
    AcceptMeetingError, ConfirmMeetingError, DeclineMeetingError, Meeting, MeetingDetails,
    OfferMeetingError, RecordMeetingError, Step, WithdrawMeetingError,
};
use serde::Deserialize;
use store::{Commit, Key, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::view::MeetingView;
use crate::body::{Command, IdempotencyKey, Nothing};
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::conversation::tell;
use crate::page::{Listed, PageQuery};
use crate::path::{Path, Query};
use crate::perform::{Decision, Tagged, once};
use crate::problem::Problem;
use crate::standing::{Party, act_in_engagement, in_engagement};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list_meetings, offer_meeting))
        .routes(routes!(show_meeting))
        .routes(routes!(accept_meeting))
        .routes(routes!(decline_meeting))
        .routes(routes!(withdraw_meeting))
        .routes(routes!(record_meeting))
        .routes(routes!(confirm_meeting))
}

/// List the introductory meetings of an engagement
///
/// For both sides, the newest offer first.
#[utoipa::path(get, path = "/v1/engagements/{engagement}/meetings", tag = "engagements",
    params(("engagement" = EngagementId, Path), PageQuery),
    responses((status = 200, body = Listed<MeetingView>, example = json!({"items": []})))
)]
async fn list_meetings(
    State(context): State<Shared>,
    caller: Caller,
    Path(engagement): Path<EngagementId>,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    let party = in_engagement(&context, &caller, engagement).await?;
    let pk = Key::engagement(engagement).pk;
    let (limit, cursor) = (page.limit(), page.cursor());
    let found = context
        .store
        .list(&pk, "MEET#", true, limit, cursor)
        .await?;
    let view = |meeting: Versioned<Meeting>| MeetingView::of(meeting.value, party.side);
    Ok(Listed::of(found, view).at(&uri))
}

/// Show an introductory meeting
#[utoipa::path(get, path = "/v1/engagements/{engagement}/meetings/{meeting}", tag = "engagements",
    params(("engagement" = EngagementId, Path), ("meeting" = MeetingId, Path)),
    responses((status = 200, body = MeetingView, example = json!({
        "id": "meet_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "engagement": "eng_0190b2f06bd47c5a9a3e5b7f21d4c8ab",
        "state": "recorded", "starts": "2026-03-10T10:00:00", "time_zone": "Australia/Brisbane",
        "from": "2026-03-10T00:00:00Z", "until": "2026-03-10T00:45:00Z", "minutes": 45,
        "how": {"in_person": {"suburb": "West End", "address": "The library's front door, 178 Boundary Street"}},
        "notes": "", "offered": {"by": "client", "at": "2026-03-06T02:00:00Z"},
        "answered": {"by": "worker", "at": "2026-03-06T05:00:00Z"},
        "record": {"number": 1, "by": "worker", "at": "2026-03-10T01:00:00Z", "notes": "",
                   "understandings": [{"kind": "routine", "text": "Tea before anything else, and shoes off at the door."}]},
        "confirmed": null
    })))
)]
async fn show_meeting(
    State(context): State<Shared>,
    caller: Caller,
    Path((engagement, meeting)): Path<(EngagementId, MeetingId)>,
) -> Result<Response, Problem> {
    let shown = show(&context, &caller, engagement, meeting).await?;
    Ok(shown.into_response())
}

async fn show(
    context: &Context,
    caller: &Caller,
    engagement: EngagementId,
    meeting: MeetingId,
) -> Result<Tagged<MeetingView>, Problem> {
    let side = in_engagement(context, caller, engagement).await?.side;
    let Versioned { version, value } = load(context, engagement, meeting).await?;
    let view = MeetingView::of(value, side);
    Ok(Tagged { version, view })
}

async fn load(
    context: &Context,
    engagement: EngagementId,
    meeting: MeetingId,
) -> Result<Versioned<Meeting>, Problem> {
    let found = context
        .store
        .get(&Key::meeting(engagement, meeting))
        .await?;
    found.ok_or_else(Problem::not_found)
}

/// Offer an introductory meeting
///
/// By either side, apart from paid visits. The other side accepts or declines it until it begins. An
/// address is shown to them once they have accepted.
#[utoipa::path(post, path = "/v1/engagements/{engagement}/meetings", tag = "engagements",
    params(("engagement" = EngagementId, Path)),
    request_body(content = MeetingDetails, example = json!({
        "starts": "2026-03-10T10:00:00", "time_zone": "Australia/Brisbane", "minutes": 45,
        "how": {"in_person": {"suburb": "West End", "address": "The library's front door, 178 Boundary Street"}},
        "notes": "My sister would like to join us."
    })),
    responses((status = 201, body = MeetingView))
)]
async fn offer_meeting(
    State(context): State<Shared>,
    caller: Caller,
    Path(engagement): Path<EngagementId>,
    command: Command<MeetingDetails>,
) -> Result<Response, Problem> {
    let done = once(&context, caller.person.value.id, &command.key, || async {
        let party = act_in_engagement(&context, &caller, engagement, None).await?;
        let details = command.body.clone();
        let within = &party.engagement.value;
        let by = step(&context, &party);
        let meeting = Meeting::offer(context.fresh(), within, details, by)?;
        let key = Key::engagement(engagement);
        let audit = context.audit(party.acting, "offer_meeting", &key);
        let commit = Commit::new(audit).insert(&meeting);
        let commit = told(
            &context,
            commit,
            &party,
            Happening::MeetingOffered,
            meeting.id,
        );
        Ok(Decision::new(party.insisted_on(commit), meeting.id))
    })
    .await?;
    let view = show(&context, &caller, engagement, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

fn step(context: &Context, party: &Party) -> Step {
    Step {
        side: party.side,
        acting: party.acting,
        at: context.now(),
    }
}

/// Whatever one side does with a meeting, the other hears of.
fn told(
    context: &Context,
    commit: Commit,
    party: &Party,
    happening: Happening,
    meeting: MeetingId,
) -> Commit {
    let about = Some(meeting.to_string());
    let engagement = &party.engagement.value;
    tell(
        context,
        commit,
        engagement,
        happening,
        about,
        party.side.other(),
    )
}

/// One POST about a meeting that is there.
struct Act<'a> {
    context: &'a Context,
    caller: &'a Caller,
    meeting: (EngagementId, MeetingId),
    key: &'a IdempotencyKey,
    operation: &'static str,
    happening: Happening,
}

impl Act<'_> {
    /// Does it once, and answers with the meeting as it is then.
    async fn apply<E>(
        self,
        operation: impl Fn(&Meeting, &Engagement, Step) -> Result<(Meeting, Option<Engagement>), E>
        + Sync,
    ) -> Result<Response, Problem>
    where
        Problem: From<E>,
        E: Send,
    {
        let Self {
            context, caller, ..
        } = self;
        let (engagement, meeting) = self.meeting;
        let done = once(context, caller.person.value.id, self.key, || async {
            let party = act_in_engagement(context, caller, engagement, None).await?;
            let was = load(context, engagement, meeting).await?;
            let within = &party.engagement;
            let (next, agreed) = operation(&was.value, &within.value, step(context, &party))?;
            let key = Key::engagement(engagement);
            let audit = context.audit(party.acting, self.operation, &key);
            let commit = Commit::new(audit).replace(&was, &next);
            let commit = match agreed {
                Some(agreed) => commit.replace(within, &agreed),
                None => commit,
            };
            let commit = told(context, commit, &party, self.happening, meeting);
            Ok(Decision::new(party.insisted_on(commit), meeting))
        })
        .await?;
        let view = show(context, caller, engagement, done.id()?).await?;
        Ok(done.answer(StatusCode::CREATED, view))
    }
}

/// Accept an introductory meeting
///
/// For the side that did not offer it, until it begins.
#[utoipa::path(post, path = "/v1/engagements/{engagement}/meetings/{meeting}/acceptance", tag = "engagements",
    params(("engagement" = EngagementId, Path), ("meeting" = MeetingId, Path)),
    request_body(content = Nothing, example = json!({})), responses((status = 201, body = MeetingView))
)]
async fn accept_meeting(
    State(context): State<Shared>,
    caller: Caller,
    Path(meeting): Path<(EngagementId, MeetingId)>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    let act = Act {
        context: &context,
        caller: &caller,
        meeting,
        key: &command.key,
        operation: "accept_meeting",
        happening: Happening::MeetingAccepted,
    };
    act.apply(|meeting, engagement, by| {
        Ok::<_, AcceptMeetingError>((meeting.accept(engagement, by)?, None))
    })
    .await
}

/// Decline an introductory meeting
#[utoipa::path(post, path = "/v1/engagements/{engagement}/meetings/{meeting}/refusal", tag = "engagements",
    params(("engagement" = EngagementId, Path), ("meeting" = MeetingId, Path)),
    request_body(content = Nothing, example = json!({})), responses((status = 201, body = MeetingView))
)]
async fn decline_meeting(
    State(context): State<Shared>,
    caller: Caller,
    Path(meeting): Path<(EngagementId, MeetingId)>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    let act = Act {
        context: &context,
        caller: &caller,
        meeting,
        key: &command.key,
        operation: "decline_meeting",
        happening: Happening::MeetingDeclined,
    };
    act.apply(|meeting, _, by| Ok::<_, DeclineMeetingError>((meeting.decline(by)?, None)))
        .await
}

/// Call an introductory meeting off
///
/// The side that offered it takes it back while it waits for an answer; either does once it was accepted,
/// until something is written down about it.
#[utoipa::path(post, path = "/v1/engagements/{engagement}/meetings/{meeting}/withdrawal", tag = "engagements",
    params(("engagement" = EngagementId, Path), ("meeting" = MeetingId, Path)),
    request_body(content = Nothing, example = json!({})), responses((status = 201, body = MeetingView))
)]
async fn withdraw_meeting(
    State(context): State<Shared>,
    caller: Caller,
    Path(meeting): Path<(EngagementId, MeetingId)>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    let act = Act {
        context: &context,
        caller: &caller,
        meeting,
        key: &command.key,
        operation: "withdraw_meeting",
        happening: Happening::MeetingWithdrawn,
    };
    act.apply(|meeting, _, by| Ok::<_, WithdrawMeetingError>((meeting.withdraw(by)?, None)))
        .await
}

/// What was agreed in a meeting.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RecordMeeting {
    /// Routines, boundaries and special requests.
    #[schema(max_items = 20)]
    understandings: Vec<Understanding>,
    /// What else was said.
    #[serde(default)]
    #[schema(max_length = 2000)]
    notes: String,
}

/// Write down what was agreed in an introductory meeting
///
/// By either side, again and again until the other side has confirmed it; the last record stands.
#[utoipa::path(post, path = "/v1/engagements/{engagement}/meetings/{meeting}/record", tag = "engagements",
    params(("engagement" = EngagementId, Path), ("meeting" = MeetingId, Path)),
    request_body(content = RecordMeeting, example = json!({
        "understandings": [{"kind": "routine", "text": "Tea before anything else, and shoes off at the door."},
                           {"kind": "boundary", "text": "No lifting without the hoist."}],
        "notes": "We got on well."
    })),
    responses((status = 201, body = MeetingView))
)]
async fn record_meeting(
    State(context): State<Shared>,
    caller: Caller,
    Path(meeting): Path<(EngagementId, MeetingId)>,
    command: Command<RecordMeeting>,
) -> Result<Response, Problem> {
    let act = Act {
        context: &context,
        caller: &caller,
        meeting,
        key: &command.key,
        operation: "record_meeting",
        happening: Happening::MeetingRecorded,
    };
    act.apply(|meeting, _, by| {
        let RecordMeeting {
            understandings,
            notes,
        } = command.body.clone();
        Ok::<_, RecordMeetingError>((meeting.record(understandings, notes, by)?, None))
    })
    .await
}

/// Which record is confirmed.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ConfirmMeeting {
    /// The record's number: one that was rewritten since is not confirmed by accident.
    #[schema(minimum = 1, example = 1)]
    record: u32,
}

/// Confirm what was agreed in an introductory meeting
///
/// By the side that did not write it down. It is part of all terms that are offered from then on.
#[utoipa::path(post, path = "/v1/engagements/{engagement}/meetings/{meeting}/confirmation", tag = "engagements",
    params(("engagement" = EngagementId, Path), ("meeting" = MeetingId, Path)),
    request_body = ConfirmMeeting, responses((status = 201, body = MeetingView))
)]
async fn confirm_meeting(
    State(context): State<Shared>,
    caller: Caller,
    Path(meeting): Path<(EngagementId, MeetingId)>,
    command: Command<ConfirmMeeting>,
) -> Result<Response, Problem> {
    let act = Act {
        context: &context,
        caller: &caller,
        meeting,
        key: &command.key,
        operation: "confirm_meeting",
        happening: Happening::MeetingConfirmed,
    };
    act.apply(|meeting, engagement, by| {
        let confirmed = meeting.confirm(engagement, command.body.record, by);
        confirmed.map(|(meeting, agreed)| (meeting, Some(agreed)))
    })
    .await
}

impl From<EngagementNotOpen> for Problem {
    fn from(error: EngagementNotOpen) -> Self {
        match error {
            EngagementNotOpen::Paused => Self::wrong_state("engagement-paused", error),
            EngagementNotOpen::Ended => Self::wrong_state("engagement-ended", error),
        }
    }
}

impl From<OfferMeetingError> for Problem {
    fn from(error: OfferMeetingError) -> Self {
        match error {
            OfferMeetingError::NotOpen(error) => error.into(),
            OfferMeetingError::Invalid(errors) => Self::invalid(errors),
        }
    }
}

impl From<AcceptMeetingError> for Problem {
    fn from(error: AcceptMeetingError) -> Self {
        match error {
            AcceptMeetingError::NotOpen(error) => error.into(),
            AcceptMeetingError::NotOffered => Self::wrong_state("meeting-not-offered", error),
            AcceptMeetingError::OwnOffer => Self::wrong_state("meeting-own-offer", error),
            AcceptMeetingError::Passed => Self::wrong_state("meeting-passed", error),
        }
    }
}

impl From<DeclineMeetingError> for Problem {
    fn from(error: DeclineMeetingError) -> Self {
        match error {
            DeclineMeetingError::NotOffered => Self::wrong_state("meeting-not-offered", error),
            DeclineMeetingError::OwnOffer => Self::wrong_state("meeting-own-offer", error),
        }
    }
}

impl From<WithdrawMeetingError> for Problem {
    fn from(error: WithdrawMeetingError) -> Self {
        match error {
            WithdrawMeetingError::OthersOffer => Self::wrong_state("meeting-others-offer", error),
            WithdrawMeetingError::Over => Self::wrong_state("meeting-over", error),
        }
    }
}

impl From<RecordMeetingError> for Problem {
    fn from(error: RecordMeetingError) -> Self {
        match error {
            RecordMeetingError::NotAccepted => Self::wrong_state("meeting-not-accepted", error),
            RecordMeetingError::AlreadyConfirmed => Self::wrong_state("meeting-confirmed", error),
            RecordMeetingError::Invalid(errors) => Self::invalid(errors),
        }
    }
}

impl From<ConfirmMeetingError> for Problem {
    fn from(error: ConfirmMeetingError) -> Self {
        match error {
            ConfirmMeetingError::NotRecorded => Self::wrong_state("meeting-not-recorded", error),
            ConfirmMeetingError::OwnRecord => Self::wrong_state("meeting-own-record", error),
            ConfirmMeetingError::StaleRecord => Self::wrong_state("meeting-record-stale", error),
            ConfirmMeetingError::TooMany => Self::wrong_state("understandings-full", error),
        }
    }
}
