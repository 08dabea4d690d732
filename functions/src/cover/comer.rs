//! Somebody who could come to a visit: whether they may, are there, and have the time.

use axum::http::StatusCode;
use domain::access::{Authority, AuthorityState};
use domain::cover::{Cover, LeftOut};
use domain::eligibility::bookable;
use domain::engagement::{Engagement, EngagementState};
use domain::id::WorkerId;
use domain::pair::Pair;
use domain::policy::Policy;
use domain::schedule::Busy;
use domain::visit::Times;
use store::{ClientEngagement, Commit, Key, Versioned, WorkerEngagement};

use super::Search;
use crate::booking::Both;
use crate::context::Context;
use crate::problem::Problem;

/// Somebody who could come, and what a booking with them rests on.
pub(super) struct Comer {
    pub(super) both: Both,
    pub(super) engagement: Engagement,
    /// The engagement as stored; none where their coming opens it.
    stored: Option<Versioned<Engagement>>,
    pair: Option<Versioned<Pair>>,
}

/// Why somebody cannot come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    /// Not to be booked for it as things stand.
    NotEligible,
    /// On leave then.
    Away,
    /// Taken then.
    NotFree,
}

impl Unfit {
    pub(super) const fn count(self, mut left_out: LeftOut) -> LeftOut {
        let counted = match self {
            Self::NotEligible => &mut left_out.not_eligible,
            Self::Away => &mut left_out.away,
            Self::NotFree => &mut left_out.not_free,
        };
        *counted = counted.saturating_add(1);
        left_out
    }
}

impl Comer {
    /// Whether `worker` could come, by records as they stand now.
    ///
    /// # Errors
    /// When the table does not answer.
    pub(super) async fn of(
        context: &Context,
        search: &Search,
        worker: WorkerId,
        policy: &Policy,
    ) -> Result<Result<Self, Unfit>, Problem> {
        let (store, now) = (&context.store, context.now());
        let (cover, held) = (&search.cover.value, &search.held.value);
        let pair = Key::pair(cover.client, worker);
        let pair = store.get::<Pair>(&pair).await?;
        let live = pair.as_ref().and_then(|pair| pair.value.engagement);
        let stored = match live {
            Some(id) => store.get::<Engagement>(&Key::engagement(id)).await?,
            None => None,
        };
        let engagement = match &stored {
            Some(stored) => stored.value.clone(),
            None => Engagement::open_to_cover(context.fresh(), held, cover.visit, worker, now),
        };
        let both = match Both::of(context, &engagement).await {
            Ok(both) => both,
            // Whoever cannot be booked at all is not asked.
            Err(refused) if is_about_them(&refused) => return Ok(Err(Unfit::NotEligible)),
            Err(refused) => return Err(refused),
        };
        let broken = bookable(&both.visited(&cover.details, now), &both.worker.value);
        let may_be_booked = broken.is_eligible()
            && engagement.state == EngagementState::Open
            && cover.worker != worker;
        if !may_be_booked || stands_for_client(context, cover, &both).await? {
            return Ok(Err(Unfit::NotEligible));
        }
        let availability = &both.worker.value.profile.availability;
        let times = Times {
            from: cover.from,
            until: cover.until,
        };
        if (availability.leave()).any(|leave| cover.details.falls_into(leave, times)) {
            return Ok(Err(Unfit::Away));
        }
        let busy = Busy {
            from: cover.from,
            until: cover.until,
            visit: cover.visit,
            engagement: engagement.id,
            travels: true,
        };
        if !both.worker_is_free(context, busy, policy).await? {
            return Ok(Err(Unfit::NotFree));
        }
        Ok(Ok(Self {
            both,
            engagement,
            stored,
            pair,
        }))
    }

    /// Whether their coming opens the engagement.
    pub(super) const fn opens(&self) -> bool {
        self.stored.is_none()
    }

    /// Makes the commit fail if anything that their coming rests on has changed since it was read.
    pub(super) fn insisted_on(&self, commit: Commit) -> Commit {
        let commit = match &self.stored {
            Some(stored) => commit.unchanged(stored),
            None => commit,
        };
        self.both.insisted_on(commit)
    }

    /// Opens the engagement, where the two have none that lives.
    pub(super) fn connected(&self, commit: Commit) -> Commit {
        if self.stored.is_some() {
            return commit;
        }
        let Engagement {
            id,
            client,
            worker,
            opened_at,
            ..
        } = self.engagement;
        let commit = commit
            .insert(&self.engagement)
            .insert(&ClientEngagement {
                client,
                engagement: id,
            })
            .insert(&WorkerEngagement {
                worker,
                engagement: id,
            });
        // INVARIANT: one live engagement of the same two, since each writes what they are to each other.
        match &self.pair {
            Some(pair) => commit.replace(pair, &pair.value.clone().with_engagement(id, opened_at)),
            None => commit.insert(&Pair::strangers(client, worker).with_engagement(id, opened_at)),
        }
    }
}

fn is_about_them(refused: &Problem) -> bool {
    matches!(
        refused.status(),
        StatusCode::CONFLICT | StatusCode::NOT_FOUND
    )
}

/// Whether the support worker has an authority to act for the client: nobody agrees with themselves.
async fn stands_for_client(context: &Context, cover: &Cover, both: &Both) -> Result<bool, Problem> {
    let key = Key::authority(cover.client, both.worker_person());
    let held = context.store.get::<Authority>(&key).await?;
    Ok(held.is_some_and(|held| held.value.state != AuthorityState::Revoked))
}
