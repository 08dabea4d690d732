//! Engagements: how they stand, pausing, resuming and ending them, blocks, introductory meetings.

mod block;
mod lifecycle;
mod meeting;
mod member;
mod reopening;
mod view;

use axum::http::StatusCode;
use domain::access::{Acting, Duty};
use domain::engagement::{Engagement, Reasoned, Side};
use domain::id::EngagementId;
use domain::pair::Pair;
use store::{Commit, Key, Versioned};
use utoipa_axum::router::OpenApiRouter;

use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::problem::Problem;
use crate::standing::{OverEngagement, Party, act_in_engagement, over_engagement};

pub(crate) use member::{MemberView, Members};

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .merge(view::router())
        .merge(lifecycle::router())
        .merge(reopening::router())
        .merge(block::router())
        .merge(meeting::router())
}

/// In what standing somebody has to do with an engagement.
enum Standing {
    /// On one of its sides.
    Party(Box<Party>),
    /// As staff who look after engagements.
    Staff(Box<OverEngagement>),
}

impl Standing {
    /// Lets `caller` act on an engagement, or refuses. A relationship of one's own goes before a staff role: it says
    /// on whose account one acts.
    async fn to_act(context: &Context, caller: &Caller, id: EngagementId) -> Result<Self, Problem> {
        match act_in_engagement(context, caller, id, None).await {
            Ok(party) => Ok(Self::Party(Box::new(party))),
            Err(refusal) if refusal.status() == StatusCode::NOT_FOUND => {
                let over = over_engagement(context, caller, id, Duty::Engagements).await?;
                Ok(Self::Staff(Box::new(over)))
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// On which side; none for staff.
    fn side(&self) -> Option<Side> {
        match self {
            Self::Party(party) => Some(party.side),
            Self::Staff(_) => None,
        }
    }

    fn acting(&self) -> Acting {
        match self {
            Self::Party(party) => party.acting,
            Self::Staff(over) => over.duty.acting,
        }
    }

    fn engagement(&self) -> &Versioned<Engagement> {
        match self {
            Self::Party(party) => &party.engagement,
            Self::Staff(over) => &over.engagement,
        }
    }

    fn insisted_on(&self, commit: Commit) -> Commit {
        match self {
            Self::Party(party) => party.insisted_on(commit),
            Self::Staff(over) => over.insisted_on(commit),
        }
    }

    /// A step taken now in this standing.
    fn step(&self, context: &Context, reason: &str) -> Reasoned {
        Reasoned {
            side: self.side(),
            acting: self.acting(),
            at: context.now(),
            reason: reason.trim().to_owned(),
        }
    }
}

/// What the two of an engagement are to each other.
async fn pair_of(context: &Context, engagement: &Engagement) -> Result<Versioned<Pair>, Problem> {
    let key = Key::pair(engagement.client, engagement.worker);
    // INVARIANT: whatever opens an engagement writes the pair.
    context.store.get(&key).await?.ok_or_else(|| {
        tracing::error!(engagement = %engagement.id, "an engagement without its pair");
        Problem::internal()
    })
}
