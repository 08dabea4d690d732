//! Offers: made and countered by either side, accepted in exactly one version, withdrawn.

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::due::{Due, DueRow};
use domain::engagement::Happening;
use domain::id::EngagementId;
use domain::notice::Told;
use domain::support_worker::SupportWorker;
use domain::terms::{NewOffer, Offer, Terms};
use serde::Deserialize;
use store::{Commit, Key, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::agreed;
use super::view::{AgreedTermsView, OfferView, readable};
use crate::body::{Command, Nothing};
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::conversation::tell;
use crate::page::{Listed, PageQuery};
use crate::path::{Path, Query};
use crate::perform::{Decision, Done, once};
use crate::problem::Problem;
use crate::rates::Rates;
use crate::standing::{Party, act_in_engagement};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list_offers, make_offer))
        .routes(routes!(show_offer))
        .routes(routes!(counter_offer))
        .routes(routes!(accept_offer))
        .routes(routes!(withdraw_offer))
}

/// List the offers of an engagement
///
/// For both sides, also after the engagement has ended, and for staff who look after engagements. Newest first.
#[utoipa::path(get, path = "/v1/engagements/{engagement}/offers", tag = "terms",
    params(("engagement" = EngagementId, Path), PageQuery),
    responses((status = 200, body = Listed<OfferView>, example = json!({"items": [], "next": "T0ZGRVIjMDAwMDAx"})))
)]
async fn list_offers(
    State(context): State<Shared>,
    caller: Caller,
    Path(engagement): Path<EngagementId>,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    let found = readable(&context, &caller, engagement).await?;
    let live = Rates::of(&context, found.client).await?;
    let live = live.pricing().service_basis_points;
    let (pk, prefix) = Key::offers(engagement);
    let offers = context
        .store
        .list::<Offer>(&pk, prefix, true, page.limit(), page.cursor())
        .await?;
    Ok(Listed::of(offers, |offer| OfferView::of(offer.value, live)).at(&uri))
}

/// Show an offer
///
/// For both sides, also after the engagement has ended, and for staff who look after engagements. Each rate
/// with what the client pays, what the support worker gets and what the service keeps.
#[utoipa::path(get, path = "/v1/engagements/{engagement}/offers/{version}", tag = "terms",
    params(("engagement" = EngagementId, Path), ("version" = u32, Path)),
    responses((status = 200, body = OfferView, example = json!({
        "id": "off_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "engagement": "eng_0190b2f06bd47c5a9a3e5b7f21d4c8ab",
        "version": 2, "side": "worker",
        "acting": {"by": "per_0190b2f06bd47c5a9a3e5b7f21d4c8ac", "on_behalf_of": null}, "state": "open",
        "terms": {
            "services": [{"service": "social_support", "rates": [{
                "band": "weekday_daytime",
                "hourly": {"client_pays": 6150, "worker_gets": 6000, "service_keeps": 150}
            }]}],
            "minutes_per_week": 240, "scope": "Company, and a walk where the weather allows it.",
            "limits": ["No lifting."], "service_basis_points": 250
        },
        "scheme": {"scheme": "home-support", "version": 1}, "understandings": [],
        "made_at": "2026-03-09T00:00:00Z", "lapses_at": "2026-03-16T00:00:00Z",
        "answered_at": null, "answered_by": null, "reversed_at": null
    })))
)]
async fn show_offer(
    State(context): State<Shared>,
    caller: Caller,
    Path((engagement, version)): Path<(EngagementId, u32)>,
) -> Result<Response, Problem> {
    let shown = show(&context, &caller, engagement, version).await?;
    Ok(shown.into_response())
}

pub(super) async fn show(
    context: &Context,
    caller: &Caller,
    engagement: EngagementId,
    version: u32,
) -> Result<Json<OfferView>, Problem> {
    let found = readable(context, caller, engagement).await?;
    let offer = load(context, engagement, version).await?.value;
    let live = Rates::of(context, found.client).await?;
    let live = live.pricing().service_basis_points;
    Ok(Json(OfferView::of(offer, live)))
}

/// An offer as stored; 404 where there is none of this version.
pub(super) async fn load(
    context: &Context,
    engagement: EngagementId,
    version: u32,
) -> Result<Versioned<Offer>, Problem> {
    let found = context.store.get(&Key::offer(engagement, version)).await?;
    found.ok_or_else(Problem::not_found)
}

/// The version of the offer that an act came to.
pub(super) fn version_of(done: &Done) -> Result<u32, Problem> {
    done.target().parse().map_err(|_| {
        tracing::error!("an act on an offer came to something else");
        Problem::internal()
    })
}

/// Terms to be offered.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OfferTerms {
    /// What is offered.
    terms: Terms,
}

/// Offer terms
///
/// By either side; the other is told, and can accept exactly this version or answer with other terms. One offer is
/// open at a time. Rates are what the support worker gets; what the client pays has the service's part on top,
/// and stays within what their funding scheme pays.
#[utoipa::path(post, path = "/v1/engagements/{engagement}/offers", tag = "terms",
    params(("engagement" = EngagementId, Path)),
    request_body(content = OfferTerms, example = json!({"terms": {
        "services": [{"service": "social_support", "rates": [
            {"band": "weekday_daytime", "hourly": 6000}, {"band": "saturday", "hourly": 7200}
        ]}],
        "minutes_per_week": 240, "scope": "Company, and a walk where the weather allows it.",
        "limits": ["No lifting."]
    }})),
    responses((status = 201, body = OfferView))
)]
async fn make_offer(
    State(context): State<Shared>,
    caller: Caller,
    Path(engagement): Path<EngagementId>,
    command: Command<OfferTerms>,
) -> Result<Response, Problem> {
    let done = once(&context, caller.person.value.id, &command.key, || async {
        let making = Making::of(&context, &caller, engagement).await?;
        let Making {
            party,
            worker,
            rates,
        } = &making;
        let made = party.engagement.value.make_offer(
            making.new_offer(&context, &command.body.terms),
            &worker.value.profile.services,
            rates.pricing(),
            &context.store.policy().await?,
            context.now(),
        )?;
        let audit = context.audit(party.acting, "make_offer", &Key::engagement(engagement));
        let commit = Commit::new(audit).replace(&party.engagement, &made.engagement);
        let commit = making.offering(&context, commit, &made.offer, Happening::OfferMade);
        Ok(Decision::new(commit, made.offer.version))
    })
    .await?;
    let shown = show(&context, &caller, engagement, version_of(&done)?).await?;
    Ok(done.answer(StatusCode::CREATED, shown))
}

/// Answer an offer with other terms
///
/// By the side to which it was made. The answer is an offer in its turn, with a version of its own; the other
/// side is told.
#[utoipa::path(post, path = "/v1/engagements/{engagement}/offers/{version}/counter-offers", tag = "terms",
    params(("engagement" = EngagementId, Path), ("version" = u32, Path)),
    request_body(content = OfferTerms, example = json!({"terms": {
        "services": [{"service": "social_support", "rates": [{"band": "weekday_daytime", "hourly": 5800}]}],
        "minutes_per_week": 180, "scope": "Company, and a walk where the weather allows it.", "limits": []
    }})),
    responses((status = 201, body = OfferView))
)]
async fn counter_offer(
    State(context): State<Shared>,
    caller: Caller,
    Path((engagement, version)): Path<(EngagementId, u32)>,
    command: Command<OfferTerms>,
) -> Result<Response, Problem> {
    let done = once(&context, caller.person.value.id, &command.key, || async {
        let making = Making::of(&context, &caller, engagement).await?;
        let Making {
            party,
            worker,
            rates,
        } = &making;
        let answered = load(&context, engagement, version).await?;
        let (countered, made) = party.engagement.value.counter_offer(
            &answered.value,
            making.new_offer(&context, &command.body.terms),
            &worker.value.profile.services,
            rates.pricing(),
            &context.store.policy().await?,
            context.now(),
        )?;
        let audit = context.audit(party.acting, "counter_offer", &Key::engagement(engagement));
        let commit = Commit::new(audit)
            .replace(&party.engagement, &made.engagement)
            .replace(&answered, &countered);
        let commit = making.offering(&context, commit, &made.offer, Happening::OfferCountered);
        Ok(Decision::new(commit, made.offer.version))
    })
    .await?;
    let shown = show(&context, &caller, engagement, version_of(&done)?).await?;
    Ok(done.answer(StatusCode::CREATED, shown))
}

/// What a new offer rests on.
struct Making {
    party: Party,
    worker: Versioned<SupportWorker>,
    rates: Rates,
}

impl Making {
    async fn of(
        context: &Context,
        caller: &Caller,
        engagement: EngagementId,
    ) -> Result<Self, Problem> {
        let party = act_in_engagement(context, caller, engagement, None).await?;
        let there = &party.engagement.value;
        let worker = context.store.get(&Key::worker(there.worker)).await?;
        let worker = worker.ok_or_else(Problem::not_found)?;
        let rates = Rates::of(context, there.client).await?;
        Ok(Self {
            party,
            worker,
            rates,
        })
    }

    fn new_offer(&self, context: &Context, terms: &Terms) -> NewOffer {
        NewOffer {
            id: context.fresh(),
            side: self.party.side,
            acting: self.party.acting,
            terms: terms.clone(),
        }
    }

    /// Adds a new offer to a commit that replaces the engagement: itself, its deadline, and what the other side
    /// hears. With everything that it rests on, a counter-offer that staff were told to make comes to 15
    /// writes, the most of any step.
    fn offering(
        &self,
        context: &Context,
        commit: Commit,
        offer: &Offer,
        happening: Happening,
    ) -> Commit {
        let lapse = DueRow {
            due: Due::OfferLapse {
                engagement: offer.engagement,
                offer: offer.id,
            },
            at: offer.lapses_at,
            generation: offer.deadline_generation,
        };
        let commit = commit.insert(offer).due(lapse).unchanged(&self.worker);
        let commit = told_of(
            context,
            commit,
            &self.party,
            offer,
            happening,
            offer.side.other(),
        );
        self.party.insisted_on(self.rates.insisted_on(commit))
    }
}

fn told_of(
    context: &Context,
    commit: Commit,
    party: &Party,
    offer: &Offer,
    happening: Happening,
    told: impl Into<Told>,
) -> Commit {
    let about = Some(offer.id.to_string());
    tell(
        context,
        commit,
        &party.engagement.value,
        happening,
        about,
        told,
    )
}

/// Accept an offer
///
/// Exactly the version in the path, by the side to which it was made. Its terms are in force from then on, at the
/// service's part and within the caps of that moment; both sides are told. 409 `offer-stale-version` where
/// another version is open by now.
#[utoipa::path(post, path = "/v1/engagements/{engagement}/offers/{version}/acceptance", tag = "terms",
    params(("engagement" = EngagementId, Path), ("version" = u32, Path)),
    request_body(content = Nothing, example = json!({})),
    responses((status = 201, body = AgreedTermsView))
)]
async fn accept_offer(
    State(context): State<Shared>,
    caller: Caller,
    Path((engagement, version)): Path<(EngagementId, u32)>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    let done = once(&context, caller.person.value.id, &command.key, || async {
        let party = act_in_engagement(&context, &caller, engagement, None).await?;
        let was = &party.engagement;
        let offer = load(&context, engagement, version).await?;
        let rates = Rates::of(&context, was.value.client).await?;
        let agreed = was.value.accept_offer(
            &offer.value,
            party.side,
            party.acting,
            rates.pricing(),
            context.now(),
        )?;
        let audit = context.audit(party.acting, "accept_offer", &Key::engagement(engagement));
        let commit = Commit::new(audit)
            .replace(was, &agreed.engagement)
            .replace(&offer, &agreed.offer);
        let happening = Happening::OfferAccepted;
        let commit = told_of(
            &context,
            commit,
            &party,
            &agreed.offer,
            happening,
            Told::Both,
        );
        let commit = party.insisted_on(rates.insisted_on(commit));
        Ok(Decision::new(commit, version))
    })
    .await?;
    let shown = agreed::show(&context, &caller, engagement).await?;
    Ok(done.answer(StatusCode::CREATED, shown))
}

/// Withdraw an offer
///
/// By the side that made it, while it is open. The other side is told.
#[utoipa::path(post, path = "/v1/engagements/{engagement}/offers/{version}/withdrawal", tag = "terms",
    params(("engagement" = EngagementId, Path), ("version" = u32, Path)),
    request_body(content = Nothing, example = json!({})),
    responses((status = 201, body = OfferView))
)]
async fn withdraw_offer(
    State(context): State<Shared>,
    caller: Caller,
    Path((engagement, version)): Path<(EngagementId, u32)>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    let done = once(&context, caller.person.value.id, &command.key, || async {
        let party = act_in_engagement(&context, &caller, engagement, None).await?;
        let was = &party.engagement;
        let offer = load(&context, engagement, version).await?;
        let withdrawn =
            was.value
                .withdraw_offer(&offer.value, party.side, party.acting, context.now())?;
        let audit = context.audit(party.acting, "withdraw_offer", &Key::engagement(engagement));
        let commit = Commit::new(audit)
            .replace(was, &withdrawn.engagement)
            .replace(&offer, &withdrawn.offer);
        let (happening, other) = (Happening::OfferWithdrawn, party.side.other());
        let commit = told_of(&context, commit, &party, &withdrawn.offer, happening, other);
        Ok(Decision::new(party.insisted_on(commit), version))
    })
    .await?;
    let shown = show(&context, &caller, engagement, version_of(&done)?).await?;
    Ok(done.answer(StatusCode::CREATED, shown))
}
