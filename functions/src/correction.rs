//! What staff put right about people: links, contact details, logins, and records that are one person's.

mod merge;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::access::Duty;
use domain::correction::{
    self, CorrectContactError, Corrected, Mailbox, RebindLoginError, Rebinding, ResendLinkError,
};
use domain::id::PersonId;
use domain::invalid::Findings;
use domain::person::{Contact, LoginKey, Person};
use serde::Deserialize;
use store::{Commit, Hint, Key, Login, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::{Command, Edit, must_match};
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::path::Path;
use crate::perform::{Decision, Done, edit, once};
use crate::person::{load, show};
use crate::problem::Problem;
use crate::reason::{check_reason, need_reason};
use crate::standing::on_duty;

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(resend_activation_link))
        .routes(routes!(correct_contact))
        .routes(routes!(rebind_login))
        .routes(routes!(merge::list_merges, merge::merge_person))
        .routes(routes!(merge::unmerge_person))
}

/// The most authorities or merges that are looked at.
const MOST_LISTED: usize = 100;

/// Why something is corrected.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Reason {
    /// Why; kept with the record.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Resend an activation link
///
/// The new link works for 14 days, and every earlier one stops working. Only for an account that no
/// login was bound to.
#[utoipa::path(post, path = "/v1/people/{person}/activation-links", tag = "people",
    params(("person" = PersonId, Path)),
    request_body(content = Reason, example = json!({
        "reason": "She deleted the first mail; spoke to her on the phone."
    })),
    responses((status = 201, body = crate::person::PersonView))
)]
async fn resend_activation_link(
    State(context): State<Shared>,
    caller: Caller,
    Path(person): Path<PersonId>,
    command: Command<Reason>,
) -> Result<Response, Problem> {
    let duty = on_duty(&caller, Duty::People)?;
    let reason = &command.body.reason;
    need_reason(reason)?;
    let done = once(&context, duty.acting.by, &command.key, || async {
        let was = load(&context, person).await?;
        let mailbox = mailbox(&context, &was.value, &was.value.contact).await?;
        let corrected = correction::resend_link(was.value.clone(), mailbox, context.now())?;
        let commit = corrected_commit(
            &context,
            &duty,
            "resend_activation_link",
            &was,
            corrected,
            reason,
        );
        Ok(Decision::new(commit, person))
    })
    .await?;
    created(&context, &caller, &done).await
}

/// How a person is reached, put right.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ContactCorrection {
    /// Mail address and telephone number.
    contact: Contact,
    /// Where they live, as typed.
    #[schema(max_length = 300)]
    address: Option<String>,
    /// Why; kept with the record.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

impl ContactCorrection {
    fn check(&self) -> Result<(), Problem> {
        let mut findings = Findings::default();
        self.contact.check(&mut findings, "/contact");
        if let Some(address) = &self.address {
            findings.text("/address", address, 1, 300);
        }
        check_reason(&mut findings, &self.reason);
        Ok(findings.into_result()?)
    }
}

/// Correct contact details
///
/// Mail to the person is tried again. If an activation link went to another mail address, it stops
/// working and a new one goes to the right address.
#[utoipa::path(put, path = "/v1/people/{person}/contact", tag = "people", params(("person" = PersonId, Path)),
    request_body(content = ContactCorrection, example = json!({
        "contact": {"email": "ana.lindqvist@example.org", "phone": "+61 2 5550 1234"},
        "address": "3 Hill Street, Newtown", "reason": "Read out by herself on the phone; the form had a typing error."
    })),
    responses((status = 200, body = crate::person::PersonView))
)]
async fn correct_contact(
    State(context): State<Shared>,
    caller: Caller,
    Path(person): Path<PersonId>,
    change: Edit<ContactCorrection>,
) -> Result<Response, Problem> {
    let duty = on_duty(&caller, Duty::People)?;
    change.body.check()?;
    edit(&context, || async {
        let was = load(&context, person).await?;
        must_match(change.version, was.version)?;
        let ContactCorrection {
            contact,
            address,
            reason,
        } = change.body.clone();
        let hints = context.key.hints();
        let hint = |contact: &Contact| Hint {
            hash: hints.mail_address(&contact.email),
            person,
        };
        let (old, new) = (hint(&was.value.contact), hint(&contact));
        let mailbox = mailbox(&context, &was.value, &contact).await?;
        let now = context.now();
        let corrected =
            correction::correct_contact(was.value.clone(), contact, address, mailbox, now)?;
        let commit = corrected_commit(&context, &duty, "correct_contact", &was, corrected, &reason);
        Ok(if old == new {
            commit
        } else {
            let old = Key::hint(&old.hash, person);
            commit.derive_nothing_at(&old).derive(&new)
        })
    })
    .await?;
    Ok(show(&context, &caller, person).await?.into_response())
}

/// How staff made sure who somebody is.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum IdentityCheckMethod {
    /// Met them.
    InPerson,
    /// Saw them and a document on video.
    Video,
    /// Called back on the number known before.
    CallBack,
}

impl IdentityCheckMethod {
    const fn words(self) -> &'static str {
        match self {
            Self::InPerson => "in person",
            Self::Video => "by video",
            Self::CallBack => "by calling back",
        }
    }
}

/// An identity check that staff made.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct IdentityCheck {
    /// How.
    method: IdentityCheckMethod,
    /// What was seen or asked, as a reference.
    #[schema(min_length = 1, max_length = 100)]
    reference: String,
}

/// Why logins are unbound, and how staff know that it is for their owner.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LoginRebinding {
    /// Why; kept with the record.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
    /// How the person's identity was checked; kept with the reason.
    identity_check: IdentityCheck,
}

/// Rebind a login
///
/// After an identity check: every login is unbound at once, and an activation link for a new one is
/// sent. The mail address has to be right before.
#[utoipa::path(post, path = "/v1/people/{person}/login-rebindings", tag = "people",
    params(("person" = PersonId, Path)),
    request_body(content = LoginRebinding, example = json!({
        "reason": "Lost her phone and with it the login.",
        "identity_check": {"method": "video", "reference": "Driver licence, seen 2 March"}
    })),
    responses((status = 201, body = crate::person::PersonView))
)]
async fn rebind_login(
    State(context): State<Shared>,
    caller: Caller,
    Path(person): Path<PersonId>,
    command: Command<LoginRebinding>,
) -> Result<Response, Problem> {
    let duty = on_duty(&caller, Duty::People)?;
    let LoginRebinding {
        reason,
        identity_check,
    } = &command.body;
    let mut findings = Findings::default();
    check_reason(&mut findings, reason);
    let reference = &identity_check.reference;
    findings.text("/identity_check/reference", reference, 1, 100);
    findings.into_result()?;
    let method = identity_check.method.words();
    let words = format!("{reason}\nIdentity checked {method}: {reference}");
    let done = once(&context, duty.acting.by, &command.key, || async {
        let was = load(&context, person).await?;
        let mailbox = mailbox(&context, &was.value, &was.value.contact).await?;
        let (by, now) = (duty.acting.by, context.now());
        let Rebinding { corrected, unbound } =
            correction::rebind_login(was.value.clone(), by, mailbox, now)?;
        let commit = corrected_commit(&context, &duty, "rebind_login", &was, corrected, &words);
        let logins = load_logins(&context, &unbound).await?;
        let commit = logins.iter().fold(commit, Commit::remove);
        Ok(Decision::new(commit, person))
    })
    .await?;
    created(&context, &caller, &done).await
}

/// Whose mailbox this contact is. A guard against sending a link to the wrong one, no authorisation:
/// the commit does not insist on it.
pub(crate) async fn mailbox(
    context: &Context,
    person: &Person,
    contact: &Contact,
) -> Result<Mailbox, Problem> {
    let mut representatives = Vec::new();
    for client in &person.roles.clients {
        let held = context.store.authorities_over(*client, MOST_LISTED).await?;
        let keys = held
            .iter()
            .map(|held| Key::person(held.value.representative));
        representatives.extend(keys);
    }
    let representatives = context.store.get_many::<Person>(&representatives).await?;
    let theirs = representatives.iter().any(|representative| {
        let address = &representative.value.contact.email;
        address.trim().eq_ignore_ascii_case(contact.email.trim())
    });
    Ok(if theirs {
        Mailbox::Representatives
    } else {
        Mailbox::Own
    })
}

fn corrected_commit(
    context: &Context,
    duty: &crate::standing::OnDuty,
    operation: &'static str,
    was: &Versioned<Person>,
    Corrected { person, event }: Corrected,
    reason: &str,
) -> Commit {
    let fields = correction::changed_fields(&was.value, &person);
    let key = Key::person(person.id);
    let audit = context.correction(duty.acting, operation, &key, fields, reason);
    let commit = Commit::new(audit)
        .replace(was, &person)
        .notify(context.fresh(), event);
    duty.insisted_on(commit)
}

async fn load_logins(
    context: &Context,
    logins: &[LoginKey],
) -> Result<Vec<Versioned<Login>>, Problem> {
    let keys: Vec<Key> = logins.iter().map(Key::login).collect();
    let found = context.store.get_many::<Login>(&keys).await?;
    if found.len() == logins.len() {
        return Ok(found);
    }
    tracing::error!("a person lists a login that is not stored");
    Err(Problem::internal())
}

async fn created(context: &Context, caller: &Caller, done: &Done) -> Result<Response, Problem> {
    let view = show(context, caller, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

impl From<ResendLinkError> for Problem {
    fn from(error: ResendLinkError) -> Self {
        let kind = match error {
            ResendLinkError::Merged => "person-merged",
            ResendLinkError::Activated => "account-activated",
            ResendLinkError::MailBounced => "mail-bounced",
            ResendLinkError::RepresentativesMailbox => "representatives-mailbox",
        };
        Self::wrong_state(kind, error)
    }
}

impl From<CorrectContactError> for Problem {
    fn from(error: CorrectContactError) -> Self {
        let kind = match error {
            CorrectContactError::Merged => "person-merged",
            CorrectContactError::RepresentativesMailbox => "representatives-mailbox",
        };
        Self::wrong_state(kind, error)
    }
}

impl From<RebindLoginError> for Problem {
    fn from(error: RebindLoginError) -> Self {
        let kind = match error {
            RebindLoginError::Merged => "person-merged",
            RebindLoginError::Own => return Self::forbidden().detail(error),
            RebindLoginError::NotActivated => "account-not-activated",
            RebindLoginError::MailBounced => "mail-bounced",
            RebindLoginError::RepresentativesMailbox => "representatives-mailbox",
        };
        Self::wrong_state(kind, error)
    }
}
