//! Signups: sent by a partner's server or from its form in a browser, taken in by one commit, and
//! listed for staff.

mod form;
mod page;
mod server;

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::access::Duty;
use domain::id::{ClientId, PartnerId, PersonId, SignupId};
use domain::notice::Event;
use domain::partner::Partner;
use domain::person::Person;
use domain::signup::{
    Channel, FreshIds, Received, Represented, Signup, SignupDetails, SignupState, receive,
};
use serde::Serialize;
use store::{Actor, Commit, Hint, Key, StaffPartition, StoreError, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::IdempotencyKey;
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::page::{Listed, PageQuery};
use crate::path::{Path, Query};
use crate::perform::{Decision, Done, once};
use crate::problem::Problem;
use crate::standing::on_duty;

/// How many people with the same details are named to staff.
const MOST_KNOWN: usize = 10;

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(server::send_signup))
        .routes(routes!(form::show_form_token))
        .routes(routes!(form::submit_form))
        .routes(routes!(list_signups))
        .routes(routes!(show_signup))
}

/// Takes a signup in, once for each key.
///
/// Everything it makes stands in one commit of at most 17 writes: audit, idempotency record, quota,
/// partner checked, signup, client, two people with two hints each, authority, three tickets, notice.
///
/// # Errors
/// 422 for a key used for another signup, 429 once the partner's quota is used up, 503.
async fn take_in(
    context: &Context,
    partner: &Versioned<Partner>,
    sent: Sent<'_>,
    details: &SignupDetails,
) -> Result<Done, Problem> {
    once(context, sent.sender, sent.key, || async {
        let now = context.now();
        let known = known_people(context, details).await?;
        let ids = fresh_ids(context);
        let received = receive(
            &partner.value,
            sent.channel,
            details.clone(),
            &known,
            ids,
            now,
        );
        let target = received.signup.id;
        Ok(Decision::new(commit(context, partner, &received), target))
    })
    .await
}

/// How a signup came, and what makes it happen once.
#[derive(Debug, Clone, Copy)]
struct Sent<'a> {
    channel: Channel,
    /// Whose key it is: the partner's server's or its form's.
    sender: &'a str,
    key: &'a IdempotencyKey,
}

fn fresh_ids(context: &Context) -> FreshIds {
    FreshIds {
        client_person: context.fresh(),
        client: context.fresh(),
        representative: context.fresh(),
        authority: context.fresh(),
        signup_ticket: context.fresh(),
        authority_ticket: context.fresh(),
        duplicate_ticket: context.fresh(),
    }
}

fn commit(context: &Context, partner: &Versioned<Partner>, received: &Received) -> Commit {
    let Received {
        signup,
        client,
        people,
        authority,
        tickets,
    } = received;
    let actor = Actor::Partner {
        partner: signup.partner,
    };
    let audit = context.audit(actor, "receive_signup", &Key::signup(signup.id));
    let hour = signup.received_at.format("%Y-%m-%dT%H").to_string();
    let quota = Key::quota(signup.partner, &hour);
    let limit = partner.value.settings.hourly_quota;
    let mut commit = Commit::new(audit)
        .unchanged(partner)
        .count(
            &quota,
            limit,
            signup.received_at + chrono::TimeDelta::days(1),
        )
        .insert(signup)
        .insert(client);
    for person in people {
        commit = hints_of(context, person)
            .iter()
            .fold(commit.insert(person), Commit::insert);
    }
    if let Some(authority) = authority {
        commit = commit.insert(authority);
    }
    commit = tickets.iter().fold(commit, Commit::insert);
    let person = signup.activator();
    let link = people
        .iter()
        .find(|p| p.id == person)
        .and_then(|p| p.activation.as_ref());
    match link {
        Some(link) => {
            let generation = link.generation;
            commit.notify(
                context.fresh(),
                Event::ActivationLink { person, generation },
            )
        }
        None => commit,
    }
}

fn hints_of(context: &Context, person: &Person) -> Vec<Hint> {
    let hashes = context.hint_hashes(&person.name, &person.contact, person.birth_date);
    let person = person.id;
    hashes
        .into_iter()
        .map(|hash| Hint { hash, person })
        .collect()
}

/// Everybody already known by a mail address, or a name and birth date, of the people signing up.
async fn known_people(
    context: &Context,
    details: &SignupDetails,
) -> Result<Vec<PersonId>, StoreError> {
    let representative = details.representative.as_ref().map(|r| &r.person);
    let people = [Some(&details.client), representative];
    let mut hashes: Vec<String> = people
        .into_iter()
        .flatten()
        .flat_map(|person| context.hint_hashes(&person.name, &person.contact, person.birth_date))
        .collect();
    hashes.sort();
    hashes.dedup();
    let mut known = Vec::new();
    for hash in hashes {
        known.extend(context.store.people_hinted(&hash, MOST_KNOWN).await?);
    }
    known.sort();
    known.dedup();
    known.truncate(MOST_KNOWN);
    Ok(known)
}

/// A signup as staff see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignupView {
    id: SignupId,
    partner: PartnerId,
    channel: Channel,
    state: SignupState,
    received_at: DateTime<Utc>,
    /// When a login was first bound to the person.
    activated_at: Option<DateTime<Utc>>,
    client: ClientId,
    client_person: PersonId,
    /// Who signed the client up, if not the client.
    representative: Option<Represented>,
    /// What the client wants the service to know.
    about: Option<String>,
    /// The membership plan that the client has in mind, in their words.
    membership_wish: Option<String>,
}

impl SignupView {
    fn of(signup: Signup) -> Self {
        let Signup {
            id,
            partner,
            channel,
            state,
            received_at,
            activated_at,
            client,
            client_person,
            representative,
            about,
            membership_wish,
        } = signup;
        Self {
            id,
            partner,
            channel,
            state,
            received_at,
            activated_at,
            client,
            client_person,
            representative,
            about,
            membership_wish,
        }
    }
}

/// List signups
///
/// The latest first.
#[utoipa::path(get, path = "/v1/signups", tag = "signups", params(PageQuery), responses(
    (status = 200, body = Listed<SignupView>, example = json!({"items": []}))
))]
async fn list_signups(
    State(context): State<Shared>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    on_duty(&caller, Duty::People)?;
    let found = context
        .store
        .staff_list::<Signup>(StaffPartition::Signups, true, page.limit(), page.cursor())
        .await?;
    Ok(Listed::of(found, |signup| SignupView::of(signup.value)).at(&uri))
}

/// Show a signup
#[utoipa::path(get, path = "/v1/signups/{signup}", tag = "signups", params(("signup" = SignupId, Path)), responses(
    (status = 200, body = SignupView, example = json!({
        "id": "sgn_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "partner": "ptn_0190b2f06bd47c5a9a3e5b7f21d4c8ab",
        "channel": "form", "state": "received", "received_at": "2026-03-02T00:00:00Z", "activated_at": null,
        "client": "clt_0190b2f06bd47c5a9a3e5b7f21d4c8ac", "client_person": "per_0190b2f06bd47c5a9a3e5b7f21d4c8ad",
        "representative": {
            "by": "per_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "relationship": "daughter",
            "authority": "auth_0190b2f06bd47c5a9a3e5b7f21d4c8ae"
        },
        "about": "Would like company on walks.", "membership_wish": null
    }))
))]
async fn show_signup(
    State(context): State<Shared>,
    caller: Caller,
    Path(signup): Path<SignupId>,
) -> Result<Response, Problem> {
    on_duty(&caller, Duty::People)?;
    let found = context.store.get::<Signup>(&Key::signup(signup)).await?;
    let found = found.ok_or_else(Problem::not_found)?;
    Ok(Json(SignupView::of(found.value)).into_response())
}
