//! What people hear of what happened in an engagement: who did it and what it says stands in the app.

use domain::engagement::Happening;
use domain::id::VisitId;
use domain::visit::{Visit, VisitState};
use domain::vocabulary::Vocabulary;
use store::{Key, StoreError};

use super::Text;
use crate::context::Context;

/// The notice of something that happened, with the time of the visit that it is about, as it stands now. None for
/// what has come to nothing since: nobody is reminded of a visit that was cancelled.
pub(super) async fn text(
    context: &Context,
    happening: Happening,
    visit: Option<VisitId>,
) -> Result<Option<Text>, StoreError> {
    let visit = match visit {
        Some(visit) => context.store.get::<Visit>(&Key::visit(visit)).await?,
        None => None,
    };
    let cancelled = |visit: &Visit| visit.state == VisitState::Cancelled;
    if happening == Happening::VisitReminder
        && (visit.as_ref()).is_none_or(|visit| cancelled(&visit.value))
    {
        return Ok(None);
    }
    let body = match visit {
        Some(visit) => format!("{}\n\nThe visit: {}.", body(happening), visit.value.when()),
        None => body(happening).to_owned(),
    };
    Ok(Some(Text {
        subject: happening.label().to_owned(),
        body,
    }))
}

const fn body(happening: Happening) -> &'static str {
    match happening {
        Happening::EngagementOpened => {
            "You can now see who the other is, and write to each other in the app."
        }
        Happening::EngagementPaused => {
            "No new visits can be arranged while the engagement is paused. What is on your schedule stays booked."
        }
        Happening::EngagementResumed => "You can arrange visits again.",
        Happening::EngagementEnded => {
            "Visits that were still booked are cancelled. What was said and done can still be read in the app."
        }
        Happening::EngagementReopened => {
            "Our staff opened the engagement again, because it was ended by mistake."
        }
        Happening::VisitsStopped => {
            "The engagement is paused, and the visits that were still to come are cancelled. Nothing is charged for them."
        }
        Happening::MessageSent => "You can read the message and reply to it in the app.",
        Happening::ConversationRead => {
            "A member of our staff read your conversation. When and why can be seen in the app."
        }
        Happening::MeetingOffered => {
            "You can accept or decline the meeting in the app. It is not a paid visit."
        }
        Happening::MeetingAccepted => "Place and time can be seen in the app.",
        Happening::MeetingDeclined => "You can offer another one in the app.",
        Happening::MeetingWithdrawn => "You can offer another one in the app.",
        Happening::MeetingRecorded => {
            "Please look in the app whether it is what you agreed, and confirm it."
        }
        Happening::MeetingConfirmed => "It is part of all terms that you agree on from now on.",
        Happening::OfferMade | Happening::OfferCountered => {
            "You can accept the terms, or answer with others, in the app."
        }
        Happening::OfferAccepted => "You can find the terms in the app.",
        Happening::OfferWithdrawn => "There is nothing you need to do.",
        Happening::OfferLapsed => {
            "It was not answered in time. A new offer can be made at any time."
        }
        Happening::TermsReversed => {
            "Our staff took back an agreement that was made by mistake. The terms from before it hold again."
        }
        Happening::ProposalMade | Happening::ProposalRevised => {
            "You can accept exactly this visit, decline it, or ask for another time, in the app."
        }
        Happening::AnotherTimeAsked => "You can revise the proposed visit in the app.",
        Happening::ProposalDeclined => "You can propose another visit in the app.",
        Happening::ProposalWithdrawn => "There is nothing you need to do.",
        Happening::ProposalLapsed => "It was not accepted before its time came.",
        Happening::VisitBooked => "It is on your schedule.",
        Happening::VisitStarted => "You can see it on your schedule.",
        Happening::VisitCompleted => {
            "What was written down of it can be confirmed or disputed in the app. Left alone, it is confirmed after a day."
        }
        Happening::VisitCorrected => {
            "What is written down of it now can be confirmed or disputed in the app. Left alone, it is confirmed after a day."
        }
        Happening::VisitRecordedLate => {
            "It can be confirmed or disputed in the app. Nothing is charged for it unless it is confirmed."
        }
        Happening::VisitNotFinished => {
            "Please say in the app when it really ended: nothing can be paid for it before."
        }
        Happening::VisitCancelled => "It is no longer on your schedule.",
        Happening::ChangeRequested => {
            "What is booked stands until another time is accepted. You can propose one in the app."
        }
        Happening::ChangeWithdrawn => "What is booked stands.",
        Happening::ChangeRefused => "What is booked stands.",
        Happening::ChangeProposed => {
            "What is booked stands until you accept another time. You can look at it in the app."
        }
        Happening::VisitChanged => "Your schedule shows when and where it takes place now.",
        Happening::SeriesBooked => "All of its visits are on your schedule.",
        Happening::SeriesEnded => "Those of its visits that were still to come are cancelled.",
        Happening::VisitReminder => "When and where can be seen on your schedule.",
        Happening::VisitNotStarted => {
            "It should have begun by now. If it has, the support worker can still say so in the app. Our staff are looking into it."
        }
        Happening::VisitMissed => "It did not begin, and its time is over. It costs nothing.",
        Happening::VisitConfirmed => "What it costs stands on the statement of the month.",
        Happening::VisitDisputed => {
            "The client does not agree with what was written down. Our staff will hear both sides."
        }
        Happening::DisputeSettled => "What was decided can be seen with the visit.",
        Happening::ChargeWaived => "Nothing is charged for the cancelled visit.",
        Happening::CoverSought => {
            "We are asking others who could come instead, those whom the client knows first."
        }
        Happening::CoverAccepted => "Please look in the app at who could come, and confirm it.",
        Happening::CoverBooked => "Who comes can be seen on the schedule.",
        Happening::CoverDeclined => "We go on asking others.",
        Happening::CoverUnfilled => "Nobody else could come. Our staff will be in touch.",
        Happening::CoverWithdrawn => "There is nothing you need to do.",
    }
}
