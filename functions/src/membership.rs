//! Membership plans: what they are, which one a client has, and whether it allows an act.

use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::access::Duty;
use domain::client::{Client, Membership};
use domain::id::{ClientId, MembershipPlanId};
use domain::membership::{Entitlement, MembershipPlan, MembershipPlanState, MembershipTerms};
use domain::notice::Event;
use domain::vocabulary::Vocabulary;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Commit, Key, StaffPartition, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::{Command, Edit, must_match};
use crate::caller::Caller;
use crate::client;
use crate::context::{Context, Shared};
use crate::page::{Listed, PageQuery};
use crate::path::{Path, Query};
use crate::perform::{Decision, Tagged, edit, once};
use crate::problem::Problem;
use crate::reason::need_reason;
use crate::standing::{on_duty, over_client};

/// As many plans as a refusal names.
const MOST_NAMED: u16 = 100;

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list_membership_plans, create_membership_plan))
        .routes(routes!(show_membership_plan, edit_membership_plan))
        .routes(routes!(assign_membership))
}

/// The membership plan of a client, if it allows something new that takes `entitlement`. A commit that
/// rests on it insists on the client and on the plan returned here.
///
/// # Errors
/// 403 `membership-lacks-entitlement`, whose `plans` are the offered ones that allow it.
pub async fn require(
    context: &Context,
    client: &Client,
    entitlement: Entitlement,
) -> Result<Versioned<MembershipPlan>, Problem> {
    let plan = match client.membership {
        Some(Membership { plan, .. }) => find(context, plan).await?,
        None => None,
    };
    match plan.filter(|plan| plan.value.entitles(entitlement)) {
        Some(plan) => Ok(plan),
        None => Err(lacks(context, entitlement).await?),
    }
}

/// The membership plan of a client, if it allows one more open match request. A commit that rests on it
/// replaces the client, who says how many are open, and insists on the plan returned here.
///
/// # Errors
/// As [`require`]; 409 `open-match-requests-limit` with the `limit`, whose `plans` are the offered ones
/// that allow more.
pub async fn require_another_match_request(
    context: &Context,
    client: &Client,
) -> Result<Versioned<MembershipPlan>, Problem> {
    let plan = require(context, client, Entitlement::MatchRequests).await?;
    let open = client.open_match_requests.len();
    if plan.value.allows_another_match_request(open) {
        return Ok(plan);
    }
    let limit = plan.value.terms.open_match_requests;
    let plans = offered(context, |plan| plan.allows_another_match_request(open)).await?;
    let detail = format!(
        "the membership plan allows {limit} open at once, and {open} are; withdraw one, or ask for a plan that allows more"
    );
    Err(Problem::wrong_state("open-match-requests-limit", detail)
        .with("limit", limit)
        .with("plans", plans))
}

/// The plans on offer that a refusal names.
async fn offered(
    context: &Context,
    allows: impl Fn(&MembershipPlan) -> bool,
) -> Result<Value, Problem> {
    let listed = context
        .store
        .staff_list::<MembershipPlan>(StaffPartition::MembershipPlans, false, MOST_NAMED, None)
        .await?;
    let allowing = listed
        .items
        .into_iter()
        .map(|plan| plan.value)
        .filter(|plan| plan.is_offered() && allows(plan));
    Ok(allowing
        .map(|plan| json!({"id": plan.id, "name": plan.terms.name, "monthly_fee": plan.terms.fees.monthly}))
        .collect())
}

async fn lacks(context: &Context, entitlement: Entitlement) -> Result<Problem, Problem> {
    let plans = offered(context, |plan| plan.entitles(entitlement)).await?;
    let title = "The membership plan does not include this";
    let kind = "membership-lacks-entitlement";
    Ok(Problem::new(StatusCode::FORBIDDEN, kind, title)
        .detail(format!("needed: {}", entitlement.label()))
        .with("entitlement", entitlement.code())
        .with("plans", plans))
}

/// A membership plan.
#[derive(Debug, Serialize, ToSchema)]
struct MembershipPlanView {
    id: MembershipPlanId,
    state: MembershipPlanState,
    #[serde(flatten)]
    terms: MembershipTerms,
}

impl From<MembershipPlan> for MembershipPlanView {
    fn from(plan: MembershipPlan) -> Self {
        let MembershipPlan { id, state, terms } = plan;
        Self { id, state, terms }
    }
}

/// List membership plans
///
/// By name. For everybody who is signed in; staff see the retired ones too, for others a page can hold
/// fewer than asked.
#[utoipa::path(get, path = "/v1/membership-plans", tag = "membership", params(PageQuery), responses(
    (status = 200, body = Listed<MembershipPlanView>, example = json!({"items": [{
        "id": "mpl_0190b2f06bd47c5a9a3e5b7f21d4c8ad", "state": "offered", "name": "Together",
        "description": "Find and book support workers yourself.", "entitlements": ["match_requests"],
        "open_match_requests": 3, "fees": {"monthly": 1900, "service_basis_points": 250}
    }]}))
))]
async fn list_membership_plans(
    State(context): State<Shared>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    let mut found = context
        .store
        .staff_list::<MembershipPlan>(
            StaffPartition::MembershipPlans,
            false,
            page.limit(),
            page.cursor(),
        )
        .await?;
    let staff = !caller.person.value.roles.staff.is_empty();
    found.items.retain(|plan| staff || plan.value.is_offered());
    Ok(Listed::of(found, |plan| MembershipPlanView::from(plan.value)).at(&uri))
}

/// Show a membership plan
///
/// For everybody who is signed in, retired ones too: somebody may still have it.
#[utoipa::path(get, path = "/v1/membership-plans/{plan}", tag = "membership",
    params(("plan" = MembershipPlanId, Path)),
    responses((status = 200, body = MembershipPlanView, example = json!({
        "id": "mpl_0190b2f06bd47c5a9a3e5b7f21d4c8ad", "state": "offered", "name": "Together",
        "description": "Find and book support workers yourself.", "entitlements": ["match_requests"],
        "open_match_requests": 3, "fees": {"monthly": 1900, "service_basis_points": 250}
    })))
)]
async fn show_membership_plan(
    State(context): State<Shared>,
    _caller: Caller,
    Path(plan): Path<MembershipPlanId>,
) -> Result<Response, Problem> {
    Ok(show(&context, plan).await?.into_response())
}

async fn show(
    context: &Context,
    plan: MembershipPlanId,
) -> Result<Tagged<MembershipPlanView>, Problem> {
    let Versioned { version, value } = load(context, plan).await?;
    Ok(Tagged {
        version,
        view: value.into(),
    })
}

async fn load(
    context: &Context,
    plan: MembershipPlanId,
) -> Result<Versioned<MembershipPlan>, Problem> {
    find(context, plan).await?.ok_or_else(Problem::not_found)
}

async fn find(
    context: &Context,
    plan: MembershipPlanId,
) -> Result<Option<Versioned<MembershipPlan>>, Problem> {
    Ok(context.store.get(&Key::membership_plan(plan)).await?)
}

/// Create a membership plan
///
/// By administrators. It is offered from then on.
#[utoipa::path(post, path = "/v1/membership-plans", tag = "membership",
    request_body(content = MembershipTerms, example = json!({
        "name": "Together", "description": "Find and book support workers yourself.",
        "entitlements": ["match_requests"], "open_match_requests": 3,
        "fees": {"monthly": 1900, "service_basis_points": 250}
    })),
    responses((status = 201, body = MembershipPlanView))
)]
async fn create_membership_plan(
    State(context): State<Shared>,
    caller: Caller,
    command: Command<MembershipTerms>,
) -> Result<Response, Problem> {
    let duty = on_duty(&caller, Duty::Administration)?;
    let terms = &command.body;
    terms.check()?;
    let done = once(&context, duty.acting.by, &command.key, || async {
        let plan = MembershipPlan {
            id: context.fresh(),
            state: MembershipPlanState::Offered,
            terms: terms.clone(),
        };
        let key = Key::membership_plan(plan.id);
        let audit = context.audit(duty.acting, "create_membership_plan", &key);
        let commit = duty.insisted_on(Commit::new(audit).insert(&plan));
        Ok(Decision::new(commit, plan.id))
    })
    .await?;
    let view = show(&context, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

/// A membership plan as it should be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EditMembershipPlan {
    /// Whether it can be assigned from now on.
    state: MembershipPlanState,
    /// What it says.
    terms: MembershipTerms,
}

/// Edit a membership plan
///
/// By administrators. What clients on the plan have begun goes on; what they begin from now on is held
/// to the new terms. A retired plan stays with those who have it.
#[utoipa::path(put, path = "/v1/membership-plans/{plan}", tag = "membership",
    params(("plan" = MembershipPlanId, Path)),
    request_body(content = EditMembershipPlan, example = json!({
        "state": "retired",
        "terms": {
            "name": "Together", "description": "", "entitlements": ["match_requests"],
            "open_match_requests": 1, "fees": {"monthly": 1900, "service_basis_points": 250}
        }
    })),
    responses((status = 200, body = MembershipPlanView))
)]
async fn edit_membership_plan(
    State(context): State<Shared>,
    caller: Caller,
    Path(plan): Path<MembershipPlanId>,
    change: Edit<EditMembershipPlan>,
) -> Result<Response, Problem> {
    let duty = on_duty(&caller, Duty::Administration)?;
    let EditMembershipPlan { state, terms } = &change.body;
    terms.check().map_err(under_terms)?;
    edit(&context, || async {
        let was = load(&context, plan).await?;
        must_match(change.version, was.version)?;
        let next = MembershipPlan {
            id: plan,
            state: *state,
            terms: terms.clone(),
        };
        let key = Key::membership_plan(plan);
        let audit = context.audit(duty.acting, "edit_membership_plan", &key);
        Ok(duty.insisted_on(Commit::new(audit).replace(&was, &next)))
    })
    .await?;
    Ok(show(&context, plan).await?.into_response())
}

fn under_terms(mut errors: Vec<domain::invalid::Invalid>) -> Problem {
    for error in &mut errors {
        error.pointer.insert_str(0, "/terms");
    }
    Problem::invalid(errors)
}

/// Which plan a client is to have.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AssignMembership {
    /// An offered plan.
    plan: MembershipPlanId,
    /// Why; kept with the client.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Assign a membership plan
///
/// By staff, never their own. With a smaller plan everything that stands goes on; only what is begun from now on is held
/// to it. The client is told.
#[utoipa::path(put, path = "/v1/clients/{client}/membership", tag = "membership",
    params(("client" = ClientId, Path)),
    request_body(content = AssignMembership, example = json!({
        "plan": "mpl_0190b2f06bd47c5a9a3e5b7f21d4c8ad", "reason": "Chosen by the client on the phone."
    })),
    responses((status = 200, body = client::ClientView))
)]
async fn assign_membership(
    State(context): State<Shared>,
    caller: Caller,
    Path(client): Path<ClientId>,
    change: Edit<AssignMembership>,
) -> Result<Response, Problem> {
    let duty = over_client(&caller, client, Duty::People)?;
    let AssignMembership { plan, reason } = &change.body;
    need_reason(reason)?;
    edit(&context, || async {
        let was = client::load(&context, client).await?;
        must_match(change.version, was.version)?;
        let plan = find(&context, *plan).await?;
        let plan = plan
            .filter(|plan| plan.value.is_offered())
            .ok_or_else(|| Problem::invalid_field("/plan", "is no plan on offer"))?;
        let next = on_plan(was.value.clone(), plan.value.id, context.now());
        let fields = vec!["membership".to_owned()];
        let key = Key::client(client);
        let audit = context.correction(duty.acting, "assign_membership", &key, fields, reason);
        let event = Event::MembershipAssigned { client };
        let commit = Commit::new(audit)
            .replace(&was, &next)
            .unchanged(&plan)
            .notify(context.fresh(), event);
        Ok(duty.insisted_on(commit))
    })
    .await?;
    let shown = client::show(&context, &caller, client).await?;
    Ok(shown.into_response())
}

fn on_plan(client: Client, plan: MembershipPlanId, since: DateTime<Utc>) -> Client {
    Client {
        membership: Some(Membership { plan, since }),
        ..client
    }
}
