//! Funding schemes, in versions, and which one pays for a client's support.

use axum::extract::{OriginalUri, State};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::access::Duty;
use domain::client::Client;
use domain::funding::{FundingScheme, SchemeCode, SchemeRules};
use domain::id::ClientId;
use serde::{Deserialize, Serialize};
use store::{Commit, Entity, StaffPartition, StoredScheme};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::{Edit, must_match};
use crate::caller::Caller;
use crate::client;
use crate::context::{Context, Shared};
use crate::page::{Listed, PageQuery};
use crate::path::{Path, Query};
use crate::perform::{Tagged, edit};
use crate::problem::Problem;
use crate::rates::current;
use crate::reason::need_reason;
use crate::standing::{on_duty, over_client};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list_funding_schemes))
        .routes(routes!(show_funding_scheme, edit_funding_scheme))
        .routes(routes!(set_funding))
}

/// A funding scheme as it is now.
#[derive(Debug, Serialize, ToSchema)]
struct FundingSchemeView {
    /// What it is called in paths and records.
    code: SchemeCode,
    /// Raised with every change.
    version: u32,
    /// Since when it says so.
    since: DateTime<Utc>,
    #[serde(flatten)]
    rules: SchemeRules,
}

impl From<StoredScheme> for FundingSchemeView {
    fn from(stored: StoredScheme) -> Self {
        let FundingScheme {
            code,
            version,
            rules,
        } = stored.scheme;
        Self {
            code,
            version,
            since: stored.since,
            rules,
        }
    }
}

/// List funding schemes
///
/// By code. For everybody who is signed in: both sides of a negotiation should know what is paid.
#[utoipa::path(get, path = "/v1/funding-schemes", tag = "terms", params(PageQuery), responses(
    (status = 200, body = Listed<FundingSchemeView>, example = json!({"items": [{
        "code": "home-support", "version": 1, "since": "2026-03-02T00:00:00Z", "name": "Home support",
        "caps": [{"service": "social_support", "band": "weekday_daytime", "most": 7200}],
        "holidays": ["2026-12-25"]
    }]}))
))]
async fn list_funding_schemes(
    State(context): State<Shared>,
    _caller: Caller,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    let partition = StaffPartition::FundingSchemes;
    let found = context
        .store
        .staff_list::<StoredScheme>(partition, false, page.limit(), page.cursor())
        .await?;
    Ok(Listed::of(found, |stored| FundingSchemeView::from(stored.value)).at(&uri))
}

/// Show a funding scheme
///
/// For everybody who is signed in.
#[utoipa::path(get, path = "/v1/funding-schemes/{scheme}", tag = "terms", params(("scheme" = SchemeCode, Path)),
    responses((status = 200, body = FundingSchemeView, example = json!({
        "code": "home-support", "version": 1, "since": "2026-03-02T00:00:00Z", "name": "Home support",
        "caps": [{"service": "social_support", "band": "weekday_daytime", "most": 7200}],
        "holidays": ["2026-12-25"]
    })))
)]
async fn show_funding_scheme(
    State(context): State<Shared>,
    _caller: Caller,
    Path(scheme): Path<SchemeCode>,
) -> Result<Response, Problem> {
    Ok(show(&context, &scheme).await?.into_response())
}

async fn show(
    context: &Context,
    scheme: &SchemeCode,
) -> Result<Tagged<FundingSchemeView>, Problem> {
    let found = current(context, scheme).await?;
    let found = found.ok_or_else(Problem::not_found)?;
    Ok(Tagged {
        version: found.version,
        view: found.value.into(),
    })
}

/// Add or edit a funding scheme
///
/// By administrators; a new one goes against the ETag `"0"`. What is agreed goes on; offers made or accepted from
/// now on are held to the new caps. Every version is kept.
#[utoipa::path(put, path = "/v1/funding-schemes/{scheme}", tag = "terms", params(("scheme" = SchemeCode, Path)),
    request_body(content = SchemeRules, example = json!({
        "name": "Home support",
        "caps": [
            {"service": "social_support", "band": "weekday_daytime", "most": 7200},
            {"service": "social_support", "band": "public_holiday", "most": 15000}
        ],
        "holidays": ["2026-12-25", "2026-12-26"]
    })),
    responses((status = 200, body = FundingSchemeView))
)]
async fn edit_funding_scheme(
    State(context): State<Shared>,
    caller: Caller,
    Path(scheme): Path<SchemeCode>,
    change: Edit<SchemeRules>,
) -> Result<Response, Problem> {
    let duty = on_duty(&caller, Duty::Administration)?;
    let rules = &change.body;
    rules.check()?;
    edit(&context, || async {
        let was = current(&context, &scheme).await?;
        must_match(change.version, was.as_ref().map_or(0, |was| was.version))?;
        let stored = |current| StoredScheme {
            current,
            since: context.now(),
            scheme: match &was {
                Some(was) => was.value.scheme.revised(rules.clone()),
                None => FundingScheme::new(scheme.clone(), rules.clone()),
            },
        };
        let (now, kept) = (stored(true), stored(false));
        let audit = context.audit(duty.acting, "edit_funding_scheme", &now.key());
        let commit = Commit::new(audit).insert(&kept);
        let commit = match &was {
            Some(was) => commit.replace(was, &now),
            None => commit.insert(&now),
        };
        Ok(duty.insisted_on(commit))
    })
    .await?;
    Ok(show(&context, &scheme).await?.into_response())
}

/// Who pays for a client's support.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetFunding {
    /// The scheme; null where the client pays.
    scheme: Option<SchemeCode>,
    /// Why; kept with the client.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Say which scheme pays for a client's support
///
/// By staff, never their own. What is agreed goes on; offers made or accepted from now on are held to the scheme's
/// caps.
#[utoipa::path(put, path = "/v1/clients/{client}/funding", tag = "terms", params(("client" = ClientId, Path)),
    request_body(content = SetFunding, example = json!({
        "scheme": "home-support", "reason": "The scheme's letter of 2 March."
    })),
    responses((status = 200, body = client::ClientView))
)]
async fn set_funding(
    State(context): State<Shared>,
    caller: Caller,
    Path(client): Path<ClientId>,
    change: Edit<SetFunding>,
) -> Result<Response, Problem> {
    let duty = over_client(&caller, client, Duty::People)?;
    let SetFunding { scheme, reason } = &change.body;
    need_reason(reason)?;
    edit(&context, || async {
        let was = client::load(&context, client).await?;
        must_match(change.version, was.version)?;
        let next = Client {
            funding: scheme.clone(),
            ..was.value.clone()
        };
        let (key, fields) = (was.value.key(), vec!["funding".to_owned()]);
        let audit = context.correction(duty.acting, "set_funding", &key, fields, reason);
        let mut commit = Commit::new(audit).replace(&was, &next);
        if let Some(scheme) = scheme {
            let found = current(&context, scheme).await?;
            let unknown = || Problem::invalid_field("/scheme", "is no scheme that there is");
            commit = commit.unchanged(&found.ok_or_else(unknown)?);
        }
        Ok(duty.insisted_on(commit))
    })
    .await?;
    let shown = client::show(&context, &caller, client).await?;
    Ok(shown.into_response())
}
