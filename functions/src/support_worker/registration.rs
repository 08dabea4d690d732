//! Becoming a support worker: by anybody who is signed in, whether or not they are known here yet.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::invalid::Findings;
use domain::notice::Event;
use domain::person::{Contact, LoginKey, Person, PersonName, Roles};
use domain::support_worker::{RegisterWorkerError, Registered, SupportWorker};
use serde::Deserialize;
use store::{Commit, Key, Login, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::view::{self, WorkerView};
use crate::body::Command;
use crate::caller::{Caller, SignedIn};
use crate::context::{Context, Shared};
use crate::duplicate::told_apart;
use crate::perform::{Decision, once};
use crate::problem::Problem;

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(register_worker))
}

/// Who becomes a support worker: needed from somebody who is not known here yet, and only then.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RegisterWorker {
    /// What they are called.
    name: Option<PersonName>,
    /// How to reach them.
    contact: Option<Contact>,
}

/// Become a support worker
///
/// The caller gets the role, in draft. A login that belongs to nobody yet makes a new person of the name
/// and contact given; a person who is known, such as a client, gives neither.
#[utoipa::path(post, path = "/v1/support-workers", tag = "support workers",
    request_body(content = RegisterWorker, example = json!({
        "name": {"given": "Mira", "family": "Okafor"},
        "contact": {"email": "mira.okafor@example.org", "phone": "+61 491 570 156"}
    })),
    responses((status = 201, body = WorkerView))
)]
async fn register_worker(
    State(context): State<Shared>,
    SignedIn(login): SignedIn,
    command: Command<RegisterWorker>,
) -> Result<Response, Problem> {
    // The login, which stays the same while the act makes it somebody's.
    let caller = format!("{}#{}", login.issuer, login.subject);
    let done = once(&context, caller, &command.key, || async {
        match Caller::of(&context, &login).await? {
            Some(caller) => add_role(&context, caller.person, &command.body),
            None => new_person(&context, &login, &command.body).await,
        }
    })
    .await?;
    let caller = Caller::of(&context, &login)
        .await?
        .ok_or_else(Problem::not_found)?;
    let view = view::show(&context, &caller, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

fn add_role(
    context: &Context,
    was: Versioned<Person>,
    given: &RegisterWorker,
) -> Result<Decision, Problem> {
    let Registered { person, worker } =
        SupportWorker::register(was.value.clone(), context.fresh())?;
    let mut findings = Findings::default();
    let known = "is known already; leave it out";
    findings.check(given.name.is_none(), "/name", known);
    findings.check(given.contact.is_none(), "/contact", known);
    findings.into_result()?;
    let commit = registered(context, &worker)
        .replace(&was, &person)
        .insert(&worker);
    Ok(Decision::new(commit, worker.id))
}

async fn new_person(
    context: &Context,
    login: &LoginKey,
    given: &RegisterWorker,
) -> Result<Decision, Problem> {
    let (name, contact) = details(given)?;
    let person = Person {
        id: context.fresh(),
        name,
        contact,
        birth_date: None,
        address: None,
        activation: None,
        logins: vec![login.clone()],
        roles: Roles::default(),
        merged_into: None,
        mail_bounced: false,
        created_at: context.now(),
    };
    let Registered { person, worker } = SupportWorker::register(person, context.fresh())?;
    let bound = Login {
        login: login.clone(),
        person: person.id,
    };
    let activated = Event::AccountActivated { person: person.id };
    let commit = registered(context, &worker)
        .insert(&person)
        .insert(&bound)
        .insert(&worker)
        .notify(context.fresh(), activated);
    let commit = told_apart(context, commit, None, &person).await?;
    Ok(Decision::new(commit, worker.id))
}

fn registered(context: &Context, worker: &SupportWorker) -> Commit {
    let by = domain::access::Acting::by(worker.person);
    Commit::new(context.audit(by, "register_worker", &Key::worker(worker.id)))
}

/// Name and contact, both needed and both right.
fn details(given: &RegisterWorker) -> Result<(PersonName, Contact), Problem> {
    let mut findings = Findings::default();
    if let Some(name) = &given.name {
        findings.text("/name/given", &name.given, 1, 80);
        findings.text("/name/family", &name.family, 1, 80);
    }
    if let Some(contact) = &given.contact {
        contact.check(&mut findings, "/contact");
    }
    findings.check(given.name.is_some(), "/name", "is needed");
    findings.check(given.contact.is_some(), "/contact", "is needed");
    findings.into_result()?;
    given
        .name
        .clone()
        .zip(given.contact.clone())
        .ok_or_else(Problem::internal)
}

impl From<RegisterWorkerError> for Problem {
    fn from(error: RegisterWorkerError) -> Self {
        match error {
            RegisterWorkerError::AlreadyRegistered(worker) => {
                Self::wrong_state("worker-already-registered", error)
                    .with("worker", worker.to_string())
            }
        }
    }
}
