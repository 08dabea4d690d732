//! Whether a client agrees beforehand to whoever can cover a visit.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::access::{self, Acting, Authority, Duty, Scope};
use domain::client::{Client, CoverConsent};
use domain::id::ClientId;
use domain::person::Person;
use serde::{Deserialize, Serialize};
use store::{Audit, Commit, Key, StoreError, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Command;
use crate::caller::Caller;
use crate::client::load;
use crate::context::{Context, Shared};
use crate::path::Path;
use crate::perform::{Decision, once};
use crate::problem::Problem;
use crate::standing::{authority_over, for_client, on_duty};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(show_cover_consent, decide_on_cover_consent))
}

/// Whether a client agrees beforehand to whoever can cover a visit.
#[derive(Debug, Serialize, ToSchema)]
struct CoverConsentView {
    client: ClientId,
    /// Whether it is given: not unless the client says so, and no longer than whoever said it for them may.
    given: bool,
    /// Who gave it, and when.
    consent: Option<CoverConsent>,
}

impl CoverConsentView {
    async fn of(context: &Context, client: &Client) -> Result<Self, StoreError> {
        let upheld = Upheld::of(context, client).await?;
        Ok(Self {
            client: client.id,
            given: upheld.is_some(),
            consent: client.cover_consent,
        })
    }
}

/// A client's agreement that holds now, and what that rests on.
pub(super) struct Upheld {
    /// Who gave it.
    pub(super) acting: Acting,
    giver: Versioned<Person>,
    authority: Option<Versioned<Authority>>,
}

impl Upheld {
    /// The agreement of `client`, if there is one that holds.
    ///
    /// INVARIANT: nobody's word binds a client for longer than they may speak for them: what a representative agreed to
    /// ends with their authority, and the client is asked.
    ///
    /// # Errors
    /// When the table does not answer.
    pub(super) async fn of(context: &Context, client: &Client) -> Result<Option<Self>, StoreError> {
        let Some(CoverConsent { acting, at: _ }) = client.cover_consent else {
            return Ok(None);
        };
        // Staff who were told to gave the word of whoever told them.
        let giver = acting.instructed_by.unwrap_or(acting.by);
        let Some(giver) = context.living_person(giver).await? else {
            return Ok(None);
        };
        let authority = authority_over(context, &giver.value, client.id).await?;
        let held = authority.as_ref().map(|held| &held.value);
        let (scope, now) = (Scope::Engagements, context.now());
        let upheld = access::for_client(&giver.value, client.id, held, scope, now).is_ok();
        Ok(upheld.then_some(Self {
            acting,
            giver,
            authority,
        }))
    }

    /// Makes the commit fail if it may not hold any more.
    pub(super) fn insisted_on(&self, commit: Commit) -> Commit {
        match &self.authority {
            Some(authority) => commit.unchanged(authority),
            None => commit.unchanged(&self.giver),
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
    let view = CoverConsentView::of(&context, &client).await?;
    Ok(Json(view).into_response())
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
/// they come. What a representative agrees to holds for as long as their authority does.
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
    let view = Json(CoverConsentView::of(&context, &client).await?);
    Ok(done.answer(StatusCode::CREATED, view))
}
