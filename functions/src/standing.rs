//! The relationship in which a caller acts, as read now, so that a commit can insist on it.

use domain::access::{self, Acting, Authority, Duty, Scope};
use domain::client::Client;
use domain::id::{ClientId, WorkerId};
use domain::person::Person;
use store::{Commit, Key, Versioned};

use crate::caller::Caller;
use crate::context::Context;
use crate::problem::Problem;

/// A caller acting for a client: themselves, or as a representative.
#[derive(Debug, Clone)]
pub struct ForClient {
    /// On whose account.
    pub acting: Acting,
    /// The client.
    pub client: Versioned<Client>,
    authority: Option<Versioned<Authority>>,
    caller: Versioned<Person>,
}

/// Staff on duty.
#[derive(Debug, Clone)]
pub struct OnDuty {
    /// On whose account.
    pub acting: Acting,
    caller: Versioned<Person>,
}

/// A caller acting on a support worker: in person, or as staff who decide on them.
#[derive(Debug, Clone)]
pub struct ForWorker {
    /// On whose account.
    pub acting: Acting,
    caller: Versioned<Person>,
}

/// Lets `caller` act for `client` in `scope`, or refuses.
///
/// # Errors
/// 404 to strangers, 403 to representatives whose authority covers other things.
pub async fn for_client(
    context: &Context,
    caller: &Caller,
    client: ClientId,
    scope: Scope,
) -> Result<ForClient, Problem> {
    let person = &caller.person.value;
    let authority = if person.roles.clients.contains(&client) {
        None
    } else {
        context
            .store
            .get::<Authority>(&Key::authority(client, person.id))
            .await?
    };
    let held = authority.as_ref().map(|held| &held.value);
    let acting = access::for_client(person, client, held, scope, context.now())?;
    let client = context
        .store
        .get(&Key::client(client))
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok(ForClient {
        acting,
        client,
        authority,
        caller: caller.person.clone(),
    })
}

/// Lets `caller` act as staff with `duty`, or refuses.
///
/// # Errors
/// 404 to people who are not staff, 403 to staff with other duties.
pub fn on_duty(caller: &Caller, duty: Duty) -> Result<OnDuty, Problem> {
    let acting = access::staff(&caller.person.value, duty)?;
    Ok(OnDuty {
        acting,
        caller: caller.person.clone(),
    })
}

/// Lets `caller` decide, as staff with `duty`, on what is a client's, or refuses.
///
/// # Errors
/// 404 to people who are not staff, 403 to staff with other duties and to staff who are the client or
/// represent them.
pub fn over_client(caller: &Caller, client: ClientId, duty: Duty) -> Result<OnDuty, Problem> {
    let acting = access::over_client(&caller.person.value, client, duty)?;
    Ok(OnDuty {
        acting,
        caller: caller.person.clone(),
    })
}

/// Lets `caller` act as the support worker they are, or refuses.
///
/// # Errors
/// 404 to strangers, 403 to staff.
pub fn as_worker(caller: &Caller, worker: WorkerId) -> Result<ForWorker, Problem> {
    let acting = access::as_worker(&caller.person.value, worker)?;
    Ok(ForWorker {
        acting,
        caller: caller.person.clone(),
    })
}

/// Lets `caller` decide, as staff, on a support worker, or refuses.
///
/// # Errors
/// 404 to strangers, 403 to the support worker in person and to staff with other duties.
pub fn over_worker(caller: &Caller, worker: WorkerId) -> Result<ForWorker, Problem> {
    let acting = access::over_worker(&caller.person.value, worker)?;
    Ok(ForWorker {
        acting,
        caller: caller.person.clone(),
    })
}

impl ForClient {
    /// Makes the commit fail if the relationship has changed since it was read.
    pub fn insisted_on(&self, commit: Commit) -> Commit {
        let commit = commit.unchanged(&self.client);
        match &self.authority {
            Some(authority) => commit.unchanged(authority),
            None => commit.unchanged(&self.caller),
        }
    }
}

impl ForWorker {
    /// Makes the commit fail if the caller's roles have changed since they were read.
    pub fn insisted_on(&self, commit: Commit) -> Commit {
        commit.unchanged(&self.caller)
    }
}

impl OnDuty {
    /// Makes the commit fail if the caller's roles have changed since they were read.
    pub fn insisted_on(&self, commit: Commit) -> Commit {
        commit.unchanged(&self.caller)
    }
}
