//! Whether a client agrees beforehand to whoever can cover a visit.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::access::{Duty, Scope};
use domain::client::{Client, CoverConsent};
use domain::id::ClientId;
use serde::{Deserialize, Serialize};
use store::{Audit, Commit, Key};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Command;
use crate::caller::Caller;
use crate::client::load;
use crate::context::Shared;
use crate::path::Path;
use crate::perform::{Decision, once};
use crate::problem::Problem;
use crate::standing::{for_client, on_duty};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(show_cover_consent, decide_on_cover_consent))
}

/// Whether a client agrees beforehand to whoever can cover a visit.
#[derive(Debug, Serialize, ToSchema)]
struct CoverConsentView {
    client: ClientId,
    /// Whether it is given: not unless the client says so.
    given: bool,
    /// Who gave it, and when.
    consent: Option<CoverConsent>,
}

impl CoverConsentView {
    fn of(client: &Client) -> Self {
        Self {
            client: client.id,
            given: client.cover_consent.is_some(),
            consent: client.cover_consent,
        }
    }
}

/// Show whether a client agrees beforehand to whoever can cover a visit
#[utoipa::path(get, path = "/v1/clients/{client}/cover-consent", tag = "cover", params(("client" = ClientId, Path)),
    responses((status = 200, body = CoverConsentView, example = json!({
        "client": "clt_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "given": true, "consent": {
            "acting": {"by": "per_0190b2f06bd47c5a9a3e5b7f21d4c8ab", "on_behalf_of": null},
            "at": "2026-11-25T02:00:00Z"
        }
    })))
)]
async fn show_cover_consent(
    State(context): State<Shared>,
    caller: Caller,
    Path(client): Path<ClientId>,
) -> Result<Response, Problem> {
    if on_duty(&caller, Duty::Schedules).is_err() {
        for_client(&context, &caller, client, Scope::Engagements).await?;
    }
    let client = load(&context, client).await?.value;
    Ok(Json(CoverConsentView::of(&client)).into_response())
}

/// What the client decides.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DecideOnCoverConsent {
    /// Whether whoever can cover a visit is booked without asking again.
    given: bool,
}

/// Agree beforehand to whoever can cover a visit, or no longer
///
/// By the client's side. From then on the first who can come is booked at once, and the client hears who it is before
/// they come.
#[utoipa::path(post, path = "/v1/clients/{client}/cover-consent", tag = "cover", params(("client" = ClientId, Path)),
    request_body(content = DecideOnCoverConsent, example = json!({"given": true})),
    responses((status = 201, body = CoverConsentView))
)]
async fn decide_on_cover_consent(
    State(context): State<Shared>,
    caller: Caller,
    Path(client): Path<ClientId>,
    command: Command<DecideOnCoverConsent>,
) -> Result<Response, Problem> {
    let by = caller.person.value.id;
    let done = once(&context, by, &command.key, || async {
        let standing = for_client(&context, &caller, client, Scope::Engagements).await?;
        let was = &standing.client;
        let given = CoverConsent {
            acting: standing.acting,
            at: context.now(),
        };
        let next = Client {
            cover_consent: command.body.given.then_some(given),
            ..was.value.clone()
        };
        let audit = Audit {
            fields: vec!["cover_consent".to_owned()],
            ..context.audit(
                standing.acting,
                "decide_on_cover_consent",
                &Key::client(client),
            )
        };
        let commit = Commit::new(audit).replace(was, &next);
        Ok(Decision::new(standing.insisted_on(commit), client))
    })
    .await?;
    let client = load(&context, done.id()?).await?.value;
    let view = Json(CoverConsentView::of(&client));
    Ok(done.answer(StatusCode::CREATED, view))
}
