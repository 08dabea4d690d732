//! Consuming due rows: what the queues and the local ticker call.
//!
//! A row is only ever a hint that something may be due. State is read again, and the effect's own
//! commit deletes the row, so that a row delivered twice, late or out of order has one effect.

use chrono::{DateTime, Utc};
use domain::due::Due;
use platform::mail::MailError;
use platform::trail;
use store::{Commit, CommitError, DueKey, PendingDue, StoreError};

use crate::context::Context;
use crate::matcher::MatcherError;
use crate::{
    candidate_release, check_expiry, conversation, cover, invitation_expiry, notification, on_call,
    proposal, safety, series, terms, visit,
};

/// How often an effect is decided again within one delivery.
const MOST_ROUNDS: usize = 8;

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consumed {
    /// The effect has happened, now or before, or is not wanted any more.
    Done,
    /// Not due yet: to be delivered again then.
    Early(DateTime<Utc>),
}

/// Why a row stays where it is and is tried again later.
#[derive(Debug, thiserror::Error)]
pub enum ConsumeError {
    /// The table gave no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Mail could not be handed over.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// The index does not answer.
    #[error(transparent)]
    Matcher(#[from] MatcherError),
    /// What the effect rests on kept changing.
    #[error("the row's aggregate is too busy")]
    Busy,
    /// The row is for another consumer.
    #[error("a row of another consumer was delivered")]
    Misrouted,
}

impl ConsumeError {
    /// A stable word for it, for staff who look at what failed.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Store(error) | Self::Matcher(MatcherError::Store(error)) => error.code(),
            Self::Mail(MailError::Unavailable(_)) => "mail_unavailable",
            Self::Mail(MailError::Unacceptable(_)) => "mail_unacceptable",
            Self::Matcher(MatcherError::Shard { .. }) => "shard_unusable",
            Self::Matcher(MatcherError::Search(_)) => "shard_unreadable",
            Self::Busy => "busy",
            Self::Misrouted => "misrouted",
        }
    }
}

/// What a due row calls for once state has been read.
pub enum Effect {
    /// This commit, which finishes the row.
    Commit(Box<Commit>),
    /// This commit, which leaves more to be done before the row is finished.
    Step(Box<Commit>),
    /// Nothing yet: the deadline is later than the row says.
    Early(DateTime<Utc>),
    /// Nothing any more: the deadline was moved, or what it was about has ended.
    Superseded,
}

impl From<Commit> for Effect {
    fn from(commit: Commit) -> Self {
        Self::Commit(Box::new(commit))
    }
}

/// Deals with one row.
///
/// # Errors
/// See [`ConsumeError`]; the row is still there then.
pub async fn consume(context: &Context, key: &DueKey) -> Result<Consumed, ConsumeError> {
    let Some(pending) = context.store.pending_due(key).await? else {
        return Ok(Consumed::Done);
    };
    trail::follows(pending.act);
    if context.now() < pending.row.at {
        return Ok(Consumed::Early(pending.row.at));
    }
    match &pending.row.due {
        Due::Notice { notice, event } => {
            carry_out(context, &pending, || {
                notification::fan_out(context, &pending, *notice, event)
            })
            .await
        }
        Due::Mail {
            notice,
            recipient,
            event,
        } => {
            let mail = || notification::send(context, &pending, *notice, *recipient, event);
            carry_out(context, &pending, mail).await
        }
        Due::CandidateRelease { match_request } => {
            let release = || candidate_release::when_due(context, &pending, *match_request);
            carry_out(context, &pending, release).await
        }
        Due::CheckExpiry { worker } => {
            let pass = || check_expiry::pass(context, &pending, *worker);
            carry_out(context, &pending, pass).await
        }
        Due::InvitationLapse {
            match_request,
            candidate,
        } => {
            let lapse = || invitation_expiry::lapse(context, &pending, *match_request, *candidate);
            carry_out(context, &pending, lapse).await
        }
        Due::InvitationWithdrawal { match_request } => {
            let withdraw = || invitation_expiry::withdraw_all(context, &pending, *match_request);
            carry_out(context, &pending, withdraw).await
        }
        Due::ReadDisclosure { engagement, read } => {
            let disclose = || conversation::when_due(context, &pending, *engagement, *read);
            carry_out(context, &pending, disclose).await
        }
        Due::OfferLapse { engagement, offer } => {
            let lapse = || terms::lapse::when_due(context, &pending, *engagement, *offer);
            carry_out(context, &pending, lapse).await
        }
        Due::ProposalLapse {
            engagement,
            proposal,
        } => {
            let lapse = || proposal::when_due(context, &pending, *engagement, *proposal);
            carry_out(context, &pending, lapse).await
        }
        Due::VisitDeadline { visit } => {
            let pass = || visit::deadline_when_due(context, &pending, *visit);
            carry_out(context, &pending, pass).await
        }
        Due::CoverWave { cover } => {
            let go_on = || cover::when_due(context, &pending, *cover);
            carry_out(context, &pending, go_on).await
        }
        Due::SuspensionCover { worker } => {
            let look = || cover::suspension_when_due(context, &pending, *worker);
            carry_out(context, &pending, look).await
        }
        Due::LeaveLook { worker } => {
            let look = || cover::leave_when_due(context, &pending, *worker);
            carry_out(context, &pending, look).await
        }
        Due::VisitSettlement { engagement } => {
            let settle = || visit::when_due(context, &pending, *engagement);
            carry_out(context, &pending, settle).await
        }
        Due::AlertEscalation { alert } => {
            let escalate = || on_call::escalate(context, &pending, *alert);
            carry_out(context, &pending, escalate).await
        }
        Due::SeriesUnfold { engagement, series } => {
            let unfold = || series::unfold_when_due(context, &pending, *engagement, *series);
            carry_out(context, &pending, unfold).await
        }
        Due::SeriesEnd { engagement, series } => {
            let end = || series::end_when_due(context, &pending, *engagement, *series);
            carry_out(context, &pending, end).await
        }
        Due::ReportDeadline { report } => {
            let pass = || safety::pass_deadline(context, &pending, *report);
            carry_out(context, &pending, pass).await
        }
        Due::Reindex { .. } | Due::RemoveShard { .. } | Due::Night { .. } => {
            Err(ConsumeError::Misrouted)
        }
    }
}

async fn carry_out<F>(
    context: &Context,
    pending: &PendingDue,
    decide: impl Fn() -> F,
) -> Result<Consumed, ConsumeError>
where
    F: Future<Output = Result<Effect, ConsumeError>> + Send,
{
    let mut rounds = 0;
    while rounds < MOST_ROUNDS {
        let commit = match decide().await? {
            Effect::Commit(commit) => *commit,
            Effect::Step(commit) => match context.commit(*commit).await {
                // What is left is decided by what stands now.
                Ok(()) => continue,
                Err(CommitError::Store(error)) => return Err(error.into()),
                Err(_) => {
                    rounds += 1;
                    continue;
                }
            },
            Effect::Early(at) => return Ok(Consumed::Early(at)),
            Effect::Superseded => {
                context.store.forget_due(pending).await?;
                return Ok(Consumed::Done);
            }
        };
        match context.commit(commit).await {
            Ok(()) | Err(CommitError::AlreadyDone) => return Ok(Consumed::Done),
            Err(
                CommitError::Conflict(_) | CommitError::LimitReached(_) | CommitError::Replayed,
            ) => rounds += 1,
            Err(CommitError::Store(error)) => return Err(error.into()),
        }
    }
    Err(ConsumeError::Busy)
}
