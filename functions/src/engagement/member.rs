//! Who the two in an engagement are: known to each other since it was opened, reachable while it lives.

use std::collections::BTreeMap;

use domain::client::Client;
use domain::engagement::Side;
use domain::id::{ClientId, PersonId, WorkerId};
use domain::person::{Contact, Person, PersonName};
use domain::support_worker::SupportWorker;
use serde::Serialize;
use store::{Key, StoreError, Versioned};
use utoipa::ToSchema;

use crate::context::Context;

/// One of the two.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MemberView {
    /// Which of them.
    pub(crate) side: Side,
    /// What they are called.
    pub(crate) name: PersonName,
    /// How to reach them; left out where the reader has no need to.
    pub(crate) contact: Option<Contact>,
}

/// The people of some engagements, read together.
pub(crate) struct Members {
    clients: BTreeMap<ClientId, PersonId>,
    workers: BTreeMap<WorkerId, PersonId>,
    people: BTreeMap<PersonId, Person>,
}

impl Members {
    /// Reads everybody on both sides.
    pub(crate) async fn of(
        context: &Context,
        pairs: &[(ClientId, WorkerId)],
    ) -> Result<Self, StoreError> {
        let keys: Vec<Key> = pairs
            .iter()
            .map(|(client, _)| Key::client(*client))
            .collect();
        let clients = context.store.get_many::<Client>(&keys).await?;
        let keys: Vec<Key> = pairs
            .iter()
            .map(|(_, worker)| Key::worker(*worker))
            .collect();
        let workers = context.store.get_many::<SupportWorker>(&keys).await?;
        let clients: BTreeMap<_, _> = values(clients)
            .map(|client| (client.id, client.person))
            .collect();
        let workers: BTreeMap<_, _> = values(workers)
            .map(|worker| (worker.id, worker.person))
            .collect();
        let keys = clients.values().chain(workers.values());
        let keys: Vec<Key> = keys.map(|person| Key::person(*person)).collect();
        let found = context.store.get_many::<Person>(&keys).await?;
        let mut people = BTreeMap::new();
        for person in values(found) {
            // A record that was merged into another speaks through it.
            let living = match person.merged_into {
                Some(_) => context.living_person(person.id).await?,
                None => None,
            };
            let id = person.id;
            people.insert(id, living.map_or(person, |living| living.value));
        }
        Ok(Self {
            clients,
            workers,
            people,
        })
    }

    /// One of a pair; none where nothing is known of them any more.
    pub(crate) fn member(
        &self,
        (client, worker): (ClientId, WorkerId),
        side: Side,
        with_contact: bool,
    ) -> Option<MemberView> {
        let person = match side {
            Side::Client => self.clients.get(&client),
            Side::Worker => self.workers.get(&worker),
        };
        let person = self.people.get(person?)?;
        Some(MemberView {
            side,
            name: person.name.clone(),
            contact: with_contact.then(|| person.contact.clone()),
        })
    }
}

fn values<T>(found: Vec<Versioned<T>>) -> impl Iterator<Item = T> {
    found.into_iter().map(|found| found.value)
}
