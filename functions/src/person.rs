//! People: the caller's own record, and every record as staff read it.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, NaiveDate, Utc};
use domain::access::{Authority, Duty};
use domain::id::PersonId;
use domain::person::{Activation, Contact, LoginKey, Person, PersonName, Roles};
use serde::{Deserialize, Serialize};
use store::{Key, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::authority::AuthorityView;
use crate::body::Command;
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::page::Listed;
use crate::path::Path;
use crate::perform::Tagged;
use crate::problem::Problem;
use crate::standing::on_duty;

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(show_me))
        .routes(routes!(search_people))
        .routes(routes!(show_person))
}

/// The caller: who they are to the service.
#[derive(Debug, Serialize, ToSchema)]
struct MeView {
    id: PersonId,
    name: PersonName,
    contact: Contact,
    roles: Roles,
    /// The authorities, claimed, verified or revoked, to act for the clients in `roles.represents`.
    authorities: Vec<AuthorityView>,
}

/// Show the caller
///
/// Who the login belongs to, their roles, and for whom they may act.
#[utoipa::path(get, path = "/v1/me", tag = "people", responses((status = 200, body = MeView, example = json!({
    "id": "per_0190b2f06bd47c5a9a3e5b7f21d4c8aa",
    "name": {"given": "Ana", "family": "Lindqvist"},
    "contact": {"email": "ana@example.org", "phone": null},
    "roles": {"clients": [], "workers": [], "staff": [], "represents": ["clt_0190b2f06bd47c5a9a3e5b7f21d4c8ab"]},
    "authorities": [{
        "id": "auth_0190b2f06bd47c5a9a3e5b7f21d4c8ac", "client": "clt_0190b2f06bd47c5a9a3e5b7f21d4c8ab",
        "representative": "per_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "guardian": false, "scopes": ["details"],
        "from": "2026-03-01T00:00:00Z", "until": null, "state": "verified", "in_force": true
    }]
}))))]
async fn show_me(State(context): State<Shared>, caller: Caller) -> Result<Response, Problem> {
    let Versioned { version, value } = caller.person;
    let represented = value.roles.represents.iter();
    let keys: Vec<Key> = represented
        .map(|client| Key::authority(*client, value.id))
        .collect();
    let held = context.store.get_many::<Authority>(&keys).await?;
    let now = context.now();
    let view = MeView {
        id: value.id,
        name: value.name,
        contact: value.contact,
        roles: value.roles,
        authorities: held
            .into_iter()
            .map(|held| AuthorityView::of(held.value, now))
            .collect(),
    };
    Ok(Tagged { version, view }.into_response())
}

/// A person as staff see them.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonView {
    id: PersonId,
    name: PersonName,
    contact: Contact,
    birth_date: Option<NaiveDate>,
    /// Where they live, as typed.
    address: Option<String>,
    activation: Option<ActivationView>,
    /// Every login that opens the account.
    logins: Vec<LoginView>,
    roles: Roles,
    /// The record that this one is a duplicate of.
    merged_into: Option<PersonId>,
    /// Mail came back and is not tried until the address is corrected.
    mail_bounced: bool,
    created_at: DateTime<Utc>,
}

/// What became of the last activation link.
#[derive(Debug, Serialize, ToSchema)]
struct ActivationView {
    state: ActivationState,
    expires_at: DateTime<Utc>,
}

/// Whether an activation link can be used.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ActivationState {
    /// It waits for the person.
    Sent,
    /// It bound a login.
    Used,
    /// Nobody used it in time, or it was taken back.
    Expired,
}

/// A login at an issuer.
#[derive(Debug, Serialize, ToSchema)]
struct LoginView {
    issuer: String,
    subject: String,
}

impl ActivationView {
    fn of(activation: &Activation, now: DateTime<Utc>) -> Self {
        let state = match activation.used_at {
            Some(_) => ActivationState::Used,
            None if now < activation.expires_at => ActivationState::Sent,
            None => ActivationState::Expired,
        };
        Self {
            state,
            expires_at: activation.expires_at,
        }
    }
}

impl From<LoginKey> for LoginView {
    fn from(LoginKey { issuer, subject }: LoginKey) -> Self {
        Self { issuer, subject }
    }
}

impl PersonView {
    pub(crate) fn of(person: Person, now: DateTime<Utc>) -> Self {
        let Person {
            id,
            name,
            contact,
            birth_date,
            address,
            activation,
            logins,
            roles,
            merged_into,
            mail_bounced,
            created_at,
        } = person;
        let activation = activation.map(|activation| ActivationView::of(&activation, now));
        Self {
            id,
            name,
            contact,
            birth_date,
            address,
            activation,
            logins: logins.into_iter().map(LoginView::from).collect(),
            roles,
            merged_into,
            mail_bounced,
            created_at,
        }
    }
}

/// Whom to look for: by `mail`, or by `name` and `birth_date` together.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PersonSearch {
    /// A whole mail address.
    mail: Option<String>,
    /// Given and family name, in full.
    name: Option<String>,
    /// The birth date that goes with the name.
    birth_date: Option<NaiveDate>,
    /// Where to go on, from an earlier answer's `next`.
    cursor: Option<String>,
}

/// The most people one search answers with.
const MOST_FOUND: u16 = 50;

/// Search people
///
/// Everybody with exactly this mail address, or exactly this name and birth date; upper and lower
/// case do not matter. Details are only found whole: what finds them holds no details. A POST, so that
/// they stand in no address that anything logs; it changes nothing.
#[utoipa::path(post, path = "/v1/people/searches", tag = "people",
    request_body(content = PersonSearch, example = json!({"mail": "ana@example.org"})),
    responses((status = 200, body = Listed<PersonView>))
)]
async fn search_people(
    State(context): State<Shared>,
    caller: Caller,
    command: Command<PersonSearch>,
) -> Result<Response, Problem> {
    on_duty(&caller, Duty::People)?;
    let search = &command.body;
    let hints = context.key.hints();
    let hash = match (&search.mail, &search.name, search.birth_date) {
        (Some(mail), None, None) => hints.mail_address(mail),
        (None, Some(name), Some(born)) => hints.name_and_birth_date(name, born),
        _ => {
            let detail = "search by `mail` alone, or by `name` and `birth_date` together";
            return Err(Problem::invalid_field("/mail", detail));
        }
    };
    let hinted = context
        .store
        .hinted(&hash, MOST_FOUND, search.cursor.as_deref())
        .await?;
    let keys: Vec<Key> = hinted
        .items
        .iter()
        .map(|hint| Key::person(hint.value.person))
        .collect();
    let items = context.store.get_many::<Person>(&keys).await?;
    let found = store::Page {
        items,
        next: hinted.next,
    };
    let now = context.now();
    Ok(Json(Listed::of(found, |person| {
        PersonView::of(person.value, now)
    }))
    .into_response())
}

/// Show a person
///
/// By staff. A merged record is shown as it is, with the record it points to.
#[utoipa::path(get, path = "/v1/people/{person}", tag = "people", params(("person" = PersonId, Path)), responses(
    (status = 200, body = PersonView, example = json!({
        "id": "per_0190b2f06bd47c5a9a3e5b7f21d4c8aa",
        "name": {"given": "Ana", "family": "Lindqvist"},
        "contact": {"email": "ana@example.org", "phone": null},
        "birth_date": "1961-04-02", "address": null,
        "activation": {"state": "sent", "expires_at": "2026-03-16T00:00:00Z"},
        "logins": [],
        "roles": {"clients": ["clt_0190b2f06bd47c5a9a3e5b7f21d4c8ab"], "workers": [], "staff": [], "represents": []},
        "merged_into": null, "mail_bounced": false, "created_at": "2026-03-02T00:00:00Z"
    }))
))]
async fn show_person(
    State(context): State<Shared>,
    caller: Caller,
    Path(person): Path<PersonId>,
) -> Result<Response, Problem> {
    Ok(show(&context, &caller, person).await?.into_response())
}

/// A person as staff see them.
///
/// # Errors
/// 404 and 403 to those without the duty; 404 where there is no such person.
pub async fn show(
    context: &Context,
    caller: &Caller,
    person: PersonId,
) -> Result<Tagged<PersonView>, Problem> {
    on_duty(caller, Duty::People)?;
    let Versioned { version, value } = load(context, person).await?;
    Ok(Tagged {
        version,
        view: PersonView::of(value, context.now()),
    })
}

/// A person's own record, merged or not.
///
/// # Errors
/// 404 where there is none.
pub async fn load(context: &Context, person: PersonId) -> Result<Versioned<Person>, Problem> {
    context
        .store
        .get(&Key::person(person))
        .await?
        .ok_or_else(Problem::not_found)
}
