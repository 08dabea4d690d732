//! Activation: whoever holds the mailed link binds the login they are signed in with to the person.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::access::Acting;
use domain::activation::{ActivateError, activate};
use domain::id::{PersonId, PersonKind};
use domain::invalid::Findings;
use domain::notice::Event;
use domain::person::{LoginKey, Person};
use domain::signup::Signup;
use platform::link::LinkPurpose;
use serde::{Deserialize, Serialize};
use store::{Commit, Key, Login, StoreError};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Command;
use crate::caller::SignedIn;
use crate::context::{Context, Shared};
use crate::perform::{Decision, once};
use crate::problem::Problem;

/// What audit items call the act.
const ACTIVATE: &str = "activate_account";
/// How many audit items are read at once.
const AUDIT_PAGE: u16 = 100;

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(activate_account))
}

/// The token of an activation link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LinkToken {
    /// As it stands in the link.
    #[schema(
        max_length = 128,
        example = "per_0190b2f06bd47c5a9a3e5b7f21d4c8aa.1.3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    )]
    token: String,
}

/// An account that the caller's login opens now.
#[derive(Debug, Serialize, ToSchema)]
struct ActivatedAccount {
    /// Whose account.
    person: PersonId,
    /// When the link was used.
    activated_at: Option<DateTime<Utc>>,
}

/// Activate an account
///
/// Binds the login of the access token to the person whom the link was mailed to. A link works once,
/// for 14 days, and until a newer one is sent.
#[utoipa::path(post, path = "/v1/activations", tag = "activation", request_body = LinkToken,
    responses((status = 201, body = ActivatedAccount))
)]
async fn activate_account(
    State(context): State<Shared>,
    SignedIn(login): SignedIn,
    command: Command<LinkToken>,
) -> Result<Response, Problem> {
    let mut findings = Findings::default();
    findings.text("/token", &command.body.token, 1, 128);
    findings.into_result()?;
    let caller = format!("{}#{}", login.issuer, login.subject);
    let done = once(&context, caller, &command.key, || {
        decide(&context, &login, &command.body.token)
    })
    .await?;
    let view = show(&context, &login, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

async fn decide(context: &Context, login: &LoginKey, token: &str) -> Result<Decision, Problem> {
    let links = context.key.links(LinkPurpose::Activation);
    let Ok((id, generation)) = links.verify::<PersonKind>(token) else {
        return Err(not_a_link());
    };
    let person = context.store.get::<Person>(&Key::person(id)).await?;
    let was = person.ok_or_else(not_a_link)?;
    let now = context.now();
    let next = activate(was.value.clone(), generation, login.clone(), now)?;
    if context
        .store
        .get::<Login>(&Key::login(login))
        .await?
        .is_some()
    {
        let detail =
            "this login opens an account already; sign in with another one to activate this link";
        return Err(Problem::wrong_state("login-bound", detail));
    }
    let bound = Login {
        login: login.clone(),
        person: id,
    };
    let actor = Acting::by(id);
    let mut audit = context.audit(actor, ACTIVATE, &Key::person(id));
    audit.fields = vec!["logins".to_owned()];
    let mut commit = Commit::new(audit)
        .replace(&was, &next)
        .insert(&bound)
        .notify(context.fresh(), Event::AccountActivated { person: id });
    // Staff and support workers are activated without a signup.
    let signup = Key::signup(Signup::activated_by(id));
    if let Some(signup) = context.store.get::<Signup>(&signup).await? {
        let activated = signup.value.clone().activate(now);
        commit = commit.replace(&signup, &activated);
    }
    Ok(Decision::new(commit, id))
}

/// What the login opens, read again: a repetition sees it only while the login still opens it.
async fn show(
    context: &Context,
    login: &LoginKey,
    activated: PersonId,
) -> Result<Response, Problem> {
    let person = context.store.get::<Person>(&Key::person(activated)).await?;
    let person = person.ok_or_else(Problem::not_found)?.value;
    let opens = context.person_of(login).await?;
    let still_opens = opens.is_some_and(|opens| {
        opens.value.id == activated || person.merged_into == Some(opens.value.id)
    });
    if !still_opens {
        return Err(Problem::not_found());
    }
    let view = ActivatedAccount {
        person: activated,
        activated_at: person.activation.and_then(|link| link.used_at),
    };
    Ok(Json(view).into_response())
}

/// Whether a login was ever bound to `person` by a link, even if staff have unbound it since. A commit
/// that rests on it insists on the person.
///
/// # Errors
/// When the table does not answer.
pub async fn was_activated(context: &Context, person: &Person) -> Result<bool, StoreError> {
    if !person.logins.is_empty() {
        return Ok(true);
    }
    let key = Key::person(person.id);
    let mut cursor = None;
    loop {
        let page = context
            .store
            .audit_of(&key, AUDIT_PAGE, cursor.as_deref())
            .await?;
        if page
            .items
            .iter()
            .any(|entry| entry.item.operation == ACTIVATE)
        {
            return Ok(true);
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(false),
        }
    }
}

/// Malformed, forged, of another purpose, or of a person who is not there: all alike.
fn not_a_link() -> Problem {
    let title = "This is not an activation link of ours";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "link-not-valid", title)
}

impl From<ActivateError> for Problem {
    fn from(error: ActivateError) -> Self {
        match error {
            ActivateError::Superseded => Self::wrong_state("link-superseded", error),
            ActivateError::Used => Self::wrong_state("link-used", error),
            ActivateError::Expired => Self::wrong_state("link-expired", error),
            ActivateError::TooManyLogins => Self::wrong_state("too-many-logins", error),
        }
    }
}
