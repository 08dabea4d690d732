//! Partners: organisations whose sites send signups. Added, edited and given signing keys by
//! administrators.

use std::collections::BTreeSet;

use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::access::Duty;
use domain::id::{FormId, PartnerId};
use domain::partner::{ChangeKeysError, Partner, PartnerSettings};
use serde::Serialize;
use store::{Commit, Key, PartnerForm, StaffPartition, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::{Command, Edit, Nothing, must_match};
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::page::{Listed, PageQuery};
use crate::path::{Path, Query};
use crate::perform::{Decision, Tagged, edit, once};
use crate::problem::Problem;
use crate::standing::on_duty;

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list_partners, add_partner))
        .routes(routes!(show_partner, edit_partner))
        .routes(routes!(add_key))
        .routes(routes!(revoke_key))
}

/// A partner as administrators see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct PartnerView {
    id: PartnerId,
    /// The publishable key of its browser form.
    form: FormId,
    settings: PartnerSettings,
    /// The numbers of its live signing keys.
    keys: BTreeSet<u32>,
    created_at: DateTime<Utc>,
}

impl PartnerView {
    fn of(partner: Partner) -> Self {
        Self {
            id: partner.id,
            form: partner.form,
            settings: partner.settings,
            keys: partner.keys.live,
            created_at: partner.created_at,
        }
    }
}

/// List partners
///
/// All partners, by name.
#[utoipa::path(get, path = "/v1/partners", tag = "partners", params(PageQuery), responses(
    (status = 200, body = Listed<PartnerView>, example = json!({"items": []}))
))]
async fn list_partners(
    State(context): State<Shared>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    on_duty(&caller, Duty::Administration)?;
    let found = context
        .store
        .staff_list::<Partner>(StaffPartition::Partners, false, page.limit(), page.cursor())
        .await?;
    Ok(Listed::of(found, |partner| PartnerView::of(partner.value)).at(&uri))
}

/// Show a partner
#[utoipa::path(get, path = "/v1/partners/{partner}", tag = "partners", params(("partner" = PartnerId, Path)), responses(
    (status = 200, body = PartnerView, example = json!({
        "id": "ptn_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "form": "form_0190b2f06bd47c5a9a3e5b7f21d4c8ab",
        "settings": {
            "name": "Northside Community Health", "state": "active", "fields": {"fname": "given_name"},
            "origins": ["https://www.northside.example"],
            "redirects": {"thanks": "https://www.northside.example/thank-you"},
            "ticket_per_signup": true, "hourly_quota": 200
        },
        "keys": [1], "created_at": "2026-03-02T00:00:00Z"
    }))
))]
async fn show_partner(
    State(context): State<Shared>,
    caller: Caller,
    Path(partner): Path<PartnerId>,
) -> Result<Response, Problem> {
    Ok(show(&context, &caller, partner).await?.into_response())
}

async fn show(
    context: &Context,
    caller: &Caller,
    partner: PartnerId,
) -> Result<Tagged<PartnerView>, Problem> {
    on_duty(caller, Duty::Administration)?;
    let Versioned { version, value } = load(context, partner).await?;
    Ok(Tagged {
        version,
        view: PartnerView::of(value),
    })
}

async fn load(context: &Context, partner: PartnerId) -> Result<Versioned<Partner>, Problem> {
    context
        .store
        .get(&Key::partner(partner))
        .await?
        .ok_or_else(Problem::not_found)
}

/// Add a partner
///
/// It has no signing key yet, and a publishable form key for good.
#[utoipa::path(post, path = "/v1/partners", tag = "partners", request_body(content = PartnerSettings, example = json!({
    "name": "Northside Community Health", "state": "active", "fields": {"fname": "given_name"},
    "origins": ["https://www.northside.example"],
    "redirects": {"thanks": "https://www.northside.example/thank-you"},
    "ticket_per_signup": true, "hourly_quota": 200
})), responses((status = 201, body = PartnerView)))]
async fn add_partner(
    State(context): State<Shared>,
    caller: Caller,
    command: Command<PartnerSettings>,
) -> Result<Response, Problem> {
    let duty = on_duty(&caller, Duty::Administration)?;
    command.body.validate()?;
    let done = once(&context, duty.acting.by, &command.key, || async {
        let settings = command.body.clone();
        let partner = Partner::new(context.fresh(), context.fresh(), settings, context.now());
        let form = PartnerForm {
            form: partner.form,
            partner: partner.id,
        };
        let audit = context.audit(duty.acting, "add_partner", &Key::partner(partner.id));
        let commit = Commit::new(audit).insert(&partner).insert(&form);
        Ok(Decision::new(duty.insisted_on(commit), partner.id))
    })
    .await?;
    let view = show(&context, &caller, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

/// Edit a partner
///
/// A paused partner's signups are refused as if there were no such partner.
#[utoipa::path(put, path = "/v1/partners/{partner}", tag = "partners", params(("partner" = PartnerId, Path)),
    request_body(content = PartnerSettings, example = json!({
        "name": "Northside Community Health", "state": "paused", "fields": {}, "origins": [], "redirects": {},
        "ticket_per_signup": false, "hourly_quota": 100
    })),
    responses((status = 200, body = PartnerView))
)]
async fn edit_partner(
    State(context): State<Shared>,
    caller: Caller,
    Path(partner): Path<PartnerId>,
    change: Edit<PartnerSettings>,
) -> Result<Response, Problem> {
    let duty = on_duty(&caller, Duty::Administration)?;
    change.body.validate()?;
    edit(&context, || async {
        let was = load(&context, partner).await?;
        must_match(change.version, was.version)?;
        let next = Partner {
            settings: change.body.clone(),
            ..was.value.clone()
        };
        let mut audit = context.audit(duty.acting, "edit_partner", &Key::partner(partner));
        audit.fields = changed_fields(&was.value.settings, &next.settings);
        Ok(duty.insisted_on(Commit::new(audit).replace(&was, &next)))
    })
    .await?;
    Ok(show(&context, &caller, partner).await?.into_response())
}

fn changed_fields(was: &PartnerSettings, next: &PartnerSettings) -> Vec<String> {
    [
        ("name", was.name != next.name),
        ("state", was.state != next.state),
        ("fields", was.fields != next.fields),
        ("origins", was.origins != next.origins),
        ("redirects", was.redirects != next.redirects),
        (
            "ticket_per_signup",
            was.ticket_per_signup != next.ticket_per_signup,
        ),
        ("hourly_quota", was.hourly_quota != next.hourly_quota),
    ]
    .into_iter()
    .filter(|(_, changed)| *changed)
    .map(|(name, _)| name.to_owned())
    .collect()
}

/// A signing key, with the secret that is shown this once.
#[derive(Serialize, ToSchema)]
struct SigningKey {
    /// Its number, by which it is revoked.
    #[schema(example = 1)]
    number: u32,
    /// What the partner's server signs with.
    #[schema(example = "rps_3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    secret: String,
}

/// Add a signing key
///
/// The secret is shown in this answer alone. At most two keys are live, so that a partner changes from
/// one to the next without losing a signup.
#[utoipa::path(post, path = "/v1/partners/{partner}/keys", tag = "partners", params(("partner" = PartnerId, Path)),
    request_body(content = Nothing, example = json!({})), responses((status = 201, body = SigningKey))
)]
async fn add_key(
    State(context): State<Shared>,
    caller: Caller,
    Path(partner): Path<PartnerId>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    let duty = on_duty(&caller, Duty::Administration)?;
    let done = once(&context, duty.acting.by, &command.key, || async {
        let was = load(&context, partner).await?;
        let (keys, number) = was.value.keys.clone().add()?;
        let next = Partner {
            keys,
            ..was.value.clone()
        };
        let mut audit = context.audit(duty.acting, "add_partner_key", &Key::partner(partner));
        audit.fields = vec!["keys".to_owned()];
        let commit = duty.insisted_on(Commit::new(audit).replace(&was, &next));
        Ok(Decision::new(commit, number))
    })
    .await?;
    // A repetition may come when the key has been revoked: then there is nothing to show any more.
    let number = done.target().parse().map_err(|_| Problem::internal())?;
    let live = load(&context, partner).await?.value.keys.live;
    if !live.contains(&number) {
        return Err(ChangeKeysError::NotLive.into());
    }
    let secret = context.key.partner_secret(partner, number);
    let view = SigningKey {
        number,
        secret: secret.reveal().to_owned(),
    };
    Ok(done.answer(StatusCode::CREATED, axum::Json(view)))
}

/// Revoke a signing key
///
/// From here on nothing it signs is accepted.
#[utoipa::path(post, path = "/v1/partners/{partner}/keys/{number}/revocation", tag = "partners",
    params(("partner" = PartnerId, Path), ("number" = u32, Path)),
    request_body(content = Nothing, example = json!({})), responses((status = 201, body = PartnerView))
)]
async fn revoke_key(
    State(context): State<Shared>,
    caller: Caller,
    Path((partner, number)): Path<(PartnerId, u32)>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    let duty = on_duty(&caller, Duty::Administration)?;
    let done = once(&context, duty.acting.by, &command.key, || async {
        let was = load(&context, partner).await?;
        let next = Partner {
            keys: was.value.keys.clone().revoke(number)?,
            ..was.value.clone()
        };
        let mut audit = context.audit(duty.acting, "revoke_partner_key", &Key::partner(partner));
        audit.fields = vec!["keys".to_owned()];
        let commit = duty.insisted_on(Commit::new(audit).replace(&was, &next));
        Ok(Decision::new(commit, partner))
    })
    .await?;
    let view = show(&context, &caller, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

impl From<ChangeKeysError> for Problem {
    fn from(error: ChangeKeysError) -> Self {
        match error {
            ChangeKeysError::TooManyLive => Self::wrong_state("partner-keys-full", error),
            ChangeKeysError::NotLive => Self::wrong_state("partner-key-not-live", error),
        }
    }
}
