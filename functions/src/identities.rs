//! Who must not be given away by a text that crosses before an invitation is accepted.

use domain::client::Client;
use domain::id::PersonId;
use domain::person::{Person, PersonName};
use domain::screening::Identities;
use domain::support_worker::SupportWorker;
use store::{Key, StoreError};

use crate::authority::MOST_AUTHORITIES;
use crate::context::Context;

/// The client and everybody who has ever stood for them.
///
/// # Errors
/// When the table does not answer.
pub async fn client_side(context: &Context, client: &Client) -> Result<Identities, StoreError> {
    let authorities = context
        .store
        .authorities_over(client.id, MOST_AUTHORITIES)
        .await?;
    let representatives = authorities.iter().map(|held| held.value.representative);
    let mut identities = Identities::default();
    for person in people(context, representatives.chain([client.person])).await? {
        identities.add(&person);
    }
    Ok(identities)
}

/// The same, and the support worker.
///
/// # Errors
/// When the table does not answer.
pub async fn both_sides(
    context: &Context,
    client: &Client,
    worker: &SupportWorker,
) -> Result<Identities, StoreError> {
    let mut identities = client_side(context, client).await?;
    for person in people(context, [worker.person].into_iter()).await? {
        identities.add(&person);
    }
    Ok(identities)
}

/// What somebody is called, for those who may know.
///
/// # Errors
/// When the table does not answer.
pub async fn name_of(context: &Context, person: PersonId) -> Result<PersonName, StoreError> {
    let person = context.living_person(person).await?;
    Ok(person.map_or_else(
        || PersonName {
            given: String::new(),
            family: String::new(),
        },
        |person| person.value.name,
    ))
}

/// These people, and those whose records theirs were merged into: both have names.
async fn people(
    context: &Context,
    ids: impl Iterator<Item = PersonId>,
) -> Result<Vec<Person>, StoreError> {
    let keys: Vec<Key> = ids.map(Key::person).collect();
    let mut people = context.store.get_many::<Person>(&keys).await?;
    let merged = people.iter().filter_map(|person| person.value.merged_into);
    let merged: Vec<Key> = merged.map(Key::person).collect();
    people.extend(context.store.get_many::<Person>(&merged).await?);
    Ok(people.into_iter().map(|person| person.value).collect())
}
