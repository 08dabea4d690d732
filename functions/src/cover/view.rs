//! A search as the client, the support worker who does not come, and staff see it: each as far as it concerns them.

use chrono::{DateTime, Utc};
use domain::cover::{Asked, Cover, CoverAnswer, CoverCause, CoverState, WhyUnfilled};
use domain::engagement::Side;
use domain::id::{CoverId, VisitId, WorkerId};
use domain::person::PersonName;
use domain::support_worker::SupportWorker;
use serde::Serialize;
use store::{Key, StoreError};
use utoipa::ToSchema;

use crate::context::Context;
use crate::identities::name_of;

/// A search for somebody to come to a visit.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CoverView {
    pub(super) cover: CoverId,
    pub(super) visit: VisitId,
    pub(super) cause: CoverCause,
    /// Why somebody asked for it: for the side that did, and for staff.
    pub(super) reason: Option<String>,
    pub(super) state: CoverState,
    pub(super) begun_at: DateTime<Utc>,
    /// Until when it goes on.
    pub(super) lasts_until: DateTime<Utc>,
    pub(super) closed_at: Option<DateTime<Utc>>,
    /// Who can come, or comes. Until somebody has said that they can, the client learns of nobody who was asked.
    pub(super) comes: Option<ComesView>,
    /// The visit that was booked instead.
    pub(super) booked: Option<VisitId>,
    /// Everybody who was asked; for staff.
    pub(super) asked: Option<Vec<AskedView>>,
    /// Why nobody comes, in numbers; for staff.
    pub(super) unfilled: Option<WhyUnfilled>,
}

/// Who comes in the place of somebody.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ComesView {
    worker: WorkerId,
    name: PersonName,
    /// Whether the client knew them before.
    known: bool,
}

/// Somebody who was asked.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AskedView {
    worker: WorkerId,
    known: bool,
    /// In which wave, from 1.
    wave: u32,
    at: DateTime<Utc>,
    answer: CoverAnswer,
    reason: Option<String>,
}

impl AskedView {
    fn of(asked: &Asked) -> Self {
        Self {
            worker: asked.worker,
            known: asked.known,
            wave: asked.wave,
            at: asked.at,
            answer: asked.answer,
            reason: asked.reason.clone(),
        }
    }
}

impl CoverView {
    /// As whoever stands on `side` sees it; none for staff.
    ///
    /// INVARIANT: the support worker who does not come learns neither who was asked nor who comes.
    pub(super) async fn of(
        context: &Context,
        cover: &Cover,
        side: Option<Side>,
    ) -> Result<Self, StoreError> {
        let for_staff = side.is_none();
        let comes = match (side, cover.taken_by) {
            (Some(Side::Client) | None, Some(worker)) => comes(context, cover, worker).await?,
            (Some(Side::Worker), _) | (_, None) => None,
        };
        let asked = cover.asked.iter().map(AskedView::of);
        let asked_for = cover.asked_for.as_ref();
        let asked_for = asked_for.filter(|asked| for_staff || asked.side == side);
        Ok(Self {
            cover: cover.id,
            visit: cover.visit,
            cause: match cover.cause {
                // That somebody is suspended stays with staff.
                CoverCause::Suspended if !for_staff => CoverCause::Cancelled,
                cause => cause,
            },
            reason: asked_for.map(|asked| asked.reason.clone()),
            state: cover.state,
            begun_at: cover.begun_at,
            lasts_until: cover.lasts_until,
            closed_at: cover.closed_at,
            comes,
            booked: cover.booked.filter(|_| side != Some(Side::Worker)),
            asked: for_staff.then(|| asked.collect()),
            unfilled: cover.unfilled.filter(|_| for_staff),
        })
    }
}

async fn comes(
    context: &Context,
    cover: &Cover,
    worker: WorkerId,
) -> Result<Option<ComesView>, StoreError> {
    // Whoever could have come and was let go stays unnamed.
    let named = matches!(cover.state, CoverState::Accepted | CoverState::Covered);
    let found = context
        .store
        .get::<SupportWorker>(&Key::worker(worker))
        .await?;
    let Some(found) = found.filter(|_| named) else {
        return Ok(None);
    };
    Ok(Some(ComesView {
        worker,
        name: name_of(context, found.value.person).await?,
        known: cover.asked(worker).is_some_and(|asked| asked.known),
    }))
}
