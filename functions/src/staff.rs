//! Staff: who they are, appointing them and letting them go.

use std::collections::BTreeSet;

use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::access::{Duty, StaffRole};
use domain::id::PersonId;
use domain::notice::Event;
use domain::person::{Person, PersonName};
use domain::staff::{self, AppointStaffError, DismissStaffError};
use serde::{Deserialize, Serialize};
use store::{Commit, Key, StaffPartition, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Command;
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::page::{Listed, PageQuery};
use crate::path::{Path, Query};
use crate::perform::{Decision, Tagged, once};
use crate::person::load;
use crate::problem::Problem;
use crate::reason::need_reason;
use crate::standing::{OnDuty, on_duty};

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list_staff, appoint_staff))
        .routes(routes!(dismiss_staff))
}

/// A member of staff.
#[derive(Debug, Serialize, ToSchema)]
struct StaffView {
    person: PersonId,
    name: PersonName,
    /// Empty once they are dismissed.
    roles: BTreeSet<StaffRole>,
    /// Whether a login was bound to their account.
    activated: bool,
}

impl From<Person> for StaffView {
    fn from(person: Person) -> Self {
        Self {
            person: person.id,
            name: person.name,
            roles: person.roles.staff,
            activated: !person.logins.is_empty(),
        }
    }
}

/// List staff
///
/// Everybody who has a staff role, the administrator whose login the deployment names among them.
#[utoipa::path(get, path = "/v1/staff", tag = "staff", params(PageQuery), responses(
    (status = 200, body = Listed<StaffView>, example = json!({"items": [{
        "person": "per_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "name": {"given": "Ana", "family": "Lindqvist"},
        "roles": ["coordinator"], "activated": true
    }]}))
))]
async fn list_staff(
    State(context): State<Shared>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    on_duty(&caller, Duty::Administration)?;
    let found = context
        .store
        .staff_list::<Person>(StaffPartition::Staff, false, page.limit(), page.cursor())
        .await?;
    Ok(Listed::of(found, |person| StaffView::from(person.value)).at(&uri))
}

/// A role to give.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Appointment {
    /// To whom.
    person: PersonId,
    /// Which role.
    role: StaffRole,
    /// Why; kept with the record.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Appoint staff
///
/// Gives another person a staff role, which counts from their next request on.
#[utoipa::path(post, path = "/v1/staff", tag = "staff",
    request_body(content = Appointment, example = json!({
        "person": "per_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "role": "coordinator",
        "reason": "Joined the northern team on 2 March."
    })),
    responses((status = 201, body = StaffView))
)]
async fn appoint_staff(
    State(context): State<Shared>,
    caller: Caller,
    command: Command<Appointment>,
) -> Result<Response, Problem> {
    let duty = on_duty(&caller, Duty::Administration)?;
    let Appointment {
        person,
        role,
        reason,
    } = &command.body;
    need_reason(reason)?;
    let done = once(&context, duty.acting.by, &command.key, || async {
        let was = context.store.get::<Person>(&Key::person(*person)).await?;
        let was = was.ok_or_else(|| Problem::invalid_field("/person", "names nobody known"))?;
        let next = staff::appoint(was.value.clone(), *role, duty.acting.by)?;
        let commit = role_commit(&context, &duty, "appoint_staff", &was, &next, reason);
        Ok(Decision::new(commit, person))
    })
    .await?;
    let view = show(&context, &caller, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

/// A role to take.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Dismissal {
    /// Which role.
    role: StaffRole,
    /// Why; kept with the record.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Dismiss staff
///
/// Takes one staff role from a person, at once. Administrators cannot take that role from themselves,
/// so that one is always left.
#[utoipa::path(post, path = "/v1/staff/{person}/dismissals", tag = "staff", params(("person" = PersonId, Path)),
    request_body(content = Dismissal, example = json!({"role": "coordinator", "reason": "Left on 30 June."})),
    responses((status = 201, body = StaffView))
)]
async fn dismiss_staff(
    State(context): State<Shared>,
    caller: Caller,
    Path(person): Path<PersonId>,
    command: Command<Dismissal>,
) -> Result<Response, Problem> {
    let duty = on_duty(&caller, Duty::Administration)?;
    let Dismissal { role, reason } = &command.body;
    need_reason(reason)?;
    let done = once(&context, duty.acting.by, &command.key, || async {
        let was = load(&context, person).await?;
        let next = staff::dismiss(was.value.clone(), *role, duty.acting.by)?;
        let commit = role_commit(&context, &duty, "dismiss_staff", &was, &next, reason);
        Ok(Decision::new(commit, person))
    })
    .await?;
    let view = show(&context, &caller, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

fn role_commit(
    context: &Context,
    duty: &OnDuty,
    operation: &'static str,
    was: &Versioned<Person>,
    next: &Person,
    reason: &str,
) -> Commit {
    let fields = vec!["roles.staff".to_owned()];
    let key = Key::person(next.id);
    let audit = context.correction(duty.acting, operation, &key, fields, reason);
    let event = Event::AccountCorrected { person: next.id };
    let commit = Commit::new(audit).replace(was, next);
    duty.insisted_on(commit.notify(context.fresh(), event))
}

async fn show(
    context: &Context,
    caller: &Caller,
    person: PersonId,
) -> Result<Tagged<StaffView>, Problem> {
    on_duty(caller, Duty::Administration)?;
    let Versioned { version, value } = load(context, person).await?;
    Ok(Tagged {
        version,
        view: value.into(),
    })
}

impl From<AppointStaffError> for Problem {
    fn from(error: AppointStaffError) -> Self {
        let kind = match error {
            AppointStaffError::Merged => "person-merged",
            AppointStaffError::Own => return Self::forbidden().detail(error),
            AppointStaffError::Held => "staff-role-held",
        };
        Self::wrong_state(kind, error)
    }
}

impl From<DismissStaffError> for Problem {
    fn from(error: DismissStaffError) -> Self {
        let kind = match error {
            DismissStaffError::NotHeld => "staff-role-not-held",
            DismissStaffError::OwnAdministration => "own-administration",
        };
        Self::wrong_state(kind, error)
    }
}
