//! Whom a notice concerns, as relationships stand now.

use std::collections::BTreeMap;

use domain::access::{self, Duty, Scope};
use domain::client::Client;
use domain::id::{ClientId, PersonId, WorkerId};
use domain::notice::Audience;
use domain::person::Person;
use domain::support_worker::SupportWorker;
use store::{Key, StaffPartition, StoreError};

use crate::authority::MOST_AUTHORITIES;
use crate::context::Context;

/// The most representatives of one client who are told of an event: each takes two writes of a commit,
/// which holds a hundred.
const MOST_REPRESENTATIVES: usize = 40;
/// How many staff are looked through for a duty.
const MOST_STAFF: u16 = 1_000;

/// The people behind an audience, each once.
pub(super) async fn people(
    context: &Context,
    audience: Audience,
) -> Result<Vec<Person>, StoreError> {
    let people = match audience {
        Audience::Person(person) => vec![person],
        Audience::Worker(worker) => worker_person(context, worker).await?.into_iter().collect(),
        Audience::ClientAnd(client, person) => {
            let mut people: Vec<PersonId> =
                client_person(context, client).await?.into_iter().collect();
            people.push(person);
            people
        }
        Audience::Client(client, scope) => client_side(context, client, scope).await?,
        Audience::Both(client, scope, worker) => {
            let mut people = client_side(context, client, scope).await?;
            people.extend(worker_person(context, worker).await?);
            people
        }
        Audience::Staff(duty) => staff(context, duty).await?,
    };
    let mut living: Vec<Person> = Vec::with_capacity(people.len());
    for person in people {
        let person = context.living_person(person).await?;
        let known = |person: &Person| living.iter().any(|known| known.id == person.id);
        let new = person.map(|person| person.value).filter(|new| !known(new));
        living.extend(new);
    }
    Ok(living)
}

/// Whom of `people` to mail: those who share an address get one letter, and the one of them who signs in
/// gets it. A client whom a representative signed up carries the representative's address.
pub(super) fn one_per_mailbox(people: &[Person]) -> Vec<PersonId> {
    let mut mailed = BTreeMap::new();
    for person in people {
        let address = person.contact.email.trim().to_ascii_lowercase();
        let first = mailed.entry(address).or_insert(person);
        if first.logins.is_empty() && !person.logins.is_empty() {
            *first = person;
        }
    }
    mailed.into_values().map(|person| person.id).collect()
}

async fn client_side(
    context: &Context,
    client: ClientId,
    scope: Scope,
) -> Result<Vec<PersonId>, StoreError> {
    let mut people: Vec<PersonId> = client_person(context, client).await?.into_iter().collect();
    people.extend(representatives(context, client, scope).await?);
    Ok(people)
}

async fn staff(context: &Context, duty: Duty) -> Result<Vec<PersonId>, StoreError> {
    let listed = context
        .store
        .staff_list::<Person>(StaffPartition::Staff, false, MOST_STAFF, None)
        .await?;
    let people = listed.items.into_iter().map(|person| person.value);
    Ok(people
        .filter(|person| access::staff(person, duty).is_ok())
        .map(|person| person.id)
        .take(MOST_REPRESENTATIVES)
        .collect())
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

async fn representatives(
    context: &Context,
    client: ClientId,
    scope: Scope,
) -> Result<Vec<PersonId>, StoreError> {
    // All of them, whatever became of them: those that ended must not crowd out those that hold.
    let held = context
        .store
        .authorities_over(client, MOST_AUTHORITIES)
        .await?;
    let now = context.now();
    let permitted = held
        .into_iter()
        .filter(|held| held.value.permits(scope, now));
    let mut told: Vec<PersonId> = permitted.map(|held| held.value.representative).collect();
    if told.len() > MOST_REPRESENTATIVES {
        tracing::error!(%client, "more representatives than can be told of an event");
        told.truncate(MOST_REPRESENTATIVES);
    }
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::person::{Contact, LoginKey, PersonName, Roles};

    fn id(number: u128) -> PersonId {
        format!("per_{number:032x}").parse().unwrap()
    }

    fn person(number: u128, email: &str, signs_in: bool) -> Person {
        let login = || LoginKey {
            issuer: "https://login.example.org".into(),
            subject: number.to_string(),
        };
        Person {
            id: id(number),
            name: PersonName {
                given: "Ana".into(),
                family: "Lindqvist".into(),
            },
            contact: Contact {
                email: email.into(),
                phone: None,
            },
            birth_date: None,
            address: None,
            activation: None,
            logins: signs_in.then(login).into_iter().collect(),
            roles: Roles::default(),
            merged_into: None,
            mail_bounced: false,
            created_at: chrono::DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn one_letter_goes_to_each_mailbox_and_to_the_one_who_signs_in() {
        let people = [
            person(1, "ana@example.org", false),
            person(2, " Ana@Example.org", true),
            person(3, "ana@example.org", true),
            person(4, "zoe@example.org", false),
        ];
        assert_eq!(one_per_mailbox(&people), [2, 4].map(id));
    }
}
