//! What the rules of a negotiation refuse, as problems.

use axum::http::StatusCode;
use domain::terms::{
    AcceptOfferError, CounterOfferError, MakeOfferError, OfferNotOpen, OfferState,
    ReverseTermsError, WithdrawOfferError,
};
use domain::vocabulary::Vocabulary;

use crate::problem::Problem;

fn own_offer(why: impl ToString) -> Problem {
    let title = "It is for the other side to answer this offer";
    Problem::new(StatusCode::FORBIDDEN, "own-offer", title).detail(why)
}

impl From<OfferNotOpen> for Problem {
    fn from(error: OfferNotOpen) -> Self {
        match error {
            OfferNotOpen::StaleVersion { open } => {
                Self::wrong_state("offer-stale-version", error).with("open_version", open)
            }
            OfferNotOpen::Lapsed | OfferNotOpen::Closed(OfferState::Lapsed) => {
                Self::wrong_state("offer-lapsed", OfferNotOpen::Lapsed)
            }
            OfferNotOpen::Closed(
                state @ (OfferState::Open
                | OfferState::Accepted
                | OfferState::Countered
                | OfferState::Withdrawn),
            ) => Self::wrong_state("offer-closed", error).with("state", state.code()),
        }
    }
}

impl From<MakeOfferError> for Problem {
    fn from(error: MakeOfferError) -> Self {
        match error {
            MakeOfferError::Engagement(why) => why.into(),
            MakeOfferError::OfferOpen(version) => {
                Self::wrong_state("offer-open", &error).with("open_version", version)
            }
            MakeOfferError::Invalid(faults) => Self::invalid(faults),
        }
    }
}

impl From<CounterOfferError> for Problem {
    fn from(error: CounterOfferError) -> Self {
        match error {
            CounterOfferError::Engagement(why) => why.into(),
            CounterOfferError::OwnOffer => own_offer(error),
            CounterOfferError::NotOpen(why) => why.into(),
            CounterOfferError::Invalid(faults) => Self::invalid(faults),
        }
    }
}

impl From<AcceptOfferError> for Problem {
    fn from(error: AcceptOfferError) -> Self {
        match error {
            AcceptOfferError::Engagement(why) => why.into(),
            AcceptOfferError::OwnOffer => own_offer(error),
            AcceptOfferError::NotOpen(why) => why.into(),
            AcceptOfferError::Invalid(faults) => Self::invalid(faults),
        }
    }
}

impl From<WithdrawOfferError> for Problem {
    fn from(error: WithdrawOfferError) -> Self {
        match error {
            WithdrawOfferError::Engagement(why) => why.into(),
            WithdrawOfferError::NotYourOffer => {
                let title = "It is for the side that made the offer to withdraw it";
                Self::new(StatusCode::FORBIDDEN, "not-your-offer", title).detail(error)
            }
            WithdrawOfferError::NotOpen(why) => why.into(),
        }
    }
}

impl From<ReverseTermsError> for Problem {
    fn from(error: ReverseTermsError) -> Self {
        match error {
            ReverseTermsError::NoTerms => Self::wrong_state("no-terms-yet", error),
            ReverseTermsError::Moved => Self::wrong_state("terms-moved", error),
        }
    }
}
