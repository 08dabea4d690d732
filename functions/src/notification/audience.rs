//! Whom a notice concerns, as relationships stand now.

use domain::access::{Authority, Scope};
use domain::client::Client;
use domain::id::{ClientId, PersonId, WorkerId};
use domain::notice::Audience;
use domain::support_worker::SupportWorker;
use store::{Key, StoreError};

use crate::context::Context;

/// The most representatives of one client who are told of an event.
const MOST_REPRESENTATIVES: usize = 8;

/// The people behind an audience, each once.
pub(super) async fn people(
    context: &Context,
    audience: Audience,
) -> Result<Vec<PersonId>, StoreError> {
    let mut people = match audience {
        Audience::Person(person) => vec![person],
        Audience::Worker(worker) => worker_person(context, worker).await?.into_iter().collect(),
        Audience::ClientAnd(client, person) => {
            let mut people: Vec<PersonId> =
                client_person(context, client).await?.into_iter().collect();
            people.push(person);
            people
        }
        Audience::Client(client) => {
            let mut people: Vec<PersonId> =
                client_person(context, client).await?.into_iter().collect();
            people.extend(representatives(context, client).await?);
            people
        }
    };
    let mut living = Vec::with_capacity(people.len());
    for person in people.drain(..) {
        let person = context
            .living_person(person)
            .await?
            .map(|person| person.value.id);
        living.extend(person.filter(|person| !living.contains(person)));
    }
    Ok(living)
}

async fn client_person(
    context: &Context,
    client: ClientId,
) -> Result<Option<PersonId>, StoreError> {
    let client = context.store.get::<Client>(&Key::client(client)).await?;
    Ok(client.map(|client| client.value.person))
}

async fn worker_person(
    context: &Context,
    worker: WorkerId,
) -> Result<Option<PersonId>, StoreError> {
    let worker = context
        .store
        .get::<SupportWorker>(&Key::worker(worker))
        .await?;
    Ok(worker.map(|worker| worker.value.person))
}

async fn representatives(context: &Context, client: ClientId) -> Result<Vec<PersonId>, StoreError> {
    let pk = Key::client(client).pk;
    let held = context
        .store
        .list_all::<Authority>(&pk, "AUTHORITY#", MOST_REPRESENTATIVES)
        .await?;
    let now = context.now();
    let permitted = held
        .into_iter()
        .filter(|held| held.value.permits(Scope::MatchRequests, now));
    Ok(permitted.map(|held| held.value.representative).collect())
}
