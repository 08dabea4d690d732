//! What a support worker is asked to cover, and what they answer.

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::access::{self, Duty};
use domain::blind::{BlindRequest, BlindVisit, CoverOfferState};
use domain::cover::{AcceptCoverError, CoverClosed, DeclineCoverError};
use domain::engagement::Happening;
use domain::id::{CoverId, EngagementId, VisitId, WorkerId};
use domain::match_request::MatchRequest;
use domain::notice::Told;
use domain::pair::Pair;
use domain::person::PersonName;
use serde::{Deserialize, Serialize};
use store::{Commit, Key, WorkerCover};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::booked::{Agreed, booked};
use super::comer::{Comer, Unfit};
use super::consent::Upheld;
use super::{Search, armed, closed};
use crate::body::{Command, Nothing};
use crate::caller::Caller;
use crate::client::load as load_client;
use crate::context::{Context, Shared};
use crate::identities::{client_side, name_of};
use crate::page::{Listed, PageQuery};
use crate::path::{Path, Query};
use crate::perform::{Decision, once};
use crate::problem::Problem;
use crate::standing::as_worker;

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list_cover_offers))
        .routes(routes!(show_cover_offer))
        .routes(routes!(accept_cover))
        .routes(routes!(decline_cover))
}

/// A visit that a support worker is asked to cover.
#[derive(Debug, Serialize, ToSchema)]
struct CoverOfferView {
    cover: CoverId,
    state: CoverOfferState,
    asked_at: DateTime<Utc>,
    /// Until when it can be accepted, unless somebody else is first.
    answer_by: DateTime<Utc>,
    visit: BlindVisit,
    /// What the client asks for, as far as they share it.
    request: Option<BlindRequest>,
    /// Whose visit it is, where you know each other.
    client_name: Option<PersonName>,
    /// Your engagement with them, where there is one.
    engagement: Option<EngagementId>,
    /// Your visit, once it is booked.
    booked: Option<VisitId>,
}

/// List the visits that a support worker is asked to cover
///
/// The newest first. What they say of a client is what the client shares with whoever they invite.
#[utoipa::path(get, path = "/v1/support-workers/{worker}/cover-offers", tag = "cover",
    params(("worker" = WorkerId, Path), PageQuery),
    responses((status = 200, body = Listed<CoverOfferView>, example = json!({"items": []})))
)]
async fn list_cover_offers(
    State(context): State<Shared>,
    caller: Caller,
    Path(worker): Path<WorkerId>,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    as_worker(&context, &caller, worker).await?;
    let pk = Key::worker(worker).pk;
    let marks = context
        .store
        .list::<WorkerCover>(&pk, "COVER#", true, page.limit(), page.cursor())
        .await?;
    let mut items = Vec::with_capacity(marks.items.len());
    for mark in &marks.items {
        if let Some(search) = Search::of(&context, mark.value.cover).await? {
            items.push(view(&context, &search, worker).await?);
        }
    }
    let next = marks.next;
    Ok(Listed { items, next }.at(&uri))
}

/// Show a visit that a support worker is asked to cover
#[utoipa::path(get, path = "/v1/support-workers/{worker}/cover-offers/{cover}", tag = "cover",
    params(("worker" = WorkerId, Path), ("cover" = CoverId, Path)),
    responses((status = 200, body = CoverOfferView, example = json!({
        "cover": "cov_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "state": "open",
        "asked_at": "2026-12-01T06:10:00Z", "answer_by": "2026-12-01T09:00:00Z",
        "visit": {
            "service": "social_support", "from": "2026-12-01T19:00:00+10:00", "until": "2026-12-01T21:00:00+10:00",
            "time_zone": "Australia/Brisbane", "minutes": 120, "essential": false, "suburb": "West End",
            "worker_gets": 12000
        },
        "request": null, "client_name": null, "engagement": null, "booked": null
    })))
)]
async fn show_cover_offer(
    State(context): State<Shared>,
    caller: Caller,
    Path((worker, cover)): Path<(WorkerId, CoverId)>,
) -> Result<Response, Problem> {
    let view = show(&context, &caller, worker, cover).await?;
    Ok(Json(view).into_response())
}

async fn show(
    context: &Context,
    caller: &Caller,
    worker: WorkerId,
    cover: CoverId,
) -> Result<CoverOfferView, Problem> {
    as_worker(context, caller, worker).await?;
    let search = load(context, worker, cover).await?;
    view(context, &search, worker).await
}

/// The search, for somebody who was asked; 404 to everybody else.
async fn load(context: &Context, worker: WorkerId, cover: CoverId) -> Result<Search, Problem> {
    let found = Search::of(context, cover).await?;
    found
        .filter(|search| search.cover.value.asked(worker).is_some())
        .ok_or_else(Problem::not_found)
}

async fn view(
    context: &Context,
    search: &Search,
    worker: WorkerId,
) -> Result<CoverOfferView, Problem> {
    let cover = &search.cover.value;
    let asked = cover.asked(worker).ok_or_else(Problem::not_found)?;
    let client = load_client(context, cover.client).await?.value;
    let identities = client_side(context, &client).await?;
    let request = Key::match_request(search.held.value.match_request);
    let request = context.store.get::<MatchRequest>(&request).await?;
    let state = CoverOfferState::of(cover, asked.answer);
    let pair = Key::pair(cover.client, worker);
    let pair = context.store.get::<Pair>(&pair).await?;
    let pair = pair.map(|pair| pair.value);
    // INVARIANT: who the client is stands here for those alone who know them, and are not parted by a block.
    let knows =
        (pair.as_ref()).is_some_and(|pair| pair.known_since.is_some() && !pair.is_blocked());
    let client_name = match knows {
        true => Some(name_of(context, client.person).await?),
        false => None,
    };
    Ok(CoverOfferView {
        cover: cover.id,
        state,
        asked_at: asked.at,
        answer_by: cover.lasts_until,
        visit: BlindVisit::of(cover, &search.visit.value.price, &identities),
        request: request.map(|request| BlindRequest::of(&request.value.details, &identities)),
        client_name,
        engagement: pair.and_then(|pair| pair.engagement),
        booked: cover.booked.filter(|_| state == CoverOfferState::Booked),
    })
}

/// Come to a visit in somebody's place
///
/// The first who accepts is the one: everybody else gets 409 `cover-taken`. Whether you are free then, and may be
/// booked for it, is looked at once more. Where the client has agreed to that beforehand it is booked at once, else
/// they are asked.
#[utoipa::path(post, path = "/v1/support-workers/{worker}/cover-offers/{cover}/acceptance", tag = "cover",
    params(("worker" = WorkerId, Path), ("cover" = CoverId, Path)),
    request_body(content = Nothing, example = json!({})),
    responses((status = 201, body = CoverOfferView))
)]
async fn accept_cover(
    State(context): State<Shared>,
    caller: Caller,
    Path((worker, cover)): Path<(WorkerId, CoverId)>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let done = once(&context, by, &command.key, || async {
        let standing = as_worker(&context, &caller, worker).await?;
        let search = load(&context, worker, cover).await?;
        must_not_stand_on_both_sides(&caller, &search)?;
        let accepted = search.cover.value.accept(worker, standing.acting)?;
        if !search.is_wanted() || search.cover.value.lasts_until <= context.now() {
            return Err(closed(CoverClosed::Over));
        }
        let policy = context.store.policy().await?;
        let comer = Comer::of(&context, &search, worker, &policy).await?;
        let comer = comer.map_err(|unfit| unfit.told())?;
        let audit = context.audit(standing.acting, "accept_cover", &Key::cover(cover));
        let commit = Commit::new(audit);
        let commit = match Upheld::of(&context, comer.both.client()).await? {
            Some(consent) => {
                let agreed = Agreed::Beforehand(consent.acting);
                let booked = booked(
                    &context, commit, &search, &accepted, &comer, agreed, &policy,
                );
                consent.insisted_on(booked.await.map_err(clients_own_affair)?)
            }
            None => {
                let commit = commit
                    .replace(&search.cover, &accepted)
                    .unchanged(&search.visit)
                    .unchanged(&search.held);
                let commit = armed(commit, &accepted);
                search.told(&context, commit, Happening::CoverAccepted, Told::Client)
            }
        };
        let commit = standing.insisted_on(comer.insisted_on(commit));
        Ok(Decision::new(commit, cover))
    })
    .await?;
    let view = show(&context, &caller, worker, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, Json(view)))
}

/// What the client does at that time stays between them and whoever comes then.
fn clients_own_affair(refused: Problem) -> Problem {
    match refused.status() {
        StatusCode::CONFLICT => Unfit::NotEligible.told(),
        _ => refused,
    }
}

/// INVARIANT: staff who carry out an instruction do not stand on the other side.
fn must_not_stand_on_both_sides(caller: &Caller, search: &Search) -> Result<(), Problem> {
    if caller.instruction.is_some() {
        let client = search.cover.value.client;
        access::over_client(&caller.person.value, client, Duty::Instructions)?;
    }
    Ok(())
}

/// Why somebody does not come.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DeclineCover {
    /// Why; for staff alone.
    #[schema(
        min_length = 1,
        max_length = 500,
        example = "I am at my sister's that evening."
    )]
    reason: String,
}

/// Decline to come in somebody's place
///
/// Also after you have accepted, as long as it is not booked. The client does not learn who was asked.
#[utoipa::path(post, path = "/v1/support-workers/{worker}/cover-offers/{cover}/refusal", tag = "cover",
    params(("worker" = WorkerId, Path), ("cover" = CoverId, Path)),
    request_body = DeclineCover, responses((status = 201, body = CoverOfferView))
)]
async fn decline_cover(
    State(context): State<Shared>,
    caller: Caller,
    Path((worker, cover)): Path<(WorkerId, CoverId)>,
    command: Command<DeclineCover>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let done = once(&context, by, &command.key, || async {
        let standing = as_worker(&context, &caller, worker).await?;
        let search = load(&context, worker, cover).await?;
        must_not_stand_on_both_sides(&caller, &search)?;
        let (was, reason) = (&search.cover, &command.body.reason);
        let next = (was.value).decline(worker, standing.acting, reason, context.now())?;
        let audit = context.audit(standing.acting, "decline_cover", &Key::cover(cover));
        let commit = Commit::new(audit).replace(was, &next);
        let commit = match next.deadline_generation == was.value.deadline_generation {
            true => commit,
            false => armed(commit, &next),
        };
        // The client was about to agree to them.
        let commit = match was.value.taken_by == Some(worker) {
            true => search.told(&context, commit, Happening::CoverSought, Told::Client),
            false => commit,
        };
        Ok(Decision::new(standing.insisted_on(commit), cover))
    })
    .await?;
    let view = show(&context, &caller, worker, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, Json(view)))
}

impl Unfit {
    /// What the support worker themselves are told: their own affairs, and nothing of the client's.
    fn told(self) -> Problem {
        match self {
            Self::NotEligible => Problem::wrong_state(
                "cover-not-open",
                "as things stand, this visit cannot be covered by you",
            ),
            Self::Away => Problem::wrong_state(
                "support-worker-away",
                "your profile says that you are away then",
            ),
            Self::NotFree => Problem::wrong_state(
                "support-worker-not-free",
                "you have another visit then, or too little time to travel between the two",
            ),
        }
    }
}

impl From<AcceptCoverError> for Problem {
    fn from(error: AcceptCoverError) -> Self {
        match error {
            AcceptCoverError::NotAsked => Self::not_found(),
            AcceptCoverError::Answered => Self::wrong_state("cover-answered", error),
            AcceptCoverError::Closed(over) => closed(over),
        }
    }
}

impl From<DeclineCoverError> for Problem {
    fn from(error: DeclineCoverError) -> Self {
        match error {
            DeclineCoverError::NotAsked => Self::not_found(),
            DeclineCoverError::Answered => Self::wrong_state("cover-answered", error),
            DeclineCoverError::Closed(over) => closed(over),
            DeclineCoverError::Invalid(errors) => Self::invalid(errors),
        }
    }
}
