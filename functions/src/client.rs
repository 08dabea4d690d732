//! Clients, as they themselves, their representatives and staff see them.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, NaiveDate, Utc};
use domain::access::{Acting, Duty, Scope};
use domain::client::{Client, Membership};
use domain::funding::SchemeCode;
use domain::id::{ClientId, PartnerId, PersonId};
use domain::person::{Contact, PersonName};
use serde::Serialize;
use store::{Commit, Key, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::path::Path;
use crate::perform::Tagged;
use crate::problem::Problem;
use crate::standing::{ForClient, OnDuty, for_client, on_duty};

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(show_client))
}

/// In what standing somebody sees a client's details.
#[derive(Debug, Clone)]
pub enum Reader {
    /// Staff who look after people.
    Staff(Box<OnDuty>),
    /// The client, or a representative whose authority covers details.
    ForClient(Box<ForClient>),
}

impl Reader {
    /// Lets `caller` see the details of `client`, or refuses.
    ///
    /// # Errors
    /// 404 to strangers, 403 to staff and representatives with other things to do.
    pub async fn of(context: &Context, caller: &Caller, client: ClientId) -> Result<Self, Problem> {
        // A relationship of one's own goes before a staff role: it says on whose account one acts.
        match for_client(context, caller, client, Scope::Details).await {
            Ok(standing) => Ok(Self::ForClient(Box::new(standing))),
            Err(refusal) if refusal.status() == StatusCode::NOT_FOUND => {
                Ok(Self::Staff(Box::new(on_duty(caller, Duty::People)?)))
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// On whose account they act.
    #[must_use]
    pub fn acting(&self) -> Acting {
        match self {
            Self::Staff(duty) => duty.acting,
            Self::ForClient(standing) => standing.acting,
        }
    }

    /// Makes the commit fail if this standing has changed since it was read.
    pub fn insisted_on(&self, commit: Commit) -> Commit {
        match self {
            Self::Staff(duty) => duty.insisted_on(commit),
            Self::ForClient(standing) => standing.insisted_on(commit),
        }
    }
}

/// A client's details.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClientView {
    id: ClientId,
    person: PersonId,
    name: PersonName,
    contact: Contact,
    birth_date: Option<NaiveDate>,
    /// Where they live, as typed.
    address: Option<String>,
    /// The membership plan in force; none until staff have assigned one.
    membership: Option<Membership>,
    /// The funding scheme that pays for their support; none where they pay themselves.
    funding: Option<SchemeCode>,
    /// The partner whose site sent the signup.
    partner: Option<PartnerId>,
    created_at: DateTime<Utc>,
}

/// Show a client
///
/// For the client, representatives whose authority covers details, and staff.
#[utoipa::path(get, path = "/v1/clients/{client}", tag = "clients", params(("client" = ClientId, Path)), responses(
    (status = 200, body = ClientView, example = json!({
        "id": "clt_0190b2f06bd47c5a9a3e5b7f21d4c8ab", "person": "per_0190b2f06bd47c5a9a3e5b7f21d4c8aa",
        "name": {"given": "Ana", "family": "Lindqvist"},
        "contact": {"email": "ana@example.org", "phone": null},
        "birth_date": "1961-04-02", "address": null,
        "membership": {"plan": "mpl_0190b2f06bd47c5a9a3e5b7f21d4c8ad", "since": "2026-03-03T00:00:00Z"},
        "funding": "home-support", "partner": null, "created_at": "2026-03-02T00:00:00Z"
    }))
))]
async fn show_client(
    State(context): State<Shared>,
    caller: Caller,
    Path(client): Path<ClientId>,
) -> Result<Response, Problem> {
    Ok(show(&context, &caller, client).await?.into_response())
}

/// A client's details, for whoever may see them.
///
/// # Errors
/// 404 to strangers, 403 to staff and representatives with other things to do.
pub async fn show(
    context: &Context,
    caller: &Caller,
    client: ClientId,
) -> Result<Tagged<ClientView>, Problem> {
    Reader::of(context, caller, client).await?;
    let Versioned { version, value } = load(context, client).await?;
    let Client {
        id,
        person,
        membership,
        funding,
        open_match_requests: _,
        cover_consent: _,
        partner,
        created_at,
    } = value;
    let person = context.living_person(person).await?;
    let person = person.ok_or_else(Problem::not_found)?.value;
    let view = ClientView {
        id,
        person: person.id,
        name: person.name,
        contact: person.contact,
        birth_date: person.birth_date,
        address: person.address,
        membership,
        funding,
        partner,
        created_at,
    };
    Ok(Tagged { version, view })
}

/// A client as stored.
///
/// # Errors
/// 404 where there is none.
pub async fn load(context: &Context, client: ClientId) -> Result<Versioned<Client>, Problem> {
    context
        .store
        .get(&Key::client(client))
        .await?
        .ok_or_else(Problem::not_found)
}
