//! Engagements: the connection that an accepted invitation opens.

mod operations;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use operations::{
    EndEngagementError, PauseEngagementError, ReopenEngagementError, ResumeEngagementError,
};

use crate::access::Acting;
use crate::id::{ClientId, EngagementId, InvitationId, MatchRequestId, OfferId, VisitId, WorkerId};
use crate::terms::AgreedTerms;
use crate::vocabulary::Vocabulary;

vocabulary! {
    /// One of the two who are connected.
    Side {
        Client = "client", "The client";
        Worker = "worker", "The support worker";
    }

    /// Where an engagement stands.
    EngagementState {
        Open = "open", "Open";
        Paused = "paused", "Paused";
        Ended = "ended", "Ended";
    }

    /// Something that happened in an engagement: a line of its conversation, and what its people hear of.
    Happening {
        EngagementOpened = "engagement_opened", "The engagement was opened";
        EngagementPaused = "engagement_paused", "The engagement was paused";
        EngagementResumed = "engagement_resumed", "The engagement was resumed";
        EngagementEnded = "engagement_ended", "The engagement has ended";
        EngagementReopened = "engagement_reopened", "The engagement was opened again";
        VisitsStopped = "visits_stopped", "Visits are cancelled";
        MessageSent = "message_sent", "A message was sent";
        ConversationRead = "conversation_read", "Staff read the conversation";
        MeetingOffered = "meeting_offered", "An introductory meeting was offered";
        MeetingAccepted = "meeting_accepted", "An introductory meeting was accepted";
        MeetingDeclined = "meeting_declined", "An introductory meeting was declined";
        MeetingWithdrawn = "meeting_withdrawn", "An introductory meeting was called off";
        MeetingRecorded = "meeting_recorded", "What was agreed in the introductory meeting was written down";
        MeetingConfirmed = "meeting_confirmed", "What was agreed in the introductory meeting was confirmed";
        OfferMade = "offer_made", "Terms were offered";
        OfferCountered = "offer_countered", "An offer was answered with other terms";
        OfferAccepted = "offer_accepted", "Terms were agreed";
        OfferWithdrawn = "offer_withdrawn", "An offer was withdrawn";
        OfferLapsed = "offer_lapsed", "An offer has lapsed";
        TermsReversed = "terms_reversed", "Staff took an agreement on terms back";
        ProposalMade = "proposal_made", "A visit was proposed";
        ProposalRevised = "proposal_revised", "A proposed visit was revised";
        AnotherTimeAsked = "another_time_asked", "Another time was asked for";
        ProposalDeclined = "proposal_declined", "A proposed visit was declined";
        ProposalWithdrawn = "proposal_withdrawn", "A proposed visit was withdrawn";
        ProposalLapsed = "proposal_lapsed", "A proposed visit has lapsed";
        VisitBooked = "visit_booked", "A visit was booked";
        VisitStarted = "visit_started", "A visit has begun";
        VisitCompleted = "visit_completed", "A visit was completed";
        VisitCancelled = "visit_cancelled", "A visit was cancelled";
        ChangeRequested = "change_requested", "A change to a visit was asked for";
        ChangeWithdrawn = "change_withdrawn", "A request to change a visit was withdrawn";
        ChangeRefused = "change_refused", "A change to a visit was refused";
        ChangeProposed = "change_proposed", "A change to a visit was proposed";
        VisitChanged = "visit_changed", "A visit was changed";
        SeriesBooked = "series_booked", "A series of visits was booked";
        SeriesEnded = "series_ended", "A series of visits was ended";
        VisitReminder = "visit_reminder", "A visit is coming up";
        VisitNotStarted = "visit_not_started", "A visit has not begun";
        VisitMissed = "visit_missed", "A visit did not take place";
        VisitConfirmed = "visit_confirmed", "A visit was confirmed";
        VisitDisputed = "visit_disputed", "A visit was disputed";
        DisputeSettled = "dispute_settled", "A dispute about a visit was settled";
        ChargeWaived = "charge_waived", "The charge for a cancelled visit was waived";
        CoverSought = "cover_sought", "Somebody else is looked for to come to a visit";
        CoverAccepted = "cover_accepted", "Somebody else can come to a visit";
        CoverBooked = "cover_booked", "Somebody else comes to a visit";
        CoverDeclined = "cover_declined", "Somebody who could have come to a visit was declined";
        CoverUnfilled = "cover_unfilled", "Nobody else was found to come to a visit";
        CoverWithdrawn = "cover_withdrawn", "Nobody else is looked for any more to come to a visit";
        VisitCorrected = "visit_corrected", "What was written down of a visit was corrected";
        VisitNotFinished = "visit_not_finished", "A visit should be over";
        VisitRecordedLate = "visit_recorded_late", "A visit that counted as missed was written down";
    }
}

impl Side {
    /// The one opposite.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Worker,
            Self::Worker => Self::Client,
        }
    }
}

/// The connection of one client with one support worker; owns one conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engagement {
    /// Which.
    pub id: EngagementId,
    /// The client.
    pub client: ClientId,
    /// The support worker.
    pub worker: WorkerId,
    /// The match request it came from.
    pub match_request: MatchRequestId,
    /// The invitation that was accepted; none where the support worker came to cover a visit.
    pub invitation: Option<InvitationId>,
    /// The visit that it was opened to cover, where no invitation opened it.
    #[serde(default)]
    pub opened_to_cover: Option<VisitId>,
    /// Where it stands.
    pub state: EngagementState,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// Who paused it, while it is paused.
    pub pause: Option<Reasoned>,
    /// Who stopped the visits in it for the sake of somebody's safety, until it is resumed: what was still to come is
    /// cancelled, at no charge.
    #[serde(default)]
    pub stopped: Option<Reasoned>,
    /// Who ended it, once it has ended.
    pub end: Option<Reasoned>,
    /// What whoever ended it wrote to the other side.
    #[serde(default)]
    pub parting_message: Option<String>,
    /// The visits that its end cancelled at a charge, which the client acknowledged.
    #[serde(default)]
    pub charged_at_end: BTreeSet<VisitId>,
    /// The terms in force; none until some are agreed.
    pub terms: Option<AgreedTerms>,
    /// How many offers there have been.
    pub offers: u32,
    /// The offer that waits for an answer.
    ///
    /// INVARIANT: one at a time, since whatever makes or closes an offer writes this record.
    pub open_offer: Option<OfferId>,
    /// Routines, boundaries and special requests agreed in meetings: part of all terms offered from then on.
    pub understandings: Vec<Understanding>,
}

vocabulary! {
    /// What something agreed in a meeting is about.
    UnderstandingKind {
        Routine = "routine", "A routine";
        Boundary = "boundary", "A boundary";
        SpecialRequest = "special_request", "A special request";
    }
}

/// Something agreed in an introductory meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Understanding {
    /// What it is about.
    pub kind: UnderstandingKind,
    /// What was agreed.
    #[schema(
        min_length = 1,
        max_length = 500,
        example = "Tea before anything else, and shoes off at the door."
    )]
    pub text: String,
}

/// A step somebody took, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Reasoned {
    /// On which side; none for staff.
    pub side: Option<Side>,
    /// Who.
    pub acting: Acting,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: String,
}

/// Why something cannot be done in an engagement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EngagementNotOpen {
    /// Paused.
    #[error("the engagement is paused; resume it first")]
    Paused,
    /// Ended.
    #[error("the engagement has ended")]
    Ended,
}

impl Engagement {
    /// What an accepted invitation opens.
    #[must_use]
    pub const fn open(
        id: EngagementId,
        client: ClientId,
        worker: WorkerId,
        match_request: MatchRequestId,
        invitation: InvitationId,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            client,
            worker,
            match_request,
            invitation: Some(invitation),
            opened_to_cover: None,
            state: EngagementState::Open,
            opened_at: now,
            pause: None,
            stopped: None,
            end: None,
            parting_message: None,
            charged_at_end: BTreeSet::new(),
            terms: None,
            offers: 0,
            open_offer: None,
            understandings: Vec::new(),
        }
    }

    /// What a support worker's coming to cover `visit`, booked in `covered`, opens. The visit is priced as it was
    /// booked; terms of their own the two have yet to agree on.
    #[must_use]
    pub const fn open_to_cover(
        id: EngagementId,
        covered: &Self,
        visit: VisitId,
        worker: WorkerId,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            client: covered.client,
            worker,
            match_request: covered.match_request,
            invitation: None,
            opened_to_cover: Some(visit),
            state: EngagementState::Open,
            opened_at: now,
            pause: None,
            stopped: None,
            end: None,
            parting_message: None,
            charged_at_end: BTreeSet::new(),
            terms: None,
            offers: 0,
            open_offer: None,
            understandings: Vec::new(),
        }
    }

    /// Whether new things may be begun in it.
    ///
    /// # Errors
    /// See [`EngagementNotOpen`].
    pub const fn must_be_open(&self) -> Result<(), EngagementNotOpen> {
        match self.state {
            EngagementState::Open => Ok(()),
            EngagementState::Paused => Err(EngagementNotOpen::Paused),
            EngagementState::Ended => Err(EngagementNotOpen::Ended),
        }
    }

    /// Whether it still connects its people: an ended one can be read, and nothing else.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.state != EngagementState::Ended
    }
}
