//! The terms in force, and taking back an agreement that was a mistake.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::access::Duty;
use domain::engagement::Happening;
use domain::id::EngagementId;
use domain::notice::Told;
use domain::terms::{Negotiated, ReverseTermsError};
use serde::Deserialize;
use store::{Commit, Key};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::offers;
use super::view::{AgreedTermsView, OfferView, readable};
use crate::body::Command;
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::conversation::tell;
use crate::path::Path;
use crate::perform::{Decision, once};
use crate::problem::Problem;
use crate::reason::need_reason;
use crate::standing::over_engagement;

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(show_terms))
        .routes(routes!(reverse_terms))
}

/// Show the terms in force
///
/// For both sides, also after the engagement has ended, and for staff who look after engagements. Each rate
/// with what the client pays, what the support worker gets and what the service keeps. 404 `no-terms-yet`
/// until some are agreed.
#[utoipa::path(get, path = "/v1/engagements/{engagement}/terms", tag = "terms",
    params(("engagement" = EngagementId, Path)),
    responses((status = 200, body = AgreedTermsView, example = json!({
        "offer": "off_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "version": 2,
        "terms": {
            "services": [{"service": "social_support", "rates": [{
                "band": "weekday_daytime",
                "hourly": {"client_pays": 6150, "worker_gets": 6000, "service_keeps": 150}
            }]}],
            "minutes_per_week": 240, "scope": "Company, and a walk where the weather allows it.",
            "limits": ["No lifting."], "service_basis_points": 250
        },
        "understandings": [{"kind": "routine", "text": "Tea before anything else, and shoes off at the door."}],
        "agreed_at": "2026-03-09T00:00:00Z"
    })))
)]
async fn show_terms(
    State(context): State<Shared>,
    caller: Caller,
    Path(engagement): Path<EngagementId>,
) -> Result<Response, Problem> {
    let shown = show(&context, &caller, engagement).await?;
    Ok(shown.into_response())
}

pub(super) async fn show(
    context: &Context,
    caller: &Caller,
    engagement: EngagementId,
) -> Result<Json<AgreedTermsView>, Problem> {
    let engagement = readable(context, caller, engagement).await?;
    let agreed = engagement.terms.ok_or_else(|| {
        let title = "No terms are agreed yet";
        Problem::new(StatusCode::NOT_FOUND, "no-terms-yet", title)
            .detail("either side can offer some, and the other accept them or answer with others")
    })?;
    Ok(Json(agreed.into()))
}

/// Why an agreement is taken back.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReverseTerms {
    /// Why; kept beside the engagement.
    #[schema(
        min_length = 1,
        max_length = 500,
        example = "Accepted by a slip of the finger; both say so."
    )]
    reason: String,
}

/// Take back an agreement made by mistake
///
/// By administrators, never on their own. The terms from before it are in force again, or none. The offer stays
/// accepted and says when that was taken back; visits booked meanwhile stay booked at the terms they were
/// booked under. Both sides are told.
#[utoipa::path(post, path = "/v1/engagements/{engagement}/terms-reversal", tag = "terms",
    params(("engagement" = EngagementId, Path)), request_body = ReverseTerms,
    responses((status = 201, body = OfferView))
)]
async fn reverse_terms(
    State(context): State<Shared>,
    caller: Caller,
    Path(engagement): Path<EngagementId>,
    command: Command<ReverseTerms>,
) -> Result<Response, Problem> {
    over_engagement(&context, &caller, engagement, Duty::Reversals).await?;
    let reason = &command.body.reason;
    need_reason(reason)?;
    let done = once(&context, caller.person.value.id, &command.key, || async {
        let standing = over_engagement(&context, &caller, engagement, Duty::Reversals).await?;
        let (acting, was) = (standing.duty.acting, &standing.engagement);
        let in_force = was.value.terms.as_ref();
        let version = in_force.ok_or(ReverseTermsError::NoTerms)?.version;
        let accepted = offers::load(&context, engagement, version).await?;
        let before = match accepted.value.replaces {
            Some(version) => Some(offers::load(&context, engagement, version).await?),
            None => None,
        };
        let restored = before.as_ref().map(|before| &before.value);
        let Negotiated {
            engagement: next,
            offer,
        } = was
            .value
            .reverse_terms(&accepted.value, restored, context.now())?;
        let (key, fields) = (Key::engagement(engagement), vec!["terms".to_owned()]);
        let audit = context.correction(acting, "reverse_terms", &key, fields, reason);
        let commit = Commit::new(audit)
            .replace(was, &next)
            .replace(&accepted, &offer);
        let (about, happening) = (Some(offer.id.to_string()), Happening::TermsReversed);
        let commit = tell(&context, commit, &next, happening, about, Told::Both);
        Ok(Decision::new(standing.insisted_on(commit), version))
    })
    .await?;
    let version = offers::version_of(&done)?;
    let shown = offers::show(&context, &caller, engagement, version).await?;
    Ok(done.answer(StatusCode::CREATED, shown))
}
